"""The values of samples without their errors."""

from collections.abc import Sequence
from pathlib import Path

from ..answers.denoise import denoised_table
from ..errors import about
from ..io.tables import TABLE_SUFFIXES, write_plain_table
from ..io.write import check_target
from .kinds import read_samples_model
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
    model : path
        A model of samples.
    out : path
        Table to write: .ecsv, .fits or .csv.
    catalogue : path, optional
        A table with the columns that the model was fitted to. By default the samples of the fit.
    overwrite : bool
        Whether an existing file may be replaced.
    inputs : sequence of path
        Further files that the output must not replace.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    GmmxError
        If the output cannot be written, which is checked first, or an input cannot be used.
    """
    read = [model, *inputs, *([] if catalogue is None else [catalogue])]
    check_target(out, overwrite=overwrite, suffixes=TABLE_SUFFIXES, inputs=read)
    result = read_samples_model(model, "denoise")
    samples = None if catalogue is None else samples_like(result, catalogue)
    with about(model if catalogue is None else catalogue):
        table = denoised_table(result, samples)
    write_plain_table(out, table, overwrite=overwrite)
    return Path(out)
