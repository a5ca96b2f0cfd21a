"""The example of Melchior & Goulding (2018, A&C 25, 183), figure 1."""

import numpy as np

from gmmx.model.mixture import Mixture

WEIGHTS = np.array([0.36060026, 0.27986906, 0.206774])
# As a sky of 400 photons.
TRUTH = Mixture(
    fluxes=400 * WEIGHTS / WEIGHTS.sum(),
    means=10
    * np.array([[0.08016886, 0.21300697], [0.70306351, 0.6709532], [0.01087670, 0.852077]]),
    covariances=100
    * np.array(
        [
            [[0.08530014, -0.00314178], [-0.00314178, 0.00541106]],
            [[0.03053402, 0.0125736], [0.0125736, 0.01075791]],
            [[0.00258605, 0.00409287], [0.00409287, 0.01065186]],
        ]
    ),
)
NOISE = 0.7
SEEDS = range(8366, 8386)
# Further selections, of samples without noise.
SELECTIONS = {
    "cut": (lambda x: np.where(x < 6, 1.0, 0.0)),
    "half": (lambda x: 0.5),
    "tapered": (lambda x: np.clip(1 - x / 8, 0, 1)),
}


def drawn_toy(seed):
    """The 400 originals, the same with noise, and the generator for further draws."""
    rng = np.random.RandomState(seed)
    fractions = WEIGHTS / WEIGHTS.sum()
    counts = np.bincount(rng.choice(3, 400, p=fractions), minlength=3)
    originals = np.concatenate(
        [
            rng.multivariate_normal(m, c, n)
            for m, c, n in zip(TRUTH.means, TRUTH.covariances, counts, strict=True)
        ]
    )
    return originals, originals + rng.normal(0, NOISE, (400, 2)), rng


def is_seen(x):
    """Whether positions (n, 2) lie in the box and outside of the circle."""
    return np.all((x > 0) & (x < 10), axis=1) & (np.hypot(x[:, 0] - 6.5, x[:, 1] - 6) > 2)


def gap_of(mixture, originals):
    """How much less likely the originals are under a mixture than under the truth [nat]."""
    truth, found = (
        np.log(one.density(*originals.T) / one.fluxes.sum()).mean() for one in (TRUTH, mixture)
    )
    return truth - found
