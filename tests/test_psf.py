"""The PSF at each position, and its average over a component."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from gmmx.errors import InputError
from gmmx.model.psf import PsfModel, core_radius
from gmmx.plane.grid import PixelGrid

GRID = PixelGrid.covering((-50, 50), (-50, 50), 20.0)


def make_psf(weights=None, covariances=None, grid=GRID):
    """A PSF of unit Gaussians, unless other weights or covariances are given."""
    weights = np.ones((*grid.shape, 1)) if weights is None else weights
    covariances = (
        np.broadcast_to(np.eye(2), (*weights.shape, 2, 2)) if covariances is None else covariances
    )
    return PsfModel(grid=grid, weights=weights, covariances=covariances)


def test_a_constant_psf_is_the_same_everywhere():
    psf = PsfModel.constant(0.6)
    weights, covariances = psf.at([0.0, 1e4], [5.0, -1e4])
    assert psf.n_gaussians == 1
    assert_allclose(weights, 1)
    assert_allclose(covariances, np.broadcast_to(0.36 * np.eye(2), (2, 1, 2, 2)))


@pytest.mark.parametrize("sigma", [0.0, -1.0, np.nan, np.inf])
def test_the_sigma_of_a_constant_psf_must_be_positive(sigma):
    with pytest.raises(InputError, match="must be positive"):
        PsfModel.constant(sigma)


def test_linear_change_is_interpolated_exactly_and_constant_beyond_the_nodes():
    x, y = GRID.centres()
    size = 10 + 0.05 * x - 0.02 * y
    psf = make_psf(covariances=size[..., None, None, None] * np.eye(2))
    rng = np.random.default_rng(0)
    px, py = rng.uniform(-40, 40, (2, 50))
    _, found = psf.at(px, py)
    assert_allclose(found[:, 0, 0, 0], 10 + 0.05 * px - 0.02 * py, rtol=1e-12)
    assert_allclose(psf.at(500.0, 10.0)[1], psf.at(40.0, 10.0)[1])
    assert_allclose(psf.at(3.0, -500.0)[1], psf.at(3.0, -40.0)[1])


def test_the_grid_of_nodes_may_be_turned():
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    grid = PixelGrid(shape=(3, 3), origin=turn @ [-20.0, -20.0], matrix=20 * turn)
    ix = np.arange(3.0)
    covariances = (1 + ix)[None, :, None, None, None] * np.ones((3, 1, 1, 1, 1)) * np.eye(2)
    # Columns run along y now.
    assert_allclose(
        make_psf(grid=grid, covariances=covariances).at(3.0, 10.0)[1][0, 0], 2.5 * np.eye(2)
    )


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (4, 1)])
def test_the_nodes_may_be_a_single_row(shape):
    grid = PixelGrid(shape=shape, origin=np.zeros(2), matrix=np.eye(2))
    weights, covariances = make_psf(grid=grid).at([-3.0, 0.5, 9.0], [-3.0, 0.5, 9.0])
    assert_allclose(weights, 1)
    assert_allclose(covariances[:, 0], np.broadcast_to(np.eye(2), (3, 2, 2)))


class Quadratic:
    """S(x) that is quadratic in position, in place of the nodes of a map."""

    n_gaussians = 1

    def __init__(self, a, b, c):
        self.a, self.b, self.c = a, b, c

    def at(self, x, y):
        points = np.stack([x, y], axis=1)
        size = self.a + points @ self.b + np.einsum("ni,ij,nj->n", points, self.c, points)
        return np.ones((len(x), 1)), size[:, None, None, None] * np.eye(2)


@given(seed=st.integers(0, 2**32 - 1))
def test_the_average_is_exact_for_quadratic_change(seed):
    rng = np.random.default_rng(seed)
    root, c = rng.normal(0, 3, (4, 2, 2)), rng.normal(0, 1e-2, (2, 2))
    means, covariances = rng.normal(0, 10, (4, 2)), root @ np.swapaxes(root, 1, 2) + 0.1 * np.eye(2)
    b, c = rng.normal(0, 0.1, 2), (c + c.T) / 2
    mean_weights, spreads = PsfModel.averaged(Quadratic(50.0, b, c), means, covariances)
    # E[a + b x + x C x] over N(mu, Sigma).
    expected = (
        50
        + means @ b
        + np.einsum("ki,ij,kj->k", means, c, means)
        + np.einsum("kij,ji->k", covariances, c)
    )
    assert_allclose(mean_weights, 1)
    assert_allclose(spreads[:, 0, 0, 0], expected, rtol=1e-12)


def test_the_average_weighs_the_gaussians_by_their_weights():
    # A Gaussian that exists on one half of the field only is averaged where it exists.
    grid = PixelGrid(shape=(1, 2), origin=np.array([-10.0, 0.0]), matrix=np.diag([20.0, 1.0]))
    weights = np.array([[[1.0, 0.0], [0.0, 1.0]]])
    covariances = np.array([[[1.0, 9.0], [4.0, 16.0]]])[..., None, None] * np.eye(2)
    mean_weights, spreads = make_psf(weights, covariances, grid).averaged(
        np.array([[0.0, 0.0]]), np.array([np.diag([1e-4, 1e-4])])
    )
    assert_allclose(mean_weights, [[0.5, 0.5]])
    assert_allclose(spreads[0, :, 0, 0], [2.5, 12.5], rtol=1e-4)
    mean_weights, spreads = make_psf(weights, covariances, grid).averaged(
        np.array([[0.0, 0.0]]), np.array([np.diag([50.0, 1e-4])])
    )
    # The cubature points on the axis lie on the two nodes, those off it in the middle.
    assert_allclose(mean_weights, [[0.5, 0.5]])
    assert_allclose(
        spreads[0, :, 0, 0], [(1.0 + 2 * 0.5 * 2.5) / 2, (16.0 + 2 * 0.5 * 12.5) / 2], rtol=1e-4
    )


def test_a_gaussian_of_no_weight_has_a_finite_covariance():
    weights = np.zeros((1, 1, 2)) + [1.0, 0.0]
    mean_weights, spreads = make_psf(
        weights, grid=PixelGrid.covering((0, 1), (0, 1), 1.0)
    ).averaged(np.zeros((1, 2)), np.eye(2)[None])
    assert_allclose(mean_weights, [[1.0, 0.0]])
    assert_allclose(spreads[0, 1], np.eye(2))


@pytest.mark.parametrize(
    ("covariance", "fraction", "radius"),
    [
        (0.49 * np.eye(2), {}, 0.7),
        (0.49 * np.eye(2), {"fraction": 0.9}, 0.7 * np.sqrt(-2 * np.log(0.1))),
        # An elongated Gaussian counts as the round one of its area.
        (np.diag([4.0, 0.25]), {}, 1.0),
    ],
    ids=["round", "90 per cent", "elongated"],
)
def test_the_core_of_one_gaussian(covariance, fraction, radius):
    found = core_radius(np.array([[1.0]]), covariance[None, None], **fraction)
    assert_allclose(found, radius, rtol=1e-9)


def test_the_core_of_several_gaussians_holds_their_common_fraction():
    weights = np.array([[0.6, 0.3, 0.1], [1.0, 0.0, 0.0]])
    variances = np.array([[0.2, 2.0, 30.0], [0.2, 2.0, 30.0]])
    radius = core_radius(weights, variances[..., None, None] * np.eye(2))
    inside = (weights * (1 - np.exp(-(radius[:, None] ** 2) / (2 * variances)))).sum(1)
    assert_allclose(inside, 1 - np.exp(-0.5), rtol=1e-9)


def test_no_psf_has_no_core():
    assert core_radius(np.ones((0, 1)), np.zeros((0, 1, 2, 2))).shape == (0,)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"weights": np.full((*GRID.shape, 2), 0.4)}, "sum to 1"),
        ({"weights": np.broadcast_to([1.5, -0.5], (*GRID.shape, 2))}, "at least 0"),
        (
            {"covariances": np.broadcast_to([[1.0, 2.0], [2.0, 1.0]], (*GRID.shape, 1, 2, 2))},
            "positive definite",
        ),
        ({"covariances": np.broadcast_to(-np.eye(2), (*GRID.shape, 1, 2, 2))}, "positive definite"),
        ({"weights": np.ones((2, 2, 1))}, r"PsfModel\.weights"),
    ],
    ids=["sum", "sign", "indefinite", "negative", "shape"],
)
def test_what_cannot_be_a_psf_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        make_psf(**given)


def test_only_a_constant_round_psf_is_the_same_in_every_frame():
    psf = PsfModel.constant(2.0)
    assert psf.is_round_everywhere
    assert not PsfModel(
        grid=psf.grid, weights=psf.weights, covariances=psf.covariances + [[0, 0.1], [0.1, 0]]
    ).is_round_everywhere


def test_widening_adds_the_variance_of_another_psf():
    rng = np.random.default_rng(2)
    psf = make_psf(covariances=rng.uniform(1, 2, (*GRID.shape, 1, 1, 1)) * np.eye(2))
    wide = psf.widened(0.25)
    assert_allclose(
        wide.covariances - psf.covariances, np.broadcast_to(0.25 * np.eye(2), psf.covariances.shape)
    )
    assert_allclose(wide.weights, psf.weights)
    assert psf.widened(0.25, "other").description == "other"
    assert wide.description.endswith('widened by a Gaussian of sigma 0.5"')
    assert psf.widened(0) is psf


@pytest.mark.parametrize("variance", [-1.0, np.nan, np.inf])
def test_a_psf_cannot_be_narrowed(variance):
    with pytest.raises(InputError, match="at least 0"):
        PsfModel.constant(1.0).widened(variance)
