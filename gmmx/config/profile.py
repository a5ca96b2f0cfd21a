"""Options of radial profiles: defaults and validation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..errors import InputError
from ._checks import Options, require, require_bool, require_text

# Places that the command finds itself.
CENTRES = ("brightest", "centroid")
_RULES = ("log", "linear", "counts")
_MOST = 2000


@dataclass(frozen=True, kw_only=True, repr=False)
class ProfileConfig(Options):
    """Options of `gmmx profile`.

    Parameters
    ----------
    center : str
        "brightest", "centroid" or "RA,DEC".
    bins : str or sequence of float
        "log:N", "linear:N", "counts:N", or the edges of the annuli [arcsec].
    axis_ratio : float
        Minor over major axis of elliptical annuli.
    pa : float, optional
        Position angle of their major axis [deg].
    sector : str or (float, float), optional
        Position angles "FROM:TO" between which the annuli are kept [deg].
    isophotes : bool
        Whether ellipses are fitted to the isophotes of the deconvolved model.

    Examples
    --------
    >>> ProfileConfig(bins="counts:100", sector="350:10")
    ProfileConfig(bins='counts:100', sector=(350.0, 10.0))
    """

    center: str = "brightest"
    bins: str | Sequence[float] = "log:20"
    axis_ratio: float = 1.0
    pa: float | None = None
    sector: str | tuple | None = None
    isophotes: bool = False

    def __post_init__(self):
        require_text(self, "center")
        require(self, ("axis_ratio",), "above 0 and at most 1", lambda q: 0 < q <= 1)
        require(self, ("pa",), "a finite number", math.isfinite)
        if (self.axis_ratio < 1) != (self.pa is not None):
            raise InputError(
                "elliptical annuli need both `axis_ratio` below 1 and `pa`, such as 0.7 and 45",
                parameter="pa" if self.pa is not None else "axis_ratio",
            )
        if not isinstance(self.bins, str):
            object.__setattr__(self, "bins", ",".join(f"{edge:.12g}" for edge in self.bins))
        parsed_bins(self.bins)
        require_bool(self, "isophotes")
        if self.sector is not None:
            object.__setattr__(self, "sector", _parsed_sector(self.sector))


def parsed_bins(text: str) -> tuple[str, float] | tuple[str, tuple[float, ...]]:
    """The rule of the annuli and its number, or "edges" and the edges.

    Raises
    ------
    InputError
        If the text is neither a rule nor a list of rising edges.

    Examples
    --------
    >>> parsed_bins("linear:10")
    ('linear', 10.0)
    >>> parsed_bins("0,5,10")
    ('edges', (0.0, 5.0, 10.0))
    """
    refused = InputError(
        f"`bins` = {text}: give log:N, linear:N or counts:N with a whole number N, or rising edges "
        "in arcsec such as 0,5,10,20",
        parameter="bins",
    )
    rule, colon, number = str(text).partition(":")
    try:
        if colon:
            value = float(number)
            most = math.inf if rule == "counts" else _MOST
            if rule not in _RULES or not (1 <= value <= most and value.is_integer()):
                raise refused
            return rule, value
        edges = tuple(float(part) for part in str(text).split(","))
    except ValueError:
        raise refused from None
    rising = all(low < high for low, high in pairwise(edges))
    if len(edges) < 2 or not (rising and edges[0] >= 0 and math.isfinite(edges[-1])):
        raise refused
    return "edges", edges


def _parsed_sector(given: str | Sequence) -> tuple[float, float]:
    """Both position angles of a sector."""
    parts = given.split(":") if isinstance(given, str) else list(given)
    try:
        start, stop = (float(part) for part in parts)
    except (TypeError, ValueError):
        start = stop = math.nan
    if not (math.isfinite(start) and math.isfinite(stop) and start % 360 != stop % 360):
        raise InputError(
            f"`sector` = {given}: give two position angles in degrees, FROM:TO, such as 30:120",
            parameter="sector",
        )
    return start, stop
