"""Figures: what they show, that they need no display, and that their text can be read."""

import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from drawn_text import all_axes, check_baseline
from handmade import ellipse, make_mixture, make_observation, make_result
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.testing import assert_allclose
from true_result import make_true_result

from gmmx.answers.images import render
from gmmx.answers.scene import Scene
from gmmx.errors import InputError
from gmmx.model.background import Background
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.plane.frame import SkyFrame
from gmmx.show.figures import history_figure, image_figure, plot, sky_of
from gmmx.show.figures.colour import brightness_norm, plain, power_of

ON_THE_SKY = ("data", "scene", "signal", "completeness", "residual")


def overview_figure(result, **options):
    """The overview of a fit."""
    return plot(result, "overview", **options)


@cache
def panels_of_overview():
    """The axes of an overview that nobody changes."""
    return panels(overview_figure(make_true_result()))


def residuals_figure(result, **options):
    """Residuals and profiles of each observation."""
    return plot(result, "observations", **options)


def png_of(figure):
    """The PNG of a figure: many errors appear only when it is drawn."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=50)
    return buffer.getvalue()


def panels(figure):
    """The axes of a figure by their labels."""
    return {axes.get_label(): axes for axes in all_axes(figure)}


def make_joint_result():
    """A result of two observations, the second of them turned."""
    one = make_observation()
    other = make_observation(1, rotation=0.6, name="other", kinds=("sky", "particle", "file"))
    return make_result([one, other], make_mixture(), reference_exposure=2e7)


def make_toy_result():
    """A result without a frame, a completeness or a PSF."""
    mixture = make_mixture(3)
    xy = mixture.sample(211, np.random.default_rng(2))
    return make_result([Observation(photons=Photons(xy[:, 0], xy[:, 1]), name="toy")], mixture)


def make_thin_result():
    """A result without components on few photons."""
    observation = make_true_result().observations[0]
    keep = np.random.default_rng(0).random(len(observation.photons)) < 0.01
    thinned = observation.select(keep, "thinned")
    return make_result([replace(thinned, backgrounds=(Background(amplitude=0.001),))])


FIGURES = {
    "overview": lambda: overview_figure(make_true_result()),
    "overview-joint": lambda: overview_figure(make_joint_result()),
    "overview-toy": lambda: overview_figure(make_toy_result()),
    "overview-background": lambda: overview_figure(make_thin_result()),
    "overview-asinh": lambda: overview_figure(make_true_result(), stretch="asinh"),
    "residuals": lambda: residuals_figure(make_joint_result()),
    "residuals-single": lambda: residuals_figure(make_true_result()),
    "history": lambda: history_figure(make_result([make_observation()], make_mixture())),
    "image": lambda: image_figure(
        render(make_true_result()).signal, title="signal", frame=SkyFrame(150, 2)
    ),
    "image-signed": lambda: image_figure(render(make_true_result()).residual),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_show_what_their_baselines_say(name):
    figure = FIGURES[name]()
    assert isinstance(figure, Figure)
    assert png_of(figure).startswith(b"\x89PNG")
    check_baseline(figure, name)


def test_photons_scene_and_signal_share_one_scale():
    found = panels_of_overview()
    assert len({id(found[name].images[0].norm) for name in ("data", "scene", "signal")}) == 1


@pytest.mark.parametrize("name", ON_THE_SKY)
def test_right_ascension_grows_to_the_left(name):
    axes = panels_of_overview()[name]
    left, right = axes.wcs.pixel_to_world(*zip(*axes.viewLim.get_points(), strict=True))
    assert left.ra > right.ra
    assert left.dec < right.dec


def test_a_source_is_drawn_at_its_position():
    # 60 arcsec east and 30 north of the tangent point, at declination 2.
    sources = Mixture(
        fluxes=[1e4, 1.0], means=[[-60.0, 30], [0, 0]], covariances=[ellipse(6, 6, 0)] * 2
    )
    figure = overview_figure(replace(make_true_result(), mixture=sources))
    axes = panels(figure)["signal"]
    values = axes.images[0].get_array()
    iy, ix = np.unravel_index(np.argmax(values), values.shape)
    found = axes.wcs.pixel_to_world(ix, iy)
    offset = [(found.ra.deg - 150) * np.cos(np.radians(2)) * 3600, (found.dec.deg - 2) * 3600]
    assert_allclose(offset, [60, 30], atol=4)


@pytest.mark.parametrize("stretch", ["log", "asinh", "sqrt", "linear"])
def test_a_stretch_runs_from_black_at_zero_to_white_at_the_maximum(stretch):
    norm = brightness_norm(stretch, 0.01, 20.0)
    assert_allclose(norm(np.array([0.0, 20.0])), [0, 1])
    assert np.all(np.diff(norm(np.linspace(0, 20, 50))) > 0)


def test_an_unknown_stretch_is_refused():
    with pytest.raises(InputError, match="`stretch` = cubic: choose log"):
        plot(make_true_result(), stretch="cubic")


def test_an_unknown_figure_is_refused():
    with pytest.raises(InputError, match="`what` = heat map: choose overview"):
        plot(make_true_result(), "heat map")


@pytest.mark.parametrize("what", [*ON_THE_SKY, "profile"])
def test_a_panel_can_be_drawn_into_given_axes(what):
    result, figure = make_true_result(), Figure()
    projection = None if what == "profile" else sky_of(result).wcs
    ax = figure.add_subplot(projection=projection)
    assert plot(result, what, ax=ax) is figure
    assert ax.get_title(loc="left")
    png_of(figure)


def test_a_panel_of_the_sky_needs_axes_with_a_wcs():
    with pytest.raises(InputError, match="needs axes with a WCS"):
        plot(make_true_result(), "signal", ax=Figure().add_subplot())


def test_scarcely_observed_components_are_marked():
    observed = {
        "observed_fraction": np.array([0.9, 0.1]),
        "observed_photons": np.array([1000.0, 10]),
    }
    found = panels(overview_figure(replace(make_true_result(), **observed)))["signal"]
    assert len(found.patches) == 1
    assert any("scarcely observed" in text.get_text() for text in found.texts)


def test_well_observed_components_are_not_marked():
    result = replace(make_true_result(), observed_fraction=np.ones(2))
    assert len(panels(overview_figure(result))["signal"].patches) == 0


def test_masks_are_outlined_and_unseen_sky_is_hatched():
    found = panels_of_overview()
    assert len(found["data"].collections[0].get_paths()) == 1
    assert any(getattr(c, "hatches", None) for c in found["signal"].collections)


def test_the_residual_of_one_observation_does_not_depend_on_the_other():
    result = make_joint_result()
    one, other = result.observations
    twice = replace(one.photons, weights=2 * one.photons.weights)
    crowded = make_result(
        [replace(one, photons=twice), other], make_mixture(), reference_exposure=2e7
    )
    before, after = (
        panels(residuals_figure(r))["residual 2"].images[0].get_array().filled(0)
        for r in (result, crowded)
    )
    assert np.array_equal(before, after)


def test_nothing_to_draw_is_refused():
    empty = make_result([Observation(photons=Photons([], []))], make_mixture())
    with pytest.raises(InputError, match="nothing to draw"):
        overview_figure(empty)


@pytest.mark.parametrize("make", [overview_figure, residuals_figure])
def test_texts_do_not_overlap(make):
    figure = make(make_true_result())
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    texts = [*figure.texts]
    for axes in all_axes(figure):
        texts += [axes.title, axes._left_title, axes._right_title, *axes.texts]
    boxes = [(t.get_text(), t.get_window_extent(renderer)) for t in texts if t.get_text().strip()]
    clashes = [
        (name, other_name)
        for i, (name, box) in enumerate(boxes)
        for other_name, other in boxes[i + 1 :]
        if min(box.x1, other.x1) - max(box.x0, other.x0) > 1
        and min(box.y1, other.y1) - max(box.y0, other.y0) > 1
    ]
    page = figure.bbox
    outside = [n for n, b in boxes if b.x0 < 0 or b.x1 > page.x1 or b.y0 < 0 or b.y1 > page.y1]
    assert (clashes, outside) == ([], [])


def test_an_empty_image_can_be_drawn():
    signal = render(make_true_result()).signal
    png_of(image_figure(replace(signal, values=np.zeros(signal.grid.shape))))


def test_the_history_marks_the_model_and_the_rejected_trial():
    path = panels(history_figure(make_result([make_observation()], make_mixture())))["path"]
    assert "K = 3, 3 requested" in path.get_title(loc="left")
    lines = {line.get_label(): np.concatenate(line.get_data()) for line in path.lines}
    # The largest criterion is at 0.
    assert_allclose(lines["the model"], [3, 0])
    assert_allclose(lines["tried and rejected"], [5, -399 + 354])


def test_a_model_without_a_record_of_its_path_says_so():
    result = make_result([make_observation()], make_mixture(), history={}, path={})
    texts = panels(history_figure(result))["path"].texts
    assert any("no record" in text.get_text() for text in texts)


def test_figures_made_in_threads_are_the_same():
    result = make_true_result()
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda r: png_of(overview_figure(r)), [result, result])
    assert first == second


def test_figures_do_not_load_pyplot():
    code = "import sys, gmmx.show.figures; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_profile_of_a_turned_observation_counts_every_photon():
    result = make_joint_result()
    assert_allclose(Scene(result).profile().counts.sum(), result.n_photons)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.003, "0.003"),
        (0.5, "0.5"),
        (1, "1"),
        (300, "300"),
        (2e5, r"$2\times10^{5}$"),
        (1e5, "$10^{5}$"),
    ],
)
def test_numbers_are_written_as_people_write_them(value, text):
    assert plain(value) == text


@pytest.mark.parametrize(("value", "power"), [(0, 0), (0.02, 0), (5, 0), (3e-4, -4), (4e6, 6)])
def test_a_power_of_ten_is_taken_out_of_long_numbers(value, power):
    assert power_of(value) == power


def test_the_history_of_a_fit_without_a_background_leaves_out_its_start():
    result = make_result([make_observation()], make_mixture())
    path = {name: np.array(column) for name, column in result.path.items()}
    path["criterion"] = path["criterion"].astype(float)
    path["criterion"][0] = -np.inf
    axes = panels(history_figure(replace(result, path=path)))["path"]
    assert np.all(np.isfinite(axes.get_ylim()))
