"""Summary of a fit for people: its backgrounds, and the lines of `repr` and of a notebook."""

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from .._words import counted
from .flux_notes import areas_of
from .observation import common_band

if TYPE_CHECKING:
    from .result import FitResult

# |correlation| of a background with the signal above which the data hardly separate the two.
HIGH_CORRELATION = 0.9


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class BackgroundSummary:
    """The fitted amplitude of one background, with its error.

    Attributes
    ----------
    observation, name, kind : str
        The observation that the background belongs to, its name there, and its kind
        ("sky", "particle", "file", "streak", ...).
    amplitude, amplitude_error : float
        Amplitude B and its standard error [photon / arcsec**2 at q = 1]. The error of a fixed
        amplitude is that of the measurement it comes from, and 0 for a number. That of an
        amplitude of zero is one-sided.
    photons, photons_error : float
        Expected detected photons and their standard error.
    correlation : float
        Correlation of the amplitude with the total flux of the extended components.
    fixed : bool
        True if the amplitude was not fitted.
    amplitude_upper95, photons_upper95 : float
        Upper limits at 95 %; NaN if the amplitude was not fitted or the limit is not known.

    Examples
    --------
    >>> BackgroundSummary(
    ...     observation="acisf00001", name="sky", kind="sky", amplitude=0.05, amplitude_error=0.001,
    ...     photons=4321.0, photons_error=87.0, correlation=-0.4, fixed=False,
    ... )
    BackgroundSummary(sky of acisf00001: 4,321 +- 87 photons, fitted)
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
    amplitude_upper95: float = np.nan
    photons_upper95: float = np.nan

    def __repr__(self):
        photons = with_limit(self.photons, self.photons_error, self.photons_upper95)
        state = "fixed" if self.fixed else "fitted"
        return f"BackgroundSummary({self.name} of {self.observation}: {photons} photons, {state})"

    @property
    def is_significant(self) -> bool:
        """Whether it is two standard errors above zero, or has no upper limit."""
        return is_significant(self.photons, self.photons_error, self.photons_upper95)

    @property
    def is_degenerate(self) -> bool:
        """Whether the data hardly separate the background from broad signal: |r| > 0.9."""
        return not self.fixed and abs(self.correlation) > HIGH_CORRELATION


# An amount below so many standard errors is shown with its upper limit, and below the second one as
# zero.
_SIGNIFICANT, _IS_ZERO = 2.0, 0.05

# Columns of the component table in a notebook, with the format of their numbers.
_SHOWN = {
    "component": "d",
    "ra": ".5f",
    "dec": "+.5f",
    "fwhm_major": ".3g",
    "position_angle": ".0f",
    "flux": ".3g",
    "flux_error": ".1g",
    "observed_fraction": ".2f",
    "flags": "",
}


def with_error(value: float, error: float) -> str:
    """A value and its standard error, both cut at the error's first digit.

    An error that begins with 1 keeps a second digit, because one digit would round it too much.

    Parameters
    ----------
    value, error : float
        In the same unit. An error that is not positive and finite is left out.

    Returns
    -------
    str

    Examples
    --------
    >>> with_error(8.0312e-03, 4.2e-05)
    '8.03e-03 +- 4e-05'
    >>> with_error(40_462.3, 123.4)
    '40,462 +- 123'
    >>> with_error(3.14159, 0.0)
    '3.142'
    """
    if not (np.isfinite(error) and error > 0):
        return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    exponent = int(np.floor(np.log10(error)))
    leading_one = error < 2 * 10.0**exponent
    last = exponent - leading_one
    size = max(abs(value), error)
    if not 1e-2 <= size < 1e7:
        digits = max(0, int(np.floor(np.log10(size))) - last)
        return f"{value:.{digits}e} +- {error:.{int(leading_one)}e}"
    decimals = max(0, -last)
    return f"{value:,.{decimals}f} +- {error:,.{decimals}f}"


def is_significant(value: float, error: float, upper95: float) -> bool:
    """Whether an amount is two standard errors above zero, or has no upper limit."""
    return not np.isfinite(upper95) or value >= _SIGNIFICANT * error


def with_limit(value: float, error: float, upper95: float) -> str:
    """An amount that cannot be negative, with its error and, if it is not significant, its limit.

    Parameters
    ----------
    value, error, upper95 : float
        In the same unit. A limit that is not finite is left out.

    Returns
    -------
    str

    Examples
    --------
    >>> with_limit(4321.0, 87.0, 4470.0)
    '4,321 +- 87'
    >>> with_limit(2.5, 1.9, 6.61)
    '2.5 +- 1.9 (below 6.6 at 95 %)'
    >>> with_limit(2e-9, 1.2, 3.123)
    '0 (below 3.1 at 95 %)'
    """
    if is_significant(value, error, upper95):
        return with_error(value, error)
    limit = f"below {upper95:.2g}" if upper95 < 99.5 else f"below {upper95:,.0f}"
    shown = "0" if value < _IS_ZERO * error else with_error(value, error)
    return f"{shown} ({limit} at 95 %)"


def headline(result: "FitResult") -> str:
    """How many components a fit has, and how it ended."""
    n_points = len(result.point_sources)
    found = counted(len(result.extended), "component")
    if n_points:
        found += f" and {counted(n_points, 'point source')}"
    ended = "converged" if result.converged else "not converged"
    return f"{found}, {ended} after {counted(result.iterations, 'evaluation')}"


def summary_rows(result: "FitResult") -> list[tuple[str, str]]:
    """Flux, background and warnings of a fit, as (name, text)."""
    from .amounts import in_words

    totals, per_photon = result.totals, result.flux_per_photon
    place = "in the field " if result.is_bounded else ""
    unit = _plain_unit(per_photon.unit)
    flux = in_words(totals.in_field, scale=per_photon.value)
    about = ", approximate" if areas_of(result) else ""
    photons = f"{result.n_photons:,.0f} photons"
    if len(result.observations) > 1:
        photons += f" in {len(result.observations)} observations"
    background = "none"
    if result.backgrounds:
        percent = 100 * result.background_fraction / max(result.background_photons, 1e-300)
        background = f"{in_words(totals.background, scale=percent)} %"
    text = f"{len(result.warnings)}: {result.warnings[0]}" if result.warnings else "none"
    return [
        ("flux", f"{place}{flux} {unit}{_band(result)}{about}"),
        ("background", f"{background} of {photons}"),
        ("warnings", text),
    ]


def summary_text(result: "FitResult") -> str:
    """The `repr` of a fit, four lines.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    str
    """
    lines = [f"FitResult: {headline(result)}"]
    for name, text in summary_rows(result):
        lines.append(f"  {name:<11} {_shortened(text)}")
    return "\n".join(lines)


def summary_html(result: "FitResult") -> str:
    """The summary and the component table of a fit for a notebook; all text is escaped.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    str
        An HTML fragment.
    """
    # Loaded here because that takes a fifth of a second.
    from astropy.table import QTable

    rows = [(name, text) for name, text in summary_rows(result) if name != "warnings"]
    rows += [("warning", text) for text in result.warnings]
    cells = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th>"
        f"<td style='text-align:left'>{escape(text)}</td></tr>"
        for name, text in rows
    )
    table = QTable(result._table())[list(_SHOWN)]
    for name, form in _SHOWN.items():
        table[name].info.format = form
    # pformat keeps the first and the last rows of a long table.
    lines = table.pformat(html=True, max_lines=30)
    return (
        f"<p><b>FitResult</b>: {escape(headline(result))}</p><table>{cells}</table>{''.join(lines)}"
    )


def _shortened(text: str, width: int = 86) -> str:
    """Text of one line that is cut, with dots, where it is longer than `width`."""
    text = " ".join(text.split())
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _plain_unit(unit) -> str:
    """A unit as people type it: "photon/cm^2/s"."""
    parts = []
    for base, power in zip(unit.bases, unit.powers, strict=True):
        name = "photon" if base.name == "ph" else base.name
        parts.append((power < 0, name if abs(power) == 1 else f"{name}^{abs(power):g}"))
    above = " ".join(sorted(name for below, name in parts if not below))
    return "/".join([above, *sorted(name for below, name in parts if below)])


def _band(result: "FitResult") -> str:
    """The energies of all observations, as " (0.5-2 keV)"; empty where one has no band."""
    band = common_band(result.observations)
    return "" if band is None else " ({:g}-{:g} keV)".format(*band)
