"""The library of the Chandra mirrors: its table, its interpolation, its frames and its spectrum."""

from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table
from numpy.testing import assert_allclose

import gmmx
from gmmx.io.psf_library import read_chandra_library
from gmmx.plane.frame import SkyFrame
from gmmx.telescope.chandra_psf import pointing_psf
from gmmx.telescope.encircled import encircled_energy
from gmmx.telescope.spectrum import collapsed

FOLDER = Path(gmmx.__file__).parent / "data"
NODE = {"detector": "ACIS-I", "theta": 5.0, "phi": 90.0, "energy": 1.5}
FRAME = SkyFrame(202.5, 47.2)


@pytest.fixture(scope="module")
def library():
    return read_chandra_library()


@pytest.fixture(scope="module")
def rows():
    """The node's rows as astropy reads them."""
    table = Table.read(FOLDER / "chandra_psf.ecsv")
    for name, value in NODE.items():
        table = table[table[name] == value]
    return table


def direction(covariance):
    """Angle of the major axis from x towards y [deg]."""
    vector = np.linalg.eigh(covariance)[1][:, 1]
    return np.degrees(np.arctan2(vector[1], vector[0])) % 180


def test_the_table_comes_back_at_its_nodes(library, rows):
    weights, covariances = library.at(
        NODE["detector"], np.array([NODE["theta"]]), np.array([NODE["phi"]])
    )
    e = library.energies.tolist().index(NODE["energy"])
    assert_allclose(weights[0, e], rows["weight"], atol=2e-5)
    for covariance, row in zip(covariances[0, e], rows, strict=True):
        assert_allclose(
            np.sqrt(np.linalg.eigvalsh(covariance)),
            [row["sigma_minor"], row["sigma_major"]],
            rtol=1e-9,
        )
        assert_allclose(direction(covariance), row["pa"] % 180, atol=1e-6)


def test_the_axis_holds_for_every_azimuth_and_beyond_the_table_its_edge(library):
    weights, covariances = library.at("ACIS-S", np.zeros(4), np.array([0.0, 44.0, 200.0, 359.9]))
    assert_allclose(weights, np.broadcast_to(weights[:1], weights.shape), rtol=1e-12)
    assert_allclose(covariances, np.broadcast_to(covariances[:1], covariances.shape), rtol=1e-9)
    for one, two in zip(
        library.at("ACIS-S", np.array([14.0]), np.array([30.0])),
        library.at("ACIS-S", np.array([40.0]), np.array([390.0])),
        strict=True,
    ):
        assert_allclose(one, two, rtol=1e-12)


def test_spectrum_is_linear_in_log_energy(library):
    assert_allclose(library.spectrum([1.5]), [0, 1, 0, 0])
    assert_allclose(library.spectrum([0.3, 9.0]), [0.5, 0, 0, 0.5])
    assert_allclose(library.spectrum([np.sqrt(0.8 * 1.5)]), [0.5, 0.5, 0, 0])


@pytest.mark.parametrize("detector", ["ACIS-I", "ACIS-S"])
def test_one_mixture_for_a_spectrum_costs_little_encircled_energy(library, detector):
    rng = np.random.default_rng(3)
    theta, phi = (
        np.concatenate([rng.uniform(0, 13, 60), rng.uniform(1.5, 5, 60)]),
        rng.uniform(0, 360, 120),
    )
    radii, spectrum = np.geomspace(0.1, 60, 40), np.array([0.4, 0.35, 0.15, 0.1])
    weights, covariances = library.at(detector, theta, phi)
    total, spread = collapsed(weights, covariances, spectrum)
    assert_allclose(total.sum(1), 1, rtol=1e-12)
    full = encircled_energy(
        (weights * spectrum[:, None]).reshape(120, -1),
        covariances.reshape(120, -1, 2, 2),
        radii,
    )
    lost = np.abs(encircled_energy(total, spread, radii) - full).max(1)
    assert np.median(lost) < 0.005
    assert lost.max() < 0.02
    # Through the library that stands for the spectrum, between its nodes.
    found = library.seen_as(detector, np.repeat(library.energies, [40, 35, 15, 10])).at(
        detector, theta, phi
    )
    lost = np.abs(encircled_energy(found[0][:, 0], found[1][:, 0], radii) - full).max(1)
    assert np.median(lost) < 0.01
    assert lost.max() < 0.045


def made(library, *, roll=0.0, pointing=(202.5, 47.2), frame=FRAME, **options):
    return pointing_psf(
        library,
        "ACIS-I",
        frame=frame,
        pointing=pointing,
        roll=roll,
        x_range=(-500, 500),
        y_range=(-500, 500),
        energies_kev=np.array([1.5]),
        **options,
    )


def test_rolled_by_90_degrees_the_field_is_too(library):
    upright, rolled = made(library), made(library, roll=90.0)
    x, y = np.random.default_rng(2).uniform(-300, 300, (2, 50))
    # DX = -Y, DY = X: what was at (dx, dy) is seen at X = dy, Y = -dx; a vector likewise.
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    weights, covariances = upright.at(x, y)
    there_weights, there = rolled.at(y, -x)
    assert_allclose(there_weights, weights, atol=1e-6)
    assert_allclose(there, turn @ covariances @ turn.T, rtol=1e-4, atol=1e-6)


def test_a_source_of_the_documented_position_angle(library, rows):
    """Position angle north through east, pa - ROLL_PNT - 90, because x runs to the west."""
    roll = 30.0
    psf = made(library, roll=roll)
    angle = np.radians(NODE["phi"] - roll)
    covariance = psf.at(300 * np.cos(angle), 300 * np.sin(angle))[1][0, 0]
    assert abs((direction(covariance) - (rows["pa"][0] - roll) + 90) % 180 - 90) < 3


def test_the_axis_is_where_the_pointing_is_whatever_the_plane(library):
    far = SkyFrame(203.2, 47.9)
    here = made(library, pointing=(202.52, 47.21))
    x0, y0 = far.to_plane(202.5, 47.2)
    psf = pointing_psf(
        library,
        "ACIS-I",
        frame=far,
        pointing=(202.52, 47.21),
        roll=0.0,
        x_range=(x0 - 400, x0 + 400),
        y_range=(y0 - 400, y0 + 400),
        energies_kev=np.array([1.5]),
    )
    x, y = np.array([200.0, -150.0]), np.array([100.0, 250.0])
    ra, dec = FRAME.to_sky(x, y)
    one, two = here.at(x, y)[1], psf.at(*far.to_plane(ra, dec))[1]
    turn = np.radians(far.north(*far.to_plane(ra, dec)) - FRAME.north(x, y))
    rotation = np.stack([np.cos(turn), -np.sin(turn), np.sin(turn), np.cos(turn)], axis=1).reshape(
        -1, 1, 2, 2
    )
    assert_allclose(two, rotation @ one @ np.swapaxes(rotation, -1, -2), rtol=0.03, atol=0.01)


def test_nodes_are_close_enough(library):
    coarse, fine = made(library), made(library, step=5.0)
    rng = np.random.default_rng(4)
    x, y = np.concatenate([rng.uniform(-60, 60, (2, 60)), rng.uniform(-450, 450, (2, 60))], axis=1)
    radii = np.geomspace(0.1, 30, 30)
    lost = np.abs(
        encircled_energy(*coarse.at(x, y), radii) - encircled_energy(*fine.at(x, y), radii)
    ).max(1)
    assert np.median(lost) < 0.005
    assert lost.max() < 0.025
