"""What stands on a picture of the sky: outlines, hatching, scale bar, arrows, beam, contours."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps, patheffects
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.patches import Ellipse

from .colour import FLAG, MASK
from .style import SMALL

_BAR_LENGTHS = (
    *(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30),
    *(60 * v for v in (1, 2, 5, 10, 15, 20, 30)),
    *(3600 * v for v in (1, 2, 5)),
)
# Places of marks in a panel, in fractions of its width from its edges.
_EDGE = 0.05
_REGION = "#4fb3ff"


def shade(ink="white"):
    """A halo that keeps text and lines legible on any colour."""
    dark = sum(to_rgb(ink)) < 1.5
    return [patheffects.withStroke(linewidth=1.5, foreground=(*(3 * (float(dark),)), 0.65))]


def show(axes, values, grid, sky, cmap, norm):
    """Draw an image on its own grid; NaN and masked values are grey."""
    cmap = colormaps[cmap] if isinstance(cmap, str) else cmap
    cmap = cmap.with_extremes(bad="0.85")
    values = np.ma.masked_invalid(values)
    if grid.is_aligned:
        ny, nx = grid.shape
        corners = np.stack(grid.to_plane([-0.5, nx - 0.5], [-0.5, ny - 0.5]), axis=1)
        (x0, y0), (x1, y1) = sky.points(corners)
        return axes.imshow(
            values,
            extent=(x0, x1, y0, y1),
            origin="lower",
            cmap=cmap,
            norm=norm,
            interpolation="nearest",
        )
    edges = np.meshgrid(np.arange(grid.shape[1] + 1) - 0.5, np.arange(grid.shape[0] + 1) - 0.5)
    x, y = sky.grid.to_pixels(*grid.to_plane(*edges))
    return axes.pcolormesh(x, y, values, cmap=cmap, norm=norm, rasterized=True)


def title(axes, text):
    """Write the title of a panel above its left end."""
    # A fixed height, or a colour bar above the panel would push the title up.
    axes.set_title(text, loc="left", y=1.0, pad=3)


def note(axes, x, y, text, **options):
    """Write on a picture, at a place in fractions of the axes, legible on any colour."""
    options = {"color": "white", "fontsize": SMALL} | options
    options.setdefault("path_effects", shade(options["color"]))
    return axes.text(x, y, text, transform=axes.transAxes, **options)


def outlines(axes, observations, sky):
    """Draw the edges of the masks."""
    lines = [sky.points(line) for o in observations for line in o.mask_outlines()]
    if lines:
        drawn = LineCollection(lines, colors=MASK, linewidths=0.6, alpha=0.9)
        axes.add_collection(drawn, autolim=False)


def regions(axes, shapes, sky):
    """Draw the edges of regions."""
    lines = [sky.points(line) for one in shapes for line in one.outlines()]
    if lines:
        drawn = LineCollection(lines, colors=_REGION, linewidths=1.0, path_effects=shade())
        axes.add_collection(drawn, autolim=False)


def hatch(axes, completeness, grid, sky, below):
    """Hatch the sky where the completeness lies below a value, and everything off the grid."""
    padded = np.pad(completeness, 1)
    ny, nx = grid.shape
    x, y = sky.grid.to_pixels(
        *grid.to_plane(*np.meshgrid(np.arange(nx + 2) - 1.0, np.arange(ny + 2) - 1.0))
    )
    # The outermost ring stands for everything beyond the grid.
    reach = 4 * max(nx, ny)
    x[:, 0], x[:, -1] = x[:, 0] - reach, x[:, -1] + reach
    y[0], y[-1] = y[0] - reach, y[-1] + reach
    drawn = axes.contourf(x, y, padded, levels=[-1.0, below], colors="none", hatches=["////"])
    drawn.set_edgecolor((1, 1, 1, 0.28))
    drawn.set_linewidth(0)
    axes.contour(x, y, padded, levels=[below], colors=[(1, 1, 1, 0.4)], linewidths=0.4)


def scale_bar(axes, sky, ink="white"):
    """Draw a bar of a round length, about a fifth of the picture, at the lower left."""
    length = max((v for v in _BAR_LENGTHS if v <= 0.25 * sky.width), default=0.2 * sky.width)
    start = sky.x[0] + _EDGE * sky.width, sky.y[0] + _EDGE * sky.width
    ends = sky.points(np.array([start, (start[0] + length, start[1])]))
    (bar,) = axes.plot(*ends.T, color=ink, lw=1.6, solid_capstyle="butt", path_effects=shade(ink))
    bar.set_label("scale bar")
    place = ends.mean(0) + [0, 0.012 * sky.length(sky.width)]
    style = {"color": ink, "fontsize": SMALL, "path_effects": shade(ink)}
    axes.text(*place, round_angle(length), ha="center", va="bottom", **style)


def round_angle(arcsec):
    """Text of a round angle, in the unit that makes it short.

    Examples
    --------
    >>> round_angle(0.5), round_angle(300), round_angle(7200)
    ('0.5"', "5'", '2 deg')
    """
    if arcsec >= 3600:
        return f"{arcsec / 3600:g} deg"
    return f"{arcsec / 60:g}'" if arcsec >= 60 else f'{arcsec:g}"'


def compass(axes, sky, ink="white"):
    """Draw arrows to north and east at the lower right, if the panel shows the sky."""
    if sky.frame is None:
        return
    reach = 0.09 * sky.width
    corner = np.array([sky.x[1], sky.y[0]])
    # Room for both arrows, whichever way they point.
    north, east = sky.directions(*(corner + 0.1 * sky.width * np.array([-1, 1])))
    lowest = np.minimum(np.minimum(north, east), 0)
    highest = np.maximum(np.maximum(north, east), 0)
    margin = _EDGE * sky.width
    base = corner + np.array([-margin - reach * highest[0], margin - reach * lowest[1]])
    north, east = sky.directions(*base)
    for direction, name in ((north, "N"), (east, "E")):
        tip = base + reach * direction
        start, end, place = sky.points(np.array([base, tip, base + 1.3 * reach * direction]))
        arrow = {"arrowstyle": "-|>,head_width=0.2,head_length=0.4", "color": ink, "lw": 0.9}
        arrow |= {"shrinkA": 0, "shrinkB": 0}
        axes.annotate("", end, start, arrowprops=arrow).set_label(f"arrow {name}")
        style = {"color": ink, "fontsize": SMALL, "path_effects": shade(ink)}
        axes.text(*place, name, ha="center", va="center", **style)


def beam(axes, sky, covariance, ink="white"):
    """Draw the ellipse that holds 39 % of the PSF at the upper left, and write how large it is."""
    values, vectors = np.linalg.eigh(covariance)
    minor, major = np.sqrt(values)
    inwards = np.array([1, -1]) * (_EDGE * sky.width + major)
    (centre,) = sky.points([np.array([sky.x[0], sky.y[1]]) + inwards])
    angle = np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1]))
    axes_ = sky.length(2 * major), sky.length(2 * minor)
    drawn = Ellipse(centre, *axes_, angle=angle, fill=False, ec=ink, lw=0.9)
    drawn.set_path_effects(shade(ink))
    drawn.set_label("beam")
    axes.add_patch(drawn)
    radius = np.sqrt(major * minor)
    beside = centre + [sky.length(major + 0.02 * sky.width), 0]
    style = {"color": ink, "fontsize": SMALL, "path_effects": shade(ink)}
    axes.text(*beside, f'PSF: 39 % in {radius:.2g}"', ha="left", va="center", **style)


def mark_components(axes, mixture, wanted, sky, label):
    """Draw dashed 1 sigma ellipses of some components, and a line that says what they are."""
    least = 0.012 * sky.width
    shown = 0
    for mean, covariance in zip(mixture.means[wanted], mixture.covariances[wanted], strict=True):
        values, vectors = np.linalg.eigh(covariance)
        angle = np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1]))
        minor, major = sky.length(2 * np.maximum(np.sqrt(values), least))
        ellipse = Ellipse(sky.points(mean[None])[0], major, minor, angle=angle, fill=False)
        ellipse.set(ec=FLAG, lw=0.9, ls=(0, (3, 2)))
        axes.add_patch(ellipse)
        shown += bool(sky.inside(mean[None])[0])
    if shown:
        note(axes, 0.97, 0.965, label, color=FLAG, ha="right", va="top")


def mark_points(axes, mixture, sky):
    """Draw small crosses at the point sources, and a line that says what they are."""
    inside = sky.inside(mixture.means)
    if not inside.any():
        return
    style = {"ms": 3.5, "mew": 0.7, "color": MASK, "alpha": 0.9, "label": "point sources"}
    places = sky.points(mixture.means[inside]).T
    axes.plot(*places, "+", scalex=False, scaley=False, **style)
    note(axes, 0.03, 0.965, "+ point sources, not included", color=MASK, ha="left", va="top")
