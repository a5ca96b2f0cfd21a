"""World coordinates of a pixel grid, as an astropy WCS and as FITS keywords.

The keywords are those that CIAO's tools write: a celestial tangent projection, the telescope's
physical pixels as an alternate WCS "P", and the same relation as LTV and LTM for IRAF and DS9
(Greisen & Calabretta 2002, A&A 395, 1061; Calabretta & Greisen 2002, A&A 395, 1077). They are
written here because `WCS.to_header` knows neither LTV nor LTM, and writes a PC matrix that
CIAO's tools do not expect.
"""

from typing import TYPE_CHECKING

import numpy as np

from .frame import PhysicalFrame, SkyFrame
from .grid import PixelGrid

if TYPE_CHECKING:
    from astropy.wcs import WCS


def wcs_cards(
    grid: PixelGrid, frame: SkyFrame | None, physical: PhysicalFrame | None = None
) -> dict[str, str | float]:
    """FITS keywords that place the pixels of a grid on the sky and in physical coordinates.

    Parameters
    ----------
    grid : PixelGrid
        The pixels.
    frame : SkyFrame or None
        The tangent plane of the grid. Without one there are no celestial keywords.
    physical : PhysicalFrame, optional
        The telescope's pixels in that plane. Without them there are no physical keywords.

    Returns
    -------
    dict of str to str or float
        Keyword and value, in the order of a header.

    Examples
    --------
    >>> grid = PixelGrid.covering((-50, 50), (-50, 50), 2.0)
    >>> cards = wcs_cards(grid, SkyFrame(202.47, 47.195))
    >>> cards["CTYPE1"], cards["CRVAL1"], cards["CRPIX1"], cards["CDELT1"]
    ('RA---TAN', 202.47, 25.5, -0.000555555555556)
    """
    cards: dict[str, str | float] = {}
    if physical is not None:
        cards |= _physical_cards(grid, physical)
    if frame is not None:
        cards |= _celestial_cards(grid, frame)
    return cards


def wcs_of(grid: PixelGrid, frame: SkyFrame) -> "WCS":
    """Make the astropy WCS of a grid in a tangent plane.

    Parameters
    ----------
    grid : PixelGrid
    frame : SkyFrame

    Returns
    -------
    astropy.wcs.WCS
        Two celestial axes, RA---TAN and DEC--TAN. Its pixel (0, 0) is the grid's.

    Examples
    --------
    >>> wcs = wcs_of(PixelGrid.covering((-40, 40), (-30, 30), 2.0), SkyFrame(150.0, 20.0))
    >>> print(wcs.pixel_to_world(19.5, 14.5).to_string("hmsdms"))
    10h00m00s +20d00m00s
    """
    # Imported here because it takes a tenth of a second, which --help should not wait for.
    from astropy.wcs import WCS

    cards, wcs = _celestial_cards(grid, frame), WCS(naxis=2)
    for name in ("ctype", "crval", "crpix", "cunit"):
        setattr(wcs.wcs, name, [cards[f"{name.upper()}{i}"] for i in (1, 2)])
    if grid.is_aligned:
        wcs.wcs.cdelt = [cards[f"CDELT{i}"] for i in (1, 2)]
    else:
        wcs.wcs.cd = [[cards[f"CD{i}_{j}"] for j in (1, 2)] for i in (1, 2)]
    wcs.wcs.radesys = frame.radesys.upper()
    wcs.wcs.lonpole = cards.get("LONPOLE", np.nan)
    wcs.wcs.equinox = cards.get("EQUINOX", np.nan)
    wcs.array_shape = grid.shape
    return wcs


def _celestial_cards(grid: PixelGrid, frame: SkyFrame) -> dict[str, str | float]:
    # x runs west: the projection plane of the FITS standard is (-x, y) in degrees.
    to_degrees = np.diag([-1, 1]) @ grid.matrix / 3600
    reference = np.array(grid.to_pixels(0.0, 0.0)) + 1
    cards: dict[str, str | float] = {}
    for i, (name, value) in enumerate((("RA---TAN", frame.ra0), ("DEC--TAN", frame.dec0))):
        cards[f"CTYPE{i + 1}"] = name
        cards[f"CRVAL{i + 1}"] = value
        cards[f"CRPIX{i + 1}"] = _tidy(reference[i])
        cards |= _scale_cards(grid, to_degrees, i, "")
        cards[f"CUNIT{i + 1}"] = "deg"
    if frame.dec0 == 90:
        # At the pole the standard's default would turn the plane by 180 degrees.
        cards["LONPOLE"] = 180.0
    cards["RADESYS"] = frame.radesys
    if frame.radesys.upper() == "FK5":
        cards["EQUINOX"] = 2000.0
    return cards


def _physical_cards(grid: PixelGrid, physical: PhysicalFrame) -> dict[str, str | float]:
    # FITS pixels p count from 1: plane = origin + matrix (p - 1), physical = plane / step + zero.
    scale = np.array([physical.step_x, physical.step_y])
    to_physical = grid.matrix / scale[:, None]
    edge = grid.to_plane(-0.5, -0.5) / scale + [physical.x0, physical.y0]
    cards: dict[str, str | float] = {"WCSNAMEP": "PHYSICAL"}
    for i, axis in enumerate("xy"):
        cards[f"CTYPE{i + 1}P"] = axis
        cards[f"CRVAL{i + 1}P"] = _tidy(edge[i])
        cards[f"CRPIX{i + 1}P"] = 0.5
        cards |= _scale_cards(grid, to_physical, i, "P")
    to_image = np.linalg.inv(to_physical)
    shift = 0.5 - to_image @ edge
    for i in range(2):
        cards[f"LTV{i + 1}"] = _tidy(shift[i])
        for j in range(2):
            if i == j or not grid.is_aligned:
                cards[f"LTM{i + 1}_{j + 1}"] = _tidy(to_image[i, j])
    return cards


def _scale_cards(grid: PixelGrid, matrix: np.ndarray, i: int, key: str) -> dict[str, float]:
    """CDELT of one axis where the grid is aligned with the plane, else its row of the CD matrix."""
    if grid.is_aligned:
        return {f"CDELT{i + 1}{key}": _tidy(matrix[i, i])}
    return {f"CD{i + 1}_{j + 1}{key}": _tidy(matrix[i, j]) for j in range(2)}


def _tidy(value: float) -> float:
    """A number without rounding noise, so that headers say 8.0 and not 7.999999999999741."""
    return float(f"{value:.12g}")
