"""Panels of the sky: axes with coordinates, and the marks that go on them.

A panel's data coordinates are the pixels of one grid, so that astropy's WCSAxes can label them with
right ascension and declination. `Sky.points` brings positions of the tangent plane there.
"""

from dataclasses import dataclass

import numpy as np
from astropy.wcs import WCS
from matplotlib import colormaps, patheffects
from matplotlib.collections import LineCollection
from matplotlib.patches import Circle, Ellipse

from ...plane.frame import SkyFrame
from ...plane.grid import PixelGrid
from ...plane.wcs import wcs_of
from .colour import FLAG, INK, MASK, MEDIUM, SMALL

_SHADE = [patheffects.withStroke(linewidth=2.0, foreground=(0, 0, 0, 0.65))]
_BAR_LENGTHS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600)
_MAGNIFICATIONS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


@dataclass(frozen=True, eq=False)
class Sky:
    """The part of the plane that the panels of a figure show.

    Parameters
    ----------
    grid : PixelGrid
        Its pixels are the data coordinates of the panels. Its axes are those of the plane.
    frame : SkyFrame or None
        Tangent plane; without one the panels are labelled with x and y [arcsec].
    x, y : (float, float)
        Limits in the plane [arcsec].
    """

    grid: PixelGrid
    frame: SkyFrame | None
    x: tuple
    y: tuple

    @property
    def wcs(self):
        """The WCS that labels the panels."""
        if self.frame is not None:
            return wcs_of(self.grid, self.frame)
        wcs = WCS(naxis=2)
        wcs.wcs.cunit = "arcsec", "arcsec"
        wcs.wcs.cname = "x", "y"
        wcs.wcs.crpix = np.array(self.grid.to_pixels(0.0, 0.0)) + 1
        wcs.wcs.crval = 0.0, 0.0
        wcs.wcs.cdelt = np.diag(self.grid.matrix)
        return wcs

    @property
    def width(self):
        """Width of the part shown [arcsec]."""
        return self.x[1] - self.x[0]

    @property
    def aspect(self):
        """Height over width of the part shown."""
        return (self.y[1] - self.y[0]) / self.width

    def points(self, xy):
        """Data coordinates of positions (n, 2) in the plane [arcsec]."""
        return np.stack(self.grid.to_pixels(*np.asarray(xy, np.float64).T), axis=-1)

    def length(self, arcsec):
        """A length [arcsec] in data coordinates."""
        return arcsec / self.grid.step

    def dress(self, axes, *, left, bottom):
        """Set the limits of a panel, and label its left and bottom edge where asked for."""
        (x0, y0), (x1, y1) = self.points(np.stack([self.x, self.y], axis=1))
        axes.set_xlim(x0, x1)
        axes.set_ylim(y0, y1)
        axes.set_aspect("equal")
        names = ("x", "y") if self.frame is None else ("right ascension", "declination")
        for index, (name, labelled) in enumerate(zip(names, (bottom, left), strict=True)):
            coordinate = axes.coords[index]
            coordinate.set_ticks(number=4)
            coordinate.set_ticklabel(size=SMALL, exclude_overlapping=True)
            coordinate.set_ticklabel_visible(labelled)
            unit = " [arcsec]" if self.frame is None else ""
            coordinate.set_axislabel(f"{name}{unit}" if labelled else " ", size=MEDIUM, minpad=0.6)
            coordinate.tick_params(direction="in", color="0.75", length=3.5)
        # Labels along the axis leave more room for the pictures.
        axes.coords[1].set_ticklabel(rotation=90, size=SMALL)
        axes.coords.frame.set_color("0.35")
        axes.coords.frame.set_linewidth(0.7)


def title(axes, text):
    """Write the title of a panel above its left end."""
    # A fixed height, or a colour bar above the panel would push the title up.
    axes.set_title(text, loc="left", fontsize=MEDIUM, y=1.0, pad=6, color=INK)


def show(axes, values, grid, sky, cmap, norm):
    """Draw an image on its own grid; NaN and masked values are grey."""
    cmap = colormaps[cmap].with_extremes(bad="0.85")
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


def outlines(axes, observations, sky):
    """Draw the edges of the masks."""
    lines = [sky.points(line) for o in observations for line in o.mask_outlines()]
    if lines:
        drawn = LineCollection(lines, colors=MASK, linewidths=0.7, alpha=0.9)
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
    axes.contour(x, y, padded, levels=[below], colors=[(1, 1, 1, 0.4)], linewidths=0.5)


def note(axes, x, y, text, **options):
    """Write on a picture, at a place in fractions of the axes, legible on any colour."""
    options = {"color": "white", "fontsize": SMALL, "path_effects": _SHADE} | options
    return axes.text(x, y, text, transform=axes.transAxes, **options)


def scale_bar(axes, sky):
    """Draw a bar of a round length, about a fifth of the picture, at the lower left."""
    fitting = [v for v in _BAR_LENGTHS if v <= 0.22 * sky.width]
    length = max(fitting, default=0.2 * sky.width)
    text = f"{length / 60:g}'" if length >= 60 else f'{length:g}"'
    start, end = 0.05, 0.05 + length / sky.width
    axes.plot(
        [start, end],
        [0.055, 0.055],
        transform=axes.transAxes,
        color="white",
        lw=2,
        solid_capstyle="butt",
        path_effects=_SHADE,
    )
    note(axes, (start + end) / 2, 0.068, text, ha="center", va="bottom")


def compass(axes, sky):
    """Draw arrows to north and east at the lower right, if the panel shows the sky."""
    if sky.frame is None:
        return
    middle = np.array([sum(sky.x) / 2, sum(sky.y) / 2])
    angle = np.radians(float(sky.frame.north(*middle)))
    up = np.array([-np.sin(angle), np.cos(angle)])
    reach = 0.085
    for direction, name in ((up, "N"), (np.array([-up[1], up[0]]), "E")):
        dx, dy = reach * direction[0], reach * direction[1] / sky.aspect
        axes.annotate(
            "",
            (0.93 + dx, 0.06 + dy),
            (0.93, 0.06),
            xycoords="axes fraction",
            arrowprops={
                "arrowstyle": "-|>",
                "color": "white",
                "lw": 1.1,
                "shrinkA": 0,
                "shrinkB": 0,
            },
        )
        note(axes, 0.93 + 1.4 * dx, 0.06 + 1.4 * dy, name, ha="center", va="center")


def psf_circles(axes, sky, off_axis, radii):
    """Draw the PSF's 39 % radius at up to three off-axis angles, magnified where it is small."""
    if np.ptp(radii) < 0.01 * radii.max():
        off_axis, radii = off_axis[:1], radii[:1]
    factor = max((f for f in _MAGNIFICATIONS if f * radii.max() <= 0.042 * sky.width), default=1)
    left = 0.03
    for distance, radius in zip(off_axis, radii, strict=True):
        size = factor * radius / sky.width
        left += max(size, 0.035)
        x, y = sky.x[0] + left * sky.width, sky.y[0] + 0.105 * sky.width
        centre = sky.points([(x, y)])[0]
        circle = Circle(centre, sky.length(factor * radius), fill=False, ec="white", lw=1.1)
        circle.set_path_effects(_SHADE)
        axes.add_patch(circle)
        text = f'{radius:.2g}"' if len(radii) == 1 else _angle(distance)
        note(axes, left, 0.018, text, ha="center", va="bottom")
        left += max(size, 0.035) + 0.012
    off = " off axis" if len(radii) > 1 else ""
    magnified = f", drawn {factor}x" if factor > 1 else ""
    note(
        axes, 0.03, 0.155 / sky.aspect, f"PSF radius (39 %){off}{magnified}", ha="left", va="bottom"
    )


def _angle(arcsec):
    if arcsec >= 60:
        return f"{arcsec / 60:.1f}'"
    return f'{arcsec:.0f}"' if arcsec else "0'"


def mark_components(axes, mixture, wanted, sky, label):
    """Draw dashed 1 sigma ellipses of some components, and a line that says what they are."""
    least = 0.012 * sky.width
    shown = 0
    for mean, covariance in zip(mixture.means[wanted], mixture.covariances[wanted], strict=True):
        values, vectors = np.linalg.eigh(covariance)
        angle = np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1]))
        minor, major = sky.length(2 * np.maximum(np.sqrt(values), least))
        ellipse = Ellipse(sky.points(mean[None])[0], major, minor, angle=angle, fill=False)
        ellipse.set(ec=FLAG, lw=1.2, ls=(0, (3, 2)))
        axes.add_patch(ellipse)
        shown += sky.x[0] < mean[0] < sky.x[1] and sky.y[0] < mean[1] < sky.y[1]
    if shown:
        note(axes, 0.97, 0.965, label, color=FLAG, ha="right", va="top")


def mark_points(axes, mixture, sky):
    """Draw small crosses at the point sources, and a line that says what they are."""
    x, y = mixture.means.T
    inside = (x > sky.x[0]) & (x < sky.x[1]) & (y > sky.y[0]) & (y < sky.y[1])
    if not inside.any():
        return
    axes.plot(
        *sky.points(mixture.means[inside]).T,
        "+",
        ms=4.5,
        mew=0.8,
        color=MASK,
        alpha=0.9,
        label="point sources",
        scalex=False,
        scaley=False,
    )
    note(axes, 0.03, 0.965, "+ point sources, not included", color=MASK, ha="left", va="top")
