"""Isophotes of the deconvolved model: their centres, ellipticities and position angles.

An ellipse is an isophote if the brightness on it is constant. With E the eccentric anomaly, the
brightness on a trial ellipse is

    I(E) = I_0 + A_1 sin E + B_1 cos E + A_2 sin 2E + B_2 cos 2E + ...

The first harmonics over the radial gradient are the offset of the centre, the second ones the
change of the shape (Jedrzejewski 1987). The ellipse is corrected until both vanish.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .._arrays import read_only
from .._kernels.densities import densities_of_skies
from ..model.interval import Interval

if TYPE_CHECKING:
    from .drawn_skies import DrawnSkies
    from .rings import Rings

# Places on an ellipse, and the part of its size over which the gradient is taken.
_PLACES, _APART = 32, 0.05
# Rounds of corrections for the fit and for a draw, which starts from the isophotes of the fit.
_ROUNDS, _ROUNDS_OF_DRAW = 60, 12
# Largest correction in one round, and the largest last one of an ellipse that has settled, and that
# has settled so well that it is left alone; all in units of the semi-major axis.
_FARTHEST, _SETTLED, _SETTLED_WELL = 0.2, 0.01, 1e-4
# Ellipses of draws that are in memory at a time.
_ELLIPSES = 20_000
# Flattest ellipse.
_LEAST_RATIO = 0.05


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Ellipses:
    """Ellipses with given semi-major axes.

    Parameters
    ----------
    centres : (n, 2) array
        [arcsec]; NaN where no ellipse is an isophote.
    axis_ratios : (n,) array
        Minor over major axis.
    angles : (n,) array
        Direction of the major axis in the plane, counter-clockwise from +x [deg].
    """

    centres: np.ndarray
    axis_ratios: np.ndarray
    angles: np.ndarray

    def __post_init__(self):
        names = ("centres", "axis_ratios", "angles")
        read_only(self, may_be_unknown=names, centres=("n", 2), axis_ratios=("n",), angles=("n",))

    def __repr__(self):
        n = int(np.isfinite(self.axis_ratios).sum())
        return f"Ellipses({n} of {len(self.axis_ratios)} found)"


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Isophotes:
    """Isophotes with the spread over the draws.

    Attributes
    ----------
    best : Ellipses
        Those of the fit.
    x, y, ellipticity, angle : Interval
        Centres [arcsec], one minus the axis ratios, directions of the major axes [deg].
    """

    best: Ellipses
    x: Interval
    y: Interval
    ellipticity: Interval
    angle: Interval

    def __repr__(self):
        return f"Isophotes({self.best!r})"


def isophotes(skies: DrawnSkies, rings: Rings, radii: np.ndarray) -> Isophotes:
    """Fit the isophotes of the deconvolved model.

    Parameters
    ----------
    skies : DrawnSkies
    rings : Rings
        Rings of the form with which the search begins.
    radii : (n,) array
        Semi-major axes [arcsec].

    Returns
    -------
    Isophotes

    Examples
    --------
    >>> import gmmx
    >>> from gmmx.answers.drawn_skies import DrawnSkies
    >>> from gmmx.answers.errors import draws_of
    >>> from gmmx.answers.rings import Rings
    >>> x, y = np.random.default_rng(0).normal(0.0, [[8.0], [4.0]], (2, 2000))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> rings = Rings(centre=(0.0, 0.0), edges=[0.0, 1.0])
    >>> found = isophotes(DrawnSkies(result, draws_of(result)), rings, np.array([6.0]))
    >>> bool(abs(found.ellipticity.value[0] - 0.5) < 0.05)
    True
    """
    start = np.linalg.inv(rings.to_circles) * radii[:, None, None]
    centres = np.broadcast_to(rings.centre, (len(radii), 2))
    fitted = skies.result.extended
    one = _Skies(fitted.fluxes[None], fitted.means[None], fitted.covariances[None])
    places, shapes, settled = _corrected(one.rows(len(radii)), centres, start, _ROUNDS)
    best = _ellipses(places, shapes, settled)
    rows, number = [], np.flatnonzero(settled)
    for drawn in _blocks(skies, len(number)):
        n = len(drawn.fluxes)
        given = np.tile(places[number], (n, 1)), np.tile(shapes[number], (n, 1, 1))
        found = _corrected(drawn.rows(len(number)), *given, _ROUNDS_OF_DRAW)
        for i in range(n):
            its = slice(i * len(number), (i + 1) * len(number))
            whole = places.copy(), shapes.copy(), np.zeros(len(radii), bool)
            for every, part in zip(whole, found, strict=True):
                every[number] = part[its]
            rows.append(_ellipses(*whole))
    # Angles are counted from that of the fit, from -90 to 90.
    turned = np.array([(row.angles - best.angles + 90) % 180 - 90 for row in rows]) + best.angles
    x, y = np.array([row.centres for row in rows]).transpose(2, 0, 1)
    return Isophotes(
        best=best,
        x=_spread(x, best.centres[:, 0]),
        y=_spread(y, best.centres[:, 1]),
        ellipticity=_spread(1 - np.array([row.axis_ratios for row in rows]), 1 - best.axis_ratios),
        angle=_spread(turned, best.angles),
    )


@dataclass(frozen=True, eq=False, repr=False)
class _Skies:
    """N mixtures of K components, and the number of the mixture for each of V ellipses."""

    fluxes: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    number: np.ndarray | None = None

    def rows(self, each: int) -> _Skies:
        """The mixtures with so many ellipses for each."""
        return replace(self, number=np.repeat(np.arange(len(self.fluxes)), each))

    def densities(self, chosen, x, y):
        """Densities at positions (V', P) about the chosen ellipses."""
        mixtures = (
            np.ascontiguousarray(one) for one in (self.fluxes, self.means, self.covariances)
        )
        found = np.empty_like(x)
        densities_of_skies(*mixtures, self.number[chosen], x, y, found)
        return found


def _blocks(skies, n):
    """The mixtures of the draws, some at a time, so that few ellipses are in memory."""
    step = max(1, _ELLIPSES // max(n, 1))
    means, covariances = (
        getattr(skies.draws, name)[:, skies.columns] for name in ("means", "covariances")
    )
    for first in range(0, len(skies.draws), step):
        its = slice(first, first + step)
        yield _Skies(skies.fluxes[its], means[its], covariances[its])


def _corrected(skies, centres, shapes, rounds):
    """Correct ellipses towards isophotes: centres (V, 2), shapes (V, 2, 2), whether settled.

    A shape takes the unit circle to the ellipse.
    """
    centres, shapes = np.array(centres), np.array(shapes)
    sizes = np.sqrt(np.linalg.eigvalsh(shapes @ np.swapaxes(shapes, 1, 2))[:, 1])
    last = np.full(len(shapes), np.inf)
    for _ in range(rounds):
        # Ellipses that have settled well are left alone.
        moving = np.flatnonzero(last > _SETTLED_WELL)
        if not len(moving):
            break
        harmonics, falls = _harmonics(skies, moving, centres[moving], shapes[moving])
        # An isophote is where the brightness falls outwards.
        last[moving] = np.where(falls, np.abs(harmonics).max(1), np.inf)
        centres[moving] += np.einsum("nij,nj->ni", shapes[moving], harmonics[:, :2])
        c, s = harmonics[:, 2], harmonics[:, 3]
        change = np.stack([np.stack([1 + c, s], 1), np.stack([s, 1 - c], 1)], 1)
        shapes[moving] = _rescaled(shapes[moving] @ change, sizes[moving])
    return centres, shapes, last < _SETTLED


def _harmonics(skies, chosen, centres, shapes):
    """Corrections of ellipses (n, 4), and whether the brightness falls outwards."""
    anomaly = 2 * np.pi * np.arange(_PLACES) / _PLACES
    circle = np.stack([np.cos(anomaly), np.sin(anomaly)])
    waves = np.stack([*circle, np.cos(2 * anomaly), np.sin(2 * anomaly)]) * (2 / _PLACES)
    offsets = shapes @ circle
    inner, outer = (
        skies.densities(
            chosen,
            centres[:, :1] + factor * offsets[:, 0],
            centres[:, 1:] + factor * offsets[:, 1],
        )
        for factor in (1 - _APART, 1 + _APART)
    )
    slope = ((outer - inner) / (2 * _APART)).mean(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        harmonics = -(inner + outer) / 2 @ waves.T / slope[:, None]
    return np.nan_to_num(np.clip(harmonics, -_FARTHEST, _FARTHEST)), slope < 0


def _rescaled(shapes, sizes):
    """Shapes with given semi-major axes, without the turn that maps the circle onto itself."""
    axes, lengths, _ = np.linalg.svd(shapes)
    ratio = np.maximum(lengths[:, 1] / lengths[:, 0], _LEAST_RATIO)
    return axes * np.stack([sizes, sizes * ratio], 1)[:, None, :]


def _ellipses(centres, shapes, settled):
    axes, lengths, _ = np.linalg.svd(shapes)
    known = np.where(settled, 1.0, np.nan)
    return Ellipses(
        centres=centres * known[:, None],
        axis_ratios=lengths[:, 1] / lengths[:, 0] * known,
        angles=np.degrees(np.arctan2(axes[:, 1, 0], axes[:, 0, 0])) % 180 * known,
    )


def _spread(drawn, value):
    """The interval over the draws that have an isophote; NaN where less than half have one."""
    seen = np.isfinite(drawn)
    enough = seen.mean(0) >= 0.5
    # Draws without one do not count.
    filled = np.array(drawn)
    for j in np.flatnonzero(enough & ~seen.all(0)):
        known = drawn[seen[:, j], j]
        filled[:, j] = np.quantile(known, (np.arange(len(drawn)) + 0.5) / len(drawn))
    filled[:, ~enough] = np.nan
    return Interval.over(filled, value=np.where(enough, value, np.nan))
