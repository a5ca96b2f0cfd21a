"""The residual and the profile of each observation.

An observation with a wrong position or background can hide in the sum over all observations.
"""

from collections.abc import Sequence

from ...answers.profile_panel import centre_of_profile, profile_to_draw, single_observation
from ...answers.scene import Scene
from . import marks as on
from . import words
from .blocks import EDGE, draw_blocks, label_of
from .colour import flat_bar
from .paper_figure import PaperFigure
from .rings import draw_profile
from .sky import dress
from .view import View


def residuals_figure(views: Sequence[View]) -> PaperFigure:
    """Figure with the residual and the radial profile of every observation, one row for each.

    The residual compares the photons of one observation with the photons that the model expects in
    it. All profiles are centred on the brightest emission of the joint model.

    Parameters
    ----------
    views : sequence of View
        One.

    Returns
    -------
    matplotlib.figure.Figure
        Its axes are labelled "residual 1", "profile 1", "ratio 1", "residual 2" and so on; those of
        the colour bars end in "bar".

    Raises
    ------
    InputError
        If there are neither photons nor an exposure map.
    """
    (view,) = views
    scenes = [view.scene]
    if len(view.result.observations) > 1:
        numbers = range(len(view.result.observations))
        single = [single_observation(view.result, i) for i in numbers]
        scenes = [Scene(one, view.sky.x, view.sky.y) for one in single]
    figure, axes = _empty(view, len(scenes))
    centre = centre_of_profile(view.result)
    for i, scene in enumerate(scenes, start=1):
        (observation,) = scene.result.observations
        panel = axes[f"residual {i}"]
        blocks = scene.residual_blocks(view.config.block)
        # The blocks lie on the cells of one observation, and the panel shows the whole sky.
        shown = draw_blocks(panel, blocks, view.sky, contours=view.config.significant)
        on.title(panel, f"{words.name_of(observation)}: residual")
        on.outlines(panel, [observation], view.sky)
        dress(panel, view.sky, coords=view.config.coords, degrees=view.config.degrees)
        bar = panel.inset_axes((0, 1.11, 1, 0.025), label=f"residual {i} bar")
        flat_bar(figure, shown, bar, ", ".join(label_of(blocks)), ticks=[-EDGE, 0, EDGE])
        expected = scene.images.expected.values.sum()
        text = f"{observation.n_photons:,.0f} photons, {expected:,.0f} expected"
        upper, lower = axes[f"profile {i}"], axes[f"ratio {i}"]
        draw_profile(upper, lower, profile_to_draw(scene.result, centre))
        on.title(upper, text)
        for one in (upper, lower):
            one.yaxis.tick_right()
            one.yaxis.set_label_position("right")
            one.tick_params(which="both", left=True)
    words.write_heading(figure, words.heading_lines(view.result, view.config.inches), left=0.1)
    return figure


def _empty(view, n_rows):
    """A figure with the axes of all rows, sized so that the residuals have the sky's shape."""
    width = view.config.inches
    side = (width - 1.2) / 2
    tall, gap = side * view.sky.aspect, 1.0
    mosaic, heights = [], []
    for i in range(1, n_rows + 1):
        mosaic += [[f"residual {i}", f"profile {i}"], [f"residual {i}", f"ratio {i}"], [".", "."]]
        heights += [0.75 * tall, 0.25 * tall, gap]
    height = n_rows * (tall + gap) + 0.6
    figure = PaperFigure(figsize=(width, height), facecolor="white")
    grid = {
        "height_ratios": heights[:-1],
        "left": 0.45 / width,
        "right": 1 - 0.55 / width,
        "bottom": 0.45 / height,
        "top": 1 - 1.15 / height,
        "wspace": 0.06,
        "hspace": 0.0,
    }
    on_sky = {f"residual {i}": {"projection": view.sky.wcs} for i in range(1, n_rows + 1)}
    axes = figure.subplot_mosaic(mosaic[:-1], gridspec_kw=grid, per_subplot_kw=on_sky)
    for name, one in axes.items():
        one.set_label(name)
    return figure, axes
