"""Reading a model file of schema_version 1.

The layout is that of version 2, with other names for some datasets, columns and options, with
the facts of an observation as JSON text, and without energies and chips of the photons.
"""

import json
from collections.abc import Mapping

import h5py
import numpy as np

from ...model.observation import Observation
from ...model.photons import Photons
from ...model.pointing import InputFile, MaskRecord, Pointing, SkyBrightness
from ...model.result import FitResult
from ...plane.frame import SkyFrame
from .checks import check_agreement
from .names import COLUMNS_1, DATASETS_1, OPTIONS_1, ROLES_1
from .nodes import get_columns, in_order, plain
from .reader_v2 import get_frame, observation_fields, result_fields
from .values import from_json

# Entries of the dictionary of an observation, and the field of its pointing.
_FACTS_1 = {
    "n_rows": "n_rows",
    "recorded_energy_band_kev": "recorded_band_kev",
    "recorded_chips": "recorded_chips",
    "filtered_chips": "recorded_chips",
    "chips": "chips",
}


def read_result(file: h5py.File) -> FitResult:
    """Read the fit of an open file of version 1.

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
        history=_columns(file, "history"),
        path=_columns(file, "path"),
        options=_renamed(from_json(file, "options", dict), OPTIONS_1),
        **result_fields(file, DATASETS_1),
    )
    return check_agreement(result)


def _observation(group: h5py.Group, frame: SkyFrame | None) -> Observation:
    photons = Photons(
        group["photons/x"][()],
        group["photons/y"][()],
        weights=group["photons/weight"][()],
        pixel=plain(group.attrs.get("pixel_arcsec", 0.0)),
    )
    metadata = json.loads(group["metadata"].asstr()[()])
    return Observation(
        photons=photons,
        pointing=_pointing(metadata),
        frame=frame,
        **observation_fields(group, DATASETS_1),
    )


def _pointing(metadata: dict) -> Pointing:
    """The facts of an observation, which version 1 holds in one dictionary."""
    rest = dict(metadata)
    band, unit = rest.pop("energy_kev", None), rest.pop("sky_background_unit", "")
    brightness, choices = rest.pop("sky_background", None), rest.pop("resolved", None)
    sha256, name = rest.pop("sha256", ""), rest.pop("file", "")
    inputs = tuple(
        InputFile(ROLES_1.get(one["role"], one["role"]), one["path"], one.get("sha256", ""))
        for one in rest.pop("inputs", None) or ()
    )
    if not inputs and sha256:
        inputs = (InputFile("events", name, sha256),)
    masks = rest.pop("masks", None) or ()
    rest.pop("bin_arcsec", None)
    return Pointing.from_keywords(
        {key: value for key, value in rest.items() if key not in _FACTS_1},
        **{field: rest[key] for key, field in _FACTS_1.items() if rest.get(key) is not None},
        file_name=name,
        band_kev=band if isinstance(band, list) else None,
        inputs=inputs,
        masks=tuple(_mask(one) for one in masks),
        choices=choices if isinstance(choices, dict) else {},
        sky_brightness=None if brightness is None else SkyBrightness(brightness, unit),
    )


def _mask(record: dict) -> MaskRecord:
    return MaskRecord(
        file=record.get("file", ""),
        kind=record.get("kind", "mask"),
        n_shapes=record.get("shapes", 0),
        area_arcmin2=record.get("area_arcmin2", 0.0),
        n_photons=record.get("photons", 0),
        by_shape=record.get("by_shape", ()),
    )


def _columns(file: h5py.File, name: str) -> dict[str, np.ndarray]:
    """The columns of a group; none if an early file does not have the group."""
    return _renamed(get_columns(file[name]), COLUMNS_1) if name in file else {}


def _renamed(given: Mapping, names: Mapping[str, str]) -> dict:
    return {names.get(name, name): value for name, value in given.items()}
