"""The methods of a SamplesResult that answer and write, each a door to a function."""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..config import ErrorsConfig, PlotConfig, SampleCompareConfig
from .mixture import Mixture

if TYPE_CHECKING:
    from astropy.table import QTable
    from matplotlib.figure import Figure

    from ..answers.denoise import Denoised
    from ..answers.sample_comparison import SampleComparison
    from ..answers.samples import SampleScore
    from .interval import Interval
    from .samples import Samples
    from .samples_result import SamplesResult


class SampleDoors:
    """Methods that are one-line doors to functions of other rooms.

    Examples
    --------
    >>> import gmmx
    >>> x = np.random.default_rng(0).normal([0.0, 5.0], [1.0, 2.0], (500, 2))
    >>> result = gmmx.fit_samples(x, n_components=1, names=["a", "b"])
    >>> result.condition({"a": 0.5})
    Mixture(1 component in 1 dimension, flux 1)
    >>> result.responsibilities().shape
    (500, 1)
    >>> result.denoise()
    Denoised(500 samples in 2 dimensions)
    """

    @property
    def _result(self) -> "SamplesResult":
        """The object itself, because the only class with these methods is SamplesResult."""
        return cast("SamplesResult", self)

    @property
    def components(self) -> "QTable":
        """The table of the components with units, by falling number of samples.

        See `gmmx.answers.sample_components.sample_table`.
        """
        from astropy.table import QTable

        from ..answers.sample_components import sample_table

        return QTable(sample_table(self._result))

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw noise-free samples from the normalised mixture, (n, D)."""
        return self._result.mixture.sample(n, rng)

    def log_density(
        self, samples: "Samples | np.ndarray", covariances: np.ndarray | None = None
    ) -> np.ndarray:
        """Logarithm of the normalised density at samples, (N,) [nat].

        See `gmmx.answers.samples.log_density`.
        """
        from ..answers.samples import log_density

        return log_density(self._result, samples, covariances)

    def responsibilities(self, samples: "Samples | np.ndarray | None" = None) -> np.ndarray:
        """Probability that each sample belongs to each component, or to a background.

        See `gmmx.answers.samples.responsibilities`.
        """
        from ..answers.samples import responsibilities

        return responsibilities(self._result, samples)

    def score(self, samples: "Samples | np.ndarray") -> "SampleScore":
        """Mean log-likelihood of samples that were not fitted.

        See `gmmx.answers.samples.score`.
        """
        from ..answers.samples import score

        return score(self._result, samples)

    def denoise(self, samples: "Samples | np.ndarray | None" = None) -> "Denoised":
        """Posterior mean and covariance of each noise-free value.

        See `gmmx.answers.denoise.denoise`.
        """
        from ..answers.denoise import denoise

        return denoise(self._result, samples)

    def condition(self, given: Mapping[str, float]) -> Mixture:
        """Mixture of the other columns when some are known.

        See `gmmx.answers.sample_parts.condition`.
        """
        from ..answers.sample_parts import condition

        return condition(self._result, given)

    def other_names(self, given: Sequence[str]) -> tuple[str, ...]:
        """Names of the columns that are not given, in order."""
        from ..answers.sample_parts import other_names

        return other_names(self._result, given)

    def marginal(self, names: Sequence[str]) -> Mixture:
        """Mixture of some of the columns.

        See `gmmx.answers.sample_parts.marginal`.
        """
        from ..answers.sample_parts import marginal

        return marginal(self._result, names)

    def expectation(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean (D,) and covariance (D, D) of the normalised mixture."""
        from ..answers.mixtures import expectation

        return expectation(self._result)

    def kl_divergence(
        self, other: Any, rng: np.random.Generator, n: int = SampleCompareConfig.n
    ) -> tuple[float, float]:
        """Kullback-Leibler divergence of another model from this one, and its error [nat].

        See `gmmx.answers.mixtures.kl_divergence`.
        """
        from ..answers.mixtures import kl_divergence

        return kl_divergence(self._result, other, rng, n)

    def compare(
        self,
        *others: "SamplesResult",
        names: Sequence[str] | None = None,
        n: int = SampleCompareConfig.n,
        seed: int = SampleCompareConfig.seed,
    ) -> "SampleComparison":
        """Compare the mixture with others of the same columns, as ``gmmx compare`` does.

        See `gmmx.answers.sample_comparison.compare_samples`.
        """
        from ..answers.sample_comparison import compare_samples

        return compare_samples([self._result, *others], names, n=n, seed=seed)

    def errors(
        self,
        draws: int = ErrorsConfig.draws,
        *,
        method: str = ErrorsConfig.method,
        seed: int = ErrorsConfig.seed,
        threads: int = ErrorsConfig.threads,
    ) -> "SamplesResult":
        """The result with draws of its parameters, from which all errors are computed.

        The method is "laplace", "bootstrap", or "auto", which chooses. See
        `gmmx.answers.errors.make_draws`.
        """
        from ..answers.errors import make_draws

        return make_draws(self._result, draws, method=method, seed=seed, threads=threads)

    def interval(self, answer: "Callable[[SamplesResult], Any]") -> "Interval":
        """Value and intervals of an answer over the draws, which `errors` makes.

        The answer is a function of a result, such as ``lambda one: one.condition({"a": 1}).means``.
        See `gmmx.answers.sample_intervals.interval`.
        """
        from ..answers.sample_intervals import interval

        return interval(self._result, answer)

    def plot(self, what: str = "corner", **options: Any) -> "Figure":
        """Draw the corner plot ("corner") or the path over K ("path").

        The options are those of `gmmx plot`, such as ``width="double"``. See
        `gmmx.show.figures.samples_figure`.
        """
        from ..show.figures import samples_figure

        return samples_figure(self._result, PlotConfig(what=what, **options))

    def write(
        self, path: str | PathLike, *, overwrite: bool = False, command: str | None = None
    ) -> None:
        """Write the fit with its samples to a model file, which `gmmx.read` reads.

        See `gmmx.io.models.samples.write_samples`.
        """
        from ..io.models.samples import write_samples

        write_samples(path, self._result, overwrite=overwrite, command=command)
