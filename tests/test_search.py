"""Finding where photons exceed a model."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage
from simulated import drawn, field, mixture_of, random_mixture, random_observation

from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.fitting.excess import Search, _local_maxima
from gmmx.model.background import Background
from gmmx.model.mixture import Mixture
from gmmx.model.psf import PsfModel

SKY = (Background(),)
NOTHING = mixture_of((1e-9, 0, 0, 1))


def drawn_sky(truth, completeness, seed, amplitude, psf=None):
    """An observation of a mixture on a flat sky."""
    rng = np.random.default_rng(seed)
    return drawn(truth, completeness, rng, psf=psf, sky=amplitude, backgrounds=SKY)


def searched(observation, amplitude):
    """The search over an observation, and a model that has nothing but the sky."""
    parameters = Parameters(mixture=Mixture.empty(), amplitudes=(np.array([amplitude]),))
    return Search.over(PhotonLikelihood.of([observation])), parameters


@pytest.fixture(scope="module")
def three_scales():
    """Three sources of very different size, and the places where they were found."""
    truth = mixture_of((300, -60, -60, 1), (600, 60, -50, 6), (1500, 0, 50, 20))
    observation = drawn_sky(truth, field(240, 2.0), 0, 0.02, PsfModel.constant(0.5))
    search, parameters = searched(observation, 0.02)
    return truth, search.candidates(parameters, 2.0)


def best_near(candidates, mean, sigma):
    """Index of the most significant candidate near a source."""
    near = np.hypot(candidates.x - mean[0], candidates.y - mean[1]) < max(2 * sigma, 4)
    assert near.any()
    return np.flatnonzero(near)[0]


@pytest.mark.parametrize(("k", "sigma"), [(0, 1), (1, 6), (2, 20)])
def test_a_source_of_any_scale_is_found(three_scales, k, sigma):
    truth, candidates = three_scales
    best = best_near(candidates, truth.means[k], sigma)
    assert 0.3 * truth.fluxes[k] < candidates.flux[best] < 2 * truth.fluxes[k]


def test_broader_sources_are_found_at_larger_scales(three_scales):
    truth, candidates = three_scales
    scales = [
        candidates.sigma[best_near(candidates, mean, sigma)]
        for mean, sigma in zip(truth.means, (1, 6, 20), strict=True)
    ]
    assert np.all(np.diff(scales) > 0)


def test_candidates_come_by_falling_significance(three_scales):
    _, candidates = three_scales
    assert np.all(np.diff(candidates.significance) <= 0)
    assert np.all(candidates.significance >= 2.0)
    assert len(candidates.first(2).flux) == 2


def test_nothing_is_found_where_the_model_explains_the_photons():
    search, parameters = searched(drawn_sky(NOTHING, field(240, 2.0), 1, 0.05), 0.05)
    assert len(search.candidates(parameters, 2.0).x) == 0


def test_known_sources_are_not_found_again():
    truth = mixture_of((800, -40, -40, 2), (800, 40, 40, 8))
    observation = drawn_sky(truth, field(200, 2.0), 2, 0.02, PsfModel.constant(0.8))
    search, parameters = searched(observation, 0.02)
    assert len(search.candidates(parameters, 2.0).x) > 0
    assert len(search.candidates(replace(parameters, mixture=truth), 3.0).x) == 0
    one_known = replace(parameters, mixture=truth.select([0]))
    found = search.candidates(one_known, 2.0)
    assert np.all(np.hypot(found.x - 40, found.y - 40) < 40)


def test_the_edge_of_a_mask_is_no_excess():
    c = field(200, 2.0)
    x, y = c.grid.centres()
    masked = replace(
        c,
        open_fraction=np.where(np.hypot(x, y) < 30, 0.0, 1.0),
        exposure=np.where(x > 50, 0.3, 1.0),
    )
    search, parameters = searched(drawn_sky(NOTHING, masked, 3, 0.2), 0.2)
    assert len(search.candidates(parameters, 2.0).x) == 0


def test_expected_counts_are_those_of_the_model():
    observations = [random_observation(s, n=400, m=2, backgrounds=SKY) for s in (1, 2)]
    likelihood = PhotonLikelihood.of(observations)
    parameters = Parameters(
        mixture=random_mixture(np.random.default_rng(0), 3),
        amplitudes=(np.array([0.3]), np.array([0.1])),
    )
    expected = Search.over(likelihood).expected(parameters)
    step = evaluate(likelihood, parameters, likelihood.begin_phase(parameters, Priors()))
    total = parameters.mixture.fluxes @ step.observed_fraction + sum(
        float(a @ integrals)
        for a, integrals in zip(parameters.amplitudes, likelihood.integrals, strict=True)
    )
    # The search covers the photons, the integrals the whole field.
    assert expected.sum() == pytest.approx(total, rel=0.1)
    assert expected.sum() <= total * 1.02


@pytest.fixture(params=[1.0, 30.0, 1e4])
def scaled(request):
    """The size of a field, a search over it, and a model of its sky."""
    scale = request.param
    truth = mixture_of((500, -3 * scale, 2 * scale, 0.5 * scale))
    observation = drawn_sky(truth, field(20 * scale, 0.2 * scale), 5, 2 / scale**2)
    return scale, observation, *searched(observation, 2 / scale**2)


def test_a_field_of_any_size_is_searched_on_a_small_grid(scaled):
    _, observation, search, _ = scaled
    assert max(search.grid.shape) <= 1300
    assert_allclose(search.smoothed[0].sum(), observation.n_photons, rtol=0.15)


def test_a_source_in_a_field_of_any_size_is_found(scaled):
    scale, _, search, parameters = scaled
    if scale == 1:
        pytest.skip("the source is smaller than the finest scale")
    found = search.candidates(parameters, 2.0)
    assert np.hypot(found.x[0] + 3 * scale, found.y[0] - 2 * scale) < max(scale, 8)


def test_local_maxima_are_those_of_scipy():
    rng = np.random.default_rng(6)
    image = np.maximum(ndimage.gaussian_filter(rng.normal(size=(60, 80)), 2) - 0.05, 0)
    expected = np.nonzero((image > 0) & (image == ndimage.maximum_filter(image, size=5)))
    assert len(expected[0]) > 10
    assert_array_equal(_local_maxima(image), expected)
