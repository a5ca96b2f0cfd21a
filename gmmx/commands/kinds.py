"""Models of photons and models of samples: a command says which it needs."""

from pathlib import Path

from ..errors import InputError
from ..io.models import read_any
from ..model.samples_result import SamplesResult


def read_samples_model(path: str | Path, command: str) -> SamplesResult:
    """Read a model of samples, for a command that needs one.

    Parameters
    ----------
    path : path
    command : str
        Its name, for the message.

    Raises
    ------
    InputError
        If it is a model of photons.
    DataError
        If it cannot be read, or is not a model file.
    """
    result = read_any(path)
    if not isinstance(result, SamplesResult):
        raise InputError(
            f"{path}: a model of photons: {command} needs one of a catalogue or a picture"
        )
    return result
