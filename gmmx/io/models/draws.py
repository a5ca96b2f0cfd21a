"""Draws of the parameters in a model file, of photons or of samples."""

from io import BytesIO
from os import PathLike
from pathlib import Path

import h5py

from ...model.posterior import Draws
from ..write import replacing
from .names import DRAW_ARRAYS, SCHEMA
from .nodes import put
from .values import text, whole


def put_draws(file: h5py.File, draws: Draws, *, of_sky: bool) -> None:
    """Write draws to the group /draws of an open file, in place of others.

    Parameters
    ----------
    file : h5py.File
    draws : Draws
    of_sky : bool
        Whether they have the units of the sky; those of samples have none.
    """
    if "draws" in file:
        del file["draws"]
    group = file.create_group("draws")
    group.attrs.update(method=draws.method, seed=draws.seed)
    for name, (field, unit) in DRAW_ARRAYS.items():
        put(group, name, getattr(draws, field), unit if of_sky else "")


def get_draws(file: h5py.File) -> Draws | None:
    """Read the draws of an open file; None if it has none."""
    if "draws" not in file:
        return None
    group = file["draws"]
    arrays = {field: group[name][()] for name, (field, _) in DRAW_ARRAYS.items()}
    return Draws(method=text(group, "method"), seed=whole(group, "seed"), **arrays)


def write_with_draws(
    path: str | PathLike, model: str | PathLike, draws: Draws, *, overwrite: bool
) -> None:
    """Write a copy of a model file of the present version with other draws.

    Parameters
    ----------
    path : path
        The file to write, which may be the model file itself.
    model : path
        Of photons or of samples.
    draws : Draws
    overwrite : bool
        Replace the file if it exists.
    """
    # In memory, for the reason that `replacing_hdf5` names.
    content = BytesIO(Path(model).read_bytes())
    with h5py.File(content, "r+") as file:
        put_draws(file, draws, of_sky=file.attrs["schema"] == SCHEMA)
    with replacing(path, overwrite) as aside:
        aside.write_bytes(content.getvalue())
