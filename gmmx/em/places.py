"""Standard errors of the flux in the field, under its masks and outside."""

import numpy as np

from ..model.places import PlaceErrors
from ..model.pyramid import square
from .propagation import Slopes, covariance_of


def place_errors(information, coverage):
    """Standard errors of the flux of the extended components by place (the delta method).

    The flux in a part of the plane is ``sum_k F_k e_k`` with e_k the integral of the component
    over that part. Its derivatives by mean and covariance are ``Sigma^-1 e1`` and ``Sigma^-1 (e2 -
    e0 Sigma) Sigma^-1 / 2``.

    Parameters
    ----------
    information : Information
    coverage : Coverage or None
        None: everything is in the field.

    Returns
    -------
    PlaceErrors
    """
    parameters = information.parameters
    mixture, wings = parameters.mixture, information.likelihood.wings(parameters.mixture)
    extended = 1.0 * ~parameters.points
    if coverage is None or len(mixture) == 0:
        slopes = Slopes(fluxes=extended[None], wings=np.ones((1, len(wings))))
        error = np.sqrt(max(covariance_of(information, slopes)[0, 0], 0.0))
        return PlaceErrors(in_field=float(error), under_masks=0.0, outside=0.0)
    moments = coverage.moments(mixture)
    inverses = np.linalg.inv(mixture.covariances)
    fluxes = mixture.fluxes * extended
    first = np.einsum("kij,mkj->mki", inverses, moments[:, :, 1:3])
    rest = square(moments[:, :, 3:]) - moments[:, :, :1, None] * mixture.covariances
    slopes = Slopes(
        fluxes=moments[:, :, 0] * extended,
        means=first * fluxes[:, None],
        covariances=0.5 * (inverses @ rest @ inverses) * fluxes[:, None, None],
        wings=coverage.fractions(wings),
    )
    variances = np.maximum(np.diag(covariance_of(information, slopes)), 0.0)
    in_field, under_masks, outside = map(float, np.sqrt(variances))
    return PlaceErrors(in_field=in_field, under_masks=under_masks, outside=outside)
