"""Descriptions of figures of several models, and of profiles, in two sentences; see `alt`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from astropy.coordinates import SkyCoord

from ..._words import counted
from ...answers.one_sky import energies_of
from ...answers.true_colour import CHANNELS
from .alt_words import (
    coordinates,
    direction,
    fall_of,
    field,
    listed,
    place_of,
    sentence,
    short,
    target,
)
from .words import signal_in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astropy.table import QTable

    from ...answers.difference import Difference
    from ...answers.true_colour import TrueColour


def describe_difference(found: Difference, names: Sequence[str], low: float, top: float) -> str:
    """Describe a comparison of two models; `low` and `top` are the ends of the colours.

    Examples
    --------
    >>> import gmmx
    >>> from gmmx.answers.difference import difference
    >>> rng = np.random.default_rng(0)
    >>> photons = (gmmx.Photons(*rng.normal(0, 5, (2, n))) for n in (400, 1600))
    >>> fits = [gmmx.fit(gmmx.Observation(photons=one), n_components=1) for one in photons]
    >>> print(describe_difference(difference(*fits), ("A", "B"), 0.1, 10.0))
    Four panels compare two models, A (...) and B (...), ... difference is largest, -... sigma ...
    """
    one, other = (model.result for model in found.sky.models)
    targets = (target(result, with_photons=False) for result in (one, other))
    what = " and ".join(dict.fromkeys(targets))
    models = " and ".join(
        f"{name} ({energies_of(result)}, {counted(len(result.mixture), 'component')})"
        for name, result in zip(names, (one, other), strict=True)
    )
    first = (
        f"Four panels compare two models, {models}, of {what} in {_field_of(found.sky)}: the "
        f"{signal_in_words(one, other)} of each, their difference in units of its standard "
        "deviation, and both radial profiles"
    )
    values = found.significance(low)
    told = [f"no difference could be measured above {short(low)} {found.sky.unit}"]
    if np.isfinite(values).any():
        iy, ix = np.unravel_index(np.nanargmax(np.abs(values)), values.shape)
        place = place_of(found.sky.frame, *found.grid.to_plane(ix, iy))
        beyond = float((np.abs(values) > 3).sum() / np.isfinite(values).sum())
        told = [
            f"the difference is largest, {values[iy, ix]:+.1f} sigma ({found.pairing}), at {place}",
            f"{100 * beyond:.0f} % of the compared area differ by more than 3 sigma",
        ]
    told.append(f"the signals are drawn from 0 to {short(top)} {found.sky.unit}")
    return f"{first}. {sentence(told)}"


def describe_true_colour(found: TrueColour) -> str:
    """Describe a picture in true colour."""
    bands = listed(
        [f"{channel} is {band}" for channel, band in zip(CHANNELS, found.bands, strict=True)]
    )
    results = [model.result for model in found.sky.models]
    what, words = target(results[0], with_photons=False), signal_in_words(*results)
    first = (
        f"A picture in true colour shows the {words} of {what} in "
        f"{_field_of(found.sky)}, where {bands}"
    )
    places: dict[str, list[str]] = {}
    for channel, values in zip(CHANNELS, found.signals, strict=True):
        seen = np.where(found.sky.seen, values, 0.0)
        if seen.max() > 0:
            iy, ix = np.unravel_index(np.argmax(seen), seen.shape)
            place = place_of(found.sky.frame, *found.grid.to_plane(ix, iy))
            places.setdefault(place, []).append(channel)
    told = [
        f"{listed(channels)} {'is' if len(channels) == 1 else 'are'} brightest at {place}"
        for place, channels in places.items()
    ]
    told.append("each band is divided by its mean brightness, so that white is the mean colour")
    return f"{first}. {sentence(told)}"


def describe_profile(table: QTable) -> str:
    """Describe the figure of a radial profile."""
    meta = table.meta
    about = ""
    if "ra" in meta:
        place = SkyCoord(meta["ra"], meta["dec"], unit="deg", frame=meta["radesys"].lower())
        about = f" about {coordinates(place)}"
    first = (
        f"A plot shows the surface brightness in {counted(len(table), 'annulus', 'annuli')} out to "
        f"{short(table['R'].value.max())} arcsec{about}: the data, the fitted model after and "
        "before the PSF, and below them the ratio of data and model"
    )
    told = fall_of(table)
    half = meta.get("half_light_radius", np.nan)
    if np.isfinite(half):
        error = meta["half_light_radius_error"]
        told.append(f"its half-light radius is {short(half)} +- {error:.2g} arcsec")
    return f"{first}. {sentence(told)}"


def _field_of(sky):
    """Size and centre of the field that models share."""
    (x0, x1), (y0, y1) = sky.grid.extent()
    return field(x1 - x0, y1 - y0, direction(sky.frame, (x0 + x1) / 2, (y0 + y1) / 2))
