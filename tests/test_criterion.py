"""The price of a component."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from simulated import drawn, field, mixture_of
from skies import flat_sky, small_galaxy

from gmmx.config import FitOptions
from gmmx.errors import InputError
from gmmx.fitting.criterion import Price
from gmmx.fitting.driver import fit
from gmmx.fitting.problem import Problem
from gmmx.model.background import Background

# The search of a field of 480 arcsec.
FIELD = Price.of_search(area=480.0**2, n_scales=7, finest=1.0)


def test_a_component_costs_its_parameters_the_scales_and_its_positions():
    price = FIELD.of(mixture_of((1, 0, 0, 10)))
    positions = 1 + 480**2 / (4 * np.pi * (10**2 + 1))
    assert_allclose(price, 6 + np.log(7) + np.log(positions))


def test_a_component_is_cheaper_the_broader_it_is():
    prices = FIELD.of(mixture_of(*[(1, 0, 0, sigma) for sigma in (0.1, 1, 10, 100, 1000)]))
    assert np.all(np.diff(prices) < 0)
    # A component as broad as the field has one position, so that only parameters and scales count.
    assert_allclose(prices[-1], 6 + np.log(7), atol=0.1)


def test_the_shape_of_a_component_does_not_matter():
    round_one, long_one = mixture_of((1, 0, 0, 6)), mixture_of((1, 0, 0, 6))
    long_one = type(long_one)(
        fluxes=long_one.fluxes, means=long_one.means, covariances=[[[144.0, 0], [0, 9.0]]]
    )
    assert_allclose(FIELD.of(long_one), FIELD.of(round_one))


def test_an_empty_mixture_costs_nothing():
    assert FIELD.criterion(-5.0, mixture_of((1, 0, 0, 1)).select([])) == -5.0


def test_the_price_of_a_fit_counts_the_area_that_has_an_exposure():
    observation = flat_sky(0, n=500)
    completeness = observation.completeness
    area = (completeness.effective > 0).sum() * completeness.grid.cell_area
    assert_allclose(Problem.of(observation, FitOptions()).price.area, area, rtol=0.02)


def test_a_given_price_holds_for_all_components():
    problem = Problem.of(flat_sky(0, n=500), FitOptions(price=12.0))
    assert problem.price.of(mixture_of((1, 0, 0, 1), (1, 0, 0, 50))).tolist() == [12.0, 12.0]


def test_a_higher_price_gives_fewer_components():
    observation = small_galaxy(2, n=3000).train
    few, many = (len(fit(observation, price=p, threads=1).mixture) for p in (60.0, 8.0))
    assert few < many


@pytest.mark.parametrize("price", [-1.0, float("nan"), "much"])
def test_a_price_that_is_no_number_is_refused(price):
    with pytest.raises(InputError, match="`price`"):
        FitOptions(price=price)


def test_a_price_is_refused_beside_a_number_of_components():
    with pytest.raises(InputError, match="give only one of the two"):
        FitOptions(price=10.0, n_components=3)


def test_a_price_is_refused_where_the_start_gives_the_number_of_components():
    start = mixture_of((300, 0, 0, 3))
    rng = np.random.default_rng(0)
    observation = drawn(start, field(60, 1.0), rng, sky=0.01, backgrounds=(Background(),))
    with pytest.raises(InputError, match="`price` = 10"):
        fit(observation, start=start, price=10.0)
