"""Draws: complete parameter sets that are consistent with the data of a fit."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .._arrays import is_positive_definite, read_only
from ..errors import InputError
from .mixture import Mixture

# How draws can be made.
METHODS = ("laplace", "bootstrap", "scan")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Draws:
    """Parameter sets, each with a mixture and all background amplitudes.

    The error of any answer is the spread of that answer over the draws. The first components of
    every draw are those of the fit, in the order of `FitResult.mixture`. More may follow, such as
    broad wings that the fitted mixture may lack. A component that a draw does not have is there
    with a flux of zero.

    Parameters
    ----------
    fluxes : (N, K) array
        [photon at the reference exposure]; not negative.
    means : (N, K, D) array
        [arcsec]; D is 2 on the sky.
    covariances : (N, K, D, D) array
        [arcsec**2]; symmetric and positive definite, also where a flux is zero.
    amplitudes : (N, B) array
        Of all backgrounds, in the order of `FitResult.backgrounds` [photon / arcsec**2].
    method : str
        How they were made: one of `METHODS`.
    seed : int
        Of the random numbers.

    Raises
    ------
    InputError
        If there is no draw, if an array has another shape or a number that cannot be, or if the
        method is unknown.

    Examples
    --------
    >>> draws = Draws(
    ...     fluxes=[[10.0, 0.0], [12.0, 3.0]],
    ...     means=np.zeros((2, 2, 2)),
    ...     covariances=np.tile(np.eye(2), (2, 2, 1, 1)),
    ...     amplitudes=[[0.1], [0.2]],
    ...     method="laplace",
    ...     seed=0,
    ... )
    >>> draws
    Draws: 2 parameter sets of 2 components and 1 background (laplace)
    >>> draws.mixture(0)
    Mixture(1 component in 2 dimensions, flux 10)
    """

    fluxes: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    amplitudes: np.ndarray
    method: str
    seed: int

    def __post_init__(self):
        read_only(
            self,
            fluxes=("N", "K"),
            means=("N", "K", "D"),
            covariances=("N", "K", "D", "D"),
            amplitudes=("N", "B"),
        )
        if not len(self.fluxes):
            raise InputError("there must be at least one draw")
        if np.any(self.fluxes < 0) or np.any(self.amplitudes < 0):
            raise InputError("the fluxes and amplitudes of draws must not be negative")
        if not is_positive_definite(self.covariances.reshape(-1, *self.covariances.shape[2:])):
            raise InputError("the covariances of draws must be symmetric and positive definite")
        if self.method not in METHODS:
            raise InputError(f"draws are made by {', '.join(METHODS)}, not by {self.method!r}")

    def __len__(self) -> int:
        """Number of draws, N."""
        return len(self.fluxes)

    def __repr__(self) -> str:
        k, b = self.fluxes.shape[1], self.amplitudes.shape[1]
        components = f"{k} component{'s' * (k != 1)}"
        backgrounds = f"{b} background{'s' * (b != 1)}"
        return (
            f"Draws: {len(self)} parameter sets of {components} and {backgrounds} ({self.method})"
        )

    def estimate(self, best: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """The values to quote of answers: the mean over the draws of a scan, else the fit's.

        The draws of a scan have wings that the fit lacks, so that the fit's own value may lie
        outside of their interval.

        Parameters
        ----------
        best : (M,) array
            The answers of the fit.
        drawn : (N, M) array
            The answers of every draw.
        """
        return np.asarray(drawn).mean(0) if self.method == "scan" else np.asarray(best)

    def mixture(self, i: int, without: np.ndarray | None = None) -> Mixture:
        """The components of one draw that have a flux.

        Parameters
        ----------
        i : int
        without : (K,) booleans, optional
            Components that are left out, such as `FitResult.points`. The array may be shorter
            than K: components that a draw has beyond those of the fit are not left out.
        """
        keep = self.fluxes[i] > 0
        if without is not None:
            keep[: len(without)] &= ~np.asarray(without, bool)
        return Mixture(
            fluxes=self.fluxes[i, keep],
            means=self.means[i, keep],
            covariances=self.covariances[i, keep],
        )

    def mixtures(self, without: np.ndarray | None = None) -> Iterator[Mixture]:
        """The mixture of each draw; see `mixture`."""
        return (self.mixture(i, without) for i in range(len(self)))
