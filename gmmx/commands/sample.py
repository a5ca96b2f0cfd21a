"""Draw samples from a model and write them as a table."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..answers.drawn_samples import drawn_table
from ..config import SampleCommandConfig
from ..io.tables import TABLE_SUFFIXES, write_plain_table
from .kinds import read_for


def sample(
    model: str | Path,
    out: str | Path,
    config: SampleCommandConfig | None = None,
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
) -> Path:
    """Write a table of noise-free samples, or of positions on the deconvolved sky.

    The parameters are those of all commands, see `gmmx.commands`.

    Returns
    -------
    Path
        The file that was written.
    """
    config = SampleCommandConfig() if config is None else config
    result = read_for("sample", model, [(out, TABLE_SUFFIXES)], overwrite=overwrite, inputs=inputs)
    table = drawn_table(result, config.n, np.random.default_rng(config.seed))
    write_plain_table(out, table, overwrite=overwrite)
    return Path(out)
