"""Lines of a page: names with values, wrapped warnings, values of options."""

import math
import textwrap

# Widths of the columns of names; a longer name has a line of its own.
NAMES = 20
OPTION_NAMES = 24
COLUMNS = 100
# Digits behind the point that are written; numbers with smaller errors get four digits.
_MOST_DIGITS = 8


def wrapped(text):
    """A warning in lines of the page's width."""
    return textwrap.fill(
        text,
        COLUMNS,
        initial_indent="  ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def value_text(value):
    """The value of an option as a person writes it."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(value_text(v) for v in value) or "not given"
    return "not given" if value is None else str(value)


def aligned(pairs, width=NAMES):
    """Lines of names and values in two columns; a name that repeats the one above stays blank."""
    lines, last = [], None
    for name, value in pairs:
        shown = "" if name == last else name
        if len(shown) >= width:
            lines.append(f"  {shown}")
            shown = ""
        lines.append(f"  {shown:<{width}}{value}")
        last = name
    return lines


def with_error(value: float, error: float | None) -> str:
    """A number with its error, to the second digit of the error.

    Examples
    --------
    >>> with_error(12.3456, 0.1234), with_error(12345.6, 234.9), with_error(1.23456, None)
    ('12.35 +- 0.12', '12346 +- 235', '1.235')
    >>> with_error(0.00123456, 1.2e-06)
    '0.0012346 +- 0.0000012'
    """
    if error is None:
        return f"{value:.4g}"
    if not (math.isfinite(error) and error > 0):
        return f"{value:.4g} +- {error:.2g}"
    digits = max(0, 1 - math.floor(math.log10(error)))
    small = digits > _MOST_DIGITS
    return f"{value:.4g} +- {error:.2g}" if small else f"{value:.{digits}f} +- {error:.{digits}f}"
