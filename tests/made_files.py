"""Small event lists and maps as FITS files: what the command line is tested with."""

import numpy as np
from astropy.io import fits

RA0, DEC0, PIXEL = 150.0, 2.2, 0.492
N = 1500


def event_hdus(
    *, n=N, ra=RA0, columns=("x", "y", "energy", "ccd_id"), wcs=True, name="EVENTS", **keywords
):
    """A small ACIS-I event list: a Gaussian on a flat field of 200 arcsec."""
    rng = np.random.default_rng(1)
    flat = n // 2
    xy = (
        np.concatenate([rng.uniform(-100, 100, (flat, 2)), rng.normal(0, 8, (n - flat, 2))]) / PIXEL
        + 4096.5
    )
    formats = {
        "x": ("1E", xy[:, 0]),
        "y": ("1E", xy[:, 1]),
        "energy": ("1E", rng.uniform(500, 2000, n)),
        "ccd_id": ("1I", np.full(n, 3)),
    }
    table = fits.BinTableHDU.from_columns(
        [fits.Column(c, formats[c][0], array=formats[c][1]) for c in columns], name=name
    )
    if wcs:
        for column, kind, value, step in (
            ("x", "RA---TAN", ra, -PIXEL / 3600),
            ("y", "DEC--TAN", DEC0, PIXEL / 3600),
        ):
            number = columns.index(column) + 1
            for key, setting in (
                ("TCTYP", kind),
                ("TCRVL", value),
                ("TCRPX", 4096.5),
                ("TCDLT", step),
                ("TCUNI", "deg"),
            ):
                table.header[f"{key}{number}"] = setting
    table.header.update(
        {
            "TELESCOP": "CHANDRA",
            "INSTRUME": "ACIS",
            "DETNAM": "ACIS-0123",
            "OBS_ID": "101",
            "EXPOSURE": 1000.0,
            **keywords,
        }
    )
    return fits.HDUList([fits.PrimaryHDU(), table])


def image_hdus(values, *, ra=RA0, step=2.0, unit="cm**2 s", **keywords):
    """An image about the field's centre, a fluximage or mkpsfmap product by its keywords."""
    ny, nx = values.shape
    hdu = fits.PrimaryHDU(values.astype(np.float32))
    for axis, kind, value, delta, size in (
        (1, "RA---TAN", ra, -step / 3600, nx),
        (2, "DEC--TAN", DEC0, step / 3600, ny),
    ):
        hdu.header.update(
            {
                f"CTYPE{axis}": kind,
                f"CRVAL{axis}": value,
                f"CRPIX{axis}": (size + 1) / 2,
                f"CDELT{axis}": delta,
                f"CUNIT{axis}": "deg",
            }
        )
    if unit:
        hdu.header["BUNIT"] = unit
    hdu.header.update(keywords)
    return fits.HDUList([hdu])


def flat(value):
    return np.full((104, 104), value)
