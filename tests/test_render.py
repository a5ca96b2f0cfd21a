"""Images of fits: units, sums, gaps, and the ray-traced truth."""

from dataclasses import replace

import numpy as np
import pytest
from handmade import galaxy_truth, make_mixture, make_observation, make_result
from numpy.testing import assert_allclose, assert_array_equal

from gmmx.answers.canvas import output_grid
from gmmx.answers.images import render
from gmmx.answers.residuals import poisson_residual
from gmmx.errors import InputError
from gmmx.model.background import Background
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.plane.grid import PixelGrid


@pytest.fixture(scope="module")
def fitted():
    """One observation with three components."""
    return make_result([make_observation()], make_mixture())


@pytest.mark.parametrize(
    ("with_psf", "words"),
    [
        ((True,), "The deconvolved sky in"),
        ((False,), "blurred by the telescope because no PSF was given"),
        ((True, False), "deconvolved in 1 of 2 observations, the others had no PSF"),
    ],
)
def test_a_signal_is_called_deconvolved_only_where_there_was_a_psf(with_psf, words):
    one = make_observation()
    observations = [one if given else replace(one, psf=None) for given in with_psf]
    signal = render(make_result(observations, make_mixture())).signal
    assert words in " ".join(signal.comments)


@pytest.mark.parametrize("name", ["signal", "signal_psf"])
def test_all_units_show_one_sky(fitted, name):
    counts, flux, sb = (getattr(render(fitted, units=u), name) for u in ("counts", "flux", "sb"))
    assert_allclose(flux.values * fitted.reference_exposure, counts.values, rtol=1e-12)
    assert_allclose(sb.values * sb.grid.cell_area, flux.values, rtol=1e-12)
    assert (counts.unit, flux.unit, sb.unit) == (
        "photon/pixel",
        "photon/cm**2/s/pixel",
        "photon/cm**2/s/arcsec**2",
    )


@pytest.mark.parametrize(
    ("name", "unit"),
    [("completeness", ""), ("expected", "count"), ("counts", "count"), ("residual", "")],
)
def test_counts_stay_counts_whatever_the_units(fitted, name, unit):
    counts, flux = (getattr(render(fitted, units=u), name) for u in ("counts", "flux"))
    assert_array_equal(flux.values, counts.values)
    assert counts.unit == flux.unit == unit


def test_the_signal_holds_all_fluxes(fitted):
    assert render(fitted).signal.values.sum() == pytest.approx(
        fitted.mixture.fluxes.sum(), rel=1e-3
    )


@pytest.mark.parametrize("unit", ["", "s", "cm**2"])
def test_a_flux_needs_area_and_time(unit):
    result = make_result([make_observation(unit=unit)], make_mixture())
    with pytest.raises(InputError, match="an area times a time"):
        render(result, units="flux")
    assert render(result, units="counts").signal.unit == "photon/pixel"


def test_unknown_units_are_refused():
    with pytest.raises(InputError, match="`units` is one of counts, flux, sb, got 'photons'"):
        render(make_result([make_observation()]), units="photons")


def test_expected_counts_are_signal_and_background_through_the_telescope():
    observation = make_observation(kinds=("sky", "particle", "file"))
    result = make_result([observation], make_mixture())
    images = render(result)
    c, area = observation.completeness, images.signal.grid.cell_area
    omega, field = c.effective / 1e7, c.exposure > 0
    shape = observation.backgrounds[2].template.values
    assert_allclose(images.completeness.values, omega, atol=1e-12)
    background = 0.01 * omega + (0.02 + 0.03 * shape) * c.open_fraction * field
    assert_allclose(images.background.values, background * area, rtol=1e-12)
    assert_allclose(
        images.expected.values,
        images.completeness.values * images.signal_psf.values + images.background.values,
        rtol=1e-12,
    )
    assert images.expected.values[20, 30] == 0


@pytest.mark.parametrize("units", ["flux", "sb"])
def test_a_background_in_flux_units_has_no_exposure_gap_or_mask(units):
    observation = make_observation(kinds=("sky", "particle"))
    result = make_result([observation], make_mixture())
    images, counts = render(result, units=units), render(result)
    c, area = observation.completeness, images.signal.grid.cell_area
    omega = c.exposure / 1e7
    brightness = np.where(omega > 0, 0.01 + 0.02 / np.where(omega > 0, omega, 1), 0) / 1e7
    per_pixel = area if units == "flux" else 1.0
    assert_allclose(images.background.values, brightness * per_pixel, rtol=1e-12)
    assert images.background.unit == images.signal.unit
    # The sum that the headers give, where nothing is masked.
    scale = 1e7 * area / per_pixel
    together = images.signal_psf.values + images.background.values
    unmasked = c.open_fraction == 1
    assert_allclose(
        (images.completeness.values * scale * together)[unmasked],
        counts.expected.values[unmasked],
        rtol=1e-12,
    )


def test_counts_are_the_photons_with_their_weights():
    observation = make_observation()
    images = render(make_result([observation]))
    assert images.counts.values.sum() == pytest.approx(observation.n_photons, rel=1e-12)
    assert_allclose(
        images.counts.values,
        observation.completeness.grid.histogram(
            observation.photons.x, observation.photons.y, observation.photons.weights
        ),
    )


def test_no_component_leaves_the_background():
    images = render(make_result([make_observation()]))
    assert images.signal.values.max() == 0
    assert images.expected.values.max() == pytest.approx(0.01 * 4)


@pytest.fixture(scope="module")
def fine_and_coarse():
    """The same images on the map's own pixels and on blocks of 2 x 2."""
    result = make_result([make_observation(kinds=("sky", "file"))], make_mixture())
    fine = render(result)
    origin = fine.signal.grid.to_plane(0.5, 0.5)
    return fine, render(result, PixelGrid(shape=(25, 30), origin=origin, matrix=4 * np.eye(2)))


@pytest.mark.parametrize("name", ["signal", "signal_psf", "background", "counts"])
def test_coarser_pixels_hold_the_same_photons(fine_and_coarse, name):
    fine, coarse = (getattr(images, name).values for images in fine_and_coarse)
    blocks = fine.reshape(25, 2, 30, 2).sum((1, 3))
    assert_allclose(coarse, blocks, rtol=0, atol=3e-3 * blocks.max())


def test_coarser_pixels_have_the_mean_completeness(fine_and_coarse):
    fine, coarse = (images.completeness.values for images in fine_and_coarse)
    assert_allclose(coarse, fine.reshape(25, 2, 30, 2).mean((1, 3)), atol=1e-12)


@pytest.mark.parametrize("name", ["completeness", "expected", "counts", "background"])
def test_a_joint_fit_sums_over_observations(name):
    pair = make_observation(1, name="one"), make_observation(2, name="two", rotation=0.5)
    joint = make_result(pair, make_mixture(), reference_exposure=2e7)
    grid = pair[0].completeness.grid
    parts = [getattr(render(replace(joint, observations=(o,)), grid), name) for o in pair]
    image = getattr(render(joint, grid), name).values
    assert_allclose(image, sum(part.values for part in parts), rtol=1e-12, atol=1e-15)
    if name == "completeness":
        assert image.max() <= 1


@pytest.mark.parametrize("index", [0, 1])
def test_the_grid_of_a_joint_fit_covers_every_map(index):
    pair = make_observation(1, name="one"), make_observation(2, name="two", rotation=0.5)
    whole = output_grid(make_result(pair))
    own = pair[index].completeness.grid
    ny, nx = own.shape
    corners = own.to_plane(
        np.array([-0.5, nx - 0.5, -0.5, nx - 0.5]), np.array([-0.5, -0.5, ny - 0.5, ny - 0.5])
    )
    ix, iy = whole.to_pixels(*corners)
    assert min(ix.min(), iy.min()) > -0.52
    assert ix.max() < whole.shape[1] - 0.48
    assert iy.max() < whole.shape[0] - 0.48


def test_the_grid_of_a_joint_fit_keeps_the_pixels_of_the_first_map():
    pair = make_observation(1, name="one"), make_observation(2, name="two", rotation=0.5)
    whole = output_grid(make_result(pair))
    ix, iy = whole.to_pixels(*pair[0].completeness.grid.to_plane(0, 0))
    assert_allclose([ix, iy], np.round([ix, iy]), atol=1e-9)


def test_the_grid_of_one_observation_is_its_map():
    observation = make_observation()
    result = make_result([observation])
    grid = output_grid(result)
    assert grid.shape == (50, 60)
    assert_allclose(grid.origin, observation.completeness.grid.origin, atol=1e-12)
    binned = output_grid(result, bin=5.0)
    assert binned.shape == (20, 24)
    assert_allclose(binned.extent(), grid.extent(), atol=1e-9)


@pytest.mark.parametrize("bin", [0.0, -1.0, np.nan, np.inf])
def test_a_pixel_size_must_be_positive(bin):
    with pytest.raises(InputError, match="pixel size must be positive"):
        output_grid(make_result([make_observation()]), bin=bin)


def test_an_absurdly_large_image_is_refused():
    with pytest.raises(
        InputError, match=r"120 x 100 arcsec in pixels of 0\.01 arcsec would have 1\.2e\+08 pixels"
    ):
        output_grid(make_result([make_observation()]), bin=0.01)


@pytest.mark.parametrize("bin", [None, 3.0])
@pytest.mark.parametrize("name", ["SIGNAL", "COMPLETENESS", "RESIDUAL"])
def test_images_are_arrays_with_the_wcs_of_the_fit(name, bin):
    result = make_result([make_observation(rotation=0.3)], make_mixture())
    image = render(result, output_grid(result, bin=bin)).as_dict()[name]
    assert np.asarray(image).shape == image.shape
    x, y = result.mixture.means[0]
    ra, dec = result.frame.to_sky(x, y)
    assert_allclose(image.wcs.all_world2pix(ra, dec, 0), image.grid.to_pixels(x, y), atol=1e-6)


def test_images_name_themselves(fitted):
    images = render(fitted)
    assert repr(images).startswith("RenderedImages(SIGNAL, SIGNAL_PSF, BACKGROUND, COMPLETENESS")
    assert "60 x 50 pixels" in repr(images)


def test_without_maps_the_images_cover_the_photons():
    mixture = Mixture(fluxes=[300.0], means=[[5.0, 5.0]], covariances=[2 * np.eye(2)])
    positions = mixture.sample(300, np.random.default_rng(2))
    result = make_result(
        [Observation(photons=Photons(positions[:, 0], positions[:, 1]))],
        mixture,
    )
    images = render(result)
    assert images.counts.values.sum() == 300
    assert_array_equal(images.completeness.values, np.ones(images.counts.grid.shape))
    with pytest.raises(InputError, match="neither photons nor an exposure map"):
        output_grid(make_result([Observation(photons=Photons([], []))]))


@pytest.mark.parametrize(
    ("counts", "expected", "residual"),
    [(0.0, 2.0, -2.0), (4.0, 4.0, 0.0), (5.0, 0.0, 0.0), (3.0, 3.0, 0.0)],
)
def test_the_residual_is_the_signed_root_of_the_deviance(counts, expected, residual):
    found = poisson_residual(np.array([counts]), np.array([expected]))
    assert_allclose(found, residual, atol=1e-12)


def test_the_residual_of_a_true_model_is_a_normal_deviate():
    rng = np.random.default_rng(6)
    draws = poisson_residual(rng.poisson(50.0, 20000).astype(float), np.full(20000, 50.0))
    assert draws.mean() == pytest.approx(0, abs=0.05)
    assert draws.std() == pytest.approx(1, abs=0.02)


def test_a_background_that_is_not_fitted_makes_no_photon():
    observation = replace(make_observation(), backgrounds=(Background(name="sky"),))
    images = render(make_result([observation]))
    assert images.expected.values.max() == 0


def test_the_galaxy_is_drawn_as_in_its_true_image(shared_data):
    from astropy.io import fits

    folder = shared_data / "marx" / "galaxy"
    result = galaxy_truth(folder)
    with fits.open(folder / "truth.fits.gz") as hdus:
        header, truth = hdus[0].header, hdus[0].data.astype(np.float64)
    # The truth has a tangent point of its own, 1.8 arcmin away: over its 14 arcmin the planes
    # differ by less than a hundredth of a pixel.
    ny, nx = truth.shape
    step = header["CDELT2"] * 3600
    own = result.frame.__class__(header["CRVAL1"], header["CRVAL2"])
    ix, iy = np.meshgrid(np.linspace(0, nx - 1, 9), np.linspace(0, ny - 1, 9))
    x, y = result.frame.to_plane(
        *own.to_sky((ix + 1 - header["CRPIX1"]) * step, (iy + 1 - header["CRPIX2"]) * step)
    )
    design = np.stack([np.ones(ix.size), ix.ravel(), iy.ravel()], axis=1)
    fit, *_ = np.linalg.lstsq(design, np.stack([x.ravel(), y.ravel()], axis=1), rcond=None)
    grid = PixelGrid(shape=truth.shape, origin=fit[0], matrix=fit[1:].T)
    drawn = render(result, grid, units="sb").signal.values
    assert 0.5 * abs(drawn - truth).sum() / truth.sum() < 0.002
    assert drawn.sum() * grid.cell_area == pytest.approx(truth.sum() * step**2, rel=1e-4)


@pytest.fixture(scope="module")
def joint():
    """Two observations with different backgrounds, turned against each other."""
    kinds = ("sky", "particle", "file")
    pair = make_observation(), make_observation(1, rotation=0.6, name="other", kinds=kinds)
    return make_result(pair, make_mixture(), reference_exposure=2e7)


@pytest.mark.parametrize("name", ["expected", "counts"])
def test_the_images_of_each_observation_add_up(joint, name):
    images = render(joint)
    parts = [getattr(its, name).values for its in images.each]
    assert len(parts) == 2
    assert_allclose(sum(parts), getattr(images, name).values, rtol=1e-12)


@pytest.mark.parametrize("name", ["expected", "counts", "residual"])
@pytest.mark.parametrize("index", [0, 1])
def test_each_observation_is_drawn_as_if_it_were_alone(joint, index, name):
    # Only the reference exposure, which fluxes refer to, is that of the joint fit.
    images = render(joint)
    alone = render(replace(joint, observations=(joint.observations[index],)), images.expected.grid)
    assert alone.each == ()
    its, own = getattr(images.each[index], name).values, getattr(alone, name).values
    assert_allclose(its, own, rtol=1e-12, atol=1e-14)


def test_the_images_of_each_observation_have_names(joint):
    assert list(render(joint).as_dict())[-7:] == [
        "RESIDUAL",
        *(f"{name}_{i}" for i in (1, 2) for name in ("EXPECTED", "COUNTS", "RESIDUAL")),
    ]
