"""Pictures of a fit: figures that save nothing, show nothing and keep no state, so that they work without a display and in threads.

`plot_result` puts what the telescope recorded beside what the fit makes of it, on one colour scale: the photons, the whole scene as a telescope without gaps
would have seen it, the signal alone and deconvolved. Below them completeness, residual and radial profile say whether to believe it.
"""

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from . import _draw as draw
from ._history import plot_history
from ._measure import SCARCE, Scene

__all__ = ["plot_history", "plot_image", "plot_result"]

_PANEL = 4.2
_SIGNAL, _BACKGROUND = "#d95f0e", "#2b7bba"


def plot_result(result, *, stretch="log"):
    """The six panels that say what was fitted and whether to believe it.

    Photons, whole scene and signal share one scale, photons / arcsec**2 at the reference exposure. Masks are outlined on the photons and the completeness,
    hatching covers what was seen with a completeness below 5 %, scarcely observed components are marked on the signal.

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
        return (0.75 + column * (_PANEL + 0.2)) / width, (0.58 + (1 - row) * (tall + 0.82)) / height, _PANEL / width, tall / height

    places = {"data": (0, 0), "scene": (1, 0), "signal": (2, 0), "completeness": (0, 1), "residual": (1, 1)}
    panels = {label: figure.add_axes(box(*place), label=label) for label, place in places.items()}

    smooth, kernel = scene.smoothed
    norm = draw.brightness_norm(stretch, *scene.brightness_limits())
    pictures = {
        "data": (smooth, f"(a) photons, smoothed by {_angle(kernel)}"),
        "scene": (scene.whole, _scene_title(result, scene)),
        "signal": (scene.signal, "(c) signal alone" + (", deconvolved" if _is_blurred(result) else ", no PSF taken out")),
    }
    for label, (values, text) in pictures.items():
        shown = draw.show(panels[label], values, scene.grid, draw.SKY, norm, offsets)
        # Beyond the grid the picture is as dark as its darkest pixel.
        panels[label].set_facecolor(colormaps[draw.SKY](0.0))
        draw.title(panels[label], text)
    left, bottom, _, tall_share = box(2, 0)
    bar = figure.add_axes((left + (_PANEL + 0.1) / width, bottom, 0.15 / width, tall_share), label="brightness bar")
    draw.brightness_bar(figure, shown, bar, _brightness_label(result), stretch)

    omega = scene.images.completeness.values
    shown = draw.show(panels["completeness"], omega, scene.grid, "bone", Normalize(0, 1), offsets)
    panels["completeness"].set_facecolor("black")
    draw.title(panels["completeness"], "(d) completeness")
    draw.strip_bar(figure, panels["completeness"], shown, "completeness bar", [0, 0.5, 1])
    if not scene.bounded:
        panels["completeness"].text(0.5, 0.5, "complete everywhere", transform=panels["completeness"].transAxes, ha="center", va="center", fontsize=draw.MEDIUM)
    blocks, values, size = scene.residual_blocks()
    shown = draw.show(panels["residual"], values, blocks, "RdBu_r", Normalize(-5, 5), offsets)
    panels["residual"].set_facecolor("0.85")
    draw.title(panels["residual"], rf"(e) residual [$\sigma$], {_angle(size)} blocks")
    draw.strip_bar(figure, panels["residual"], shown, "residual bar", [-5, 0, 5])

    for label, axes in panels.items():
        draw.frame_axes(axes, scene.x, scene.y, offsets, frame, left=label in ("data", "completeness"), bottom=label in ("completeness", "residual"))
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
    # The signal has no point sources in it.
    scarce = result.scarcely_observed & ~result.points
    draw.mark_components(panels["signal"], result.mixture, scarce, scene.x, scene.y, offsets, "dashed: scarcely observed")

    left, bottom, wide, high = box(2, 1)
    left, wide = left + 0.08 / width, wide - 0.08 / width
    ratio = figure.add_axes((left, bottom, wide, 0.24 * high), label="ratio")
    profile = figure.add_axes((left, bottom + 0.26 * high, wide, 0.74 * high), label="profile")
    _draw_profile(profile, ratio, scene.profile())
    figure.text(0.75 / width, 1 - 0.36 / height, _heading(result), fontsize=draw.LARGE, fontweight="bold", va="center")
    figure.text(0.75 / width, 1 - 0.68 / height, _details(result), fontsize=draw.MEDIUM + 0.5, va="center", color="0.3")
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
    axes = figure.add_axes((0.75 / width, 0.58 / height, 5.0 / width, 5.0 * aspect / height), label="image")
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
    bar = figure.add_axes((5.85 / width, 0.58 / height, 0.15 / width, 5.0 * aspect / height), label="bar")
    draw.brightness_bar(figure, shown, bar, image.unit if label is None else label, stretch)
    return figure


def _draw_profile(axes, ratio, profile):
    """Data with Poisson bars, model, signal and background against radius; below, data over model. The y axes stand on the right."""
    unit, name = (60.0, "arcmin") if profile["high"][-1] > 180 else (1.0, "arcsec")
    radius, low, high = (profile[key] / unit for key in ("radius", "low", "high"))
    edges = np.append(low, high[-1])
    # The innermost annulus is a disc: on a logarithmic axis it needs an edge.
    edges[0] = edges[0] or edges[1] / 2
    for key, colour, style in (("background", _BACKGROUND, "--"), ("signal", _SIGNAL, "-."), ("model", draw.INK, "-")):
        # Without a background the signal is the model.
        if np.any(profile[key] > 0) and (key == "model" or np.any(profile["background"] > 1e-9 * profile["model"])):
            axes.stairs(profile[key], edges, color=colour, ls=style, lw=1.4, label=key, baseline=None)
    seen = profile["counts"] > 0
    # A bar that reaches 0 has no lower end on a logarithmic axis.
    bars = np.stack([np.minimum(profile["error"], 0.999 * profile["data"]), profile["error"]])
    axes.errorbar(radius[seen], profile["data"][seen], bars[:, seen], fmt="o", ms=3, color="0.1", mfc="white", mew=0.9, lw=0.9, label="data", zorder=3)
    axes.set_xscale("log")
    axes.set_yscale("log")
    values = np.concatenate([profile["data"][seen], profile["model"][profile["model"] > 0]])
    if len(values):
        floor = values.min() / 4
        faint = profile["background"][profile["background"] > values.min() / 50]
        axes.set_ylim(max(min([floor, *faint / 1.5]), values.max() / 1e6), values.max() * 2.5)
    safe = np.maximum(profile["expected"], 1e-300)
    ratio.axhline(1, color=draw.INK, lw=1)
    share, error = profile["counts"] / safe, np.sqrt(np.maximum(profile["counts"], 1)) / safe
    ratio.errorbar(radius, share, error, fmt="o", ms=3, color="0.1", mfc="white", mew=0.9, lw=0.9)
    told = error < 0.5
    reach = np.clip(1.25 * np.max(np.abs(share - 1)[told] + error[told], initial=0.05), 0.06, 0.9)
    ratio.set_ylim(1 - reach, 1 + reach)
    for beyond, edge, marker in ((share > 1 + reach, 1 + 0.88 * reach, "^"), (share < 1 - reach, 1 - 0.88 * reach, "v")):
        ratio.plot(radius[beyond], np.full(beyond.sum(), edge), marker, ms=4, color="0.1")
    ratio.set_xscale("log")
    for panel in (axes, ratio):
        panel.set_xlim(edges[0], edges[-1] * 1.03)
        panel.yaxis.tick_right()
        panel.yaxis.set_label_position("right")
        panel.tick_params(labelsize=draw.SMALL, which="both", direction="in", left=True, right=True, top=True, bottom=True)
        panel.grid(alpha=0.2, lw=0.5)
        draw.log_axis(panel.xaxis)
    ratio.yaxis.set_major_locator(MaxNLocator(4, prune="upper"))
    power = draw.power_of(axes.get_ylim()[1])
    draw.log_axis(axes.yaxis, power)
    axes.tick_params(labelbottom=False)
    axes.set_ylabel(draw.scaled(r"photons arcsec$^{-2}$", power), fontsize=draw.MEDIUM)
    ratio.set_ylabel("data / model", fontsize=draw.SMALL)
    ratio.set_xlabel(f"radius [{name}]", fontsize=draw.MEDIUM, labelpad=2)
    handles, labels = axes.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda j: ("data", "model", "signal", "background").index(labels[j]))
    axes.legend([handles[j] for j in order], [labels[j] for j in order], fontsize=draw.SMALL, framealpha=0.9, edgecolor="none", loc="lower left")
    draw.title(axes, "(f) profile about the brightest emission")


def _is_blurred(result):
    return any(o.psf is not None for o in result.observations)


def _scene_title(result, scene):
    parts = ["(b) whole scene", "gaps filled" if scene.bounded else "blurred" if _is_blurred(result) else ""]
    parts.append("with background" if any(o.backgrounds for o in result.observations) else "")
    return ", ".join(part for part in parts if part)


def _brightness_label(result):
    unit = f" of {draw.plain(float(f'{result.reference_exposure:.3g}'))} {result.exposure_unit.replace('cm**2', 'cm$^2$')}" if result.exposure_unit else ""
    return rf"photons arcsec$^{{-2}}$ at the reference exposure{unit}"


def _angle(arcsec):
    return f"{arcsec / 60:.2g}'" if arcsec >= 600 else f'{arcsec:.2g}"' if arcsec < 100 else f'{arcsec:.0f}"'


def _words(result, name):
    """A keyword's values over the observations, each once, blank ones left out."""
    found = [o.metadata.get(name) for o in result.observations]
    return list(dict.fromkeys(str(value).strip() for value in found if value is not None and str(value).strip()))


def _shortened(words, most=4):
    return ", ".join(words) if len(words) <= most else f"{', '.join(words[: most - 1])} and {len(words) - most + 1} more"


def _heading(result):
    objects, ids = _words(result, "OBJECT"), _words(result, "OBS_ID")
    heading = _shortened(objects, 2) or _shortened([o.name for o in result.observations], 2)
    # A dollar sign would start mathematics.
    return (heading + (f"   ObsID {_shortened(ids)}" if ids else "")).replace("$", r"\$")


def _details(result):
    bands = list(dict.fromkeys(str(_band(o)) for o in result.observations if _band(o)))
    seconds = [o.metadata.get("EXPOSURE") for o in result.observations]
    parts = [_shortened(bands, 2)]
    if all(isinstance(s, int | float) for s in seconds):
        parts.append(f"{sum(seconds) / 1000:,.1f} ks")
    parts += [f"{result.n_photons:,.0f} photons", f"K = {len(result.extended)}"]
    n_points = len(result.point_sources)
    parts += [f"{n_points} point source{'s' * (n_points != 1)}"] if n_points else []
    parts.append(f"background {100 * result.background_fraction:.0f} %")
    if not result.converged:
        parts.append("NOT CONVERGED")
    if result.frame is not None:
        parts.append(f"offsets from {_position(result.frame.ra0, result.frame.dec0)}")
    return "   |   ".join(part for part in parts if part)


def _band(observation):
    band = observation.metadata.get("energy_kev")
    if band is None or isinstance(band, str):
        return "all energies" if band == "all" else band
    return f"{band[0]:g}-{band[1]:g} keV" if np.all(np.isfinite(band)) else "all energies"


def _position(ra, dec):
    seconds, arcsec = round(ra / 15 * 36000) / 10 % 86400, round(abs(dec) * 3600)
    hours, degrees = (
        f"{int(seconds // 3600):02d}:{int(seconds // 60 % 60):02d}:{seconds % 60:04.1f}",
        f"{arcsec // 3600:02d}:{arcsec // 60 % 60:02d}:{arcsec % 60:02d}",
    )
    return f"{hours} {'-' if dec < 0 else '+'}{degrees}"
