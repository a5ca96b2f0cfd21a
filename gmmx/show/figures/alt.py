"""Descriptions of figures in two sentences, for readers who cannot see them.

The first sentence says what is shown: of which target, at which energies, in which field. The
second one says what is seen: the brightest places, the largest deviations, and what the colours
mean. All of it is made from the numbers that the figure draws.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..._words import counted
from .alt_words import fall_of, field, listed, number, place_of, sentence, short, target
from .words import signal_in_words

if TYPE_CHECKING:
    from ...plane.grid import PixelGrid
    from .view import View

_KINDS = {
    "data": "the smoothed photons",
    "scene": "the fitted model with the background",
    "signal": "the {signal}",
    "completeness": "the completeness",
    "residual": "the residuals",
    "significance": "the local significance of the residuals",
    "error": "the error of the signal",
    "components": "the signal with the ellipses of its components",
    "profile": "the radial profile",
    "history": "the history of the fit",
}
_OF_PAGES = {
    "overview": ("data", "scene", "signal", "completeness", "residual", "profile"),
    "observations": ("residual", "profile"),
}
_BRIGHT = ("data", "scene", "signal", "components")
_UNITS = {
    "counts": "photons/arcsec^2 at the reference exposure",
    "flux": "photon/cm^2/s per pixel of the exposure map",
    "sb": "photon/cm^2/s/arcsec^2",
}
_SCALES = {
    "log": "a logarithmic scale",
    "asinh": "an asinh scale",
    "sqrt": "a square-root scale",
    "linear": "a linear scale",
}
_DIRECTIONS = (
    *("north", "north-east", "east", "south-east"),
    *("south", "south-west", "west", "north-west"),
)
# A second peak is named if it has this part of the brightness of the first, and lies at least this
# part of the field away from it.
_SECOND, _APART = 0.1, 0.05


def describe(view: View) -> str:
    """Describe a figure of one model.

    Parameters
    ----------
    view : View

    Returns
    -------
    str
        Two sentences on one line.

    Examples
    --------
    >>> import gmmx
    >>> from gmmx.config import PlotConfig
    >>> from gmmx.show.figures.view import View
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> print(describe(View.of(result, PlotConfig(what="signal", stretch="sqrt"))))
    A map shows the signal without a PSF of ... in a field of 36.2 by 33.9 arcsec. The brightest ...
    """
    names = [one for name in view.config.names for one in _OF_PAGES.get(name, (name,))]
    result = view.result
    words = signal_in_words(result)
    shown = listed([_KINDS[name].format(signal=words) for name in names])
    kind = "map" if names[0] not in ("profile", "history") else "plot"
    start = f"A {kind} shows" if len(names) == 1 else f"{number(len(names))} panels show"
    first = f"{start} {shown} of {target(result)}"
    if names != ["history"]:
        first += f" in {field(view.scene.width, view.scene.height, view.sky.centre)}"
    told = [clause for name in dict.fromkeys(_topics(names)) for clause in _TOPICS[name](view)]
    return f"{first}. {sentence(told)}"


def _topics(names):
    """What the second sentence speaks of."""
    return ["brightness" if name in _BRIGHT else name for name in names]


def _brightness(view):
    """The brightest places of the signal, and what the colours mean."""
    values = view.scene.signal * view.scale * (view.scene.completeness > 0)
    _, high = view.limits
    unit = _UNITS[view.config.units]
    colours = (
        f"the colours run from {short(view.norm.vmin)} to {short(high)} {unit} on "
        f"{_SCALES[view.config.stretch]}"
    )
    per = unit.split(" at ")[0]
    found = peaks(values, view.scene.grid)
    if not found:
        return ["the model has no extended emission", colours]
    (x, y), top = found[0]
    text = f"the brightest emission, {short(top)} {per}, is at {place_of(view.result.frame, x, y)}"
    if len(found) > 1:
        (x1, y1), second = found[1]
        away = np.hypot(x1 - x, y1 - y)
        text += f", and a second peak of {short(second)} lies {away:.3g} arcsec away"
        if view.result.frame is not None:
            north = float(view.result.frame.north(x, y))
            # x grows to the west, and position angles from north through east.
            turn = np.degrees(np.arctan2(-(x1 - x), y1 - y)) - north
            text += f" to the {_DIRECTIONS[round(turn / 45) % 8]}"
    return [text, colours]


def peaks(values: np.ndarray, grid: PixelGrid) -> list[tuple[tuple[float, float], float]]:
    """The highest and the second highest place of an image: positions [arcsec] and values.

    Examples
    --------
    >>> from gmmx.plane.grid import PixelGrid
    >>> values = np.zeros((20, 20))
    >>> values[5, 5], values[15, 10] = 4.0, 3.0
    >>> [value for _, value in peaks(values, PixelGrid.covering((0, 20), (0, 20), 1.0))]
    [4.0, 3.0]
    """
    from scipy.ndimage import maximum_filter

    top = float(values.max(initial=0.0))
    if not top > 0:
        return []
    apart = max(3, int(_APART * max(values.shape)))
    is_peak = (values == maximum_filter(values, 2 * apart + 1)) & (values > _SECOND * top)
    iy, ix = np.nonzero(is_peak)
    order = np.argsort(-values[iy, ix], kind="stable")[:2]
    x, y = grid.to_plane(ix, iy)
    return [((float(x[i]), float(y[i])), float(values[iy[i], ix[i]])) for i in order]


def _residual(view):
    values = view.scene.residual_blocks().values
    if not np.isfinite(values).any():
        return []
    return [f"the residuals run from {np.nanmin(values):+.1f} to {np.nanmax(values):+.1f} sigma"]


def _completeness(view):
    seen = float((view.scene.completeness > 0.5).mean())
    return [f"the completeness is above a half in {100 * seen:.0f} % of the picture"]


def _significance(_view):
    return [
        "contours of the significance are at 3, 4 and 5 sigma, dashed where photons are missing"
    ]


def _error(view):
    found = view.error
    high = float(np.percentile(found.values, 99.9)) * view.scale
    return [
        f"the error over {counted(found.n_draws, 'draw')}, smoothed by {found.sigma:.2g} arcsec, "
        f"reaches {short(high)} {_UNITS[view.config.units]}"
    ]


def _profile(view):
    return fall_of(view.profile)


def _history(view):
    result = view.result
    end = "converged" if result.converged else "has not converged"
    return [
        f"the fit of {counted(len(result.mixture), 'component')} {end} after "
        f"{counted(result.iterations, 'evaluation')}"
    ]


_TOPICS = {
    "brightness": _brightness,
    "completeness": _completeness,
    "residual": _residual,
    "significance": _significance,
    "error": _error,
    "profile": _profile,
    "history": _history,
}
