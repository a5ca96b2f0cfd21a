"""Draw and compress pictures from mixtures of pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..answers.drawn_pictures import rendered_picture, scattered
from ..answers.picture_values import pixel_values
from ..answers.pictures import clustered, compressed, original_picture, picture_size
from ..config import CompressConfig, PictureRenderConfig, SampleCommandConfig
from ..config.picture_output import parsed_size
from ..errors import InputError, about
from ..io.fits_pictures import write_fits_picture
from ..io.images import FITS_SUFFIXES
from ..io.pictures import SUFFIXES, is_picture, write_picture
from .kinds import read_for

# Bits of a pixel of a picture that is not compressed.
PLAIN_BITS = 24


def render_picture(
    model: str | Path,
    out: str | Path,
    config: PictureRenderConfig | None = None,
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
    command: str | None = None,
) -> Path:
    """Draw the picture that a model of a picture describes, and write it.

    PNG, JPEG and TIFF files show it. A FITS file holds the values of its pixels, on the grid and
    with the coordinates of a FITS image that was fitted. The parameters are those of all commands,
    see `gmmx.commands`.

    Returns
    -------
    Path
        The file that was written.
    """
    config = PictureRenderConfig() if config is None else config
    result = _checked(model, out, "render", overwrite, inputs, SUFFIXES + FITS_SUFFIXES)
    if is_picture(out):
        write_picture(out, rendered_picture(result, config), overwrite=overwrite)
        return Path(out)
    for name in ("tone", "contours", "most_probable"):
        if getattr(config, name) != getattr(PictureRenderConfig, name):
            raise InputError(
                f"{out}: a FITS image holds the density itself: leave `{name}` out", parameter=name
            )
    with about(model):
        values = pixel_values(result, config.size)
        write_fits_picture(
            out,
            values[::-1],
            unit=result.options.get("picture_unit") or "",
            cards=result.options.get("picture_wcs"),
            size=picture_size(result),
            comment="Values of the pixels that the mixture expects.",
            overwrite=overwrite,
            command=command,
        )
    return Path(out)


def sample_picture(
    model: str | Path,
    out: str | Path,
    config: SampleCommandConfig | None = None,
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
) -> Path:
    """Scatter samples of a model of a picture, and write the picture as `render_picture` does."""
    config = SampleCommandConfig() if config is None else config
    result = _checked(model, out, "sample", overwrite, inputs)
    picture = scattered(
        result,
        config.n,
        np.random.default_rng(config.seed),
        size=parsed_size(config.grid_size),
        colours=config.colours,
    )
    write_picture(out, picture, overwrite=overwrite)
    return Path(out)


def compress(
    model: str | Path,
    out: str | Path,
    config: CompressConfig | None = None,
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
) -> dict[str, Any]:
    """Give each pixel the mean colour of its component, and write the picture.

    The parameters are those of all commands, see `gmmx.commands`. The model is of a picture with
    its colours.

    Returns
    -------
    dict
        Bits per pixel and PSNR [dB] of the mixture, and of as many k-means clusters of colours.
    """
    config = CompressConfig() if config is None else config
    result = _checked(model, out, "compress", overwrite, inputs)
    with about(model):
        original = original_picture(result)
    mixture = compressed(result, original)
    kmeans = clustered(original, len(result.mixture), np.random.default_rng(config.seed))
    pictures = [mixture.picture, kmeans.picture] if config.beside else [mixture.picture]
    write_picture(out, np.concatenate(pictures, axis=1), overwrite=overwrite)
    return {
        "picture": str(out),
        "k": len(result.mixture),
        "plain_bits_per_pixel": PLAIN_BITS,
        "mixture": _facts(mixture),
        "kmeans": _facts(kmeans),
    }


def _facts(found):
    return {"bits_per_pixel": found.bits_per_pixel, "psnr": found.psnr}


def _checked(model, out, command, overwrite, inputs, suffixes=SUFFIXES):
    """The model of a picture, once it is clear that the output can be written."""
    outputs, kind = [(out, suffixes)], "samples"
    result = read_for(command, model, outputs, overwrite=overwrite, inputs=inputs, kind=kind)
    with about(model):
        picture_size(result)
    return result
