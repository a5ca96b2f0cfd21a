"""How kernels are compiled: the policy of all of them, in one place.

Compiled kernels are kept on disk, beside the package or else in the cache of the user. A place
that cannot be written, is full or holds a damaged file costs the time of compiling, and no fit.
"""

import warnings
from functools import wraps

from numba import njit, prange

from ..errors import GmmxWarning

# nnan and ninf of fastmath=True are left out: they would assume that NaN and infinity never occur.
_FLAGS = {"reassoc", "contract", "nsz", "arcp"}
_NO_PLACE = (
    "no folder for compiled kernels can be written (the package's, the user's cache), so that "
    "every run compiles them anew, which takes up to a minute: set NUMBA_CACHE_DIR to a folder"
)


def _compiled(**options):
    """Return a decorator that compiles a function when it is first called.

    Parameters
    ----------
    **options
        Those of `numba.njit`.
    """

    def decorate(function):
        try:
            dispatcher = njit(cache=True, **options)(function)
        except RuntimeError:
            # Python prints a warning of one place once, and there are many kernels.
            warnings.warn_explicit(_NO_PLACE, GmmxWarning, __file__, 1, registry=_warned)
            return njit(**options)(function)
        # With NUMBA_DISABLE_JIT it is the function itself, which has no files.
        files = getattr(dispatcher, "_cache", None)
        for name in () if files is None else ("load_overload", "save_overload"):
            setattr(files, name, _forgiving(getattr(files, name)))
        return dispatcher

    return decorate


_warned: dict = {}


def _forgiving(act):
    """Return an action on the files of compiled kernels that does nothing where it fails."""

    @wraps(act)
    def attempt(*arguments):
        try:
            return act(*arguments)
        except Exception:
            # A damaged file may raise anything.
            return None

    return attempt


kernel = _compiled(error_model="numpy", fastmath=_FLAGS)
parallel_kernel = _compiled(parallel=True, error_model="numpy", fastmath=_FLAGS)
inline = _compiled(error_model="numpy", fastmath=_FLAGS, inline="always")

__all__ = ["inline", "kernel", "parallel_kernel", "prange"]
