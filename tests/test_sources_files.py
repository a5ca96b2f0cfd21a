"""Point sources in region files and tables, in model files, on pages and in images."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose
from three_points import LISTED, make_three_points

from gmmx.answers.components import component_table
from gmmx.answers.images import render
from gmmx.commands.export import export
from gmmx.config import ExportConfig
from gmmx.errors import DataError, DataWarning, InputError
from gmmx.fitting.driver import fit
from gmmx.fitting.point_sources import PointSources
from gmmx.io.models import read_model, write_model
from gmmx.io.regions import read_regions
from gmmx.io.tables import write_table
from gmmx.plane.frame import SkyFrame
from gmmx.plane.grid import PixelGrid
from gmmx.plane.shapes import Ellipse, Shapes
from gmmx.reading.fixed_components import fixed_from_table
from gmmx.reading.point_sources import read_point_sources
from gmmx.show.facts import summary_dict
from gmmx.show.figures import history_figure, plot, sky_of
from gmmx.show.page import summary

# Arcsec in a physical pixel.
PIXEL = 0.492


@pytest.fixture(scope="module")
def observation():
    return make_three_points()


@pytest.fixture(scope="module")
def result(observation):
    return fit(observation, n_components=1, point_sources=LISTED, threads=1)


def shapes_in(path, observation):
    return read_regions(path, frame=observation.frame, physical=observation.physical)


def make_wavdetect_list(path, rows):
    """A source list as wavdetect writes it: (x, y, a, b, angle) in physical pixels and degrees."""
    x, y, a, b, angle = np.array(rows, float).T
    columns = [
        fits.Column("X", "D", "pixel", array=x),
        fits.Column("Y", "D", "pixel", array=y),
        fits.Column("SHAPE", "10A", array=np.full(len(x), "ellipse")),
        fits.Column("R", "2E", "pixel", array=np.stack([a, b], axis=1)),
        fits.Column("ROTANG", "E", "deg", array=angle),
        fits.Column("RA", "D", "deg", array=np.zeros(len(x))),
        fits.Column("DEC", "D", "deg", array=np.zeros(len(x))),
    ]
    fits.BinTableHDU.from_columns(columns, name="SRCLIST").writeto(path)
    return path


def test_a_list_of_wavdetect_gives_positions_and_circles(observation, tmp_path):
    rows = [(4136.5, 4056.5, 8.0, 2.0, 30.0), (4096.5, 4096.5, 5.0, 5.0, 0.0)]
    path = make_wavdetect_list(tmp_path / "src.fits", rows)
    sources = PointSources.of_shapes(shapes_in(path, observation))
    assert_allclose(sources.x, [40 * PIXEL, 0], atol=1e-9)
    assert_allclose(sources.y, [-40 * PIXEL, 0], atol=1e-9)
    assert_allclose(sources.reaches, [4 * PIXEL, 5 * PIXEL])


def test_a_region_of_the_chandra_source_catalog_gives_its_ellipse(shared_data):
    path = shared_data / "real" / "csc_cosmos_7999" / "acisf07999_000N001_r0035_reg3.fits.gz"
    with pytest.warns(DataWarning, match="BKGREG left out"):
        shapes = read_regions(path, frame=SkyFrame(149.88534733445, 2.6079504903529))
    sources = PointSources.of_shapes(shapes)
    expected = np.array([3145.89473684 - 4096.5, 4520.78947368 - 4096.5]) * PIXEL
    assert_allclose([*sources.x, *sources.y], expected, atol=1e-3)
    assert_allclose(sources.reaches, np.sqrt(37.06152344 * 15.3881588) * PIXEL, rtol=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        'fk5\ncircle(150.002,60.001,2.5")',
        "physical\ncircle(4089.182,4103.817,5.0813)",
        'fk5\n-circle(150.002,60.001,2.5")',
    ],
    ids=["sky", "physical", "excluded"],
)
def test_a_region_of_ds9_gives_position_and_circle(observation, tmp_path, text):
    (tmp_path / "sources.reg").write_text(text + "\n")
    sources = PointSources.of_shapes(shapes_in(tmp_path / "sources.reg", observation))
    assert_allclose([*sources.x, *sources.y, *sources.reaches], [-3.6, 3.6, 2.5], atol=0.05)


def test_a_point_of_ds9_is_no_region(observation, tmp_path):
    (tmp_path / "sources.reg").write_text("fk5\npoint(150.002,60.001)\n")
    with (
        pytest.warns(DataWarning, match="covers no area"),
        pytest.raises(DataError, match="draw circles"),
    ):
        shapes_in(tmp_path / "sources.reg", observation)


def test_the_table_of_a_fit_is_read_back_as_sources(observation, result, tmp_path):
    write_table(tmp_path / "components.fits", component_table(result))
    sources = PointSources.of_shapes(shapes_in(tmp_path / "components.fits", observation))
    places = np.stack([sources.x, sources.y], axis=1)
    assert_allclose(places, result.point_sources.means, atol=1e-6)
    r90 = 1.5 * np.sqrt(-2 * np.log(0.1))
    assert_allclose(sources.reaches, max(2.0, 1.5 * r90), rtol=1e-6)


@pytest.mark.parametrize("name", ["components.fits", "components.reg"])
def test_the_table_of_a_fit_is_read_back_as_a_mask(observation, result, tmp_path, name):
    write_table(tmp_path / name, component_table(result))
    shapes, places = shapes_in(tmp_path / name, observation), result.point_sources.means
    assert shapes.contains(*places.T).all()
    assert not shapes.contains(*(places + [8.0, 0.0]).T).any()


def test_the_source_list_of_a_fit_has_counts_and_errors(result, tmp_path):
    write_table(tmp_path / "components.fits", component_table(result))
    with fits.open(tmp_path / "components.fits") as files:
        rows = files["SRCLIST"].data
        counts, errors = rows["NET_COUNTS"], rows["RA_ERR"] * np.cos(np.radians(60)) * 3600
    expected = result.point_sources.fluxes * result.observed_fraction[result.points]
    assert_allclose(counts, expected)
    assert_allclose(errors, result.mean_errors[result.points, 0], rtol=1e-3)


def test_point_sources_have_no_size_in_the_table(result):
    table = component_table(result)
    is_point = np.array(table["sigma_major"]) == 0
    assert np.array_equal(is_point, result.points[np.array(table["component"])])


def test_a_table_with_point_sources_starts_another_fit(observation, result):
    mixture, fixed = fixed_from_table(component_table(result), observation.frame, 1.0, "")
    assert np.array_equal(fixed.points, result.points)
    again = fit(observation, n_components=1, fixed=(mixture, fixed), threads=1)
    assert again.requested_components == 1
    assert_allclose(again.log_likelihood, result.log_likelihood, atol=0.5)


@pytest.mark.parametrize(("frame", "scale"), [("fk5", 1.0), ("physical", 3.0)])
def test_export_writes_regions_in_the_frame_and_size_asked_for(
    observation, result, tmp_path, frame, scale
):
    model, out = tmp_path / "model.h5", tmp_path / "c.reg"
    write_model(model, result)
    export(model, out, ExportConfig(frame=frame, scale=scale))
    lines = out.read_text().splitlines()
    assert any(line.split(";")[0] == frame for line in lines)
    beside = (result.extended.means[0] + [0.0, 24.0])[:, None]
    # 2 sigma from the centre of a component of sigma 12: inside of three sigma, outside of one.
    assert shapes_in(out, observation).contains(*beside)[0] == (scale == 3.0)


@pytest.fixture
def two_lists(tmp_path):
    """Two region files that have one usable source between them."""
    one, two = tmp_path / "one.reg", tmp_path / "two.reg"
    centre = "physical\ncircle(4096.5,4096.5,4)\n"
    one.write_text(centre + "circle(5096.5,4096.5,4)\n-circle(4090,4090,2)\n")
    two.write_text(centre + "circle(4156.5,4156.5,4)\n")
    return [str(one), str(two)]


@pytest.fixture
def masked(observation):
    return replace(observation, masks=Shapes.of(Ellipse(60 * PIXEL, 60 * PIXEL, 2.0, 2.0)))


def test_sources_of_several_lists_that_are_left_out_are_listed_by_reason(two_lists, masked):
    sources, line = read_point_sources(two_lists, "free", [masked])
    assert len(sources) == 1
    assert line.startswith("1 fitted, positions free; ")
    assert (
        "left out: 1 without exposure, 1 under a mask or outside the region, "
        "1 listed twice, 1 excluded in the list"
    ) in line
    assert "the PSF is one Gaussian" in line


def test_a_list_without_a_usable_source_is_refused(masked, tmp_path):
    path = tmp_path / "hidden.reg"
    path.write_text("physical\ncircle(4156.5,4156.5,4)\n")
    said = r"none of 1 sources can be fitted \(1 under a mask or outside the region\)"
    with pytest.raises(InputError, match=said):
        read_point_sources([str(path)], "free", [masked])


def test_a_model_file_keeps_the_point_sources(result, tmp_path):
    write_model(tmp_path / "model.h5", result)
    again = read_model(tmp_path / "model.h5")
    assert np.array_equal(again.points, result.points)
    assert_allclose(again.flux_errors, result.flux_errors)
    assert_allclose(again.mean_errors, result.mean_errors)


def test_the_facts_count_point_sources_apart(result):
    facts = summary_dict(result)
    assert (facts["k"], facts["n_point_sources"]) == (1, 3)
    assert facts["signal_photons_reference"] == pytest.approx(result.extended.fluxes.sum())
    assert "3 point sources" in summary(result)


def test_the_page_lists_point_sources_apart(result):
    page = summary(result)
    assert page.index("\nComponents\n") < page.index("\nPoint sources\n")
    lines = page.split("\nPoint sources\n")[1].splitlines()
    assert lines[0].split()[:2] == ["ra", "[deg]"]
    assert all(len(line) < 100 and "point source" not in line for line in lines[:4])


def test_the_page_says_that_positions_are_fixed(observation):
    sources = replace(LISTED, movable=False)
    found = fit(observation, n_components=1, point_sources=sources, threads=1)
    assert "fixed" in summary(found).split("\nPoint sources\n")[1]


def test_figures_count_point_sources_apart(result):
    titles = [axes.get_title(loc="left") for axes in history_figure(result).axes]
    assert any("K = 1" in title for title in titles), titles
    texts = [text.get_text() for text in plot(result).texts]
    assert any("K = 1 and 3 point sources" in text for text in texts)


def test_point_sources_are_marked_on_the_signal_only(result):
    panels = {axes.get_label(): axes for axes in plot(result).axes}
    (marks,) = [line for line in panels["signal"].lines if line.get_label() == "point sources"]
    places = np.stack(sky_of(result).grid.to_plane(*marks.get_xydata().T), axis=1)
    assert_allclose(places, result.point_sources.means, atol=1e-9)
    assert not any(line.get_label() == "point sources" for line in panels["data"].lines)


GRID = PixelGrid.covering((-50, 50), (-50, 50), 1.0)


def test_the_signal_has_no_point_sources_but_they_have_an_image_of_their_own(result):
    images = render(result, GRID)
    assert images.signal.values.sum() == pytest.approx(result.extended.fluxes.sum(), rel=2e-3)
    assert images.points.values.sum() == pytest.approx(result.point_sources.fluxes.sum(), rel=2e-3)
    assert images.expected.values.sum() == pytest.approx(result.n_photons, rel=0.01)
    assert list(images.as_dict())[-1] == "POINTS"


def test_the_signal_has_point_sources_if_they_are_asked_for(result):
    both = render(result, GRID, with_points=True)
    assert both.signal.values.sum() == pytest.approx(result.mixture.fluxes.sum(), rel=2e-3)
    assert_allclose(both.expected.values, render(result, GRID).expected.values)
