"""Observations of known skies that are drawn from a seed, for the benchmarks to fit."""

# common makes the folder of the tests importable.
import common  # noqa: F401
import numpy as np
from skies import Case, ellipse, make_case, small_galaxy

from gmmx.em.parameters import Parameters
from gmmx.model.completeness import Completeness
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.psf import PsfModel
from gmmx.plane.frame import SkyFrame
from gmmx.plane.grid import PixelGrid

__all__ = ["Case", "ngc4636", "small_galaxy", "toy"]

# The toy's box and the circular hole in it.
BOX, HOLE, HOLE_RADIUS = 10.0, (6.5, 6.0), 2.0


def ngc4636(seed=4636, n=150_000):
    """Draw an elliptical galaxy of 60 components in 16' x 16': a halo, two arms and knots.

    The field has gaps, vignetting, 150 holes and a PSF that grows off axis.
    """
    rng = np.random.default_rng(seed)
    parts = [*_halo(rng), *(part for arm in range(2) for part in _arm(rng, arm)), *_knots(rng)]
    fluxes, means, covariances = (np.array(column) for column in zip(*parts, strict=True))
    mixture = Mixture(fluxes=fluxes, means=means, covariances=covariances)
    return make_case("ngc4636", mixture, 480.0, 150, n, rng)


def _halo(rng):
    """Seven concentric components with 56 % of the flux."""
    parts = []
    fractions = rng.dirichlet(np.full(7, 20.0))
    for sigma, fraction in zip(np.geomspace(7, 200, 7), fractions, strict=True):
        mean = rng.normal(0, 2, 2)
        minor = sigma * rng.uniform(0.75, 1)
        parts.append((0.56 * fraction, mean, ellipse(sigma, minor, rng.uniform(0, np.pi))))
    return parts


def _arm(rng, arm):
    """Ten components of a spiral arm with 10 % of the flux."""
    parts = []
    fractions = rng.dirichlet(np.full(10, 10.0))
    for i in range(10):
        angle, radius = np.pi * arm + 0.25 * i, 40 + 22 * i
        mean = radius * np.array([np.cos(angle), np.sin(angle)])
        width = rng.uniform(7, 29)
        minor = rng.uniform(2.5, min(9.5, width))
        covariance = ellipse(width, minor, angle + np.pi / 2 + rng.normal(0, 0.2))
        parts.append((0.10 * fractions[i], mean, covariance))
    return parts


def _knots(rng):
    """33 knots with 24 % of the flux."""
    parts = []
    fractions = rng.dirichlet(np.full(33, 3.0))
    for i in range(33):
        sigma = np.exp(rng.uniform(np.log(1), np.log(14)))
        mean = rng.uniform(-330, 330, 2)
        minor = sigma * rng.uniform(0.6, 1)
        parts.append((0.24 * fractions[i], mean, ellipse(sigma, minor, rng.uniform(0, np.pi))))
    return parts


def toy(seed=8366, noise=0.7):
    """Draw the example of Melchior & Goulding (2018, A&C 25, 183), figure 1.

    Of 400 points with noise, the 211 that fall into a box with a hole are fitted. The 400 points
    without noise are held out.
    """
    mixture = _toy_mixture()
    rng = np.random.RandomState(seed)
    counts = np.bincount(rng.choice(3, 400, p=mixture.fluxes / 400), minlength=3)
    originals = np.concatenate(
        [
            rng.multivariate_normal(mean, covariance, n)
            for mean, covariance, n in zip(mixture.means, mixture.covariances, counts, strict=True)
        ]
    )
    seen = originals + rng.normal(0, noise, (400, 2))
    inside = np.all((seen > 0) & (seen < BOX), axis=1)
    seen = seen[inside & (np.hypot(*(seen - HOLE).T) > HOLE_RADIUS)]
    train = Observation(
        photons=Photons(seen[:, 0], seen[:, 1]),
        completeness=_toy_completeness(),
        psf=PsfModel.constant(noise),
        frame=SkyFrame(190.7, 2.69),
        name="toy",
    )
    held_out = Observation(photons=Photons(*originals.T), name="toy without noise")
    return Case("toy", train, held_out, Parameters(mixture=mixture, amplitudes=(np.zeros(0),)))


def _toy_mixture():
    """The three components of the toy, with 400 photons."""
    weights = np.array([0.36060026, 0.27986906, 0.206774])
    weights /= weights.sum()
    means = [[0.08016886, 0.21300697], [0.70306351, 0.6709532], [0.01087670, 0.852077]]
    covariances = [
        [[0.08530014, -0.00314178], [-0.00314178, 0.00541106]],
        [[0.03053402, 0.0125736], [0.0125736, 0.01075791]],
        [[0.00258605, 0.00409287], [0.00409287, 0.01065186]],
    ]
    return Mixture(
        fluxes=400 * weights, means=10 * np.array(means), covariances=100 * np.array(covariances)
    )


def _toy_completeness():
    """The box with its hole."""
    grid = PixelGrid.covering((0, BOX), (0, BOX), 0.1)
    x, y = (v[..., None, None] for v in grid.centres())
    offsets = (np.arange(20) - 9.5) / 20 * 0.1
    distance = np.hypot(x + offsets - HOLE[0], y + offsets[:, None] - HOLE[1])
    open_fraction = (distance > HOLE_RADIUS).mean((2, 3))
    return Completeness(grid=grid, exposure=np.ones(grid.shape), open_fraction=open_fraction)
