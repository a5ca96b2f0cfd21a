"""The component table, the page about a fit, and its JSON."""

import json
from dataclasses import replace

import numpy as np
import pytest
from handmade import ellipse, make_mixture, make_observation, make_result
from numpy.testing import assert_allclose

from gmmx.answers.components import component_table
from gmmx.errors import InputError
from gmmx.model.background import Background
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.plane.frame import SkyFrame
from gmmx.reading.fixed_components import mixture_from_table
from gmmx.show.page import summary, summary_dict


def one_component(frame, position_angle, *, x=0.0, y=0.0, major=10.0, minor=4.0, **changes):
    """A result of one ellipse whose major axis has an angle from the plane's y axis through east [deg]."""
    observation = Observation(photons=Photons([], []), frame=frame)
    mixture = Mixture(
        fluxes=np.array([100.0]),
        means=np.array([[x, y]]),
        covariances=ellipse(major, minor, position_angle)[None],
    )
    return make_result([observation], mixture, **changes)


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, 135.0, 179.9])
def test_position_angle_at_the_tangent_point_counts_from_the_plane_s_y_through_east(angle):
    table = component_table(one_component(SkyFrame(150, 60), angle))
    assert_allclose(table["position_angle"], angle, atol=1e-9)
    assert_allclose([table["sigma_major"][0], table["sigma_minor"][0]], [10, 4])
    assert_allclose(table["fwhm_major"], 23.5482, rtol=1e-5)


@pytest.mark.parametrize("dec", [60.0, -75.0, 0.0])
def test_position_angle_is_that_of_two_points_on_the_sky(dec):
    """The angle on the sphere from the centre to a point along the major axis, with its own formula."""
    result = one_component(SkyFrame(150, dec), 37.0, x=600.0, y=-200.0)
    row = component_table(result)[0]
    along = np.array([-np.sin(np.radians(37)), np.cos(np.radians(37))])
    ra, dec = result.frame.to_sky(*(np.array([600.0, -200.0]) + 0.1 * along))
    east = np.radians(ra - row["ra"])
    d1, d2 = np.radians([row["dec"], dec])
    expected = (
        np.degrees(np.arctan2(np.sin(east), np.cos(d1) * np.tan(d2) - np.sin(d1) * np.cos(east)))
        % 180
    )
    # The projection itself stretches by 1e-5 here.
    assert abs(row["position_angle"] - expected) < 1e-3


def test_table_goes_round():
    result = make_result([make_observation()], make_mixture(7))
    mixture = mixture_from_table(component_table(result), result.frame)
    assert_allclose(mixture.fluxes, result.mixture.fluxes)
    assert_allclose(mixture.means, result.mixture.means, atol=1e-7)
    assert_allclose(mixture.covariances, result.mixture.covariances, atol=1e-9)


def test_table_goes_round_without_a_sky():
    result = one_component(None, 20.0, x=3.0, y=-4.0)
    table = component_table(result)
    assert np.isnan(table["ra"]).all()
    assert_allclose(mixture_from_table(table).covariances, result.mixture.covariances)
    with pytest.raises(InputError, match="there is no sigma_minor"):
        table.remove_column("sigma_minor")
        mixture_from_table(table)


def test_table_by_falling_flux_keeps_everything_together():
    result = make_result([make_observation()], make_mixture(4).select([2, 0, 3, 1]))
    table = component_table(result)
    assert np.all(np.diff(table["photons"]) < 0)
    assert_allclose(table["photons"], result.mixture.fluxes[table["component"]])
    assert_allclose(table["observed_fraction"], result.observed_fraction[table["component"]])
    assert_allclose(table["x"], result.mixture.means[table["component"], 0])
    density = [
        result.mixture.select([k]).density(*result.mixture.means[k]) for k in table["component"]
    ]
    assert_allclose(table["peak_density"], density)


def test_flux_needs_area_and_time():
    seconds, area = (
        component_table(make_result([make_observation(unit=unit)], make_mixture()))
        for unit in ("s", "cm**2 s")
    )
    assert np.isnan(seconds["flux"]).all()
    assert "'s'" in seconds.meta["flux_note"]
    assert_allclose(area["flux"], area["photons"] / 1e7)
    assert str(area["flux"].unit) == "ph / (s cm2)"
    assert "flux_note" not in area.meta


def test_flags_say_what_to_be_careful_about():
    observation = make_observation()
    mixture = Mixture(
        fluxes=[300.0, 200, 100],
        means=np.zeros((3, 2)),
        covariances=[ellipse(20, 10, 0), ellipse(2, 0.1, 0), ellipse(0.5, 0.4, 0)],
    )
    result = make_result(
        [observation],
        mixture,
        options={"min_sigma": 0.1},
        observed_fraction=np.array([0.9, 0.9, 0.3]),
        observed_photons=np.array([270.0, 180, 30]),
        prior_scales=np.ones(3),
    )
    assert list(component_table(result)["flags"]) == [
        "",
        "at the size floor",
        "scarcely observed; smaller than the PSF",
    ]
    page = summary(result)
    assert "scarcely observed; smaller than the PSF" in page
    assert summary_dict(result)["scarcely_observed"] == [2]


def test_summary_is_a_page():
    observation = make_observation()
    result = make_result(
        [observation],
        make_mixture(12),
        requested_components=20,
        converged=False,
        stop_reason="max-iter reached",
    )
    result = replace(result, warnings=(*result.warnings, "so long a story " * 30))
    page = summary(result)
    assert max(len(line) for line in page.splitlines()) <= 160
    assert page.isascii()
    for text in (
        "ObsID 1",
        "0.5-2 keV",
        "100.00 ks",
        "3  zero exposure",
        "12 of 20 asked for",
        "NOT CONVERGED: max-iter reached",
        "the exposure map is of another band",
    ):
        assert text in page
    assert "Brightest 10 of 12" in page
    assert "Options" in summary(result, verbose=True)
    assert "Brightest" not in summary(result, verbose=True)


def test_what_was_not_given_is_said_once():
    observation = make_observation(unit="")
    resolved = {
        "exposure": "uniform over the photons' footprint, cells of 2 arcsec",
        "psf": "none (no PSF was given)",
        "energy": "0.5-2 keV",
    }
    page = summary(
        make_result(
            [
                replace(
                    observation, psf=None, metadata=observation.metadata | {"resolved": resolved}
                )
            ],
            make_mixture(),
        )
    )
    lines = [" ".join(line.split()) for line in page.splitlines()]
    assert "exposure map none: uniform over the photons' footprint, 2 arcsec cells" in lines
    assert "PSF none (no PSF was given)" in lines
    assert "resolved energy: 0.5-2 keV" in lines
    assert page.count("footprint") == page.count("no PSF was given") == 1
    assert "exposure map at most 1e+07 cm**2 s, 2 arcsec cells" in [
        " ".join(line.split()) for line in summary(make_result([make_observation()])).splitlines()
    ]


def test_high_correlation_is_said():
    result = make_result([make_observation()], make_mixture())
    low, high = (
        summary(
            make_result(
                [make_observation()], make_mixture(), backgrounds=[with_correlation(result, c)]
            )
        )
        for c in (-0.5, -0.95)
    )
    assert "WARNING" not in low
    assert "WARNING" in high
    assert "sky=VALUE" in high


def with_correlation(result, correlation):
    background = result.backgrounds[0]
    return type(background)(
        **{
            **{name: getattr(background, name) for name in background.__dataclass_fields__},
            "correlation": correlation,
        }
    )


def test_held_background_has_no_error():
    observation = make_observation()
    held = Background(amplitude=0.02, fixed=True)
    result = make_result(
        [type(observation)(**{**vars(observation), "backgrounds": (held,)})], make_mixture()
    )
    assert "held; amplitude 0.02 photon" in summary(result)
    assert "correlation" not in summary(result)


def test_summary_of_nothing_but_background():
    page = summary(make_result([make_observation()]))
    assert "none: background only" in page
    assert len(component_table(make_result([make_observation()]))) == 0


def test_dictionary_is_json_and_complete():
    result = make_result(
        [make_observation(), make_observation(1, name="second", n=10)],
        make_mixture(),
        signal_error=np.nan,
    )
    facts = json.loads(json.dumps(summary_dict(result, model="model.h5"), allow_nan=False))
    needed = "model k k_requested n_photons n_dropped log_likelihood objective converged stop_reason iterations background_fraction backgrounds signal_photons"
    assert set(f"{needed} signal_flux signal_flux_error seconds seed warnings".split()) <= set(
        facts
    )
    assert facts["model"] == "model.h5"
    assert facts["n_photons"] == 510
    assert facts["n_dropped"] == {"zero exposure": 6.0}
    assert facts["signal_flux_error"] is None
    assert_allclose(facts["signal_flux"], result.mixture.fluxes.sum() / 1e7)
    assert_allclose(facts["signal_photons"], result.signal_photons)
    assert {"observation", "name", "amplitude", "amplitude_error", "photons", "correlation"} <= set(
        facts["backgrounds"][0]
    )


def test_refinement_is_told():
    result = make_result([make_observation()], make_mixture())
    assert result.refinement == {
        "exchanges_tried": 2,
        "exchanges_accepted": 1,
        "exchange_gain": 10.25,
        "pruned": 1,
    }
    assert (
        "refined           2 exchanges tried, 1 accepted, gained 10.2 nat; 1 component pruned\n"
        in summary(result)
    )
    assert summary_dict(result)["refinement"] == result.refinement
    older = replace(result, path={})
    assert "refined" not in summary(older)
    assert summary_dict(older)["refinement"] is None


def test_files_that_were_read_are_told():
    record = {"role": "fix", "path": "held.ecsv", "sha256": "ab" * 32}
    observation = make_observation()
    result = make_result(
        [replace(observation, metadata=observation.metadata | {"inputs": [record]})], make_mixture()
    )
    assert summary_dict(result)["inputs"] == [record]
    assert f"fix               held.ecsv  {'ab' * 32}" in summary(result, verbose=True)
    assert "held.ecsv" not in summary(result)
