"""An open FITS file: its HDUs, and whether their checksums are right."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError, DataWarning
from ._causes import reading
from ._checksum import SummedStream, is_complete, is_newer_than_sums, stored_sums
from ._digest import DigestedFile
from ._hdu import Hdu, headers

# Whether the checksums of files are verified.
_verified: ContextVar[bool] = ContextVar("verified", default=True)


@contextmanager
def checksums(verified: bool) -> Iterator[None]:
    """Choose whether the checksums of FITS files are verified while the body runs.

    Parameters
    ----------
    verified : bool
    """
    token = _verified.set(verified)
    try:
        yield
    finally:
        _verified.reset(token)


@dataclass(frozen=True, eq=False)
class OpenFits:
    """An open FITS file.

    Attributes
    ----------
    path : Path
    stream : file object
        The bytes of the FITS file, unzipped.
    most_bytes : int
        The file, unzipped, has no more bytes than this.
    """

    path: Path
    stream: io.BufferedReader
    most_bytes: int
    _raw: DigestedFile
    _summed: SummedStream

    def hdus(self) -> Iterator[Hdu]:
        """Yield the HDUs, without reading their data.

        Raises
        ------
        DataError
            If a header cannot be read.
        """
        found = headers(self.stream, self.most_bytes)
        while True:
            # Not around `yield`, because warnings of the caller have to be heard.
            with reading(self.path):
                hdu = next(found, None)
            if hdu is None:
                return
            yield hdu

    def content(self, hdu: Hdu) -> bytes:
        """Return the header and the data of an HDU, with padding.

        Parameters
        ----------
        hdu : Hdu

        Raises
        ------
        DataError
            If the data are truncated.
        """
        needed = hdu.start + hdu.size
        if needed > self.most_bytes:
            self._refuse_truncated(hdu, self.most_bytes - hdu.start)
        with reading(self.path):
            self.stream.seek(hdu.offset)
            found = self.stream.read(hdu.stop - hdu.offset)
        if hdu.offset + len(found) < needed:
            self._refuse_truncated(hdu, hdu.offset + len(found) - hdu.start)
        return found

    def _refuse_truncated(self, hdu, n):
        raise DataError(
            f"{self.path}: truncated: the header of {hdu.title} announces {hdu.size:,} bytes of "
            f"data, at most {max(n, 0):,} are there: fetch it again"
        )

    def check(self, *hdus: Hdu) -> None:
        """Compare the checksums of HDUs that are used, where present.

        Parameters
        ----------
        *hdus : Hdu

        Raises
        ------
        DataError
            If a checksum does not hold.

        Warns
        -----
        DataWarning
            If FITS does not allow the value of a card that is used, or if the data of an HDU go
            on behind their end.
        """
        for hdu in hdus:
            for card in hdu.odd_cards:
                warnings.warn(
                    f"{self.path}: FITS does not allow the value in {card!r}: taken as missing. "
                    "Correct the card if it is needed",
                    DataWarning,
                    stacklevel=4,
                )
            self._check_sums(hdu)
            with reading(self.path):
                goes_on = hdu.goes_on(self.stream)
            if goes_on:
                warnings.warn(
                    f"{self.path}: the data of {hdu.title} go on behind the {hdu.size:,} bytes "
                    "that its header announces, and the rest is not read: are its NAXISn right?",
                    DataWarning,
                    stacklevel=4,
                )

    def _check_sums(self, hdu):
        datasum, has_checksum = stored_sums(hdu.header)
        if not _verified.get() or not (has_checksum or datasum is not None):
            return
        with reading(self.path):
            of_data = self._summed.total(hdu.start, hdu.stop)
            of_all = self._summed.total(hdu.offset, hdu.stop)
        wrong_data = datasum is not None and of_data != datasum
        if (wrong_data or (has_checksum and not is_complete(of_all))) and not self._is_stale(hdu):
            part, key = ("the data of ", "DATASUM") if wrong_data else ("", "CHECKSUM")
            raise DataError(
                f"{self.path}: {part}{hdu.title} {'do' if part else 'does'} not match {key}: "
                f"damaged, or changed by a program that left {key} as it was: fetch the file "
                "again, or give `no_checksum` to go on",
                parameter="no_checksum",
            )

    def _is_stale(self, hdu):
        """Whether the checksums of an HDU are older than the file, and so tell nothing.

        That is so if the history says it, or if DATASUM is wrong in each of several HDUs. Damage
        would hardly have struck all of them.
        """
        if is_newer_than_sums(hdu.header):
            return True
        sums = [(one, stored_sums(one.header)[0]) for one in self.hdus()]
        # The sum of no data is 0, and is right.
        known = [(one, datasum) for one, datasum in sums if datasum or (one.size and datasum == 0)]
        return len(known) > 1 and all(
            self._summed.total(one.start, one.stop) != datasum for one, datasum in known
        )

    def digest(self) -> str:
        """Return the SHA-256 of the file on disk, whose rest is read if need be.

        `file_digest` gives it from now on, too.
        """
        with reading(self.path):
            return self._raw.hexdigest()
