"""Point sources that are modelled: their fluxes and places, and what becomes of them in files and images."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose
from simulated import drawn, field, mixture_of

from gmmx.background import Background
from gmmx.errors import InputError
from gmmx.fit import fit_mixture
from gmmx.grid import PhysicalFrame, PixelGrid, SkyFrame
from gmmx.io.models import read_model, write_model
from gmmx.io.regions import read_regions
from gmmx.io.tables import write_table
from gmmx.mixture import POINT_SIGMA, Frozen
from gmmx.plots import plot_history, plot_result
from gmmx.psf import PsfModel
from gmmx.render import render_images
from gmmx.report import component_table, frozen_from_table, summary, summary_dict
from gmmx.shapes import Ellipse, Shapes
from gmmx.sources import PointSources

# An extended component, three point sources of which one is off its place in the list, and a flat sky.
TRUTH = mixture_of((4000, 0, 0, 12), (900, 20, 5, POINT_SIGMA), (300, -15, 18, POINT_SIGMA), (120, -25, -20, POINT_SIGMA))
LISTED = PointSources(x=np.array([20.0, -15.0, -24.0]), y=np.array([5.0, 18.0, -20.5]), reaches=np.full(3, 4.0))


@pytest.fixture(scope="module")
def observation():
    sky = Background(amplitude=0.1)
    made = drawn(TRUTH, field(100, 1.0), np.random.default_rng(3), psf=PsfModel.constant(1.5), sky=0.1, backgrounds=(sky,), name="three points")
    return replace(made, frame=SkyFrame(150.0, 60.0), physical=PhysicalFrame(x0=4096.5, y0=4096.5, step_x=0.492, step_y=0.492))


@pytest.fixture(scope="module")
def result(observation):
    return fit_mixture(observation, n_components=1, sources=LISTED, threads=1)


def points_in_order(result):
    """Fluxes, errors, means and their errors of the point sources, brightest first."""
    return tuple(values[result.points] for values in (result.mixture.fluxes, result.flux_errors, result.mixture.means, result.mean_errors))


def test_fluxes_and_places_come_back(result):
    assert result.points.sum() == 3
    assert len(result.extended) == 1
    fluxes, errors, means, mean_errors = points_in_order(result)
    truth = TRUTH.select(slice(1, 4))
    assert np.all(np.abs(fluxes - truth.fluxes) < 3.5 * errors)
    # No source is known better than by its own photons, nor much worse where it stands out.
    assert np.all(errors >= 0.99 * np.sqrt(fluxes))
    assert errors[0] < 1.2 * np.sqrt(fluxes[0])
    assert np.all(np.abs(means - truth.means) < 3.5 * mean_errors)
    assert_allclose(mean_errors[0], 1.5 / np.sqrt(fluxes[0]), rtol=0.3)
    assert abs(result.extended.fluxes[0] - 4000) < 3.5 * result.signal_error
    assert_allclose(np.linalg.eigvalsh(result.extended.covariances[0]) ** 0.5, 12, rtol=0.08)
    assert_allclose(result.point_sources.covariances, np.tile(POINT_SIGMA**2 * np.eye(2), (3, 1, 1)), rtol=1e-12)


def test_point_sources_do_not_count_among_the_components(result):
    assert result.requested_components == 1
    assert not any("were asked for" in text for text in result.warnings)
    facts = summary_dict(result)
    assert (facts["k"], facts["n_point_sources"]) == (1, 3)
    assert facts["signal_photons_reference"] == pytest.approx(result.extended.fluxes.sum())
    total = result.signal_photons + result.point_photons + result.backgrounds[0].photons
    assert total == pytest.approx(result.n_photons, rel=0.01)
    assert "3 point sources" in summary(result)


def test_history_and_figures_tell_components_from_points(result):
    assert set(result.history["k"]) == {0, 1}
    assert result.path["k"][-1] == 1
    assert any("K = 1 (1 asked for)" in axes.get_title(loc="left") for axes in plot_history(result).axes)
    assert any("K = 1   |   3 point sources" in text.get_text() for text in plot_result(result).texts)


def test_fixed_places_stay_to_the_bit(observation):
    held = fit_mixture(observation, n_components=1, sources=replace(LISTED, movable=False), threads=1)
    found = sorted(map(tuple, held.mixture.means[held.points]))
    assert found == sorted(zip(LISTED.x, LISTED.y, strict=True))
    assert np.all(held.mean_errors[held.points] == 0)


def test_a_source_that_would_leave_its_circle_stays_at_the_edge(observation):
    listed = replace(LISTED, x=LISTED.x + [0.0, 0.0, 2.0], reaches=np.array([4.0, 4.0, 1.0]))
    found = fit_mixture(observation, n_components=1, sources=listed, threads=1)
    distances = np.hypot(found.mixture.means[:, 0] - listed.x[2], found.mixture.means[:, 1] - listed.y[2])
    assert distances.min() == pytest.approx(1.0, abs=1e-9)


def test_sources_without_exposure_are_not_seen(observation):
    far = PointSources(x=np.array([0.0, 500.0]), y=np.zeros(2), reaches=np.ones(2))
    assert len(far.seen([observation], 1.0)) == 1


def test_sources_that_are_there_already_are_not_there_twice():
    apart = LISTED.apart_from(np.array([[22.0, 8.0], [-15.0, 30.0]]))
    assert_allclose(apart.x, [-15, -24])
    assert len(LISTED.apart_from(np.zeros((0, 2)))) == 3


def test_what_cannot_be_is_said(observation):
    with pytest.raises(InputError, match="need a PSF"):
        fit_mixture(replace(observation, psf=None), n_components=1, sources=LISTED)
    with pytest.raises(InputError, match="an area"):
        PointSources(x=np.zeros(1), y=np.zeros(1), reaches=np.zeros(1))
    with pytest.raises(InputError, match="covariance of a point source"):
        Frozen(fluxes=[False], means=[False], covariances=[False], points=[True])
    shapes = Shapes.of(Ellipse(1.0, 2.0, 3.0, 3.0, 0.0), Ellipse(-5.0, 0.0, 0.5, 0.5, 0.0))
    sources = PointSources.of_shapes(shapes)
    assert_allclose([sources.x, sources.y, sources.reaches], [[1, -5], [2, 0], [3, 0.5]])


def test_the_signal_has_no_points_unless_asked(result):
    grid = PixelGrid.covering((-50, 50), (-50, 50), 1.0)
    images = render_images(result, grid)
    assert images.signal.values.sum() == pytest.approx(result.extended.fluxes.sum(), rel=2e-3)
    assert images.points.values.sum() == pytest.approx(result.point_sources.fluxes.sum(), rel=2e-3)
    assert images.expected.values.sum() == pytest.approx(result.n_photons, rel=0.01)
    assert list(images.named())[-1] == "POINTS"
    both = render_images(result, grid, with_points=True)
    assert both.signal.values.sum() == pytest.approx(result.mixture.fluxes.sum(), rel=2e-3)
    assert_allclose(both.expected.values, images.expected.values)


def test_the_model_file_keeps_what_is_a_point(result, tmp_path):
    write_model(tmp_path / "model.h5", result)
    again = read_model(tmp_path / "model.h5")
    assert np.array_equal(again.points, result.points)
    assert_allclose(again.flux_errors, result.flux_errors)
    assert_allclose(again.mean_errors, result.mean_errors)


def test_the_source_list_is_read_back_as_a_mask(result, tmp_path):
    table = component_table(result)
    assert np.array_equal(np.array(table["sigma_major"]) == 0, result.points[np.array(table["component"])])
    for name in ("components.fits", "components.reg"):
        write_table(tmp_path / name, table)
        shapes = read_regions(tmp_path / name, frame=result.frame, physical=result.physical if hasattr(result, "physical") else result.observations[0].physical)
        places = result.point_sources.means
        assert shapes.contains(*places.T).all()
        assert not shapes.contains(*(places + [8.0, 0.0]).T).any()
    with fits.open(tmp_path / "components.fits") as files:
        rows = files["SRCLIST"].data
        assert_allclose(rows["NET_COUNTS"], result.point_sources.fluxes * result.observed_shares[result.points])
        assert_allclose(rows["RA_ERR"] * np.cos(np.radians(60)) * 3600, result.mean_errors[result.points, 0], rtol=1e-3)


def test_a_table_with_points_starts_another_fit(result, observation):
    mixture, frozen = frozen_from_table(component_table(result), observation.frame, 1.0, "")
    assert np.array_equal(frozen.points, result.points)
    again = fit_mixture(observation, n_components=1, frozen=(mixture, frozen), threads=1)
    assert again.requested_components == 1
    assert_allclose(again.log_likelihood, result.log_likelihood, atol=0.5)
