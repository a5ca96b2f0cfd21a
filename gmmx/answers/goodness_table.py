"""The goodness of a fit as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from astropy import units
from astropy.table import QTable

if TYPE_CHECKING:
    from .goodness import Goodness

_DESCRIPTIONS = {
    "statistic": "what photons and model were compared with; place: a disc where they differ",
    "scale": "side of the blocks, smallest radius of an octave of discs, or radius of the disc",
    "value": "Cash statistic, largest significance on the scale, or significance at the place",
    "simulated": "mean of the statistic over the simulations",
    "scatter": "standard deviation of the statistic over the simulations",
    "p_value": "chance of a value as large if the model is true; at a place that of one as large "
    "anywhere",
    "ra": "right ascension of the place",
    "dec": "declination of the place",
    "x": "position in the tangent plane, growing to the west",
    "y": "position in the tangent plane, growing to the north",
    "counts": "recorded photons at the place",
    "expected": "expected photons at the place",
}
_UNITS = {
    "scale": units.arcsec,
    "ra": units.deg,
    "dec": units.deg,
    "x": units.arcsec,
    "y": units.arcsec,
    "counts": units.photon,
    "expected": units.photon,
}


def table_of(goodness: Goodness) -> QTable:
    """One row for each statistic, one for all of them together, and one for each place.

    Parameters
    ----------
    goodness : Goodness

    Returns
    -------
    astropy.table.QTable
        With units and descriptions. Numbers that a row does not have are NaN.
    """
    rows = [*_statistics(goodness), *_places(goodness)]
    table = QTable()
    for name, description in _DESCRIPTIONS.items():
        values = np.array([row.get(name, np.nan) for row in rows])
        table[name] = values * _UNITS[name] if name in _UNITS else values
        table[name].info.description = description
    table.meta = {
        "simulations": len(goodness),
        "refitted": goodness.refitted,
        "seed": goodness.seed,
    }
    return table


def _statistics(goodness):
    simulated = goodness.simulated
    yield {"statistic": "all", "p_value": goodness.p_value}
    for i, (name, scale) in enumerate(goodness.names):
        yield {
            "statistic": name,
            "scale": float(scale),
            "value": float(goodness.values[i]),
            "simulated": float(simulated[:, i].mean()),
            "scatter": float(simulated[:, i].std()),
            "p_value": float(goodness.p_values[i]),
        }


def _places(goodness):
    for place in goodness.places:
        ra, dec = goodness.position(place)
        yield {
            "statistic": "place",
            "scale": place.radius,
            "value": place.sigma,
            "p_value": goodness.chance(place.sigma),
            "ra": ra,
            "dec": dec,
            "x": place.x,
            "y": place.y,
            "counts": place.counts,
            "expected": place.expected,
        }
