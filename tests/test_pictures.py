"""Mixtures of pictures: what is fitted, rendered, scattered and compressed."""

import json
import warnings

import numpy as np
import pytest
from command_line import run

from gmmx.answers.drawn_pictures import contour_pixels, scattered, toned
from gmmx.answers.pictures import (
    clustered,
    colour_picture,
    colours_at,
    compressed,
    density_picture,
    of_labels,
    original_picture,
    psnr,
)
from gmmx.config import PictureRenderConfig, SampleCommandConfig
from gmmx.errors import InputError
from gmmx.io.models import read_any
from gmmx.io.pictures import read_picture, write_picture

BLUE, GREEN = (0.1, 0.2, 0.9), (0.2, 0.7, 0.1)


def make_drawing(path):
    """Write a white picture of 24 x 24 pixels with a black bar at the left, 8 x 20."""
    values = np.ones((24, 24))
    values[2:22, 2:10] = 0.0
    write_picture(path, values)
    return path


def make_photo(path):
    """Write a picture of 24 x 20 pixels: blue above, green below, with a little noise."""
    values = np.empty((20, 24, 3))
    values[:10], values[10:] = BLUE, GREEN
    write_picture(path, values + np.random.default_rng(0).normal(0, 0.03, values.shape))
    return path


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder with the models of a drawing and of a colour picture."""
    folder = tmp_path_factory.mktemp("pictures")
    for name, picture, rest in (
        ("drawing", make_drawing(folder / "drawing.png"), ["--k", 6]),
        ("photo", make_photo(folder / "photo.png"), ["--k", 8, "--colour"]),
    ):
        done = run("fit", picture, *rest, "--out", folder / f"{name}.h5")
        assert done.exit_code == 0, done.output
    return folder


@pytest.fixture(scope="module")
def drawing(models):
    return read_any(models / "drawing.h5")


@pytest.fixture(scope="module")
def photo(models):
    return read_any(models / "photo.h5")


def test_the_fit_of_a_picture_ends_by_its_number_of_pixels(drawing):
    assert drawing.options["tol"] == pytest.approx(0.16)
    assert drawing.options["picture_size"] == [24, 24]


def test_the_steps_of_a_picture_are_those_of_em(photo):
    assert set(photo.history["step"]) <= {"start", "em"}
    assert np.all(np.diff(photo.history["objective"]) > -1e-6)


def test_the_density_of_a_drawing_is_that_of_its_dark_pixels(drawing):
    density = density_picture(drawing)
    assert density[5:19, 4:8].mean() == pytest.approx(1.0, abs=0.25)
    assert density[:, 14:].max() < 0.05
    assert density.sum() == pytest.approx(160, rel=0.05)


def test_the_density_does_not_depend_on_the_size_of_the_grid(drawing):
    fine = density_picture(drawing, (72, 72))
    assert fine[1::3, 1::3] == pytest.approx(density_picture(drawing), rel=1e-9)


def test_a_colour_picture_comes_back(photo):
    picture = colour_picture(photo)
    assert picture[3, 12] == pytest.approx(BLUE, abs=0.05)
    assert picture[16, 12] == pytest.approx(GREEN, abs=0.05)
    assert psnr(picture, original_picture(photo)) > 20


def test_the_colour_of_a_place_is_the_conditional_mean(photo):
    place = [11.0, 9.2]
    conditional = photo.condition({"x": place[0], "y": place[1]})
    wanted = conditional.fluxes @ conditional.means
    assert colours_at(photo, np.array([place]))[0] == pytest.approx(wanted, abs=1e-9)


def test_the_most_probable_colour_is_that_of_one_component(photo):
    place = [11.0, 9.2]
    conditional = photo.condition({"x": place[0], "y": place[1]})
    wanted = conditional.means[np.argmax(conditional.fluxes)]
    found = colours_at(photo, np.array([place]), most_probable=True)[0]
    assert found == pytest.approx(wanted, abs=1e-9)


def test_a_drawing_has_no_colours(drawing):
    with pytest.raises(InputError, match="no colours: fit the picture with `colour`"):
        colours_at(drawing, np.zeros((1, 2)))


@pytest.mark.parametrize("colours", ["draw", "expectation", "most-probable"])
def test_scattered_samples_have_the_colours_of_their_places(photo, colours):
    picture = scattered(photo, 400, np.random.default_rng(1), colours=colours)
    drawn = (picture < 1).any(axis=2)
    assert 150 < drawn.sum() < 400
    assert picture[:8][drawn[:8]].mean(0) == pytest.approx(BLUE, abs=0.05)


def test_scattered_samples_of_a_drawing_are_dark_where_it_is_dark(drawing):
    dark = scattered(drawing, 300, np.random.default_rng(1), size=(48, 48))[..., 0] == 0
    assert dark[:, :22].sum() > 100
    assert not dark[:, 28:].any()


def test_a_compressed_picture_has_as_many_colours_as_components(photo):
    original = original_picture(photo)
    found = compressed(photo, original)
    n_colours = len(np.unique(found.picture.reshape(-1, 3), axis=0))
    assert n_colours <= len(photo.mixture)
    assert found.bits_per_pixel < 24
    assert found.psnr == pytest.approx(psnr(found.picture, original))


def test_clusters_of_colours_have_the_smallest_error_of_colours(photo):
    original = original_picture(photo)
    kmeans = clustered(original, 8, np.random.default_rng(0))
    assert kmeans.psnr > compressed(photo, original).psnr


def test_colours_have_8_bits_as_they_are_counted():
    found = of_labels(np.zeros((1, 2), int), np.array([[[0.0] * 3, [0.301] * 3]]))
    assert (found.picture * 255) == pytest.approx(np.full((1, 2, 3), 38.0), abs=1e-9)


def test_a_picture_of_fewer_colours_than_clusters_warns_of_nothing():
    original = np.random.default_rng(0).choice([0.0, 0.2, 1.0], (12, 12, 1)) * np.ones(3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = clustered(original, 8, np.random.default_rng(0))
    assert len(np.unique(found.labels)) == 3
    assert found.psnr > 100


def test_one_colour_for_all_needs_hardly_a_bit():
    found = of_labels(np.zeros((10, 10), int), np.full((10, 10, 3), 0.5))
    assert found.bits_per_pixel == pytest.approx(0.24)


@pytest.mark.parametrize("tone", ["linear", "log", "asinh", "piecewise:0:0,0.5:0.9,1:1"])
def test_every_tone_rises_from_0_to_1(tone):
    found = toned(np.linspace(0, 1, 50), PictureRenderConfig(tone=tone))
    assert found[[0, -1]] == pytest.approx([0, 1], abs=1e-12)
    assert np.all(np.diff(found) > 0)


def test_contours_lie_where_a_level_is_crossed():
    values = np.tile(np.linspace(0, 1, 11), (3, 1))
    assert np.flatnonzero(contour_pixels(values, 3)[0]).tolist() == [2, 4, 7]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"grid_size": "big"}, "write WIDTHxHEIGHT, such as 1000x800"),
        ({"grid_size": "90000x90000"}, "at most 40,000,000 pixels"),
        ({"tone": "loud"}, "choose linear, log, asinh, or piecewise"),
        ({"tone": "piecewise:0:0,0:1"}, "with rising X"),
        ({"tone": "piecewise:0:0,1:2"}, "Y between 0 and 1"),
        ({"contours": 31}, "give at most 30"),
    ],
)
def test_wrong_options_of_a_picture_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        PictureRenderConfig(**options)


def test_unknown_colours_are_refused():
    with pytest.raises(InputError, match="`colours` = loud: choose draw"):
        SampleCommandConfig(colours="loud")


@pytest.mark.parametrize("ending", ["png", "jpg", "tif"])
def test_render_writes_a_picture(models, tmp_path, ending):
    out = tmp_path / f"out.{ending}"
    done = run("render", models / "drawing.h5", "--grid-size", "30x20", "--out", out)
    assert done.exit_code == 0, done.output
    picture = read_picture(out)
    assert picture.shape == (20, 30, 3)
    assert picture[10, 7, 0] < 0.4
    assert picture[10, 25, 0] > 0.95


def test_render_draws_contours(models, tmp_path):
    out = tmp_path / "out.png"
    run("render", models / "drawing.h5", "--contours", 1, "--tone", "log", "--out", out)
    red = read_picture(out)
    assert 20 < ((red[..., 0] > 0.8) & (red[..., 1] < 0.3)).sum() < 150


def test_sample_writes_a_picture(models, tmp_path):
    out = tmp_path / "out.png"
    done = run("sample", models / "photo.h5", "--n", 50, "--out", out)
    assert done.exit_code == 0, done.output
    assert 20 < (read_picture(out) < 1).any(axis=2).sum() <= 50


def test_compress_prints_bits_and_writes_both_pictures(models, tmp_path):
    out = tmp_path / "out.png"
    text = run("compress", models / "photo.h5", "--beside", "--out", out).stdout
    assert text.splitlines()[0].split() == ["bits", "per", "pixel", "PSNR", "[dB]"]
    assert [line.split()[0] for line in text.splitlines()[1:]] == ["original", "mixture", "k-means"]
    assert read_picture(out).shape == (20, 48, 3)


def test_compress_prints_json(models, tmp_path):
    facts = json.loads(
        run("compress", models / "photo.h5", "--json", "--out", tmp_path / "a.png").stdout
    )
    assert facts["plain_bits_per_pixel"] == 24
    assert facts["mixture"]["bits_per_pixel"] < 24


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("render drawing.h5 --out a.gif", "cannot tell the format from the ending '.gif'"),
        ("render photo.h5 --out a.fits", "the mixture has colours, a FITS image has none"),
        ("render drawing.h5 --tone log --out a.fits", "leave --tone out"),
        ("render drawing.h5 --contours 3 --out a.fits", "leave --contours out"),
        ("render drawing.h5 --bin 2 --out a.png", "--bin applies to models of photons"),
        ("compress drawing.h5 --out a.png", "the mixture has no colours"),
    ],
)
def test_what_does_not_fit_a_picture_is_refused_in_one_line(models, monkeypatch, line, words):
    monkeypatch.chdir(models)
    done = run(*line.split())
    assert done.exit_code == 1
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def drawn(*rows):
    """Greys between 0 and 1, one text for each row: # is black, . is white, : is grey."""
    return np.array([[{"#": 0.0, ".": 1.0, ":": 0.5}[c] for c in row] for row in rows])


@pytest.mark.parametrize(
    ("values", "options", "words"),
    [
        (drawn("::::", "::::"), [], "all pixels have one colour"),
        (drawn("::::", "::::"), ["--colour"], "all pixels have one colour"),
        (drawn("....", "####", "...."), [], "lie in one row, so that a mixture has no width"),
        (drawn("#", ":", "."), ["--colour"], "lie in one column, so that a mixture has no width"),
        (drawn("..:.", "...:"), ["--threshold", "0.6"], "no pixel is dark by more than 0.6"),
        (drawn("#...", "...#"), ["--threshold", "1"], "--threshold 1.0: it must be at least 0"),
        (drawn("#...", "...#"), ["--weights", "w"], "a picture has no --weights"),
        (drawn("#...", "...#"), ["--colour", "--invert"], "all pixels are samples: leave --invert"),
        (drawn("#...", "...#"), [], "2 samples in 2 dimensions determine no covariance"),
    ],
)
def test_pictures_without_a_mixture_are_refused_in_one_line(tmp_path, values, options, words):
    write_picture(tmp_path / "a.png", values)
    done = run("fit", tmp_path / "a.png", *options, "--out", tmp_path / "a.h5")
    assert done.exit_code == 1
    assert words in done.stderr.splitlines()[-1]


def test_more_components_than_pixels_leave_as_many_as_there_are(tmp_path):
    write_picture(tmp_path / "a.png", drawn("#..#", "..#.", "#.##"))
    done = run("fit", tmp_path / "a.png", "--k", 50, "--out", tmp_path / "a.h5")
    assert done.exit_code == 0
    assert "components instead of 50: the others had no samples left" in done.stderr


def test_the_colours_of_a_grey_picture_come_back(tmp_path):
    values = np.tile(np.linspace(0, 1, 12), (9, 1))
    write_picture(tmp_path / "a.png", values)
    done = run("fit", tmp_path / "a.png", "--colour", "--k", 4, "--out", tmp_path / "a.h5")
    assert "all its colours are greys" in done.stderr
    assert "min-sigma" not in done.stderr
    assert colour_picture(read_any(tmp_path / "a.h5"))[..., 1] == pytest.approx(values, abs=0.02)


@pytest.mark.parametrize("line", ["flux", "profile", "test", "simulate --out x.fits"])
def test_commands_of_the_sky_refuse_a_picture_in_one_line(models, monkeypatch, line):
    monkeypatch.chdir(models)
    command, *rest = line.split()
    done = run(command, "drawing.h5", *rest)
    assert done.exit_code == 1
    assert "a model of samples" in done.stderr
