"""Read a model, to describe it."""

from pathlib import Path

from ..io.models import read_model
from ..model.result import FitResult


def info(model: str | Path) -> FitResult:
    """Read a model file.

    Raises
    ------
    DataError
        If it cannot be read, or is not a model file.
    """
    return read_model(model)
