"""What the file of a figure says about itself: description, models, command and version, no date.

A journal, a screen reader or the author in a year finds there what the figure shows and how it was
made. There is no date, so that the same command writes the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ... import __version__

if TYPE_CHECKING:
    from .paper_figure import PaperFigure


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """How a figure was made.

    Parameters
    ----------
    description : str
        What it shows, in two sentences.
    models : sequence of (str, str)
        Name and SHA-256 of each model file.
    command : str
        The command line, without the name of the figure; may be empty.

    Examples
    --------
    >>> made = Provenance(
    ...     description="A map shows M 82. It is bright.",
    ...     models=[("m82.h5", "ab" * 32)],
    ...     command="gmmx plot m82.h5 --what signal",
    ... )
    >>> made.metadata(".png")["Description"]
    'A map shows M 82. It is bright.'
    >>> made.metadata(".pdf")["Keywords"]
    'gmmx plot m82.h5 --what signal; m82.h5 sha256:abab...'
    """

    description: str
    models: Sequence[tuple[str, str]] = ()
    command: str = ""

    @classmethod
    def of(cls, figure: PaperFigure, models: Sequence[tuple[str, str]], command: str) -> Provenance:
        """How a figure of model files was made."""
        return cls(description=figure.description, models=models, command=command)

    @property
    def sources(self) -> str:
        """The model files with their digests."""
        return ", ".join(f"{name} sha256:{digest}" for name, digest in self.models)

    def metadata(self, suffix: str) -> dict[str, str | None]:
        """The metadata that matplotlib writes into a file, by the names of its format.

        Parameters
        ----------
        suffix : {".png", ".pdf", ".svg"}
        """
        software = f"gmmx {__version__}"
        known = {"Title": "Figure of gmmx"}
        if suffix == ".png":
            known |= {"Description": self.description, "Software": software}
            known |= {"Source": self.sources, "Comment": self.command}
        elif suffix == ".pdf":
            keywords = "; ".join(filter(None, [self.command, self.sources]))
            known |= {"Subject": self.description, "Creator": software, "Keywords": keywords}
        else:
            known |= {"Description": self.description, "Creator": software}
            known |= {"Source": self.sources, "Keywords": self.command}
        found: dict[str, str | None] = {name: text for name, text in known.items() if text}
        # None leaves out the date that matplotlib would write.
        return found | {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}.get(suffix, {})
