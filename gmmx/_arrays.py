"""How a noun keeps its arrays: native float64, C-ordered, read-only, of the shape it says."""

import numpy as np

from .errors import InputError

# Largest difference of two elements of a matrix that should be equal, relative.
_ASYMMETRY = 1e-9


def read_only(noun, *, may_be_unknown=(), **shapes):
    """Turn the named fields of a frozen dataclass into checked, read-only float64 arrays.

    Parameters
    ----------
    noun : object
        The instance, inside its ``__post_init__``.
    may_be_unknown : sequence of str
        Fields whose values may be NaN or infinite.
    **shapes : tuple of int or str
        The shape of each field; equal letters must be equal lengths, within one call.

    Raises
    ------
    InputError
        When a field has another shape or holds values that are not finite.
    """
    lengths = {}
    for name, shape in shapes.items():
        given = getattr(noun, name)
        array = np.ascontiguousarray(given, dtype=np.float64)
        label = f"{type(noun).__name__}.{name}"
        if array.ndim != len(shape):
            raise InputError(
                f"{label} must have {len(shape)} dimensions {shape}, got shape {array.shape}"
            )
        for length, expected in zip(array.shape, shape, strict=True):
            if length != (
                lengths.setdefault(expected, length) if isinstance(expected, str) else expected
            ):
                raise InputError(f"{label} must have shape {shape}, got {array.shape}")
        if name not in may_be_unknown and not np.all(np.isfinite(array)):
            raise InputError(f"{label} holds values that are not finite")
        # A column of a table or a Quantity comes as another object on the same memory.
        if array.flags.writeable and np.may_share_memory(array, given):
            array = array.copy()
        array.flags.writeable = False
        object.__setattr__(noun, name, array)


def is_positive_definite(covariances):
    """Whether matrices (K, D, D) are symmetric and positive definite (Sylvester's criterion)."""
    diagonal = np.diagonal(covariances, axis1=1, axis2=2)
    if np.any(diagonal <= 0):
        return False
    for d in range(2, covariances.shape[-1] + 1):
        if np.any(np.linalg.det(covariances[:, :d, :d]) <= 0):
            return False
    differences = covariances - np.swapaxes(covariances, 1, 2)
    if not differences.any():
        return True
    limits = _ASYMMETRY * np.sqrt(diagonal[:, :, None] * diagonal[:, None, :])
    return not np.any(np.abs(differences) > limits)
