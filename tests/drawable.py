"""Results of every kind that a figure has to cope with: masked, empty, joint, counted in pixels."""

from dataclasses import replace

import numpy as np
from handmade import make_mixture, make_observation, make_result
from true_result import make_true_result

from gmmx.model.background import Background
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.posterior import Draws


def make_draws_of(result, n=40, spread=0.1, seed=3):
    """Draws of a result that scatter by a fraction of each parameter."""
    rng, mixture = np.random.default_rng(seed), result.mixture
    k = len(mixture)
    widths = np.sqrt(np.linalg.det(mixture.covariances) ** 0.5)
    factors = 1 + spread * rng.normal(size=(n, k)).clip(-3, 3)
    amplitudes = np.array([b.amplitude or 0.0 for o in result.observations for b in o.backgrounds])
    return Draws(
        fluxes=mixture.fluxes * (1 + spread * rng.normal(size=(n, k)).clip(-3, 3)),
        means=mixture.means + spread * widths[:, None] * rng.normal(size=(n, k, 2)),
        covariances=mixture.covariances * (factors**2)[:, :, None, None],
        amplitudes=amplitudes * (1 + spread * rng.normal(size=(n, len(amplitudes))).clip(-3, 3)),
        method="laplace",
        seed=seed,
    )


def make_masked_result():
    """A result with a gap, a mask, a PSF and draws."""
    result = make_true_result()
    return replace(result, draws=make_draws_of(result))


def make_empty_result():
    """A result without components on few photons."""
    observation = make_true_result().observations[0]
    keep = np.random.default_rng(0).random(len(observation.photons)) < 0.01
    thinned = observation.select(keep, "thinned")
    return make_result([replace(thinned, backgrounds=(Background(amplitude=0.001),))])


def make_faint_result():
    """A result without components whose photons fit the background, for blocks and profiles."""
    observation = make_true_result().observations[0]
    rng = np.random.default_rng(1)
    xy = rng.uniform(-200, 200, (rng.poisson(0.02 * 400**2), 2))
    flat = replace(observation, photons=Photons(*xy.T), backgrounds=(Background(amplitude=0.02),))
    seen = rng.random(len(xy)) < flat.completeness.effective_at(*xy.T) / 1e7
    return make_result([flat.select(seen, "seen")], warnings=("there is no significant emission",))


def make_joint_result():
    """A result of two observations, the second of them turned and without a PSF."""
    one = make_observation()
    other = make_observation(1, rotation=0.6, name="other", kinds=("sky", "particle", "file"))
    return make_result(
        [one, replace(other, psf=None)], make_mixture(), reference_exposure=2e7, converged=False
    )


def make_counted_result():
    """The photons of a true result, counted in the pixels of its exposure map."""
    result = make_true_result()
    (observation,) = result.observations
    grid = observation.completeness.grid
    counts = grid.histogram(observation.photons.x, observation.photons.y)
    iy, ix = np.nonzero(counts)
    x, y = grid.to_plane(ix, iy)
    photons = Photons(x, y, weights=counts[iy, ix], pixel=grid.step)
    return replace(result, observations=(replace(observation, photons=photons),))


def make_toy_result():
    """A result without a frame, a completeness or a PSF."""
    mixture = make_mixture(3)
    xy = mixture.sample(211, np.random.default_rng(2))
    return make_result([Observation(photons=Photons(xy[:, 0], xy[:, 1]), name="toy")], mixture)


KINDS = {
    "masked": make_masked_result,
    "empty": make_empty_result,
    "background": make_faint_result,
    "joint": make_joint_result,
    "counts": make_counted_result,
    "toy": make_toy_result,
}
