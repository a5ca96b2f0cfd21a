"""Options of the comparison of models."""

from dataclasses import dataclass

from ._checks import Options, require_positive, require_whole


@dataclass(frozen=True, kw_only=True, repr=False)
class CompareConfig(Options):
    """Options of `gmmx compare`.

    Parameters
    ----------
    folds : int
        Number of parts into which the photons are divided for the cross-validation.
    bin : float, optional
        Pixel of the map of the difference [arcsec].
    seed : int
        Of the random division into folds.
    threads : int
        Number of threads; 0 uses every core. The result does not depend on it.

    Examples
    --------
    >>> CompareConfig(folds=10)
    CompareConfig(folds=10)
    """

    folds: int = 5
    bin: float | None = None
    seed: int = 0
    threads: int = 0

    def __post_init__(self):
        require_whole(self, 2, "folds")
        require_positive(self, "bin")
        require_whole(self, 0, "seed", "threads")


@dataclass(frozen=True, kw_only=True, repr=False)
class SampleCompareConfig(Options):
    """Options of `gmmx compare` for models of samples.

    Parameters
    ----------
    n : int
        Number of samples that are drawn from each model for the divergences.
    seed : int
        Of these draws.

    Examples
    --------
    >>> SampleCompareConfig(n=1_000_000)
    SampleCompareConfig(n=1000000)
    """

    n: int = 100_000
    seed: int = 0

    def __post_init__(self):
        require_whole(self, 2, "n")
        require_whole(self, 0, "seed")
