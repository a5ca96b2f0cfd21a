"""Backgrounds of samples with a density of their own: mixtures, grids and functions."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from astropy.table import Table
from catalogues import make_covariances, make_mixture
from command_line import run
from numpy.testing import assert_allclose
from reference import sample_log_terms
from scipy.integrate import trapezoid

import gmmx
from gmmx.answers.corner import Corner
from gmmx.errors import DataError, InputError
from gmmx.model.mixture import Mixture
from gmmx.model.sample_background import SampleBackground
from gmmx.model.sample_completeness import SampleCompleteness
from gmmx.model.samples import Samples
from gmmx.reading.sample_selection import background_of

FIELD = Mixture(
    fluxes=[2.0, 1.0], means=[[0.0, 21.0], [1.5, 23.0]], covariances=[[[1, 0.3], [0.3, 1.5]]] * 2
)
NAMES = ("g_r", "mag")
ERROR = 0.3


def drawn_field(rng, n):
    """Objects of the control field with their errors."""
    return FIELD.sample(n, rng) + ERROR * rng.normal(size=(n, 2))


def drawn_cluster(seed, n=600, n_field=900):
    """A narrow sequence of objects in front of the field."""
    rng = np.random.default_rng(seed)
    cluster = rng.multivariate_normal([0.6, 20.0], [[0.02, 0.01], [0.01, 0.6]], n)
    x = np.concatenate([cluster + ERROR * rng.normal(size=(n, 2)), drawn_field(rng, n_field)])
    return Samples(x=x, covariances=np.full(x.shape, ERROR**2), names=NAMES)


@pytest.fixture(scope="module")
def control(tmp_path_factory):
    """The model file of a control field."""
    x = drawn_field(np.random.default_rng(0), 4000)
    result = gmmx.fit_samples(
        x[:, ::-1], np.full(x.shape, ERROR**2), names=NAMES[::-1], n_components=2
    )
    path = tmp_path_factory.mktemp("control") / "control.model.h5"
    result.write(path)
    return path


@pytest.mark.parametrize("columns", [[0, 1, 2], [2], [0, 2], []])
@pytest.mark.parametrize("adds_noise", [True, False])
def test_the_density_of_a_mixture_is_that_of_known_values_with_their_noise(columns, adds_noise):
    rng = np.random.default_rng(1)
    mixture, noise = make_mixture(rng, 3, 3), make_covariances(rng, 5, 3, 0.5)
    x = rng.normal(0, 4, (5, 3))
    x[:, np.setdiff1d([0, 1, 2], columns)] = np.nan
    background = SampleBackground.of_mixture(mixture, adds_noise=adds_noise)
    columns = np.array(columns, int)
    found = background.density(x, columns, noise[:, columns[:, None], columns])
    added = noise if adds_noise else 0 * noise
    logs = sample_log_terms(x, added, mixture.fluxes, mixture.means, mixture.covariances)
    assert_allclose(found, np.exp(np.logaddexp.reduce(logs, axis=1)), rtol=1e-9)


@pytest.mark.parametrize(
    "background",
    [
        SampleBackground.of_mixture(Mixture(fluxes=[1.0], means=[[1.0]], covariances=[[[0.5]]])),
        SampleBackground.on_grid([0.0, 3.0, 1.0], [[0.0, 1.0, 4.0]]),
        SampleBackground(low=[0.0], high=[4.0], function=lambda x: x[:, 0] / 8),
        SampleBackground(low=[0.0], high=[4.0]),
    ],
    ids=repr,
)
def test_densities_integrate_to_one_and_moments_and_observed_fractions_are_theirs(background):
    at = np.linspace(-5, 8, 20001)
    density = background.density(at[:, None])
    assert trapezoid(density, at) == pytest.approx(1, abs=2e-3)
    mean, variance = background.moments()
    assert mean[0] == pytest.approx(trapezoid(at * density, at), abs=5e-3)
    spread = trapezoid((at - mean[0]) ** 2 * density, at)
    assert variance[0, 0] == pytest.approx(spread, rel=0.01)
    part = background.expected(SampleCompleteness.of("x < 1.3", ["x"]))
    assert part == pytest.approx(trapezoid(density * (at < 1.3), at), abs=3e-3)


def test_a_function_is_integrated_over_values_that_are_missing():
    background = SampleBackground(
        low=[0, 0], high=[2, 4], function=lambda x: x[:, 0] * x[:, 1] / 16
    )
    found = background.density(np.array([[1.0, np.nan], [2.0, np.nan]]), [0])
    assert_allclose(found, [0.5, 1.0], rtol=1e-2)


def test_a_cluster_is_found_in_front_of_its_control_field(control, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    samples = drawn_cluster(2)
    table = Table(samples.x, names=NAMES)
    table["e"] = ERROR
    table["mag"][::10] = np.nan
    table.write("cluster.fits")
    words = ("fit", "cluster.fits", "--columns", "g_r,mag", "--errors", "e,e", "--k", 1)
    done = run(*words, "--background", control, "--out", "m.h5")
    assert done.exit_code == 0, done.stderr
    result = gmmx.read("m.h5")
    assert result.mixture.fluxes[0] == pytest.approx(600, rel=0.12)
    assert_allclose(result.mixture.means[0], [0.6, 20.0], atol=0.15)
    assert result.backgrounds[0].adds_noise
    fitted = gmmx.fit_samples(result.samples, n_components=1, background=control)
    assert_allclose(result.responsibilities(), fitted.responsibilities(), atol=1e-12)
    assert "% of the samples (control)" in run("info", "m.h5").stdout
    run("assign", "m.h5", "--out", "a.fits")
    probabilities = Table.read("a.fits")["P_BKG"]
    assert probabilities[600:].mean() > 0.75
    assert probabilities[:600].mean() < 0.35


def test_no_output_replaces_the_control_field(control, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Table(drawn_cluster(2).x, names=NAMES).write("cluster.csv")
    (tmp_path / "control.h5").write_bytes(control.read_bytes())
    words = ("fit", "cluster.csv", "--columns", "g_r,mag", "--k", 1, "--background", "control.h5")
    done = run(*words, "--out", "control.h5", "--overwrite")
    assert done.exit_code == 1
    assert "control.h5: is the same file as the input control.h5" in done.stderr


def test_denoised_values_are_those_of_one_mixture_of_both():
    samples = drawn_cluster(3, 60, 80)
    x = np.where(np.arange(140)[:, None] % [5, 7] == 0, np.nan, samples.x)
    samples = Samples(x=x, covariances=samples.covariances, names=NAMES)
    result = gmmx.fit_samples(samples, n_components=1, background=FIELD)
    (background,) = result.backgrounds
    rest = background.amplitude * FIELD.fluxes / FIELD.fluxes.sum()
    both = result.mixture.joined(
        Mixture(fluxes=rest, means=FIELD.means, covariances=FIELD.covariances)
    )
    joined = replace(result, mixture=both, observed_fraction=np.ones(3), backgrounds=())
    assert_allclose(result.denoise().means, joined.denoise().means, rtol=1e-9)
    assert_allclose(result.denoise().covariances, joined.denoise().covariances, atol=1e-9)


def test_the_curve_of_the_corner_plot_is_that_of_all_samples():
    result = gmmx.fit_samples(drawn_cluster(4), n_components=1, background=FIELD)
    corner = Corner.of(result)
    for i in range(2):
        assert trapezoid(corner.curve(i), corner.axis(i)) == pytest.approx(1500, rel=0.02)


def test_a_control_field_is_seen_through_the_completeness():
    samples = drawn_cluster(5)
    keep = samples.x[:, 1] < 21.5
    result = gmmx.fit_samples(
        samples.select(keep), n_components=1, background=FIELD, completeness="mag < 21.5"
    )
    assert result.backgrounds[0].amplitude == pytest.approx(900, rel=0.15)
    assert result.background_fraction == pytest.approx(1 - 585 / keep.sum(), abs=0.06)


def test_a_density_on_a_grid_is_matched_by_name_and_kept(tmp_path):
    path = tmp_path / "density.h5"
    mag, colour = np.linspace(16, 28, 60), np.linspace(-5, 6, 50)
    at = np.stack(np.meshgrid(mag, colour, indexing="ij"), axis=-1)
    with h5py.File(path, "w") as file:
        file["density"] = 1e4 * FIELD.density(at[..., 1], at[..., 0])
        file["density"].attrs["columns"] = "mag,g_r"
        file["mag"], file["g_r"] = mag, colour
    x = np.array(drawn_cluster(6).x)
    x[::9, 0] = np.nan
    result = gmmx.fit_samples(x, names=NAMES, n_components=1, background=path)
    assert result.backgrounds[0].amplitude == pytest.approx(900, rel=0.12)
    result.write(tmp_path / "m.h5")
    again = gmmx.read(tmp_path / "m.h5")
    assert_allclose(again.responsibilities(), result.responsibilities())
    assert repr(again.backgrounds) == repr(result.backgrounds)


def test_a_box_is_given_on_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(7)
    x = np.concatenate([rng.normal(0, 1, (300, 2)), rng.uniform(-10, 20, (200, 2))])
    Table(x, names=("a", "b")).write("cat.csv")
    words = ("fit", "cat.csv", "--columns", "a,b", "--k", 1, "--out", "m.h5")
    done = run(*words, "--background", "uniform:-10:20,-10:20")
    assert done.exit_code == 0, done.stderr
    (background,) = gmmx.read("m.h5").backgrounds
    assert background.low.tolist() == [-10, -10]
    assert background.amplitude == pytest.approx(200, rel=0.2)


def test_a_function_is_not_kept_in_a_model(tmp_path):
    flat = SampleBackground(
        low=[-5, 10], high=[6, 30], function=lambda x: np.full(len(x), 1 / 220), name="flat"
    )
    gmmx.fit_samples(drawn_cluster(8), n_components=1, background=flat).write(tmp_path / "m.h5")
    with pytest.raises(InputError, match="density of background 'flat' was a function of Python"):
        gmmx.read(tmp_path / "m.h5").responsibilities()


def test_a_control_field_in_other_units_is_converted():
    x = drawn_field(np.random.default_rng(14), 300)
    field = Samples(x=x, names=NAMES, units=("mag", "arcsec"))
    result = gmmx.fit_samples(field, n_components=1)
    cluster = Samples(x=[[0.0, 1e4], [1.0, 2e4]], names=NAMES, units=("mag", "mas"))
    (mean,) = background_of(result, cluster).function.means
    assert_allclose(mean, result.mixture.means[0] * [1, 1000])
    other = Samples(x=cluster.x, names=NAMES, units=("mag", "s"))
    with pytest.raises(InputError, match="mag is in arcsec, but in s in the catalogue"):
        background_of(result, other)


def test_the_background_of_a_model_is_left_out_with_a_warning(control):
    result = gmmx.fit_samples(drawn_cluster(9), n_components=1, background=gmmx.read(control))
    with pytest.warns(gmmx.DataWarning, match="without the background of the model itself"):
        background_of(result, drawn_cluster(10))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("g_r", "mag_i"), "the model has no column mag_i: is it mag?"),
        (("g_r", "z"), "the model has no column z: it has mag, g_r"),
    ],
)
def test_a_control_field_of_other_columns_is_refused(control, names, message):
    samples = Samples(x=drawn_cluster(11).x, names=names)
    with pytest.raises(InputError, match=message):
        background_of(control, samples)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("uniform:1:2", "the background has 1 dimension, the samples have 2"),
        ("uniform:a:b,1:2", "uniform:LOW:HIGH,... with a range for each column"),
        ("uniform:3:1,0:1", "it has no volume"),
        ("uniform:50:60,0:1", "none of the samples lies inside"),
        ("sky", "samples know the backgrounds uniform"),
        ("none.h5", "none.h5: no such file"),
    ],
)
def test_what_is_no_background_is_refused(tmp_path, monkeypatch, text, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((InputError, DataError), match=message):
        background_of(text, drawn_cluster(12))


@pytest.mark.parametrize(
    ("values", "columns", "message"),
    [
        ([1.0, 1.0], ["mag"], "grid has no axis g_r"),
        ([[1.0, 1.0], [1.0, -1.0]], ["mag", "g_r"], "density is -1 at mag = 1, g_r = 1"),
        ([[0.0, 0.0], [0.0, 0.0]], ["mag", "g_r"], "density is 0 everywhere"),
    ],
)
def test_a_grid_that_is_no_density_is_refused(values, columns, message):
    axes = [np.arange(2.0)] * len(columns)
    with pytest.raises(InputError, match=message):
        background_of(SampleBackground.on_grid(values, axes, columns), drawn_cluster(13))
