"""What it would cost to remove a component, and which components are not worth their price."""

import numpy as np


def removal_losses(information, observed_fraction):
    """Estimated loss in log L when each component is removed and the others fill its place.

    The loss is the smaller of two estimates: Wald's, from the information matrix, and the loss
    before the others have moved.

    Parameters
    ----------
    information : Information
    observed_fraction : (K,) array

    Returns
    -------
    (K,) array
        [nat]; infinite for components that have a fixed parameter.
    """
    likelihood, parameters = information.likelihood, information.parameters
    losses = np.minimum(
        information.removal_losses(),
        likelihood.removal_losses(parameters, information.phase, observed_fraction),
    )
    return np.where(parameters.any_fixed, np.inf, losses)


def cheapest(losses, price, n_most):
    """Up to `n_most` components whose removal costs less than their price, cheapest first.

    The estimates are rough. Where components are tried one at a time, those that cost up to
    twice their price are therefore tried, too.

    Examples
    --------
    >>> cheapest(np.array([30.0, 5.0, 50.0]), 20.0, 2)
    array([1])
    >>> cheapest(np.array([30.0, 25.0, 50.0]), 20.0, 1)
    array([1])
    """
    limit = price if n_most > 1 else 2 * price
    return np.argsort(losses, kind="stable")[: int((losses < limit).sum())][:n_most]


def fewer(count):
    """How many to try next after `count` at once were not worth it.

    Examples
    --------
    >>> fewer(10), fewer(3)
    (3, 1)
    """
    return count // 3 if count > 3 else 1
