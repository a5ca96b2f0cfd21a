"""The picture of a point source as a PSF."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmx.errors import InputError
from gmmx.plane.grid import PixelGrid
from gmmx.reading.psf_image import fit_point_source, is_compact

STEP = 0.25


def picture(weights, covariances, centre, n=60_000, half=20.0, seed=1):
    rng = np.random.default_rng(seed)
    grid = PixelGrid.covering((-half, half), (-half, half), STEP)
    m = rng.choice(len(weights), n, p=weights)
    points = centre + np.einsum(
        "nij,nj->ni", np.linalg.cholesky(covariances)[m], rng.normal(size=(n, 2))
    )
    return grid, grid.histogram(*points.T)


def test_a_known_mixture_comes_back():
    weights = np.array([0.7, 0.3])
    covariances = np.array([[[0.5, 0.2], [0.2, 0.3]], [[6.0, -1.0], [-1.0, 4.0]]])
    grid, values = picture(weights, covariances, np.array([0.4, -0.9]))
    assert is_compact(values)
    found = fit_point_source(values, grid)
    assert found.psf.n_gaussians == 2
    assert found.error < 0.01
    assert_allclose(found.psf.weights[0, 0], weights, atol=0.01)
    assert_allclose(found.psf.covariances[0, 0], covariances, rtol=0.05, atol=0.02)


def test_scale_and_place_do_not_matter():
    grid, values = picture(
        np.array([0.8, 0.2]), np.array([np.eye(2), 9 * np.eye(2)]), np.zeros(2), n=20_000
    )
    moved = PixelGrid(shape=grid.shape, origin=grid.origin + [300.0, -70.0], matrix=grid.matrix)
    one, two = (
        fit_point_source(values, grid, most=2),
        fit_point_source(values * 1e-6, moved, most=2),
    )
    assert_allclose(one.psf.covariances, two.psf.covariances, rtol=1e-3)
    assert_allclose(one.r50, two.r50, rtol=1e-6)


def test_what_is_not_a_compact_source():
    grid, values = picture(np.ones(1), np.eye(2)[None], np.zeros(2))
    x, y = grid.centres()
    assert not is_compact(0.4 + 0.03 * (x**2 + y**2))
    assert not is_compact(np.where(np.hypot(x, y) < 15, 0.3 + 0.05 * np.hypot(x, y), np.nan))
    assert not is_compact(np.ones_like(x))
    assert not is_compact(values - 1)
    assert not is_compact(np.zeros_like(x))
    assert not is_compact(values + np.roll(values, 80, axis=1))


def test_impossible_pictures():
    grid = PixelGrid.covering((-2, 2), (-2, 2), 0.5)
    for values in (np.zeros(grid.shape), -np.ones(grid.shape)):
        with pytest.raises(InputError, match="picture of a PSF"):
            fit_point_source(values, grid)
