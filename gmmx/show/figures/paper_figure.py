"""A matplotlib Figure that describes itself in words, and shows itself in a notebook."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure

from .style import styled

# Pixels per inch in a notebook, and twice as many points for screens of high resolution.
_DPI, _SHARPER = 96, 2
# Widest picture in a notebook [pixel]: its page is some 1,000 wide.
_WIDEST = 960


class PaperFigure(Figure):
    """A Figure with a description.

    It is made without pyplot, so that it needs no display. Notebooks that have not loaded pyplot
    would show its name only; this one is shown as a picture.

    Examples
    --------
    >>> figure = PaperFigure(figsize=(7.1, 4.0))
    >>> figure.describe_by(lambda: "A map shows M 82. It is bright.")
    >>> figure.description
    'A map shows M 82. It is bright.'
    >>> picture, size = figure._repr_png_()
    >>> size["width"], picture[1:4]
    (682, b'PNG')
    """

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self._description: str | Callable[[], str] = ""
        self.style_sheet: str | None = None

    def describe_by(self, description: Callable[[], str]) -> None:
        """Set the function that writes the description when it is first asked for."""
        self._description = description

    @property
    def description(self) -> str:
        """What the figure shows, in two sentences; empty if nobody wrote any."""
        if callable(self._description):
            self._description = self._description()
        return self._description

    def savefig(self, *args: Any, **options: Any) -> None:
        """Write the figure in the style that it was made with, with its fonts embedded.

        Threads write one after the other, because matplotlib reads formulas in one place.
        """
        with styled(self.style_sheet):
            super().savefig(*args, **options)

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """The picture for a notebook, and the size at which it is shown [pixel]."""
        width, height = self.get_size_inches()
        shown = min(_DPI, _WIDEST / width)
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=_SHARPER * shown)
        size = {"width": round(width * shown), "height": round(height * shown)}
        return buffer.getvalue(), size
