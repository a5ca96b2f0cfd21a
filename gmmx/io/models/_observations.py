"""The observations of a model file: photons, completeness, PSF, backgrounds, masks and metadata of each."""

import json
from dataclasses import fields

import numpy as np

from ...model.background import Background
from ...model.completeness import Completeness
from ...model.observation import Observation
from ...model.photons import Photons
from ...model.psf import PsfModel
from ...plane.frame import PhysicalFrame, SkyFrame
from ...plane.grid import SkyImage
from ...plane.shapes import Shapes
from ._hdf5 import as_json, free_name, get_grid, in_order, optional, plain, put, put_grid


def put_observations(group, observations):
    """Write each observation; the names of their groups."""
    names = []
    for i, o in enumerate(observations):
        part = group.create_group(free_name(group, o.name))
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
        part.attrs["pixel_arcsec"] = o.photons.pixel
        part["metadata"] = as_json(o.metadata, f"metadata of {o.name}")
        part["metadata"].attrs["unit"] = ""
        part.create_group("dropped").attrs.update(o.dropped)
        photons = part.create_group("photons")
        for name, values, unit in (
            ("x", o.photons.x, "arcsec"),
            ("y", o.photons.y, "arcsec"),
            ("weight", o.photons.weights, "photon"),
        ):
            put(photons, name, values, unit)
        if o.physical is not None:
            part.create_group("physical").attrs.update(
                {f.name: getattr(o.physical, f.name) for f in fields(PhysicalFrame)}
            )
        if o.completeness is not None:
            maps = part.create_group("completeness")
            put_grid(maps, o.completeness.grid)
            maps.attrs["unit"] = o.completeness.unit
            put(maps, "exposure", o.completeness.exposure, o.completeness.unit)
            put(maps, "open_share", o.completeness.open_share, "")
        if o.psf is not None:
            psf = part.create_group("psf")
            put_grid(psf, o.psf.grid)
            psf.attrs["description"] = o.psf.description
            put(psf, "weights", o.psf.weights, "")
            put(psf, "covariances", o.psf.covariances, "arcsec**2")
        if o.masks is not None:
            part["masks"] = as_json(o.masks.to_records(), f"masks of {o.name}")
            part["masks"].attrs["unit"] = "arcsec"
            if o.masks_frame is not None:
                part["masks"].attrs.update(
                    ra0=o.masks_frame.ra0, dec0=o.masks_frame.dec0, radesys=o.masks_frame.radesys
                )
        backgrounds = part.create_group("backgrounds")
        for j, b in enumerate(o.backgrounds):
            one = backgrounds.create_group(free_name(backgrounds, b.name))
            one.attrs.update(
                index=j,
                name=b.name,
                kind=b.kind,
                amplitude=optional(b.amplitude),
                fixed=b.fixed,
                unit="photon/arcsec**2",
            )
            one.attrs["deviations"] = np.array(b.deviations, float)
            if b.template is not None:
                put(one, "map", b.template.values, b.template.unit)
                put_grid(one["map"], b.template.grid)
    return names


def get_observation(group, frame):
    completeness = psf = physical = masks = masks_frame = None
    if "completeness" in group:
        maps = group["completeness"]
        completeness = Completeness(
            grid=get_grid(maps),
            exposure=maps["exposure"][()],
            open_share=maps["open_share"][()],
            unit=maps.attrs["unit"],
        )
    if "psf" in group:
        part = group["psf"]
        psf = PsfModel(
            grid=get_grid(part),
            weights=part["weights"][()],
            covariances=part["covariances"][()],
            description=part.attrs["description"],
        )
    if "physical" in group:
        physical = PhysicalFrame(
            **{f.name: plain(group["physical"].attrs[f.name]) for f in fields(PhysicalFrame)}
        )
    if "masks" in group:
        masks = Shapes.from_records(json.loads(group["masks"].asstr()[()]))
        if "ra0" in group["masks"].attrs:
            masks_frame = SkyFrame(
                *(plain(group["masks"].attrs[key]) for key in ("ra0", "dec0", "radesys"))
            )
    backgrounds = []
    for part in in_order(group["backgrounds"]):
        shape = None
        if "map" in part:
            shape = SkyImage(
                grid=get_grid(part["map"]), values=part["map"][()], unit=part["map"].attrs["unit"]
            )
        given = {key: plain(part.attrs[key]) for key in ("name", "kind", "amplitude", "fixed")}
        backgrounds.append(
            Background(template=shape, deviations=tuple(part.attrs.get("deviations", ())), **given)
        )
    return Observation(
        photons=Photons(
            group["photons/x"][()],
            group["photons/y"][()],
            weights=group["photons/weight"][()],
            pixel=float(group.attrs.get("pixel_arcsec", 0.0)),
        ),
        frame=frame,
        completeness=completeness,
        psf=psf,
        backgrounds=tuple(backgrounds),
        name=group.attrs["name"],
        physical=physical,
        masks=masks,
        masks_frame=masks_frame,
        metadata=json.loads(group["metadata"].asstr()[()]),
        dropped={reason: plain(count) for reason, count in group["dropped"].attrs.items()},
    )
