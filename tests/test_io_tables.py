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
from gmmx.errors import DataError, InputError, OutputError
from gmmx.io.regions import component_region_text, read_regions
from gmmx.io.tables import read_table, write_table
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.pointing import Pointing
from gmmx.plane.frame import PhysicalFrame, SkyFrame
from gmmx.reading.fixed_components import mixture_from_table


def far_north(physical=None):
    """Ellipses all over a field at declination 60, where north leans by up to 0.4 degree."""
    observation = Observation(
        photons=Photons([], []),
        frame=SkyFrame(217.0, 60.0),
        physical=physical or PhysicalFrame(x0=4096.5, y0=4096.5, step_x=0.492, step_y=0.492),
        pointing=Pointing(roll=217.0, target="far north"),
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
    assert component_region_text(again) == component_region_text(table)
    assert_same_ellipses(mixture_from_table(again, SkyFrame(217.0, 60.0)), far_north().mixture)


@pytest.mark.parametrize("suffix", [".ecsv", ".csv", ".fits"])
def test_empty_flags_are_not_masked_for_other_programs(tmp_path, suffix):
    table = component_table(far_north())
    assert "" in table["flags"]
    write_table(tmp_path / f"c{suffix}", table)
    hdu = {"hdu": 1} if suffix == ".fits" else {}
    again = Table.read(tmp_path / f"c{suffix}", **hdu)
    assert not np.any(getattr(again["flags"], "mask", False))
    assert list(again["flags"].astype(str)) == [flags or "none" for flags in table["flags"]]


def test_flags_that_another_program_left_empty_are_read_as_empty(tmp_path):
    path, table = tmp_path / "c.ecsv", component_table(far_north())
    write_table(path, table)
    path.write_text(path.read_text().replace(" none", ' ""'))
    assert list(read_table(path)["flags"]) == list(table["flags"])


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
        for line in component_region_text(component_table(result), frame="physical").splitlines()
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
    result = far_north()
    write_table(tmp_path / "c.reg", component_table(result), frame=frame, scale=2.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shapes = read_regions(
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
    text = component_region_text(component_table(result), scale=3.0)
    one, three = (
        float(t.splitlines()[-1].split(",")[2].rstrip('"'))
        for t in (component_region_text(component_table(result)), text)
    )
    assert_allclose(three, 3 * one, rtol=1e-5)
    assert "text={1}" in text.splitlines()[-1]
    assert "tag={scarcely observed}" in text
    assert text.isascii()


@pytest.mark.parametrize("suffix", [".ecsv", ".fits", ".csv", ".reg"])
def test_an_existing_file_is_replaced_only_on_request(tmp_path, suffix):
    table, path = component_table(far_north()), tmp_path / f"c{suffix}"
    path.write_text("mine")
    with pytest.raises(OutputError, match="exists"):
        write_table(path, table)
    assert path.read_text() == "mine"
    write_table(path, table, overwrite=True)
    assert path.stat().st_size > 1000
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def without(name):
    """The table without one entry of its metadata."""
    table = component_table(far_north())
    del table.meta[name]
    return table


@pytest.mark.parametrize(
    ("name", "table", "options", "reason"),
    [
        ("c.txt", component_table(far_north()), {}, "cannot tell the format"),
        ("c.reg", component_table(far_north()), {"frame": "galactic"}, "got 'galactic'"),
        ("c.reg", component_table(far_north()), {"scale": 0}, "positive scale"),
        ("c.reg", without("physical"), {"frame": "physical"}, "no physical coordinates"),
        ("c.reg", without("frame"), {}, "celestial frame"),
    ],
    ids=["ending", "frame", "scale", "physical", "celestial"],
)
def test_a_table_that_cannot_be_written_is_refused(tmp_path, name, table, options, reason):
    with pytest.raises((OutputError, InputError), match=reason):
        write_table(tmp_path / name, table, **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("absent.ecsv", None, "no such file"),
        ("text.ecsv", "not a table", "not a table in ECSV or FITS"),
        ("text.fits", "not a table", "not a table in ECSV or FITS: name one"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_one_line(tmp_path, name, content, reason):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=reason) as error:
        read_table(tmp_path / name)
    assert "\n" not in str(error.value)
