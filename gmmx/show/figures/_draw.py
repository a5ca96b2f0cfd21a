"""What panels have in common: images with offsets on their axes, colour bars, marks on the sky."""

import numpy as np
from matplotlib import colormaps, patheffects
from matplotlib.collections import LineCollection
from matplotlib.colors import AsinhNorm, LogNorm, Normalize, PowerNorm
from matplotlib.patches import Ellipse
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from ...errors import InputError

STRETCHES = ("log", "asinh", "sqrt", "linear")
SMALL, MEDIUM, LARGE = 8.5, 10.0, 15.0
SKY, MASK, FLAG, INK = "inferno", "#8fd7ff", "#5dff9b", "#222222"
_SHADE = [patheffects.withStroke(linewidth=2.0, foreground=(0, 0, 0, 0.65))]


class Offsets:
    """Offsets on the axes of a picture: in arcmin or arcsec, east to the left where there is a sky."""

    def __init__(self, span, on_sky=True):
        self.size, self.name, self.mark = (
            (60.0, "arcmin", "'") if span > 180 else (1.0, "arcsec", '"')
        )
        self.on_sky = on_sky
        # The plane's x grows west.
        self.sign = -1.0 if on_sky else 1.0

    def xlim(self, x):
        return self.sign * x[0] / self.size, self.sign * x[1] / self.size

    def ylim(self, y):
        return y[0] / self.size, y[1] / self.size

    def points(self, xy):
        return np.asarray(xy, np.float64) * np.array([self.sign, 1.0]) / self.size


def check_stretch(stretch):
    if stretch not in STRETCHES:
        raise InputError(f"a stretch is one of {', '.join(STRETCHES)}, got {stretch!r}")


def brightness_norm(stretch, low, high):
    """How brightness becomes colour between two positive ends."""
    if stretch == "log":
        return LogNorm(low, high, clip=True)
    if stretch == "asinh":
        return AsinhNorm(linear_width=3 * low, vmin=0, vmax=high, clip=True)
    return (
        PowerNorm(0.5, 0, high, clip=True) if stretch == "sqrt" else Normalize(0, high, clip=True)
    )


def show(axes, values, grid, cmap, norm, offsets):
    """An image on its grid, with the picture's offsets; where values are NaN or masked the colour is grey."""
    cmap = colormaps[cmap].with_extremes(bad="0.85")
    values = np.ma.masked_invalid(values)
    if grid.is_aligned:
        ny, nx = grid.shape
        x, y = grid.to_plane([-0.5, nx - 0.5], [-0.5, ny - 0.5])
        return axes.imshow(
            values,
            extent=(*offsets.xlim(x), *offsets.ylim(y)),
            origin="lower",
            cmap=cmap,
            norm=norm,
            interpolation="nearest",
            aspect="auto",
        )
    corners = grid.to_plane(
        *np.meshgrid(np.arange(grid.shape[1] + 1) - 0.5, np.arange(grid.shape[0] + 1) - 0.5)
    )
    x, y = np.moveaxis(offsets.points(np.stack(corners, -1)), -1, 0)
    return axes.pcolormesh(x, y, values, cmap=cmap, norm=norm, rasterized=True)


def frame_axes(axes, x, y, offsets, frame, *, left, bottom):
    """Limits, ticks and labels of a picture's axes."""
    axes.set_xlim(*offsets.xlim(x))
    axes.set_ylim(*offsets.ylim(y))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], min_n_ticks=3))
    axes.tick_params(
        labelsize=SMALL, direction="in", top=True, right=True, color="0.75", length=3.5
    )
    axes.tick_params(labelleft=left)
    for spine in axes.spines.values():
        spine.set_color("0.35")
        spine.set_linewidth(0.7)
    names = (
        ("offset west", "offset north") if not offsets.on_sky else ("offset east", "offset north")
    )
    names = names if frame is not None or offsets.on_sky else ("x", "y")
    if left:
        axes.set_ylabel(f"{names[1]} [{offsets.name}]", fontsize=MEDIUM, labelpad=2)
    if bottom:
        axes.set_xlabel(f"{names[0]} [{offsets.name}]", fontsize=MEDIUM, labelpad=2)


def title(axes, text):
    axes.set_title(text, loc="left", fontsize=MEDIUM, pad=6, color=INK)


def power_of(value):
    """The power of ten that is taken out of an axis' numbers so that they stay short: 0 from 0.02 to 20,000, else that of the largest."""
    return 0 if value <= 0 or 0.02 <= value <= 2e4 else int(np.floor(np.log10(value)))


def scaled(text, power):
    """An axis' label with the power of ten that its numbers are to be multiplied with."""
    return text if power == 0 else rf"$10^{{{power}}}$ {text}".rstrip()


def numbers(power):
    """Tick labels without a power of ten."""
    return FuncFormatter(lambda value, _: plain(value / 10.0**power))


def brightness_bar(figure, shown, axes, label, stretch):
    """An upright colour bar with plain numbers."""
    bar = figure.colorbar(shown, cax=axes)
    low, high = shown.norm.vmin, shown.norm.vmax
    power = power_of(max(abs(low), abs(high)))
    if stretch == "log":
        decades = np.log10(high / low)
        bar.locator = LogLocator(
            10,
            subs=(1.0, 2.0, 5.0) if decades < 1.6 else (1.0, 3.0) if decades < 3 else (1.0,),
            numticks=12,
        )
        bar.minorlocator = NullLocator()
    elif stretch == "asinh":
        knee = shown.norm.linear_width
        steps = [
            v * 10.0**p
            for p in range(int(np.floor(np.log10(knee))), int(np.ceil(np.log10(high))) + 1)
            for v in (1, 3)
        ]
        bar.set_ticks([0, *(v for v in steps if knee <= v <= high)])
        bar.minorlocator = NullLocator()
    else:
        bar.locator = MaxNLocator(6)
    bar.formatter = numbers(power)
    bar.update_ticks()
    bar.set_label(scaled(label, power), fontsize=MEDIUM)
    bar.ax.tick_params(labelsize=SMALL, length=3)
    bar.outline.set_linewidth(0.6)
    return bar


def strip_bar(figure, axes, shown, name, ticks):
    """A slim lying colour bar above the right end of a panel."""
    box = axes.get_position()
    width, height = figure.get_size_inches()
    strip = figure.add_axes(
        (box.x1 - 1.15 / width, box.y1 + 0.09 / height, 1.15 / width, 0.09 / height), label=name
    )
    bar = figure.colorbar(shown, cax=strip, orientation="horizontal", ticks=ticks)
    strip.xaxis.set_ticks_position("top")
    strip.tick_params(labelsize=SMALL - 0.5, length=2, pad=1.5)
    bar.outline.set_linewidth(0.6)
    bar.minorticks_off()
    return bar


def outlines(axes, observations, offsets):
    """The masks' edges; shapes that have no outline are left out."""
    lines = [offsets.points(line) for o in observations for line in o.mask_outlines()]
    if lines:
        axes.add_collection(
            LineCollection(lines, colors=MASK, linewidths=0.7, alpha=0.9), autolim=False
        )


def hatch(axes, completeness, grid, offsets, below):
    """Hatching where the completeness lies below a level, off the grid included."""
    ny, nx = grid.shape
    padded = np.pad(completeness, 1)
    x, y = grid.to_plane(*np.meshgrid(np.arange(nx + 2) - 1.0, np.arange(ny + 2) - 1.0))
    x, y = np.moveaxis(offsets.points(np.stack([x, y], -1)), -1, 0)
    # The outermost ring stands for all that lies beyond.
    reach = 4 * max(abs(x).max(), abs(y).max())
    x[:, 0], x[:, -1] = (
        x[:, 0] - np.sign(x[:, 1] - x[:, 0]) * reach,
        x[:, -1] + np.sign(x[:, 1] - x[:, 0]) * reach,
    )
    y[0], y[-1] = y[0] - reach, y[-1] + reach
    drawn = axes.contourf(x, y, padded, levels=[-1.0, below], colors="none", hatches=["////"])
    drawn.set_edgecolor((1, 1, 1, 0.28))
    drawn.set_linewidth(0)
    axes.contour(x, y, padded, levels=[below], colors=[(1, 1, 1, 0.4)], linewidths=0.5)


def on_image(axes, x, y, text, **options):
    """Text on a picture, at a place in axes fractions, legible on any colour."""
    return axes.text(
        x,
        y,
        text,
        transform=axes.transAxes,
        color="white",
        fontsize=SMALL,
        path_effects=_SHADE,
        **options,
    )


def scale_bar(axes, x, offsets):
    """A bar of a round length, lower left, about a fifth of the picture."""
    width = x[1] - x[0]
    length = max(
        (
            v
            for v in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600)
            if v <= 0.22 * width
        ),
        default=0.2 * width,
    )
    text = f"{length / 60:g}'" if length >= 60 else f'{length:g}"'
    start, share = 0.05, length / width
    axes.plot(
        [start, start + share],
        [0.055, 0.055],
        transform=axes.transAxes,
        color="white",
        lw=2,
        solid_capstyle="butt",
        path_effects=_SHADE,
    )
    on_image(
        axes,
        start + share / 2,
        0.068,
        text if offsets.on_sky else f"{length:g}",
        ha="center",
        va="bottom",
    )


def compass(axes, aspect):
    """North and east, lower right."""
    x, y, reach = 0.94, 0.06, 0.085
    for dx, dy, name in ((0, reach / aspect, "N"), (-reach, 0, "E")):
        axes.annotate(
            "",
            (x + dx, y + dy),
            (x, y),
            xycoords="axes fraction",
            arrowprops={
                "arrowstyle": "-|>",
                "color": "white",
                "lw": 1.1,
                "shrinkA": 0,
                "shrinkB": 0,
            },
        )
        on_image(
            axes,
            x + 1.2 * dx,
            y + 1.2 * dy,
            name,
            ha="center" if dy else "right",
            va="bottom" if dy else "center",
        )


def psf_circles(axes, off_axis, radii, x, y, offsets):
    """Circles of the blur at three distances in a corner, true to scale where they can be seen, magnified by a round factor where not."""
    width = x[1] - x[0]
    if np.ptp(radii) < 0.01 * radii.max():
        off_axis, radii = off_axis[:1], radii[:1]
    factor = max(
        (f for f in (1, 2, 5, 10, 20, 50, 100, 200, 500) if f * radii.max() <= 0.042 * width),
        default=1,
    )
    low = y[0] + 0.105 * width
    left = x[0] + 0.03 * width
    for distance, radius in zip(off_axis, radii, strict=True):
        size = factor * radius
        left += max(size, 0.035 * width)
        cx, cy = offsets.points((left, low))
        axes.add_patch(
            Ellipse(
                (cx, cy),
                2 * size / offsets.size,
                2 * size / offsets.size,
                fill=False,
                ec="white",
                lw=1.1,
                path_effects=_SHADE,
            )
        )
        text = (
            f'{radius:.2g}"'
            if len(radii) == 1
            else f"{distance / 60:.1f}'"
            if distance >= 60
            else f'{distance:.0f}"'
            if distance
            else "0'"
        )
        axes.text(
            *offsets.points((left, y[0] + 0.018 * width)),
            text,
            color="white",
            fontsize=SMALL,
            ha="center",
            va="bottom",
            path_effects=_SHADE,
        )
        left += max(size, 0.035 * width) + 0.012 * width
    named = (
        "PSF 39 % radius"
        + (" off axis" if len(radii) > 1 else "")
        + (f", {factor}x" if factor > 1 else "")
    )
    axes.text(
        *offsets.points((x[0] + 0.03 * width, low + 0.05 * width)),
        named,
        color="white",
        fontsize=SMALL,
        ha="left",
        va="bottom",
        path_effects=_SHADE,
    )


def mark_components(axes, mixture, wanted, x, y, offsets, label):
    """Dashed ellipses of one standard deviation about components, and a line that says what they are."""
    least = 0.012 * (x[1] - x[0])
    shown = 0
    for mean, covariance in zip(mixture.means[wanted], mixture.covariances[wanted], strict=True):
        values, vectors = np.linalg.eigh(covariance)
        angle = np.degrees(np.arctan2(vectors[1, 1], offsets.sign * vectors[0, 1]))
        minor, major = np.maximum(np.sqrt(values), least) * 2 / offsets.size
        axes.add_patch(
            Ellipse(
                offsets.points(mean),
                major,
                minor,
                angle=angle,
                fill=False,
                ec=FLAG,
                lw=1.2,
                ls=(0, (3, 2)),
            )
        )
        shown += x[0] < mean[0] < x[1] and y[0] < mean[1] < y[1]
    if shown:
        axes.text(
            0.97,
            0.965,
            label,
            transform=axes.transAxes,
            color=FLAG,
            fontsize=SMALL,
            ha="right",
            va="top",
            path_effects=_SHADE,
        )


def mark_points(axes, mixture, x, y, offsets):
    """Small crosses where the point sources are, and a line that says what they are."""
    means = mixture.means
    inside = means[
        (means[:, 0] > x[0]) & (means[:, 0] < x[1]) & (means[:, 1] > y[0]) & (means[:, 1] < y[1])
    ]
    if len(inside):
        axes.plot(
            *offsets.points(inside).T,
            "+",
            ms=4.5,
            mew=0.8,
            color=MASK,
            alpha=0.9,
            label="point sources",
            scalex=False,
            scaley=False,
        )
        axes.text(
            0.03,
            0.965,
            "+ point sources, left out",
            transform=axes.transAxes,
            color=MASK,
            fontsize=SMALL,
            ha="left",
            va="top",
            path_effects=_SHADE,
        )


def log_axis(axis, power=0):
    """Plain numbers on a logarithmic axis, at 1, 2, 5 or 1, 3 where decades are wide, else at decades alone."""
    low, high = axis.get_view_interval()
    axis.set_major_locator(
        LogLocator(
            10,
            subs=(1.0, 2.0, 5.0)
            if high / low < 30
            else (1.0, 3.0)
            if high / low < 3000
            else (1.0,),
            numticks=12,
        )
    )
    axis.set_major_formatter(numbers(power))
    axis.set_minor_formatter(NullFormatter())


def plain(value):
    """A tick's number: as people write it from 0.001 to 10,000, as a power of ten beyond."""
    if value == 0:
        return "0"
    if 0.99e-3 <= abs(value) < 1.01e4:
        return f"{value:.6g}"
    power = int(np.floor(np.log10(abs(value)) + 1e-9))
    lead = value / 10.0**power
    return rf"$10^{{{power}}}$" if abs(lead - 1) < 1e-6 else rf"${lead:.3g}\times10^{{{power}}}$"
