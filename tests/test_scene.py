"""The numbers behind the panels of a figure."""

from dataclasses import replace

import numpy as np
from numpy.testing import assert_allclose
from true_result import make_true_result

from gmmx.answers.scene import Scene


def test_profile_of_a_perfect_model_agrees_with_its_photons():
    chi2, n = 0.0, 0
    for seed in range(4):
        profile = Scene(make_true_result(seed)).profile()
        pulls = (profile.counts - profile.expected) / np.sqrt(profile.expected)
        assert np.abs(pulls).max() < 4.5
        chi2, n = chi2 + (pulls**2).sum(), n + len(pulls)
    assert n > 60
    assert abs(chi2 / n - 1) < 5 * np.sqrt(2 / n)


def test_profile_counts_every_photon_once_and_its_parts_add_up():
    result = make_true_result()
    scene = Scene(result)
    profile = scene.profile()
    assert_allclose(profile.counts.sum(), result.n_photons)
    assert_allclose(profile.expected.sum(), scene.images.expected.values.sum())
    assert_allclose(profile.signal + profile.background, profile.model)
    assert_allclose(profile.background, 0.08, rtol=1e-6)
    assert np.all(profile.low[1:] == profile.high[:-1])


def test_profile_is_centred_on_the_brightest_emission():
    result = make_true_result()
    centre = Scene(result).centre()
    # The compact component is the brighter per area: 12 photons / arcsec**2 against 1.8.
    assert np.hypot(centre[0] - 30, centre[1] + 60) < 3


def test_residual_shows_what_the_model_lacks():
    result = make_true_result()
    ones = {name: np.ones(1) for name in ("observed_fraction", "observed_photons", "prior_scales")}
    none = dict.fromkeys(("flux_errors", "mean_errors", "flux_upper95"))
    result = replace(result, mixture=result.mixture.select([0]), **none, **ones)
    blocks = Scene(result).residual_blocks()
    ix, iy, _ = blocks.grid.locate(30, -60)
    assert blocks.values[iy, ix] > 8


def test_whole_scene_fills_gaps_and_masks():
    scene = Scene(make_true_result())
    ix, iy, _ = scene.grid.locate(np.array([60.0, 40, 0]), np.array([150.0, 40, 150]))
    assert_allclose(scene.images.completeness.values[iy[:2], ix[:2]], 0, atol=1e-12)
    assert np.all(scene.whole[iy, ix] >= 0.08)
    assert_allclose(scene.background, 0.08)


def test_smoothed_photons_keep_their_number():
    scene = Scene(make_true_result())
    smooth, kernel = scene.smoothed
    assert 1.5 < kernel < 12
    assert_allclose(smooth.sum() * scene.grid.cell_area, scene.result.n_photons, rtol=0.01)


def test_large_maps_are_drawn_coarsely_and_stay_true():
    scene = Scene(make_true_result(step=0.4))
    assert max(scene.grid.shape) <= 701
    assert_allclose(scene.grid.step, 0.8)
    assert_allclose(scene.images.counts.values.sum(), scene.result.n_photons)
