"""Maps of every kind of model, at the widths of a journal: what they show, how legible it is."""

import io
from dataclasses import replace

import numpy as np
import pytest
from drawable import KINDS, make_draws_of, make_joint_result, make_masked_result, make_toy_result
from drawn_text import all_axes, check_baseline
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.testing import assert_allclose
from regions import Regions
from true_result import make_true_result

from gmmx.config import PlotConfig
from gmmx.errors import DataWarning, InputError
from gmmx.show.figures import plot, sky_of
from gmmx.show.figures.view import View

SMALLEST = 7.0
ROW = "data,scene,signal,completeness,error"


def drawn(figure):
    """The renderer that a figure was drawn with."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    return renderer


def map_of(figure, name):
    """The axes of a name."""
    return next(axes for axes in all_axes(figure) if axes.get_label() == name)


def contours_of(axes, n):
    """The contours of n levels, the edges of hatching apart."""
    sets = [one for one in axes.collections if len(getattr(one, "levels", ())) == n]
    return [one for one in sets if not one.filled]


@pytest.mark.parametrize("kind", KINDS)
def test_maps_of_every_kind_of_model_show_what_their_baselines_say(kind):
    result = KINDS[kind]()
    # Draws from the information matrix would take seconds.
    result = replace(result, draws=result.draws or make_draws_of(result))
    figure = plot(result, ROW, contours=3, components=True)
    figure.savefig(io.BytesIO(), format="png", dpi=50)
    check_baseline(figure, f"maps-{kind}")


FIGURES = [
    ("signal", "single"),
    ("data,residual,profile", "double"),
    ("error,signal", 5.0),
    ("overview", "double"),
]


@pytest.mark.parametrize(("what", "width"), FIGURES)
def test_text_has_7_points_and_nothing_lies_on_a_neighbour(what, width):
    figure = plot(make_masked_result(), what, width=width, contours=3)
    renderer = drawn(figure)
    texts = [one for one in figure.findobj(Text) if one.get_text().strip() and one.get_visible()]
    assert min(text.get_fontsize() for text in texts) > SMALLEST
    boxes = [(axes.get_label(), axes.get_tightbbox(renderer)) for axes in figure.axes]
    clashes = [
        (name, other_name)
        for i, (name, box) in enumerate(boxes)
        for other_name, other in boxes[i + 1 :]
        if min(box.x1, other.x1) - max(box.x0, other.x0) > 1
        and min(box.y1, other.y1) - max(box.y0, other.y0) > 1
    ]
    page = figure.bbox.expanded(1.001, 1.001)
    outside = [name for name, box in boxes if not page.containsx(box.x0) or box.x1 > page.x1]
    assert (clashes, outside) == ([], [])


@pytest.mark.parametrize(
    ("width", "inches"), [("single", 3.5), ("double", 7.1), (5, 5.0), ("auto", 3.5)]
)
def test_a_figure_has_the_width_that_is_asked_for(width, inches):
    assert plot(make_true_result(), "completeness", width=width).get_figwidth() == inches


@pytest.mark.parametrize(("units", "power"), [("counts", 0), ("sb", 1), ("flux", 1)])
def test_surface_brightness_is_in_the_unit_that_is_asked_for(units, power):
    result = make_true_result()
    found = map_of(plot(result, "signal", units=units), "signal").images[0].get_array()
    counts = map_of(plot(result, "signal"), "signal").images[0].get_array()
    pixel = 16.0 if units == "flux" else 1.0
    assert_allclose(found, counts * pixel / result.reference_exposure**power)


def test_levels_of_contours_are_in_the_unit_of_the_panel():
    result = make_true_result()
    scale = 1 / result.reference_exposure
    levels = f"{0.1 * scale},{2 * scale}"
    axes = map_of(plot(result, "residual", units="sb", contours=levels), "residual")
    (found,) = contours_of(axes, 2)
    (same,) = contours_of(map_of(plot(result, "signal", contours="0.1,2"), "signal"), 2)
    assert_allclose(found.levels, scale * np.array(same.levels))
    # Labels, which are of other lengths, cut other pieces out of the same lines.
    for a, b in zip(found.get_paths(), same.get_paths(), strict=True):
        shared = {tuple(one) for one in a.vertices.round(3)} & {
            tuple(one) for one in b.vertices.round(3)
        }
        assert len(shared) > 0.7 * len(b.vertices)


def test_one_number_makes_so_many_contours():
    axes = map_of(plot(make_true_result(), "signal", contours=4), "signal")
    assert len(contours_of(axes, 4)) == 1


def test_the_colour_bar_states_the_floor_of_a_logarithmic_stretch():
    result = make_true_result()
    bar = map_of(plot(result, "signal"), "signal bar").get_xlabel()
    low, _ = View.of(result, PlotConfig(what="signal")).limits
    assert f"log, linear below {low:.1g}" in " ".join(bar.split())


def test_the_wings_of_a_component_fade_without_an_edge():
    figure = plot(make_true_result(), "signal")
    drawn(figure)
    image = map_of(figure, "signal").images[0]
    colours = image.cmap(image.norm(image.get_array()))[..., :3].sum(-1)
    steps = np.abs(np.diff(colours, axis=1))
    faint = colours[:, 1:] < 0.25
    assert steps[faint].max() < 0.05


def test_vmin_and_vmax_are_the_ends_of_the_colours():
    axes = map_of(plot(make_true_result(), "data,signal", vmin=0.5, vmax=4), "signal")
    assert axes.images[0].get_clim() == (0.5, 4)


def test_a_smoothing_that_is_asked_for_is_named():
    title = map_of(plot(make_true_result(), "data", smooth=10), "data").get_title(loc="left")
    assert "smoothed by 10" in title


def test_regions_are_drawn_and_zoomed_to():
    result = make_true_result()
    circle = Regions.parse('icrs; circle(150.0, 2.0, 30")', format="ds9")
    axes = map_of(result.plot("signal", region=circle, zoom=circle), "signal")
    (line,) = (one for one in axes.collections if one.get_path_effects() and len(one.get_paths()))
    sky = axes.wcs.pixel_to_world(*line.get_paths()[0].vertices.T)
    assert_allclose(axes.wcs.pixel_to_world(*axes.viewLim.get_points().mean(0)).ra.deg, 150)
    assert_allclose(sky.separation(circle[0].center).arcsec, 30, rtol=1e-3)


def test_numbers_of_components_are_those_of_the_table():
    result = make_joint_result()
    axes = map_of(plot(result, "components"), "components")
    assert {text.get_text() for text in axes.texts} >= {
        str(row["component"]) for row in result.components
    }


def test_the_beam_is_the_radius_of_the_psf_and_is_missing_without_one():
    (beam,) = (
        patch
        for patch in map_of(plot(make_true_result(), "data"), "data").patches
        if patch.get_label() == "beam"
    )
    scale = sky_of(make_true_result()).grid.step
    assert_allclose([beam.width * scale, beam.height * scale], 6, rtol=1e-3)
    toy = map_of(plot(make_toy_result(), "data"), "data")
    assert not [patch for patch in toy.patches if patch.get_label() == "beam"]


@pytest.mark.parametrize("sheet", ["font.size: abc", "no.size: 3", "nonsense"])
def test_a_bad_style_sheet_is_refused_in_one_line(tmp_path, sheet):
    (tmp_path / "bad.mplstyle").write_text(sheet + "\n")
    with pytest.raises(InputError, match=r"`style` = .*: not a style sheet") as caught:
        plot(make_true_result(), "completeness", style=str(tmp_path / "bad.mplstyle"))
    assert "\n" not in str(caught.value)


def test_a_style_sheet_changes_the_text(tmp_path):
    (tmp_path / "large.mplstyle").write_text("font.size: 12\n")
    figure = plot(make_true_result(), "completeness", style=str(tmp_path / "large.mplstyle"))
    assert map_of(figure, "completeness")._left_title.get_fontsize() == 12


def test_unknown_colours_are_refused_with_those_that_may_be_meant():
    with pytest.raises(InputError, match=r"`cmap` = infernu: did you mean inferno\?"):
        plot(make_true_result(), "signal", cmap="infernu")


@pytest.mark.parametrize(
    ("zoom", "words"),
    [
        ("10,10,5", "far from the field"),
        ("150,2,0", "give RA,DEC,RADIUS"),
        ("150,2", "give RA,DEC,RADIUS"),
        ("a,b,5", "give RA,DEC,RADIUS"),
    ],
)
def test_a_zoom_that_cannot_be_found_is_refused(zoom, words):
    with pytest.raises(InputError, match=f"`zoom` = {zoom}: .*{words}"):
        plot(make_true_result(), "signal", zoom=zoom)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"smooth": 1e9}, r"`smooth` = 1e\+09 is larger than what is shown"),
        ({"dpi": 100_000}, "`dpi` = 100000: .* give at most 5714"),
        ({"vmax": -1.0}, "`vmax` = -1 must be above 0"),
    ],
)
def test_sizes_without_bounds_are_refused_before_they_fill_the_memory(options, words):
    with pytest.raises(InputError, match=words):
        plot(make_true_result(), "data", **options)


def test_contours_that_the_signal_does_not_cross_are_named():
    with pytest.warns(DataWarning, match="`contours` = 1e9,: the signal crosses no level"):
        plot(make_true_result(), "signal", contours="1e9,")


def test_the_label_of_a_colour_bar_is_no_wider_than_the_bar():
    figure = plot(make_true_result(), "signal,completeness", units="sb", width="double")
    renderer = drawn(figure)
    bar = map_of(figure, "signal bar")
    assert bar.xaxis.label.get_window_extent(renderer).width <= bar.bbox.width


def test_as_many_models_are_asked_for_as_a_figure_shows():
    with pytest.raises(InputError, match="overview shows 1 model, and 2 were given"):
        plot([make_true_result(), make_true_result()])


def test_a_zoomed_panel_can_be_drawn_into_given_axes():
    result, figure, zoom = make_true_result(), Figure(), "150.0,2.0,20"
    ax = figure.add_subplot(projection=sky_of(result, zoom=zoom).wcs)
    result.plot("signal", zoom=zoom, ax=ax)
    sky = sky_of(result, zoom=zoom)
    assert_allclose(sky.width, 40)
    assert_allclose(np.diff(ax.get_xlim()) * sky.grid.step, 40)
