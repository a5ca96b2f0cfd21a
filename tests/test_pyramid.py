"""Integrals of the completeness under Gaussians."""

import numpy as np
import pytest
import reference
from numpy.testing import assert_allclose, assert_array_equal
from simulated import random_completeness, rotation

from gmmx.model.pyramid import Pyramid
from gmmx.plane.grid import PixelGrid

# Powers of a view's width in the units of e0, e1, e1, e2, e2, e2.
POWERS = np.array([0, 1, 1, 2, 2, 2])


def make_noisy_pyramid():
    """A field of 300 x 300 cells of 1 arcsec, whose completeness differs from cell to cell."""
    omega = np.random.default_rng(4).uniform(size=(300, 300))
    return Pyramid.of(PixelGrid.covering((-150, 150), (-150, 150), 1.0), omega)


def brute_force_moments(x, y, omega, mean, covariance):
    """Sums over the centres of cells of 1 arcsec: exact for views that are so much wider."""
    density = omega * reference.gaussian(x, y, mean, covariance)
    dx, dy = x - mean[0], y - mean[1]
    return [np.sum(density * factor) for factor in (1, dx, dy, dx * dx, dx * dy, dy * dy)]


def test_moments_against_brute_force():
    completeness = random_completeness(np.random.default_rng(0), angle=20)
    omega = completeness.effective / 1000
    pyramid = Pyramid.of(completeness.grid, omega)
    # From far narrower than a cell to as wide as the field.
    means = np.array([[0.1, 0.2], [3.0, -0.1], [3.9, -2.0], [0.0, 0.0], [14.0, 3.0]])
    sigmas = np.array([0.1, 0.3, 1.0, 4.0, 8.0])
    covariances = (sigmas**2)[:, None, None] * (rotation(40) @ np.diag([1.0, 0.5]) @ rotation(-40))
    found = pyramid.moments(means, covariances, pyramid.levels(covariances))
    expected = [
        reference.exposure_integrals(omega, completeness.grid, *view)
        for view in zip(means, covariances, strict=True)
    ]
    scale = sigmas[:, None] ** POWERS
    # A third of a sigma to a cell errs by 0.16 % of the whole at sharp edges.
    assert_allclose(found / scale, expected / scale, atol=3e-3)


def test_coarse_levels_are_used_and_keep_the_outline_of_the_map():
    pyramid = Pyramid.of(PixelGrid.covering((0, 200), (0, 150), 1.0), np.ones((150, 200)))
    sigmas = np.array([0.5, 3.5, 11.5, 13.0, 1e6])
    levels = pyramid.levels(sigmas[:, None, None] ** 2 * np.eye(2))
    # 150, 75, 38 and 19 cells; 10 are too few.
    assert_array_equal(levels, [-6, 0, 1, 2, 3])
    found = pyramid.moments(np.array([[100.0, 75.5]]), 12.0 * np.eye(2)[None], levels[1:2])
    assert found[0, 0] == pytest.approx(1.0, abs=2e-6)


@pytest.mark.parametrize("sigma", [15, 40, 90, 200, 500])
def test_a_view_that_the_edge_of_the_field_cuts_is_integrated_as_exactly_as_a_background(sigma):
    # A tenth of a per cent of 100,000 photons is 100 nats: a broad component must not gain them by
    # standing in for the background.
    grid = PixelGrid.covering((-150, 150), (-150, 150), 1.0)
    x, y = grid.centres()
    inside = (np.abs(x + 0.4 * y) < 117) & (np.abs(y - 0.4 * x) < 117) & (np.abs(x - 0.3 * y) > 2)
    omega = (1 - 0.3 * np.hypot(x, y) / 210) * inside
    pyramid = Pyramid.of(grid, omega)
    means = np.array([[0.0, 0.0], [20.0, -45.0], [110.0, 60.0]])
    shapes = [(0, 1.0), (25, 0.5), (70, 0.8)]
    covariances = sigma**2 * np.array(
        [rotation(a) @ np.diag([1.0, q]) @ rotation(-a) for a, q in shapes]
    )
    levels = pyramid.levels(covariances)
    found = pyramid.moments(means, covariances, levels)
    expected = np.array(
        [brute_force_moments(x, y, omega, *view) for view in zip(means, covariances, strict=True)]
    )
    assert levels.min() > 0
    assert_allclose(found[:, 0], expected[:, 0], rtol=1e-3)
    assert_allclose(found / float(sigma) ** POWERS, expected / float(sigma) ** POWERS, atol=3e-4)


MEAN, COVARIANCE = np.array([[30.0, -60.0]]), np.array([[[900.0, 200.0], [200.0, 700.0]]])


@pytest.mark.parametrize(
    "change", [[[1.0, 0], [0, 0]], [[0, 1.0], [1.0, 0]], [[0, 0], [0, 1.0]]], ids=("xx", "xy", "yy")
)
def test_second_moments_are_derivatives_by_the_covariance(change):
    pyramid, change = make_noisy_pyramid(), np.array(change)
    level = pyramid.levels(COVARIANCE)
    e, inverse = pyramid.moments(MEAN, COVARIANCE, level)[0], np.linalg.inv(COVARIANCE[0])
    slopes = 0.5 * inverse @ (e[[3, 4, 4, 5]].reshape(2, 2) - e[0] * COVARIANCE[0]) @ inverse
    up, down = (
        pyramid.moments(MEAN, COVARIANCE + sign * 0.1 * change, level)[0, 0] for sign in (1, -1)
    )
    assert (up - down) / 0.2 == pytest.approx(np.sum(slopes * change), rel=1e-5)


@pytest.mark.parametrize("axis", [0, 1])
def test_first_moments_are_derivatives_by_the_mean(axis):
    pyramid = make_noisy_pyramid()
    level = pyramid.levels(COVARIANCE)
    e, inverse = pyramid.moments(MEAN, COVARIANCE, level)[0], np.linalg.inv(COVARIANCE[0])
    up, down = (
        pyramid.moments(MEAN + sign * 0.01 * np.eye(2)[axis], COVARIANCE, level)[0, 0]
        for sign in (1, -1)
    )
    assert (up - down) / 0.02 == pytest.approx((inverse @ e[1:3])[axis], rel=1e-5)
