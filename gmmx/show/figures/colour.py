"""How numbers become colours, and the colour bars that say so."""

from difflib import get_close_matches

import numpy as np
from astropy.visualization import (
    AsinhStretch,
    ImageNormalize,
    LinearStretch,
    LogStretch,
    SqrtStretch,
)
from matplotlib import colormaps
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from ...config import STRETCHES
from ...errors import InputError
from .fitting_text import width_of
from .style import INK, LARGE, MEDIUM, SMALL

__all__ = ["INK", "LARGE", "MEDIUM", "SMALL"]

SKY, MASK, FLAG = "inferno", "#8fd7ff", "#5dff9b"
# Space between the numbers of a bar [inch].
_SPACE = 0.06
_STEPS = {1: (1.0, 2.0, 5.0), 2: (1.0, 3.0)}


def brightness_norm(stretch, low, high, *, start=0.0):
    """Normalisation of a brightness between `start` and `high`.

    The logarithmic and the asinh stretch are linear below about `low`, so that a faint sky fades
    to black instead of ending in an edge.

    Parameters
    ----------
    stretch : {"log", "asinh", "sqrt", "linear"}
    low, high : float
        Faintest and brightest value that the picture should tell apart, both positive.
    start : float
        The value of the darkest colour.

    Returns
    -------
    astropy.visualization.ImageNormalize

    Raises
    ------
    InputError
        If the stretch is unknown.
    """
    if stretch not in STRETCHES:
        raise InputError(
            f"`stretch` = {stretch!r}: choose one of {', '.join(STRETCHES)}", parameter="stretch"
        )
    span = high - start
    low = min(low, span / 2)
    made = {
        "log": LogStretch(a=3 * span / low),
        "asinh": AsinhStretch(a=min(3 * low / span, 1.0)),
        "sqrt": SqrtStretch(),
        "linear": LinearStretch(),
    }[stretch]
    return ImageNormalize(vmin=start, vmax=high, stretch=made, clip=True)


def colours(name):
    """The colours of a name.

    Raises
    ------
    InputError
        If matplotlib has no such colours.
    """
    try:
        return colormaps[name]
    except KeyError:
        near = get_close_matches(name, list(colormaps), 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else "give a name of matplotlib, such as cividis"
        raise InputError(f"`cmap` = {name}: {hint}", parameter="cmap") from None


def is_curved(norm):
    """Whether a normalisation is linear at its faint end only."""
    return isinstance(getattr(norm, "stretch", None), LogStretch | AsinhStretch)


def brightness_bar(figure, shown, axes, label, low):
    """An upright colour bar with plain numbers from 0 through `low` to the brightest."""
    bar = figure.colorbar(shown, cax=axes)
    high = shown.norm.vmax
    power = power_of(high)
    if isinstance(shown.norm.stretch, LogStretch | AsinhStretch):
        bar.set_ticks([0.0, *_decade_ticks(low, high)])
    else:
        bar.locator = MaxNLocator(6)
    bar.minorlocator = NullLocator()
    _finish_bar(bar, scaled(label, power), power)
    return bar


def signed_bar(figure, shown, axes, label):
    """An upright colour bar of a scale that is symmetric about 0."""
    bar = figure.colorbar(shown, cax=axes)
    power = power_of(shown.norm.vmax)
    bar.locator = MaxNLocator(6)
    _finish_bar(bar, scaled(label, power), power)
    return bar


def flat_bar(figure, shown, axes, label, *, low=None, ticks=None):
    """A horizontal colour bar with its numbers and its label above it.

    Parameters
    ----------
    figure : Figure
    shown : ScalarMappable
    axes : Axes
        That of the bar.
    label : str
        With the power of ten of its numbers; see `scaled`.
    low : float, optional
        The faint end of a logarithmic or asinh stretch.
    ticks : sequence of float, optional
    """
    bar = figure.colorbar(shown, cax=axes, orientation="horizontal")
    norm = shown.norm
    high = max(abs(norm.vmin), abs(norm.vmax))
    power = power_of(high)
    if ticks is None and low is not None and is_curved(norm):
        ticks = [norm.vmin, *_decade_ticks(max(low, norm.vmin), high)]
    elif ticks is None:
        ticks = [v for v in MaxNLocator(5).tick_values(*axes.get_xlim()) if v <= norm.vmax]
    wide = axes.get_position().width * figure.get_figwidth()
    bar.set_ticks(_apart(ticks, norm, power, wide))
    bar.minorlocator = NullLocator()
    bar.formatter = numbers(power)
    bar.update_ticks()
    axes.xaxis.set_ticks_position("top")
    axes.xaxis.set_label_position("top")
    axes.tick_params(labelsize=SMALL, length=2, pad=1)
    # Numbers at the ends of neighbouring bars would touch.
    for tick, text in zip(axes.get_xticks(), axes.get_xticklabels(), strict=False):
        text.set_horizontalalignment(_side(float(norm(tick))))
    bar.set_label(label, fontsize=SMALL, labelpad=2)
    bar.outline.set_linewidth(0.6)
    return bar


def _side(place):
    """Alignment of the number at a place of a bar: inwards at both ends."""
    return "left" if place < 0.02 else "right" if place > 0.98 else "center"


def _apart(ticks, norm, power, wide):
    """Those ticks whose numbers do not touch on a bar of a width [inch]; both ends stay."""
    write, kept, right = numbers(power), [], -1.0
    reach = wide
    for tick in (*ticks[-1:], *ticks[:-1]):
        place, size = float(norm(tick)), width_of(write(tick, None), SMALL)
        centre = wide * place + size * {"left": 0.5, "right": -0.5, "center": 0.0}[_side(place)]
        if not kept:
            kept, reach = [tick], centre - size / 2 - _SPACE
        elif centre - size / 2 > right and centre + size / 2 < reach:
            kept.append(tick)
            right = centre + size / 2 + _SPACE
    return sorted(kept)


def _finish_bar(bar, label, power):
    bar.formatter = numbers(power)
    bar.update_ticks()
    bar.set_label(label, fontsize=MEDIUM)
    bar.ax.tick_params(labelsize=SMALL, length=3)
    bar.outline.set_linewidth(0.6)


def _decade_ticks(low, high):
    """Round numbers between two positive ends, fewer in a decade where there are many decades."""
    decades = np.log10(high / low)
    steps = _STEPS[1] if decades < 1.6 else _STEPS[2] if decades < 3 else (1.0,)
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    return [v * 10.0**p for p in powers for v in steps if low <= v * 10.0**p <= high]


def power_of(value):
    """Power of ten to take out of an axis' numbers: 0 from 0.02 to 20,000."""
    return 0 if value <= 0 or 0.02 <= value <= 2e4 else int(np.floor(np.log10(value)))


def scaled(text, power):
    """Label of an axis with the power of ten that was taken out of its numbers."""
    return text if power == 0 else rf"$10^{{{power}}}$ {text}".rstrip()


def numbers(power):
    """Formatter of tick labels from which a power of ten was taken out."""
    return FuncFormatter(lambda value, _: plain(value / 10.0**power))


def plain(value):
    r"""Text of a number: as people write it from 0.001 to 10,000, else with a power of ten.

    Examples
    --------
    >>> plain(300.0), plain(2e5)
    ('300', '$2\\times10^{5}$')
    """
    if value == 0:
        return "0"
    if 0.99e-3 <= abs(value) < 1.01e4:
        return f"{value:.6g}"
    power = int(np.floor(np.log10(abs(value)) + 1e-9))
    lead = value / 10.0**power
    return rf"$10^{{{power}}}$" if abs(lead - 1) < 1e-6 else rf"${lead:.3g}\times10^{{{power}}}$"
