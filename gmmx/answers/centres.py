"""Where a profile is centred, how far it reaches, and the edges of its annuli."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..config.profile import CENTRES, parsed_bins
from ..errors import InputError
from ..model.psf import core_radius
from .rings import Rings

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord

    from ..model.result import FitResult

# The innermost of logarithmic annuli has at least this part of the reach as its radius.
_INNERMOST = 1 / 500
# Steps towards the highest place of a mixture, and the shift that ends them [arcsec].
_STEPS, _SETTLED = 500, 1e-6


def centre_of(result: FitResult, center: str) -> np.ndarray:
    """Find the centre of a profile in the plane of a fit.

    Parameters
    ----------
    result : FitResult
    center : str
        "brightest": the highest surface brightness of the extended components at the resolution
        of the PSF. "centroid": the mean position of their flux. Otherwise "RA,DEC" (ICRS), or
        "X,Y" [arcsec] if the fit has no celestial frame.

    Returns
    -------
    (2,) array
        [arcsec]

    Raises
    ------
    InputError
        If the text is no position, or if there are no extended components to look at.
    """
    if center not in CENTRES:
        return _given(result, center)
    if not len(result.extended):
        raise InputError(
            f"`center` = {center}: the fit has no extended components: give RA,DEC",
            parameter="center",
        )
    if center == "centroid":
        return result.extended.fluxes @ result.extended.means / result.extended.fluxes.sum()
    return _brightest(result)


def _given(result, text):
    way_out = InputError(
        f"`center` = {text}: give brightest, centroid, or RA,DEC such as 187.706,12.391 or "
        "12:30:49.4,+12:23:28",
        parameter="center",
    )
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 2:
        raise way_out
    try:
        if result.frame is None:
            place = np.array([float(part) for part in parts])
            if not np.isfinite(place).all():
                raise way_out
            return place
        sky = sky_position(*parts).transform_to(result.frame.radesys.lower())
        place = np.array([float(one) for one in result.frame.to_plane(sky.ra.deg, sky.dec.deg)])
    except ValueError:
        raise way_out from None
    if not np.isfinite(place).all():
        raise InputError(
            f"`center` = {text}: it is more than 90 degrees from the observation, at RA "
            f"{result.frame.ra0:.3f}, Dec {result.frame.dec0:+.3f}: give RA,DEC near it",
            parameter="center",
        )
    return place


def sky_position(ra: str, dec: str) -> SkyCoord:
    """A position of the sky (ICRS) from texts: degrees, or hours with colons or letters.

    Raises
    ------
    ValueError
        If a text is no coordinate.

    Examples
    --------
    >>> sky_position("12:30:49.4", "+12:23:28").to_string("decimal", precision=3)
    '187.706 12.391'
    """
    from astropy.coordinates import SkyCoord

    unit = "hourangle" if ":" in ra or "h" in ra else "deg"
    return SkyCoord(ra, dec, unit=(unit, "deg"), frame="icrs")


def _brightest(result):
    """The highest place of the mixture, each component widened by the core of its PSF.

    From the highest of the centres, each step goes to the mean of the components as they are
    weighted at the place, which climbs until the gradient is zero.
    """
    mixture = result.extended
    wide = result.prior_scales[~result.points]
    covariances = mixture.covariances + wide[:, None, None] * np.eye(2)
    inverses = np.linalg.inv(covariances)
    peaks = mixture.fluxes * np.sqrt(np.linalg.det(inverses))

    def weights(place):
        offsets = place - mixture.means
        return peaks * np.exp(-0.5 * np.einsum("ki,kij,kj->k", offsets, inverses, offsets))

    place = max(mixture.means, key=lambda mean: weights(mean).sum())
    for _ in range(_STEPS):
        parts = weights(place)[:, None, None] * inverses
        moved = np.linalg.solve(parts.sum(0), np.einsum("kij,kj->i", parts, mixture.means))
        if np.hypot(*(moved - place)) < _SETTLED:
            break
        place = moved
    return place


def reach_of(result: FitResult, rings: Rings) -> float:
    """The farthest place that was observed: its semi-major axis in rings of this form [arcsec].

    Without an exposure map it is that of the farthest photon.
    """
    farthest = [0.0]
    for o in result.observations:
        if o.completeness is None:
            x, y = o.photons.x, o.photons.y
        else:
            iy, ix = np.nonzero(o.completeness.effective > 0)
            x, y = o.completeness.grid.to_plane(ix, iy)
        radius = rings.radii(x, y)
        farthest.append(float(np.nanmax(radius, initial=0.0)))
    if not max(farthest) > 0:
        raise InputError(
            "nothing was observed about this centre: give another `center` or `sector`",
            parameter="center",
        )
    return max(farthest) * (1 + 1e-9)


def edges_of(result: FitResult, rings: Rings, bins: str) -> np.ndarray:
    """Edges of annuli, (n + 1,) [arcsec].

    Parameters
    ----------
    result : FitResult
    rings : Rings
        Rings of the form of the annuli, with any edges.
    bins : str
        As for `ProfileConfig`.
    """
    rule, number = parsed_bins(bins)
    if isinstance(number, tuple):
        return np.array(number)
    reach = reach_of(result, rings)
    n = int(number)
    if rule == "linear":
        return np.linspace(0.0, reach, n + 1)
    if rule == "log":
        first = max(_innermost(result, rings.centre), _INNERMOST * reach)
        return (
            np.array([0.0, *np.geomspace(min(first, reach / 2), reach, n)])
            if n > 1
            else (np.array([0.0, reach]))
        )
    return _edges_by_counts(result, rings, reach, n)


def _innermost(result, centre):
    """Radius that holds 39 % of the sharpest PSF at the centre, or half the coarsest pixel."""
    cores = [core_radius(*o.psf.at(*centre))[0] for o in result.observations if o.psf is not None]
    pixels = [o.photons.pixel / 2 for o in result.observations]
    return max(min(cores, default=0.0), *pixels)


def _edges_by_counts(result, rings, reach, least):
    """Edges between which there are at least so many photons."""
    radii, weights = (
        np.concatenate(parts)
        for parts in zip(
            *(
                (rings.radii(o.photons.x, o.photons.y), o.photons.weights)
                for o in result.observations
            ),
            strict=True,
        )
    )
    inside = np.flatnonzero(radii <= reach)
    order = inside[np.argsort(radii[inside], kind="stable")]
    total = np.cumsum(weights[order])
    edges, before = [0.0], 0.0
    while len(order) and total[-1] - before >= 2 * least:
        i = int(np.searchsorted(total, before + least))
        edge = float(np.nextafter(radii[order[i]], np.inf))
        if edge <= edges[-1]:
            break
        edges.append(edge)
        # Photons of one pixel have the same radius.
        before = float(total[np.searchsorted(radii[order], edge) - 1])
    return np.array([*edges, max(reach, edges[-1] * (1 + 1e-9))])
