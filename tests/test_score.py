"""Held-out scores, against densities written out and against the truth of drawn photons."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmx.answers.score import expected_photons, held_out_score, photon_density
from gmmx.errors import DataError
from gmmx.model.background import Background
from gmmx.model.completeness import Completeness
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.psf import PsfModel
from gmmx.model.result import BackgroundSummary, FitResult
from gmmx.plane.grid import PixelGrid

GRID = PixelGrid.covering((-50, 50), (-40, 40), 0.5)
MIXTURE = Mixture(
    fluxes=[400.0, 100.0],
    means=[[-5.0, 3.0], [20.0, -8.0]],
    covariances=[[[16.0, 3.0], [3.0, 9.0]], [[100.0, 0.0], [0.0, 64.0]]],
)


def make_truth(*, amplitude=0.02, sigma=2.0, observations=1):
    """A fit's result that is the truth: a tilted exposure with a hole, a PSF, a sky background."""
    x, y = GRID.centres()
    exposure = (1 + x / 100) * 1e6
    completeness = Completeness(
        grid=GRID,
        exposure=exposure,
        open_fraction=np.where(np.hypot(x - 20, y + 8) < 6, 0.0, 1.0),
        unit="cm**2 s",
    )
    integral = float((completeness.effective / exposure.max()).sum() * GRID.cell_area)
    names = [f"o{i}" for i in range(observations)]
    return FitResult(
        mixture=MIXTURE,
        observations=tuple(
            Observation(
                photons=Photons([], []),
                completeness=completeness,
                psf=PsfModel.constant(sigma),
                backgrounds=(Background(amplitude=amplitude),),
                name=name,
            )
            for name in names
        ),
        reference_exposure=exposure.max(),
        exposure_unit="cm**2 s",
        observed_fraction=np.ones(2),
        observed_photons=np.ones(2),
        prior_scales=np.ones(2),
        backgrounds=tuple(
            BackgroundSummary(
                observation=name,
                name="sky",
                kind="sky",
                amplitude=amplitude,
                amplitude_error=0,
                photons=amplitude * integral,
                photons_error=0,
                correlation=0,
                fixed=True,
            )
            for name in names
        ),
        signal_error=0.0,
        log_likelihood=0.0,
        objective=0.0,
        converged=True,
        stop_reason="",
        iterations=0,
        requested_components=2,
    )


def drawn_photons(result, n, seed):
    """Photons of the result's own density, by rejection."""
    rng = np.random.default_rng(seed)
    observation = result.observations[0]
    kept = []
    while sum(map(len, kept)) < n:
        at = rng.uniform([-50, -40], [50, 40], (20_000, 2))
        density = photon_density(result, observation, *at.T) * (
            observation.completeness.effective_at(*at.T) > 0
        )
        kept.append(at[rng.uniform(0, 8, len(at)) < density])
    return Observation(photons=Photons(np.concatenate(kept)[:n, 0], np.concatenate(kept)[:n, 1]))


def test_the_density_is_that_of_the_formula():
    result = make_truth()
    x, y = np.array([-4.0, 10.0, 200.0]), np.array([1.0, -30.0, 0.0])
    expected = np.zeros(3)
    for flux, mean, covariance in zip(
        MIXTURE.fluxes, MIXTURE.means, MIXTURE.covariances, strict=True
    ):
        total = covariance + 4 * np.eye(2)
        d = np.stack([x, y], 1) - mean
        expected += (
            flux
            * np.exp(-0.5 * np.einsum("ni,ij,nj->n", d, np.linalg.inv(total), d))
            / (2 * np.pi * np.sqrt(np.linalg.det(total)))
        )
    omega = result.observations[0].completeness.exposure_at(x, y) / result.reference_exposure
    assert_allclose(
        photon_density(result, result.observations[0], x, y), omega * (expected + 0.02), rtol=1e-12
    )


def test_expected_photons_are_the_integral_of_the_density():
    result = make_truth()
    observation = result.observations[0]
    x, y = (axis.ravel() for axis in GRID.centres())
    sum_over_cells = (
        float(
            photon_density(result, observation, x, y)
            @ observation.completeness.open_fraction.ravel()
        )
        * GRID.cell_area
    )
    assert_allclose(expected_photons(result, observation), sum_over_cells, rtol=2e-3)


def test_the_score_of_the_truth_is_its_entropy():
    result = make_truth()
    observation = result.observations[0]
    x, y = (axis.ravel() for axis in GRID.centres())
    density = photon_density(result, observation, x, y)
    expected = density * observation.completeness.open_fraction.ravel() * GRID.cell_area
    entropy = expected @ np.log(density / expected.sum()) / expected.sum()
    score = held_out_score(result, [drawn_photons(result, 20_000, 3)])
    assert 0 < score.error < 0.02
    assert abs(score.mean - entropy) < 4 * score.error


@pytest.mark.parametrize("wrong", [{"amplitude": 0.2}, {"sigma": 6.0}], ids=str)
def test_a_wrong_model_scores_less(wrong):
    photons = [drawn_photons(make_truth(), 5_000, 4)]
    best = held_out_score(make_truth(), photons)
    assert held_out_score(make_truth(**wrong), photons).mean < best.mean - 3 * best.error


def test_weights_count_photons():
    photons = drawn_photons(make_truth(), 300, 5)
    twice = Observation(
        photons=Photons(photons.photons.x, photons.photons.y, weights=np.full(300, 2.0))
    )
    repeated = Observation(
        photons=Photons(np.tile(photons.photons.x, 2), np.tile(photons.photons.y, 2))
    )
    one, two = held_out_score(make_truth(), [twice]), held_out_score(make_truth(), [repeated])
    assert_allclose(
        [one.mean, one.error, one.n_photons], [two.mean, two.error, two.n_photons], rtol=1e-12
    )


def test_observations_are_normalised_one_by_one():
    photons = drawn_photons(make_truth(), 400, 6)
    none = Observation(photons=Photons([], []))
    alone, with_another = (
        held_out_score(make_truth(), [photons]),
        held_out_score(make_truth(observations=2), [photons, none]),
    )
    assert_allclose(with_another.mean, alone.mean, rtol=1e-12)


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        (([], []), "no photon to score lies in the energy band and the field"),
        (([300.0], [0.0]), "expects nothing where 1 photon was recorded"),
    ],
    ids=["no photon", "outside the field"],
)
def test_photons_that_cannot_be_scored_are_refused(positions, message):
    with pytest.raises(DataError, match=message):
        held_out_score(make_truth(amplitude=0.0), [Observation(photons=Photons(*positions))])
