"""What a fit returns, and what a checkpoint holds."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from .._arrays import read_only
from .mixture import Fixed, Mixture
from .observation import Observation

HIGH_CORRELATION = 0.9
HISTORY_COLUMNS = ("log_likelihood", "objective", "stage", "step", "k", "seconds", "phase")
PATH_COLUMNS = ("stage", "k", "log_likelihood", "criterion", "accepted")


@dataclass(frozen=True, eq=False, kw_only=True)
class BackgroundSummary:
    """What the fit says about one background.

    Attributes
    ----------
    observation, name, kind : str
    amplitude, amplitude_error : float
        B and its standard error [photon / arcsec**2 at q = 1]; where the amplitude is held the error is that of where it was taken from, 0 for a number.
    photons, photons_error : float
        Expected detected photons and their standard error.
    correlation : float
        Correlation of the amplitude with the total signal flux.
    fixed : bool
    """

    observation: str
    name: str
    kind: str
    amplitude: float
    amplitude_error: float
    photons: float
    photons_error: float
    correlation: float
    fixed: bool

    @property
    def is_degenerate(self):
        """Whether the data hardly tell the background from broad signal: a correlation beyond 0.9."""
        return not self.fixed and abs(self.correlation) > HIGH_CORRELATION


@dataclass(frozen=True, eq=False, kw_only=True)
class FitState:
    """An iterate: everything needed to go on from here.

    Attributes
    ----------
    mixture : Mixture
    amplitudes : tuple of (n_b,) arrays
        Background amplitudes B of each observation [photon / arcsec**2 at q = 1].
    log_likelihood, objective : float
        Of the mixture and amplitudes held here [nat].
    iteration : int
        Evaluations of the likelihood so far.
    stage, step : str
        Which part of the fit made it ("grow", "settle", ...) and how ("em", "quasi-newton", ...).
    seconds : float
        Since the fit began.
    """

    mixture: Mixture
    amplitudes: tuple
    log_likelihood: float
    objective: float
    iteration: int = 0
    stage: str = ""
    step: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, eq=False, kw_only=True)
class FitResult:
    """A fitted sky, with what it was fitted to.

    Attributes
    ----------
    mixture : Mixture
        By falling flux.
    observations : tuple of Observation
        As fitted: photons that were dropped are gone and counted, backgrounds carry their fitted amplitudes.
    reference_exposure : float
        E_ref, in `exposure_unit`.
    exposure_unit : str
    observed_fraction : (K,) array
        e_k: share of each component's photons that the telescope recorded.
    observed_photons : (K,) array
        Photons assigned to each component, sum of its responsibilities.
    prior_scales : (K,) array
        r39**2 of the PSF at each component, the scale of the covariance prior [arcsec**2].
    backgrounds : tuple of BackgroundSummary
    signal_error : float
        Standard error of the total flux of the extended components [photon at the reference exposure].
    log_likelihood, objective : float
        [nat]; log Omega and, in the first, the priors left out.
    converged : bool
    stop_reason : str
    iterations : int
        Evaluations of the likelihood.
    requested_components : int or None
        The K asked for; None when it was chosen.
    history : dict of str to (n,) array
        One entry per accepted iterate; the columns of HISTORY_COLUMNS. The objective never falls within one phase; from one to the next it is another
        objective, whose PSF averages and prior scales have followed the components.
    path : dict of str to (n,) array
        One entry per structure that was looked at, in order; the columns of PATH_COLUMNS. `stage` says what made it ("start", "grow", "exchange", "prune",
        "settle", "points", "final"), `k` counts no point sources, `criterion` is Schwarz's, log L - 3 K log N [nat], `accepted` whether the fit went on from
        it: a trial that was not worth it was left. Empty where a model's file is from before paths were kept.
    options : dict
        Everything that was asked for, JSON-ready.
    seed : int
    seconds : float
    warnings : tuple of str
    fixed : Fixed or None
        What of the mixture was held, and which components are point sources; None where there is neither.
    flux_errors : (K,) array
        Standard error of each flux [photon at the reference exposure]; 0 where it is held or not known.
    mean_errors : (K, 2) array
        Standard error of each mean along x and y [arcsec]; 0 where it is held or not known.
    background_error : float
        Standard error of `background_photons`: backgrounds that are hardly told from each other have a sum that is well known.
    background_correlation : float
        Correlation of `background_photons` with the total signal flux.
    """

    mixture: Mixture
    observations: tuple[Observation, ...]
    reference_exposure: float
    exposure_unit: str
    observed_fraction: np.ndarray
    observed_photons: np.ndarray
    prior_scales: np.ndarray
    backgrounds: tuple[BackgroundSummary, ...]
    signal_error: float
    log_likelihood: float
    objective: float
    converged: bool
    stop_reason: str
    iterations: int
    requested_components: int | None
    history: dict = field(default_factory=dict)
    path: dict = field(default_factory=dict)
    options: dict = field(default_factory=dict)
    seed: int = 0
    seconds: float = 0.0
    warnings: tuple = ()
    fixed: Fixed | None = None
    flux_errors: np.ndarray = None
    mean_errors: np.ndarray = None
    background_error: float = np.nan
    background_correlation: float = np.nan

    def __post_init__(self):
        for name, shape in (
            ("flux_errors", len(self.mixture)),
            ("mean_errors", (len(self.mixture), 2)),
        ):
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.zeros(shape))
        read_only(
            self,
            observed_fraction=("K",),
            observed_photons=("K",),
            prior_scales=("K",),
            flux_errors=("K",),
            mean_errors=("K", 2),
        )

    @property
    def points(self):
        """(K,) booleans: components that are point sources."""
        return np.zeros(len(self.mixture), bool) if self.fixed is None else self.fixed.points

    @property
    def extended(self):
        """The mixture without its point sources: the sky that is drawn as the signal."""
        return self.mixture.select(~self.points)

    @property
    def point_sources(self):
        """The point sources alone, as a mixture."""
        return self.mixture.select(self.points)

    @property
    def frame(self):
        """The tangent plane of the fit."""
        return self.observations[0].frame

    @property
    def n_photons(self):
        """Photons fitted: the sum of all weights."""
        return sum(o.n_photons for o in self.observations)

    @property
    def signal_photons(self):
        """Expected detected photons of the extended components, sum F_k e_k."""
        return float(self.extended.fluxes @ self.observed_fraction[~self.points])

    @property
    def point_photons(self):
        """Expected detected photons of the point sources, sum F_k e_k."""
        return float(self.point_sources.fluxes @ self.observed_fraction[self.points])

    @property
    def background_photons(self):
        """Expected detected photons of all backgrounds."""
        return float(sum(b.photons for b in self.backgrounds))

    @property
    def background_fraction(self):
        """Expected detected background over all expected photons."""
        return self.background_photons / max(
            self.background_photons + self.signal_photons + self.point_photons, 1e-300
        )

    @property
    def refinement(self):
        """What exchanging and pruning came to, as a dict; empty without a path.

        ``exchanges_tried`` and ``exchanges_accepted`` are rounds, of one or several components each; ``exchange_gain`` is what the accepted ones gained in
        log L [nat]; ``pruned`` are the components taken away.
        """
        if not self.path:
            return {}
        phase, k, log_likelihood, accepted = (
            np.asarray(self.path[name]) for name in ("stage", "k", "log_likelihood", "accepted")
        )
        tried, gain, pruned = int((phase == "exchange").sum()), 0.0, 0
        # A trial is measured against the structure that it was made from: the last one accepted before it.
        standing = np.flatnonzero(accepted)
        for before, after in pairwise(standing):
            if phase[after] == "exchange":
                gain += float(log_likelihood[after] - log_likelihood[before])
            elif phase[after] == "prune":
                pruned += int(k[before] - k[after])
        done = int((phase[standing] == "exchange").sum())
        return {
            "exchanges_tried": tried,
            "exchanges_accepted": done,
            "exchange_gain": gain,
            "pruned": pruned,
        }

    @property
    def scarcely_observed(self):
        """(K,) booleans: e_k < 0.5 with fewer photons than the average component (Melchior & Goulding 2018, section 3.3)."""
        total = max(self.observed_photons.sum(), 1e-300)
        return (self.observed_fraction < 0.5) & (
            self.observed_photons / total < 1 / max(len(self.mixture), 1)
        )

    def write(self, path, *, overwrite=False, command=None):
        """Write the model file of this fit; see `gmmx.io.models.write_model`."""
        from ..io.models import write_model

        write_model(path, self, overwrite=overwrite, command=command)
