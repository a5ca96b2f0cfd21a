"""Bad input is an error of one line, plausible but wrong input a warning, and no file is lost."""

import gzip
import hashlib
import json
import os
import shutil

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from made_files import DEC0, RA0, event_hdus, flat, image_hdus

from gmmx.cli.main import main


@pytest.fixture
def field(tmp_path, monkeypatch):
    """A folder with one good observation and one bad file of each kind, as the current folder."""
    monkeypatch.chdir(tmp_path)
    files = {
        "events.fits": event_hdus(),
        "elsewhere.fits": event_hdus(ra=RA0 + 1),
        "antipode.fits": event_hdus(ra=RA0 + 180),
        "no_events.fits": event_hdus(name="SPECTRUM"),
        "empty.fits": event_hdus(n=0),
        "no_xy.fits": event_hdus(columns=("energy", "ccd_id"), wcs=False),
        "no_wcs.fits": event_hdus(wcs=False, TELESCOP="ROSAT", INSTRUME="PSPC"),
        "expmap.fits": image_hdus(flat(3e5), OBS_ID="101", ENERG_LO=1.0, ENERG_HI=1.0),
        "expmap_away.fits": image_hdus(flat(3e5), ra=RA0 + 1),
        "expmap_zero.fits": image_hdus(flat(0)),
        "expmap_negative.fits": image_hdus(np.where(np.eye(104) > 0, -1, 3e5)),
        "expmap_hard.fits": image_hdus(flat(3e5), OBS_ID="101", ENERG_LO=6.0, ENERG_HI=6.0),
        "expmap_other.fits": image_hdus(flat(3e5), OBS_ID="202"),
        "expmap_half.fits": image_hdus(np.where(np.arange(104) < 45, 0, flat(3e5)), OBS_ID="101"),
        "psf_zero.fits": image_hdus(flat(0), unit="arcsec", ECF=0.393, ENERGY=1.0),
        "psf_percent.fits": image_hdus(flat(1.0), unit="arcsec", ECF=39.3, ENERGY=1.0),
        "psfmap.fits": image_hdus(flat(1.0), unit="arcsec", ECF=0.393, ENERGY=1.0),
    }
    for name, hdus in files.items():
        hdus.writeto(name)
    whole = (tmp_path / "events.fits").read_bytes()
    (tmp_path / "truncated.fits").write_bytes(whole[: len(whole) * 2 // 3])
    (tmp_path / "truncated.fits.gz").write_bytes(gzip.compress(whole)[:-2000])
    (tmp_path / "not_fits.fits").write_text("ra dec\n150 2.2\n")
    (tmp_path / "all.reg").write_text(f'fk5\ncircle({RA0},{DEC0},600")\n')
    (tmp_path / "core.reg").write_text(f'fk5\ncircle({RA0},{DEC0},8")\n')
    (tmp_path / "odd.reg").write_text("fk5\nblob(150,2.2,3)\n")
    (tmp_path / "none.reg").write_text(
        "# Region file format: DS9 version 4.1\nglobal color=green\nfk5\n"
    )
    (tmp_path / "old.h5").write_bytes(b"what was there before")
    (tmp_path / "folder.h5").mkdir()
    return tmp_path


def run(*arguments, folder=None):
    """The command line's result; with a folder, nothing in it may have changed."""
    before = contents(folder) if folder else None
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    if folder:
        assert contents(folder) == before
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def contents(folder):
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def only_line(result):
    """The one line on stderr of a run that ended with exit code 1."""
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("gmmx: error: ")
    return lines[0].removeprefix("gmmx: error: ")


MAPS = ("--exposure", "expmap.fits", "--psf", "psfmap.fits")
# Arguments after `gmmx fit -q --k 1 --out new.h5`, and words that the line must contain: the
# thing, its value, and the cure.
BAD_FITS = {
    "no sources": (
        ["events.fits", *MAPS, "--sources", "missing.reg"],
        ["missing.reg: no such file: check its name and folder"],
    ),
    "no source-free region": (
        ["events.fits", *MAPS, "--background-region", "missing.reg"],
        ["missing.reg: no such file: check its name and folder"],
    ),
    "sources without PSF": (
        ["events.fits", *MAPS[:2], "--psf", "none", "--sources", "core.reg"],
        ["point sources need a PSF", "--psf"],
    ),
    "not FITS": (
        ["not_fits.fits"],
        ["not_fits.fits: not a FITS file: give an event list such as acisf*_evt2.fits"],
    ),
    "truncated": (["truncated.fits"], ["truncated.fits", "truncated"]),
    "truncated gzip": (["truncated.fits.gz"], ["truncated.fits.gz", "truncated"]),
    "no file": (
        ["missing.fits"],
        ["missing.fits: no such file: give an event list such as acisf*_evt2.fits"],
    ),
    "no EVENTS": (
        ["no_events.fits"],
        ["no_events.fits", "EVENTS", "SPECTRUM", "give an event list"],
    ),
    "0 rows": (["empty.fits"], ["empty.fits", "0 rows"]),
    "no X, Y": (["no_xy.fits"], ["no_xy.fits", "X", "Y", "energy"]),
    "no WCS": (["no_wcs.fits"], ["no_wcs.fits", "WCS", "give an event list"]),
    "no photon in the band": (
        ["events.fits", "--energy", "5:7"],
        ["events.fits", "5:7", "--energy"],
    ),
    "every photon masked": (["events.fits", "--mask", "all.reg"], ["all.reg", "photon"]),
    "exposure elsewhere": (
        ["events.fits", "--exposure", "expmap_away.fits"],
        ["expmap_away.fits", "overlap"],
    ),
    "exposure of zeros": (
        ["events.fits", "--exposure", "expmap_zero.fits"],
        ["expmap_zero.fits", "zero"],
    ),
    "negative exposure": (
        ["events.fits", "--exposure", "expmap_negative.fits"],
        ["expmap_negative.fits", "negative", "-1"],
    ),
    "PSF of zeros": (
        ["events.fits", "--psf", "psf_zero.fits"],
        ["psf_zero.fits", "above zero", "mkpsfmap"],
    ),
    "PSF map missing": (
        ["events.fits", "--psf", "nothing.fits"],
        ["nothing.fits: no such file: give a FITS image"],
    ),
    "unknown shape": (["events.fits", "--mask", "odd.reg"], ["odd.reg", "2", "blob"]),
    "no shape": (["events.fits", "--mask", "none.reg"], ["none.reg", "no shape"]),
    "K = 0": (["events.fits", "--k", "0"], ["--k 0", "at least 1", "such as 20"]),
    "LO = HI": (["events.fits", "--energy", "2:2"], ["2:2", "below"]),
    "LO > HI": (["events.fits", "--energy", "2:0.5"], ["2:0.5", "below"]),
    "energy in words": (["events.fits", "--energy", "soft"], ["soft", "LO:HI", "0.5:2"]),
    "energy in eV": (["events.fits", "--energy", "500:2000"], ["500:2000", "did you mean 0.5:2?"]),
    "a virtual file that bins": (["events.fits[bin sky=4]"], ["events.fits[bin sky=4]", "--bin"]),
    "a virtual map": (
        ["events.fits", "--exposure", "expmap.fits[energy=500:2000]"],
        ["expmap.fits[energy=500:2000]", "event files alone"],
    ),
    "ECF in per cent": (
        ["events.fits", "--psf", "psfmap.fits", "--psf-ecf", "39.3"],
        ["39.3", "between 0 and 1", "0.393"],
    ),
    "ECF in per cent in the header": (
        ["events.fits", "--psf", "psf_percent.fits"],
        ["psf_percent.fits", "39.3", "0.393"],
    ),
    "no overlap": (
        ["events.fits", "elsewhere.fits"],
        ["2 event lists that do not overlap", "one at a time", "loop"],
    ),
    "opposite skies": (
        ["events.fits", "antipode.fits"],
        ["2 event lists that do not overlap", "one at a time", "loop"],
    ),
    "two maps, three events": (
        ["events.fits"] * 3 + ["--exposure", "expmap.fits"] * 2,
        ["--exposure", "2", "3 event lists", "order"],
    ),
    "two maps, one event list": (
        ["events.fits", "--exposure", "expmap.fits,expmap_other.fits"],
        ["--exposure", "2", "one"],
    ),
    "an unknown background": (["events.fits", "--background", "dark"], ["dark", "sky"]),
    "a background that is no number": (["events.fits", "--background", "sky=much"], ["sky=much"]),
    "an unknown chip": (["events.fits", "--ccd", "x"], ["x", "0-3"]),
    "a negative cell": (["events.fits", "--grid", "-1"], ["grid", "-1", "positive"]),
}


@pytest.mark.parametrize(("arguments", "words"), BAD_FITS.values(), ids=BAD_FITS.keys())
def test_bad_input_of_fit(field, arguments, words):
    line = only_line(run("fit", "-q", "--k", 1, "--out", "new.h5", *arguments, folder=field))
    for word in words:
        assert word in line


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("old.h5", ["old.h5", "exists", "--overwrite"]),
        ("nowhere/model.h5", ["nowhere", "no folder", "create"]),
        ("folder.h5", ["folder.h5", "is a folder", "name a file"]),
        ("model.txt", ["model.txt", ".h5"]),
    ],
)
def test_bad_output_of_fit_is_found_before_the_input_is_read(field, out, words):
    line = only_line(run("fit", "-q", "--k", 1, "missing.fits", "--out", out, folder=field))
    for word in words:
        assert word in line


def test_an_output_folder_that_is_not_writable(field, monkeypatch):
    # Asked of the system in its stead, because the superuser may write anywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    line = only_line(run("fit", "-q", "--k", 1, "events.fits", "--out", "model.h5", folder=field))
    assert "not writable" in line
    assert "choose another" in line


def test_the_default_output_is_not_overwritten_either(field):
    (field / "events.model.h5").write_bytes(b"last week's")
    line = only_line(run("fit", "-q", "--k", 1, "events.fits", folder=field))
    assert "events.model.h5" in line
    assert "--overwrite" in line


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A small model that is all right."""
    folder = tmp_path_factory.mktemp("model")
    event_hdus().writeto(folder / "events.fits")
    result = run(
        "fit",
        "-q",
        "--k",
        1,
        "--max-iter",
        60,
        folder / "events.fits",
        "--psf",
        "none",
        "--ccd",
        "all",
        "--out",
        folder / "model.h5",
    )
    assert result.exit_code == 0, result.output
    return folder / "model.h5"


@pytest.fixture
def bad_models(model, tmp_path):
    """Files that are not models."""
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
            ["truncated.h5: truncated or damaged model file: write it again with gmmx fit"],
        ),
        ("newer.h5", ["schema_version 99", "update"]),
        ("other.h5", ["not a gmmx model"]),
        ("missing.h5", ["no such file"]),
    ],
)
def test_bad_models(bad_models, model, command, name, words):
    rest = {"info": [], "score": [model.parent / "events.fits"]}.get(
        command,
        [
            "--out",
            bad_models / {"render": "a.fits", "plot": "a.png", "export": "a.reg"}.get(command, ""),
        ],
    )
    line = only_line(run(command, "-q", bad_models / name, *rest, folder=bad_models))
    for word in [name, *words]:
        assert word in line


def test_info_goes_on_after_a_bad_file(bad_models, model):
    result = run(
        "info",
        "-q",
        "--json",
        bad_models / "text.h5",
        model,
        bad_models / "missing.h5",
        model,
        folder=bad_models,
    )
    assert result.exit_code == 1
    printed = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["status"] for one in printed] == ["error", "ok", "error", "ok"]
    assert [printed[i]["file"] for i in (0, 2)] == [
        str(bad_models / name) for name in ("text.h5", "missing.h5")
    ]
    assert [printed[i]["model"] for i in (1, 3)] == [str(model)] * 2
    first, second = result.stderr.splitlines()
    assert first.startswith(f"gmmx: error: {bad_models / 'text.h5'}: not a gmmx model")
    assert second.startswith(f"gmmx: error: {bad_models / 'missing.h5'}: no such file")


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
            ["model.h5: --units flux", "no area and time", "cm**2 s", "--units counts"],
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
    line = only_line(run(arguments[0], "-q", *arguments[1:], folder=bad_models))
    for word in words:
        assert word in line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--exposure", "expmap_hard.fits"], ["expmap_hard.fits", "keV"]),
        (["--exposure", "expmap_other.fits"], ["expmap_other.fits", "202", "101"]),
        (["--mask", "core.reg"], ["core.reg: shape 1 (circle(150.0,2.2", "% of the photons"]),
        (["--exposure", "expmap_half.fits"], ["%", "exposure"]),
        (["--exposure", "expmap.fits"], []),
    ],
    ids=[
        "exposure of another band",
        "exposure of another observation",
        "mask on the source",
        "photons on zero exposure",
        "none",
    ],
)
def test_what_is_plausible_but_wrong_is_said(field, arguments, words):
    result = run(
        "fit",
        "--k",
        1,
        "--max-iter",
        60,
        "--psf",
        "none",
        "--energy",
        "0.5:2",
        "--out",
        "new.h5",
        "events.fits",
        *arguments,
    )
    assert result.exit_code == 0, result.output
    warnings = [
        line
        for line in result.stderr.splitlines()
        if line.startswith("gmmx: warning: ") and "vignetting" not in line
    ]
    if words:
        assert any(all(word in line for word in words) for line in warnings), result.stderr
    else:
        assert warnings == []
