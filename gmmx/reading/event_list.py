"""From the files of one pointing to an Observation: photons chosen, exposure, PSF, masks and backgrounds put beside them."""

import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import DataError, DataWarning
from ..io.counts_image import read_photons
from ..io.maps import read_exposure
from ..io.virtual import parse_file_argument
from ..model.observation import Observation
from ..model.photons import CountsImage, Photons
from ..plane.resample import collected
from ..telescope.footprint import describe, footprint
from .background import make_backgrounds, parse_backgrounds
from .counts_image import (
    image_field,
    resolve_image_ccd,
    resolve_image_energy,
    widened_by_pixel,
    within_image,
)
from .inputs import input_record
from .levels import check_held, levels_from_region
from .masks import apply_shapes, chip_outlines, paths_of
from .psf import choose_blur, parse_psf
from .reproject import moved
from .selection import (
    parse_ccd,
    parse_energy,
    resolve_ccd,
    resolve_energy,
    select_ccd,
    select_energy,
)

# Share of the photons on zero exposure from which a warning is due.
ON_ZERO_EXPOSURE = 0.02
FOOTPRINT_STEP = 1.0


def read_observation(
    events,
    *,
    exposure=None,
    psf=None,
    psf_ecf=None,
    psf_extra_sigma=0.0,
    mask=(),
    region=(),
    energy_kev=None,
    ccd=None,
    background=None,
    background_region=(),
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
        The event file, after which CIAO's row filters may follow in brackets, as if the file had been so filtered; or a counts image: its pixels are the
        photons then, all of them masked or kept by the centre, and the PSF is widened by the pixel.
    exposure : str or Path, optional
        Exposure map; without one the field that the photons imply, or a field-of-view file among the regions, with ACIS's dither and vignetting.
    psf : None, "none", "chandra", float, str, Path or sequence of paths
        A PSF map, or several at different encircled fractions; the image of a point source; the sigma of a constant Gaussian [arcsec]; no blur; or the built-in
        Chandra PSF, which is also what ACIS gets where nothing is said (`blur.choose_blur`).
    psf_ecf : float, optional
        Encircled fraction of the PSF map, over its header's.
    psf_extra_sigma : float
        Sigma of a further Gaussian [arcsec] that the PSF is convolved with.
    mask, region : path or sequence of paths
        Region files: what is cut out, and what alone is kept.
    energy_kev : str, (float, float) or None
        "LO:HI" or a pair [keV], "all", or None for the instrument's.
    ccd : str, int, sequence of int or None
        "0-3", "7", "0,1,3", "all", or None for the instrument's.
    background : str or sequence of str, optional
        "sky", "particle", "streak", a FITS image or event list; "sky=VALUE" held, in photon/cm**2/s/arcsec**2 where the exposure has area and time, else in
        photon/arcsec**2 at the largest exposure; "particle=VALUE" held, in photon/arcsec**2; "FILE:fixed" held at the file's own counts, times the ratio of
        both EXPOSUREs where these are single photons; "streak=SHARE" of all photons; "none". Without it the instrument's: sky, and particles for ACIS.
    background_region : path or sequence of paths
        Region files of source-free sky: the levels that are not held are fitted to the photons in it alone, and held.
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
    for parse, option in (
        (parse_energy, energy_kev),
        (parse_ccd, ccd),
        (parse_psf, psf),
        (parse_backgrounds, background),
    ):
        parse(option)
    virtual = parse_file_argument(events)
    listed = read_photons(events, sky=False)
    inputs = [{"role": "events", "path": str(events), "sha256": listed.metadata["sha256"]}]
    resolved, outlines = {"filter": virtual.filters or None}, ()
    pixels = listed.pixels if isinstance(listed, CountsImage) else None
    if pixels is None:
        chips, resolved["ccd"] = resolve_ccd(listed, ccd)
        listed = select_ccd(listed, chips)
        # Before the energies are cut: every photon tells where the field is.
        outlines = chip_outlines(region, listed, chips) if exposure is None else ()
        field = (
            footprint(listed, step=grid or FOOTPRINT_STEP, outlines=outlines)
            if exposure is None
            else None
        )
        band, resolved["energy"] = resolve_energy(listed, energy_kev)
        listed = select_energy(listed, band)
    else:
        chips, field = (
            resolve_image_ccd(listed, ccd),
            image_field(listed) if exposure is None else None,
        )
        band, resolved["energy"] = resolve_image_energy(listed, energy_kev)
    band = list(band or listed.metadata.get("recorded_energy_band_kev") or ()) or "all"
    listed = listed.noted(energy_kev=band, chips=None if chips is None else list(chips))

    map_grid = pixels
    if exposure is None:
        completeness = field if pixels is None or grid is None else field.regridded(grid)
        resolved["exposure"] = describe(listed, completeness, given=bool(outlines))
        message = f"{events}: no exposure map: {resolved['exposure']} (give one with --exposure)"
        warnings.warn(message, DataWarning, stacklevel=2)
    else:
        if Path(exposure).resolve() == virtual.path.resolve():
            raise DataError(
                f"{exposure}: the photons themselves are no exposure map: give that with --exposure, or leave it out"
            )
        completeness = read_exposure(
            exposure, frame=listed.frame, physical=listed.physical, events_metadata=listed.metadata
        )
        inputs.append(input_record("exposure", exposure))
        if pixels is None:
            map_grid = completeness.grid
        else:
            completeness = within_image(completeness, pixels)
        completeness = completeness if grid is None else completeness.regridded(grid)
        if not np.any(completeness.exposure_at(listed.photons.x, listed.photons.y) > 0):
            raise DataError(
                f"{exposure}: the exposure map does not overlap the events of {events}: is it of another pointing?"
            )
    blur = choose_blur(listed, psf, ecf=psf_ecf, extra=psf_extra_sigma, events=events)
    resolved["psf"] = blur.resolved
    inputs += [input_record("psf", path) for path in blur.files]
    if pixels is not None:
        blur = replace(blur, psf=widened_by_pixel(blur.psf, pixels.step))
        resolved["pixels"] = (
            f'counts image, {pixels.step:.4g}" a pixel: the PSF is widened by a sigma of {pixels.step / np.sqrt(12):.3g}"'
        )

    whole, unmasked = listed, completeness
    listed, completeness, cut, records = apply_shapes(
        listed, completeness, map_grid, mask, region, virtual.sky
    )
    given = (("mask", mask), ("region", region), ("background region", background_region))
    inputs += [input_record(kind, path) for kind, paths in given for path in paths_of(paths)]
    inputs += [
        input_record("mask" if one.exclude else "region", one.path)
        for one in virtual.sky
        if one.path
    ]
    backgrounds, held, resolved["background"], files = make_backgrounds(
        parse_backgrounds(background), whole, completeness, measured=exposure is not None
    )
    inputs += [input_record("background", path) for path in files]
    if paths_of(background_region):
        with warnings.catch_warnings():
            # The masks have had their say already.
            warnings.simplefilter("ignore", DataWarning)
            excluding = [one for one in virtual.sky if one.exclude]
            inside = apply_shapes(whole, unmasked, map_grid, mask, background_region, excluding)[:2]
        backgrounds, level, said = levels_from_region(
            backgrounds, *inside, unmasked, paths_of(background_region)
        )
        held, resolved["background"] = held | level, f"{resolved['background']}; {said}"
    observation = Observation(
        photons=listed.photons,
        frame=listed.frame,
        completeness=completeness,
        psf=blur.psf,
        backgrounds=backgrounds,
        name=name or observation_name(events),
        physical=listed.physical,
        masks=cut,
        metadata=listed.metadata
        | {
            "inputs": inputs,
            "masks": records,
            "resolved": {k: v for k, v in resolved.items() if v is not None},
        }
        | held,
        dropped=listed.dropped,
    )
    return placed(observation, frame=frame, bin=bin) if place else observation


def observation_name(events):
    """What an event file's observation is called: its name without folder, filters and endings."""
    return (
        re.sub(r"(\.(fits?|evt\d?|img))?(\.gz)?$", "", parse_file_argument(events).path.name)
        or "observation"
    )


def placed(observation, *, frame=None, bin=None):
    """The observation in a tangent plane, without photons on zero exposure there, collected into cells where that is asked for.

    Photons are looked at in the plane of the fit alone: so the same cuts leave the same photons whenever the file is read again.

    Parameters
    ----------
    observation : Observation
    frame : SkyFrame, optional
        Its own without one.
    bin : float, optional
        Size of the cells [arcsec]; photons of a counts image stay in its pixels.

    Raises
    ------
    DataError
        When no photon is left.
    """
    observation = _exposed(observation if frame is None else moved(observation, frame))
    check_held(observation)
    if bin is not None and observation.photons.pixel > 0:
        message = f"{observation.name}: --bin {bin:g} is for event lists: the counts image keeps its pixels of {observation.photons.pixel:.4g} arcsec"
        warnings.warn(message, DataWarning, stacklevel=2)
        return observation
    return observation if bin is None else _binned(observation, bin)


def _exposed(observation):
    """The observation without photons at zero exposure: a warning where they are many, an error where they are all."""
    exposed, events = observation.exposed(), observation.metadata["inputs"][0]["path"]
    lost = 1 - exposed.n_photons / observation.n_photons
    if len(exposed.photons) == 0:
        raise DataError(
            f"{events}: all {observation.n_photons:.0f} photons that the cuts left lie on zero exposure: check exposure map and masks"
        )
    if lost > ON_ZERO_EXPOSURE:
        message = f"{events}: {lost:.1%} of the photons lie on zero exposure and are dropped: is the exposure map of these chips and this pointing?"
        warnings.warn(message, DataWarning, stacklevel=3)
    return exposed


def _binned(observation, cell):
    """The observation with its photons collected into cells: one row for each cell, at its centre, weighing as many; its PSF widened by the cell."""
    photons = observation.photons
    x, y, weights = collected(photons.x, photons.y, photons.weights, cell=cell)
    # The centre of a cell at the edge of a mask may lie in it: such a cell's photons stay single.
    hidden = observation.completeness.effective_at(x, y) <= 0
    if hidden.any():
        cells = {tuple(c) for c in np.floor(np.column_stack([x, y])[hidden] / cell).astype(int)}
        single = np.array(
            [
                tuple(c) in cells
                for c in np.floor(np.column_stack([photons.x, photons.y]) / cell)
                .astype(int)
                .tolist()
            ]
        )
        x, y = (
            np.concatenate([v[~hidden], o[single]]) for v, o in ((x, photons.x), (y, photons.y))
        )
        weights = np.concatenate([weights[~hidden], photons.weights[single]])
    metadata = observation.metadata | {"bin_arcsec": float(cell)}
    return replace(
        observation,
        photons=Photons(x, y, weights=weights, pixel=float(cell)),
        psf=widened_by_pixel(observation.psf, cell),
        metadata=metadata,
    )
