"""`gmmx.fit` with point sources and starts from files and from objects, as notebooks give them."""

from dataclasses import replace

import numpy as np
import pytest
import regions
from astropy import units
from astropy.coordinates import SkyCoord
from numpy.testing import assert_array_equal
from three_points import LISTED, make_three_points

import gmmx
from gmmx.answers.components import component_table
from gmmx.io.tables import write_table


@pytest.fixture(scope="module")
def observation():
    return make_three_points()


@pytest.fixture(scope="module")
def result(observation):
    return gmmx.fit(observation, n_components=1, sources=LISTED, threads=1)


@pytest.fixture(scope="module")
def circles(observation):
    """The listed sources as objects of the package `regions`."""
    centres = SkyCoord(*observation.frame.to_sky(LISTED.x, LISTED.y), unit="deg")
    radii = LISTED.reaches * units.arcsec
    return regions.Regions(
        [regions.CircleSkyRegion(c, r) for c, r in zip(centres, radii, strict=True)]
    )


def as_path(circles, folder):
    circles.write(folder / "sources.reg", format="ds9")
    return folder / "sources.reg"


@pytest.mark.parametrize(
    "given",
    [lambda c, _: c, lambda c, _: list(c), as_path, lambda c, folder: str(as_path(c, folder))],
    ids=["Regions", "list", "Path", "str"],
)
def test_sources_are_regions_or_files_of_them(observation, result, circles, tmp_path, given):
    sources = given(circles, tmp_path)
    found = gmmx.fit(observation, n_components=1, sources=sources, threads=1)
    assert found.points.sum() == 3
    np.testing.assert_allclose(found.mixture.means, result.mixture.means, atol=0.01)
    assert "3 fitted" in found.observations[0].pointing.choices["point sources"]
    assert found.options["source_positions"] == "free"


def test_a_single_region_is_one_source_whose_position_may_be_fixed(observation, circles):
    found = gmmx.fit(
        observation, n_components=1, sources=circles[0], source_positions="fixed", threads=1
    )
    np.testing.assert_allclose(found.point_sources.means, [[20.0, 5.0]], atol=1e-6)


def test_sources_need_an_observation_with_a_frame(observation, circles):
    with pytest.raises(gmmx.InputError, match="no `frame`"):
        gmmx.fit(replace(observation, frame=None), n_components=1, sources=circles)


def test_a_fit_starts_from_a_model_file(observation, result, tmp_path):
    result.write(tmp_path / "model.h5")
    again = gmmx.fit(observation, init=tmp_path / "model.h5", sources=LISTED, threads=1)
    assert len(again.mixture) == len(result.mixture)
    assert again.log_likelihood == pytest.approx(result.log_likelihood, abs=0.2)


def test_a_fit_keeps_the_components_of_a_table_fixed(observation, result, tmp_path):
    table = component_table(result)
    table["fixed_mean"] = True
    write_table(tmp_path / "table.ecsv", table)
    found = gmmx.fit(observation, n_components=1, fix=tmp_path / "table.ecsv", threads=1)
    assert found.fixed.means.all()
    assert_array_equal(found.mixture.means, result.mixture.means)


def test_a_start_is_given_once(observation, result):
    with pytest.raises(gmmx.InputError, match="give one"):
        gmmx.fit(observation, start=result.mixture, init="model.h5")


def test_without_an_observation_there_is_no_fit():
    with pytest.raises(gmmx.InputError, match="no observation"):
        gmmx.fit([])


def test_a_warning_names_the_line_that_asked_for_the_fit(observation):
    with pytest.warns(gmmx.ConvergenceWarning) as caught:
        gmmx.fit(observation, n_components=1, max_iter=1, threads=1)
    assert caught[0].filename == __file__
