"""Which component or background each photon is from: probabilities, and decisions by them.

A photon at x is of component k with the probability

    P_k = Omega(x) F_k sum_m c_km N(x; mu_k, Sigma_k + S_km) / lambda(x),

and of background b with ``B_b q_b(x) / lambda(x)``. These are the responsibilities of the fit, so
that their sums over the fitted photons are the column `observed_photons` of the component table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..model.density import background_terms
from ..model.drawing import convolved

if TYPE_CHECKING:
    from ..model.observation import Observation
    from ..model.result import FitResult

# The number that stands for all backgrounds, and that of photons that were not fitted.
BACKGROUND, NOT_FITTED = -1, -2
# Numbers of an array of photons by Gaussians that are in memory at once.
_MOST = 4_000_000


@dataclass(frozen=True, eq=False, repr=False)
class Membership:
    """The probabilities of the origins of photons.

    Attributes
    ----------
    signal, points : (N,) array
        Of the extended components and of the point sources.
    backgrounds : (n_b, N) array
        Of each background of the observation.
    best : (N,) integers
        The most probable of all components and the background: a number of the component table,
        or -1 for the backgrounds together.
    best_probability : (N,) array
        Its probability.
    drawn : (N,) integers or None
        One origin for each photon, drawn by the probabilities; None if there was no generator.

    Examples
    --------
    `membership_of` makes it.
    """

    signal: np.ndarray
    points: np.ndarray
    backgrounds: np.ndarray
    best: np.ndarray
    best_probability: np.ndarray
    drawn: np.ndarray | None = None

    def __repr__(self):
        parts = [
            f"{float(values.sum()):,.1f} of {name}"
            for name, values in (
                ("the signal", self.signal),
                ("point sources", self.points),
                ("backgrounds", self.backgrounds),
            )
        ]
        return f"Membership({len(self.signal):,} photons: {', '.join(parts)})"

    @property
    def background(self) -> np.ndarray:
        """Probabilities of all backgrounds together, (N,)."""
        return self.backgrounds.sum(0)


def membership_of(
    result: FitResult,
    observation: Observation,
    x: np.ndarray,
    y: np.ndarray,
    *,
    rng: np.random.Generator | None = None,
) -> Membership:
    """The origins of photons at positions in the field of one observation of a fit.

    Parameters
    ----------
    result : FitResult
    observation : Observation
        One of the result's.
    x, y : (N,) array
        Detected positions where the exposure is above zero [arcsec].
    rng : numpy.random.Generator, optional
        With it one origin is drawn for each photon.

    Returns
    -------
    Membership

    Raises
    ------
    InputError
        If the model expects nothing at a position.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=2, seed=1)
    >>> found = membership_of(result, result.observations[0], x, y)
    >>> found
    Membership(400 photons: 400.0 of the signal, 0.0 of point sources, 0.0 of backgrounds)
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    views = _Views.of(result, observation)
    backgrounds = background_terms(observation, result.reference_exposure)
    rows = max(1, _MOST // max(views.n_numbers, 1))
    parts = []
    for start in range(0, max(len(x), 1), rows):
        some = slice(start, start + rows)
        at = x[some], y[some]
        ratios = np.zeros((len(backgrounds), len(at[0])))
        for row, background in zip(ratios, backgrounds, strict=True):
            row[:] = background.amplitude * background.ratio(*at)
        parts.append(_membership(views.densities(*at), ratios, result.points, rng))
    return _joined(parts)


@dataclass(frozen=True, eq=False)
class _Views:
    """The Gaussians of all components as one observation sees them.

    Attributes
    ----------
    n_components : int
    peaks : (V,) array
        Highest densities [photon / arcsec**2].
    means : (V, 2) array
        [arcsec]
    precisions : (V, 3) array
        xx, xy and yy of the inverse covariances [arcsec**-2].
    """

    n_components: int
    peaks: np.ndarray
    means: np.ndarray
    precisions: np.ndarray

    @classmethod
    def of(cls, result, observation):
        fluxes, means, covariances = convolved(result.mixture, observation.psf)
        inverses = np.linalg.inv(covariances)
        return cls(
            n_components=len(result.mixture),
            peaks=fluxes * np.sqrt(np.linalg.det(inverses)) / (2 * np.pi),
            means=means,
            precisions=np.stack([inverses[:, 0, 0], inverses[:, 0, 1], inverses[:, 1, 1]], axis=1),
        )

    @property
    def n_numbers(self):
        """Numbers that one photon takes."""
        return len(self.peaks)

    def densities(self, x, y):
        """Density of each component over the completeness, (K, N) [photon / arcsec**2]."""
        dx, dy = (at - mean[:, None] for at, mean in zip((x, y), self.means.T, strict=True))
        xx, xy, yy = self.precisions.T[..., None]
        each = self.peaks[:, None] * np.exp(-0.5 * (dx * (xx * dx + 2 * xy * dy) + yy * dy * dy))
        if self.n_components == 0:
            return np.zeros((0, len(x)))
        return each.reshape(self.n_components, -1, len(x)).sum(1)


def _membership(components, backgrounds, points, rng):
    """The membership of photons, from the densities of all terms over the completeness."""
    total = components.sum(0) + backgrounds.sum(0)
    if np.any(total <= 0):
        raise InputError(
            f"the model expects nothing where {int((total <= 0).sum())} of the photons are: fit it "
            "with a background"
        )
    components, backgrounds = components / total, backgrounds / total
    # The backgrounds come last, so that the number of the row is that of the component.
    every = np.concatenate([components, backgrounds.sum(0)[None]])
    best = every.argmax(0)
    drawn = None
    if rng is not None:
        sums = np.cumsum(every, axis=0)
        drawn = (rng.random(len(total)) * sums[-1] >= sums[:-1]).sum(0)
        drawn = np.where(drawn == len(components), BACKGROUND, drawn)
    return Membership(
        signal=components[~points].sum(0),
        points=components[points].sum(0),
        backgrounds=backgrounds,
        best=np.where(best == len(components), BACKGROUND, best),
        best_probability=every.max(0),
        drawn=drawn,
    )


def _joined(parts):
    """The membership of all photons, from those of some at a time."""
    if len(parts) == 1:
        return parts[0]

    def joined(name):
        values = [getattr(part, name) for part in parts]
        return None if values[0] is None else np.concatenate(values, axis=-1)

    names = ("signal", "points", "backgrounds", "best", "best_probability", "drawn")
    return Membership(**{name: joined(name) for name in names})
