"""Images of a fit on disk: FITS for DS9 and CIAO, HDF5 for the rest; and the grid of any FITS image, to draw on."""

import json
import re
import warnings
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning
from astropy.wcs.utils import wcs_to_celestial_frame

from .. import __version__
from ..errors import DataError, InputError
from ..plane.affine import MAX_RESIDUAL, affine_grid
from ..plane.wcs import wcs_cards
from .maps import read_image
from .write import replacing, replacing_hdf5

FITS_SUFFIXES = (".fits", ".fits.gz", ".fit", ".img")
HDF5_SUFFIXES = (".h5", ".hdf5")
IMAGE_SUFFIXES = FITS_SUFFIXES + HDF5_SUFFIXES

# What is carried over from the events: who looked where, when and for how long.
_CARRIED = (
    *(
        "TELESCOP",
        "INSTRUME",
        "DETNAM",
        "GRATING",
        "FILTER",
        "OBS_ID",
        "SEQ_NUM",
        "OBJECT",
        "OBSERVER",
        "TITLE",
        "DATAMODE",
        "ASCDSVER",
    ),
    *(
        "DATE-OBS",
        "DATE-END",
        "MJD-OBS",
        "MJD_OBS",
        "MJDREF",
        "TIMESYS",
        "TSTART",
        "TSTOP",
        "ONTIME",
        "LIVETIME",
        "EXPOSURE",
        "DTCOR",
    ),
    *("RA_PNT", "DEC_PNT", "ROLL_PNT", "RA_NOM", "DEC_NOM", "ROLL_NOM", "RA_TARG", "DEC_TARG"),
)
_SUMMED = ("ONTIME", "LIVETIME", "EXPOSURE")


def write_images(path, images, result, *, overwrite=False, command=None):
    """Write images of a fit; in FITS the first is the primary one, which DS9 shows at once, and the others are extensions by name.

    Parameters
    ----------
    path : str or Path
        Ends in .fits (.fits.gz, .fit, .img) or .h5 (.hdf5).
    images : RenderedImages or dict of str to SkyImage
        What to write; a dict of one image writes that alone.
    result : FitResult
        Where frame, keywords and history come from.
    overwrite : bool
    command : str, optional
        The command line, for the history.

    Raises
    ------
    OutputError
        When the file exists and may not be replaced, cannot be written, or has another suffix.
    """
    images = images.named() if hasattr(images, "named") else dict(images)
    if not images:
        raise InputError(f"{path}: there is no image to write")
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    if str(path).lower().endswith(HDF5_SUFFIXES):
        with replacing_hdf5(path, overwrite) as file:
            _fill_hdf5(file, images, result, created, command)
        return
    with replacing(path, overwrite, suffixes=IMAGE_SUFFIXES) as aside:
        hdus = [
            _hdu(name, image, result, created, command, primary=i == 0)
            for i, (name, image) in enumerate(images.items())
        ]
        fits.HDUList(hdus).writeto(aside, overwrite=True, checksum=True)


def read_grid_like(path, frame):
    """The grid of a FITS image, as it lies in a tangent plane: the affine map that fits its own WCS best.

    Parameters
    ----------
    path : str or Path
        A file whose first two-dimensional image has a celestial WCS.
    frame : SkyFrame
        The plane in which the grid is wanted.

    Raises
    ------
    DataError
        When there is no such image, it has no celestial WCS, or its pixels are not on a regular grid in the plane, to 0.02 pixel.
    """
    image = read_image(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        try:
            wcs = WCS(image.header).sub([1, 2])
        except Exception as error:
            raise DataError(
                f"{path}: its WCS is not usable ({str(error).splitlines()[0]})"
            ) from error
    if not wcs.has_celestial:
        raise DataError(
            f"{path}: its image has no celestial WCS: name an image with right ascension and declination in its header"
        )
    native = wcs_to_celestial_frame(wcs)

    def place(ix, iy):
        world = wcs.all_pix2world(ix, iy, 0)
        return frame.to_plane(
            *_to_system(world[wcs.wcs.lng], world[wcs.wcs.lat], native, frame.radesys)
        )

    grid, residual = affine_grid(image.values.shape, place)
    if grid is None:
        raise DataError(
            f"{path}: its pixels are not on the model's side of the sky: name an image of the same field"
        )
    if not residual < MAX_RESIDUAL:
        limit = f"(off by {residual:.3g} pixel, {MAX_RESIDUAL} allowed)"
        raise DataError(
            f"{path}: its pixels are not on a regular grid in the model's tangent plane {limit}: name an image of the same field, or use --bin"
        )
    return grid


def _to_system(lon, lat, native, radesys):
    """Directions [deg] in another celestial system."""
    if native.name == radesys.lower():
        return lon, lat
    from astropy.coordinates import SkyCoord

    there = SkyCoord(lon, lat, unit="deg", frame=native).transform_to(radesys.lower())
    return there.ra.deg, there.dec.deg


def _hdu(name, image, result, created, command, *, primary):
    """One image with all it has to say."""
    result = _spoken_of(name, result)
    header = fits.Header(wcs_cards(image.grid, result.frame, result.observations[0].physical))
    header["BUNIT"] = (image.unit, "unit of the pixels")
    header["CONTENT"] = name
    header["HDUNAME"] = name
    for key, value in keywords(result).items():
        header[key] = value
    header["CREATOR"] = (f"gmmx {__version__}", "tool that made this file")
    header["DATE"] = (created, "when, UTC")
    for line in _history(result, created, command):
        header.add_history(line)
    kind = fits.PrimaryHDU if primary else fits.ImageHDU
    hdu = kind(image.values.astype(np.float32), header)
    hdu.name = name
    return hdu


def _spoken_of(name, result):
    """The result with the one observation that an image's name speaks of, whose keywords and physical pixels are the image's; else with all."""
    found = re.search(r"_([1-9]\d*)$", name)
    if found is None:
        return result
    return replace(result, observations=(result.observations[int(found[1]) - 1],))


def keywords(result):
    """What the images' headers say about observations and fit: dict of FITS keyword to (value, comment).

    Keywords that observations do not share are left out; exposures add up, and OBS_ID becomes "Merged", as CIAO's merge_obs has it.
    """
    cards = {}
    records = [o.metadata for o in result.observations]
    for key in _CARRIED:
        values = [
            r[key] for r in records if isinstance(r.get(key), (str, bool, int, float, np.generic))
        ]
        if not values or any(
            isinstance(v, (float, np.floating)) and not np.isfinite(v) for v in values
        ):
            continue
        if len(set(values)) == 1 and (len(records) == 1 or key not in _SUMMED):
            value = values[0].item() if isinstance(values[0], np.generic) else values[0]
            cards[key] = (_printable(value) if isinstance(value, str) else value, "")
        elif key in _SUMMED and len(values) == len(records):
            cards[key] = (float(sum(values)), "sum over observations")
        elif key == "OBS_ID":
            cards[key] = ("Merged", "several observations")
    bands = [r.get("energy_kev") for r in records]
    # A fit to all energies has no band to name.
    if all(
        isinstance(band, (tuple, list)) and len(band) == 2 and np.all(np.isfinite(band))
        for band in bands
    ):
        cards["ENERG_LO"] = (
            float(min(low for low, _ in bands)),
            "[keV] lower end of the energy band",
        )
        cards["ENERG_HI"] = (
            float(max(high for _, high in bands)),
            "[keV] upper end of the energy band",
        )
    cards["REFEXPO"] = (
        float(result.reference_exposure),
        f"[{result.exposure_unit or 'relative'}] reference exposure",
    )
    cards["NCOMP"] = (len(result.extended), "components of the mixture")
    cards["NPOINTS"] = (len(result.point_sources), "point sources beside them")
    cards["SEED"] = (int(result.seed), "seed of the fit")
    cards["CONVERGD"] = (bool(result.converged), "whether the fit converged")
    return cards


def _history(result, created, command):
    """HISTORY in the style of CIAO's tools, which dmhistory reads: 64 columns, then a running number."""
    parameters = {"command": command, **result.options} if command else dict(result.options)
    texts = [(f"TOOL  :gmmx   {created}",)]
    for name, value in parameters.items():
        value = value if isinstance(value, str) else json.dumps(value, default=str)
        text = _printable(f"{name}={value}")
        texts.append(
            tuple(
                ("CONT  :" if i else "PARM  :") + text[i : i + 56] for i in range(0, len(text), 56)
            )
        )
    return [
        f" {line:<63}ASC{i + 1:05d}"
        for i, line in enumerate(line for lines in texts for line in lines)
    ]


def _printable(text):
    """Text as FITS headers hold it: printable ASCII, the rest spelt out."""
    return "".join(c if " " <= c <= "~" else c.encode("unicode_escape").decode() for c in text)


def _fill_hdf5(file, images, result, created, command):
    """Images as datasets, each with its unit and its FITS header as text, from which astropy makes a WCS."""
    file.attrs.update(
        schema="gmmx-images",
        schema_version=1,
        gmmx_version=__version__,
        created=created,
        command=command or "",
    )
    if result.frame is not None:
        file.attrs.update(
            ra0=result.frame.ra0,
            dec0=result.frame.dec0,
            projection="TAN",
            radesys=result.frame.radesys,
        )
    for key, (value, _) in keywords(result).items():
        file.attrs[key] = value
    for name, image in images.items():
        its = _spoken_of(name, result)
        data = file.create_dataset(
            name,
            data=image.values,
            chunks=True,
            shuffle=True,
            compression="gzip",
            compression_opts=1,
        )
        header = fits.Header(wcs_cards(image.grid, its.frame, its.observations[0].physical))
        data.attrs.update(
            unit=image.unit,
            origin=image.grid.origin,
            matrix=image.grid.matrix,
            header=header.tostring(sep="\n"),
        )
        if its is not result:
            data.attrs.update({key: value for key, (value, _) in keywords(its).items()})
