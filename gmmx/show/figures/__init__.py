"""Pictures of a fit: figures that save nothing, show nothing and keep no state, so that they work without a display and in threads.

`plot_result` puts what the telescope recorded beside what the fit makes of it, on one colour scale: the photons, the whole scene as a telescope without gaps
would have seen it, the signal alone and deconvolved. Below them completeness, residual and radial profile say whether to believe it.
"""

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from ...answers.scene import SCARCE, Scene
from . import _draw as draw
from . import _words as words
from ._history import plot_history
from ._profile import draw_profile
from ._residuals import plot_residuals

__all__ = ["plot_history", "plot_image", "plot_residuals", "plot_result"]

_PANEL = 4.2


def plot_result(result, *, stretch="log"):
    """The six panels that say what was fitted and whether to believe it.

    Photons, whole scene and signal share one scale, photons / arcsec**2 at the reference exposure. Masks are outlined on the photons and the completeness,
    hatching covers what was seen with a completeness below 5 %, scarcely observed components and the places of point sources, which it does not hold, are
    marked on the signal.

    Parameters
    ----------
    result : FitResult
    stretch : {"log", "asinh", "sqrt", "linear"}

    Returns
    -------
    matplotlib.figure.Figure
        Its axes carry the labels "data", "scene", "signal", "completeness", "residual", "profile", "ratio", and those of the colour bars.

    Raises
    ------
    InputError
        For an unknown stretch, or when neither photons nor a map say what to draw.
    """
    draw.check_stretch(stretch)
    scene = Scene(result)
    frame = result.frame
    offsets = draw.Offsets(max(scene.width, scene.height), frame is not None)
    aspect = scene.height / scene.width
    tall = _PANEL * aspect
    width, height = 3 * _PANEL + 2.1, 2 * tall + 2.55
    figure = Figure(figsize=(width, height), facecolor="white")

    def box(column, row):
        return (
            (0.75 + column * (_PANEL + 0.2)) / width,
            (0.58 + (1 - row) * (tall + 0.82)) / height,
            _PANEL / width,
            tall / height,
        )

    places = {
        "data": (0, 0),
        "scene": (1, 0),
        "signal": (2, 0),
        "completeness": (0, 1),
        "residual": (1, 1),
    }
    panels = {label: figure.add_axes(box(*place), label=label) for label, place in places.items()}

    smooth, kernel = scene.smoothed
    norm = draw.brightness_norm(stretch, *scene.brightness_limits())
    pictures = {
        "data": (smooth, f"(a) photons, smoothed by {words.angle(kernel)}"),
        "scene": (scene.whole, _scene_title(result, scene)),
        "signal": (
            scene.signal,
            "(c) signal alone" + (", deconvolved" if _is_blurred(result) else ", no PSF taken out"),
        ),
    }
    for label, (values, text) in pictures.items():
        shown = draw.show(panels[label], values, scene.grid, draw.SKY, norm, offsets)
        # Beyond the grid the picture is as dark as its darkest pixel.
        panels[label].set_facecolor(colormaps[draw.SKY](0.0))
        draw.title(panels[label], text)
    left, bottom, _, tall_share = box(2, 0)
    bar = figure.add_axes(
        (left + (_PANEL + 0.1) / width, bottom, 0.15 / width, tall_share), label="brightness bar"
    )
    draw.brightness_bar(figure, shown, bar, _brightness_label(result), stretch)

    omega = scene.images.completeness.values
    shown = draw.show(panels["completeness"], omega, scene.grid, "bone", Normalize(0, 1), offsets)
    panels["completeness"].set_facecolor("black")
    draw.title(panels["completeness"], "(d) completeness")
    draw.strip_bar(figure, panels["completeness"], shown, "completeness bar", [0, 0.5, 1])
    if not scene.bounded:
        panels["completeness"].text(
            0.5,
            0.5,
            "complete everywhere",
            transform=panels["completeness"].transAxes,
            ha="center",
            va="center",
            fontsize=draw.MEDIUM,
        )
    blocks, values, size = scene.residual_blocks()
    shown = draw.show(panels["residual"], values, blocks, "RdBu_r", Normalize(-5, 5), offsets)
    panels["residual"].set_facecolor("0.85")
    draw.title(panels["residual"], rf"(e) residual [$\sigma$], {words.angle(size)} blocks")
    draw.strip_bar(figure, panels["residual"], shown, "residual bar", [-5, 0, 5])

    for label, axes in panels.items():
        draw.frame_axes(
            axes,
            scene.x,
            scene.y,
            offsets,
            frame,
            left=label in ("data", "completeness"),
            bottom=label in ("completeness", "residual"),
        )
    for label in ("data", "completeness"):
        draw.outlines(panels[label], result.observations, offsets)
    if scene.bounded:
        for label in ("scene", "signal"):
            draw.hatch(panels[label], omega, scene.grid, offsets, SCARCE)
    draw.scale_bar(panels["data"], scene.x, offsets)
    if frame is not None:
        draw.compass(panels["data"], aspect)
    blur = scene.psf_radii()
    if blur is not None:
        draw.psf_circles(panels["scene"], *blur, scene.x, scene.y, offsets)
    draw.mark_points(panels["signal"], result.point_sources, scene.x, scene.y, offsets)
    draw.mark_components(
        panels["signal"],
        result.mixture,
        result.scarcely_observed & ~result.points,
        scene.x,
        scene.y,
        offsets,
        "dashed: scarcely observed",
    )

    left, bottom, wide, high = box(2, 1)
    left, wide = left + 0.08 / width, wide - 0.08 / width
    ratio = figure.add_axes((left, bottom, wide, 0.24 * high), label="ratio")
    profile = figure.add_axes((left, bottom + 0.26 * high, wide, 0.74 * high), label="profile")
    draw_profile(profile, ratio, scene.profile(), "(f) profile about the brightest emission")
    figure.text(
        0.75 / width,
        1 - 0.36 / height,
        words.heading(result),
        fontsize=draw.LARGE,
        fontweight="bold",
        va="center",
    )
    figure.text(
        0.75 / width,
        1 - 0.68 / height,
        words.details(result),
        fontsize=draw.MEDIUM + 0.5,
        va="center",
        color="0.3",
    )
    return figure


def plot_image(image, *, title="", stretch="log", frame=None, label=None):
    """One image with its colour bar.

    Parameters
    ----------
    image : SkyImage
    title : str
    stretch : {"log", "asinh", "sqrt", "linear"}
        An image with negative values is drawn on a symmetric linear scale whatever this says.
    frame : SkyFrame, optional
        Without one the axes are x and y of the plane.
    label : str, optional
        Of the colour bar; the image's unit when not given.

    Returns
    -------
    matplotlib.figure.Figure
    """
    draw.check_stretch(stretch)
    x, y = image.grid.extent()
    aspect = float(np.clip((y[1] - y[0]) / (x[1] - x[0]), 0.4, 1.8))
    width, height = 6.9, 5.0 * aspect + 1.05
    figure = Figure(figsize=(width, height), facecolor="white")
    axes = figure.add_axes(
        (0.75 / width, 0.58 / height, 5.0 / width, 5.0 * aspect / height), label="image"
    )
    offsets = draw.Offsets(max(x[1] - x[0], y[1] - y[0]), frame is not None)
    if image.values.min() < 0:
        edge = float(np.percentile(np.abs(image.values), 99.5)) or 1.0
        cmap, norm, stretch = "RdBu_r", Normalize(-edge, edge), "linear"
    else:
        lit = image.values[image.values > 0]
        top = float(np.percentile(lit, 99.98)) if len(lit) else 1.0
        floor = float(np.clip(np.percentile(lit, 5), top / 1e4, top / 10)) if len(lit) else 0.1
        cmap, norm = draw.SKY, draw.brightness_norm(stretch, floor, top)
    shown = draw.show(axes, image.values, image.grid, cmap, norm, offsets)
    draw.frame_axes(axes, x, y, offsets, frame, left=True, bottom=True)
    draw.title(axes, title)
    bar = figure.add_axes(
        (5.85 / width, 0.58 / height, 0.15 / width, 5.0 * aspect / height), label="bar"
    )
    draw.brightness_bar(figure, shown, bar, image.unit if label is None else label, stretch)
    return figure


def _is_blurred(result):
    return any(o.psf is not None for o in result.observations)


def _scene_title(result, scene):
    parts = [
        "(b) whole scene",
        "gaps filled" if scene.bounded else "blurred" if _is_blurred(result) else "",
    ]
    parts.append("with background" if any(o.backgrounds for o in result.observations) else "")
    return ", ".join(part for part in parts if part)


def _brightness_label(result):
    unit = (
        f" of {draw.plain(float(f'{result.reference_exposure:.3g}'))} {result.exposure_unit.replace('cm**2', 'cm$^2$')}"
        if result.exposure_unit
        else ""
    )
    return rf"photons arcsec$^{{-2}}$ at the reference exposure{unit}"
