"""Our regions and those of the package `regions` cover the same points and the same area."""

import re
import warnings

import numpy as np
import pytest
import regions
from astropy import units as u
from astropy.coordinates import SkyCoord

from gmmx.errors import DataWarning, InputError
from gmmx.io.regions import read_regions, region_items, region_name
from gmmx.plane.frame import PhysicalFrame, SkyFrame
from gmmx.plane.grid import PixelGrid
from gmmx.plane.shapes import Shapes
from gmmx.plane.wcs import wcs_of

FRAME = SkyFrame(201.0, -43.0)
# A field of 200 x 200 arcsec. The shapes have some 40 arcsec, 30 arcsec away from its centre.
GRID = PixelGrid.covering((-100, 100), (-100, 100), 0.5)
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


def wcs_in(system):
    """A WCS with the pixels of GRID whose axes are those of a system of the sky.

    `regions` 0.12 takes angles of a region from the axes of the WCS, even where the region is in
    another system, so that it reads an ellipse rightly with a WCS of the ellipse's own system only.
    """
    if system in ("icrs", "image"):
        return wcs_of(GRID, FRAME)
    tangent = SkyCoord(FRAME.ra0, FRAME.dec0, unit="deg").transform_to(system).spherical
    wcs = wcs_of(GRID, SkyFrame(tangent.lon.deg, tangent.lat.deg, "FK5"))
    if system == "galactic":
        wcs.wcs.ctype = "GLON-TAN", "GLAT-TAN"
        wcs.wcs.radesys = ""
    return wcs


def in_pixels(region, wcs):
    return region.to_pixel(wcs) if isinstance(region, regions.SkyRegion) else region


def theirs_contains(theirs, x, y, wcs):
    """Whether `regions` finds points in an included region and in no excluded one."""
    points = SkyCoord(*FRAME.to_sky(x, y), unit="deg")
    pixels = regions.PixCoord(*wcs.world_to_pixel(points))
    inside = {True: np.zeros(len(x), bool), False: np.zeros(len(x), bool)}
    for region in theirs:
        included = bool(region.meta.get("include", True))
        # `contains` of an excluded region is true outside it.
        inside[included] |= in_pixels(region, wcs).contains(pixels) == included
    return (inside[True] | (not any(r.meta.get("include", True) for r in theirs))) & ~inside[False]


def check_same_points(ours, theirs, x, y, wcs):
    """Differences may be of points within 1e-4 arcsec of an edge, and of few of them."""
    inside = ours.contains(x, y)
    differ = np.flatnonzero(inside != theirs_contains(theirs, x, y, wcs))
    steps = [(1e-4, 0), (-1e-4, 0), (0, 1e-4), (0, -1e-4)]
    near = [ours.contains(x[differ] + dx, y[differ] + dy) != inside[differ] for dx, dy in steps]
    assert np.any(near, axis=0).all()
    assert differ.size <= 2


def check_same_area(ours, theirs, wcs):
    """Theirs is the formula's area in pixels."""
    area = sum(in_pixels(region, wcs).area for region in theirs)
    assert ours.area() == pytest.approx(area * GRID.cell_area, rel=1e-3)


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("system", [*SYSTEMS, "image"])
@pytest.mark.parametrize("shape", SHAPES)
def test_both_readers_cover_the_same(tmp_path, shape, system, angle):
    path = tmp_path / "one.reg"
    path.write_text(ds9_text(shape, system, angle))
    theirs = regions.Regions.read(path, format="ds9")
    ours = read_regions(path, frame=FRAME, image_grid=GRID)
    check_same_points(ours, theirs, *drawn_points(), wcs_in(system))
    check_same_area(ours, theirs, wcs_in(system))


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
    check_same_area(as_objects, theirs, wcs_in(system))


# In physical pixels of 0.492 arcsec. `regions` reads and writes physical pixels of FITS tables, and
# of no other files. It writes elliptical annuli with full axes, which is not the convention.
PHYSICAL = PhysicalFrame(4096.5, 4096.5, 0.492, 0.492)
MIDDLE = regions.PixCoord(4050.25, 4140.5)
IN_PHYSICAL_PIXELS = {
    "circle": lambda angle: regions.CirclePixelRegion(MIDDLE, 70.0),
    "ellipse": lambda angle: regions.EllipsePixelRegion(MIDDLE, 180.0, 80.0, angle * u.deg),
    "box": lambda angle: regions.RectanglePixelRegion(MIDDLE, 150.0, 60.0, angle * u.deg),
    "annulus": lambda angle: regions.CircleAnnulusPixelRegion(MIDDLE, 40.0, 90.0),
    "polygon": lambda angle: regions.PolygonPixelRegion(
        regions.PixCoord(*PHYSICAL.to_physical(*vertices(angle)))
    ),
}


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("shape", IN_PHYSICAL_PIXELS)
def test_fits_tables_of_regions_cover_the_same(tmp_path, shape, angle):
    region = IN_PHYSICAL_PIXELS[shape](angle)
    path = tmp_path / "table.fits"
    regions.Regions([region.copy()]).write(path, format="fits")
    ours = read_regions(path, frame=FRAME, physical=PHYSICAL)
    x, y = drawn_points()
    inside = region.contains(regions.PixCoord(*PHYSICAL.to_physical(x, y)))
    assert inside.sum() > 100
    assert np.sum(ours.contains(x, y) != inside) <= 2
    assert ours.area() == pytest.approx(region.area * 0.492**2, rel=1e-3)


def make_circle(x, y, radius, **meta):
    """A circle on the sky about a position in the plane [arcsec]."""
    centre = SkyCoord(*FRAME.to_sky(x, y), unit="deg")
    return regions.CircleSkyRegion(centre, radius * u.arcsec, meta=meta)


def make_pixel_circle(x, y, radius):
    """A circle in the pixels of GRID about a position in the plane [arcsec]."""
    centre = regions.PixCoord(*(float(i) for i in GRID.to_pixels(x, y)))
    return regions.CirclePixelRegion(centre, radius / GRID.step)


A, B, C = make_circle(0, 0, 40), make_circle(30, 0, 40), make_circle(0, 30, 40)
CASES = {
    "and": A & B,
    "or": A | B,
    "xor": A ^ B,
    "nested": (A ^ B) & C,
    "xor of compounds": (A | B) ^ (B & C),
    "annulus by xor": A ^ make_circle(0, 0, 20),
    "pixels": make_pixel_circle(0, 0, 40) ^ make_pixel_circle(30, 0, 40),
    "three deep": ((A ^ B) ^ C) & (A | C),
}


@pytest.mark.parametrize("case", CASES)
def test_compounds_cover_what_regions_says(case):
    region, (x, y) = CASES[case], drawn_points()
    ours = read_regions(region, frame=FRAME, image_grid=GRID)
    check_same_points(ours, [region], x, y, wcs_in("icrs"))


@pytest.mark.parametrize("listed", [list, regions.Regions])
def test_a_list_is_a_union_from_which_excluded_regions_are_cut(listed):
    # A compound takes over the metadata of its first region, which must not exclude it as a whole.
    hole = make_circle(0, 0, 10, include=0)
    x, y = np.array([0.0, 20.0, 60.0, 90.0]), np.zeros(4)
    covered = read_regions(listed([hole, A, B]), frame=FRAME)
    assert covered.contains(x, y).tolist() == [False, True, True, False]
    assert read_regions([hole], frame=FRAME).only_excludes
    assert read_regions(hole & A, frame=FRAME).contains(x, y).tolist() == [
        False,
        True,
        False,
        False,
    ]


def test_paths_and_objects_may_be_mixed(tmp_path):
    path = tmp_path / "b.reg"
    path.write_text(ds9_text("circle", "icrs", 0.0))
    covered = read_regions([str(path), A, path], frame=FRAME)
    assert [len(group) for group in covered.groups] == [1, 1, 1]
    assert region_items([str(path), A, B, path])[1:] != ()
    assert [region_name(item) for item in region_items([path, A, B, path])] == [
        str(path),
        "list of 2 regions",
        str(path),
    ]


def test_regular_polygons_are_polygons():
    hexagon = regions.RegularPolygonPixelRegion(regions.PixCoord(200, 180), 6, 50)
    ours = read_regions(hexagon, frame=FRAME, image_grid=GRID)
    check_same_points(ours, [hexagon], *drawn_points(), wcs_in("image"))


@pytest.mark.parametrize(
    ("region", "message"),
    [
        (make_pixel_circle(0, 0, 40), "^CirclePixelRegion: counts pixels, but there is no image"),
        (regions.PointSkyRegion(CENTRE), "no region in it that covers an area"),
        (
            regions.CompoundSkyRegion(A, B, lambda a, b: a & ~b),
            "CompoundSkyRegion: its operator cannot be expressed",
        ),
        (
            regions.CircleSphericalSkyRegion(CENTRE, 3 * u.deg),
            "a CircleSphericalSkyRegion cannot be expressed",
        ),
        (make_circle(0, 0, 40, text="N3").__class__, "takes paths and objects"),
        ({"mask": A}, "takes paths and objects of the package regions, got a dict"),
        ([A, 3], "got a int"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
@pytest.mark.filterwarnings("ignore::gmmx.errors.DataWarning")
def test_regions_that_cannot_be_expressed_are_refused_by_name(region, message):
    with pytest.raises(InputError, match=message):
        read_regions(region, frame=FRAME)


def test_regions_without_area_are_told():
    with pytest.warns(DataWarning, match="1 region covers no area .* 2: PointSkyRegion"):
        assert read_regions([A, regions.PointSkyRegion(CENTRE)], frame=FRAME).n_shapes == 1


POINT = regions.PointSkyRegion(CENTRE)


@pytest.mark.parametrize(
    ("region", "expected"),
    [(A | POINT, A), (A ^ POINT, A), ((A & POINT) | B, B)],
    ids=["or", "xor", "and"],
)
def test_a_point_in_a_compound_covers_nothing(region, expected):
    x, y = drawn_points()
    covered = read_regions(region, frame=FRAME).contains(x, y)
    assert np.array_equal(covered, read_regions(expected, frame=FRAME).contains(x, y))


def test_a_compound_of_too_many_intersections_is_refused():
    region = A
    for i in range(12):
        region = region ^ make_circle(i, i, 40)
    with pytest.raises(InputError, match="more than 1000 intersections"):
        read_regions(region, frame=FRAME)


def test_a_compound_may_be_excluded_as_a_whole():
    hole = A & B
    hole.meta = regions.RegionMeta({"include": 0})
    covered = read_regions([C, hole], frame=FRAME).contains([0.0, 10.0], [60.0, 10.0])
    assert covered.tolist() == [True, False]


def test_background_regions_are_left_out_beside_source_regions():
    with pytest.warns(DataWarning, match="1 of 2 shapes are tagged as background"):
        assert read_regions([A, make_circle(0, 0, 90, source=0)], frame=FRAME).n_shapes == 1


def as_regions_reads(path):
    """Return the regions with an area that the package reads in a file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = regions.Regions.read(path, format="ds9")
    return [region for region in theirs if not isinstance(region, regions.TextSkyRegion)]


# Files that `regions` reads wholly. In the one of pyregion it loses the tag of the first shape,
# which is a background.
@pytest.mark.parametrize(
    ("file", "n_background"),
    [
        ("regions/e7332e_ell_annulus.reg", 0),
        ("regions/tycho_regions-6-box.reg", 0),
        ("regions/xga_xmm_0840580101.reg", 0),
        ("regions/pyregion_test01_fk5_sexagecimal.reg", 1),
        ("18461_CenA/cena_knots.reg", 0),
        ("18461_CenA/cena_regions.reg", 0),
    ],
)
@pytest.mark.filterwarnings("ignore::gmmx.errors.DataWarning")
def test_both_readers_cover_the_same_in_real_files(shared_data, file, n_background):
    path = shared_data / "real" / file
    theirs = as_regions_reads(path)[n_background:]
    grid, frame = PixelGrid.covering((-300, 300), (-300, 300), 0.5), FRAME
    if isinstance(theirs[0], regions.SkyRegion):
        centre = theirs[0].center
        frame = SkyFrame(centre.ra.deg, centre.dec.deg, "FK5")
    ours = read_regions(path, frame=frame, image_grid=grid)
    wcs = wcs_of(grid, frame)
    (x0, x1), (y0, y1) = ours.bounding_box()
    x, y = np.random.default_rng(3).uniform([[x0], [y0]], [[x1], [y1]], (2, N_POINTS))
    inside = np.zeros(N_POINTS, bool)
    for region in theirs:
        pixels = regions.PixCoord(*grid.to_pixels(x, y))
        inside |= in_pixels(region, wcs).contains(pixels)
    assert 0 < inside.sum() < N_POINTS
    assert np.sum(ours.contains(x, y) != inside) <= 2
    assert len(ours.terms) == len(theirs)
    for term, region in zip(ours.terms, theirs, strict=True):
        area = in_pixels(region, wcs).area * grid.cell_area
        assert Shapes.of(term).area() == pytest.approx(area, rel=1e-3)
