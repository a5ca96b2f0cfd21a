"""Keywords of maps that contradict those of the photons. Only what both headers have is compared.

Each check says nothing, or one line that names both files, both values and the way out. A keyword
says what a program wrote, so that none of these checks depends on chance.
"""

import re
from collections.abc import Iterator
from datetime import datetime

import numpy as np

from ...io.header_facts import HeaderFacts
from ...plane.frame import SkyFrame
from .evidence import Evidence

# Two reductions of one observation differ by less than this in their mean pointing [arcsec], and
# an observation is not repeated so exactly.
SAME_POINTING, SAME_ASPECT = 60.0, 2.0
# Roll angles that differ by more are two rolls [deg].
SAME_ROLL = 0.5
# Relative difference of two exposure times that are still the same. LIVETIME and EXPOSURE of a
# file differ by 1.3 per cent at ACIS's usual frame time.
SAME_TIME = 0.03
# fluximage adds LIVETIME over the chips of a map: the sums are within this of whole numbers.
SAME_SUM = 0.015
MOST_CHIPS = 10


def another_instrument(e: Evidence) -> Iterator[str]:
    """Compare TELESCOP and INSTRUME."""
    for what, other in e.maps:
        for key in ("TELESCOP", "INSTRUME"):
            ours, theirs = e.events.text(key).upper(), other.text(key).upper()
            if ours and theirs and not (ours.startswith(theirs) or theirs.startswith(ours)):
                yield (
                    f"{other.path}: the {what} is of {key} {theirs}, the photons of {e.name} are "
                    f"of {ours}: give the map of their own instrument"
                )


def another_observation(e: Evidence) -> Iterator[str]:
    """Compare OBS_ID of PSF maps; that of exposure maps is compared when they are read."""
    for what, other in e.maps[1 if e.exposure_map else 0 :]:
        if _differ_in_obs_id(e, other):
            yield (
                f"{other.path}: the {what} is of OBS_ID {other.text('OBS_ID')}, the photons of "
                f"{e.name} are of OBS_ID {e.events.text('OBS_ID')}: make the map of this "
                "observation"
            )


def another_pointing(e: Evidence) -> Iterator[str]:
    """Compare RA_PNT and DEC_PNT, the mean optical axis, by their distance on the sky."""
    for what, other in _comparable(e):
        distance = _distance(e.events, other)
        if distance is None or distance <= SAME_ASPECT:
            continue
        ours, theirs = (
            f"{one.number('RA_PNT'):.5f}, {one.number('DEC_PNT'):.5f}" for one in (e.events, other)
        )
        start = (
            f"{other.path}: the {what} is of a pointing at RA_PNT, DEC_PNT = {theirs}, the photons "
            f'of {e.name} are of {ours}, {distance:.3g}" away: '
        )
        if distance > SAME_POINTING:
            yield f"{start}it is of another pointing: make the map of this one"
        else:
            yield f"{start}it was made with another aspect solution: make it of these events"


def another_aspect_solution(e: Evidence) -> Iterator[str]:
    """Compare ASOLFILE, the aspect solution that the positions were computed with."""
    for what, other in _comparable(e):
        ours, theirs = (
            {name.rsplit("/", 1)[-1] for name in re.split(r"[,\s]+", one.text("ASOLFILE")) if name}
            for one in (e.events, other)
        )
        if ours and theirs and not ours & theirs and all(".fit" in n for n in ours | theirs):
            yield (
                f"{other.path}: the {what} was made with the aspect solution "
                f"{', '.join(sorted(theirs))}, the positions of {e.name} with "
                f"{', '.join(sorted(ours))}: make the map of these events, with their ASOLFILE"
            )


def another_roll(e: Evidence) -> Iterator[str]:
    """Compare ROLL_PNT, or ROLL_NOM where a header has no other."""
    for what, other in _comparable(e):
        for key in ("ROLL_PNT", "ROLL_NOM"):
            ours, theirs = e.events.number(key), other.number(key)
            if ours is None or theirs is None:
                continue
            if abs((ours - theirs + 180) % 360 - 180) > SAME_ROLL:
                yield (
                    f"{other.path}: the {what} is of {key} {theirs:.5g}, the photons of {e.name} "
                    f"are of {ours:.5g}: chips and gaps lie elsewhere: make the map of this roll"
                )
            break


def another_epoch(e: Evidence) -> Iterator[str]:
    """Compare the intervals from DATE-OBS to DATE-END, which overlap for one observation."""
    for what, other in _comparable(e):
        ours, theirs = _dates(e.events), _dates(other)
        if ours and theirs and (ours[0] > theirs[1] or theirs[0] > ours[1]):
            yield (
                f"{other.path}: the {what} is of {theirs[0]:%Y-%m-%d %H:%M}, the photons of "
                f"{e.name} are of {ours[0]:%Y-%m-%d %H:%M} to {ours[1]:%Y-%m-%d %H:%M}: make the "
                "map of this observation"
            )


def other_chips(e: Evidence) -> Iterator[str]:
    """Compare DETNAM, which lists the chips that were on."""
    for what, other in _comparable(e):
        ours, theirs = (one.text("DETNAM").upper() for one in (e.events, other))
        names = [re.fullmatch(r"ACIS-(\d+)", text) for text in (ours, theirs)]
        if None not in names and ours != theirs:
            yield (
                f"{other.path}: the {what} is of the chips of {theirs}, {e.name} has those of "
                f"{ours}: make the map of the same chips, or choose them with `ccd`"
            )


def another_exposure_time(e: Evidence) -> Iterator[str]:
    """Compare the times of photons and exposure map, which a filter of one of them changes.

    A time of the map agrees if it is within 3 % of EXPOSURE, LIVETIME or ONTIME of the photons. So
    does a sum over up to ten chips, as fluximage writes LIVETIME. An EXPOSURE of a map that is
    "NOT normalized" (CIAO's comment: 4.0 or 16.0) is no time, which shows in being less than a
    hundredth of the photons'.
    """
    other, known = e.exposure_map, ("EXPOSURE", "LIVETIME", "ONTIME")
    if other is None or _is_merged(e.events) or _is_merged(other) or _differ_in_obs_id(e, other):
        return
    ours = [t for t in map(e.events.number, known) if t is not None and t > 0]
    if not ours or any(any(check(e)) for check in (another_pointing, another_roll, another_epoch)):
        # A map of another observation has a warning of its own.
        return
    given = {key: other.number(key) for key in known}
    theirs = {key: t for key, t in given.items() if t is not None and t > 0.01 * ours[0]}
    if not theirs or any(_same_time(t, time) for t in theirs.values() for time in ours):
        return
    key, time = next(iter(theirs.items()))
    yield (
        f"{other.path}: the exposure map is for {key} {time:.5g} s, the photons of {e.name} are of "
        f"{ours[0]:.5g} s: was one of them filtered in time (GTI)? Fluxes are wrong by the ratio, "
        f"{time / ours[0]:.3g}: make the map of these events"
    )


def holes_of_events(e: Evidence) -> Iterator[str]:
    """Count the regions that were cut out of the photons and of the exposure map.

    CIAO writes them into the data subspace (DSVAL of sky), as `!ellipse(...)`. mkexpmap does not
    cut the map as the events were cut.
    """
    if e.exposure_map is None or e.cut.records:
        return
    ours, theirs = _n_holes(e.events), _n_holes(e.exposure_map)
    if ours > theirs == 0:
        yield (
            f"{e.name}: {ours} regions were cut out of its photons (DSVAL), and none out of the "
            f"exposure map {e.exposure_map.path}: give the same regions with `mask`, or cut them "
            "out of the map"
        )


def _comparable(e):
    """Yield the maps that claim to be of this observation: one pointing each, the same OBS_ID."""
    for what, other in e.maps:
        if not (_is_merged(e.events) or _is_merged(other) or _differ_in_obs_id(e, other)):
            yield what, other


def _is_merged(header: HeaderFacts) -> bool:
    return header.text("OBS_ID").lower() == "merged" or header.text("DETNAM").lower() == "merged"


def _differ_in_obs_id(e, other):
    """Whether both have an OBS_ID, and not the same; zero and words are ignored."""
    ours, theirs = e.events.text("OBS_ID"), other.text("OBS_ID")
    if not (ours.isdigit() and theirs.isdigit() and int(ours) and int(theirs)):
        return False
    return int(ours) != int(theirs)


def _distance(one, other):
    """Return the distance of two optical axes [arcsec]; None if one is not known."""
    places = [(h.number("RA_PNT"), h.number("DEC_PNT")) for h in (one, other)]
    if any(ra is None or dec is None or abs(dec) > 90 for ra, dec in places):
        return None
    x, y = SkyFrame(places[0][0] % 360, places[0][1]).to_plane(*places[1])
    return float(np.hypot(x, y)) if np.isfinite([x, y]).all() else np.inf


def _dates(header):
    """Return the beginning and the end of an observation; None if they are not known."""
    try:
        start, end = (
            datetime.fromisoformat(header.text(key)).replace(tzinfo=None)
            for key in ("DATE-OBS", "DATE-END")
        )
    except ValueError:
        return None
    return (start, end) if start < end else None


def _same_time(time, ours):
    """Whether a time is another one, or its sum over several chips."""
    ratio = min(time / ours, MOST_CHIPS + 1.0)
    nearest = round(ratio)
    if nearest <= 1:
        return abs(ratio - 1) < SAME_TIME
    return nearest <= MOST_CHIPS and abs(ratio / nearest - 1) < SAME_SUM


def _n_holes(header):
    """Return the number of regions that were cut out of the sky, by the data subspace."""
    for key, value in header.keywords.items():
        match = re.fullmatch(r"DSTYP(\d+)", key)
        if match and str(value).strip().lower() in ("sky(x,y)", "sky", "pos(x,y)", "(x,y)"):
            return header.text(f"DSVAL{match[1]}").count("!")
    return 0
