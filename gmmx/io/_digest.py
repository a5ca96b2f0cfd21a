"""The SHA-256 of files, taken while they are read, and remembered until they change."""

import hashlib
import io
import os
import time

# A file that changed less than this before [s] may change again without a new time of change,
# because file systems store times in steps of up to 2 s.
CLOCK_STEP = 2.0
# Digests of files that this process has read, by `_version`.
_digests: dict[tuple, str] = {}


class DigestedFile(io.FileIO):
    """A file that digests each byte once, in the order of the file, while it is read.

    Parameters
    ----------
    path : str or Path

    Attributes
    ----------
    size : int
        Bytes on disk.
    """

    def __init__(self, path):
        super().__init__(path, "rb")
        self._version = _version(self)
        self.size = os.fstat(self.fileno()).st_size
        self._sha256, self._digested = hashlib.sha256(), 0

    def readinto(self, buffer):
        """Fill a buffer."""
        start = self.tell()
        n = super().readinto(buffer)
        # Bytes behind a gap wait until the gap is read.
        if n and start <= self._digested < start + n:
            self._sha256.update(memoryview(buffer)[self._digested - start : n])
            self._digested = start + n
        return n

    def peek(self, n):
        """Return the first bytes of the file, without digesting them, and go back to its start."""
        self.seek(0)
        first = self.read(n)
        self.seek(0)
        return first

    def hexdigest(self):
        """Return the digest of the whole file; the rest of the file is read first."""
        here = self.tell()
        self.seek(self._digested)
        buffer = bytearray(1 << 20)
        while self.readinto(buffer):
            pass
        self.seek(here)
        digest = self._sha256.hexdigest()
        _remember(self, self._version, digest)
        return digest


def digest_of(stream):
    """Return the SHA-256 of an open file, in hexadecimal.

    A file that this process has read, and that has not changed since, is not read again.
    """
    version = _version(stream)
    digest = _digests.get(version)
    if digest is None:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        _remember(stream, version, digest)
    return digest


def _version(stream):
    """Return what distinguishes the present content of an open file from any other content."""
    status = os.fstat(stream.fileno())
    return (
        *(status.st_dev, status.st_ino, status.st_size),
        *(status.st_mtime_ns, status.st_ctime_ns),
    )


def _remember(stream, version, digest):
    """Remember the digest of an open file that did not change while it was read."""
    is_settled = time.time() - os.fstat(stream.fileno()).st_mtime > CLOCK_STEP
    if is_settled and _version(stream) == version:
        _digests[version] = digest
