"""Standard errors of quantities that depend on the parameters of a fit."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from simulated import drawn, field, mixture_of

from gmmx.em.information import Information
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.em.uncertainty import Slopes, covariance_of
from gmmx.model.background import Background
from gmmx.model.mixture import Mixture
from gmmx.model.psf import PsfModel

TRUTH = mixture_of((900, -10, 0, 4), (500, 12, 5, 9))
LEVEL = 0.05


def make_information():
    """The information at the truth of a sky of two components and a background."""
    observation = drawn(
        TRUTH,
        field(100, 1.0),
        np.random.default_rng(3),
        psf=PsfModel.constant(0.8),
        sky=LEVEL,
        backgrounds=(Background(),),
    )
    likelihood = PhotonLikelihood.of([observation])
    parameters = Parameters(mixture=TRUTH, amplitudes=(np.array([LEVEL]),))
    return Information.at(likelihood, parameters, likelihood.begin_phase(parameters, Priors()))


def at_coordinates(information, z):
    """The parameters at coordinates z of an information matrix, 0 where it was computed."""
    mixture, k = information.parameters.mixture, len(information.parameters.mixture)
    roots = np.linalg.cholesky(mixture.covariances)
    shift, shape = z[k : 3 * k].reshape(2, k), z[3 * k : 6 * k].reshape(3, k)
    c = np.zeros((k, 2, 2))
    c[:, 0, 0], c[:, 1, 0], c[:, 1, 1] = np.exp(shape[0]), shape[1], np.exp(shape[2])
    root = roots @ c
    moved = Mixture(
        fluxes=mixture.fluxes * np.exp(z[:k]),
        means=mixture.means + np.einsum("kij,jk->ki", roots, shift),
        covariances=root @ np.swapaxes(root, 1, 2),
    )
    return moved, information.parameters.amplitudes[0] * np.exp(z[6 * k :])


def test_slopes_are_turned_into_the_coordinates_of_the_matrix():
    information, rng = make_information(), np.random.default_rng(0)
    slopes = Slopes(
        fluxes=rng.normal(size=(3, 2)),
        means=rng.normal(size=(3, 2, 2)),
        covariances=rng.normal(size=(3, 2, 2, 2)),
        amplitudes=(rng.normal(size=(3, 1)),),
    )

    def quantities(z):
        mixture, amplitudes = at_coordinates(information, z)
        return (
            slopes.fluxes @ mixture.fluxes
            + np.einsum("mki,ki->m", slopes.means, mixture.means)
            + np.einsum("mkij,kij->m", slopes.covariances, mixture.covariances)
            + slopes.amplitudes[0] @ amplitudes
        )

    steps = 1e-6 * np.eye(13)
    numerical = np.array([(quantities(h) - quantities(-h)) / 2e-6 for h in steps])
    assert_allclose(slopes.columns(information), numerical, rtol=1e-6, atol=1e-6)


def test_total_signal_and_its_background_have_the_reported_errors():
    information = make_information()
    errors, n_wings = information.uncertainty(), len(information.likelihood.wings(TRUTH))
    signal = Slopes(fluxes=np.ones((1, 2)), wings=np.ones((1, n_wings)))
    background = Slopes(amplitudes=(information.likelihood.integrals[0][None],))
    found = [float(np.sqrt(covariance_of(information, s)[0, 0])) for s in (signal, background)]
    assert found == pytest.approx([errors.signal, errors.background], rel=1e-12)
