"""One-sided errors and upper limits of fluxes and backgrounds near zero."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from limit_skies import KINDS, WIDTHS, found_in, make_sky
from scipy.stats import gamma
from simulated import drawn, field, mixture_of

from gmmx.em.information import Information
from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.em.profile import Profile
from gmmx.errors import GmmxWarning
from gmmx.fitting.driver import fit
from gmmx.model.background import Background
from gmmx.model.mixture import Fixed, Mixture

# Seeds of skies in which the amount fits to zero.
AT_ZERO = {"background": 0, "point source": 0, "broad component": 2}


def quiet_fit(observation, **options):
    """A fit on one thread without warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GmmxWarning)
        return fit(observation, threads=1, **options)


@pytest.mark.parametrize("n", [0, 1, 3, 10, 100])
def test_photons_alone_have_the_posterior_of_poisson(n):
    # A flat prior and n photons give a gamma distribution of shape n + 1.
    slope = 0.0 if n else -1.0
    photons = np.full(n, 1 / max(n, 1))
    profile = Profile.of(float(n), slope, 1 / n if n else 0.0, np.ones(n), photons)
    for probability in (0.16, 0.6827, 0.95):
        exact = gamma(n + 1).ppf(probability)
        assert profile.quantile(probability) == pytest.approx(exact, rel=5e-3)
    # The upper limit is the classical one, which is the quantile of the same distribution.
    assert profile.upper_limit(0.95) == pytest.approx(gamma(n + 1).ppf(0.95), rel=0.06)


def test_grouped_data_have_the_posterior_of_single_ones():
    changes = np.random.default_rng(0).exponential(0.02, 5000)
    weights = np.ones(5000)
    grouped = Profile.of(40.0, 0.0, 0.0, weights, changes)
    single = replace(grouped, weights=weights, changes=changes)
    assert len(grouped.changes) <= 500
    assert grouped.quantile(0.95) == pytest.approx(single.quantile(0.95), rel=1e-3)
    assert grouped.upper_limit(0.95) == pytest.approx(single.upper_limit(0.95), rel=1e-3)


def test_an_amount_that_nothing_limits_has_no_limit():
    profile = Profile.of(0.0, 0.0, 0.0, np.zeros(0), np.zeros(0))
    assert profile.quantile(0.95) == profile.upper_limit(0.95) == np.inf


@pytest.mark.parametrize("kind", KINDS)
def test_an_amount_that_fits_to_zero_has_an_error_of_some_photons(kind):
    found = found_in(make_sky(kind, 0, AT_ZERO[kind]))
    assert found.value < 0.1
    most = 4 if kind != "broad component" else 12
    assert 1 < found.error < most
    assert 1.3 * found.error < found.limit < 3.5 * found.error


def test_a_background_of_zero_does_not_change_the_other_errors():
    sky = make_sky("background", 0, AT_ZERO["background"])
    free = quiet_fit(sky.observation, start=sky.start)
    zero = Background(amplitude=free.backgrounds[0].amplitude, fixed=True)
    held = quiet_fit(replace(sky.observation, backgrounds=(zero,)), start=sky.start)
    assert free.signal_error == pytest.approx(held.signal_error, rel=1e-3)
    assert free.signal_error == pytest.approx(np.sqrt(sky.observation.n_photons), rel=0.01)
    assert free.background_error == pytest.approx(free.backgrounds[0].photons_error)
    assert np.isnan(held.backgrounds[0].photons_upper95)


def test_a_component_of_zero_flux_that_is_all_the_signal_gives_it_its_error():
    nothing, rng = mixture_of((1e-9, 0, 0, 1)), np.random.default_rng(1)
    sky = drawn(nothing, field(100, 1.0), rng, sky=0.05, backgrounds=(Background(),))
    known = Fixed(fluxes=[False], means=[True], covariances=[True])
    result = quiet_fit(sky, start=Mixture.empty(), fixed=(mixture_of((10, 20, 5, 1)), known))
    assert result.extended.fluxes.sum() < 0.1
    assert result.signal_error == pytest.approx(result.flux_errors[0], rel=0.05)


@pytest.mark.parametrize(("level", "seed"), [(0, 0), (3, 5), (10, 2)])
def test_limit_is_that_of_fits_with_the_background_fixed(level, seed):
    sky = make_sky("background", level, seed)
    free = quiet_fit(sky.observation, start=sky.start, tol=1e-3).backgrounds[0]
    photons = np.linspace(1e-3, 3 * free.photons_upper95, 25)
    per_photon = free.amplitude / free.photons

    def objective(n):
        fixed = Background(amplitude=n * per_photon, fixed=True)
        observation = replace(sky.observation, backgrounds=(fixed,))
        return quiet_fit(observation, start=sky.start, tol=1e-3).objective

    objectives = np.array([objective(n) for n in photons])
    # The exact profile: 1.353 nat below its maximum, without the half photon of the limit.
    top = int(np.argmax(objectives))
    limit = np.interp(1.353, objectives[top] - objectives[top:], photons[top:])
    # Below that of a single photon: the quantile of the exact posterior.
    fine = np.linspace(photons[0], photons[-1], 4000)
    total = np.cumsum(np.exp(np.interp(fine, photons, objectives) - objectives.max()))
    limit = max(limit, min(np.interp(0.95 * total[-1], total, fine), gamma(2).ppf(0.95)))
    assert 0.95 * limit - 0.1 < free.photons_upper95 < 1.06 * limit + 1


@pytest.mark.parametrize(
    ("flux", "level"), [(1000, 0.3), (2000, 0.3), (600, 0.2), (100, 0.4), (1000, 0.05)]
)
def test_limits_do_not_exclude_the_values_of_a_fit_that_has_not_converged(flux, level):
    truth, rng = mixture_of((1000, 0, 0, 60)), np.random.default_rng(1)
    sky = drawn(truth, field(100, 1.0), rng, sky=0.1, backgrounds=(Background(),))
    likelihood = PhotonLikelihood.of([sky])
    parameters = Parameters(mixture=mixture_of((flux, 0, 0, 60)), amplitudes=(np.array([level]),))
    phase = likelihood.begin_phase(parameters, Priors())
    information = Information.at(likelihood, parameters, phase)
    found = information.at_boundary(evaluate(likelihood, parameters, phase)).uncertainty()
    assert flux < found.flux_limits[0] < flux + 4 * found.fluxes[0]
    assert level < found.amplitude_limits[0][0] < level + 4 * found.amplitudes[0][0]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["background", *WIDTHS])
@pytest.mark.parametrize("level", [0, 3, 10, 30])
def test_limits_hold_the_truth(kind, level):
    # 95 % of 40 skies are 38; fewer than 34 would happen by chance once in a hundred times.
    limits = [found_in(make_sky(kind, level, seed)).limit for seed in range(500, 540)]
    assert np.sum(np.array(limits) >= level) >= 34
