"""The door of the reading room for samples: the input of a fit to a catalogue or a picture."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from os import PathLike

from ..config import (
    PICTURE_TOLERANCE,
    PIXEL_SIGMA,
    SampleConfig,
    SampleOptions,
)
from ..errors import InputError, about
from ..io.catalogues import read_catalogue
from ..io.files import checksums
from ..model.samples import Samples
from ..model.scaling import Scaling
from .catalogue import samples_in
from .input_kind import input_kind
from .picture import read_picture_input


@dataclass(frozen=True, eq=False)
class SampleInput:
    """The input of a fit to samples.

    Attributes
    ----------
    samples : Samples
    config : SampleConfig
        The options, with what follows from the samples.
    columns : tuple of str
        All columns of the file, those included that are not fitted.
    facts : dict
        What the record of the fit keeps of the file.
    lines : tuple of str
        What was taken of the file, for the user.
    """

    samples: Samples
    config: SampleConfig
    columns: tuple[str, ...] = ()
    facts: dict = field(default_factory=dict)
    lines: tuple[str, ...] = ()


def read_sample_input(path: str | PathLike, config: SampleConfig) -> SampleInput:
    """Read the samples of a table, or of a picture.

    Parameters
    ----------
    path : str or Path
    config : SampleConfig

    Raises
    ------
    GmmxError
        If the file cannot be used, a table has no columns to fit, or a picture has some.

    Examples
    --------
    >>> from astropy.table import Table
    >>> Table({"a": [1.0, 2.0, 4.0], "name": ["x", "y", "z"]}).write("line.ecsv")
    >>> given = read_sample_input("line.ecsv", SampleConfig(columns="a"))
    >>> given.samples, given.columns
    (Samples(3 samples in 1 dimension: a; noise none), ('a', 'name'))
    """
    kind = input_kind(path, config.columns, config.picture)
    if kind == "photons":
        raise InputError(f"{path}: name the `columns` to fit", parameter="columns")
    return _READERS[kind](path, config)


def _read_catalogue(path, config):
    table = read_catalogue(path, config.names, no_checksum=config.no_checksum)
    samples, _ = samples_in(table, path, config)
    with about(path):
        samples.check_columns()
    return SampleInput(samples, config, tuple(table.colnames))


def _read_picture(path, config):
    for name in ("columns", "errors", "correlations", "covariance", "weights"):
        if getattr(config, name):
            raise InputError(f"{path}: a picture has no `{name}`: leave it out", parameter=name)
    with checksums(verified=not config.no_checksum):
        given = read_picture_input(path, config)
    return SampleInput(
        given.samples,
        with_picture_limits(config, given.samples),
        tuple(given.samples.names),
        given.facts,
        given.lines,
    )


_READERS: dict[str, Callable[..., SampleInput]] = {
    "catalogue": _read_catalogue,
    "picture": _read_picture,
}


def with_picture_limits(config: SampleConfig, samples: Samples) -> SampleConfig:
    """Set the steps of the fit of a picture, and its end and least width where no option does.

    The log-likelihood is a sum over so many pixels that a hundredth of a nat means nothing, and no
    component can be narrower than a pixel. Colours are fitted by steps of EM, which move each
    component by itself: a quasi-Newton step is only as long as the component that moves most
    allows (a photograph of 320 x 214 pixels with K = 400: 0.28 nat for each pixel behind EM after
    100 evaluations). In the two dimensions of a drawing quasi-Newton steps gain more.

    Parameters
    ----------
    config : SampleConfig
    samples : Samples

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.mgrid[0:20, 0:20]
    >>> samples = Samples(x=np.column_stack([x.ravel(), y.ravel()]), names=("x", "y"))
    >>> round(with_picture_limits(SampleConfig(), samples).tol, 6)
    0.4
    >>> with_picture_limits(SampleConfig(tol=0.1, min_sigma=0.001), samples)
    SampleConfig(tol=0.1, min_sigma=0.001)
    """
    tol, least = config.tol, config.min_sigma
    if tol == SampleOptions.tol:
        tol = PICTURE_TOLERANCE * float(samples.weights.sum())
    if least == SampleOptions.min_sigma:
        spread = float(Scaling.of(samples).scale[:2].mean())
        least = PIXEL_SIGMA / max(spread, 1.0)
    accelerate = config.accelerate and not config.colour
    return replace(config, tol=tol, min_sigma=least, accelerate=accelerate)
