"""What the fit leaves of each observation by itself: one that errs, in its pointing or its background, may hide in the sum over all."""

from dataclasses import replace

from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from ...answers.scene import Scene
from . import _draw as draw
from . import _words as words
from ._profile import draw_profile

_PANEL = 4.2


def plot_residuals(result):
    """Residual and radial profile of every observation, a row for each.

    The residual is that of the photons of one observation against what was expected of it, the profile is centred where the joint signal is brightest, in
    photons / arcsec**2 at the reference exposure of the whole fit: profiles of different observations agree where the sky is all that they see.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    matplotlib.figure.Figure
        Its axes carry the labels "residual 1", "profile 1", "ratio 1", "residual 2" and so on, and those of the colour bars.

    Raises
    ------
    InputError
        When neither photons nor a map say what to draw.
    """
    whole = Scene(result)
    scenes = (
        [
            Scene(replace(result, observations=(o,)), x=whole.x, y=whole.y)
            for o in result.observations
        ]
        if len(result.observations) > 1
        else [whole]
    )
    offsets = draw.Offsets(max(whole.width, whole.height), result.frame is not None)
    tall = _PANEL * whole.height / whole.width
    row = tall + 0.95
    width, height = 2 * _PANEL + 2.3, len(scenes) * row + 0.98
    figure = Figure(figsize=(width, height), facecolor="white")
    centre = whole.centre()
    for i, scene in enumerate(scenes, start=1):
        (observation,) = scene.result.observations
        bottom = ((len(scenes) - i) * row + 0.58) / height
        panel = figure.add_axes(
            (0.75 / width, bottom, _PANEL / width, tall / height), label=f"residual {i}"
        )
        blocks, values, size = scene.residual_blocks()
        shown = draw.show(panel, values, blocks, "RdBu_r", Normalize(-5, 5), offsets)
        panel.set_facecolor("0.85")
        draw.title(
            panel, rf"{_called(observation)}: residual [$\sigma$], {words.angle(size)} blocks"
        )
        draw.strip_bar(figure, panel, shown, f"residual bar {i}", [-5, 0, 5])
        draw.frame_axes(panel, scene.x, scene.y, offsets, result.frame, left=True, bottom=True)
        draw.outlines(panel, [observation], offsets)
        left, wide, high = (1.25 + _PANEL) / width, _PANEL / width, tall / height
        ratio = figure.add_axes((left, bottom, wide, 0.24 * high), label=f"ratio {i}")
        profile = figure.add_axes(
            (left, bottom + 0.26 * high, wide, 0.74 * high), label=f"profile {i}"
        )
        expected = scene.images.expected.values.sum()
        draw_profile(
            profile,
            ratio,
            scene.profile(centre),
            f"{observation.n_photons:,.0f} photons, {expected:,.0f} expected",
        )
    for line, above, style in (
        (words.heading(result), 0.36, {"fontsize": draw.LARGE, "fontweight": "bold"}),
        (words.details(result), 0.68, {"fontsize": draw.MEDIUM + 0.5, "color": "0.3"}),
    ):
        figure.text(0.75 / width, 1 - above / height, line, va="center", **style)
    return figure


def _called(observation):
    """What an observation goes by: its ObsID, or else its name."""
    known = str(observation.metadata.get("OBS_ID") or "").strip()
    return (f"ObsID {known}" if known else observation.name).replace("$", r"\$")
