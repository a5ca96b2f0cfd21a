"""Tangent planes, physical pixels, pixel grids and images."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gmmx.errors import InputError
from gmmx.plane.frame import PhysicalFrame, SkyFrame
from gmmx.plane.grid import PixelGrid, SkyImage

CENTRES = [(0.0, 0.0), (359.9, -30.0), (161.0, 77.5), (83.6, -89.9), (12.3, 90.0)]


def make_wcs(ra0, dec0):
    """Make a TAN projection with pixels of 1 arcsec whose pixel (0, 0) is the tangent point."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval = ra0, dec0
    wcs.wcs.crpix = 1, 1
    # At the pole itself the default of FITS turns the plane by 180 degrees.
    wcs.wcs.lonpole = 180
    # In gmmx x grows to the west.
    wcs.wcs.cdelt = -1 / 3600, 1 / 3600
    return wcs


def make_turned_grid(angle=33.0):
    """Make a grid of pixels of 0.7 by 1.3 arcsec, turned."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return PixelGrid(
        shape=(20, 31),
        origin=np.array([4.0, -7.0]),
        matrix=np.array([[c, -s], [s, c]]) @ np.diag([0.7, 1.3]),
    )


@pytest.mark.parametrize("centre", CENTRES)
def test_the_plane_is_the_tan_projection_of_astropy(centre):
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-3000, 3000, (2, 200))
    # The tangent point itself, and one direction at some distance.
    x[:2], y[:2] = [0.0, 40_000.0], [0.0, -1000.0]
    frame, wcs = SkyFrame(*centre), make_wcs(*centre)
    ra, dec = frame.to_sky(x, y)
    # Pixel ix of this WCS is at x = ix in the plane.
    expected_ra, expected_dec = wcs.wcs_pix2world(x, y, 0)
    apart = (
        SkyCoord(ra, dec, unit="deg")
        .separation(SkyCoord(expected_ra, expected_dec, unit="deg"))
        .arcsec
    )
    assert apart.max() < 1e-9
    back = frame.to_plane(expected_ra, expected_dec)
    expected = wcs.wcs_world2pix(expected_ra, expected_dec, 0)
    # A direction in degrees is rounded to 1e-10 arcsec.
    assert_allclose(np.array(back), np.array(expected), atol=3e-9)


@given(
    ra0=st.floats(0, 360), dec0=st.floats(-90, 90), x=st.floats(-5e4, 5e4), y=st.floats(-5e4, 5e4)
)
def test_positions_go_to_the_sky_and_back(ra0, dec0, x, y):
    frame = SkyFrame(ra0, dec0)
    assert_allclose(frame.to_plane(*frame.to_sky(x, y)), [x, y], atol=1e-7)


def test_x_grows_to_the_west():
    frame = SkyFrame(150.0, 20.0)
    x, y = frame.to_plane(150.01, 20.0)
    assert x == pytest.approx(-36 * np.cos(np.radians(20)), rel=1e-6)
    assert y == pytest.approx(0, abs=0.01)


def test_directions_behind_the_plane_have_no_image():
    x, y = SkyFrame(10.0, 0.0).to_plane([10.0, 190.0, 100.1], [0.0, 0.0, 0.0])
    assert_array_equal(np.isnan(x), [False, True, True])
    assert_array_equal(np.isnan(y), [False, True, True])


@pytest.mark.parametrize("centre", [(10.0, 20.0), (10.0, 85.0), (200.0, -60.0)])
def test_north_is_where_declination_grows(centre):
    frame = SkyFrame(*centre)
    x, y = np.array([0.0, 900.0, -1500.0]), np.array([0.0, -600.0, 1200.0])
    ra, dec = frame.to_sky(x, y)
    up = np.array(frame.to_plane(ra, dec + 1e-5)) - np.array(frame.to_plane(ra, dec - 1e-5))
    assert_allclose(frame.north(x, y), np.degrees(np.arctan2(-up[0], up[1])), atol=1e-5)
    assert frame.north(0.0, 0.0) == 0


@pytest.mark.parametrize("centre", [(np.nan, 0.0), (0.0, 91.0), (0.0, np.nan), (np.inf, 0.0)])
def test_a_tangent_point_that_is_no_direction_is_refused(centre):
    with pytest.raises(InputError, match="tangent point"):
        SkyFrame(*centre)


@pytest.mark.parametrize(
    "numbers", [(0, 0, 0, 1), (0, 0, 1, 0), (np.nan, 0, 1, 1), (0, 0, np.inf, 1)]
)
def test_physical_pixels_without_size_are_refused(numbers):
    with pytest.raises(InputError, match="an area that is not zero"):
        PhysicalFrame(*numbers)


def test_positions_go_to_physical_pixels_and_back():
    frame = PhysicalFrame(4096.5, 4096.5, 0.492, 0.492)
    assert_allclose(frame.to_plane(4096.5 + 100, 4096.5 - 10), [49.2, -4.92])
    assert_allclose(
        frame.to_physical(*frame.to_plane([1.5, 7000.25], [3.0, 9.0])),
        [[1.5, 7000.25], [3.0, 9.0]],
        rtol=1e-13,
    )


def test_pixels_go_to_the_plane_and_back():
    grid = make_turned_grid()
    ix, iy = np.meshgrid(np.arange(31), np.arange(20))
    x, y = grid.to_plane(ix, iy)
    assert_allclose(grid.to_pixels(x, y), [ix, iy], atol=1e-12)
    assert_allclose(grid.centres(), [x, y])
    assert grid.centres()[0].shape == grid.shape
    assert grid.cell_area == pytest.approx(0.91)
    assert grid.step == pytest.approx(np.sqrt(0.91))
    assert not grid.is_aligned
    assert make_turned_grid(0.0).is_aligned


def test_an_image_is_indexed_by_row_then_column():
    grid = PixelGrid.covering((0, 4), (0, 2), 1.0)
    assert grid.shape == (2, 4)
    image = SkyImage(grid=grid, values=np.arange(8.0).reshape(2, 4))
    assert image.at(3.5, 0.5) == 3
    assert image.at(0.5, 1.5) == 4
    assert_array_equal(
        grid.histogram(np.array([3.5, 3.9, 0.1]), np.array([0.5, 0.5, 1.9])),
        [[0, 0, 0, 2], [1, 0, 0, 0]],
    )


def test_a_covering_grid_is_centred_and_reaches_both_ends():
    grid = PixelGrid.covering((-10, 10.5), (3, 3.2), 1.0)
    assert grid.shape == (1, 21)
    assert_allclose(grid.extent(), [(-10.25, 10.75), (2.6, 3.6)])


def test_a_range_of_a_whole_number_of_cells_but_for_rounding_gets_no_more():
    assert PixelGrid.covering((0, 0.1 * 3), (0, 1), 0.1).shape == (10, 3)


def test_pixels_own_their_lower_edges():
    grid = PixelGrid.covering((0, 3), (0, 2), 1.0)
    ix, iy, inside = grid.locate(
        [0.0, 1.0, 2.999, 3.0, -0.001, 1e9, -1e9], [0.0, 1.0, 1.999, 1.0, 1.0, 0.5, 0.5]
    )
    assert_array_equal(inside, [True, True, True, False, False, False, False])
    assert_array_equal(ix[:3], [0, 1, 2])
    assert_array_equal(iy[:3], [0, 1, 1])
    # Indices of positions off the grid are clipped, so that they are safe to look up with.
    assert (ix.min(), ix.max()) == (0, 2)


def test_a_histogram_leaves_out_positions_off_the_grid():
    grid = make_turned_grid()
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-50, 50, (2, 4000))
    w = rng.random(4000)
    inside = grid.locate(x, y)[2]
    assert 0 < inside.sum() < 4000
    assert grid.histogram(x, y).sum() == inside.sum()
    assert grid.histogram(x, y, w).sum() == pytest.approx(w[inside].sum())


def test_extent_of_a_turned_grid_holds_its_corners():
    grid = PixelGrid(shape=(2, 2), origin=np.zeros(2), matrix=np.array([[0.0, -1.0], [1.0, 0.0]]))
    assert_allclose(grid.extent(), [(-1.5, 0.5), (-0.5, 1.5)])


@pytest.mark.parametrize(
    ("shape", "matrix"),
    [((0, 3), np.eye(2)), ((3, 3), np.ones((2, 2))), ((3, 3), np.zeros((2, 2)))],
)
def test_grids_without_area_are_refused(shape, matrix):
    with pytest.raises(InputError, match="pixels of some area"):
        PixelGrid(shape=shape, origin=np.zeros(2), matrix=matrix)


def test_an_image_must_fit_its_grid():
    grid = PixelGrid.covering((0, 3), (0, 2), 1.0)
    with pytest.raises(InputError, match=r"SkyImage.values must have shape \(2, 3\), got \(3, 2\)"):
        SkyImage(grid=grid, values=np.zeros((3, 2)))


def test_an_image_must_be_finite():
    grid = PixelGrid.covering((0, 3), (0, 2), 1.0)
    with pytest.raises(InputError, match="not finite"):
        SkyImage(grid=grid, values=np.full((2, 3), np.nan))


def test_arrays_are_native_and_cannot_be_written():
    values = np.ones((2, 3), ">f4")
    image = SkyImage(grid=PixelGrid.covering((0, 3), (0, 2), 1.0), values=values)
    assert image.values.dtype == np.float64
    assert image.values.dtype.isnative
    assert image.values.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        image.values[0, 0] = 2


def test_an_image_does_not_change_with_the_array_it_was_made_of():
    values = np.ones((2, 3))
    image = SkyImage(grid=PixelGrid.covering((0, 3), (0, 2), 1.0), values=values)
    values[0, 0] = 7
    assert image.values[0, 0] == 1


def test_a_spread_histogram_divides_weights_by_area():
    grid = PixelGrid.covering((0, 30), (0, 20), 1.0)
    rng = np.random.default_rng(4)
    x, y, w = rng.uniform(-2, 32, 40), rng.uniform(-2, 22, 40), rng.uniform(1, 5, 40)
    side, parts = 2.3, (np.arange(230) + 0.5) / 230 - 0.5
    slow = np.zeros(grid.shape)
    for xi, yi, wi in zip(x, y, w, strict=True):
        px, py = np.meshgrid(xi + side * parts, yi + side * parts)
        slow += grid.histogram(px.ravel(), py.ravel(), np.full(px.size, wi / px.size))
    assert_allclose(grid.histogram(x, y, w, side=side), slow, atol=0.03)


def test_weights_at_the_centres_of_pixels_stay_in_them():
    grid = PixelGrid.covering((0, 30), (0, 20), 1.0)
    counts = np.random.default_rng(4).poisson(2.0, grid.shape).astype(float)
    iy, ix = np.nonzero(counts)
    assert_array_equal(grid.histogram(*grid.to_plane(ix, iy), counts[iy, ix], side=1.0), counts)


def test_a_spread_lattice_of_another_step_makes_no_moire():
    grid = PixelGrid.covering((0, 30), (0, 20), 1.0)
    lattice = np.meshgrid(np.arange(0.1, 30, 0.984), np.arange(0.1, 20, 0.984))
    x, y = (axis.ravel() for axis in lattice)
    assert np.ptp(grid.histogram(x, y, side=0.984)[1:-1, 1:-1]) < 1e-9
    assert np.ptp(grid.histogram(x, y)[1:-1, 1:-1]) >= 1


def make_image(grid=None, **options):
    """Make an image of 2 x 4 pixels that count from 0."""
    grid = PixelGrid.covering((-4, 4), (-2, 2), 2.0) if grid is None else grid
    return SkyImage(grid=grid, values=np.arange(8.0).reshape(2, 4), **options)


def test_numpy_takes_an_image_as_an_array():
    image = make_image()
    assert image.shape == (2, 4)
    assert np.sum(image) == 28
    assert_array_equal(np.asarray(image), image.values)
    assert np.array(image, dtype=int).dtype == int


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("", u.dimensionless_unscaled),
        ("count", u.ct),
        ("cm**2 s", u.cm**2 * u.s),
        ("photon/cm**2/s", u.ph / u.cm**2 / u.s),
    ],
)
def test_the_values_of_an_image_have_an_astropy_unit(text, unit):
    image = make_image(unit=text)
    assert image.quantity.unit == unit
    assert image.to_ccddata().unit == unit
    assert_array_equal(image.to_ccddata().data, image.values)


def test_a_unit_that_fits_does_not_know_keeps_its_name():
    assert str(make_image(unit="furlong").quantity.unit) == "furlong"


@pytest.mark.parametrize("centre", CENTRES)
@pytest.mark.parametrize("radesys", ["ICRS", "FK5"])
@pytest.mark.parametrize("angle", [0.0, 33.0])
def test_the_wcs_of_an_image_places_its_pixels_on_the_sky(centre, radesys, angle):
    grid, frame = make_turned_grid(angle), SkyFrame(*centre, radesys)
    image = SkyImage(grid=grid, values=np.zeros(grid.shape), frame=frame)
    ix, iy = np.array([0.0, 30.0, 7.5]), np.array([0.0, 19.0, 3.25])
    there = image.wcs.pixel_to_world(ix, iy)
    assert there.frame.name == radesys.lower()
    expected = SkyCoord(*frame.to_sky(*grid.to_plane(ix, iy)), unit="deg", frame=radesys.lower())
    assert there.separation(expected).arcsec.max() < 1e-6
    assert image.to_ccddata().wcs.array_shape == grid.shape


def test_an_image_without_a_frame_has_no_wcs():
    assert make_image().wcs is None
    assert make_image().to_ccddata().wcs is None


@pytest.mark.parametrize(
    ("noun", "text"),
    [
        (
            PixelGrid.covering((-4, 4), (-2, 2), 2.0),
            "PixelGrid(4 x 2 pixels of 2 x 2 arcsec, x -4 to 4, y -2 to 2 arcsec)",
        ),
        (
            make_turned_grid(90.0),
            "PixelGrid(31 x 20 pixels of 0.7 x 1.3 arcsec turned by 90 deg, "
            "x -21.35 to 4.65, y -7.35 to 14.35 arcsec)",
        ),
        (make_image(unit="count"), "SkyImage(4 x 2 pixels of 2 x 2 arcsec, values 0 to 7 count)"),
        (make_image(), "SkyImage(4 x 2 pixels of 2 x 2 arcsec, values 0 to 7)"),
        (SkyFrame(201.39127333, -43.0), "SkyFrame(201.391273, -43, ICRS)"),
    ],
)
def test_nouns_show_themselves_in_a_line(noun, text):
    assert repr(noun) == text
