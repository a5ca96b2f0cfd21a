"""Records of the files that an observation or a fit was made from."""

from ..io._read import file_digest


def input_record(role, path):
    """Return the record of a file that was read: its role, its path as given and its SHA-256."""
    return {"role": role, "path": str(path), "sha256": file_digest(path)}
