"""Component tables on disk, and ellipses that DS9 draws where the components are."""

import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.table import Table
from astropy.wcs import WCS
from handmade import ellipse, make_mixture, make_observation, make_result
from numpy.testing import assert_allclose
from regions import Regions

from gmmx.answers.components import component_table
from gmmx.answers.flags import principal_axes
from gmmx.errors import InputError, OutputError
from gmmx.io.tables import read_table, region_text, write_table
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.plane.frame import PhysicalFrame, SkyFrame
from gmmx.reading.fixed_components import mixture_from_table


def far_north(physical=None):
    """Ellipses all over a field at declination 60, where north leans by up to 0.4 degree."""
    observation = Observation(
        photons=Photons([], []),
        frame=SkyFrame(217.0, 60.0),
        physical=physical or PhysicalFrame(x0=4096.5, y0=4096.5, step_x=0.492, step_y=0.492),
        metadata={"ROLL_PNT": 217.0, "OBJECT": "far north"},
    )
    rng = np.random.default_rng(4)
    n = 12
    covariances = np.array(
        [ellipse(*rng.uniform([8, 1], [60, 6]), angle) for angle in np.linspace(0, 178, n)]
    )
    return make_result(
        [observation],
        Mixture(
            fluxes=np.linspace(900, 100, n),
            means=rng.uniform(-700, 700, (n, 2)),
            covariances=covariances,
        ),
    )


def assert_same_ellipses(mixture, expected):
    """Within 0.1 degree, 1 % and 0.01 arcsec: and in truth much closer."""
    assert_allclose(mixture.means, expected.means, atol=0.01)
    major, minor, angle = principal_axes(mixture.covariances)
    major0, minor0, angle0 = principal_axes(expected.covariances)
    assert_allclose(major, major0, rtol=1e-4)
    assert_allclose(minor, minor0, rtol=1e-4)
    assert np.abs((angle - angle0 + 90) % 180 - 90).max() < 0.01


@pytest.mark.parametrize("suffix", [".ecsv", ".fits"])
def test_tables_go_round_to_the_bit(tmp_path, suffix):
    table = component_table(far_north())
    write_table(tmp_path / f"c{suffix}", table)
    again = read_table(tmp_path / f"c{suffix}")
    assert again.colnames == table.colnames
    assert again.meta == table.meta
    for name in table.colnames:
        np.testing.assert_array_equal(again[name], table[name], err_msg=name)
        assert again[name].unit == table[name].unit, name
        assert again[name].description == table[name].description, name
    assert region_text(again) == region_text(table)
    assert_same_ellipses(mixture_from_table(again, SkyFrame(217.0, 60.0)), far_north().mixture)


def test_csv_holds_the_numbers(tmp_path):
    result = far_north()
    write_table(tmp_path / "c.csv", component_table(result))
    assert_same_ellipses(
        mixture_from_table(Table.read(tmp_path / "c.csv"), result.frame), result.mixture
    )


@pytest.mark.parametrize("suffix", [".ecsv", ".fits", ".csv", ".reg"])
def test_no_component_at_all(tmp_path, suffix):
    write_table(tmp_path / f"c{suffix}", component_table(make_result([make_observation()])))
    assert (tmp_path / f"c{suffix}").stat().st_size > 0


def test_ellipses_in_fk5_are_where_the_regions_package_reads_them(tmp_path):
    result = far_north()
    write_table(tmp_path / "c.reg", component_table(result))
    found = Regions.read(tmp_path / "c.reg", format="ds9")
    assert len(found) == len(result.mixture)
    # An image of the plane, 1 arcsec per pixel, row and column 0 at the tangent point.
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = (
        ["RA---TAN", "DEC--TAN"],
        [217.0, 60.0],
        [1, 1],
        [-1 / 3600, 1 / 3600],
    )
    wcs.wcs.radesys = "ICRS"
    for region, mean, covariance in zip(
        found, result.mixture.means, result.mixture.covariances, strict=True
    ):
        drawn = region.to_pixel(wcs)
        assert_allclose([drawn.center.x, drawn.center.y], mean, atol=0.01)
        # `regions` holds full axes.
        back = rotated(drawn.width / 2, drawn.height / 2, drawn.angle.to_value(u.deg))
        assert_same_ellipses(
            Mixture(fluxes=[1.0], means=[mean], covariances=[back]),
            Mixture(fluxes=[1.0], means=[mean], covariances=[covariance]),
        )


def rotated(along_x, along_y, angle):
    """Covariance of an ellipse with semi-axes along x and y, turned counter-clockwise."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    turn = np.array([[c, -s], [s, c]])
    return turn @ np.diag([along_x**2, along_y**2]) @ turn.T


@pytest.mark.parametrize(
    "physical",
    [
        PhysicalFrame(x0=4096.5, y0=4096.5, step_x=0.492, step_y=0.492),
        PhysicalFrame(x0=10, y0=20, step_x=-0.05, step_y=0.05),
    ],
)
def test_ellipses_in_physical_coordinates(physical):
    """Chandra's pixels, and an axis that runs against the plane's."""
    result = far_north(physical)
    rows = [
        line.split(")")[0].removeprefix("ellipse(").split(",")
        for line in region_text(component_table(result), frame="physical").splitlines()
    ]
    values = np.array([row for row in rows if len(row) == 5], float)
    assert len(values) == len(result.mixture)
    steps = np.diag([physical.step_x, physical.step_y])
    means = np.stack(physical.to_plane(values[:, 0], values[:, 1]), 1)
    covariances = np.array([steps @ rotated(a, b, angle) @ steps for a, b, angle in values[:, 2:]])
    assert_same_ellipses(
        Mixture(fluxes=result.mixture.fluxes, means=means, covariances=covariances), result.mixture
    )


@pytest.mark.parametrize("frame", ["fk5", "icrs", "physical"])
def test_our_own_reader_reads_them_back(tmp_path, frame):
    reader = pytest.importorskip("gmmx.io.regions")
    result = far_north()
    write_table(tmp_path / "c.reg", component_table(result), frame=frame, scale=2.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shapes = reader.read_regions(
            tmp_path / "c.reg", frame=result.frame, physical=result.observations[0].physical
        )
    assert shapes.n_shapes == len(result.mixture)
    for line, mean, covariance in zip(
        shapes.outlines(360), result.mixture.means, result.mixture.covariances, strict=True
    ):
        edge = np.unique(line, axis=0) - mean
        # On an ellipse of two standard deviations every point has a Mahalanobis distance of 2.
        assert_allclose(
            np.sqrt(np.einsum("ni,ij,nj->n", edge, np.linalg.inv(covariance), edge)), 2, rtol=5e-3
        )


def test_scale_text_and_tags():
    result = make_result(
        [make_observation()],
        make_mixture(2),
        observed_fraction=np.array([0.9, 0.2]),
        observed_photons=np.array([90.0, 5.0]),
    )
    text = region_text(component_table(result), scale=3.0)
    one, three = (
        float(t.splitlines()[-1].split(",")[2].rstrip('"'))
        for t in (region_text(component_table(result)), text)
    )
    assert_allclose(three, 3 * one, rtol=1e-5)
    assert "text={1}" in text.splitlines()[-1]
    assert "tag={scarcely observed}" in text
    assert text.isascii()


def test_what_exists_is_kept(tmp_path):
    table = component_table(far_north())
    for suffix in (".ecsv", ".fits", ".csv", ".reg"):
        path = tmp_path / f"c{suffix}"
        path.write_text("mine")
        with pytest.raises(OutputError, match="exists"):
            write_table(path, table)
        assert path.read_text() == "mine"
        write_table(path, table, overwrite=True)
        assert path.stat().st_size > 1000
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.csv", "c.ecsv", "c.fits", "c.reg"]


def test_what_cannot_be_written_is_said(tmp_path):
    table = component_table(far_north())
    with pytest.raises(OutputError, match="cannot tell the format"):
        write_table(tmp_path / "c.txt", table)
    with pytest.raises(InputError, match="got 'galactic'"):
        write_table(tmp_path / "c.reg", table, frame="galactic")
    with pytest.raises(InputError, match="positive scale"):
        write_table(tmp_path / "c.reg", table, scale=0)
    del table.meta["physical"]
    with pytest.raises(InputError, match="no physical coordinates"):
        write_table(tmp_path / "c.reg", table, frame="physical")
    del table.meta["frame"]
    with pytest.raises(InputError, match="no place on the sky"):
        write_table(tmp_path / "c.reg", table)
    assert list(tmp_path.iterdir()) == []
