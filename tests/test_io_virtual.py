"""Filters in brackets behind a file name select photons, and the exposure follows them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_files import event_hdus
from numpy.testing import assert_allclose

from gmmx.commands.fit import described, fit
from gmmx.commands.score import score
from gmmx.config import FitConfig
from gmmx.errors import DataError, DataWarning, GmmxError, InputError
from gmmx.io.events import read_events
from gmmx.io.virtual import parse_file_argument
from gmmx.reading.door import read_observation


@pytest.fixture
def events(tmp_path):
    path = tmp_path / "events.fits"
    hdus = event_hdus()
    table = hdus[1].data
    table["ccd_id"] = np.arange(len(table)) % 4
    hdus.writeto(path)
    return path


def column(text):
    (one,) = parse_file_argument(f"events.fits[{text}]").columns
    return one


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("energy=500:2000", [(500, 2000)]),
        ("ENERGY = 500 : 2000", [(500, 2000)]),
        ("energy=500:", [(500, math.inf)]),
        ("energy=:2e3", [(-math.inf, 2000)]),
        ("ccd_id=7", [(7, 7)]),
        ("ccd_id==7", [(7, 7)]),
        ("ccd_id=0,2:3, 6", [(0, 0), (2, 3), (6, 6)]),
        ("pha=-5:-2.5", [(-5, -2.5)]),
        ("grade<=4", [(-math.inf, 4)]),
        ("grade>=4", [(4, math.inf)]),
        ("grade<4", [(-math.inf, np.nextafter(4, 0))]),
        ("grade>4", [(np.nextafter(4, 5), math.inf)]),
    ],
)
def test_ranges(text, ranges):
    one = column(text)
    assert one.ranges == tuple(ranges)
    assert not one.exclude


@pytest.mark.parametrize(
    ("text", "exclude"),
    [("exclude ccd_id=5", True), ("ccd_id!=5", True), ("exclude ccd_id!=5", False)],
)
def test_an_exclusion_turns_a_filter_around(text, exclude):
    assert column(text).exclude == exclude


def test_blocks_and_conditions_join():
    file = parse_file_argument(
        "a dir/evt.fits[EVENTS][energy=500:2000,ccd_id=0,1]"
        "[exclude sky=region(my (b).reg)][sky=circle(4096,4096,100)]"
    )
    assert str(file.path) == "a dir/evt.fits"
    assert [one.text for one in file.columns] == ["energy=500:2000", "ccd_id=0,1"]
    assert [(one.path, one.exclude) for one in file.sky] == [("my (b).reg", True), (None, False)]


@pytest.mark.parametrize(
    ("text", "path", "filters"),
    [
        ("evt.fits[EVENTS]", "evt.fits", ""),
        ("evt.fits[events][grade=0]", "evt.fits", "[events][grade=0]"),
        ("run[1]/evt.fits[grade=0]", "run[1]/evt.fits", "[grade=0]"),
        ("evt.fits", "evt.fits", ""),
    ],
)
def test_a_file_and_its_filters_are_separated(text, path, filters):
    file = parse_file_argument(text)
    assert (str(file.path), file.filters) == (path, filters)


def test_an_argument_that_is_parsed_stays_as_it_is():
    file = parse_file_argument("evt.fits[grade=0]")
    assert parse_file_argument(file) is file


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ("[bin sky=4]", "bin"),
        ("[cols x,y]", "cols"),
        ("[opt full]", "opt"),
        ("[#row=1:7]", "#row=1:7"),
        ("[energy=500:2000,bin=8:9,foo]", "'foo'"),
        ("[GTI]", "'GTI'"),
        ("[2]", "'2'"),
        ("[@good.gti]", "@good.gti"),
        ("[time=TABLE]", "TABLE"),
        ("[energy=2000:500]", "2000:500 is empty"),
        ("[energy=]", "neither a number nor a range"),
        ("[energy=:]", "neither a number nor a range"),
        ("[energy<500:700]", "not a number"),
        ("[energy=500:2000]]", "brackets"),
        ("[energy=500:2000", "brackets"),
        ("[]", "nothing"),
        ("[exclude]", "nothing"),
        ("[exclude energy=1:2,ccd_id=3]", "at once"),
        ("[sky<5]", "sky is compared"),
        ("[sky=]", "no shape"),
        ("[sky=region()]", "no shape"),
        ("[sky=region(a.reg)-circle(1,2,3)]", "chain"),
        ("[sky=circle(1,2,3]", "parentheses"),
        ("[energy=500:2000 && grade=0]", "500:2000 && grade=0"),
    ],
)
def test_other_filters_are_refused_by_name(filters, told, events):
    with pytest.raises(InputError, match=r"understood are \[EVENTS\], column ranges") as caught:
        read_events(f"{events}{filters}")
    assert told in str(caught.value).split("understood are")[0]


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ("[pi=1:5]", r"no column pi, which \[pi=1:5\] filters by \(found x, y"),
        ("[energy=5000:]", r"leaves no photon \(the file has energy 5"),
        ("[sky=potato(1,2,3)]", "sky=potato"),
        ("[sky=region(nowhere.reg)]", r"nowhere\.reg"),
        (".gz[energy=500:2000]", "no such file"),
    ],
)
def test_columns_and_shapes_that_are_not_there_are_an_error(events, filters, message):
    with pytest.raises(DataError, match=message):
        read_events(f"{events}{filters}")


def test_a_file_with_brackets_in_its_name_has_no_filters(tmp_path):
    path = tmp_path / "events.fits[energy=500:600]"
    event_hdus().writeto(path)
    assert parse_file_argument(path).path == path
    listed = read_events(path)
    assert len(listed) == 1500
    assert not listed.dropped
    assert len(read_events(f"{path}[energy=500:600]")) < 200


numbers = st.floats(-1e6, 1e6, allow_nan=False).map(lambda v: float(np.float32(v)))


@given(
    ends=st.lists(st.tuples(numbers, numbers).map(sorted), min_size=1, max_size=4),
    values=st.lists(numbers, max_size=20),
    exclude=st.booleans(),
)
def test_a_filter_keeps_the_values_in_any_of_its_ranges(ends, values, exclude):
    text = "exclude " * exclude + "pha=" + ",".join(f"{low!r}:{high!r}" for low, high in ends)
    values = np.array([*values, *np.ravel(ends), np.nan])
    expected = [any(low <= v <= high for low, high in ends) != exclude for v in values]
    assert column(text).keeps(values).tolist() == expected


@pytest.mark.parametrize(
    ("sign", "compare"),
    [
        ("<", np.less),
        ("<=", np.less_equal),
        (">", np.greater),
        (">=", np.greater_equal),
        ("==", np.equal),
        ("!=", np.not_equal),
    ],
)
@given(limit=numbers, values=st.lists(numbers, max_size=20))
def test_comparisons_are_those_of_numbers(sign, compare, limit, values):
    values = np.array([*values, limit, np.nextafter(limit, np.inf), np.nextafter(limit, -np.inf)])
    kept = column(f"pha{sign}{limit!r}").keeps(values)
    assert kept.tolist() == compare(values, limit).tolist()


def test_filters_of_columns_select_photons_and_are_recorded(events):
    everything = read_events(events)
    found = read_events(f"{events}[EVENTS][energy=600:1800,ccd_id=0,2][exclude ccd_id=2]")
    energy, ccd = everything.photons.energy_kev, everything.photons.ccd
    keep = (energy >= 0.6) & (energy <= 1.8) & (ccd == 0)
    assert_allclose(found.photons.x, everything.photons.x[keep])
    assert found.dropped == {"filter": np.count_nonzero(~keep)}
    assert found.pointing.recorded_band_kev == (0.6, 1.8)
    assert found.pointing.recorded_chips == (0,)
    assert found.pointing.events_file.sha256 == everything.pointing.events_file.sha256
    assert found.pointing.file_name == "events.fits"


@pytest.mark.parametrize(
    ("filters", "inside"),
    [
        ("[sky=circle(4096.5,4096.5,100)]", lambda x, y: np.hypot(x, y) <= 49.2),
        (
            "[x=4000:4200][y<4096.5]",
            lambda x, y: (x >= -96.5 * 0.492) & (x <= 103.5 * 0.492) & (y < 0),
        ),
    ],
)
def test_filters_of_the_sky_select_photons(events, filters, inside):
    everything = read_events(events).photons
    expected = np.count_nonzero(inside(everything.x, everything.y))
    assert len(read_events(f"{events}{filters}")) == expected


def test_an_open_end_of_the_band_is_where_the_photons_end(events):
    top = read_events(events).photons.energy_kev.max()
    assert read_events(f"{events}[energy=1000:]").pointing.recorded_band_kev == (1.0, top)
    assert read_events(f"{events}[energy<=1000]").pointing.recorded_band_kev == (0.0, 1.0)


@pytest.mark.filterwarnings("ignore::gmmx.errors.DataWarning")
def test_filters_and_options_select_the_same_photons(events, tmp_path):
    hole, field = tmp_path / "hole.reg", tmp_path / "field.reg"
    hole.write_text("circle(4150,4150,20)\n")
    field.write_text("circle(4096.5,4096.5,150)\n")
    one = read_observation(
        f"{events}[energy=600:1800,ccd_id=0:1][sky=region({field})][exclude sky=region({hole})]"
    )
    other = read_observation(events, energy_kev="0.6:1.8", ccd="0-1", region=field, mask=hole)
    assert_allclose(one.photons.x, other.photons.x)
    # The outline is that of the photons that the filters leave, so that it differs slightly.
    area = [o.completeness.effective.sum() * o.completeness.grid.cell_area for o in (one, other)]
    assert_allclose(area[0], area[1], rtol=0.02)
    assert one.pointing.chips == (0, 1)
    assert one.pointing.band_kev == (0.6, 1.8)
    assert [(file.role, file.path) for file in one.pointing.inputs][1:] == [
        ("region", str(field)),
        ("mask", str(hole)),
    ]
    assert one.pointing.inputs[0].path.endswith(f"[exclude sky=region({hole})]")
    assert one.name == "events"
    assert any(line.startswith("filter: [energy=600:1800") for line in described(one))


@pytest.mark.filterwarnings("ignore::gmmx.errors.DataWarning")
def test_regions_of_several_filters_must_all_hold(events):
    both = read_observation(f"{events}[sky=circle(4050,4096.5,90)][sky=circle(4140,4096.5,90)]")
    x, y = both.photons.x / 0.492 + 4096.5, both.photons.y / 0.492 + 4096.5
    assert np.all(np.hypot(x - 4050, y - 4096.5) <= 90.001)
    assert np.all(np.hypot(x - 4140, y - 4096.5) <= 90.001)
    grid = both.completeness.grid
    lens = 2 * 90**2 * np.arccos(0.5) - 0.5 * 90 * np.sqrt(4 * 90**2 - 90**2)
    assert_allclose(both.completeness.effective.sum() * grid.cell_area, lens * 0.492**2, rtol=0.02)


def test_a_filter_of_detector_coordinates_is_a_warning(tmp_path):
    path = tmp_path / "events.fits"
    hdus = event_hdus()
    hdus[1].columns["energy"].name = "chipx"
    hdus.writeto(path)
    with pytest.warns(DataWarning, match="selects a part of the detector"):
        assert len(read_events(f"{path}[chipx=500:1000]")) < 1500


@pytest.mark.filterwarnings("ignore::gmmx.errors.DataWarning")
def test_fit_and_score_take_filters(events, tmp_path):
    name = f"{events}[energy=500:1500][sky=circle(4096.5,4096.5,150)]"
    out, result = fit([name], config=FitConfig(n_components=1, max_iter=50))
    assert out == tmp_path / "events.model.h5"
    assert result.observations[0].pointing.band_kev == (0.5, 1.5)
    facts = score(out, [name])
    assert facts["n_photons"] == len(result.observations[0].photons)
    assert score(out, [events])["score"] == facts["score"]
    with pytest.raises(GmmxError, match="cut into the model's own field"):
        score(out, [f"{events}[sky=circle(4096.5,4096.5,50)]"])
