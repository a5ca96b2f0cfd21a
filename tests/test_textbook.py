"""Textbook examples of mixtures of samples, with the values that they must give."""

from pathlib import Path

import numpy as np
import pytest
import reference
from catalogues import drawn_samples, make_covariances, make_mixture
from numpy.testing import assert_allclose
from published_toy import NOISE, SEEDS, SELECTIONS, TRUTH, WEIGHTS, drawn_toy, gap_of, is_seen

import gmmx
from gmmx.model.mixture import Mixture

FAITHFUL = Path(__file__).resolve().parents[1] / "docs" / "old_faithful.csv"
BOX = "x > 0 & x < 10 & y > 0 & y < 10 & hypot(x - 6.5, y - 6) > 2"
# Without noise: the name of a selection and its expression.
EXPRESSIONS = {"cut": "x < 6", "half": "0.5 + 0 * x", "tapered": "clip(1 - x / 8, 0, 1)"}
NO_PRIORS = {"prior_mean_count": 0.0, "prior_covariance_count": 0.0}


# ---- the equations of extreme deconvolution ----


@pytest.mark.parametrize("d", [1, 2, 5])
def test_every_iteration_is_that_of_extreme_deconvolution_to_1e_8(d):
    rng = np.random.default_rng(d)
    samples = drawn_samples(rng, make_mixture(rng, 3, d), 60, noise="full")
    start = Mixture(fluxes=[0.5, 0.3, 0.2], means=samples.x[:3], covariances=[4 * np.eye(d)] * 3)
    iterates = []
    gmmx.fit_samples(
        samples, start=start, accelerate=False, tol=0.3, on_iterate=iterates.append, **NO_PRIORS
    )
    assert len(iterates) > 10
    slow = start.fluxes, start.means, start.covariances
    for iterate in iterates:
        assert_allclose(iterate.mixture.fluxes / samples.weights.sum(), slow[0], rtol=1e-8)
        assert_allclose(iterate.mixture.means, slow[1], rtol=1e-8, atol=1e-8)
        assert_allclose(iterate.mixture.covariances, slow[2], rtol=1e-8, atol=1e-8)
        *slow, value = reference.extreme_deconvolution_step(
            samples.x, samples.noise(), samples.weights, *slow
        )
        assert_allclose(iterate.log_likelihood, value, rtol=1e-10)


def test_plain_steps_are_counted_through_all_phases():
    rng = np.random.default_rng(6)
    x = np.concatenate([rng.normal(0, 1, 100), rng.normal(1.5, 1, 100)])[:, None]
    start = Mixture(fluxes=[1.0, 1.0], means=[[0.0], [0.1]], covariances=[[[1.0]]] * 2)
    iterates = []
    gmmx.fit_samples(x, start=start, accelerate=False, tol=1e-4, on_iterate=iterates.append)
    # Coordinates are chosen anew after 100 evaluations, and EM goes on.
    assert [one.iteration for one in iterates] == list(range(len(iterates)))
    assert iterates[100].step == "start"
    assert np.all(np.diff([one.log_likelihood for one in iterates[:200]]) > 0)


def test_iterates_end_at_the_result():
    rng = np.random.default_rng(7)
    x, iterates = rng.normal(size=(100, 2)), []
    result = gmmx.fit_samples(x, n_components=2, on_iterate=iterates.append)
    assert iterates[-1].log_likelihood == result.log_likelihood
    assert_allclose(iterates[-1].mixture.ordered().means, result.mixture.means)


# ---- Old Faithful ----


def standardised_eruptions():
    """Durations and waiting times in units of their standard deviation, and these units."""
    rows = np.loadtxt(FAITHFUL, delimiter=",", skiprows=4)
    return (rows - rows.mean(0)) / rows.std(0), rows.std(0)


def test_the_eruptions_are_the_published_ones():
    rows = np.loadtxt(FAITHFUL, delimiter=",", skiprows=4)
    assert rows.shape == (272, 2)
    assert_allclose(rows.mean(0), [3.48778, 70.89706], atol=5e-6)
    assert_allclose(rows.std(0, ddof=1), [1.141371, 13.594974], atol=1e-6)


def test_two_components_are_found_in_the_eruptions():
    x, units = standardised_eruptions()
    result = gmmx.fit_samples(x, n_components=2)
    # mclust has -1130.264 in minutes for two components of free shapes.
    assert result.log_likelihood - 272 * np.log(units).sum() == pytest.approx(-1130.264, abs=2e-3)
    assert_allclose(result.fractions, [0.644, 0.356], atol=1e-3)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("n", [1, 2, 5, 20])
def test_plain_steps_on_the_eruptions_are_those_of_scikit_learn(n):
    from sklearn.mixture import GaussianMixture

    x, _ = standardised_eruptions()
    start = Mixture(fluxes=[1, 1], means=[[-1.5, 1], [1.5, -1]], covariances=[np.eye(2)] * 2)
    iterates = []
    gmmx.fit_samples(x, start=start, accelerate=False, on_iterate=iterates.append)
    own = {
        "weights_init": [0.5, 0.5],
        "means_init": start.means,
        "precisions_init": [np.eye(2)] * 2,
    }
    peer = GaussianMixture(2, max_iter=n, tol=0, reg_covar=0, **own).fit(x)
    assert_allclose(iterates[n].log_likelihood, 272 * peer.score(x), rtol=1e-10)
    assert_allclose(iterates[n].mixture.means, peer.means_, atol=1e-9)
    assert_allclose(iterates[n].mixture.covariances, peer.covariances_, atol=1e-9)


# ---- the published toy ----


def fitted_toy(seed, **options):
    """The originals of the toy and the fit of those that are seen."""
    originals, noisy, _ = drawn_toy(seed)
    seen, names = noisy[is_seen(noisy)], ["x", "y"]
    options = options or {"n_components": 3}
    noise = NOISE**2 * np.eye(2)
    return originals, gmmx.fit_samples(seen, noise, names=names, completeness=BOX, **options)


def fitted_selection(name, seed, **options):
    """The originals of the toy and the fit of those that a selection lets through."""
    originals, _, rng = drawn_toy(seed)
    seen = originals[rng.random_sample(400) < SELECTIONS[name](originals[:, 0])]
    options = options or {"n_components": 3}
    return originals, gmmx.fit_samples(
        seen, names=["x", "y"], completeness=EXPRESSIONS[name], **options
    )


def test_the_toy_comes_back_through_noise_and_hole():
    originals, result = fitted_toy(8366)
    assert len(result.samples) == 211
    # The truth has -3.9617, plain EM -4.68, and pyGMMis -4.10 to -4.12.
    assert gap_of(TRUTH, originals) == 0
    assert result.log_density(originals).mean() > -4.125


def test_the_search_finds_what_lies_behind_the_hole():
    # Clusters of those that are seen lead to a maximum that is 20 nat lower.
    originals, result = fitted_toy(8385)
    _, best = fitted_toy(8385, start=TRUTH)
    assert result.objective > best.objective - 2
    assert gap_of(result.mixture, originals) < 0.25


@pytest.mark.slow
def test_the_toy_comes_back_over_twenty_seeds():
    found = [fitted_toy(seed) for seed in SEEDS]
    gaps = [gap_of(result.mixture, originals) for originals, result in found]
    # Measured: 0.231, and 0.226 from the truth: the gap is that of the data, not of the search.
    # Clusters alone leave 0.246, with one of 1.25.
    assert np.median(gaps) < 0.24
    assert np.max(gaps) < 0.5


@pytest.mark.parametrize(("name", "most"), [("half", 0.02), ("tapered", 0.45)])
def test_a_selection_is_taken_out_of_samples(name, most):
    # Without the completeness the tapered one has a gap of 0.75.
    originals, result = fitted_selection(name, SEEDS[0])
    assert gap_of(result.mixture, originals) < most


def test_behind_a_cut_the_fit_ends_where_one_from_the_truth_does():
    (originals, found), (_, at_truth) = (
        fitted_selection("cut", 8366, **start) for start in ({}, {"start": TRUTH})
    )
    assert gap_of(found.mixture, originals) == pytest.approx(
        gap_of(at_truth.mixture, originals), abs=0.02
    )


@pytest.mark.slow
@pytest.mark.parametrize(("name", "most"), [("cut", 0.45), ("half", 0.01), ("tapered", 0.25)])
def test_selections_are_taken_out_of_samples_over_twenty_seeds(name, most):
    # Measured: cut 0.41, half 0.002, tapered 0.20; from the truth 0.34, 0.002 and 0.20. The fit to
    # photons leaves 0.41 behind the cut, and 0.34 from the truth.
    gaps = [gap_of(r.mixture, o) for o, r in (fitted_selection(name, s) for s in SEEDS)]
    assert np.median(gaps) < most


def background_fraction(seed, n):
    """The fitted part of a uniform background, which holds three tenths of n samples."""
    rng = np.random.default_rng(seed)
    toy = Mixture(fluxes=WEIGHTS, means=TRUTH.means, covariances=TRUTH.covariances)
    low, high = [-10, -10], [20, 20]
    background = rng.uniform(low, high, (3 * n // 10, 2))
    x = np.concatenate([toy.sample(n - len(background), rng), background])
    x = x[np.all((x > low) & (x < high), axis=1)]
    result = gmmx.fit_samples(x, n_components=3, background=(low, high), starts=1, exchanges=2)
    return result.background_fraction


def test_a_background_of_three_tenths_is_recovered():
    assert background_fraction(1, 3000) == pytest.approx(0.3, abs=0.012)


@pytest.mark.slow
def test_a_background_of_three_tenths_is_recovered_over_forty_seeds():
    found = [background_fraction(seed, 20_000) for seed in range(40)]
    # Measured: 0.300 in the mean, 0.297 to 0.304.
    assert np.mean(found) == pytest.approx(0.3, abs=0.001)
    assert 0.292 < min(found) < max(found) < 0.305


# ---- five columns with errors and gaps ----


def five_columns(seed, n):
    """A mixture in five dimensions, and samples with full errors of their own and gaps."""
    rng = np.random.default_rng(3)
    truth = Mixture(
        fluxes=rng.dirichlet(np.full(5, 8.0)),
        means=rng.normal(0, 2.5, (5, 5)),
        covariances=make_covariances(rng, 5, 5, 0.5) + 0.04 * np.eye(5),
    )
    rng = np.random.default_rng(seed)
    roots = rng.uniform(0.1, 0.5, (n, 1, 1)) * rng.normal(size=(n, 5, 5))
    x = truth.sample(n, rng) + np.einsum("nij,nj->ni", roots, rng.normal(size=(n, 5)))
    x[rng.random(x.shape) < 0.1] = np.nan
    return truth, x, roots @ np.swapaxes(roots, 1, 2)


def test_errors_are_taken_out_of_narrow_components_in_five_dimensions():
    truth, x, noise = five_columns(0, 2500)
    fits = (gmmx.fit_samples(x, errors, start=truth).mixture for errors in (noise, None))
    true, found, wide = (
        np.linalg.eigvalsh(one.covariances[one.means[:, 0].argsort()])[:, 0]
        for one in (truth, *fits)
    )
    # The mean variance of the errors is 0.5. Of components that are much narrower the samples say
    # little, and the prior keeps them from shrinking.
    assert np.all((found > 0.7 * true) & (found < 2.2 * true))
    assert np.all(wide > 4 * true)


@pytest.mark.slow
def test_five_columns_are_recovered_within_their_errors_over_twenty_seeds():
    found = []
    for seed in range(20):
        truth, x, noise = five_columns(seed, 3000)
        mixture = gmmx.fit_samples(x, noise, start=truth, **NO_PRIORS).mixture
        order = [((mixture.means - mean) ** 2).sum(1).argmin() for mean in truth.means]
        upper = np.triu_indices(5)
        covariances = mixture.covariances[order][:, *upper]
        found.append(np.concatenate([mixture.means[order].ravel(), covariances.ravel()]))
    true = np.concatenate([truth.means.ravel(), truth.covariances[:, *upper].ravel()])
    errors = np.std(found, axis=0, ddof=1) / np.sqrt(20)
    pulls = (np.mean(found, axis=0) - true) / errors
    # 100 numbers: the largest of their pulls is allowed 4.
    assert np.abs(pulls).max() < 4
    assert np.sqrt(np.mean(pulls**2)) < 1.4
