"""Where a PSF comes from on disk: maps of radii as mkpsfmap writes them, pictures of a point source, and the library of the Chandra mirrors."""

import warnings
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from ..errors import DataError, DataWarning, InputError
from ..model.psf import PsfModel
from ..plane.frame import SkyFrame
from ..plane.grid import PixelGrid
from ..plane.resample import block_means
from ..telescope.chandra_psf import PsfLibrary
from ..telescope.encircled import through_radii
from ._plane import FitsImage, on_plane
from .maps import read_image
from .psf_image import is_compact

MAX_PSF_NODES = 96
ARCSEC_PER_UNIT = {"arcsec": 1.0, "arcmin": 60.0, "deg": 3600.0, "degree": 3600.0}
PIXEL_UNITS = ("logical", "pixel", "pixels", "image")
LIBRARY = "chandra_psf.ecsv"


def read_chandra_library():
    """The PSF library that comes with gmmx, a PsfLibrary.

    The table is ECSV without quotes in its rows, read as plain text: astropy's reader takes fifty times as long.
    """
    rows = [
        line.split(" ")
        for line in files(__package__.split(".")[0])
        .joinpath("data", LIBRARY)
        .read_text("ascii")
        .splitlines()
        if line[0] != "#"
    ]
    columns = dict(zip(rows[0], zip(*rows[1:], strict=True), strict=True))
    wanted = ("theta", "phi", "energy", "component", "weight", "sigma_major", "sigma_minor", "pa")
    return PsfLibrary.of(
        detector=np.array(columns["detector"]),
        **{name: np.array(columns[name], np.float64) for name in wanted},
    )


def is_picture(image, ecf=None):
    """Whether a FITS image is the picture of a point source (True) or a map of radii (False).

    A map says what it is: it has an ECF keyword (or the fraction was given), or a BUNIT that a radius can have. An image that says neither is a picture where
    it shows one compact source (`psf_image.is_compact`). A unit alone does not make a picture: counts, photons and none at all are as common.

    Raises
    ------
    DataError
        When it is neither.
    """
    if (
        ecf is not None
        or image.number("ECF") is not None
        or image.text("BUNIT").lower() in (*ARCSEC_PER_UNIT, *PIXEL_UNITS, "physical")
    ):
        return False
    if is_compact(image.values):
        return True
    raise DataError(
        f"{image.path}: neither a PSF map, because its header has no ECF, nor the image of one "
        "compact point source: if it is a PSF map, give its encircled fraction with `psf_ecf`",
        parameter="psf",
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class Radii:
    """A map of radii, reduced to nodes: variances (ny, nx) [arcsec**2] of the Gaussians that have share `ecf` within its radii; NaN outside the field."""

    image: FitsImage
    unit: str
    ecf: float
    grid: PixelGrid
    variances: np.ndarray

    @property
    def filled(self):
        """Variances, outside the field those of the nearest node."""
        # Loaded where it is needed: that takes a tenth of a second.
        from scipy.ndimage import distance_transform_edt

        return self.variances[
            tuple(
                distance_transform_edt(
                    np.isnan(self.variances), return_distances=False, return_indices=True
                )
            )
        ]

    @property
    def name(self):
        """The file's name and the fraction."""
        energy = f" at {self.image.number('ENERGY'):g} keV" if self.image.number("ENERGY") else ""
        return f"{self.image.path.rsplit('/', 1)[-1]}: ECF {self.ecf:g}{energy}"

    def model(self, description=""):
        """The single round Gaussians, as a PsfModel."""
        covariances = self.filled[..., None, None, None] * np.eye(2)
        return PsfModel(
            grid=self.grid,
            weights=np.ones((*self.grid.shape, 1)),
            covariances=covariances,
            description=description,
        )


def read_psf_map(path, *, frame, physical=None, ecf=None):
    """Read a map of radii that enclose a fraction of the PSF, as Gaussians of ``sigma = R / sqrt(-2 ln(1 - ECF))``.

    The map is reduced to at most 96 nodes a side by means of sigma**2 over blocks; where it is NaN or 0, outside the field, the nearest value is taken.

    Parameters
    ----------
    path : str or Path
        Radii in the unit that BUNIT tells: arcsec, logical (pixels of the map) or physical (sky pixels of the telescope).
    frame, physical
        As for `read_exposure`.
    ecf : float, optional
        The encircled fraction, over the header's ECF.

    Returns
    -------
    PsfModel
        One round Gaussian per node.

    Raises
    ------
    DataError, InputError
        When the map cannot be read, has no positive radius or negative ones, or its ECF is not known or not between 0 and 1.
    """
    radii = _read_radii(read_image(path), frame, physical, ecf)
    low, middle, high = np.sqrt(np.nanquantile(radii.variances, (0, 0.5, 1)))
    return radii.model(
        f'PSF map {radii.name}, radii in {radii.unit}, Gaussian sigma {low:.2f}" to {high:.2f}" (median {middle:.2f}")'
    )


def read_psf_maps(paths, *, frame, physical=None):
    """Read maps of one PSF at two or three encircled fractions, as mixtures of as many Gaussians that pass through all of them (`encircled.through_radii`).

    The mixtures stand on the first map's nodes; the other maps are brought there.

    Parameters
    ----------
    paths : sequence of str or Path
    frame, physical
        As for `read_exposure`.

    Returns
    -------
    PsfModel

    Raises
    ------
    DataError, InputError
        As from `read_psf_map`; when there are more than three maps, or two of one fraction, or they do not overlap.
    """
    maps = sorted(
        (_read_radii(read_image(path), frame, physical, None) for path in paths),
        key=lambda m: m.ecf,
    )
    shares = np.array([m.ecf for m in maps])
    if len(maps) > 3 or np.any(np.diff(shares) < 1e-3):
        told = ", ".join(f"{m.image.path} {m.ecf:g}" for m in maps)
        raise InputError(
            f"psf: maps of two or three different encircled fractions can be joined, got {told}"
        )
    grid = next(m.grid for m in maps if m.image.path == str(paths[0]))
    x, y = (v.ravel() for v in grid.centres())
    for m in maps:
        if not m.grid.locate(x, y)[2].any():
            raise DataError(
                f"{m.image.path}: the PSF map does not overlap {paths[0]}: are they of one pointing?"
            )
    radii = np.stack(
        [np.sqrt(-2 * np.log1p(-m.ecf) * m.model().at(x, y)[1][:, 0, 0, 0]) for m in maps], axis=1
    )
    found = through_radii(shares, radii)
    # Outside the field values are only filled in: nobody need know how that went.
    inside = np.logical_and.reduce(
        [np.isfinite(m.variances[i[1], i[0]]) & i[2] for m in maps for i in (m.grid.locate(x, y),)]
    )
    counts = [
        int(np.count_nonzero(found.n_gaussians[inside] == n)) for n in range(len(maps), 0, -1)
    ]
    told = ", ".join(
        f"{n} at {count} nodes"
        for n, count in zip(range(len(maps), 0, -1), counts, strict=True)
        if count
    )
    if counts[0] < inside.sum() / 2:
        where = f"{inside.sum() - counts[0]} of {inside.sum()} nodes"
        message = f"{', '.join(map(str, paths))}: no {len(maps)} Gaussians pass through the radii at {where}, fewer are taken"
        warnings.warn(message, DataWarning, stacklevel=2)
    shape, j = grid.shape, len(maps)
    covariances = found.variances.reshape(*shape, j, 1, 1) * np.eye(2)
    description = (
        f"PSF maps {'; '.join(m.name for m in maps)}: Gaussians through their radii: {told}"
    )
    return PsfModel(
        grid=grid,
        weights=found.weights.reshape(*shape, j),
        covariances=covariances,
        description=description,
    )


def picture_grid(image, frame, physical=None):
    """Pixel grid and values of the picture of a point source, north up as at its own place.

    Parameters
    ----------
    image : FitsImage
    frame : SkyFrame
        Of the events; its celestial system is taken.
    physical : PhysicalFrame, optional
        Sky pixels of the events, for a picture that has only physical coordinates.

    Raises
    ------
    DataError
        When the header does not tell how large a pixel is.
    """
    values = np.where(np.isfinite(image.values), image.values, 0.0)
    at = image.number("CRVAL1"), image.number("CRVAL2")
    here = image.text("CTYPE1").startswith("RA") and None not in at
    try:
        return on_plane(
            image, values, SkyFrame(*at, frame.radesys) if here else frame, physical, fill=0.0
        )
    except DataError as error:
        raise DataError(f"{error}: the size of the PSF image's pixels is not known") from None


def _read_radii(image, frame, physical, ecf):
    path = image.path
    share = _encircled_fraction(image, ecf)
    radius = np.where(np.isfinite(image.values), image.values, 0.0)
    if radius.min() < 0:
        raise DataError(
            f"{path}: a PSF map holds radii, this one reaches {radius.min():.4g}: is it a PSF map?"
        )
    if not radius.any():
        raise DataError(
            f"{path}: the PSF map has no radius above zero: make it again with CIAO mkpsfmap, or "
            "give a sigma in arcsec with `psf`",
            parameter="psf",
        )
    grid, radius = on_plane(image, radius, frame, physical, fill=0.0)
    unit, scale = _radius_unit(image, grid, physical)
    sigma = radius * scale / np.sqrt(-2 * np.log1p(-share))
    grid, variances = block_means(grid, np.where(sigma > 0, sigma**2, np.nan), MAX_PSF_NODES)
    return Radii(image=image, unit=unit, ecf=share, grid=grid, variances=variances)


def _encircled_fraction(image, ecf):
    """The encircled fraction that was asked for, or else the header's."""
    asked = ecf is not None
    if not asked:
        ecf = image.number("ECF")
    if ecf is None:
        raise DataError(
            f"{image.path}: no ECF in the header of the PSF map: give the encircled fraction of "
            "its radii with `psf_ecf`",
            parameter="psf_ecf",
        )
    if 0 < ecf < 1:
        return float(ecf)
    name, error = ("`psf_ecf` =", InputError) if asked else ("ECF", DataError)
    hint = f"did you mean {ecf / 100:g}?" if 1 < ecf < 100 else "give it with `psf_ecf`"
    raise error(
        f"{image.path}: {name} {ecf:g}: the encircled fraction lies between 0 and 1: {hint}",
        parameter="psf_ecf",
    )


def _radius_unit(image, grid, physical):
    """The unit of a PSF map's radii, and its size [arcsec]."""
    unit = image.text("BUNIT").lower()
    if not unit:
        warnings.warn(
            f"{image.path}: no BUNIT: the radii of the PSF map are taken to be in arcsec",
            DataWarning,
            stacklevel=3,
        )
        return "arcsec", 1.0
    if unit in ARCSEC_PER_UNIT:
        return unit, ARCSEC_PER_UNIT[unit]
    if unit in PIXEL_UNITS:
        return unit, grid.step
    if unit == "physical":
        if physical is not None:
            return unit, np.sqrt(abs(physical.step_x * physical.step_y))
        if image.number("CDELT1P"):
            return unit, grid.step / abs(image.number("CDELT1P"))
    raise DataError(
        f"{image.path}: BUNIT {unit!r} of the PSF map is not understood: radii are in arcsec, logical or physical pixels"
    )
