"""Images as files: what DS9 shows, where the pixels are, what headers say, what is refused."""

import warnings
from dataclasses import replace

import h5py
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning
from handmade import galaxy_truth, make_mixture, make_observation, make_result
from numpy.testing import assert_allclose

from gmmx.answers.images import render
from gmmx.errors import DataError, InputError, OutputError
from gmmx.io.images import read_grid_like, write_images
from gmmx.plane.frame import PhysicalFrame, SkyFrame
from gmmx.plane.grid import PixelGrid
from gmmx.plane.wcs import wcs_cards

NAMES = ["SIGNAL", "SIGNAL_PSF", "BACKGROUND", "COMPLETENESS", "EXPECTED", "COUNTS", "RESIDUAL"]


@pytest.fixture(scope="module")
def result():
    return make_result([make_observation()], make_mixture())


@pytest.fixture(scope="module")
def images(result):
    return render(result, units="flux")


def quiet_wcs(header):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        return WCS(header)


def apart_pix(one, other, shape):
    """Largest distance between two WCS over an image [pixel of the other]."""
    ix, iy = np.meshgrid(np.linspace(0, shape[1] - 1, 7), np.linspace(0, shape[0] - 1, 7))
    jx, jy = other.all_world2pix(*one.all_pix2world(ix, iy, 0), 0)
    return np.hypot(jx - ix, jy - iy).max()


def test_fits_shows_the_signal_first(tmp_path, images, result):
    path = tmp_path / "model.fits"
    write_images(path, images, result, command="gmmx render model.h5 --out model.fits")
    with fits.open(path, checksum=True) as hdus:
        hdus.verify("exception")
        assert [h.name for h in hdus] == NAMES
        for hdu, image in zip(hdus, images.as_dict().values(), strict=True):
            assert_allclose(hdu.data, image.values, rtol=1e-6)
            assert hdu.header["BUNIT"] == image.unit
            assert {"CHECKSUM", "DATASUM", "CREATOR", "DATE"} <= set(hdu.header)
            assert WCS(hdu.header).has_celestial
        header = hdus[0].header
        assert header["BUNIT"] == "photon/cm**2/s/pixel"
        assert (header["REFEXPO"], header["ENERG_LO"], header["ENERG_HI"]) == (1e7, 0.5, 2.0)
        assert (header["TELESCOP"], header["OBS_ID"], header["EXPOSURE"]) == ("CHANDRA", "1", 1e5)
        history = list(header["HISTORY"])
        assert history[0].startswith(" TOOL  :gmmx   2")
        assert [line[64:] for line in history] == [f"ASC{i + 1:05d}" for i in range(len(history))]
        assert history[1][:64].rstrip() == " PARM  :command=gmmx render model.h5 --out model.fits"
        assert " PARM  :tol=0.1" in [line[:64].rstrip() for line in history]


def test_long_and_foreign_history_fits_its_columns(tmp_path, images, result):
    path = tmp_path / "model.fits"
    write_images(
        path, {"COUNTS": images.counts}, result, command="gmmx fit " + "\xc5ngstr\xf6m/" * 20
    )
    with fits.open(path) as hdus:
        assert len(hdus) == 1
        assert hdus[0].name == "COUNTS"
        lines = [line[8:64] for line in hdus[0].header["HISTORY"] if line[1:5] in ("PARM", "CONT")]
        assert "".join(lines).startswith("command=gmmx fit " + "\\xc5ngstr\\xf6m/" * 20)


def test_hdf5_holds_the_same(tmp_path, images, result):
    path = tmp_path / "images.h5"
    write_images(path, images, result)
    with h5py.File(path) as file:
        assert set(file) == set(NAMES)
        assert file.attrs["schema"] == "gmmx-images"
        assert file.attrs["REFEXPO"] == 1e7
        for name, image in images.as_dict().items():
            np.testing.assert_array_equal(file[name][()], image.values)
            assert file[name].attrs["unit"] == image.unit
            wcs = WCS(fits.Header.fromstring(file[name].attrs["header"], sep="\n"))
            x, y = image.grid.to_plane(3.0, 4.0)
            assert_allclose(
                wcs.all_pix2world(3.0, 4.0, 0), result.frame.to_sky(x, y), rtol=0, atol=1e-9
            )


@pytest.mark.parametrize("rotation", [0.0, 0.6, np.pi / 2])
def test_headers_place_pixels_as_the_plane_does(rotation):
    frame, physical = (
        SkyFrame(310.0, 78.0),
        PhysicalFrame(x0=4096.5, y0=4100.0, step_x=0.492, step_y=0.492),
    )
    turn = (
        np.array([[np.cos(rotation), -np.sin(rotation)], [np.sin(rotation), np.cos(rotation)]])
        * 1.3
    )
    grid = PixelGrid(shape=(700, 500), origin=np.array([-311.0, -423.7]), matrix=turn)
    header = fits.Header(wcs_cards(grid, frame, physical))
    assert ("CDELT1" in header) == (rotation == 0.0)
    ix, iy = np.array([0.0, 499, 250, 3]), np.array([0.0, 10, 699, 333])
    x, y = grid.to_plane(ix, iy)
    ra, dec = WCS(header).all_pix2world(ix, iy, 0)
    assert_allclose(np.array(frame.to_plane(ra, dec)), [x, y], rtol=0, atol=1e-6)
    assert_allclose(
        WCS(header, key="P").all_pix2world(ix, iy, 0), physical.to_physical(x, y), rtol=0, atol=1e-6
    )
    to_image = np.array(
        [[header["LTM1_1"], header.get("LTM1_2", 0)], [header.get("LTM2_1", 0), header["LTM2_2"]]]
    )
    back = to_image @ np.array(physical.to_physical(x, y)) + np.array(
        [[header["LTV1"]], [header["LTV2"]]]
    )
    assert_allclose(back, [ix + 1, iy + 1], rtol=0, atol=1e-6)


def test_a_header_at_the_pole_does_not_turn_the_plane():
    grid = PixelGrid.covering((-50, 50), (-50, 50), 2.0)
    frame = SkyFrame(30.0, 90.0)
    ra, dec = WCS(fits.Header(wcs_cards(grid, frame))).all_pix2world(3.0, 4.0, 0)
    assert_allclose(frame.to_plane(ra, dec), grid.to_plane(3.0, 4.0), rtol=0, atol=1e-6)


def test_the_galaxy_keeps_its_maps_pixels(tmp_path, shared_data):
    folder = shared_data / "marx" / "galaxy"
    truth = galaxy_truth(folder)
    write_images(tmp_path / "galaxy.fits", {"COMPLETENESS": render(truth).completeness}, truth)
    with fits.open(folder / "expmap.fits.gz") as hdus:
        given = hdus[0].header
    with fits.open(tmp_path / "galaxy.fits") as hdus:
        written = hdus[0].header
    assert apart_pix(WCS(given), WCS(written), (775, 775)) < 1e-6
    keys = (
        "CRVAL1P",
        "CRPIX1P",
        "CDELT1P",
        "CRVAL2P",
        "CDELT2P",
        "LTV1",
        "LTM1_1",
        "LTV2",
        "LTM2_2",
        "CRPIX1",
        "CDELT1",
    )
    expected = {key: given[key] for key in keys}
    assert {key: written[key] for key in keys} == pytest.approx(expected, rel=1e-9)
    assert written["RADESYS"] == given["RADESYS"]


@pytest.mark.parametrize("obsid", ["5786", "17170", "17490"])
def test_real_maps_keep_their_pixels(shared_data, obsid):
    path = (
        shared_data
        / "real"
        / "zwcl2341_acisi"
        / f"srcfree_bin4_500-2000_{obsid}_band1_thresh.expmap_nosrcedg.gz"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        given = fits.getheader(path)
    frame = SkyFrame(given["CRVAL1"], given["CRVAL2"])
    grid = read_grid_like(path, frame)
    assert grid.shape == (given["NAXIS2"], given["NAXIS1"])
    axes = []
    for i in (1, 2):
        at_origin = given[f"CRVAL{i}P"] + given[f"CDELT{i}P"] * (
            given[f"CRPIX{i}"] - given[f"CRPIX{i}P"]
        )
        axes.append((at_origin, abs(given[f"CDELT{i}"]) * 3600 / given[f"CDELT{i}P"]))
    physical = PhysicalFrame(x0=axes[0][0], y0=axes[1][0], step_x=axes[0][1], step_y=axes[1][1])
    header = fits.Header(wcs_cards(grid, frame, physical))
    assert apart_pix(quiet_wcs(given), WCS(header), grid.shape) < 1e-3
    ix, iy = np.array([0.0, grid.shape[1] - 1]), np.array([0.0, grid.shape[0] - 1])
    expected = [
        given[f"CRVAL{i}P"] + given[f"CDELT{i}P"] * (p + 1 - given[f"CRPIX{i}P"])
        for i, p in ((1, ix), (2, iy))
    ]
    assert_allclose(WCS(header, key="P").all_pix2world(ix, iy, 0), expected, rtol=0, atol=1e-3)


def test_like_takes_a_grid_with_its_own_tangent_point(shared_data):
    folder = shared_data / "marx" / "galaxy"
    frame = galaxy_truth(folder).frame
    grid = read_grid_like(folder / "truth.fits.gz", frame)
    assert grid.shape == (560, 560)
    given = WCS(fits.getheader(folder / "truth.fits.gz"))
    assert apart_pix(given, WCS(fits.Header(wcs_cards(grid, frame))), grid.shape) < 0.01


@pytest.mark.parametrize("rotation", [0.0, 1.1])
def test_the_grid_of_an_image_that_was_written_is_its_own(tmp_path, result, rotation):
    drawn = render(result, make_observation(rotation=rotation).completeness.grid)
    write_images(tmp_path / "drawn.fits", drawn, result)
    grid = read_grid_like(tmp_path / "drawn.fits", result.frame)
    assert grid.shape == drawn.signal.grid.shape
    assert_allclose(grid.matrix, drawn.signal.grid.matrix, atol=1e-8)
    assert_allclose(grid.origin, drawn.signal.grid.origin, atol=1e-6)


FRAME = SkyFrame(202.5, 47.2)


def make_image_file(path, shape=(40, 30), **cards):
    """An image of 1 arcsec pixels about the tangent point of FRAME, with other cards if given."""
    header = fits.Header()
    for axis, (kind, value, pixel, step) in enumerate(
        (("RA---TAN", 202.5, 15.0, -1 / 3600), ("DEC--TAN", 47.2, 20.0, 1 / 3600)), start=1
    ):
        header[f"CTYPE{axis}"], header[f"CRVAL{axis}"] = kind, value
        header[f"CRPIX{axis}"], header[f"CDELT{axis}"] = pixel, step
        header[f"CUNIT{axis}"] = "deg"
    header.update(cards)
    fits.PrimaryHDU(np.zeros(shape, np.float32), header).writeto(path)
    return path


def test_a_grid_has_its_tangent_point_where_the_header_says(tmp_path):
    grid = read_grid_like(make_image_file(tmp_path / "plain.fits"), FRAME)
    assert_allclose(grid.to_plane(14, 19), [0, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("given", "shape"), [((1, 40, 30), (40, 30)), ((1, 30), (1, 30))], ids=["cube", "row"]
)
def test_a_grid_of_another_shape_has_the_same_pixels(tmp_path, given, shape):
    grid = read_grid_like(make_image_file(tmp_path / "other.fits", shape=given), FRAME)
    assert grid.shape == shape
    assert_allclose(grid.matrix, np.eye(2), atol=1e-8)


def test_a_grid_in_fk5_is_shifted_by_the_difference_of_the_systems(tmp_path):
    plain = read_grid_like(make_image_file(tmp_path / "plain.fits"), FRAME)
    cards = {"RADESYS": "FK5", "EQUINOX": 2000.0}
    fk5 = read_grid_like(make_image_file(tmp_path / "fk5.fits", **cards), FRAME)
    assert 0.0005 < np.hypot(*(fk5.origin - plain.origin)) < 0.05


def test_a_grid_in_galactic_coordinates_is_turned(tmp_path):
    cards = {"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN", "CRVAL1": 103.6, "CRVAL2": 68.6}
    path = make_image_file(tmp_path / "galactic.fits", **cards)
    there = SkyCoord(103.6, 68.6, unit="deg", frame="galactic").icrs
    grid = read_grid_like(path, SkyFrame(there.ra.deg, there.dec.deg))
    assert_allclose(grid.to_plane(14, 19), [0, 0], atol=1e-6)
    assert abs(grid.matrix[0, 1]) > 0.1


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.write_text("not a fits file\n" * 300), "not a FITS file"),
        (lambda path: fits.PrimaryHDU().writeto(path), "no image in it"),
        (lambda path: fits.PrimaryHDU(np.zeros((4, 4))).writeto(path), "no celestial WCS"),
        (lambda path: make_image_file(path, shape=(900, 900), CRVAL2=49.2), "regular grid"),
        (lambda path: make_image_file(path, CRVAL1=22.5, CRVAL2=-47.2), "side of the sky"),
    ],
    ids=["absent", "text", "empty", "no WCS", "far away", "opposite"],
)
def test_an_image_without_a_usable_grid_is_refused(tmp_path, make, reason):
    make(tmp_path / "like.fits")
    with pytest.raises(DataError, match=reason):
        read_grid_like(tmp_path / "like.fits", FRAME)


def test_a_grid_needs_a_plane(tmp_path):
    with pytest.raises(InputError, match="without a celestial frame"):
        read_grid_like(make_image_file(tmp_path / "like.fits"), None)


def test_several_observations_share_a_header(tmp_path):
    one, two = make_observation(1, name="one"), make_observation(2, name="two")
    two = replace(
        two,
        pointing=replace(
            two.pointing,
            obs_id="2",
            exposure_time=5e4,
            band_kev=(0.5, 7.0),
            target="elsewhere",
        ),
    )
    joint = make_result([one, two], make_mixture())
    write_images(tmp_path / "joint.fits", {"COUNTS": render(joint).counts}, joint)
    header = fits.getheader(tmp_path / "joint.fits")
    assert (header["OBS_ID"], header["EXPOSURE"], header["TELESCOP"]) == (
        "Merged",
        1.5e5,
        "CHANDRA",
    )
    assert (header["ENERG_LO"], header["ENERG_HI"]) == (0.5, 7.0)


def test_images_are_not_overwritten_unless_asked(tmp_path, images, result):
    path = tmp_path / "model.fits"
    write_images(path, images, result)
    before = path.read_bytes()
    with pytest.raises(OutputError, match="exists") as error:
        write_images(path, images, result)
    assert "\n" not in str(error.value)
    assert path.read_bytes() == before
    write_images(path, {"SIGNAL": images.signal}, result, overwrite=True)
    assert len(path.read_bytes()) < len(before)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("model.png", "cannot tell the format"),
        ("model", "cannot tell the format"),
        ("absent/model.fits", "no folder"),
    ],
)
def test_a_name_that_cannot_be_written_is_refused(tmp_path, images, result, name, reason):
    with pytest.raises(OutputError, match=reason):
        write_images(tmp_path / name, images, result)
    assert list(tmp_path.iterdir()) == []


def test_no_image_is_no_file(tmp_path, result):
    with pytest.raises(InputError, match="no image"):
        write_images(tmp_path / "none.fits", {}, result)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "obs_id"), [("RESIDUAL_1", "1"), ("COUNTS_2", "2"), ("SIGNAL_PSF", "Merged")]
)
def test_an_image_of_one_observation_has_the_keywords_of_that_observation(tmp_path, name, obs_id):
    one = make_observation()
    two = replace(one, name="two", pointing=replace(one.pointing, obs_id="2"))
    result = make_result([one, two], make_mixture())
    write_images(tmp_path / "one.fits", {name: render(result).as_dict()[name]}, result)
    assert fits.getheader(tmp_path / "one.fits")["OBS_ID"] == obs_id


@pytest.mark.parametrize(
    ("units", "equation"),
    [
        ("counts", "EXPECTED = COMPLETENESS x SIGNAL_PSF + BACKGROUND"),
        ("flux", "EXPECTED = COMPLETENESS x REFEXPO x (SIGNAL_PSF + BACKGROUND)"),
        ("sb", "EXPECTED = COMPLETENESS x REFEXPO x (area of a pixel in arcsec**2) x"),
    ],
)
def test_each_header_says_how_the_images_add_up(tmp_path, units, equation):
    result = make_result([make_observation()], make_mixture())
    write_images(tmp_path / "sum.fits", render(result, units=units), result)
    with fits.open(tmp_path / "sum.fits") as file:
        for name in ("SIGNAL_PSF", "BACKGROUND", "COMPLETENESS", "EXPECTED"):
            text = " ".join(map(str, file[name].header["COMMENT"]))
            assert equation in text
            assert "no coarser than the completeness map's" in text
        assert "no PSF" in str(file[0].header["COMMENT"])
