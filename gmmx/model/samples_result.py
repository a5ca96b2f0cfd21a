"""SamplesResult: a mixture fitted to samples, with the samples that it was fitted to."""

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from .._arrays import read_only
from .._words import counted
from ..errors import InputError
from .mixture import Mixture
from .posterior import Draws
from .sample_doors import SampleDoors
from .samples import Samples

HISTORY_COLUMNS = ("log_likelihood", "objective", "step", "k")
PATH_COLUMNS = ("stage", "k", "log_likelihood", "bic", "aic", "icl", "held_out", "accepted")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SamplesResult(SampleDoors):
    """A mixture of Gaussians fitted to samples, with the samples that it was fitted to.

    Attributes
    ----------
    mixture : Mixture
        The K components without noise, by decreasing flux, in the units of the columns. Fluxes
        are numbers of samples, those that the completeness hides included.
    samples : Samples
        What was fitted.
    observed_fraction : (K,) array
        Fraction of each component's samples that the completeness lets through.
    backgrounds : tuple of SampleBackground
        With their fitted amplitudes.
    completeness : SampleCompleteness or None
        The completeness; None if every sample was recorded.
    noise : SampleNoise or None
        Noise as a function of the noise-free values, if the fit was given one.
    log_likelihood : float
        ``sum_i w_i log p(x_i)`` of the normalised density of recorded samples, without the
        constant ``log Omega(x_i)`` where all of x_i is known that the selection acted on [nat].
    objective : float
        Extended log-likelihood with the priors [nat].
    n_parameters : int
        Number of free parameters p.
    bic, aic, icl : float
        Criteria for the number of components, the smaller the better.
    converged : bool
        True if the fit ended because the objective had settled.
    iterations : int
        Evaluations of the likelihood in the last ascent.
    requested_components : int or None
        Number of components that was asked for; None if the fit chose it.
    history : dict of str to (n,) array
        One row for each accepted iterate of the last ascent, with the columns `HISTORY_COLUMNS`.
    path : dict of str to (n,) array
        One row for each set of components that was tried, with the columns `PATH_COLUMNS`:
        `stage` ("start", "kmeans", "grow", "choose", "exchange", "final"), `k`, the criteria, and
        whether the trial was accepted.
    options : dict
        Options of the fit, as JSON keeps them.
    seed : int
        Seed of the random numbers.
    seconds : float
        Duration of the fit [s].
    warnings : tuple of str
        Messages of the warnings that the fit gave.
    draws : Draws or None
        Parameter sets that are consistent with the samples; None if none were made.

    See Also
    --------
    gmmx.fit_samples : Make a SamplesResult.
    gmmx.read : Read one from a model file.

    Examples
    --------
    >>> import gmmx
    >>> x = np.random.default_rng(0).normal([0.0, 5.0], [1.0, 2.0], (500, 2))
    >>> result = gmmx.fit_samples(x, n_components=1, names=["a", "b"])
    >>> result
    SamplesResult: 1 component in 2 dimensions (a, b), converged after ... evaluations
      samples     500, noise none
      log L       -1741.1 (BIC 3513.2, AIC 3492.1)
      warnings    none
    >>> result.mixture.means.round(1)
    array([[-0.1,  5. ]])
    """

    # What the model is of; that of a FitResult is "photons".
    kind: ClassVar[str] = "samples"

    mixture: Mixture
    samples: Samples
    observed_fraction: np.ndarray
    log_likelihood: float
    objective: float
    n_parameters: int
    bic: float
    aic: float
    icl: float
    converged: bool
    iterations: int
    requested_components: int | None = None
    backgrounds: tuple = ()
    completeness: Any = None
    noise: Any = None
    history: dict = field(default_factory=dict)
    path: dict = field(default_factory=dict)
    options: dict = field(default_factory=dict)
    seed: int = 0
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    draws: Draws | None = None

    def __post_init__(self):
        read_only(self, observed_fraction=("K",))
        if len(self.observed_fraction) != len(self.mixture):
            raise InputError("`observed_fraction` must have one value for each component")
        if self.samples.n_dimensions != self.mixture.n_dimensions:
            raise InputError(
                f"the mixture has {self.mixture.n_dimensions} dimensions, the samples have "
                f"{self.samples.n_dimensions}"
            )
        # As a model file keeps them.
        object.__setattr__(self, "options", json.loads(json.dumps(self.options, default=repr)))

    def __repr__(self) -> str:
        k, d = len(self.mixture), self.mixture.n_dimensions
        names = ", ".join(self.names[:6]) + (", ..." if d > 6 else "")
        end = "converged" if self.converged else "not converged"
        lines = [
            f"SamplesResult: {counted(k, 'component')} in {counted(d, 'dimension')} ({names}), "
            f"{end} after {counted(self.iterations, 'evaluation')}",
            f"  samples     {len(self.samples):,}, noise {self.samples.noise_kind}",
            f"  log L       {self.log_likelihood:.1f} (BIC {self.bic:.1f}, AIC {self.aic:.1f})",
        ]
        if self.backgrounds:
            part = 100 * self.background_fraction
            lines.append(f"  background  {part:.1f} % of the samples")
        lines.append(f"  warnings    {'; '.join(self.warnings) or 'none'}")
        return "\n".join(lines)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.samples.names)

    @property
    def units(self) -> tuple[str, ...]:
        """Units of the columns; "" for a column without one."""
        return tuple(self.samples.units)

    @property
    def fractions(self) -> np.ndarray:
        """Fraction of each component among all samples of components, (K,); they add up to 1."""
        return self.mixture.fluxes / self.mixture.fluxes.sum()

    @property
    def background_fraction(self) -> float:
        """Fraction of the recorded samples that the backgrounds are expected to hold."""
        expected = [b.amplitude * b.recorded_part(self.completeness) for b in self.backgrounds]
        signal = float(self.mixture.fluxes @ self.observed_fraction)
        return sum(expected) / (sum(expected) + signal)
