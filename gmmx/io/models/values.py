"""Values of a model file, of the type that they have to have.

HDF5 gives whatever an attribute holds: a text where a number belongs, an array where a scalar does.
"""

import json
import math
from collections.abc import Collection

import h5py
import numpy as np

from .nodes import plain


class BadValueError(ValueError):
    """A value in a model file that cannot be; the text names the place and the value."""


def number(node: h5py.HLObject, key: str, *, optional: bool = False) -> float:
    """Return an attribute that is a number.

    Parameters
    ----------
    node : h5py.Group or h5py.Dataset
    key : str
    optional : bool
        Whether it may be missing, and then is NaN.

    Raises
    ------
    BadValueError
        If it is missing, or is of another type.
    """
    if optional and key not in node.attrs:
        return math.nan
    value = _attribute(node, key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise bad_value(node, key, value, "a number")
    return value


def finite(node: h5py.HLObject, key: str) -> float:
    """Return an attribute that is a finite number; see `number`."""
    value = number(node, key)
    if not math.isfinite(value):
        raise bad_value(node, key, value, "a finite number")
    return value


def whole(node: h5py.HLObject, key: str, *, least: int = 0) -> int:
    """Return an attribute that is a whole number of at least `least`; see `number`."""
    value = number(node, key)
    if not isinstance(value, int) or value < least:
        raise bad_value(node, key, value, f"a whole number of at least {least}")
    return value


def text(node: h5py.HLObject, key: str) -> str:
    """Return an attribute that is a text; see `number`."""
    value = _attribute(node, key)
    if not isinstance(value, str):
        raise bad_value(node, key, value, "a text")
    return value


def flag(node: h5py.HLObject, key: str) -> bool:
    """Return an attribute that is true or false; see `number`."""
    value = _attribute(node, key)
    if not isinstance(value, bool):
        raise bad_value(node, key, value, "true or false")
    return value


def from_json(node: h5py.HLObject, key: str, kind: type):
    """Return an attribute whose JSON text is a list or a dict; see `number`."""
    value = json.loads(text(node, key))
    if not isinstance(value, kind):
        raise bad_value(node, key, value, f"a {kind.__name__} in JSON")
    return value


def missing(group: h5py.Group, names: Collection[str]) -> list[str]:
    """Return the members that a group should have and has not."""
    return [name for name in names if name not in group]


def bad_value(node: h5py.HLObject, key: str, value, wanted: str) -> BadValueError:
    """Return the error that names an attribute, its value and what it should be."""
    shown = np.array2string(value) if isinstance(value, np.ndarray) else repr(value)
    shown = shown if len(shown) < 60 else f"{shown[:57]}..."
    return BadValueError(f"{key} of {node.name} is {shown}, not {wanted}")


def _attribute(node, key):
    """Return an attribute as Python's own type."""
    if key not in node.attrs:
        raise BadValueError(f"{node.name} has no {key}")
    return plain(node.attrs[key])
