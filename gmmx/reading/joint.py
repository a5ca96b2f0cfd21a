"""Several pointings of one sky: the options of each, and their way into one tangent plane."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..io.regions import read_regions, region_items, region_name
from ..model.completeness import reference_exposure
from .background_amplitudes import at_reference
from .doubts.joint import warn_of_doubts
from .placing import placed
from .reproject import moved

# Outlines of one mask that are farther apart than this on the sky are not one mask [arcsec].
SAME_PLACE = 0.05
# Options of which a single value holds for all pointings.
SHARED = (
    *("mask", "region", "background_region", "background", "background_prior"),
    *("exposure_unit", "area"),
)


def options_of_each(options, count):
    """Return the options of each of several pointings.

    Parameters
    ----------
    options : ReadOptions
        With one pointing every value belongs to it. With several, the values go in their order.
        Commas separate several values for one pointing.
    count : int
        Number of pointings.

    Returns
    -------
    list of ReadOptions

    Raises
    ------
    InputError
        If there is neither one value for each pointing nor one for all.

    Examples
    --------
    >>> from gmmx.config import ReadOptions
    >>> options_of_each(ReadOptions(exposure=("a.fits", "b.fits"), mask="m.reg"), 2)[1]
    ReadOptions(exposure=('b.fits',), mask=('m.reg',))
    """
    values = {
        name: per_observation(name, getattr(options, name), count, shared=name in SHARED)
        for name in ("exposure", *SHARED)
    }
    values["psf"] = per_observation("psf", options.psf, count, shared=_holds_for_all(options.psf))
    for name in ("exposure", "exposure_unit", "area"):
        several = next((one for one in values[name] if len(one) > 1), None)
        if several:
            raise InputError(
                f"`{name}`: {len(several)} values for one event list "
                f"({', '.join(map(str, several))}): give one",
                parameter=name,
            )
    return [
        replace(options, **{name: tuple(each[i]) for name, each in values.items()})
        for i in range(count)
    ]


def per_observation(name, values, count, *, shared=False):
    """Return the values of an option for each of several event lists.

    Parameters
    ----------
    name : str
        Name of the option, for the message.
    values : sequence
        Texts, in which commas separate several values for one event list, or region objects.
    count : int
        Number of event lists.
    shared : bool
        Whether a single value holds for all of them.

    Returns
    -------
    list of list

    Raises
    ------
    InputError
        If there are values, but not one for each event list.

    Examples
    --------
    >>> per_observation("psf", ["a1.fits,a2.fits", "b.fits"], 2)
    [['a1.fits', 'a2.fits'], ['b.fits']]
    """
    if count == 1:
        return [[part for value in values for part in _parts(value)]]
    if not values:
        return [[] for _ in range(count)]
    if len(values) == 1 and shared:
        return [_parts(values[0]) for _ in range(count)]
    if len(values) != count:
        times = "one value" if len(values) == 1 else f"{len(values)} values"
        once = ", or one for all" if name in SHARED else ""
        raise InputError(
            f"`{name}`: {times} for {count} event lists: give one for each, in their order{once}",
            parameter=name,
        )
    return [_parts(value) for value in values]


def _parts(value):
    """Split a text at its commas, unless it is the name of a file."""
    if not isinstance(value, str) or Path(value).exists():
        return [value]
    return [part.strip() for part in value.split(",") if part.strip()]


def _holds_for_all(psf):
    """Whether a PSF is the same for all pointings: a word or a number."""
    words = r"none|chandra|[\d.eE+-]+"
    return len(psf) == 1 and re.fullmatch(words, psf[0].strip(), flags=re.IGNORECASE) is not None


def names_of(files):
    """Return a name for each observation, numbered if files share a name.

    Parameters
    ----------
    files : sequence of FileArgument
    """
    names = [file.stem for file in files]
    repeats = Counter(names)
    return [
        name if repeats[name] == 1 else f"{name}_{number}" for number, name in enumerate(names, 1)
    ]


def in_one_plane(observations, options, *, sources=()):
    """Bring observations into the tangent plane of the first one.

    Parameters
    ----------
    observations : sequence of Observation
        Each in its own plane, with the photons on zero exposure.
    options : ReadOptions
        Of all pointings.
    sources : sequence
        Region files or objects of point sources, which have to mean the same sky in all pointings.

    Returns
    -------
    list of Observation

    Raises
    ------
    InputError
        If the fields do not overlap, or the coordinates of a shared region file mean another
        place in each pointing.
    DataError
        If no photon of an observation is left.
    """
    if len(observations) == 1:
        return [placed(observations[0], bin=options.bin)]
    _check_overlap(observations)
    for name in ("mask", "region", "background_region"):
        if len(getattr(options, name)) == 1:
            for item in region_items(per_observation(name, getattr(options, name), 1)[0]):
                _check_same_sky(item, observations, "give one file for each, or one in fk5")
    for item in region_items(sources):
        _check_same_sky(item, observations, "give it in fk5")
    frame = observations[0].frame
    observations = [moved(o, frame) for o in observations]
    warn_of_doubts(observations)
    observations = [placed(o, bin=options.bin) for o in observations]
    reference = reference_exposure([o.completeness for o in observations])
    return [at_reference(o, reference) for o in observations]


def _check_overlap(observations):
    """Make sure that the fields are connected: each overlaps another one."""
    n = len(observations)
    group = list(range(n))
    for i, one in enumerate(observations):
        iy, ix = np.nonzero(one.completeness.exposure > 0)
        some = slice(None, None, max(1, len(ix) // 5000))
        places = one.completeness.grid.to_plane(ix[some], iy[some])
        for j, other in enumerate(observations):
            if group[i] == group[j]:
                continue
            x, y = one.frame.to_frame(other.frame, *places)
            here = np.isfinite(x)
            if np.any(other.completeness.exposure_at(x[here], y[here]) > 0):
                group = [group[i] if g == group[j] else g for g in group]
    if len(set(group)) > 1:
        raise InputError(
            f"{n} event lists that do not overlap on the sky: fit them one at a time, "
            "e.g. in a shell loop"
        )


def _check_same_sky(item, observations, cure):
    """Make sure that regions mean the same place on the sky in all observations."""
    first, places = observations[0], []
    for o in observations:
        lines = read_regions(item, frame=o.frame, physical=o.physical).outlines(8)
        places.append([o.frame.to_frame(first.frame, *line.T) for line in lines])
    for other in places[1:]:
        for one, two in zip(places[0], other, strict=True):
            if not np.hypot(one[0] - two[0], one[1] - two[1]).max() < SAME_PLACE:
                raise InputError(
                    f"{region_name(item)}: its coordinates mean another place for each event "
                    f"list: {cure}"
                )
