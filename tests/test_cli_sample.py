"""Every command on the sample observation, as a user types it."""

import json
import math
import os
import signal
import subprocess
import sys

import pytest
from astropy.io import fits
from command_line import run

from gmmx.io.models import read_model

QUICK = ["--energy", "0.5:2", "--bin", 4, "--exchanges", 0, "--max-iter", 200]


@pytest.fixture(scope="module")
def maps(samples):
    return ["--exposure", samples / "expmap.fits.gz", "--psf", samples / "psfmap.fits.gz"]


@pytest.fixture(scope="module")
def mask(samples):
    return ["--mask", samples / "sources.reg"]


@pytest.fixture(scope="module")
def events(samples):
    return samples / "events.fits.gz"


@pytest.fixture(scope="module")
def fitted(events, maps, mask, tmp_path_factory):
    """The model file of a quick fit, and what the command printed."""
    path = tmp_path_factory.mktemp("fit") / "model.h5"
    rest = ["--k", 5, "--seed", 1, "--out", path, "--json"]
    result = run("fit", events, *mask, *maps, *QUICK, *rest)
    assert result.exit_code == 0, result.output
    return path, result


@pytest.fixture(scope="module")
def model(fitted):
    return fitted[0]


@pytest.fixture(scope="module")
def facts(fitted):
    return json.loads(fitted[1].stdout)


def test_fit_prints_one_json_object(facts, model):
    assert (facts["status"], facts["model"], facts["k"]) == ("ok", str(model), 5)
    assert facts["n_dropped"] == {"mask": 1541}
    assert facts.keys() >= {
        "n_photons",
        "log_likelihood",
        "converged",
        "iterations",
        "signal_photons",
        "seconds",
    }


@pytest.mark.parametrize(
    "line",
    [
        "mask: sources.reg, 15 shapes, ",
        "photons: 20,258 fitted; left out: 1,541 mask\n",
        "ccd: 0-3",
    ],
)
def test_fit_prints_the_choices_that_it_made(fitted, line):
    assert line in fitted[1].stderr


def test_fit_finds_the_flux_and_the_background_of_the_truth(facts, samples):
    truth = json.loads((samples / "truth.json").read_text())
    assert facts["signal_flux"] == pytest.approx(truth["diffuse_flux"], rel=0.05)
    assert facts["background_fraction"] == pytest.approx(0.265, abs=0.03)


def test_the_model_records_the_options(model, events):
    options = read_model(model).options
    assert options["n_components"] == 5
    assert options["events"] == [str(events)]


def test_info_describes_the_model(model):
    text = run("info", model).stdout
    assert "MARX-SMALL" in text
    assert "photon/cm^2/s" in text


def test_info_reads_file_names_from_standard_input(model):
    result = run("info", "--json", "-", stdin=f"{model}\n{model}\n")
    assert [json.loads(line)["model"] for line in result.stdout.splitlines()] == [str(model)] * 2


@pytest.mark.parametrize(
    ("command", "name", "options"),
    [
        ("render", "model.fits", ["--units", "flux"]),
        ("render", "model.h5", ["--image", "signal", "--bin", 8]),
        ("plot", "model.png", ["--dpi", 40]),
        ("plot", "model.pdf", ["--stretch", "asinh"]),
        ("plot", "history.png", ["--what", "history", "--dpi", 40]),
        ("plot", "residuals.png", ["--what", "observations", "--dpi", 40]),
        ("export", "model.ecsv", []),
        ("export", "model.fits", []),
        ("export", "model.csv", []),
        ("export", "model.reg", []),
    ],
)
def test_a_command_writes_one_file_and_never_over_another(model, tmp_path, command, name, options):
    out = tmp_path / name
    result = run(command, model, "--out", out, *options)
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert str(out) in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == [name]
    again = run(command, model, "--out", out, *options)
    assert again.exit_code == 1
    assert "--overwrite" in again.stderr
    assert run(command, model, "--out", out, "--overwrite", "-q", *options).stderr == ""


def test_render_takes_the_grid_of_an_image(model, samples, tmp_path):
    truth, out = samples / "truth.fits.gz", tmp_path / "a.fits"
    assert run("render", model, "--like", truth, "--units", "sb", "--out", out).exit_code == 0
    with fits.open(truth) as one, fits.open(out) as two:
        assert one[0].shape == two[0].shape
        assert two[0].data.sum() == pytest.approx(one[0].data.sum(), rel=0.06)


def test_score_is_the_mean_log_likelihood_of_the_photons(model, events):
    scored = json.loads(run("score", "--json", model, events).stdout)
    fit = read_model(model)
    expected = scored["expected_photons"]
    # The fit saw the same photons in cells of 4 arcsec, which accounts for the difference.
    by_hand = (fit.log_likelihood + expected) / fit.n_photons - math.log(expected)
    assert scored["score"] == pytest.approx(by_hand, abs=1.0)
    assert scored["n_photons"] == 20258
    assert scored["n_dropped"] == {"mask": 1541}
    assert 0 < scored["score_error"] < 0.05


def test_score_prints_a_sentence(model, events):
    text = run("score", model, events).stdout
    assert "nat per photon, the mean of 20,258 photons" in text


def test_a_fit_that_has_not_converged_exits_with_3_if_strict(events, tmp_path):
    line = ["fit", events, "--k", 1, "--psf", "none", "--bin", 8, "--max-iter", 2]
    assert run(*line, "--out", tmp_path / "a.h5").exit_code == 0
    strict = run(*line, "--out", tmp_path / "b.h5", "--strict", "--json")
    assert strict.exit_code == 3
    assert json.loads(strict.stdout)["converged"] is False


@pytest.fixture(scope="module")
def joint(events, maps, mask, tmp_path_factory):
    """The model file of a joint fit of the sample with itself, and what the command printed."""
    out = tmp_path_factory.mktemp("joint") / "joint.h5"
    rest = ["--k", 1, "--out", out, "--json"]
    result = run("fit", events, events, *maps, *maps, *mask, *QUICK, *rest)
    assert result.exit_code == 0, result.output
    return out, json.loads(result.stdout)


def test_two_event_lists_are_fitted_jointly(joint, events, maps, mask, tmp_path):
    rest = ["--k", 1, "--out", tmp_path / "one.h5", "--json"]
    alone = json.loads(run("fit", events, *maps, *mask, *QUICK, *rest).stdout)
    _, both = joint
    assert [o["name"] for o in both["observations"]] == ["events_1", "events_2"]
    assert both["photons"] == 2 * alone["photons"]
    assert both["reference_exposure"] == pytest.approx(2 * alone["reference_exposure"], rel=1e-6)
    assert both["signal_flux"] == pytest.approx(alone["signal_flux"], rel=0.01)


def test_a_joint_model_is_scored_on_as_many_event_lists(joint, events):
    wrong = run("score", joint[0], events)
    assert wrong.exit_code == 1
    assert "has 2 observations, and 1 event list was given: give one for each" in wrong.stderr


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "gmmx.cli.main", *map(str, arguments)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Processes in the background of a shell ignore SIGINT, and so do those that they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.parametrize(
    ("number", "code", "printed"),
    [(signal.SIGTERM, 143, ""), (signal.SIGINT, 130, "gmmx: interrupted")],
)
def test_a_signal_stops_a_fit_and_leaves_no_file(events, tmp_path, number, code, printed):
    out = tmp_path / "model.h5"
    process = start("fit", events, "--psf", "none", "--k", 60, "--tol", 1e-9, "--out", out)
    for line in process.stderr:
        if line.startswith("photons:"):
            break
    process.send_signal(number)
    _, rest = process.communicate(timeout=120)
    assert process.returncode == code
    assert "Traceback" not in rest
    assert printed in rest
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_has_gone_is_not_an_error_message(model):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "gmmx.cli.main", "info", str(model)],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")
