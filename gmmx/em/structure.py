"""Covariances of a form: full, diagonal, spherical, or tied, that is common to all components."""

from dataclasses import replace

import numpy as np
from scipy.linalg import block_diag

from ..model.mixture import Mixture
from .maximise import floored

FULL, DIAGONAL, TIED, SPHERICAL = "full", "diagonal", "tied", "spherical"


def constrained(evaluation, form, phase):
    """The evaluation whose M-step and gradient keep the covariances in their form.

    The M-step of a full covariance has the closed form ``C_k = Sigma + (excess - (n0 + a) d d^T) /
    (n0 + a + nu)``, which the gradient determines. With ``c_k = n0 + a + nu``, the maximum is the
    diagonal of C_k, the mean of its diagonal, or ``sum c_k C_k / sum c_k``.

    An ascent moves along the gradient in the metric of a chart. The gradient is divided between
    equal elements, or equal components, such that all of them move alike.

    Parameters
    ----------
    evaluation : Evaluation
        In which nothing is fixed.
    form : {"full", "diagonal", "tied", "spherical"}
    phase : SamplePhase
        Its `shares` divide the gradient of a common covariance.

    Returns
    -------
    Evaluation
    """
    if form == FULL:
        return evaluation
    mixture, priors, g = evaluation.parameters.mixture, phase.priors, evaluation.gradient
    sigma = mixture.covariances
    means = mixture.fluxes + g.log_fluxes + priors.mean_count
    counts = means + priors.covariance_count
    shift = np.einsum("kij,kj->ki", sigma, g.means) / means[:, None]
    spread = (
        sigma
        + (
            2 * sigma @ g.covariances @ sigma
            - means[:, None, None] * shift[:, :, None] * shift[:, None, :]
        )
        / counts[:, None, None]
    )
    least = np.clip(np.linalg.eigvalsh(sigma)[:, 0], priors.least_variance, priors.min_sigma**2)
    covariances = floored(in_form(spread, counts, form), least)
    slopes = g.covariances
    if form == TIED:
        slopes = phase.shares[:, None, None] * slopes.sum(0)
    else:
        slopes = in_form(slopes, np.ones(len(slopes)), form)
    successor = evaluation.successor
    moved = Mixture(
        fluxes=successor.mixture.fluxes, means=successor.mixture.means, covariances=covariances
    )
    return replace(
        evaluation,
        successor=replace(successor, mixture=moved),
        gradient=replace(g, covariances=slopes),
    )


def in_form(covariances, counts, form):
    """The nearest covariances of a form, those of components weighted with their counts.

    Examples
    --------
    >>> in_form(np.array([[[4.0, 1.0], [1.0, 2.0]]]), np.ones(1), "spherical")
    array([[[3., 0.],
            [0., 3.]]])
    """
    d = covariances.shape[-1]
    if form == DIAGONAL:
        return covariances * np.eye(d)
    if form == SPHERICAL:
        return np.trace(covariances, axis1=1, axis2=2)[:, None, None] / d * np.eye(d)
    if form == TIED:
        common = np.average(covariances, axis=0, weights=counts)
        return np.repeat(common[None], len(covariances), axis=0)
    return covariances


def n_shape_parameters(form, n_components, n_dimensions):
    """Number of free elements of all covariances.

    Examples
    --------
    >>> [n_shape_parameters(form, 3, 2) for form in ("full", "diagonal", "tied", "spherical")]
    [9, 6, 3, 3]
    """
    k, d = n_components, n_dimensions
    full = d * (d + 1) // 2
    return {FULL: k * full, DIAGONAL: k * d, TIED: full, SPHERICAL: k}[form]


def ties_of(form, n_components, n_dimensions, n_backgrounds):
    """What the coordinates of an information matrix are of those that a form leaves free.

    The coordinates are (log F, L^-1 mu, log-Cholesky of Sigma, log B). Diagonal and spherical
    covariances have no elements beside the diagonal. Those of spherical ones change alike, and
    so do all elements of components that share one covariance.

    Returns
    -------
    (n, m) array or None
        Zeros and ones, for m free coordinates; None for full covariances.

    Examples
    --------
    One round component in two dimensions: its flux, its mean, and one logarithm of its width.

    >>> ties_of("spherical", 1, 2, 0).astype(int).tolist()
    [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 1]]
    """
    if form == FULL:
        return None
    k, d = n_components, n_dimensions
    rows, columns = np.tril_indices(d)
    elements = np.eye(len(rows)) if form == TIED else np.eye(len(rows))[:, rows == columns]
    if form == SPHERICAL:
        elements = elements.sum(1, keepdims=True)
    shapes = np.kron(elements, np.ones((k, 1)) if form == TIED else np.eye(k))
    return block_diag(np.eye((1 + d) * k), shapes, np.eye(n_backgrounds))
