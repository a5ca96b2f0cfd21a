"""The page about a fit, and its facts for programs."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from handmade import make_mixture, make_observation, make_result
from numpy.testing import assert_allclose

from gmmx.model.background import Background
from gmmx.model.pointing import InputFile
from gmmx.show.facts import summary_dict
from gmmx.show.page import summary


def lines_of(page):
    """The lines of a page, with single spaces."""
    return [" ".join(line.split()) for line in page.splitlines()]


def make_long_result():
    """A result of twelve components that did not converge and has a long warning."""
    result = make_result(
        [make_observation()],
        make_mixture(12),
        requested_components=20,
        converged=False,
        stop_reason="2000 evaluations were not enough",
    )
    return replace(result, warnings=(*result.warnings, "so long a story " * 30))


@pytest.mark.parametrize(
    "text",
    [
        "acisf00001 (ObsID 1)",
        "energy 0.5-2 keV",
        "exposure time 100.00 ks",
        "photons left out 3 zero exposure",
        "components 12 (20 requested)",
        "status NOT CONVERGED: 2000 evaluations were not enough",
        "exposure map maximum 1e+07 cm**2 s, cells of 2 arcsec",
        "Brightest 10 of 12 components (`verbose` lists all)",
        "the exposure map is of another band",
    ],
)
def test_the_page_says(text):
    assert text in lines_of(summary(make_long_result()))


def test_the_page_is_plain_text_of_at_most_100_columns():
    page = summary(make_long_result())
    assert page.isascii()
    assert max(map(len, page.splitlines())) <= 100


@pytest.mark.parametrize("text", ["Options", "Components", "min_sigma"])
def test_the_long_page_has_the_options_and_all_components(text):
    result = replace(make_long_result(), options={"min_sigma": 0.1})
    assert text in summary(result, verbose=True)
    assert text not in summary(result)


def test_a_choice_of_gmmx_is_said_once():
    chosen = {
        "exposure": "uniform over the outline of the photons, cells of 2 arcsec",
        "psf": "none (no PSF was given)",
        "energy": "0.5-2 keV",
    }
    page = summary(make_result([with_choices(make_observation(unit=""), chosen)], make_mixture()))
    found = lines_of(page)
    assert "exposure map none: uniform over the outline of the photons, cells of 2 arcsec" in found
    assert "PSF none (no PSF was given)" in found
    assert "choices energy: 0.5-2 keV" in found
    assert page.count("outline") == page.count("no PSF was given") == 1


def with_choices(observation, chosen):
    """An observation with other choices of what was not given."""
    return replace(observation, psf=None, pointing=replace(observation.pointing, choices=chosen))


@pytest.mark.parametrize(("correlation", "said"), [(-0.5, False), (-0.95, True)])
def test_a_background_that_emission_can_replace_is_named(correlation, said):
    result = make_result([make_observation()], make_mixture())
    background = replace(result.backgrounds[0], correlation=correlation)
    page = summary(replace(result, backgrounds=(background,)))
    assert ("hardly distinguishable from broad emission" in page) == said


def test_a_fixed_background_has_no_error():
    fixed = Background(amplitude=0.02, fixed=True)
    observation = replace(make_observation(), backgrounds=(fixed,))
    page = summary(make_result([observation], make_mixture()))
    assert "detected photons, fixed; amplitude 0.02 photon/arcsec^2" in page
    assert "correlation" not in page


def test_a_background_that_is_not_significant_has_a_limit():
    result = make_result([make_observation()], make_mixture())
    zero = {"photons": 1e-9, "photons_error": 1.2, "photons_upper95": 3.1}
    zero |= {"amplitude": 1e-14, "amplitude_error": 1e-5, "amplitude_upper95": 2.6e-5}
    background = replace(result.backgrounds[0], **zero)
    found = lines_of(summary(replace(result, backgrounds=(background,))))
    assert "sky 0 (below 3.1 at 95 %) detected photons" in found
    assert "amplitude below 2.6e-05 photon/arcsec^2 at 95 %" in found


def test_a_component_that_is_not_significant_has_a_limit():
    mixture = make_mixture(2)
    errors = {"flux_errors": mixture.fluxes * [0.1, 0.8], "flux_upper95": mixture.fluxes * [1.2, 2]}
    page = summary(make_result([make_observation()], mixture, **errors))
    assert page.count("at 95 %)") == 1


def test_a_flux_needs_an_exposure_in_area_and_time():
    page = summary(make_result([make_observation(unit="s")], make_mixture()))
    known = "flux not known, because the exposure is in s"
    assert f"{known}: give an exposure map in cm^2 s, or `area`" in lines_of(page)


def test_a_fit_without_components_says_so():
    assert "none: background only" in summary(make_result([make_observation()]))


def make_joint_facts():
    """The facts of two observations, as a program reads them."""
    observations = [make_observation(), make_observation(1, name="second", n=10)]
    result = make_result(observations, make_mixture(), signal_error=np.nan)
    text = json.dumps(summary_dict(result, model="model.h5"), allow_nan=False)
    return json.loads(text), result


NEEDED = (
    "model k requested_components n_photons n_dropped log_likelihood objective converged"
    " stop_reason iterations background_fraction backgrounds signal_photons signal_flux"
    " signal_flux_error seconds seed warnings"
)


@pytest.mark.parametrize("name", NEEDED.split())
def test_the_facts_have(name):
    assert name in make_joint_facts()[0]


def test_the_facts_are_those_of_the_result():
    facts, result = make_joint_facts()
    background = result.backgrounds[0]
    assert facts["model"] == "model.h5"
    assert facts["n_photons"] == 510
    assert facts["n_dropped"] == {"zero exposure": 6.0}
    assert facts["signal_flux_error"] is None
    assert_allclose(facts["signal_flux"], result.mixture.fluxes.sum() / result.reference_exposure)
    assert_allclose(facts["signal_photons"], result.signal_photons)
    assert facts["refinement"] == result.refinement
    assert facts["backgrounds"][0]["amplitude"] == background.amplitude
    assert facts["backgrounds"][0]["photons_upper95"] == background.photons_upper95


def test_the_page_says_how_components_were_exchanged_and_removed():
    page = summary(make_result([make_observation()], make_mixture()))
    line = "changes 1 of 2 trial exchanges of components accepted; 1 component removed"
    assert line in lines_of(page)


def test_a_result_without_a_path_has_no_refinement():
    result = make_result([make_observation()], make_mixture(), path={})
    assert summary_dict(result)["refinement"] is None
    assert "exchange" not in summary(result)


def test_input_files_are_in_the_facts_and_on_the_long_page():
    table = InputFile("fix", "fixed.ecsv", "ab" * 32)
    observation = make_observation()
    pointing = replace(observation.pointing, inputs=(table,))
    result = make_result([replace(observation, pointing=pointing)], make_mixture())
    assert summary_dict(result)["inputs"] == [asdict(table)]
    assert f"fix fixed.ecsv {'ab' * 32}" in lines_of(summary(result, verbose=True))
    assert "fixed.ecsv" not in summary(result)
