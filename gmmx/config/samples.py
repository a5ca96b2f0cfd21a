"""Options of a fit to samples."""

from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any

from ..errors import InputError
from ._checks import (
    Options,
    is_whole,
    require_at_least,
    require_bool,
    require_choice,
    require_positive,
    require_whole,
)

# Forms of the covariances of components.
COVARIANCE_FORMS = ("full", "diagonal", "tied", "spherical")
# Criteria that choose the number of components.
CRITERIA = ("bic", "aic", "icl", "held-out")
# Ways to initialise a fit; "auto" takes the better of both.
SAMPLE_STARTS = ("auto", "grow", "kmeans")
# Whether the noise comes before the selection or after it.
NOISE_ORDERS = ("before", "after")
# Noise of samples that were not recorded, beside a file or a function.
NOISE_MODELS = ("constant", "local")
# Endings of the names of HDF5 files.
HDF5_SUFFIXES = (".h5", ".hdf5", ".hdf")


@dataclass(frozen=True, kw_only=True, repr=False)
class SampleOptions(Options):
    """How a mixture is fitted to samples.

    Parameters
    ----------
    n_components : int or "auto"
        Number K of components, or "auto" to choose it by `criterion`.
    max_components : int
        Largest number of components that "auto" tries.
    criterion : {"bic", "aic", "icl", "held-out"}
        What chooses the number of components: the criterion of Schwarz, that of Akaike, the
        integrated complete-data likelihood, or the log-likelihood of held-out samples.
    covariance_form : {"full", "diagonal", "tied", "spherical"}
        Form of the components' covariances; "tied" is one covariance for all.
    init : {"auto", "grow", "kmeans"}
        "grow" splits components one by one, "kmeans" starts from clusters (k-means++), and "auto"
        takes the better of both.
    starts : int
        Number of initialisations by clusters, of which the best is taken; with a completeness as
        many from random samples are tried, too.
    exchanges : int
        Maximum number of rounds that remove one component and split another.
    seed : int
        Seed of everything that is random: the starts, and which samples are held out.
    max_iter : int
        Maximum number of likelihood evaluations of the last ascent.
    tol : float
        The fit has converged when the gain in log-likelihood that can still be expected is below
        this [nat].
    min_sigma : float
        Lower limit of a component's standard deviation, in units of the spread of each column.
    prior_mean_count : float
        Weight of the prior on each mean, as a number of samples that are distributed as the
        completeness within the component; without a completeness there is none.
    prior_covariance_count : float
        Weight of the prior on each covariance, as a number of samples that are distributed as the
        noise; without noise there is none.
    accelerate : bool
        Whether quasi-Newton steps follow the first EM steps. Without them every step is EM's own.
    noise_order : {"before", "after"}
        Whether the noise is added before the selection, which then acts on noisy values, or after.
    noise_model : {"constant", "local"}, path or callable
        Noise of samples that nobody saw: the mean of all, or that of the samples nearby; or noise
        as a function of the noise-free values: an HDF5 file with grids of standard deviations, or
        a function from (n, D) values to (n, D) variances or (n, D, D) covariances.
    threads : int
        Number of threads; 0 uses every core. The result does not depend on it.

    Raises
    ------
    InputError
        If a value is not one of these.

    Examples
    --------
    >>> SampleOptions(n_components=3, seed=1)
    SampleOptions(n_components=3, seed=1)
    """

    n_components: int | str = "auto"
    max_components: int = 20
    criterion: str = "bic"
    covariance_form: str = "full"
    init: str = "auto"
    starts: int = 5
    exchanges: int = 12
    seed: int = 0
    max_iter: int = 1000
    tol: float = 0.01
    min_sigma: float = 1e-4
    prior_mean_count: float = 1.0
    prior_covariance_count: float = 3.0
    accelerate: bool = True
    noise_order: str = "before"
    noise_model: Any = "constant"
    threads: int = 0

    def __post_init__(self):
        k = self.n_components
        if k != "auto" and not (is_whole(k) and k >= 1):
            raise InputError(
                f"`n_components` = {k}: give at least 1, such as 3, or auto",
                parameter="n_components",
            )
        require_choice(self, "criterion", CRITERIA)
        require_choice(self, "covariance_form", COVARIANCE_FORMS)
        require_choice(self, "init", SAMPLE_STARTS)
        require_choice(self, "noise_order", NOISE_ORDERS)
        self._check_noise_model()
        require_bool(self, "accelerate")
        require_positive(self, "tol", "min_sigma")
        require_at_least(self, 0, "prior_mean_count", "prior_covariance_count")
        require_whole(self, 0, "seed", "exchanges", "threads")
        require_whole(self, 1, "max_iter", "max_components", "starts")

    def _check_noise_model(self):
        given = self.noise_model
        if isinstance(given, PathLike):
            given = fspath(given)
            object.__setattr__(self, "noise_model", given)
        is_text = isinstance(given, str)
        if not (is_text or callable(given)) or (
            is_text and given not in NOISE_MODELS and not given.lower().endswith(HDF5_SUFFIXES)
        ):
            raise InputError(
                f"`noise_model` = {given}: choose constant or local, or give an HDF5 file, whose "
                "name ends in .h5 or .hdf5",
                parameter="noise_model",
            )
