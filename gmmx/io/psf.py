"""PSF maps: radii that enclose a fraction of the PSF, as CIAO's mkpsfmap writes them."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike

import numpy as np

from ..errors import DataError, DataWarning, InputError
from ..model.psf import PsfModel
from ..plane.frame import PhysicalFrame, SkyFrame
from ..plane.grid import PixelGrid
from ..plane.resample import block_means
from ..telescope.encircled import through_radii
from ._plane import FitsImage, on_plane
from ._radius_unit import radius_unit
from .maps import read_image

# Largest number of nodes along a side of a PSF model.
MAX_PSF_NODES = 96
# Largest standard deviation of a PSF that is believed [arcsec].
LARGEST_SIGMA = 1800.0
# Encircled fractions that differ by less are the same.
SAME_FRACTION = 1e-3


@dataclass(frozen=True, eq=False, kw_only=True)
class RadiiMap:
    """A map of radii that is reduced to nodes.

    Attributes
    ----------
    image : FitsImage
    unit : str
        BUNIT.
    ecf : float
        Encircled fraction of the radii.
    grid : PixelGrid
        The nodes.
    variances : (ny, nx) array
        Variances of the Gaussians with this fraction within the radii [arcsec**2]; NaN outside
        the field.
    """

    image: FitsImage
    unit: str
    ecf: float
    grid: PixelGrid
    variances: np.ndarray

    @property
    def filled(self) -> np.ndarray:
        """Variances, those of the nearest node outside the field, (ny, nx)."""
        # Imported here because it takes 0.1 s.
        from scipy.ndimage import distance_transform_edt

        nearest = distance_transform_edt(
            np.isnan(self.variances), return_distances=False, return_indices=True
        )
        return self.variances[tuple(nearest)]

    @property
    def name(self) -> str:
        """Name of the file, the fraction and the energy, for people."""
        energy = self.image.number("ENERGY", "keV")
        energy = f" at {energy:g} keV" if energy else ""
        return f"{self.image.name}: ECF {self.ecf:g}{energy}"

    def model(self, description: str = "") -> PsfModel:
        """Return one round Gaussian for each node.

        Parameters
        ----------
        description : str

        Returns
        -------
        PsfModel
        """
        return PsfModel(
            grid=self.grid,
            weights=np.ones((*self.grid.shape, 1)),
            covariances=self.filled[..., None, None, None] * np.eye(2),
            description=description,
        )

    def radii_at(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the radii at positions [arcsec].

        Parameters
        ----------
        x, y : (n,) array
            [arcsec].
        """
        variances = self.model().at(x, y)[1][:, 0, 0, 0]
        return np.sqrt(-2 * np.log1p(-self.ecf) * variances)

    def is_inside(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return which positions [arcsec] are in the field of the map, (n,) booleans."""
        ix, iy, on_map = self.grid.locate(x, y)
        return np.isfinite(self.variances[iy, ix]) & on_map


def read_psf_map(
    path: str | PathLike,
    *,
    frame: SkyFrame,
    physical: PhysicalFrame | None = None,
    ecf: float | None = None,
) -> PsfModel:
    """Read a map of radii, as Gaussians of ``sigma = R / sqrt(-2 ln(1 - ECF))``.

    The map is reduced to at most 96 nodes a side by means of sigma**2 over blocks. Outside the
    field, where it is NaN or 0, the value of the nearest node is taken.

    Parameters
    ----------
    path : str or Path
        Radii in an angular unit, in pixels of the map (BUNIT "logical") or in sky pixels of the
        telescope ("physical").
    frame : SkyFrame
        The plane in which the nodes are wanted.
    physical : PhysicalFrame, optional
        The telescope's sky pixels in that plane.
    ecf : float, optional
        The encircled fraction; without it ECF of the header.

    Returns
    -------
    PsfModel
        One round Gaussian for each node.

    Raises
    ------
    DataError, InputError
        If the map cannot be read, has negative radii or none above 0, or if its encircled fraction
        is not known or not between 0 and 1.

    Examples
    --------
    >>> from gmmx.io.events import read_events
    >>> events = read_events("data_samples/events.fits.gz")
    >>> read_psf_map("data_samples/psfmap.fits.gz", frame=events.frame).n_gaussians
    1
    """
    radii = _read_radii(read_image(path), frame, physical, ecf)
    low, middle, high = np.sqrt(np.nanquantile(radii.variances, (0, 0.5, 1)))
    return radii.model(
        f"PSF map {radii.name}, radii in {radii.unit}, "
        f'Gaussian sigma {low:.2f}" to {high:.2f}" (median {middle:.2f}")'
    )


def read_psf_maps(
    paths: Sequence[str | PathLike], *, frame: SkyFrame, physical: PhysicalFrame | None = None
) -> PsfModel:
    """Read maps of one PSF at two or three encircled fractions.

    The PSF has as many Gaussians as there are maps, and they pass through all radii
    (`telescope.encircled.through_radii`). Its nodes are those of the first map.

    Parameters
    ----------
    paths : sequence of str or Path
    frame, physical
        As for `read_psf_map`.

    Returns
    -------
    PsfModel

    Raises
    ------
    DataError, InputError
        As from `read_psf_map`, or if there are more than three maps, two maps of one fraction, or
        maps that do not overlap.
    """
    maps = sorted(
        (_read_radii(read_image(path), frame, physical, None) for path in paths),
        key=lambda one: one.ecf,
    )
    _check_fractions(maps)
    grid = next(one.grid for one in maps if one.image.path == str(paths[0]))
    x, y = (v.ravel() for v in grid.centres())
    for one in maps:
        if not one.grid.locate(x, y)[2].any():
            raise DataError(
                f"{one.image.path}: the PSF map does not overlap {paths[0]}: "
                "are they of one pointing?"
            )
    radii = np.stack([one.radii_at(x, y) for one in maps], axis=1)
    found = through_radii([one.ecf for one in maps], radii)
    # Nodes outside the field hold copies of others, which the counts leave out.
    inside = np.logical_and.reduce([one.is_inside(x, y) for one in maps])
    numbers = _numbers_of_gaussians(found.n_gaussians[inside], len(maps), paths)
    shape, j = grid.shape, len(maps)
    names = "; ".join(one.name for one in maps)
    return PsfModel(
        grid=grid,
        weights=found.weights.reshape(*shape, j),
        covariances=found.variances.reshape(*shape, j, 1, 1) * np.eye(2),
        description=f"PSF maps {names}: Gaussians through their radii: {numbers}",
    )


def _check_fractions(maps):
    """Refuse more than three maps, and maps of the same fraction."""
    fractions = np.array([one.ecf for one in maps])
    if len(maps) > 3 or np.any(np.diff(fractions) < SAME_FRACTION):
        given = ", ".join(f"{one.image.path} {one.ecf:g}" for one in maps)
        raise InputError(
            f"`psf`: maps of two or three different encircled fractions can be joined, got {given}",
            parameter="psf",
        )


def _numbers_of_gaussians(n_gaussians, most, paths):
    """Return in words at how many nodes there are how many Gaussians.

    If most nodes have fewer Gaussians than there are maps, that is a warning.
    """
    counts = {n: int(np.count_nonzero(n_gaussians == n)) for n in range(most, 0, -1)}
    if counts[most] < len(n_gaussians) / 2:
        fewer = len(n_gaussians) - counts[most]
        warnings.warn(
            f"{', '.join(map(str, paths))}: no {most} Gaussians pass through the radii at "
            f"{fewer} of {len(n_gaussians)} nodes, fewer are taken",
            DataWarning,
            stacklevel=3,
        )
    return ", ".join(f"{n} at {count} nodes" for n, count in counts.items() if count)


def _read_radii(image, frame, physical, ecf):
    """Bring a map of radii to the plane, and reduce it to nodes."""
    path = image.path
    fraction = _encircled_fraction(image, ecf)
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
    unit, scale = radius_unit(image, grid, physical)
    sigma = radius * scale / np.sqrt(-2 * np.log1p(-fraction))
    if sigma.max() > LARGEST_SIGMA:
        raise DataError(
            f"{path}: radii of up to {radius.max():.4g} in {unit} at the encircled fraction "
            f"{fraction:g} are those of a PSF with a sigma of {sigma.max():.4g} arcsec, larger "
            "than any telescope's: correct BUNIT, ECF or the map",
            parameter="psf",
        )
    grid, variances = block_means(grid, np.where(sigma > 0, sigma**2, np.nan), MAX_PSF_NODES)
    return RadiiMap(image=image, unit=unit, ecf=fraction, grid=grid, variances=variances)


def _encircled_fraction(image, ecf):
    """Return the encircled fraction that was given, or else that of the header."""
    where, error = "`psf_ecf` =", InputError
    if ecf is None:
        ecf, where, error = image.number("ECF"), "ECF", DataError
        if ecf is None:
            raise DataError(
                f"{image.path}: no ECF in the header of the PSF map: "
                "give the encircled fraction of its radii with `psf_ecf`",
                parameter="psf_ecf",
            )
    if 0 < ecf < 1:
        return float(ecf)
    hint = f"did you mean {ecf / 100:g}?" if 1 < ecf < 100 else "give it with `psf_ecf`"
    raise error(
        f"{image.path}: {where} {ecf:g}: the encircled fraction lies between 0 and 1: {hint}",
        parameter="psf_ecf",
    )
