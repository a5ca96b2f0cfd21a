"""The model file: a fit with everything that drawing, plotting, tabulating and scoring need, in one HDF5 file.

    /                       attrs: schema, schema_version, gmmx_version, created, command, options and warnings (JSON), seed, and the fit's other numbers
    /frame                  attrs: ra0, dec0 [deg], projection, radesys
    /mixture                flux, mean, covariance, kind (extended, point), observed_share, observed_photons, prior_scale, flux_error, mean_error;
                            attrs: reference_exposure, exposure_unit, signal_error;
                            freeze_flux, freeze_mean, freeze_covariance where any of them was held
    /background/<name>      attrs: what the fit says about each background; map where it has one
    /observations/<name>    photons/{x, y, weight}, completeness/{exposure, open_share}, psf/{weights, covariances}, backgrounds/<name>, masks and metadata
                            (JSON), physical (attrs: the telescope's pixels), dropped (attrs: photons by reason); attrs: keywords of the events,
                            energy_lo, energy_hi [keV]; the metadata's "inputs" has role, path and SHA-256 of every file that was read
    /history                log_likelihood, objective, phase, step, k, seconds, phase_number: one row per accepted iterate
    /path                   phase, k, log_likelihood, criterion, accepted: one row per structure that was looked at; not in every file

Every dataset has an attribute `unit`. Arrays return to the bit.
"""

import json
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np

from .. import __version__
from ..background import Background
from ..completeness import Completeness
from ..errors import DataError, InputError
from ..grid import PhysicalFrame, PixelGrid, SkyFrame, SkyImage
from ..mixture import FREEZE_COLUMNS, Frozen, Mixture
from ..observation import Observation
from ..psf import PsfModel
from ..result import BackgroundSummary, FitResult
from ..shapes import Shapes
from ._write import replacing_hdf5

SCHEMA = "gmmx-model"
SCHEMA_VERSION = 1

_COLUMN_UNITS = {"log_likelihood": "nat", "objective": "nat", "criterion": "nat", "seconds": "s"}
_CHUNK = 65536


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
            options=_json(result.options, "options"),
            warnings=_json(list(result.warnings), "warnings"),
            seed=result.seed,
            stop_reason=result.stop_reason,
            converged=result.converged,
            iterations=result.iterations,
            log_likelihood=result.log_likelihood,
            objective=result.objective,
            seconds=result.seconds,
            requested_components=_optional(result.requested_components),
        )
        if result.frame is not None:
            file.create_group("frame").attrs.update(ra0=result.frame.ra0, dec0=result.frame.dec0, projection="TAN", radesys=result.frame.radesys)
        _put_mixture(file.create_group("mixture"), result)
        names = _put_observations(file.create_group("observations"), result.observations)
        group = file.create_group("background")
        group.attrs.update(photons_error=result.background_error, correlation=result.background_correlation)
        for i, summary in enumerate(result.backgrounds):
            part = group.create_group(_free_name(group, summary.name))
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
                _put(group, name, values, _COLUMN_UNITS.get(name, ""))


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
            raise DataError(f"{path}: not a gmmx model (not an HDF5 file): name a file that `gmmx fit` wrote")
        with h5py.File(path, "r") as file:
            schema, version = file.attrs.get("schema"), file.attrs.get("schema_version")
            if schema != SCHEMA:
                raise DataError(f"{path}: not a gmmx model (schema {'missing' if schema is None else repr(schema)}): name a file that `gmmx fit` wrote")
            if version != SCHEMA_VERSION:
                writer = f"gmmx {file.attrs.get('gmmx_version', 'unknown')}"
                reader = f"gmmx {__version__} reads version {SCHEMA_VERSION}"
                raise DataError(f"{path}: a model of schema_version {version}, written by {writer}; {reader}: update gmmx, or fit again")
            return _get_result(file)
    except PermissionError:
        raise DataError(f"{path}: may not be read: check its permissions") from None
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, InputError) as error:
        raise DataError(f"{path}: truncated or damaged model file: write it again with gmmx fit") from error


def _put_mixture(group, result):
    group.attrs.update(reference_exposure=result.reference_exposure, exposure_unit=result.exposure_unit, signal_error=result.signal_error)
    mixture = result.mixture
    _put(group, "flux", mixture.fluxes, "photon")
    group["flux"].attrs.update(reference_exposure=result.reference_exposure, reference_exposure_unit=result.exposure_unit)
    _put(group, "mean", mixture.means, "arcsec")
    _put(group, "covariance", mixture.covariances, "arcsec**2")
    _put(group, "kind", np.where(result.points, "point", "extended"), "")
    _put(group, "observed_share", result.observed_shares, "")
    _put(group, "observed_photons", result.observed_photons, "photon")
    _put(group, "prior_scale", result.prior_scales, "arcsec**2")
    _put(group, "flux_error", result.flux_errors, "photon")
    _put(group, "mean_error", result.mean_errors, "arcsec")
    if result.frozen is not None:
        for name, field in FREEZE_COLUMNS.items():
            _put(group, name, getattr(result.frozen, field), "")


def _put_observations(group, observations):
    """Write each observation; the names of their groups."""
    names = []
    for i, o in enumerate(observations):
        part = group.create_group(_free_name(group, o.name))
        names.append(part.name)
        # For people who look with h5dump; what is read back is the JSON below.
        for key, value in o.metadata.items():
            if isinstance(value, (str, bool, int, float, np.generic)):
                part.attrs[key] = value
        band = o.metadata.get("energy_kev")
        if isinstance(band, list | tuple):
            part.attrs["energy_lo"], part.attrs["energy_hi"] = band
        part.attrs["index"] = i
        part.attrs["name"] = o.name
        part.attrs["pixel_arcsec"] = o.pixel
        part["metadata"] = _json(o.metadata, f"metadata of {o.name}")
        part["metadata"].attrs["unit"] = ""
        part.create_group("dropped").attrs.update(o.dropped)
        photons = part.create_group("photons")
        for name, values, unit in (("x", o.x, "arcsec"), ("y", o.y, "arcsec"), ("weight", o.weights, "photon")):
            _put(photons, name, values, unit)
        if o.physical is not None:
            part.create_group("physical").attrs.update({f.name: getattr(o.physical, f.name) for f in fields(PhysicalFrame)})
        if o.completeness is not None:
            maps = part.create_group("completeness")
            _put_grid(maps, o.completeness.grid)
            maps.attrs["unit"] = o.completeness.unit
            _put(maps, "exposure", o.completeness.exposure, o.completeness.unit)
            _put(maps, "open_share", o.completeness.open_share, "")
        if o.psf is not None:
            psf = part.create_group("psf")
            _put_grid(psf, o.psf.grid)
            psf.attrs["description"] = o.psf.description
            _put(psf, "weights", o.psf.weights, "")
            _put(psf, "covariances", o.psf.covariances, "arcsec**2")
        if o.masks is not None:
            part["masks"] = _json(o.masks.to_records(), f"masks of {o.name}")
            part["masks"].attrs["unit"] = "arcsec"
            if o.masks_frame is not None:
                part["masks"].attrs.update(ra0=o.masks_frame.ra0, dec0=o.masks_frame.dec0, radesys=o.masks_frame.radesys)
        backgrounds = part.create_group("backgrounds")
        for j, b in enumerate(o.backgrounds):
            one = backgrounds.create_group(_free_name(backgrounds, b.name))
            one.attrs.update(index=j, name=b.name, kind=b.kind, amplitude=_optional(b.amplitude), fixed=b.fixed, unit="photon/arcsec**2")
            one.attrs["deviations"] = np.array(b.deviations, float)
            if b.shape is not None:
                _put(one, "map", b.shape.values, b.shape.unit)
                _put_grid(one["map"], b.shape.grid)
    return names


def _map_of(file, observations, names, summary):
    """The map of the background that a summary is about, as it lies in its observation; None without one."""
    for name, o in zip(names, observations, strict=True):
        if o.name == summary.observation:
            for part in file[name]["backgrounds"].values():
                if part.attrs["name"] == summary.name and "map" in part:
                    return part["map"]
    return None


def _get_result(file):
    frame = SkyFrame(*(_plain(file["frame"].attrs[key]) for key in ("ra0", "dec0", "radesys"))) if "frame" in file else None
    mixture, attrs = file["mixture"], {key: _plain(value) for key, value in file.attrs.items()}
    return FitResult(
        mixture=Mixture(fluxes=mixture["flux"][()], means=mixture["mean"][()], covariances=mixture["covariance"][()]),
        observations=tuple(_get_observation(group, frame) for group in _in_order(file["observations"])),
        reference_exposure=_plain(mixture.attrs["reference_exposure"]),
        exposure_unit=mixture.attrs["exposure_unit"],
        observed_shares=mixture["observed_share"][()],
        observed_photons=mixture["observed_photons"][()],
        prior_scales=mixture["prior_scale"][()],
        backgrounds=tuple(
            BackgroundSummary(**{f.name: _plain(group.attrs[f.name]) for f in fields(BackgroundSummary)}) for group in _in_order(file["background"])
        ),
        signal_error=_plain(mixture.attrs["signal_error"]),
        frozen=_get_frozen(mixture) if "freeze_flux" in mixture else None,
        **{name: mixture[key][()] for name, key in (("flux_errors", "flux_error"), ("mean_errors", "mean_error")) if key in mixture},
        background_error=_plain(file["background"].attrs.get("photons_error", np.nan)),
        background_correlation=_plain(file["background"].attrs.get("correlation", np.nan)),
        history=_get_columns(file["history"]),
        path=_get_columns(file["path"]) if "path" in file else {},
        options=json.loads(attrs["options"]),
        warnings=tuple(json.loads(attrs["warnings"])),
        **{key: attrs[key] for key in ("log_likelihood", "objective", "converged", "stop_reason", "iterations", "requested_components", "seed", "seconds")},
    )


def _get_frozen(group):
    return Frozen(points=group["kind"][()] == b"point", **{field: group[name][()] for name, field in FREEZE_COLUMNS.items()})


def _get_columns(group):
    """The datasets of a group by name, text as text."""
    return {name: np.char.decode(data[()], "utf-8") if data.dtype.kind == "S" else data[()] for name, data in group.items()}


def _get_observation(group, frame):
    completeness = psf = physical = masks = masks_frame = None
    if "completeness" in group:
        maps = group["completeness"]
        completeness = Completeness(grid=_get_grid(maps), exposure=maps["exposure"][()], open_share=maps["open_share"][()], unit=maps.attrs["unit"])
    if "psf" in group:
        part = group["psf"]
        psf = PsfModel(grid=_get_grid(part), weights=part["weights"][()], covariances=part["covariances"][()], description=part.attrs["description"])
    if "physical" in group:
        physical = PhysicalFrame(**{f.name: _plain(group["physical"].attrs[f.name]) for f in fields(PhysicalFrame)})
    if "masks" in group:
        masks = Shapes.from_records(json.loads(group["masks"].asstr()[()]))
        if "ra0" in group["masks"].attrs:
            masks_frame = SkyFrame(*(_plain(group["masks"].attrs[key]) for key in ("ra0", "dec0", "radesys")))
    backgrounds = []
    for part in _in_order(group["backgrounds"]):
        shape = None
        if "map" in part:
            shape = SkyImage(grid=_get_grid(part["map"]), values=part["map"][()], unit=part["map"].attrs["unit"])
        given = {key: _plain(part.attrs[key]) for key in ("name", "kind", "amplitude", "fixed")}
        backgrounds.append(Background(shape=shape, deviations=tuple(part.attrs.get("deviations", ())), **given))
    return Observation(
        x=group["photons/x"][()],
        y=group["photons/y"][()],
        weights=group["photons/weight"][()],
        pixel=float(group.attrs.get("pixel_arcsec", 0.0)),
        frame=frame,
        completeness=completeness,
        psf=psf,
        backgrounds=tuple(backgrounds),
        name=group.attrs["name"],
        physical=physical,
        masks=masks,
        masks_frame=masks_frame,
        metadata=json.loads(group["metadata"].asstr()[()]),
        dropped={reason: _plain(count) for reason, count in group["dropped"].attrs.items()},
    )


def _put(group, name, values, unit):
    """One array as a dataset: in chunks of half a megabyte, shuffled and compressed, with its unit."""
    values = np.asarray(values)
    if values.dtype.kind in "UO":
        values = np.char.encode(values.astype(str), "utf-8")
    if values.size:
        # Level 1: higher ones win little on noise and cost seconds.
        rows = max(1, min(len(values), _CHUNK // max(1, values[0].size)))
        data = group.create_dataset(name, data=values, chunks=(rows, *values.shape[1:]), shuffle=True, compression="gzip", compression_opts=1, fletcher32=True)
    else:
        data = group.create_dataset(name, data=values)
    data.attrs["unit"] = unit


def _put_grid(node, grid):
    """A grid as attributes of the group or dataset that lies on it."""
    node.attrs.update(grid_shape=grid.shape, grid_origin=grid.origin, grid_matrix=grid.matrix, grid_unit="arcsec")


def _get_grid(node):
    return PixelGrid(shape=tuple(node.attrs["grid_shape"]), origin=node.attrs["grid_origin"], matrix=node.attrs["grid_matrix"])


def _in_order(group):
    """The members of a group in the order in which they were written."""
    return sorted(group.values(), key=lambda member: member.attrs["index"])


def _free_name(group, name):
    """A name for a member that is not taken: what it is called, without slashes, numbered when another is called the same."""
    name = name.replace("/", "_").strip(".") or "unnamed"
    number, free = 2, name
    while free in group:
        number, free = number + 1, f"{name}_{number}"
    return free


def _optional(value):
    """A number as an attribute; an empty one for None."""
    return h5py.Empty("f8") if value is None else value


def _plain(value):
    """An attribute as Python's own type."""
    if isinstance(value, h5py.Empty):
        return None
    return value.item() if isinstance(value, np.generic) else value


def _json(value, label):
    """JSON text of options or metadata, arrays as lists."""
    try:
        return json.dumps(value, default=lambda v: v.tolist())
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{label} hold something that JSON cannot ({error})") from error
