"""The residual and the profile of each observation.

An observation with a wrong position or background can hide in the sum over all observations.
"""

from dataclasses import replace

from matplotlib.figure import Figure

from ...answers.scene import Scene
from ...model.result import FitResult
from . import panels, words
from .profile import draw_profile
from .sky import Sky

_PANEL = 4.2


def residuals_figure(result: FitResult) -> Figure:
    """Figure with the residual and the radial profile of every observation, one row for each.

    The residual compares the photons of one observation with the photons that the model expects in
    it. All profiles are centred on the brightest emission of the joint model.

    Parameters
    ----------
    result : FitResult

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
    whole = Scene(result)
    scenes = [whole]
    if len(result.observations) > 1:
        single = [replace(result, observations=(o,)) for o in result.observations]
        scenes = [Scene(one, x=whole.x, y=whole.y) for one in single]
    sky = Sky(whole.grid, result.frame, whole.x, whole.y)
    figure, axes = _empty(sky, len(scenes))
    centre = whole.centre()
    for i, scene in enumerate(scenes, start=1):
        (observation,) = scene.result.observations
        panel = axes[f"residual {i}"]
        panels.draw_residual(panel, scene, sky, f"residual {i}")
        panels.on.title(panel, f"{words.name_of(observation)}: {panel.get_title(loc='left')}")
        panels.on.outlines(panel, [observation], sky)
        sky.dress(panel, left=True, bottom=True)
        expected = scene.images.expected.values.sum()
        text = f"{observation.n_photons:,.0f} photons, {expected:,.0f} expected"
        draw_profile(axes[f"profile {i}"], axes[f"ratio {i}"], scene.profile(centre), text)
    words.write_heading(figure, result, left=0.75)
    return figure


def _empty(sky, n_rows):
    """A figure with the axes of all rows, sized so that the residuals have the sky's shape."""
    tall, gap = _PANEL * sky.aspect, 0.95
    mosaic, heights = [], []
    for i in range(1, n_rows + 1):
        mosaic += [[f"residual {i}", f"profile {i}"], [f"residual {i}", f"ratio {i}"], [".", "."]]
        heights += [0.75 * tall, 0.25 * tall, gap]
    width, height = 2 * _PANEL + 2.2, n_rows * (tall + gap) + 0.85
    figure = Figure(figsize=(width, height), facecolor="white")
    grid = {
        "height_ratios": heights[:-1],
        "left": 0.8 / width,
        "right": 1 - 0.9 / width,
        "bottom": 0.65 / height,
        "top": 1 - 1.13 / height,
        "wspace": 0.06,
        "hspace": 0.0,
    }
    on_sky = {f"residual {i}": {"projection": sky.wcs} for i in range(1, n_rows + 1)}
    axes = figure.subplot_mosaic(mosaic[:-1], gridspec_kw=grid, per_subplot_kw=on_sky)
    for name, one in axes.items():
        one.set_label(name)
    return figure, axes
