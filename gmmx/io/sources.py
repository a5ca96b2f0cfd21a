"""Source lists in the shape of CIAO's wavdetect: a FITS table SRCLIST of positions, counts and ellipses, which DS9 overlays and region readers read.

Columns after the wavdetect output (https://cxc.cfa.harvard.edu/ciao/ahelp/wavdetect.html) and the FITS region convention of CXC: X and Y in physical pixels,
with their own TAN keywords, SHAPE, R and ROTANG.
"""

import numpy as np
from astropy.io import fits

from ..model.psf import region_radii
from ..plane.frame import PhysicalFrame


def source_radii(table):
    """Radii of circles that hold what there is of the point sources of a component table, (n,) [arcsec]."""
    return region_radii(np.array(table["psf_r90"]))


def source_list(table):
    """The point sources of a component table as a SRCLIST extension; None where it has none, or no place on the sky.

    Parameters
    ----------
    table : astropy.table.Table
        As `gmmx.report.component_table` makes it; its point sources have no size.

    Returns
    -------
    astropy.io.fits.BinTableHDU or None
    """
    rows = table[np.array(table["sigma_major"]) == 0]
    frame = table.meta.get("frame")
    if len(rows) == 0 or frame is None:
        return None
    physical = PhysicalFrame(
        **(table.meta.get("physical") or {"x0": 0.0, "y0": 0.0, "step_x": 1.0, "step_y": 1.0})
    )
    x, y = physical.to_physical(np.array(rows["x"]), np.array(rows["y"]))
    step = np.sqrt(abs(physical.step_x * physical.step_y))
    radius = source_radii(rows) / step
    shares, declination = np.array(rows["observed_fraction"]), np.radians(np.array(rows["dec"]))
    columns = [
        ("RA", "D", "deg", rows["ra"]),
        ("DEC", "D", "deg", rows["dec"]),
        ("RA_ERR", "D", "deg", rows["x_error"] / np.cos(declination) / 3600),
        ("DEC_ERR", "D", "deg", rows["y_error"] / 3600),
        ("X", "D", "pixel", x),
        ("Y", "D", "pixel", y),
        ("X_ERR", "D", "pixel", rows["x_error"] / abs(physical.step_x)),
        ("Y_ERR", "D", "pixel", rows["y_error"] / abs(physical.step_y)),
        ("NET_COUNTS", "D", "count", rows["photons"] * shares),
        ("NET_COUNTS_ERR", "D", "count", rows["photons_error"] * shares),
        ("FLUX", "D", "photon cm**-2 s**-1", rows["flux"]),
        ("FLUX_ERR", "D", "photon cm**-2 s**-1", rows["flux_error"]),
        ("SHAPE", "16A", None, np.full(len(rows), "ellipse")),
        ("R", "2D", "pixel", np.stack([radius, radius], axis=1)),
        ("ROTANG", "D", "deg", np.zeros(len(rows))),
        ("COMPONENT", "J", None, np.arange(1, len(rows) + 1)),
    ]
    made = [
        fits.Column(name, form, unit, array=np.array(values))
        for name, form, unit, values in columns
    ]
    hdu = fits.BinTableHDU.from_columns(made, name="SRCLIST")
    for i, (sign, kind, value, pixel, size) in enumerate(
        (
            (-1, "RA---TAN", frame["ra0"], physical.x0, physical.step_x),
            (1, "DEC--TAN", frame["dec0"], physical.y0, physical.step_y),
        ),
        start=5,
    ):
        hdu.header.update(
            {
                f"TCTYP{i}": kind,
                f"TCRVL{i}": value,
                f"TCRPX{i}": pixel,
                f"TCDLT{i}": sign * size / 3600,
                f"TCUNI{i}": "deg",
            }
        )
    hdu.header.update(
        RADESYS=frame["radesys"],
        HDUCLASS="ASC",
        HDUCLAS1="REGION",
        MTYPE1="pos",
        MFORM1="X,Y",
        MTYPE2="EQSRC",
        MFORM2="RA,DEC",
    )
    return hdu
