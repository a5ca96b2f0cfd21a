"""The command line: what it passes on, what it prints where, and how it ends."""

import json
import math
import os
import signal
import subprocess
import sys
import warnings
from dataclasses import asdict, fields
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

import gmmx
from gmmx.cli.main import TABLES, main
from gmmx.commands import pipeline
from gmmx.config import FitConfig
from gmmx.errors import DataError, DataWarning, InputError
from gmmx.io.models import read_model
from gmmx.reading.joint import per_observation


def invoke(*arguments, stdin=None):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def asked(monkeypatch):
    """What `gmmx fit` asks of the pipeline, which then does no more than `asked.behave()`."""
    asked = SimpleNamespace(calls=[], converged=True, behave=lambda: None)

    def fit(events, out, config, **rest):
        asked.calls.append(SimpleNamespace(events=events, out=out, config=config, **rest))
        asked.behave()
        return Path("model.h5"), SimpleNamespace(converged=asked.converged)

    monkeypatch.setattr(pipeline, "fit", fit)
    monkeypatch.setattr("gmmx.show.page.summary", lambda result, verbose=False: "a summary")
    monkeypatch.setattr("gmmx.show.facts.summary_dict", lambda result, **extra: {**extra, "k": 1})
    return asked


def test_defaults_are_those_of_the_dataclass(asked):
    result = invoke("fit", "events.fits")
    assert result.exit_code == 0
    assert result.stdout == "a summary\n\nmodel: model.h5\n"
    assert result.stderr == ""
    call = asked.calls[0]
    assert (call.events, call.out, call.config, call.overwrite) == (
        ["events.fits"],
        None,
        FitConfig(),
        False,
    )
    assert call.command == "gmmx fit events.fits"


@pytest.mark.parametrize("command", TABLES)
def test_every_option_of_a_dataclass_is_on_the_command_line(command):
    options = {option.name: option for option in main.commands[command].params}
    for field in fields(TABLES[command]):
        assert options[field.name].default == field.default, field.name
        assert options[field.name].multiple == isinstance(field.default, tuple), field.name


def test_options_reach_the_dataclass(asked):
    line = "fit a.fits b.fits --k 7 --mask a.reg --mask b.reg --region c.reg --exposure x --exposure y --psf 0.5 --psf-ecf 0.9 --energy 0.5:2 --ccd 0-3"
    line += " --background sky=2e-9 --min-sigma 0.2 --grid 2 --bin 3 --init kmeans --seed 4 --max-iter 5 --tol 0.6 --prior-mean-count 2 --prior-covariance-count 4"
    line += " --psf-extra-sigma 0.2 --background-region d.reg --sources s.reg --source-positions fixed --exchanges 1 --threads 1 --fix f.ecsv"
    line += " --out m.h5 --overwrite"
    assert invoke(*line.split()).exit_code == 0
    call = asked.calls[0]
    assert (call.events, call.out, call.overwrite) == (["a.fits", "b.fits"], "m.h5", True)
    assert asdict(call.config) == {
        "n_components": 7,
        "mask": ("a.reg", "b.reg"),
        "region": ("c.reg",),
        "sources": ("s.reg",),
        "source_positions": "fixed",
        "exposure": ("x", "y"),
        "psf": ("0.5",),
        "psf_ecf": 0.9,
        "psf_extra_sigma": 0.2,
        "energy_kev": (0.5, 2.0),
        "ccd": (0, 1, 2, 3),
        "background": ("sky=2e-9",),
        "background_region": ("d.reg",),
        "min_sigma": 0.2,
        "grid": 2.0,
        "bin": 3.0,
        "init": "kmeans",
        "fix": "f.ecsv",
        "seed": 4,
        "max_iter": 5,
        "tol": 0.6,
        "prior_mean_count": 2.0,
        "prior_covariance_count": 4.0,
        "exchanges": 1,
        "threads": 1,
    }


def test_json_is_one_object_on_stdout(asked):
    result = invoke("fit", "events.fits", "--json", "-q")
    assert json.loads(result.stdout) == {"model": "model.h5", "k": 1}
    assert result.stdout.count("\n") == 1
    assert result.stderr == ""


def test_a_dash_reads_files_from_stdin(asked):
    assert invoke("fit", "-q", "-", stdin="a.fits\n\n b.fits \n").exit_code == 0
    assert asked.calls[0].events == ["a.fits", "b.fits"]
    result = invoke("fit", "-q", "-", stdin="\n")
    assert result.exit_code == 1
    assert "no file names on standard input" in result.stderr


# TOML


def write(folder, text):
    path = folder / "options.toml"
    path.write_text(text)
    return path


def test_the_command_line_wins_over_toml_wins_over_the_default(asked, tmp_path):
    path = write(
        tmp_path,
        '[fit]\nk = 33\nseed = 5\nmask = ["a.reg", "b.reg"]\npsf = 0.7\ntol = 1\nmin-sigma = 0.3\n[render]\nunits = "sb"\npoints = true\n',
    )
    result = invoke("fit", "events.fits", "--config", path, "--seed", 6)
    config = asked.calls[0].config
    assert (
        config.n_components,
        config.seed,
        config.mask,
        config.psf,
        config.tol,
        config.min_sigma,
        config.max_iter,
    ) == (
        33,
        6,
        ("a.reg", "b.reg"),
        ("0.7",),
        1.0,
        0.3,
        FitConfig.max_iter,
    )
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[fit]\nkomponents = 3\n", ["unknown key 'komponents'", "[fit]", "max_iter"]),
        ("[plots]\ndpi = 3\n", ["unknown key 'plots'", "[fit], [render], [plot]"]),
        ("k = 3\n", ["unknown key 'k'"]),
        ("[render]\nunit = 'sb'\n", ["unknown key 'unit'", "[render]", "units"]),
        ("[fit]\nk = 'many'\n", ["[fit] k = 'many'", "whole number"]),
        ("[fit]\nk = 2.5\n", ["[fit] k = 2.5", "whole number"]),
        ("[fit]\nseed = true\n", ["[fit] seed = True", "integer"]),
        ("[fit]\nseed = 1.5\n", ["[fit] seed = 1.5", "integer"]),
        ("[fit]\ntol = 'small'\n", ["[fit] tol = 'small'", "float"]),
        ("[fit]\nenergy = [0.5, 2]\n", ["[fit] energy = [0.5, 2]"]),
        ("[fit]\ninit = 'lattice'\n", ["[fit] init = 'lattice'", "grow, kmeans", ".h5"]),
        ("[render]\npoints = 1\n", ["[render] points = 1", "true or false"]),
        ("[fit]\nk = 0\n", ["--k 0"]),
        ("[fit\n", ["not a TOML file"]),
    ],
)
def test_bad_toml_is_one_line_that_names_the_key(asked, tmp_path, text, words):
    result = invoke("fit", "-q", "events.fits", "--config", write(tmp_path, text))
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    for word in words:
        assert word in result.stderr
    assert not asked.calls


def test_a_configuration_that_is_not_there(asked):
    result = invoke("fit", "events.fits", "--config", "nothing.toml")
    assert result.exit_code == 1
    assert "nothing.toml: cannot be read" in result.stderr


# How it ends


@pytest.mark.parametrize(
    "arguments",
    [
        ["fit"],
        ["fit", "e.fits", "--nonsense"],
        ["fit", "e.fits", "--k", "2.5"],
        ["render", "m.h5"],
        ["nonsense"],
    ],
)
def test_a_wrong_command_line_is_2(asked, arguments):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_version_and_help():
    assert invoke("--version").stdout == f"gmmx, version {gmmx.__version__}\n"
    for command in ("fit", "render", "plot", "info", "export", "score"):
        assert command in invoke("--help").stdout
        assert invoke(command, "-h").exit_code == 0


def test_not_converged_is_3_only_when_strict(asked):
    asked.converged = False
    assert invoke("fit", "events.fits").exit_code == 0
    strict = invoke("fit", "events.fits", "--strict")
    assert strict.exit_code == 3
    assert "a summary" in strict.stdout
    asked.converged = True
    assert invoke("fit", "events.fits", "--strict").exit_code == 0


def test_what_gmmx_raises_is_one_line(asked):
    def behave():
        raise DataError("events.fits: broken\nin two lines")

    asked.behave = behave
    result = invoke("fit", "-q", "events.fits")
    assert result.exit_code == 1
    assert result.stderr == "gmmx: error: events.fits: broken in two lines\n"


def test_a_bug_shows_its_traceback(asked):
    def behave():
        raise ZeroDivisionError("a bug")

    asked.behave = behave
    with pytest.raises(ZeroDivisionError):
        invoke("fit", "events.fits")


def test_an_interruption_is_130(asked):
    def behave():
        raise KeyboardInterrupt

    asked.behave = behave
    result = invoke("fit", "-q", "events.fits")
    assert (result.exit_code, result.stderr.strip()) == (130, "gmmx: interrupted")


def test_warnings_are_one_line_each_and_said_once(asked):
    def behave():
        warnings.warn("the mask\ntakes all", DataWarning, stacklevel=1)
        warnings.warn("the mask\ntakes all", DataWarning, stacklevel=1)
        warnings.warn("of somebody else", RuntimeWarning, stacklevel=1)

    asked.behave = behave
    assert invoke("fit", "events.fits", "--k", 1).stderr == "gmmx: warning: the mask takes all\n"
    assert invoke("fit", "events.fits", "--k", 1, "-q").stderr == ""
    told = invoke("fit", "events.fits", "--k", 1, "-v").stderr
    assert told.count("the mask takes all") == 1
    assert "RuntimeWarning: of somebody else" in told


def test_the_state_of_the_process_is_left_as_it_was(asked):
    before, shown = signal.getsignal(signal.SIGTERM), warnings.showwarning
    invoke("fit", "events.fits")
    assert (signal.getsignal(signal.SIGTERM), warnings.showwarning) == (before, shown)


# Which value belongs to which event list


def test_values_of_one_event_list():
    assert per_observation("mask", ("a.reg,b.reg", "c.reg"), 1) == [["a.reg", "b.reg", "c.reg"]]
    assert per_observation("mask", (), 1) == [[]]


def test_values_of_several_event_lists(tmp_path):
    assert per_observation("mask", ("a.reg,b.reg", "c.reg"), 2) == [["a.reg", "b.reg"], ["c.reg"]]
    assert per_observation("mask", (), 2) == [[], []]
    assert per_observation("mask", ("a.reg",), 3, shared=True) == [["a.reg"]] * 3
    comma = tmp_path / "a,b.reg"
    comma.write_text("")
    assert per_observation("mask", (str(comma),), 1) == [[str(comma)]]
    for values, shared in (
        (("a",), False),
        (("a", "b"), True),
        (("a.fits",), lambda value: value == "none"),
    ):
        with pytest.raises(
            InputError,
            match=r"--psf was given (once|2 times|4 times) for 3 event lists: give it once for each, in their order",
        ):
            per_observation("psf", values, 3, shared=shared)


@pytest.mark.parametrize(
    ("events", "out"),
    [
        ("a/events.fits.gz", "a/events.model.h5"),
        ("evt2.fits", "evt2.model.h5"),
        ("acis.v2.fits.GZ", "acis.v2.model.h5"),
        ("list", "list.model.h5"),
    ],
)
def test_the_default_output_is_beside_the_events(events, out):
    assert pipeline.default_output(events) == Path(out)


# Every command on the sample observation


@pytest.fixture(scope="module")
def maps(samples):
    return [
        "--exposure",
        samples / "expmap.fits.gz",
        "--psf",
        samples / "psfmap.fits.gz",
        "--energy",
        "0.5:2",
        "--bin",
        4,
        "--exchanges",
        0,
        "--max-iter",
        200,
    ]


@pytest.fixture(scope="module")
def model(samples, maps, tmp_path_factory):
    """The path of a quick fit of the sample, and what fitting it said."""
    path = tmp_path_factory.mktemp("fit") / "model.h5"
    result = invoke(
        "fit",
        samples / "events.fits.gz",
        "--mask",
        samples / "sources.reg",
        *maps,
        "--k",
        5,
        "--seed",
        1,
        "--out",
        path,
        "--json",
    )
    assert result.exit_code == 0, result.output
    return path, result


def test_fit_of_the_sample(model, samples):
    path, said = model
    facts = json.loads(said.stdout)
    assert facts["model"] == str(path)
    for key in (
        "k",
        "n_photons",
        "n_dropped",
        "log_likelihood",
        "converged",
        "iterations",
        "background_fraction",
        "signal_photons",
        "seconds",
    ):
        assert key in facts
    assert facts["k"] == 5
    assert facts["n_dropped"] == {"mask": 1541}
    assert "mask: sources.reg, 15 shapes, " in said.stderr
    assert "photons: 20,258 used; dropped: 1,541 mask\n" in said.stderr
    assert "ccd: 0-3" in said.stderr
    truth = json.loads((samples / "truth.json").read_text())
    assert abs(facts["signal_flux"] / truth["diffuse_flux"] - 1) < 0.05
    assert abs(facts["background_fraction"] - 0.265) < 0.03
    result = read_model(path)
    assert result.options["n_components"] == 5
    assert result.options["events"] == [str(samples / "events.fits.gz")]


def test_info_of_the_sample(model):
    path, _ = model
    text = invoke("info", path).stdout
    assert "MARX-SMALL" in text
    assert "photon/cm^2/s" in text
    result = invoke("info", "--json", "-", stdin=f"{path}\n{path}\n")
    assert [json.loads(line)["model"] for line in result.stdout.splitlines()] == [str(path)] * 2


@pytest.mark.parametrize(
    ("command", "name", "options"),
    [
        ("render", "model.fits", ["--units", "flux"]),
        ("render", "model.h5", ["--image", "signal", "--bin", 8]),
        ("plot", "model.png", ["--dpi", 40]),
        ("plot", "model.pdf", ["--stretch", "asinh"]),
        ("plot", "history.png", ["--what", "history", "--dpi", 40]),
        ("plot", "residuals.png", ["--what", "residuals", "--dpi", 40]),
        ("export", "model.ecsv", []),
        ("export", "model.fits", []),
        ("export", "model.csv", []),
        ("export", "model.reg", []),
    ],
)
def test_what_a_model_becomes(model, tmp_path, command, name, options):
    path, _ = model
    out = tmp_path / name
    result = invoke(command, path, "--out", out, *options)
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert str(out) in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == [name]
    again = invoke(command, path, "--out", out, *options)
    assert again.exit_code == 1
    assert "--overwrite" in again.stderr
    assert invoke(command, path, "--out", out, "--overwrite", "-q", *options).stderr == ""


def test_render_like_an_image(model, samples, tmp_path):
    from astropy.io import fits

    path, _ = model
    truth = samples / "truth.fits.gz"
    assert (
        invoke(
            "render", path, "--like", truth, "--units", "sb", "--out", tmp_path / "a.fits"
        ).exit_code
        == 0
    )
    with fits.open(truth) as one, fits.open(tmp_path / "a.fits") as two:
        assert one[0].shape == two[0].shape
        assert abs(two[0].data.sum() / one[0].data.sum() - 1) < 0.06


def test_score_of_the_sample(model, samples):
    path, _ = model
    facts = json.loads(invoke("score", "--json", path, samples / "events.fits.gz").stdout)
    fitted = read_model(path)
    # On single photons and on those that were fitted, in cells of 4 arcsec, it differs by what the cells blur.
    by_hand = (fitted.log_likelihood + facts["expected_photons"]) / fitted.n_photons - math.log(
        facts["expected_photons"]
    )
    assert facts["n_photons"] == 20258
    assert facts["n_dropped"] == {"mask": 1541}
    assert abs(facts["score"] - by_hand) < 1.0
    assert 0 < facts["score_error"] < 0.05
    assert "nat per photon" in invoke("score", path, samples / "events.fits.gz").stdout


def test_two_event_lists_are_one_fit(samples, maps, tmp_path):
    out = tmp_path / "joint.h5"
    events = [samples / "events.fits.gz"] * 2
    result = invoke(
        "fit",
        *events,
        *maps,
        *maps[:4],
        "--mask",
        samples / "sources.reg",
        "--k",
        1,
        "--out",
        out,
        "--json",
    )
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    assert [o["name"] for o in facts["observations"]] == ["events_1", "events_2"]
    assert facts["photons"] == 2 * 20258
    alone = json.loads(
        invoke(
            "fit",
            events[0],
            *maps,
            "--mask",
            samples / "sources.reg",
            "--k",
            1,
            "--out",
            tmp_path / "one.h5",
            "--json",
        ).stdout
    )
    assert abs(facts["reference_exposure"] / alone["reference_exposure"] - 2) < 1e-6
    assert abs(facts["signal_flux"] / alone["signal_flux"] - 1) < 0.01
    wrong = invoke("score", out, events[0])
    assert wrong.exit_code == 1
    assert "a model of 2 observations, scored on 1 event list: give one for each" in wrong.stderr


def start(*arguments, **rest):
    return subprocess.Popen(
        [sys.executable, "-m", "gmmx.cli.main", *map(str, arguments)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **rest,
    )


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGTERM, 143, ""), (signal.SIGINT, 130, "gmmx: interrupted")],
)
def test_a_signal_stops_a_fit_and_leaves_nothing(samples, tmp_path, number, code, said):
    process = start(
        "fit",
        samples / "events.fits.gz",
        "--psf",
        "none",
        "--k",
        60,
        "--tol",
        1e-9,
        "--out",
        tmp_path / "model.h5",
    )
    for line in process.stderr:
        if line.startswith("photons:"):
            break
    process.send_signal(number)
    _, rest = process.communicate(timeout=120)
    assert process.returncode == code
    assert "Traceback" not in rest
    assert said in rest
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_has_gone_is_no_news(model):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "gmmx.cli.main", "info", str(model[0])],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")
