"""Figures that say what they show: blocks, profiles, components and the course of a fit."""

import io
from dataclasses import replace

import numpy as np
import pytest
from drawable import KINDS, make_faint_result, make_joint_result, make_masked_result
from drawn_text import all_axes, check_baseline
from matplotlib.backends.backend_agg import FigureCanvasAgg
from numpy.testing import assert_allclose

from gmmx.answers.profile_panel import profile_to_draw, single_observation
from gmmx.config import PlotConfig
from gmmx.show.figures import history_figure, plot, profile_figure
from gmmx.show.figures.view import View

PAGES = ("residual,profile", "components")


def panels(figure):
    """The axes of a figure by their labels."""
    return {axes.get_label(): axes for axes in all_axes(figure)}


def texts_of(figure):
    """All texts that stand in a figure or in its panels."""
    found = [text.get_text() for text in figure.texts]
    for axes in all_axes(figure):
        found += [axes.get_title(loc="left"), *(text.get_text() for text in axes.texts)]
        legend = axes.get_legend()
        found += [] if legend is None else [text.get_text() for text in legend.get_texts()]
    return found


@pytest.mark.parametrize("what", PAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_figures_of_every_kind_of_model_show_what_their_baselines_say(kind, what):
    figure = plot(KINDS[kind](), what)
    figure.savefig(io.BytesIO(), format="png", dpi=50)
    check_baseline(figure, f"{what.replace(',', '-')}-{kind}")


@pytest.mark.parametrize("kind", ["masked", "background"])
def test_the_history_of_every_kind_of_model_shows_what_its_baseline_says(kind):
    figure = history_figure(KINDS[kind]())
    figure.savefig(io.BytesIO(), format="png", dpi=50)
    check_baseline(figure, f"history-{kind}")


@pytest.mark.parametrize("what", ["overview", "observations", "history", *PAGES])
def test_every_figure_carries_the_warnings(what):
    figure = plot(make_joint_result(), what)
    (text,) = [text for text in figure.texts if text.get_gid() == "warnings"]
    said = "Warnings: The fit has not converged. The exposure map is of another band."
    assert " ".join(text.get_text().split()) == said


@pytest.mark.parametrize("what", ["overview", "history", *PAGES])
def test_warnings_lie_on_nothing(what):
    figure = plot(make_joint_result(), what)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    (text,) = [text for text in figure.texts if text.get_gid() == "warnings"]
    box = text.get_window_extent(renderer)
    others = [axes.get_tightbbox(renderer) for axes in all_axes(figure)]
    others += [one.get_window_extent(renderer) for one in figure.texts if one is not text]
    assert not any(box.overlaps(one) for one in others)


def test_a_panel_in_given_axes_gets_no_text_below():
    from matplotlib.figure import Figure

    figure = Figure()
    plot(make_joint_result(), "profile", ax=figure.add_subplot())
    assert figure.texts == []


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("masked", "signal, deconvolved"),
        ("toy", "signal, no PSF was given"),
        ("joint", "signal, PSF in 1 of 2 observations"),
    ],
)
def test_deconvolved_is_written_only_where_there_was_a_psf(kind, words):
    texts = texts_of(plot(KINDS[kind](), "signal"))
    assert words in texts
    assert any("deconvolved" in text for text in texts) == (kind == "masked")


def test_a_model_without_components_has_no_signal():
    assert "signal, none found" in texts_of(plot(make_faint_result(), "signal"))


def test_the_floor_of_a_stretch_is_in_the_numbers_of_the_colour_bar():
    figure = plot(make_faint_result(), "data", vmax=0.01)
    axes = panels(figure)["data bar"]
    assert axes.get_xlabel().startswith("$10^{-2}$")
    floor = float(" ".join(axes.get_xlabel().split()).rpartition("linear below ")[2])
    numbers = [float(text.get_text()) for text in axes.get_xticklabels() if text.get_text()]
    assert min(one for one in numbers if one > 0) / 4 < floor < max(numbers)


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("masked", ["model after PSF", "model before PSF", "background", "bands: 68 %"]),
        ("counts", ["model after PSF", "model before PSF", "background"]),
        ("toy", ["model (no PSF was given)"]),
        ("background", ["background"]),
        (
            "joint",
            ["model after PSF (1 of 2 observations have one)", "model before PSF", "background"],
        ),
    ],
)
def test_a_profile_says_whether_its_lines_are_before_or_after_the_psf(kind, lines):
    legend = panels(plot(KINDS[kind](), "profile"))["profile"].get_legend()
    assert [text.get_text() for text in legend.get_texts()][1:] == lines


def test_a_profile_of_draws_with_wings_says_that_it_is_their_mean():
    result = make_masked_result()
    result = replace(result, draws=replace(result.draws, method="scan"))
    legend = panels(plot(result, "profile"))["profile"].get_legend()
    assert legend.get_texts()[-1].get_text() == "mean and 68 % of draws"


def test_the_panel_and_the_figure_of_a_profile_draw_the_same():
    table = profile_to_draw(make_masked_result())
    panel, figure = plot(make_masked_result(), "profile"), profile_figure(table)
    one, other = panels(panel)["profile"], panels(figure)["brightness"]
    for a, b in zip(one.lines, other.lines, strict=True):
        assert_allclose(a.get_xydata(), b.get_xydata())
    assert [p.get_label() for p in one.patches] == [p.get_label() for p in other.patches]


def test_residuals_of_each_observation_lie_where_it_was_exposed():
    result = make_joint_result()
    completeness = result.observations[1].completeness
    x, y = (axis[completeness.effective > 0] for axis in completeness.grid.centres())
    axes = panels(plot(result, "observations"))["residual 2"]
    image = axes.images[0]
    x0, x1, y0, y1 = image.get_extent()
    iy, ix = np.nonzero(~np.ma.getmaskarray(image.get_array()))
    ny, nx = image.get_array().shape
    centres = np.stack([x0 + (ix + 0.5) * (x1 - x0) / nx, y0 + (iy + 0.5) * (y1 - y0) / ny], axis=1)
    sky = View.of(result, PlotConfig(what="observations")).sky
    places = sky.points(np.stack([x, y], axis=1))
    assert_allclose(centres.min(0), places.min(0), atol=sky.length(8))
    assert_allclose(centres.max(0), places.max(0), atol=sky.length(8))


def test_the_profile_of_one_observation_does_not_depend_on_the_other():
    result = make_joint_result()
    alone = profile_to_draw(single_observation(result, 0), (0.0, 0.0))
    assert_allclose(alone["COUNTS"].value.sum(), result.observations[0].n_photons)


def test_the_profile_of_a_true_model_without_components_agrees_with_its_photons():
    axes = panels(plot(make_faint_result(), "profile"))["ratio"]
    ratio = axes.containers[0].lines[0].get_ydata()
    assert len(ratio) > 4
    assert_allclose(ratio[-3:], 1, atol=0.12)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e7])
def test_the_axis_of_brightness_has_numbers_whatever_its_range(scale):
    result = make_faint_result()
    table = profile_to_draw(result)
    for name in table.colnames:
        if "SUR" in name:
            table[name] = table[name] * scale
    axes = panels(profile_figure(table))["brightness"]
    low, high = axes.get_ylim()
    labels = [
        label.get_text()
        for tick, label in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
        if low <= tick <= high
    ]
    assert len([label for label in labels if label]) >= 2


@pytest.mark.parametrize(("block", "words"), [(None, "blocks $\\geq$ 10"), (8.0, 'blocks of 8"')])
def test_the_colour_bar_of_the_residuals_says_which_blocks(block, words):
    label = panels(plot(make_masked_result(), "residual", block=block))["residual bar"]
    assert words in label.get_xlabel()


def test_blocks_that_expect_too_little_are_hatched_and_said_to_be():
    figure = plot(make_masked_result(), "residual", block=4.0)
    assert "hatched: fewer than 10 photons expected" in texts_of(figure)
    collections = panels(figure)["residual"].collections
    assert any(getattr(one, "hatches", None) for one in collections)


def test_significant_blocks_are_outlined_where_that_is_asked_for():
    found = [
        len(panels(plot(make_masked_result(), "residual", significant=yes))["residual"].collections)
        for yes in (False, True)
    ]
    assert found[1] == found[0] + 1


def test_components_stand_in_the_chart_with_their_numbers():
    axes = panels(plot(make_masked_result(), "components"))["sizes"]
    numbers = {text.get_text(): text.xy for text in axes.texts}
    mixture = make_masked_result().mixture
    size = np.linalg.det(mixture.covariances) ** 0.25
    assert_allclose([numbers[str(k)][0] for k in range(len(mixture))], size)
    flux = mixture.fluxes / make_masked_result().reference_exposure
    assert_allclose([numbers[str(k)][1] for k in range(len(mixture))], flux)


def test_a_component_that_may_have_no_flux_is_an_upper_limit():
    result = make_masked_result()
    limits = np.array([np.nan, 4000.0])
    result = replace(result, draws=None, flux_errors=np.array([100.0, 2000]), flux_upper95=limits)
    axes = panels(plot(result, "components"))["sizes"]
    assert "upper limit, 95 %" in texts_of(axes.get_figure())
    (place,) = [text.xy[1] for text in axes.texts if text.get_text() == "1"]
    assert_allclose(place, 4000 / result.reference_exposure)
