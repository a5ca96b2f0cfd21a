"""Grids over the columns of a catalogue, in HDF5 files that their users write.

A file holds the values as one dataset with a name of its own (`completeness`, `density`) or as a
group of datasets with one for each column (`errors`), and one dataset for each axis, which has the
name of a column. The attribute `columns` of the dataset or the group names the axes in the order of
its dimensions. Without it the lengths of the axes tell the order, if they all differ.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from os import PathLike

import h5py
import numpy as np

from ..config import HDF5_SUFFIXES
from ..errors import DataError, about
from ..model.sample_grid import SampleGrid
from .files import check_input, reading


def is_grid_file(text: object) -> bool:
    """Whether a text is the name of an HDF5 file rather than an expression or a word.

    Examples
    --------
    >>> is_grid_file("completeness.h5"), is_grid_file("mag < 24")
    (True, False)
    """
    return isinstance(text, str | PathLike) and str(text).lower().endswith(HDF5_SUFFIXES)


def is_model_file(path: str | PathLike) -> bool:
    """Whether a file is a model file of gmmx."""
    try:
        with h5py.File(path, "r", locking="best-effort") as file:
            return "schema" in file.attrs
    except OSError:
        return False


def read_grid(path: str | PathLike, name: str) -> SampleGrid:
    """Read the grid of one dataset.

    Parameters
    ----------
    path : str or Path
    name : str
        Name of the dataset.

    Returns
    -------
    SampleGrid
        Its axes have the names of columns; which columns of samples these are is still open.

    Raises
    ------
    DataError
        If the file cannot be read, or the dataset or an axis is missing or of another shape.
    InputError
        If an axis does not rise.

    Examples
    --------
    >>> with h5py.File("ramp.h5", "w") as file:
    ...     file["completeness"] = [1.0, 1.0, 0.0]
    ...     file["mag"] = [18.0, 24.0, 26.0]
    >>> read_grid("ramp.h5", "completeness")
    SampleGrid(mag 18 to 26, 3 nodes)
    """
    with _opened(path, name) as file:
        return _grid(path, file, file[name], file[name])


def read_grids(path: str | PathLike, name: str) -> dict[str, SampleGrid]:
    """Read the grids of a group of datasets, which all have the same axes.

    Returns
    -------
    dict of str to SampleGrid
        By the names of the datasets.
    """
    with _opened(path, name) as file:
        group = file[name]
        if not isinstance(group, h5py.Group) or not len(group):
            raise DataError(
                f"{path}: {name} must be a group with one dataset for each column, such as "
                f"{name}/mag"
            )
        return {key: _grid(path, file, group[key], group) for key in group}


@contextmanager
def _opened(path: str | PathLike, name: str) -> Iterator[h5py.File]:
    """The open file, which holds the dataset or the group of that name."""
    check_input(path)
    with reading(path, "HDF5"):
        if not h5py.is_hdf5(path):
            raise DataError(f"{path}: not an HDF5 file: write the grid with h5py")
        with h5py.File(path, "r", locking="best-effort") as file:
            if "schema" in file.attrs:
                raise DataError(
                    f"{path}: a model file, not a grid with the dataset {name}: name a grid"
                )
            if name not in file:
                near = get_close_matches(name, list(file), 1)
                hint = f"is it {near[0]}?" if near else f"it has {', '.join(file) or 'nothing'}"
                raise DataError(f"{path}: it has no {name}: {hint}")
            yield file


def _grid(path, file, data, marked):
    """The grid of a dataset; `marked` has the attribute `columns`."""
    if not isinstance(data, h5py.Dataset) or data.dtype.kind not in "iufb":
        raise DataError(f"{path}: {data.name[1:]} must be a dataset of numbers")
    names = _axis_names(path, file, data, marked)
    for name in names:
        if name not in file or not isinstance(file[name], h5py.Dataset):
            known = [key for key in file if key != data.name[1:]]
            near = get_close_matches(name, known, 1)
            hint = f"is it {near[0]}?" if near else f"add a dataset {name} with its nodes"
            raise DataError(f"{path}: it has no axis {name}: {hint}")
    with about(path):
        return SampleGrid(values=data[()], axes=[file[name][()] for name in names], names=names)


def _axis_names(path, file, data, marked):
    """Names of the axes in the order of the dimensions."""
    label, given = data.name[1:], marked.attrs.get("columns")
    if given is not None:
        given = given.decode() if isinstance(given, bytes) else given
        parts = given.split(",") if isinstance(given, str) else np.atleast_1d(given)
        names = [(p.decode() if isinstance(p, bytes) else str(p)).strip() for p in parts]
        if len(names) != data.ndim or len(set(names)) < len(names):
            raise DataError(
                f"{path}: the attribute columns of {marked.name[1:]} names {', '.join(names)} for "
                f"{data.ndim} dimensions of {label}: name one column for each, in their order"
            )
        return names
    axes = {
        key: len(one)
        for key, one in file.items()
        if isinstance(one, h5py.Dataset) and one.ndim == 1 and one.name != data.name
    }
    matches = [[key for key, n in axes.items() if n == length] for length in data.shape]
    if data.ndim == 1 and len(axes) == 1:
        return list(axes)
    if all(len(match) == 1 for match in matches) and len(set(data.shape)) == data.ndim:
        return [match[0] for match in matches]
    listed = ", ".join(f"{key} ({n} nodes)" for key, n in axes.items()) or "no axes"
    raise DataError(
        f"{path}: {label} has shape {data.shape} and the file has {listed}: name the axes in the "
        f"order of the dimensions with the attribute columns of {marked.name[1:]}"
    )
