"""Each command as a plain function, files to files: what a script calls, and all that the command line adds to it is parsing and printing."""

import re
import warnings
from collections import Counter
from dataclasses import fields, replace
from pathlib import Path

from ..answers.components import component_table
from ..answers.images import output_grid
from ..answers.images import render as drawn_images
from ..answers.score import held_out_score
from ..config import IMAGES, MODEL_SUFFIXES, ExportConfig, FitConfig, PlotConfig, RenderConfig
from ..errors import GmmxWarning, InputError
from ..fitting.driver import fit_mixture
from ..io.images import IMAGE_SUFFIXES, read_grid_like, write_images
from ..io.models import read_model, write_model
from ..io.tables import SUFFIXES as TABLE_SUFFIXES
from ..io.tables import write_table
from ..io.virtual import parse_file_argument
from ..io.write import check_target, replacing
from ..model.observation import finest_detail
from ..reading.event_list import read_observation
from ..reading.fit_input import read_fit_input
from ..reading.held_out import in_pixels_of, read_held_out
from ..reading.joint import read_observations

__all__ = [
    "default_output",
    "described",
    "export",
    "fit",
    "info",
    "plot",
    "read_observation",
    "read_observations",
    "render",
    "score",
]

FIGURE_SUFFIXES = (".png", ".pdf", ".svg")


def _silent(line):
    pass


def default_output(events):
    """Where the model of an event file goes when nothing is said: beside it; "events.fits.gz[energy=500:2000]" makes events.model.h5."""
    path = parse_file_argument(events).path
    name = re.sub(r"\.gz$", "", path.name, flags=re.IGNORECASE)
    return path.with_name(Path(name).stem + ".model.h5")


def fit(
    events, out=None, config=None, *, overwrite=False, command=None, say=_silent, callback=None
):
    """Fit event files, jointly where there are several, and write the model.

    Parameters
    ----------
    events : sequence of path
    out : path, optional
        `default_output` of the first of the events when not given.
    config : FitConfig, optional
    overwrite : bool
        Whether a model that exists may be replaced.
    command : str, optional
        The command line, for the record.
    say : callable
        Told, one line at a time, what was resolved and what was left out.
    callback : callable, optional
        Called with a FitState at each accepted iterate.

    Returns
    -------
    out : Path
    result : FitResult

    Raises
    ------
    GmmxError
        When anything is wrong with the output, which is looked at first, or with the input.
    """
    config = FitConfig() if config is None else config
    events = [str(path) for path in events]
    out = default_output(events[0]) if out is None else Path(out)
    check_target(out, overwrite=overwrite, suffixes=MODEL_SUFFIXES)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read = read_fit_input(events, config)
    observations = read.observations
    said = tuple(
        dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, GmmxWarning))
    )
    for w in caught:
        warnings.warn(w.message, w.category, stacklevel=2)
    for observation in observations:
        for line in described(observation):
            say(line if len(observations) == 1 else f"{observation.name}: {line}")
    least = finest_detail(observations)
    if config.min_sigma < least:
        say(
            f"min_sigma: {least:.3g} arcsec instead of {config.min_sigma:g}: half of the pixel, which is as fine as these photons can tell"
        )
        config = replace(config, min_sigma=least)
    if read.n_started:
        say(f"point sources: {read.n_started} are there from the start")
    knobs = {
        f.name: getattr(config, f.name)
        for f in fields(config)
        if f.name in fit_mixture.__kwdefaults__
    } | read.start
    knobs["sources"] = read.sources
    knobs["n_components"] = None if config.n_components == "auto" else config.n_components
    options = {"events": events, **config.record()}
    result = fit_mixture(
        observations,
        **knobs,
        options=options,
        callback=callback,
    )
    result = replace(result, warnings=said + tuple(result.warnings))
    write_model(out, result, overwrite=overwrite, command=command)
    return out, result


def described(observation):
    """What was resolved and what was left out, one line each, for people."""
    lines = [f"{name}: {text}" for name, text in observation.metadata.get("resolved", {}).items()]
    for record in observation.metadata.get("masks", ()):
        shapes = "1 shape" if record["shapes"] == 1 else f"{record['shapes']} shapes"
        lines.append(
            f"{record['kind']}: {record['file']}, {shapes}, {record['area_arcmin2']:.3g} arcmin^2, {record['photons']:,} photons"
        )
    dropped = ", ".join(
        f"{count:,.0f} {reason}" for reason, count in observation.dropped.items() if count
    )
    lines.append(
        f"photons: {observation.n_photons:,.0f} used" + (f"; dropped: {dropped}" if dropped else "")
    )
    return lines


def render(model, out, config=None, *, overwrite=False, command=None):
    """Draw a model file's images and write them; the path written.

    Parameters
    ----------
    model, out : path
    config : RenderConfig, optional
    overwrite : bool
    command : str, optional
        The command line, for the images' history.
    """
    config = RenderConfig() if config is None else config
    check_target(out, overwrite=overwrite, suffixes=IMAGE_SUFFIXES)
    result = read_model(model)
    grid = (
        output_grid(result, bin=config.bin)
        if config.like is None
        else read_grid_like(config.like, result.frame)
    )
    try:
        images = drawn_images(result, grid, units=config.units, with_points=config.points).as_dict()
    except InputError as error:
        raise InputError(f"{model}: {error}") from None
    if config.image is not None:
        if config.image.upper() not in images and config.image.lower() not in IMAGES:
            n = len(result.observations)
            raise InputError(
                f"{model}: has no image {config.image}: the fit has {n} observation{'s' * (n > 1)}, and they have images of their own from two on"
            )
        if config.image.upper() not in images:
            raise InputError(
                f"{model}: has no point sources, and no image of them: fit with --sources"
            )
        images = {config.image.upper(): images[config.image.upper()]}
    write_images(out, images, result, overwrite=overwrite, command=command)
    return Path(out)


def plot(model, out, config=None, *, overwrite=False):
    """Draw a model file's figure and write it; the path written.

    Parameters
    ----------
    model, out : path
    config : PlotConfig, optional
    overwrite : bool
    """
    from ..show.figures import plot as draw

    config = PlotConfig() if config is None else config
    check_target(out, overwrite=overwrite, suffixes=FIGURE_SUFFIXES)
    result = read_model(model)
    figure = draw(result, config.what, stretch=config.stretch)
    with replacing(out, overwrite, suffixes=FIGURE_SUFFIXES) as aside:
        figure.savefig(aside, dpi=config.dpi)
    return Path(out)


def info(model):
    """Read a model file: its FitResult."""
    return read_model(model)


def export(model, out, config=None, *, overwrite=False):
    """Write a model file's components as a table or as DS9 ellipses; the path written.

    Parameters
    ----------
    model, out : path
    config : ExportConfig, optional
    overwrite : bool
    """
    config = ExportConfig() if config is None else config
    check_target(out, overwrite=overwrite, suffixes=TABLE_SUFFIXES)
    write_table(
        out,
        component_table(read_model(model)),
        frame=config.frame,
        scale=config.scale,
        overwrite=overwrite,
    )
    return Path(out)


def score(model, events):
    """Score a model file on the photons of other event files, cut as those it was fitted to; JSON-ready facts.

    Parameters
    ----------
    model : path
    events : sequence of path
        One for each observation of the model, in its order.

    Raises
    ------
    InputError
        When the number of event files is another.
    DataError
        When a file cannot be read, or none of its photons is in the model's band and field.
    """
    result = read_model(model)
    events = [str(path) for path in events]
    n = len(result.observations)
    if len(events) != n:
        count = f"{n} observation{'s' * (n > 1)}"
        raise InputError(
            f"{model}: a model of {count}, scored on {len(events)} event list{'s' * (len(events) > 1)}: give one for each, in their order"
        )
    photons = [
        read_held_out(path, observation)
        for path, observation in zip(events, result.observations, strict=True)
    ]
    seen = [
        in_pixels_of(other, fitted)
        for other, fitted in zip(photons, result.observations, strict=True)
    ]
    found = held_out_score(replace(result, observations=tuple(seen)), photons)
    return {
        "model": str(model),
        "events": events,
        "score": found.mean,
        "score_error": found.error,
        "unit": "nat per photon, positions in arcsec",
        "n_photons": int(found.n_photons),
        "n_dropped": {
            reason: int(count)
            for reason, count in sum((Counter(o.dropped) for o in photons), Counter()).items()
        },
        "expected_photons": found.expected_photons,
    }
