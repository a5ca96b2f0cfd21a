"""Run the code of docs/gallery.md and draw its pictures into docs/gallery/.

``python docs/make_pictures.py`` draws all of them, ``python docs/make_pictures.py toy`` one.
"""

import re
import sys
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Ellipse, Rectangle
from matplotlib.patheffects import Normal, Stroke

from gmmx.show.figures.paper_figure import PaperFigure
from gmmx.show.figures.saving import save
from gmmx.show.figures.style import MEDIUM, SMALL, styled

PAGE = Path(__file__).with_name("gallery.md")
FOLDER = PAGE.with_suffix("")
# The corner plot has most dots.
DPI, DPI_OF_CORNER = 150, 115
# The blue and the orange of gmmx's own figures, which colour-blind readers tell apart, and the ink
# of the truth.
BLUE, RED, INK = "#1f5fa8", "#d95f0e", "#222222"
STEPS = (0, 1, 2, 5, 20)
# Side of the grids that densities are drawn on.
N_GRID = 300


# ---- the code on the page ----


def sections():
    """The title, the code and the printed text of each section."""
    found = []
    for part in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        title = part.splitlines()[0]
        (code,) = re.findall(r"```python\n(.*?)```", part, flags=re.DOTALL)
        (printed,) = re.findall(r"```text\n(.*?)```", part, flags=re.DOTALL)
        found.append((title, code, printed))
    return found


def run(code):
    """The names that a section's code defines, and what it prints."""
    names, printed = {"__name__": "gallery"}, StringIO()
    with chdir(PAGE.parents[1]), redirect_stdout(printed):
        exec(compile(code, PAGE.name, "exec"), names)
    return names, printed.getvalue()


# ---- the pictures ----


def old_faithful(names):
    """EM above K-means after some steps, and what each of them improves in every step."""
    x, iterates, centres = names["x"], names["iterates"], names["centres"]
    values = [one.log_likelihood for one in iterates[: STEPS[-1] + 1]]
    distortions = [((x - c[nearest(x, c)]) ** 2).sum() for c in centres]
    figure = PaperFigure(figsize=(7.1, 5.3), facecolor="white")
    sides = {"left": 0.085, "right": 0.992}
    panels = figure.add_gridspec(2, 5, bottom=0.37, top=0.925, wspace=0.08, hspace=0.24, **sides)
    for column, n in enumerate(STEPS):
        top, below = (figure.add_subplot(panels[row, column]) for row in (0, 1))
        mixture, name = iterates[n].mixture, "start" if n == 0 else f"step {n}"
        scatter(top, x, parts_of(mixture, x))
        for k, colour in enumerate((BLUE, RED)):
            ellipse(top, mixture.means[k], mixture.covariances[k], ec=colour, lw=1.6)
        top.set_title(f"{name}\nlog L = {signed(values[n], 1)}", fontsize=MEDIUM, pad=4)
        scatter(below, x, nearest(x, centres[n]) == 0)
        for centre, colour in zip(centres[n], (BLUE, RED), strict=True):
            below.plot(*centre, "X", ms=9, color=colour, mec="white", mew=1.3)
        below.set_title(f"J = {distortions[n]:.1f}", fontsize=MEDIUM, pad=4)
        for axes in (top, below):
            axes.set(xlim=(-2.65, 2.65), ylim=(-2.65, 2.65), aspect="equal")
            axes.set(xticks=(-2, 0, 2), yticks=(-2, 0, 2))
            axes.tick_params(labelleft=column == 0, labelbottom=axes is below)
        below.set_xlabel("duration", labelpad=1)
        if column == 0:
            top.set_ylabel("EM\n\nwaiting time", linespacing=0.8)
            below.set_ylabel("K-means\n\nwaiting time", linespacing=0.8)
    curves = figure.add_gridspec(1, 2, bottom=0.08, top=0.27, wspace=0.2, **sides)
    curve(figure.add_subplot(curves[0]), values, "log L [nat]")
    curve(figure.add_subplot(curves[1]), distortions, "J")
    return figure


def curve(axes, values, label):
    """Draw a quantity after each step, with a dot at those that are shown."""
    axes.plot(values, color=INK, lw=1.0)
    axes.plot(STEPS, [values[n] for n in STEPS], "o", color=INK, ms=4)
    axes.set(xlabel="step", ylabel=label, xticks=range(0, STEPS[-1] + 1, 5))
    axes.margins(y=0.1)


def extreme_deconvolution(names):
    """The log-likelihood of both in every step, and their differences."""
    iterates, twins = names["iterates"], names["twins"]
    steps = np.arange(len(iterates))
    ours = np.array([one.log_likelihood for one in iterates])
    theirs = np.array([twin[-1] for twin in twins])
    figure = PaperFigure(figsize=(7.1, 2.7), facecolor="white")
    left, right = figure.subplots(
        1, 2, gridspec_kw={"left": 0.1, "right": 0.985, "bottom": 0.17, "top": 0.96, "wspace": 0.28}
    )
    left.plot(steps, theirs, color="0.7", lw=4, label="Bovy et al. in NumPy")
    left.plot(steps, ours, color=BLUE, lw=1.2, label="gmmx")
    left.set(xlabel="EM step", ylabel="log-likelihood [nat]")
    left.legend(frameon=False, loc="lower right")
    worst = [names["difference"](*pair) for pair in zip(iterates, twins, strict=True)]
    for values, marker, colour, label in (
        (worst, "s", RED, "largest of all parameters"),
        (np.abs(ours / theirs - 1), "o", BLUE, "log-likelihood"),
    ):
        # A difference of exactly nothing has no place on a logarithmic axis.
        shown = np.flatnonzero(values)
        right.semilogy(steps[shown], np.array(values)[shown], marker, ms=2.5, color=colour)
        right.plot([], [], marker, ms=4, color=colour, label=label)
    right.axhline(1e-8, color=INK, lw=0.8, ls="--")
    right.set(xlabel="EM step", ylabel="relative difference", ylim=(2e-17, 1e-7))
    right.legend(frameon=False, loc="center")
    return figure


def toy(names):
    """The truth, what is seen of it, and fits without and with the noise and the selection."""
    truth, positions, noisy, seen = (names[n] for n in ("truth", "positions", "noisy", "seen"))
    figure = PaperFigure(figsize=(7.1, 5.95), facecolor="white")
    panels = figure.subplots(
        2,
        2,
        sharex=True,
        sharey=True,
        gridspec_kw={"wspace": 0.04, "hspace": 0.14},
    ).ravel()
    figure.subplots_adjust(left=0.07, right=0.985, bottom=0.075, top=0.96)
    for axes in panels:
        axes.set(xlim=(-8.5, 13.5), ylim=(-3.5, 13.5), aspect="equal")
        axes.set(xticks=(-5, 0, 5, 10), yticks=(0, 5, 10))
    fits = {2: names["plain"].mixture, 3: names["result"].mixture}
    brightest = max(density_on(panels[0], one).max() for one in (truth, fits[3]))
    titles = (
        "truth",
        f"with noise: {seen.sum()} seen, {(~seen).sum()} not",
        "fit without noise and selection",
        "fit with noise and selection",
    )
    for i, (axes, title) in enumerate(zip(panels, titles, strict=True)):
        mixture = truth if i == 0 else fits.get(i)
        axes.set_title(f"({'abcd'[i]}) {title}", fontsize=MEDIUM, loc="left", pad=4)
        if mixture is not None:
            shade(axes, mixture, brightest)
            draw_components(axes, mixture, color=INK if i == 0 else BLUE)
            score = np.log(mixture.density(*positions.T) / mixture.fluxes.sum()).mean()
            note(axes, f"mean log p = {signed(score, 2)}")
        if i > 1:
            draw_components(axes, truth, sigmas=(1,), color=INK, ls=(0, (3, 2)), lw=1.0, halo=0)
        if i > 0:
            draw_selection(axes)
        draw_samples(axes, positions if i == 0 else noisy, seen if i else None, alone=i > 1)
    panels[1].add_patch(Circle((12.0, -2.0), 0.7, fc="none", ec=RED, lw=1.2))
    panels[1].text(11.0, -2.0, r"noise, 1 $\sigma$", ha="right", va="center", fontsize=SMALL)
    lines = [Line2D([], [], color=BLUE, lw=1.4), Line2D([], [], color=INK, ls=(0, (3, 2)), lw=0.9)]
    panels[3].legend(
        lines, [r"fit, 1 and 2 $\sigma$", r"truth, 1 $\sigma$"], loc="lower right", frameon=False
    )
    for axes in panels[2:]:
        axes.set_xlabel("x")
    for axes in panels[::2]:
        axes.set_ylabel("y")
    return figure


def draw_samples(axes, samples, seen, *, alone):
    """Draw samples, with an outline of those that were not seen unless seen ones are alone."""
    if seen is None:
        seen = np.ones(len(samples), bool)
    if not alone:
        axes.plot(*samples[~seen].T, "o", ms=2.6, mfc="none", mec="0.6", mew=0.5, zorder=2)
    axes.plot(*samples[seen].T, "o", ms=2.4, color="0.35", mew=0, zorder=3)


def draw_selection(axes):
    """Outline the box and the circle that samples are seen in and not seen in."""
    style = {"fc": "none", "ec": RED, "lw": 1.0, "zorder": 4}
    axes.add_patch(Rectangle((0, 0), 10, 10, **style))
    axes.add_patch(Circle((6.5, 6), 2, **style))


def five_columns(names):
    """The corner plot of gmmx, with the truth and the ellipses of the components."""
    figure, result, truth = names["result"].plot(), names["result"], names["truth"]
    columns, dashed = list(result.names), {"color": INK, "ls": (0, (3, 2)), "lw": 0.9}
    total = truth.fluxes.sum()
    for axes in figure.axes:
        y, *x = (columns.index(name) for name in axes.get_label().split(" against "))
        if not x:
            at = np.linspace(*axes.get_xlim(), N_GRID)
            known = np.sum(~result.samples.missing[:, y])
            axes.plot(at, truth.marginal([y]).density(at) / total * known, **dashed)
            continue
        for collection in list(axes.collections):
            collection.remove()
        draw_components(axes, result.mixture.marginal([*x, y]), sigmas=(2,), color=BLUE, lw=1.6)
        draw_components(axes, truth.marginal([*x, y]), sigmas=(2,), halo=0, **dashed)
    (legend,) = figure.legends
    legend.remove()
    handles = legend.legend_handles[:3]
    labels = [text.get_text() for text in legend.get_texts()[:3]]
    handles += [Line2D([], [], color=BLUE, lw=1.3), Line2D([], [], **dashed)]
    labels += [r"components of the fit, 2 $\sigma$", "truth"]
    figure.legend(handles, labels, loc="upper right", bbox_to_anchor=(0.98, 0.985), frameon=False)
    return figure


# ---- parts of pictures ----


def nearest(x, centres):
    """The centre that is nearest to each sample."""
    return ((x[:, None] - centres) ** 2).sum(2).argmin(1)


def parts_of(mixture, x):
    """Responsibility of the first of two components for each sample."""
    first, second = (mixture.select([k]).density(*x.T) for k in (0, 1))
    return first / np.maximum(first + second, 1e-300)


def scatter(axes, x, parts):
    """Samples in a mixture of two colours."""
    parts = np.asarray(parts, float)[:, None]
    colours = parts * to_rgb(BLUE) + (1 - parts) * np.array(to_rgb(RED))
    axes.scatter(*x.T, s=5, c=colours, linewidths=0, alpha=0.75)


def ellipse(axes, mean, covariance, *, sigma=1, halo=1.6, **style):
    """Draw the ellipse of one component at some standard deviations, with a white halo."""
    values, vectors = np.linalg.eigh(covariance)
    minor, major = 2 * sigma * np.sqrt(values)
    angle = np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1]))
    patch = axes.add_patch(Ellipse(mean, major, minor, angle=angle, fc="none", **style))
    if halo:
        wide = Stroke(linewidth=style["lw"] + halo, foreground="white")
        patch.set_path_effects([wide, Normal()])


def draw_components(axes, mixture, *, sigmas=(1, 2), color=INK, ls="-", lw=1.6, halo=1.6):
    """Draw the ellipses of all components, thinner outwards."""
    for mean, covariance in zip(mixture.means, mixture.covariances, strict=True):
        for sigma in sigmas:
            style = {"ec": color, "ls": ls, "lw": lw / sigma**0.5, "zorder": 5}
            ellipse(axes, mean, covariance, sigma=sigma, halo=halo, **style)


def density_on(axes, mixture):
    """Normalised density on a grid over the axes."""
    x = np.linspace(*axes.get_xlim(), N_GRID)
    y = np.linspace(*axes.get_ylim(), N_GRID)
    return mixture.density(*np.meshgrid(x, y)) / mixture.fluxes.sum()


def shade(axes, mixture, brightest):
    """Shade the density of a mixture."""
    extent = (*axes.get_xlim(), *axes.get_ylim())
    values = np.sqrt(np.minimum(density_on(axes, mixture) / brightest, 1))
    axes.imshow(values, extent=extent, origin="lower", cmap="Greys", vmin=0, vmax=1.7, zorder=0)


def signed(value, digits):
    """A number with a minus sign."""
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def note(axes, text):
    """Write a short text into the upper left corner."""
    axes.text(0.04, 0.96, text, transform=axes.transAxes, va="top", fontsize=SMALL)


PICTURES = {
    "old-faithful": old_faithful,
    "extreme-deconvolution": extreme_deconvolution,
    "toy": toy,
    "five-columns": five_columns,
}


def main(chosen=(), folder=FOLDER):
    """Draw the chosen pictures, by default all."""
    for (_, code, _), (name, draw) in zip(sections(), PICTURES.items(), strict=True):
        if chosen and name not in chosen:
            continue
        names, _ = run(code)
        with styled():
            figure = draw(names)
            for axes in figure.axes:
                axes.tick_params(direction="in", top=True, right=True)
        dpi = DPI_OF_CORNER if draw is five_columns else DPI
        save(figure, folder / f"{name}.png", dpi=dpi)
        print(folder / f"{name}.png")


if __name__ == "__main__":
    main(sys.argv[1:])
