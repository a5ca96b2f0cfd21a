"""Each command as a plain function, files to files: what a script calls, and all that the command line adds to it is parsing and printing."""

import re
import warnings
from collections import Counter
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np

from ..answers.components import component_table, fixed_from_table
from ..answers.images import RenderedImages, output_grid, render_images
from ..answers.score import held_out_score
from ..config import MODEL_SUFFIXES, ExportConfig, FitConfig, PlotConfig, RenderConfig
from ..errors import DataError, GmmxWarning, InputError
from ..fitting.driver import fit_mixture
from ..fitting.point_sources import PointSources
from ..fitting.start import carried
from ..io.write import check_target, replacing
from ..io.counts_image import read_photons
from ..io.images import IMAGE_SUFFIXES, read_grid_like, write_images
from ..io.models import read_model, write_model
from ..io.regions import read_regions
from ..io.tables import SUFFIXES as TABLE_SUFFIXES
from ..io.tables import read_table, write_table
from ..io.virtual import bare_path, virtual_file
from ..model.completeness import reference_exposure
from ..model.observation import Observation, finest_detail
from ..plane.shapes import Shapes
from ..reading.counts_image import resolve_image_energy, widened_by_pixel
from ..reading.event_list import input_record, read_observation
from ..reading.joint import read_observations
from ..reading.selection import select_energy

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
    path = bare_path(events)
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
        observations, sources = _sources(config, read_observations(events, config))
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
    observations, start = _start(config, observations)
    observations = _with_inputs(observations, config)
    knobs = {
        f.name: getattr(config, f.name)
        for f in fields(config)
        if f.name in fit_mixture.__kwdefaults__
    } | start
    knobs["sources"] = _not_begun_with(sources, start, say)
    options = {"events": events, **asdict(config)}
    result = fit_mixture(
        observations,
        n_components=None if config.k == "auto" else config.k,
        **knobs,
        options=options,
        callback=callback,
    )
    result = replace(result, warnings=said + tuple(result.warnings))
    write_model(out, result, overwrite=overwrite, command=command)
    return out, result


def _start(config, observations):
    """The observations, with the levels that their backgrounds start from, and what `fit_mixture` is told about the components to begin with."""
    if config.fix is None and not config.starts_from_model:
        return observations, {}
    reference = reference_exposure([o.completeness for o in observations])
    if config.fix is not None:
        completeness = observations[0].completeness
        table = read_table(config.fix)
        try:
            return observations, {
                "fixed": fixed_from_table(
                    table,
                    observations[0].frame,
                    reference,
                    "" if completeness is None else completeness.unit,
                )
            }
        except InputError as error:
            raise InputError(f"{config.fix}: {error}") from None
    model = read_model(config.init)
    try:
        mixture, observations = carried(model, observations, reference)
    except InputError as error:
        raise InputError(f"{config.init}: {error}") from None
    extended = int((~model.points).sum())
    if config.k != "auto" and config.k < extended:
        raise InputError(
            f"{config.init}: a model of {extended} components, --k {config.k}: give at least as many, or none to keep the model's"
        )
    if model.fixed is None:
        return observations, {"init": mixture}
    # What the model held stays held.
    held = model.fixed.any_fixed
    return observations, {
        "init": mixture.select(~held),
        "fixed": (mixture.select(held), model.fixed.select(held)),
    }


def _sources(config, observations):
    """The observations, the first with what is said of the point sources, and the sources that are fitted along; None where there is none."""
    if not config.sources:
        return observations, None
    first = observations[0]
    files = ", ".join(config.sources)
    shapes = Shapes.union(
        [read_regions(path, frame=first.frame, physical=first.physical) for path in config.sources]
    )
    try:
        sources = PointSources.of_shapes(shapes, movable=config.source_positions == "free")
    except InputError as error:
        raise InputError(f"{files}: {error}") from None
    usable, left_out = sources.usable(
        observations, reference_exposure([o.completeness for o in observations])
    )
    if not shapes.only_excludes and any(term.exclude for term in shapes.terms):
        left_out["cut out of the list"] = sum(term.exclude for term in shapes.terms)
    lost = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
    if len(usable) == 0:
        raise InputError(
            f"{files}: none of {len(sources)} sources can be fitted ({lost}): are they of this field, and is there no mask on them?"
        )
    said = f"{len(usable)} fitted along, their places {config.source_positions}" + (
        f"; left out: {lost}" if lost else ""
    )
    if any(o.psf.n_gaussians == 1 for o in observations if o.psf is not None):
        said += "; the PSF is one Gaussian: fluxes come out low by what its wings hold, which components beside bright sources may take up"
    resolved = first.metadata.get("resolved", {}) | {"point sources": said}
    return [
        replace(first, metadata=first.metadata | {"resolved": resolved}),
        *observations[1:],
    ], usable


def _not_begun_with(sources, start, say):
    """The sources that the fit does not begin with already: one that has a point source of the start in its circle is that one."""
    if sources is None or "fixed" not in start:
        return sources
    begun, fixed = start["fixed"]
    added = sources.apart_from(begun.means[fixed.points])
    if len(added) < len(sources):
        say(f"point sources: {len(sources) - len(added)} are there from the start")
    return added if len(added) else None


def _with_inputs(observations, config):
    """The observations, the first with the files that the whole fit started from among its inputs."""
    started = [("fix", config.fix), ("init", config.init if config.starts_from_model else None)]
    records = [
        input_record(role, path)
        for role, path in (*started, *(("sources", path) for path in config.sources))
        if path is not None
    ]
    first = observations[0]
    metadata = first.metadata | {"inputs": [*first.metadata.get("inputs", ()), *records]}
    return [replace(first, metadata=metadata), *observations[1:]] if records else observations


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
    names = RenderedImages.names()
    if (
        config.image is not None
        and re.sub(r"^(expected|counts|residual)_[1-9]\d*$", r"\1", config.image.lower())
        not in names
    ):
        raise InputError(
            f"--image {config.image}: there are {', '.join(names)}, and of a joint fit's observations expected_1, counts_1, residual_1 and so on"
        )
    if config.like is not None and config.bin is not None:
        raise InputError("--like and --bin both set the pixels: give one of them")
    result = read_model(model)
    grid = (
        output_grid(result, bin=config.bin)
        if config.like is None
        else read_grid_like(config.like, result.frame)
    )
    try:
        images = render_images(result, grid, units=config.units, with_points=config.points).named()
    except InputError as error:
        raise InputError(f"{model}: {error}") from None
    if config.image is not None:
        if config.image.upper() not in images and config.image.lower() not in names:
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
    from ..show.figures import plot_history, plot_residuals, plot_result

    config = PlotConfig() if config is None else config
    check_target(out, overwrite=overwrite, suffixes=FIGURE_SUFFIXES)
    result = read_model(model)
    drawn = {"history": plot_history, "residuals": plot_residuals}
    figure = (
        drawn[config.what](result)
        if config.what in drawn
        else plot_result(result, stretch=config.stretch)
    )
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
        _comparable(path, observation)
        for path, observation in zip(events, result.observations, strict=True)
    ]
    seen = [
        _in_pixels_of(other, fitted)
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


def _in_pixels_of(other, fitted):
    """An observation that was fitted, as pixels show it that are coarser than its own."""
    missing = max(other.pixel**2 - fitted.pixel**2, 0.0)
    return (
        replace(fitted, psf=widened_by_pixel(fitted.psf, np.sqrt(missing)))
        if missing > 1e-6 * other.pixel**2
        else fitted
    )


def _comparable(path, fitted):
    """The photons of an event file in the plane, band, chips and field of an observation that was fitted."""
    listed, filters = read_photons(path, sky=False), virtual_file(path).sky
    band, chips = fitted.metadata.get("energy_kev"), fitted.metadata.get("chips")
    if listed.pixels is not None:
        resolve_image_energy(listed, band if isinstance(band, list | tuple) else None)
    elif isinstance(band, list | tuple) and listed.energy_kev is not None:
        listed = select_energy(listed, tuple(band))
    if chips is not None and listed.ccd is not None:
        listed = listed.select(np.isin(listed.ccd, chips), "ccd")
    # The masks first, in the plane where they are exact, as the fit did.
    frame = fitted.masks_frame or fitted.frame
    at = (
        (listed.x, listed.y)
        if listed.frame == frame
        else frame.to_plane(*listed.frame.to_sky(listed.x, listed.y))
    )
    if fitted.masks is not None:
        listed = listed.select(~fitted.masks.contains(*at), "mask")
    cut = np.zeros(len(listed), bool)
    for one in filters:
        cut |= (
            one.read(frame=listed.frame, physical=listed.physical).contains(listed.x, listed.y)
            == one.exclude
        )
    x, y = listed.x, listed.y
    if listed.frame != fitted.frame:
        x, y = fitted.frame.to_plane(*listed.frame.to_sky(x, y))
    here = np.isfinite(x) & np.isfinite(y)
    photons = {
        "weights": None if listed.weights is None else listed.weights[here],
        "pixel": 0.0 if listed.pixels is None else float(listed.pixels.step),
    }
    other = Observation(
        x=x[here],
        y=y[here],
        **photons,
        completeness=fitted.completeness,
        name=bare_path(path).name,
        dropped=listed.n_dropped,
    )
    if (
        cut.any()
        and fitted.completeness is not None
        and np.any(fitted.completeness.effective_at(x[cut & here], y[cut & here]) > 0)
    ):
        # Without its photons this part of the field would count as empty: the model is normalised over its own field.
        raise InputError(
            f"{path}: filters by the sky cut into the model's own field: leave them out, or fit with them"
        )
    other = other.exposed()
    if len(other.x) == 0:
        raise DataError(
            f"{path}: none of its photons lies in the model's field: was it taken of the same sky?"
        )
    return other
