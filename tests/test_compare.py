"""Models of the same photons side by side: `gmmx compare` and `FitResult.compare`."""

import json
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable
from command_line import error_line, run
from numpy.testing import assert_allclose, assert_array_equal
from simulated import drawn, field, mixture_of

import gmmx
from gmmx.answers.compare import compare, free_parameters
from gmmx.answers.cross_validation import CrossValidation, _divided, cross_validated
from gmmx.answers.same_photons import check_same_photons, with_paired_draws
from gmmx.answers.score import held_out_score
from gmmx.config import CompareConfig
from gmmx.errors import InputError
from gmmx.model.background import Background
from gmmx.model.mixture import Fixed
from gmmx.model.photons import Photons
from gmmx.model.records import InputFile, MaskRecord
from gmmx.plane.frame import SkyFrame
from gmmx.plane.grid import PixelGrid

TRUTH = mixture_of((500, -18, 0, 4), (300, 15, 8, 4), (150, 5, -28, 5))


@pytest.fixture(scope="module")
def observation():
    """Three sources on a background."""
    given = {"sky": 0.02, "backgrounds": (Background(),)}
    found = drawn(TRUTH, field(100, 2.0), np.random.default_rng(8), **given)
    return replace(found, frame=SkyFrame(150.0, 2.0))


@pytest.fixture(scope="module")
def fitted(observation):
    """Fits with one, two and three components."""
    return [gmmx.fit(observation, n_components=k, threads=1) for k in (1, 2, 3)]


@pytest.fixture(scope="module")
def found(fitted):
    return compare(fitted, ["one", "two", "three"], threads=1)


# Cross-validation ------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [np.ones(40), np.full(40, 3.0), np.full(40, 0.5)])
def test_the_folds_hold_every_photon_once(observation, weights):
    x = np.arange(40.0)
    one = replace(observation, photons=Photons(x, x, weights=weights))
    (parts,) = _divided([one], 4, np.random.default_rng(0))
    assert_array_equal(parts.sum(0), weights)
    assert np.all(parts.sum(1) > 0)


def test_a_held_out_score_is_that_of_a_fit_without_the_fold(fitted):
    validation = cross_validated(fitted[1:2], folds=3, seed=4)
    (parts,) = _divided(fitted[1].observations, 3, np.random.default_rng(4))
    o, scores = fitted[1].observations[0], []
    for part in parts:
        seen, held = (
            replace(o, photons=o.photons.select(np.flatnonzero(part == i))) for i in (0, 1)
        )
        refit = gmmx.fit(seen, n_components=2, start=fitted[1].mixture, threads=1)
        scores.append(held_out_score(refit, [held]).mean * held.n_photons)
    assert_allclose(validation.scores[0], sum(scores) / o.n_photons, atol=1e-3)


def test_the_error_of_a_difference_is_that_of_paired_photons():
    rng = np.random.default_rng(0)
    common, apart = 3 * rng.normal(size=1000), 0.1 + 0.2 * rng.normal(size=1000)
    both = CrossValidation(folds=2, logs=np.array([common + apart, common]), weights=np.ones(1000))
    gain, error = both.difference(0, 1)
    assert_allclose(gain, apart.sum())
    assert_allclose(error, np.std(apart, ddof=1) * np.sqrt(1000))
    assert error < 0.1 * 1000 * both.errors[0]


def test_several_photons_of_a_row_count_as_often():
    logs, weights = np.array([[1.0, 2.0, 5.0], [0.0, 0.5, 1.0]]), np.array([1, 2, 3])
    one = CrossValidation(folds=2, logs=logs, weights=weights.astype(float))
    each = CrossValidation(folds=2, logs=np.repeat(logs, weights, 1), weights=np.ones(6))
    assert_allclose(one.difference(0, 1), each.difference(0, 1))


# The comparison --------------------------------------------------------------------------------


def test_the_true_number_of_components_is_preferred(found):
    assert found.names[found.preferred] == "three"
    gains, errors = found.gains
    assert gains[0] < gains[1] < -3 * errors[1]
    assert (gains[2], errors[2]) == (0, 0)


def test_of_models_that_predict_alike_the_one_with_fewer_parameters_is_preferred(found):
    rng = np.random.default_rng(0)
    logs = found.validation.logs[2] + np.array([[-1.0], [0.0], [0.001]])
    alike = replace(found.validation, logs=logs + 0.05 * rng.normal(size=logs.shape))
    other = replace(found, validation=alike)
    assert other.names[other.preferred] == "two"
    assert "two is enough: it has 6 free parameters fewer than three." in other.verdict


def test_the_criteria_are_those_of_akaike_and_schwarz(found, fitted):
    likelihoods = [one.log_likelihood for one in fitted]
    assert_allclose(found.log_likelihoods, likelihoods)
    assert found.n_parameters.tolist() == [7, 13, 19]
    assert_allclose(found.aic, 2 * found.n_parameters - 2 * np.array(likelihoods))
    n = fitted[0].n_photons
    assert_allclose(found.bic - found.aic, found.n_parameters * (np.log(n) - 2))
    assert np.argmin(found.bic) == 2


def test_likelihoods_count_the_same_terms_if_the_exposure_maps_differ(observation, fitted):
    c = observation.completeness
    half = replace(observation, completeness=replace(c, exposure=0.5 * c.exposure))
    other = gmmx.fit(half, n_components=2, threads=1)
    both = compare([fitted[1], other], folds=2)
    assert_allclose(both.log_likelihoods[1], both.log_likelihoods[0], atol=0.5)


def test_the_verdict_names_models_with_a_gain_and_its_error(found):
    first = next(line for line in found.verdict if "one" in line)
    assert first.startswith(f"{found.names[found.best]} is preferred to one: it predicts held-out")
    assert "+-" in first
    assert "sigma" in first
    assert found.verdict[-1].startswith("BIC is lowest for three, by")
    assert repr(found).startswith("Comparison: ")


def test_equal_models_prefer_none(fitted):
    both = compare([fitted[1], fitted[1]], ["a", "b"], folds=2)
    assert both.verdict[0] == "a and b predict held-out photons equally well."
    assert both.verdict[1] == "AIC is the same for a and b."
    assert both.preferred == 0


def test_fixed_parameters_are_not_counted(fitted):
    one = fitted[1]
    fixed = Fixed(fluxes=[False, True], means=[False, True], covariances=[False, True])
    assert free_parameters(replace(one, fixed=fixed)) == 7


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_and_repetition_do_not_change_a_bit(fitted, found, threads):
    again = compare(fitted, ["one", "two", "three"], threads=threads)
    assert_array_equal(again.validation.logs, found.validation.logs)


def test_another_seed_divides_the_photons_otherwise(fitted, found):
    other = compare(fitted[:2], folds=5, seed=1)
    assert other.validation.scores[0] != found.validation.scores[0]


def test_the_progress_counts_refits(fitted):
    seen = []
    compare(fitted[:2], folds=2, callback=lambda done, total: seen.append((done, total)))
    assert seen == [(i, 4) for i in range(5)]


def test_the_table_has_units_and_the_verdict(found, fitted):
    table = found.table()
    assert table["preferred"].tolist() == [False, False, True]
    assert_allclose(table["photons"].value, [one.photons_by_place[0] for one in fitted])
    assert_allclose(table["background_error"].value, [one.background_error for one in fitted])
    assert table.meta["verdict"] == found.verdict
    assert all(
        column.info.description for column in table.columns.values() if column.info.name != "model"
    )


# Other photons ---------------------------------------------------------------------------------


def changed(observation, **changes):
    return replace(observation, pointing=replace(observation.pointing, **changes))


def make_other(case, o):
    """An observation that differs from another one as the case says."""
    mask = InputFile("mask", "sources.reg", "cd" * 32)
    file = InputFile("events", "other_evt2.fits", "ef" * 32)
    match case:
        case "band":
            return changed(o, band_kev=(2.0, 7.0))
        case "chips":
            return changed(o, chips=(5, 7))
        case "masks":
            return changed(o, inputs=(mask,), masks=(MaskRecord(file="sources.reg"),))
        case "file":
            moved = replace(o.photons, x=o.photons.x + 1)
            return changed(replace(o, photons=moved), inputs=(file,))
        case "number":
            return replace(o, photons=o.photons.select(np.arange(100)))
        case "positions":
            return replace(o, photons=replace(o.photons, y=o.photons.y[::-1]))


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("band", "b.h5: .* energies 2-7 keV instead of unknown"),
        ("chips", "chips 5,7 instead of all"),
        ("masks", "masks sources.reg instead of none"),
        ("file", r"event file other_evt2.fits \(SHA-256 efef"),
        ("number", "100 photons instead of"),
        ("positions", "positions of the photons differ"),
    ],
)
def test_models_of_other_photons_are_refused_by_name(fitted, case, words):
    other = replace(fitted[1], observations=(make_other(case, fitted[1].observations[0]),))
    with pytest.raises(InputError, match=words):
        check_same_photons([fitted[0], other], ["a.h5", "b.h5"])


def test_models_of_other_numbers_of_observations_are_refused(fitted):
    other = replace(fitted[1], observations=fitted[1].observations * 2)
    with pytest.raises(InputError, match="2 observations instead of 1"):
        compare([fitted[0], other])


def test_one_model_is_not_compared(fitted):
    with pytest.raises(InputError, match="give at least two"):
        compare(fitted[:1])


# The map ---------------------------------------------------------------------------------------


def test_paired_draws_have_the_spread_of_the_information_matrix(fitted):
    one, _ = with_paired_draws(fitted[1:], 2000)
    assert_allclose(one.draws.fluxes.std(0), one.flux_errors, rtol=0.1)
    assert_allclose(one.draws.means.std(0), one.mean_errors, rtol=0.1)
    assert_allclose(one.draws.amplitudes.std(0)[0], one.backgrounds[0].amplitude_error, rtol=0.1)


def test_paired_draws_follow_the_same_photons(fitted):
    # What a refit to photons with other weights changes, the draws of both models change alike.
    totals = [model.draws.fluxes.sum(1) for model in with_paired_draws(fitted[1:], 500)]
    assert np.corrcoef(*totals)[0, 1] > 0.8
    alone = [
        model.errors(500, method="laplace", seed=i).draws for i, model in enumerate(fitted[1:])
    ]
    assert abs(np.corrcoef(*(draws.fluxes.sum(1) for draws in alone))[0, 1]) < 0.2


@pytest.mark.slow
def test_the_error_of_a_difference_is_that_of_a_bootstrap(fitted):
    grid = PixelGrid.covering((-40, 40), (-40, 40), 8.0)
    linear = compare(fitted[1:], folds=2).difference(grid=grid)
    refitted = [one.errors(150, method="bootstrap", seed=3) for one in fitted[1:]]
    from gmmx.answers.difference import difference

    expected = difference(*refitted, grid)
    bright = expected.first > 0.05 * expected.first.max()
    ratio = linear.error[bright] / expected.error[bright]
    assert 0.6 < np.median(ratio) < 1.4


def test_the_maps_are_a_difference_its_error_and_their_ratio(found):
    grid = PixelGrid.covering((-50, 50), (-50, 50), 5.0)
    images = found.images(grid)
    names = [
        f"{name}{end}" for end in ("", "3") for name in ("SIGNIFICANCE", "DIFFERENCE", "ERROR")
    ]
    assert list(images) == names
    shown = images["SIGNIFICANCE"].values != 0
    expected = images["SIGNIFICANCE"].values * images["ERROR"].values
    assert_allclose(images["DIFFERENCE"].values[shown], expected[shown])
    # One component cannot describe two sources.
    assert np.nanmax(np.abs(images["SIGNIFICANCE"].values)) > 5
    assert np.nanmax(np.abs(images["SIGNIFICANCE3"].values)) > 5


# The command -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def models(fitted, tmp_path_factory):
    """Model files of two components and of three."""
    folder = tmp_path_factory.mktemp("compare")
    paths = [folder / f"{name}.h5" for name in ("two", "three")]
    for path, one in zip(paths, fitted[1:], strict=True):
        one.write(path)
    return paths


def test_the_command_prints_models_in_columns_and_the_verdict(models):
    done = run("compare", *models, "--folds", "2", "--threads", "1")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["two.h5", "three.h5"]
    assert any(line.split()[:3] == ["free", "parameters", "13"] for line in lines)
    assert "background [detected photons]" in done.stdout
    assert "two.h5" in lines[-1]


def test_python_and_the_command_have_the_same_numbers_to_the_last_digit(models):
    done = run("compare", *models, "--folds", "3", "--json")
    facts = json.loads(done.stdout)
    first, second = (gmmx.read(path) for path in models)
    table = first.compare(second, names=[str(path) for path in models], folds=3).table()
    for name in table.colnames:
        found = [row[name] for row in facts["models"]]
        assert found == np.asarray(table[name]).tolist(), name
    assert facts["verdict"] == table.meta["verdict"]


def test_the_table_and_the_maps_are_written(models, tmp_path):
    table, maps = tmp_path / "c.ecsv", tmp_path / "c.fits"
    outs = ("--out", table, "--out", maps)
    done = run("compare", *models, "--folds", "2", "--bin", "5", *outs)
    assert done.exit_code == 0, done.stderr
    assert QTable.read(table)["free_parameters"].tolist() == [13, 19]
    with fits.open(maps) as hdus:
        assert [hdu.name for hdu in hdus] == ["SIGNIFICANCE", "DIFFERENCE", "ERROR"]
        assert hdus[1].header["BUNIT"] == "photon/arcsec**2"
        assert hdus[0].header["CTYPE1"] == "RA---TAN"
        assert any("paired draws" in text for text in hdus[0].header["COMMENT"])


def test_a_single_model_is_refused_by_the_command(models):
    assert "give at least two" in error_line(run("compare", models[0]))


def test_models_of_other_photons_are_refused_by_the_command(models, fitted, tmp_path):
    other = tmp_path / "other.h5"
    replace(fitted[0], observations=(make_other("number", fitted[0].observations[0]),)).write(other)
    line = error_line(run("compare", models[0], other, "--out", tmp_path / "c.fits"))
    assert line.startswith(f"{other}: it was not fitted to the photons of {models[0]}")
    assert not (tmp_path / "c.fits").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [({"folds": 1}, "`folds`"), ({"bin": -2.0}, "`bin`"), ({"seed": -1}, "seed")],
)
def test_options_that_cannot_be_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        CompareConfig(**options)
