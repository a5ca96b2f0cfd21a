"""Bad input is an error of one line, plausible but wrong input a warning, and no file is lost."""

import gzip
import os

import numpy as np
import pytest
from command_line import error_line, run
from made_files import DEC0, RA0, event_hdus, flat, image_hdus


@pytest.fixture
def field(tmp_path, monkeypatch):
    """Make a folder with a good observation and bad files of each kind the current folder."""
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
        ["point sources cannot be fitted without a PSF", "--psf"],
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
    "no WCS": (["no_wcs.fits"], ["no_wcs.fits", "WCS", "correct its header"]),
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
        ["nothing.fits: no such file: give --psf as chandra, a FITS file"],
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
        ["expmap.fits[energy=500:2000]", "event files only"],
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
    line = error_line(run("fit", "-q", "--k", 1, "--out", "new.h5", *arguments, unchanged=field))
    assert [word for word in words if word not in line] == []


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
    line = error_line(run("fit", "-q", "--k", 1, "missing.fits", "--out", out, unchanged=field))
    assert [word for word in words if word not in line] == []


def test_an_output_folder_that_is_not_writable(field, monkeypatch):
    # The superuser may write anywhere, so the answer of the system is replaced.
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    result = run("fit", "-q", "--k", 1, "events.fits", "--out", "model.h5", unchanged=field)
    line = error_line(result)
    assert "not writable" in line
    assert "choose another" in line


def test_the_default_output_is_not_overwritten(field):
    (field / "events.model.h5").write_bytes(b"last week's")
    line = error_line(run("fit", "-q", "--k", 1, "events.fits", unchanged=field))
    assert "events.model.h5" in line
    assert "--overwrite" in line


def warnings_of(*arguments):
    """Return the warnings of a fit, apart from that on the vignetting without an exposure map."""
    line = "fit --k 1 --max-iter 60 --psf none --energy 0.5:2 --out new.h5 events.fits"
    result = run(*line.split(), *arguments)
    assert result.exit_code == 0, result.output
    warnings = [one for one in result.stderr.splitlines() if one.startswith("gmmx: warning: ")]
    return [one for one in warnings if "vignetting" not in one]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--exposure", "expmap_hard.fits"], ["expmap_hard.fits", "keV"]),
        (["--exposure", "expmap_other.fits"], ["expmap_other.fits", "202", "101"]),
        (["--mask", "core.reg"], ["core.reg: shape 1 (circle(150.0,2.2", "% of the photons"]),
        (["--exposure", "expmap_half.fits"], ["%", "exposure"]),
    ],
    ids=[
        "exposure of another band",
        "exposure of another observation",
        "mask on the source",
        "photons on zero exposure",
    ],
)
@pytest.mark.usefixtures("field")
def test_plausible_but_wrong_input_is_warned_of(arguments, words):
    warnings = warnings_of(*arguments)
    assert any(all(word in line for word in words) for line in warnings), warnings


@pytest.mark.usefixtures("field")
def test_good_input_is_not_warned_of():
    assert warnings_of("--exposure", "expmap.fits") == []
