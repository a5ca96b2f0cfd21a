"""Lines of a page: names with values, wrapped warnings, values of options."""

import textwrap

# Widths of the columns of names; a longer name has a line of its own.
NAMES = 20
OPTION_NAMES = 24
COLUMNS = 100


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
