"""The sky as a sum of Gaussians."""

import numpy as np
import pytest
import reference
from numpy.testing import assert_allclose, assert_array_equal
from simulated import mixture_of, random_mixture

from gmmx.errors import InputError
from gmmx.model.mixture import Mixture


def test_density_is_the_sum_and_integrates_to_the_flux():
    mixture = random_mixture(np.random.default_rng(0), 3, photons=120.0)
    x, y = np.meshgrid(np.arange(-60, 60, 0.25), np.arange(-60, 60, 0.25))
    density = mixture.density(x, y)
    expected = sum(
        f * reference.gaussian(x, y, m, c)
        for f, m, c in zip(mixture.fluxes, mixture.means, mixture.covariances, strict=True)
    )
    assert_allclose(density, expected, rtol=1e-10, atol=1e-300)
    assert density.sum() * 0.25**2 == pytest.approx(mixture.fluxes.sum(), rel=1e-6)
    assert mixture.density(1.0, 2.0).shape == ()
    assert mixture.density([1.0, 2.0, 3.0], 0.0).shape == (3,)


def test_samples_have_the_moments_of_the_mixture():
    mixture = random_mixture(np.random.default_rng(1), 3)
    share = mixture.fluxes / mixture.fluxes.sum()
    points = mixture.sample(40_000, np.random.default_rng(2))
    mean = share @ mixture.means
    scatter = np.einsum("k,kij->ij", share, mixture.covariances) + (mixture.means - mean).T @ (
        (mixture.means - mean) * share[:, None]
    )
    assert points.shape == (40_000, 2)
    assert_allclose(points.mean(0), mean, atol=5 * np.sqrt(scatter.max() / 40_000))
    assert_allclose(np.cov(points.T), scatter, atol=0.05 * scatter.max())
    # Shuffled: the first half is like the second.
    assert_allclose(
        points[:20_000].mean(0), points[20_000:].mean(0), atol=10 * np.sqrt(scatter.max() / 40_000)
    )
    assert mixture.sample(0, np.random.default_rng(0)).shape == (0, 2)


def test_sampling_repeats_with_its_seed():
    mixture = random_mixture(np.random.default_rng(1), 3)
    assert_array_equal(
        mixture.sample(10, np.random.default_rng(5)), mixture.sample(10, np.random.default_rng(5))
    )


def test_order_selection_and_union():
    mixture = mixture_of((1.0, 0, 0, 1), (5.0, 1, 1, 2), (3.0, 2, 2, 3))
    assert_array_equal(mixture.ordered().fluxes, [5, 3, 1])
    assert_array_equal(mixture.ordered().means[:, 0], [1, 2, 0])
    assert_array_equal(mixture.select([2, 0]).fluxes, [3, 1])
    assert_array_equal(mixture.select(mixture.fluxes > 2).fluxes, [5, 3])
    both = mixture.joined(mixture.select([1]))
    assert len(both) == 4
    assert_array_equal(both.covariances[3], 4 * np.eye(2))


def test_empty():
    empty = Mixture.empty()
    assert len(empty) == 0
    assert_array_equal(empty.density([0.0, 1.0], [0.0, 1.0]), 0)
    assert len(empty.joined(mixture_of((1.0, 0, 0, 1)))) == 1


@pytest.mark.parametrize(
    ("flux", "covariance", "match"),
    [
        (0.0, np.eye(2), "fluxes must be positive, got 0"),
        (-3.0, np.eye(2), "fluxes must be positive, got -3"),
        (np.nan, np.eye(2), "not finite"),
        (1.0, np.diag([1.0, 0.0]), "positive definite"),
        (1.0, np.diag([-1.0, -1.0]), "positive definite"),
        (1.0, np.array([[1.0, 0.5], [0.2, 1.0]]), "symmetric"),
        (1.0, np.array([[1.0, 1.5], [1.5, 1.0]]), "positive definite"),
    ],
)
def test_what_cannot_be_a_mixture(flux, covariance, match):
    with pytest.raises(InputError, match=match):
        Mixture(fluxes=np.array([flux]), means=np.zeros((1, 2)), covariances=covariance[None])


def test_lengths_must_agree():
    with pytest.raises(InputError, match=r"Mixture\.means"):
        Mixture(fluxes=np.ones(2), means=np.zeros((3, 2)), covariances=np.ones((2, 2, 2)))
