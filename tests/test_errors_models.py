"""Files that are no models, and what a model cannot give: an error of one line, no file lost."""

import json
import shutil

import h5py
import pytest
from command_line import error_line, run
from made_files import event_hdus


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Fit a small event list, and return the model file."""
    folder = tmp_path_factory.mktemp("model")
    event_hdus().writeto(folder / "events.fits")
    line = ["fit", "-q", "--k", "1", "--max-iter", "60", "--psf", "none", "--ccd", "all"]
    result = run(*line, folder / "events.fits", "--out", folder / "model.h5")
    assert result.exit_code == 0, result.output
    return folder / "model.h5"


@pytest.fixture
def bad_models(model, tmp_path):
    """Make a folder of files that are not models."""
    (tmp_path / "text.h5").write_text("not a model")
    (tmp_path / "truncated.h5").write_bytes(model.read_bytes()[: model.stat().st_size // 2])
    shutil.copy(model, tmp_path / "newer.h5")
    with h5py.File(tmp_path / "newer.h5", "r+") as file:
        file.attrs["schema_version"] = 99
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    (tmp_path / "old.png").write_bytes(b"what was there before")
    return tmp_path


@pytest.mark.parametrize("command", ["info", "render", "plot", "export", "score"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("text.h5", ["not a gmmx model"]),
        (
            "truncated.h5",
            ["truncated.h5: truncated or damaged model file"],
        ),
        ("newer.h5", ["schema_version 99", "update"]),
        ("other.h5", ["not a gmmx model"]),
        ("missing.h5", ["no such file"]),
    ],
)
def test_bad_models(bad_models, model, command, name, words):
    rest = {
        "info": [],
        "render": ["--out", bad_models / "a.fits"],
        "plot": ["--out", bad_models / "a.png"],
        "export": ["--out", bad_models / "a.reg"],
        "score": [model.parent / "events.fits"],
    }[command]
    line = error_line(run(command, "-q", bad_models / name, *rest, unchanged=bad_models))
    assert [word for word in [name, *words] if word not in line] == []


def test_info_continues_after_a_bad_file(bad_models, model):
    files = [bad_models / "text.h5", model, bad_models / "missing.h5", model]
    result = run("info", "-q", "--json", *files, unchanged=bad_models)
    assert result.exit_code == 1
    printed = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["status"] for one in printed] == ["error", "ok", "error", "ok"]
    assert [one.get("model") or one["file"] for one in printed] == [str(path) for path in files]
    first, second = result.stderr.splitlines()
    assert first.startswith(f"gmmx: error: {files[0]}: not a gmmx model")
    assert second.startswith(f"gmmx: error: {files[2]}: no such file")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["plot", "MODEL", "--out", "old.png"], ["old.png", "exists", "--overwrite"]),
        (["plot", "MODEL", "--out", "figure.txt"], ["figure.txt", ".png"]),
        (["render", "MODEL", "--out", "nowhere/a.fits"], ["nowhere", "no folder"]),
        (["render", "MODEL", "--out", "a.jpg"], ["a.jpg", ".fits"]),
        (["render", "MODEL", "--out", "a.fits", "--image", "sky"], ["sky", "signal"]),
        (
            ["render", "MODEL", "--out", "a.fits", "--units", "flux"],
            ["model.h5: --units flux", "an area times a time", "cm^2 s", "--units counts"],
        ),
        (["render", "MODEL", "--out", "a.fits", "--like", "old.png"], ["old.png", "FITS"]),
        (["render", "MODEL", "--out", "a.fits", "--bin", "-2"], ["bin", "-2", "positive"]),
        (
            ["render", "MODEL", "--out", "a.fits", "--bin", "2", "--like", "old.png"],
            ["--like", "--bin"],
        ),
        (["export", "MODEL", "--out", "a.xlsx"], ["a.xlsx", ".ecsv"]),
        (["score", "MODEL", "missing.fits"], ["missing.fits", "no such file"]),
        (["score", "MODEL", "missing.fits", "missing.fits"], ["2 event lists", "1 observation"]),
    ],
)
def test_bad_input_of_the_other_commands(bad_models, model, monkeypatch, arguments, words):
    monkeypatch.chdir(bad_models)
    arguments = [model if argument == "MODEL" else argument for argument in arguments]
    line = error_line(run(arguments[0], "-q", *arguments[1:], unchanged=bad_models))
    assert [word for word in words if word not in line] == []
