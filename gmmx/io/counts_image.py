"""Counts images: FITS images whose pixels hold photons, as fluximage and dmcopy write them, read as event lists of pixels.

A pixel that holds n photons is one row of weight n at its centre; pixels without photons are no rows.
"""

import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import DataError, DataWarning
from ..model.photons import CountsImage, Photons
from ..model.pointing import InputFile, Pointing
from ..plane.frame import PhysicalFrame
from ._plane import own_plane, physical_axes
from ._read import file_digest, fits_stream, headers, reading
from .events import WAY_OUT, file_keywords, is_events, recorded_energy_band
from .maps import read_image

# An image that nowhere reaches this holds no counts: the faintest has a pixel with a photon in it.
LEAST_COUNT = 1e-3
# How much longer than wide a pixel may be [share].
SQUARE = 0.01


def is_counts_image(file):
    """Return whether a file holds an image and no table of events.

    Parameters
    ----------
    file : FileArgument

    Raises
    ------
    DataError
        If the file is not there or not FITS.
    """
    has_image = False
    with fits_stream(file.path, way_out=WAY_OUT) as stream, reading(file.path):
        for header, _ in headers(stream):
            if is_events(header):
                return False
            has_image |= _is_image(header)
    return has_image


def _is_image(header):
    if header.get("XTENSION", "IMAGE").strip() != "IMAGE" and not header.get("ZIMAGE", False):
        return False
    axes = "ZNAXIS" if header.get("ZIMAGE", False) else "NAXIS"
    return header.get(axes, 0) >= 2 and all(header[f"{axes}{i}"] > 0 for i in (1, 2))


def read_counts(path):
    """Read the photons of a counts image.

    Parameters
    ----------
    path : str or Path
        A FITS file, gzipped or not, whose first two-dimensional image holds counts.

    Returns
    -------
    CountsImage
        One row for each pixel that is not zero. Its `pointing` holds the keywords that
        `read_events` finds, and the band and the chips of the image if the header tells them.

    Raises
    ------
    DataError
        When the file is not there, not FITS or truncated; when the image cannot hold counts (negative, NaN, a flux, an exposure or PSF map), is zero
        everywhere, has no celestial WCS, or pixels that are not square.

    Warns
    -----
    DataWarning
        When there are other than whole numbers in it.
    """
    image = read_image(path)
    _check_counts(image)
    frame, grid = own_plane(image)
    sides = np.hypot(*grid.matrix)
    if abs(sides[0] / sides[1] - 1) > SQUARE:
        raise DataError(
            f"{path}: its pixels are not square ({sides[0]:.3g} by {sides[1]:.3g} arcsec): bin the events anew"
        )
    pointing = Pointing.from_keywords(file_keywords(image.header, image.header))
    iy, ix = np.nonzero(image.values)
    x, y = grid.to_plane(ix, iy)
    return CountsImage(
        frame=frame,
        physical=_physical_frame(image, grid),
        photons=Photons(x, y, weights=image.values[iy, ix], pixel=float(grid.step)),
        pixels=grid,
        pointing=replace(
            pointing,
            file_name=Path(path).name,
            n_rows=len(x),
            recorded_band_kev=_recorded_band(image, pointing),
            recorded_chips=_recorded_chips(image.header),
            inputs=(InputFile("events", str(path), file_digest(path)),),
        ),
    )


def _check_counts(image):
    """Refuse what cannot be counts, and name what may not be."""
    path, values, unit = image.path, image.values, image.text("BUNIT")
    give = "give the counts image (fluximage calls it .img) or the event list"
    text = unit.lower()
    if image.number("ECF") is not None or text in ("arcsec", "logical", "physical"):
        raise DataError(
            f"{path}: this is a PSF map (BUNIT {unit!r}, ECF {image.text('ECF')}): {give}, and this with --psf"
        )
    per_area = re.search(r"/\s*\(?\s*cm|cm\s*(\*\*|\^)?\s*\(?\s*-\s*2", text)
    if per_area or re.search(r"/\s*\(?\s*s\b|\bs(ec)?\s*(\*\*|\^)?\s*\(?\s*-\s*1", text):
        raise DataError(
            f"{path}: BUNIT {unit!r} is that of a flux or rate image, which does not follow Poisson's law: {give}, and the exposure with --exposure"
        )
    if (
        re.search(r"cm\s*(\*\*|\^)?\s*\(?\s*2", text)
        or image.text("CONTENT").upper() == "EXP"
        or image.text("HDUCLAS2").upper() == "EXPOSURE"
    ):
        raise DataError(
            f"{path}: this is an exposure map (BUNIT {unit!r}): {give}, and this with --exposure"
        )
    n_nan = int(np.count_nonzero(~np.isfinite(values)))
    if n_nan:
        raise DataError(
            f"{path}: {n_nan} of {values.size} pixels are not finite: a counts image holds 0 where there is no photon: {give}"
        )
    if values.min() < 0:
        raise DataError(
            f"{path}: counts cannot be negative, these reach {values.min():.4g}: is a background subtracted? {give}"
        )
    peak = float(values.max())
    if peak == 0:
        raise DataError(f"{path}: the image is zero everywhere: there is nothing to fit")
    if peak < LEAST_COUNT:
        raise DataError(f"{path}: values of at most {peak:.3g} are no counts but a flux: {give}")
    broken = values[values != np.round(values)]
    if len(broken):
        message = f"{path}: {len(broken)} pixels hold other than whole numbers, such as {broken[0]:.4g}: is it smoothed, or divided by an exposure?"
        warnings.warn(
            f"{message} The fit takes them for counts, and its errors for theirs",
            DataWarning,
            stacklevel=3,
        )


def _recorded_band(image, pointing):
    """The band [keV] that ENERGYLO and ENERGYHI, ENERG_LO and ENERG_HI, or else the data subspace keywords tell; None where none does."""
    for names in (("ENERGYLO", "ENERGYHI"), ("ENERG_LO", "ENERG_HI")):
        low, high = (image.number(name) for name in names)
        if low is not None and high is not None and 0 <= low < high:
            return low, high
    return recorded_energy_band(image.header, pointing)


def _recorded_chips(header):
    """The chips that the data subspace keywords tell, over all components of the subspace; None where they do not."""
    for key, value in header.items():
        match = re.fullmatch(r"DSTYP(\d+)", key)
        if match and str(value).strip().lower() == "ccd_id":
            texts = [str(v) for k, v in header.items() if re.fullmatch(rf"\d*DSVAL{match[1]}", k)]
            ranges = [
                re.fullmatch(r"\s*(\d+)(?::(\d+))?\s*", part)
                for text in texts
                for part in text.split(",")
            ]
            if ranges and None not in ranges:
                return sorted(
                    {chip for r in ranges for chip in range(int(r[1]), int(r[2] or r[1]) + 1)}
                )
    return None


def _physical_frame(image, grid):
    """The telescope's sky pixels in the plane; the image's own, from 1, where its header has none, and None where the image is turned."""
    if not grid.is_aligned:
        return None
    axes = physical_axes(image) or ((1.0, 1.0), (1.0, 1.0))
    steps = [grid.matrix[i, i] / step for i, (_, step) in enumerate(axes)]
    zeros = [
        first - origin / step
        for (first, _), origin, step in zip(axes, grid.origin, steps, strict=True)
    ]
    return PhysicalFrame(*(float(v) for v in (*zeros, *steps)))
