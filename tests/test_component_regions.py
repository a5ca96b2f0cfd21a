"""Components as regions: objects, DS9, CRTF and FITS region tables."""

import astropy.units as u
import numpy as np
import pytest
import regions
from astropy.io import fits
from astropy.table import Table
from numpy.testing import assert_allclose

from gmmx.errors import InputError, OutputError
from gmmx.io.regions import (
    component_region_text,
    component_regions,
    names_region_file,
    read_regions,
    write_component_regions,
)
from gmmx.plane.frame import PhysicalFrame, SkyFrame
from gmmx.plane.grid import PixelGrid
from gmmx.plane.wcs import wcs_of

FRAME = SkyFrame(217.0, 60.0)
PHYSICAL = PhysicalFrame(x0=4096.5, y0=4096.5, step_x=-0.5, step_y=0.5)


def make_table(n=4, **meta):
    """A component table of n components, the last of them a point source with two flags."""
    rng = np.random.default_rng(2)
    x, y = rng.uniform(-600, 600, (2, n))
    major, angle = rng.uniform(20, 60, n), rng.uniform(0, 180, n)
    major[-1:] = 0
    ra, dec = FRAME.to_sky(x, y)
    columns = {"component": np.arange(n)[::-1], "ra": ra, "dec": dec, "x": x, "y": y}
    columns |= {"sigma_major": major, "sigma_minor": major / 3, "position_angle": angle}
    flags = np.array([""] * (n - 1) + ["point source; broad"])[:n]
    table = Table(columns | {"psf_r90": np.full(n, 2.0), "flags": flags})
    table.meta = {
        "frame": {"ra0": 217.0, "dec0": 60.0, "radesys": "ICRS"},
        "physical": vars(PHYSICAL),
    } | meta
    return table


def check_ellipses(shapes, table, scale=1.0):
    """The shapes of the regions are the ellipses of the table, in the plane."""
    assert shapes.n_shapes == len(table)
    for term, row in zip(shapes.terms, table, strict=True):
        shape = term.parts[0][0]
        assert_allclose((shape.x, shape.y), (row["x"], row["y"]), atol=1e-4)
        if row["sigma_major"] == 0:
            assert shape.rx == pytest.approx(shape.ry)
            assert shape.rx > row["psf_r90"]
            continue
        axes = sorted((shape.rx, shape.ry), reverse=True)
        assert_allclose(axes, scale * np.array([row["sigma_major"], row["sigma_minor"]]), rtol=1e-5)
        on_screen = row["position_angle"] + 90 + FRAME.north(row["x"], row["y"])
        turn = shape.angle + (90 if shape.ry > shape.rx else 0) - on_screen
        assert abs((turn + 90) % 180 - 90) < 1e-3


@pytest.mark.parametrize("frame", ["icrs", "fk5", "galactic"])
def test_regions_are_the_ellipses_of_the_table(frame):
    found = component_regions(make_table(), frame=frame, scale=2.0)
    assert isinstance(found, regions.Regions)
    assert {region.center.frame.name for region in found} == {frame}
    check_ellipses(read_regions(found, frame=FRAME), make_table(), scale=2.0)


def test_regions_can_be_drawn_on_an_image():
    grid = PixelGrid.covering((-700, 700), (-700, 700), 2.0)
    region = component_regions(make_table())[0].to_pixel(wcs_of(grid, FRAME))
    row = make_table()[0]
    assert_allclose(
        grid.to_plane(region.center.x, region.center.y), (row["x"], row["y"]), atol=1e-6
    )
    assert max(region.width, region.height) == pytest.approx(row["sigma_major"], rel=1e-4)


def test_regions_carry_number_flags_and_colour():
    first, last = component_regions(make_table())[0], component_regions(make_table())[-1]
    assert (first.meta["text"], first.visual["color"]) == ("3", "cyan")
    assert (last.meta["text"], last.meta["tag"]) == ("0", ["point source", "broad"])
    assert isinstance(last, regions.CircleSkyRegion)
    assert last.radius < 10 * u.arcsec


@pytest.mark.parametrize("n", [1, 2, 4])
@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("c.reg", "fk5"),
        ("c.reg", "icrs"),
        ("c.reg", "physical"),
        ("c_reg.fits", "fk5"),
        ("c.reg.fits", "icrs"),
    ],
)
def test_files_are_read_back_as_the_same_ellipses(tmp_path, name, frame, n):
    write_component_regions(tmp_path / name, make_table(n), frame=frame, scale=3.0)
    shapes = read_regions(tmp_path / name, frame=FRAME, physical=PHYSICAL)
    check_ellipses(shapes, make_table(n), scale=3.0)


@pytest.mark.parametrize("frame", ["fk5", "icrs"])
def test_crtf_is_read_back_by_regions(tmp_path, frame):
    write_component_regions(tmp_path / "c.crtf", make_table(), frame=frame)
    found = regions.Regions.read(tmp_path / "c.crtf", format="crtf")
    check_ellipses(read_regions(found, frame=FRAME), make_table())


@pytest.mark.parametrize("n", [1, 4])
@pytest.mark.parametrize("frame", ["fk5", "physical"])
def test_text_names_every_component_in_its_own_line(frame, n):
    lines = component_region_text(make_table(n), frame=frame, scale=2.0).splitlines()
    assert "2 intrinsic sigma" in lines[1]
    assert [f"text={{{k}}}" in line for k, line in zip(range(n)[::-1], lines[-n:])] == [True] * n
    assert "tag={point source} tag={broad}" in lines[-1]


def test_fits_tables_tell_where_their_pixels_are(tmp_path):
    write_component_regions(tmp_path / "c_reg.fits", make_table())
    header = fits.getheader(tmp_path / "c_reg.fits", "REGION")
    assert (header["TCTYP2"], header["TCRVL2"], header["TCRPX2"]) == ("RA---TAN", 217.0, 4096.5)
    assert header["TCDLT2"] == pytest.approx(0.5 / 3600)
    # Without the physical pixels of an event list, the table's own keywords place it.
    check_ellipses(read_regions(tmp_path / "c_reg.fits", frame=FRAME), make_table())


@pytest.mark.parametrize("name", ["c.reg", "c.crtf", "c_reg.fits"])
def test_a_table_without_components_makes_a_file_without_regions(tmp_path, name):
    write_component_regions(tmp_path / name, make_table(2)[:0])
    assert (tmp_path / name).stat().st_size > 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("c.reg", True),
        ("C.REG", True),
        ("c.crtf", True),
        ("c_reg.fits", True),
        ("c.fits", False),
        ("c.ecsv", False),
    ],
)
def test_the_file_name_tells_whether_regions_are_wanted(name, expected):
    assert names_region_file(name) is expected


@pytest.mark.parametrize(
    ("options", "meta", "message"),
    [
        ({"frame": "galactic"}, {}, "fk5, icrs, physical, got 'galactic'"),
        ({"scale": 0}, {}, "positive scale, got 0"),
        ({"frame": "physical"}, {"physical": None}, "no physical coordinates"),
        ({}, {"frame": None}, "no place on the sky"),
    ],
)
def test_regions_that_cannot_be_written_are_refused(tmp_path, options, meta, message):
    with pytest.raises(InputError, match=message):
        write_component_regions(tmp_path / "c.reg", make_table(**meta), **options)
    assert list(tmp_path.iterdir()) == []


def test_a_system_that_astropy_does_not_know_is_refused():
    with pytest.raises(InputError, match="`frame` = fk6: it is not a celestial frame"):
        component_regions(make_table(), frame="fk6")


def test_formats_without_the_coordinates_are_refused(tmp_path):
    with pytest.raises(InputError, match="CRTF files have no physical coordinates"):
        write_component_regions(tmp_path / "c.crtf", make_table(), frame="physical")
    with pytest.raises(InputError, match="no physical coordinates"):
        write_component_regions(tmp_path / "c_reg.fits", make_table(physical=None))


def test_an_existing_file_is_kept_unless_overwritten(tmp_path):
    path = tmp_path / "c.reg"
    path.write_text("mine")
    with pytest.raises(OutputError, match="exists"):
        write_component_regions(path, make_table())
    write_component_regions(path, make_table(), overwrite=True)
    assert "ellipse" in path.read_text()
