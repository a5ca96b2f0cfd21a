"""What every likelihood must satisfy, whatever its data and the number of dimensions."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import reference
from numpy.testing import assert_allclose
from samples import SampleLikelihood
from simulated import random_mixture, random_observation

from gmmx.em.ascent import ascend
from gmmx.em.chart import Chart
from gmmx.em.information import Information
from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.model.background import Background
from gmmx.model.mixture import Mixture
from gmmx.plane.grid import PixelGrid, SkyImage

PRIORS = Priors(mean_count=1.0, covariance_count=3.0, min_sigma=0.1)
SKY = Background()
GRID = PixelGrid.covering((-15, 15), (-15, 15), 3.0)
TEMPLATE = SkyImage(grid=GRID, values=np.random.default_rng(0).uniform(1, 2, GRID.shape))
BACKGROUNDS = (
    SKY,
    Background(name="particle", kind="particle"),
    Background(name="map", kind="file", template=TEMPLATE),
)
FIXED_BACKGROUND = (SKY, Background(name="particle", kind="particle", amplitude=0.05, fixed=True))


@dataclass(frozen=True)
class LikelihoodCase:
    """A likelihood at given parameters, with its slow twin.

    `slow` takes the parameters and the phase and returns what `reference.maximised` does.
    """

    name: str
    likelihood: object
    parameters: Parameters
    slow: object

    def __str__(self):
        return self.name


def make_photon_case(name, *observations, seed=3):
    """Three components and backgrounds of 0.1, 0.2, ... photon/arcsec^2 or their fixed values."""
    likelihood = PhotonLikelihood.of(observations)
    amplitudes = tuple(
        np.array([b.amplitude or 0.1 * i for i, b in enumerate(o.backgrounds, start=1)], float)
        for o in observations
    )
    parameters = Parameters(
        mixture=random_mixture(np.random.default_rng(seed), 3), amplitudes=amplitudes
    )

    def slow(parameters, phase):
        seen = [
            as_reference(o, likelihood.reference_exposure, a, psf)
            for o, a, psf in zip(observations, parameters.amplitudes, phase.psfs, strict=True)
        ]
        return reference.photon_step(seen, parameters.mixture, phase.prior_scales, **counts(phase))

    return LikelihoodCase(name, likelihood, parameters, slow)


def as_reference(observation, exposure, amplitudes, psf):
    """What `reference.photon_step` needs of an observation."""
    c, photons = observation.completeness, observation.photons
    at, omega = c.exposure_at(photons.x, photons.y) / exposure, c.effective / exposure
    ratios, integrals = [], []
    for b in observation.backgrounds:
        template = (lambda x, y: 1.0) if b.template is None else b.template.at
        ratios.append(np.ones(len(at)) if b.kind == "sky" else template(photons.x, photons.y) / at)
        q = omega if b.kind == "sky" else c.open_fraction * (c.exposure > 0)
        integrals.append((q * template(*c.grid.centres())).sum() * c.grid.cell_area)
    return {
        "points": np.stack([photons.x, photons.y], axis=1),
        "weights": photons.weights,
        "cells": np.stack([axis.ravel() for axis in c.grid.centres()], axis=1),
        "omega": omega.ravel(),
        "cell_area": c.grid.cell_area,
        "psf_weights": psf.weights,
        "psf_covariances": psf.covariances,
        "amplitudes": amplitudes,
        "ratios": np.array(ratios).reshape(-1, len(at)),
        "integrals": np.array(integrals),
    }


def make_sample_case(d, *, n=150, k=3):
    """Points in D dimensions, each with its own error, drawn from three components."""
    rng = np.random.default_rng(d)
    root = rng.normal(0, 0.6, (n, d, d))
    errors = root @ np.swapaxes(root, 1, 2) + 0.1 * np.eye(d)
    shapes = rng.normal(0, 1, (k, d, d))
    mixture = Mixture(
        fluxes=rng.uniform(0.5, 1.5, k) * n / k,
        means=rng.normal(0, 3, (k, d)),
        covariances=shapes @ np.swapaxes(shapes, 1, 2) + np.eye(d),
    )
    noise = np.einsum("nij,nj->ni", np.linalg.cholesky(errors), rng.normal(size=(n, d)))
    points, weights = mixture.sample(n, rng) + noise, rng.choice([0.5, 1.0, 2.0], n)
    start = replace(mixture, means=mixture.means + 0.5)

    def slow(parameters, phase):
        step = reference.sample_step(
            points, errors, weights, parameters.mixture, phase.prior_scales, **counts(phase)
        )
        return step | {"amplitudes": [np.zeros(0)]}

    return LikelihoodCase(
        f"samples in {d} dimensions",
        SampleLikelihood(points, errors, weights),
        Parameters(mixture=start, amplitudes=(np.zeros(0),)),
        slow,
    )


def counts(phase):
    """Strengths of the priors of a phase."""
    return {
        "mean_count": phase.priors.mean_count,
        "covariance_count": phase.priors.covariance_count,
    }


CASES = [
    make_photon_case("one photon list", random_observation(1)),
    make_photon_case("a PSF of two Gaussians", random_observation(1, m=2)),
    make_photon_case("a sky", random_observation(1, m=3, backgrounds=(SKY,))),
    make_photon_case("three backgrounds", random_observation(1, backgrounds=BACKGROUNDS)),
    make_photon_case("a fixed background", random_observation(1, backgrounds=FIXED_BACKGROUND)),
    make_photon_case(
        "two pointings",
        random_observation(1, m=3, backgrounds=BACKGROUNDS),
        random_observation(2, n=150, m=2, angle=30),
    ),
    make_photon_case("without a PSF", random_observation(4, psf=False, backgrounds=(SKY,))),
    *(make_sample_case(d) for d in (1, 2, 3, 5)),
]


def on_level_zero(phase):
    """A phase that integrates on the completeness map's own cells, as the slow twin does."""
    if not hasattr(phase, "psfs"):
        return phase
    psfs = tuple(replace(psf, levels=np.zeros_like(psf.levels)) for psf in phase.psfs)
    return replace(phase, psfs=psfs)


def objective_along(case, phase, chart, z, direction):
    """Derivative of the objective along a direction, by differences of fourth order."""
    values = [
        evaluate(case.likelihood, chart.to_parameters(z + step * direction), phase).objective
        for step in (2, 1, -1, -2)
    ]
    return (8 * (values[1] - values[2]) - (values[0] - values[3])) / 12


def check_step(case):
    """The objective and the M-step are those of the slow twin."""
    phase = on_level_zero(case.likelihood.begin_phase(case.parameters, PRIORS))
    found = evaluate(case.likelihood, case.parameters, phase)
    slow = case.slow(case.parameters, phase)
    for name in ("log_likelihood", "objective", "observed", "observed_fraction"):
        assert_allclose(getattr(found, name), slow[name], rtol=1e-9, err_msg=name)
    after = found.successor
    for name in ("fluxes", "means", "covariances"):
        assert_allclose(
            getattr(after.mixture, name), slow[name], rtol=1e-8, atol=1e-9, err_msg=name
        )
    for before, one, two, fixed in zip(
        case.parameters.amplitudes,
        after.amplitudes,
        slow["amplitudes"],
        case.likelihood.fixed_amplitudes,
        strict=True,
    ):
        assert_allclose(one, np.where(fixed, before, two), rtol=1e-9)


def check_gradient(case):
    """The gradient is the derivative of the objective, in the coordinates of a chart."""
    phase = case.likelihood.begin_phase(case.parameters, PRIORS)
    chart, rng = Chart.at(case.likelihood, case.parameters, phase), np.random.default_rng(0)
    # Away from the chart's own centre, where everything is simple.
    z = chart.to_vector(case.parameters)
    z = z + chart.scales * rng.normal(0, 0.1, len(z))
    gradient = chart.gradient(evaluate(case.likelihood, chart.to_parameters(z), phase))
    for direction in 1e-4 * rng.standard_normal((3, len(z))) * chart.scales:
        # A cell that enters or leaves the integral at 6 sigma changes it by exp(-18) of itself.
        difference = objective_along(case, phase, chart, z, direction)
        assert gradient @ direction == pytest.approx(difference, rel=1e-3, abs=2e-5)


def check_monotone(case, evaluations=30):
    """Neither EM steps nor the ascent lower the objective, and the ascent gains more."""
    likelihood = case.likelihood
    phase = likelihood.begin_phase(case.parameters, PRIORS)
    chart = Chart.at(likelihood, case.parameters, phase)
    plain, parameters = [], case.parameters
    while len(plain) < evaluations and phase.is_valid(parameters):
        now = evaluate(likelihood, parameters, phase)
        plain.append(now.objective)
        parameters = now.successor
    fast, spent = [], 0
    for step in ascend(
        lambda q: evaluate(likelihood, q, phase), phase.is_valid, case.parameters, chart
    ):
        fast.append(step.evaluation.objective)
        spent += step.evaluations
        if spent >= evaluations:
            break
    assert np.all(np.diff(plain) >= -1e-7)
    assert np.all(np.diff(fast) >= 0)
    assert len(plain) < evaluations or spent < evaluations or fast[-1] > plain[-1] - 0.01


def check_derivatives(case):
    """Slopes, losses, scores and ratios agree with each other and with the objective."""
    likelihood, parameters = case.likelihood, case.parameters
    mixture, k = parameters.mixture, len(parameters.mixture)
    phase = likelihood.begin_phase(parameters, replace(PRIORS, mean_count=0, covariance_count=0))
    whole = evaluate(likelihood, parameters, phase)
    logs = likelihood.log_densities(parameters, phase)
    expected = mixture.fluxes @ whole.observed_fraction + sum(
        a @ i for a, i in zip(parameters.amplitudes, likelihood.integrals, strict=True)
    )
    summed = sum(w @ log for w, log in zip(likelihood.weights, logs, strict=True))
    assert summed - expected == pytest.approx(whole.log_likelihood, rel=1e-10)

    slopes = likelihood.flux_slopes(mixture, phase, logs)
    by_flux = whole.gradient.log_fluxes
    # Slopes leave out data beyond 6 sigma of a component.
    assert_allclose(slopes * mixture.fluxes, by_flux, rtol=1e-5, atol=1e-5)

    roots = [np.sqrt(w) for w in likelihood.weights]
    ratios = likelihood.density_ratios(mixture, phase, logs, 1)
    slopes_again = sum(r @ ratio for r, ratio in zip(roots, ratios, strict=True))
    assert_allclose(slopes_again - whole.observed_fraction, slopes, rtol=1e-5, atol=1e-5)

    # d / d log F and d / d log B of sum log lambda: the gradient and the integrals' derivative.
    scores = likelihood.scores(parameters, phase, 1)
    total = sum(r @ score for r, score in zip(roots, scores, strict=True))
    assert_allclose(total[:k], by_flux + mixture.fluxes * whole.observed_fraction, rtol=1e-8)
    first = total.size - sum(len(a) for a in parameters.amplitudes)
    responsibilities = np.concatenate(likelihood.moments(parameters, phase).responsibilities)
    assert_allclose(total[first:], responsibilities, rtol=1e-8)


def check_scores_of_places_and_shapes(case):
    """Scores by means and covariances are differences of log lambda."""
    likelihood, parameters = case.likelihood, case.parameters
    mixture, (k, d) = parameters.mixture, parameters.mixture.means.shape
    phase = likelihood.begin_phase(parameters, PRIORS)
    scores = likelihood.scores(parameters, phase, 1)
    roots = np.linalg.cholesky(mixture.covariances)
    rows, columns = np.tril_indices(d)
    h = 1e-4
    for place in range(d + len(rows)):
        pair = []
        for sign in (1, -1):
            means, factor = mixture.means, np.tile(np.eye(d), (k, 1, 1))
            if place < d:
                means = means + sign * h * roots[:, :, place]
            else:
                factor[:, rows[place - d], columns[place - d]] += sign * h
            root = roots @ factor
            moved = replace(mixture, means=means, covariances=root @ np.swapaxes(root, 1, 2))
            pair.append(likelihood.log_densities(replace(parameters, mixture=moved), phase))
        column = slice((1 + place) * k, (2 + place) * k)
        for up, down, score, weights in zip(*pair, scores, likelihood.weights, strict=True):
            # All components move at once, so that their scores add up.
            summed = score[:, column].sum(1) / np.sqrt(weights)
            assert_allclose(summed, (up - down) / (2 * h), rtol=1e-4, atol=1e-5)


def check_losses(case):
    """Removing a component costs what `removal_losses` says.

    A datum that belongs to the component alone costs log(1e9) there, but more in truth.
    """
    likelihood, parameters = case.likelihood, case.parameters
    phase = likelihood.begin_phase(parameters, PRIORS)
    whole = evaluate(likelihood, parameters, phase)
    losses = likelihood.removal_losses(parameters, phase, whole.observed_fraction)
    logs = likelihood.log_densities(parameters, phase)
    for k, loss in enumerate(losses):
        fewer = parameters.select(np.arange(len(losses)) != k)
        left_phase = likelihood.begin_phase(fewer, PRIORS)
        left = evaluate(likelihood, fewer, left_phase)
        difference = whole.log_likelihood - left.log_likelihood
        dearest = max(
            (one - two).max()
            for one, two in zip(logs, likelihood.log_densities(fewer, left_phase), strict=True)
        )
        if dearest < np.log(1e6):
            assert loss == pytest.approx(difference, abs=1e-6)
        else:
            assert loss < difference + 1e-6


def check_information(case):
    """The information matrix is regular, and its errors are finite and positive."""
    phase = case.likelihood.begin_phase(case.parameters, PRIORS)
    information = Information.at(case.likelihood, case.parameters, phase)
    errors = information.uncertainty()
    k, d = case.parameters.mixture.means.shape
    assert errors.fluxes.shape == (k,)
    assert errors.means.shape == (k, d)
    assert np.all(errors.fluxes > 0)
    assert np.all(errors.means > 0)
    assert np.all(information.removal_losses() > 0)
    logs = case.likelihood.log_densities(case.parameters, phase)
    gains, fluxes = information.addition_gains(case.parameters.mixture, logs)
    assert np.all(np.isfinite(gains))
    assert np.all(fluxes >= 0)


@pytest.mark.parametrize(
    "check",
    [
        check_step,
        check_gradient,
        check_monotone,
        check_derivatives,
        check_scores_of_places_and_shapes,
        check_losses,
        check_information,
    ],
    ids=lambda check: check.__name__.removeprefix("check_"),
)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_likelihoods(case, check):
    check(case)


@pytest.mark.parametrize("d", [1, 2, 4])
def test_fits_of_samples_are_extreme_deconvolution(d):
    # Common errors, no priors: Bovy's equations from the same start.
    case = make_sample_case(d, n=120, k=2)
    noise = 0.3 * np.eye(d)
    points, weights = case.likelihood.points, np.ones(120)
    likelihood = SampleLikelihood(points, np.tile(noise, (120, 1, 1)), weights)
    parameters = case.parameters
    phase = likelihood.begin_phase(
        parameters, Priors(mean_count=0.0, covariance_count=0.0, min_sigma=1e-3)
    )
    mixture = parameters.mixture
    expected = reference.extreme_deconvolution(
        points,
        noise,
        mixture.fluxes / mixture.fluxes.sum(),
        mixture.means,
        mixture.covariances,
        iterations=20,
    )
    for _ in range(20):
        parameters = evaluate(likelihood, parameters, phase).successor
    for found, wanted in zip(
        (parameters.mixture.fluxes / 120, parameters.mixture.means, parameters.mixture.covariances),
        expected,
        strict=True,
    ):
        assert_allclose(found, wanted, rtol=1e-8, atol=1e-9)
