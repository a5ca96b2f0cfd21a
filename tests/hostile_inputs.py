"""Good input for every reader: what hostile input is made of."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import h5py
import numpy as np
from astropy.io import fits
from command_line import run
from hostile_runner import Job
from made_files import DEC0, PIXEL, RA0, event_hdus, image_hdus
from test_io_models_v1 import make_version_1_file

CENTRE = 4096.5
EXPOSURE = ("--exposure", "expmap.fits")
QUICK = ("--k", "1", "--energy", "0.5:2")
PSF = ("--psf", "2")


@dataclass(frozen=True)
class Good:
    """A file that a reader accepts, and the command lines that read it.

    Attributes
    ----------
    name : str
        Name of the reader.
    file : str
        The file that becomes hostile, in the folder of `make_good_files`.
    kind : {"fits", "text", "toml", "hdf5", "filter"}
        Which changes can be made to it.
    lines : tuple of tuple of str
        Command lines; they write `answer`.
    answer : str
        As of a Job.
    """

    name: str
    file: str
    kind: str
    lines: tuple
    answer: str = "answer.h5"

    def job(self, folder):
        """Return the Job that reads the files of a folder."""
        return Job(str(folder), self.lines, self.answer)


def _fit(*words, events="events.fits"):
    return (("fit", events, *words, "--out", "answer.h5", "--overwrite"),)


def _mapped(*words, events="events.fits"):
    return _fit(*EXPOSURE, *QUICK, *words, events=events)


def _of_model(name):
    return (
        ("info", name, "--json"),
        ("export", name, "--out", "answer.ecsv", "--overwrite"),
        ("render", name, "--out", "answer.fits", "--overwrite"),
    )


GOOD = {
    one.name: one
    for one in (
        Good("events", "events.fits", "fits", _mapped(*PSF)),
        Good("events without maps", "alone.fits", "fits", _fit("--k", "1", events="alone.fits")),
        Good("events of XMM", "xmm.fits", "fits", _mapped(*PSF, events="xmm.fits")),
        Good("counts image", "counts.fits", "fits", _mapped(*PSF, events="counts.fits")),
        Good("exposure map", "expmap.fits", "fits", _mapped(*PSF)),
        Good("PSF map", "psfmap.fits", "fits", _mapped("--psf", "psfmap.fits")),
        Good("PSF image", "source.fits", "fits", _mapped("--psf", "source.fits")),
        Good("background image", "blank.fits", "fits", _mapped(*PSF, "--background", "blank.fits")),
        Good(
            "background events",
            "blank_evt.fits",
            "fits",
            _mapped(*PSF, "--background", "blank_evt.fits"),
        ),
        Good("regions of DS9", "sky.reg", "text", _mapped(*PSF, "--mask", "sky.reg")),
        Good("regions of CIAO", "ciao.reg", "text", _mapped(*PSF, "--mask", "ciao.reg")),
        Good("regions in FITS", "reg.fits", "fits", _mapped(*PSF, "--mask", "reg.fits")),
        Good("field of view", "fov.fits", "fits", _fit(*QUICK, *PSF, "--region", "fov.fits")),
        Good("source list", "src.fits", "fits", _mapped(*PSF, "--sources", "src.fits")),
        Good("source regions", "src.reg", "text", _mapped(*PSF, "--sources", "src.reg")),
        Good("table in ECSV", "table.ecsv", "text", _mapped(*PSF, "--fix", "table.ecsv")),
        Good("table in FITS", "table.fits", "fits", _mapped(*PSF, "--fix", "table.fits")),
        Good(
            "configuration",
            "options.toml",
            "toml",
            (
                (
                    "fit",
                    "events.fits",
                    "--config",
                    "options.toml",
                    "--out",
                    "answer.h5",
                    "--overwrite",
                ),
            ),
        ),
        Good("model", "model.h5", "hdf5", _of_model("model.h5"), "answer.fits"),
        Good("model of version 1", "old.h5", "hdf5", _of_model("old.h5"), "answer.fits"),
        Good("start model", "start.h5", "hdf5", _mapped(*PSF, "--init", "start.h5")),
        Good(
            "grid of an image",
            "like.fits",
            "fits",
            (("render", "model.h5", "--like", "like.fits", "--out", "answer.fits", "--overwrite"),),
            "answer.fits",
        ),
        Good(
            "held-out events",
            "held_out.fits",
            "fits",
            (("score", "model.h5", "held_out.fits", "--json"),),
            "",
        ),
        Good("filter", "filter.txt", "filter", _mapped(*PSF, events="FILTER")),
    )
}

_DS9 = f"""# Region file format: DS9 version 4.1
global color=green include=1 source=1
fk5
circle({RA0},{DEC0 + 0.01},12") # text={{a source}}
-ellipse({RA0 - 0.01},{DEC0},20",8",30)
annulus(10:00:02.4,+2:12:30,5",9")
box({RA0},{DEC0 - 0.012},0.5',10",15)
polygon(150.012,2.2,150.015,2.2,150.015,2.205)
panda({RA0 + 0.02},{DEC0 + 0.01},0,90,1,3",8",1) || circle({RA0 + 0.02},{DEC0 + 0.012},4")
"""
_CIAO = """# Region file format: CIAO version 1.0
circle(4150,4120,20)
rectangle(3950,3950,3990,4000)-circle(3970,3980,8)
rotbox(4050,4200,60,20,30)
pie(4200,4000,10,30,20,110)
ellipse(10:00:02,2:12:00,10",0.1',20)
field()*polygon(4000,4150,4040,4150,4040,4180)
"""
_SOURCES = f"""icrs
circle({RA0 + 0.015},{DEC0 + 0.012},5")
circle({RA0 - 0.016},{DEC0 - 0.012},6")
"""
_TOML = """[fit]
exposure = ["expmap.fits"]
psf = "2"
energy = "0.5:2"
k = 1
min-sigma = 0.5
seed = 3
background = "sky"
max-iter = 5000
mask = ["sky.reg", "ciao.reg"]

[render]
units = "flux"
bin = 2.0
"""
FILTER = "events.fits[energy=500:2000,ccd_id=0:3][sky=circle(4096.5,4096.5,190)][exclude x<3950]"


def make_good_files(folder):
    """Write the good files of all readers into a folder."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(8)
    chips = {"DSTYP1": "energy", "DSVAL1": "300:7000", "DSTYP2": "ccd_id", "DSVAL2": "0:3"}
    facts = {"EXPTIME": 3.2, "RADESYS": "ICRS", "EQUINOX": 2000.0, "TLMIN1": 0.5, "TLMAX1": 8192.5}
    events = partial(event_hdus, TELESCOP="CHANDRA", **facts)
    _write(folder, "events.fits", events(n=300, **chips))
    _write(folder, "held_out.fits", events(n=200, OBS_ID="102"))
    _write(
        folder,
        "alone.fits",
        events(n=300, RA_PNT=RA0, DEC_PNT=DEC0, ROLL_PNT=30.0, RA_NOM=RA0, DEC_NOM=DEC0),
    )
    _write(folder, "blank_evt.fits", events(n=3000, OBJECT="blank sky"))
    _write(folder, "xmm.fits", xmm_event_hdus())
    _write_images(folder, rng)
    _write_tables(folder)
    for name, text in (
        ("sky.reg", _DS9),
        ("ciao.reg", _CIAO),
        ("src.reg", _SOURCES),
        ("options.toml", _TOML),
        ("filter.txt", FILTER),
    ):
        (folder / name).write_text(text)
    _write_old_model(folder / "old.h5")
    _fit_and_export(folder)


def xmm_event_hdus():
    """An event list of XMM: whole sky pixels of 0.05 arcsec, and energies in PI."""
    hdus = event_hdus(n=300)
    x, y = (np.round((hdus[1].data[c] - CENTRE) * PIXEL / 0.05 + 25921) for c in ("x", "y"))
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column("X", "J", "0.05 arcsec", array=x),
            fits.Column("Y", "J", "0.05 arcsec", array=y),
            fits.Column("PI", "I", "CHAN", array=hdus[1].data["energy"], null=-1),
            fits.Column("CCDNR", "B", array=np.ones(300)),
        ],
        name="EVENTS",
    )
    for i, kind, value, step in (
        (1, "RA---TAN", RA0, -0.05 / 3600),
        (2, "DEC--TAN", DEC0, 0.05 / 3600),
    ):
        table.header.update(
            {f"TCTYP{i}": kind, f"TCRVL{i}": value, f"TCRPX{i}": 25921, f"TCDLT{i}": step}
        )
    table.header.update(TELESCOP="XMM", INSTRUME="EMOS1", OBS_ID="0123456789", EXPOSURE=1e4)
    return fits.HDUList([fits.PrimaryHDU(), table])


def _physical(step, n):
    """Keywords of the physical coordinates of an image, as dmcopy writes them."""
    left, size = CENTRE - n * step / 2 / PIXEL, step / PIXEL
    keys = {"CRVAL": left, "CRPIX": 0.5, "CDELT": size}
    found = {f"{key}{axis}P": value for key, value in keys.items() for axis in (1, 2)}
    return {"WCSNAMEP": "PHYSICAL", **found, "CTYPE1P": "x", "CTYPE2P": "y"}


def _write_images(folder, rng):
    n, step = 52, 4.0
    x = np.arange(n) - (n - 1) / 2
    off_axis = np.hypot(*np.meshgrid(x, x)) * step
    field = _physical(step, n)
    acis = {"TELESCOP": "CHANDRA", "INSTRUME": "ACIS", "OBS_ID": "101"}
    exposure = 3e5 * (1 - 0.2 * off_axis / 150)
    energies = {"ENERG_LO": 1.5, "ENERG_HI": 1.5}
    _image(folder, "expmap.fits", exposure, step, **field, **acis, **energies)
    _image(
        folder,
        "psfmap.fits",
        0.5 + off_axis / 100,
        step,
        unit="arcsec",
        ECF=0.9,
        ENERGY=1.5,
        **acis,
    )
    _image(folder, "like.fits", np.zeros((40, 30)), 1.0, unit="")
    counts = rng.poisson(0.1 + 4 * np.exp(-((off_axis / 10) ** 2) / 2))
    band = {"ENERGYLO": 0.5, "ENERGYHI": 2.0, "EXPOSURE": 1000.0}
    _image(folder, "counts.fits", counts, step, unit="", **field, **acis, **band)
    _image(folder, "blank.fits", 1.0 + 0.002 * off_axis, step, unit="count", EXPOSURE=3e4, **acis)
    x = (np.arange(40) - 19.5) * 0.5
    source = rng.poisson(300 * np.exp(-(np.add.outer(x**2, x**2)) / 4))
    _image(folder, "source.fits", source, 0.5, unit="")


def _image(folder, name, values, step, *, unit="cm**2 s", **keywords):
    _write(folder, name, image_hdus(np.asarray(values, float), step=step, unit=unit, **keywords))


def region_hdus(name, shapes, **columns):
    """A FITS region table of (shape, x, y, radii, angle), all in sky pixels."""
    names, x, y, radii, angle = zip(*shapes, strict=True)
    pairs = [np.array([*r, np.nan, np.nan][:2]) for r in radii]
    longest = max(np.size(one) for one in x)
    padded = [
        [np.append(np.atleast_1d(one), np.full(longest - np.size(one), np.nan)) for one in values]
        for values in (x, y)
    ]
    form = f"{longest}D"
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column("X", form, "pixel", array=np.squeeze(padded[0])),
            fits.Column("Y", form, "pixel", array=np.squeeze(padded[1])),
            fits.Column("SHAPE", "16A", array=np.array(names)),
            fits.Column("R", "2D", "pixel", array=np.array(pairs)),
            fits.Column("ROTANG", "D", "deg", array=np.array(angle, float)),
            fits.Column("COMPONENT", "J", array=np.arange(1, len(names) + 1)),
            *(fits.Column(key, "J", array=np.array(v)) for key, v in columns.items()),
        ],
        name=name,
    )
    table.header.update(HDUCLASS="ASC", HDUCLAS1="REGION", MTYPE1="pos", MFORM1="X,Y")
    for i, kind, value, step in (
        (1, "RA---TAN", RA0, -PIXEL / 3600),
        (2, "DEC--TAN", DEC0, PIXEL / 3600),
    ):
        table.header.update(
            {f"TCTYP{i}": kind, f"TCRVL{i}": value, f"TCRPX{i}": CENTRE, f"TCDLT{i}": step}
        )
    return fits.HDUList([fits.PrimaryHDU(), table])


def _write_tables(folder):
    shapes = [
        ("Circle", 4150.0, 4120.0, [20.0], 0),
        ("!Ellipse", 4160.0, 4120.0, [10.0, 4.0], 30),
        ("RotBox", 3980.0, 4000.0, [40.0, 20.0], 20),
        ("Annulus", 4200.0, 4000.0, [5.0, 15.0], 0),
    ]
    _write(folder, "reg.fits", region_hdus("REGION", shapes))
    half = np.array([-180.0, 180.0, 180.0, -180.0]) + CENTRE
    outline = [("Polygon", half, np.repeat([half[0], half[1]], 2), [], 0)]
    _write(folder, "fov.fits", region_hdus("FOV", outline * 2, CCD_ID=[3, 7]))
    found = [("Circle", 4096.5 + 80, 4096.5 + 90, [10.0], 0), ("Ellipse", 4000, 4010, [9, 9.0], 0)]
    _write(folder, "src.fits", region_hdus("SRCLIST", found))


def _write_old_model(path):
    """Write a model of version 1 with all columns that its writer gave."""
    make_version_1_file(path)
    with h5py.File(path, "r+") as file:
        for group, names in (
            ("history", ("log_likelihood", "k", "seconds")),
            ("path", ("k", "log_likelihood", "criterion")),
        ):
            n = len(file[group]["phase"])
            for name in names:
                file[group][name] = np.arange(n) + 1.0


def _fit_and_export(folder):
    """Write a model of the good files, and its components as tables."""
    good = ["--exposure", folder / "expmap.fits", "--psf", folder / "psfmap.fits", *QUICK]
    model = folder / "model.h5"
    words = ("fit", folder / "events.fits", *good, "--sources", folder / "src.reg")
    for line in (
        (*words, "--out", model, "--overwrite", "--background", "sky,particle=0.0001"),
        ("export", model, "--out", folder / "table.ecsv", "--overwrite"),
        ("export", model, "--out", folder / "table.fits", "--overwrite"),
    ):
        result = run(*line)
        assert result.exit_code == 0, result.output
    (folder / "start.h5").write_bytes(model.read_bytes())
    with h5py.File(model) as file:
        assert file.attrs["schema_version"] == 2


def _write(folder, name, hdus):
    hdus.writeto(folder / name, overwrite=True)
