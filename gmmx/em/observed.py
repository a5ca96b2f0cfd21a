"""The information of samples: the curvature of their log-likelihood, and the scatter of scores.

The matrix of `Information` is ``sum_i w_i s_i s_i^T``, whose expectation is the curvature. On a few
hundred samples in several dimensions the two differ, because s_i grows as the square of the
distance. The log-likelihood is a sum over log lambda, and lambda a sum over components. The
curvature therefore differs from that matrix only where both parameters belong to one component.
All components can move at once: what they change in each other's gradients is known.
"""

from dataclasses import replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from .matrix import LEAST
from .maximise import evaluate

# Steps of the coordinates, by which gradients are compared.
_STEP = 1e-4
# Samples whose scores are squared at a time.
_PIECE = 2048
# Relative to the curvature, what keeps the sum over the squares of scores regular.
_JITTER = 1e-6


def observed(information):
    """The curvature of minus the log-likelihood, with neither priors nor forms, (n, n).

    Parameters
    ----------
    information : Information
        That was summed over all data.

    Examples
    --------
    The standard deviation of 50 samples is known to 1 / sqrt(2 x 50) of itself:

    >>> from gmmx.em.information import Information
    >>> from gmmx.em.parameters import Priors
    >>> from gmmx.em.samples import SampleLikelihood
    >>> from gmmx.model.mixture import Mixture
    >>> from gmmx.model.samples import Samples
    >>> x = np.random.default_rng(0).normal(0.0, 2.0, (50, 1))
    >>> one = Mixture(fluxes=[50.0], means=[x.mean(0)], covariances=[[[x.var()]]])
    >>> likelihood = SampleLikelihood.of(Samples(x=x))
    >>> parameters = likelihood.parameters(one)
    >>> phase = likelihood.begin_phase(parameters, Priors())
    >>> found = observed(Information.at(likelihood, parameters, phase))
    >>> np.linalg.inv(found).diagonal().round(4).tolist()
    [0.02, 0.02, 0.01]
    """
    k, d = information.parameters.mixture.means.shape
    priors = replace(information.phase.priors, mean_count=0.0, covariance_count=0.0)
    bare = replace(information, phase=replace(information.phase, priors=priors))
    matrix = information.raw.copy()
    each = np.arange(k)
    for place in range(1, 1 + d + d * (d + 1) // 2):
        step = np.zeros(len(matrix))
        step[place * k + each] = _STEP
        change = (_slopes(bare, -step) - _slopes(bare, step)) / (2 * _STEP)
        for other in range(1 + d + d * (d + 1) // 2):
            rows = other * k + each
            crossed = information.raw[np.ix_(rows, place * k + each)]
            matrix[rows, place * k + each] = change[rows] - crossed.sum(1) + crossed.diagonal()
            matrix[place * k + each, rows] = matrix[rows, place * k + each]
    return matrix


def misfit(information, once):
    """How much more the scores scatter than the curvature says: 1 if the model is true.

    It is ``tr(I^-1 J) / m`` with J the sum over the squares of scores and m free coordinates, the
    penalty of Takeuchi's criterion over that of Akaike's. Samples with heavier tails than those of
    the mixture have more.

    Parameters
    ----------
    information : Information
    once : (n,) array
        How much each sample counts in J, relative to its weight in I.
    """
    scatter = _scatter(information, once)
    return float(np.trace(cho_solve(information.factor, scatter))) / len(scatter)


def robust(information, once):
    """The information whose inverse is ``I^-1 J I^-1``: the covariance if the model is not true.

    White (1982, Econometrica 50, 1); refits with other weights of the samples have the same one.

    Parameters
    ----------
    information : Information
    once : (n,) array
        As in `misfit`.
    """
    scatter, n = _scatter(information, once), len(information.free)
    root, lower = information.factor
    root = np.tril(root) if lower else np.triu(root).T
    matrix = root @ root.T
    # What keeps the information regular is in both, so that it counts once.
    least = LEAST + _JITTER * np.diag(matrix)
    effective = matrix @ np.linalg.solve(scatter + least * np.eye(n), matrix)
    return replace(information, factor=cho_factor((effective + effective.T) / 2))


def _scatter(information, once):
    """J: the sum over the squares of scores, in the free coordinates."""
    (scores,) = information.scores
    total = np.zeros((scores.shape[1],) * 2)
    # In pieces, because a second copy of the scores may not fit into memory.
    for piece in range(0, len(scores), _PIECE):
        some = scores[piece : piece + _PIECE]
        total += some.T @ (once[piece : piece + _PIECE, None] * some)
    if information.ties is not None:
        total = information.ties.T @ total @ information.ties
    return total[np.ix_(information.free, information.free)]


def _slopes(information, z):
    """Derivatives of the log-likelihood by the coordinates at z, (n,)."""
    moved = information.moved(z)
    gradient = evaluate(information.likelihood, moved, information.phase).gradient
    d = moved.mixture.n_dimensions
    rows, columns = np.tril_indices(d)
    roots = np.linalg.cholesky(information.parameters.scales(information.phase))
    means = np.einsum("kij,ki->jk", roots, gradient.means)
    # Sigma = L C C^T L^T, in the elements of C and the logarithms of its diagonal.
    factors = np.linalg.solve(roots, np.linalg.cholesky(moved.mixture.covariances))
    shapes = 2 * np.swapaxes(roots, 1, 2) @ gradient.covariances @ roots @ factors
    diagonal = np.arange(d)
    shapes[:, diagonal, diagonal] *= factors[:, diagonal, diagonal]
    return np.concatenate(
        [gradient.log_fluxes, means.ravel(), shapes[:, rows, columns].T.ravel()]
        + [np.asarray(a) for a in gradient.log_amplitudes]
    )
