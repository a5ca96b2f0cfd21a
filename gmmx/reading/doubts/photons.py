"""Event lists whose rows or positions cannot be what their headers say."""

from collections.abc import Iterator

import numpy as np

from ...telescope.outlines import chip_outline
from .evidence import Evidence

# Rows that are equal to an earlier one by chance: a warning is due from ten times as many.
LEAST_REPEATED, BY_CHANCE = 5, 10.0
# No focusing telescope sees farther from its optical axis than this [arcsec].
FARTHEST = 1800.0
# Photons that show the outline of a chip; sides of a whole chip, relative to the side of a chip;
# and the turn against the roll that an outline cannot have by chance [deg].
OUTLINE_PHOTONS, WHOLE_CHIP, TURNED = 400, (0.97, 1.12), 5.0
MOST_PHOTONS = 3000
# Part of the observing time that the photons may leave out at its ends.
SPANNED = 0.9
TIME_COLUMNS = ("time", "expno")


def repeated_rows(e: Evidence) -> Iterator[str]:
    """Count the rows that are equal to an earlier row in position, energy and time.

    Without a time, photons of a bright source may share the pixel and the energy of a list of
    whole numbers. Their number by chance is that of the pairs at one position times the
    probability of one energy for two photons; a warning needs ten times as many, and five.
    """
    rows = getattr(e.recorded, "rows", None)
    if rows is None:
        return
    if rows.n_repeated >= LEAST_REPEATED + BY_CHANCE * rows.n_by_chance:
        yield (
            f"{e.name}: {rows.n_repeated:,} of its {rows.n_rows:,} rows are equal to an earlier "
            "one in position, energy and time: the same photons are in it twice, so that fluxes "
            "are too high and errors too small: was it merged with itself? Remove the duplicates"
        )


def part_of_the_time(e: Evidence) -> Iterator[str]:
    """Compare the times of the photons with those of the header.

    Photons arrive at all times: that N of them leave out a tenth of the time at the ends has a
    probability of some N 0.9**(N - 1), 1e-7 for 200. A source that fades only moves it by a
    little, because the background does not. It matters where an exposure gives fluxes.
    """
    rows = getattr(e.recorded, "rows", None)
    if rows is None or rows.time_span is None or rows.n_rows < 200 or not _needs_time(e):
        return
    start, stop = (e.events.number(key) for key in ("TSTART", "TSTOP"))
    time = e.events.number("ONTIME") or e.exposure_time
    seen = rows.time_span[1] - rows.time_span[0]
    if start is None or stop is None or time is None or seen <= 0:
        return
    if any(one.column in TIME_COLUMNS for one in e.file.columns):
        return
    if seen < SPANNED * min(time, stop - start):
        yield (
            f"{e.name}: its photons arrived within {seen:.5g} s, and its header is of "
            f"{time:.5g} s: it was filtered in time and EXPOSURE is that of the whole, so that "
            f"fluxes may be only {seen / time:.2g} of the true ones: {_cure_of_time(e)}"
        )


def filtered_in_time(e: Evidence) -> Iterator[str]:
    """Look for a filter by time behind the name of the event list, beside an exposure.

    The exposure map, and EXPOSURE of the header, are of all times.
    """
    for one in e.file.columns if _needs_time(e) else ():
        if one.column in TIME_COLUMNS:
            source = e.exposure.files[0] if e.exposure.is_measured else "EXPOSURE of its header"
            yield (
                f"{e.file}: the filter by {one.column} leaves a part of the photons, and "
                f"{source} is of all times: fluxes are too low: filter the file with CIAO dmcopy, "
                "which corrects EXPOSURE, and make an exposure map for its times"
            )


def _cure_of_time(e):
    """What makes the exposure that of the times of the photons."""
    if e.exposure.is_measured:
        return "make the exposure map for these times"
    return "correct EXPOSURE of the header"


def _needs_time(e):
    """Whether fluxes depend on the time of the exposure: by a map, or by an area."""
    return e.exposure.is_measured or e.exposure.area is not None


def far_from_the_pointing(e: Evidence) -> Iterator[str]:
    """Compare the positions of the photons with RA_PNT and DEC_PNT.

    The optical axis is at most half a degree from the photons in every focusing telescope.
    Positions on the detector or on a chip, in columns that are called X and Y, are farther.
    """
    ra, dec = (e.events.number(key) for key in ("RA_PNT", "DEC_PNT"))
    if ra is None or dec is None or abs(dec) > 90:
        return
    x, y = e.recorded.frame.to_plane(ra % 360, dec)
    photons = e.recorded.photons
    away = np.inf
    if np.isfinite([x, y]).all():
        # From the rectangle around the photons, because that is quick.
        beyond = [
            max(v.min() - place, place - v.max(), 0.0)
            for v, place in ((photons.x, x), (photons.y, y))
        ]
        away = float(np.hypot(*beyond))
    if away > FARTHEST:
        yield (
            f"{e.name}: the photons are {away / 60:.3g}' from the optical axis (RA_PNT, "
            f"DEC_PNT = {ra:.5f}, {dec:.5f}): are X and Y detector or chip coordinates, or the "
            "keywords of another pointing? Sky coordinates are needed"
        )


def turned_chips(e: Evidence) -> Iterator[str]:
    """Compare the directions of the edges of whole chips with the roll.

    The chips of ACIS are square and lie along the detector's axes, which the roll turns on the
    sky. Only an outline that is a rectangle of the size of a chip counts, so that a cut of
    another shape does not. The direction of such an outline is good to a degree; a warning is due
    at 5 degrees, on every chip that can be measured.
    """
    side, photons = e.instrument.chip_side, e.recorded.photons
    roll = e.events.number("ROLL_PNT")
    if side is None or roll is None or photons.ccd is None or e.recorded.pointing.ra is None:
        return
    if e.recorded.pointing.dec is None or e.recorded.pointing.obs_id.lower() == "merged":
        return
    turns = []
    for chip in np.unique(photons.ccd):
        on = np.flatnonzero(photons.ccd == chip)
        if len(on) >= OUTLINE_PHOTONS:
            on = on[:: -(-len(on) // MOST_PHOTONS)]
            angle = _direction(chip_outline(photons.x[on], photons.y[on], 1.0), side)
            turns += [] if angle is None else [angle]
    # North is not up everywhere in the plane; angles of squares repeat after 90 degrees.
    x, y = e.recorded.frame.to_plane(e.recorded.pointing.ra, e.recorded.pointing.dec)
    north = float(np.nan_to_num(e.recorded.frame.north(x, y)))
    against = [abs((angle + roll - north + 45) % 90 - 45) for angle in turns]
    if not against or min(against) < TURNED:
        return
    straight = max(abs((angle + 45) % 90 - 45) for angle in turns) < TURNED / 2
    cause = (
        "X and Y seem to be detector coordinates (DETX, DETY): sky coordinates are needed"
        if straight
        else "the header is of another pointing or aspect solution: reprocess the events"
    )
    yield (
        f"{e.name}: the edges of its chips are turned by {np.median(against):.0f} degrees against "
        f"ROLL_PNT = {roll:.5g}: {cause}"
    )


def _direction(corners, side):
    """Return the angle of the sides of a rectangle of the size of a chip [deg]; None for others."""
    if len(corners) != 4:
        return None
    edges = np.roll(corners, -1, axis=0)[:2] - corners[:2]
    lengths = np.hypot(*edges.T) / side
    if not np.all((lengths > WHOLE_CHIP[0]) & (lengths < WHOLE_CHIP[1])):
        return None
    return float(np.degrees(np.arctan2(edges[0, 1], edges[0, 0])))
