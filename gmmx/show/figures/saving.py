"""Figures as files."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from .metadata import Provenance
from .style import styled


def save(
    figure: Figure,
    path: str | Path,
    *,
    dpi: int,
    style: str | None = None,
    made: Provenance | None = None,
) -> None:
    """Write a figure, with its fonts embedded. The same figure makes the same bytes.

    Parameters
    ----------
    figure : Figure
    path : path
        Its suffix selects the format.
    dpi : int
        Resolution of a PNG, and of the pictures in other files.
    style : path, optional
        The style sheet that the figure was made with.
    made : Provenance, optional
        What the file says about itself.
    """
    known = Provenance(description="") if made is None else made
    with styled(style):
        figure.savefig(path, dpi=dpi, metadata=known.metadata(Path(path).suffix.lower()))
