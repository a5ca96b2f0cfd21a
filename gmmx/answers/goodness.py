"""Goodness of fit: statistics of a fit against those of skies that are simulated from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._kernels.threads import threads_at_most
from ..config import GoodnessConfig
from .errors import options_of
from .missed import Annulus, Place, annuli_of, places_of, sectors_of
from .refits import Truth, warm_refit
from .significance import significance_images
from .yardsticks import Yardsticks

if TYPE_CHECKING:
    from astropy.table import QTable

    from ..model.result import FitResult
    from ..plane.frame import SkyFrame
    from ..plane.grid import SkyImage


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Goodness:
    """The statistics of a fit, and those of skies that were simulated from it.

    Attributes
    ----------
    names : tuple of (str, float)
        Name and scale [arcsec] of each statistic; the scale of a profile is NaN.
    values : (n,) array
        Statistics of the data.
    simulated : (N, n) array
        The same of each simulated sky.
    refitted : bool
        Whether each simulated sky was fitted before it was compared.
    seed : int
        Of the random numbers.
    places : tuple of Place
        Where the photons differ most from the model, by falling local significance; no two of
        them overlap.
    annuli : tuple of Annulus
        The radial profile.
    sectors : tuple of Annulus
        The azimuthal profile.
    frame : SkyFrame or None
        The tangent plane of the fit.

    Examples
    --------
    `goodness_of_fit` makes it.
    """

    names: tuple
    values: np.ndarray
    simulated: np.ndarray
    refitted: bool
    seed: int
    places: tuple[Place, ...]
    annuli: tuple[Annulus, ...]
    sectors: tuple[Annulus, ...]
    frame: SkyFrame | None

    def __len__(self):
        """Number of simulations."""
        return len(self.simulated)

    def __repr__(self):
        how = "refitted" if self.refitted else "not refitted"
        least = f"p = {self.p_value:.3g}"
        if self.p_value <= 1 / (len(self) + 1):
            least = f"p < {1 / len(self):.2g}"
        return f"Goodness({least} from {len(self)} simulations, {how})"

    @property
    def p_values(self) -> np.ndarray:
        """Chance of statistics as large as those of the data if the model is true, (n,)."""
        return p_values(self.values, self.simulated)

    @property
    def p_value(self) -> float:
        """The same of the most conspicuous statistic, for having looked at all of them.

        Each statistic is compared with its mean over the simulations in units of its scatter, and
        the largest of these deviations with those of the simulations.
        """
        everything = np.vstack([self.values, self.simulated])
        scatter = np.maximum(everything.std(0), 1e-12 * (1 + np.abs(everything).max(0)))
        largest = ((everything - everything.mean(0)) / scatter).max(1)
        return float(p_values(largest[:1], largest[1:, None])[0])

    @property
    def largest(self) -> np.ndarray:
        """The largest residual of each simulation, on any scale [sigma], (N,)."""
        chosen = [name == "largest residual" for name, _ in self.names]
        return self.simulated[:, chosen].max(1)

    def chance(self, sigma: float) -> float:
        """Chance of a residual as large as this anywhere in the field, on any scale."""
        return float(p_values(np.array([abs(sigma)]), self.largest[:, None])[0])

    def position(self, place: Place) -> tuple[float, float]:
        """Right ascension and declination of a place [deg]; NaN if the fit has no sky."""
        if self.frame is None:
            return np.nan, np.nan
        ra, dec = self.frame.to_sky(place.x, place.y)
        return float(ra), float(dec)

    def table(self) -> QTable:
        """One row for each statistic, with its p-value, and one for all of them."""
        from .goodness_table import table_of

        return table_of(self)


def p_values(values: np.ndarray, simulated: np.ndarray) -> np.ndarray:
    """Chance of values at least as large as these, ``(1 + number of those) / (N + 1)``.

    Parameters
    ----------
    values : (n,) array
    simulated : (N, n) array

    Examples
    --------
    >>> p_values(np.array([3.0]), np.arange(4.0)[:, None])
    array([0.4])
    """
    return (1 + (simulated >= values).sum(0)) / (len(simulated) + 1)


def goodness_of_fit(
    result: FitResult,
    simulations: int = GoodnessConfig.simulations,
    *,
    refit: bool = not GoodnessConfig.no_refit,
    seed: int = GoodnessConfig.seed,
    threads: int = GoodnessConfig.threads,
    callback: Callable[[int, int], None] | None = None,
) -> Goodness:
    """Compare a fit with skies that are simulated from it; long because each option needs words.

    Parameters
    ----------
    result : FitResult
    simulations : int
        Number of simulated skies.
    refit : bool
        Whether each is fitted from the parameters it was drawn from before it is compared. The
        data were fitted, too, so that p-values without refits are too large.
    seed : int
        Of the random numbers.
    threads : int
        Number of threads; 0 uses every core. The result does not depend on it.
    callback : callable, optional
        Called with the number of finished simulations and the number of all.

    Returns
    -------
    Goodness

    Raises
    ------
    InputError
        If an option is not possible, or if there is nothing to compare.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0.0, 5.0, (2, 500))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1, seed=1)
    >>> goodness_of_fit(result, 19)
    Goodness(p = ... from 19 simulations, refitted)
    """
    GoodnessConfig(simulations=simulations, no_refit=not refit, seed=seed, threads=threads)
    with threads_at_most(threads):
        yardsticks = Yardsticks.of(result)
        sights = yardsticks.sights
        counts, expected = sights.counts(result.observations), sights.expected_of_fit()
        rows = [
            yardsticks.statistics(*pair)
            for pair in _simulated(result, yardsticks, simulations, seed, refit, callback)
        ]
    total, mean = counts.sum(0), expected.sum(0)
    return Goodness(
        names=tuple(yardsticks.names),
        values=yardsticks.statistics(counts, expected),
        simulated=np.array(rows),
        refitted=refit,
        seed=seed,
        places=places_of(yardsticks, total, mean),
        annuli=annuli_of(yardsticks, total, mean),
        sectors=sectors_of(yardsticks, total, mean),
        frame=result.frame,
    )


def _simulated(result, yardsticks, n, seed, refit, callback):
    """Counts and expected counts of each simulation."""
    truth, options, sights = Truth.of(result), options_of(result), yardsticks.sights
    expected = sights.expected_of_fit()
    tell = (lambda _done, _total: None) if callback is None else callback
    for i, sky in enumerate(truth.skies(n, seed)):
        tell(i, n)
        # A sky without photons has nothing to fit.
        if refit and any(len(o.photons) for o in sky):
            _, state = warm_refit(sky, truth, options)
            expected = sights.expected(state.mixture, state.amplitudes)
        yield sights.counts(sky), expected
    tell(n, n)


def significance_map(result: FitResult) -> dict[str, SkyImage]:
    """Where and on which scales photons and model differ, as images.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    dict of str to SkyImage
        See `gmmx.answers.significance.significance_images`. No simulations are needed for it.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0.0, 5.0, (2, 500))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1, seed=1)
    >>> list(significance_map(result))[:4]
    ['SIGNIFICANCE', 'RADIUS', 'SIGMA_R4', 'SIGMA_R4.76']
    """
    yardsticks = Yardsticks.of(result)
    sights = yardsticks.sights
    counts, expected = sights.counts(result.observations), sights.expected_of_fit()
    return significance_images(yardsticks.discs, counts.sum(0), expected.sum(0), result.frame)
