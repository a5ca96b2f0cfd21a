"""Reading a model file of schema_version 2.

The functions that take `names` read version 1 too, where these parts differ only in their names.
"""

import json
from collections.abc import Mapping
from dataclasses import fields

import h5py
import numpy as np

from ...model.background import Background
from ...model.completeness import Completeness
from ...model.mixture import FIXED_COLUMNS, Fixed, Mixture
from ...model.observation import Observation
from ...model.photons import Photons
from ...model.pointing import InputFile, MaskRecord, Pointing, SkyBrightness
from ...model.psf import PsfModel
from ...model.result import FitResult
from ...model.summary import BackgroundSummary
from ...plane.frame import PhysicalFrame, SkyFrame
from ...plane.shapes import Shapes
from .names import MIXTURE_ARRAYS, PHOTON_ARRAYS, RESULT_ATTRIBUTES
from .nodes import get_columns, get_grid, get_image, get_noun, in_order, plain

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
    return FitResult(
        observations=tuple(_observation(group, frame) for group in in_order(file["observations"])),
        history=get_columns(file["history"]),
        path=get_columns(file["path"]),
        options=json.loads(file.attrs["options"]),
        **result_fields(file),
    )


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
        "reference_exposure": plain(group.attrs["reference_exposure"]),
        "exposure_unit": group.attrs["exposure_unit"],
        "signal_error": plain(group.attrs["signal_error"]),
        "backgrounds": tuple(_summary(part) for part in in_order(background)),
        "background_error": plain(background.attrs.get("photons_error", np.nan)),
        "background_correlation": plain(background.attrs.get("correlation", np.nan)),
        "warnings": tuple(json.loads(file.attrs["warnings"])),
        **arrays,
        **{name: plain(file.attrs[name]) for name in RESULT_ATTRIBUTES},
    }


def get_frame(node: h5py.HLObject) -> SkyFrame:
    """Read a tangent plane from attributes."""
    return SkyFrame(**{name: plain(node.attrs[name]) for name in ("ra0", "dec0", "radesys")})


def observation_fields(group: h5py.Group, names: Mapping[str, str] = _NO_OTHERS) -> dict:
    """The fields of an Observation that all versions have: all but photons and pointing."""
    found: dict = {"name": group.attrs["name"]}
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
    found["dropped"] = {name: plain(count) for name, count in group["dropped"].attrs.items()}
    return found


def _observation(group: h5py.Group, frame: SkyFrame | None) -> Observation:
    photons = group["photons"]
    arrays = {
        field: photons[name][()] for name, (field, _) in PHOTON_ARRAYS.items() if name in photons
    }
    return Observation(
        photons=Photons(**arrays, pixel=plain(photons.attrs["pixel_arcsec"])),
        pointing=get_noun(group["pointing"], Pointing, **_NOUNS_OF_POINTING),
        frame=frame,
        **observation_fields(group),
    )


def _fixed(group: h5py.Group, names: Mapping[str, str]) -> Fixed | None:
    columns = {names.get(name, name): field for name, field in FIXED_COLUMNS.items()}
    if not all(name in group for name in columns):
        return None
    flags = {field: group[name][()] for name, field in columns.items()}
    return Fixed(points=group["kind"][()] == b"point", **flags)


def _summary(group: h5py.Group) -> BackgroundSummary:
    return BackgroundSummary(
        **{f.name: plain(group.attrs[f.name]) for f in fields(BackgroundSummary)}
    )


def _completeness(group: h5py.Group, names: Mapping[str, str]) -> Completeness:
    return Completeness(
        grid=get_grid(group),
        exposure=group["exposure"][()],
        open_fraction=group[names.get("open_fraction", "open_fraction")][()],
        unit=group.attrs["unit"],
    )


def _psf(group: h5py.Group) -> PsfModel:
    return PsfModel(
        grid=get_grid(group),
        weights=group["weights"][()],
        covariances=group["covariances"][()],
        description=group.attrs["description"],
    )


def _background(group: h5py.Group) -> Background:
    return Background(
        template=get_image(group["map"]) if "map" in group else None,
        deviations=tuple(group.attrs.get("deviations", ())),
        **{key: plain(group.attrs[key]) for key in ("name", "kind", "amplitude", "fixed")},
    )
