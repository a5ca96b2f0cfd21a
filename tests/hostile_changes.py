"""Changes that make a good file hostile, and strategies of hypothesis that draw them.

A change is a frozen dataclass that takes the bytes of a file and returns other bytes. Its repr is
the whole case, so that a failure can be repeated.
"""

import io
import re
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import h5py
import numpy as np
from astropy.io import fits
from hypothesis import strategies as st

BLOCK, CARD = 2880, 80
# Values as they stand in a card, right or wrong.
VALUES = (
    *("0", "-1", "1E300", "-1E300", "1E-300", "9223372036854775808", "-9223372036854775809"),
    *("NaN", "Inf", "1E999", "T", "F", "''", "'   '", "'1'", "'nan'", "", "2", "1.5", "(1,2)"),
    *("'RA---SIN'", "'" + "x" * 66 + "'", "'unterminated", "1 2 3", "'caf\xe9'", "'furlong'", "."),
)
NUMBERS = (np.nan, np.inf, -np.inf, 1e300, -1e300, -1.0, 0.0, 2.0**63, 1e-300)
# Keywords that are not in the good files, and that readers take notice of.
FURTHER = (
    *("BSCALE", "BZERO", "BLANK", "BUNIT", "GROUPS", "PCOUNT", "GCOUNT", "ZIMAGE", "EXTNAME"),
    *("CROTA2", "PC1_2", "CD1_1", "CD1_2", "PV2_1", "LONPOLE", "LATPOLE", "EQUINOX", "RADESYS"),
    *("RADECSYS", "WCSAXES", "CUNIT1", "A_ORDER", "A_2_0", "LTV1", "LTM1_1", "CDELT1", "CRPIX1"),
    *("TSCAL1", "TZERO1", "TNULL1", "TDIM1", "TUNIT1", "TSCAL2", "TZERO2", "TLMIN1", "TLMAX2"),
    *("TP1_2", "TPC1_2", "TC1_1", "TCROT1", "TCUNI1", "TDISP1", "THEAP", "DSTYP1", "DSVAL1"),
    *("ECF", "ENERGY", "ENERG_LO", "ENERGYLO", "TELESCOP", "INSTRUME", "DETNAM", "OBS_ID"),
    *("EXPOSURE", "EXPTIME", "RA_PNT", "ROLL_PNT", "PIX_ADJ", "DATAMODE", "MJDREF", "TSTART"),
    *("CHECKSUM", "DATASUM", "HDUCLAS1", "HDUCLAS2", "CONTENT", "DATE-OBS", "NAXIS3", "END"),
)
# Words of text files, right or wrong.
WORDS = (
    *("nan", "inf", "-1", "0", "1e300", "-1e300", "1e-300", "99999999999999999999", "x" * 300),
    *("", '"', "'", "(", ")", ",", ";", "#", "\x00", "caf\xe9", "-", "!", "&", "|", "*", "\n"),
    *("d", "1:2:3:4", "-0", "1e", "true", "[", "]", "=", "field()", "galactic", "image", "point"),
)


# FITS ------------------------------------------------------------------------------------------


def split_fits(content):
    """Return the HDUs of a good FITS file as lists of cards, and their data with padding."""
    hdus, offset = [], 0
    while offset < len(content):
        cards = []
        while not cards or cards[-1][:8] != b"END     ":
            cards.append(content[offset : offset + CARD])
            offset += CARD
        offset += -offset % BLOCK
        header = fits.Header.fromstring(b"".join(cards))
        axes = [header[f"NAXIS{i}"] for i in range(1, header["NAXIS"] + 1)]
        n = abs(header["BITPIX"]) // 8 * int(np.prod(axes)) if axes else 0
        n = n + header.get("PCOUNT", 0)
        n += -n % BLOCK
        hdus.append((cards[:-1], content[offset : offset + n]))
        offset += n
    return hdus


def joined_fits(hdus):
    """Return the bytes of a FITS file."""
    parts = []
    for cards, data in hdus:
        header = b"".join([*cards, b"END".ljust(CARD)])
        parts += [header, b" " * (-len(header) % BLOCK), data]
    return b"".join(parts)


def card(key, value):
    """Return a card with a value as it is written, which need not be a value."""
    return f"{key:<8}= {value:>20}".encode("latin-1")[:CARD].ljust(CARD)


def _key(one):
    return one[:8].decode("latin-1").strip()


@dataclass(frozen=True)
class SetKeyword:
    """A keyword gets another value; it is added if the header does not have it."""

    hdu: int
    key: str
    value: str

    def __call__(self, content):
        hdus = split_fits(content)
        cards = hdus[self.hdu][0]
        places = [i for i, one in enumerate(cards) if _key(one) == self.key] or [len(cards)]
        cards[places[0] : places[0] + 1] = [card(self.key, self.value)]
        return joined_fits(hdus)


@dataclass(frozen=True)
class DeleteKeyword:
    """A keyword is missing."""

    hdu: int
    key: str

    def __call__(self, content):
        hdus = split_fits(content)
        cards = hdus[self.hdu][0]
        cards[:] = [one for one in cards if _key(one) != self.key]
        return joined_fits(hdus)


@dataclass(frozen=True)
class RepeatKeyword:
    """A keyword is there twice, the second time with another value."""

    hdu: int
    key: str
    value: str

    def __call__(self, content):
        hdus = split_fits(content)
        hdus[self.hdu][0].append(card(self.key, self.value))
        return joined_fits(hdus)


@dataclass(frozen=True)
class SwapKeywords:
    """Two keywords have each other's value."""

    hdu: int
    key: str
    other: str

    def __call__(self, content):
        hdus = split_fits(content)
        cards = hdus[self.hdu][0]
        i, j = ([_key(one) for one in cards].index(key) for key in (self.key, self.other))
        cards[i], cards[j] = cards[i][:8] + cards[j][8:], cards[j][:8] + cards[i][8:]
        return joined_fits(hdus)


@dataclass(frozen=True)
class FlipBit:
    """One bit of a FITS file with CHECKSUM and DATASUM is flipped, at a part of its length."""

    part: float
    bit: int

    def __call__(self, content):
        with fits.open(io.BytesIO(content)) as hdus:
            out = io.BytesIO()
            hdus.writeto(out, checksum=True)
        return _flipped(out.getvalue(), self.part, self.bit)


@dataclass(frozen=True)
class FlipByteBit:
    """One bit of a file is flipped, at a part of its length."""

    part: float
    bit: int

    def __call__(self, content):
        return _flipped(content, self.part, self.bit)


def _flipped(content, part, bit):
    found = bytearray(content)
    found[min(int(part * len(found)), len(found) - 1)] ^= 1 << bit
    return bytes(found)


@dataclass(frozen=True)
class Truncate:
    """Only a part of a file is there."""

    part: float

    def __call__(self, content):
        return content[: int(self.part * len(content))]


@dataclass(frozen=True)
class Append:
    """Something follows the end of a file."""

    tail: bytes

    def __call__(self, content):
        return content + self.tail


@dataclass(frozen=True)
class SetValues:
    """A column, or the pixels if it has no name, gets a value in some rows: one, half or all."""

    column: str
    value: float
    rows: str

    def __call__(self, content):
        with fits.open(io.BytesIO(content)) as hdus, np.errstate(all="ignore"):
            hdu = next(one for one in hdus if one.data is not None)
            data = hdu.data[self.column] if self.column else hdu.data
            n = {"one": 1, "half": max(1, len(data) // 2), "all": len(data)}[self.rows]
            if data.dtype.kind in "iu":
                limits = np.iinfo(data.dtype)
                value = np.nan_to_num(self.value, nan=limits.max)
                data[:n] = int(max(limits.min, min(limits.max, int(value))))
            elif data.dtype.kind in "fb":
                data[:n] = np.array(self.value).astype(data.dtype)
            else:
                data[:n] = str(self.value)
            return _written(hdus)


@dataclass(frozen=True)
class RetypeColumn:
    """A column has another format, with the same values where they fit."""

    column: str
    form: str

    def __call__(self, content):
        with fits.open(io.BytesIO(content)) as hdus:
            hdu = next(one for one in hdus if one.data is not None)
            columns = []
            for one in hdu.columns:
                array = hdu.data[one.name]
                if one.name == self.column:
                    one, array = fits.Column(one.name, self.form), _as_form(array, self.form)
                columns.append(fits.Column(one.name, one.format, one.unit, array=array))
            made = fits.BinTableHDU.from_columns(columns, name=hdu.name)
            for key, value in hdu.header.items():
                if key not in made.header and key not in ("COMMENT", "HISTORY", ""):
                    made.header[key] = value
            return _written(fits.HDUList([hdus[0].copy(), made]))


def _as_form(array, form):
    n = len(array)
    flat = np.reshape(array, (n, -1))[:, 0]
    if form == "12A":
        return np.array([str(v) for v in flat])
    if form in ("PD()", "QJ()"):
        return np.array([np.array([1, 2, 3])] * n, dtype=object)
    if flat.dtype.kind not in "fiub":
        flat = np.zeros(n)
    flat = np.nan_to_num(flat.astype(float))
    if form == "L":
        return flat > 0
    if form in ("2D", "16X"):
        return np.repeat(flat[:, None], {"2D": 2, "16X": 16}[form], axis=1).astype(
            {"2D": float, "16X": bool}[form]
        )
    return flat.astype({"D": float, "K": np.int64, "I": np.int16, "M": complex}[form])


@dataclass(frozen=True)
class Shuffle:
    """The HDUs of a file stand in another order, or are there twice; the first is kept."""

    order: tuple

    def __call__(self, content):
        hdus = split_fits(content)
        return joined_fits([hdus[0], *(hdus[i] for i in self.order if i < len(hdus))])


def _written(hdus):
    out = io.BytesIO()
    hdus.writeto(out, output_verify="ignore")
    return out.getvalue()


def changes_of_fits(content):
    """Return the strategy of changes to a FITS file."""
    hdus = split_fits(content)
    keys = [
        (i, _key(one))
        for i, (cards, _) in enumerate(hdus)
        for one in cards
        if _key(one) not in ("", "COMMENT", "HISTORY")
        and (i == len(hdus) - 1 or _key(one) in ("SIMPLE", "BITPIX", "NAXIS", "EXTEND"))
    ]
    last = len(hdus) - 1
    with fits.open(io.BytesIO(content)) as opened:
        data = next(one for one in opened if one.data is not None)
        names = [""] if data.is_image else list(data.columns.names)
    value = st.sampled_from(VALUES)
    known = st.sampled_from(keys)
    part = st.floats(0, 1, exclude_max=True)
    bit = st.integers(0, 7)
    kinds = [
        st.builds(lambda key, value: SetKeyword(*key, value), known, value),
        st.builds(lambda key, value: SetKeyword(*key, value), known, value),
        st.builds(SetKeyword, st.just(last), st.sampled_from(FURTHER), value),
        st.builds(lambda key: DeleteKeyword(*key), known),
        st.builds(lambda key, value: RepeatKeyword(*key, value), known, value),
        st.builds(
            lambda a, b: SwapKeywords(last, a, b),
            *[st.sampled_from([key for i, key in keys if i == last])] * 2,
        ),
        st.builds(FlipBit, part, bit),
        st.builds(FlipBit, part.map(lambda v: v / 20), bit),
        st.builds(FlipByteBit, part.map(lambda v: v / 20), bit),
        st.builds(Truncate, part),
        st.builds(Append, st.sampled_from([b"\x00" * 7, b"\x00" * 2880, b"XTENSION= 'x", b"\r\n"])),
        st.builds(Shuffle, st.lists(st.integers(0, last), max_size=3).map(tuple)),
    ]
    rows = st.sampled_from(["one", "half", "all"])
    numbers = st.builds(SetValues, st.sampled_from(names), st.sampled_from(NUMBERS), rows)
    kinds += [numbers] * (2 if names == [""] else 3)
    if names != [""]:
        forms = st.sampled_from(["12A", "L", "2D", "16X", "K", "I", "M", "PD()", "QJ()", "D"])
        kinds.append(st.builds(RetypeColumn, st.sampled_from(names), forms))
    return st.one_of(kinds)


# Text ------------------------------------------------------------------------------------------

_WORD = re.compile(r"[A-Za-z_]+|[-+]?[\d.]+(?:[eE][-+]?\d+)?|\n|[^\s\w]")


@dataclass(frozen=True)
class SetWord:
    """A word, number or sign of a text becomes another one."""

    number: int
    word: str

    def __call__(self, content):
        text = content.decode("latin-1")
        words = list(_WORD.finditer(text))
        one = words[self.number % len(words)]
        return (text[: one.start()] + self.word + text[one.end() :]).encode("latin-1")


@dataclass(frozen=True)
class AddWord:
    """A word, number or sign is added before another one."""

    number: int
    word: str

    def __call__(self, content):
        text = content.decode("latin-1")
        words = list(_WORD.finditer(text))
        start = words[self.number % len(words)].start()
        return (text[:start] + self.word + text[start:]).encode("latin-1")


@dataclass(frozen=True)
class MoveLine:
    """A line is repeated, or taken out, at another place."""

    line: int
    place: int
    is_copied: bool

    def __call__(self, content):
        lines = content.split(b"\n")
        i, j = self.line % len(lines), self.place % len(lines)
        one = lines[i] if self.is_copied else lines.pop(i)
        return b"\n".join([*lines[:j], one, *lines[j:]])


@dataclass(frozen=True)
class Recode:
    """A text is in another encoding, or has other ends of lines."""

    name: str

    def __call__(self, content):
        if self.name == "cr":
            return content.replace(b"\n", b"\r")
        if self.name == "crlf":
            return content.replace(b"\n", b"\r\n")
        return content.decode("latin-1").encode(self.name)


def changes_of_text(content):
    """Return the strategy of changes to a text."""
    number, word = st.integers(0, 400), st.sampled_from(WORDS)
    line = st.integers(0, max(1, content.count(b"\n")))
    part = st.floats(0, 1, exclude_max=True)
    return st.one_of(
        st.builds(SetWord, number, word),
        st.builds(SetWord, number, word),
        st.builds(AddWord, number, word),
        st.builds(MoveLine, line, line, st.booleans()),
        st.builds(FlipByteBit, part, st.integers(0, 7)),
        st.builds(Truncate, part),
        st.builds(Append, st.sampled_from([b"\x00", b"\xff\xfe", b"(", b"circle(", b"\x1a"])),
        st.builds(Recode, st.sampled_from(["utf-16", "utf-8-sig", "cr", "crlf", "utf-32"])),
    )


_TOML_VALUES = (
    *("nan", "inf", "-inf", "-1", "0", "1e300", "9223372036854775808", "1e-300", '""', "true"),
    *(
        "[]",
        "{}",
        '["a", 1]',
        "2026-11-26",
        '"' + "x" * 300 + '"',
        "[[[]]]",
        "0x10",
        '"nan"',
        "2.5",
    ),
    *('"-"', '"all"', '"auto"', '"none"', '"\\u0000"', "[1, 2, 3]", '"."', '"/dev/null"'),
)


@dataclass(frozen=True)
class SetToml:
    """A key of a TOML file gets another value."""

    number: int
    value: str

    def __call__(self, content):
        lines = content.decode().split("\n")
        places = [i for i, line in enumerate(lines) if "=" in line]
        i = places[self.number % len(places)]
        lines[i] = lines[i].split("=")[0] + "= " + self.value
        return "\n".join(lines).encode()


def changes_of_toml(content):
    """Return the strategy of changes to a configuration."""
    value = st.sampled_from(_TOML_VALUES)
    # Values more often than the rest, because they go to every option.
    return st.one_of(*[st.builds(SetToml, st.integers(0, 12), value)] * 3, changes_of_text(content))


# HDF5 ------------------------------------------------------------------------------------------

_ATTRIBUTES = (
    *(np.nan, np.inf, -1.0, 0, 1e300, 2**62, -5, "", "x" * 300, "nan", True, b"\xff\xfe"),
    *(np.zeros(0), np.ones((2, 2)), np.array([1.0, np.nan]), "[]", "{}", "[1]", '{"a": []}'),
)
_ARRAYS = ("nan", "inf", "negative", "zero", "huge", "empty", "short", "text", "scalar", "ints")


@dataclass(frozen=True)
class SetAttribute:
    """An attribute has another value; it is missing if this is None."""

    node: str
    key: str
    value: object

    def __call__(self, content):
        def change(file):
            if self.value is None:
                del file[self.node].attrs[self.key]
            else:
                file[self.node].attrs[self.key] = self.value

        return _changed_hdf5(content, change)


@dataclass(frozen=True)
class SetArray:
    """A dataset has other values, another shape or another type."""

    node: str
    how: str

    def __call__(self, content):
        def change(file):
            old = file[self.node]
            values, attributes = old[()], dict(old.attrs)
            del file[self.node]
            file[self.node] = _hostile_array(values, self.how)
            for key, value in attributes.items():
                file[self.node].attrs[key] = value

        return _changed_hdf5(content, change)


@dataclass(frozen=True)
class DeleteNode:
    """A group or a dataset is missing."""

    node: str

    def __call__(self, content):
        return _changed_hdf5(content, lambda file: file.__delitem__(self.node))


def _hostile_array(values, how):
    shape = np.shape(values)
    numbers = {"nan": np.nan, "inf": np.inf, "negative": -1.0, "zero": 0.0, "huge": 1e300}
    if how in numbers:
        return np.full(shape, numbers[how])
    if how == "short":
        return values[:-1] if shape else np.zeros(0)
    return {
        "empty": np.zeros(0),
        "text": np.full(shape or 1, b"text"),
        "scalar": np.float64(1.0),
        "ints": np.full(shape, 2**62, np.int64),
    }[how]


def _changed_hdf5(content, change):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.h5"
        path.write_bytes(content)
        with h5py.File(path, "r+") as file:
            change(file)
        return path.read_bytes()


@cache
def _nodes(content):
    """Return the groups, datasets and attributes of a file."""
    groups, arrays, attributes = [], [], []
    with h5py.File(io.BytesIO(content)) as file:

        def visit(name, node):
            (arrays if isinstance(node, h5py.Dataset) else groups).append(name)
            attributes.extend((name, key) for key in node.attrs)

        attributes.extend(("/", key) for key in file.attrs)
        file.visititems(visit)
    return groups, arrays, attributes


def changes_of_hdf5(content):
    """Return the strategy of changes to a model."""
    groups, arrays, attributes = _nodes(content)
    part = st.floats(0, 1, exclude_max=True)
    values = st.sampled_from(range(len(_ATTRIBUTES))).map(_ATTRIBUTES.__getitem__)
    attribute = st.builds(
        lambda where, value: SetAttribute(*where, value), st.sampled_from(attributes), values
    )
    return st.one_of(
        attribute,
        attribute,
        st.builds(lambda where: SetAttribute(*where, None), st.sampled_from(attributes)),
        st.builds(SetArray, st.sampled_from(arrays), st.sampled_from(_ARRAYS)),
        st.builds(SetArray, st.sampled_from(arrays), st.sampled_from(_ARRAYS)),
        st.builds(DeleteNode, st.sampled_from(groups + arrays)),
        st.builds(FlipByteBit, part, st.integers(0, 7)),
        st.builds(Truncate, part),
    )


CHANGES = {
    "fits": changes_of_fits,
    "text": changes_of_text,
    "toml": changes_of_toml,
    "hdf5": changes_of_hdf5,
    "filter": changes_of_text,
}
