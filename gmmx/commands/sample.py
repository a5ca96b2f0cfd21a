"""Draw samples from a model and write them as a table."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..answers.drawn_samples import drawn_table
from ..config import SampleCommandConfig
from ..io.models import read_any
from ..io.tables import TABLE_SUFFIXES, write_plain_table
from ..io.write import check_target


def sample(
    model: str | Path,
    out: str | Path,
    config: SampleCommandConfig | None = None,
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
) -> Path:
    """Draw noise-free samples, or positions on the deconvolved sky, from a model file.

    Parameters
    ----------
    model, out : path
        The model file, and the table to write: .ecsv, .fits or .csv.
    config : SampleCommandConfig, optional
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
        If the output cannot be written, which is checked first, or the model cannot be read.
    """
    config = SampleCommandConfig() if config is None else config
    check_target(out, overwrite=overwrite, suffixes=TABLE_SUFFIXES, inputs=[model, *inputs])
    result = read_any(model)
    table = drawn_table(result, config.n, np.random.default_rng(config.seed))
    write_plain_table(out, table, overwrite=overwrite)
    return Path(out)
