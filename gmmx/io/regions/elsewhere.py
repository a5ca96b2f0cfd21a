"""Regions that may lie elsewhere than their file says: what it names, and other ways to read it."""

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import GmmxError
from ...plane.frame import PhysicalFrame, SkyFrame
from ...plane.grid import PixelGrid
from ...plane.shapes import Shapes
from ._content import content_of, is_fits, text_of
from ._frames import MEANINGS, UNNAMED, Frames
from ._tables import read_table
from ._text import names_ciao, parse_regions

# Shapes of a long list that tell well enough where it may lie.
MOST_SHAPES = 100


@dataclass(frozen=True, eq=False)
class RegionFile:
    """A region file with the plane that its shapes are wanted in.

    Parameters
    ----------
    path : str or Path
    frame : SkyFrame
    physical : PhysicalFrame, optional
    image_grid : PixelGrid, optional
        As for `gmmx.io.regions.read_regions`.
    """

    path: object
    frame: SkyFrame
    physical: PhysicalFrame | None = None
    image_grid: PixelGrid | None = None

    def __repr__(self):
        return f"RegionFile({self.path})"

    @property
    def names_no_system(self) -> bool:
        """Whether shapes were taken to be in physical pixels because no system is named.

        CIAO's own text is in physical pixels without saying so.
        """
        content = content_of(self.path)
        if not is_fits(content) and names_ciao(text_of(content)):
            return False
        return self._read(UNNAMED) is None

    def in_other_systems(self) -> Iterator[tuple[str, Shapes]]:
        """Yield the first shapes as they would lie in other coordinate systems.

        Yields
        ------
        name : str
            The system, as messages call it.
        shapes : Shapes
        """
        for system, name in MEANINGS.items():
            shapes = self._read(system)
            if shapes is not None:
                yield name, shapes

    def _read(self, system):
        """Return the shapes as they lie in a coordinate system; None if they do not."""
        frames = Frames(self.frame, self.physical, self.image_grid)
        try:
            content = content_of(self.path)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if is_fits(content):
                    return read_table(self.path, io.BytesIO(content), frames, assumed=system)
                how = {"unnamed": system} if system == UNNAMED else {"assumed": system}
                return parse_regions(text_of(content), frames, most=MOST_SHAPES, **how)
        except GmmxError:
            return None
