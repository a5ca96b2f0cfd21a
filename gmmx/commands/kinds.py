"""Models of photons and models of samples: each command says which it needs."""

from pathlib import Path

from ..errors import InputError
from ..io.models import read_model
from ..model.result import FitResult
from ..model.samples_result import SamplesResult


def read_samples_model(path: str | Path, command: str) -> SamplesResult:
    """Read a model of samples, for a command that needs one.

    Raises
    ------
    InputError
        If it is a model of photons.
    DataError
        If it cannot be read, or is not a model file.
    """
    result = read_model(path)
    if not isinstance(result, SamplesResult):
        raise InputError(
            f"{path}: a model of photons: {command} needs one of a catalogue or a picture"
        )
    return result


def read_photon_model(path: str | Path, command: str) -> FitResult:
    """Read a model of photons, for a command that needs one.

    Raises
    ------
    InputError
        If it is a model of samples.
    DataError
        If it cannot be read, or is not a model file.
    """
    result = read_model(path)
    if isinstance(result, SamplesResult):
        raise InputError(
            f"{path}: a model of a catalogue or a picture: {command} needs one of photons"
        )
    return result
