"""Mixtures on grids: against the slow twin, exact integrals, and what must be conserved."""

import numba
import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import ndtr

from gmmx._kernels.raster import draw_gaussians
from gmmx.model.drawing import PixelMeans, convolved, pixel_means
from gmmx.model.mixture import Mixture
from gmmx.model.psf import PsfModel
from gmmx.plane.grid import PixelGrid


def make_covariance(major, minor, angle):
    """Covariance of an ellipse whose major axis is turned by an angle [rad]."""
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    return turn @ np.diag([major**2, minor**2]) @ turn.T


def exact_aligned(flux, mean, sigma_x, sigma_y, grid):
    """Mean over each pixel of an aligned Gaussian on an aligned grid, from error functions."""
    x, y = grid.to_plane(np.arange(grid.shape[1] + 1) - 0.5, np.arange(grid.shape[0] + 1) - 0.5)
    along_x, along_y = (
        np.diff(ndtr((x - mean[0]) / sigma_x)),
        np.diff(ndtr((y - mean[1]) / sigma_y)),
    )
    return flux * np.outer(along_y, along_x) / grid.cell_area


def brute_force(flux, mean, covariance, grid, n):
    """Mean over each pixel from n x n Gauss-Legendre nodes."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    one = Mixture(fluxes=[flux], means=[mean], covariances=[covariance])
    ix, iy = np.meshgrid(np.arange(grid.shape[1]), np.arange(grid.shape[0]))
    total = np.zeros(grid.shape)
    for u, wu in zip(nodes / 2, weights / 2, strict=True):
        for v, wv in zip(nodes / 2, weights / 2, strict=True):
            total += wu * wv * one.density(*grid.to_plane(ix + u, iy + v))
    return total


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=30)
def test_drawn_gaussians_match_the_slow_twin(seed):
    rng = np.random.default_rng(seed)
    n, (ny, nx) = rng.integers(1, 5), rng.integers(1, 25, 2)
    covariances = np.array(
        [make_covariance(*np.exp(rng.uniform(-1, 2.5, 2)), rng.uniform(0, np.pi)) for _ in range(n)]
    )
    inverses = np.linalg.inv(covariances)
    packed = np.stack([inverses[:, 0, 0], inverses[:, 0, 1], inverses[:, 1, 1]], axis=1)
    means = rng.uniform(-5, 30, (n, 2))
    case = rng.uniform(0.1, 10, n), means, packed, rng.integers(1, 5, n), int(ny), int(nx)
    assert_allclose(
        draw_gaussians(*case), reference.draw_gaussians(*case), rtol=1e-9, atol=1e-6 * case[0].max()
    )


@pytest.mark.parametrize("step", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("sigma", [(0.1, 0.1), (0.1, 3.0), (0.7, 0.5), (2.0, 1.9), (6.0, 2.5)])
@pytest.mark.parametrize("mean", np.random.default_rng(3).uniform(-3, 3, (4, 2)), ids=range(4))
def test_pixel_means_are_integrals(mean, sigma, step):
    grid = PixelGrid.covering((-45, 45), (-45, 45), step)
    image = pixel_means(np.array([7.0]), mean[None], np.diag(np.square(sigma))[None], grid)
    exact = exact_aligned(7.0, mean, *sigma, grid)
    assert_allclose(image, exact, rtol=0, atol=2e-4 * exact.max())
    assert image.sum() * grid.cell_area == pytest.approx(7.0, rel=1e-6)


@pytest.mark.parametrize(
    ("major", "minor", "angle"),
    [(3.0, 1.0, 0.4), (5.0, 4.0, 2.0), (6.0, 0.4, 1.0), (0.9, 0.3, 2.6)],
)
def test_pixel_means_on_a_turned_and_sheared_grid(major, minor, angle):
    turn = np.array([[np.cos(0.7), -np.sin(0.7)], [np.sin(0.7), np.cos(0.7)]]) @ np.array(
        [[1.5, 0.2], [0.0, 1.2]]
    )
    grid = PixelGrid(shape=(40, 50), origin=np.array([0.0, 0.0]) - turn @ [25, 20], matrix=turn)
    covariance = make_covariance(major, minor, angle)
    image = pixel_means(np.array([2.0]), np.array([[1.3, -0.4]]), covariance[None], grid)
    exact = brute_force(2.0, [1.3, -0.4], covariance, grid, 24)
    assert_allclose(image, exact, rtol=0, atol=3e-4 * exact.max())


def test_a_mirrored_grid_shows_the_mirrored_picture():
    grid = PixelGrid(shape=(30, 30), origin=np.array([-15.0, -15.0]), matrix=np.eye(2))
    mirror = PixelGrid(shape=(30, 30), origin=np.array([14.0, -15.0]), matrix=np.diag([-1.0, 1.0]))
    given_ = np.array([1.0]), np.array([[2.0, 1.0]]), make_covariance(4, 2, 0.5)[None]
    assert_allclose(
        pixel_means(*given_, mirror), pixel_means(*given_, grid)[:, ::-1], rtol=1e-9, atol=1e-12
    )


def test_a_gaussian_on_a_corner_is_shared_by_four_pixels():
    grid = PixelGrid(shape=(4, 4), origin=np.array([-1.5, -1.5]), matrix=np.eye(2))
    image = pixel_means(np.array([4.0]), np.zeros((1, 2)), 1e-10 * np.eye(2)[None], grid)
    expected = np.zeros((4, 4))
    expected[1:3, 1:3] = 1
    assert_allclose(image, expected, atol=1e-6)


@pytest.mark.parametrize("mean", np.random.default_rng(5).uniform(2.3, 5.7, (6, 2)), ids=range(6))
def test_a_gaussian_without_width_keeps_its_flux_and_its_pixel(mean):
    grid = PixelGrid(shape=(9, 9), origin=np.zeros(2), matrix=4.0 * np.eye(2))
    image = pixel_means(np.array([7.0]), mean[None], 1e-12 * np.eye(2)[None], grid)
    assert image[1, 1] * grid.cell_area == pytest.approx(7.0, rel=1e-6)


@pytest.mark.parametrize("sigma", [0.01, 1.0, 10.0])
@pytest.mark.parametrize("mean", [(1e6, 0), (-1e6, 0), (0, 1e6), (3, -1e12), (1e15, 1e15)], ids=str)
def test_far_away_gaussians_leave_nothing(mean, sigma):
    grid = PixelGrid(shape=(5, 7), origin=np.zeros(2), matrix=np.eye(2))
    image = pixel_means(np.array([1.0]), np.array([mean]), sigma**2 * np.eye(2)[None], grid)
    assert image.max() == 0


def test_one_and_two_threads_agree_to_the_bit():
    rng = np.random.default_rng(8)
    grid = PixelGrid.covering((-60, 60), (-50, 50), 1.0)
    case = (
        rng.uniform(1, 9, 20),
        rng.normal(0, 30, (20, 2)),
        np.array([make_covariance(*np.exp(rng.uniform(-2, 3, 2)), 0.3) for _ in range(20)]),
    )
    images = []
    before = numba.get_num_threads()
    try:
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            images.append(pixel_means(*case, grid))
    finally:
        numba.set_num_threads(before)
    assert_array_equal(*images)


def test_no_gaussian_gives_an_empty_image():
    empty = Mixture.empty()
    grid = PixelGrid(shape=(3, 2), origin=np.zeros(2), matrix=np.eye(2))
    assert_array_equal(
        pixel_means(empty.fluxes, empty.means, empty.covariances, grid), np.zeros((3, 2))
    )


def test_convolution_adds_the_psf():
    mixture = Mixture(
        fluxes=[3.0, 5.0],
        means=[[0, 0], [4, 2]],
        covariances=[make_covariance(3, 1, 0.2), make_covariance(2, 2, 0)],
    )
    fluxes, means, covariances = convolved(mixture, PsfModel.constant(0.5))
    assert_allclose(fluxes, mixture.fluxes)
    assert_allclose(means, mixture.means)
    assert_allclose(covariances, mixture.covariances + 0.25 * np.eye(2))
    assert convolved(mixture, None)[2] is mixture.covariances


def test_every_gaussian_of_the_psf_gets_its_weight():
    node = PixelGrid(shape=(1, 1), origin=np.zeros(2), matrix=np.eye(2))
    psf = PsfModel(grid=node, weights=[[[0.7, 0.3]]], covariances=[[[np.eye(2), 9 * np.eye(2)]]])
    mixture = Mixture(
        fluxes=[2.0, 10.0], means=[[0, 0], [1, 1]], covariances=[np.eye(2), 4 * np.eye(2)]
    )
    fluxes, means, covariances = convolved(mixture, psf)
    assert_allclose(fluxes, [1.4, 0.6, 7.0, 3.0])
    assert_allclose(means, [[0, 0], [0, 0], [1, 1], [1, 1]])
    assert_allclose(covariances[:, 0, 0], [2, 10, 5, 13])


def test_a_convolved_image_keeps_the_flux():
    mixture = Mixture(
        fluxes=[3.0, 5.0],
        means=[[0, 0], [4, 2]],
        covariances=[make_covariance(3, 1, 0.2), make_covariance(2, 2, 0)],
    )
    grid = PixelGrid.covering((-40, 40), (-40, 40), 1.0)
    image = pixel_means(*convolved(mixture, PsfModel.constant(2.0)), grid)
    assert image.sum() * grid.cell_area == pytest.approx(8.0, rel=1e-6)


def test_several_mixtures_at_once_are_the_same_images():
    grid = PixelGrid.covering((-20, 20), (-16, 16), 1.0)
    rng = np.random.default_rng(4)
    mixtures = [
        Mixture(
            fluxes=rng.uniform(1, 2, k),
            means=rng.uniform(-15, 15, (k, 2)),
            covariances=rng.uniform(0.01, 9, k)[:, None, None] * np.eye(2),
        )
        for k in (3, 0, 5)
    ]
    means = PixelMeans.of(mixtures, grid)
    for first, last in ((0, 32), (7, 11)):
        for image, mixture in zip(means.rows(first, last), mixtures, strict=True):
            alone = pixel_means(mixture.fluxes, mixture.means, mixture.covariances, grid)
            assert_allclose(image, alone[first:last], rtol=1e-11, atol=1e-15)
