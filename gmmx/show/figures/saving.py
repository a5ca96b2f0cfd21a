"""Figures as files."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from .style import styled


def save(figure: Figure, path: str | Path, *, dpi: int, style: str | None = None) -> None:
    """Write a figure, with its fonts embedded.

    Parameters
    ----------
    figure : Figure
    path : path
        Its suffix selects the format.
    dpi : int
        Resolution of a PNG, and of the pictures in other files.
    style : path, optional
        The style sheet that the figure was made with.
    """
    with styled(style):
        figure.savefig(path, dpi=dpi)
