"""Masks and regions that do other things than their file names promise."""

from collections.abc import Iterator

import numpy as np

from .evidence import Evidence

# Fraction of the photons, and of the field, that masks may take together.
MOST_MASKED = 0.5
# Fraction of the photons that regions of many small shapes keep if they are lists of sources.
SOURCE_SHAPES, KEPT = 10, 0.1
# Shapes of a mask that are compared with the photons: their number, and how large they may be in
# all, as a part of the field.
LEAST_SHAPES, LARGEST_PART = 8, 0.2
# Shifts that are searched, cell of the search and photons of a shape that count at most,
# and in all.
REACH, STEP, MOST_PHOTONS, MOST_USED = 60.0, 3.0, 6.0, 50_000
# A shift is real if it has this many times the excess in place, and standard deviations.
TIMES, SIGNIFICANT = 3.0, 8.0
# Photons around the shapes from which their number is known, and the standard deviations within
# which the middle has neither an excess nor a hole.
LEAST_AROUND, NEITHER = 30.0, 2.0
# Photons in a mask, over those of its area, below which it was applied before.
APPLIED = 0.5


def covers_most(e: Evidence) -> Iterator[str]:
    """Add up the photons under all masks: one that covers the target takes most of them.

    A single shape that takes them has a warning of its own.
    """
    before = e.recorded.n_photons
    masked = e.cut.recorded.dropped.get("mask", 0) - e.recorded.dropped.get("mask", 0)
    largest = max((n for one in e.cut.records for n in one.by_shape), default=0)
    if before > 0 and masked > MOST_MASKED * before >= largest:
        names = ", ".join(one.file for one in e.cut.records if one.kind == "mask")
        yield (
            f"{names}: the masks take {masked / before:.0%} of the photons of {e.name}: do they "
            "cover the target, or are these the regions to keep? Then give them with `region`"
        )


def keeps_sources_only(e: Evidence) -> Iterator[str]:
    """Look for a `region` that is a list of sources: many shapes, which keep few photons."""
    before = e.recorded.n_photons
    shapes = sum(one.n_shapes for one in e.cut.records if one.kind == "region")
    kept = sum(one.n_photons for one in e.cut.records if one.kind == "region")
    if shapes >= SOURCE_SHAPES and kept < KEPT * before:
        names = ", ".join(one.file for one in e.cut.records if one.kind == "region")
        yield (
            f"{names}: {shapes} regions keep {kept / before:.1%} of the photons of {e.name}: is it "
            "a list of sources to leave out? Then give it with `mask`"
        )


def without_sources(e: Evidence) -> Iterator[str]:
    """Compare the photons in the middle of small shapes with those around them.

    The offsets of the photons from the centres of the shapes are added over the shapes, in cells
    of 3" up to 60", where no shape counts more than 6 photons in a cell. Sources make an excess
    in the middle. A warning is due for eight shapes or more without one: within 2 standard
    deviations of the median, which has to be 30 photons in 9" by 9" or more. Sources of two
    photons each make 10 deviations. A mask that was applied before holds less than half of the
    photons of its area, and does not count.
    """
    for one, number, wide in _stacks(e):
        mean, middle = float(np.median(wide)), wide.shape[0] // 2
        excess = wide[middle, middle] - mean
        if mean < LEAST_AROUND or excess > NEITHER * np.sqrt(mean) or _was_applied(e, one):
            continue
        if excess > -NEITHER * np.sqrt(mean):
            yield (
                f"{one.name}: its {number} small shapes hold no more photons than their "
                f"surroundings in {e.name}: is it a list of sources in another frame or epoch, or "
                "of another field? Make it from these events"
            )


def displaced(e: Evidence) -> Iterator[str]:
    """Look for a shift of all shapes of a mask at which they meet sources.

    The offsets are added as for `without_sources`. If a mask is of sources in place, the sum is
    highest in the middle. A warning is due if another cell is 8 standard
    deviations (1e-15, for 1,600 cells) above the mean of all cells, and has three times the
    excess of the middle. A mask of something else has no such cell.
    """
    for one, number, wide in _stacks(e):
        mean, middle = float(np.median(wide)), wide.shape[0] // 2
        here = wide[middle - 1 : middle + 2, middle - 1 : middle + 2].max() - mean
        row, column = np.unravel_index(wide.argmax(), wide.shape)
        excess = wide[row, column] - mean
        x, y = ((k - middle) * STEP for k in (column, row))
        spread = max(np.sqrt(mean), float(np.std(wide)), 1.0)
        if np.hypot(x, y) > 2 * STEP and excess > max(SIGNIFICANT * spread, TIMES * max(here, 0)):
            yield (
                f"{one.name}: its {number} shapes meet sources of {e.name} if they are "
                f'shifted by about ({x:.0f}", {y:.0f}") to west and north, not in place: is it in '
                "another frame or epoch, or of another reduction? Make it from these events"
            )


def _stacks(e):
    """Yield each mask of small shapes, their number, and the photons around their centres."""
    for one in e.lists.masks:
        centres = _centres(one.shapes)
        if centres is None or len(centres) < LEAST_SHAPES:
            continue
        total = _stacked(centres, e.recorded.photons)
        # A source fills more than a cell: the sum over three by three is compared.
        wide = sum(np.roll(total, (i, j), axis=(0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1))
        yield one, len(centres), wide[1:-1, 1:-1]


def _was_applied(e, one):
    """Whether a mask holds so few photons that it was applied when the file was made."""
    area = e.exposure.completeness.open_area
    inside = one.shapes.contains(e.recorded.photons.x, e.recorded.photons.y)
    covered = [r.area_arcmin2 * 3600 for r in e.cut.records if r.file in one.name]
    expected = e.recorded.n_photons * sum(covered[:1]) / max(area, 1e-300)
    return e.recorded.photons.count(inside) < APPLIED * expected


def _centres(shapes):
    """Return the centres of the small shapes of a list, (n, 2) [arcsec]; None for few."""
    lines = [line for line in shapes.outlines(8) if len(line) >= 4]
    if len(lines) < LEAST_SHAPES:
        return None
    found = np.array([(line.min(0) + line.max(0)) / 2 for line in lines])
    sizes = np.array([np.ptp(line, axis=0).max() for line in lines])
    return found[sizes < REACH]


def _stacked(centres, photons):
    """Return the photons around all centres in cells, few of each."""
    n = 2 * round(REACH / STEP) + 1
    total = np.zeros((n, n))
    some = slice(None, None, -(-len(photons) // MOST_USED))
    order = np.argsort(photons.x[some], kind="stable")
    x, y = photons.x[some][order], photons.y[some][order]
    for cx, cy in centres:
        first, last = np.searchsorted(x, (cx - REACH - STEP / 2, cx + REACH + STEP / 2))
        ix, iy = (
            np.floor((v[first:last] - c) / STEP + n / 2).astype(int) for v, c in ((x, cx), (y, cy))
        )
        inside = (iy >= 0) & (iy < n) & (ix >= 0) & (ix < n)
        cells = np.bincount(iy[inside] * n + ix[inside], minlength=n * n).reshape(n, n)
        total += np.minimum(cells, MOST_PHOTONS)
    return total
