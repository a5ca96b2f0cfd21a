"""Where fits start: random places, and what another fit found."""

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


def sky(seed=0):
    return drawn(
        TWO, field(120, 2.0), np.random.default_rng(seed), sky=0.03, backgrounds=(Background(),)
    )


def test_a_start_must_not_have_more_components_than_asked_for():
    with pytest.raises(InputError, match="`n_components` = 1, but the fit starts from 2 components"):
        fit(sky(), n_components=1, start=TWO)


def test_going_on_from_a_converged_fit_changes_nothing():
    first = fit(sky(), n_components=2, threads=1, tol=1e-3)
    mixture, observations = carried(first, first.observations, first.reference_exposure)
    again = fit(observations, start=mixture, threads=1, tol=1e-3)
    assert abs(again.objective - first.objective) < 2e-3
    assert again.requested_components == 2
    assert_allclose(again.mixture.means, first.mixture.means, atol=0.01)
    assert_allclose(again.mixture.fluxes, first.mixture.fluxes, rtol=1e-3)
    assert again.backgrounds[0].photons == pytest.approx(first.backgrounds[0].photons, rel=1e-3)


def test_a_start_grows_to_the_number_asked_for():
    result = fit(sky(), n_components=2, start=TWO.select([0]), threads=1)
    assert len(result.mixture) == 2
    assert_allclose(result.mixture.means, TWO.means, atol=2)


def test_a_model_goes_through_the_sky_into_another_plane():
    mixture, old, new = make_mixture(4), SkyFrame(202.47, 67.195), SkyFrame(202.9, 67.1)
    seen = make_observation(kinds=("sky", "particle"))
    model = make_result([seen], mixture)
    object.__setattr__(seen, "frame", old)
    other = make_observation(1, kinds=("sky", "particle"))
    object.__setattr__(other, "frame", new)
    reference = 2 * model.reference_exposure
    moved, (started,) = carried(model, [other], reference)
    assert_allclose(moved.fluxes, 2 * mixture.fluxes)
    assert_allclose(new.to_sky(*moved.means.T), old.to_sky(*mixture.means.T), rtol=1e-12)
    # A point one sigma along the major axis ends one sigma along the new one's.
    values, vectors = np.linalg.eigh(mixture.covariances)
    tips = mixture.means + np.sqrt(values[:, 1, None]) * vectors[:, :, 1]
    tips = np.stack(new.to_plane(*old.to_sky(*tips.T)), 1) - moved.means
    assert_allclose(
        np.einsum("ki,kij,kj->k", tips, np.linalg.inv(moved.covariances), tips), 1, rtol=1e-4
    )
    turned = np.degrees(
        np.arctan2(tips[:, 1], tips[:, 0]) - np.arctan2(vectors[:, 1, 1], vectors[:, 0, 1])
    )
    assert np.all(np.abs(turned) > 0.1)
    # The photons are said to be of the same file: the sky's level follows the reference exposure, the particles' does not.
    assert [b.amplitude for b in started.backgrounds] == pytest.approx([0.02, 0.02])


def test_another_file_keeps_its_own_backgrounds():
    model = make_result([make_observation()], make_mixture(2))
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
    model = make_result([make_observation(unit="s")], make_mixture(2))
    mixture, _ = carried(model, [make_observation()], 7 * model.reference_exposure)
    assert_array_equal(mixture.fluxes, model.mixture.fluxes)


def test_a_model_of_the_other_side_of_the_sky_is_refused():
    model, other = make_result([make_observation()], make_mixture(2)), make_observation()
    object.__setattr__(other, "frame", SkyFrame(22.47, -47.195))
    with pytest.raises(InputError, match="other side of the sky"):
        carried(model, [other], reference_exposure([other.completeness]))


def test_what_is_held_must_not_lie_below_the_floor():
    prepared = PhotonLikelihood.of([sky()])
    narrow = mixture_of((10, 0, 0, 0.05), (10, 5, 5, 0.05))
    free = with_given(prepared, background_only(prepared), narrow, 0.1, fixed=Fixed.none(2))
    assert_allclose(free.mixture.covariances[:, 0, 0], 0.01)
    held = Fixed(fluxes=[False] * 2, means=[True] * 2, covariances=[False, True])
    with pytest.raises(
        InputError, match=r"component 1 has a fixed covariance with a sigma of 0\.05 arcsec, below the floor"
    ):
        with_given(prepared, background_only(prepared), narrow, 0.1, fixed=held)
    assert (
        len(
            with_given(
                prepared, background_only(prepared), Mixture.empty(), 0.1, fixed=Fixed.none(0)
            ).mixture
        )
        == 0
    )
