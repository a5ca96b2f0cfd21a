"""Reading a model file of schema_version 1, as gmmx 0.1 wrote it until November 2026.

The layout is that of version 2, with other names for some datasets, columns and options, with
the facts of an observation as JSON text, and without energies and chips of the photons.
"""

import json
from collections.abc import Mapping

import h5py
import numpy as np

from ...model.observation import Observation
from ...model.photons import Photons
from ...model.pointing import Pointing
from ...model.result import FitResult
from ...plane.frame import SkyFrame
from .names import COLUMNS_1, DATASETS_1, OPTIONS_1, ROLES_1
from .nodes import get_columns, in_order, plain
from .reader_v2 import get_frame, observation_fields, result_fields


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
    return FitResult(
        observations=tuple(_observation(group, frame) for group in in_order(file["observations"])),
        history=_columns(file, "history"),
        path=_columns(file, "path"),
        options=_renamed(json.loads(file.attrs["options"]), OPTIONS_1),
        **result_fields(file, DATASETS_1),
    )


def _observation(group: h5py.Group, frame: SkyFrame | None) -> Observation:
    photons = Photons(
        group["photons/x"][()],
        group["photons/y"][()],
        weights=group["photons/weight"][()],
        pixel=plain(group.attrs.get("pixel_arcsec", 0.0)),
    )
    metadata = json.loads(group["metadata"].asstr()[()])
    for record in metadata.get("inputs") or ():
        record["role"] = ROLES_1.get(record["role"], record["role"])
    return Observation(
        photons=photons,
        pointing=Pointing.from_metadata(metadata),
        frame=frame,
        **observation_fields(group, DATASETS_1),
    )


def _columns(file: h5py.File, name: str) -> dict[str, np.ndarray]:
    """The columns of a group; none if an early file does not have the group."""
    return _renamed(get_columns(file[name]), COLUMNS_1) if name in file else {}


def _renamed(given: Mapping, names: Mapping[str, str]) -> dict:
    return {names.get(name, name): value for name, value in given.items()}
