"""Fit the samples of a catalogue or a picture and write the model."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ..config import (
    MODEL_SUFFIXES,
    PICTURE_TOLERANCE,
    PIXEL_SIGMA,
    SampleConfig,
    SampleOptions,
    option_names,
)
from ..errors import InputError, about
from ..io.catalogues import read_catalogue
from ..io.pictures import is_picture, read_size
from ..io.write import check_target
from ..model.samples import Samples
from ..model.samples_result import SamplesResult
from ..model.scaling import Scaling
from ..reading.catalogue import read_samples
from ..reading.picture import read_picture_samples
from ..reading.sample_selection import completeness_of
from .samples import fit_samples


def fit_catalogue(
    path: str | Path,
    out: str | Path | None = None,
    config: SampleConfig | None = None,
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
    command: str | None = None,
    say: Callable[[str], None] = lambda _line: None,
    callback: Callable | None = None,
) -> tuple[Path, SamplesResult]:
    """Fit the columns of a table or the pixels of a picture, and write the model.

    Parameters
    ----------
    path : path
        A table or a picture.
    out : path, optional
        The model file. Without it the model is written beside the input, with the suffix
        .model.h5.
    config : SampleConfig, optional
        With the columns of a table.
    overwrite : bool
        Whether an existing model file may be replaced.
    inputs : sequence of path
        Further files that the output must not replace, beside the input.
    command : str, optional
        The command line, which the model file records.
    say : callable
        Called with a line of text about the samples.
    callback : callable, optional
        Called with the stage of the fit and the number of components before each trial.

    Returns
    -------
    (Path, SamplesResult)
        The model file, and the fit.

    Raises
    ------
    GmmxError
        If the output cannot be written, which is checked first, or the input cannot be used.
    """
    config, path = config or SampleConfig(), Path(path)
    out = _beside(path) if out is None else Path(out)
    check_target(out, overwrite=overwrite, suffixes=MODEL_SUFFIXES, inputs=[path, *inputs])
    samples = samples_of(path, config)
    say(f"samples: {samples!r}")
    if is_picture(path):
        config = with_picture_limits(config, samples)
    completeness = None
    if config.completeness is not None:
        completeness = completeness_of(
            config.completeness, samples.names, lambda: _columns_of(path, config)
        )
    with about(path):
        result = _fitted(samples, config, callback, completeness)
    options = {"events": [str(path)], **config.record(), **result.options}
    if is_picture(path):
        options["picture_size"] = read_size(path)
    result = replace(result, options=options)
    result.write(out, overwrite=overwrite, command=command)
    return out, result


def samples_of(path: str | Path, config: SampleConfig) -> Samples:
    """Read the samples of a table, or of a picture if the ending of the name is that of one.

    Raises
    ------
    GmmxError
        If the file cannot be used, or a table has no columns to fit.
    """
    if is_picture(path):
        if config.columns:
            raise InputError(
                f"{path}: a picture has no `columns`: leave them out", parameter="columns"
            )
        return read_picture_samples(path, config)
    if not config.columns:
        raise InputError(f"{path}: name the `columns` to fit", parameter="columns")
    return read_samples(path, config)


def with_picture_limits(config: SampleConfig, samples: Samples) -> SampleConfig:
    """Set where the fit of a picture ends, and its least width, unless the options set them.

    The log-likelihood is a sum over so many pixels that a hundredth of a nat means nothing, and no
    component can be narrower than a pixel.

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
    return replace(config, tol=tol, min_sigma=least)


def _beside(path):
    """Return the model file beside a table or a picture."""
    if path.absolute().parts[1:2] in (("dev",), ("proc",)):
        raise InputError(
            f"{path}: no model can be written beside it: name one with `out`", parameter="out"
        )
    return path.with_name(path.name.removesuffix(".gz")).with_suffix(".model.h5")


def _columns_of(path, config):
    """Names of all columns of a table; a picture has no others than those that are fitted."""
    if is_picture(path):
        return []
    return read_catalogue(path, config.names, no_checksum=config.no_checksum).colnames


def _fitted(samples, config, callback, completeness):
    n, d = len(samples), samples.n_dimensions
    if n <= d:
        raise InputError(
            f"{n} samples in {d} dimensions have no covariance: give more rows than columns"
        )
    return fit_samples(
        samples,
        completeness=completeness,
        background=config.background[0] if config.background else None,
        options=SampleOptions(
            **{name: getattr(config, name) for name in option_names(SampleOptions)}
        ),
        callback=callback,
    )
