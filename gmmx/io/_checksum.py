"""The FITS checksum: CHECKSUM and DATASUM of an HDU, compared while the file is read.

The checksum is the ones' complement sum of all 32-bit words (FITS standard 4.0, appendix J). A file
is a row of blocks of 2880 bytes, and so is each header and each data unit. `SummedStream` keeps the
sum of each block that passes, so that nothing is read twice.
"""

import io
import re

import numpy as np
from astropy.io import fits

BLOCK = 2880
# The sum of an HDU whose header holds the right CHECKSUM: all bits are set.
ALL_ONES = 0xFFFFFFFF
# A CHECKSUM that a program has put there before it computed one.
PLACEHOLDER = "0" * 16
_DATE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"


class SummedStream(io.RawIOBase):
    """A stream that keeps the sum of each block of 2880 bytes that is read from it.

    Parameters
    ----------
    stream : file object
        It can seek.
    """

    def __init__(self, stream):
        super().__init__()
        self._stream = stream
        # The first block of each read, and the sums of the blocks from there.
        self._sums: list[tuple[int, np.ndarray]] = []

    def readable(self):
        """Whether the stream can be read."""
        return True

    def seekable(self):
        """Whether the stream can seek."""
        return True

    def tell(self):
        """Return the position."""
        return self._stream.tell()

    def seek(self, offset, whence=io.SEEK_SET):
        """Move to a position."""
        return self._stream.seek(offset, whence)

    def close(self):
        """Close the stream below, too."""
        if not self.closed:
            self._stream.close()
        super().close()

    def readinto(self, buffer):
        """Fill a buffer, except at the end of the file, and sum the blocks in it."""
        view, start, n = memoryview(buffer).cast("B"), self._stream.tell(), 0
        while n < len(view):
            more = self._stream.readinto(view[n:])
            if not more:
                break
            n += more
        # Only the last block of a file may be cut short.
        is_end = n < len(view)
        if n and start % BLOCK == 0:
            self._sums.append((start // BLOCK, block_sums(view[:n], is_end=is_end)))
        return n

    def total(self, start, stop):
        """Return the ones' complement sum of the bytes in a range of whole blocks.

        Blocks that were not read yet are read.

        Parameters
        ----------
        start, stop : int
            Multiples of 2880.

        Returns
        -------
        int
        """
        sums, known = self._known(start, stop)
        missing = np.flatnonzero(~known)
        if len(missing):
            here = self.tell()
            self._read_through(start + int(missing[0]) * BLOCK, stop)
            self.seek(here)
            sums, _ = self._known(start, stop)
        return folded(sum(sums.tolist()))

    def _known(self, start, stop):
        """Return the sums of the blocks in a range, and which of them are known."""
        first, last = start // BLOCK, stop // BLOCK
        sums, known = np.zeros(last - first, np.uint64), np.zeros(last - first, bool)
        for begin, found in self._sums:
            low, high = max(begin, first), min(begin + len(found), last)
            if low < high:
                sums[low - first : high - first] = found[low - begin : high - begin]
                known[low - first : high - first] = True
        return sums, known

    def _read_through(self, start, stop):
        """Read a range of blocks, as far as the file goes, for their sums."""
        self.seek(start)
        buffer = memoryview(bytearray(64 * BLOCK))
        while start < stop:
            n = self.readinto(buffer[: min(len(buffer), stop - start)])
            if not n:
                return
            start += n


def block_sums(data, *, is_end=False):
    """Return the sum of the 32-bit words of each block of 2880 bytes.

    Parameters
    ----------
    data : bytes-like
    is_end : bool
        Whether a last block that is cut short counts, filled with zeros.

    Returns
    -------
    (n,) array of uint64
    """
    n_full = len(data) // BLOCK
    words = np.frombuffer(data, ">u4", count=n_full * (BLOCK // 4)).reshape(n_full, BLOCK // 4)
    sums = words.sum(axis=1, dtype=np.uint64)
    rest = bytes(data[n_full * BLOCK :])
    if rest and is_end:
        last = np.frombuffer(rest.ljust(BLOCK, b"\0"), ">u4").sum(dtype=np.uint64)
        sums = np.append(sums, last)
    return sums


def folded(total):
    """Return a sum of words as their ones' complement sum: what does not fit in is added again."""
    while total > ALL_ONES:
        total = (total & ALL_ONES) + (total >> 32)
    return total


def stored_sums(header: fits.Header) -> tuple[int | None, bool]:
    """Return the DATASUM of a header, and whether it has a CHECKSUM.

    An empty text means that the sum was not computed (FITS standard 4.0, section 4.4.2.7).

    Parameters
    ----------
    header : astropy.io.fits.Header

    Returns
    -------
    datasum : int or None
    has_checksum : bool
    """
    datasum = str(header.get("DATASUM", "")).strip()
    checksum = str(header.get("CHECKSUM", "")).strip()
    return int(datasum) if datasum.isdecimal() else None, checksum not in ("", PLACEHOLDER)


def is_newer_than_sums(header: fits.Header) -> bool:
    """Return whether the history of a header is younger than its checksums.

    HEASoft's fv changes files and leaves the checksums as they were, but notes when it did so.
    The comment of CHECKSUM has the date of the checksum.

    Parameters
    ----------
    header : astropy.io.fits.Header
    """
    dates = [
        re.findall(_DATE, text)
        for text in ("\n".join(map(str, header.get("HISTORY", ()))), _comment(header, "CHECKSUM"))
    ]
    return all(dates) and max(dates[0]) > max(dates[1])


def _comment(header, key):
    return header.comments[key] if key in header else ""


def is_complete(total):
    """Whether the sum of an HDU is what its CHECKSUM makes it: all ones, or all zeros."""
    return total in (0, ALL_ONES)


def with_sums(cards: bytes, data: bytes) -> bytes:
    """Return an HDU with its CHECKSUM and DATASUM.

    Parameters
    ----------
    cards : bytes
        The cards of the header, without END and without checksums.
    data : bytes
        Without padding.

    Returns
    -------
    bytes
        Whole blocks.
    """
    data += bytes(-len(data) % BLOCK)
    datasum = folded(int(block_sums(data).sum()))
    cards += str(fits.Card("CHECKSUM", PLACEHOLDER, "HDU checksum")).encode("ascii")
    place = len(cards) - 80 + len("CHECKSUM= '")
    cards += str(fits.Card("DATASUM", str(datasum), "data unit checksum")).encode("ascii")
    cards += b"END".ljust(80)
    header = bytearray(cards.ljust(-(-len(cards) // BLOCK) * BLOCK))
    total = folded(int(block_sums(bytes(header)).sum()) + datasum)
    header[place : place + 16] = encoded(ALL_ONES - total)
    return bytes(header) + data


def encoded(total: int) -> bytes:
    """Return a sum in 16 characters, which add that sum where zeros stood before.

    Each byte becomes four letters or digits around a quarter of it; pairs of them move apart until
    no punctuation is left (FITS standard 4.0, appendix J.2).

    Examples
    --------
    >>> encoded(868229149)
    b'7Bf889Z87Af877Z8'
    """
    excluded = set(range(0x3A, 0x41)) | set(range(0x5B, 0x61))
    rows = []
    for byte in total.to_bytes(4, "big"):
        row = [byte // 4 + ord("0")] * 4
        row[0] += byte % 4
        while excluded & set(row):
            for i in (0, 2):
                if excluded & set(row[i : i + 2]):
                    row[i], row[i + 1] = row[i] + 1, row[i + 1] - 1
        rows.append(row)
    letters = bytes(rows[i][j] for j in range(4) for i in range(4))
    return letters[-1:] + letters[:-1]
