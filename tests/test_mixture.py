"""The sky as a sum of Gaussians, and such sums in any number of dimensions."""

import numpy as np
import pytest
import reference
from numpy.testing import assert_allclose, assert_array_equal
from simulated import mixture_of, random_mixture

from gmmx.errors import InputError
from gmmx.model.mixture import Fixed, Mixture

DIMENSIONS = [1, 2, 3, 5]


def make_mixture(d, k=3, seed=0):
    """K components in D dimensions, all correlated."""
    rng = np.random.default_rng(seed)
    root = rng.normal(0, 1, (k, d, d))
    return Mixture(
        fluxes=rng.uniform(1, 100, k),
        means=rng.normal(0, 3, (k, d)),
        covariances=root @ np.swapaxes(root, 1, 2) + 0.5 * np.eye(d),
    )


def moments_of(mixture):
    """Mean (D,) and covariance (D, D) of a whole mixture."""
    weights = mixture.fluxes / mixture.fluxes.sum()
    mean = weights @ mixture.means
    offsets = mixture.means - mean
    within = np.einsum("k,kij->ij", weights, mixture.covariances)
    return mean, within + (offsets * weights[:, None]).T @ offsets


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


@pytest.mark.parametrize(
    ("x", "y", "shape"),
    [(1.0, 2.0, ()), ([1.0, 2.0, 3.0], 0.0, (3,)), ([[1.0]], [2.0, 3.0], (1, 2))],
)
def test_density_broadcasts_its_coordinates(x, y, shape):
    assert random_mixture(np.random.default_rng(0), 3).density(x, y).shape == shape


@pytest.mark.parametrize("d", DIMENSIONS)
def test_density_in_any_dimensions(d):
    mixture, point = make_mixture(d), np.linspace(-1, 1, d)
    expected = 0.0
    for flux, mean, covariance in zip(
        mixture.fluxes, mixture.means, mixture.covariances, strict=True
    ):
        q = (point - mean) @ np.linalg.solve(covariance, point - mean)
        expected += flux * np.exp(-q / 2) / np.sqrt(np.linalg.det(2 * np.pi * covariance))
    assert mixture.density(*point) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("d", DIMENSIONS)
def test_samples_have_the_moments_of_the_mixture(d):
    mixture, n = make_mixture(d), 40_000
    points = mixture.sample(n, np.random.default_rng(2))
    mean, scatter = moments_of(mixture)
    tolerance = 5 * np.sqrt(scatter.max() / n)
    assert points.shape == (n, d)
    assert_allclose(points.mean(0), mean, atol=tolerance)
    assert_allclose(np.cov(points.T), np.squeeze(scatter), atol=0.05 * scatter.max())
    # Shuffled: the first half is like the second.
    assert_allclose(points[: n // 2].mean(0), points[n // 2 :].mean(0), atol=2 * tolerance)


@pytest.mark.parametrize("d", DIMENSIONS)
def test_no_sample_has_the_shape_of_samples(d):
    assert make_mixture(d).sample(0, np.random.default_rng(0)).shape == (0, d)


def test_sampling_repeats_with_its_seed():
    one, two = (make_mixture(2).sample(10, np.random.default_rng(5)) for _ in range(2))
    assert_array_equal(one, two)


@pytest.mark.parametrize("columns", [[0], [2], [0, 1], [2, 0], [2, 1, 0]])
def test_a_marginal_is_the_mixture_of_those_columns_of_the_samples(columns):
    mixture, n = make_mixture(3), 40_000
    marginal = mixture.marginal(columns)
    mean, scatter = moments_of(mixture)
    new_mean, new_scatter = moments_of(marginal)
    assert len(marginal) == 3
    assert_allclose(new_mean, mean[columns])
    assert_allclose(new_scatter, scatter[np.ix_(columns, columns)])
    points = mixture.sample(n, np.random.default_rng(2))[:, columns]
    assert_allclose(points.mean(0), new_mean, atol=5 * np.sqrt(scatter.max() / n))


def test_a_marginal_of_one_column_may_be_named_by_a_number():
    assert_array_equal(make_mixture(3).marginal(1).means, make_mixture(3).means[:, 1:2])


@pytest.mark.parametrize("known", [(0,), (2,), (0, 1), (2, 0)])
def test_a_conditional_is_the_density_at_the_known_coordinates(known):
    mixture, rng = make_mixture(3), np.random.default_rng(1)
    point = rng.normal(0, 2, 3)
    conditional = mixture.conditional({column: point[column] for column in known})
    rest = np.setdiff1d(np.arange(3), known)
    assert conditional.n_dimensions == len(rest)
    assert conditional.density(*point[rest]) == pytest.approx(mixture.density(*point), rel=1e-10)


def test_a_conditional_far_from_every_component_is_next_to_nothing():
    conditional = make_mixture(2).conditional({0: 1e6})
    assert conditional.fluxes.sum() < 1e-300


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ([], "`columns` is empty"),
        ([0, 0], "repeats a coordinate"),
        ([3], "there is no coordinate 3: they are 0 to 2"),
        ([-1], "there is no coordinate -1"),
        ([0.5], "there is no coordinate 0.5"),
    ],
)
def test_marginals_that_do_not_exist(columns, match):
    with pytest.raises(InputError, match=match):
        make_mixture(3).marginal(columns)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({}, "`given` is empty"),
        ({3: 0.0}, "there is no coordinate 3"),
        ({0: 0.0, 1: 0.0, 2: 0.0}, "nothing remains"),
    ],
)
def test_conditionals_that_do_not_exist(given, match):
    with pytest.raises(InputError, match=match):
        make_mixture(3).conditional(given)


def test_order_selection_and_union():
    mixture = mixture_of((1.0, 0, 0, 1), (5.0, 1, 1, 2), (3.0, 2, 2, 3))
    assert_array_equal(mixture.ordered().fluxes, [5, 3, 1])
    assert_array_equal(mixture.ordered().means[:, 0], [1, 2, 0])
    assert_array_equal(mixture.select([2, 0]).fluxes, [3, 1])
    assert_array_equal(mixture.select(mixture.fluxes > 2).fluxes, [5, 3])
    both = mixture.joined(mixture.select([1]))
    assert len(both) == 4
    assert_array_equal(both.covariances[3], 4 * np.eye(2))


def test_mixtures_of_different_dimensions_are_not_joined():
    with pytest.raises(InputError, match="2 and 3 dimensions"):
        make_mixture(2).joined(make_mixture(3))


def test_empty():
    empty = Mixture.empty()
    assert len(empty) == 0
    assert_array_equal(empty.density([0.0, 1.0], [0.0, 1.0]), 0)
    assert len(empty.joined(mixture_of((1.0, 0, 0, 1)))) == 1
    assert Mixture.empty(5).means.shape == (0, 5)


@pytest.mark.parametrize(
    ("mixture", "text"),
    [
        (
            Mixture(fluxes=[2.5], means=[[0.0]], covariances=[[[1.0]]]),
            "Mixture(1 component in 1 dimension, flux 2.5)",
        ),
        (Mixture.empty(), "Mixture(0 components in 2 dimensions, flux 0)"),
    ],
)
def test_a_mixture_shows_what_it_is(mixture, text):
    assert repr(mixture) == text


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
        (1.0, np.array([[1.0, 2.0], [-2.0, -1.0]]), "positive definite"),
        (1.0, np.diag([1.0, 1.0, -1.0]), "positive definite"),
        (1.0, np.array([[1.0, 0, 1.5], [0, 1.0, 0], [1.5, 0, 1.0]]), "positive definite"),
        (1.0, np.zeros((0, 0)), "at least one dimension"),
    ],
)
def test_what_cannot_be_a_mixture(flux, covariance, match):
    means = np.zeros((1, len(covariance)))
    with pytest.raises(InputError, match=match):
        Mixture(fluxes=np.array([flux]), means=means, covariances=covariance[None])


@pytest.mark.parametrize(
    ("means", "covariances"), [((3, 2), (2, 2, 2)), ((2, 3), (2, 2, 2)), ((2, 2), (2, 2, 3))]
)
def test_lengths_must_agree(means, covariances):
    with pytest.raises(InputError, match=r"Mixture\.(means|covariances)"):
        Mixture(fluxes=np.ones(2), means=np.zeros(means), covariances=np.ones(covariances))


def test_a_wrong_number_of_coordinates_has_no_density():
    with pytest.raises(InputError, match="3 dimensions has no density at 2 coordinates"):
        make_mixture(3).density(0.0, 0.0)


def test_fixed_keeps_what_is_fixed_and_nothing_else():
    before, after = make_mixture(3, k=2), make_mixture(3, k=2, seed=1)
    fixed = Fixed(fluxes=[True, False], means=[False, True], covariances=[False, True])
    kept = fixed.keep(before, after)
    assert_array_equal(kept.fluxes, [before.fluxes[0], after.fluxes[1]])
    assert_array_equal(kept.means, [after.means[0], before.means[1]])
    assert_array_equal(kept.covariances, [after.covariances[0], before.covariances[1]])


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"means": [True, False]}, r"Fixed\.means must be one boolean for each component"),
        ({"points": [True]}, "covariance of a point source must be fixed"),
    ],
)
def test_what_cannot_be_fixed(fields, match):
    with pytest.raises(InputError, match=match):
        Fixed(**{"fluxes": [False], "means": [False], "covariances": [False]} | fields)
