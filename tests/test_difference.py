"""The difference of two models: through the sky, in one unit, over the draws of both."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose
from two_models import HERE, SOURCES, THERE, make_model

from gmmx.answers.difference import (
    INDEPENDENT,
    PAIRED,
    SAME_PHOTONS,
    SHARED_PHOTONS,
    difference,
    pairing_of,
)
from gmmx.answers.one_sky import OneSky
from gmmx.errors import DataWarning, InputError
from gmmx.model.drawing import pixel_means
from gmmx.model.moving import moved_draws, moved_mixture
from gmmx.model.pointing import InputFile
from gmmx.plane.frame import SkyFrame
from gmmx.plane.grid import PixelGrid

# Half of the central interval of 68 %.
INSIDE = 0.6826894921370859
COARSE = PixelGrid.covering((-200, 200), (-200, 200), 8.0)


def half_width(drawn):
    """Half of the 68 % interval along the first axis."""
    return np.diff(np.quantile(drawn, [(1 - INSIDE) / 2, (1 + INSIDE) / 2], axis=0), axis=0)[0] / 2


def drawn_images(result, grid, frame):
    """The brightness of every draw on a grid, one after another: the slow twin."""
    draws = moved_draws(result.draws, result.frame, frame)
    return np.array(
        [
            pixel_means(one.fluxes, one.means, one.covariances, grid) / result.reference_exposure
            for one in draws.mixtures(result.points)
        ]
    )


@pytest.mark.parametrize(
    "other", [THERE, SkyFrame(150.02, 1.985, "FK5"), SkyFrame(149.97, 2.03)], ids=repr
)
def test_models_of_one_sky_in_two_planes_do_not_differ(other):
    found = difference(make_model(HERE, draws=4), make_model(other, draws=4, seed=1), COARSE)
    # FK5 and ICRS are 20 mas apart, and the components are 6 arcsec wide or more.
    assert np.abs(found.value).max() < 2e-3 * found.first.max()


@pytest.mark.parametrize("dec", [2.0, 60.0, 89.0])
@pytest.mark.parametrize("ra", [0.0, 150.0])
def test_a_component_of_another_plane_is_where_astropy_puts_it(ra, dec):
    old = SkyFrame(ra, dec)
    new = SkyFrame((ra - 0.1) % 360, dec - 0.05)
    here = make_model(HERE).mixture.select([0])
    moved = moved_mixture(here, old, new)
    x, y = here.means.T
    sky = SkyCoord(*old.to_sky(x, y), unit="deg")
    offsets = SkyCoord(new.ra0, new.dec0, unit="deg").skyoffset_frame()
    lon, lat = (getattr(sky.transform_to(offsets), axis).rad for axis in ("lon", "lat"))
    expected = np.array([-np.tan(lon), np.tan(lat) / np.cos(lon)]) * 206264.80624709636
    assert_allclose(moved.means.T, expected, atol=1e-6)
    # The area of an ellipse stays, and north turns by the convergence of the meridians.
    assert_allclose(np.linalg.det(moved.covariances), np.linalg.det(here.covariances), rtol=3e-5)
    turn = np.radians(new.north(*moved.means[0]) - old.north(*here.means[0]))
    c, s = np.cos(turn), np.sin(turn)
    rotation = np.array([[c, -s], [s, c]])
    assert_allclose(
        moved.covariances[0], rotation @ here.covariances[0] @ rotation.T, rtol=1e-4, atol=1e-3
    )


def test_the_peak_of_either_model_is_within_half_a_pixel_of_its_position():
    found = difference(make_model(HERE, draws=2), make_model(THERE, draws=2, seed=1), COARSE)
    ra, dec = SOURCES[0][:2]
    expected = found.grid.to_pixels(*HERE.to_plane(ra, dec))
    for values in (found.first, found.second):
        iy, ix = np.unravel_index(np.argmax(values), values.shape)
        assert np.hypot(ix - expected[0], iy - expected[1]) < 0.5 * np.sqrt(2)


def test_independent_errors_add_in_quadrature():
    one, other = make_model(HERE, draws=20), make_model(THERE, draws=20, seed=1)
    grid = PixelGrid.covering((-60, 60), (-60, 60), 8.0)
    found = difference(one, other, grid)
    assert found.pairing == INDEPENDENT
    expected = [half_width(drawn_images(model, grid, HERE)) for model in (one, other)]
    assert_allclose(found.errors, expected, rtol=1e-9, atol=1e-15)
    assert_allclose(found.error, np.hypot(*expected), rtol=1e-9, atol=1e-15)
    assert_allclose(found.profile_difference.error, _quadrature(found.profiles), rtol=1e-9)


def _quadrature(profiles):
    low = np.hypot(profiles[0].value - profiles[0].lower68, profiles[1].upper68 - profiles[1].value)
    high = np.hypot(
        profiles[0].upper68 - profiles[0].value, profiles[1].value - profiles[1].lower68
    )
    return (low + high) / 2


def test_paired_draws_are_subtracted_draw_by_draw():
    one = make_model(HERE, draws=20)
    one = replace(one, draws=replace(one.draws, method="bootstrap"))
    other = replace(one, draws=replace(one.draws, fluxes=0.9 * one.draws.fluxes))
    grid = PixelGrid.covering((-60, 60), (-60, 60), 8.0)
    found = difference(one, other, grid)
    assert found.pairing == PAIRED
    expected = 0.1 * half_width(drawn_images(one, grid, HERE))
    assert_allclose(found.error, expected, rtol=1e-6, atol=1e-16)
    assert_allclose(found.profile_difference.error, 0.1 * found.profiles[0].error, rtol=1e-6)


def make_pair(case):
    """Two models whose photons and draws are related as the case says."""
    one, other = make_model(HERE, draws=3), make_model(HERE, draws=3)
    file = InputFile("events", "evt2.fits", "ab" * 32)
    if case in (PAIRED, "another seed"):
        one, other = (
            replace(m, draws=replace(m.draws, method="bootstrap", seed=seed))
            for m, seed in ((one, 1), (other, 1 if case == PAIRED else 2))
        )
    if case in (SHARED_PHOTONS, "another band"):
        band = (0.5, 2.0) if case == SHARED_PHOTONS else (2.0, 7.0)
        one, other = (make_with_file(seed, file, its) for seed, its in ((0, (0.5, 2.0)), (1, band)))
    if case == INDEPENDENT:
        other = make_model(HERE, draws=3, seed=1)
    return one, other


def make_with_file(seed, file, band):
    """A model of photons from a file in a band."""
    model = make_model(HERE, band=band, draws=3, seed=seed)
    o = model.observations[0]
    return replace(model, observations=(replace(o, pointing=o.pointing.with_inputs(file)),))


@pytest.mark.parametrize(
    ("case", "pairing"),
    [
        (PAIRED, PAIRED),
        ("another seed", SAME_PHOTONS),
        ("laplace", SAME_PHOTONS),
        (SHARED_PHOTONS, SHARED_PHOTONS),
        ("another band", INDEPENDENT),
        (INDEPENDENT, INDEPENDENT),
    ],
)
def test_draws_are_paired_only_where_one_bootstrap_made_them(case, pairing):
    assert pairing_of(*make_pair(case)) == pairing


def test_the_same_photons_in_another_plane_are_the_same():
    one = make_model(HERE)
    o = one.observations[0]
    x, y = HERE.to_frame(THERE, o.photons.x, o.photons.y)
    photons = replace(o.photons, x=x, y=y)
    other = replace(one, observations=(replace(o, photons=photons, frame=THERE),))
    assert pairing_of(one, other) == SAME_PHOTONS


def test_a_brighter_model_differs_by_its_flux():
    found = difference(
        make_model(HERE, draws=3), make_model(THERE, fluxes=(3000, 1500), draws=3), COARSE
    )
    total = found.value.sum() * found.grid.cell_area
    assert_allclose(total, -500 / 1e7, rtol=1e-3)


def test_profiles_hold_the_brightness_of_each_model():
    found = difference(
        make_model(HERE, fluxes=(3000,), draws=3), make_model(THERE, draws=3), COARSE
    )
    enclosed = found.profiles[0].value @ found.rings.areas()
    assert_allclose(enclosed, 3000 / 1e7, rtol=1e-6)


def test_where_not_both_were_observed_there_is_no_significance():
    found = difference(
        make_model(HERE, draws=3), make_model(THERE, draws=3, fluxes=(1.0, 1.0)), COARSE
    )
    x, y = HERE.to_frame(THERE, *found.grid.centres())
    off = (np.abs(x) > 202) | (np.abs(y) > 202)
    assert np.isnan(found.significance()[off]).all()
    assert found.largest() > 1


@pytest.mark.parametrize("empty", [0, 1])
def test_a_model_without_components_is_compared_as_nothing(empty):
    fluxes = [(3000.0, 1000.0), (3000.0, 1000.0)]
    fluxes[empty] = ()
    one, other = (make_model(HERE, fluxes=its, draws=4) for its in fluxes)
    one, other = (replace(m, draws=None) if not len(m.mixture) else m for m in (one, other))
    found = difference(one, other, COARSE)
    assert (found.first, found.second)[empty].max() == 0
    assert found.largest() > 1


def test_a_difference_is_the_negative_of_its_reverse():
    one, other = make_model(HERE, draws=5), make_model(HERE, draws=5, seed=1, fluxes=(2000, 2000))
    forth, back = difference(one, other, COARSE), difference(other, one, COARSE)
    assert_allclose(forth.value, -back.value)
    assert_allclose(forth.error, back.error)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: make_model(SkyFrame(151.0, 2.0)), "do not overlap.*59.96 arcmin apart"),
        (lambda: make_elsewhere(SkyFrame(330.0, -2.0)), "do not overlap.*180 degrees apart"),
        (lambda: make_model(HERE, exposure_unit="s"), "the unit cm.* and the unit s"),
        (lambda: make_without_frame(), "some models have coordinates of the sky"),
    ],
)
def test_models_that_cannot_be_compared_are_refused(other, message):
    with pytest.raises(InputError, match=message) as caught:
        OneSky.of([make_model(HERE), other()])
    assert "\n" not in str(caught.value)


def make_elsewhere(frame):
    """The same model about another tangent point."""
    model = make_model(HERE)
    return replace(model, observations=(replace(model.observations[0], frame=frame),))


def make_without_frame():
    """A model without celestial coordinates."""
    model = make_model(HERE)
    return replace(model, observations=(replace(model.observations[0], frame=None),))


def test_different_energies_are_told():
    with pytest.warns(DataWarning, match="different energies .0.5-2 keV and 2-7 keV"):
        difference(
            make_model(HERE, draws=3), make_model(THERE, draws=3, band=(2, 7), seed=1), COARSE
        )


def test_draws_of_the_same_photons_are_paired_if_they_are_not():
    one, other = make_pair("laplace")
    found = difference(one, other, COARSE)
    assert found.pairing == PAIRED
    # The models are the same, so that their difference is known to be zero.
    assert_allclose(found.error, 0.0, atol=1e-12 * found.errors.max())
    assert found.errors.max() > 0


def test_the_profile_is_about_the_brightest_place_of_the_part_that_is_shown():
    ra, dec = SOURCES[1][:2]
    x, y = HERE.to_plane(ra, dec)
    grid = PixelGrid.covering((x - 20, x + 20), (y - 20, y + 20), 1.0)
    found = difference(make_model(HERE, draws=3), make_model(THERE, draws=3, seed=1), grid)
    assert_allclose(found.rings.centre, [x, y], atol=1.5)
    assert found.rings.edges[-1] < 40
