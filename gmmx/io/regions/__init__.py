"""Region files: DS9 and CIAO text and FITS region tables, told apart by content, read into Shapes.

One parser of our own reads all text, because what goes wrong here goes wrong quietly: a shape that a parser skips, an exclusion that it turns into an
inclusion, is a mask nobody asked for. Whatever cannot be read is an error that names file, line and text; what is left out on purpose is said.
"""

import gzip
import io

from .._read import GZIP_MAGIC, check_input, reading
from ._shapes import Frames
from ._tables import read_chips, read_table
from ._text import parse_regions


def read_regions(path, *, frame, physical=None, image_grid=None):
    """The shapes of a region file.

    DS9 text (any coordinate system of the sky, image, physical; physical where none is said), CIAO text (physical pixels, or positions on the sky), and FITS
    tables with SHAPE, X and Y; gzipped or not, whatever their name. Text is a list: each shape is added to those before, `-shape` is cut out. In CIAO's that
    happens in order; in DS9's, where exclusion is a property of a shape, exclusions come last. A list of exclusions alone cuts them out of everywhere.

    Parameters
    ----------
    path : str or Path
    frame : SkyFrame
        The plane to place the shapes in.
    physical : PhysicalFrame, optional
        Physical pixels in that plane.
    image_grid : PixelGrid, optional
        The image whose pixels "image" coordinates count, from (1, 1).

    Returns
    -------
    Shapes

    Raises
    ------
    DataError
        When the file is not there, holds no shape, or holds one that cannot be read: file, line, text and what to do.

    Warns
    -----
    DataWarning
        When entries are left out: those that cover no area, background shapes beside source shapes, further tables of a FITS file.
    """
    frames = Frames(frame, physical, image_grid)
    path = check_input(path)
    with reading(path):
        content = path.read_bytes()
        if content.startswith(GZIP_MAGIC):
            content = gzip.decompress(content)
    if content.startswith(b"SIMPLE  ="):
        return read_table(path, io.BytesIO(content), frames)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return parse_regions(text, frames, name=str(path))


def read_field_of_view(path, *, frame, physical=None):
    """The chips' outlines of a field-of-view file, as CIAO's skyfov writes it: a FITS region table whose rows are polygons with a CCD_ID.

    Parameters
    ----------
    path : str or Path
    frame : SkyFrame
    physical : PhysicalFrame, optional

    Returns
    -------
    list of (int, (n, 2) array), or None
        Chip, and its corners in order [arcsec]; None for a region file of another kind.
    """
    path = check_input(path)
    with reading(path):
        content = path.read_bytes()
        content = gzip.decompress(content) if content.startswith(GZIP_MAGIC) else content
    return (
        read_chips(path, io.BytesIO(content), Frames(frame, physical))
        if content.startswith(b"SIMPLE  =")
        else None
    )
