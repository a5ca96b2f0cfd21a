"""Writing a model file, always in the present version."""

from dataclasses import asdict, fields
from datetime import UTC, datetime
from os import PathLike

import h5py
import numpy as np

from ... import __version__
from ..._words import readable
from ...errors import DataError, InputError
from ...model.background import Background
from ...model.flux_notes import areas_of, flux_note
from ...model.mixture import FIXED_COLUMNS
from ...model.observation import Observation
from ...model.result import FitResult
from ...model.samples_result import SamplesResult
from ...model.summary import BackgroundSummary
from ..inputs import files_behind
from ..write import check_no_input, replacing_hdf5
from .draws import put_draws, write_with_draws
from .names import (
    MIXTURE_ARRAYS,
    PHOTON_ARRAYS,
    PLACES,
    RESULT_ATTRIBUTES,
    SCHEMA,
    SCHEMA_VERSION,
)
from .nodes import (
    as_json,
    free_name,
    optional,
    put,
    put_columns,
    put_grid,
    put_image,
    put_noun,
)


def write_model(
    path: str | PathLike, result: FitResult, *, overwrite: bool = False, command: str | None = None
) -> None:
    """Write a fit to an HDF5 file, with the observations that it was fitted to.

    Parameters
    ----------
    path : str or Path
        The model file.
    result : FitResult
        The fit.
    overwrite : bool
        Replace the file if it exists.
    command : str, optional
        The command line that made the fit, for the record.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is false, if the model was made from it, or if it
        cannot be written.
    InputError
        If the observations lie in different tangent planes.

    Notes
    -----
    The layout is described in `gmmx.io.models`.
    """
    if any(o.frame != result.frame for o in result.observations):
        raise InputError(
            "the observations of one model must lie in one tangent plane: read them together "
            "with gmmx.read_observations"
        )
    check_no_input(path, files_behind(result, without=("init",)))
    with replacing_hdf5(path, overwrite) as file:
        file.attrs.update(
            schema=SCHEMA,
            schema_version=SCHEMA_VERSION,
            gmmx_version=__version__,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            command=readable(command or ""),
            options=as_json(result.options, "options"),
            warnings=as_json(list(result.warnings), "warnings"),
        )
        file.attrs.update({name: optional(getattr(result, name)) for name in RESULT_ATTRIBUTES})
        if result.frame is not None:
            file.create_group("frame").attrs.update(projection="TAN", **asdict(result.frame))
        _put_mixture(file.create_group("mixture"), result)
        observations = file.create_group("observations")
        for i, observation in enumerate(result.observations):
            group = observations.create_group(free_name(observations, observation.name))
            group.attrs["index"] = i
            _put_observation(group, observation)
        _put_summaries(file.create_group("background"), result, observations)
        put_columns(file.create_group("history"), result.history)
        put_columns(file.create_group("path"), result.path)
        if result.draws is not None:
            put_draws(file, result.draws, of_sky=True)


def write_draws(
    path: str | PathLike,
    model: str | PathLike,
    result: FitResult | SamplesResult,
    *,
    overwrite: bool = False,
) -> None:
    """Write a model file with other draws; everything else in it stays as it is.

    Parameters
    ----------
    path : str or Path
        The file to write, which may be the model file itself.
    model : str or Path
        The model file that `result` was read from, of photons or of samples.
    result : FitResult or SamplesResult
        With draws.
    overwrite : bool
        Replace the file if it exists.

    Raises
    ------
    OutputError
        As `write_model` does.
    DataError
        If the model file no longer holds this fit.
    InputError
        If the fit has no draws.
    """
    if result.draws is None:
        raise InputError("this fit has no draws to write: make them with `result.errors()`")
    try:
        with h5py.File(model, "r", locking="best-effort") as file:
            is_present = file.attrs["schema_version"] == SCHEMA_VERSION
            command = file.attrs.get("command")
            is_same = np.array_equal(file["mixture/flux"][()], result.mixture.fluxes)
    except (OSError, LookupError):
        is_same = False
    if not is_same:
        raise DataError(
            f"{model}: the fit was replaced or removed while its draws were made: nothing is "
            "written; run `gmmx errors` again"
        )
    if isinstance(result, FitResult) and not is_present:
        # An older layout is written anew, with the record of what made it.
        write_model(path, result, overwrite=overwrite, command=command)
        return
    check_no_input(path, files_behind(result, without=("init",)))
    write_with_draws(path, model, result.draws, overwrite=overwrite)


def _put_mixture(group: h5py.Group, result: FitResult) -> None:
    group.attrs.update(
        reference_exposure=result.reference_exposure,
        exposure_unit=result.exposure_unit,
        signal_error=result.signal_error,
    )
    if areas_of(result):
        group.attrs["flux_note"] = flux_note(result)
    _put_places(group, result)
    mixture = result.mixture
    put(group, "flux", mixture.fluxes, "photon")
    group["flux"].attrs.update(
        reference_exposure=result.reference_exposure, reference_exposure_unit=result.exposure_unit
    )
    put(group, "mean", mixture.means, "arcsec")
    put(group, "covariance", mixture.covariances, "arcsec**2")
    put(group, "kind", np.where(result.points, "point", "extended"), "")
    for name, (field, unit) in MIXTURE_ARRAYS.items():
        put(group, name, getattr(result, field), unit)
    if result.fixed is not None:
        for name, field in FIXED_COLUMNS.items():
            put(group, name, getattr(result.fixed, field), "")


def _put_places(group: h5py.Group, result: FitResult) -> None:
    """Write the photons in the field, under masks and outside, and their errors."""
    for name, photons in zip(PLACES, result.fitted_photons_by_place, strict=True):
        group.attrs[f"photons_{name}"] = float(photons)
        group.attrs[f"photons_{name}_error"] = getattr(result.place_errors, name)


def _put_summaries(group: h5py.Group, result: FitResult, observations: h5py.Group) -> None:
    """Write the fitted amplitude of each background, with a link to its template."""
    group.attrs.update(
        photons_error=result.background_error, correlation=result.background_correlation
    )
    for i, summary in enumerate(result.backgrounds):
        part = group.create_group(free_name(group, summary.name))
        part.attrs.update(index=i, unit="photon/arcsec**2")
        values = {f.name: getattr(summary, f.name) for f in fields(BackgroundSummary)}
        part.attrs.update({k: readable(v) if isinstance(v, str) else v for k, v in values.items()})
        template = _template_of(observations, summary)
        if template is not None:
            part["map"] = template


def _template_of(observations: h5py.Group, summary: BackgroundSummary) -> h5py.Dataset | None:
    """The dataset with the template of a background; None if it has none."""
    for observation in observations.values():
        if observation.attrs["name"] == readable(summary.observation):
            for part in observation["backgrounds"].values():
                if part.attrs["name"] == readable(summary.name) and "map" in part:
                    return part["map"]
    return None


def _put_observation(group: h5py.Group, observation: Observation) -> None:
    group.attrs["name"] = readable(observation.name)
    put_noun(group.create_group("pointing"), observation.pointing)
    group.create_group("dropped").attrs.update(observation.dropped)
    photons = group.create_group("photons")
    photons.attrs["pixel_arcsec"] = observation.photons.pixel
    for name, (field, unit) in PHOTON_ARRAYS.items():
        if getattr(observation.photons, field) is not None:
            put(photons, name, getattr(observation.photons, field), unit)
    if observation.physical is not None:
        group.create_group("physical").attrs.update(asdict(observation.physical))
    if observation.completeness is not None:
        completeness = observation.completeness
        maps = group.create_group("completeness")
        maps.attrs["unit"] = completeness.unit
        put_grid(maps, completeness.grid)
        put(maps, "exposure", completeness.exposure, completeness.unit)
        put(maps, "open_fraction", completeness.open_fraction, "")
    if observation.psf is not None:
        psf = group.create_group("psf")
        psf.attrs["description"] = readable(observation.psf.description)
        put_grid(psf, observation.psf.grid)
        put(psf, "weights", observation.psf.weights, "")
        put(psf, "covariances", observation.psf.covariances, "arcsec**2")
    if observation.masks is not None:
        group["masks"] = as_json(observation.masks.to_records(), f"masks of {observation.name}")
        group["masks"].attrs["unit"] = "arcsec"
        if observation.masks_frame is not None:
            group["masks"].attrs.update(asdict(observation.masks_frame))
    backgrounds = group.create_group("backgrounds")
    for i, background in enumerate(observation.backgrounds):
        part = backgrounds.create_group(free_name(backgrounds, background.name))
        part.attrs["index"] = i
        _put_background(part, background)


def _put_background(group: h5py.Group, background: Background) -> None:
    group.attrs.update(
        name=readable(background.name),
        kind=background.kind,
        amplitude=optional(background.amplitude),
        fixed=background.fixed,
        unit="photon/arcsec**2",
        deviations=np.array(background.deviations, float),
        prior=np.array(background.prior or (), float),
    )
    if background.template is not None:
        put_image(group, "map", background.template)
