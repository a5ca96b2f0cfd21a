"""Flags: components that may say more about the telescope than about the sky.

Some photons of a bright source arrive while the chip is read out and lie in a streak along its
columns; others are scattered beyond the mask of the source. A mixture fits both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..config import FitOptions
from ..model.psf import core_radius, region_radii
from ..telescope.acis import readout_angle
from .score import photon_density

if TYPE_CHECKING:
    from ..model.observation import Observation
    from ..model.result import FitResult

# A component is flagged as a readout streak if its axis is this close to the columns [deg], it is
# this many times longer than wide, and its full width at half maximum is this long [arcsec].
STREAK_ANGLE = 3.0
STREAK_RATIO = 8.0
STREAK_LENGTH = 20.0
# It is flagged as the wings of a masked source if it lies within this many radii of a mask that
# took this many photons of the source, its sigma is smaller than that, and it has less than this
# fraction of those photons.
WINGS_RADII = 3.0
WINGS_PHOTONS = 100.0
WINGS_FRACTION = 0.05
# For the wings of a fitted point source, whose circle takes the place of the mask, the sigma is
# smaller than the radius, and the fraction is larger: a PSF map of one Gaussian may leave that
# many photons unexplained.
POINT_WINGS_FRACTION = 0.8
# A point source is not significant below this many standard errors of its flux.
SIGNIFICANT = 2.0

# Full width at half maximum of a Gaussian in standard deviations.
FWHM_PER_SIGMA = 2 * np.sqrt(2 * np.log(2))
# Flags that every point source would have, so that only extended components get them.
_OF_EXTENDED = (
    "at the size floor",
    "smaller than the PSF",
    "along the readout",
    "wings of a masked source",
    "wings of a point source",
)


def component_flags(result: FitResult) -> list[tuple[str, ...]]:
    """Flags of each component, in the order of the result.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    list of tuple of str
        The words are "point source", "not significant", "mostly unseen", "scarcely observed",
        "at the size floor", "smaller than the PSF", "along the readout", "wings of a masked
        source", "wings of a point source", "flux fixed", "mean fixed" and "covariance fixed".

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 0.01, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> component_flags(result)
    [('at the size floor',)]
    """
    found = _flags_of_fit(result) | _flags_of_fixed(result)
    for word in _OF_EXTENDED:
        found[word] = found[word] & ~result.points
    return [
        tuple(word for word, which in found.items() if which[k]) for k in range(len(result.mixture))
    ]


def _flags_of_fit(result):
    """Booleans (K,) for each flag."""
    mixture = result.mixture
    major, minor, angle = principal_axes(mixture.covariances)
    has_psf = any(o.psf is not None for o in result.observations)
    floor = result.options.get("min_sigma")
    floor = FitOptions.min_sigma if floor is None else float(floor)
    return {
        "point source": result.points,
        "not significant": result.points & (mixture.fluxes < SIGNIFICANT * result.flux_errors),
        "mostly unseen": result.mostly_unseen,
        "scarcely observed": result.scarcely_observed,
        # The M-step clips eigenvalues, so that one on the floor equals it up to rounding.
        "at the size floor": minor <= 1.001 * floor,
        "smaller than the PSF": (major < np.sqrt(result.prior_scales)) & has_psf,
        "along the readout": on_readout_streak(result.observations, major, minor, angle),
        "wings of a masked source": on_masked_wings(result, major),
        "wings of a point source": on_point_wings(result, major),
    }


def _flags_of_fixed(result):
    """Booleans (K,) for each parameter that was fixed."""
    if result.fixed is None:
        return {}
    return {
        "flux fixed": result.fixed.fluxes,
        "mean fixed": result.fixed.means,
        "covariance fixed": result.fixed.covariances & ~result.points,
    }


def principal_axes(covariances: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Principal axes of covariances.

    Parameters
    ----------
    covariances : (K, 2, 2) array

    Returns
    -------
    major, minor : (K,) array
        Standard deviations along the axes.
    angle : (K,) array
        Angle of the major axis, counter-clockwise from x, in [0, 180) [deg].

    Examples
    --------
    >>> [float(axis[0]) for axis in principal_axes(np.array([[[4.0, 0.0], [0.0, 9.0]]]))]
    [3.0, 2.0, 90.0]
    """
    values, vectors = np.linalg.eigh(covariances)
    major = vectors[:, :, 1]
    return (
        np.sqrt(values[:, 1]),
        np.sqrt(values[:, 0]),
        np.mod(np.degrees(np.arctan2(major[:, 1], major[:, 0])), 180.0),
    )


def readout_angles(observation: Observation) -> tuple[float, ...]:
    """Directions in which the chips of an observation are read out.

    They are counted counter-clockwise from the plane's y axis [deg]. Only ACIS has any.
    """
    pointing = observation.pointing
    chips = pointing.chips or [int(c) for c in pointing.detector.partition("-")[2] if c.isdigit()]
    angles = {readout_angle(pointing, chip) for chip in chips}
    return tuple(angle for angle in angles if angle is not None)


def on_readout_streak(
    observations: Sequence[Observation], major: np.ndarray, minor: np.ndarray, angle: np.ndarray
) -> np.ndarray:
    """Booleans (K,): components that are long, thin and along the readout of any observation.

    Parameters
    ----------
    observations : sequence of Observation
    major, minor, angle : (K,) arrays
        As `principal_axes` returns them.
    """
    thin = (major > STREAK_RATIO * minor) & (FWHM_PER_SIGMA * major > STREAK_LENGTH)
    along = np.zeros(len(major), bool)
    for readout in {a for o in observations for a in readout_angles(o)}:
        along |= np.abs(np.mod(angle - 90 - readout + 90, 180.0) - 90) < STREAK_ANGLE
    return thin & along


def on_masked_wings(result: FitResult, major: np.ndarray) -> np.ndarray:
    """Booleans (K,): components that are small and faint beside a masked source.

    The photons of a masked source are those inside its mask, beyond those that the model expects
    there.

    Parameters
    ----------
    result : FitResult
    major : (K,) array
        Standard deviations along the major axes [arcsec].
    """
    flagged = np.zeros(len(major), bool)
    for observation in result.observations if len(major) else ():
        x, y, radius, counts = _masked_circles(observation)
        taken = counts - photon_density(result, observation, x, y) * np.pi * radius**2
        wings = (
            (_distances(result.mixture.means, x, y) < WINGS_RADII * radius)
            & (major[:, None] < WINGS_RADII * radius)
            & (result.observed_photons[:, None] < WINGS_FRACTION * taken)
            & (taken > WINGS_PHOTONS)
        )
        flagged |= wings.any(1)
    return flagged


def _masked_circles(observation):
    """Centres and radii of circles as large as the masks, and the photons that each mask took."""
    records = [record for record in observation.pointing.masks if record.kind == "mask"]
    counts = [count for record in records for count in record.by_shape]
    # The shapes that a list of regions excludes come after the shapes of the masks.
    terms = () if observation.masks is None else observation.masks.terms[: len(counts)]
    if not terms:
        return np.zeros((4, 0))
    counts = np.array(counts, float)[: len(terms)]
    boxes = np.array([term.bounds() for term in terms])
    included = ~np.array([term.exclude for term in terms])
    usable = np.isfinite(boxes).all(1) & included & (counts > WINGS_PHOTONS)
    x0, x1, y0, y1 = boxes[usable].T
    x, y = observation.from_masks((x0 + x1) / 2, (y0 + y1) / 2)
    return x, y, np.sqrt((x1 - x0) * (y1 - y0)) / 2, counts[usable]


def on_point_wings(result: FitResult, major: np.ndarray) -> np.ndarray:
    """Booleans (K,): components that are small and faint beside a fitted point source.

    Parameters
    ----------
    result : FitResult
    major : (K,) array
        Standard deviations along the major axes [arcsec].
    """
    means, photons = result.mixture.means, result.observed_photons
    bright = result.points & (photons > WINGS_PHOTONS)
    radius = region_radii(psf_radii(result, *means[bright].T))
    wings = (
        (_distances(means, *means[bright].T) < WINGS_RADII * radius)
        & (major[:, None] < radius)
        & (photons[:, None] < POINT_WINGS_FRACTION * photons[bright])
    )
    return wings.any(1)


def _distances(means, x, y):
    """Distances (K, n) of components from n positions [arcsec]."""
    return np.hypot(means[:, :1] - x, means[:, 1:] - y)


def psf_radii(result: FitResult, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Radii that contain 90 % of the PSF at n positions, (n,) [arcsec].

    They are the smallest over the observations that have a PSF; 0 without any.
    """
    radii = [
        core_radius(*o.psf.at(x, y), fraction=0.9) for o in result.observations if o.psf is not None
    ]
    return np.min(radii, axis=0) if radii and len(x) else np.zeros(len(x))
