"""Samples from the columns of catalogues and from the pixels of pictures."""

import numpy as np
import pytest
from astropy.table import Table

from gmmx.config import CatalogueOptions, PictureOptions
from gmmx.errors import DataError, DataWarning, InputError
from gmmx.io.pictures import write_picture
from gmmx.reading.catalogue import read_samples
from gmmx.reading.picture import read_picture_samples


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def make_stars(**changed):
    """Write a catalogue of three stars with errors."""
    columns = {
        "g": [1.0, 2.0, 3.0],
        "r": [4.0, 5.0, 6.0],
        "g_err": [0.1, 0.2, 0.3],
        "r_err": [0.4, 0.5, 0.6],
        "g_r_corr": [0.0, 0.5, -1.0],
        "w": [1.0, 2.0, 0.0],
    }
    Table(columns | changed).write("stars.fits", overwrite=True)
    return "stars.fits"


def read(**options):
    return read_samples("stars.fits", CatalogueOptions(columns="g,r", **options))


def test_columns_become_samples_in_their_order():
    make_stars()
    samples = read_samples("stars.fits", CatalogueOptions(columns="r,g"))
    assert samples.names == ("r", "g")
    assert samples.x.tolist() == [[4, 1], [5, 2], [6, 3]]
    assert samples.noise_kind == "none"


def test_errors_are_standard_deviations():
    make_stars()
    assert np.allclose(read(errors="g_err,r_err").covariances[1], [0.04, 0.25])


def test_correlations_make_covariances():
    make_stars()
    samples = read(errors="g_err,r_err", correlations="g_r_corr")
    assert np.allclose(samples.covariances[1], [[0.04, 0.05], [0.05, 0.25]])


def test_correlations_that_are_not_given_count_as_0():
    make_stars(g_r_corr=[0.0, np.nan, -1.0])
    with pytest.warns(DataWarning, match="1 correlation counted as 0, because"):
        samples = read(errors="g_err,r_err", correlations="g_r_corr")
    assert np.allclose(samples.covariances[1], np.diag([0.04, 0.25]))


def test_correlations_of_errors_that_are_not_known_do_not_matter():
    make_stars(g_r_corr=[0.0, np.nan, -1.0], g=[1.0, np.nan, 3.0], g_err=[0.1, np.nan, 0.3])
    samples = read(errors="g_err,r_err", correlations="g_r_corr")
    assert samples.covariances[1, 1, 1] == pytest.approx(0.25)


@pytest.mark.parametrize("marker", [-9999.0, 99.0])
def test_markers_of_missing_values_lead_to_a_warning(marker):
    Table({"g": [*np.linspace(18, 22, 50), marker, marker]}).write("m.fits")
    with pytest.warns(DataWarning, match=f"m.fits: g is {marker:g} in 2 rows, far from all others"):
        read_samples("m.fits", CatalogueOptions(columns="g"))


@pytest.mark.parametrize("others", [[99.0], [22.0, 22.0], [5.0, 40.0]])
def test_values_that_mark_nothing_lead_to_no_warning(others):
    Table({"g": [*np.linspace(18, 22, 50), *others]}).write("m.fits")
    assert len(read_samples("m.fits", CatalogueOptions(columns="g"))) == 50 + len(others)


def test_a_column_may_hold_covariances():
    given = np.repeat([[[0.04, 0.05], [0.05, 0.25]]], 3, axis=0)
    make_stars(cov=given)
    assert np.array_equal(read(covariance="cov").covariances, given)


def test_weights_are_kept():
    make_stars()
    assert read(weights="w").weights.tolist() == [1, 2, 0]


def test_an_empty_value_is_missing():
    make_stars(g=[1.0, np.nan, 3.0])
    assert read(errors="g_err,r_err").missing.tolist() == [[0, 0], [1, 0], [0, 0]]


def test_a_value_without_an_error_is_missing_with_a_warning():
    make_stars(g_err=[0.1, np.nan, 0.3])
    with pytest.warns(DataWarning, match=r"stars\.fits: 1 value without an error"):
        samples = read(errors="g_err,r_err")
    assert samples.missing.tolist() == [[0, 0], [1, 0], [0, 0]]


def test_rows_without_a_value_are_left_out_with_a_warning():
    make_stars(g=[1.0, np.nan, 3.0], r=[4.0, np.nan, 6.0])
    with pytest.warns(DataWarning, match=r"stars\.fits: 1 row of 3 without any value"):
        assert len(read(errors="g_err,r_err", weights="w")) == 2


@pytest.mark.parametrize(
    ("changed", "options", "words"),
    [
        ({"g_err": [0.1, -0.2, 0.3]}, {"errors": "g_err,r_err"}, "row 1 has the error -0.2"),
        (
            {"g_r_corr": [0.0, 2.0, 0.0]},
            {"errors": "g_err,r_err", "correlations": "g_r_corr"},
            "row 1 has the correlation 2 in g_r_corr",
        ),
        (
            {"cov": [[[1.0, 0], [0, 1]], [[1.0, 2], [2, 1]], [[1.0, 0], [0, 1]]]},
            {"covariance": "cov"},
            "the errors of row 1 are no covariance",
        ),
        ({}, {"covariance": "w"}, r"a cell of w has shape \(\): 2 columns need \(2, 2\)"),
        ({"w": [1.0, -1.0, 0.0]}, {"weights": "w"}, "row 1 has the weight -1 in w"),
        ({"g": [1.0, np.inf, 2.0]}, {}, "row 1 holds an infinite value in g"),
        ({"g": [np.nan] * 3, "r": [np.nan] * 3}, {}, "no row has a value in g, r"),
        ({"g": [[1.0, 2.0]] * 3}, {}, "each cell of the column g holds an array"),
        ({}, {"errors": "g_er,r_err"}, "it has no column g_er: did you mean g_err?"),
    ],
)
def test_a_catalogue_that_cannot_be_used_is_named(changed, options, words):
    make_stars(**changed)
    with pytest.raises(DataError, match=f"^stars.fits: {words}"):
        read(**options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"columns": "g,g"}, "`columns` repeats"),
        ({"columns": "g,,r"}, "`columns` has an empty name"),
        ({"columns": "g,r", "errors": "e"}, "`errors` names 1 column for the 2"),
        ({"columns": "g,r", "errors": "a,b", "correlations": "c,d"}, "`correlations` names 2"),
        ({"columns": "g,r", "correlations": "c"}, "`correlations` names 1"),
        ({"columns": "g,r", "errors": "a,b", "covariance": "c"}, "say the same"),
        ({"columns": "g", "background": "sky"}, "samples know the backgrounds uniform"),
    ],
)
def test_columns_that_do_not_fit_together_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        CatalogueOptions(**options)


def make_drawing():
    """Write a white picture of 3 x 4 pixels with a black corner and a grey pixel."""
    drawn = np.ones((3, 4))
    drawn[2, 0], drawn[0, 3] = 0.0, 0.2
    write_picture("drawing.png", drawn)
    return "drawing.png"


def test_dark_pixels_are_samples_with_their_darkness():
    samples = read_picture_samples(make_drawing(), PictureOptions())
    # The lower left pixel is the origin.
    assert samples.x.tolist() == [[3, 2], [0, 0]]
    assert samples.weights == pytest.approx([0.8, 1.0], abs=1e-3)


def test_a_threshold_leaves_grey_pixels_out():
    values = np.array([[1.0, 0.0, 0.2], [0.0, 1.0, 1.0]])
    write_picture("grey.png", values)
    samples = read_picture_samples("grey.png", PictureOptions(threshold=0.9))
    assert samples.x.tolist() == [[1, 1], [0, 0]]


def test_an_inverted_drawing_has_its_bright_pixels():
    assert len(read_picture_samples(make_drawing(), PictureOptions(invert=True))) == 10


def test_every_pixel_of_a_colour_picture_is_a_sample():
    samples = read_picture_samples(make_drawing(), PictureOptions(colour=True))
    assert samples.names == ("x", "y", "red", "green", "blue")
    assert len(samples) == 12
    assert samples.x[0].tolist() == [0, 2, 1, 1, 1]


@pytest.mark.parametrize(
    ("picture", "options", "words"),
    [
        (np.full((3, 3), 0.5), {"colour": True}, "all pixels have one colour"),
        (np.full((3, 3), 0.5), {}, "all pixels have one colour"),
        (np.array([[1.0, 0.9]]), {}, "no pixel is dark by more than 0.5"),
        (np.array([[0.0, 0.1]]), {"invert": True}, "no pixel is bright by more than 0.5"),
    ],
)
def test_a_picture_without_samples_is_refused(picture, options, words):
    write_picture("plain.png", picture)
    with pytest.raises(DataError, match=f"plain.png: {words}"):
        read_picture_samples("plain.png", PictureOptions(**options))
