"""Reading event files: real ones of several kinds, and files that are odd in one way each."""

import gzip
import hashlib
import json
import os
import shutil
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from numpy.testing import assert_allclose

from gmmx.errors import DataError, DataWarning
from gmmx.io.events import read_events
from gmmx.io.files import file_digest, open_fits

CENA = "real/18461_CenA/cena.fits.gz"
ACIS = {
    "TELESCOP": "CHANDRA",
    "INSTRUME": "ACIS",
    "RA_NOM": 150.0,
    "DEC_NOM": 30.0,
    "OBS_ID": "42",
    "EXPOSURE": 1234.5,
}


def write_events(
    path,
    columns=None,
    *,
    keywords=ACIS,
    wcs=True,
    extname="EVENTS",
    gti=1,
    step=0.492,
    names=("x", "y"),
):
    """A small event file: columns of (name, format, values[, extra Column arguments])."""
    if columns is None:
        columns = [
            ("time", "D", np.arange(5.0)),
            ("ccd_id", "I", [7, 7, 7, 6, 7]),
            ("x", "E", 4096.5 + np.arange(5)),
            ("y", "E", 4096.5 - np.arange(5)),
            ("energy", "E", [400, 600, 1000, 2000, 9000]),
        ]
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column(c[0], c[1], array=np.asarray(c[2]), **(c[3] if len(c) > 3 else {}))
            for c in columns
        ]
    )
    table.header["EXTNAME"] = extname
    table.header.update(keywords)
    if wcs:
        numbers = {name.lower(): i for i, name in enumerate(table.columns.names, 1)}
        for axis, kind, value, sign in (
            (names[0], "RA---TAN", 150.0, -1),
            (names[1], "DEC--TAN", 30.0, 1),
        ):
            i = numbers[axis]
            table.header.update(
                {
                    f"TCTYP{i}": kind,
                    f"TCRVL{i}": value,
                    f"TCRPX{i}": 4096.5,
                    f"TCDLT{i}": sign * step / 3600,
                    f"TCUNI{i}": "deg",
                }
            )
    spans = [
        fits.BinTableHDU.from_columns(
            [fits.Column("START", "D", array=[0.0]), fits.Column("STOP", "D", array=[1.0])],
            name="GTI",
        )
        for _ in range(gti)
    ]
    fits.HDUList([fits.PrimaryHDU(), table, *spans]).writeto(path, overwrite=True)
    return path


def read_silently(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read_events(path)


def test_cena_agrees_with_astropy(shared_data):
    path = shared_data / CENA
    events = read_silently(path)
    data, header = fits.getdata(path, 1), fits.getheader(path, 1)
    assert len(events) == 23094
    assert_allclose(events.photons.energy_kev, data["energy"] / 1000.0, rtol=1e-7)
    assert np.array_equal(events.photons.ccd, data["ccd_id"])
    # The table's own WCS, as astropy has it, against the plane's.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ra, dec = WCS(header, keysel=["pixel"], colsel=[11, 12]).all_pix2world(
            data["x"], data["y"], 1
        )
    ours = events.frame.to_sky(events.photons.x, events.photons.y)
    assert_allclose(ours[0], ra, atol=1e-9)
    assert_allclose(ours[1], dec, atol=1e-9)
    assert np.corrcoef(events.photons.x, ra)[0, 1] < -0.99
    # The operations of PhysicalFrame, to the bit: regions are cut on the file's own coordinates.
    assert np.array_equal(events.photons.x, events.physical.to_plane(data["x"], data["y"])[0])
    assert events.pointing.obs_id == "18461"
    assert events.pointing.telescope == "CHANDRA"
    assert events.pointing.header["RADESYS"] == "ICRS"
    assert events.pointing.file_name == "cena.fits.gz"
    assert events.pointing.events_file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    header = events.pointing.header
    assert json.loads(json.dumps(header)) == header


@pytest.mark.parametrize(
    ("path", "n", "band", "step"),
    [
        ("real/755_PSRB2223/755_7_evt2_05_8keV.fits.gz", 20176, (0.5, 8.0), 0.492),
        ("real/755_PSRB2223/755_7_holes_evt2_05_8keV.fits.gz", 18776, (0.5, 8.0), 0.492),
        ("real/xmm_0112810101_Arp299/Arp299_MOS1_evt_0.5-8.0keV.fits.gz", 32806, (0.5, 8.0), 0.05),
        ("real/10027_M82/chandra_test.fits.gz", 4612, None, 0.492),
        ("marx/small/events.fits.gz", 21799, None, 0.492),
    ],
)
def test_real_files(shared_data, path, n, band, step):
    events = read_silently(shared_data / path)
    assert len(events) == n
    assert events.pointing.recorded_band_kev == band
    assert_allclose(events.physical.step_x, step, rtol=1e-9)
    assert_allclose(events.physical.step_y, step, rtol=1e-9)
    assert events.photons.ccd is not None
    if band is not None:
        assert band[0] <= events.photons.energy_kev.min()
        assert events.photons.energy_kev.max() <= band[1]


def test_xmm_has_energies_from_pi_and_integer_positions(shared_data):
    events = read_silently(
        shared_data / "real/xmm_0112810101_Arp299/Arp299_MOS1_evt_0.5-8.0keV.fits.gz"
    )
    assert sorted(set(events.photons.ccd.tolist())) == [1, 2, 3, 4, 5, 6, 7]
    assert_allclose(events.photons.x / 0.05, np.round(events.photons.x / 0.05), atol=1e-6)
    assert events.frame.radesys == "FK5"


def test_acis_without_energy_takes_pi_and_says_so(shared_data):
    with pytest.warns(DataWarning, match="taking energies from PI"):
        without = read_events(shared_data / "real/10027_M82/chandra_noener_test.fits.gz")
    with_energy = read_silently(shared_data / "real/10027_M82/chandra_test.fits.gz")
    good = with_energy.photons.energy_kev < 14
    assert np.abs(without.photons.energy_kev - with_energy.photons.energy_kev)[good].max() < 0.0146


def test_empty_table_is_an_error(shared_data):
    with pytest.raises(DataError, match="0 rows"):
        read_events(shared_data / "real/732_SN1006_structure_only/structure_only_evt.fits.gz")


def test_plain_and_gzipped_files_give_the_same(tmp_path, shared_data):
    plain = tmp_path / "cena.fits"
    with gzip.open(shared_data / CENA) as zipped, plain.open("wb") as out:
        shutil.copyfileobj(zipped, out)
    one, two = read_silently(plain), read_silently(shared_data / CENA)
    assert np.array_equal(one.photons.x, two.photons.x)
    assert np.array_equal(one.photons.energy_kev, two.photons.energy_kev)
    assert one.pointing.events_file.sha256 != two.pointing.events_file.sha256


@pytest.mark.parametrize("gti", [0, 1, 3])
def test_any_number_of_gti(tmp_path, gti):
    assert len(read_silently(write_events(tmp_path / "e.fits", gti=gti))) == 5


def test_column_names_in_any_case_and_any_order(tmp_path):
    columns = [
        ("PI", "J", [1, 2, 3]),
        ("Energy", "E", [500, 600, 700]),
        ("Y", "J", [4096, 4097, 4098]),
        ("Status", "32X", np.zeros((3, 32), bool)),
        ("X", "J", [1, 2, 3]),
    ]
    events = read_silently(write_events(tmp_path / "e.fits", columns))
    assert_allclose(events.photons.x, (np.array([1, 2, 3]) - 4096.5) * 0.492)
    assert_allclose(events.photons.y, (np.array([4096, 4097, 4098]) - 4096.5) * 0.492)
    assert_allclose(events.photons.energy_kev, [0.5, 0.6, 0.7])
    assert events.photons.ccd is None


def test_scaled_and_null_columns(tmp_path):
    columns = [
        ("x", "J", np.array([10, -99, 30]), {"null": -99}),
        ("y", "I", np.array([20, 22, 25])),
        ("energy", "E", [1000, 1000, 1000]),
    ]
    path = write_events(
        tmp_path / "e.fits", columns, keywords=ACIS | {"TSCAL2": 0.5, "TZERO2": 90.0}
    )
    events = read_silently(path)
    assert events.dropped == {"not finite": 1}
    assert_allclose(events.photons.y, (np.array([100.0, 102.5]) - 4096.5) * 0.492)


def test_rows_that_are_not_finite_are_dropped_and_counted(tmp_path):
    x = np.array([4000, np.nan, 4001, 4002, np.inf], np.float32)
    columns = [
        ("x", "E", x),
        ("y", "E", [4000, 1, 2, np.nan, 4]),
        ("energy", "E", [1000, 1, np.nan, 1, 1]),
        ("ccd_id", "I", [3, 3, 3, 3, 3]),
    ]
    events = read_silently(write_events(tmp_path / "e.fits", columns))
    assert len(events) == 1
    assert events.dropped == {"not finite": 4}
    columns[0] = ("x", "E", np.full(5, np.nan))
    with pytest.raises(DataError, match="none of its 5 rows"):
        read_events(write_events(tmp_path / "nan.fits", columns))


def test_stale_wcs_falls_back_to_the_nominal_pointing(tmp_path):
    # Keywords numbered for the 25 columns that the file once had.
    stale = {
        "TCTYP11": "RA---TAN",
        "TCRVL11": 150.0,
        "TCRPX11": 4096.5,
        "TCDLT11": -0.492 / 3600,
        "TCTYP12": "DEC--TAN",
        "TLMIN11": 0.5,
        "TCTYP3": "LONG-TAN",
    }
    path = write_events(tmp_path / "e.fits", keywords=ACIS | stale, wcs=False)
    with pytest.warns(DataWarning, match="missing or stale"):
        events = read_events(path)
    right = read_silently(write_events(tmp_path / "right.fits"))
    assert_allclose(events.photons.x, right.photons.x, rtol=1e-12)
    assert (events.frame.ra0, events.frame.dec0) == (150.0, 30.0)


def test_hrc_falls_back_to_its_own_pixels(tmp_path):
    columns = [
        ("x", "E", [16384.5, 16394.5]),
        ("y", "E", [16384.5, 16384.5]),
        ("pi", "I", [10, 20]),
    ]
    path = write_events(
        tmp_path / "e.fits", columns, keywords=ACIS | {"INSTRUME": "HRC"}, wcs=False
    )
    with pytest.warns(DataWarning, match=r"0\.1318"):
        events = read_events(path)
    assert_allclose(events.photons.x, [0, 1.318])
    assert events.photons.energy_kev is None


@pytest.mark.parametrize(
    "keywords",
    [
        {"TELESCOP": "CHANDRA", "INSTRUME": "ACIS"},
        ACIS | {"TELESCOP": "XMM"},
        ACIS | {"RA_NOM": "nowhere"},
    ],
    ids=["no pointing", "other telescope", "text"],
)
def test_without_a_wcs_and_a_nominal_pointing_a_file_is_refused(tmp_path, keywords):
    path = write_events(tmp_path / "e.fits", keywords=keywords, wcs=False)
    with pytest.raises(DataError, match="no usable WCS"):
        read_events(path)


@pytest.mark.parametrize("unit", ["deg", "degree", "arcmin", "arcsec"])
def test_coordinates_of_the_columns_may_be_in_any_angular_unit(tmp_path, unit):
    scale = {"arcmin": 60.0, "arcsec": 3600.0}.get(unit, 1.0)
    path = write_events(tmp_path / "e.fits")
    expected = read_silently(path)
    with fits.open(path, mode="update") as files:
        header = files[1].header
        for i in (3, 4):
            header[f"TCUNI{i}"] = unit
            header[f"TCRVL{i}"] *= scale
            header[f"TCDLT{i}"] *= scale
    events = read_silently(path)
    assert (events.frame.ra0, events.frame.dec0) == pytest.approx((150.0, 30.0), rel=1e-14)
    assert_allclose(events.photons.x, expected.photons.x, rtol=1e-14)


@pytest.mark.parametrize(
    ("keywords", "band"),
    [
        (
            {"DSTYP1": "time", "DSVAL1": "TABLE", "DSTYP2": "energy", "DSVAL2": "500:2000"},
            (0.5, 2.0),
        ),
        ({"DSTYP3": "energy", "DSVAL3": "500:1000,1500:2000"}, (0.5, 2.0)),
        ({"DSTYP3": "energy", "DSVAL3": "500:1000", "2DSVAL3": "800:2000"}, (0.5, 2.0)),
        (
            {"DSTYP3": "energy", "DSVAL3": "500:7000", "DSTYP4": "energy", "DSVAL4": "300:2000"},
            (0.5, 2.0),
        ),
        ({"DSTYP3": "energy", "DSVAL3": ":2000"}, (0.0, 2.0)),
        ({"DSTYP3": "energy", "DSVAL3": "500:"}, None),
        ({"DSTYP3": "energy", "DSVAL3": "TABLE"}, None),
        ({"DSTYP3": "pi", "DSVAL3": "1:1024"}, None),
        (
            {"DSTYP3": "energy", "DSVAL3": ",".join(f"{e}:{e + 1}" for e in range(500, 2000, 20))},
            (0.5, 1.981),
        ),
    ],
)
def test_recorded_energy_band(tmp_path, keywords, band):
    events = read_silently(write_events(tmp_path / "e.fits", keywords=ACIS | keywords))
    assert events.pointing.recorded_band_kev == band


def make_text_file(folder):
    path = folder / "text.fits"
    path.write_text("# a region file, perhaps\n")
    return path


def make_table(folder, *columns):
    return write_events(folder / "table.fits", columns, wcs=False)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda folder: folder / "absent.fits", "no such file"),
        (lambda folder: folder, "folder"),
        (make_text_file, "not a FITS file"),
        (lambda folder: f"{write_events(folder / 'good.fits')}[pha=500:2000]", "no column pha"),
        (
            lambda folder: make_table(folder, ("y", "E", [1.0]), ("energy", "E", [1.0])),
            "no X column",
        ),
        (
            lambda folder: make_table(folder, ("RA", "D", [1.0]), ("DEC", "D", [1.0])),
            "no X or Y column",
        ),
        (
            lambda folder: write_events(
                folder / "vector.fits", [("x", "2E", np.ones((2, 2))), ("y", "E", [1.0, 2.0])]
            ),
            "several values per row",
        ),
    ],
    ids=["absent", "folder", "text", "filter", "no X", "no X, Y", "vector"],
)
def test_an_error_is_one_line_that_names_the_file(tmp_path, make, expected):
    path = make(tmp_path)
    with pytest.raises(DataError) as caught:
        read_events(path)
    message = str(caught.value)
    assert expected in message
    assert str(path).split("[")[0] in message
    assert "\n" not in message


def test_a_file_without_events_is_refused_with_the_extensions_that_it_has(shared_data):
    with pytest.raises(DataError, match=r"no EVENTS extension \(found PRIMARY, GTI\)"):
        read_events(shared_data / "real/9399_NGC5044/img.fits.gz")


@pytest.mark.parametrize("zipped", [False, True])
def test_the_digest_is_taken_while_the_file_is_read(tmp_path, shared_data, monkeypatch, zipped):
    whole = (shared_data / CENA).read_bytes()
    path = tmp_path / "events.fits"
    path.write_bytes(whole if zipped else gzip.decompress(whole))
    os.utime(path, (0, 0))
    events = read_silently(path)
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    assert events.pointing.events_file.sha256 == expected

    def refuse(*_):
        raise AssertionError("the file is read again")

    monkeypatch.setattr(hashlib, "file_digest", refuse)
    assert file_digest(path) == expected


def test_a_digest_is_that_of_the_present_content(tmp_path):
    path = tmp_path / "regions.reg"
    for content in (b"circle(1,1,1)", b"circle(2,2,2)", b"circle(3,3,3)"):
        path.write_bytes(content)
        assert file_digest(path) == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    "replace", [Path.write_bytes, lambda path, content: renamed(path, content)]
)
def test_a_file_that_is_replaced_while_it_is_read_is_not_remembered(tmp_path, shared_data, replace):
    path = tmp_path / "events.fits.gz"
    whole = (shared_data / CENA).read_bytes()
    path.write_bytes(whole)
    os.utime(path, (0, 0))
    with open_fits(path) as opened:
        replace(path, whole[:-1] + b"!")
        os.utime(path, (0, 0))
        opened.digest()
    assert file_digest(path) == hashlib.sha256(whole[:-1] + b"!").hexdigest()


def renamed(path, content):
    """Put a new file of this content in the place of another, as editors do."""
    aside = path.with_suffix(".new")
    aside.write_bytes(content)
    aside.replace(path)


@pytest.mark.parametrize("part", [0.001, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("zipped", [False, True])
def test_truncated_files(tmp_path, shared_data, part, zipped):
    whole = (shared_data / CENA).read_bytes()
    whole = whole if zipped else gzip.decompress(whole)
    path = tmp_path / "cut.fits"
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(DataError, match="truncated") as caught:
        read_events(path)
    assert "\n" not in str(caught.value)


def test_empty_file(tmp_path):
    (tmp_path / "empty.fits").touch()
    with pytest.raises(DataError, match="is empty: fetch it again"):
        read_events(tmp_path / "empty.fits")


def test_a_large_file_is_not_held_twice(tmp_path, monkeypatch):
    n = 100_000
    rng = np.random.default_rng(1)
    columns = [
        ("junk", "25J", np.zeros((n, 25), np.int32)),
        ("x", "E", rng.uniform(3000, 5000, n)),
        ("y", "E", rng.uniform(3000, 5000, n)),
    ]
    path = write_events(
        tmp_path / "large.fits",
        [*columns, ("energy", "E", rng.uniform(500, 2000, n)), ("ccd_id", "I", np.full(n, 7))],
    )
    monkeypatch.setattr("gmmx.io._rows.ROWS_PER_BLOCK", 4096)
    tracemalloc.start()
    try:
        events = read_events(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    kept = sum(
        a.nbytes
        for a in (
            events.photons.x,
            events.photons.y,
            events.photons.weights,
            events.photons.energy_kev,
            events.photons.ccd,
        )
    )
    # The rows take 114 bytes, 11 megabytes in all. A block of rows and a few masks are allowed.
    assert peak < kept + 2e6
