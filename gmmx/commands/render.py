"""Draw the images of a model and write them."""

from collections.abc import Sequence
from pathlib import Path

from ..answers.canvas import output_grid
from ..answers.images import render as draw
from ..config import IMAGES, RenderConfig
from ..errors import InputError, about
from ..io.files import checksums
from ..io.images import IMAGE_SUFFIXES, read_grid_like, write_images
from ..io.inputs import recorded_files
from ..io.models import read_model
from ..io.write import check_no_input, check_target


def render(
    model: str | Path,
    out: str | Path,
    config: RenderConfig | None = None,
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
    command: str | None = None,
) -> Path:
    """Draw the images of a model file and write them.

    Parameters
    ----------
    model, out : path
        The model file, and a FITS or HDF5 file.
    config : RenderConfig, optional
    overwrite : bool
        Whether an existing file may be replaced.
    inputs : sequence of path
        Further files that the output must not replace. The files that the model was made from
        are never replaced.
    command : str, optional
        The command line, which the history of the images records.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    GmmxError
        If the output cannot be written, which is checked first, or the model does not have what
        is asked for.
    """
    config = RenderConfig() if config is None else config
    read = [model, *inputs] + ([] if config.like is None else [config.like])
    check_target(out, overwrite=overwrite, suffixes=IMAGE_SUFFIXES, inputs=read)
    result = read_model(model)
    check_no_input(out, recorded_files(result.observations))
    if config.like is None:
        grid = output_grid(result, bin=config.bin)
    else:
        with checksums(verified=not config.no_checksum):
            grid = read_grid_like(config.like, result.frame)
    with about(model):
        drawn = draw(result, grid, units=config.units, with_points=config.points)
        images = _chosen(drawn.as_dict(), config.image, len(result.observations))
    write_images(out, images, result, overwrite=overwrite, command=command)
    return Path(out)


def _chosen(images, name, n_observations):
    """Return the image of a name, or all images."""
    if name is None:
        return images
    if name.upper() in images:
        return {name.upper(): images[name.upper()]}
    if name.lower() in IMAGES:
        raise InputError(
            "the model has no point sources, and therefore no image of them: fit with `sources`",
            parameter="image",
        )
    several = f"{n_observations} observations" if n_observations > 1 else "1 observation"
    raise InputError(
        f"the model has no image {name}: it was fitted to {several}, and only the observations of"
        " a joint fit have images of their own",
        parameter="image",
    )
