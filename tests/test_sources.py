"""Point sources that are modelled: their fluxes and places, and what becomes of them in files and images."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose
from simulated import drawn, field, mixture_of

from gmmx.answers.components import component_table
from gmmx.answers.flags import component_flags
from gmmx.answers.images import render
from gmmx.commands.export import export
from gmmx.config import ExportConfig
from gmmx.errors import DataError, DataWarning, InputError
from gmmx.fitting.driver import fit
from gmmx.fitting.point_sources import PointSources
from gmmx.io.models import read_model, write_model
from gmmx.io.regions import read_regions
from gmmx.io.tables import write_table
from gmmx.model.background import Background
from gmmx.model.mixture import POINT_SIGMA, Fixed
from gmmx.model.psf import PsfModel
from gmmx.plane.frame import PhysicalFrame, SkyFrame
from gmmx.plane.grid import PixelGrid
from gmmx.plane.shapes import Box, Ellipse, Field, Ring, Shapes
from gmmx.reading.fixed_components import fixed_from_table
from gmmx.reading.point_sources import read_point_sources
from gmmx.show.facts import summary_dict
from gmmx.show.figures import history_figure, overview_figure, sky_of
from gmmx.show.page import summary

# An extended component, three point sources of which one is off its place in the list, and a flat sky.
TRUTH = mixture_of(
    (4000, 0, 0, 12),
    (900, 20, 5, POINT_SIGMA),
    (300, -15, 18, POINT_SIGMA),
    (120, -25, -20, POINT_SIGMA),
)
LISTED = PointSources(
    x=np.array([20.0, -15.0, -24.0]), y=np.array([5.0, 18.0, -20.5]), reaches=np.full(3, 4.0)
)


@pytest.fixture(scope="module")
def observation():
    sky = Background(amplitude=0.1)
    made = drawn(
        TRUTH,
        field(100, 1.0),
        np.random.default_rng(3),
        psf=PsfModel.constant(1.5),
        sky=0.1,
        backgrounds=(sky,),
        name="three points",
    )
    return replace(
        made,
        frame=SkyFrame(150.0, 60.0),
        physical=PhysicalFrame(x0=4096.5, y0=4096.5, step_x=0.492, step_y=0.492),
    )


@pytest.fixture(scope="module")
def result(observation):
    return fit(observation, n_components=1, point_sources=LISTED, threads=1)


def points_in_order(result):
    """Fluxes, errors, means and their errors of the point sources, brightest first."""
    return tuple(
        values[result.points]
        for values in (
            result.mixture.fluxes,
            result.flux_errors,
            result.mixture.means,
            result.mean_errors,
        )
    )


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
    assert_allclose(
        result.point_sources.covariances, np.tile(POINT_SIGMA**2 * np.eye(2), (3, 1, 1)), rtol=1e-12
    )


def test_point_sources_do_not_count_among_the_components(result):
    assert result.requested_components == 1
    assert not any("asked for" in text for text in result.warnings)
    facts = summary_dict(result)
    assert (facts["k"], facts["n_point_sources"]) == (1, 3)
    assert facts["signal_photons_reference"] == pytest.approx(result.extended.fluxes.sum())
    total = result.signal_photons + result.point_photons + result.backgrounds[0].photons
    assert total == pytest.approx(result.n_photons, rel=0.01)
    assert "3 point sources" in summary(result)


def test_history_and_figures_tell_components_from_points(result):
    assert set(result.history["k"]) == {0, 1}
    assert result.path["k"][-1] == 1
    assert any(
        "K = 1 (1 requested)" in axes.get_title(loc="left") for axes in history_figure(result).axes
    )
    assert any(
        "K = 1 and 3 point sources" in text.get_text() for text in overview_figure(result).texts
    )


def test_fixed_places_stay_to_the_bit(observation):
    held = fit(
        observation, n_components=1, point_sources=replace(LISTED, movable=False), threads=1
    )
    found = sorted(map(tuple, held.mixture.means[held.points]))
    assert found == sorted(zip(LISTED.x, LISTED.y, strict=True))
    assert np.all(held.mean_errors[held.points] == 0)


def test_a_source_that_would_leave_its_circle_stays_at_the_edge(observation):
    listed = replace(LISTED, x=LISTED.x + [0.0, 0.0, 2.0], reaches=np.array([4.0, 4.0, 1.0]))
    with pytest.warns(DataWarning, match="1 point source would leave its region"):
        found = fit(observation, n_components=1, point_sources=listed, threads=1)
    distances = np.hypot(
        found.mixture.means[:, 0] - listed.x[2], found.mixture.means[:, 1] - listed.y[2]
    )
    assert distances.min() == pytest.approx(1.0, abs=1e-9)


def test_sources_without_exposure_are_not_seen(observation):
    far = PointSources(x=np.array([0.0, 500.0]), y=np.zeros(2), reaches=np.ones(2))
    usable, left_out = far.usable([observation], 1.0)
    assert_allclose(usable.x, 0)
    assert left_out == {"without exposure": 1}


def test_a_source_where_nothing_is_is_not_significant(observation):
    listed = PointSources(
        x=np.append(LISTED.x, -40.0),
        y=np.append(LISTED.y, 40.0),
        reaches=np.full(4, 4.0),
        movable=False,
    )
    found = fit(observation, n_components=1, point_sources=listed, threads=1)
    nearest = np.argmin(np.hypot(*(found.mixture.means - [-40.0, 40.0]).T))
    flagged = [k for k, words in enumerate(component_flags(found)) if "not significant" in words]
    assert flagged == [nearest]


def test_sources_that_are_there_already_are_not_there_twice():
    apart = LISTED.apart_from(np.array([[22.0, 8.0], [-15.0, 30.0]]))
    assert_allclose(apart.x, [-15, -24])
    assert len(LISTED.apart_from(np.zeros((0, 2)))) == 3


def test_what_cannot_be_is_said(observation):
    with pytest.raises(InputError, match="without a PSF"):
        fit(replace(observation, psf=None), n_components=1, point_sources=LISTED)
    with pytest.raises(InputError, match="an area"):
        PointSources(x=np.zeros(1), y=np.zeros(1), reaches=np.zeros(1))
    with pytest.raises(InputError, match="covariance of a point source"):
        Fixed(fluxes=[False], means=[False], covariances=[False], points=[True])
    shapes = Shapes.of(Ellipse(1.0, 2.0, 3.0, 3.0, 0.0), Ellipse(-5.0, 0.0, 0.5, 0.5, 0.0))
    sources = PointSources.of_shapes(shapes)
    assert_allclose([sources.x, sources.y, sources.reaches], [[1, -5], [2, 0], [3, 0.5]])


def ellipses_file(path, rows, keywords=(), more=()):
    """A source list as wavdetect writes it: a row for each (x, y, a, b, angle) in physical pixels."""
    rows = np.array(rows, float)
    columns = [
        fits.Column("X", "D", "pixel", array=rows[:, 0]),
        fits.Column("Y", "D", "pixel", array=rows[:, 1]),
        fits.Column("SHAPE", "10A", array=np.full(len(rows), "ellipse")),
        fits.Column("R", "2E", "pixel", array=rows[:, 2:4]),
        fits.Column("ROTANG", "E", "deg", array=rows[:, 4]),
        *more,
    ]
    hdu = fits.BinTableHDU.from_columns(columns, name="SRCLIST")
    hdu.header.update(dict(keywords))
    hdu.writeto(path)
    return path


def test_a_list_of_wavdetect_gives_centres_and_sizes(observation, tmp_path):
    positions = [
        fits.Column("RA", "D", "deg", array=np.zeros(2)),
        fits.Column("DEC", "D", "deg", array=np.zeros(2)),
    ]
    path = ellipses_file(
        tmp_path / "src.fits",
        [(4136.5, 4056.5, 8.0, 2.0, 30.0), (4096.5, 4096.5, 5.0, 5.0, 0.0)],
        more=positions,
    )
    sources = PointSources.of_shapes(
        read_regions(path, frame=observation.frame, physical=observation.physical)
    )
    assert_allclose(sources.x, [40 * 0.492, 0], atol=1e-9)
    assert_allclose(sources.y, [-40 * 0.492, 0], atol=1e-9)
    # The circle of the ellipse's area, however it is turned.
    assert_allclose(sources.reaches, [4 * 0.492, 5 * 0.492])


def test_a_region_of_the_source_catalogue_gives_its_ellipse(shared_data):
    path = shared_data / "real" / "csc_cosmos_7999" / "acisf07999_000N001_r0035_reg3.fits.gz"
    with pytest.warns(DataWarning, match="BKGREG left out"):
        shapes = read_regions(path, frame=SkyFrame(149.88534733445, 2.6079504903529))
    sources = PointSources.of_shapes(shapes)
    assert_allclose(
        [sources.x, sources.y],
        [[(3145.89473684 - 4096.5) * 0.492], [(4520.78947368 - 4096.5) * 0.492]],
        atol=1e-3,
    )
    assert_allclose(sources.reaches, np.sqrt(37.06152344 * 15.3881588) * 0.492, rtol=1e-6)


def test_what_gmmx_exports_is_read_back_as_sources(result, tmp_path):
    write_table(tmp_path / "components.fits", component_table(result))
    sources = PointSources.of_shapes(
        read_regions(
            tmp_path / "components.fits",
            frame=result.frame,
            physical=result.observations[0].physical,
        )
    )
    assert_allclose(np.stack([sources.x, sources.y], axis=1), result.point_sources.means, atol=1e-6)
    assert_allclose(sources.reaches, max(2.0, 1.5 * 1.5 * np.sqrt(-2 * np.log(0.1))), rtol=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        'fk5\ncircle(150.002,60.001,2.5")',
        "physical\ncircle(4089.182,4103.817,5.0813)",
        'fk5\n-circle(150.002,60.001,2.5")',
    ],
)
def test_regions_of_ds9_give_centres_and_sizes(observation, tmp_path, text):
    path = tmp_path / "sources.reg"
    path.write_text(text + "\n")
    sources = PointSources.of_shapes(
        read_regions(path, frame=observation.frame, physical=observation.physical)
    )
    assert_allclose([sources.x, sources.y, sources.reaches], [[-3.6], [3.6], [2.5]], atol=0.05)


def test_boxes_have_a_reach_and_rings_none():
    sources = PointSources.of_shapes(
        Shapes.of(Box(1.0, 2.0, 4.0, 9.0, 30.0), Ellipse(0.0, 0.0, 8.0, 2.0, 45.0))
    )
    assert_allclose([sources.x, sources.y, sources.reaches], [[1, 0], [2, 0], [3, 4]], atol=1e-12)
    with pytest.raises(InputError, match="a ring, pie or panda"):
        PointSources.of_shapes(
            Shapes.of(Ring(Ellipse(0.0, 0.0, 3.0, 3.0), Ellipse(0.0, 0.0, 1.0, 1.0)))
        )
    with pytest.raises(InputError, match="with bounds"):
        PointSources.of_shapes(Shapes.of(Field()))


def test_a_point_of_ds9_is_no_region(observation, tmp_path):
    path = tmp_path / "sources.reg"
    path.write_text("fk5\npoint(150.002,60.001)\n")
    with (
        pytest.warns(DataWarning, match="covers no area"),
        pytest.raises(DataError, match="draw circles"),
    ):
        read_regions(path, frame=observation.frame, physical=observation.physical)


def test_what_cannot_be_fitted_is_counted_by_reason(observation):
    # The second is a tenth of the PSF from the first, the third four tenths of its radius, the fourth is as far as can be told apart.
    x, y = np.array([0.0, 0.1, 0.6, 1.0, 30.0, 500.0]), np.array([0.0, 0.0, 0.0, 0.0, 30.0, 0.0])
    masked = replace(observation, masks=Shapes.of(Ellipse(30.0, 30.0, 2.0, 2.0)))
    sources, left_out = PointSources(x=x, y=y, reaches=np.full(6, 2.0)).usable([masked], 1.0)
    assert_allclose(sources.x, [0, 1])
    assert left_out == {
        "without exposure": 1,
        "under a mask or outside the region": 1,
        "listed twice": 2,
    }
    # What one pointing hides another may see.
    sources, left_out = PointSources(x=x, y=y, reaches=np.full(6, 2.0)).usable(
        [masked, observation], 1.0
    )
    assert_allclose(sources.x, [0, 1, 30])


def test_what_is_left_out_is_said(observation, tmp_path):
    files = [str(tmp_path / "one.reg"), str(tmp_path / "two.reg")]
    physical = "physical\ncircle(4096.5,4096.5,4)\n"
    (tmp_path / "one.reg").write_text(physical + "circle(5096.5,4096.5,4)\n-circle(4090,4090,2)\n")
    (tmp_path / "two.reg").write_text(physical + "circle(4156.5,4156.5,4)\n")
    masked = replace(observation, masks=Shapes.of(Ellipse(60 * 0.492, 60 * 0.492, 2.0, 2.0)))
    sources, line = read_point_sources(files, "free", [masked])
    assert len(sources) == 1
    assert line.startswith("1 fitted, positions free; ")
    assert (
        "left out: 1 without exposure, 1 under a mask or outside the region, "
        "1 listed twice, 1 excluded in the list"
    ) in line
    assert "the PSF is one Gaussian" in line
    (tmp_path / "one.reg").write_text("physical\ncircle(4156.5,4156.5,4)\n")
    with pytest.raises(
        InputError,
        match=r"none of 1 sources can be fitted \(1 under a mask or outside the region\)",
    ):
        read_point_sources(files[:1], "free", [masked])


def test_the_wings_of_a_source_are_flagged(result):
    word = "wings of a point source"
    assert not any(word in words for words in component_flags(result))
    # A small component beside the brightest source, one on it that is as bright, one beside it that is broad, one far from any source.
    place = result.point_sources.means[0]
    rows = [
        (200, *(place + [4.0, 0.0]), 1.5),
        (5000, *place, 1.5),
        (200, *(place + [4.0, 0.0]), 15.0),
        (200, 0, -35, 1.5),
    ]
    joined = result.mixture.joined(mixture_of(*rows))
    added = np.array([row[0] for row in rows], float)
    larger = replace(
        result,
        mixture=joined,
        fixed=result.fixed.joined(Fixed.none(4)),
        observed_fraction=np.ones(len(joined)),
        observed_photons=np.concatenate([result.observed_photons, added]),
        prior_scales=np.ones(len(joined)),
        flux_errors=None,
        mean_errors=None,
    )
    assert [word in words for words in component_flags(larger)] == [False] * len(result.mixture) + [
        True,
        False,
        False,
        False,
    ]


def test_the_page_lists_points_apart(result, observation):
    page = summary(result)
    assert page.index("\nComponents\n") < page.index("\nPoint sources\n")
    lines = page.split("\nPoint sources\n")[1].splitlines()
    assert lines[0].split()[:2] == ["ra", "[deg]"]
    assert all(len(line) < 100 and "point source" not in line for line in lines[:4])
    held = fit(
        observation, n_components=1, point_sources=replace(LISTED, movable=False), threads=1
    )
    assert "fixed" in summary(held).split("\nPoint sources\n")[1]


def test_points_are_marked_on_the_signal(result):
    panels = {axes.get_label(): axes for axes in overview_figure(result).axes}
    (marks,) = [line for line in panels["signal"].lines if line.get_label() == "point sources"]
    grid = sky_of(result).grid
    places = np.stack(grid.to_plane(*marks.get_xydata().T), axis=1)
    assert_allclose(places, result.point_sources.means, atol=1e-9)
    assert not any(line.get_label() == "point sources" for line in panels["data"].lines)


def test_the_signal_has_no_points_unless_asked(result):
    grid = PixelGrid.covering((-50, 50), (-50, 50), 1.0)
    images = render(result, grid)
    assert images.signal.values.sum() == pytest.approx(result.extended.fluxes.sum(), rel=2e-3)
    assert images.points.values.sum() == pytest.approx(result.point_sources.fluxes.sum(), rel=2e-3)
    assert images.expected.values.sum() == pytest.approx(result.n_photons, rel=0.01)
    assert list(images.as_dict())[-1] == "POINTS"
    both = render(result, grid, with_points=True)
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
    assert np.array_equal(
        np.array(table["sigma_major"]) == 0, result.points[np.array(table["component"])]
    )
    for name in ("components.fits", "components.reg"):
        write_table(tmp_path / name, table)
        shapes = read_regions(
            tmp_path / name,
            frame=result.frame,
            physical=result.physical
            if hasattr(result, "physical")
            else result.observations[0].physical,
        )
        places = result.point_sources.means
        assert shapes.contains(*places.T).all()
        assert not shapes.contains(*(places + [8.0, 0.0]).T).any()
    with fits.open(tmp_path / "components.fits") as files:
        rows = files["SRCLIST"].data
        assert_allclose(
            rows["NET_COUNTS"],
            result.point_sources.fluxes * result.observed_fraction[result.points],
        )
        assert_allclose(
            rows["RA_ERR"] * np.cos(np.radians(60)) * 3600,
            result.mean_errors[result.points, 0],
            rtol=1e-3,
        )


def test_a_table_with_points_starts_another_fit(result, observation):
    mixture, fixed = fixed_from_table(component_table(result), observation.frame, 1.0, "")
    assert np.array_equal(fixed.points, result.points)
    again = fit(observation, n_components=1, fixed=(mixture, fixed), threads=1)
    assert again.requested_components == 1
    assert_allclose(again.log_likelihood, result.log_likelihood, atol=0.5)


def test_export_writes_regions_in_the_frame_and_size_asked_for(result, tmp_path):
    write_model(tmp_path / "model.h5", result)
    for frame, scale in (("fk5", 1.0), ("physical", 3.0)):
        export(
            tmp_path / "model.h5",
            tmp_path / "c.reg",
            ExportConfig(frame=frame, scale=scale),
            overwrite=True,
        )
        assert frame in (tmp_path / "c.reg").read_text().splitlines()
        shapes = read_regions(
            tmp_path / "c.reg", frame=result.frame, physical=result.observations[0].physical
        )
        extended = result.extended.means[0]
        # 2 sigma from the centre of a component of sigma 12: outside of one sigma, inside of three.
        assert shapes.contains(*(extended + [0.0, 24.0])[:, None])[0] == (scale == 3.0)
