"""Arrays, grids and values as HDF5 keeps them."""

import json

import h5py
import numpy as np

from ...errors import InputError
from ...plane.grid import PixelGrid

# Numbers in a chunk: half a megabyte.
_CHUNK = 65536


def put(group, name, values, unit):
    """One array as a dataset: in chunks of half a megabyte, shuffled and compressed, with its unit."""
    values = np.asarray(values)
    if values.dtype.kind in "UO":
        values = np.char.encode(values.astype(str), "utf-8")
    if values.size:
        # Level 1: higher ones win little on noise and cost seconds.
        rows = max(1, min(len(values), _CHUNK // max(1, values[0].size)))
        data = group.create_dataset(
            name,
            data=values,
            chunks=(rows, *values.shape[1:]),
            shuffle=True,
            compression="gzip",
            compression_opts=1,
            fletcher32=True,
        )
    else:
        data = group.create_dataset(name, data=values)
    data.attrs["unit"] = unit


def put_grid(node, grid):
    """A grid as attributes of the group or dataset that lies on it."""
    node.attrs.update(
        grid_shape=grid.shape, grid_origin=grid.origin, grid_matrix=grid.matrix, grid_unit="arcsec"
    )


def get_grid(node):
    return PixelGrid(
        shape=tuple(node.attrs["grid_shape"]),
        origin=node.attrs["grid_origin"],
        matrix=node.attrs["grid_matrix"],
    )


def in_order(group):
    """The members of a group in the order in which they were written."""
    return sorted(group.values(), key=lambda member: member.attrs["index"])


def free_name(group, name):
    """A name for a member that is not taken: what it is called, without slashes, numbered when another is called the same."""
    name = name.replace("/", "_").strip(".") or "unnamed"
    number, free = 2, name
    while free in group:
        number, free = number + 1, f"{name}_{number}"
    return free


def optional(value):
    """A number as an attribute; an empty one for None."""
    return h5py.Empty("f8") if value is None else value


def plain(value):
    """An attribute as Python's own type."""
    if isinstance(value, h5py.Empty):
        return None
    return value.item() if isinstance(value, np.generic) else value


def as_json(value, label):
    """JSON text of options or metadata, arrays as lists."""
    try:
        return json.dumps(value, default=lambda v: v.tolist())
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{label} hold something that JSON cannot ({error})") from error
