"""Models of samples beside each other: divergences, log-likelihoods, and pairs of components."""

import json
from dataclasses import replace

import numpy as np
import pytest
from astropy.table import Table
from command_line import error_line, run

import gmmx
from gmmx.answers.sample_comparison import compare_samples
from gmmx.answers.sample_pairs import paired
from gmmx.model.mixture import Mixture


def make_fit(rng, shift=0.0, k=1, names=("a", "b"), units=()):
    """A fit to 200 samples about (0, 5), moved along the first column."""
    x = rng.normal([shift, 5.0], [1.0, 2.0], (200, 2))
    samples = gmmx.Samples(x=x, names=names, units=units)
    return gmmx.fit_samples(samples, n_components=k, starts=1, exchanges=0)


@pytest.fixture
def pair(rng):
    """A model, and one of other samples half a standard deviation away."""
    return [make_fit(rng), make_fit(rng, 0.5)]


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def divergence_of_gaussians(one, other):
    """Kullback-Leibler divergence between two Gaussians, from the formula."""
    (m, s), (n, t) = ((r.mixture.means[0], r.mixture.covariances[0]) for r in (one, other))
    inverse = np.linalg.inv(t)
    logs = np.linalg.slogdet(t)[1] - np.linalg.slogdet(s)[1]
    return (np.trace(inverse @ s) - len(m) + (n - m) @ inverse @ (n - m) + logs) / 2


@pytest.mark.parametrize(("i", "j"), [(0, 1), (1, 0)])
def test_divergences_are_those_of_the_formula(pair, i, j):
    found = compare_samples(pair, n=50_000)
    truth = divergence_of_gaussians(pair[i], pair[j])
    assert found.divergence_errors[i, j] < 0.05 * truth
    assert abs(found.divergences[i, j] - truth) < 4 * found.divergence_errors[i, j]


def test_gains_are_differences_of_log_likelihoods(rng):
    x = rng.normal([0.0, 5.0], 1.0, (200, 2))
    fits = [gmmx.fit_samples(x, n_components=k, starts=1, exchanges=0) for k in (1, 2)]
    found = fits[0].compare(fits[1], n=100)
    assert found.are_of_the_same_samples
    expected = fits[0].log_likelihood - fits[1].log_likelihood
    assert found.gains[0, 0, 1] == pytest.approx(expected, abs=1e-8)
    assert found.gains[1, 1, 0] == pytest.approx(-expected, abs=1e-8)


def test_each_model_describes_its_own_samples_better(pair):
    found = compare_samples(pair, n=100)
    assert not found.are_of_the_same_samples
    assert found.gains[0, 0, 1] > 3 * found.gain_errors[0, 0, 1]
    assert found.gains[1, 0, 1] < -3 * found.gain_errors[1, 0, 1]


def test_components_are_paired_by_their_shapes(rng):
    means, covariances = rng.normal(0, 9, (4, 2)), np.tile(np.eye(2), (4, 1, 1))
    one = Mixture(fluxes=[4.0, 3.0, 2.0, 1.0], means=means, covariances=covariances)
    i, j, distances = paired(one, one.select([2, 0, 3]))
    assert (i.tolist(), j.tolist()) == ([0, 2, 3], [1, 0, 2])
    assert distances == pytest.approx(0.0, abs=1e-7)


def test_a_component_without_a_partner_stands_alone(rng):
    table = compare_samples([make_fit(rng), make_fit(rng, k=2)], n=100).pairs()
    assert sorted(table["component_1"].tolist()) == [-1, 0]
    assert table["distance"].mask.tolist() == [False, True]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"names": ("a", "c")}, "B: a model of a, c, and A is one of a, b"),
        ({"units": ("mag", "mag")}, "B: b is in mag, and in A it is in mas"),
    ],
)
def test_models_of_other_columns_are_refused(rng, changed, message):
    one, other = make_fit(rng, units=("mag", "mas")), make_fit(rng, **changed)
    with pytest.raises(gmmx.errors.InputError, match=message):
        compare_samples([one, other])


@pytest.fixture
def models(pair, tmp_path):
    """The files of two models."""
    for name, result in zip(("one", "two"), pair, strict=True):
        result.write(tmp_path / f"{name}.h5")
    return [tmp_path / "one.h5", tmp_path / "two.h5"]


def test_the_command_prints_divergences_and_pairs(models):
    text = run("compare", *models, "--n", 1000).stdout
    assert "of two.h5 from one.h5" in text
    assert "on the samples of two.h5" in text
    assert text.splitlines()[-2].split()[1:4] == ["one.h5", "0", "1"]


def test_the_command_writes_json_and_a_table(models, tmp_path):
    out = tmp_path / "pairs.ecsv"
    facts = json.loads(run("compare", *models, "--n", 1000, "--json", "--out", out).stdout)
    assert facts["comparisons"][0]["divergence"] > 0
    assert Table.read(out)["component_1"].tolist() == [0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--folds", 3), "--folds applies to models of photons: leave it out"),
        (("--n", 1), "--n 1"),
    ],
)
def test_wrong_options_are_refused(models, words, message):
    assert message in error_line(run("compare", *models, *words))


def test_one_model_is_refused(models):
    assert "give at least two of the same samples" in error_line(run("compare", models[0]))


def test_a_model_of_other_photons_is_refused(models, tmp_path):
    x, y = np.random.default_rng(0).normal(0, 5, (2, 100))
    sky = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    sky.write(tmp_path / "sky.h5")
    line = error_line(run("compare", models[0], tmp_path / "sky.h5"))
    assert "sky.h5: a model of photons, and" in line


def test_files_keep_units_and_names(rng, tmp_path):
    make_fit(rng, units=("mag", "")).write(tmp_path / "m.h5")
    result = gmmx.read(tmp_path / "m.h5")
    assert (result.names, result.units) == (("a", "b"), ("mag", ""))
    assert replace(result.samples, x=result.samples.x + 1).units == ("mag", "")
