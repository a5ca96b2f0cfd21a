"""What the chips do to a background: how long each place was on one, which one, and the columns along which it is read out.

All of this is worked out from the exposure map and the photons themselves, in sky coordinates.
"""

import numpy as np

from ..errors import InputError
from ..plane.grid import SkyImage
from .footprint import chip_outline

# Chips of ACIS that are illuminated from behind: S1 and S3.
BACK_ILLUMINATED = (5, 7)
# How far the dither carries the edge of a chip, peak to peak [arcsec].
DITHER = 16.0
# Time that ACIS takes to move a frame into its store, and the time that it collects one where the file does not say [s].
TRANSFER, FRAME = 0.041, 3.2
# Columns that lie below this share of all columns have no source in them.
_SOURCE_FREE = 0.25
# A shape is nowhere less than this part of its mean: where a photon fell, one must have been possible.
LEAST = 1e-3


def time_share(completeness):
    """The share of the time that each place was on a chip, (ny, nx): what dithering makes of gaps and edges, without the mirrors' vignetting.

    ``t(x) = exposure(x) / max exposure within the dither``: vignetting changes by a per cent over that distance, the time from nothing to all of it. On the
    ray-traced galaxy it errs by 1.3 % rms, a field that is taken to be exposed all the time by 17 %. An exposure in seconds is the time itself.
    """
    # Loaded where it is needed: that takes a tenth of a second.
    from scipy.ndimage import maximum_filter

    exposure = completeness.exposure
    if completeness.unit == "s":
        return exposure / exposure.max()
    reach = round(float(DITHER * 0.75 / completeness.grid.step))
    if reach < 1:
        return (exposure > 0).astype(float)
    highest = maximum_filter(exposure, size=2 * reach + 1, mode="constant")
    return np.where(exposure > 0, exposure / np.where(highest > 0, highest, 1.0), 0.0)


def vignetting_spread(completeness):
    """Relative spread of the vignetting over the open field: how much the sky's shape differs from that of particles."""
    share, omega = time_share(completeness), completeness.effective
    seen = omega > 0
    if not seen.any():
        return 0.0
    ratio, weight = (
        completeness.exposure[seen] / share[seen],
        (share * completeness.open_fraction)[seen],
    )
    mean = np.average(ratio, weights=weight)
    return float(np.sqrt(np.average((ratio - mean) ** 2, weights=weight)) / mean)


def chip_areas(events, completeness):
    """The chip that each cell of the field belongs to, (ny, nx) integers; -1 outside the field.

    A cell belongs to the chip in whose outline it lies deepest; the outlines are those of the chips' photons.

    Parameters
    ----------
    events : EventList
        With chips; photons that no mask has cut.
    completeness : Completeness
    """
    x, y = completeness.grid.centres()
    owner, deepest = np.full(x.shape, -1), np.full(x.shape, -np.inf)
    for chip in np.unique(events.photons.ccd):
        on = events.photons.ccd == chip
        outline = chip_outline(events.photons.x[on], events.photons.y[on], completeness.grid.step)
        depth = np.full(x.shape, np.inf)
        for start, end in zip(outline, np.roll(outline, -1, axis=0), strict=True):
            normal = np.array([end[1] - start[1], start[0] - end[0]]) / np.hypot(*(end - start))
            depth = np.minimum(depth, normal @ start - normal[0] * x - normal[1] * y)
        nearer = depth > deepest
        owner[nearer], deepest[nearer] = chip, depth[nearer]
    return np.where(completeness.exposure > 0, owner, -1)


def readout_angle(metadata, chip):
    """The direction in which a chip of ACIS is read out, counter-clockwise from the plane's y [deg]; None where it is not known.

    The columns of ACIS-I's chips 0 to 3 run along DETX, at a position angle of 90 degrees less the roll, those of ACIS-S' chips 4 to 9 along DETY, at the
    roll's negative: so CHIPY runs in X and Y of ObsID 755's events (roll 236.75, CHIPY at 123.22) and of ray-traced ones (rolls 40 and 163, CHIPY at 50 and
    107).
    """
    roll = metadata.get("ROLL_PNT", metadata.get("ROLL_NOM"))
    if not str(metadata.get("INSTRUME", "")).upper().startswith("ACIS") or isinstance(
        roll, str | bool | None
    ):
        return None
    return (90.0 if chip < 4 else 0.0) - float(roll)


def streak_share(metadata):
    """Share of all photons that arrive while their frame is moved into the store: 41 ms over the frame's own time and these."""
    frame = metadata.get("EXPTIME")
    frame = (
        float(frame)
        if isinstance(frame, (int, float)) and not isinstance(frame, bool) and frame > 0
        else FRAME
    )
    return TRANSFER / (frame + TRANSFER)


def streak_shape(events, completeness):
    """Where photons go that arrive during the readout, as a map of mean 1 over the field, and its mean for a share of 1 [photon / arcsec**2].

    Every photon of a chip's column is as likely to be read out anywhere along it. So the photons of each chip are counted in strips along its columns and
    spread evenly over their length. What all columns have alike, the flat part, is left out: it cannot be told from the other backgrounds, and is in them. A
    source that fills the chips counts as flat, too.

    Parameters
    ----------
    events : EventList
        With chips; photons that no mask has cut: a masked source has a streak outside of its mask.
    completeness : Completeness

    Raises
    ------
    InputError
        When it is not known which way the chips are read out.
    """
    angles = (
        {}
        if events.photons.ccd is None
        else {
            int(chip): readout_angle(events.metadata, int(chip))
            for chip in np.unique(events.photons.ccd)
        }
    )
    if (
        not angles
        or None in angles.values()
        or str(events.metadata.get("READMODE", "")).upper().startswith("CONT")
    ):
        raise InputError(
            "background streak: it takes ACIS events in timed exposures, with CCD_ID and ROLL_PNT: leave it out"
        )
    grid, owner = completeness.grid, chip_areas(events, completeness)
    x, y = grid.centres()
    density = np.zeros(grid.shape)
    for chip, angle in angles.items():
        mine, on = owner == chip, events.photons.ccd == chip
        if not mine.any():
            continue
        c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        corners = chip_outline(events.photons.x[on], events.photons.y[on], grid.step)
        along, across = corners @ [-s, c], corners @ [c, s]
        n = max(1, int(np.ptp(across) / grid.step))
        edges = np.linspace(across.min(), across.max(), n + 1)
        counts = np.histogram(c * events.photons.x[on] + s * events.photons.y[on], edges)[0]
        excess = np.maximum(counts - np.quantile(counts, _SOURCE_FREE), 0.0)
        strip = np.clip(np.searchsorted(edges, c * x[mine] + s * y[mine]) - 1, 0, n - 1)
        density[mine] = excess[strip] / (np.ptp(along) * (edges[1] - edges[0]))
    return normalised(density, completeness)


def normalised(density, completeness):
    """A map of mean 1 over the field, nowhere in it less than a thousandth, 0 outside, and the mean that it had."""
    field = completeness.exposure > 0
    mean = float(density[field].mean())
    if not mean > 0:
        raise InputError("a background has nothing in the field: leave it out")
    return SkyImage(
        grid=completeness.grid, values=np.where(field, np.maximum(density / mean, LEAST), 0.0)
    ), mean
