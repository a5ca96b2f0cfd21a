"""The simulated galaxy marx/galaxy: its observations, and the comparison of a model with its truth.

The galaxy was simulated with MARX from 15 Gaussians, 40 point sources and a background.
"""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
from astropy.io import fits
from common import MARX
from scipy.ndimage import gaussian_filter

import gmmx
from gmmx.em.parameters import Parameters
from gmmx.io.images import read_grid_like
from gmmx.model.drawing import pixel_means
from gmmx.plane.grid import PixelGrid

GALAXY = MARX / "galaxy"
REALISATIONS = MARX / "realisations" / "galaxy"
# Edges of the annuli about the truth's centre [arcsec].
ANNULI = (0, 30, 60, 120, 180, 240, 300, 400)
RINGS = tuple(f"{low}-{high}" for low, high in pairwise(ANNULI))
# Label of background photons in the lists of labels.
BACKGROUND = -1
# Sides of the blocks for chi^2 [arcsec].
BLOCKS = (4, 16, 64)


def observed(events=GALAXY / "events.fits.gz", **options):
    """Read an observation of the galaxy with its point sources masked, from 0.5 to 2 keV.

    Parameters
    ----------
    events : Path
    **options
        Options of `gmmx.read_observation` that replace the galaxy's exposure map, PSF map or mask.
    """
    given = {
        "exposure": GALAXY / "expmap.fits.gz",
        "psf": GALAXY / "psfmap.fits.gz",
        "mask": GALAXY / "sources.reg",
        "energy_kev": (0.5, 2),
    }
    return gmmx.read_observation(events, **(given | options))


def realisation(i, **options):
    """Read one of the ten further observations of the galaxy, with the exposure map of all ten."""
    given = {"exposure": REALISATIONS / "expmap_hp.fits.gz"}
    return observed(realisation_path(i), **(given | options))


def realisation_path(i):
    """The event list of a realisation."""
    return REALISATIONS / f"events_{i:02d}.fits.gz"


def differences(image, truth, step, smoothing=(2, 8)):
    """Half the integrated absolute difference of two images over the truth's integral.

    Parameters
    ----------
    image, truth : (ny, nx) arrays
        Surface brightness in one unit.
    step : float
        Pixel [arcsec].
    smoothing : tuple of float
        Sigmas of the Gaussians that both images are smoothed with [arcsec].

    Returns
    -------
    list of float
        One number for each sigma.
    """
    smoothed = (gaussian_filter(image - truth, sigma / step) for sigma in smoothing)
    return [float(0.5 * np.abs(one).sum() / truth.sum()) for one in smoothed]


class Truth:
    """The image of a simulated sky without its point sources, truth.fits."""

    def __init__(self, folder=GALAXY):
        self.path = folder / "truth.fits.gz"
        with fits.open(self.path) as files:
            self.values = files[0].data.astype(float)

    def rendered(self, result):
        """The model's surface brightness on the truth's grid, and that grid."""
        return self.drawn(result.extended, result.frame, result.reference_exposure)

    def drawn(self, mixture, frame, reference_exposure):
        """The surface brightness of a mixture on the truth's grid, and that grid."""
        grid = read_grid_like(self.path, frame)
        photons = pixel_means(mixture.fluxes, mixture.means, mixture.covariances, grid)
        return photons / reference_exposure, grid

    def differences(self, result):
        """The `differences` of a model from the truth, smoothed with 2 and 8 arcsec."""
        image, grid = self.rendered(result)
        return differences(image, self.values, grid.step)

    def total(self, result):
        """Flux on the truth's grid over the truth's."""
        return self.rendered(result)[0].sum() / self.values.sum()

    def annuli(self, result):
        """Flux in annuli about the truth's centre over the truth's."""
        image, grid = self.rendered(result)
        x, y = grid.centres()
        ny, nx = grid.shape
        cx, cy = grid.to_plane((nx - 1) / 2, (ny - 1) / 2)
        radius = np.hypot(x - cx, y - cy)
        rings = [(radius >= low) & (radius < high) for low, high in pairwise(ANNULI)]
        return [image[ring].sum() / self.values[ring].sum() for ring in rings]


def true_parameters(observation, folder=GALAXY, reference=None):
    """The true components of a simulated sky and the true amplitude of its background.

    Parameters
    ----------
    observation : Observation
    folder : Path
        The simulated sky.
    reference : float, optional
        Exposure that the fluxes refer to. Without it the observation's largest.

    Returns
    -------
    parameters : Parameters
    """
    reference = observation.completeness.exposure.max() if reference is None else reference
    about = json.loads((folder / "truth.json").read_text())
    fluxes, means, covariances = [], [], []
    for c in about["components"]:
        angle = np.radians(c["pa_deg"])
        along = np.array([-np.sin(angle), np.cos(angle)])
        across = np.array([np.cos(angle), np.sin(angle)])
        fluxes.append(c["flux"] * reference)
        means.append(observation.frame.to_plane(c["ra"], c["dec"]))
        covariances.append(
            c["sig_major"] ** 2 * np.outer(along, along)
            + c["sig_minor"] ** 2 * np.outer(across, across)
        )
    mixture = gmmx.Mixture(
        fluxes=np.array(fluxes), means=np.array(means), covariances=np.array(covariances)
    )
    return Parameters(
        mixture=mixture, amplitudes=(np.array([about["bkg_flux_per_arcsec2"] * reference]),)
    )


def true_background(observation, events, labels):
    """Number of background photons outside the masks.

    Parameters
    ----------
    observation : Observation
    events : FITS_rec or structured array
        All photons of the simulation, with the columns X and Y.
    labels : (n,) array of int
        True component of each photon.
    """
    x, y = observation.physical.to_plane(events["X"], events["Y"])
    kept = (
        (labels == BACKGROUND)
        & ~observation.masks.contains(x, y)
        & (observation.completeness.effective_at(x, y) > 0)
    )
    return float(kept.sum())


def labelled(name="events"):
    """Header, photons and true components of one of the galaxy's event lists."""
    suffix = name.removeprefix("events")
    with (
        fits.open(GALAXY / f"{name}.fits.gz") as files,
        fits.open(GALAXY / f"labels{suffix}.fits.gz") as labels,
    ):
        header, photons = files["EVENTS"].header.copy(), np.array(files["EVENTS"].data)
        return header, photons, np.array(labels["LABELS"].data["COMP"])


def chi2_of_next(results):
    """Mean chi^2 per degree of freedom of each fit against the photons of the next one.

    Parameters
    ----------
    results : list of FitResult
        Fits of several realisations.

    Returns
    -------
    (3,) array
        One number for each of `BLOCKS`.
    """
    others = [*results[1:], results[0]]
    return np.mean(
        [
            [_block_chi2(result, other.observations[0].photons, size) for size in BLOCKS]
            for result, other in zip(results, others, strict=True)
        ],
        axis=0,
    )


def _block_chi2(result, photons, size):
    """chi^2 per degree of freedom in blocks with at least 25 expected photons."""
    observation = replace(result.observations[0], photons=photons)
    images = gmmx.render(replace(result, observations=(observation,)))
    counts, expected = images.counts, images.expected
    grid = PixelGrid.covering(*counts.grid.extent(), size)
    x, y = (v.ravel() for v in counts.grid.centres())
    d, m = (grid.histogram(x, y, image.values.ravel()) for image in (counts, expected))
    use = m >= 25
    return float(((d - m)[use] ** 2 / m[use]).mean())
