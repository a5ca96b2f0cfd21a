"""Scaling: columns of a catalogue in units of their own spread, so that all columns are alike."""

from dataclasses import dataclass

import numpy as np

from .._arrays import read_only
from ..errors import InputError
from .mixture import Mixture

# Standard deviations of a Gaussian between its quartiles.
_QUARTILES = 1.3489795003921634


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Scaling:
    """The map x -> (x - centre) / scale.

    Parameters
    ----------
    centre, scale : (D,) arrays
        In the units of the columns; each scale is positive.

    Examples
    --------
    >>> scaling = Scaling(centre=[10.0], scale=[2.0])
    >>> scaling.forward(np.array([[14.0]]))
    array([[2.]])
    """

    centre: np.ndarray
    scale: np.ndarray

    def __post_init__(self):
        read_only(self, centre=("D",), scale=("D",))
        if np.any(self.scale <= 0):
            raise InputError("Scaling.scale must be positive")

    @classmethod
    def of(cls, samples, *, isotropic=False):
        """The medians and the spreads of the columns of samples.

        A spread is the distance of the quartiles, or the standard deviation where half of the
        values are equal. With `isotropic` all columns have the same one. Samples of weight 0 do
        not count.

        Raises
        ------
        InputError
            If all values of a column are equal.
        """
        has_weight = samples.weights > 0
        x = samples.x if has_weight.all() else samples.x[has_weight]
        low, centre, high = np.nanpercentile(x, [25, 50, 75], axis=0)
        scale = (high - low) / _QUARTILES
        scale = np.where(scale > 0, scale, np.nanstd(x, axis=0))
        # The standard deviation of equal values may be above zero by rounding.
        is_constant = np.nanmax(x, axis=0) == np.nanmin(x, axis=0)
        if is_constant.any():
            name = samples.names[int(np.argmax(is_constant))]
            raise InputError(
                f"all values of column {name!r} are equal, so that its width is zero: leave it out",
                parameter="x",
            )
        if isotropic:
            scale = np.full(len(scale), np.exp(np.log(scale).mean()))
        return cls(centre=centre, scale=scale)

    def __repr__(self):
        return f"Scaling(centre={self.centre}, scale={self.scale})"

    def forward(self, x):
        """Scaled values."""
        return (x - self.centre) / self.scale

    def back(self, z):
        """Values of scaled ones."""
        return self.centre + z * self.scale

    @property
    def outer(self):
        """Factors of covariances, (D, D)."""
        return np.outer(self.scale, self.scale)

    def mixture_forward(self, mixture):
        """The mixture in scaled coordinates."""
        return Mixture(
            fluxes=mixture.fluxes,
            means=self.forward(mixture.means),
            covariances=mixture.covariances / self.outer,
        )

    def mixture_back(self, mixture):
        """The mixture in the units of the columns."""
        return Mixture(
            fluxes=mixture.fluxes,
            means=self.back(mixture.means),
            covariances=mixture.covariances * self.outer,
        )
