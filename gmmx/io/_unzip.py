"""The content of a gzipped file as a stream.

The gzip module of Python refuses a file with other bytes behind its gzip data, which gunzip and
CFITSIO ignore.
"""

import io
import zlib

GZIP_MAGIC = b"\x1f\x8b"
CHUNK = 1 << 17


class UnzippedStream(io.RawIOBase):
    """The unpacked content of a gzipped stream. Bytes behind the gzip data are ignored.

    Parameters
    ----------
    stream : file object
        The gzipped bytes. It is read forwards, and from its beginning again after a step back.
    """

    def __init__(self, stream):
        super().__init__()
        self._stream = stream
        self._restart()

    def _restart(self):
        self._stream.seek(0)
        self._unzip, self._packed, self._position, self._ended = self._new(), b"", 0, False

    @staticmethod
    def _new():
        return zlib.decompressobj(wbits=31)

    def readable(self):
        """Whether the stream can be read."""
        return True

    def seekable(self):
        """Whether the stream can seek."""
        return True

    def tell(self):
        """Return the position in the unpacked content."""
        return self._position

    def seek(self, offset, whence=io.SEEK_SET):
        """Move to a position in the unpacked content, by unpacking all of it up to there."""
        if whence != io.SEEK_SET:
            offset += self._position if whence == io.SEEK_CUR else self._length()
        if offset < self._position:
            self._restart()
        while self._position < offset and self.read(min(CHUNK, offset - self._position)):
            pass
        return self._position

    def _length(self):
        while self.read(CHUNK):
            pass
        return self._position

    def close(self):
        """Close the stream below, too."""
        if not self.closed:
            self._stream.close()
        super().close()

    def readinto(self, buffer):
        """Unpack some bytes.

        Raises
        ------
        EOFError
            If the gzip data are truncated.
        zlib.error
            If they are damaged.
        """
        view = memoryview(buffer).cast("B")
        while len(view) and not self._ended:
            packed = self._unzip.unconsumed_tail or self._packed or self._stream.read(CHUNK)
            self._packed = b""
            found = self._unzip.decompress(packed, len(view))
            if self._unzip.eof:
                self._next_member()
            elif not (packed or found):
                raise EOFError("the gzip data end too early")
            if found:
                view[: len(found)] = found
                self._position += len(found)
                return len(found)
        return 0

    def _next_member(self):
        """Go on with further gzip data behind those that have ended; other bytes are ignored."""
        rest = self._unzip.unused_data or self._stream.read(CHUNK)
        if len(rest) == 1:
            rest += self._stream.read(CHUNK)
        if rest.startswith(GZIP_MAGIC):
            self._unzip, self._packed = self._new(), rest
        else:
            self._ended = True


def unzipped(content: bytes) -> bytes:
    """Return bytes unpacked if they are gzipped, and as they are if they are not.

    Parameters
    ----------
    content : bytes

    Raises
    ------
    EOFError
        If the gzip data are truncated.
    zlib.error
        If they are damaged.

    Examples
    --------
    >>> import gzip
    >>> unzipped(gzip.compress(b"circle(1,2,3)") + b"other bytes")
    b'circle(1,2,3)'
    """
    if not content.startswith(GZIP_MAGIC):
        return content
    return UnzippedStream(io.BytesIO(content)).readall()
