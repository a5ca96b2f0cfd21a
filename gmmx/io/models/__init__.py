"""The model file: a fit with everything that drawing, plotting, tabulating and scoring need, in one HDF5 file.

    /                       attrs: schema, schema_version, gmmx_version, created, command, options and warnings (JSON), seed, and the fit's other numbers
    /frame                  attrs: ra0, dec0 [deg], projection, radesys
    /mixture                flux, mean, covariance, kind (extended, point), observed_fraction, observed_photons, prior_scale, flux_error, mean_error;
                            attrs: reference_exposure, exposure_unit, signal_error;
                            fixed_flux, fixed_mean, fixed_covariance where any of them was held
    /background/<name>      attrs: what the fit says about each background; map where it has one
    /observations/<name>    photons/{x, y, weight}, completeness/{exposure, open_share}, psf/{weights, covariances}, backgrounds/<name>, masks and metadata
                            (JSON), physical (attrs: the telescope's pixels), dropped (attrs: photons by reason); attrs: keywords of the events,
                            energy_lo, energy_hi [keV]; the metadata's "inputs" has role, path and SHA-256 of every file that was read
    /history                log_likelihood, objective, stage, step, k, seconds, phase: one row per accepted iterate
    /path                   stage, k, log_likelihood, criterion, accepted: one row per structure that was looked at; not in every file

Every dataset has an attribute `unit`. Arrays return to the bit.
"""

import json
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np

from ... import __version__
from ...errors import DataError, InputError
from ...model.mixture import FIXED_COLUMNS, Fixed, Mixture
from ...model.result import BackgroundSummary, FitResult
from ...plane.frame import SkyFrame
from ..write import replacing_hdf5
from ._hdf5 import as_json, free_name, in_order, optional, plain, put
from ._observations import get_observation, put_observations

SCHEMA = "gmmx-model"
SCHEMA_VERSION = 1

_COLUMN_UNITS = {"log_likelihood": "nat", "objective": "nat", "criterion": "nat", "seconds": "s"}


def write_model(path, result, *, overwrite=False, command=None):
    """Write a fit to an HDF5 file.

    Parameters
    ----------
    path : str or Path
    result : FitResult
    overwrite : bool
        Whether a file that exists may be replaced.
    command : str, optional
        The command line that made it, for the record.

    Raises
    ------
    OutputError
        When the file exists and may not be replaced, or cannot be written.
    InputError
        When observations lie in different tangent planes, or metadata are not what JSON can hold.
    """
    if any(o.frame != result.frame for o in result.observations):
        raise InputError("the observations of one model share one tangent plane, these do not")
    with replacing_hdf5(path, overwrite) as file:
        file.attrs.update(
            schema=SCHEMA,
            schema_version=SCHEMA_VERSION,
            gmmx_version=__version__,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            command=command or "",
            options=as_json(result.options, "options"),
            warnings=as_json(list(result.warnings), "warnings"),
            seed=result.seed,
            stop_reason=result.stop_reason,
            converged=result.converged,
            iterations=result.iterations,
            log_likelihood=result.log_likelihood,
            objective=result.objective,
            seconds=result.seconds,
            requested_components=optional(result.requested_components),
        )
        if result.frame is not None:
            file.create_group("frame").attrs.update(
                ra0=result.frame.ra0,
                dec0=result.frame.dec0,
                projection="TAN",
                radesys=result.frame.radesys,
            )
        _put_mixture(file.create_group("mixture"), result)
        names = put_observations(file.create_group("observations"), result.observations)
        group = file.create_group("background")
        group.attrs.update(
            photons_error=result.background_error, correlation=result.background_correlation
        )
        for i, summary in enumerate(result.backgrounds):
            part = group.create_group(free_name(group, summary.name))
            part.attrs["index"] = i
            part.attrs["unit"] = "photon/arcsec**2"
            for f in fields(BackgroundSummary):
                part.attrs[f.name] = getattr(summary, f.name)
            its_map = _map_of(file, result.observations, names, summary)
            if its_map is not None:
                part["map"] = its_map
        for title, columns in (("history", result.history), ("path", result.path)):
            group = file.create_group(title)
            for name, values in columns.items():
                put(group, name, values, _COLUMN_UNITS.get(name, ""))


def read_model(path):
    """Read a fit from the file that `write_model` wrote.

    Raises
    ------
    DataError
        When there is no such file, it is not a model, it is damaged or cut short, or of a version that this gmmx does not know.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"{path}: no such file: name a model that `gmmx fit` wrote")
    if path.is_dir():
        raise DataError(f"{path}: is a folder: name a model that `gmmx fit` wrote")
    try:
        if not h5py.is_hdf5(path):
            raise DataError(
                f"{path}: not a gmmx model (not an HDF5 file): name a file that `gmmx fit` wrote"
            )
        with h5py.File(path, "r") as file:
            schema, version = file.attrs.get("schema"), file.attrs.get("schema_version")
            if schema != SCHEMA:
                raise DataError(
                    f"{path}: not a gmmx model (schema {'missing' if schema is None else repr(schema)}): name a file that `gmmx fit` wrote"
                )
            if version != SCHEMA_VERSION:
                writer = f"gmmx {file.attrs.get('gmmx_version', 'unknown')}"
                reader = f"gmmx {__version__} reads version {SCHEMA_VERSION}"
                raise DataError(
                    f"{path}: a model of schema_version {version}, written by {writer}; {reader}: update gmmx, or fit again"
                )
            return _get_result(file)
    except PermissionError:
        raise DataError(f"{path}: may not be read: check its permissions") from None
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, InputError) as error:
        raise DataError(
            f"{path}: truncated or damaged model file: write it again with gmmx fit"
        ) from error


def _put_mixture(group, result):
    group.attrs.update(
        reference_exposure=result.reference_exposure,
        exposure_unit=result.exposure_unit,
        signal_error=result.signal_error,
    )
    mixture = result.mixture
    put(group, "flux", mixture.fluxes, "photon")
    group["flux"].attrs.update(
        reference_exposure=result.reference_exposure, reference_exposure_unit=result.exposure_unit
    )
    put(group, "mean", mixture.means, "arcsec")
    put(group, "covariance", mixture.covariances, "arcsec**2")
    put(group, "kind", np.where(result.points, "point", "extended"), "")
    put(group, "observed_fraction", result.observed_fraction, "")
    put(group, "observed_photons", result.observed_photons, "photon")
    put(group, "prior_scale", result.prior_scales, "arcsec**2")
    put(group, "flux_error", result.flux_errors, "photon")
    put(group, "mean_error", result.mean_errors, "arcsec")
    if result.fixed is not None:
        for name, field in FIXED_COLUMNS.items():
            put(group, name, getattr(result.fixed, field), "")


def _map_of(file, observations, names, summary):
    """The map of the background that a summary is about, as it lies in its observation; None without one."""
    for name, o in zip(names, observations, strict=True):
        if o.name == summary.observation:
            for part in file[name]["backgrounds"].values():
                if part.attrs["name"] == summary.name and "map" in part:
                    return part["map"]
    return None


def _get_result(file):
    frame = (
        SkyFrame(*(plain(file["frame"].attrs[key]) for key in ("ra0", "dec0", "radesys")))
        if "frame" in file
        else None
    )
    mixture, attrs = file["mixture"], {key: plain(value) for key, value in file.attrs.items()}
    return FitResult(
        mixture=Mixture(
            fluxes=mixture["flux"][()],
            means=mixture["mean"][()],
            covariances=mixture["covariance"][()],
        ),
        observations=tuple(
            get_observation(group, frame) for group in in_order(file["observations"])
        ),
        reference_exposure=plain(mixture.attrs["reference_exposure"]),
        exposure_unit=mixture.attrs["exposure_unit"],
        observed_fraction=mixture["observed_fraction"][()],
        observed_photons=mixture["observed_photons"][()],
        prior_scales=mixture["prior_scale"][()],
        backgrounds=tuple(
            BackgroundSummary(
                **{f.name: plain(group.attrs[f.name]) for f in fields(BackgroundSummary)}
            )
            for group in in_order(file["background"])
        ),
        signal_error=plain(mixture.attrs["signal_error"]),
        fixed=_get_fixed(mixture) if "fixed_flux" in mixture else None,
        **{
            name: mixture[key][()]
            for name, key in (("flux_errors", "flux_error"), ("mean_errors", "mean_error"))
            if key in mixture
        },
        background_error=plain(file["background"].attrs.get("photons_error", np.nan)),
        background_correlation=plain(file["background"].attrs.get("correlation", np.nan)),
        history=_get_columns(file["history"]),
        path=_get_columns(file["path"]) if "path" in file else {},
        options=json.loads(attrs["options"]),
        warnings=tuple(json.loads(attrs["warnings"])),
        **{
            key: attrs[key]
            for key in (
                "log_likelihood",
                "objective",
                "converged",
                "stop_reason",
                "iterations",
                "requested_components",
                "seed",
                "seconds",
            )
        },
    )


def _get_fixed(group):
    return Fixed(
        points=group["kind"][()] == b"point",
        **{field: group[name][()] for name, field in FIXED_COLUMNS.items()},
    )


def _get_columns(group):
    """The datasets of a group by name, text as text."""
    return {
        name: np.char.decode(data[()], "utf-8") if data.dtype.kind == "S" else data[()]
        for name, data in group.items()
    }
