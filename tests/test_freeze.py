"""What is fixed stays to the bit, whatever the fit does about it."""

import hashlib
import json
import warnings

import numpy as np
import pytest
from astropy.table import Table
from click.testing import CliRunner
from handmade import make_mixture, make_observation, make_result
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from simulated import drawn, field, mixture_of, random_mixture, random_observation

from gmmx.answers.components import component_table
from gmmx.cli.main import main
from gmmx.em.ascent import Chart, ascend
from gmmx.em.information import Information
from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.errors import DataError, GmmxWarning, InputError
from gmmx.fitting.driver import fit
from gmmx.io.models import read_model, write_model
from gmmx.io.tables import read_table, write_table
from gmmx.model.background import Background
from gmmx.model.mixture import Fixed
from gmmx.plane.frame import SkyFrame
from gmmx.reading.fixed_components import fixed_from_table
from gmmx.show.page import summary

PRIORS = Priors(mean_count=1.0, covariance_count=3.0, min_sigma=0.5)
NAMES = ("fluxes", "means", "covariances")


def case(seed, k=4):
    """Prepared photons, parameters of which random things are fixed, and their phase."""
    rng = np.random.default_rng(seed)
    prepared = PhotonLikelihood.of([random_observation(seed, m=2, backgrounds=(Background(),))])
    fixed = Fixed(**{name: rng.random(k) < 0.4 for name in NAMES})
    parameters = Parameters(
        mixture=random_mixture(rng, k), amplitudes=(np.array([0.05]),), fixed=fixed
    )
    return prepared, parameters, prepared.begin_phase(parameters, PRIORS)


def assert_kept(before, after, fixed):
    for name in NAMES:
        assert_array_equal(
            getattr(after, name)[getattr(fixed, name)], getattr(before, name)[getattr(fixed, name)]
        )


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32 - 1))
def test_iterations_keep_what_is_frozen_and_never_fall(seed):
    prepared, parameters, phase = case(seed)
    now = evaluate(prepared, parameters, phase)
    for _ in range(8):
        after = evaluate(prepared, now.successor, phase)
        assert after.objective >= now.objective - 1e-9 * abs(now.objective)
        now = after
        assert_kept(parameters.mixture, now.parameters.mixture, parameters.fixed)
    for name in NAMES:
        free = ~getattr(parameters.fixed, name)
        if free.any():
            assert np.any(
                getattr(now.parameters.mixture, name)[free]
                != getattr(parameters.mixture, name)[free]
            )


@pytest.mark.parametrize("seed", range(5))
def test_the_ascent_keeps_what_is_frozen_and_passes_plain_iterations(seed):
    prepared, parameters, phase = case(seed)

    def value(q):
        return evaluate(prepared, q, phase)

    objectives, spent = [], 0
    for step in ascend(value, lambda q: True, parameters, Chart.at(prepared, parameters, phase)):
        objectives.append(step.evaluation.objective)
        assert_kept(parameters.mixture, step.evaluation.parameters.mixture, parameters.fixed)
        assert step.evaluation.parameters.fixed is parameters.fixed
        spent += step.evaluations
        if spent >= 60:
            break
    assert np.all(np.diff(objectives) >= 0)
    plain = value(parameters)
    for _ in range(30):
        plain = value(plain.successor)
    assert objectives[-1] > plain.objective - 1e-3


def test_the_slope_is_that_of_what_is_free():
    prepared, parameters, phase = case(3)
    chart = Chart.at(prepared, parameters, phase)
    z, slope = chart.to_vector(parameters), chart.gradient(evaluate(prepared, parameters, phase))
    fixed = parameters.fixed
    held = np.concatenate(
        [fixed.fluxes, np.repeat(fixed.means, 2), np.repeat(fixed.covariances, 3), [False]]
    )
    assert 0 < held.sum() < len(held) - 5
    assert_array_equal(slope[held], 0)
    numeric = np.zeros_like(z)
    for i, step in enumerate(1e-4 * np.eye(len(z))):
        up, down = (
            evaluate(prepared, chart.to_parameters(z + s * step), phase).objective for s in (1, -1)
        )
        numeric[i] = (up - down) / 2e-4
    assert_array_equal(numeric[held], 0)
    assert_allclose(slope, numeric, rtol=1e-4, atol=1e-4 * np.abs(slope).max())
    assert np.all(slope[~held] != 0)


def test_frozen_goes_with_its_components():
    fixed = Fixed(
        fluxes=[True, False, False], means=[False, True, False], covariances=[False, False, False]
    )
    parameters = Parameters(
        mixture=random_mixture(np.random.default_rng(0), 3), amplitudes=(), fixed=fixed
    )
    assert_array_equal(parameters.any_fixed, [True, True, False])
    assert_array_equal(parameters.select([2, 0]).any_fixed, [False, True])
    assert_array_equal(
        parameters.joined(parameters.mixture).any_fixed, [True, True, False, False, False, False]
    )
    with pytest.raises(InputError, match="has 2 components, but the mixture has 3"):
        Parameters(mixture=parameters.mixture, amplitudes=(), fixed=Fixed.none(2))
    with pytest.raises(InputError, match="one boolean for each component"):
        Fixed(fluxes=[True], means=[True, False], covariances=[True])


def test_error_bars_know_no_doubt_of_what_is_frozen():
    prepared, parameters, _ = case(5)
    k = len(parameters.mixture)
    fixed = Fixed(fluxes=np.ones(k), means=np.ones(k), covariances=np.ones(k))
    free = Parameters(mixture=parameters.mixture, amplitudes=parameters.amplitudes)
    phase = prepared.begin_phase(free, PRIORS)
    doubtful, sure = (
        Information.at(prepared, p, phase)
        for p in (
            free,
            Parameters(mixture=free.mixture, amplitudes=free.amplitudes, fixed=fixed),
        )
    )
    assert len(sure.free) == 1
    assert sure.uncertainty().signal < doubtful.uncertainty().signal
    assert np.all(np.isfinite(sure.uncertainty().amplitudes[0]))


# Whole fits

TRUTH = mixture_of((900, -25, -15, 4), (600, 20, 25, 6), (300, 30, -30, 3))
# Beside the truth, so that everything would move if it could.
OFF = mixture_of((700, -23, -14, 5), (20, 0, 40, 2))
ALL = Fixed(fluxes=[True, True], means=[True, True], covariances=[True, True])


def sky():
    return drawn(
        TRUTH, field(140, 2.0), np.random.default_rng(2), sky=0.03, backgrounds=(Background(),)
    )


@pytest.mark.parametrize(
    "options",
    [
        {"n_components": "auto"},
        {"n_components": 5},
        {"n_components": 5, "init": "kmeans"},
    ],
)
def test_others_grow_around_what_is_frozen(options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GmmxWarning)
        result = fit(sky(), fixed=(OFF, ALL), threads=1, max_iter=300, **options)
    held = np.flatnonzero(result.fixed.any_fixed)
    assert len(held) == 2
    for name in NAMES:
        assert_array_equal(getattr(result.mixture, name)[held], getattr(OFF, name))
    assert len(result.mixture) > 2
    if options["n_components"] == "auto":
        distance = np.hypot(*(result.mixture.means[:, None] - TRUTH.means[1:]).T).min(1)
        assert np.all(distance < 1.5)


def test_a_frozen_mean_has_its_flux_fitted():
    fixed = Fixed(fluxes=[False, False], means=[True, True], covariances=[False, True])
    result = fit(
        sky(), fixed=(mixture_of((10, -25, -15, 9), (10, 20, 25, 6)), fixed), threads=1
    )
    order = np.argsort(-result.mixture.fluxes)
    assert_array_equal(result.mixture.means[order[:2]], TRUTH.means[:2])
    assert_allclose(result.mixture.fluxes[order[:3]], TRUTH.fluxes, rtol=0.2)
    assert_array_equal(result.mixture.covariances[order[1]], 36 * np.eye(2))
    assert_allclose(result.mixture.covariances[order[0]], 16 * np.eye(2), atol=4)


def test_what_has_no_photon_is_neither_dropped_nor_exchanged():
    nothing = mixture_of((0.01, 0, 50, 1), (0.3, 50, 0, 1))
    result = fit(
        sky(),
        fixed=(nothing, Fixed(fluxes=[True, False], means=[True, True], covariances=[True, False])),
        threads=1,
    )
    for mean in nothing.means:
        assert np.any(np.all(result.mixture.means == mean, axis=1))


def test_without_a_background_one_component_carries_the_rest():
    observation = drawn(TRUTH, field(140, 2.0), np.random.default_rng(2))
    result = fit(
        observation, n_components=4, fixed=(OFF.select([0]), ALL.select([0])), threads=1
    )
    assert len(result.mixture) == 4
    assert result.mixture.fluxes.sum() == pytest.approx(TRUTH.fluxes.sum(), rel=0.1)


def test_more_frozen_components_than_asked_for_are_an_error():
    with pytest.raises(InputError, match="`n_components` = 1, but the fit starts from 2 components"):
        fit(sky(), n_components=1, fixed=(OFF, ALL))


# Tables and models


def frozen_result():
    fixed = Fixed(
        fluxes=[True, False, False], means=[True, True, False], covariances=[False, False, False]
    )
    return make_result([make_observation()], make_mixture(3), fixed=fixed)


def test_tables_and_models_remember_what_was_held(tmp_path):
    result = frozen_result()
    write_model(tmp_path / "m.h5", result)
    again = read_model(tmp_path / "m.h5").fixed
    for name in NAMES:
        assert_array_equal(getattr(again, name), getattr(result.fixed, name))
    for name in ("t.ecsv", "t.fits"):
        write_table(tmp_path / name, component_table(result))
        table = read_table(tmp_path / name)
        mixture, fixed = fixed_from_table(
            table, result.frame, 2 * result.reference_exposure, "cm**2 s"
        )
        for field_name in NAMES:
            assert_array_equal(getattr(fixed, field_name), getattr(result.fixed, field_name))
        assert_array_equal(mixture.means, result.mixture.means)
        assert_array_equal(
            mixture.fluxes, np.asarray(table["flux"]) * (2 * result.reference_exposure)
        )
        assert_allclose(mixture.covariances, result.mixture.covariances, rtol=1e-9, atol=1e-9)
    assert component_table(result)["flags"][0].endswith("flux fixed; mean fixed")
    assert "3; 2 of them with fixed parameters" in summary(result)
    assert read_model_without_frozen(tmp_path) is None


def read_model_without_frozen(folder):
    write_model(folder / "free.h5", make_result([make_observation()], make_mixture(3)))
    return read_model(folder / "free.h5").fixed


def test_a_table_without_columns_of_its_own_holds_everything_and_goes_through_the_sky():
    result = make_result([make_observation()], make_mixture(3))
    other = SkyFrame(202.3, 47.3)
    mixture, fixed = fixed_from_table(component_table(result), other, 1.0, "s")
    assert np.all([fixed.fluxes, fixed.means, fixed.covariances])
    assert_array_equal(mixture.fluxes, result.mixture.fluxes)
    assert_allclose(
        other.to_sky(*mixture.means.T), result.frame.to_sky(*result.mixture.means.T), rtol=1e-12
    )
    table = component_table(result)
    table["ra"][1] += 5 / 3600
    moved, _ = fixed_from_table(table, result.frame, 1.0, "s")
    assert_array_equal(moved.means[[0, 2]], result.mixture.means[[0, 2]])
    assert moved.means[1, 0] == pytest.approx(
        result.mixture.means[1, 0] - 5 * np.cos(np.radians(table["dec"][1])), abs=1e-3
    )


def marked(**columns):
    table = component_table(make_result([make_observation()], make_mixture(2)))
    for name, values in columns.items():
        table[name] = values
    return table


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (marked(fixed_mean=[False, False]), "fixed_mean is false in every row"),
        (marked(fixed_mean=[False, False], fixed_flux=[False, False]), "are false in every row"),
        (
            marked(fixed_position=[True, False]),
            "column fixed_position: what can be fixed is fixed_flux, fixed_mean, fixed_covariance",
        ),
        (marked(fixed_mean=["yes", "no"]), "must be true or false"),
        (marked()[:0], "has no row"),
        (marked(sigma_minor=[0.0, 1.0]), "a sigma_minor above 0"),
        (marked(sigma_major=[1.0, np.nan]), "needs a sigma_major"),
        (marked(ra=[np.nan, 202.47]), "not finite"),
        (marked(flux=[np.nan, 1.0], photons=[np.nan, 1.0]), "not finite"),
        (
            Table({"ra": [1.0], "dec": [2.0], "photons": [3.0]}),
            "there is no sigma_major, sigma_minor, position_angle",
        ),
    ],
)
def test_tables_that_say_nothing_useful_are_refused(table, words):
    with pytest.raises(InputError, match=words):
        fixed_from_table(table, SkyFrame(202.47, 47.195), 1e7, "cm**2 s")


@pytest.mark.parametrize("content", [None, "", "no table", "# %ECSV 1.0\n# ---\n# datatype: [\n"])
def test_files_that_are_no_tables_are_refused(tmp_path, content):
    path = tmp_path / "t.ecsv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(DataError, match=r"t\.ecsv: (no such file|not a table)"):
        read_table(path)


# The command line


@pytest.fixture(scope="module")
def first(samples, tmp_path_factory):
    """A quick model of the sample, its table, and the arguments that made it."""
    folder = tmp_path_factory.mktemp("freeze")
    arguments = [
        str(samples / "events.fits.gz"),
        "--exposure",
        str(samples / "expmap.fits.gz"),
        "--psf",
        str(samples / "psfmap.fits.gz"),
    ]
    arguments += [
        "--mask",
        str(samples / "sources.reg"),
        "--ccd",
        "0-3",
        "--energy",
        "0.5:2",
        "--bin",
        "4",
        "--exchanges",
        "0",
        "--max-iter",
        "300",
    ]
    run("fit", *arguments, "--k", 3, "--out", folder / "first.h5")
    run("export", folder / "first.h5", "--out", folder / "first.ecsv")
    return folder, arguments


def run(*arguments, code=0):
    result = CliRunner().invoke(main, [str(a) for a in (*arguments, "-q")])
    assert result.exit_code == code, result.output
    if code:
        assert len(result.stderr.splitlines()) == 1, result.stderr
    return result


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_freezing_from_the_command_line(first, tmp_path):
    folder, arguments = first
    table = read_table(folder / "first.ecsv")
    table["fixed_mean"] = [True, False, False]
    table["fixed_flux"] = [True, True, False]
    write_table(tmp_path / "marked.ecsv", table)
    run(
        "fit",
        *arguments,
        "--k",
        4,
        "--fix",
        tmp_path / "marked.ecsv",
        "--out",
        tmp_path / "second.h5",
    )
    before, after = read_model(folder / "first.h5"), read_model(tmp_path / "second.h5")
    assert len(after.mixture) == 4
    assert after.options["fix"] == str(tmp_path / "marked.ecsv")
    one = np.flatnonzero(after.fixed.means)
    assert_array_equal(after.mixture.means[one[0]], before.mixture.means[0])
    assert_allclose(after.mixture.fluxes[one[0]], before.mixture.fluxes[0], rtol=1e-14)
    assert after.fixed.fluxes.sum() == 2
    # The files that the fit started from are among the inputs, with what they held.
    told = {record["role"]: record for record in after.observations[0].metadata["inputs"]}
    assert list(told) == ["events", "exposure", "psf", "mask", "fix"]
    assert told["fix"] == {
        "role": "fix",
        "path": str(tmp_path / "marked.ecsv"),
        "sha256": digest(tmp_path / "marked.ecsv"),
    }
    # What a model held stays held when it is gone on from.
    run("fit", *arguments, "--init", tmp_path / "second.h5", "--out", tmp_path / "third.h5")
    third = read_model(tmp_path / "third.h5")
    assert_array_equal(
        third.mixture.means[third.fixed.means], after.mixture.means[after.fixed.means]
    )
    facts = json.loads(
        CliRunner().invoke(main, ["info", "--json", str(tmp_path / "third.h5")]).stdout
    )
    assert facts["inputs"][-1] == {
        "role": "init",
        "path": str(tmp_path / "second.h5"),
        "sha256": digest(tmp_path / "second.h5"),
    }
    assert (
        digest(tmp_path / "second.h5")
        in CliRunner().invoke(main, ["info", "-v", str(tmp_path / "third.h5")]).stdout
    )


def test_going_on_from_the_command_line(first, tmp_path):
    folder, arguments = first
    facts = json.loads(
        run(
            "fit",
            *arguments,
            "--init",
            folder / "first.h5",
            "--out",
            tmp_path / "again.h5",
            "--json",
        ).stdout
    )
    before = read_model(folder / "first.h5")
    assert facts["k"] == facts["requested_components"] == 3
    assert abs(facts["objective"] - before.objective) < 2 * before.options["tol"]
    assert facts["iterations"] < before.iterations
    facts = json.loads(
        run(
            "fit",
            *arguments,
            "--init",
            folder / "first.h5",
            "--k",
            5,
            "--out",
            tmp_path / "more.h5",
            "--json",
        ).stdout
    )
    assert facts["k"] == 5


def test_errors_are_one_line(first, tmp_path):
    folder, arguments = first
    out = ["--out", tmp_path / "out.h5"]
    assert (
        "no such file"
        in run("fit", *arguments, "--fix", tmp_path / "none.ecsv", *out, code=1).stderr
    )
    table = read_table(folder / "first.ecsv")
    table["fixed_place"] = True
    write_table(tmp_path / "odd.ecsv", table)
    assert (
        "odd.ecsv: column fixed_place"
        in run("fit", *arguments, "--fix", tmp_path / "odd.ecsv", *out, code=1).stderr
    )
    assert (
        "at least as many"
        in run("fit", *arguments, "--k", 2, "--fix", folder / "first.ecsv", *out, code=1).stderr
    )
    assert (
        "no such file"
        in run("fit", *arguments, "--init", tmp_path / "none.h5", *out, code=1).stderr
    )
    assert (
        "a model of 3 components"
        in run("fit", *arguments, "--k", 2, "--init", folder / "first.h5", *out, code=1).stderr
    )
    both = run(
        "fit",
        *arguments,
        "--init",
        folder / "first.h5",
        "--fix",
        folder / "first.ecsv",
        *out,
        code=1,
    )
    assert "give that table with --fix alone" in both.stderr
    assert "needs a number" in run("fit", *arguments, "--init", "kmeans", *out, code=1).stderr
    assert not (tmp_path / "out.h5").exists()
