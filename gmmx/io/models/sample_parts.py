"""Parts of the model file of a mixture of samples: grids over its columns."""

import h5py

from ...model.sample_grid import SampleGrid
from .nodes import as_json, put
from .values import from_json


def put_grid(group: h5py.Group, grid: SampleGrid, name: str = "values") -> None:
    """Write a grid: its values, its axes, and the names of the columns that they stand for.

    Parameters
    ----------
    group : h5py.Group
    grid : SampleGrid
    name : str
        Of the dataset of the values.
    """
    put(group, name, grid.values, "")
    for i, axis in enumerate(grid.axes):
        if f"axis{i}" not in group:
            put(group, f"axis{i}", axis, "")
    group.attrs["columns"] = as_json(list(grid.names), "columns")


def get_grid(group: h5py.Group, name: str = "values") -> SampleGrid:
    """Read the grid that `put_grid` wrote."""
    values = group[name][()]
    axes = [group[f"axis{i}"][()] for i in range(values.ndim)]
    # Models of the first version had one axis for each column, in their order.
    names = from_json(group, "columns", list) if "columns" in group.attrs else ()
    return SampleGrid(values=values, axes=axes, names=tuple(map(str, names)))
