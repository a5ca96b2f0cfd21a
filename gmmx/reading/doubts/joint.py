"""Observations of one fit that do not belong together."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, pairwise

import numpy as np

from ...errors import DataWarning
from ...model.observation import Observation

# Energies that differ by less are the same [keV].
SAME_ENERGY = 1e-3
# Positions of one photon in two files agree within this [arcsec]; and photons that two lists have
# in common by chance: a warning is due for more than ten times as many, and for five.
SAME_PLACE, LEAST_COMMON, BY_CHANCE = 0.02, 5, 10.0
# Ratio of two rates of the same sky that maps of one unit cannot have, for one instrument and for
# two; photons in common sky that are needed.
SAME_RATE, OTHER_RATE, KNOWN = 8.0, 50.0, 100.0


def different_bands(observations: Sequence[Observation]) -> Iterator[str]:
    """Compare the energy bands: a joint fit has one sky, which looks different in two bands."""
    known = [(o, o.pointing.band_kev) for o in observations if o.pointing.band_kev is not None]
    for (one, ours), (other, theirs) in pairwise(known):
        if not np.allclose(ours, theirs, rtol=0, atol=SAME_ENERGY):
            yield (
                f"{_file(one)} and {_file(other)} have photons of {_range(ours)} and "
                f"{_range(theirs)} keV: a joint fit has one sky for both: give one band with "
                "`energy_kev`, or fit them one at a time"
            )


def common_photons(observations: Sequence[Observation]) -> Iterator[str]:
    """Count the photons that two observations share: the same place on the sky, the same energy.

    Equal files, copies, cuts that overlap, and a merged list beside its parts have them. Two
    different photons share a place of 0.02" and an energy by chance as often as two of one list
    do, from which the number is estimated.
    """
    keys = [_keys(o) for o in observations]
    for (one, ours), (other, theirs) in combinations(zip(observations, keys, strict=True), 2):
        if ours is None or theirs is None or _file(one) == _file(other):
            continue
        n = int(np.isin(ours, theirs).sum())
        chance = _pairs(ours) * 2 * len(theirs) / max(len(ours), 1)
        if n > LEAST_COMMON + BY_CHANCE * chance:
            yield (
                f"{_file(one)} and {_file(other)} have {n:,} photons in common, so that they count "
                "twice, and errors are too small: are they copies, cuts that overlap, or the parts "
                "of a merged list? Give each photon once"
            )


def equal_images(observations: Sequence[Observation]) -> Iterator[str]:
    """Compare counts images pixel by pixel."""
    images = [o for o in observations if o.photons.pixel > 0 and o.photons.energy_kev is None]
    for one, other in combinations(images, 2):
        a, b = one.photons, other.photons
        if _file(one) == _file(other) or len(a) != len(b):
            continue
        if not np.array_equal(a.weights, b.weights):
            continue
        if len(a) >= 20 and max(np.abs(a.x - b.x).max(), np.abs(a.y - b.y).max()) < a.pixel:
            yield (
                f"{_file(one)} and {_file(other)} hold the same counts in the same pixels, so that "
                "each photon counts twice, and errors are too small: give one of them"
            )


def one_map_for_two(observations: Sequence[Observation]) -> Iterator[str]:
    """Compare the digests of the exposure maps: two pointings do not have one map."""
    for one, other in combinations(observations, 2):
        ours, theirs = _input(one, "exposure"), _input(other, "exposure")
        if ours is None or theirs is None or ours.sha256 != theirs.sha256:
            continue
        a, b = one.pointing, other.pointing
        if not a.obs_id or a.obs_id == b.obs_id:
            continue
        if _differ(a.roll, b.roll, 0.5) or _differ(a.ra, b.ra, 0.01):
            yield (
                f"{_file(one)} and {_file(other)} are two pointings (OBS_ID {a.obs_id} and "
                f"{b.obs_id}) with one exposure map, {ours.path}: give each its own with `exposure`"
            )


def unequal_scales(observations: Sequence[Observation]) -> Iterator[str]:
    """Compare the rates of two observations where both see the sky: photons over exposure.

    They differ by particles, which are up to half of the photons, by variable sources, and by the
    response. For one instrument a factor of 8 is another unit or a map divided by its maximum; for
    two instruments, whose particle backgrounds differ by more, a factor of 50.
    """
    for one, other in combinations(observations, 2):
        if one.completeness is None or other.completeness is None:
            continue
        rates = [_rate(a, b) for a, b in ((one, other), (other, one))]
        if None in rates:
            continue
        same = one.pointing.instrument == other.pointing.instrument
        ratio, limit = rates[0] / rates[1], SAME_RATE if same else OTHER_RATE
        if not 1 / limit < ratio < limit:
            yield (
                f"{_file(one)} and {_file(other)} see the same sky with {rates[0]:.3g} and "
                f"{rates[1]:.3g} photons per unit of exposure and arcsec^2: one exposure map has "
                "another unit or was divided by its maximum: give both in cm**2 s"
            )


CHECKS: tuple[Callable[[Sequence[Observation]], Iterator[str]], ...] = (
    different_bands,
    common_photons,
    equal_images,
    one_map_for_two,
    unequal_scales,
)


def doubts_about(observations: Sequence[Observation]) -> list[str]:
    """Return what is doubtful about observations of one fit, one line for each doubt.

    Parameters
    ----------
    observations : sequence of Observation
        All in one tangent plane, photons not yet binned.
    """
    return [text for check in CHECKS for text in check(observations)]


def warn_of_doubts(observations: Sequence[Observation]) -> None:
    """Warn of observations that do not belong together.

    Parameters
    ----------
    observations : sequence of Observation
        All in one tangent plane, photons not yet binned.
    """
    for text in doubts_about(observations):
        warnings.warn(text, DataWarning, stacklevel=5)


def _differ(one, other, by):
    """Whether two angles [deg] are known and differ by more than that."""
    return None not in (one, other) and abs((one - other + 180) % 360 - 180) > by


def _keys(observation):
    """Return a number for the place and the energy of each photon; None for a counts image."""
    photons = observation.photons
    if photons.pixel > 0 or len(photons) == 0:
        return None
    columns = [np.round(photons.x / SAME_PLACE), np.round(photons.y / SAME_PLACE)]
    if photons.energy_kev is not None:
        columns.append(np.asarray(photons.energy_kev, np.float32).astype(np.float64))
    keys = np.zeros(len(photons), np.uint64)
    for column in columns:
        bits = (column + 0.0).view(np.uint64)
        keys = (keys ^ bits) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
        keys *= np.uint64(0xBF58476D1CE4E5B9)
    return keys


def _pairs(keys):
    """Return the number of pairs of equal keys."""
    counts = np.unique(keys, return_counts=True)[1]
    return float((counts * (counts - 1) / 2).sum())


def _rate(one, other):
    """Return the photons of one observation over its exposure where the other sees, too."""
    grid, seen = one.completeness.grid, one.completeness.effective
    step = max(1, round(8.0 / grid.step))
    iy, ix = np.mgrid[step // 2 : grid.shape[0] : step, step // 2 : grid.shape[1] : step]
    x, y = grid.to_plane(ix, iy)
    exposure = np.where(other.completeness.effective_at(x, y) > 0, seen[iy, ix], 0.0).sum()
    both = other.completeness.effective_at(one.photons.x, one.photons.y) > 0
    n = float(one.photons.weights[both].sum())
    if n < KNOWN or exposure <= 0:
        return None
    return n / (exposure * step**2 * grid.cell_area)


def _input(observation, role):
    return next((one for one in observation.pointing.inputs if one.role == role), None)


def _file(observation):
    events = observation.pointing.events_file
    return observation.name if events is None else events.path


def _range(band):
    return f"{band[0]:g}:{band[1]:g}"
