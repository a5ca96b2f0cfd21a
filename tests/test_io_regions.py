"""Region files: all dialects mean the same sky, and no shape is dropped in silence."""

import gzip
import re
import warnings

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from numpy.testing import assert_allclose, assert_array_equal

from gmmx.errors import DataError, DataWarning
from gmmx.io.regions import read_regions
from gmmx.plane.frame import PhysicalFrame, SkyFrame
from gmmx.plane.grid import PixelGrid
from gmmx.plane.shapes import Box, Ellipse, Field, Polygon, Ring, Sector

FRAME = SkyFrame(201.0, -43.0)
PHYSICAL = PhysicalFrame(x0=4096.5, y0=4096.5, step_x=0.492, step_y=0.492)
IMAGE = PixelGrid(shape=(100, 100), origin=np.array([-98.0, -98.0]), matrix=2.0 * np.eye(2))


@pytest.fixture
def read(tmp_path):
    """Return a function that writes text or bytes into a region file and reads it."""

    def reader(content, *, frame=FRAME, physical=PHYSICAL, image_grid=IMAGE, name="test.reg"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_regions(path, frame=frame, physical=physical, image_grid=image_grid)

    return reader


def only(shapes):
    """Return the one shape that there is."""
    assert shapes.n_shapes == 1
    return shapes.terms[0].parts[0][0]


def events_of(path):
    """Read an event file by the keywords of its columns: x, y [pixel], sky and physical frame."""
    with fits.open(path) as hdus:
        header, data = hdus["EVENTS"].header, hdus["EVENTS"].data
        names = [name.lower() for name in hdus["EVENTS"].columns.names]
        (ra, x0, dx), (dec, y0, dy) = (
            [header[f"{key}{names.index(n) + 1}"] for key in ("TCRVL", "TCRPX", "TCDLT")]
            for n in "xy"
        )
        return (
            np.array(data["x"]),
            np.array(data["y"]),
            SkyFrame(ra, dec),
            PhysicalFrame(x0, y0, -3600 * dx, 3600 * dy),
        )


# --- real and simulated files


@pytest.mark.parametrize(("file", "n_shapes"), [("ciao", 45), ("ds9", 44)])
def test_a_mask_leaves_the_photons_that_ciao_leaves(shared_data, file, n_shapes):
    folder = shared_data / "real" / "755_PSRB2223"
    x, y, frame, physical = events_of(folder / "755_7_evt2_05_8keV.fits.gz")
    expected_x, expected_y, _, _ = events_of(folder / "755_7_holes_evt2_05_8keV.fits.gz")
    shapes = read_regions(folder / f"755_7_holes_{file}.reg", frame=frame, physical=physical)
    inside = shapes.contains(*physical.to_plane(x, y))
    assert (len(x), inside.sum(), shapes.n_shapes) == (20176, 18776, n_shapes)
    assert_array_equal(x[inside], expected_x)
    assert_array_equal(y[inside], expected_y)
    assert shapes.only_excludes == (file == "ds9")


def count_shapes(path):
    """Count the lines that open a parenthesis and are not comments."""
    return len(re.findall(r"^\s*(?:image\s*;)?\s*-?[A-Za-z]+\(", path.read_text(), re.MULTILINE))


@pytest.mark.parametrize(
    ("file", "n_shapes", "n_background"),
    [
        ("608f36_panda.reg", 1, 0),
        ("7e8657_ell_sector.reg", 1, 0),
        ("a2163_annuli.reg", 50, 0),
        ("e7332e_ell_annulus.reg", 1, 0),
        ("pyregion_test01_ciao.reg", 4, 0),
        ("pyregion_test01_ciao_physical.reg", 4, 0),
        ("pyregion_test01_ds9_physical.reg", 4, 0),
        ("pyregion_test01_fk5_sexagecimal.reg", 3, 1),
        ("pyregion_test01_mixed.reg", 3, 1),
        ("rwaur_RWAurB_annulus.reg", 10, 0),
        ("tycho_regions-4.ciaoreg", 13, 0),
        ("tycho_regions-6-box.reg", 20, 0),
        ("xga_xmm_0840580101.reg", 105, 0),
        ("../18461_CenA/cena_knots.reg", 6, 0),
        ("../18461_CenA/cena_regions.reg", 3, 0),
        ("../zwcl2341_acisi/ne.reg", 1, 0),
        ("../zwcl2341_acisi/skybkg.reg", 1, 0),
        ("../zwcl2341_acisi/zwcl2341_sources_phys_excl.reg", 252, 0),
    ],
)
def test_every_shape_of_a_real_file_is_read(shared_data, file, n_shapes, n_background):
    path = shared_data / "real" / "regions" / file
    near = re.search(r"(\d+):(\d+):[\d.]+,([-+]\d+):(\d+)", path.read_text())
    frame = (
        SkyFrame(15 * int(near[1]) + int(near[2]) / 4, int(near[3]))
        if near and "mixed" not in file
        else SkyFrame(171.15, -59.26)
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        shapes = read_regions(path, frame=frame, physical=PHYSICAL, image_grid=IMAGE)
    assert shapes.n_shapes == n_shapes == count_shapes(path) - n_background
    assert len(caught) == (n_background > 0) + ("test01_ciao" in file)
    assert all(np.isfinite(line).all() for line in shapes.outlines())


def test_ds9_and_ciao_wrote_the_same_four_shapes(shared_data):
    # In pixels and on the sky, to the digits of the files.
    folder = shared_data / "real" / "regions"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        plain = read_regions(
            folder / "pyregion_test01_ds9_physical.reg", frame=FRAME, physical=PHYSICAL
        )
        ciao = read_regions(
            folder / "pyregion_test01_ciao_physical.reg", frame=FRAME, physical=PHYSICAL
        )
        assert [term.parts for term in sorted(ciao.terms, key=lambda t: t.exclude)] == [
            term.parts for term in plain.terms
        ]
        # The files do not tell the tangent point of the image. The first circle does, because its
        # position is known in pixels and on the sky.
        sky = SkyCoord("11:24:24.230 -59:15:02.20", unit=("hourangle", "deg"))
        frame = SkyFrame(sky.ra.deg, sky.dec.deg, "FK5")
        physical = PhysicalFrame(4267.9987, 4214.0083, 0.492, 0.492)
        in_pixels = read_regions(
            folder / "pyregion_test01_ciao_physical.reg", frame=frame, physical=physical
        )
        on_sky = read_regions(folder / "pyregion_test01_ciao.reg", frame=frame, physical=physical)
    for a, b in zip(in_pixels.outlines(), on_sky.outlines(), strict=True):
        assert_allclose(a, b, atol=0.4)


def make_table_of_circles(numbers, frame, physical):
    """Make a FITS table of circles (x, y, r) [physical pixel] about another tangent point."""
    other = SkyFrame(frame.ra0 + 0.1, frame.dec0 - 0.05)
    other_physical = PhysicalFrame(100.0, 200.0, 0.25, 0.25)
    sky = frame.to_sky(*physical.to_plane(numbers[:, 0], numbers[:, 1]))
    x, y = other_physical.to_physical(*other.to_plane(*sky))
    n = len(numbers)
    table = make_region_table(
        X=x,
        Y=y,
        SHAPE=["circle"] * n,
        R=np.column_stack([numbers[:, 2] * 0.492 / 0.25, np.full(n, np.nan)]),
        COMPONENT=np.arange(n),
    )
    keywords = [("RA---TAN", other.ra0, 100.0, -0.25), ("DEC--TAN", other.dec0, 200.0, 0.25)]
    for column, (kind, value, pixel, step) in zip(table.columns, keywords, strict=False):
        column.coord_type, column.coord_ref_value = kind, value
        column.coord_ref_point, column.coord_inc = pixel, step / 3600
    return table


@pytest.mark.parametrize("form", ["fk5", "ciao", "fits"])
@pytest.mark.parametrize(("case", "n_shapes"), [("galaxy", 40), ("small", 15)])
def test_a_mask_is_the_same_in_every_format(shared_data, tmp_path, case, n_shapes, form):
    folder = shared_data / "marx" / case
    x_pix, y_pix, frame, physical = events_of(folder / "events.fits.gz")
    x, y = physical.to_plane(x_pix, y_pix)
    in_pixels = read_regions(folder / "sources_phys.reg", frame=frame, physical=physical)
    text = (folder / "sources_phys.reg").read_text()
    lines = [line for line in text.splitlines() if line.startswith("circle")]
    path = {"fk5": folder / "sources.reg"}.get(form, tmp_path / "mask")
    if form == "ciao":
        path.write_text("\n".join(lines))
    elif form == "fits":
        numbers = np.array([[float(v) for v in line[7:-1].split(",")] for line in lines])
        write_tables(path, make_table_of_circles(numbers, frame, physical))
    shapes = read_regions(path, frame=frame, physical=None if form == "fits" else physical)
    expected = in_pixels.contains(x, y)
    assert expected.sum() > 1000
    assert shapes.n_shapes == n_shapes
    # Three decimals in the files leave a photon or two on the other side.
    assert np.sum(shapes.contains(x, y) != expected) <= 2


def test_a_source_of_the_chandra_catalogue_has_the_area_of_its_header(shared_data):
    path = shared_data / "real" / "csc_cosmos_7999" / "acisf07999_000N001_r0035_reg3.fits.gz"
    header = fits.getheader(path, 1)
    frame = SkyFrame(header["TCRVL1"], header["TCRVL2"])
    physical = PhysicalFrame(4096.5, 4096.5, 0.492, 0.492)
    with pytest.warns(DataWarning, match="those of SRCREG; BKGREG left out"):
        source = only(read_regions(path, frame=frame))
    assert_allclose(
        [source.rx, source.ry, source.angle],
        [37.06152344 * 0.492, 15.3881588 * 0.492, 92.22732544],
        rtol=1e-8,
    )
    assert_allclose(
        physical.to_physical(source.x, source.y), (3145.89473684, 4520.78947368), rtol=1e-9
    )
    # The header has the area in pixels.
    assert_allclose(np.pi * 37.06152344 * 15.3881588, header["ROI_AREA"], rtol=1e-4)


def test_exclusions_of_a_fits_component_are_cut_out(shared_data, tmp_path):
    path = shared_data / "real" / "csc_cosmos_7999" / "acisf07999_000N001_r0035_reg3.fits.gz"
    with fits.open(path) as hdus:
        background = hdus["BKGREG"].copy()
    # astropy writes the copy with other bytes and the old sums.
    del background.header["DATASUM"], background.header["CHECKSUM"]
    shapes = read_regions(
        write_tables(tmp_path / "bkg.fits", background),
        frame=SkyFrame(149.88534733445, 2.6079504903529),
        physical=None,
    )
    assert shapes.n_shapes == 3
    assert [term.exclude for term in shapes.terms] == [False, True, True]
    # The area in the header counts whole pixels, and the third ellipse only partly overlaps.
    whole, holes = np.pi * 185.30761719 * 76.94079399, np.pi * 37.06152344 * 15.3881588
    assert shapes.area() / 0.492**2 < whole - holes
    assert_allclose(shapes.area() / 0.492**2, 42646, rtol=0.06)


# --- text


def test_systems_properties_and_semicolons_are_told_apart(read):
    text = """# Region file format: DS9 version 4.1
global color=green dashlist=8 3 font="helvetica 10; normal" select=1 include=1 source=1
physical;circle(4096.5,4096.5,10) # color=#48f text={a ; circle(1,1,1) # background}
image; box 50 50 10 20 0 ; ellipse(60 60 3, 4,  90) # tag={x}
-circle(4100,4100,2); +circle(4200,4200,2)

FK5
CIRCLE(201.0, -43.0, 0.01)
"""
    shapes = read(text)
    assert shapes.n_shapes == 6
    assert [term.exclude for term in shapes.terms] == [False] * 5 + [True]
    assert shapes.labels[0] == "circle(4096.5,4096.5,10)"
    assert shapes.labels[1] == "box 50 50 10 20 0"
    sky = shapes.terms[4].parts[0][0]
    assert_allclose([sky.x, sky.y, sky.rx], [0, 0, 36], atol=0.05)
    image = shapes.terms[1].parts[0][0]
    assert (image.x, image.y, image.width, image.height) == (0.0, 0.0, 20.0, 40.0)
    # The lines after the image line are in image coordinates too.
    assert_allclose(shapes.terms[5].parts[0][0].x, -98 + 2 * 4099)


@pytest.mark.parametrize(
    ("length", "arcsec"),
    [
        ('7.5"', 7.5),
        ("7.5''", 7.5),
        ("0.5'", 30.0),
        ("0.002d", 7.2),
        ("1e-4r", 20.6264806),
        ("10p", 4.92),
        ("10i", 20.0),
        ("0.001", 3.6),
    ],
)
def test_lengths_may_have_units(read, length, arcsec):
    assert_allclose(only(read(f"icrs;circle(201.0,-43.0,{length})")).rx, arcsec, rtol=1e-7)


@pytest.mark.parametrize(
    ("text", "arcsec"),
    [
        ("circle(13:24:00,-43:00:00,20)", 20 * 0.492),
        ('circle(4096.5,4096.5,20")', 20.0),
        ("image\ncircle(50,50,20p)", 20 * 0.492),
    ],
)
def test_bare_lengths_are_pixels_where_the_file_is_in_pixels(read, text, arcsec):
    assert_allclose(only(read(text)).rx, arcsec)


def test_without_physical_pixels_a_length_needs_a_unit(read):
    with pytest.raises(DataError, match="add a unit"):
        read("circle(13:24:00,-43:00:00,20)", physical=None)
    assert_allclose(only(read("circle(13:24:00,-43:00:00,20d)", physical=None)).rx, 72000)


@pytest.mark.parametrize(
    "position",
    [
        "13:24:06,-43:01:30",
        "13h24m06s,-43d01m30s",
        "201.025,-43.025",
        "201.025d,-43.025d",
        f"{np.radians(201.025):.12f}r,{np.radians(-43.025):.12f}r",
    ],
)
def test_positions_may_have_units(read, position):
    shape = only(read(f'icrs;circle({position},1")'))
    assert_allclose((shape.x, shape.y), FRAME.to_plane(201.025, -43.025), atol=1e-5)
    assert_allclose((shape.rx, shape.ry), 1)


@pytest.mark.parametrize(
    "system", ["fk4", "b1950", "fk5", "J2000", "galactic", "ecliptic", "icrs", "wcs"]
)
def test_systems_of_the_sky_have_their_own_north(read, system):
    names = {"b1950": "fk4", "j2000": "fk5", "wcs": "icrs", "ecliptic": "barycentricmeanecliptic"}
    native = SkyCoord(201.2, -42.9, unit="deg")
    there = native.transform_to(names.get(system.lower(), system.lower()))
    lon, lat = there.spherical.lon.deg, there.spherical.lat.deg
    box = only(read(f'{system}\nbox({lon:.10f},{lat:.10f},20",4",25)'))
    assert_allclose((box.x, box.y), FRAME.to_plane(201.2, -42.9), atol=1e-4)
    # North of that system, by the offsets of astropy.
    up = there.directional_offset_by(0, 1e-3 * native.ra.unit).icrs
    x, y = FRAME.to_plane(up.ra.deg, up.dec.deg)
    north = np.degrees(np.arctan2(y - box.y, x - box.x))
    assert_allclose((box.angle - (north - 90 + 25) + 180) % 360 - 180, 0, atol=1e-3)
    assert_allclose((box.width, box.height), (20, 4))


def test_sexagesimal_longitudes_are_degrees_on_the_galaxy(read):
    there = SkyCoord(201.0, -43.0, unit="deg").galactic
    lon, lat = (
        there.l.to_string(sep=":", precision=6),
        there.b.to_string(sep=":", precision=6, alwayssign=True),
    )
    shape = only(read(f'galactic;circle({lon},{lat},1")'))
    assert_allclose((shape.x, shape.y), 0, atol=1e-3)


def test_north_is_not_up_away_from_the_pointing(read):
    frame = SkyFrame(30.0, 80.0)
    ellipse = only(read('icrs;ellipse(32.0,80.0,30",5",90)', frame=frame))
    x0, y0 = frame.to_plane(32.0, 80.0)
    x1, y1 = frame.to_plane(32.0, 80.001)
    assert_allclose(ellipse.angle, np.degrees(np.arctan2(y1 - y0, x1 - x0)), atol=1e-4)
    assert abs(ellipse.angle - 90) > 1


TURNED = PixelGrid(
    shape=(50, 50), origin=np.zeros(2), matrix=2 * np.array([[0.0, -1.0], [1.0, 0.0]])
)
FLIPPED = PixelGrid(shape=(50, 50), origin=np.zeros(2), matrix=np.array([[-2.0, 0.0], [0.0, 2.0]]))


def test_angles_turn_with_the_pixels(read):
    assert_allclose(only(read("image;box(1,1,6,2,30)", image_grid=TURNED)).angle, 120)


def test_a_box_is_mirrored_with_the_pixels(read):
    box = read("image;box(1,1,6,2,30)", image_grid=FLIPPED)
    ix, iy = 2.9 * np.cos(np.radians(30)), 2.9 * np.sin(np.radians(30))
    points = FLIPPED.to_plane(np.array([ix, -ix]), np.array([iy, iy]))
    assert_array_equal(box.contains(*points), [True, False])


def test_a_panda_is_mirrored_with_the_pixels(read):
    panda = read("image;panda(1,1,10,40,1,1,5,1)", image_grid=FLIPPED)
    a = np.radians([5, 15, 35, 45])
    points = FLIPPED.to_plane(3 * np.cos(a), 3 * np.sin(a))
    assert_array_equal(panda.contains(*points), [False, True, True, False])


def test_a_sector_is_mirrored_with_the_physical_axis(read):
    sector = read("sector(0,0,10,40)", physical=PhysicalFrame(0.0, 0.0, -1.0, 1.0))
    a = np.radians([5, 15, 35, 45])
    assert_array_equal(sector.contains(-np.cos(a), np.sin(a)), [False, True, True, False])


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("circle(0,0,3)", Ellipse(0, 0, 3, 3)),
        ("circ(0,0,3)", Ellipse(0, 0, 3, 3)),
        ("Ellipse(1,2,3,4,25)", Ellipse(1, 2, 3, 4, 25)),
        ("ellipse(1,2,3,4)", Ellipse(1, 2, 3, 4)),
        ("ell(1,2,3,4,25d)", Ellipse(1, 2, 3, 4, 25)),
        ("box(1,2,3,4)", Box(1, 2, 3, 4)),
        ("RotBox(1,2,3,4,5)", Box(1, 2, 3, 4, 5)),
        ("rectangle(1,2,5,8)", Box(3, 5, 4, 6)),
        ("rect(5,8,1,2)", Box(3, 5, 4, 6)),
        ("annulus(0,0,1,2)", Ring(Ellipse(0, 0, 2, 2), Ellipse(0, 0, 1, 1))),
        ("annulus(0,0,0,2)", Ellipse(0, 0, 2, 2)),
        ("annulus(0,0,1,2,3,4)", Ring(Ellipse(0, 0, 4, 4), Ellipse(0, 0, 1, 1))),
        ("annulus(0,0,1,4,n=3)", Ring(Ellipse(0, 0, 4, 4), Ellipse(0, 0, 1, 1))),
        ("ellipse(0,0,1,2,3,6,10)", Ring(Ellipse(0, 0, 3, 6, 10), Ellipse(0, 0, 1, 2, 10))),
        ("box(0,0,1,2,2,4,3,6,10)", Ring(Box(0, 0, 3, 6, 10), Box(0, 0, 1, 2, 10))),
        ("polygon(0,0,1,0,1,1)", Polygon(((0, 0), (1, 0), (1, 1)))),
        ("polygon(0,0,1,0,1,1,0,0)", Polygon(((0, 0), (1, 0), (1, 1)))),
        ("sector(1,2,30,60)", Sector(1, 2, 30, 60)),
        (
            "pie(1,2,3,4,30,60)",
            Ring(Ellipse(1, 2, 4, 4), Ellipse(1, 2, 3, 3), Sector(1, 2, 30, 60)),
        ),
        ("pie(1,2,0,4,30,60)", Ring(Ellipse(1, 2, 4, 4), None, Sector(1, 2, 30, 60))),
        (
            "panda(1,2,30,60,3,3,4,2)",
            Ring(Ellipse(1, 2, 4, 4), Ellipse(1, 2, 3, 3), Sector(1, 2, 30, 60)),
        ),
        (
            "epanda(1,2,30,60,3,1,2,3,6,1)",
            Ring(Ellipse(1, 2, 3, 6), Ellipse(1, 2, 1, 2), Sector(1, 2, 30, 60)),
        ),
        (
            "epanda(1,2,30,60,3,1,2,3,6,1,15)",
            Ring(Ellipse(1, 2, 3, 6, 15), Ellipse(1, 2, 1, 2, 15), Sector(1, 2, 45, 75)),
        ),
        (
            "bpanda(1,2,30,60,3,1,2,3,6,1,15)",
            Ring(Box(1, 2, 3, 6, 15), Box(1, 2, 1, 2, 15), Sector(1, 2, 45, 75)),
        ),
        ("FIELD()", Field()),
    ],
)
def test_every_name_makes_its_shape(read, text, shape):
    assert only(read(text, physical=PhysicalFrame(0.0, 0.0, 1.0, 1.0))) == shape


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        ("circle(0,0,3)*!circle(0,0,1)", "nYnn"),
        ("circle(0,0,3)&!circle(0,0,1)&!circle(2,0,0.5)", "nnnn"),
        ("circle(0,0,3) - circle(0,0,1) + circle(5,0,1)", "nYYn"),
        ("circle(0,0,3)*circle(3,0,2)", "nYnn"),
        ("circle(0,0,3)|circle(5,0,1)", "YYYn"),
        ("circle(0,0,3) || # composite\ncircle(5,0,1)", "YYYn"),
        ("circle(0,0,3)\n-circle(0,0,4)*circle(0,0,1)", "nYnn"),
        ("field()\n-circle(0,0,1)\n-circle(5,0,1)", "nYnY"),
        ("-circle(0,0,1)\n!circle(5,0,1)", "nYnY"),
        ("physical\ncircle(0,0,3)\ncircle(0,0,1) # include=0", "nYnn"),
    ],
)
def test_shapes_are_joined_and_cut(read, text, covered):
    shapes = read(text, physical=PhysicalFrame(0.0, 0.0, 1.0, 1.0))
    inside = shapes.contains(np.array([0.0, 2.0, 5.0, 50.0]), np.zeros(4))
    assert_array_equal(inside, [letter == "Y" for letter in covered])


def test_a_long_conjunction_at_the_start_becomes_cuts(read):
    shapes = read("rectangle(0.5,0.5,8192.5,8192.5)&!circle(4000,4000,3)&!circle(4100,4100,3)")
    assert [term.exclude for term in shapes.terms] == [False, True, True]
    assert shapes.labels[0].startswith("rectangle")


EXCLUDED_FIRST = "-circle(4096.5,4096.5,2)\ncircle(4096.5,4096.5,9)\n"
X = 0.492 * np.array([0.0, 5.0, 50.0])


def test_exclusions_come_last_in_ds9(read):
    assert_array_equal(read("physical\n" + EXCLUDED_FIRST).contains(X, 0 * X), [False, True, False])


def test_exclusions_act_in_order_in_ciao(read):
    with pytest.warns(DataWarning, match="starts with an exclusion"):
        assert_array_equal(read(EXCLUDED_FIRST).contains(X, 0 * X), [True, True, True])


def test_background_shapes_are_left_out_beside_source_shapes(read):
    lines = "physical\ncircle(4096,4096,9)\ncircle(4200,4200,30) # color=red background\n"
    with pytest.warns(
        DataWarning,
        match=r"1 of 2 shapes are tagged as background and left out \(circle\(4200,4200,30\)",
    ):
        assert read(lines).labels == ("circle(4096,4096,9)",)


@pytest.mark.parametrize(
    ("text", "n_shapes"),
    [
        ("physical\ncircle(4200,4200,30) # background\n", 1),
        ("circle(4096,4096,9)\ncircle(4200,4200,30) # the background, by hand\n", 2),
    ],
    ids=["alone", "in a comment of CIAO"],
)
def test_background_shapes_are_kept(read, text, n_shapes):
    assert read(text).n_shapes == n_shapes


def test_entries_without_area_are_told(read):
    text = (
        "physical\ncircle(4096,4096,9)\nline(1,1,2,2)\n# text(1,1) text={a}\n"
        "text 1 1 {circle(1,1,1); x}\nellipse(4000,4000,0,0,10)\nbox point 3 4\n"
    )
    with pytest.warns(
        DataWarning,
        match=r"4 entries cover no area and are left out \(line 3: line\(1,1,2,2\), ...\)",
    ):
        assert read(text).n_shapes == 1


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(b"circle(4096,4096,9)"),
        b"\xef\xbb\xbf# caf\xc3\xa9\r\ncircle(4096,4096,9)\r\n",
        b"# caf\xe9\ncircle(4096,4096,9)\n",
    ],
    ids=["gzip", "UTF-8 with a mark", "Latin-1"],
)
def test_a_file_is_known_by_its_content(read, content):
    assert read(content, name="plain.txt").n_shapes == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no shape in it: is it"),
        ("# Region file format: DS9 version 4.1\nglobal color=red\nfk5\n", "no shape in it: is it"),
        ("300 300\n400 400\n", "line 1: 300 300: not a region"),
        ("circle(1,2,3)\nblob(1,2,3)\n", r"line 2: blob\(1,2,3\): 'blob' is not a shape"),
        ("circle(1,2)\n", "too few values: a length is missing"),
        ("circle(1,2,3,4)\n", "more values than the shape takes, from 4 on"),
        ("circle(1,2,x)\n", "x is not a number"),
        ("circle(1,2,-3)\n", "-3 is a negative length"),
        ("circle(nan,2,3)\n", "nan is not a number"),
        ("circle(1,2,3\n", r"circle\(1,2,3: not a region"),
        ("circle(1,2,3) circle(3,4,5)\n", "'' is not a way to combine"),
        ("circle(1,2,3)^circle(3,4,5)\n", "not a region"),
        ("circle(1,2,3)+!circle(3,4,5)\n", r"'\+!' is not a way to combine"),
        ("region(other.reg)\n", "give that file itself"),
        ("polygon(1,2,3,4)\n", "at least 3 corners"),
        ("polygon(1,2,3,4,5)\n", "too few values"),
        ("annulus(1,2,3)\n", "an annulus needs two radii"),
        ('fk5;circle(201,95,1")\n', "95 is not a latitude"),
        ('fk5;circle(13:60:00,-43:00:00,1")\n', "60 minutes or seconds, or more"),
        ('fk5;circle(21,43,1")\n', "90 degrees or more from the pointing"),
        ('fk5;circle(201p,-43d,1")\n', "of different kinds"),
        ("linear\ncircle(1,2,3)\n", "line 1: linear: coordinates that belong to one image"),
        ("wcsa;fk5;circle(1,2,3)\n", "coordinates that belong to one image"),
        ("point(1,2)\n", "no shape in it that covers an area"),
        ("panda(1,2,30,60,x,3,4,2)", "x is not a number of parts"),
        ("\x89PNG\r\n\x1a\n\x00\x00", "not a region"),
    ],
)
@pytest.mark.filterwarnings("ignore::gmmx.errors.DataWarning")
def test_text_that_cannot_be_read_is_refused_with_its_place(read, text, message):
    with pytest.raises(DataError, match=message) as caught:
        read(text)
    assert "\n" not in str(caught.value)
    assert "test.reg" in str(caught.value)
    assert str(caught.value).isascii()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "physical\ncircle(1,2,3)\n",
            r"line 2: circle\(1,2,3\): physical coordinates, but the events have no physical",
        ),
        ("image;circle(1,2,3)", "line 1: circle.*image coordinates, but there is no image"),
    ],
)
def test_pixels_of_an_unknown_grid_are_refused(read, text, message):
    with pytest.raises(DataError, match=message):
        read(text, physical=None, image_grid=None)


def test_an_absent_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_regions(tmp_path / "absent.reg", frame=FRAME)


# --- tables


def make_region_table(name="REGION", **columns):
    """Make a table HDU of the given columns."""
    made = []
    for key, value in columns.items():
        value = np.asarray(value)
        number = "J" if value.dtype.kind == "i" else "D"
        width = value.shape[1] if value.ndim > 1 else ""
        form = "16A" if value.dtype.kind == "U" else f"{width}{number}"
        made.append(fits.Column(name=key, format=form, array=value))
    return fits.BinTableHDU.from_columns(made, name=name)


def write_tables(path, *tables):
    """Write tables as a FITS file, and return its path."""
    fits.HDUList([fits.PrimaryHDU(), *(table.copy() for table in tables)]).writeto(path)
    return path


def test_every_shape_of_a_table_is_read(tmp_path):
    nan = np.nan
    padding, lone = [nan, nan, nan], [[1, nan, nan, nan]] * 4
    table = make_region_table(
        x=[[1, *padding], [1, 2, nan, nan], [0, 4, 4, 0], [0, 4, 4, 4], *lone],
        y=[[2, *padding], [2, 8, nan, nan], [0, 0, 3, 0], [0, 0, 3, 3], *(2 * np.array(lone))],
        shape=["Ellipse", "RECTANGLE", "Polygon", "polygon", "BOX", "Annulus", "Pie", "Circle"],
        r=[[3, 4], [nan, nan], [nan, nan], [nan, nan], [3, 4], [1, 2], [1, 2], [3, nan]],
        rotang=[[5, nan], [0, 0], [0, 0], [0, 0], [7, 0], [0, 0], [30, 60], [0, 0]],
        component=np.arange(8),
    )
    shapes = read_regions(
        write_tables(tmp_path / "t.fits", table),
        frame=FRAME,
        physical=PhysicalFrame(0.0, 0.0, 1.0, 1.0),
    )
    assert [term.parts[0][0] for term in shapes.terms] == [
        Ellipse(1, 2, 3, 4, 5),
        Box(1.5, 5, 1, 6),
        Polygon(((0, 0), (4, 0), (4, 3))),
        Polygon(((0, 0), (4, 0), (4, 3))),
        Box(1, 2, 3, 4, 7),
        Ring(Ellipse(1, 2, 2, 2), Ellipse(1, 2, 1, 1)),
        Ring(Ellipse(1, 2, 2, 2), Ellipse(1, 2, 1, 1), Sector(1, 2, 30, 60)),
        Ellipse(1, 2, 3, 3),
    ]
    assert shapes.labels[0] == "row 1: Ellipse(1, 2, 3, 4, 5)"


@pytest.mark.parametrize(
    ("columns", "covered"),
    [
        ({"COMPONENT": [1, 1, 2]}, "nYYn"),
        ({"COMPONENT": [1, 2, 3]}, "nYYn"),
        ({}, "nYYn"),
        ({"SHAPE": ["!Circle"] * 3, "COMPONENT": [1, 1, 1]}, "nnnY"),
    ],
    ids=["intersected", "components of their own", "no component", "all excluded"],
)
def test_a_table_cuts_its_exclusions_out(tmp_path, columns, covered):
    table = make_region_table(
        **{
            "X": [0.0, 0.0, 9.0],
            "Y": [0.0, 0.0, 0.0],
            "SHAPE": ["Circle", "!Circle", "Circle"],
            "R": [3.0, 1.0, 2.0],
        }
        | columns
    )
    path = write_tables(tmp_path / "t.fits", table)
    shapes = read_regions(path, frame=FRAME, physical=PhysicalFrame(0.0, 0.0, 1.0, 1.0))
    inside = shapes.contains(np.array([0.0, 2.0, 9.0, 30.0]), np.zeros(4))
    assert_array_equal(inside, [letter == "Y" for letter in covered])


def test_a_source_list_of_wavdetect_is_a_region_table(tmp_path):
    table = make_region_table(
        "SRCLIST",
        RA=[1.0, 2.0],
        DEC=[1.0, 2.0],
        X=[4000.0, 4100.0],
        Y=[4000.0, 4100.0],
        SHAPE=["ellipse", "ellipse"],
        R=[[3.0, 2.0], [0.0, 0.0]],
    )
    with pytest.warns(DataWarning, match="1 row covers no area and is left out"):
        shape = only(
            read_regions(write_tables(tmp_path / "src.fits", table), frame=FRAME, physical=PHYSICAL)
        )
    assert_allclose((shape.rx, shape.ry), (3 * 0.492, 2 * 0.492))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"A": [1.0]}, "no table with a SHAPE column"),
        ({"SHAPE": ["circle"], "R": [1.0]}, "no X and Y columns"),
        ({"SHAPE": ["blob"], "X": [1.0], "Y": [1.0]}, "row 1: blob: not a shape"),
        ({"SHAPE": ["circle"], "X": [1.0], "Y": [1.0]}, "row 1: circle: needs 1 radii, has 0"),
        (
            {"SHAPE": ["circle"], "X": [np.nan], "Y": [1.0], "R": [1.0]},
            "row 1: circle: X and Y are not pairs",
        ),
        (
            {"SHAPE": ["circle"], "X": [1.0], "Y": [1.0], "R": [-1.0]},
            "row 1: circle: -1 is a negative length",
        ),
        (
            {"SHAPE": ["panda"], "X": [1.0], "Y": [1.0], "R": [1.0], "ROTANG": [[1.0, 2.0]]},
            "row 1: panda: a shape that FITS",
        ),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(tmp_path, columns, message):
    with pytest.raises(DataError, match=message):
        read_regions(
            write_tables(tmp_path / "t.fits", make_region_table(**columns)),
            frame=FRAME,
            physical=PHYSICAL,
        )


def test_an_empty_table_is_refused(tmp_path):
    empty = make_region_table(
        SHAPE=np.array([], "U16"), X=np.zeros(0), Y=np.zeros(0), R=np.zeros(0)
    )
    with pytest.raises(DataError, match="no shape in it"):
        read_regions(write_tables(tmp_path / "t.fits", empty), frame=FRAME, physical=PHYSICAL)


def test_a_table_in_unknown_physical_pixels_is_refused(tmp_path):
    table = make_region_table(SHAPE=["circle"], X=[1.0], Y=[1.0], R=[1.0])
    with pytest.raises(DataError, match="row 1: circle: physical coordinates, but the events"):
        read_regions(write_tables(tmp_path / "p.fits", table), frame=FRAME)


def test_a_truncated_table_is_refused(tmp_path):
    table = make_region_table(
        SHAPE=["circle"] * 900, X=np.ones(900), Y=np.ones(900), R=np.ones(900)
    )
    whole = write_tables(tmp_path / "w.fits", table).read_bytes()
    (tmp_path / "cut.fits").write_bytes(whole[:9000])
    with pytest.raises(DataError, match=r"cut\.fits"):
        read_regions(tmp_path / "cut.fits", frame=FRAME, physical=PHYSICAL)
