"""From the files of one pointing to an Observation: photons chosen, exposure, PSF, masks and backgrounds put beside them."""

import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from .background import Background
from .completeness import reference_exposure
from .errors import DataError, DataWarning, InputError
from .grid import PixelGrid
from .io._plane import MAX_RESIDUAL, affine_grid, resampled
from .io._read import file_digest
from .io.events import read_events
from .io.maps import read_exposure, read_psf_map
from .io.regions import read_regions
from .observation import Observation
from .psf import PsfModel
from .selection import collected, footprint, parse_ccd, parse_energy, regridded, resolve_ccd, resolve_energy, select_ccd, select_energy, select_shapes
from .shapes import Shapes

# Shares of the photons from which a warning is due: taken by one shape of a mask, and found on zero exposure.
MASKED_BY_ONE_SHAPE = 0.05
ON_ZERO_EXPOSURE = 0.02
FOOTPRINT_STEP = 1.0


def read_observation(
    events,
    *,
    exposure=None,
    psf=None,
    psf_ecf=None,
    mask=(),
    region=(),
    energy_kev=None,
    ccd=None,
    background=("sky",),
    grid=None,
    bin=None,
    name=None,
    frame=None,
    place=True,
):
    """Read one pointing: its photons, selected, with exposure, PSF, masks and backgrounds.

    Photons are cut by chip, energy, region and mask, in this order, and where the exposure is zero; what is dropped is counted by reason. What is not given
    resolves to the instrument, and `metadata["resolved"]` says how.

    Parameters
    ----------
    events : str or Path
        The event file.
    exposure : str or Path, optional
        Exposure map; without one the field that the photons imply is exposed uniformly.
    psf : None, "none", float, str or Path
        A PSF map, the sigma of a constant Gaussian [arcsec], or no blur.
    psf_ecf : float, optional
        Encircled fraction of the PSF map, over its header's.
    mask, region : path or sequence of paths
        Region files: what is cut out, and what alone is kept.
    energy_kev : str, (float, float) or None
        "LO:HI" or a pair [keV], "all", or None for the instrument's.
    ccd : str, int, sequence of int or None
        "0-3", "7", "0,1,3", "all", or None for the instrument's.
    background : str or sequence of str
        "sky"; "sky=VALUE" held, in photon/cm**2/s/arcsec**2 where the exposure has area and time, else in photon/arcsec**2 at the largest exposure; or "none".
    grid : float, optional
        Cell of the completeness grid [arcsec]; the exposure map's own pixel, or 1 arcsec without one.
    bin : float, optional
        Collect photons into cells of this size [arcsec].
    name : str, optional
        The file's stem without one.
    frame : SkyFrame, optional
        The tangent plane to work in; the file's own without one.
    place : bool
        Whether to go on to `placed`; False leaves the observation in its own plane, with the photons on zero exposure still in it.

    Returns
    -------
    Observation

    Raises
    ------
    DataError
        When a file cannot be read or used, the maps do not overlap the events, or no photon is left.
    InputError
        When an option cannot be what it is.
    """
    # What is wrong in the call itself is said before a large file is read.
    for parse, option in ((parse_energy, energy_kev), (parse_ccd, ccd), (_parse_backgrounds, background)):
        parse(option)
    listed = read_events(events)
    inputs = [{"role": "events", "path": str(events), "sha256": listed.metadata["sha256"]}]
    resolved = {}
    chips, resolved["ccd"] = resolve_ccd(listed, ccd)
    listed = select_ccd(listed, chips)
    # Before the energies are cut: every photon tells where the field is.
    field = footprint(listed, step=grid or FOOTPRINT_STEP) if exposure is None else None
    band, resolved["energy"] = resolve_energy(listed, energy_kev)
    listed = select_energy(listed, band)
    band = list(band or listed.metadata.get("recorded_energy_band_kev") or ()) or "all"
    listed = listed.noted(energy_kev=band, chips=None if chips is None else list(chips))

    map_grid = None
    if exposure is None:
        completeness = field
        resolved["exposure"] = f"uniform over the photons' footprint, cells of {completeness.grid.step:g} arcsec"
        message = f"{events}: no exposure map: taking a uniform exposure over the photons' footprint, vignetting is not in it (give one with --exposure)"
        warnings.warn(message, DataWarning, stacklevel=2)
    else:
        completeness = read_exposure(exposure, frame=listed.frame, physical=listed.physical, events_metadata=listed.metadata)
        inputs.append(input_record("exposure", exposure))
        map_grid = completeness.grid
        completeness = completeness if grid is None else regridded(completeness, step=grid)
        if not np.any(completeness.exposure_at(listed.x, listed.y) > 0):
            raise DataError(f"{exposure}: the exposure map does not overlap the events of {events}: is it of another pointing?")
    blur, resolved["psf"] = _psf(psf, psf_ecf, listed, events)
    if _is_map(psf):
        inputs.append(input_record("psf", psf))

    listed, completeness, cut, records = _apply_shapes(listed, completeness, map_grid, mask, region)
    inputs += [input_record(kind, path) for kind, paths in (("mask", mask), ("region", region)) for path in _paths(paths)]
    backgrounds, held = _backgrounds(background, completeness)
    resolved["background"] = "sky, its level fitted" if background in ("sky", ("sky",), ["sky"]) else None
    observation = Observation(
        x=listed.x,
        y=listed.y,
        frame=listed.frame,
        completeness=completeness,
        psf=blur,
        backgrounds=backgrounds,
        name=name or re.sub(r"(\.(fits?|evt\d?))?(\.gz)?$", "", Path(events).name) or "observation",
        physical=listed.physical,
        masks=cut,
        metadata=listed.metadata | {"inputs": inputs, "masks": records, "resolved": {k: v for k, v in resolved.items() if v is not None}} | held,
        dropped=listed.n_dropped,
    )
    return placed(observation, frame=frame, bin=bin) if place else observation


def placed(observation, *, frame=None, bin=None):
    """The observation in a tangent plane, without photons on zero exposure there, collected into cells where that is asked for.

    Photons are looked at in the plane of the fit alone: so the same cuts leave the same photons whenever the file is read again.

    Parameters
    ----------
    observation : Observation
    frame : SkyFrame, optional
        Its own without one.
    bin : float, optional
        Size of the cells [arcsec].

    Raises
    ------
    DataError
        When no photon is left.
    """
    observation = _exposed(observation if frame is None else moved(observation, frame))
    _check_held_background(observation)
    return observation if bin is None else _binned(observation, bin)


def input_record(role, path):
    """The record of a file that was read: its role, its path as given, its digest."""
    return {"role": role, "path": str(path), "sha256": file_digest(path)}


def _is_map(psf):
    """Whether a PSF is a file rather than nothing or a number."""
    text = "" if psf is None else str(psf).strip()
    try:
        return not np.isfinite(float(text))
    except ValueError:
        return text.lower() not in ("", "none")


def _psf(psf, ecf, listed, events):
    """The blur that was asked for, and how it was chosen (None where it was asked for)."""
    text = "" if psf is None else str(psf).strip()
    try:
        sigma = float(text)
    except ValueError:
        sigma = None
    if ecf is not None and (sigma is not None or text in ("", "none")):
        raise InputError(f"psf_ecf {ecf:g} goes with a PSF map: give one with --psf FILE")
    if text == "":
        warnings.warn(f"{events}: no PSF: what comes back is blurred by the telescope (give a PSF map or a sigma with --psf)", DataWarning, stacklevel=3)
        return None, "none (no PSF was given)"
    if text.lower() == "none":
        return None, None
    if sigma is not None:
        return PsfModel.constant(sigma), None
    blur = read_psf_map(psf, frame=listed.frame, physical=listed.physical, ecf=ecf)
    if not blur.grid.locate(listed.x, listed.y)[2].any():
        raise DataError(f"{psf}: the PSF map does not overlap the events of {events}: is it of another pointing?")
    return blur, None


def _paths(paths):
    return (paths,) if isinstance(paths, (str, Path)) else tuple(paths or ())


def _apply_shapes(listed, completeness, map_grid, mask, region):
    """Photons and completeness inside the regions and outside the masks, what was cut out, and a record of each file for people."""
    n_before, records, shapes, shares = len(listed), [], {"mask": [], "region": []}, {}
    for kind, path in [("region", p) for p in _paths(region)] + [("mask", p) for p in _paths(mask)]:
        covered = read_regions(path, frame=listed.frame, physical=listed.physical, image_grid=map_grid)
        if kind == "mask" and _is_field_with_holes(path, covered, listed):
            # Such a list says what to cut out by cutting it out; taken at its word it would mask all the rest.
            covered = covered.holes()
        shares[kind] = covered.open_share(completeness.grid)
        area = float((1 - shares[kind])[completeness.exposure > 0].sum() * completeness.grid.cell_area / 3600)
        photons = int(np.count_nonzero(covered.contains(listed.x, listed.y)))
        records.append({"file": Path(path).name, "kind": kind, "shapes": covered.n_shapes, "area_arcmin2": area, "photons": photons})
        if kind == "mask":
            records[-1]["by_shape"] = covered.count_by_term(listed.x, listed.y).tolist()
        shapes[kind].append(covered)
    kept, cut = Shapes.union(shapes["region"]), Shapes.union(shapes["mask"])
    # The shares of overlapping shapes do not multiply: several files are looked at once more, together.
    shares |= {kind: union.open_share(completeness.grid) for kind, union in (("region", kept), ("mask", cut)) if len(shapes[kind]) > 1}
    if shapes["region"]:
        listed = select_shapes(listed, kept, keep=True)
        completeness = completeness.masked(1 - shares["region"])
        if len(listed) == 0:
            raise DataError(f"{', '.join(map(str, _paths(region)))}: none of {n_before} photons lies in the region: nothing is left to fit")
    if shapes["mask"]:
        _warn_of_greedy_shapes(listed, zip(_paths(mask), shapes["mask"], strict=True))
        listed = select_shapes(listed, cut, keep=False)
        completeness = completeness.masked(shares["mask"])
        if len(listed) == 0:
            raise DataError(f"{', '.join(map(str, _paths(mask)))}: every one of {n_before} photons is masked: nothing is left to fit")
    everything = [*shapes["mask"], *([_complement(kept)] if shapes["region"] else [])]
    return listed, completeness, Shapes.union(everything) if everything else None, records


def _is_field_with_holes(path, covered, listed):
    """Whether a list of shapes is nothing but holes: in everything, or in a first shape that holds every photon, as CIAO writes `rectangle` and `-ellipse`."""
    if covered.only_excludes:
        return True
    if not covered.groups or any(len(g) < 2 or not all(t.exclude for t in g[1:]) for g in covered.groups):
        return False
    if not all(g[0].exclude or np.all(g[0].contains(listed.x, listed.y)) for g in covered.groups):
        return False
    message = (
        f"{path}: its first shape holds every photon, the others are cut out of it: as a mask it excludes what is cut out (with --region it keeps the rest)"
    )
    warnings.warn(message, DataWarning, stacklevel=4)
    return True


def _warn_of_greedy_shapes(listed, masks):
    """Name each shape of the masks, pairs of (path, Shapes), that alone takes more than 5 % of the photons."""
    for path, covered in masks:
        inside = covered.contains(listed.x, listed.y)
        shares = covered.count_by_term(listed.x[inside], listed.y[inside]) / len(listed)
        for number, (term, taken) in enumerate(zip(covered.terms, shares, strict=True), 1):
            if taken > MASKED_BY_ONE_SHAPE and not term.exclude:
                name = f"{path}: shape {number} ({term.short_label})"
                warnings.warn(f"{name} takes {100 * taken:.1f} % of the photons: is it the source that is to be fitted?", DataWarning, stacklevel=4)


def _complement(shapes):
    """What lists of shapes leave uncovered; nothing where more than one of them has holes, which no list of terms can say."""
    # A list that only adds may as well go on where another ends; then every addition is a cut, and every cut an addition.
    groups = sorted(shapes.groups, key=lambda group: not any(term.exclude for term in group))
    if any(term.exclude for group in groups[1:] for term in group):
        return Shapes()
    return Shapes((tuple(replace(term, exclude=not term.exclude) for group in groups for term in group),))


def _exposed(observation):
    """The observation without photons at zero exposure: a warning where they are many, an error where they are all."""
    exposed, events = observation.exposed(), observation.metadata["inputs"][0]["path"]
    lost = 1 - len(exposed.x) / len(observation.x)
    if len(exposed.x) == 0:
        raise DataError(f"{events}: all {len(observation.x)} photons that the cuts left lie on zero exposure: check exposure map and masks")
    if lost > ON_ZERO_EXPOSURE:
        message = f"{events}: {lost:.1%} of the photons lie on zero exposure and are dropped: is the exposure map of these chips and this pointing?"
        warnings.warn(message, DataWarning, stacklevel=3)
    return exposed


def _parse_backgrounds(background):
    """Kinds of background with the level each is held at, or None: ((kind, level), ...)."""
    parsed = []
    for text in (background,) if isinstance(background, str) else tuple(background or ()):
        kind, _, level = str(text).strip().partition("=")
        if kind == "none" and not level:
            continue
        if kind != "sky":
            raise InputError(f"background {text!r}: write sky, sky=VALUE or none")
        try:
            value = float(level) if "=" in text else None
        except ValueError:
            value = np.nan
        if value is not None and not (np.isfinite(value) and value >= 0):
            raise InputError(f"background {text!r}: the level must be a number, at least 0, such as sky=2e-9")
        parsed.append((kind, value))
    if len(parsed) > 1:
        raise InputError(f"background {', '.join(map(str, background))}: one sky background is enough")
    return tuple(parsed)


def _backgrounds(background, completeness):
    """The backgrounds of an observation, and the levels that were asked for, as metadata.

    A held level is an amplitude at this observation's largest exposure; a joint fit, whose reference exposure is another, starts from the level itself.
    """
    made, held = [], {}
    for kind, level in _parse_backgrounds(background):
        if level is None:
            made.append(Background(name=kind, kind=kind))
            continue
        scale = reference_exposure([completeness]) if completeness.has_flux_unit else 1.0
        made.append(Background(name=kind, kind=kind, amplitude=level * scale, fixed=True))
        held["sky_background"] = level
        held["sky_background_unit"] = "photon/cm**2/s/arcsec**2" if completeness.has_flux_unit else "photon/arcsec**2"
    return tuple(made), held


def _check_held_background(observation):
    """Warn where a held background expects more photons than there are."""
    completeness = observation.completeness
    for background in observation.backgrounds:
        if background.fixed:
            area = completeness.effective.sum() * completeness.grid.cell_area / completeness.exposure.max()
            expected = background.amplitude * area
            if expected > observation.n_photons + 5 * np.sqrt(observation.n_photons):
                given, unit = observation.metadata["sky_background"], observation.metadata["sky_background_unit"]
                level = f"{background.name}={given:g} {unit}"
                message = f"background {level} makes {expected:.3g} photons, more than the {observation.n_photons:.0f} that are there"
                warnings.warn(message, DataWarning, stacklevel=3)


def _binned(observation, cell):
    """The observation with its photons collected into cells: one row for each cell, at the photons' mean position, weighing as many."""
    x, y, weights = collected(observation.x, observation.y, observation.weights, cell=cell)
    # The mean of photons around a corner of a mask may lie in it: such a cell's photons stay single.
    hidden = observation.completeness.effective_at(x, y) <= 0
    if hidden.any():
        cells = {tuple(c) for c in np.floor(np.column_stack([x, y])[hidden] / cell).astype(int)}
        single = np.array([tuple(c) in cells for c in np.floor(np.column_stack([observation.x, observation.y]) / cell).astype(int).tolist()])
        x, y = (np.concatenate([v[~hidden], o[single]]) for v, o in ((x, observation.x), (y, observation.y)))
        weights = np.concatenate([weights[~hidden], observation.weights[single]])
    return replace(observation, x=x, y=y, weights=weights, metadata=observation.metadata | {"bin_arcsec": float(cell)})


def moved(observation, frame):
    """The observation in another tangent plane: photons through the sky, grids by the nearest affine map, exact to 0.02 pixel or else resampled.

    Masks stay as they are, in the plane that they are exact in. In the plane that it is in already, nothing of an observation changes.
    """
    own = observation.frame
    if frame == own:
        return observation

    def there(x, y):
        return frame.to_plane(*own.to_sky(x, y))

    def back(x, y):
        return own.to_plane(*frame.to_sky(x, y))

    x, y = there(observation.x, observation.y)
    if not np.all(np.isfinite(x)):
        raise DataError(f"{observation.name}: its photons are on the other side of the sky from the frame's tangent point: fit it alone")
    completeness, blur = observation.completeness, observation.psf
    grid, residual = affine_grid(completeness.grid.shape, lambda ix, iy: there(*completeness.grid.to_plane(ix, iy)))
    if residual < MAX_RESIDUAL:
        completeness = replace(completeness, grid=grid)
    else:
        old = completeness.grid
        maps = (lambda ix, iy: there(*old.to_plane(ix, iy))), (lambda x, y: old.to_pixels(*back(x, y)))
        grid, exposure = resampled(completeness.exposure, *maps, fill=0.0)
        completeness = replace(completeness, grid=grid, exposure=exposure, open_share=resampled(completeness.open_share, *maps, fill=1.0)[1])
    if blur is not None and blur.grid.shape != (1, 1):
        # The blur varies over many nodes: what the affine map errs by does not matter.
        grid = affine_grid(blur.grid.shape, lambda ix, iy: there(*blur.grid.to_plane(ix, iy)))[0]
        turn = _rotation(blur.grid, grid)
        blur = replace(blur, grid=grid, covariances=turn @ blur.covariances @ turn.T)
    # The telescope's sky pixels are a scale of their own tangent plane, in no other.
    return replace(observation, x=x, y=y, frame=frame, completeness=completeness, psf=blur, physical=None, masks_frame=observation.masks_frame or own)


def _rotation(old, new):
    """The rotation (2, 2) that is nearest to the linear map from one grid's steps to another's."""
    u, _, v = np.linalg.svd(PixelGrid(shape=old.shape, origin=old.origin, matrix=new.matrix).matrix @ old.inverse)
    return u @ v
