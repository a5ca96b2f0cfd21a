"""FitResult: a fitted sky, with the observations that it was fitted to."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from .._arrays import read_only
from .doors import ResultDoors
from .mixture import Fixed, Mixture
from .observation import Observation
from .places import FluxByPlace, PlaceErrors
from .posterior import Draws
from .refinement import refinement_of
from .summary import BackgroundSummary, summary_html, summary_text

if TYPE_CHECKING:
    from astropy.units import Quantity

    from ..plane.frame import SkyFrame

HISTORY_COLUMNS = ("log_likelihood", "objective", "stage", "step", "k", "seconds", "phase")
PATH_COLUMNS = ("stage", "k", "log_likelihood", "criterion", "accepted")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class FitResult(FluxByPlace, ResultDoors):
    """A fitted mixture of Gaussians, with the observations that it was fitted to.

    Its methods draw, tabulate, score and write it. `flux_in_field` is the flux to quote.

    Attributes
    ----------
    mixture : Mixture
        The K components, point sources included, by decreasing flux.
    observations : tuple of Observation
        The photons and backgrounds as fitted: photons that were left out are counted, and
        backgrounds have their fitted amplitudes.
    reference_exposure : float
        Exposure E_ref at which fluxes are counted [`exposure_unit`].
    exposure_unit : str
        "cm**2 s", "cm**2", "s", or empty for a relative exposure.
    observed_fraction : (K,) array
        Fraction e_k of each component's photons that the telescope recorded.
    observed_photons : (K,) array
        Detected photons assigned to each component, the sum of its responsibilities [photon].
    prior_scales : (K,) array
        Scale S_k of the covariance prior, r39**2 of the PSF at each component [arcsec**2].
    backgrounds : tuple of BackgroundSummary
        One for each background of each observation.
    signal_error : float
        Standard error of the total flux of the extended components [photon at E_ref].
    log_likelihood, objective : float
        Log-likelihood without the terms log Omega, and the same with the priors [nat].
    converged : bool
        True if the fit ended because the objective had settled.
    stop_reason : str
        Why the fit ended.
    iterations : int
        Number of evaluations of the likelihood.
    requested_components : int or None
        Number of components that was asked for; None if the fit chose it.
    history : dict of str to (n,) array
        One row for each accepted iterate, with the columns of `HISTORY_COLUMNS`. Within a phase
        the objective never falls. Between phases it is redefined, because PSF averages and prior
        scales follow the components.
    path : dict of str to (n,) array
        One row for each set of components that was tried, with the columns of `PATH_COLUMNS`:
        `stage` ("start", "grow", "exchange", "prune", "settle", "points", "final"), `k` (point
        sources not counted), `criterion` log L less the price of all components [nat], and
        `accepted`.
        Empty for files that were written before paths were kept.
    options : dict
        The options of the fit. They are kept as JSON would keep them: arrays and tuples as
        lists, other objects as their text.
    seed : int
        Seed of the random numbers.
    seconds : float
        Duration of the fit [s].
    warnings : tuple of str
        Messages of the warnings that reading and fitting gave.
    fixed : Fixed or None
        The parameters that were not fitted, and which components are point sources. None if
        all were fitted and there is no point source.
    flux_errors : (K,) array
        Standard error of each flux [photon at E_ref]; 0 if it is fixed or unknown. For a flux
        of zero it is one-sided.
    flux_upper95 : (K,) array
        Upper limit of each flux at 95 % [photon at E_ref]; NaN if it is fixed or unknown.
    mean_errors : (K, 2) array
        Standard errors of each mean along x and y [arcsec]; 0 if it is fixed or unknown.
    background_error : float
        Standard error of `background_photons` [photon]. It is smaller than that of each
        background where backgrounds are hardly distinguished from each other.
    background_correlation : float
        Correlation of `background_photons` with the total flux of the extended components.
    place_errors : PlaceErrors
        Standard errors of the flux in the field, under its masks and outside [photon at E_ref].
    draws : Draws or None
        Parameter sets that are consistent with the data; None if none were made.

    Raises
    ------
    InputError
        If an array does not have one row for each component.

    See Also
    --------
    gmmx.fit : Make a FitResult from observations.
    gmmx.read : Read a FitResult from a model file.

    Examples
    --------
    >>> import gmmx
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(0.0, 5.0, (2, 500))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1, seed=1)
    >>> result
    FitResult: 1 component, converged after ... evaluations
      flux        500 +- 22 photon
      background  none of 500 photons
      warnings    none
    >>> result.sample(3, rng).shape
    (3, 2)
    """

    # What the model is of; that of a SamplesResult is "samples".
    kind: ClassVar[str] = "photons"

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
    warnings: tuple[str, ...] = ()
    fixed: Fixed | None = None
    flux_errors: np.ndarray | None = None
    mean_errors: np.ndarray | None = None
    flux_upper95: np.ndarray | None = None
    background_error: float = np.nan
    background_correlation: float = np.nan
    place_errors: PlaceErrors = field(default_factory=PlaceErrors)
    draws: Draws | None = None

    def __post_init__(self):
        k = len(self.mixture)
        unknown = {
            "flux_errors": np.zeros(k),
            "mean_errors": np.zeros((k, 2)),
            "flux_upper95": np.full(k, np.nan),
        }
        for name, values in unknown.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, values)
        read_only(
            self,
            may_be_unknown=("flux_upper95",),
            observed_fraction=(k,),
            observed_photons=(k,),
            prior_scales=(k,),
            flux_errors=(k,),
            mean_errors=(k, 2),
            flux_upper95=(k,),
        )
        object.__setattr__(self, "options", json.loads(json.dumps(self.options, default=_as_json)))

    def __repr__(self):
        return summary_text(self)

    def _repr_html_(self):
        return summary_html(self)

    # Parts of the result ---------------------------------------------------------------------

    @property
    def points(self) -> np.ndarray:
        """(K,) booleans: the components that are point sources."""
        return np.zeros(len(self.mixture), bool) if self.fixed is None else self.fixed.points

    @property
    def extended(self) -> Mixture:
        """The mixture without its point sources, which is drawn as the signal."""
        return self.mixture.select(~self.points)

    @property
    def point_sources(self) -> Mixture:
        """The point sources as a mixture of their own."""
        return self.mixture.select(self.points)

    @property
    def frame(self) -> "SkyFrame | None":
        """The tangent plane of the fit."""
        return self.observations[0].frame

    # Numbers ---------------------------------------------------------------------------------

    @property
    def n_photons(self) -> float:
        """Number of fitted photons, the sum of all weights."""
        return sum(o.n_photons for o in self.observations)

    @property
    def signal_photons(self) -> float:
        """Expected detected photons of the extended components, sum F_k e_k."""
        return float(self.extended.fluxes @ self.observed_fraction[~self.points])

    @property
    def point_photons(self) -> float:
        """Expected detected photons of the point sources, sum F_k e_k."""
        return float(self.point_sources.fluxes @ self.observed_fraction[self.points])

    @property
    def background_photons(self) -> float:
        """Expected detected photons of all backgrounds."""
        return float(sum(b.photons for b in self.backgrounds))

    @property
    def background_fraction(self) -> float:
        """Expected detected background over all expected photons."""
        total = self.background_photons + self.signal_photons + self.point_photons
        return self.background_photons / max(total, 1e-300)

    @property
    def signal_flux(self) -> "Quantity":
        """Total flux of the extended components, sum F_k / E_ref [photon/cm**2/s].

        It includes what the mixture has outside of the field: see `flux_in_field`.
        Where the exposure has no area and time, the unit is that of photons over the exposure;
        for a relative exposure it is photons at E_ref.
        """
        return float(self.extended.fluxes.sum()) * self.flux_per_photon

    @property
    def signal_flux_error(self) -> "Quantity":
        """Standard error of `signal_flux`; its correlation with the backgrounds is included."""
        return float(self.signal_error) * self.flux_per_photon

    @property
    def has_flux_unit(self) -> bool:
        """Whether the exposure is an area times a time, so that fluxes are in photon/cm**2/s."""
        return self.exposure_unit == "cm**2 s"

    @property
    def flux_per_photon(self) -> "Quantity":
        """The flux that one photon at the reference exposure stands for."""
        from astropy import units

        if not self.exposure_unit:
            return 1.0 * units.photon
        return units.photon / (self.reference_exposure * units.Unit(self.exposure_unit))

    @property
    def scarcely_observed(self) -> np.ndarray:
        """(K,) booleans: e_k < 0.5 with fewer photons than the average component.

        The rule is that of Melchior & Goulding 2018 (A&C 25, 183), section 3.3.
        """
        total = max(self.observed_photons.sum(), 1e-300)
        below_average = self.observed_photons / total < 1 / max(len(self.mixture), 1)
        return (self.observed_fraction < 0.5) & below_average

    @property
    def refinement(self) -> dict[str, int | float]:
        """Number of exchanges and of pruned components; empty without a whole path.

        ``exchanges_tried`` and ``exchanges_accepted`` count rounds, each of one or several
        components. ``exchange_gain`` is the change of log L by the accepted ones [nat]. It may be
        negative, because exchanges are accepted by the objective with its priors, or, if the fit
        chooses K, by log L less the price of all components.
        ``pruned`` is the number of components that were removed.
        """
        return refinement_of(self.path)


def _as_json(value):
    """An option that JSON has no type for: arrays as lists, other objects as their text."""
    return value.tolist() if hasattr(value, "tolist") else str(value)
