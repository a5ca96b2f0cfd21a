"""Options of the draws that every error is made from."""

from dataclasses import dataclass

from ._checks import Options, require_choice, require_whole

# How draws are made; "auto" chooses between the others.
DRAW_METHODS = ("auto", "laplace", "bootstrap", "scan")
# Draws that are made on the fly for a model that has none.
N_DRAWS = 200


@dataclass(frozen=True, kw_only=True, repr=False)
class ErrorsConfig(Options):
    """Options of `gmmx errors`.

    Parameters
    ----------
    draws : int
        Number of parameter sets.
    method : {"auto", "laplace", "bootstrap", "scan"}
        How they are made: from the information matrix (laplace), by refits with other weights of
        the photons (bootstrap), or by refits with wings of beta-models beside the mixture (scan).
        "auto" scans where emission is broad or correlated with a free background, and else takes
        laplace. For samples it takes laplace, or bootstrap where the matrix would be too large,
        and there is no scan.
    seed : int
        Of the random numbers.
    threads : int
        Number of threads; 0 uses every core. The draws do not depend on it.

    Raises
    ------
    InputError
        If a value is not one of these.

    Examples
    --------
    >>> ErrorsConfig(draws=500)
    ErrorsConfig(draws=500)
    """

    draws: int = N_DRAWS
    method: str = "auto"
    seed: int = 0
    threads: int = 0

    def __post_init__(self):
        require_whole(self, 1, "draws")
        require_choice(self, "method", DRAW_METHODS)
        require_whole(self, 0, "seed", "threads")


@dataclass(frozen=True, kw_only=True, repr=False)
class FitDraws(Options):
    """The option of `gmmx fit` that makes draws after the fit.

    Parameters
    ----------
    draws : int
        Number of parameter sets to draw after the fit, as `gmmx errors` does; 0 makes none.
    """

    draws: int = 0

    def __post_init__(self):
        require_whole(self, 0, "draws")
