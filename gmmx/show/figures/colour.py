"""How numbers become colours, and the colour bars that say so."""

import numpy as np
from astropy.visualization import (
    AsinhStretch,
    ImageNormalize,
    LinearStretch,
    LogStretch,
    SqrtStretch,
)
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from ...config import STRETCHES
from ...errors import InputError

SMALL, MEDIUM, LARGE = 8.5, 10.0, 15.0
SKY, MASK, FLAG, INK = "inferno", "#8fd7ff", "#5dff9b", "#222222"
_STEPS = {1: (1.0, 2.0, 5.0), 2: (1.0, 3.0)}


def brightness_norm(stretch, low, high):
    """Normalisation of a brightness between 0 and `high`.

    The logarithmic and the asinh stretch are linear below about `low`, so that a faint sky fades
    to black instead of ending in an edge.

    Parameters
    ----------
    stretch : {"log", "asinh", "sqrt", "linear"}
    low, high : float
        Faintest and brightest value that the picture should tell apart, both positive.

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
    made = {
        "log": LogStretch(a=3 * high / low),
        "asinh": AsinhStretch(a=min(3 * low / high, 1.0)),
        "sqrt": SqrtStretch(),
        "linear": LinearStretch(),
    }[stretch]
    return ImageNormalize(vmin=0.0, vmax=high, stretch=made, clip=True)


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


def strip_bar(figure, axes, shown, name, ticks):
    """A slim horizontal colour bar above the right end of a panel."""
    strip = axes.inset_axes((0.72, 1.022, 0.28, 0.022), label=name)
    bar = figure.colorbar(shown, cax=strip, orientation="horizontal", ticks=ticks)
    strip.xaxis.set_ticks_position("top")
    strip.tick_params(labelsize=SMALL - 0.5, length=2, pad=1.5)
    bar.outline.set_linewidth(0.6)
    bar.minorticks_off()
    return bar


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
