"""The files that a model was made from, which no output replaces."""

from collections.abc import Iterable, Mapping

from ..config import HDF5_SUFFIXES
from ..errors import InputError
from ..model.observation import Observation
from ..model.result import FitResult
from ..model.samples_result import SamplesResult
from .fits_pictures import split_extension
from .virtual import parse_file_argument


def recorded_files(
    observations: Iterable[Observation], *, without: tuple[str, ...] = ()
) -> list[str]:
    """Return the path of each file that observations were read from.

    Parameters
    ----------
    observations : iterable of Observation
    without : tuple of str
        Roles of files to leave out, such as "init".

    Returns
    -------
    list of str
        The paths as they were given, without filters in brackets. The files may have been moved.

    Examples
    --------
    >>> from gmmx.model.photons import Photons
    >>> from gmmx.model.pointing import InputFile, Pointing
    >>> pointing = Pointing(inputs=(InputFile("events", "evt2.fits[energy=500:2000]"),))
    >>> recorded_files([Observation(photons=Photons([0.0], [0.0]), pointing=pointing)])
    ['evt2.fits']
    """
    inputs = [one for o in observations for one in o.pointing.inputs if one.role not in without]
    return [_path_of(one.path) for one in inputs]


def files_behind(result: FitResult | SamplesResult, *, without: tuple[str, ...] = ()) -> list[str]:
    """Return the path of each file that a model was made from.

    Parameters
    ----------
    result : FitResult or SamplesResult
    without : tuple of str
        Roles of files to leave out, such as "init", the model that a fit started from.

    Examples
    --------
    >>> import gmmx
    >>> files_behind(gmmx.fit_samples([0.0, 1.0, 2.0, 3.0], n_components=1))
    []
    """
    if isinstance(result, FitResult):
        return recorded_files(result.observations, without=without)
    given = result.options.get("events")
    events = [str(split_extension(one)[0]) for one in given] if isinstance(given, list) else []
    return events + files_among(result.options)


def files_among(options: Mapping[str, object]) -> list[str]:
    """Return the HDF5 files that the options of a fit to samples name beside the catalogue.

    Examples
    --------
    >>> files_among({"completeness": "mag < 24", "background": ["control.h5"]})
    ['control.h5']
    """
    found = [options.get(name) for name in ("completeness", "noise_model")]
    backgrounds = options.get("background")
    found += list(backgrounds) if isinstance(backgrounds, list | tuple) else []
    texts = [one for one in found if isinstance(one, str)]
    return [one for one in texts if one.lower().endswith(HDF5_SUFFIXES)]


def _path_of(text):
    try:
        return str(parse_file_argument(text).path)
    except InputError:
        return text
