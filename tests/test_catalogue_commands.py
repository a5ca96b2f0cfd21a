"""The commands on a catalogue: fit, info, export, score, assign, sample, condition, denoise."""

import json

import numpy as np
import pytest
from astropy.table import Table
from command_line import run

from gmmx.io.models import read_any


def make_stars(path):
    """Write a catalogue of two groups of stars with errors and one empty value."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(0, 1, (60, 2)), rng.normal(9, 1, (40, 2))])
    x += rng.normal(0, 0.3, x.shape)
    x[3, 1] = np.nan
    Table({"a": x[:, 0], "b": x[:, 1], "e": np.full(100, 0.3)}).write(path)
    return path


@pytest.fixture(scope="module")
def stars(tmp_path_factory):
    """A folder with the catalogue and the model of it."""
    folder = tmp_path_factory.mktemp("stars")
    catalogue = make_stars(folder / "stars.fits")
    done = run("fit", catalogue, "--columns", "a,b", "--errors", "e,e", "--k", 2, "--starts", 1)
    assert done.exit_code == 0, done.output
    return folder


def test_the_model_stands_beside_the_catalogue(stars):
    result = read_any(stars / "stars.model.h5")
    assert len(result.mixture) == 2
    assert result.mixture.means[:, 0] == pytest.approx([0.0, 9.0], abs=0.5)
    assert result.options["columns"] == ["a", "b"]


def test_info_prints_a_page(stars):
    text = run("info", stars / "stars.model.h5").stdout
    assert "columns             a, b" in text
    assert "errors              a standard deviation for each value" in text
    assert "missing             1 value (0.5 %)" in text


def test_info_prints_json(stars):
    facts = json.loads(run("info", stars / "stars.model.h5", "--json").stdout)
    assert (facts["kind"], facts["k"], facts["samples"]) == ("samples", 2, 100)


def test_info_gives_the_moments_of_the_mixture(stars):
    model = stars / "stars.model.h5"
    mean, covariance = read_any(model).expectation()
    facts = json.loads(run("info", model, "--json").stdout)
    assert (facts["mean"], facts["covariance"]) == (mean.tolist(), covariance.tolist())
    correlation = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    rows = [line.split() for line in run("info", model, "-v").stdout.splitlines()]
    assert ["b", f"{mean[1]:.4g}", f"{covariance[1, 1] ** 0.5:.4g}", f"{correlation:.3f}"] in rows


def test_export_writes_the_components(stars, tmp_path):
    run("export", stars / "stars.model.h5", "--out", tmp_path / "c.ecsv")
    table = Table.read(tmp_path / "c.ecsv")
    assert table["samples"].sum() == pytest.approx(100, abs=1e-6)
    assert table.colnames[-1] == "corr_a_b"


def test_score_of_the_fitted_catalogue_is_its_log_likelihood(stars):
    model = stars / "stars.model.h5"
    facts = json.loads(run("score", model, stars / "stars.fits", "--json").stdout)
    assert facts["score"] * 100 == pytest.approx(read_any(model).log_likelihood, abs=1e-6)


def test_assign_adds_columns_to_all_rows(stars, tmp_path):
    run("assign", stars / "stars.model.h5", "--label", "best", "--out", tmp_path / "a.fits")
    table = Table.read(tmp_path / "a.fits")
    added = ["COMPONENT", "P_COMPONENT", "P_BKG", "LOG_DENSITY", "LABEL"]
    assert table.colnames == ["a", "b", "e", *added]
    assert table.meta["ASGMODEL"] == "stars.model.h5"
    fitted = read_any(stars / "stars.model.h5")
    assert table["LOG_DENSITY"].sum() == pytest.approx(fitted.log_likelihood)
    assert table["COMPONENT"].tolist() == [0] * 60 + [1] * 40


def test_sample_draws_rows(stars, tmp_path):
    run("sample", stars / "stars.model.h5", "--n", 500, "--out", tmp_path / "s.csv")
    table = Table.read(tmp_path / "s.csv")
    assert table.colnames == ["a", "b"]
    assert np.mean(table["a"] > 4.5) == pytest.approx(0.4, abs=0.1)


def test_condition_gives_the_mixture_of_the_other_columns(stars):
    command = ("condition", stars / "stars.model.h5", "--given", "a=9", "--json")
    rows = json.loads(run(*command).stdout)["rows"]
    assert rows[1]["fraction"] > 0.999
    assert rows[1]["mean_b"] == pytest.approx(9, abs=0.6)


def test_condition_gives_marginal_mixtures(stars):
    table = run("condition", stars / "stars.model.h5", "--columns", "b", "--json")
    rows = json.loads(table.stdout)["rows"]
    assert set(rows[0]) == {"component", "fraction", "mean_b", "sigma_b"}
    assert [row["fraction"] for row in rows] == pytest.approx([0.6, 0.4], abs=1e-3)


def test_denoise_shrinks_the_errors(stars, tmp_path):
    run("denoise", stars / "stars.model.h5", "--out", tmp_path / "d.ecsv")
    table = Table.read(tmp_path / "d.ecsv")
    assert table["a_err"].max() < 0.31
    # A value that was missing is known as well as its component says.
    assert table["b_err"][3] == pytest.approx(1.0, abs=0.25)


def test_denoise_keeps_the_rows_of_a_catalogue(stars, tmp_path):
    table = Table.read(stars / "stars.fits")
    table["a"][5] = table["b"][5] = np.nan
    table.write(tmp_path / "gap.fits")
    out = tmp_path / "d.ecsv"
    done = run("denoise", stars / "stars.model.h5", tmp_path / "gap.fits", "--out", out)
    assert done.exit_code == 0, done.output
    found = Table.read(out)
    assert len(found) == 100
    assert np.flatnonzero(np.isnan(found["a"])).tolist() == [5]
    assert found["a"][6] == pytest.approx(table["a"][6], abs=0.5)


def test_errors_adds_draws_which_the_table_and_the_page_show(stars, tmp_path):
    model = tmp_path / "drawn.h5"
    run("errors", stars / "stars.model.h5", "--draws", 40, "--out", model)
    assert len(read_any(model).draws) == 40
    run("export", model, "--out", tmp_path / "c.ecsv")
    table = Table.read(tmp_path / "c.ecsv")
    # The mean of 60 samples with a spread of 1 and errors of 0.3.
    assert table["mean_a_err"][0] == pytest.approx(1.05 / np.sqrt(60), rel=0.4)
    assert table["samples_err"][0] == pytest.approx(np.sqrt(60), rel=0.4)
    assert " +- " in run("info", model).stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("fit", "stars.fits", "--columns", "a,c"), "it has no column c"),
        (("fit", "stars.fits", "--columns", "a,b", "--psf", "2"), "--psf applies to photons"),
        (("fit", "stars.fits", "--criterion", "aic"), "--criterion applies to catalogues"),
        (("fit", "stars.fits", "stars.fits", "--columns", "a"), "one catalogue or picture"),
        (("fit", "stars.fits", "--columns", "a,b", "--errors", "e"), "--errors names 1 column"),
        (("flux", "stars.model.h5", "--circle", "1,2,3"), "a model of samples, which gmmx flux"),
        (("condition", "stars.model.h5", "--given", "aa=1"), "there is no column aa: did you mean"),
        (("condition", "stars.model.h5", "--given", "a=x"), "--given a=x: write NAME=VALUE"),
        (("condition", "stars.model.h5", "--given", "a=nan"), "a = nan: a value that is not"),
        (("condition", "stars.model.h5", "--given", "a=1,b=2"), "--given has all columns"),
        (("condition", "stars.model.h5", "--given", "a=1", "--columns", "a"), "a is given, and"),
        (("condition", "stars.model.h5", "--columns", "c"), "no column c: choose from a, b"),
        (("condition", "stars.model.h5", "--columns", "a,a"), "--columns repeats a column"),
        (("export", "stars.model.h5", "--out", "x.reg"), "the components of samples are not"),
        (
            ("export", "stars.model.h5", "--correlations", "--out", "x.fits"),
            "--correlations applies to models of photons",
        ),
        (("errors", "stars.model.h5", "--method", "scan"), "its wings are those of emission"),
        (("condition", "stars.model.h5"), "give the known values with --given"),
        (("denoise", "stars.model.h5", "stars.fit", "--out", "d.csv"), "stars.fit: no such file"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(stars, monkeypatch, words, message):
    monkeypatch.chdir(stars)
    done = run(*words, "--out", "none.h5") if words[0] == "fit" else run(*words)
    assert done.exit_code == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
