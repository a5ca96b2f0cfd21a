"""Grids over the columns of samples: nouns, files, and completenesses from them."""

import h5py
import numpy as np
import pytest
from astropy.table import Table
from command_line import run
from numpy.testing import assert_allclose
from scipy.integrate import trapezoid

import gmmx
from gmmx.errors import DataError, InputError
from gmmx.io.sample_grids import read_grid
from gmmx.model.sample_completeness import SampleCompleteness
from gmmx.model.sample_grid import SampleGrid
from gmmx.reading.sample_selection import completeness_of

MAG, COLOUR = np.array([14.0, 22.0, 24.0]), np.array([-8.0, 0.0, 5.0, 8.0])
RAMP = np.array([1.0, 0.8, 0.1])[:, None] * np.array([1.0, 1.0, 0.5, 0.5])


def make_grid_file(path, values=RAMP, columns=("mag", "g_r"), **axes):
    """Write a completeness over mag and g_r, with the attribute columns unless it is None."""
    with h5py.File(path, "w") as file:
        file["completeness"] = values
        if columns is not None:
            file["completeness"].attrs["columns"] = columns
        for name, nodes in ({"mag": MAG, "g_r": COLOUR} | axes).items():
            if nodes is not None:
                file[name] = nodes
    return path


def test_the_marginal_of_a_grid_is_the_integral_of_its_interpolation():
    rng = np.random.default_rng(0)
    grid = SampleGrid(values=rng.random((3, 4)), axes=[MAG, COLOUR])
    fine = np.linspace(-8, 8, 4001)
    for mag in (14.0, 20.3, 24.0):
        values = grid(np.column_stack([np.full_like(fine, mag), fine]))
        expected = trapezoid(values, fine)
        assert_allclose(grid.marginal([0])([[mag, np.nan]]), expected, rtol=1e-6)
    assert_allclose(grid.integral(), grid.marginal([1]).integral())


@pytest.mark.parametrize("names", [("g_r", "mag"), ("mag", "g_r"), ("x", "mag", "y", "g_r")])
def test_axes_are_matched_to_the_columns_by_name(tmp_path, names):
    omega = completeness_of(make_grid_file(tmp_path / "c.h5"), names)
    x = np.full((2, len(names)), 7.0)
    x[:, names.index("mag")] = [23.0, 25.0]
    x[:, names.index("g_r")] = [6.0, 6.0]
    assert_allclose(omega(x), [0.45 * 0.5, 0.0])


def test_the_lengths_of_the_axes_tell_their_order(tmp_path):
    path = make_grid_file(tmp_path / "c.h5", columns=None)
    assert read_grid(path, "completeness").names == ("mag", "g_r")


def test_a_completeness_over_one_column_holds_for_all_values_of_the_others(tmp_path):
    path = make_grid_file(tmp_path / "c.h5", RAMP[:, 0], ["mag"], g_r=None)
    omega = completeness_of(path, ("g_r", "mag"))
    assert_allclose(omega(np.array([[-99.0, 18.0], [99.0, 24.0]])), [0.9, 0.1])


def test_a_fit_through_a_grid_in_a_file_keeps_the_grid_in_its_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    truth = np.column_stack([rng.normal(1, 1, 4000), rng.normal(22, 0.8, 4000)])
    omega = completeness_of(make_grid_file("c.h5"), ("g_r", "mag"))
    x = truth[rng.random(4000) < omega(truth)]
    Table(x, names=("g_r", "mag")).write("cat.fits")
    words = ("fit", "cat.fits", "--columns", "g_r,mag", "--completeness", "c.h5", "--k", 1)
    done = run(*words, "--out", "m.h5")
    assert done.exit_code == 0, done.stderr
    result = gmmx.read("m.h5")
    assert_allclose(result.mixture.means[0], [1, 22], atol=0.1)
    assert result.completeness.grid.names == ("mag", "g_r")
    assert_allclose(result.completeness(x), omega(x))
    assert "completeness" in run("info", "m.h5").stdout


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"g_r": None}, "it has no axis g_r: add a dataset g_r with its nodes"),
        ({"g_r": None, "gr": COLOUR}, "it has no axis g_r: is it gr?"),
        ({"mag": MAG[::-1]}, "axis mag does not rise: 22 follows 24 at its node 1"),
        ({"mag": [14.0, 22.0]}, r"axis mag has shape \(2,\), but the grid has 3 nodes"),
        ({"mag": [14.0, np.nan, 24.0]}, "axis mag holds nan"),
        ({"values": RAMP + 0.5}, "is 1.5 at mag = 14, g_r = -8 and at .*: it must be a probab"),
        ({"values": 100 * RAMP}, "divide percentages by 100"),
        ({"values": np.where(RAMP < 0.1, np.nan, RAMP)}, "is nan at mag = 24, g_r = 5"),
        ({"values": RAMP - 0.5}, "is -0.1 at mag = 22, g_r = 5 and at 5 other nodes"),
        ({"values": 0 * RAMP}, "the completeness is zero everywhere"),
        ({"values": RAMP[:, 0]}, "names mag, g_r for 1 dimensions"),
        ({"columns": ["mag", "mag"]}, "names mag, mag for 2 dimensions"),
        ({"columns": ["magn", "g_r"], "mag": None, "magn": MAG}, "did you mean mag?"),
        ({"columns": ["z", "g_r"], "mag": None, "z": MAG}, "fit z too"),
        ({"columns": None, "values": np.ones((4, 4)), "mag": np.arange(4.0)}, "name the axes"),
        ({"values": np.array([b"a", b"b"])}, "must be a dataset of numbers"),
    ],
)
def test_what_is_no_completeness_is_refused_with_its_place(tmp_path, changes, message):
    path = make_grid_file(tmp_path / "c.h5", **changes)
    with pytest.raises((DataError, InputError), match=message) as caught:
        completeness_of(path, ("g_r", "mag"))
    assert str(caught.value).startswith(str(path))
    assert str(caught.value).count(str(path)) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"mag,g_r\n", "not an HDF5 file"),
        ("omega", "it has no completeness: it has omega"),
        ("completness", "it has no completeness: is it completness?"),
    ],
)
def test_a_file_without_a_completeness_is_refused(tmp_path, content, message):
    path = tmp_path / "c.h5"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        with h5py.File(path, "w") as file:
            file[content] = [1.0, 0.0]
    with pytest.raises(DataError, match=message):
        completeness_of(path, ("g_r", "mag"))


def test_a_model_is_no_grid(tmp_path):
    gmmx.fit_samples([0.0, 1.0, 2.0, 3.0], n_components=1).write(tmp_path / "m.h5")
    with pytest.raises(DataError, match="a model file, not a grid"):
        completeness_of(tmp_path / "m.h5", ["x0"])


def test_a_completeness_that_is_no_hdf5_file_is_refused(tmp_path):
    path = tmp_path / "c.fits"
    path.write_text("")
    for given in (path, str(path)):
        with pytest.raises(InputError, match="read from an HDF5 file"):
            completeness_of(given, ["x0"])


def test_rows_outside_of_the_grid_are_named(tmp_path):
    x = np.random.default_rng(2).normal(20, 1, (60, 1))
    x[7] = 25.0
    omega = SampleCompleteness.on_grid([1.0, 0.2], [[14.0, 24.0]], ["x0"])
    with pytest.raises(InputError, match=r"first in row 7: .*x0 = 25 is outside .* from 14 to 24"):
        gmmx.fit_samples(x, n_components=1, completeness=omega)


def test_a_grid_without_names_needs_an_axis_for_each_column():
    omega = SampleCompleteness.on_grid([1.0, 0.2], [[14.0, 24.0]])
    with pytest.raises(InputError, match="grid of 1 dimension for samples of 2 columns"):
        gmmx.fit_samples(np.eye(4)[:, :2], completeness=omega)


def test_a_completeness_in_a_column_that_is_not_fitted_says_to_fit_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    Table(rng.normal(20, 1, (60, 3)), names=("g_r", "r_i", "mag")).write("cat.csv")
    words = ("fit", "cat.csv", "--columns", "g_r,r_i", "--completeness")
    assert "--completeness 'magg < 24': there is no column 'magg': did you mean 'mag'?" in (
        run(*words, "magg < 24").stderr
    )
    done = run(*words, "mag < 24 & g_r < 90")
    assert done.exit_code == 1
    assert "--completeness needs mag, which is not fitted: add mag to --columns" in done.stderr
