"""What the path of a fit says of its exchanged and removed components."""

from itertools import pairwise

import numpy as np


def refinement_of(path: dict) -> dict[str, int | float]:
    """Number of exchanges and of pruned components; empty without a path.

    Parameters
    ----------
    path : dict of str to (n,) array
        That of a FitResult; see `FitResult.refinement`.

    Examples
    --------
    >>> rows = {"stage": ["start", "exchange"], "k": [3, 3], "accepted": [True, True]}
    >>> found = refinement_of(rows | {"log_likelihood": [10.0, 12.0]})
    >>> found["exchanges_accepted"], found["exchange_gain"]
    (1, 2.0)
    """
    names = ("stage", "k", "log_likelihood", "accepted")
    if not all(name in path for name in names):
        return {}
    stage, k, log_likelihood, accepted = (np.asarray(path[name]) for name in names)
    gain, pruned = 0.0, 0
    # A trial is compared with the set of components that it was made from, which is the last
    # accepted one before it.
    standing = np.flatnonzero(accepted)
    for before, after in pairwise(standing):
        if stage[after] == "exchange":
            gain += float(log_likelihood[after] - log_likelihood[before])
        elif stage[after] == "prune":
            pruned += int(k[before] - k[after])
    return {
        "exchanges_tried": int((stage == "exchange").sum()),
        "exchanges_accepted": int((stage[standing] == "exchange").sum()),
        "exchange_gain": gain,
        "pruned": pruned,
    }
