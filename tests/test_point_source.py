"""The image of a point source becomes a PSF."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmx.errors import InputError
from gmmx.io.psf_image import is_compact
from gmmx.plane.grid import PixelGrid
from gmmx.reading.psf_image import fit_point_source

STEP = 0.25


def drawn_image(weights, covariances, centre, n=60_000, half=20.0, seed=1):
    """Grid and pixels of a point source that is seen through a mixture of Gaussians."""
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
    grid, values = drawn_image(weights, covariances, np.array([0.4, -0.9]))
    assert is_compact(values)
    found = fit_point_source(values, grid)
    assert found.psf.n_gaussians == 2
    assert found.error < 0.01
    assert_allclose(found.psf.weights[0, 0], weights, atol=0.01)
    assert_allclose(found.psf.covariances[0, 0], covariances, rtol=0.05, atol=0.02)


def test_scale_and_place_do_not_matter():
    grid, values = drawn_image(
        np.array([0.8, 0.2]), np.array([np.eye(2), 9 * np.eye(2)]), np.zeros(2), n=20_000
    )
    shifted = PixelGrid(shape=grid.shape, origin=grid.origin + [300.0, -70.0], matrix=grid.matrix)
    one = fit_point_source(values, grid, most=2)
    two = fit_point_source(values * 1e-6, shifted, most=2)
    assert_allclose(one.psf.covariances, two.psf.covariances, rtol=1e-3)
    assert_allclose(one.r50, two.r50, rtol=1e-6)


def make_other_images():
    """Images that are not those of one compact source, by name."""
    grid, source = drawn_image(np.ones(1), np.eye(2)[None], np.zeros(2))
    x, y = grid.centres()
    radius = np.hypot(x, y)
    return {
        "radii that grow outwards": 0.4 + 0.03 * radius**2,
        "radii in a round field": np.where(radius < 15, 0.3 + 0.05 * radius, np.nan),
        "a constant": np.ones_like(x),
        "negative pixels": source - 1,
        "zeros": np.zeros_like(x),
        "two sources": source + np.roll(source, 80, axis=1),
    }


@pytest.mark.parametrize("name", make_other_images())
def test_other_images_are_not_compact(name):
    assert not is_compact(make_other_images()[name])


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_an_image_without_light_is_refused(value):
    grid = PixelGrid.covering((-2, 2), (-2, 2), 0.5)
    with pytest.raises(InputError, match="image of a PSF"):
        fit_point_source(np.full(grid.shape, value), grid)
