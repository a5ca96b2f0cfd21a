"""Arrays, grids, nouns and columns as groups, datasets and attributes of HDF5."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import get_args, get_origin, get_type_hints

import h5py
import numpy as np

from ..._words import readable
from ...errors import InputError
from ...plane.grid import PixelGrid, SkyImage
from .names import COLUMN_UNITS

# Numbers in one chunk of a dataset: half a megabyte of float64.
_CHUNK = 65536


def put(group: h5py.Group, name: str, values, unit: str) -> None:
    """Write an array as a dataset, chunked, shuffled and compressed, with its unit.

    Parameters
    ----------
    group : h5py.Group
        Where to write.
    name : str
        Name of the dataset.
    values : array
        Numbers, booleans or text; text is encoded as UTF-8.
    unit : str
        Value of the attribute `unit`; empty if there is none.
    """
    values = np.asarray(values)
    if values.dtype.kind in "UO":
        values = np.char.encode(values.astype(str), "utf-8", "backslashreplace")
    if values.size:
        # gzip at level 1: higher levels win little on noise and cost seconds.
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


def put_columns(group: h5py.Group, columns: Mapping[str, np.ndarray]) -> None:
    """Write the columns of a table as datasets."""
    for name, values in columns.items():
        put(group, name, values, COLUMN_UNITS.get(name, ""))


def get_columns(group: h5py.Group) -> dict[str, np.ndarray]:
    """Read the datasets of a group by name, bytes as text."""
    return {
        name: np.char.decode(data[()], "utf-8") if data.dtype.kind == "S" else data[()]
        for name, data in group.items()
    }


def put_grid(node: h5py.HLObject, grid: PixelGrid) -> None:
    """Write a grid as attributes of the group or dataset that lies on it."""
    node.attrs.update(
        grid_shape=grid.shape, grid_origin=grid.origin, grid_matrix=grid.matrix, grid_unit="arcsec"
    )


def get_grid(node: h5py.HLObject) -> PixelGrid:
    """Read the grid that `put_grid` wrote."""
    return PixelGrid(
        shape=tuple(node.attrs["grid_shape"]),
        origin=node.attrs["grid_origin"],
        matrix=node.attrs["grid_matrix"],
    )


def put_image(group: h5py.Group, name: str, image: SkyImage) -> None:
    """Write an image as a dataset with its unit and its grid."""
    put(group, name, image.values, image.unit)
    put_grid(group[name], image.grid)


def get_image(data: h5py.Dataset) -> SkyImage:
    """Read the image that `put_image` wrote."""
    return SkyImage(grid=get_grid(data), values=data[()], unit=data.attrs["unit"])


def put_noun(group: h5py.Group, noun) -> None:
    """Write a dataclass of numbers, texts, and tuples of them as the attributes of a group.

    A dict becomes JSON text, and nouns inside the noun become groups. Fields that have their
    default value are left out.

    Parameters
    ----------
    group : h5py.Group
        Where to write.
    noun : dataclass instance
        Such as a PhysicalFrame or a Pointing.

    Raises
    ------
    InputError
        If a dict holds an object that JSON has no type for.
    """
    for f in fields(noun):
        value = getattr(noun, f.name)
        if _is_same(value, _default(f)):
            continue
        if is_dataclass(value):
            put_noun(group.create_group(f.name), value)
        elif isinstance(value, tuple) and value and is_dataclass(value[0]):
            inner = group.create_group(f.name)
            for i, one in enumerate(value):
                member = inner.create_group(str(i))
                member.attrs["index"] = i
                put_noun(member, one)
        elif isinstance(value, Mapping):
            group.attrs[f.name] = as_json(dict(value), f"{type(noun).__name__}.{f.name}")
        else:
            group.attrs[f.name] = readable(value) if isinstance(value, str) else value


def get_noun(group: h5py.Group, kind: type, **inner: type):
    """Read the dataclass that `put_noun` wrote.

    Parameters
    ----------
    group : h5py.Group
        Where to read.
    kind : type
        The dataclass. A field that the group does not have takes its default value.
    **inner : type
        The dataclass of each field that holds a noun or a tuple of nouns.

    Returns
    -------
    instance of `kind`

    Raises
    ------
    ValueError
        If an attribute is not of the type of its field.
    """
    values, hints = {}, get_type_hints(kind)
    for f in fields(kind):
        if f.name in group and isinstance(_default(f), tuple):
            members = in_order(group[f.name])
            values[f.name] = tuple(get_noun(member, inner[f.name]) for member in members)
        elif f.name in group:
            values[f.name] = get_noun(group[f.name], inner[f.name])
        elif f.name in group.attrs:
            value = plain(group.attrs[f.name])
            value = json.loads(value) if isinstance(_default(f), dict) else value
            if not _fits(value, hints[f.name]):
                raise ValueError(f"{f.name} of {group.name} is {value!r}")
            values[f.name] = value
    return kind(**values)


def _fits(value, hint) -> bool:
    """Whether a value is of the type of a field; the members of a tuple are not looked at."""
    if get_origin(hint) is UnionType:
        return any(_fits(value, one) for one in get_args(hint))
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, get_origin(hint) or hint)


def in_order(group: h5py.Group) -> list:
    """The members of a group in the order in which they were written."""
    return sorted(group.values(), key=lambda member: member.attrs["index"])


def free_name(group: h5py.Group, name: str) -> str:
    """A name for a new member: without slashes, and numbered if a member has it already."""
    name = readable(name).replace("/", "_").strip(".") or "unnamed"
    number, free = 2, name
    while free in group:
        number, free = number + 1, f"{name}_{number}"
    return free


def optional(value):
    """A number as the value of an attribute; an empty one stands for None."""
    return h5py.Empty("f8") if value is None else value


def plain(value):
    """The value of an attribute as Python's own type: a number, text, tuple or None."""
    if isinstance(value, h5py.Empty):
        return None
    if isinstance(value, np.ndarray):
        return tuple(value.tolist())
    return value.item() if isinstance(value, np.generic) else value


def as_json(value, label: str) -> str:
    """JSON text of a value whose arrays become lists.

    Raises
    ------
    InputError
        If it holds an object that JSON has no type for; the message begins with `label`.
    """
    try:
        return json.dumps(value, default=lambda v: v.tolist())
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{label}: cannot be written as JSON ({error})") from error


def _default(f):
    """The default value of a dataclass field; None where it has none."""
    if f.default_factory is not MISSING:
        return f.default_factory()
    return None if f.default is MISSING else f.default


def _is_same(value, default) -> bool:
    return value is None or (type(value) is type(default) and value == default)
