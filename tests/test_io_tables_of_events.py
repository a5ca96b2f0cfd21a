"""Columns of event tables in every form that FITS allows, and the filters of their rows."""

import warnings

import numpy as np
import pytest
from astropy.io import fits
from made_files import event_hdus
from numpy.testing import assert_allclose, assert_array_equal

from gmmx.errors import DataError, DataWarning
from gmmx.io._rows import NO_CHIP
from gmmx.io.events import read_events

N = 200
BITS = np.zeros((N, 32), bool)
BITS[:20, 4] = True
BITS[10:30, 31] = True


def make_events(path, *extra, header=(), **changed):
    """An ACIS event list whose columns are replaced by their names, and with further columns."""
    hdus = event_hdus(n=N)
    table, kept = hdus[1], dict(hdus[1].header)
    columns = [changed.get(column.name, column) for column in table.columns]
    new = fits.BinTableHDU.from_columns([*columns, *extra], name="EVENTS")
    for key, value in kept.items():
        if key.startswith(("TCTYP", "TCRVL", "TCRPX", "TCDLT", "TCUNI")) or key not in new.header:
            new.header[key] = value
    new.header.update(dict(header))
    fits.HDUList([fits.PrimaryHDU(), new]).writeto(path, overwrite=True)
    return path


def read_silently(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read_events(path)


CHIPS = np.where(np.arange(N) < 150, 3, 7)


@pytest.mark.parametrize(
    "column",
    [
        fits.Column("ccd_id", "I", array=CHIPS),
        fits.Column("ccd_id", "I", bzero=32768, array=CHIPS.astype(np.uint16)),
        fits.Column("ccd_id", "J", bzero=2**31, array=CHIPS.astype(np.uint32)),
        fits.Column("ccd_id", "B", array=CHIPS),
        fits.Column("ccd_id", "B", bzero=-128, array=CHIPS.astype(np.int8)),
        fits.Column("ccd_id", "K", array=CHIPS),
        fits.Column("ccd_id", "E", array=CHIPS),
        fits.Column("ccd_id", "PI()", array=np.array([[c] for c in CHIPS], dtype=object)),
    ],
    ids=["I", "unsigned I", "unsigned J", "B", "signed B", "K", "E", "variable"],
)
def test_chips_are_read_in_every_form(tmp_path, column):
    path = make_events(tmp_path / "evt.fits", ccd_id=column)
    assert_array_equal(read_silently(path).photons.ccd, CHIPS)
    assert len(read_silently(f"{path}[ccd_id=7]")) == 50


@pytest.mark.parametrize(
    ("form", "given"),
    [
        ("E", {}),
        ("D", {}),
        ("I", {}),
        ("K", {}),
        ("I", {"bzero": 32768}),
        ("J", {"bzero": 2**31}),
        ("PE()", {}),
        ("QD()", {}),
    ],
    ids=str,
)
def test_positions_are_what_astropy_reads(tmp_path, form, given):
    values = np.round(4000 + 200 * np.random.default_rng(0).random(N))
    if form[0] in "PQ":
        values = np.array([[v] for v in values], dtype=object)
    elif given.get("bzero") in (32768, 2**31):
        values = values.astype(np.uint16 if form == "I" else np.uint32)
    path = make_events(tmp_path / "evt.fits", x=fits.Column("x", form, array=values, **given))
    events, data = read_silently(path), fits.getdata(path, 1)["x"]
    expected = np.array([float(np.squeeze(v)) for v in data])
    assert_array_equal(events.photons.x, (expected - 4096.5) * events.physical.step_x)


def test_scaled_columns(tmp_path):
    scales = {"TSCAL1": 0.25, "TZERO1": 1000.0, "TSCAL4": 0.5}
    x = np.random.default_rng(0).integers(12000, 13000, N)
    path = make_events(
        tmp_path / "evt.fits",
        x=fits.Column("x", "I", array=x),
        ccd_id=fits.Column("ccd_id", "I", array=2 * CHIPS),
        header=scales,
    )
    events = read_silently(path)
    assert_array_equal(events.photons.ccd, CHIPS)
    assert_allclose(events.photons.x, (0.25 * x + 1000 - 4096.5) * 0.492)


def test_rows_with_null_are_dropped_and_counted(tmp_path):
    x = np.random.default_rng(0).integers(4000, 4200, N)
    x[:7] = -32768
    chips = np.where(np.arange(N) < 190, 3, 99)
    path = make_events(
        tmp_path / "evt.fits",
        x=fits.Column("x", "I", null=-32768, array=x),
        ccd_id=fits.Column("ccd_id", "I", null=99, array=chips),
    )
    events = read_silently(path)
    assert events.dropped == {"not finite": 7}
    assert np.count_nonzero(events.photons.ccd == NO_CHIP) == 10


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        ("status=0", N - 30),
        ("status=1", 10),
        ("status=0,grade=0,2,3,4,6", N - 40),
        ("exclude status=0", 30),
        ("status!=0", 30),
        ("status=" + 32 * "0", N - 30),
        ("status=xxxx0" + 27 * "x", N - 20),
        ("status=" + 4 * "X" + "1" + 27 * "X", 20),
        ("status=b" + 31 * "x" + "1", 20),
        ("status!=" + 31 * "x" + "1", N - 20),
        ("exclude status=xxxx1" + 26 * "x" + "1", N - 10),
        ("status=" + 31 * "0" + "1", 10),
        ("good=1", 120),
        ("flag=0:2", 15),
    ],
)
def test_bits_truth_values_and_variable_columns_filter_rows(tmp_path, filters, kept):
    grade = np.zeros(N, int)
    grade[-10:] = 7
    path = make_events(
        tmp_path / "evt.fits",
        fits.Column("status", "32X", array=BITS),
        fits.Column("grade", "I", array=grade),
        fits.Column("good", "L", array=np.arange(N) < 120),
        fits.Column("flag", "PJ()", array=np.array([[i // 5] for i in range(N)], dtype=object)),
        header={"CONTENT": "EVT2"},
    )
    assert len(read_silently(f"{path}[{filters}]")) == kept


@pytest.mark.parametrize("n_bits", [1, 5, 8, 12, 16, 32, 64])
def test_the_first_bit_is_the_highest(tmp_path, n_bits):
    bits = np.random.default_rng(n_bits).random((N, n_bits)) < 0.5
    numbers = [int("".join("01"[int(bit)] for bit in row), 2) for row in bits]
    path = make_events(tmp_path / "evt.fits", fits.Column("flags", f"{n_bits}X", array=bits))
    kept = read_silently(f"{path}[flags={numbers[0]}]")
    assert len(kept) == sum(float(one) == float(numbers[0]) for one in numbers)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (fits.Column("mode", "4A", array=["abcd"] * N), "column mode holds text"),
        (fits.Column("mode", "C", array=np.ones(N, complex)), "holds complex numbers"),
        (fits.Column("mode", "65X", array=np.zeros((N, 65), bool)), "has 65 bits"),
        (fits.Column("mode", "3E", array=np.zeros((N, 3))), "several values per row"),
        (
            fits.Column("mode", "PJ()", array=np.array([[1, 2]] * N, dtype=object)),
            "other lengths than 1",
        ),
    ],
    ids=["text", "complex", "many bits", "vector", "variable"],
)
def test_a_column_that_cannot_be_filtered_by_is_named(tmp_path, column, message):
    path = make_events(tmp_path / "evt.fits", column)
    assert len(read_silently(path)) == N
    with pytest.raises(DataError, match=message):
        read_events(f"{path}[mode=1]")


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ("status=xx0", r"a pattern of 3 bits, and column status has 32 bits"),
        ("ccd_id=x0", "a pattern of 2 bits, and column ccd_id has numbers instead of bits"),
    ],
)
def test_a_pattern_that_does_not_fit_its_column_is_refused(tmp_path, filters, message):
    path = make_events(tmp_path / "evt.fits", fits.Column("status", "32X", array=BITS))
    with pytest.raises(DataError, match=message):
        read_events(f"{path}[{filters}]")


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ("", r"35 of 200 photons .* filter them by .*evt.fits\[status=0,grade=0,2,3,4,6\]"),
        ("[status=0]", r"5 of 170 photons .*\[grade=0,2,3,4,6\]"),
        ("[status!=0,grade=6]", None),
        ("[grade=0,2,3,4,6]", r"30 of 195 photons .*\[status=0\]"),
        ("[status=0,grade=0,2,3,4,6]", None),
    ],
)
@pytest.mark.parametrize(
    "level", [{}, {"CONTENT": "EVT1"}, {"HDUCLAS2": "ALL"}, {"CONTENT": "EVT2"}], ids=str
)
def test_events_that_were_not_screened_are_named(tmp_path, filters, message, level):
    grade = np.full(N, 6)
    grade[-5:] = 5
    path = make_events(
        tmp_path / "evt.fits",
        fits.Column("status", "32X", array=BITS),
        fits.Column("grade", "I", array=grade),
        header=level,
    )
    if message is None or level == {"CONTENT": "EVT2"}:
        read_silently(f"{path}{filters}")
    else:
        with pytest.warns(DataWarning, match=message):
            read_events(f"{path}{filters}")


def at(values, rows, value):
    changed = np.array(values, float)
    changed[rows] = value
    return changed


@pytest.mark.parametrize(
    ("value", "limits"),
    [
        (-99999999, True),
        (8193.0, True),
        (-9999, False),
        (0.0, False),
        (-1, False),
        (1e30, False),
        (1e7, False),
        (np.inf, False),
    ],
)
def test_photons_at_wild_positions_are_dropped_and_counted(tmp_path, value, limits):
    table = event_hdus(n=N)[1]
    x, y = (at(table.data[name], slice(0, 2), value) for name in "xy")
    legal = {"TLMIN1": 0.5, "TLMAX1": 8192.5, "TLMIN2": 0.5, "TLMAX2": 8192.5} if limits else {}
    path = make_events(
        tmp_path / "evt.fits",
        x=fits.Column("x", "D", array=x),
        y=fits.Column("y", "D", array=y),
        header=legal,
    )
    events = read_silently(path)
    assert len(events) == N - 2
    assert events.dropped == {"position": 2}
    assert np.ptp(events.photons.x) < 300


def test_one_wild_coordinate_is_enough(tmp_path):
    x = at(event_hdus(n=N)[1].data["x"], 5, 60000.0)
    events = read_silently(make_events(tmp_path / "evt.fits", x=fits.Column("x", "D", array=x)))
    assert events.dropped == {"position": 1}


def test_photons_at_zero_stay_where_others_surround_them(tmp_path):
    table = event_hdus(n=N)[1]
    x, y = (at(table.data[name] - 4096.5, 0, 0.0) for name in "xy")
    path = make_events(
        tmp_path / "evt.fits",
        x=fits.Column("x", "D", array=x),
        y=fits.Column("y", "D", array=y),
        header={"TCRPX1": 0.0, "TCRPX2": 0.0},
    )
    assert len(read_silently(path)) == N


@pytest.mark.parametrize("limits", [(0, 0), (10, 5), (0.5, "none")], ids=str)
def test_limits_that_leave_no_room_say_nothing(tmp_path, limits):
    low, high = limits
    path = make_events(tmp_path / "evt.fits", header={"TLMIN1": low, "TLMAX1": high})
    assert len(read_silently(path)) == N


def test_limits_of_another_table_are_ignored_with_a_warning(tmp_path):
    path = make_events(tmp_path / "evt.fits", header={"TLMIN1": 1, "TLMAX1": 100})
    with pytest.warns(DataWarning, match="leave out 200 of 200 photons"):
        assert len(read_events(path)) == N


def test_a_wide_field_is_not_stray(tmp_path):
    rng = np.random.default_rng(2)
    x, y = rng.uniform(-5000, 5000, (2, N)) / 0.492 + 4096.5
    path = make_events(
        tmp_path / "evt.fits",
        x=fits.Column("x", "D", array=x),
        y=fits.Column("y", "D", array=y),
    )
    assert len(read_silently(path)) == N


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"ZTABLE": True}, r"compressed by tiles \(ZTABLE\): unpack it with funpack"),
        ({"TFORM1": "1Z"}, "TFORM1 = '1Z' is not the format of a column"),
        ({"TSCAL1": "two"}, "TSCAL1 = 'two' is not a number"),
        ({"NAXIS1": 17}, "take 14 bytes of rows of 17"),
        ({"NAXIS2": -5}, "NAXIS2 = -5 in a header"),
        ({"NAXIS2": 10**15}, "truncated: its header announces 1000000000000000 rows"),
    ],
    ids=str,
)
def test_a_table_that_is_none_is_refused_by_name(tmp_path, keywords, message):
    path = make_events(tmp_path / "evt.fits")
    content = path.read_bytes()
    for key, value in keywords.items():
        card = fits.Card(key, value).image.encode()
        start = content.find(key.ljust(8).encode() + b"=", 2880)
        if start < 0:
            start = content.find(b"TELESCOP=", 2880)
        content = content[:start] + card + content[start + 80 :]
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_events(path)


def test_positions_agree_with_the_plain_table(tmp_path):
    plain = read_silently(make_events(tmp_path / "plain.fits"))
    column = event_hdus(n=N)[1].columns["x"]
    x = fits.Column("x", "PE()", array=np.array([[v] for v in column.array], dtype=object))
    assert_allclose(
        read_silently(make_events(tmp_path / "vla.fits", x=x)).photons.x, plain.photons.x
    )
