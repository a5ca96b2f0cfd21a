"""Encircled energy of mixtures, and mixtures through given radii."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmx.errors import InputError
from gmmx.telescope.encircled import RATIOS, encircled_energy, through_radii


def round_energy(weights, sigmas, radii):
    return 1 - (weights * np.exp(-0.5 * (radii[:, None] / sigmas) ** 2)).sum(1)


def test_encircled_energy_of_round_gaussians():
    weights, sigmas, radii = np.array([0.7, 0.3]), np.array([0.4, 2.0]), np.geomspace(0.1, 20, 9)
    found = encircled_energy(weights, sigmas[:, None, None] ** 2 * np.eye(2), radii)
    assert_allclose(found, round_energy(weights, sigmas, radii), atol=1e-12)


def test_encircled_energy_of_an_ellipse_is_that_of_its_samples():
    covariance = np.array([[4.0, 1.5], [1.5, 1.0]])
    points = np.random.default_rng(1).multivariate_normal([0, 0], covariance, 400_000)
    radii = np.array([0.5, 1.0, 2.0, 4.0])
    expected = [(np.hypot(*points.T) < r).mean() for r in radii]
    assert_allclose(encircled_energy(np.ones(1), covariance[None], radii), expected, atol=0.003)


@pytest.mark.parametrize(
    ("fractions", "truth"),
    [((0.393, 0.9), (0.8, 0.2)), ((0.5, 0.95), (0.6, 0.4)), ((0.4, 0.8, 0.98), (0.75, 0.2, 0.05))],
)
def test_mixtures_of_the_assumed_shape_come_back(fractions, truth):
    truth, j = np.array(truth), len(truth)
    ratio = RATIOS[j][0]
    fine = np.geomspace(1e-3, 100, 200_001)
    cumulative = round_energy(truth, ratio ** np.arange(j), fine)
    radii = np.interp(fractions, cumulative, fine)
    scales = np.array([0.4, 1.0, 5.0])
    found = through_radii(fractions, scales[:, None] * radii)
    assert found.n_gaussians.tolist() == [j] * 3
    # Several mixtures may pass through the points; this one does, and its core is the wider.
    for scale, weights, variances in zip(scales, found.weights, found.variances, strict=True):
        assert_allclose(
            round_energy(weights, np.sqrt(variances), scale * radii), fractions, atol=1e-6
        )
        assert variances[0] > 0.99 * scale**2
        assert np.all(weights >= 0)


def test_radii_that_no_mixture_has_give_one_gaussian():
    sigma = 1.7
    # Steeper than a Gaussian; shallower than two of ratio 3; not even rising.
    radii = np.array([[1.0, 1.5], [1.0, 50.0], [1.0, 0.8]]) * sigma
    found = through_radii((0.393, 0.9), radii)
    assert found.n_gaussians.tolist() == [1, 1, 1]
    assert_allclose(found.weights, [[1, 0]] * 3)
    each = radii / np.sqrt(-2 * np.log1p(-np.array([0.393, 0.9])))
    assert_allclose(found.variances[:, 0], each.prod(1))


def test_three_points_fall_back_to_two_and_one():
    ends = np.array([0.393, 0.9])
    fine = np.geomspace(1e-3, 100, 200_001)
    inner, outer = np.interp(
        ends, round_energy(np.array([0.8, 0.2]), np.array([1.0, 3.0]), fine), fine
    )
    found = through_radii(
        (0.393, 0.6, 0.9), np.array([[inner, 1.001 * inner, outer], [1.0, 1.1, 1.2]])
    )
    assert found.n_gaussians.tolist() == [2, 1]
    assert_allclose(
        round_energy(found.weights[0], np.sqrt(found.variances[0]), np.array([inner, outer])),
        ends,
        atol=1e-6,
    )


@pytest.mark.parametrize(
    "fractions", [(0.5, 0.5), (0.9, 0.4), (0.2, 0.4, 0.6, 0.8)], ids=["equal", "falling", "four"]
)
def test_impossible_fractions_are_refused(fractions):
    with pytest.raises(InputError, match="encircled fractions"):
        through_radii(fractions, np.ones((2, len(fractions))))
