"""One pointing: what it holds, what it refuses, what it drops."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from simulated import field

from gmmx.errors import InputError
from gmmx.model.background import Background
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.plane.grid import PixelGrid, SkyImage

X, Y = np.array([0.0, 1.0, 30.0]), np.array([0.0, 2.0, 0.0])


def test_events_weigh_one_each():
    observation = Observation(photons=Photons(X, Y))
    assert_array_equal(observation.photons.weights, 1)
    assert observation.n_photons == 3
    assert Observation(photons=Photons(X, Y, weights=[0.5, 0, 3])).n_photons == 3.5


def test_big_endian_columns_stop_at_the_door():
    observation = Observation(photons=Photons(X.astype(">f4"), Y.astype(">i4")))
    assert observation.photons.x.dtype.isnative
    assert observation.photons.y.dtype == np.float64


def test_it_never_changes():
    observation = Observation(photons=Photons(X, Y))
    with pytest.raises(FrozenInstanceError):
        observation.photons.x = Y
    with pytest.raises(ValueError, match="read-only"):
        observation.photons.x[0] = 1


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"y": Y[:2]}, "Photons.y"),
        ({"weights": np.ones(2)}, "Photons.weights"),
        ({"weights": np.array([1.0, -2.0, 1.0])}, "cannot be negative, got -2"),
        ({"x": np.array([0.0, np.nan, 1.0])}, "not finite"),
        ({"x": np.zeros((3, 1))}, "1 dimensions"),
        ({"backgrounds": (Background(),)}, "a background needs a completeness"),
        (
            {"backgrounds": (Background(), Background()), "completeness": field(10, 1.0)},
            "have the same name: sky, sky",
        ),
    ],
)
def test_what_cannot_be_an_observation(arguments, match):
    with pytest.raises(InputError, match=match):
        photons = {name: arguments.pop(name) for name in ("x", "y", "weights") if name in arguments}
        Observation(photons=Photons(**({"x": X, "y": Y} | photons)), **arguments)


def test_photons_on_zero_exposure_are_dropped_and_counted():
    observation = Observation(photons=Photons(X, Y, weights=[1, 2, 4]), completeness=field(10, 1.0))
    seen = observation.exposed()
    assert_array_equal(seen.photons.x, [0, 1])
    assert seen.dropped == {"zero exposure": 4}
    assert observation.dropped == {}
    assert seen.exposed() is seen
    masked = Observation(
        photons=Photons(X, Y), completeness=field(100, 1.0).masked(np.zeros((100, 100)))
    )
    assert masked.exposed().n_photons == 0
    complete = Observation(photons=Photons(X, Y))
    assert complete.exposed() is complete


def test_reasons_add_up():
    observation = Observation(photons=Photons(X, Y))
    fewer = (
        observation.select(np.array([True, True, False]), "mask")
        .select(np.array([False, True]), "mask")
        .select(np.array([False]), "energy")
    )
    assert fewer.dropped == {"mask": 2, "energy": 1}
    assert len(fewer.photons) == 0
    assert observation.select(np.ones(3, bool), "mask") is observation


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"kind": "dark"}, "one of sky, particle, file, streak, got 'dark'"),
        ({"amplitude": -1.0}, "at least 0, got -1"),
        ({"amplitude": np.nan}, "at least 0"),
        ({"fixed": True}, "fixed but has no amplitude"),
        ({"kind": "file"}, "kind 'file' needs a template"),
        ({"kind": "streak"}, "kind 'streak' needs a template"),
        ({"deviations": (0.1,)}, "deviations belong to a fixed amplitude"),
        (
            {
                "template": SkyImage(
                    grid=PixelGrid.covering((0, 1), (0, 1), 1.0), values=np.ones((1, 1))
                )
            },
            "kind 'sky' has no template",
        ),
    ],
)
def test_what_cannot_be_a_background(arguments, match):
    with pytest.raises(InputError, match=match):
        Background(**arguments)
