"""Header and data units: where they lie in a FITS stream, and what their headers hold."""

import re
from dataclasses import dataclass, field

from astropy.io import fits

from ._causes import BadFileError
from ._checksum import BLOCK

CARD = 80
# A header of more blocks than this is no header.
MOST_BLOCKS = 5000
# Keywords that gmmx uses. A card of another keyword may hold anything.
_USED = re.compile(
    r"SIMPLE|XTENSION|EXTNAME|BITPIX|Z?NAXIS\d*|PCOUNT|GCOUNT|GROUPS|TFIELDS|THEAP|ZIMAGE|ZTABLE"
    r"|(TTYPE|TFORM|TUNIT|TSCAL|TZERO|TNULL|TDIM|TLMIN|TLMAX)\d+"
    r"|(TCTYP?|TCRVL?|TCRPX?|TCD(LT|E)|TCUNI?|TCROT?|TP|TC|TPC|TCD|TV|TPV)\d+(_\d+)?[A-Z]?"
    r"|(CTYPE|CRVAL|CRPIX|CDELT|CUNIT|CROTA|PC|CD|PV|LTV|LTM)\d+(_\d+)?[A-Z]?"
    r"|(L(ON|AT)POLE|L(ON|AT)P\d+|WCSAXES|WCSNAME|RADESYS|RADECSYS|RADE\d+|EQUINOX|EQUI\d+)[A-Z]?"
    r"|EPOCH|[AB]P?_\d+_\d+|[AB]P?_ORDER|(RA|DEC|ROLL)_(PNT|NOM)|REF[XY].*"
    r"|BUNIT|BSCALE|BZERO|BLANK|ECF|CONTENT|HDUCLAS\d|TELESCOP|INSTRUME|DETNAM|GRATING"
    r"|EXPOSURE|ENERG_?(LO|HI)|EXPTIME|SIM_Z|\d*DS(TYP|VAL|UNIT?|REF)\d+|DATASUM|CHECKSUM"
)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Hdu:
    """A header and data unit of a FITS stream.

    Attributes
    ----------
    number : int
        Counted from 0, which is the primary one.
    header : astropy.io.fits.Header
        Without the cards whose values FITS does not allow.
    odd_cards : tuple of str
        Those of them whose keywords gmmx uses.
    offset, start, size : int
        Bytes of the file before the header and before the data, and bytes of the data.
    """

    number: int
    header: fits.Header
    odd_cards: tuple[str, ...] = field(default=())
    offset: int
    start: int
    size: int

    def __repr__(self):
        return f"Hdu({self.name}, {self.size:,} bytes)"

    @property
    def name(self) -> str:
        """EXTNAME, or PRIMARY; empty if it has neither."""
        name = str(self.header.get("EXTNAME", "")).strip().upper()
        return name or ("PRIMARY" if self.number == 0 else "")

    @property
    def title(self) -> str:
        """Its name for messages."""
        return f"extension {self.name or self.number}" if self.number else "the primary HDU"

    @property
    def stop(self) -> int:
        """Offset of what follows, behind the padding of the data."""
        return self.start + -(-self.size // BLOCK) * BLOCK

    @property
    def is_image(self) -> bool:
        """Whether it is an image, compressed or not, with or without pixels."""
        return (
            str(self.header.get("XTENSION", "IMAGE")).strip() == "IMAGE"
            or self.header.get("ZIMAGE") is True
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Pixels along each axis of an image, the fastest axis last."""
        axes = "ZNAXIS" if self.header.get("ZIMAGE") is True else "NAXIS"
        n = self.header.get(axes, 0)
        return tuple(self.header.get(f"{axes}{i}", 0) for i in range(n, 0, -1))

    def goes_on(self, stream) -> bool:
        """Return whether its data go on where the header says that they end.

        The rest of the last block is zero or blank, and another HDU follows, or nothing does. Fewer
        bytes than a block may be anything.

        Parameters
        ----------
        stream : file object
        """
        if not self.size:
            return False
        stream.seek(self.start + self.size)
        padding = stream.read(self.stop - self.start - self.size)
        after = stream.read(BLOCK)
        is_more = len(after) == BLOCK and not after.startswith(b"XTENSION=")
        return bool(padding.strip(b"\0 ") or (is_more and after.strip(b"\0 ")))


def headers(stream, most_bytes):
    """Yield the HDUs of a FITS stream, without reading their data.

    Bytes behind the last extension that are none themselves are ignored (FITS standard 4.0,
    section 3.5).

    Parameters
    ----------
    stream : file object
        As from `open_fits`.
    most_bytes : int
        The file has no more bytes than this.

    Yields
    ------
    Hdu

    Raises
    ------
    BadFileError
        If a header has no end, or does not tell the size of its data.
    """
    offset, number = 0, 0
    while offset < most_bytes:
        stream.seek(offset)
        block = stream.read(BLOCK)
        if len(block) < CARD or (number and not block.startswith(b"XTENSION=")):
            return
        content = _whole_header(stream, block)
        header, odd_cards = readable(content)
        hdu = Hdu(
            number=number,
            header=header,
            odd_cards=odd_cards,
            offset=offset,
            start=offset + len(content),
            size=data_size(header),
        )
        yield hdu
        offset, number = hdu.stop, number + 1


def _whole_header(stream, block):
    """Return all blocks of a header, of which the first was read."""
    blocks = [block]
    while not _has_end(blocks[-1]):
        if len(blocks[-1]) < BLOCK or len(blocks) == MOST_BLOCKS:
            raise BadFileError("truncated: a header has no END card: fetch it again")
        blocks.append(stream.read(BLOCK))
    return b"".join(blocks)


def _has_end(block):
    return any(block[i : i + CARD].rstrip(b" \0") == b"END" for i in range(0, len(block), CARD))


def readable(content):
    """Return a header without the cards that FITS does not allow, and those that are used.

    Parameters
    ----------
    content : bytes
        The cards.
    """
    header, odd = fits.Header.fromstring(content), []
    for number, card in enumerate(header.cards):
        try:
            _ = card.value
        except fits.VerifyError:
            odd.append(number)
    if not odd:
        return header, ()
    used = tuple(
        _card(content, keyword)
        for keyword in (header.cards[number].keyword for number in odd)
        if _USED.fullmatch(keyword)
    )
    return fits.Header([card for i, card in enumerate(header.cards) if i not in odd]), used


def _card(content, keyword):
    """Return the text of a card as it is in the file."""
    cards = (content[i : i + CARD] for i in range(0, len(content), CARD))
    key = keyword.encode()
    return next(card for card in cards if card[:8].strip() == key).decode("latin-1").strip()


def data_size(header: fits.Header) -> int:
    """Return the number of bytes of the data of an HDU, without padding.

    FITS standard 4.0, equations 1 and 2.

    Parameters
    ----------
    header : astropy.io.fits.Header

    Raises
    ------
    BadFileError
        If a keyword that gives the size is missing or no whole number.
    """
    n_axes = _whole(header, "NAXIS", 0)
    if n_axes == 0:
        return 0
    lengths = [_whole(header, f"NAXIS{i}") for i in range(1, n_axes + 1)]
    if lengths[0] == 0 and header.get("GROUPS", False):
        lengths = lengths[1:]
    size = 1
    for length in lengths:
        size *= length
    bits = _whole(header, "BITPIX", signed=True)
    if not header.get("GROUPS", False) and _whole(header, "GCOUNT", 1) != 1:
        raise BadFileError(
            f"GCOUNT = {header['GCOUNT']} in a header: it must be 1, so that another keyword may "
            "be wrong, too: fetch it again"
        )
    return abs(bits) // 8 * _whole(header, "GCOUNT", 1) * (_whole(header, "PCOUNT", 0) + size)


def _whole(header, key, default=None, *, signed=False):
    """Return a whole number of a header, at least 0 unless it is signed."""
    value = header.get(key, default)
    if value is None:
        raise BadFileError(f"a header without {key}, which is needed: fetch it again")
    is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not is_whole or (value < 0 and not signed):
        kind = "a whole number" if signed else "a whole number of at least 0"
        raise BadFileError(f"{key} = {value!r} in a header: it must be {kind}: fetch it again")
    return int(value)
