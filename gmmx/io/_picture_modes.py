"""What a viewer shows of a picture of any mode: red, green and blue between 0 and 1."""

import numpy as np

from ..errors import DataError

# Formats whose further pictures are no frames: other views of a photograph, or its preview.
_SHOWS_FIRST = ("MPO", "JPEG")
# White of 16 bits.
_WHITE = 65535


def shown(picture, path):
    """Red, green and blue between 0 and 1, (ny, nx, 3), as a viewer shows a picture.

    A transparent picture is laid on white, and that of a camera is turned upright.

    Parameters
    ----------
    picture : PIL.Image.Image
        Opened, not loaded.
    path : str or Path
        The file, for messages.

    Raises
    ------
    DataError
        If the file holds several pictures, or numbers of an unknown range.
    """
    # Loaded here because that takes a tenth of a second.
    from PIL import Image, ImageOps

    n_pictures = getattr(picture, "n_frames", 1)
    if n_pictures > 1 and picture.format not in _SHOWS_FIRST:
        raise DataError(
            f"{path}: it holds {n_pictures} pictures, an animation or several pages: save one of "
            "them as a file of its own"
        )
    # Pillow turns a TIFF while it is loaded, and takes the mark of its orientation away.
    picture.load()
    is_deep = picture.mode in ("I", "F") or picture.mode.startswith("I;16")
    if picture.mode.startswith("I;16"):
        picture = picture.convert("I")
    upright = ImageOps.exif_transpose(picture)
    if is_deep:
        return np.repeat(_grey(upright, path)[..., None], 3, axis=2)
    laid = upright.convert("RGBA")
    white = Image.new("RGBA", laid.size, (255, 255, 255, 255))
    return np.asarray(Image.alpha_composite(white, laid).convert("RGB"), dtype=float) / 255


def _grey(picture, path):
    """Greys of more than 8 bits, which Pillow would cut off at 255, between 0 and 1."""
    values, top = np.asarray(picture, dtype=float), 1.0 if picture.mode == "F" else _WHITE
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= top):
        kind = "real numbers" if picture.mode == "F" else "whole numbers"
        raise DataError(
            f"{path}: its pixels are {kind} from {low:.4g} to {high:.4g}, and no viewer shows all "
            f"alike: save it with values from 0 to {top:g}, or as a FITS image, and give `picture`"
        )
    return values / top
