"""Several pointings of one sky: whose option is whose, whether their fields touch, and how they come into one tangent plane."""

import re
from collections import Counter
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..io.regions import read_regions
from ..model.completeness import reference_exposure
from .event_list import observation_name, placed, read_observation
from .levels import held_at

# How far apart the outlines of one mask may come to lie on the sky before it is not one mask [arcsec].
SAME_PLACE = 0.05


def per_observation(name, values, count, *, shared=False):
    """The values of a repeatable option for each of several event lists.

    With one event list every value belongs to it; with several, the values go in their order. Commas join the values of one event list.

    Parameters
    ----------
    name : str
        The option's, for the message.
    values : sequence of str
    count : int
        Number of event lists.
    shared : bool or callable
        Whether a value that is given once (the callable: such a value) may hold for all.

    Returns
    -------
    list of list of str

    Raises
    ------
    InputError
        When there are neither none nor one for each.
    """

    def parts(value):
        return (
            [value]
            if Path(value).exists()
            else [part.strip() for part in value.split(",") if part.strip()]
        )

    if count == 1:
        return [[part for value in values for part in parts(value)]]
    if not values:
        return [[]] * count
    if len(values) == 1 and (shared(values[0]) if callable(shared) else shared):
        return [parts(values[0])] * count
    if len(values) != count:
        once = ", or once for all" if shared is True else ""
        times = "once" if len(values) == 1 else f"{len(values)} times"
        raise InputError(
            f"--{name} was given {times} for {count} event lists: give it once for each, in their order{once}"
        )
    return [parts(value) for value in values]


def _single(name, values):
    """The only value of an option that an event list has one of; None where there is none."""
    if len(values) > 1:
        raise InputError(
            f"--{name}: {len(values)} values for one event list ({', '.join(values)}): give one"
        )
    return values[0] if values else None


def _is_level(psf):
    """Whether a PSF is the same for all pointings: a word, or a number."""
    return re.fullmatch(r"none|chandra|[\d.eE+-]+", psf.strip(), flags=re.IGNORECASE) is not None


def read_observations(events, config):
    """Read event files with the options of a fit, into the tangent plane of the first.

    Raises
    ------
    InputError
        When options do not match the number of files, or the fields do not overlap on the sky.
    DataError
        When a file cannot be used.
    """
    count = len(events)
    exposures, psfs = (
        per_observation("exposure", config.exposure, count),
        per_observation("psf", config.psf, count, shared=_is_level),
    )
    shared = ("mask", "region", "background_region")
    masks, regions, source_free = (
        per_observation(name.replace("_", "-"), getattr(config, name), count, shared=True)
        for name in shared
    )
    backgrounds = per_observation("background", config.background, count, shared=True)
    names = [observation_name(path) for path in events]
    repeats = Counter(names)
    observations = [
        read_observation(
            path,
            exposure=_single("exposure", exposures[i]),
            psf=psfs[i],
            psf_ecf=config.psf_ecf,
            psf_extra_sigma=config.psf_extra_sigma,
            mask=masks[i],
            region=regions[i],
            energy_kev=config.energy_kev,
            ccd=config.ccd,
            background=tuple(backgrounds[i]) or None,
            background_region=source_free[i],
            grid=config.grid,
            name=names[i] if repeats[names[i]] == 1 else f"{names[i]}_{i + 1}",
            place=False,
        )
        for i, path in enumerate(events)
    ]
    if count == 1:
        return [placed(o, bin=config.bin) for o in observations]
    _check_overlap(observations)
    for_all = {
        path
        for name in shared
        if len(getattr(config, name)) == 1
        for path in per_observation(name, getattr(config, name), 1)[0]
    }
    for path in for_all:
        _check_sky_frame(
            path, observations, "give one file for each, in their order, or one in fk5"
        )
    for path in config.sources:
        _check_sky_frame(path, observations, "give it in fk5")
    observations = [placed(o, frame=observations[0].frame, bin=config.bin) for o in observations]
    reference = reference_exposure([o.completeness for o in observations])
    return [held_at(o, reference) for o in observations]


def _check_overlap(observations):
    """Every field must touch another one, and all of them be connected: else these are no pointings of one sky."""
    n = len(observations)
    group = list(range(n))
    for i, one in enumerate(observations):
        iy, ix = np.nonzero(one.completeness.exposure > 0)
        some = slice(None, None, max(1, len(ix) // 5000))
        sky = one.frame.to_sky(*one.completeness.grid.to_plane(ix[some], iy[some]))
        for j, other in enumerate(observations):
            if group[i] != group[j]:
                x, y = other.frame.to_plane(*sky)
                here = np.isfinite(x)
                if np.any(other.completeness.exposure_at(x[here], y[here]) > 0):
                    group = [group[i] if g == group[j] else g for g in group]
    if len(set(group)) > 1:
        raise InputError(
            f"{n} event lists that do not overlap on the sky: fit them one at a time, e.g. in a shell loop"
        )


def _check_sky_frame(path, observations, way_out):
    """A region file that holds for several event lists must mean the same sky in all of them."""
    places = []
    for o in observations:
        lines = read_regions(path, frame=o.frame, physical=o.physical).outlines(8)
        places.append([observations[0].frame.to_plane(*o.frame.to_sky(*line.T)) for line in lines])
    for other in places[1:]:
        for one, two in zip(places[0], other, strict=True):
            if not np.hypot(one[0] - two[0], one[1] - two[1]).max() < SAME_PLACE:
                raise InputError(
                    f"{path}: its coordinates mean another place for each event list: {way_out}"
                )
