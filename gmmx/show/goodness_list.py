"""The goodness of a fit as lines of text, and as what JSON can hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .._words import counted
from .._words import listed as and_list
from ..answers.missed import LEAST_SIGMA

if TYPE_CHECKING:
    from ..answers.goodness import Goodness
    from ..answers.missed import Annulus, Place

# p-values below this are spoken of.
_SMALL = 0.05
# Places whose chance in the whole field is below this are described, at most so many.
_RARE = 0.1
_MOST_PLACES = 10
# An excess in a smaller disc may be a point source [arcsec].
_COMPACT = 8.0
_TITLES = {
    "blocks": "Cash statistic, blocks of {:g} arcsec",
    "radial profile": "Cash statistic, radial profile",
    "azimuthal profile": "Cash statistic, azimuthal profile",
    "largest residual": "largest residual, radii from {:.2g} arcsec",
}


def goodness_lines(goodness: Goodness) -> list[str]:
    """Describe the goodness of a fit in words.

    Parameters
    ----------
    goodness : Goodness

    Returns
    -------
    list of str
    """
    n = len(goodness)
    how = "each fitted again" if goodness.refitted else "none fitted again: p is too large"
    text = p_text(goodness.p_value, n)
    lines = [
        f"goodness of fit: p {text} for all statistics together "
        f"({counted(n, 'simulation')}, {how})",
        "",
    ]
    lines.append(f"{'statistic':42}{'value':>10}{'simulated':>22}{'p':>9}")
    rows = zip(
        goodness.names, goodness.values, goodness.simulated.T, goodness.p_values, strict=True
    )
    for (name, scale), value, simulated, p in rows:
        digits = 2 if name == "largest residual" else 1
        spread = f"{simulated.mean():,.{digits}f} +- {simulated.std():.{digits}f}"
        lines.append(
            f"{_TITLES[name].format(scale):42}{value:>10,.{digits}f}{spread:>22}"
            f"{p_text(p, n).removeprefix('= '):>9}"
        )
    return [*lines, "", *_verdict(goodness)]


def goodness_dict(goodness: Goodness) -> dict:
    """The same as a dict that JSON can hold; None stands for no number."""
    table = goodness.table()
    rows = []
    for row in table:
        plain = {name: getattr(row[name], "value", row[name]) for name in table.colnames}
        rows.append({name: _plain(value) for name, value in plain.items()})
    return {
        "p_value": goodness.p_value,
        "p_value_text": p_text(goodness.p_value, len(goodness)),
        **table.meta,
        "statistics": [
            {k: r[k] for k in ("statistic", "scale", "value", "simulated", "scatter", "p_value")}
            for r in rows
            if r["statistic"] not in ("place", "all")
        ],
        "places": [
            {
                "ra": r["ra"],
                "dec": r["dec"],
                "x": r["x"],
                "y": r["y"],
                "radius": r["scale"],
                "counts": r["counts"],
                "expected": r["expected"],
                "sigma": r["value"],
                "p_value": r["p_value"],
            }
            for r in rows
            if r["statistic"] == "place"
        ],
        "text": _verdict(goodness),
    }


def p_text(p: float, n: int) -> str:
    """A p-value from n simulations, with the sign of the comparison.

    Examples
    --------
    >>> p_text(0.4312, 200), p_text(1 / 201, 200), p_text(1 / 71, 70)
    ('= 0.43', '< 0.005', '< 0.015')
    """
    if p > 1 / (n + 1) + 1e-12:
        return f"= {p:.2g}"
    scale = 10.0 ** (math.floor(math.log10(1 / n)) - 1)
    return f"< {math.ceil(1 / n / scale - 1e-9) * scale:.2g}"


def _verdict(goodness):
    """What the model misses, one sentence for each place and profile."""
    n, p_values = len(goodness), dict(zip(goodness.names, goodness.p_values, strict=True))
    lines = []
    scales = [
        (scale, p) for (name, scale), p in p_values.items() if name == "blocks" and p < _SMALL
    ]
    if scales:
        sides = and_list([f"{scale:g}" for scale, _ in scales])
        lines.append(
            "The photons scatter about the model more than simulated ones do in blocks of "
            f"{sides} arcsec (p {p_text(min(p for _, p in scales), n)})."
        )
    parts = {"radial profile": goodness.annuli, "azimuthal profile": goodness.sectors}
    for (name, _), p in p_values.items():
        if p < _SMALL and parts.get(name):
            worst = max(parts[name], key=lambda part: abs(part.sigma))
            lines.append(f"The {name} differs (p {p_text(p, n)}), most {_annulus(worst)}.")
    return lines + _places(goodness)


def _places(goodness):
    """Sentences about the places that stand out, and one about the others."""
    found = [p for p in goodness.places if abs(p.sigma) >= LEAST_SIGMA]
    rare = max(_RARE, 1.5 / (len(goodness) + 1))
    listed = [p for p in found if goodness.chance(p.sigma) < rare][:_MOST_PLACES]
    lines = [_place(goodness, p) + _cause(p) for p in listed]
    rest = len(found) - len(listed)
    level = f"by {LEAST_SIGMA:g} sigma locally"
    if not listed:
        lines.append("No place stands out.")
    if rest:
        more = "further " if listed else ""
        lines.append(
            f"{counted(rest, more + 'place')} {'differ' if rest > 1 else 'differs'} from the model "
            f"{level}{', which happens in simulated skies, too' if not listed else ''}."
        )
    elif not listed:
        lines.append(f"No place differs from the model {level}.")
    if not listed and goodness.places:
        lines.append(_place(goodness, goodness.places[0]))
    return lines


def _place(goodness: Goodness, place: Place) -> str:
    """One sentence about a place."""
    digits = 0 if place.expected >= 10 else 1
    return (
        f"Within {place.radius:.2g} arcsec of {_where(goodness, place)} there "
        f"{'is' if round(place.counts) == 1 else 'are'} {counted(round(place.counts), 'photon')} "
        f"where the model expects {place.expected:,.{digits}f}: "
        f"{abs(place.sigma):.1f} sigma {'above' if place.sigma > 0 else 'below'} it locally, "
        f"p {p_text(goodness.chance(place.sigma), len(goodness))} in the whole field."
    )


def _cause(place: Place) -> str:
    """What such a residual may mean."""
    if place.sigma < 0:
        return " It may be a cavity, absorption, or a component that is too broad."
    if place.radius <= _COMPACT:
        return " It may be a source or a small clump that the model lacks."
    return " It may be emission that the model lacks or has elsewhere."


def _where(goodness, place):
    """The position in words."""
    if goodness.frame is None:
        return f"x = {place.x:.1f}, y = {place.y:.1f} arcsec"
    from astropy.coordinates import SkyCoord

    sky = SkyCoord(*goodness.position(place), unit="deg")
    ra = sky.ra.to_string("hour", sep=":", precision=1, pad=True)
    return f"{ra} {sky.dec.to_string('deg', sep=':', precision=0, pad=True, alwayssign=True)}"


def _annulus(part: Annulus) -> str:
    """An annulus or a sector in words, and by how much photons and model differ there."""
    where = f"from {part.low:.0f} to {part.high:.0f} arcsec"
    if part.stop - part.start < 360:
        where += f", position angles {part.start:.0f} to {part.stop:.0f} degrees"
    change = 100 * (part.counts / max(part.expected, 1e-300) - 1)
    direction = "more" if change > 0 else "fewer"
    return (
        f"{where}: {abs(change):.1f} % {direction} photons "
        f"({part.counts:,.0f} where {part.expected:,.0f} are expected, {abs(part.sigma):.1f} sigma)"
    )


def _plain(value):
    if isinstance(value, str):
        return str(value)
    return float(value) if np.isfinite(value) else None
