"""Intervals: the value of an answer, with its spread over the draws."""

from dataclasses import dataclass

import numpy as np

from .._arrays import read_only

# Parts of the draws that lie inside the two intervals.
INSIDE = (0.6826894921370859, 0.95)


def ends(drawn: np.ndarray, inside: float = INSIDE[0]) -> tuple[np.ndarray, np.ndarray]:
    """The two ends of the central interval that holds a part of the draws, (M,) each.

    Parameters
    ----------
    drawn : (N, M) array
        M numbers of each of N draws.
    inside : float
        The part of the draws in the interval.

    Examples
    --------
    >>> ends(np.arange(101.0)[:, None], 0.5)
    (array([25.]), array([75.]))
    """
    part = (1 - inside) / 2
    lower, upper = np.quantile(drawn, (part, 1 - part), axis=0)
    return lower, upper


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Interval:
    """Values with intervals of 68 and 95 %, which need not be symmetric.

    Parameters
    ----------
    value : (M,) array
        Of the best fit, or of the mean over the draws.
    error : (M,) array
        Half the width of the interval of 68 %.
    lower68, upper68, lower95, upper95 : (M,) arrays
        The ends of the intervals.

    Examples
    --------
    >>> drawn = np.random.default_rng(1).normal(5.0, 2.0, (4000, 1))
    >>> found = Interval.over(drawn, value=[5.0])
    >>> found
    Interval: 5 -2 +1.9
    """

    value: np.ndarray
    error: np.ndarray
    lower68: np.ndarray
    upper68: np.ndarray
    lower95: np.ndarray
    upper95: np.ndarray

    def __post_init__(self):
        names = ("value", "error", "lower68", "upper68", "lower95", "upper95")
        read_only(self, may_be_unknown=names, **dict.fromkeys(names, ("M",)))

    @classmethod
    def over(cls, drawn: np.ndarray, value: np.ndarray | None = None) -> "Interval":
        """The interval of an answer that was computed for every draw.

        Parameters
        ----------
        drawn : (N, M) array
            M numbers of each of N draws.
        value : (M,) array, optional
            The numbers of the best fit; without them the mean over the draws.
        """
        drawn = np.asarray(drawn, np.float64)
        (lower68, upper68), (lower95, upper95) = (ends(drawn, inside) for inside in INSIDE)
        return cls(
            value=drawn.mean(0) if value is None else np.asarray(value, np.float64),
            error=(upper68 - lower68) / 2,
            lower68=lower68,
            upper68=upper68,
            lower95=lower95,
            upper95=upper95,
        )

    @classmethod
    def about(cls, value: np.ndarray, error: np.ndarray) -> "Interval":
        """The interval of amounts with standard errors, which cannot be negative.

        Parameters
        ----------
        value, error : (M,) array
            An error that is not known is NaN, and so are the ends of its intervals.

        Examples
        --------
        >>> Interval.about([100.0], [10.0]).lower95.round(1)
        array([80.4])
        """
        value, error = np.asarray(value, np.float64), np.asarray(error, np.float64)
        far = 1.959963984540054 * error
        return cls(
            value=value,
            error=error,
            lower68=np.maximum(value - error, 0.0),
            upper68=value + error,
            lower95=np.maximum(value - far, 0.0),
            upper95=value + far,
        )

    def scaled(self, factor: float) -> "Interval":
        """The interval in another unit."""
        names = ("value", "error", "lower68", "upper68", "lower95", "upper95")
        return Interval(**{name: getattr(self, name) * factor for name in names})

    def __len__(self) -> int:
        """Number of values, M."""
        return len(self.value)

    def __repr__(self) -> str:
        rows = zip(self.value, self.lower68, self.upper68, strict=True)
        texts = [f"{v:.3g} -{v - low:.2g} +{high - v:.2g}" for v, low, high in rows]
        return f"Interval: {', '.join(texts[:4])}{', ...' * (len(texts) > 4)}"
