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

_EQUINOXES = {"FK5": 2000.0, "FK4": 1950.0}


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
    wcs.wcs.radesys = frame.radesys
    wcs.wcs.lonpole = cards.get("LONPOLE", np.nan)
    wcs.wcs.equinox = cards.get("EQUINOX", np.nan)
    wcs.array_shape = grid.shape
    return wcs


def column_cards(
    frame: SkyFrame, physical: PhysicalFrame, numbers: tuple[int, int]
) -> dict[str, str | float]:
    """FITS keywords that place two columns of physical pixels on the sky.

    Parameters
    ----------
    frame : SkyFrame
    physical : PhysicalFrame
        The pixels of the columns.
    numbers : (int, int)
        Numbers of the columns X and Y, counted from 1.

    Returns
    -------
    dict of str to str or float
        TCTYPn, TCRVLn, TCRPXn, TCDLTn and TCUNIn, and RADESYS; the matrix TPCn_k if the pixels
        are turned.

    Examples
    --------
    >>> physical = PhysicalFrame(4096.5, 4096.5, 0.492, 0.492)
    >>> cards = column_cards(SkyFrame(202.47, 47.195), physical, (5, 6))
    >>> cards["TCTYP5"], cards["TCRVL5"], cards["TCRPX5"], cards["TCDLT5"]
    ('RA---TAN', 202.47, 4096.5, -0.00013666666666666666)
    """
    cards: dict[str, str | float] = {}
    matrix = np.diag([-1, 1]) @ physical.matrix
    sides = matrix.diagonal() if physical.is_aligned else np.hypot(*matrix.T) * [-1, 1]
    for i, (kind, value, pixel) in enumerate(
        (("RA---TAN", frame.ra0, physical.x0), ("DEC--TAN", frame.dec0, physical.y0))
    ):
        n = numbers[i]
        cards |= {f"TCTYP{n}": kind, f"TCRVL{n}": value, f"TCRPX{n}": pixel}
        cards |= {f"TCDLT{n}": float(sides[i] / 3600), f"TCUNI{n}": "deg"}
        if not physical.is_aligned:
            cards |= {f"TPC{n}_{numbers[j]}": float(matrix[i, j] / sides[i]) for j in range(2)}
    if frame.dec0 == 90:
        cards[f"LONP{numbers[0]}"] = 180.0
    cards["RADESYS"] = frame.radesys
    if frame.radesys in _EQUINOXES:
        cards["EQUINOX"] = _EQUINOXES[frame.radesys]
    return cards


def _celestial_cards(grid: PixelGrid, frame: SkyFrame) -> dict[str, str | float]:
    # x runs west: the projection plane of the FITS standard is (-x, y) in degrees.
    to_degrees = np.diag([-1, 1]) @ grid.matrix / 3600
    reference = np.array(grid.to_pixels(0.0, 0.0)) + 1
    cards: dict[str, str | float] = {}
    for i, (name, value) in enumerate((("RA---TAN", frame.ra0), ("DEC--TAN", frame.dec0))):
        cards[f"CTYPE{i + 1}"] = name
        cards[f"CRVAL{i + 1}"] = value
        cards[f"CRPIX{i + 1}"] = _tidy(reference[i])
        cards |= _scale_cards(grid.is_aligned, to_degrees, i, "")
        cards[f"CUNIT{i + 1}"] = "deg"
    if frame.dec0 == 90:
        # At the pole the standard's default would turn the plane by 180 degrees.
        cards["LONPOLE"] = 180.0
    cards["RADESYS"] = frame.radesys
    if frame.radesys in _EQUINOXES:
        cards["EQUINOX"] = _EQUINOXES[frame.radesys]
    return cards


def _physical_cards(grid: PixelGrid, physical: PhysicalFrame) -> dict[str, str | float]:
    # FITS pixels p count from 1: plane = origin + matrix (p - 1), and physical pixels are linear
    # in the plane.
    if physical.is_aligned:
        to_physical = grid.matrix / physical.matrix.diagonal()[:, None]
    else:
        to_physical = np.linalg.solve(physical.matrix, grid.matrix)
    is_diagonal = PhysicalFrame.from_matrix(0, 0, to_physical).is_aligned
    edge = np.array(physical.to_physical(*grid.to_plane(-0.5, -0.5)))
    cards: dict[str, str | float] = {"WCSNAMEP": "PHYSICAL"}
    for i, axis in enumerate("xy"):
        cards[f"CTYPE{i + 1}P"] = axis
        cards[f"CRVAL{i + 1}P"] = _tidy(edge[i])
        cards[f"CRPIX{i + 1}P"] = 0.5
        cards |= _scale_cards(is_diagonal, to_physical, i, "P")
    to_image = np.linalg.inv(to_physical)
    shift = 0.5 - to_image @ edge
    for i in range(2):
        cards[f"LTV{i + 1}"] = _tidy(shift[i])
        for j in range(2):
            if i == j or not is_diagonal:
                cards[f"LTM{i + 1}_{j + 1}"] = _tidy(to_image[i, j])
    return cards


def _scale_cards(is_diagonal: bool, matrix: np.ndarray, i: int, key: str) -> dict[str, float]:
    """CDELT of one axis where the matrix is diagonal, else its row of the CD matrix."""
    if is_diagonal:
        return {f"CDELT{i + 1}{key}": _tidy(matrix[i, i])}
    return {f"CD{i + 1}_{j + 1}{key}": _tidy(matrix[i, j]) for j in range(2)}


def _tidy(value: float) -> float:
    """A number without rounding noise, so that headers say 8.0 and not 7.999999999999741."""
    return float(f"{value:.12g}")
