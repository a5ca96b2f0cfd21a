"""The values of samples without their errors."""

from collections.abc import Sequence
from pathlib import Path

from ..answers.denoise import denoised_table
from ..errors import about
from ..io.tables import TABLE_SUFFIXES, write_plain_table
from .kinds import read_for
from .other_samples import samples_like


def denoise(
    model: str | Path,
    out: str | Path,
    catalogue: str | Path | None = None,
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
) -> Path:
    """Write the posterior mean and error of the noise-free values of samples.

    Parameters
    ----------
    model, out, overwrite, inputs
        See `gmmx.commands`.
    catalogue : path, optional
        A table with the columns that the model was fitted to. By default the samples of the fit.

    Returns
    -------
    Path
        The file that was written.
    """
    read = [*inputs] if catalogue is None else [*inputs, catalogue]
    result = read_for("denoise", model, [(out, TABLE_SUFFIXES)], overwrite=overwrite, inputs=read)
    samples = None if catalogue is None else samples_like(model, result, catalogue)
    with about(model if catalogue is None else catalogue):
        table = denoised_table(result, samples)
    write_plain_table(out, table, overwrite=overwrite)
    return Path(out)
