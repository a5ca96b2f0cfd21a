"""Read a model, to describe it."""

from pathlib import Path

from ..model.result import FitResult
from ..model.samples_result import SamplesResult
from .kinds import read_for


def info(model: str | Path) -> FitResult | SamplesResult:
    """Read a model file.

    Raises
    ------
    DataError
        If it cannot be read, or is not a model file.
    """
    return read_for("info", model)
