"""Options of the fit."""

from dataclasses import dataclass
from os import PathLike, fspath

from .._words import either
from ..errors import InputError
from ._checks import (
    Options,
    is_whole,
    require_at_least,
    require_positive,
    require_text,
    require_whole,
)

# Ways to initialise a fit.
STARTS = ("grow", "kmeans")
# Suffixes of a model file.
MODEL_SUFFIXES = (".h5", ".hdf5")


@dataclass(frozen=True, kw_only=True, repr=False)
class FitOptions(Options):
    """How the mixture is fitted.

    Parameters
    ----------
    n_components : int or "auto"
        Number K of components, or "auto" to choose it: each component must raise the
        log-likelihood by more than its price.
    price : float, optional
        Price of a component [nat], where `n_components` is "auto". Without it the price is that
        of six parameters and of the positions and scales at which such a component was searched.
    init : str or path
        "grow", "kmeans", or a model file whose components the fit starts from.
    fix : path, optional
        Component table that the fit starts from. Its fixed_flux, fixed_mean and
        fixed_covariance columns mark the parameters that are kept fixed.
    seed : int
        Seed of the k-means initialisation. Nothing else in a fit is random.
    max_iter : int
        Maximum number of likelihood evaluations after the initialisation.
    tol : float
        The fit has converged when the gain in log-likelihood that can still be expected is below
        this [nat].
    min_sigma : float
        Lower limit of a component's intrinsic standard deviation [arcsec].
    prior_mean_count : float
        Weight of the prior on each position, as a number of photons that are distributed as the
        exposure within the component.
    prior_covariance_count : float
        Weight of the prior on each covariance, as a number of photons that are distributed as
        the core of the PSF.
    exchanges : int
        Maximum number of rounds that exchange superfluous components for missing ones.
    threads : int
        Number of threads; 0 uses every core. The result does not depend on it.

    Raises
    ------
    InputError
        If a value is not one of these.

    Examples
    --------
    >>> FitOptions(n_components=20, seed=1)
    FitOptions(n_components=20, seed=1)
    >>> FitOptions(n_components=0)
    Traceback (most recent call last):
    gmmx.errors.InputError: `n_components` = 0: give at least 1, such as 20, or auto
    """

    n_components: int | str = "auto"
    price: float | None = None
    init: str = "grow"
    fix: str | None = None
    seed: int = 0
    max_iter: int = 2000
    tol: float = 0.1
    min_sigma: float = 0.1
    prior_mean_count: float = 1.0
    prior_covariance_count: float = 3.0
    exchanges: int = 12
    threads: int = 0

    def __post_init__(self):
        for name in ("init", "fix"):
            if isinstance(getattr(self, name), PathLike):
                object.__setattr__(self, name, fspath(getattr(self, name)))
        require_text(self, "init", "fix")
        k = self.n_components
        if k != "auto" and not (is_whole(k) and k >= 1):
            raise InputError(
                f"`n_components` = {k}: give at least 1, such as 20, or auto",
                parameter="n_components",
            )
        if self.price is not None:
            require_at_least(self, 0, "price")
            if k != "auto":
                raise InputError(
                    f"`price` = {self.price:g}, but `n_components` = {k} is given: a price chooses"
                    " the number of components; give only one of the two",
                    parameter="price",
                )
        if self.init not in STARTS and not self.starts_from_model:
            raise InputError(
                f"`init` = {self.init}: choose {', '.join(STARTS)}, or a model file ending in "
                f"{either(MODEL_SUFFIXES)}",
                parameter="init",
            )
        if self.starts_from_model and self.fix is not None:
            raise InputError(
                "`init` = MODEL and `fix` both give the initial components: export the model, mark"
                " what to keep fixed in its table, and give that table with `fix` alone",
                parameter="fix",
            )
        require_positive(self, "tol", "min_sigma")
        require_at_least(self, 0, "prior_mean_count", "prior_covariance_count")
        require_whole(self, 0, "seed", "exchanges", "threads")
        require_whole(self, 1, "max_iter")

    @property
    def starts_from_model(self) -> bool:
        """Whether `init` names a model file."""
        return isinstance(self.init, str) and self.init.lower().endswith(MODEL_SUFFIXES)
