"""Fluxes in regions of the sky, with their errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..model.interval import Interval, ends
from ..plane.shapes import Shapes
from .place import Place, normal_samples

if TYPE_CHECKING:
    from ..model.posterior import Draws
    from ..model.result import FitResult

# A significance below this calls for an upper limit.
DETECTED = 3.0


@dataclass(frozen=True, eq=False)
class Region:
    """An area of the sky with a name.

    Parameters
    ----------
    name : str
    shapes : Shapes
    """

    name: str
    shapes: Shapes


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class RegionFluxes:
    """The fluxes in M regions.

    Attributes
    ----------
    names : tuple of str
    area : (M,) array
        [arcsec**2].
    photons : Interval
        Of the deconvolved signal, which is the extended components [photon at E_ref].
    drawn : (N, M) array
        The same for each draw.
    upper95 : (M,) array
        Upper limits of these photons; NaN where the significance is at least `DETECTED`, or
        where nothing was observed.
    observed_fraction : (M,) array
        Mean completeness of the region; 0 where nothing was observed.
    counts : (M,) array
        Recorded photons inside.
    background_counts : Interval
        Expected photons of all backgrounds and point sources inside.
    extrapolated_fraction : (M,) array
        Fraction of the flux at positions with a completeness below 5 %.
    significance : (M,) array
        sqrt(2 delta log L) against a sky that has no signal in the region, with everything else
        as fitted. It is infinite where nothing else could have made the photons.
    """

    names: tuple
    area: np.ndarray
    photons: Interval
    drawn: np.ndarray
    upper95: np.ndarray
    observed_fraction: np.ndarray
    counts: np.ndarray
    background_counts: Interval
    extrapolated_fraction: np.ndarray
    significance: np.ndarray

    def __repr__(self):
        return f"RegionFluxes of {len(self.names)} region{'s' * (len(self.names) != 1)}"

    @property
    def correlations(self) -> np.ndarray:
        """Correlations of the photons between the regions, over the draws, (M, M)."""
        moved = self.drawn - self.drawn.mean(0)
        spread = np.sqrt((moved**2).sum(0))
        scale = np.where(spread > 0, spread, 1.0)
        found = (moved.T @ moved) / np.outer(scale, scale)
        np.fill_diagonal(found, 1.0)
        return found


def region_fluxes(result: FitResult, regions: Sequence[Region], draws: Draws) -> RegionFluxes:
    """Measure the flux of the extended components in regions.

    The flux is that of the deconvolved mixture: the integral of ``sum_k F_k N(x; mu_k, Sigma_k)``
    over the region. Its intervals are the spread over the draws, and its value is that of the fit,
    or the mean over the draws of a scan (see `Draws.estimate`). Where the significance is below
    `DETECTED`, the mixture may have no component, and its draws would say that nothing can be
    there. The intervals are then those of a source of uniform brightness that fills the region,
    given the photons inside and everything else as fitted.

    Parameters
    ----------
    result : FitResult
    regions : sequence of Region
    draws : Draws

    Returns
    -------
    RegionFluxes

    Raises
    ------
    InputError
        If there is no region, or if one has no area.

    Notes
    -----
    This function is long because its docstring is.

    Examples
    --------
    Half of a component lies within 1.177 sigma of its centre:

    >>> import gmmx
    >>> from gmmx.answers.errors import draws_of
    >>> from gmmx.plane.shapes import circle
    >>> x, y = np.random.default_rng(0).normal(0.0, 5.0, (2, 500))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> half = Region("half", Shapes.of(circle(*result.mixture.means[0], 5.0 * 1.1774)))
    >>> found = region_fluxes(result, [half], draws_of(result))
    >>> bool(abs(found.photons.value[0] / 250 - 1) < 0.1)
    True
    """
    if not regions:
        raise InputError("there is no region: give `region` or `circle`", parameter="region")
    extended, points = result.extended, result.points
    places = [Place.of(result, region) for region in regions]
    best = np.array([place.photons(extended) for place in places])
    samples = normal_samples()
    base = np.array([place.sampled(extended, samples) for place in places])
    drawn = np.empty((len(draws), len(places)))
    for i, mixture in enumerate(draws.mixtures(without=points)):
        drawn[i] = [place.sampled(mixture, samples) for place in places]
    # The samples say how much a draw differs from the fit; their own error is the same for both.
    drawn = np.maximum(best + drawn - base, 0.0)
    significance = np.array([place.significance for place in places])
    value = np.where(significance < DETECTED, best, draws.estimate(best, drawn))
    limits = np.full(len(places), np.nan)
    for j in np.flatnonzero(significance < DETECTED):
        drawn[:, j], limit = places[j].of_a_faint_source(len(draws))
        # A deficit of photons makes the likelihood ratio say more than the interval does.
        limits[j] = max(limit, ends(drawn[:, j : j + 1])[1][0])
    return RegionFluxes(
        names=tuple(region.name for region in regions),
        area=np.array([place.area for place in places]),
        photons=Interval.over(drawn, value=value),
        drawn=drawn,
        upper95=limits,
        observed_fraction=np.array([place.observed_fraction for place in places]),
        counts=np.array([place.counts for place in places]),
        background_counts=Interval.over(
            np.transpose([place.drawn_background(draws) for place in places]),
            value=np.array([place.background_counts for place in places]),
        ),
        extrapolated_fraction=np.array([place.extrapolated(extended) for place in places]),
        significance=significance,
    )
