"""Make a background of a file: an image of it, smooth or of counts, or an event list."""

import warnings
from dataclasses import dataclass, replace

import numpy as np

from ..errors import DataError, DataWarning
from ..io.backgrounds import read_background
from ..model.background import Background
from ..model.photons import EventList
from ..plane.resample import map_means
from ..telescope.acis import chip_areas, exposed_fraction, normalised
from .background_amplitudes import photons_of
from .background_request import FIXED
from .selection import of_the_same

# Counts under the kernel that smooths single photons, which leave 3 per cent of noise, and the
# limits of the kernel's sigma [arcsec].
SMOOTHED_COUNTS, NARROWEST, WIDEST = 1000.0, 8.0, 128.0
# Fraction of the field that a file may leave out without a warning.
UNCOVERED = 0.02


@dataclass(frozen=True, eq=False, kw_only=True)
class _Measured:
    """A background as its file has it, on the grid of the completeness.

    Attributes
    ----------
    density : (ny, nx) array
        [photon / arcsec**2].
    known : (ny, nx) array
        Fraction of each cell that the file covers.
    is_counts : bool
        Whether the file holds single photons.
    ratio : float
        Exposure time of the observation over that of the file, if the amplitude is to be fixed.
    """

    density: np.ndarray
    known: np.ndarray
    is_counts: bool
    ratio: float


def background_of_file(one, recorded, completeness):
    """Make a background of a file.

    Parameters
    ----------
    one : BackgroundRequest
        A file.
    recorded : EventList or CountsImage
        Photons of the chosen chips and band, before any mask.
    completeness : Completeness
        With all masks.

    Returns
    -------
    backgrounds : tuple of Background
        One background.
    how : str
        How it was made.

    Raises
    ------
    DataError
        If the file cannot be a background of this observation.
    """
    found = read_background(one.what, frame=recorded.frame, physical=recorded.physical)
    grid, field = completeness.grid, completeness.exposure > 0
    if isinstance(found, EventList):
        measured = _of_events(one, found, recorded, grid)
    else:
        measured = _of_image(one, found, recorded, grid)
    covered = field & (measured.known > 0.5)
    total = float(measured.density[covered].sum() * grid.cell_area)
    _check_cover(one.what, total, 1 - covered.sum() / field.sum())
    exposed = exposed_fraction(completeness)
    density = np.where(covered, measured.density / np.maximum(measured.known, 0.5), 0.0)
    how = f"{total:,.0f} counts" if measured.is_counts else f"an image with a sum of {total:,.0f}"
    if measured.is_counts:
        chips = np.zeros(grid.shape, int)
        if recorded.photons.ccd is not None:
            chips = chip_areas(recorded, completeness)
        density, sigma = _smoothed(density, exposed, chips, covered, grid.step)
        how += f', smoothed on each chip with sigma {sigma:.0f}"' if sigma else ""
    filled = exposed * density[covered].sum() / max(exposed[covered].sum(), 1e-300)
    template, _ = normalised(np.where(field & ~covered, filled, density), completeness)
    made = Background(name=one.name, kind="file", template=template)
    if not one.fixed:
        return (made,), f"{how}, amplitude fitted"
    # It predicts the photons of the file where the file has a value, because smoothing keeps the
    # sum to a per cent or two only.
    ratio, seen = measured.ratio, float(template.values[covered].sum() * grid.cell_area)
    made = replace(made, amplitude=total / seen * ratio, fixed=True)
    scaled = f" times {ratio:.4g}, the ratio of EXPOSURE" if ratio != 1 else ""
    return (made,), f"{how}{scaled}, fixed at {photons_of(made, completeness):,.0f} photons"


def _of_events(one, found, recorded, grid):
    """Count the events of a background in the band and on the chips of an observation."""
    found = of_the_same(found, recorded)
    x, y = found.photons.x, found.photons.y
    if found.frame != recorded.frame:
        x, y = found.frame.to_frame(recorded.frame, x, y)
        good = np.isfinite(x) & np.isfinite(y)
        x, y = x[good], y[good]
    ratio = 1.0
    if one.fixed:
        ours, theirs = recorded.pointing.exposure_time, found.pointing.exposure_time
        if not (_is_time(ours) and _is_time(theirs)):
            raise DataError(
                f"{one.what}: its counts are scaled by EXPOSURE, which is not in the headers of "
                f"both files: fit its amplitude (without {FIXED})"
            )
        ratio = ours / theirs
    return _Measured(
        density=grid.histogram(x, y) / grid.cell_area,
        known=np.ones(grid.shape),
        is_counts=True,
        ratio=ratio,
    )


def _of_image(one, found, recorded, grid):
    """Bring an image of a background onto the grid of an observation.

    Single photons are scaled like those of an event list. An image that is smoothed or scaled is
    taken as it is.
    """
    image, unit = found.image, found.unit
    if one.fixed and not unit.is_counts:
        problem = "not counts per pixel" if unit.is_understood else "not understood as a unit"
        raise DataError(
            f"{one.what}: BUNIT {image.unit!r} is {problem}: "
            f"fit its amplitude (without {FIXED}), or correct the header"
        )
    if unit.arcsec is not None:
        raise DataError(
            f"{one.what}: BUNIT {image.unit!r} is that of a PSF map: give an image of the "
            "background with `background`, and this with `psf`",
            parameter="background",
        )
    if unit.exposure is not None:
        raise DataError(
            f"{one.what}: BUNIT {image.unit!r} is that of an exposure map: give an image of the "
            "background with `background`, and this with `exposure`",
            parameter="background",
        )
    times = recorded.pointing.exposure_time, found.exposure
    scales = one.fixed and found.is_counts and all(_is_time(t) for t in times)
    return _Measured(
        density=map_means(image.values, image.grid, grid) / image.grid.cell_area,
        known=map_means(found.known.astype(float), image.grid, grid),
        is_counts=found.is_counts,
        ratio=times[0] / times[1] if scales else 1.0,
    )


def _check_cover(path, total, missing):
    """Refuse a file that does not overlap the field, and warn if it leaves out a part of it."""
    if total <= 0:
        raise DataError(
            f"{path}: the background file does not overlap the field: is it of another pointing?"
        )
    if missing > UNCOVERED:
        warnings.warn(
            f"{path}: it does not cover {100 * missing:.1f} % of the field, "
            "which is filled with its mean",
            DataWarning,
            stacklevel=5,
        )


def _is_time(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0


def _smoothed(density, exposed, chips, covered, step):
    """Smooth counts within each chip, as a rate over the time that each place was on the chip.

    The density is ``t (G * counts) / (G * t)`` with the time t and a Gaussian G, so that edges
    and gaps neither darken nor spill.
    """
    # Imported here, because importing it takes a tenth of a second.
    from scipy.ndimage import gaussian_filter

    sigma = np.sqrt(SMOOTHED_COUNTS / (4 * np.pi * density[covered].mean()))
    sigma = float(np.clip(sigma, max(NARROWEST, step), WIDEST))
    smooth = np.zeros(density.shape)
    for chip in np.unique(chips[covered]):
        area = covered & (chips == chip)
        rows, columns = (np.flatnonzero(area.any(axis)) for axis in (1, 0))
        part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        counts, time = (
            gaussian_filter(np.where(area, values, 0.0)[part], sigma / step, mode="constant")
            for values in (density, exposed)
        )
        smooth[part] += np.where(area[part], exposed[part] * counts / np.maximum(time, 1e-9), 0.0)
    return smooth, sigma
