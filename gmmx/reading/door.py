"""The door of the reading room: files and options go in, observations come out.

Whether a file holds single photons or photons counted in pixels is decided here, once.
`EventListFile` and `CountsImageFile` are two straight lines of work from there.
"""

import warnings
from collections.abc import Sequence
from os import PathLike
from typing import Any

from ..config import ReadOptions
from ..errors import DataWarning
from ..io.counts_image import is_counts_image
from ..io.files import checksums
from ..io.virtual import parse_file_argument, parse_file_arguments
from ..model.observation import Observation
from ..plane.frame import SkyFrame
from .area import check_units
from .background_priors import parse_priors
from .background_request import parse_backgrounds
from .counts_image import CountsImageFile
from .event_list import EventListFile
from .joint import in_one_plane, names_of, options_of_each
from .outside import check_regions
from .placing import placed
from .psf import parse_psf


def open_source(file):
    """Find out whether a file holds single photons or a counts image.

    Parameters
    ----------
    file : FileArgument

    Returns
    -------
    EventListFile or CountsImageFile

    Raises
    ------
    DataError
        If the file is not there, is not FITS, or is an image with filters.
    """
    return CountsImageFile(file) if is_counts_image(file) else EventListFile(file)


def read_observation(
    events: str | PathLike,
    *,
    frame: SkyFrame | None = None,
    name: str | None = None,
    **options: Any,
) -> Observation:
    """Read one pointing: its photons with exposure, PSF, masks and backgrounds.

    Photons are selected by chip, energy, region and mask, in this order. Photons where the
    exposure is zero are left out too. `Observation.dropped` counts the photons that were left
    out, by reason. Options that are not given are chosen for the instrument.

    Parameters
    ----------
    events : str or Path
        An event list, whose name may be followed by CIAO row filters in brackets; or a counts
        image, whose pixels are masked or kept as a whole, and whose PSF includes the pixel.
    frame : SkyFrame, optional
        Tangent plane of the observation. By default that of the file.
    name : str, optional
        Name of the observation. By default that of the file, without its suffix.
    **options
        Fields of `ReadOptions`, which describes them: `exposure`, `psf`, `mask`, `region`,
        `energy_kev`, `ccd`, `background`, `bin` and others.

    Returns
    -------
    Observation

    Raises
    ------
    DataError
        If a file cannot be read or used, the maps do not overlap the photons, or no photon is
        left.
    InputError
        If the value of an option is impossible, or options contradict each other.

    Examples
    --------
    >>> import gmmx
    >>> gmmx.read_observation(
    ...     "data_samples/events.fits.gz",
    ...     exposure="data_samples/expmap.fits.gz",
    ...     psf="data_samples/psfmap.fits.gz",
    ...     mask="data_samples/sources.reg",
    ...     energy_kev=(0.5, 2),
    ... )
    Observation(MARX-SMALL, ACIS 0-3, 0.5-2 keV, 19.7 ks: 20,258 photons on 298.1 arcmin^2; \
PSF map psfmap.fits.gz; background sky + particle)
    """
    ReadOptions.check_names(options)
    (each,) = options_of_each(_checked(ReadOptions(**options)), 1)
    file = parse_file_argument(events)
    with checksums(verified=not each.no_checksum):
        observation = open_source(file).observation(each, name=name)
        check_regions([observation], [each], [file.sky])
        return placed(observation, frame=frame, bin=each.bin)


def read_observations(events: Sequence[str | PathLike], **options: Any) -> list[Observation]:
    """Read several pointings of one sky into the tangent plane of the first.

    Parameters
    ----------
    events : sequence of str or Path
        Event lists and counts images, as for `read_observation`.
    **options
        Fields of `ReadOptions`. A tuple has one value for each pointing, in their order.

    Returns
    -------
    list of Observation

    Raises
    ------
    InputError
        If the options do not match the number of files, or the fields do not overlap on the sky.
    DataError
        If a file cannot be used.

    Examples
    --------
    >>> import gmmx
    >>> boxes = "sky=rectangle(0,0,4096,8192)", "sky=rectangle(4096,0,8192,8192)"
    >>> halves = [f"data_samples/events.fits.gz[{box}]" for box in boxes]
    >>> maps = ["data_samples/expmap.fits.gz"] * 2
    >>> pair = gmmx.read_observations(halves, exposure=maps, psf="none", energy_kev=(0.5, 2))
    >>> [(one.name, one.n_photons) for one in pair]
    [('events_1', 17467.0), ('events_2', 4332.0)]
    """
    ReadOptions.check_names(options)
    files, given = parse_file_arguments(events), ReadOptions(**options)
    with checksums(verified=not given.no_checksum):
        return observations_of(files, given)


def observations_of(files, options, *, sources=()):
    """Read the observations of a fit.

    Parameters
    ----------
    files : sequence of FileArgument
    options : ReadOptions
    sources : sequence
        Region files or objects of point sources, which have to mean the same sky in all pointings.

    Returns
    -------
    list of Observation
        In the tangent plane of the first.
    """
    each = [_checked(one) for one in options_of_each(options, len(files))]
    _warn_of_repetition(files)
    observations = []
    for file, name, own in zip(files, names_of(files), each, strict=True):
        source = open_source(file)
        observations.append(source.observation(own, name=name))
    check_regions(observations, each, [file.sky for file in files])
    return in_one_plane(observations, options, sources=sources)


def _warn_of_repetition(files):
    texts = [file.text for file in files]
    for text in sorted({text for text in texts if texts.count(text) > 1}):
        warnings.warn(
            f"{text}: given {texts.count(text)} times, so that each of its photons counts as often "
            "and the errors are too small: give it once",
            DataWarning,
            stacklevel=4,
        )


def _checked(options):
    """Refuse options that are wrong in themselves, before a large file is read."""
    check_units(options)
    parse_psf(options.psf)
    parse_backgrounds(options.background)
    parse_priors(options.background_prior)
    return options
