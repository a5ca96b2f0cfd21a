"""Backgrounds that are none, or whose level has another unit."""

from collections.abc import Iterator

import numpy as np

from ...io.files import file_digest
from ...model.completeness import reference_exposure
from ...model.density import BACKGROUND_KINDS, density
from ...model.field import Field
from ...telescope.acis import exposed_fraction
from .blocks import summed
from .evidence import Evidence

# The densest place of a background, relative to its median where the chips are exposed, from which
# it has sources in it; and the side of a place [arcsec].
DENSEST, PLACE = 4.0, 16.0
# A fixed background of less than this part of the faintest places has another unit, and photons
# in those places from which their rate is known.
FAINTEST, KNOWN = 0.01, 50.0


def is_the_observation(e: Evidence) -> Iterator[str]:
    """Compare the digest of the file of a background with that of the photons."""
    for header in e.background_files:
        if file_digest(header.path) == file_digest(e.file.path):
            yield (
                f"{header.path}: the background is the file of the photons itself, so that it "
                "explains all of them: give a blank sky, a stowed background or an image of it"
            )


def holds_sources(e: Evidence) -> Iterator[str]:
    """Compare the densest place of a background with the median of all places.

    The density is taken per time on a chip, so that edges and gaps do not count, in places of
    16". Backgrounds are even to a factor of two (mirrors and chips); smoothed counts
    (1,000 photons under the kernel) scatter by 3 %.
    """
    files = [b for b in e.backgrounds.backgrounds if b.kind == "file" and b.template is not None]
    if not files or any(is_the_observation(e)):
        return
    grid, time = e.cut.completeness.grid, exposed_fraction(e.exposure.completeness)
    side = max(1, round(PLACE / grid.step))
    times = summed(time, side)
    used = times > 0.5 * times.max()
    for b, header in zip(files, e.background_files, strict=False):
        if b.template.values.shape != time.shape:
            continue
        rates = summed(np.where(time > 0, b.template.values, 0.0), side)[used] / times[used]
        middle = float(np.median(rates))
        if middle > 0 and rates.max() > DENSEST * middle:
            yield (
                f"{header.path}: the background is {rates.max() / middle:.3g} times denser in one "
                "place than in the median: it has sources in it, which the fit would take for "
                "background: mask them in it, or give another one"
            )


def too_faint(e: Evidence) -> Iterator[str]:
    """Compare a fixed background with the faintest places of the field.

    Where three quarters of the field are brighter, the background is most of the photons. A
    warning is due if all backgrounds are fixed and make less than 1 % of the photons there: a
    factor of a thousand in the level, or emission that is brighter by a hundred everywhere. Too
    bright a background has a warning of its own.
    """
    backgrounds, completeness = e.backgrounds.backgrounds, e.cut.completeness
    if not backgrounds or not all(b.fixed and b.amplitude for b in backgrounds):
        return
    if any(b.kind == "streak" for b in backgrounds):
        return
    blocks = e.blocks
    field = Field(completeness, reference_exposure([completeness]))
    terms = [BACKGROUND_KINDS[b.kind](b, field) for b in backgrounds]
    x, y = completeness.grid.centres()
    seen = completeness.effective > 0
    made = float(density(terms, x[seen], y[seen]) @ completeness.open_fraction[seen])
    made *= completeness.grid.cell_area
    faintest = blocks.floor * blocks.exposure.sum()
    if faintest > KNOWN and made < FAINTEST * faintest:
        names = " and ".join(b.name for b in backgrounds)
        yield (
            f"{e.name}: the fixed background ({names}) makes {made:.3g} photons, and the faintest "
            f"parts of the field are {faintest / made:.2g} times as bright: is its level in "
            "another unit, or a factor of 1000 too low? See `background`"
        )
