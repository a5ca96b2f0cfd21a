"""The curvature of the objective: error bars, and the worth of one component more or less.

The information matrix is ``I = sum_i w_i s_i s_i^T`` with the scores ``s_i = grad log
lambda(x_i)``, plus the curvature of the priors. The sum is the data's own estimate of ``int grad
lambda grad lambda^T / lambda dx``. The inverse is the covariance of all parameters at once. It
also says, without another fit, what a further component would gain once all others have made room
for it (Rao's score test with nuisance parameters), and what a component would cost once all others
have filled its place (Wald's test).
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.linalg import cho_solve

from ..model.mixture import Mixture
from .likelihood import Likelihood, Phase
from .limits import amount_rows, at_zero, held_moves, profile_of
from .matrix import LEAST, add_least, add_prior, count, factored, fixed_rows
from .maximise import Evaluation
from .parameters import Parameters
from .propagation import Wings, deviations_of
from .uncertainty import Uncertainty, uncertainty_of

# Data that the matrix is summed over. More are thinned evenly, but not to fewer than some for each
# parameter.
_DATA = 20_000
_DATA_PER_PARAMETER = 8
# A candidate must keep this part of its own information beside all other parameters. Otherwise the
# others can imitate it to all the digits that the estimate has.
_DISTINCT = 1e-3
_TINY = 1e-300


@dataclass(frozen=True, eq=False, kw_only=True)
class Information:
    """The information matrix of (log F, L^-1 mu, log-Cholesky of Sigma, log B).

    The order of its rows is that of `Likelihood.scores`.

    Attributes
    ----------
    likelihood : Likelihood
    parameters : Parameters
    phase : Phase
    factor : tuple or None
        Cholesky factor of the rows of the free parameters; None if none is free.
    free : (n_free,) integers
        Rows of the free parameters.
    fixed : (n,) booleans
        Parameters that are fixed.
    scores : list of (n_o, n) arrays
        Scores of the data that were summed over, times sqrt(stride w_i).
    stride : int
        Each of these data stands for so many.
    raw : (n, n) array
        The information of the data alone, without priors.
    held : (n,) booleans
        Fluxes and amplitudes that are fixed because they are zero: see `at_boundary`.
    evaluation : Evaluation or None
        At the parameters, if amounts that are zero are held.
    ties : (n, m) array or None
        The coordinates are ``ties @ y``, with m free coordinates y, where covariances are of a
        form; see `structure.ties_of`. `free` are then rows of y.
    """

    likelihood: Likelihood
    parameters: Parameters
    phase: Phase
    factor: tuple | None
    free: np.ndarray
    fixed: np.ndarray
    scores: list
    stride: int
    raw: np.ndarray
    held: np.ndarray
    evaluation: Evaluation | None = None
    ties: np.ndarray | None = None

    @classmethod
    def at(cls, likelihood, parameters, phase, *, photons=_DATA, ties=None):
        """The information at given parameters.

        Parameters
        ----------
        likelihood : Likelihood
        parameters : Parameters
        phase : Phase
            Begun with as many components.
        photons : int
            Approximate number of data to sum over.
        ties : (n, m) array, optional
            Of the covariances.

        Examples
        --------
        The flux of one component without any background is known to the root of its photons:

        >>> from gmmx.em.parameters import Priors
        >>> from gmmx.em.photons import PhotonLikelihood
        >>> from gmmx.model.mixture import Mixture
        >>> from gmmx.model.observation import Observation
        >>> from gmmx.model.photons import Photons
        >>> x, y = np.random.default_rng(0).normal(0, 3, (2, 400))
        >>> likelihood = PhotonLikelihood.of([Observation(photons=Photons(x=x, y=y))])
        >>> one = Mixture(fluxes=[400.0], means=[[0.0, 0.0]], covariances=[[[9.0, 0], [0, 9.0]]])
        >>> parameters = Parameters(mixture=one, amplitudes=(np.zeros(0),))
        >>> phase = likelihood.begin_phase(parameters, Priors())
        >>> information = Information.at(likelihood, parameters, phase)
        >>> information.uncertainty().fluxes.round()
        array([20.])
        """
        n = count(parameters)
        total = sum(len(w) for w in likelihood.weights)
        stride = max(1, int(total // max(photons, _DATA_PER_PARAMETER * n)))
        scores = likelihood.scores(parameters, phase, stride)
        raw = np.zeros((n, n))
        for found in scores:
            raw += found.T @ found
        matrix = raw.copy()
        add_least(matrix, likelihood, parameters)
        add_prior(matrix, parameters, phase)
        fixed = fixed_rows(likelihood, parameters)
        free, factor = factored(matrix, fixed, ties)
        return cls(
            likelihood=likelihood,
            parameters=parameters,
            phase=phase,
            factor=factor,
            free=free,
            fixed=fixed,
            scores=scores,
            stride=stride,
            raw=raw,
            held=np.zeros(n, bool),
            ties=ties,
        )

    def at_boundary(self, evaluation: Evaluation) -> "Information":
        """The matrix of the error bars: fluxes and amplitudes that are zero are held there.

        A quadratic in log F knows nothing of a flux that is zero. Such an amount gets a one-sided
        error of its own, by which it moves all other parameters: see `limits`.

        Parameters
        ----------
        evaluation : Evaluation
            At the same parameters.
        """
        held = at_zero(self) & ~self.fixed
        matrix = self.raw.copy()
        add_least(matrix, self.likelihood, self.parameters)
        if self.stride == 1:
            # What keeps the matrix regular must not narrow the error of a flux that is near zero.
            rows, own = amount_rows(self.parameters), np.diag(self.raw)
            matrix[rows, rows] = np.minimum(matrix[rows, rows], (1 + LEAST) * own[rows] + _TINY)
        add_prior(matrix, self.parameters, self.phase)
        fixed = self.fixed | held
        free, factor = factored(matrix, fixed, self.ties)
        return replace(
            self, factor=factor, free=free, fixed=fixed, held=held, evaluation=evaluation
        )

    @cached_property
    def logs(self) -> list:
        """Logarithm of lambda at all data: see `Likelihood.log_densities`."""
        return self.likelihood.log_densities(self.parameters, self.phase)

    @cached_property
    def profiles(self) -> dict:
        """Profiles of the amounts that are zero, by their number: see `limits`."""
        held = np.flatnonzero(self.held[amount_rows(self.parameters)])
        return {int(i): profile_of(self, i) for i in held}

    @cached_property
    def wings(self) -> Wings:
        """Broad components that are free beside the fitted ones."""
        return Wings.of(self)

    @cached_property
    def moves(self) -> np.ndarray:
        """Changes of the coordinates by each deviation beside the matrix, (n, n_deviations).

        A fixed amplitude has the deviations of its measurement, one that is zero its own error.
        """
        known = deviations_of(self)
        return known if self.evaluation is None else np.hstack([known, held_moves(self)])

    def followed(self, moves: np.ndarray) -> np.ndarray:
        """Changes of all coordinates once the free ones have followed some moves, (n, m)."""
        return moves - self.solve(self.raw @ moves)

    def solve(self, right):
        """I^-1 times the columns of `right`, 0 in the rows of fixed parameters."""
        if not len(self.free):
            return np.zeros_like(right)
        right = right if self.ties is None else self.ties.T @ right
        return self.spread(cho_solve(self.factor, right[self.free]))

    def spread(self, values):
        """All coordinates (n, m) that follow from the free ones (n_free, m)."""
        n = len(self.fixed) if self.ties is None else self.ties.shape[1]
        every = np.zeros((n, values.shape[1]))
        every[self.free] = values
        return every if self.ties is None else self.ties @ every

    def moved(self, z):
        """The parameters at coordinates z of the matrix, which are 0 where it was computed."""
        parameters, mixture = self.parameters, self.parameters.mixture
        (k, d), (rows, columns) = mixture.means.shape, np.tril_indices(mixture.means.shape[1])
        shifts, shapes, logs = np.split(z[k:], [d * k, (d + len(rows)) * k])
        roots = np.linalg.cholesky(parameters.scales(self.phase))
        c = np.zeros((k, d, d))
        c[:, rows, columns] = shapes.reshape(len(rows), k).T
        diagonal = np.arange(d)
        c[:, diagonal, diagonal] = np.exp(c[:, diagonal, diagonal])
        root = roots @ c
        moved = Mixture(
            fluxes=mixture.fluxes * np.exp(z[:k]),
            means=mixture.means + np.einsum("kij,jk->ki", roots, shifts.reshape(d, k)),
            covariances=root @ np.swapaxes(root, 1, 2),
        )
        cuts = np.cumsum([len(a) for a in parameters.amplitudes])[:-1]
        both = zip(parameters.amplitudes, np.split(logs, cuts), strict=True)
        return parameters.moved(moved, [a * np.exp(log) for a, log in both])

    def crossed(self, ratios):
        """Information between all parameters and the fluxes of candidates, (n, C)."""
        return sum(score.T @ ratio for score, ratio in zip(self.scores, ratios, strict=True))

    def density_ratios(self, candidates, logs, phase=None):
        """N_c / lambda of candidates at the data of the matrix; see `Likelihood.density_ratios`."""
        if phase is None:
            phase = self.phase_of(candidates)
        return self.likelihood.density_ratios(candidates, phase, logs, self.stride)

    def phase_of(self, candidates):
        """A phase begun at other components."""
        return self.likelihood.begin_phase(
            replace(self.parameters, mixture=candidates, fixed=None), self.phase.priors
        )

    def uncertainty(self) -> Uncertainty:
        """Errors of fluxes, means and background amplitudes; see `Uncertainty`."""
        return uncertainty_of(self)

    def removal_losses(self) -> np.ndarray:
        """Loss from removing each component after the others have refitted, (K,) [nat].

        This is ``1 / (2 var log F_k)``, Wald's test of F_k = 0.
        """
        k = len(self.parameters.mixture)
        unit = np.zeros((len(self.fixed), k))
        unit[np.arange(k), np.arange(k)] = 1.0
        return 0.5 / np.maximum(np.diag(self.solve(unit)[:k]), _TINY)

    def addition_gains(self, candidates, logs):
        """Gain from adding each candidate, alone, once all other parameters have made room.

        With D = d log L / d F, V = sum_i w_i (N / lambda)_i^2 and c = sum_i w_i s_i (N /
        lambda)_i the flux is D / (V - c^T I^-1 c) and the gain D^2 / 2 (V - c^T I^-1 c) (Rao
        1948), if the present parameters are at their maximum.

        Parameters
        ----------
        candidates : Mixture
            C components; their own fluxes do not matter.
        logs : list of (N_o,) arrays
            What `Likelihood.log_densities` returns at the present parameters.

        Returns
        -------
        gains : (C,) array
            [nat]; 0 if a smaller flux would be better.
        fluxes : (C,) array
            [photon at the reference exposure].
        """
        phase = self.phase_of(candidates)
        slopes = self.likelihood.flux_slopes(candidates, phase, logs)
        ratios = self.density_ratios(candidates, logs, phase)
        square = sum((ratio * ratio).sum(0) for ratio in ratios)
        crossed = self.crossed(ratios)
        free = square - np.einsum("ij,ij->j", crossed, self.solve(crossed))
        usable = (slopes > 0) & (free > _DISTINCT * square) & (square > 1e-200)
        free = np.where(usable, free, 1.0)
        return np.where(usable, slopes**2 / (2 * free), 0.0), np.where(usable, slopes / free, 0.0)
