"""Surface brightness in rings: the data, the model as the PSF blurs it, and the deconvolved model.

With Omega the completeness, a ring of observation o holds the photons

    N = sum_o integral of [Omega_o (signal * PSF_o + points * PSF_o) + sum_b B_b q_b].

The data are the recorded photons less backgrounds and point sources, over the integral of Omega.
The model beside them is averaged with the same weight Omega, so that a mask or a gap counts alike
in both. The deconvolved model is the mean over the whole ring, whether it was observed or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..model.interval import INSIDE, Interval
from .drawn_skies import DrawnSkies
from .ring_sums import FieldSums

if TYPE_CHECKING:
    from ..model.posterior import Draws
    from ..model.result import FitResult
    from .rings import Rings

# A component whose share of a ring is smaller than this keeps it in all draws.
_LITTLE = 1e-9


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class RingProfile:
    """Photons of data and models in n rings, with their errors.

    Attributes
    ----------
    rings : Rings
    counts : (n,) array
        Recorded photons.
    counts_lower, counts_upper : (n,) arrays
        The 68 % interval of their expectation: central Poisson limits (Gehrels 1986).
    background : Interval
        Expected photons of backgrounds and point sources.
    exposed : (n,) array
        Integral of the completeness [arcsec**2].
    blurred : Interval
        Brightness of the extended components as the PSF blurs them, averaged with the
        completeness [photon / arcsec**2 at E_ref]; NaN in a ring that nothing observed.
    deconvolved : Interval
        Mean brightness of the extended components over the ring [photon / arcsec**2 at E_ref].
    background_errors : dict of str to (n,) array
        The part of the errors of `blurred` and `deconvolved` that follows the amplitudes of the
        backgrounds, by their names.
    extrapolated : (n,) array
        The part of `deconvolved` at positions with a completeness below 5 %, spread over the ring.
    enclosed : Interval
        Photons of the deconvolved model within the outer edge of each ring [photon at E_ref].
    """

    rings: Rings
    counts: np.ndarray
    counts_lower: np.ndarray
    counts_upper: np.ndarray
    background: Interval
    exposed: np.ndarray
    blurred: Interval
    deconvolved: Interval
    background_errors: dict
    extrapolated: np.ndarray
    enclosed: Interval

    def __len__(self):
        return len(self.rings)

    def __repr__(self):
        return (
            f"RingProfile({len(self)} rings to {self.rings.edges[-1]:.4g} arcsec: "
            f"{self.counts.sum():,.0f} photons)"
        )


def ring_profile(result: FitResult, rings: Rings, draws: Draws) -> RingProfile:
    """Measure data and model in rings.

    Parameters
    ----------
    result : FitResult
    rings : Rings
    draws : Draws
        Parameter sets, over which the errors of models and backgrounds are the spread.

    Returns
    -------
    RingProfile

    Examples
    --------
    >>> import gmmx
    >>> from gmmx.answers.errors import draws_of
    >>> from gmmx.answers.rings import Rings
    >>> x, y = np.random.default_rng(0).normal(0.0, 5.0, (2, 500))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> ring_profile(result, Rings(centre=(0, 0), edges=[0.0, 5.0, 10.0]), draws_of(result))
    RingProfile(2 rings to 10 arcsec: 442 photons)
    """
    rings_and_core = rings if rings.edges[0] == 0 else rings.with_edges(np.append(0.0, rings.edges))
    skies = DrawnSkies(result, draws)
    best, drawn = skies.photons(rings_and_core)
    areas, skipped = rings.areas(), len(rings_and_core) - len(rings)
    field = FieldSums(result, rings)
    blurred, blurred_drawn = seen_signal(skies, field)
    background, background_drawn = _backgrounds(skies, field)
    with np.errstate(invalid="ignore", divide="ignore"):
        # Nothing is known of a ring that nothing observed.
        per_exposed = np.where(field.exposed > 0, 1 / field.exposed, np.nan)
    brightness, brightness_drawn = best[skipped:] / areas, drawn[:, skipped:] / areas
    blurred_drawn = blurred_drawn * per_exposed
    sums, enclosed = best.cumsum()[skipped:], drawn.cumsum(1)[:, skipped:]

    def over(values, fitted):
        return Interval.over(values, value=draws.estimate(fitted, values))

    return RingProfile(
        rings=rings,
        counts=field.counts,
        **_poisson_limits(field.counts),
        background=over(background_drawn, background),
        exposed=field.exposed,
        blurred=over(blurred_drawn, blurred * per_exposed),
        deconvolved=over(brightness_drawn, brightness),
        background_errors={
            "blurred": _following(blurred_drawn, draws.amplitudes),
            "deconvolved": _following(brightness_drawn, draws.amplitudes),
        },
        extrapolated=field.extrapolated / areas,
        enclosed=over(enclosed, sums),
    )


def seen_signal(skies: DrawnSkies, field: FieldSums) -> tuple[np.ndarray, np.ndarray]:
    """Expected photons of the extended components in rings: best (n,), drawn (N, n).

    The fluxes of a draw count exactly. How a changed position or shape changes the part of a
    component that falls into a ring is taken from the component with one Gaussian for its PSF.
    """
    reference = skies.reference
    seen, everywhere = field.seen(reference)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(everywhere > _LITTLE, seen / everywhere, 0.0)
    added = _psf_covariances(skies.result.observations, reference)
    n = len(skies.result.observations)
    before = field.rings.photons(reference.means, reference.covariances + added)
    moved = skies.fractions(field.rings, added)
    moved[skies.present] -= before[skies.present[1]]
    photons = np.maximum(seen + n * share * moved, 0.0)
    return skies.best_fluxes @ seen, np.einsum("nk,nkj->nj", skies.fluxes, photons)


def _psf_covariances(observations, mixture):
    """The covariance that the PSF adds to each component, the mean over the observations."""
    total = np.zeros_like(mixture.covariances)
    for o in observations:
        if o.psf is not None and len(mixture):
            weights, spreads = o.psf.averaged(mixture.means, mixture.covariances)
            total += np.einsum("km,kmij->kij", weights, spreads) / len(observations)
    return total


def _backgrounds(skies, field):
    """Expected photons of backgrounds and point sources in rings: best (n,), drawn (N, n)."""
    result, draws = skies.result, skies.draws
    amplitudes = np.array(
        [b.amplitude or 0.0 for o in result.observations for b in o.backgrounds], np.float64
    )
    best, drawn = amplitudes @ field.templates, draws.amplitudes @ field.templates
    if len(result.point_sources):
        seen, _ = field.seen(result.point_sources)
        best = best + result.point_sources.fluxes @ seen
        drawn = drawn + draws.fluxes[:, ~skies.columns] @ seen
    return best, drawn


def _following(drawn, amplitudes):
    """Standard deviation of the part of drawn numbers (N, n) that is linear in amplitudes (N, B).

    The backgrounds of a draw and its components depend on each other; this is the part of the
    spread that would vanish if the backgrounds were known.
    """
    moved = amplitudes - amplitudes.mean(0)
    spread = moved.std(0)
    # A fixed amplitude is the same in all draws, up to the rounding of its mean.
    free = spread > 1e-9 * np.abs(amplitudes).max(0, initial=0.0)
    moved = moved[:, free] / spread[free]
    if not moved.size:
        return np.zeros(drawn.shape[1])
    known = np.nan_to_num(drawn)
    slopes, *_ = np.linalg.lstsq(moved, known - known.mean(0), rcond=1e-9)
    return np.where(np.isnan(drawn).any(0), np.nan, (moved @ slopes).std(0))


def _poisson_limits(counts):
    """The central interval of 68 % of the expectation of Poisson counts (Gehrels 1986)."""
    from scipy.special import gammaincinv

    outside = (1 - INSIDE[0]) / 2
    lower = np.where(counts > 0, gammaincinv(np.maximum(counts, 1e-300), outside), 0.0)
    return {"counts_lower": lower, "counts_upper": gammaincinv(counts + 1, 1 - outside)}
