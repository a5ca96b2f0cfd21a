"""Components that tell more about the telescope than about the sky are flagged; others are not."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from handmade import ellipse, make_mixture, make_observation, make_result
from numpy.testing import assert_allclose, assert_array_equal

from gmmx.answers.components import component_table
from gmmx.answers.flags import component_flags, on_masked_wings, readout_angles
from gmmx.model.mixture import Mixture
from gmmx.model.pointing import MaskRecord, Pointing
from gmmx.plane.shapes import Shapes, Term
from gmmx.plane.shapes.kinds import Ellipse, Field, circle
from gmmx.show.facts import summary_dict
from gmmx.show.page import summary

STREAK = "along the readout"
WINGS = "wings of a masked source"


def acis(**facts):
    observation = make_observation()
    return replace(
        observation,
        pointing=replace(
            observation.pointing,
            **{"instrument": "ACIS", "roll": 40.0, "detector": "ACIS-0123"} | facts,
        ),
    )


def flagged(result, word):
    return [word in words for words in component_flags(result)]


def thin(*angles, major=30.0, minor=2.0):
    k = len(angles)
    return Mixture(
        fluxes=np.arange(k, 0, -1) * 100.0,
        means=np.zeros((k, 2)),
        covariances=[ellipse(major, minor, a) for a in angles],
    )


@pytest.mark.parametrize(
    ("facts", "position_angle"),
    [
        ({}, 50.0),
        ({"chips": [0, 1, 2, 3]}, 50.0),
        ({"chips": [7]}, 140.0),
        ({"chips": [7], "roll": 236.754}, 123.246),
        ({"roll": 163.0}, 107.0),
        ({"detector": "ACIS-7"}, 140.0),
    ],
)
def test_streaks_lie_along_the_columns(facts, position_angle):
    mixture = thin(*(position_angle + np.array([0, 2.5, -2.5, 3.5, -3.5, 90, 178])))
    assert flagged(make_result([acis(**facts)], mixture), STREAK) == [
        True,
        True,
        True,
        False,
        False,
        False,
        True,
    ]


def test_streaks_are_long_and_thin():
    mixture = thin(50, 50, 50, 50)
    sizes = [(30, 3.7), (30, 3.8), (8.6, 0.5), (8.4, 0.5)]
    mixture = replace(mixture, covariances=[ellipse(*size, 50) for size in sizes])
    assert flagged(make_result([acis()], mixture), STREAK) == [True, False, True, False]


@pytest.mark.parametrize(
    "facts", [{"instrument": "HRC"}, {"roll": None}, {"detector": "", "chips": None}]
)
def test_nothing_is_a_streak_where_the_columns_are_not_known(facts):
    observation = acis(**facts)
    assert readout_angles(observation) == ()
    assert not any(flagged(make_result([observation], thin(50, 140)), STREAK))


def test_several_pointings_have_a_streak_each():
    result = make_result([acis(), replace(acis(roll=70.0), name="two")], thin(50, 20, 90))
    assert flagged(result, STREAK) == [True, True, False]


@pytest.mark.parametrize(
    "file",
    [
        "marx/galaxy/events.fits.gz",
        "marx/pair/events_2.fits.gz",
        "real/755_PSRB2223/755_7_evt2_05_8keV.fits.gz",
    ],
)
def test_the_columns_are_where_event_lists_have_them(shared_data, file):
    with fits.open(shared_data / file) as hdus:
        header, events = hdus["EVENTS"].header, hdus["EVENTS"].data
        chip = np.bincount(events["ccd_id"]).argmax()
        events = events[events["ccd_id"] == chip]
        columns = np.column_stack([events["chipx"], events["chipy"], np.ones(len(events))]).astype(
            float
        )
        slope = np.linalg.lstsq(
            columns, np.column_stack([events["x"], events["y"]]).astype(float), rcond=None
        )[0][1]
    (angle,) = readout_angles(
        acis(roll=header["ROLL_PNT"], detector=header["DETNAM"], chips=[chip])
    )
    # X grows west, as the plane's x does: the angle from y, counter-clockwise.
    assert (np.degrees(np.arctan2(-slope[0], slope[1])) - angle + 90) % 180 - 90 == pytest.approx(
        0, abs=0.2
    )


# Masked sources


def masked(counts, *terms, kind="mask"):
    """A pointing whose masks took photons."""
    record = MaskRecord(
        file="m.reg",
        kind=kind,
        n_shapes=len(terms),
        area_arcmin2=0.1,
        n_photons=sum(counts),
        by_shape=counts,
    )
    observation = acis(masks=[record])
    return replace(observation, masks=Shapes.of(*terms), psf=None, backgrounds=())


def around(observed, *rows):
    """A result of round components (x, y, sigma), each with a few photons."""

    def make(observation):
        mixture = Mixture(
            fluxes=np.full(len(rows), 10.0),
            means=[r[:2] for r in rows],
            covariances=[r[2] ** 2 * np.eye(2) for r in rows],
        )
        return make_result([observation], mixture, observed_photons=np.array(observed, float))

    return make


def test_small_faint_components_beside_a_bright_masked_source_are_its_wings():
    make = around([20, 20, 20, 60], (5, 0, 2), (20, 0, 2), (5, 0, 13), (0, 5, 2))
    # Near; too far; too wide; too bright.
    assert flagged(make(masked([1000], circle(0, 0, 4))), WINGS) == [True, False, False, False]
    # The source was faint itself.
    assert not any(flagged(make(masked([90], circle(0, 0, 4))), WINGS))
    # No mask at all, and a count that is not known.
    assert not any(flagged(make(acis()), WINGS))
    assert not any(
        flagged(
            make(
                replace(
                    masked([1000], circle(0, 0, 4)),
                    pointing=Pointing(masks=[MaskRecord(file="m.reg")]),
                )
            ),
            WINGS,
        )
    )


def test_a_mask_on_diffuse_emission_has_no_wings():
    observation = masked([1000], circle(0, 0, 4))
    # The model expects as many photons there as the mask took.
    broad = Mixture(
        fluxes=[1000 / (np.pi * 16) * 2 * np.pi * 900, 10.0],
        means=[[0, 0], [5, 0]],
        covariances=[900 * np.eye(2), 4 * np.eye(2)],
    )
    result = make_result([observation], broad, observed_photons=np.array([1e5, 8.0]))
    assert not on_masked_wings(result, np.array([30.0, 2.0])).any()
    assert on_masked_wings(
        replace(result, mixture=replace(broad, fluxes=[1000.0, 10.0])), np.array([30.0, 2.0])
    )[1]


def test_only_bounded_shapes_of_masks_that_add_count():
    make = around([20], (5, 0, 2))
    unbounded, hole = Term(((Field(), False),)), Term(((circle(0, 0, 4), False),), exclude=True)
    assert flagged(make(masked([1000, 1000], unbounded, hole)), WINGS) == [False]
    assert flagged(make(masked([1000], circle(0, 0, 4), kind="region")), WINGS) == [False]
    # What a region leaves out comes after the masks' own shapes.
    assert flagged(make(masked([1000], Ellipse(0, 0, 5, 3, 20), unbounded)), WINGS) == [True]


def test_masks_of_a_file_tell_how_much_each_shape_took(samples):
    from gmmx.reading.door import read_observation

    files = {name: samples / f"{name}.fits.gz" for name in ("events", "expmap")}
    observation = read_observation(
        files["events"],
        exposure=files["expmap"],
        psf="none",
        mask=samples / "sources.reg",
        energy_kev="0.5:2",
        ccd="0-3",
    )
    (record,) = observation.pointing.masks
    assert len(record.by_shape) == len(observation.masks.terms) == record.n_shapes
    # They may overlap.
    assert sum(record.by_shape) >= record.n_photons > 0


def test_flags_are_told_everywhere():
    result = make_result([acis()], thin(50, 10))
    table = component_table(result)
    assert [STREAK in flags for flags in table["flags"]] == [True, False]
    assert STREAK in summary(result)
    assert STREAK in summary_dict(result)["flags"][0]
    assert component_flags(make_result([acis()])) == []
    assert_array_equal(on_masked_wings(make_result([acis()]), np.zeros(0)), np.zeros(0, bool))
    assert_allclose(len(component_flags(make_result([acis()], make_mixture(4)))), 4)
