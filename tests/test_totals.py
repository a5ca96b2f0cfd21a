"""The photons of a fit in all, each number with its interval."""

from dataclasses import replace

import numpy as np
import pytest
from handmade import make_draws, make_mixture, make_observation, make_result
from numpy.testing import assert_allclose
from simulated import drawn, field, mixture_of

import gmmx
from gmmx.model.amounts import with_interval
from gmmx.model.background import Background
from gmmx.show.facts import summary_dict
from gmmx.show.page import summary

TRUTH = mixture_of((600, -15, 0, 4), (400, 10, 5, 8))
NAMES = ("in_field", "total", "detected", "background")


def fitted(seed):
    """A fit of two sources on a background of 0.05 photon/arcsec^2."""
    given = {"sky": 0.05, "backgrounds": (Background(),)}
    observation = drawn(TRUTH, field(100, 2.0), np.random.default_rng(seed), **given)
    return gmmx.fit(observation, n_components=2, threads=1)


@pytest.fixture(scope="module")
def result():
    return fitted(3)


@pytest.mark.parametrize("name", NAMES)
def test_totals_of_draws_have_the_errors_of_the_fit(result, name):
    expected = getattr(result.totals, name)
    found = getattr(result.errors(400, method="laplace").totals, name)
    assert_allclose(found.value, expected.value)
    assert_allclose(found.error, expected.error, rtol=0.15)


@pytest.mark.slow
def test_the_error_of_the_detected_photons_is_their_scatter_over_skies():
    pulls = []
    for seed in range(60):
        totals = fitted(seed).totals
        pulls.append((totals.detected.value[0] - 998) / totals.detected.error[0])
    assert 0.75 < np.std(pulls) < 1.25


def test_detected_photons_of_draws_are_those_that_the_field_records():
    result = make_result([make_observation()], make_mixture())
    draws = make_draws(result, n=20, scatter=0.0)
    one = replace(draws, fluxes=draws.fluxes * (np.arange(4) == 3))
    wide = replace(result, draws=one).totals
    # Half of the draws have a broad component, which no fit has seen.
    upper = wide.detected.upper95[0]
    assert 0 < upper < wide.in_field.upper95[0] < wide.total.upper95[0]


def test_the_page_quotes_every_flux_with_an_error(result):
    page = summary(result.errors(30, method="laplace"))
    words = ("in the field", "outside the field", "detected photons", "total photons", "half-light")
    lines = [line for line in page.splitlines() if line.strip().startswith(words)]
    assert len(lines) == 5
    assert all("+" in line or "68 %" in line for line in lines)


def test_facts_have_the_totals_to_the_last_digit(result):
    facts, totals = summary_dict(result), result.totals
    assert facts["signal_photons_error"] == totals.detected.error[0]
    assert facts["background_photons_error"] == totals.background.error[0]
    assert facts["photons_reference_in_field_upper95"] == totals.in_field.upper95[0]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ((1200.0, 1170.0, 1228.0), "1,200 +- 29"),
        ((12.5, 12.2, 13.9), "12.5 -0.3 +1.4"),
        ((0.0, 0.0, 31.2), "0 -0 +31"),
        ((0.001, 3.4, 31.1), "0 (68 %: 3.4 to 31.1)"),
        ((3.8e-7, 3.4e-7, 4.4e-7), "(3.8 -0.4 +0.6)e-07"),
        ((5.0, np.nan, np.nan), "5, error not known"),
        ((5.0, 5.0, 5.0), "5"),
    ],
)
def test_an_interval_is_one_error_if_its_ends_are_alike(given, text):
    assert with_interval(*given) == text
