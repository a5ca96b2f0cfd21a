"""Figures of several models: two compared, three in true colour."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from drawn_text import all_axes, check_baseline
from matplotlib.backends.backend_agg import FigureCanvasAgg
from two_models import HERE, SOURCES, THERE, make_model

from gmmx.errors import DataWarning, InputError
from gmmx.plane.frame import SkyFrame
from gmmx.show.figures import plot
from gmmx.show.figures.compare import printed_unit

BANDS = ((0.5, 1.2), (1.2, 2.0), (2.0, 7.0))
ZOOM = "150.0,2.0,100"


def make_two(frames=(HERE, THERE), draws=3):
    """Two models that differ by the flux of the second source."""
    return [
        make_model(frame, fluxes=fluxes, draws=draws, seed=seed)
        for seed, (frame, fluxes) in enumerate(
            zip(frames, ((3000, 1000), (3000, 1600)), strict=True)
        )
    ]


def make_three(frames=(HERE, THERE, HERE)):
    """Models in three bands: the first source is soft, the second one hard."""
    fluxes = (3000, 100), (1000, 1000), (100, 1000)
    return [
        make_model(frame, fluxes=its, band=band)
        for frame, its, band in zip(frames, fluxes, BANDS, strict=True)
    ]


def panels(figure):
    """The axes of a figure by their labels."""
    return {axes.get_label(): axes for axes in all_axes(figure)}


FIGURES = {
    "compare": lambda: plot(make_two(), "compare"),
    "compare-zoom": lambda: plot(make_two(), "compare", zoom=ZOOM, stretch="asinh"),
    "compare-empty": lambda: plot([make_two()[0], make_model(HERE, fluxes=())], "compare"),
    "colour": lambda: plot(make_three(), "colour"),
    "colour-zoom": lambda: plot(make_three(), "colour", zoom=ZOOM, coords="offset"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_of_several_models_show_what_their_baselines_say(name):
    check_baseline(FIGURES[name](), name)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (HERE, THERE),
        (SkyFrame(150.0, 2.0, "FK5"), SkyFrame(149.98, 2.015)),
        (SkyFrame(150.0, 1.99), SkyFrame(150.03, 2.0)),
    ],
    ids=str,
)
def test_sources_of_both_models_are_within_half_a_pixel_of_their_positions(here, there):
    found = panels(plot(make_two((here, there)), "compare", zoom="150.01,2.005,40"))
    for axes in (found["first"], found["second"]):
        assert_peak_at(axes, axes.images[0].get_array(), SOURCES[0][:2])


def test_sources_of_all_bands_are_within_half_a_pixel_of_their_positions():
    axes = panels(plot(make_three(), "colour", zoom="150.01,2.005,40"))["colour"]
    for channel in range(3):
        values = np.asarray(axes.images[0].get_array(), float)[..., channel]
        assert_peak_at(axes, values, SOURCES[0][:2])


def assert_peak_at(axes, values, position):
    """The brightest place of an image is where astropy puts a position, to half a pixel."""
    x, y = axes.wcs.world_to_pixel(SkyCoord(*position, unit="deg"))
    rows, columns = np.indices(values.shape)
    # The brightest pixels of a source that is many pixels wide, and saturated in true colour.
    near = values > 0.98 * values.max()
    place = columns[near].mean(), rows[near].mean()
    assert np.hypot(place[0] - x, place[1] - y) < 0.5


@pytest.fixture(scope="module")
def compared():
    """The axes of a comparison by their labels."""
    return panels(plot(make_two(), "compare"))


def test_both_signals_share_one_scale(compared):
    assert compared["first"].images[0].norm is compared["second"].images[0].norm


def test_a_brighter_source_of_the_second_model_is_blue_in_the_difference():
    axes = panels(plot(make_two(draws=10), "compare", zoom="149.985,1.99,10"))["difference"]
    values = axes.images[0].get_array()
    middle = values[values.shape[0] // 2, values.shape[1] // 2]
    assert middle < -1


def test_what_is_faint_in_both_models_is_grey(compared):
    values = compared["difference"].images[0].get_array()
    assert 0.1 < np.ma.getmaskarray(values).mean() < 0.99


@pytest.mark.parametrize("make", [make_two, make_three])
def test_texts_of_figures_of_several_models_do_not_overlap(make):
    figure = plot(make(), "compare" if make is make_two else "colour")
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    texts = [*figure.texts]
    for axes in all_axes(figure):
        texts += [axes.title, axes._left_title, axes._right_title, *axes.texts]
        texts += [axes.xaxis.label, axes.yaxis.label]
    shown = [t for t in texts if t.get_text().strip() and t.get_visible()]
    boxes = [(t.get_text(), t.get_window_extent(renderer)) for t in shown]
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


@pytest.mark.parametrize(
    ("what", "number", "wanted"), [("compare", 1, 2), ("compare", 3, 2), ("colour", 2, 3)]
)
def test_a_figure_says_how_many_models_it_needs(what, number, wanted):
    with pytest.raises(InputError, match=f"`what` = {what} shows {wanted} models"):
        plot(make_three()[:number], what)


def test_models_of_different_skies_are_refused_in_one_line():
    with pytest.raises(InputError, match="do not overlap") as caught:
        plot([make_model(HERE), make_model(SkyFrame(151.0, 2.0))], "compare")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("what", "options", "named"),
    [
        ("compare", {"contours": "5", "units": "sb"}, "`contours`, `units` do not change"),
        ("colour", {"stretch": "asinh"}, "`stretch` does not change the figure colour"),
        ("profile", {"vmin": 1.0, "cmap": "gray"}, "`vmin`, `cmap` do not change the figure"),
        ("completeness", {"smooth": 3.0}, "`smooth` does not change the figure completeness"),
        ("signal", {"significant": True}, "`significant` does not change the figure signal"),
        ("history", {"contours": "3"}, "`contours` does not change the figure history"),
    ],
)
def test_options_that_do_not_change_a_figure_are_named(what, options, named):
    models = {"compare": make_two, "colour": make_three}.get(what, lambda: make_two()[0])()
    with pytest.warns(DataWarning, match=named):
        plot(models, what, **options)


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("photon/arcsec**2", "photon arcsec$^{-2}$"),
        ("photon/cm**2/s/arcsec**2", "photon cm$^{-2}$ s$^{-1}$ arcsec$^{-2}$"),
    ],
)
def test_units_are_written_as_powers(unit, text):
    assert printed_unit(unit) == text
