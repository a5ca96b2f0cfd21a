"""Chips of ACIS: readout, and the time that each place was on a chip.

All of it is inferred from the exposure map, the photons and the facts of the pointing, in sky
coordinates. The numbers of an instrument are in `instruments`.
"""

import numpy as np

from ..errors import InputError
from ..model.completeness import Completeness
from ..model.photons import EventList
from ..model.pointing import Pointing
from ..plane.grid import SkyImage
from .instruments import instrument_of
from .outlines import chip_outline

# How far the dither carries the edge of a chip, peak to peak [arcsec].
DITHER = 16.0
# This fraction of all columns is taken to have no source in them.
SOURCE_FREE = 0.25
# No value of a template is less than this fraction of its mean, because each photon that was
# recorded must have been possible.
LEAST = 1e-3


def exposed_fraction(completeness: Completeness) -> np.ndarray:
    """Return the fraction of the time that each place was on a chip, without the vignetting.

    ``t(x) = exposure(x) / max exposure within the dither``, because vignetting changes by about a
    per cent over that distance, and time from nothing to all of it. On the ray-traced galaxy the
    error is 1.3 % rms; it is 17 % if the field is taken to be exposed all the time. An exposure in
    seconds is the time itself.

    Parameters
    ----------
    completeness : Completeness

    Returns
    -------
    (ny, nx) array
        Between 0 and 1.
    """
    # Imported here because it takes 0.1 s.
    from scipy.ndimage import maximum_filter

    exposure = completeness.exposure
    if completeness.unit == "s":
        return exposure / exposure.max()
    reach = round(float(DITHER * 0.75 / completeness.grid.step))
    if reach < 1:
        return (exposure > 0).astype(float)
    highest = maximum_filter(exposure, size=2 * reach + 1, mode="constant")
    return np.where(exposure > 0, exposure / np.where(highest > 0, highest, 1.0), 0.0)


def vignetting_spread(completeness: Completeness) -> float:
    """Return the relative spread of the vignetting over the open field.

    Without spread, the background of the sky and that of particles have the same template.

    Parameters
    ----------
    completeness : Completeness
    """
    time, omega = exposed_fraction(completeness), completeness.effective
    seen = omega > 0
    if not seen.any():
        return 0.0
    ratio = completeness.exposure[seen] / time[seen]
    weight = (time * completeness.open_fraction)[seen]
    mean = np.average(ratio, weights=weight)
    return float(np.sqrt(np.average((ratio - mean) ** 2, weights=weight)) / mean)


def chip_areas(events: EventList, completeness: Completeness) -> np.ndarray:
    """Return the chip that each cell of the field belongs to.

    A cell belongs to the chip in whose outline it lies deepest. The outlines are those of the
    photons of the chips.

    Parameters
    ----------
    events : EventList
        Photons with chips, which no mask has cut.
    completeness : Completeness

    Returns
    -------
    (ny, nx) array of int
        -1 outside the field, and everywhere if the photons have no chips.
    """
    x, y = completeness.grid.centres()
    owner, deepest = np.full(x.shape, -1), np.full(x.shape, -np.inf)
    photons = events.photons
    for chip in () if photons.ccd is None else np.unique(photons.ccd):
        on = photons.ccd == chip
        outline = chip_outline(photons.x[on], photons.y[on], completeness.grid.step)
        depth = np.full(x.shape, np.inf)
        for start, end in zip(outline, np.roll(outline, -1, axis=0), strict=True):
            normal = np.array([end[1] - start[1], start[0] - end[0]]) / np.hypot(*(end - start))
            depth = np.minimum(depth, normal @ start - normal[0] * x - normal[1] * y)
        nearer = depth > deepest
        owner[nearer], deepest[nearer] = chip, depth[nearer]
    return np.where(completeness.exposure > 0, owner, -1)


def readout_angle(pointing: Pointing, chip: int) -> float | None:
    """Return the direction in which a chip of ACIS is read out.

    The columns of ACIS-I (chips 0 to 3) run along DETX, at a position angle of 90 degrees minus
    the roll. Those of ACIS-S (chips 4 to 9) run along DETY, at minus the roll. So CHIPY runs in X
    and Y of the events of ObsID 755 (roll 236.75, CHIPY at 123.22) and of ray-traced events (rolls
    40 and 163, CHIPY at 50 and 107).

    Parameters
    ----------
    pointing : Pointing
    chip : int

    Returns
    -------
    float or None
        Angle counter-clockwise from the plane's y [deg]; None if it is not known.

    Examples
    --------
    >>> from gmmx.model.pointing import Pointing
    >>> readout_angle(Pointing(telescope="CHANDRA", instrument="ACIS", roll=40.0), 3)
    50.0
    """
    roll = pointing.nominal_roll if pointing.roll is None else pointing.roll
    if roll is None or instrument_of(pointing).transfer_time is None:
        return None
    return (90.0 if chip < 4 else 0.0) - roll


def streak_fraction(pointing: Pointing) -> float:
    """Return the fraction of all photons that arrive while a frame is moved into the store.

    Parameters
    ----------
    pointing : Pointing
        If the time of a frame is not known, it is the usual one of the instrument.

    Raises
    ------
    InputError
        If the times of the instrument's readout are not known.

    Examples
    --------
    >>> from gmmx.model.pointing import Pointing
    >>> pointing = Pointing(telescope="CHANDRA", instrument="ACIS", frame_time=3.2)
    >>> round(streak_fraction(pointing), 5)
    0.01265
    """
    instrument, frame = instrument_of(pointing), pointing.frame_time
    frame = instrument.frame_time if frame is None or frame <= 0 else frame
    if frame is None or instrument.transfer_time is None:
        raise InputError(f"the readout of {instrument.name} is not known")
    return instrument.transfer_time / (frame + instrument.transfer_time)


def streak_template(events: EventList, completeness: Completeness) -> tuple[SkyImage, float]:
    """Return the template of the photons that arrive during the readout.

    A photon of a column is as likely to be read out at any place along it. So the photons of each
    chip are counted in strips along its columns and spread evenly over their length. The part that
    all columns have in common is subtracted, because it cannot be separated from the other
    backgrounds and is included in them. A source that fills the chips counts as common, too.

    Parameters
    ----------
    events : EventList
        Photons with chips, which no mask has cut, because a masked source has a streak outside
        its mask.
    completeness : Completeness

    Returns
    -------
    template : SkyImage
        Of mean 1 over the field.
    mean : float
        Mean density if all photons arrived during the readout [photon / arcsec**2].

    Raises
    ------
    InputError
        If the direction of the readout is not known.
    """
    angles = _readout_angles(events)
    grid, owner = completeness.grid, chip_areas(events, completeness)
    (x, y), photons = grid.centres(), events.photons
    density = np.zeros(grid.shape)
    for chip, angle in angles.items():
        mine, on = owner == chip, photons.ccd == chip
        if not mine.any():
            continue
        c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        corners = chip_outline(photons.x[on], photons.y[on], grid.step)
        along, across = corners @ [-s, c], corners @ [c, s]
        n = max(1, int(np.ptp(across) / grid.step))
        edges = np.linspace(across.min(), across.max(), n + 1)
        counts = np.histogram(c * photons.x[on] + s * photons.y[on], edges)[0]
        excess = np.maximum(counts - np.quantile(counts, SOURCE_FREE), 0.0)
        strip = np.clip(np.searchsorted(edges, c * x[mine] + s * y[mine]) - 1, 0, n - 1)
        density[mine] = excess[strip] / (np.ptp(along) * (edges[1] - edges[0]))
    return normalised(density, completeness)


def _readout_angles(events):
    """Return the direction of the readout of each chip that recorded photons."""
    ccd = events.photons.ccd
    chips = [] if ccd is None else np.unique(ccd)
    angles = {int(chip): readout_angle(events.pointing, int(chip)) for chip in chips}
    is_continuous = events.pointing.read_mode.upper().startswith("CONT")
    if not angles or None in angles.values() or is_continuous:
        raise InputError(
            "background streak: it takes ACIS events in timed exposures, with CCD_ID and "
            "ROLL_PNT: leave it out"
        )
    return angles


def normalised(density: np.ndarray, completeness: Completeness) -> tuple[SkyImage, float]:
    """Return a map of mean 1 over the field, and the mean that it had.

    Parameters
    ----------
    density : (ny, nx) array
        On the grid of the completeness.
    completeness : Completeness

    Returns
    -------
    template : SkyImage
        At least `LEAST` inside the field, 0 outside.
    mean : float

    Raises
    ------
    InputError
        If the mean is not positive.
    """
    field = completeness.exposure > 0
    mean = float(density[field].mean())
    if not mean > 0:
        raise InputError("a background has no photon in the field: leave it out")
    values = np.where(field, np.maximum(density / mean, LEAST), 0.0)
    return SkyImage(grid=completeness.grid, values=values), mean
