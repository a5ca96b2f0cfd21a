"""Draw and compress pictures from mixtures of pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..answers.drawn_pictures import rendered_picture, scattered
from ..answers.pictures import clustered, compressed, original_picture, picture_size
from ..config import CompressConfig, PictureRenderConfig, SampleCommandConfig
from ..config.picture_output import parsed_size
from ..errors import about
from ..io.pictures import SUFFIXES, write_picture
from ..io.write import check_target
from .kinds import read_samples_model

# Bits of a pixel of a picture that is not compressed.
PLAIN_BITS = 24


def render_picture(
    model: str | Path,
    out: str | Path,
    config: PictureRenderConfig | None = None,
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
) -> Path:
    """Draw the picture that a model of a picture describes, and write it.

    Parameters
    ----------
    model, out : path
        The model file, and a PNG, JPEG or TIFF file.
    config : PictureRenderConfig, optional
    overwrite : bool
        Whether an existing file may be replaced.
    inputs : sequence of path
        Further files that the output must not replace.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    GmmxError
        If the output cannot be written, which is checked first, or the model is not of a picture.
    """
    config = PictureRenderConfig() if config is None else config
    result = _checked(model, out, "render", overwrite, inputs)
    write_picture(out, rendered_picture(result, config), overwrite=overwrite)
    return Path(out)


def sample_picture(
    model: str | Path,
    out: str | Path,
    config: SampleCommandConfig | None = None,
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
) -> Path:
    """Scatter samples of a model of a picture, and write the picture; see `render_picture`."""
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

    Parameters
    ----------
    model, out : path
        A model of a colour picture, and a PNG, JPEG or TIFF file.
    config : CompressConfig, optional
    overwrite : bool
        Whether an existing file may be replaced.
    inputs : sequence of path
        Further files that the output must not replace.

    Returns
    -------
    dict
        Bits per pixel and PSNR [dB] of the mixture, and of as many k-means clusters of colours.

    Raises
    ------
    GmmxError
        If the output cannot be written, which is checked first, or the model has no colours.
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


def _checked(model, out, command, overwrite, inputs):
    """The model of a picture, once it is clear that the output can be written."""
    check_target(out, overwrite=overwrite, suffixes=SUFFIXES, inputs=[model, *inputs])
    result = read_samples_model(model, command)
    with about(model):
        picture_size(result)
    return result
