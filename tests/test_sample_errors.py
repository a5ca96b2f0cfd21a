"""Draws of mixtures of samples: from the information matrix, and from refits."""

from dataclasses import replace
from itertools import product

import h5py
import numpy as np
import pytest
import reference
from catalogues import drawn_samples, make_mixture
from command_line import run
from numpy.testing import assert_allclose, assert_array_equal
from test_likelihood import (
    LikelihoodCase,
    check_derivatives,
    check_information,
    check_losses,
    check_scores_of_places_and_shapes,
)

import gmmx
from gmmx.answers import sample_errors
from gmmx.answers.sample_errors import MOST_COORDINATES, chosen_method, errors_of
from gmmx.em.information import Information
from gmmx.em.maximise import evaluate
from gmmx.em.observed import observed
from gmmx.em.parameters import Priors
from gmmx.em.samples import SampleLikelihood
from gmmx.em.selection import Selection
from gmmx.em.structure import in_form, n_shape_parameters, ties_of
from gmmx.errors import DataError, InputError
from gmmx.fitting.samples import redraw
from gmmx.io.models import read_any, write_draws
from gmmx.model.sample_background import SampleBackground
from gmmx.model.sample_completeness import SampleCompleteness
from gmmx.model.sample_noise import SampleNoise

FORMS = ("full", "diagonal", "tied", "spherical")


def make_case(name, d, *, kind="none", missing=0.0, background=False, completeness=None, **how):
    """Samples of three components, at the mixture that they were drawn from."""
    rng = np.random.default_rng(d)
    mixture = make_mixture(rng, 3, d, 120.0)
    samples = drawn_samples(rng, mixture, 120, noise=kind, missing=missing)
    selection = None
    if completeness:
        omega = SampleCompleteness.of(completeness, samples.names)
        samples = samples.select(np.flatnonzero(omega(np.nan_to_num(samples.x)) > 0))
        selection = Selection(completeness=omega, **how)
    backgrounds = ()
    if background:
        box = SampleBackground(low=np.full(d, -15.0), high=np.full(d, 15.0))
        backgrounds = (replace(box, amplitude=30.0),)
    likelihood = SampleLikelihood.of(samples, backgrounds=backgrounds, selection=selection)
    parameters = likelihood.parameters(mixture, [30.0] * background)
    return LikelihoodCase(name, likelihood, parameters, None)


CASES = [
    make_case("plain, with a background", 2, background=True),
    make_case("noise of its own and gaps", 3, kind="diagonal", missing=0.3),
    make_case("selected after the noise", 2, kind="full", completeness="x0 < 1"),
    make_case(
        "selected before the noise",
        2,
        kind="diagonal",
        background=True,
        completeness="1 / (1 + exp(x0))",
        noise_order="after",
    ),
    make_case(
        "gaps beside a completeness",
        2,
        kind="diagonal",
        missing=0.3,
        completeness="1 / (1 + exp(x0))",
    ),
    make_case(
        "noise that varies",
        1,
        kind="diagonal",
        completeness="x0 < 1",
        noise=SampleNoise.of(lambda y: 0.05 + 0.01 * y**2, ["x0"]),
    ),
]


CHECKS = [check_derivatives, check_scores_of_places_and_shapes, check_information]


@pytest.mark.parametrize(
    ("case", "check"),
    # The points of missing samples lie elsewhere without a component, so that losses differ.
    [*product(CASES, CHECKS), *product(CASES[:2], [check_losses])],
    ids=lambda one: str(getattr(one, "__name__", one)).removeprefix("check_"),
)
def test_samples_have_the_derivatives_of_their_likelihood(case, check):
    check(case)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_third_sample_has_the_scores_that_it_has_among_all(case):
    phase = case.likelihood.begin_phase(case.parameters, Priors())
    (some,), (every,) = (case.likelihood.scores(case.parameters, phase, n) for n in (3, 1))
    assert_allclose(some, np.sqrt(3) * every[1::3], rtol=1e-12)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_observed_information_is_the_curvature_of_the_log_likelihood(case):
    # At the maximum over the amounts, whose own curvature is that of their scores.
    phase = case.likelihood.begin_phase(
        case.parameters, Priors(mean_count=0.0, covariance_count=0.0, min_sigma=1e-6)
    )
    information = Information.at(case.likelihood, case.parameters, phase)

    def value(z):
        moved = information.moved(z)
        return evaluate(case.likelihood, moved, phase).log_likelihood

    k, d = case.parameters.mixture.means.shape
    found, rng, n = observed(information), np.random.default_rng(1), len(information.fixed)
    # The curvature by amounts is that of their scores, which it is at the maximum only.
    is_shape = (np.arange(n) >= k) & (np.arange(n) < (1 + d + d * (d + 1) // 2) * k)
    one, two = rng.normal(size=(2, n))
    two *= is_shape
    slow = -reference.second_derivative(value, one, two, step=1e-3)
    assert one @ found @ two == pytest.approx(slow, rel=1e-3)


@pytest.mark.parametrize("form", FORMS)
def test_ties_are_as_many_as_the_free_parameters_of_a_form(form):
    ties = ties_of(form, 3, 2, 1)
    n_free = 18 + 1 if ties is None else ties.shape[1]
    assert n_free == 3 + 6 + n_shape_parameters(form, 3, 2) + 1


def drawn_catalogue(rng, n):
    """Two round groups of samples in two columns."""
    return np.concatenate(
        [rng.normal(0, 1, (2 * n // 3, 2)), rng.normal([6, 2], 0.7, (n - 2 * n // 3, 2))]
    )


@pytest.fixture(scope="module")
def catalogue():
    return drawn_catalogue(np.random.default_rng(3), 600)


@pytest.mark.parametrize("form", FORMS)
def test_draws_keep_the_form_of_the_covariances(catalogue, form):
    result = gmmx.fit_samples(catalogue, n_components=2, covariance_form=form, init="kmeans")
    draws = result.errors(20, method="laplace").draws
    for i in range(20):
        own = draws.covariances[i]
        assert_allclose(in_form(own, np.ones(2), form), own, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("method", ["laplace", "bootstrap"])
def test_numbers_of_samples_scatter_as_poisson_numbers_but_fractions_as_binomial_ones(
    catalogue, method
):
    result = gmmx.fit_samples(catalogue, n_components=2, init="kmeans", starts=1)
    draws = result.errors(400 if method == "laplace" else 60, method=method).draws
    assert draws.method == method
    total = draws.fluxes.sum(1)
    assert total.std() == pytest.approx(np.sqrt(600), rel=0.25)
    fractions = draws.fluxes[:, 0] / total
    assert fractions.std() == pytest.approx(np.sqrt(2 / 9 / 600), rel=0.25)


def test_rows_of_weight_three_have_the_errors_of_three_rows(catalogue):
    start = gmmx.fit_samples(catalogue, n_components=2, init="kmeans").mixture
    once = gmmx.fit_samples(np.repeat(catalogue, 3, axis=0), start=start, n_components=2)
    counted = gmmx.fit_samples(catalogue, weights=np.full(600, 3.0), start=start, n_components=2)
    draws = [one.errors(50, method="laplace").draws for one in (once, counted)]
    assert_allclose(draws[0].means, draws[1].means, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("method", ["laplace", "bootstrap"])
def test_errors_do_not_depend_on_the_unit_of_weights_that_are_no_counts(catalogue, method):
    weights = np.random.default_rng(0).uniform(0.2, 0.9, 600)
    fit = {"n_components": 1, "init": "kmeans"}
    one, small = (
        gmmx.fit_samples(catalogue, weights=w, **fit).errors(30, method=method)
        for w in (weights, weights / weights.sum())
    )
    assert_allclose(small.draws.means, one.draws.means, atol=2e-3)
    assert_allclose(small.draws.fluxes * weights.sum(), one.draws.fluxes, rtol=2e-3)


def test_rows_that_stand_for_more_than_themselves_have_the_errors_of_their_number(catalogue):
    # Half of the rows have ten times the weight of the others.
    weights = np.where(np.arange(600) % 2, 0.25, 2.5)
    result = gmmx.fit_samples(catalogue, weights=weights, n_components=1, init="kmeans")
    laplace = result.errors(200, method="laplace").draws
    refits = result.errors(80, method="bootstrap").draws
    effective = weights.sum() ** 2 / (weights**2).sum()
    sigma = np.sqrt(result.mixture.covariances[0, 0, 0])
    for draws in (laplace, refits):
        assert draws.means[:, 0, 0].std() == pytest.approx(sigma / np.sqrt(effective), rel=0.25)
        assert draws.fluxes[:, 0].std() == pytest.approx(np.sqrt((weights**2).sum()), rel=0.25)


def test_heavy_tails_widen_the_errors_as_refits_do():
    # Of Student's t with 5 degrees of freedom the variance scatters by 2 more: kurtosis 9.
    x = np.random.default_rng(2).standard_t(5, 4000)
    result = gmmx.fit_samples(x, n_components=1)
    kurtosis = ((x - x.mean()) ** 4).mean() / x.var() ** 2
    expected = x.var() * np.sqrt((kurtosis - 1) / 4000)
    errors = errors_of(result.errors(400, method="laplace"))
    assert errors.covariances[0, 0, 0] == pytest.approx(expected, rel=0.15)


def test_some_of_many_samples_give_the_errors_of_all(catalogue, monkeypatch):
    result = gmmx.fit_samples(catalogue, n_components=2, init="kmeans")
    every = errors_of(result.errors(400, method="laplace"))
    monkeypatch.setattr(redraw, "_MOST_SCORES", 300 * 12)
    some = errors_of(result.errors(400, method="laplace"))
    assert_allclose(some.means, every.means, rtol=0.2)
    assert_allclose(some.fluxes, every.fluxes, rtol=0.2)


@pytest.mark.parametrize(
    ("method", "says"),
    [
        ("scan", "its wings are those of emission on the sky: give laplace, bootstrap or auto"),
        ("jackknife", "choose auto, laplace, bootstrap or scan"),
    ],
)
def test_methods_that_are_none_for_samples_are_refused(catalogue, method, says):
    result = gmmx.fit_samples(catalogue, n_components=1, init="kmeans")
    with pytest.raises(InputError, match=says):
        result.errors(method=method)


def test_a_matrix_that_would_fill_the_memory_is_refused(catalogue):
    result = gmmx.fit_samples(catalogue, n_components=1, init="kmeans")
    many = MOST_COORDINATES // 6 + 1
    large = replace(
        result,
        mixture=result.mixture.select(np.zeros(many, int)),
        observed_fraction=np.ones(many),
    )
    assert chosen_method(large) == "bootstrap"
    with pytest.raises(InputError, match=r"of 3,504 parameters is too large .* give bootstrap"):
        large.errors(method="laplace")


@pytest.fixture(scope="module")
def model(tmp_path_factory, catalogue):
    """A catalogue and its model without draws."""
    folder = tmp_path_factory.mktemp("catalogue")
    lines = "\n".join(f"{a},{b}" for a, b in catalogue)
    (folder / "stars.csv").write_text(f"a,b\n{lines}\n")
    done = run("fit", folder / "stars.csv", "--columns", "a,b", "--k", 2, "--starts", 1)
    assert done.exit_code == 0, done.output
    return folder / "stars.model.h5"


def content_of(path):
    """All attributes and datasets of a model file but its draws."""
    found = {}

    def note(name, node):
        if not name.startswith("draws"):
            found.update({f"{name}@{key}": str(value) for key, value in node.attrs.items()})
            if isinstance(node, h5py.Dataset):
                found[name] = node[()].tobytes()

    with h5py.File(path) as file:
        note("", file)
        file.visititems(note)
    return found


def test_errors_keeps_all_else_in_the_model(model, tmp_path):
    before = content_of(model)
    assert "stars.csv" in before["@command"]
    done = run("errors", model, "--draws", 20, "--out", tmp_path / "drawn.h5")
    assert done.exit_code == 0, done.output
    assert content_of(tmp_path / "drawn.h5") == before
    again = run("errors", tmp_path / "drawn.h5", "--draws", 30, "--method", "bootstrap")
    assert again.exit_code == 0, again.output
    assert content_of(tmp_path / "drawn.h5") == before
    assert repr(read_any(tmp_path / "drawn.h5").draws).startswith("Draws: 30 parameter sets of 2")


@pytest.mark.parametrize("method", ["laplace", "bootstrap"])
def test_a_failure_in_the_middle_leaves_the_model_as_it_was(model, monkeypatch, method):
    before = model.read_bytes()

    def fail(*_):
        raise InputError("no more electricity")

    monkeypatch.setitem(sample_errors.MAKERS, method, fail)
    done = run("errors", model, "--method", method)
    assert done.exit_code == 1
    assert "stars.model.h5: no more electricity" in done.stderr
    assert model.read_bytes() == before
    assert [path.name for path in model.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("change", ["replaced", "removed"])
def test_draws_are_not_written_to_another_fit(catalogue, tmp_path, change):
    path = tmp_path / "m.h5"
    result = gmmx.fit_samples(catalogue, n_components=1, init="kmeans").errors(5)
    result.write(path)
    if change == "replaced":
        gmmx.fit_samples(catalogue[:300], n_components=1).write(path, overwrite=True)
    else:
        path.unlink()
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(DataError, match="the fit was replaced or removed while its draws"):
        write_draws(path, path, result, overwrite=True)
    assert (path.read_bytes() if path.exists() else None) == before


def test_errors_does_not_replace_the_catalogue(catalogue, tmp_path):
    table = tmp_path / "stars.h5"
    table.write_text("a table")
    result = gmmx.fit_samples(catalogue, n_components=1, init="kmeans")
    replace(result, options={**result.options, "events": [str(table)]}).write(tmp_path / "m.h5")
    done = run("errors", tmp_path / "m.h5", "--out", table, "--overwrite")
    assert (done.exit_code, table.read_text()) == (1, "a table")
    assert "inputs are never replaced" in done.stderr


def test_fit_draws_parameter_sets_as_errors_does(model, tmp_path):
    table = model.parent / "stars.csv"
    options = ("--columns", "a,b", "--k", 2, "--starts", 1, "--out", tmp_path / "f.h5")
    done = run("fit", table, *options, "--draws", 25)
    assert done.exit_code == 0, done.output
    run("errors", model, "--draws", 25, "--out", tmp_path / "e.h5")
    fitted, drawn = (read_any(tmp_path / name).draws for name in ("f.h5", "e.h5"))
    assert_array_equal(fitted.means, drawn.means)
