"""Radial profiles of counts against a model, and their chi^2."""

from dataclasses import replace

import numpy as np

from gmmx.model.density import background_terms
from gmmx.model.drawing import convolved, pixel_means

# Edges of the annuli [arcsec].
ANNULI = np.array(
    [
        *(0, 5, 10, 15, 20, 30, 40, 50, 60, 80, 100, 120, 150, 180, 210, 240),
        *(280, 320, 360, 400, 450, 500, 550, 600, 660, 720, 800),
    ]
)
N_ANNULI = len(ANNULI) - 1
# Radius from which annuli are used [arcsec]: further in, a few photons and the choice of the
# centre decide.
INNER = 10.0
# Expected photons of an annulus that is used: with fewer, chi^2 does not follow its distribution.
LEAST = 10.0
# Parameters of a component.
PARAMETERS = 6
# Steps of the derivatives, in units of the smaller sigma and of its square.
STEP, SQUARE_STEP = 0.01, 0.02


def ring_of(grid, about):
    """Index of the annulus of each pixel about a position, (ny, nx)."""
    x, y = grid.centres()
    return np.digitize(np.hypot(x - about[0], y - about[1]), ANNULI) - 1


def profile(images, about):
    """Counts and expected counts in annuli about a position, two (n,) arrays."""
    ring = ring_of(images.counts.grid, about).ravel()
    return tuple(
        np.bincount(ring, image.values.ravel(), N_ANNULI)[:N_ANNULI]
        for image in (images.counts, images.expected)
    )


def chi2(counts, expected):
    """Pearson's chi^2, and which annuli are used for it."""
    used = (ANNULI[:-1] >= INNER) & (expected > LEAST)
    return float(((counts - expected) ** 2 / np.maximum(expected, 1e-300))[used].sum()), used


def degrees_of_freedom(result, about, used):
    """Expectation of chi^2 over annuli, where the model was fitted to all photons.

    To first order the residuals of a Poisson fit with derivatives J of the expected counts have the
    covariance V - J I^-1 J^T, with V = diag(expected) and I = J^T V^-1 J. Pearson's chi^2 of the
    annuli A is therefore expected to be

        n - sum_a (A J I^-1 J^T A^T)_aa / expected_a.

    A background of zero is at its bound and does not count as a parameter.

    Parameters
    ----------
    result : FitResult
    about : (2,) sequence
        Centre of the annuli [arcsec].
    used : (n,) array of bool
        The annuli of the chi^2.
    """
    free = [i for i, b in enumerate(result.backgrounds) if not b.fixed and b.photons > 1]
    n = PARAMETERS * len(result.mixture) + len(free)
    information, slopes = np.zeros((n, n)), np.zeros((N_ANNULI, n))
    expected, first = np.zeros(N_ANNULI), 0
    for o in result.observations:
        columns, model = _derivatives(result, o, free, first)
        first += len(o.backgrounds)
        information += (columns / np.maximum(model, 1e-12)) @ columns.T
        c = o.completeness
        ring = ring_of(c.grid, about)[c.effective > 0]
        for a in range(N_ANNULI):
            slopes[a] += columns[:, ring == a].sum(1)
            expected[a] += model[ring == a].sum()
    unit = np.sqrt(np.maximum(np.diag(information), 1e-300))
    inverse = np.linalg.pinv(information / np.outer(unit, unit), rcond=1e-10, hermitian=True)
    taken = np.einsum("ai,ij,aj->a", slopes / unit, inverse, slopes / unit)
    return used.sum() - float((taken / np.maximum(expected, 1e-300))[used].sum())


def _derivatives(result, observation, free, first):
    """Derivatives of the expected counts by each parameter, and the expected counts.

    Parameters
    ----------
    result : FitResult
    observation : Observation
    free : list of int
        Indices of the backgrounds that are parameters.
    first : int
        Index of the observation's first background.

    Returns
    -------
    columns : (n, n_cells) array
    model : (n_cells,) array
        In the cells of the completeness grid that record photons.
    """
    c = observation.completeness
    seen = c.effective > 0
    omega = c.effective[seen] / result.reference_exposure

    def counts(mixture):
        means = pixel_means(*convolved(mixture, observation.psf), c.grid)
        return means[seen] * omega * c.grid.cell_area

    n_mixture = PARAMETERS * len(result.mixture)
    columns = np.zeros((n_mixture + len(free), len(omega)))
    for column, (factor, plus, minus) in zip(columns, _moved(result.mixture), strict=False):
        column[:] = factor * (counts(plus) - (0 if minus is None else counts(minus)))
    model = counts(result.mixture)
    terms = background_terms(observation, result.reference_exposure)
    for i, (term, background) in enumerate(zip(terms, observation.backgrounds, strict=True)):
        shape = term.on(term.field.own_maps())[seen] * c.grid.cell_area
        model = model + background.amplitude * shape
        if first + i in free:
            columns[n_mixture + free.index(first + i)] = shape
    return columns, model


def _moved(mixture):
    """Mixtures whose images give the derivative by each parameter.

    Yields
    ------
    factor : float
    plus : Mixture
    minus : Mixture or None
        The derivative is factor times the difference of their images.
    """
    for k in range(len(mixture)):
        one = mixture.select([k])
        yield 1.0, one, None
        covariance, sigma = one.covariances[0], np.sqrt(np.linalg.eigvalsh(one.covariances[0])[0])
        for axis in range(2):
            step = STEP * sigma * np.eye(2)[axis]
            yield 0.5, *(replace(one, means=one.means + sign * step) for sign in (1, -1))
        for i, j in ((0, 0), (0, 1), (1, 1)):
            change = np.zeros((2, 2))
            change[i, j] = change[j, i] = SQUARE_STEP * sigma**2
            yield 0.5, *(replace(one, covariances=(covariance + s * change)[None]) for s in (1, -1))
