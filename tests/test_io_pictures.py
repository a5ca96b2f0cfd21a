"""Pictures as arrays, and back."""

import numpy as np
import pytest
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
        ("P", 0, (0, 0, 0)),
    ],
)
def test_every_mode_becomes_red_green_and_blue(tmp_path, mode, value, wanted):
    Image.new(mode, (3, 2), value).save(tmp_path / "a.png")
    found = read_picture(tmp_path / "a.png")
    assert found.shape == (2, 3, 3)
    assert np.allclose(found[0, 0], wanted, atol=1e-6)


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
