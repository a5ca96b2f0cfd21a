"""The radial profile that a figure shows: quick, with errors only where the model has draws."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import QTable
from numpy.typing import ArrayLike

from ..config import ProfileConfig
from ..model.posterior import Draws
from .captions import psf_in_words
from .centres import centre_of, edges_of
from .profile_table import brightness_table, estimate_of
from .ring_profile import ring_profile
from .rings import Rings

if TYPE_CHECKING:
    from ..model.result import FitResult

# Photons that an annulus of a figure holds at least.
_LEAST_PHOTONS = 10.0
# Photons counted in pixels are spread over their pixels: annuli of a figure are at least so many
# pixels wide, because narrower ones share their photons.
_LEAST_PIXELS = 2.0


def profile_to_draw(
    result: FitResult, centre: ArrayLike | None = None, reach: float | None = None
) -> QTable:
    """Measure the profile that the panel of a figure shows.

    Parameters
    ----------
    result : FitResult
    centre : (2,) array, optional
        [arcsec]; by default the brightest emission, or the mean position of the photons if the fit
        has no extended components.
    reach : float, optional
        Radius of the outermost annulus [arcsec]; by default the farthest place that was observed.

    Returns
    -------
    astropy.table.QTable
        The columns of `profile_of`. Models have no errors if the fit has no draws.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0.0, 5.0, (2, 500))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> table = profile_to_draw(result)
    >>> len(table), table.meta["errors"]
    (10, 'none: the model has no draws')
    """
    place = centre_of_profile(result) if centre is None else np.asarray(centre, np.float64)
    rings = Rings(centre=place, edges=np.array([0.0, 1.0]))
    edges = edges_of(result, rings, str(ProfileConfig.bins))
    if reach is not None and reach < edges[-1]:
        edges = np.append(edges[edges < 0.99 * reach], reach)
    edges = _joined(result, rings.with_edges(edges))
    draws = _itself(result) if result.draws is None else result.draws
    table = brightness_table(result, ring_profile(result, rings.with_edges(edges), draws))
    drawn = "none: the model has no draws" if result.draws is None else f"{len(draws)} draws"
    table.meta = {"errors": drawn, "psf": psf_in_words(result), "estimate": estimate_of(draws)}
    return table


def single_observation(result: FitResult, i: int) -> FitResult:
    """The fit with one of its observations, and the draws of its backgrounds."""
    observation, draws = result.observations[i], result.draws
    if draws is not None:
        first = sum(len(o.backgrounds) for o in result.observations[:i])
        own = draws.amplitudes[:, first : first + len(observation.backgrounds)]
        draws = replace(draws, amplitudes=own)
    return replace(result, observations=(observation,), draws=draws)


def centre_of_profile(result: FitResult) -> np.ndarray:
    """The brightest emission, or the mean of the photons without any [arcsec]."""
    if len(result.extended):
        return centre_of(result, ProfileConfig.center)
    photons = [o.photons for o in result.observations]
    weights = np.concatenate([p.weights for p in photons])
    places = np.concatenate([np.stack([p.x, p.y], axis=1) for p in photons])
    return np.average(places, axis=0, weights=weights)


def _joined(result, rings):
    """The edges between which there are enough photons and whole pixels; the outermost stays."""
    counts, pixel = np.zeros(len(rings)), 0.0
    for o in result.observations:
        counts += rings.counts(o.photons.x, o.photons.y, o.photons.weights)
        pixel = max(pixel, o.photons.pixel)
    kept, total = [rings.edges[0]], 0.0
    for edge, count in zip(rings.edges[1:], counts, strict=True):
        total += count
        if total >= _LEAST_PHOTONS and edge - kept[-1] >= _LEAST_PIXELS * pixel:
            kept.append(edge)
            total = 0.0
    if kept[-1] < rings.edges[-1]:
        # What is left over belongs to the last annulus.
        kept = [*kept[: max(len(kept) - 1, 1)], rings.edges[-1]]
    return np.array(kept)


def _itself(result):
    """The best fit as the only draw, over which nothing has a spread."""
    mixture = result.mixture
    amplitudes = [b.amplitude or 0.0 for o in result.observations for b in o.backgrounds]
    return Draws(
        fluxes=mixture.fluxes[None],
        means=mixture.means[None],
        covariances=mixture.covariances[None],
        amplitudes=np.array(amplitudes, np.float64)[None],
        method="laplace",
        seed=0,
    )
