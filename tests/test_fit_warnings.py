"""Each warning of a fit: when it is given, and in which words."""

from dataclasses import replace

import numpy as np
import pytest
from handmade import make_mixture, make_observation, make_result

from gmmx.errors import ConvergenceWarning, DataWarning, DegeneracyWarning
from gmmx.fitting.warnings import (
    degenerate_backgrounds,
    fewer_components,
    no_emission,
    not_converged,
    sources_at_edge,
)
from gmmx.model.mixture import Mixture
from gmmx.model.state import FitState


def make_state(**facts):
    return replace(FitState.initial(Mixture.empty(), (), seed=0), **facts)


def make_fit(k=3, correlations=(-0.3,), **changes):
    """A result of k components and of one background for each correlation with the signal."""
    kinds = ("sky", "particle", "streak")[: len(correlations)]
    result = make_result([make_observation(kinds=kinds)], make_mixture(k), **changes)
    backgrounds = (
        replace(b, correlation=c) for b, c in zip(result.backgrounds, correlations, strict=True)
    )
    return replace(result, backgrounds=tuple(backgrounds))


def only(found):
    """The class and the text of the only warning."""
    (warning,) = found
    return type(warning), str(warning)


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (1, "1 point source would leave its region: its position is kept at the region's edge"),
        (2, "2 point sources would leave their region: their positions are kept at the "),
    ],
)
def test_point_sources_at_the_edge_are_counted(n, text):
    kind, said = only(sources_at_edge(make_state(at_edge=n)))
    assert kind is DataWarning
    assert said.startswith(text)


def test_point_sources_within_their_regions_are_not_mentioned():
    assert list(sources_at_edge(make_state())) == []


def test_a_fit_that_has_not_converged_says_why():
    result = make_fit(converged=False, stop_reason="5 evaluations were not enough for 0.1 nat")
    assert only(not_converged(result)) == (
        ConvergenceWarning,
        "the fit has not converged: 5 evaluations were not enough for 0.1 nat; raise `max_iter`",
    )


@pytest.mark.parametrize(
    ("k", "removed", "said"),
    [
        (1, 0, "the fit has 1 component, fewer than the 5 asked for: no further component is"),
        (3, 0, "the fit has 3 components, fewer than the 5 asked for: no further component is"),
        (3, 2, "the fit has 3 components, fewer than the 5 asked for: components that no photon"),
    ],
)
def test_fewer_components_than_asked_for_have_a_reason(k, removed, said):
    state = make_state(n_components=5, removed=removed)
    kind, text = only(fewer_components(state, make_fit(k)))
    assert kind is DataWarning
    assert text.startswith(said)


@pytest.mark.parametrize("n_components", [None, 3])
def test_as_many_components_as_asked_for_are_not_mentioned(n_components):
    assert list(fewer_components(make_state(n_components=n_components), make_fit(3))) == []


def test_a_sky_without_emission_is_mentioned():
    assert only(no_emission(make_fit(0))) == (
        DataWarning,
        "there is no significant emission above the background",
    )
    assert list(no_emission(make_fit(1))) == []


def test_a_background_that_is_degenerate_with_the_signal_is_named():
    kind, text = only(degenerate_backgrounds(make_fit(correlations=(-0.95, 0.1))))
    assert kind is DegeneracyWarning
    assert text.startswith("background 'sky' of acisf00001 and the signal flux are correlated")
    assert "by -0.95, so that the data hardly distinguish them: fix its amplitude" in text


def test_backgrounds_that_are_degenerate_together_are_named_once():
    result = make_fit(correlations=(-0.6, -0.7), background_correlation=-0.97)
    kind, text = only(degenerate_backgrounds(result))
    assert kind is DegeneracyWarning
    assert text.startswith("the sum of the backgrounds and the signal flux are correlated by -0.97")


@pytest.mark.parametrize("correlation", [-0.3, 0.89])
def test_backgrounds_that_the_data_tell_from_the_signal_are_not_mentioned(correlation):
    result = make_fit(correlations=(correlation, 0.0), background_correlation=correlation)
    assert list(degenerate_backgrounds(result)) == []


def test_warnings_name_parameters_and_no_options():
    result = make_fit(0, correlations=(-0.95,), converged=False)
    state = make_state(n_components=4, at_edge=1)
    found = [
        *sources_at_edge(state),
        *not_converged(result),
        *fewer_components(state, result),
        *no_emission(result),
        *degenerate_backgrounds(result),
    ]
    assert len(found) == 5
    assert not any("--" in str(warning) for warning in found)
    assert np.all([isinstance(warning, UserWarning) for warning in found])
