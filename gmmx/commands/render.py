"""Draw the images of a model and write them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..answers.canvas import output_grid
from ..answers.captions import signal_cards
from ..answers.errors import draws_of
from ..answers.images import render as draw
from ..answers.signal import signal_images
from ..config import IMAGES, IMAGES_OF_ERRORS, RenderConfig
from ..errors import InputError, about
from ..io.files import checksums
from ..io.images import IMAGE_SUFFIXES, read_grid_like, write_images
from .kinds import read_for


def render(
    model: str | Path,
    out: str | Path,
    config: RenderConfig | None = None,
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
    command: str | None = None,
) -> Path:
    """Draw the images of a model of photons, and write them as FITS or HDF5.

    The parameters are those of all commands, see `gmmx.commands`.

    Returns
    -------
    Path
        The file that was written.
    """
    config = RenderConfig() if config is None else config
    read = [*inputs] if config.like is None else [*inputs, config.like]
    outputs = [(out, IMAGE_SUFFIXES)]
    result = read_for("render", model, outputs, overwrite=overwrite, inputs=read, kind="photons")
    if config.like is None:
        grid = output_grid(result, bin=config.bin)
    else:
        with checksums(verified=not config.no_checksum):
            grid = read_grid_like(config.like, result.frame)
    with about(model):
        if config.needs_draws and result.draws is None:
            result = replace(result, draws=draws_of(result))
        images = _drawn(result, grid, config)
        cards = _cards(result.draws, config)
    write_images(out, images, result, overwrite=overwrite, command=command, cards=cards)
    return Path(out)


def _drawn(result, grid, config):
    """The images that are asked for, by the names of their extensions."""
    options = {
        "units": config.units,
        "with_points": config.points,
        "estimate": config.estimate,
        "at": config.at,
    }
    if not config.is_of_signal:
        images = draw(result, grid, **options).as_dict()
        return _chosen(images, config.image, len(result.observations))
    name = config.image.lower()
    images = signal_images(result, grid, **options, errors=name != "signal")
    return {name.upper(): images[name]}


def _cards(draws, config):
    """Keywords of the images of the signal, by name."""
    signal = signal_cards(
        draws if config.needs_draws else None, estimate=config.estimate, at=config.at
    )
    return {name.upper(): signal for name in ("signal", *IMAGES_OF_ERRORS)}


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
