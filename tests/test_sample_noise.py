"""Noise of samples as a function of their noise-free values."""

import h5py
import numpy as np
import pytest
from astropy.table import Table
from command_line import run
from numpy.testing import assert_allclose
from scipy.stats import norm

import gmmx
from gmmx.em.chart import Chart
from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Priors
from gmmx.em.samples import SampleLikelihood
from gmmx.em.selection import Selection, recorded_terms
from gmmx.errors import DataError, InputError
from gmmx.model.mixture import Mixture
from gmmx.model.sample_completeness import SampleCompleteness
from gmmx.model.sample_noise import SampleNoise
from gmmx.model.samples import Samples

NODES = np.linspace(-5, 5, 41)


def sigma(y):
    """Errors that grow from 0.1 to 0.8 towards the faint end."""
    return 0.1 + 0.7 / (1 + np.exp(-1.5 * y))


def drawn_behind_a_cut(seed, n=3000):
    """Recorded values below 0.5, and their variances, which a pipeline takes at these values."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(n, 1))
    x = true + sigma(true) * rng.normal(size=true.shape)
    x = x[x[:, 0] < 0.5]
    return x, sigma(x) ** 2


def make_noise_file(path, columns=("x0",), **datasets):
    """Write the errors of x0 as a function of x0, and other datasets."""
    with h5py.File(path, "w") as file:
        every = {"errors/x0": sigma(NODES), "x0": NODES}
        every |= {name.replace("__", "/"): values for name, values in datasets.items()}
        for name, values in every.items():
            file[name] = values
        file["errors"].attrs["columns"] = columns
    return path


def make_likelihood(x, variances):
    """The likelihood of such samples behind the cut at 0.5."""
    samples = Samples(x=x, covariances=variances)
    selection = Selection(
        completeness=SampleCompleteness.of("x0 < 0.5", samples.names),
        noise=SampleNoise.of(lambda y: sigma(y[:, :1]) ** 2 * np.ones_like(y), samples.names),
    )
    return SampleLikelihood.of(samples, selection=selection)


def test_densities_and_observed_fractions_are_those_of_the_integrals():
    x, variances = drawn_behind_a_cut(0, 300)
    likelihood = make_likelihood(x, variances)
    one = Mixture(fluxes=[300.0], means=[[0.2]], covariances=[[[1.3]]])
    parameters = likelihood.parameters(one)
    y = np.linspace(-9, 9, 6001)
    density = 300 * norm.pdf(y, 0.2, np.sqrt(1.3)) * (y[1] - y[0])
    expected = [density @ norm.pdf(value, y, sigma(y)) for value in x[:, 0]]
    terms, _ = recorded_terms(likelihood, parameters)
    assert_allclose(np.exp(terms[:, 0]), expected, rtol=0.05)
    assert np.exp(terms[:, 0]).sum() == pytest.approx(np.sum(expected), rel=1e-3)
    phase = likelihood.begin_phase(parameters, Priors())
    fraction = evaluate(likelihood, parameters, phase).observed_fraction[0]
    assert fraction == pytest.approx(density @ norm.cdf((0.5 - y) / sigma(y)) / 300, abs=2e-3)


def test_em_is_monotone_and_the_gradient_is_the_derivative():
    rng = np.random.default_rng(1)
    x = rng.normal(0, 0.7, (60, 2))
    x = x[x[:, 0] < 0.5]
    x[::4, 1] = np.nan
    x[1::8, 0] = np.nan
    likelihood = make_likelihood(x, np.where(np.isnan(x), 1.0, 0.2))
    start = likelihood.parameters(
        Mixture(fluxes=[40.0, 30.0], means=[[0.2, 0], [-0.4, 0.3]], covariances=[np.eye(2)] * 2)
    )
    phase = likelihood.begin_phase(start, Priors())
    chart = Chart.at(likelihood, start, phase)
    z, direction = chart.to_vector(start), rng.normal(size=len(chart.scales))

    def objective(step):
        return evaluate(likelihood, chart.to_parameters(z + step * direction), phase).objective

    evaluation = evaluate(likelihood, start, phase)
    slope = (objective(1e-5) - objective(-1e-5)) / 2e-5
    assert_allclose(chart.gradient(evaluation) @ direction, slope, rtol=1e-5)
    objectives = []
    for _ in range(6):
        objectives.append(evaluation.objective)
        evaluation = evaluate(likelihood, evaluation.successor, phase)
    assert np.all(np.diff(objectives) > -1e-9)


def test_noise_that_does_not_vary_is_the_constant_one():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(800, 1)) + 0.5 * rng.normal(size=(800, 1))
    x = x[x[:, 0] < 0.5]
    variances = np.full(x.shape, 0.25)
    fits = [
        gmmx.fit_samples(
            x, variances, n_components=1, completeness="x0 < 0.5", noise_model=noise_model
        ).mixture
        for noise_model in ("constant", lambda y: np.full(y.shape, 0.25))
    ]
    assert_allclose(fits[0].means, fits[1].means, atol=0.02)
    assert_allclose(fits[0].covariances, fits[1].covariances, atol=0.02)


@pytest.mark.slow
def test_noise_that_grows_towards_a_cut_biases_a_constant_and_not_a_function():
    found = {"constant": [], "function": []}
    for seed in range(20):
        x, variances = drawn_behind_a_cut(seed)
        for name, rows in found.items():
            one = gmmx.fit_samples(
                x,
                variances,
                n_components=1,
                completeness="x0 < 0.5",
                noise_model=name if name == "constant" else lambda y: sigma(y) ** 2,
            ).mixture
            rows.append([one.means[0, 0], one.covariances[0, 0, 0], one.fluxes[0] / 3000])
    errors = {name: np.std(v, axis=0, ddof=1) / np.sqrt(20) for name, v in found.items()}
    pulls = {name: (np.mean(v, axis=0) - [0, 1, 1]) / errors[name] for name, v in found.items()}
    assert np.abs(pulls["function"]).max() < 3
    assert np.abs(pulls["constant"]).max() > 10


def test_a_fit_with_a_file_of_errors_keeps_them_in_its_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x, variances = drawn_behind_a_cut(3)
    Table({"x0": x[:, 0], "e": np.sqrt(variances[:, 0])}).write("cat.fits")
    # The file has the errors of another column, too.
    make_noise_file("noise.h5", errors__z=sigma(NODES))
    words = ("fit", "cat.fits", "--columns", "x0", "--errors", "e", "--k", 1)
    done = run(*words, "--completeness", "x0 < 0.5", "--noise-model", "noise.h5", "--out", "m.h5")
    assert done.exit_code == 0, done.stderr
    result = gmmx.read("m.h5")
    assert_allclose(result.mixture.means[0], 0, atol=0.15)
    assert_allclose(result.noise(np.array([[-5.0], [9.0]])).ravel(), sigma(NODES[[0, -1]]) ** 2)
    assert result.score(result.samples).mean * len(x) == pytest.approx(
        result.log_likelihood, abs=0.01 * len(x)
    )
    assert "noise.h5" in run("info", "m.h5").stdout


@pytest.mark.parametrize(
    ("datasets", "columns", "message"),
    [
        ({"errors__y": [1.0, 2.0]}, ("x0",), "axis x0 has shape .* the grid has 2 nodes"),
        ({"errors__x0": -sigma(NODES)}, ("x0",), "error of x0 is -.* at x0 = -5 and at 40 other"),
        ({}, ("x",), "it has no axis x: is it x0?"),
    ],
)
def test_what_is_no_file_of_errors_is_refused(tmp_path, datasets, columns, message):
    x, variances = drawn_behind_a_cut(4, 100)
    path = make_noise_file(tmp_path / "n.h5", columns, **datasets)
    with pytest.raises((DataError, InputError), match=message):
        gmmx.fit_samples(x, variances, completeness="x0 < 0.5", noise_model=path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"noise_model": "constnat"}, "`noise_model` = constnat: choose constant or local"),
        ({"noise_model": "n.h5", "completeness": None}, "that a `completeness` hides"),
        ({"noise_model": "n.h5", "noise_order": "after"}, "with `noise_order` = before"),
        ({"noise_model": "n.h5", "covariances": None}, "the samples have no errors"),
        ({"noise_model": lambda y: y[:, 0]}, r"gives an array of shape \(\d+,\)"),
        ({"noise_model": lambda y: -np.ones(y.shape)}, "gives no covariance at"),
    ],
)
def test_a_noise_model_that_cannot_be_used_is_refused(tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    make_noise_file("n.h5")
    x, variances = drawn_behind_a_cut(5, 200)
    given = {"covariances": variances, "completeness": "x0 < 0.5", "n_components": 1} | options
    with pytest.raises(InputError, match=message):
        gmmx.fit_samples(x, **given)


def test_errors_of_all_columns_that_have_them_are_needed(tmp_path):
    x = np.random.default_rng(6).normal(size=(50, 2))
    path = make_noise_file(tmp_path / "n.h5")
    with pytest.raises(InputError, match=r"no errors of x1, .*: add .* errors/x1"):
        gmmx.fit_samples(x, np.ones(x.shape), completeness="x0 < 9", noise_model=path)
