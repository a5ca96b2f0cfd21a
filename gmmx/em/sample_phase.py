"""What stays fixed while objectives of samples are compared between iterates."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .parameters import Priors


@dataclass(frozen=True, eq=False, kw_only=True)
class SamplePhase:
    """What stays fixed within a phase: the priors, and the points of the missing samples.

    Attributes
    ----------
    priors : Priors
    prior_scales : (K,) array
        S_k: typical variance of the noise, in scaled coordinates.
    shares : (K,) array
        Part of each component in a covariance that all components share.
    missing : MissingSamples or None
        Points that stand for the samples that were not recorded.
    selected : SelectedValues or None
        Noise-free values, where the selection came before the noise.
    """

    priors: Priors
    prior_scales: np.ndarray
    shares: np.ndarray
    missing: Any = None
    selected: Any = None

    def is_valid(self, parameters):
        """Whether the points still cover the components."""
        return self.missing is None or self.missing.covers(parameters.mixture)
