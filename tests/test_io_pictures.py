"""Pictures as arrays, and back."""

import numpy as np
import pytest
from command_line import run
from PIL import Image

from gmmx.errors import DataError, OutputError
from gmmx.io import pictures
from gmmx.io.pictures import brightness, read_picture, write_picture


def make_gradient():
    """A picture of 4 x 6 pixels whose 8 bit channels are all different."""
    return np.arange(72).reshape(4, 6, 3) / 255


@pytest.mark.parametrize("ending", ["png", "tif", "tiff"])
def test_a_picture_comes_back_as_it_was_written(tmp_path, ending):
    write_picture(tmp_path / f"a.{ending}", make_gradient())
    assert np.allclose(read_picture(tmp_path / f"a.{ending}"), make_gradient(), atol=1e-12)


def test_a_jpeg_comes_back_nearly(tmp_path):
    write_picture(tmp_path / "a.jpg", make_gradient())
    assert np.allclose(read_picture(tmp_path / "a.jpg"), make_gradient(), atol=0.1)


@pytest.mark.parametrize(
    ("mode", "value", "wanted"),
    [
        ("L", 51, (0.2, 0.2, 0.2)),
        ("1", 1, (1, 1, 1)),
        ("RGBA", (0, 0, 0, 0), (1, 1, 1)),
        ("RGBA", (255, 0, 0, 255), (1, 0, 0)),
        ("I;16", 13107, (0.2, 0.2, 0.2)),
        ("I;16", 1, (0, 0, 0)),
        ("P", 0, (0, 0, 0)),
        ("LA", (51, 0), (1, 1, 1)),
    ],
)
def test_every_mode_becomes_red_green_and_blue(tmp_path, mode, value, wanted):
    Image.new(mode, (3, 2), value).save(tmp_path / "a.png")
    found = read_picture(tmp_path / "a.png")
    assert found.shape == (2, 3, 3)
    assert np.allclose(found[0, 0], wanted, atol=2e-5)


def test_the_first_row_is_the_top(tmp_path):
    top = np.zeros((3, 2))
    top[0] = 1.0
    write_picture(tmp_path / "a.png", top)
    assert brightness(read_picture(tmp_path / "a.png"))[:, 0].round(6).tolist() == [1, 0, 0]


def test_values_beyond_the_range_are_clipped(tmp_path):
    write_picture(tmp_path / "a.png", np.array([[-1.0, 2.0]]))
    assert read_picture(tmp_path / "a.png")[0, :, 0].tolist() == [0.0, 1.0]


def test_an_existing_picture_is_not_replaced(tmp_path):
    write_picture(tmp_path / "a.png", make_gradient())
    with pytest.raises(OutputError, match="exists"):
        write_picture(tmp_path / "a.png", make_gradient())


def test_a_file_that_is_no_picture_is_refused(tmp_path):
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(DataError, match=r"a\.png: not a picture: give a PNG, JPEG or TIFF"):
        read_picture(tmp_path / "a.png")


def test_a_picture_that_is_too_large_says_what_it_would_take(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "MOST_PIXELS", 10)
    write_picture(tmp_path / "a.png", make_gradient())
    with pytest.raises(
        DataError, match=r"6 x 4 pixels are 0 million samples, .* GB and 0 hours .*: make"
    ):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("mode", "ending", "value", "wanted"),
    [
        ("CMYK", "jpg", (0, 255, 255, 0), (1, 0, 0)),
        ("CMYK", "tif", (55, 155, 205, 0), (0.784, 0.392, 0.196)),
        ("YCbCr", "tif", (124, 86, 182), (0.784, 0.392, 0.196)),
        ("1", "tif", 1, (1, 1, 1)),
        ("PA", "tif", (0, 0), (1, 1, 1)),
        ("I", "tif", 13107, (0.2, 0.2, 0.2)),
        ("F", "tif", 0.25, (0.25, 0.25, 0.25)),
    ],
)
def test_modes_of_jpeg_and_tiff_are_shown(tmp_path, mode, ending, value, wanted):
    path = tmp_path / f"a.{ending}"
    Image.new(mode, (16, 8), value).save(path)
    assert np.allclose(read_picture(path)[4, 4], wanted, atol=0.01)


@pytest.mark.parametrize("ending", ["jpg", "png", "tif"])
def test_photographs_are_turned_upright(tmp_path, ending):
    picture, exif = Image.new("RGB", (20, 10), "white"), Image.Exif()
    picture.paste((255, 0, 0), (0, 0, 10, 10))
    # 6: the camera was held with its right side down, so that the left of the file is the top.
    exif[0x0112] = 6
    picture.save(tmp_path / f"a.{ending}", exif=exif)
    found = read_picture(tmp_path / f"a.{ending}")
    assert found.shape == (20, 10, 3)
    assert np.allclose(found[3, 5], (1, 0, 0), atol=0.05)
    assert np.allclose(found[16, 5], 1, atol=0.05)


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_several_pictures_in_a_file_are_refused(tmp_path, ending):
    frames = [Image.new("RGB", (4, 3), colour) for colour in ("red", "green")]
    path = tmp_path / f"a.{ending}"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    with pytest.raises(DataError, match="it holds 2 pictures, an animation or several pages"):
        read_picture(path)


@pytest.mark.parametrize(("mode", "value"), [("F", 300.5), ("I", 70000), ("I", -1)])
def test_numbers_that_viewers_show_in_their_own_way_are_refused(tmp_path, mode, value):
    Image.new(mode, (4, 3), value).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match="no viewer shows all alike: save it with values from 0"):
        read_picture(tmp_path / "a.tif")


def cut_to(path, n):
    """Keep the first n bytes of a file."""
    path.write_bytes(path.read_bytes()[:n])
    return path


@pytest.mark.parametrize("ending", ["png", "jpg", "tif"])
@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.95])
def test_truncated_pictures_are_refused_in_one_line(tmp_path, ending, part):
    path = tmp_path / f"a.{ending}"
    values = np.random.default_rng(0).integers(0, 255, (60, 50, 3), np.uint8)
    Image.fromarray(values).save(path)
    with pytest.raises(DataError, match=r"a\.\w+: .*fetch it again$"):
        read_picture(cut_to(path, int(part * path.stat().st_size)))


def test_a_picture_is_known_under_a_wrong_name(tmp_path):
    write_picture(tmp_path / "a.png", make_gradient())
    path = (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert np.allclose(read_picture(path), make_gradient(), atol=1e-12)


def test_a_fits_file_under_the_name_of_a_picture_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"SIMPLE  =                    T".ljust(2880))
    with pytest.raises(DataError, match="a FITS file with the ending of a picture: give `pict"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("ending", "kind"), [("png", "a PNG picture"), ("jpg", "a JPEG picture"), ("tif", "a TIFF")]
)
def test_a_picture_under_the_name_of_events_is_named(tmp_path, ending, kind):
    write_picture(tmp_path / f"a.{ending}", make_gradient())
    path = (tmp_path / f"a.{ending}").rename(tmp_path / "evt2.fits")
    done = run("fit", path, "--out", tmp_path / "a.h5")
    assert done.exit_code == 1
    assert f"{kind}" in done.stderr
    assert "fit it with --picture" in done.stderr
