"""Reading a model file of schema_version 2.

The functions that take `names` read version 1 too, where these parts differ only in their names.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

import h5py

from ...model.background import Background
from ...model.completeness import Completeness
from ...model.mixture import FIXED_COLUMNS, Fixed, Mixture
from ...model.observation import Observation
from ...model.photons import Photons
from ...model.places import PlaceErrors
from ...model.pointing import InputFile, MaskRecord, Pointing, SkyBrightness
from ...model.psf import PsfModel
from ...model.result import FitResult
from ...model.summary import BackgroundSummary
from ...plane.frame import PhysicalFrame, SkyFrame
from ...plane.shapes import Shapes
from .checks import check_agreement
from .draws import get_draws
from .names import MIXTURE_ARRAYS, PHOTON_ARRAYS, PLACES
from .nodes import get_columns, get_grid, get_image, get_noun, in_order, plain
from .values import BadValueError, finite, flag, from_json, missing, number, text, whole

# Names of datasets that differ in another version, by their names in this one.
_NO_OTHERS: Mapping[str, str] = {}
_NOUNS_OF_POINTING = {"inputs": InputFile, "masks": MaskRecord, "sky_brightness": SkyBrightness}


def read_result(file: h5py.File) -> FitResult:
    """Read the fit of an open file of version 2.

    Parameters
    ----------
    file : h5py.File

    Returns
    -------
    FitResult
    """
    frame = get_frame(file["frame"]) if "frame" in file else None
    result = FitResult(
        observations=tuple(_observation(group, frame) for group in in_order(file["observations"])),
        history=get_columns(file["history"]),
        path=get_columns(file["path"]),
        options=from_json(file, "options", dict),
        draws=get_draws(file),
        **result_fields(file),
    )
    return check_agreement(result)


def result_fields(file: h5py.File, names: Mapping[str, str] = _NO_OTHERS) -> dict:
    """The fields of a FitResult that all versions have: mixture, backgrounds, numbers."""
    group, background = file["mixture"], file["background"]
    mixture = Mixture(
        fluxes=group["flux"][()], means=group["mean"][()], covariances=group["covariance"][()]
    )
    arrays = {
        field: group[names.get(name, name)][()]
        for name, (field, _) in MIXTURE_ARRAYS.items()
        if names.get(name, name) in group
    }
    return {
        "mixture": mixture,
        "fixed": _fixed(group, names),
        "reference_exposure": finite(group, "reference_exposure"),
        "exposure_unit": text(group, "exposure_unit"),
        "signal_error": number(group, "signal_error"),
        "place_errors": PlaceErrors(
            **{name: number(group, f"photons_{name}_error", optional=True) for name in PLACES}
        ),
        "backgrounds": tuple(_summary(part) for part in in_order(background)),
        "background_error": number(background, "photons_error", optional=True),
        "background_correlation": number(background, "correlation", optional=True),
        "warnings": tuple(map(str, from_json(file, "warnings", list))),
        **arrays,
        **_numbers_of_fit(file),
    }


def _numbers_of_fit(file: h5py.File) -> dict:
    """The attributes of a file that are fields of FitResult."""
    count = "requested_components"
    is_chosen = count in file.attrs and plain(file.attrs[count]) is None
    return {
        "log_likelihood": number(file, "log_likelihood"),
        "objective": number(file, "objective"),
        "converged": flag(file, "converged"),
        "stop_reason": text(file, "stop_reason"),
        "iterations": whole(file, "iterations"),
        count: None if is_chosen else whole(file, count),
        "seed": whole(file, "seed"),
        "seconds": finite(file, "seconds"),
    }


def get_frame(node: h5py.HLObject) -> SkyFrame:
    """Read a tangent plane from attributes."""
    return SkyFrame(finite(node, "ra0"), finite(node, "dec0"), text(node, "radesys"))


def observation_fields(group: h5py.Group, names: Mapping[str, str] = _NO_OTHERS) -> dict:
    """The fields of an Observation that all versions have: all but photons and pointing."""
    found: dict = {"name": text(group, "name")}
    if "completeness" in group:
        found["completeness"] = _completeness(group["completeness"], names)
    if "psf" in group:
        found["psf"] = _psf(group["psf"])
    if "physical" in group:
        found["physical"] = get_noun(group["physical"], PhysicalFrame)
    if "masks" in group:
        found["masks"] = Shapes.from_records(json.loads(group["masks"].asstr()[()]))
        if "ra0" in group["masks"].attrs:
            found["masks_frame"] = get_frame(group["masks"])
    found["backgrounds"] = tuple(_background(part) for part in in_order(group["backgrounds"]))
    dropped = group["dropped"]
    found["dropped"] = {name: finite(dropped, name) for name in dropped.attrs}
    return found


def _observation(group: h5py.Group, frame: SkyFrame | None) -> Observation:
    photons = group["photons"]
    arrays = {
        field: photons[name][()] for name, (field, _) in PHOTON_ARRAYS.items() if name in photons
    }
    return Observation(
        photons=Photons(**arrays, pixel=finite(photons, "pixel_arcsec")),
        pointing=get_noun(group["pointing"], Pointing, **_NOUNS_OF_POINTING),
        frame=frame,
        **observation_fields(group),
    )


def _fixed(group: h5py.Group, names: Mapping[str, str]) -> Fixed | None:
    kinds = set(group["kind"][()].ravel().tolist())
    if not kinds <= {b"extended", b"point"}:
        raise BadValueError(f"kind of {group.name} holds other words than extended and point")
    columns = {names.get(name, name): field for name, field in FIXED_COLUMNS.items()}
    absent = missing(group, columns)
    if len(absent) == len(columns):
        return None
    if absent:
        raise BadValueError(f"{group.name} has no {absent[0]}")
    flags = {field: group[name][()] for name, field in columns.items()}
    for name, values in flags.items():
        if values.dtype.kind != "b":
            raise BadValueError(f"fixed {name} of {group.name} are not true or false")
    return Fixed(points=group["kind"][()] == b"point", **flags)


def _summary(group: h5py.Group) -> BackgroundSummary:
    kinds = {"observation": text, "name": text, "kind": text, "fixed": flag}
    # Files that were written before there were upper limits have none.
    values: dict[str, Any] = {
        f.name: kinds.get(f.name, number)(group, f.name)
        for f in fields(BackgroundSummary)
        if f.name in group.attrs or f.default is MISSING
    }
    return BackgroundSummary(**values)


def _completeness(group: h5py.Group, names: Mapping[str, str]) -> Completeness:
    return Completeness(
        grid=get_grid(group),
        exposure=group["exposure"][()],
        open_fraction=group[names.get("open_fraction", "open_fraction")][()],
        unit=text(group, "unit"),
    )


def _psf(group: h5py.Group) -> PsfModel:
    return PsfModel(
        grid=get_grid(group),
        weights=group["weights"][()],
        covariances=group["covariances"][()],
        description=text(group, "description"),
    )


def _background(group: h5py.Group) -> Background:
    return Background(
        template=get_image(group["map"]) if "map" in group else None,
        deviations=tuple(group.attrs.get("deviations", ())),
        prior=tuple(group.attrs.get("prior", ())) or None,
        name=text(group, "name"),
        kind=text(group, "kind"),
        amplitude=None if plain(group.attrs["amplitude"]) is None else finite(group, "amplitude"),
        fixed=flag(group, "fixed"),
    )
