"""The model file: a fit and the observations that it was fitted to, in one HDF5 file.

Drawing, tabulating and scoring need nothing else. The layout of schema_version 2:

    /                      attributes: schema, schema_version, gmmx_version, created (ISO 8601,
                           UTC), command, options and warnings (JSON), seed, converged,
                           stop_reason, iterations, log_likelihood, objective, seconds,
                           requested_components
    /frame                 attributes: ra0, dec0 [deg], projection, radesys
    /mixture               flux (K,), mean (K, 2), covariance (K, 2, 2), flux_error, mean_error,
                           flux_upper95, kind ("extended", "point"), observed_fraction,
                           observed_photons, prior_scale; fixed_flux, fixed_mean and
                           fixed_covariance if any parameter was fixed; attributes:
                           reference_exposure, exposure_unit, signal_error, photons_in_field,
                           photons_under_masks and photons_outside with their _error, and
                           flux_note if fluxes are approximate
    /background/<name>     attributes: index, observation, name, kind, amplitude, amplitude_error,
                           amplitude_upper95, photons, photons_error, photons_upper95,
                           correlation, fixed; map if it has a template
    /observations/<name>   photons (x, y, weight, energy, ccd), completeness (exposure,
                           open_fraction), psf (weights, covariances), backgrounds/<name>, masks
                           (JSON), physical, dropped (attributes: photons by reason), pointing
                           (attributes: telescope, band, inputs, ...)
    /history               log_likelihood, objective, stage, step, k, seconds, phase: one row for
                           each accepted iterate
    /path                  stage, k, log_likelihood, criterion, accepted: one row for each set of
                           components that was tried
    /draws                 flux (N, K), mean (N, K, 2), covariance (N, K, 2, 2), amplitude (N, B)
                           of N parameter sets that are consistent with the data; attributes:
                           method, seed; only if draws were made

Every dataset has an attribute `unit`. Arrays are read back to the bit. Groups, datasets and
attributes that a reader does not know are ignored, so that optional additions leave the version
at 2. Version 1 is read too.
"""

import json
import re
from collections.abc import Callable
from os import PathLike
from pathlib import Path

import h5py

from ... import __version__
from ...errors import DataError, InputError
from ...model.result import FitResult
from ...model.samples_result import SamplesResult
from . import reader_v1, reader_v2
from . import samples as samples_files
from .names import SCHEMA, SCHEMA_VERSION
from .values import BadValueError
from .writer import write_draws, write_model

__all__ = [
    "SCHEMA_VERSION",
    "model_kind",
    "read_any",
    "read_model",
    "write_draws",
    "write_model",
]

# What a damaged file leads to: h5py finds other objects than it expects, numpy other shapes.
_DAMAGE = (
    *(OSError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RuntimeError),
    *(MemoryError, InputError),
)
_READERS: dict[str, dict[int, Callable]] = {
    SCHEMA: {1: reader_v1.read_result, 2: reader_v2.read_result},
    samples_files.SCHEMA: {samples_files.SCHEMA_VERSION: samples_files.read_samples},
}


def read_model(path: str | PathLike) -> FitResult:
    """Read a fit of the sky from the model file that ``gmmx fit`` or `FitResult.write` wrote.

    Parameters
    ----------
    path : str or Path
        The model file, such as "model.h5".

    Returns
    -------
    FitResult

    Raises
    ------
    DataError
        If the file does not exist, is not a model, is damaged or truncated, or has a
        schema_version that this gmmx does not know, or holds a mixture of samples.
    """
    result = read_any(path)
    if isinstance(result, SamplesResult):
        raise DataError(
            f"{path}: a mixture of samples ({', '.join(result.names)}), not of the sky: this needs"
            " a model of photons"
        )
    return result


def read_any(path: str | PathLike) -> FitResult | SamplesResult:
    """Read a model file: a fit of the sky, or a mixture of samples.

    Parameters
    ----------
    path : str or Path
        The model file, such as "model.h5".

    Returns
    -------
    FitResult or SamplesResult
        As the file holds.

    Raises
    ------
    DataError
        If the file does not exist, is not a model, is damaged or truncated, or has a
        schema_version that this gmmx does not know.

    Examples
    --------
    >>> import numpy as np
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0.0, 5.0, (2, 500))
    >>> gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1).write("model.h5")
    >>> len(gmmx.read("model.h5").mixture)
    1
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"{path}: no such file: name a model that `gmmx fit` wrote")
    if path.is_dir():
        raise DataError(f"{path}: is a folder: name a model that `gmmx fit` wrote")
    if not path.is_file():
        raise DataError(
            f"{path}: is a pipe or a device: save the model to a file and give that one"
        )
    try:
        if not h5py.is_hdf5(path):
            raise DataError(
                f"{path}: not a gmmx model (not an HDF5 file): name a file that `gmmx fit` wrote"
            )
        # File systems without locks cannot lock a file.
        with h5py.File(path, "r", locking="best-effort") as file:
            return _reader_of(path, file)(file)
    except PermissionError:
        raise DataError(f"{path}: may not be read: check its permissions") from None
    except BlockingIOError:
        raise DataError(
            f"{path}: another program has it open for writing: close it there, or set "
            "HDF5_USE_FILE_LOCKING=FALSE to read it all the same"
        ) from None
    except BadValueError as error:
        raise DataError(
            f"{path}: damaged model file: {error}: write it again with `gmmx fit`"
        ) from error
    except _DAMAGE as error:
        raise DataError(f"{path}: {_fault(error)}: write it again with `gmmx fit`") from error


def model_kind(path: str | PathLike) -> str:
    """The kind of a model, "photons" or "samples", without reading it.

    Parameters
    ----------
    path : str or Path
        A file that cannot be read counts as a model of photons: `read_any` says what is wrong.
    """
    try:
        with h5py.File(path, "r", locking="best-effort") as file:
            is_of_samples = file.attrs.get("schema") == samples_files.SCHEMA
    except OSError:
        is_of_samples = False
    return "samples" if is_of_samples else "photons"


def _fault(error: Exception) -> str:
    """What is wrong with a model file, as far as an error tells."""
    missing = re.search(r"object '([^']*)' doesn't exist", str(error))
    if missing:
        return f"damaged model file: it has no {missing[1]}"
    if isinstance(error, InputError):
        return f"damaged model file: {error}"
    if isinstance(error, json.JSONDecodeError):
        return "damaged model file: an attribute is no JSON"
    return "truncated or damaged model file"


def _reader_of(path: Path, file: h5py.File):
    """The function that reads the version of an open file."""
    schema, version = file.attrs.get("schema"), file.attrs.get("schema_version")
    readers = _READERS.get(schema if isinstance(schema, str) else "")
    if readers is None:
        found = "missing" if schema is None else repr(schema)
        raise DataError(
            f"{path}: not a gmmx model (schema {found}): name a file that `gmmx fit` wrote"
        )
    if version not in readers:
        writer = file.attrs.get("gmmx_version", "unknown")
        known = " and ".join(str(number) for number in readers)
        raise DataError(
            f"{path}: a model of schema_version {version}, written by gmmx {writer}; "
            f"gmmx {__version__} reads versions {known}: update gmmx, or fit again"
        )
    return readers[version]
