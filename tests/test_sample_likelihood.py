"""The likelihood of samples against its slow twins, and what follows from it."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import reference
from catalogues import drawn_samples, make_mixture
from numpy.testing import assert_allclose, assert_array_equal

from gmmx._kernels.samples import Gaussians, point_moments
from gmmx._kernels.threads import threads_at_most
from gmmx.em import sample_groups
from gmmx.em.chart import Chart
from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.em.samples import SampleLikelihood
from gmmx.em.triangles import packed, square
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.psf import PsfModel
from gmmx.model.sample_background import SampleBackground
from gmmx.model.samples import Samples

NO_PRIORS = Priors(mean_count=0.0, covariance_count=0.0, min_sigma=1e-9)
KINDS = ("none", "common", "diagonal", "full")


def extended(likelihood, normalised):
    """The extended log-likelihood at the best total flux, of a normalised one."""
    total = likelihood.total_weight
    return normalised + total * np.log(total) - total


def make_samples(x, variance):
    """Samples with the same round noise."""
    return Samples(x=x, covariances=variance * np.eye(x.shape[1]))


def evaluated(likelihood, mixture, priors=NO_PRIORS):
    parameters = likelihood.parameters(mixture)
    phase = likelihood.begin_phase(parameters, priors)
    return evaluate(likelihood, parameters, phase), phase


@pytest.mark.parametrize("missing", [0.0, 0.3], ids=["complete", "with gaps"])
@pytest.mark.parametrize("noise", KINDS)
def test_steps_are_those_of_extreme_deconvolution(noise, missing):
    rng = np.random.default_rng(4)
    samples = drawn_samples(rng, make_mixture(rng, 2, 4), 150, noise=noise, missing=missing)
    likelihood, total = SampleLikelihood.of(samples), samples.weights.sum()
    mixture = make_mixture(rng, 3, 4, total)
    mixture = replace(mixture, means=np.nan_to_num(samples.x[:3], nan=1.0))
    slow = mixture.fluxes / total, mixture.means, mixture.covariances
    noise = np.nan_to_num(samples.noise())
    for _ in range(3):
        evaluation, _ = evaluated(likelihood, mixture)
        *slow, value = reference.extreme_deconvolution_step(
            samples.x, noise, samples.weights, *slow
        )
        mixture = likelihood.scaling.mixture_back(evaluation.successor.mixture)
        assert_allclose(evaluation.objective, extended(likelihood, value), rtol=1e-12)
        assert_allclose(mixture.fluxes / total, slow[0], rtol=1e-9)
        assert_allclose(mixture.means, slow[1], rtol=1e-8, atol=1e-9)
        assert_allclose(mixture.covariances, slow[2], rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("missing", [0.0, 0.3], ids=["complete", "with gaps"])
@pytest.mark.parametrize("noise", KINDS)
def test_log_terms_are_those_of_the_slow_twin(noise, missing):
    rng = np.random.default_rng(5)
    mixture = make_mixture(rng, 3, 3, 100.0)
    samples = drawn_samples(rng, mixture, 140, noise=noise, missing=missing)
    likelihood = SampleLikelihood.of(samples)
    parameters = likelihood.parameters(mixture)
    slow = reference.sample_log_terms(
        samples.x,
        np.nan_to_num(samples.noise()),
        mixture.fluxes,
        mixture.means,
        mixture.covariances,
    )
    assert_allclose(likelihood.log_terms(parameters), slow, rtol=1e-10, atol=1e-10)
    (logs,) = likelihood.log_densities(parameters, None)
    assert_allclose(logs, np.logaddexp.reduce(slow, axis=1), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("noise", KINDS)
def test_the_entropy_is_that_of_the_slow_twin(noise):
    rng = np.random.default_rng(11)
    mixture = make_mixture(rng, 3, 2, 100.0)
    samples = drawn_samples(rng, mixture, 150, noise=noise, missing=0.2)
    samples = replace(samples, weights=rng.uniform(0.0, 2.0, 150))
    boxes = [SampleBackground(low=[-s, -s], high=[s, s]) for s in (20.0, 30.0)]
    likelihood = SampleLikelihood.of(samples, backgrounds=boxes)
    parameters = likelihood.parameters(mixture, [20.0, 30.0])
    slow = reference.sample_entropy(likelihood.log_terms(parameters), samples.weights, 3)
    assert slow > 1
    assert likelihood.entropy(parameters) == pytest.approx(slow, rel=1e-9)


@pytest.mark.parametrize("d", [1, 2, 5])
def test_moments_of_points_are_those_of_the_slow_twin(d):
    rng = np.random.default_rng(12)
    x, weights = rng.normal(size=(300, d)), rng.uniform(0, 1, 300)
    mixture = make_mixture(rng, 3, d)
    inverses = packed(np.linalg.inv(np.linalg.cholesky(mixture.covariances)))
    gaussians = Gaussians(np.zeros(3), mixture.means.copy(), inverses)
    sums = point_moments(np.ascontiguousarray(x.T), weights, gaussians)
    slow = reference.point_moments(x, weights, mixture.means, mixture.covariances)
    for found, own in zip(
        (sums[:, 0], sums[:, 1 : 1 + d], square(sums[:, 1 + d :], d)), slow, strict=True
    ):
        assert_allclose(found, own, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("noise", KINDS)
def test_responsibilities_do_not_depend_on_the_size_of_the_chunks(noise, monkeypatch):
    rng = np.random.default_rng(5)
    mixture = make_mixture(rng, 3, 3, 100.0)
    samples = drawn_samples(rng, mixture, 140, noise=noise, missing=0.3)
    box = SampleBackground.of("uniform", samples)
    likelihood = SampleLikelihood.of(samples, backgrounds=[box])
    parameters = likelihood.parameters(mixture, [20.0])
    logs = likelihood.log_terms(parameters)
    expected = np.exp(logs - np.logaddexp.reduce(logs, axis=1)[:, None])[:, :3]
    monkeypatch.setattr(sample_groups, "_CHUNK", 64)
    found = sample_groups.responsibilities_of(likelihood.groups, parameters)
    assert_allclose(found, expected.T, rtol=1e-13, atol=1e-300)


def test_responsibilities_need_no_second_array_of_their_size():
    rng = np.random.default_rng(5)
    mixture = make_mixture(rng, 10, 2, 100.0)
    likelihood = SampleLikelihood.of(Samples(x=mixture.sample(60_000, rng)))
    parameters = likelihood.parameters(mixture)
    # The first call compiles.
    sample_groups.responsibilities_of(likelihood.groups, parameters)
    tracemalloc.start()
    found = sample_groups.responsibilities_of(likelihood.groups, parameters)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * found.nbytes


@pytest.mark.parametrize("noise", KINDS)
def test_the_gradient_is_the_derivative_of_the_objective(noise):
    rng = np.random.default_rng(6)
    mixture = make_mixture(rng, 2, 3, 200.0)
    samples = drawn_samples(rng, mixture, 200, noise=noise, missing=0.1)
    likelihood = SampleLikelihood.of(samples)
    evaluation, phase = evaluated(likelihood, mixture, Priors())
    chart = Chart.at(likelihood, evaluation.parameters, phase)
    z, direction = chart.to_vector(evaluation.parameters), rng.normal(size=len(chart.scales))

    def objective(step):
        moved = chart.to_parameters(z + step * direction)
        return evaluate(likelihood, moved, phase).objective

    slope = (objective(1e-5) - objective(-1e-5)) / 2e-5
    assert_allclose(chart.gradient(evaluation) @ direction, slope, rtol=1e-5)


def test_uniform_noise_on_the_sky_gives_the_objective_of_the_photons():
    rng = np.random.default_rng(7)
    mixture, variance = make_mixture(rng, 4, 2, 500.0), 0.49
    x = mixture.sample(500, rng) + rng.normal(0, np.sqrt(variance), (500, 2))
    psf = PsfModel.constant(np.sqrt(variance))
    observation = Observation(photons=Photons(x=x[:, 0], y=x[:, 1]), psf=psf)
    photons = PhotonLikelihood.of([observation])
    parameters = SampleLikelihood.of(make_samples(x, variance)).parameters(mixture)
    at = type(parameters)(mixture=mixture, amplitudes=(np.zeros(0),))
    on_the_sky = evaluate(photons, at, photons.begin_phase(at, NO_PRIORS))
    in_a_table, _ = evaluated(SampleLikelihood.of(make_samples(x, variance)), mixture)
    assert_allclose(in_a_table.objective, on_the_sky.objective, rtol=1e-9)


def test_threads_do_not_change_a_bit():
    rng = np.random.default_rng(8)
    mixture = make_mixture(rng, 3, 3, 3000.0)
    likelihood = SampleLikelihood.of(drawn_samples(rng, mixture, 3000, noise="full", missing=0.1))
    found = []
    for threads in (1, 0):
        with threads_at_most(threads):
            found.append(evaluated(likelihood, mixture)[0])
    one, several = found
    assert one.objective == several.objective
    assert_array_equal(one.successor.mixture.covariances, several.successor.mixture.covariances)


def test_a_sample_far_from_everything_keeps_a_likelihood():
    rng = np.random.default_rng(9)
    x = np.concatenate([rng.normal(size=(50, 1)), [[1e6]]])
    mixture = Mixture(fluxes=[51.0], means=[[0.0]], covariances=[[[1.0]]])
    evaluation, _ = evaluated(SampleLikelihood.of(make_samples(x, 0.0)), mixture)
    assert np.isfinite(evaluation.objective)
    assert evaluation.objective < -4e11


def test_a_background_alone_has_a_likelihood():
    x = np.random.default_rng(8).uniform(-1, 1, (100, 2))
    box = SampleBackground(low=[-2, -2], high=[2, 2])
    likelihood = SampleLikelihood.of(Samples(x=x), backgrounds=[box])
    parameters = likelihood.scaled_parameters(Mixture.empty(2), [80.0])
    moments = likelihood.moments(parameters, likelihood.begin_phase(parameters, Priors()))
    assert moments.log_likelihood == pytest.approx(100 * np.log(80 / 16) - 80)
    assert_allclose(moments.responsibilities[0], 100)


@pytest.mark.parametrize("kind", ["diagonal", "full"])
def test_noise_is_a_mean_over_the_samples_that_know_it(kind):
    rng = np.random.default_rng(9)
    x = rng.normal(size=(40, 3))
    x[::2, 1] = np.nan
    x[::5, 2] = np.nan
    variances = rng.uniform(0.1, 1.0, (40, 3))
    noise = variances if kind == "diagonal" else variances[:, :, None] * np.eye(3)
    likelihood = SampleLikelihood.of(Samples(x=x, covariances=noise))
    one = Mixture(fluxes=[40.0], means=[np.zeros(3)], covariances=[np.eye(3)])
    expected = np.nanmean(np.where(np.isnan(x), np.nan, variances), axis=0)
    for found in (likelihood.mean_noise, likelihood.local_noise(likelihood.parameters(one))[0]):
        assert_allclose(found * likelihood.scaling.outer, np.diag(expected), atol=1e-12)


def test_means_over_different_samples_are_a_covariance():
    x = np.random.default_rng(10).normal(size=(40, 2))
    x[::2, 1] = np.nan
    noise = np.repeat([[[1.0, 0.9], [0.9, 1.0]]], 40, axis=0)
    # Half of the samples know the first column without errors: 0.5 x 1 is below 0.9 x 0.9.
    noise[::2] = 0.0
    likelihood = SampleLikelihood.of(Samples(x=x, covariances=noise))
    one = Mixture(fluxes=[40.0], means=[np.zeros(2)], covariances=[np.eye(2)])
    for found in (likelihood.mean_noise, likelihood.local_noise(likelihood.parameters(one))[0]):
        assert np.linalg.eigvalsh(found)[0] > -1e-12
