"""The covariance of quantities that depend on the parameters of a fit."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False, kw_only=True)
class Slopes:
    """Derivatives of M quantities by the parameters of a fit; None stands for zeros.

    Attributes
    ----------
    fluxes : (M, K) array or None
        By each F [1 / photon].
    means : (M, K, D) array or None
        By each mean [1 / arcsec].
    covariances : (M, K, D, D) array or None
        By each element of Sigma: the quantity changes by ``sum_ij slope_ij dSigma_ij``
        [1 / arcsec**2]. Only the symmetric part counts.
    amplitudes : sequence of (M, n_b) arrays or None
        By the background amplitudes of each observation [arcsec**2 / photon].
    wings : (M, C) array or None
        By the fluxes of `Likelihood.wings`, which are free beside the fitted components
        [1 / photon]. With zeros the errors are those of the mixture alone.
    """

    fluxes: np.ndarray | None = None
    means: np.ndarray | None = None
    covariances: np.ndarray | None = None
    amplitudes: tuple | None = None
    wings: np.ndarray | None = None

    def columns(self, information):
        """The slopes by the coordinates of an information matrix, (n, M)."""
        parameters, mixture = information.parameters, information.parameters.mixture
        (k, d), n = mixture.means.shape, len(information.fixed)
        given = [a for a in (self.fluxes, self.means, self.covariances) if a is not None]
        given += list(self.amplitudes or ())
        m = len(given[0]) if given else 0
        sought = np.zeros((n, m))
        if self.fluxes is not None:
            sought[:k] = (np.asarray(self.fluxes) * mixture.fluxes).T
        roots = np.linalg.cholesky(parameters.scales(information.phase))
        if self.means is not None:
            # mu = mu_0 + L z: the columns of one axis after another.
            turned = np.einsum("mki,kij->jkm", self.means, roots)
            sought[k : (1 + d) * k] = turned.reshape(d * k, m)
        if self.covariances is not None:
            # Sigma = L C C^T L^T, in the elements of C and the logarithms of its diagonal.
            both = np.asarray(self.covariances)
            both = both + np.swapaxes(both, -1, -2)
            turned = np.einsum("kai,mkab,kbj->ijkm", roots, both, roots)
            rows, columns = np.tril_indices(d)
            first = (1 + d) * k
            sought[first : first + len(rows) * k] = turned[rows, columns].reshape(-1, m)
        if self.amplitudes is not None:
            first = n - sum(len(a) for a in parameters.amplitudes)
            both = zip(self.amplitudes, parameters.amplitudes, strict=True)
            sought[first:] = np.concatenate([np.asarray(s) * a for s, a in both], axis=1).T
        return sought


@dataclass(frozen=True, eq=False)
class Wings:
    """Broad components that are free beside the fitted ones.

    Attributes
    ----------
    fluxes : (C,) array
        Flux that each may have, the standard deviation of its prior about 0.
    ratios : list of (n_o, C) arrays
        Their N / lambda.
    crossed : (n, C) array
        Information between all parameters and the wings, in units of their fluxes.
    through : (n, C) array
        I^-1 crossed.
    complement : (C, C) array
        Their information once all other parameters have made room (Schur's complement).
    """

    fluxes: np.ndarray
    ratios: list
    crossed: np.ndarray
    through: np.ndarray
    complement: np.ndarray

    @classmethod
    def of(cls, information):
        """The wings of an information matrix."""
        wings = information.likelihood.wings(information.parameters.mixture)
        ratios = information.density_ratios(wings, information.logs)
        crossed = information.crossed(ratios) * wings.fluxes
        own = sum(ratio.T @ ratio for ratio in ratios) * np.outer(wings.fluxes, wings.fluxes)
        through = information.solve(crossed)
        # In units of the flux that each may have, the prior of the wings is 1.
        complement = own - crossed.T @ through + np.eye(len(wings))
        return cls(wings.fluxes, ratios, crossed, through, complement)

    @classmethod
    def none(cls, information):
        """No wings, for an amount that they do not concern."""
        ratios = [score[:, :0] for score in information.scores]
        nothing = np.zeros((len(information.fixed), 0))
        return cls(np.zeros(0), ratios, nothing, nothing, np.zeros((0, 0)))

    def crossed_with(self, ratios):
        """Information between the wings and other changes of the density, (C, m)."""
        both = zip(self.ratios, ratios, strict=True)
        return sum(own.T @ other for own, other in both) * self.fluxes[:, None]

    def solve(self, information, right, right_wings):
        """The inverse of the matrix of all parameters and the wings, times columns.

        Returns
        -------
        solved : (n, m) array
        wings : (C, m) array
        """
        wings = np.linalg.solve(self.complement, right_wings - self.through.T @ right)
        return information.solve(right) - self.through @ wings, wings


def covariance_of(information, slopes):
    """Covariance of quantities that depend on the parameters of a fit (the delta method).

    All other parameters are free, the wings that the mixture may lack among them. A fixed amplitude
    has the error of its deviations, and an amount that is zero its one-sided error: see
    `uncertainty_of`.

    Parameters
    ----------
    information : Information
    slopes : Slopes
        Of M quantities.

    Returns
    -------
    (M, M) array

    Examples
    --------
    The sum of all fluxes:

    >>> from gmmx.em.information import Information
    >>> from gmmx.em.parameters import Parameters, Priors
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
    >>> np.sqrt(covariance_of(information, Slopes(fluxes=np.ones((1, 1))))).round()
    array([[20.]])
    """
    wings, sought = information.wings, slopes.columns(information)
    sought_wings = np.zeros((len(wings.fluxes), sought.shape[1]))
    if slopes.wings is not None:
        sought_wings = (np.asarray(slopes.wings) * wings.fluxes).T
    solved = information.solve(sought)
    rest = sought_wings - wings.crossed.T @ solved
    covariance = sought.T @ solved + rest.T @ np.linalg.solve(wings.complement, rest)
    if information.moves.shape[1]:
        changes = _changes(information, sought, sought_wings)
        covariance = covariance + changes @ changes.T
    return covariance


def deviations_of(information):
    """Change of log B by each deviation of the fixed amplitudes, (n, number of deviations)."""
    amplitudes, n = information.parameters.amplitudes, len(information.fixed)
    row, columns = n - sum(len(a) for a in amplitudes), [np.zeros((n, 0))]
    for rows, values in zip(information.likelihood.deviations, amplitudes, strict=True):
        moves = np.zeros((n, len(rows)))
        moves[row : row + len(values)] = rows.T / np.maximum(values, 1e-300)[:, None]
        row += len(values)
        columns.append(moves)
    return np.concatenate(columns, axis=1)


def _changes(information, sought, sought_wings):
    """Change of the sought totals by each deviation once all other parameters have followed."""
    wings, moves = information.wings, information.moves
    seen = [score @ moves for score in information.scores]
    pull = -sum(score.T @ part for score, part in zip(information.scores, seen, strict=True))
    followed, follow = wings.solve(information, pull, -wings.crossed_with(seen))
    return sought.T @ (followed + moves) + sought_wings.T @ follow
