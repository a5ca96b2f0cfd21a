"""The panel of the residuals: which blocks, what their colours say, and where they are large."""

import numpy as np
from matplotlib.colors import Normalize

from ...answers.blocks import LEAST_PHOTONS, ResidualBlocks
from . import marks as on
from .colour import INK
from .words import angle

# Ends of the colours [sigma], and the levels of the contours.
EDGE = 5
LEVELS = (3, 4, 5)
CMAP = "RdBu_r"


def draw_blocks(axes, blocks, sky, *, contours=False):
    """Draw the residuals of blocks, mark blocks that expect too little, and count the rest.

    Parameters
    ----------
    axes : WCSAxes
    blocks : ResidualBlocks
    sky : Sky
    contours : bool
        Whether blocks beyond 3, 4 and 5 sigma are outlined.
    """
    shown = on.show(axes, blocks.values, blocks.grid, sky, CMAP, Normalize(-EDGE, EDGE))
    axes.set_facecolor("0.85")
    style = {"color": INK, "path_effects": []}
    if len(blocks) and blocks.side is not None and blocks.scarce.any():
        _hatch(axes, blocks, sky)
        text = f"hatched: fewer than {LEAST_PHOTONS:g} photons expected"
        on.note(axes, 0.03, 0.965, text, va="top", **style)
    if contours and len(blocks):
        _outline(axes, blocks, sky)
    return shown


def label_of(blocks: ResidualBlocks) -> tuple[str, str]:
    """The label of the colour bar: the quantity, its unit, and the blocks."""
    return r"data $-$ model [$\sigma$]", blocks_in_words(blocks)


def blocks_in_words(blocks: ResidualBlocks) -> str:
    """Which blocks these are."""
    if blocks.side is not None:
        return f"blocks of {angle(blocks.side)}"
    if len(blocks) == 1 and blocks.scarce.all():
        return f"one block of {blocks.expected[0]:.2g} photons"
    return rf"blocks $\geq$ {LEAST_PHOTONS:g} photons"


def summary_of(blocks: ResidualBlocks) -> str:
    """The spread of the residuals, which is 1 for a model that is true.

    Examples
    --------
    >>> from gmmx.plane.grid import PixelGrid
    >>> grid = PixelGrid.covering((0, 2), (0, 1), 1.0)
    >>> ten = np.full((1, 2), 10.0)
    >>> found = ResidualBlocks(grid=grid, labels=[[0, 1]], counts=ten[0], expected=ten[0])
    >>> summary_of(found)
    '2 blocks, rms 0.05'
    """
    told = blocks.residuals[~blocks.scarce]
    if not len(told):
        return "too few photons for residuals"
    rms = np.sqrt(np.mean(told**2))
    return f"{len(told):,} block{'s' * (len(told) != 1)}, rms {rms:.2f}"


def _hatch(axes, blocks, sky):
    """Hatch the blocks that expect fewer than 10 photons."""
    scarce = blocks.image(blocks.scarce) == 1
    x, y = _cells(blocks, sky)
    drawn = axes.contourf(x, y, scarce, levels=[0.5, 1.5], colors="none", hatches=["////"])
    drawn.set_edgecolor((0, 0, 0, 0.35))
    drawn.set_linewidth(0)


def _outline(axes, blocks, sky):
    """Outline the blocks beyond 3, 4 and 5 sigma; dashes where photons are missing."""
    values = np.nan_to_num(blocks.values)
    levels = [*(-np.array(LEVELS[::-1])), *LEVELS]
    styles = ["dashed" if level < 0 else "solid" for level in levels]
    widths = [0.5 + 0.3 * (abs(level) - LEVELS[0]) for level in levels]
    drawn = {"colors": INK, "linewidths": widths, "linestyles": styles}
    axes.contour(*_cells(blocks, sky), values, levels=levels, **drawn)


def _cells(blocks, sky):
    """Centres of the cells in data coordinates, (ny, nx) each."""
    return sky.grid.to_pixels(*blocks.grid.centres())
