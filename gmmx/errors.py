"""The errors and warnings that gmmx raises on purpose.

Messages outside the command line speak of parameters, between backticks: "give a PSF with
`psf`". The command line replaces a name between backticks by its option (``--psf``), and
leaves names that are not options as they are.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike


class GmmxError(Exception):
    """Root of the errors that gmmx raises on purpose.

    The message is one line. It names the file or the thing, its value, the cause and the cure.

    Parameters
    ----------
    message : str
        The whole message.
    parameter : str, optional
        Name of the parameter that is at fault, such as "psf".

    Examples
    --------
    >>> error = InputError("`psf_ecf` = 39: it lies between 0 and 1", parameter="psf_ecf")
    >>> error.parameter
    'psf_ecf'
    """

    def __init__(self, message: str = "", *, parameter: str | None = None):
        super().__init__(message)
        self.parameter = parameter


class InputError(GmmxError, ValueError):
    """An argument or an array that a function cannot work with."""


class DataError(GmmxError):
    """A file that cannot be read, or whose content contradicts its format."""


class OutputError(GmmxError):
    """An output that cannot be written, or that would overwrite an existing file."""


class GmmxWarning(UserWarning):
    """Root of the warnings that gmmx gives: the run continues, but its user should know."""


class DataWarning(GmmxWarning):
    """Input that can be read and is plausible, but may not be what its user expects."""


class ConvergenceWarning(GmmxWarning):
    """A fit that stopped before its objective had converged."""


class DegeneracyWarning(GmmxWarning):
    """Parameters that the data cannot distinguish."""


@contextmanager
def about(subject: str | PathLike) -> Iterator[None]:
    """Name the file or the thing that an error is about: put it before the message.

    Parameters
    ----------
    subject : path or str

    Examples
    --------
    >>> with about("model.h5"):
    ...     raise InputError("there are no components")
    Traceback (most recent call last):
    gmmx.errors.InputError: model.h5: there are no components
    """
    try:
        yield
    except GmmxError as error:
        raise type(error)(f"{subject}: {error}", parameter=error.parameter) from None
