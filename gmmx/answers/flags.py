"""What to be careful about: components that may say more about the telescope than about the sky.

Some of the photons of a bright source arrive while the chip is read out and lie in a streak along its columns; some are scattered beyond the mask that was
drawn around it. A mixture fits both, and well.
"""

import numpy as np

from ..fitting.point_sources import region_radii
from ..model.psf import core_radius
from ..telescope.acis import readout_angle
from .score import photon_density

# A component is taken for a readout streak when its axis is this close to the columns [deg], it is this many times longer than wide, and its full width at half
# maximum is this long [arcsec].
STREAK_ANGLE = 3.0
STREAK_RATIO = 8.0
STREAK_LENGTH = 20.0
# And for the wings of a masked source when it lies within this many radii of a mask that took this many photons of it, its sigma is smaller than that, and it
# has less than this share of them.
WINGS_RADII = 3.0
WINGS_PHOTONS = 100.0
WINGS_SHARE = 0.05
# For those of a source that is modelled, which has a circle in place of a mask, when its sigma is smaller than that and it has less than this share of its
# photons: a PSF map of one Gaussian may leave as many of them unexplained.
POINT_WINGS_SHARE = 0.8

# A point source is not significant below this many standard errors of its flux.
SIGNIFICANT = 2.0

_FWHM_PER_SIGMA = 2 * np.sqrt(2 * np.log(2))


def component_flags(result):
    """What to be careful about, a tuple of words for each component in the result's order.

    Parameters
    ----------
    result : FitResult
    """
    mixture = result.mixture
    major, minor, angle = principal_axes(mixture.covariances)
    floor = float(result.options.get("min_sigma") or 0)
    blurred = any(o.psf is not None for o in result.observations)
    words = {
        "point source": result.points,
        "not significant": result.points & (mixture.fluxes < SIGNIFICANT * result.flux_errors),
        "scarcely observed": result.scarcely_observed,
        # The M-step clips eigenvalues, so what sits on the floor equals it to rounding.
        "at the size floor": minor <= 1.001 * floor,
        "smaller than the PSF": (major < np.sqrt(result.prior_scales)) & blurred,
        "along the readout": on_readout_streak(result.observations, major, minor, angle),
        "wings of a masked source": on_masked_wings(result, major),
        "wings of a point source": on_point_wings(result, major),
    }
    for word in (
        "at the size floor",
        "smaller than the PSF",
        "along the readout",
        "wings of a masked source",
        "wings of a point source",
    ):
        # What a point source is by definition needs no warning.
        words[word] = words[word] & ~result.points
    if result.fixed is not None:
        words |= {
            f"{name} held": getattr(result.fixed, field)
            for name, field in (("flux", "fluxes"), ("mean", "means"))
        }
        words["covariance held"] = result.fixed.covariances & ~result.points
    return [tuple(word for word, holds in words.items() if holds[k]) for k in range(len(mixture))]


def principal_axes(covariances):
    """Standard deviations along the axes of (K, 2, 2) covariances, major and minor, and the major axis' angle counter-clockwise from x, in [0, 180) [deg]."""
    values, vectors = np.linalg.eigh(covariances)
    major = vectors[:, :, 1]
    return (
        np.sqrt(values[:, 1]),
        np.sqrt(values[:, 0]),
        np.mod(np.degrees(np.arctan2(major[:, 1], major[:, 0])), 180.0),
    )


def readout_angles(observation):
    """The directions in which an observation's chips are read out, counter-clockwise from the plane's y [deg]; none but for ACIS."""
    metadata = observation.metadata
    chips = metadata.get("chips") or [
        int(c) for c in str(metadata.get("DETNAM", "")).partition("-")[2] if c.isdigit()
    ]
    return tuple({readout_angle(metadata, chip) for chip in chips} - {None})


def on_readout_streak(observations, major, minor, angle):
    """Whether components are long, thin and along the readout of any observation, (K,) booleans.

    Parameters
    ----------
    observations : sequence of Observation
    major, minor, angle : (K,) arrays
        Of `principal_axes`.
    """
    thin = (major > STREAK_RATIO * minor) & (_FWHM_PER_SIGMA * major > STREAK_LENGTH)
    along = np.zeros(len(major), bool)
    for readout in {a for o in observations for a in readout_angles(o)}:
        along |= np.abs(np.mod(angle - 90 - readout + 90, 180.0) - 90) < STREAK_ANGLE
    return thin & along


def on_masked_wings(result, major):
    """Whether components are small and faint beside a masked source, (K,) booleans.

    What a mask took of its source is the photons in it beyond those that the model expects there.

    Parameters
    ----------
    result : FitResult
    major : (K,) array
        Standard deviations along the major axes [arcsec].
    """
    flagged = np.zeros(len(major), bool)
    for observation in result.observations:
        counts = [
            count
            for record in observation.metadata.get("masks") or ()
            if record["kind"] == "mask"
            for count in record.get("by_shape", ())
        ]
        if not counts or observation.masks is None or len(major) == 0:
            continue
        # What a list of regions leaves out comes after the shapes of the masks.
        terms = observation.masks.terms[: len(counts)]
        counts, boxes = (
            np.array(counts, float)[: len(terms)],
            np.array([term.bounds() for term in terms]),
        )
        usable = (
            np.isfinite(boxes).all(1)
            & ~np.array([term.exclude for term in terms])
            & (counts > WINGS_PHOTONS)
        )
        counts, (x0, x1, y0, y1) = counts[usable], boxes[usable].T
        x, y, radius = (x0 + x1) / 2, (y0 + y1) / 2, np.sqrt((x1 - x0) * (y1 - y0)) / 2
        x, y = observation.from_masks(x, y)
        taken = counts - photon_density(result, observation, x, y) * np.pi * radius**2
        near = (
            np.hypot(result.mixture.means[:, :1] - x, result.mixture.means[:, 1:] - y)
            < WINGS_RADII * radius
        )
        small, faint = (
            major[:, None] < WINGS_RADII * radius,
            result.observed_photons[:, None] < WINGS_SHARE * taken,
        )
        flagged |= (near & small & faint & (taken > WINGS_PHOTONS)).any(1)
    return flagged


def on_point_wings(result, major):
    """Whether components are small and faint beside a point source that is modelled, (K,) booleans.

    Parameters
    ----------
    result : FitResult
    major : (K,) array
        Standard deviations along the major axes [arcsec].
    """
    means, photons = result.mixture.means, result.observed_photons
    bright = result.points & (photons > WINGS_PHOTONS)
    radius = region_radii(psf_radii(result, *means[bright].T))
    distance = np.hypot(means[:, :1] - means[bright, 0], means[:, 1:] - means[bright, 1])
    beside = (
        (distance < WINGS_RADII * radius)
        & (major[:, None] < radius)
        & (photons[:, None] < POINT_WINGS_SHARE * photons[bright])
    )
    return beside.any(1)


def psf_radii(result, x, y):
    """Radius that holds 90 % of the blur at each place, the smallest over the observations that have one, (n,) [arcsec]."""
    radii = [
        core_radius(*o.psf.at(x, y), share=0.9) for o in result.observations if o.psf is not None
    ]
    return np.min(radii, axis=0) if radii and len(x) else np.zeros(len(x))
