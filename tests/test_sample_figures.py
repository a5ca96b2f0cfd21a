"""Figures of mixtures of samples: the corner plot and the path over the number of components."""

import numpy as np
import pytest
from catalogues import make_covariances
from command_line import run
from drawn_text import check_baseline
from handmade import make_mixture, make_observation, make_result

import gmmx
from gmmx.answers.corner import HELD, Corner
from gmmx.errors import DataWarning, InputError
from gmmx.show.figures import plot
from gmmx.show.figures.sample_path import path_rows


def make_fit(d=2, n=120, *, noise=True, k=1):
    """The fit of a Gaussian, or of two, to samples in d dimensions with errors."""
    rng = np.random.default_rng(5)
    x = rng.normal(0, 1, (n, d)) + 6 * (rng.random((n, 1)) < 0.5) * (k > 1)
    covariances = make_covariances(rng, n, d, 0.2) if noise else None
    names = ["a", "b", "c", "d"][:d]
    options = {"n_components": k, "starts": 1, "exchanges": 0}
    return gmmx.fit_samples(x, covariances, names=names, **options)


@pytest.fixture(scope="module")
def fitted():
    return make_fit()


@pytest.mark.parametrize("d", [1, 2, 3])
def test_a_corner_plot_draws_what_it_drew(d):
    check_baseline(make_fit(d).plot(), f"corner-{d}")


def test_the_path_draws_what_it_drew():
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.normal(0, 1, 40), rng.normal(9, 1, 40)])[:, None]
    result = gmmx.fit_samples(x, names=["a"], max_components=3, starts=1, exchanges=0)
    check_baseline(result.plot("path"), "path-of-samples")


def test_the_path_of_held_out_samples_has_no_fits_to_all_samples():
    rng = np.random.default_rng(2)
    # Densities above 1, so that the log-likelihood of more samples is larger.
    x = np.concatenate([rng.normal(0, 0.01, 60), rng.normal(0.1, 0.01, 60)])[:, None]
    options = {"criterion": "held-out", "max_components": 3, "starts": 1}
    rows = path_rows(gmmx.fit_samples(x, **options))
    assert np.isfinite(rows["held_out"]).all()


@pytest.mark.parametrize("i", [0, 1, 2])
def test_contours_hold_their_part_of_the_mixture(i):
    corner = Corner.of(make_fit(k=2))
    density, levels = corner.plane(0, 1)
    area = np.prod(np.ptp(corner.ranges, axis=1)) / (len(density) - 1) ** 2
    held = density[density >= levels[2 - i]].sum() * area
    assert held == pytest.approx(HELD[i], abs=0.01)


def test_the_curve_of_a_column_holds_all_samples(fitted):
    corner = Corner.of(fitted)
    total = np.trapezoid(corner.curve(0), corner.axis(0))
    assert total == pytest.approx(120, rel=0.02)


def test_the_curves_of_a_column_hold_the_samples_whose_value_is_known():
    rng = np.random.default_rng(8)
    x = rng.normal(size=(400, 2))
    x[:300, 1] = np.nan
    corner = Corner.of(gmmx.fit_samples(x, np.full(x.shape, 0.1), n_components=1))
    totals = [
        np.trapezoid(curve, corner.axis(1)) for curve in (corner.curve(1), corner.noisy_curve(1))
    ]
    assert totals == pytest.approx([100, 100], rel=0.05)


def test_errors_widen_the_curve_by_their_variance(fitted):
    corner = Corner.of(fitted)
    at = corner.axis(0)

    def variance(curve):
        mean = curve @ at / curve.sum()
        return curve @ (at - mean) ** 2 / curve.sum()

    noise = fitted.samples.noise(np.arange(120))[:, 0, 0].mean()
    wider = variance(corner.noisy_curve(0)) - variance(corner.curve(0))
    assert wider == pytest.approx(noise, rel=0.25)


def test_samples_without_errors_have_no_further_curve():
    assert Corner.of(make_fit(noise=False)).noisy_curve(0) is None


@pytest.mark.parametrize(("n", "ellipses"), [(120, 1), (160, 0)])
def test_error_ellipses_are_drawn_where_there_are_few_samples(n, ellipses):
    (panel,) = [one for one in make_fit(n=n).plot().axes if "against" in one.get_label()]
    kinds = [type(one).__name__ for one in panel.collections]
    assert kinds.count("EllipseCollection") == ellipses


def test_the_figure_describes_itself(fitted):
    assert fitted.plot().description.startswith("A corner plot shows 120 samples of a, b,")


def test_a_figure_of_the_sky_is_refused_for_samples(fitted):
    with pytest.raises(InputError, match="`what` = signal shows the sky, and the model is of samp"):
        fitted.plot("signal")


@pytest.mark.parametrize("what", ["corner", "path"])
def test_a_figure_of_samples_is_refused_for_photons(what):
    with pytest.raises(InputError, match=f"`what` = {what} shows samples, and the model is of ph"):
        plot(make_result([make_observation()], make_mixture()), what)


def test_a_path_needs_several_numbers_of_components(fitted):
    with pytest.raises(InputError, match="only one number of components was tried"):
        fitted.plot("path")


def test_options_of_the_sky_are_named_in_a_warning(fitted):
    with pytest.warns(DataWarning, match="`zoom` does not change a figure of samples"):
        fitted.plot(zoom="1,2,3")


def test_the_command_draws_the_corner_plot(fitted, tmp_path):
    fitted.write(tmp_path / "m.h5")
    done = run("plot", tmp_path / "m.h5", "--dpi", 50, "--out", tmp_path / "m.png")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "m.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_refuses_the_sky_in_one_line(fitted, tmp_path):
    fitted.write(tmp_path / "m.h5")
    out = tmp_path / "s.png"
    done = run("plot", tmp_path / "m.h5", "--what", "signal", "--out", out)
    assert (done.exit_code, out.exists()) == (1, False)
    assert done.stderr.count("\n") == 1
    assert "choose corner or path" in done.stderr
