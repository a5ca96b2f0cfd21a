"""Source lists like those of CIAO's wavdetect, which DS9 overlays and region readers read.

The table SRCLIST has positions, counts and ellipses. Its columns are those of wavdetect
(https://cxc.cfa.harvard.edu/ciao/ahelp/wavdetect.html) and of the CXC's convention for FITS
regions: X and Y in physical pixels, with TAN keywords of their own, SHAPE, R and ROTANG.
"""

import numpy as np
from astropy.io import fits
from astropy.table import Table

from ..model.psf import region_radii
from ..plane.frame import PhysicalFrame, SkyFrame
from ..plane.wcs import column_cards

# Sky pixels of a plane without physical coordinates: the plane itself.
PLANE = {"x0": 0.0, "y0": 0.0, "step_x": 1.0, "step_y": 1.0}
HEADER = {
    "HDUCLASS": "ASC",
    "HDUCLAS1": "REGION",
    "MTYPE1": "pos",
    "MFORM1": "X,Y",
    "MTYPE2": "EQSRC",
    "MFORM2": "RA,DEC",
}


def source_radii(table: Table) -> np.ndarray:
    """Return the radii of circles that hold the photons of point sources.

    Parameters
    ----------
    table : astropy.table.Table
        Components, with the radius psf_r90 [arcsec].

    Returns
    -------
    (n,) array
        [arcsec].
    """
    return region_radii(np.array(table["psf_r90"]))


def source_list(table: Table) -> fits.BinTableHDU | None:
    """Return the point sources of a component table as a SRCLIST extension.

    Parameters
    ----------
    table : astropy.table.Table
        As from `answers.components.component_table`. Point sources have no size.

    Returns
    -------
    astropy.io.fits.BinTableHDU or None
        None if the table has no point source, or no place on the sky.
    """
    rows = table[np.array(table["sigma_major"]) == 0]
    frame = table.meta.get("frame")
    if len(rows) == 0 or frame is None:
        return None
    physical = PhysicalFrame(**(table.meta.get("physical") or PLANE))
    columns = [
        fits.Column(name, form, unit, array=np.array(values))
        for name, form, unit, values in (
            *_positions(rows, physical),
            *_counts(rows),
            *_regions(rows, physical),
        )
    ]
    hdu = fits.BinTableHDU.from_columns(columns, name="SRCLIST")
    plane = SkyFrame(frame["ra0"], frame["dec0"], frame["radesys"])
    numbers = tuple(hdu.columns.names.index(name) + 1 for name in ("X", "Y"))
    hdu.header.update(column_cards(plane, physical, numbers))
    hdu.header.update(**HEADER)
    return hdu


def _positions(rows, physical):
    """Columns of positions on the sky and in physical pixels, with their errors."""
    x, y = physical.to_physical(np.array(rows["x"]), np.array(rows["y"]))
    cosine = np.cos(np.radians(np.array(rows["dec"])))
    plane_errors = np.array([rows["x_error"], rows["y_error"]], np.float64)
    errors = np.sqrt(np.linalg.inv(physical.matrix) ** 2 @ plane_errors**2)
    return (
        ("RA", "D", "deg", rows["ra"]),
        ("DEC", "D", "deg", rows["dec"]),
        ("RA_ERR", "D", "deg", rows["x_error"] / cosine / 3600),
        ("DEC_ERR", "D", "deg", rows["y_error"] / 3600),
        ("X", "D", "pixel", x),
        ("Y", "D", "pixel", y),
        ("X_ERR", "D", "pixel", errors[0]),
        ("Y_ERR", "D", "pixel", errors[1]),
    )


def _counts(rows):
    """Columns of detected photons and fluxes, with their errors."""
    observed = np.array(rows["observed_fraction"])
    return (
        ("NET_COUNTS", "D", "count", rows["photons"] * observed),
        ("NET_COUNTS_ERR", "D", "count", rows["photons_error"] * observed),
        ("FLUX", "D", "photon cm**-2 s**-1", rows["flux"]),
        ("FLUX_ERR", "D", "photon cm**-2 s**-1", rows["flux_error"]),
    )


def _regions(rows, physical):
    """Columns of circles that hold the photons, as ellipses."""
    radius = source_radii(rows) / np.sqrt(physical.pixel_area)
    return (
        ("SHAPE", "16A", None, np.full(len(rows), "ellipse")),
        ("R", "2D", "pixel", np.stack([radius, radius], axis=1)),
        ("ROTANG", "D", "deg", np.zeros(len(rows))),
        ("COMPONENT", "J", None, np.arange(1, len(rows) + 1)),
    )
