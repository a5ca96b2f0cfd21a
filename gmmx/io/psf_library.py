"""The PSF library of Chandra's mirrors that comes with gmmx."""

from importlib.resources import files

import numpy as np

from ..telescope.psf_library import PsfLibrary

LIBRARY = "chandra_psf.ecsv"
COLUMNS = ("theta", "phi", "energy", "component", "weight", "sigma_major", "sigma_minor", "pa")


def read_chandra_library() -> PsfLibrary:
    """Read the PSF library that comes with gmmx.

    The table is ECSV without quotes in its rows. It is read as plain text, because astropy's
    reader takes fifty times as long.

    Examples
    --------
    >>> read_chandra_library().detectors
    ('ACIS-I', 'ACIS-S')
    """
    path = files(__package__.split(".")[0]).joinpath("data", LIBRARY)
    lines = [line for line in path.read_text("ascii").splitlines() if line[0] != "#"]
    names, *rows = (line.split(" ") for line in lines)
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    return PsfLibrary.of(
        detector=np.array(columns["detector"]),
        **{name: np.array(columns[name], np.float64) for name in COLUMNS},
    )
