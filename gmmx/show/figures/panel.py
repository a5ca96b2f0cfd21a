"""The protocol of panels and of whole figures: what draws, and what it says it drew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable

from .paper_figure import PaperFigure
from .view import View


@dataclass(frozen=True, eq=False)
class Drawn:
    """What a panel shows.

    Attributes
    ----------
    title : tuple of str
        Phrases that fill as few lines as fit.
    shown : ScalarMappable or None
        The picture that a colour bar belongs to; None for a curve.
    label : tuple of str
        What the colours are and their unit, in phrases.
    low : float, optional
        The faint end of a logarithmic or asinh stretch.
    ticks : sequence of float, optional
        Numbers of the colour bar.
    ink : str
        A colour that is legible on the picture.
    """

    title: tuple[str, ...]
    shown: ScalarMappable | None = None
    label: tuple[str, ...] = ()
    low: float | None = None
    ticks: Sequence[float] | None = None
    ink: str = "white"


@dataclass(frozen=True)
class Panel:
    """A panel by its name.

    Attributes
    ----------
    name : str
    draw : callable
        Draws into given axes from a View, and returns what it drew. A map is drawn into WCSAxes
        with the WCS of the view's sky; everything that maps have in common is added to it.
    on_sky : bool
        Whether it is a map.
    """

    name: str
    draw: Callable[[Axes, View], Drawn]
    on_sky: bool = True


@dataclass(frozen=True)
class Page:
    """A figure with a layout of its own, by its name.

    Attributes
    ----------
    name : str
    draw : callable
        Makes the figure from one View for each model.
    n_models : int
        Number of models that it shows.
    ignores : tuple of str
        Options that do not change it.
    """

    name: str
    draw: Callable[[Sequence[View]], PaperFigure]
    n_models: int = 1
    ignores: tuple[str, ...] = ()
