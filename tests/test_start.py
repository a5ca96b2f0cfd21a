"""Where fits start: given components, and the result of another fit."""

from dataclasses import replace

import numpy as np
import pytest
from handmade import make_mixture, make_observation, make_result
from numpy.testing import assert_allclose, assert_array_equal
from simulated import drawn, field, mixture_of

from gmmx.em.photons import PhotonLikelihood
from gmmx.errors import InputError
from gmmx.fitting.carry import carried
from gmmx.fitting.driver import fit
from gmmx.fitting.start import background_only, with_given
from gmmx.model.background import Background
from gmmx.model.completeness import reference_exposure
from gmmx.model.mixture import Fixed, Mixture
from gmmx.model.pointing import InputFile
from gmmx.plane.frame import SkyFrame

TWO = mixture_of((800, -20, -10, 4), (500, 15, 20, 6))
NARROW = mixture_of((10, 0, 0, 0.05), (10, 5, 5, 0.05))


@pytest.fixture(scope="module")
def observation():
    rng = np.random.default_rng(0)
    return drawn(TWO, field(120, 2.0), rng, sky=0.03, backgrounds=(Background(),))


@pytest.fixture(scope="module")
def background(observation):
    """The photons of the observation, and the start that has no component."""
    likelihood = PhotonLikelihood.of([observation])
    return likelihood, background_only(likelihood)


def make_model(observation, mixture):
    """A result whose photons are those of the observation."""
    return make_result([observation], mixture)


def test_a_start_must_not_have_more_components_than_asked_for(observation):
    with pytest.raises(InputError, match="`n_components` = 1, but the fit starts from 2 comp"):
        fit(observation, n_components=1, start=TWO)


def test_a_converged_fit_that_is_resumed_changes_nothing(observation):
    first = fit(observation, n_components=2, threads=1, tol=1e-3)
    mixture, observations = carried(first, first.observations, first.reference_exposure)
    again = fit(observations, start=mixture, threads=1, tol=1e-3)
    assert abs(again.objective - first.objective) < 2e-3
    assert again.requested_components == 2
    assert_allclose(again.mixture.means, first.mixture.means, atol=0.01)
    assert_allclose(again.mixture.fluxes, first.mixture.fluxes, rtol=1e-3)
    assert again.backgrounds[0].photons == pytest.approx(first.backgrounds[0].photons, rel=1e-3)


def test_a_start_grows_to_the_number_asked_for(observation):
    result = fit(observation, n_components=2, start=TWO.select([0]), threads=1)
    assert len(result.mixture) == 2
    assert_allclose(result.mixture.means, TWO.means, atol=2)


class TestAnotherTangentPlane:
    """A model whose tangent point is 10 arcmin away, at declination 67."""

    old, new = SkyFrame(202.47, 67.195), SkyFrame(202.9, 67.1)

    @pytest.fixture
    def carried_over(self):
        kinds = ("sky", "particle")
        mixture = make_mixture(4)
        model = make_model(replace(make_observation(kinds=kinds), frame=self.old), mixture)
        other = replace(make_observation(1, kinds=kinds), frame=self.new)
        moved, (started,) = carried(model, [other], 2 * model.reference_exposure)
        return mixture, moved, started

    def test_means_go_through_the_sky(self, carried_over):
        mixture, moved, _ = carried_over
        here, there = self.new.to_sky(*moved.means.T), self.old.to_sky(*mixture.means.T)
        assert_allclose(here, there, rtol=1e-12)

    def test_fluxes_follow_the_reference_exposure(self, carried_over):
        mixture, moved, _ = carried_over
        assert_allclose(moved.fluxes, 2 * mixture.fluxes)

    def test_ellipses_turn_with_the_plane(self, carried_over):
        mixture, moved, _ = carried_over
        values, vectors = np.linalg.eigh(mixture.covariances)
        axes = np.sqrt(values[:, 1, None]) * vectors[:, :, 1]
        tips = self.new.to_plane(*self.old.to_sky(*(mixture.means + axes).T))
        tips = np.stack(tips, 1) - moved.means
        # A point one sigma along the major axis ends one sigma along the new one.
        distances = np.einsum("ki,kij,kj->k", tips, np.linalg.inv(moved.covariances), tips)
        assert_allclose(distances, 1, rtol=1e-4)
        turned = np.arctan2(tips[:, 1], tips[:, 0]) - np.arctan2(axes[:, 1], axes[:, 0])
        assert np.all(np.abs(np.degrees(turned)) > 0.1)

    def test_only_the_sky_background_follows_the_reference_exposure(self, carried_over):
        _, _, started = carried_over
        assert [b.amplitude for b in started.backgrounds] == pytest.approx([0.02, 0.02])


def test_photons_of_another_file_start_with_their_own_backgrounds():
    model = make_model(make_observation(), make_mixture(2))
    other = make_observation(1)
    events = InputFile("events", "evt2.fits", "cd" * 32)
    other = replace(
        other,
        pointing=replace(other.pointing, inputs=(events,)),
        backgrounds=(Background(name="sky", kind="sky"),),
    )
    mixture, (started,) = carried(model, [other], model.reference_exposure)
    assert started.backgrounds[0].amplitude is None
    assert_array_equal(mixture.means, model.mixture.means)
    assert_array_equal(mixture.fluxes, model.mixture.fluxes)


def test_exposures_without_a_common_unit_keep_the_photons():
    model = make_model(make_observation(unit="s"), make_mixture(2))
    mixture, _ = carried(model, [make_observation()], 7 * model.reference_exposure)
    assert_array_equal(mixture.fluxes, model.mixture.fluxes)


def test_a_model_of_the_other_side_of_the_sky_is_refused():
    model = make_model(make_observation(), make_mixture(2))
    other = replace(make_observation(), frame=SkyFrame(22.47, -47.195))
    with pytest.raises(InputError, match="other side of the sky"):
        carried(model, [other], reference_exposure([other.completeness]))


def test_free_covariances_are_raised_to_the_floor(background):
    start = with_given(*background, NARROW, 0.1, fixed=Fixed.none(2))
    assert_allclose(start.mixture.covariances[:, 0, 0], 0.01)


def test_fixed_covariances_must_not_lie_below_the_floor(background):
    fixed = Fixed(fluxes=[False] * 2, means=[True] * 2, covariances=[False, True])
    said = r"component 1 has a fixed covariance with a sigma of 0\.05 arcsec, below the floor"
    with pytest.raises(InputError, match=said):
        with_given(*background, NARROW, 0.1, fixed=fixed)


def test_a_start_may_have_no_component(background):
    start = with_given(*background, Mixture.empty(), 0.1, fixed=Fixed.none(0))
    assert len(start.mixture) == 0
