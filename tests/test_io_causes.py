"""An event list and a counts image react alike to the same quirk, and a message names its cause."""

import bz2
import errno
import gzip
import subprocess
import sys
import textwrap
import warnings
from io import BytesIO

import h5py
import numpy as np
import pytest
from astropy.io import fits
from command_line import run
from made_files import event_hdus, image_hdus

import gmmx
from gmmx.errors import DataError, DataWarning
from gmmx.io.counts_image import is_counts_image, read_counts
from gmmx.io.events import read_events
from gmmx.io.files import check_sums, checksums, open_fits
from gmmx.io.models import read_model
from gmmx.io.tables import read_table
from gmmx.io.virtual import parse_file_argument

COUNTS = np.random.default_rng(3).poisson(0.7, (104, 104)).astype(float)


def event_bytes(path, **keywords):
    hdus = event_hdus()
    hdus[1].header.update(keywords)
    hdus.writeto(path, overwrite=True)
    return path.read_bytes()


def image_bytes(path, **keywords):
    image_hdus(COUNTS, unit="", TELESCOP="CHANDRA", OBS_ID="101", EXPOSURE=1e3, **keywords).writeto(
        path, overwrite=True
    )
    return path.read_bytes()


@pytest.fixture(params=[event_bytes, image_bytes], ids=["events", "image"])
def content(request, tmp_path):
    """The bytes of an event list or of a counts image."""
    return request.param(tmp_path / "made.fits")


def read_photons(path):
    """Read a file by its content, as a fit does."""
    if is_counts_image(parse_file_argument(path)):
        return read_counts(path)
    return read_events(path)


def read_silently(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read_photons(path)


def written(folder, content):
    (folder / "odd.fits").write_bytes(content)
    return folder / "odd.fits"


def with_card(content, key, card):
    """Replace a card by other bytes."""
    at = content.index(key.ljust(8).encode())
    return content[:at] + card.ljust(80).encode() + content[at + 80 :]


def without_padding(content):
    """A file whose writer did not fill up the last block."""
    is_image = b"XTENSION" not in content
    size = 4 * COUNTS.size if is_image else 14 * fits.getheader(BytesIO(content), 1)["NAXIS2"]
    return content[: content.rindex(b"END" + b" " * 77) // 2880 * 2880 + 2880 + size]


HARMLESS = {
    "zeros behind": lambda content: content + bytes(2880),
    "text behind": lambda content: content + b"<!-- served by a proxy -->\n",
    "many words behind": lambda content: content + b"x" * 2800,
    "no padding": without_padding,
    "gzip": gzip.compress,
    "gzip of several members": lambda c: gzip.compress(c[:5000]) + gzip.compress(c[5000:]),
    "bytes behind gzip": lambda content: gzip.compress(content) + b"garbage",
    "zeros behind gzip": lambda content: gzip.compress(content) + bytes(512),
    "NaN in a card": lambda c: with_card(c, "OBS_ID  =", "MEANPH  =     NaN / mean phase"),
    "infinity in a card": lambda c: with_card(c, "OBS_ID  =", "MAXRATE =     INF"),
    "decimal comma in a card": lambda c: with_card(c, "OBS_ID  =", "ROLLAVG =  12,503"),
    "date without quotes": lambda c: with_card(c, "OBS_ID  =", "PROCDATE= 2001-02-03"),
    "text without end": lambda c: with_card(c, "OBS_ID  =", "OBSERVER= 'Jane"),
    "a card of control characters": lambda c: with_card(c, "OBS_ID  =", "HISTORY \x01\x02\t"),
}


@pytest.mark.parametrize("quirk", HARMLESS.values(), ids=HARMLESS.keys())
def test_quirks_that_change_no_photon_are_left_alone(tmp_path, content, quirk):
    plain = read_silently(written(tmp_path, content))
    odd = read_silently(written(tmp_path, quirk(content)))
    assert np.array_equal(odd.photons.x, plain.photons.x)
    assert np.array_equal(odd.photons.weights, plain.photons.weights)


@pytest.mark.parametrize("value", ["1,000", "NaN", "1.2.3", "10 ks"])
def test_a_card_that_is_needed_is_named(tmp_path, content, value):
    path = written(tmp_path, with_card(content, "EXPOSURE=", f"EXPOSURE= {value:>20}"))
    with pytest.warns(DataWarning, match=rf"FITS does not allow the value in 'EXPOSURE= +{value}'"):
        assert read_photons(path).pointing.exposure_time is None


def damaged_gzip(content):
    packed = bytearray(gzip.compress(content))
    packed[len(packed) // 2] ^= 0xFF
    return bytes(packed)


def cut_in_header(content):
    return content[:2880] + b"XTENSION= 'IMAGE   '".ljust(100) if len(content) < 9000 else content


FATAL = {
    "empty": (lambda _: b"", "is empty: fetch it again"),
    "zeros": (lambda _: bytes(5000), "filled with zeros only: fetch it again"),
    "text": (lambda _: b"x y\n1 2\n", "not a FITS file: give an event list"),
    "html": (
        lambda _: b"\n<!DOCTYPE HTML>\n<title>404</title>",
        "is an HTML page, perhaps an error message: fetch it again",
    ),
    "Git LFS": (
        lambda _: b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n",
        "is the pointer of a Git LFS file: fetch the file itself",
    ),
    "bzip2": (bz2.compress, "is compressed by bzip2: unpack it"),
    "zip": (lambda _: b"PK\x03\x04" + bytes(100), "is a zip archive: unpack it"),
    "extension only": (lambda c: b"XTENSION=" + c[9:], "an extension without its primary header"),
    "half of the data": (lambda c: c[: len(c) - 5 * 2880], "truncated: .* are there: fetch it"),
    "half of the gzip data": (
        lambda c: gzip.compress(c)[:-3000],
        "truncated: its gzip data end too early: fetch it again",
    ),
    "damaged gzip data": (damaged_gzip, "damaged gzip data .*: fetch it again"),
    "no END": (lambda c: c.replace(b"END" + b" " * 77, b"ENDE" + b" " * 76), "no END card"),
    "NAXIS of words": (
        lambda c: with_card(c, "NAXIS   =", "NAXIS   = 'two'"),
        "NAXIS = 'two' in a header: it must be a whole number",
    ),
}


@pytest.mark.parametrize(("quirk", "message"), FATAL.values(), ids=FATAL.keys())
def test_a_file_that_cannot_be_read_is_refused_with_the_cause(tmp_path, content, quirk, message):
    path = written(tmp_path, quirk(content))
    with pytest.raises(DataError, match=message) as problem:
        read_photons(path)
    assert str(problem.value).startswith(f"{path}: ")
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("size", [10**9, 10**15], ids=["too long", "absurd"])
def test_a_header_that_announces_more_than_there_is_names_it(tmp_path, content, size):
    key = "NAXIS2  ="
    at = content.rindex(key.encode(), 0, content.index(b"TELESCOP="))
    card = f"{key} {size:>20}".ljust(80).encode()
    path = written(tmp_path, content[:at] + card + content[at + 80 :])
    with pytest.raises(DataError, match=r"truncated: .*announces"):
        read_photons(path)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.EIO, "Input/output error"), r"cannot be read \(Input/output error\)"),
        (PermissionError(errno.EACCES, "Permission denied"), "permission denied"),
        (BlockingIOError(errno.EAGAIN, "busy"), "in use by another program"),
        (MemoryError("Unable to allocate 5 TiB"), "too large for the memory"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_the_fault_of_the_file_is_not_called_damage(
    tmp_path, content, monkeypatch, error, message
):
    path = written(tmp_path, content)

    def fail(*_):
        raise error

    monkeypatch.setattr("gmmx.io.files.DigestedFile.readinto", fail)
    with pytest.raises(DataError, match=message) as problem:
        read_photons(path)
    assert "damaged" not in str(problem.value)


@pytest.mark.parametrize("kind", ["hdf5", "model"])
def test_an_hdf5_file_is_no_event_list(tmp_path, kind):
    with h5py.File(tmp_path / "odd.fits", "w") as file:
        file["x"] = np.arange(3)
        file.attrs["schema"] = kind
    with pytest.raises(DataError, match="is an HDF5 file: name the FITS file"):
        read_photons(tmp_path / "odd.fits")


def test_a_model_that_is_open_elsewhere_is_in_use(tmp_path):
    path = tmp_path / "model.h5"
    x, y = np.random.default_rng(0).normal(0.0, 5.0, (2, 200))
    gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1).write(path)
    program = textwrap.dedent(
        f"""
        import sys
        from gmmx.io.models import read_model
        try:
            print(len(read_model({str(path)!r}).mixture))
        except Exception as error:
            print(error)
        """
    )
    with h5py.File(path, "r+"):
        said = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout
    assert "another program has it open for writing: close it there, or set HDF5_USE" in said
    assert len(read_model(path).mixture) == 1


@pytest.fixture(params=[event_hdus, lambda: image_hdus(COUNTS, unit="")], ids=["events", "image"])
def summed(request, tmp_path):
    """The path of an event list or of a counts image with checksums."""
    request.param().writeto(tmp_path / "summed.fits", checksum=True)
    return tmp_path / "summed.fits"


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_right_checksums_are_accepted(summed, pack):
    summed.write_bytes(pack(summed.read_bytes()))
    read_silently(summed)
    check_sums(summed)


def flipped(content, at):
    changed = bytearray(content)
    changed[at] ^= 0x10
    return bytes(changed)


def last_data(path):
    """Offset of a byte in the middle of the data of the last HDU."""
    with open_fits(path) as opened:
        hdu = list(opened.hdus())[-1]
    return hdu.start + hdu.size // 2


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("seed", range(5))
def test_a_changed_bit_of_the_data_is_found(summed, pack, seed):
    at = last_data(summed) + int(np.random.default_rng(seed).integers(-2000, 2000))
    summed.write_bytes(pack(flipped(summed.read_bytes(), at)))
    with pytest.raises(DataError, match=r"do not match DATASUM: damaged, .* give `no_checksum`"):
        read_photons(summed)
    with checksums(verified=False), warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        read_photons(summed)


def test_a_changed_header_is_found(summed):
    content = summed.read_bytes()
    at = content.rindex(b"CRVL1 " if b"TCRVL" in content else b"CRVAL1 ")
    summed.write_bytes(
        content[:at] + content[at : at + 80].replace(b"150.0", b"151.0") + content[at + 80 :]
    )
    with pytest.raises(DataError, match=r"does not match CHECKSUM: damaged, .* give `no_checksum`"):
        read_photons(summed)
    with checksums(verified=False):
        read_photons(summed)


@pytest.mark.parametrize("value", ["''", "'0000000000000000'"], ids=["empty", "zeros"])
def test_a_checksum_that_was_not_computed_says_nothing(summed, value):
    content = summed.read_bytes()
    for key in (b"CHECKSUM=", b"DATASUM ="):
        for number in range(content.count(key)):
            at = [i for i in range(0, len(content), 80) if content.startswith(key, i)][number]
            card = (key + b" " + (value.encode() if key[0] == 67 else b"''")).ljust(80)
            content = content[:at] + card + content[at + 80 :]
    summed.write_bytes(content)
    read_silently(summed)


def test_checksums_older_than_the_history_say_nothing(tmp_path):
    hdus = event_hdus()
    hdus.writeto(tmp_path / "summed.fits", checksum="updated 2021-01-09T00:05:35")
    with fits.open(tmp_path / "summed.fits") as summed:
        table = summed[1]
        table.header.comments["CHECKSUM"] = "HDU checksum updated 2021-01-09T00:05:35"
        table.header.add_history("File modified by user 'meo' with fv  on 2025-02-04T21:36:06")
        table.header["EXPOSURE"] = 5.0
        summed.writeto(tmp_path / "edited.fits")
    assert fits.getheader(tmp_path / "edited.fits", 1)["CHECKSUM"]
    read_silently(tmp_path / "edited.fits")


def test_checksums_that_are_wrong_everywhere_say_nothing(tmp_path):
    table = event_hdus()[1]
    gti = fits.BinTableHDU.from_columns([fits.Column("START", "D", array=[1.0])], name="GTI")
    fits.HDUList([fits.PrimaryHDU(), table, gti]).writeto(tmp_path / "s.fits", checksum=True)
    with fits.open(tmp_path / "s.fits") as summed:
        for hdu in summed[1:]:
            hdu.header["DATASUM"] = "12345"
        summed.writeto(tmp_path / "stale.fits")
    read_silently(tmp_path / "stale.fits")


REAL = (
    "real/10027_M82/chandra_test.fits.gz",
    "real/732_SN1006_structure_only/structure_only_evt.fits.gz",
    "real/18461_CenA/cena.fits.gz",
    "real/9399_NGC5044/img.fits.gz",
    "real/9399_NGC5044/psf.map.gz",
    "real/csc_cosmos_7999/acisf07999_000N001_r0035_reg3.fits.gz",
    "real/zwcl2341_acisi/17170_bin4_500-2000_bgstow_goodreg.img.gz",
)


@pytest.mark.parametrize("name", REAL)
def test_real_files_raise_no_false_alarm(shared_data, name):
    check_sums(shared_data / name)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.int32])
def test_pixels_without_a_number_are_unobserved(tmp_path, dtype):
    hdu = image_hdus(COUNTS, unit="")[0]
    values, border = COUNTS.copy(), np.ones(COUNTS.shape, bool)
    border[7:-7, 9:-9] = False
    values[border] = np.nan if np.issubdtype(dtype, np.floating) else -1
    image = fits.PrimaryHDU(values.astype(dtype), hdu.header)
    if np.issubdtype(dtype, np.integer):
        image.header["BLANK"] = -1
    image.writeto(tmp_path / "counts.img")
    found = read_silently(tmp_path / "counts.img")
    assert found.n_unobserved == border.sum()
    assert found.n_photons == COUNTS[~border].sum()
    with pytest.warns(DataWarning, match="no exposure map"):
        observation = gmmx.read_observation(tmp_path / "counts.img", psf="none")
    exposure = observation.completeness.exposure
    assert not exposure[border].any()
    assert exposure[20:-20, 20:-20].min() > 0
    assert f"{border.sum():,} of {border.size:,}" in observation.pointing.choices["not observed"]


def test_pixels_without_a_number_have_no_exposure_under_a_map(tmp_path):
    values = COUNTS.copy()
    values[:, :20] = np.nan
    image_hdus(values, unit="").writeto(tmp_path / "counts.img")
    image_hdus(np.full((208, 208), 5.0), step=1.0).writeto(tmp_path / "exposure.fits")
    observation = gmmx.read_observation(
        tmp_path / "counts.img", exposure=tmp_path / "exposure.fits", psf="none"
    )
    exposure = observation.completeness.exposure
    assert np.all(exposure[:, :40] == 0)
    assert exposure[:, 40:] == pytest.approx(5.0)


def region_table(path):
    columns = [
        fits.Column("SHAPE", "8A", array=["circle"] * 40),
        fits.Column("X", "D", array=np.linspace(4000, 4100, 40)),
        fits.Column("Y", "D", array=np.full(40, 4096.5)),
        fits.Column("R", "D", array=np.full(40, 5.0)),
    ]
    fits.BinTableHDU.from_columns(columns, name="SRCREG").writeto(path, checksum=True)
    events = read_events(write_small_events(path.with_name("evt.fits")))
    return lambda: gmmx.read_regions(path, frame=events.frame, physical=events.physical)


def component_table(path):
    columns = [fits.Column(name, "D", array=np.full(40, 2.5)) for name in ("flux", "x", "y", "z")]
    fits.BinTableHDU.from_columns(columns, name="COMPONENTS").writeto(path, checksum=True)
    return lambda: read_table(path)


def write_small_events(path):
    event_hdus(n=20).writeto(path)
    return path


@pytest.mark.parametrize("make", [region_table, component_table])
def test_a_changed_bit_of_a_table_is_found(tmp_path, make):
    path = tmp_path / "table.fits"
    read = make(path)
    read()
    path.write_bytes(flipped(path.read_bytes(), last_data(path) + 30))
    with pytest.raises(DataError, match="do not match DATASUM"):
        read()
    with checksums(verified=False):
        read()


def test_bytes_behind_a_gzipped_region_file_are_ignored(tmp_path):
    path = tmp_path / "mask.reg.gz"
    path.write_bytes(gzip.compress(b'icrs; circle(150.0, 2.2, 5")\n') + b"garbage")
    frame = read_events(write_small_events(tmp_path / "evt.fits")).frame
    assert gmmx.read_regions(path, frame=frame).n_shapes == 1


@pytest.mark.parametrize("command", ["fit", "score", "render"])
def test_no_checksum_reads_a_file_that_does_not_match(tmp_path, command):
    event_hdus(n=300).writeto(tmp_path / "evt.fits", checksum=True)
    model = tmp_path / "model.h5"
    fit = ["fit", tmp_path / "evt.fits", "--k", 1, "--psf", "none", "--max-iter", 3, "-q"]
    if command != "fit":
        run(*fit, "--out", model)
    image_hdus(COUNTS, unit="").writeto(tmp_path / "image.fits", checksum=True)
    for name in ("evt.fits", "image.fits"):
        path = tmp_path / name
        path.write_bytes(flipped(path.read_bytes(), last_data(path)))
    words = {
        "fit": [*fit, "--out", model],
        "score": ["score", model, tmp_path / "evt.fits"],
        "render": [
            "render",
            model,
            "--like",
            tmp_path / "image.fits",
            "--out",
            tmp_path / "x.fits",
        ],
    }[command]
    refused = run(*words)
    assert refused.exit_code == 1
    assert "give --no-checksum to go on" in refused.stderr
    assert run(*words, "--no-checksum").exit_code == 0
