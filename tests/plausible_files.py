"""One good observation of a small ACIS-I as files, and the changes that make it wrong.

The telescope has four chips of 502" with gaps, a dither of 8", a roll of 30 degrees, vignetting, a
PSF that grows off axis, and a list of masks. `make_good` writes the files; a test changes one.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits

from gmmx.reading.doubts.psf import ANGLES, RADII

RA, DEC, ROLL, PIXEL, TIME = 150.0, 2.2, 30.0, 0.492, 20_000.0
SIDE, GAP, DITHER, STEP, CELLS = 502.0, 11.0, 8.0, 3.936, 380
AREA = 400.0
CENTRES = [(i * (SIDE + GAP) / 2, j * (SIDE + GAP) / 2) for j in (1, -1) for i in (-1, 1)]
SOURCES = [(120.0 * i - 200, 105.0 * j - 120 + 21 * i) for i in range(4) for j in range(3)]


@dataclass(frozen=True)
class Good:
    """The files of the observation."""

    folder: Path

    @property
    def events(self):
        return self.folder / "evt2.fits"

    @property
    def exposure(self):
        return self.folder / "expmap.fits"

    @property
    def psf(self):
        return self.folder / "psfmap.fits"

    @property
    def image(self):
        return self.folder / "counts.img"

    @property
    def mask(self):
        return self.folder / "sources.reg"

    @property
    def options(self):
        """The options of a good reading of the event list."""
        return {
            "exposure": str(self.exposure),
            "psf": str(self.psf),
            "mask": str(self.mask),
            "energy_kev": (0.5, 2),
        }


def chip_of(x, y, dither=(0.0, 0.0), roll=ROLL):
    """The chip under positions [arcsec] at one moment of the dither, -1 beside all chips."""
    c, s = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    u, v = x * c - y * s - dither[0], x * s + y * c - dither[1]
    chip = np.full(np.shape(x), -1)
    for number, (cu, cv) in enumerate(CENTRES):
        chip[(np.abs(u - cu) < SIDE / 2) & (np.abs(v - cv) < SIDE / 2)] = number
    return chip


def vignetting(x, y):
    return 1 - 0.2 * (np.hypot(x, y) / 500) ** 2


def drawn_photons(seed=1, n_sky=6000, n_source=2500, roll=ROLL, chips=(0, 1, 2, 3)):
    """Columns of an event list: a flat sky, a Gaussian of 25" and 12 point sources."""
    rng = np.random.default_rng(seed)
    n = round(n_sky * 1.7)
    x, y = rng.uniform(-730, 730, (2, n))
    gx, gy = rng.normal(0, 25, (2, n_source)) + [[-60.0], [80.0]]
    px, py = (np.repeat(v, 40) for v in np.array(SOURCES).T)
    px, py = px + rng.normal(0, 0.8, len(px)), py + rng.normal(0, 0.8, len(py))
    x, y = np.concatenate([x, gx, px]), np.concatenate([y, gy, py])
    time = rng.uniform(0, TIME, len(x))
    dither = DITHER * np.sin(2 * np.pi * time / 1000), DITHER * np.cos(2 * np.pi * time / 707.1)
    chip = chip_of(x, y, dither, roll)
    keep = np.isin(chip, chips) & (rng.random(len(x)) < vignetting(x, y))
    order = np.flatnonzero(keep)[np.argsort(time[keep])]
    return {
        "time": 1e8 + time[order],
        "ccd_id": chip[order],
        "x": (x[order] / PIXEL + 4096.5).astype(np.float32),
        "y": (y[order] / PIXEL + 4096.5).astype(np.float32),
        "energy": rng.uniform(500, 2000, len(order)).astype(np.float32),
    }


def keywords(**changes):
    """The keywords that all files of the observation share."""
    return {
        "TELESCOP": "CHANDRA",
        "INSTRUME": "ACIS",
        "DETNAM": "ACIS-0123",
        "OBS_ID": "4321",
        "OBJECT": "Good",
        "DATE-OBS": "2009-07-02T09:00:00",
        "DATE-END": "2009-07-02T14:33:20",
        "EXPOSURE": TIME,
        "LIVETIME": TIME,
        "ONTIME": TIME,
        "TSTART": 1e8,
        "TSTOP": 1e8 + TIME,
        "RA_PNT": RA,
        "DEC_PNT": DEC,
        "ROLL_PNT": ROLL,
        "SIM_Z": -233.59,
        "ASOLFILE": "pcadf04321_asol1.fits",
        **changes,
    }


def write_events(path, columns, *, ra=RA, dec=DEC, **changes):
    """Write an event list of columns, with keywords that are changed."""
    formats = {"time": "1D", "ccd_id": "1I", "x": "1E", "y": "1E", "energy": "1E"}
    table = fits.BinTableHDU.from_columns(
        [fits.Column(name, formats[name], array=values) for name, values in columns.items()],
        name="EVENTS",
    )
    for name, kind, value, step in (("x", "RA---TAN", ra, -PIXEL), ("y", "DEC--TAN", dec, PIXEL)):
        number = list(columns).index(name) + 1
        for key, setting in (
            ("TCTYP", kind),
            ("TCRVL", value),
            ("TCRPX", 4096.5),
            ("TCDLT", step / 3600),
            ("TCUNI", "deg"),
        ):
            table.header[f"{key}{number}"] = setting
    table.header.update(keywords(**changes))
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path, overwrite=True)
    return path


def write_image(path, values, *, step=STEP, ra=RA, dec=DEC, **changes):
    """Write an image about the pointing, with celestial and physical coordinates."""
    hdu = fits.PrimaryHDU(np.asarray(values, np.float32))
    ny, nx = values.shape
    for axis, kind, value, delta, size in (
        (1, "RA---TAN", ra, -step / 3600, nx),
        (2, "DEC--TAN", dec, step / 3600, ny),
    ):
        hdu.header.update(
            {
                f"CTYPE{axis}": kind,
                f"CRVAL{axis}": value,
                f"CRPIX{axis}": (size + 1) / 2,
                f"CDELT{axis}": delta,
                f"CUNIT{axis}": "deg",
                f"CRPIX{axis}P": (size + 1) / 2,
                f"CRVAL{axis}P": 4096.5,
                f"CDELT{axis}P": step / PIXEL,
            }
        )
    hdu.header.update({k: v for k, v in keywords(**changes).items() if v is not None})
    hdu.writeto(path, overwrite=True)
    return path


def positions(cells=CELLS, step=STEP):
    """Centres of the pixels of a map [arcsec]."""
    along = (np.arange(cells) - (cells - 1) / 2) * step
    return np.meshgrid(along, along)


def exposure_values(roll=ROLL, chips=(0, 1, 2, 3), moved=(0.0, 0.0)):
    """The exposure [cm**2 s] of the pixels of a map."""
    x, y = positions()
    x, y = x - moved[0], y - moved[1]
    c, s = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    u, v, share = x * c - y * s, x * s + y * c, 0.0
    for number in chips:
        along, across = (
            _time_within(w - centre) for w, centre in zip((u, v), CENTRES[number], strict=True)
        )
        share = share + along * across
    return share * vignetting(x, y) * AREA * TIME


def _time_within(offset):
    """The part of the time that a place is on a chip, by its offset from the chip's centre."""
    low, high = (
        0.5 + np.arcsin(np.clip((offset + edge) / DITHER, -1, 1)) / np.pi
        for edge in (-SIDE / 2, SIDE / 2)
    )
    return high - low


def psf_radii():
    """Radii that hold 0.393 of the PSF [arcsec]."""
    return np.interp(np.hypot(*positions()) / 60, ANGLES, RADII[0])


def counts_of(columns):
    """Photons in the pixels of a map."""
    ix, iy = (
        np.floor((np.float64(columns[k]) - 4096.5) * PIXEL / STEP + CELLS / 2).astype(int)
        for k in "xy"
    )
    return np.bincount(iy * CELLS + ix, minlength=CELLS**2).reshape(CELLS, CELLS)


def write_mask(path, moved=(0.0, 0.0), radius=4.0):
    """Write circles in physical coordinates around the point sources."""
    lines = [
        f"circle({(x + moved[0]) / PIXEL + 4096.5},{(y + moved[1]) / PIXEL + 4096.5},"
        f"{radius / PIXEL})"
        for x, y in SOURCES
    ]
    path.write_text("physical\n" + "\n".join(lines) + "\n")
    return path


def make_good(folder):
    """Write the files of the good observation."""
    good, columns = Good(Path(folder)), drawn_photons()
    write_events(good.events, columns)
    write_image(
        good.exposure, exposure_values(), BUNIT="cm**2 s", ENERG_LO=0.5, ENERG_HI=2.0, CONTENT="EXP"
    )
    write_image(good.psf, psf_radii(), BUNIT="arcsec", ECF=0.393, ENERGY=1.0)
    write_image(good.image, counts_of(columns), ENERGYLO=0.5, ENERGYHI=2.0)
    write_mask(good.mask)
    return good
