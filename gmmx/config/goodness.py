"""Options of the test of a fit."""

from dataclasses import dataclass

from ..errors import InputError
from ._checks import Options, require_bool, require_whole


@dataclass(frozen=True, kw_only=True, repr=False)
class GoodnessConfig(Options):
    """Options of `gmmx test`.

    Parameters
    ----------
    simulations : int
        Number of skies that are simulated from the model.
    no_refit : bool
        Whether the simulated skies are compared with the model itself, instead of with a fit to
        each of them.
    components : bool
        Whether the significance of each component is measured, instead of the goodness of fit.
    seed : int
        Of the random numbers.
    threads : int
        Number of threads; 0 uses every core. The result does not depend on it.

    Examples
    --------
    >>> GoodnessConfig(simulations=999)
    GoodnessConfig(simulations=999)
    """

    simulations: int = 200
    no_refit: bool = False
    components: bool = False
    seed: int = 0
    threads: int = 0

    def __post_init__(self):
        require_whole(self, 1, "simulations")
        require_bool(self, "no_refit")
        require_bool(self, "components")
        if self.components and self.no_refit:
            raise InputError(
                "`no_refit` does not go with `components`, because the significance of a component "
                "is that of a refit without it: give one of them",
                parameter="no_refit",
            )
        require_whole(self, 0, "seed", "threads")
