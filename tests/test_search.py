"""Finding where photons exceed a model."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from simulated import drawn, field, mixture_of, random_mixture, random_observation

from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.fitting.excess import Search
from gmmx.model.background import Background
from gmmx.model.mixture import Mixture
from gmmx.model.psf import PsfModel

SKY = (Background(),)


def sky_alone(observation, level):
    """An observation laid out, and the model of its sky at a level."""
    prepared = PhotonLikelihood.of([observation])
    return prepared, Parameters(mixture=Mixture.empty(), amplitudes=(np.array([level]),))


def test_sources_of_all_scales_are_found():
    truth = mixture_of((300, -60, -60, 1), (600, 60, -50, 6), (1500, 0, 50, 20))
    observation = drawn(
        truth,
        field(240, 2.0),
        np.random.default_rng(0),
        psf=PsfModel.constant(0.5),
        sky=0.02,
        backgrounds=SKY,
    )
    prepared, parameters = sky_alone(observation, 0.02)
    search = Search.over(prepared)
    significance, x, y, scale, flux = search.candidates(prepared, parameters, 2.0)
    assert np.all(np.diff(significance) <= 0)
    assert np.all(significance >= 2.0)
    found_scales = []
    for mean, total, sigma in zip(truth.means, truth.fluxes, (1, 6, 20), strict=True):
        near = np.hypot(x - mean[0], y - mean[1]) < max(2 * sigma, 4)
        assert near.any()
        best = np.flatnonzero(near)[0]
        found_scales.append(scale[best])
        assert 0.3 * total < flux[best] < 2 * total
    assert np.all(np.diff(found_scales) > 0)


def test_nothing_is_found_in_what_the_model_expects():
    observation = drawn(
        mixture_of((1e-9, 0, 0, 1)),
        field(240, 2.0),
        np.random.default_rng(1),
        sky=0.05,
        backgrounds=SKY,
    )
    prepared, parameters = sky_alone(observation, 0.05)
    assert Search.over(prepared).candidates(prepared, parameters, 2.0).shape == (5, 0)


def test_known_sources_are_not_found_again():
    truth = mixture_of((800, -40, -40, 2), (800, 40, 40, 8))
    observation = drawn(
        truth,
        field(200, 2.0),
        np.random.default_rng(2),
        psf=PsfModel.constant(0.8),
        sky=0.02,
        backgrounds=SKY,
    )
    prepared, parameters = sky_alone(observation, 0.02)
    search = Search.over(prepared)
    assert search.candidates(prepared, parameters, 2.0).shape[1] > 0
    assert search.candidates(prepared, replace(parameters, mixture=truth), 3.0).shape[1] == 0
    _, x, y, *_ = search.candidates(prepared, replace(parameters, mixture=truth.select([0])), 2.0)
    assert np.all(np.hypot(x - 40, y - 40) < 40)


def test_a_mask_is_not_a_deficit_nor_its_edge_an_excess():
    c = field(200, 2.0)
    x, y = c.grid.centres()
    masked = replace(
        c, open_share=np.where(np.hypot(x, y) < 30, 0.0, 1.0), exposure=np.where(x > 50, 0.3, 1.0)
    )
    observation = drawn(
        mixture_of((1e-9, 0, 0, 1)), masked, np.random.default_rng(3), sky=0.2, backgrounds=SKY
    )
    prepared, parameters = sky_alone(observation, 0.2)
    assert Search.over(prepared).candidates(prepared, parameters, 2.0).shape[1] == 0


def test_expected_counts_are_those_of_the_model():
    observations = [random_observation(s, n=400, m=2, backgrounds=SKY) for s in (1, 2)]
    prepared = PhotonLikelihood.of(observations)
    parameters = Parameters(
        mixture=random_mixture(np.random.default_rng(0), 3),
        amplitudes=(np.array([0.3]), np.array([0.1])),
    )
    expected = Search.over(prepared).expected(prepared, parameters)
    step = evaluate(prepared, parameters, prepared.begin_phase(parameters, Priors()))
    total = parameters.mixture.fluxes @ step.observed_fraction + sum(
        float(a @ p.integrals) for a, p in zip(parameters.amplitudes, prepared, strict=True)
    )
    # The search covers the photons, the integrals the whole field.
    assert expected.sum() == pytest.approx(total, rel=0.1)
    assert expected.sum() <= total * 1.02


@pytest.mark.parametrize("scale", [1.0, 30.0, 1e4])
def test_fields_of_any_size(scale):
    truth = mixture_of((500, -3 * scale, 2 * scale, 0.5 * scale))
    observation = drawn(
        truth,
        field(20 * scale, 0.2 * scale),
        np.random.default_rng(5),
        sky=2 / scale**2,
        backgrounds=SKY,
    )
    prepared, parameters = sky_alone(observation, 2 / scale**2)
    search = Search.over(prepared)
    assert max(search.grid.shape) <= 1300
    assert_allclose(search.smoothed[0].sum(), observation.n_photons, rtol=0.15)
    if scale > 1:
        _, x, y, *_ = search.candidates(prepared, parameters, 2.0)
        assert np.hypot(x[0] + 3 * scale, y[0] - 2 * scale) < max(scale, 8)
