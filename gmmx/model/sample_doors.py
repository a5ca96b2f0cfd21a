"""The methods of a SamplesResult that answer, draw and write, each a door to a function."""

from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from .samples_result import SamplesResult


class SampleDoors:
    """Methods that are one-line doors to functions of other rooms."""

    @property
    def _result(self) -> "SamplesResult":
        """The object itself, because the only class with these methods is SamplesResult."""
        return cast("SamplesResult", self)

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw noise-free samples from the normalised mixture, (n, D).

        Examples
        --------
        >>> import gmmx
        >>> result = gmmx.fit_samples([0.1, 1.2, 2.2, 0.4, 1.9], n_components=1)
        >>> result.sample(3, np.random.default_rng(0)).shape
        (3, 1)
        """
        return self._result.mixture.sample(n, rng)
