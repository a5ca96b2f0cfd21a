"""The part of the sky that panels show, and the coordinates at their edges.

A panel's data coordinates are the pixels of one grid, so that astropy's WCSAxes can label them.
`Sky.points` brings positions of the tangent plane there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ...plane.frame import SkyFrame
from ...plane.grid import PixelGrid
from ...plane.wcs import wcs_of
from .style import MEDIUM, SMALL
from .ticks import Notation, place_ticks

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord
    from astropy.wcs import WCS

# Offsets are in arcmin from this width on [arcsec].
_WIDE = 240.0
# Positions along an edge at which a coordinate is known.
_STEPS = 200
_NAMES = {
    "icrs": ("RA (ICRS)", "Dec (ICRS)"),
    "galactic": ("Galactic longitude", "Galactic latitude"),
}


@dataclass(frozen=True, eq=False)
class Sky:
    """The part of the plane that the panels of a figure show.

    Parameters
    ----------
    grid : PixelGrid
        Its pixels are the data coordinates of the panels. Its axes are those of the plane.
    frame : SkyFrame or None
        Tangent plane; without one the panels are labelled with x and y [arcsec].
    x, y : (float, float)
        Limits in the plane [arcsec].
    """

    grid: PixelGrid
    frame: SkyFrame | None
    x: tuple[float, float]
    y: tuple[float, float]

    @property
    def wcs(self) -> WCS:
        """The WCS that labels the panels."""
        if self.frame is not None:
            return wcs_of(self.grid, self.frame)
        from astropy.wcs import WCS

        wcs = WCS(naxis=2)
        wcs.wcs.cunit = "arcsec", "arcsec"
        wcs.wcs.cname = "x", "y"
        wcs.wcs.crpix = np.array(self.grid.to_pixels(0.0, 0.0)) + 1
        wcs.wcs.crval = 0.0, 0.0
        wcs.wcs.cdelt = np.diag(self.grid.matrix)
        return wcs

    @property
    def width(self) -> float:
        """Width of the part shown [arcsec]."""
        return self.x[1] - self.x[0]

    @property
    def aspect(self) -> float:
        """Height over width of the part shown."""
        return (self.y[1] - self.y[0]) / self.width

    @property
    def middle(self) -> tuple[float, float]:
        """The middle of the part shown [arcsec]."""
        return sum(self.x) / 2, sum(self.y) / 2

    @cached_property
    def centre(self) -> SkyCoord | None:
        """The direction of the middle; None without a tangent plane."""
        return None if self.frame is None else self.direction(*self.middle)

    def direction(self, x: ArrayLike, y: ArrayLike) -> SkyCoord:
        """The directions of positions in the plane [arcsec]."""
        from astropy.coordinates import SkyCoord

        assert self.frame is not None
        return SkyCoord(*self.frame.to_sky(x, y), unit="deg", frame=self.frame.radesys.lower())

    def points(self, xy: np.ndarray) -> np.ndarray:
        """Data coordinates of positions (n, 2) in the plane [arcsec]."""
        return np.stack(self.grid.to_pixels(*np.asarray(xy, np.float64).T), axis=-1)

    def length(self, arcsec: float) -> float:
        """A length [arcsec] in data coordinates."""
        return arcsec / self.grid.step

    def inside(self, xy: np.ndarray) -> np.ndarray:
        """Whether positions (n, 2) in the plane [arcsec] are shown."""
        x, y = np.asarray(xy).T
        return (x > self.x[0]) & (x < self.x[1]) & (y > self.y[0]) & (y < self.y[1])

    def directions(self, x: float, y: float) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors to north and east in the plane at a position [arcsec]."""
        assert self.frame is not None
        angle = np.radians(float(self.frame.north(x, y)))
        north = np.array([-np.sin(angle), np.cos(angle)])
        return north, np.array([-north[1], north[0]])


def dress(
    axes: Any,
    sky: Sky,
    *,
    coords: str = "icrs",
    degrees: bool = False,
    left: bool = True,
    bottom: bool = True,
    ink: str = "0.75",
) -> None:
    """Set the limits of a panel, and write coordinates at its left and bottom edge.

    Parameters
    ----------
    axes : WCSAxes
    sky : Sky
    coords : {"icrs", "galactic", "offset"}
    degrees : bool
        Whether coordinates are decimal.
    left, bottom : bool
        Which edges get labels.
    ink : color
        Of the ticks.
    """
    (x0, y0), (x1, y1) = sky.points(np.stack([sky.x, sky.y], axis=1))
    axes.set_xlim(x0, x1)
    axes.set_ylim(y0, y1)
    axes.set_aspect("equal")
    shown, names, system = _coordinates(axes, sky, coords)
    swapped = system is not None and _lies_across(sky, system)
    for index, (coordinate, name) in enumerate(zip(shown, names, strict=True)):
        at_left = (index == 1) != swapped
        edge, labelled = ("l", left) if at_left else ("b", bottom)
        _place(coordinate, edge, name, labelled)
        # Labels along the axis leave more room for the pictures.
        turn = {"rotation": 90} if at_left else {}
        coordinate.set_ticklabel(size=SMALL, exclude_overlapping=True, **turn)
        coordinate.tick_params(direction="in", color=ink, length=3.0, width=0.6)
        if system is None:
            coordinate.set_ticks(number=4)
        else:
            values = _along(sky, system, index, at_left)
            notation = _notation(sky, coords, degrees, index)
            place_ticks(coordinate, values, _length(axes, at_left), notation)
    axes.coords.frame.set_color("0.35")
    axes.coords.frame.set_linewidth(0.6)


def _coordinates(axes, sky, coords):
    """The two coordinates that are labelled, their names, and their celestial system."""
    if sky.frame is None:
        return list(axes.coords), ("x [arcsec]", "y [arcsec]"), None
    if coords == "icrs" and sky.frame.radesys == "ICRS":
        return list(axes.coords), _NAMES["icrs"], "icrs"
    names, system = _NAMES.get(coords), coords
    if coords == "offset":
        from astropy.coordinates import SkyOffsetFrame

        system = SkyOffsetFrame(origin=sky.centre.icrs)
        names = "RA offset", "Dec offset"
    for coordinate in axes.coords:
        coordinate.set_ticks_visible(False)
        coordinate.set_ticklabel_visible(False)
        coordinate.set_axislabel("")
    overlay = axes.get_coords_overlay(system)
    shown = [overlay[0], overlay[1]]
    if coords == "offset":
        from astropy import units

        shown[0].set_coord_type("longitude", coord_wrap=180 * units.deg)
    return shown, names, system


def _offset_unit(sky):
    return "arcmin" if sky.width > _WIDE else "arcsec"


def _notation(sky, coords, degrees, index):
    """How a coordinate is written."""
    from astropy import units

    if coords == "offset":
        return Notation(units.Unit(_offset_unit(sky)), decimal=True)
    if degrees or coords == "galactic":
        return Notation(units.deg, decimal=True)
    return Notation(units.hourangle if index == 0 else units.deg)


def _along(sky, system, index, at_left):
    """A coordinate at equal steps along the left or the lower edge [deg], without jumps."""
    x = np.full(_STEPS, sky.x[0]) if at_left else np.linspace(*sky.x, _STEPS)
    y = np.linspace(*sky.y, _STEPS) if at_left else np.full(_STEPS, sky.y[0])
    found = sky.direction(x, y).transform_to(system).spherical
    values = (found.lat if index else found.lon).deg
    return values if index else np.unwrap(values, period=360)


def _length(axes, at_left):
    """Length of the left or the lower edge [inch]."""
    box, figure = axes.get_position(), axes.get_figure(root=True)
    wide = box.width * figure.get_figwidth()
    if not at_left:
        return wide
    (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
    return min(box.height * figure.get_figheight(), wide * (y1 - y0) / (x1 - x0))


def _lies_across(sky, system):
    """Whether the lines of equal longitude run nearer to the horizontal of the panel."""
    from astropy import units

    start = sky.centre.transform_to(system)
    end = start.directional_offset_by(0 * units.deg, 1 * units.arcsec)
    end = end.transform_to(sky.frame.radesys.lower())
    x, y = sky.frame.to_plane(end.ra.deg, end.dec.deg)
    return bool(abs(x - sky.middle[0]) > abs(y - sky.middle[1]))


def _place(coordinate, edge, name, labelled):
    """Put ticks, numbers and the name of a coordinate at an edge."""
    opposite = {"l": "r", "b": "t"}[edge]
    coordinate.set_ticks_position(edge + opposite)
    coordinate.set_ticklabel_position(edge)
    coordinate.set_axislabel_position(edge)
    coordinate.set_ticklabel_visible(labelled)
    coordinate.set_ticks_visible(True)
    coordinate.set_axislabel(
        name if labelled else " ", size=MEDIUM, minpad=0.8 if edge == "l" else 0.5
    )
