"""Draws of the parameters, and intervals over them."""

from dataclasses import replace

import numpy as np
import pytest
from four_components import make_four, quiet_fit
from numpy.testing import assert_allclose, assert_array_equal

import gmmx
from gmmx.errors import InputError
from gmmx.model.interval import Interval
from gmmx.model.posterior import Draws


def make_draws(n=3, k=2, b=1, **changes):
    """Draws of k round components and b backgrounds; one of the components is not there once."""
    rng = np.random.default_rng(5)
    fluxes = rng.uniform(1, 2, (n, k))
    fluxes[0, -1] = 0.0
    given = {
        "fluxes": fluxes,
        "means": rng.normal(size=(n, k, 2)),
        "covariances": np.tile(np.eye(2), (n, k, 1, 1)),
        "amplitudes": rng.uniform(0, 1, (n, b)),
        "method": "laplace",
        "seed": 4,
    }
    return Draws(**(given | changes))


def test_a_draw_is_a_mixture_of_the_components_that_have_a_flux():
    draws = make_draws()
    assert [len(mixture) for mixture in draws.mixtures()] == [1, 2, 2]
    assert_array_equal(draws.mixture(1).fluxes, draws.fluxes[1])


def test_components_of_the_fit_can_be_left_out_of_a_draw():
    draws = make_draws(k=3)
    mixture = draws.mixture(1, without=np.array([True, False]))
    assert_array_equal(mixture.fluxes, draws.fluxes[1, 1:])


@pytest.mark.parametrize(
    "changes",
    [
        {"fluxes": -np.ones((3, 2))},
        {"amplitudes": -np.ones((3, 1))},
        {"amplitudes": np.ones((2, 1))},
        {"covariances": np.zeros((3, 2, 2, 2))},
        {"means": np.full((3, 2, 2), np.nan)},
        {"method": "guess"},
    ],
)
def test_draws_that_cannot_be_are_refused(changes):
    with pytest.raises(InputError):
        make_draws(**changes)


def test_draws_return_from_a_model_file_to_the_bit(tmp_path):
    result = quiet_fit(make_four(), n_components=2)
    draws = make_draws(b=len(result.backgrounds))
    replace(result, draws=draws).write(tmp_path / "m.h5")
    found = gmmx.read(tmp_path / "m.h5").draws
    for name in ("fluxes", "means", "covariances", "amplitudes"):
        assert_array_equal(getattr(found, name), getattr(draws, name))
    assert (found.method, found.seed) == ("laplace", 4)


def test_a_model_without_draws_has_none(tmp_path):
    quiet_fit(make_four(), n_components=2).write(tmp_path / "m.h5")
    assert gmmx.read(tmp_path / "m.h5").draws is None


def test_an_interval_holds_its_part_of_the_draws():
    drawn = np.random.default_rng(3).exponential(2.0, (20_000, 2))
    found = Interval.over(drawn)
    inside68 = (drawn >= found.lower68) & (drawn <= found.upper68)
    inside95 = (drawn >= found.lower95) & (drawn <= found.upper95)
    assert_allclose(inside68.mean(0), 0.6827, atol=1e-3)
    assert_allclose(inside95.mean(0), 0.95, atol=1e-3)
    # The exponential distribution is skew, and so is its interval.
    mode = 2.0 * np.log(2)
    assert np.all(found.upper68 - mode > mode - found.lower68)
    assert_allclose(found.value, 2.0, rtol=0.03)


def test_an_interval_keeps_the_value_of_the_best_fit():
    drawn = np.random.default_rng(3).normal(2.0, 1.0, (500, 1))
    found = Interval.over(drawn, value=[2.5])
    assert_array_equal(found.value, [2.5])
    assert_allclose(found.error, 1.0, rtol=0.15)
