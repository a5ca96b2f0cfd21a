"""Parameter sets of several models of the same data that belong together, draw by draw.

To first order a fit to data with weights w_i (1 + e_i) differs from that to the data by

    I^-1 sum_i w_i e_i s_i,

with the scores s_i and the information matrix I. With e_i of variance 1 / w_i the shift has the
covariance of the parameters. Where two models see the same e_i, what the data do to both is the
same in both, as in a bootstrap with the same weights, but without any refit.
"""

import numpy as np

from .drawing import Drawn, moved_shapes
from .limits import amount_rows

# Draws that are made at a time, and the number of draws tried, in units of those that are wanted.
_BLOCK, _TRIES = 20, 10


def paired_parameters(informations, n, rng):
    """Draw parameter sets of models that follow the same changes of the data.

    A set in which a flux or an amplitude of any model would be negative is drawn again, for all
    models. What is left after some tries is cut at zero.

    Parameters
    ----------
    informations : sequence of Information
        Those of `Information.at_boundary`, of the same data and of one stride.
    n : int
        Number of parameter sets.
    rng : numpy.random.Generator

    Returns
    -------
    list of Drawn
        One for each model.
    """
    sizes = [len(prepared.order) for prepared in informations[0].likelihood]
    tried: list[list[np.ndarray]] = [[] for _ in informations]
    good, total = [], 0
    while total < _TRIES * n and sum(map(np.sum, good)) < n:
        changes = [rng.standard_normal((_BLOCK, size)) for size in sizes]
        shifts = [_shifts(information, changes) for information in informations]
        for its, shift in zip(tried, shifts, strict=True):
            its.append(shift)
        fine = [
            (shift[:, amount_rows(information.parameters)] >= -1).all(1)
            for information, shift in zip(informations, shifts, strict=True)
        ]
        good.append(np.all(fine, axis=0))
        total += _BLOCK
    # The good ones come first, in the order in which they were drawn.
    chosen = np.argsort(~np.concatenate(good), kind="stable")[:n]
    return [
        _parameters(information, np.concatenate(its)[chosen])
        for information, its in zip(informations, tried, strict=True)
    ]


def _shifts(information, changes):
    """Changes of all coordinates that follow changes of the data, (n, n_coordinates)."""
    pull = np.zeros((len(information.fixed), len(changes[0])))
    for prepared, scores, change in zip(
        information.likelihood, information.scores, changes, strict=True
    ):
        pull += scores.T @ change[:, prepared.order[prepared.every(information.stride)]].T
    return information.solve(pull).T


def _parameters(information, z):
    """The parameter sets at changes of the coordinates."""
    mixture, k = information.parameters.mixture, len(information.parameters.mixture)
    factors = np.maximum(1 + z[:, amount_rows(information.parameters)], 0.0)
    means, covariances = moved_shapes(information, z)
    amplitudes = np.concatenate([np.zeros(0), *information.parameters.amplitudes])
    return Drawn(
        fluxes=mixture.fluxes * factors[:, :k],
        means=means,
        covariances=covariances,
        amplitudes=amplitudes * factors[:, k:],
    )
