"""Our regions and those of the package `regions` cover the same points and the same area."""

import operator
import re
import warnings

import numpy as np
import pytest
import regions
from astropy import units as u
from astropy.coordinates import SkyCoord

from gmmx.errors import DataWarning, InputError
from gmmx.io.regions import read_regions
from gmmx.plane.frame import SkyFrame
from gmmx.plane.grid import PixelGrid, wcs_of

FRAME = SkyFrame(201.0, -43.0)
# A field of 200 x 200 arcsec. The shapes have some 40 arcsec, 30 arcsec away from its centre.
GRID = PixelGrid.covering((-100, 100), (-100, 100), 0.5)
WCS = wcs_of(GRID, FRAME)
CENTRE = SkyCoord(*FRAME.to_sky(-20.0, 25.0), unit="deg")
SYSTEMS = ("icrs", "fk5", "galactic")
ANGLES = (0.0, 25.0, 130.0)
N_POINTS = 10_000

# DS9 text after the centre, in arcsec or in pixels, with {a} for the angle.
SHAPES = {
    "circle": "circle({c},{:40})",
    "ellipse": "ellipse({c},{:50},{:20},{a})",
    "box": "box({c},{:70},{:30},{a})",
    "annulus": "annulus({c},{:20},{:45})",
    "elliptical annulus": "ellipse({c},{:20},{:10},{:50},{:25},{a})",
    "box annulus": "box({c},{:30},{:15},{:70},{:35},{a})",
    "polygon": "polygon({p})",
}


def drawn_points():
    """Points of the field, in arcsec."""
    return np.random.default_rng(7).uniform(-100, 100, (2, N_POINTS))


def vertices(angle):
    """Corners of a polygon that is not convex, in arcsec, turned by an angle."""
    u_, v = np.array([(-40, -30), (35, -35), (0, 3), (45, 40), (-30, 25)], float).T
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return c * u_ - s * v - 20.0, s * u_ + c * v + 25.0


def ds9_text(shape, system, angle):
    """One shape as a DS9 file that both readers read."""
    if system == "image":
        places = [f"{i + 1:.9f},{j + 1:.9f}" for i, j in zip(*GRID.to_pixels(*vertices(angle)))]
        i, j = GRID.to_pixels(-20.0, 25.0)
        centre, length = f"{i + 1:.9f},{j + 1:.9f}", lambda arcsec: f"{arcsec / GRID.step:.9f}"
    else:
        there = SkyCoord(*FRAME.to_sky(*vertices(angle)), unit="deg").transform_to(system)
        places = [f"{v.spherical.lon.deg:.11f},{v.spherical.lat.deg:.11f}" for v in there]
        there = CENTRE.transform_to(system).spherical
        centre, length = f"{there.lon.deg:.11f},{there.lat.deg:.11f}", lambda arcsec: f'{arcsec}"'
    text = re.sub(r"\{:(\d+)\}", lambda found: length(float(found[1])), SHAPES[shape])
    return f"{system}\n" + text.format(c=centre, a=angle, p=",".join(places)) + "\n"


def theirs_contains(theirs, x, y):
    """Points that `regions` finds inside any of its regions and outside the excluded ones."""
    pixels = regions.PixCoord(*GRID.to_pixels(x, y))
    inside = {True: np.zeros(len(x), bool), False: np.zeros(len(x), bool)}
    for region in theirs:
        region = region.to_pixel(WCS) if isinstance(region, regions.SkyRegion) else region
        included = bool(region.meta.pop("include", True))
        inside[included] |= region.contains(pixels)
    return inside[True] & ~inside[False]


def check_same_points(ours, theirs, x, y):
    """Differences may be of points on an edge only, to 1e-4 arcsec."""
    differ = np.flatnonzero(ours.contains(x, y) != theirs_contains(theirs, x, y))
    for dx, dy in ((1e-4, 0), (-1e-4, 0), (0, 1e-4), (0, -1e-4)):
        moved = ours.contains(x[differ] + dx, y[differ] + dy)
        differ = differ[moved == ours.contains(x[differ], y[differ])]
    assert differ.size == 0


def check_same_area(ours, theirs):
    """The area of `regions` is that of whole polygons or formulas, in pixels."""
    (theirs,) = theirs
    theirs = theirs.to_pixel(WCS) if isinstance(theirs, regions.SkyRegion) else theirs
    assert ours.area() == pytest.approx(theirs.area * GRID.cell_area, rel=1e-3)


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("system", [*SYSTEMS, "image"])
@pytest.mark.parametrize("shape", SHAPES)
def test_both_readers_cover_the_same(tmp_path, shape, system, angle):
    path = tmp_path / "one.reg"
    path.write_text(ds9_text(shape, system, angle))
    theirs = regions.Regions.read(path, format="ds9")
    ours = read_regions(path, frame=FRAME, image_grid=GRID)
    check_same_points(ours, theirs, *drawn_points())
    check_same_area(ours, theirs)


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("system", [*SYSTEMS, "image"])
@pytest.mark.parametrize("shape", SHAPES)
def test_objects_cover_what_their_file_covers(tmp_path, shape, system, angle):
    path = tmp_path / "one.reg"
    path.write_text(ds9_text(shape, system, angle))
    theirs = regions.Regions.read(path, format="ds9")
    as_file = read_regions(path, frame=FRAME, image_grid=GRID)
    as_objects = read_regions(theirs, frame=FRAME, image_grid=GRID)
    x, y = drawn_points()
    assert np.array_equal(as_file.contains(x, y), as_objects.contains(x, y))
    check_same_area(as_objects, theirs)
