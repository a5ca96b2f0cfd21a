"""The warnings of a fit in its figures: few words, inside the figure, and nothing is covered."""

import numpy as np
import pytest
from drawn_text import all_axes
from handmade import make_mixture, make_observation, make_result
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from gmmx.show.cautions import MOST, cautions, shortened
from gmmx.show.figures.footer import wrapped, write_cautions

LONG = tuple(
    f"file_{i}.fits: the map has {i} pixels that no photon reached: is it?" for i in range(9)
)


def make_warned_result(*texts, **changes):
    return make_result([make_observation()], make_mixture(), warnings=texts, **changes)


def make_figure(width=7.1):
    figure = Figure(figsize=(width, 3.0))
    axes = figure.add_axes((0.1, 0.2, 0.8, 0.6), label="panel")
    axes.set_xlabel("x")
    figure.text(0.1, 0.95, "heading")
    return figure


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            "the fit has not converged: 2000 evaluations; raise `max_iter`",
            "the fit has not converged (2000 evaluations)",
        ),
        (
            "the fitted background 'sky' of evt is zero, because broad components have absorbed it:"
            " give an exposure map with `exposure`, or fix its amplitude with `background`",
            "background 'sky' is zero: broad components have absorbed it",
        ),
        (
            "background 'sky' of evt_0.5-8.0keV and the signal flux are correlated by -0.99, so"
            " that the data hardly distinguish them: fix its amplitude",
            "background 'sky' is hardly distinguishable from broad emission (correlation -0.99)",
        ),
        (
            "component 2 (59 % of its flux) lies mostly outside of the field or under masks, where"
            " no photon constrains its flux: quote the flux in the field",
            "component 2 (59 % of its flux) lies mostly outside of the field or under masks",
        ),
        (
            "/a/b/evt2.fits.gz: no exposure map: vignetting as at 0.5-2 keV over the outline of the"
            " photons, cells of 1 arcsec (give one with `exposure`)",
            "no exposure map: vignetting as at 0.5-2 keV over the outline of the photons",
        ),
        (
            '../src.reg: shape 1 (circle(13:25:27.367,-43:01:09.97,15.9761")) takes 12.6 % of the'
            " photons: is it the source that is to be fitted?",
            "src.reg: shape 1 takes 12.6 % of the photons",
        ),
        ("there is no significant emission above the background",) * 2,
        (
            "2 point sources would leave their region: their positions are kept there",
            "2 point sources would leave their region",
        ),
        (
            "expmap.fits: the exposure map is of OBS_ID 12, the events are of OBS_ID 13: is it the"
            " right map?",
            "expmap.fits: the exposure map is of OBS_ID 12, the events are of OBS_ID 13",
        ),
    ],
)
def test_a_warning_is_shortened_to_its_fact(message, said):
    assert shortened(message) == said


def test_a_fit_that_has_not_converged_says_so_without_a_message():
    assert cautions(make_warned_result(converged=False)) == ["the fit has not converged"]


def test_a_fit_without_warnings_leaves_the_figure_as_it_is():
    figure = make_figure()
    write_cautions(figure, [make_warned_result()])
    assert (len(figure.texts), tuple(figure.get_size_inches())) == (1, (7.1, 3.0))


def test_doubts_about_the_whole_fit_come_first():
    texts = LONG[0], "the fit has not converged: 2000 evaluations; raise `max_iter`"
    assert cautions(make_warned_result(*texts, converged=False))[0].startswith("the fit has not")


def test_of_many_warnings_the_rest_is_counted():
    found = cautions(make_warned_result(*LONG))
    assert len(found) == MOST
    assert found[-1] == f"{len(LONG) - MOST + 1} more, which gmmx info prints"


@pytest.mark.parametrize("width", [2.5, 3.5, 7.1])
def test_warnings_stand_inside_the_figure_below_everything_else(width):
    figure = make_figure(width)
    renderer = FigureCanvasAgg(figure).get_renderer()
    before = figure.axes[0].get_window_extent(renderer)
    write_cautions(figure, [make_warned_result(*LONG)])
    figure.draw(renderer)
    text = next(text for text in figure.texts if text.get_gid() == "warnings")
    box, page = text.get_window_extent(renderer), figure.bbox
    assert box.x0 >= 0
    assert box.x1 <= page.x1
    assert box.y0 >= 0
    assert box.y1 < min(axes.get_tightbbox(renderer).y0 for axes in all_axes(figure))
    # The panel is as large as before.
    after = figure.axes[0].get_window_extent(renderer)
    assert np.allclose([after.width, after.height], [before.width, before.height])


def test_a_dollar_sign_in_a_file_name_is_no_formula():
    figure = make_figure()
    write_cautions(figure, [make_warned_result("a$b$.fits: it is empty")])
    figure.draw(FigureCanvasAgg(figure).get_renderer())
    assert figure.texts[-1].get_text() == r"Warning: a\$b\$.fits: it is empty."


def test_a_word_that_is_wider_than_the_figure_has_a_line_of_its_own():
    assert wrapped("a " + 50 * "x" + " b", 40.0, 8.0) == ["a", 50 * "x", "b"]
