"""What the photons know: the curvature of the objective, the error bars that follow from it, and what a component more or less would change.

The information matrix is ``I = sum_i w_i s_i s_i^T`` with ``s_i = grad log lambda(x_i)``, the photons' own estimate of
``int grad lambda grad lambda^T / lambda dx``, plus the curvature of the priors. Its inverse is the covariance of all parameters at once. It also says, without
fitting again, what another component would gain once all others have made room for it (Rao's score test with nuisance parameters), and what one would cost once
all others have filled its place (Wald's test).
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from .._kernels.information import density_ratios, scores
from ..model.mixture import Fixed, Mixture
from .photons import begin_phase, flux_slopes, log_densities, views

# Photons that the information matrix is summed over; more are thinned evenly, but never to fewer than some for each parameter.
_PHOTONS = 20_000
_PHOTONS_PER_PARAMETER = 8
# Information every coordinate has at least: a component with next to no photons must not make the matrix singular.
_LEAST = 0.1


@dataclass(frozen=True, eq=False, kw_only=True)
class Uncertainty:
    """Standard errors of the totals, of each flux, and of each mean.

    Attributes
    ----------
    signal : float
        Of sum(F_k) over all but point sources [photon at the reference exposure].
    fluxes : (K,) array
        [photon at the reference exposure]; 0 where it is held.
    means : (K, 2) array
        Along x and y [arcsec]; 0 where it is held.
    amplitudes : tuple of (n_b,) arrays
        Of each background amplitude, relative; where it is held, what its deviations say, 0 without any.
    correlations : tuple of (n_b,) arrays
        Of each amplitude with the total signal flux.
    background : float
        Of the expected detected photons of all backgrounds.
    background_correlation : float
        Of these with the total signal flux.
    """

    signal: float
    fluxes: np.ndarray
    means: np.ndarray
    amplitudes: tuple
    correlations: tuple
    background: float
    background_correlation: float


@dataclass(frozen=True, eq=False)
class Information:
    """The information matrix of (log F, L^-1 mu, log-Cholesky of Sigma, log B), each (K,) or (n_b,), in this order.

    Attributes
    ----------
    prepared, parameters, phase
        What it was made of.
    factor : tuple
        Cholesky factor of the rows of free parameters.
    free : (n_free,) integers
    fixed : (n,) booleans
    chosen : tuple of integer arrays
        Photons of each observation that it was summed over, each standing for `stride`.
    scores : tuple of arrays
        Their gradients, times sqrt(stride w_i).
    """

    prepared: list
    parameters: object
    phase: object
    factor: tuple
    free: np.ndarray
    fixed: np.ndarray
    chosen: tuple
    scores: tuple
    stride: int

    @classmethod
    def at(cls, prepared, parameters, phase, *, photons=_PHOTONS):
        """The information at given parameters, from about `photons` of the photons."""
        mixture = parameters.mixture
        k = len(mixture)
        sizes = [len(a) for a in parameters.amplitudes]
        n = 6 * k + sum(sizes)
        information = np.zeros((n, n))
        first = 6 * k
        total = sum(len(p.x) for p in prepared)
        wanted = max(photons, _PHOTONS_PER_PARAMETER * n)
        stride = max(1, int(total // wanted))
        all_chosen, all_scores = [], []
        for p, amplitude, share, blur in zip(
            prepared, parameters.amplitudes, phase.psf_weights, phase.psf_covariances, strict=True
        ):
            columns = np.concatenate([np.arange(6 * k), np.arange(first, first + len(amplitude))])
            first += len(amplitude)
            # Photons lie in the order of their tiles: every stride-th one samples the sky evenly.
            chosen = np.arange(stride // 2, len(p.x), stride)
            found = _scores(
                p,
                chosen,
                np.sqrt(stride * p.weights[chosen]),
                parameters,
                phase,
                share,
                blur,
                amplitude,
            )
            if found.shape[1] < n:
                found, own = np.zeros((len(chosen), n)), found
                found[:, columns] = own
            information += found.T @ found
            all_chosen.append(chosen)
            all_scores.append(found)
        information[np.diag_indices(6 * k)] += _LEAST
        # A background that no photon speaks of is unknown, not an error: by as many photons as there are, whatever it has of them.
        rows = np.arange(6 * k, n)
        photons = np.concatenate(
            [
                a * p.integrals / max(p.weights.sum(), 1.0)
                for p, a in zip(prepared, parameters.amplitudes, strict=True)
            ]
        )
        information[rows, rows] = np.maximum(
            information[rows, rows], np.clip(photons**2, 1e-40, _LEAST)
        )
        if k:
            narrow = (
                phase.priors.covariance_count
                * phase.prior_scales
                / np.sqrt(np.linalg.det(mixture.covariances))
            )
            for row, factor in ((3, 2), (4, 1), (5, 2)):
                index = np.arange(row * k, (row + 1) * k)
                information[index, index] += factor * narrow
        parts = parameters.fixed or Fixed.none(k)
        held = [parts.fluxes, *[parts.means] * 2, *[parts.covariances] * 3]
        fixed = np.concatenate([*held, *[p.fixed for p in prepared]])
        free = np.flatnonzero(~fixed)
        block = information[np.ix_(free, free)]
        block[np.diag_indices_from(block)] *= 1 + 1e-9
        factor = cho_factor(block) if len(free) else None
        return cls(
            prepared,
            parameters,
            phase,
            factor,
            free,
            fixed,
            tuple(all_chosen),
            tuple(all_scores),
            stride,
        )

    def solve(self, right):
        """I^-1 times columns, 0 in the rows of held parameters."""
        solved = np.zeros_like(right)
        if len(self.free):
            solved[self.free] = cho_solve(self.factor, right[self.free])
        return solved

    def _ratios(self, candidates, phase, logs):
        """N_c(x_i) / lambda_i of candidates at the photons of the matrix, times sqrt(stride w_i): a list of (n, C) arrays [1 / photon]."""
        unit = replace(candidates, fluxes=np.ones(len(candidates)))
        ratios = []
        for p, share, blur, log, chosen in zip(
            self.prepared, phase.psf_weights, phase.psf_covariances, logs, self.chosen, strict=True
        ):
            coefficients, means, precisions = views(unit, share, blur)
            weights = np.sqrt(self.stride * p.weights[chosen])
            ratios.append(
                density_ratios(
                    p.x[chosen],
                    p.y[chosen],
                    weights,
                    log[chosen],
                    coefficients,
                    means,
                    precisions,
                    share.shape[1],
                )
            )
        return ratios

    def _phase_of(self, candidates):
        return begin_phase(
            self.prepared,
            replace(self.parameters, mixture=candidates, fixed=None),
            self.phase.priors,
        )

    def uncertainty(self):
        """Standard errors of the background amplitudes, the total signal and each component, and the correlations of the first two.

        Beside all parameters of the fit, wings are free that are not in it: two broad components about the signal's centre, of a third and half of the field's
        half-diagonal, each with a flux of 0 +- that of the fitted components of at least half its width. A mixture cannot tell by itself that wings are missing
        from it; without them the error bar is that of the mixture, not that of the sky (on a beta-model that fills the field, eight times too small).
        Compact emission has no wings, and keeps the error bar of the mixture.

        A held level that is uncertain, by d, moves everything else: ``d theta = -I^-1 I_h d``, with I_h the columns of what is held. That adds to the errors
        what the photons leave open.
        """
        mixture, amplitudes = self.parameters.mixture, self.parameters.amplitudes
        k, sizes = len(mixture), [len(a) for a in amplitudes]
        n = 6 * k + sum(sizes)
        broad = _broad(self.prepared, mixture)
        logs = log_densities(self.prepared, self.parameters, self.phase)
        ratios = self._ratios(broad, self._phase_of(broad), logs)
        crossed = (
            sum(score.T @ ratio for score, ratio in zip(self.scores, ratios, strict=True))
            * broad.fluxes
        )
        own = sum(ratio.T @ ratio for ratio in ratios) * np.outer(broad.fluxes, broad.fluxes)
        # Only the rows of the covariance that the totals need: one solution for the signal, one for each background. Broad components by Schur's complement.
        sought = np.zeros((n, 2 + n - 6 * k))
        sought[:k, 0] = np.where(self.parameters.points, 0.0, mixture.fluxes)
        sought[np.arange(6 * k, n), np.arange(1, 1 + n - 6 * k)] = 1.0
        sought[6 * k :, -1] = np.concatenate(
            [a * p.integrals for p, a in zip(self.prepared, amplitudes, strict=True)]
        )
        sought_broad = np.zeros((len(broad), sought.shape[1]))
        sought_broad[:, 0] = broad.fluxes
        solved, through = self.solve(sought), self.solve(crossed)
        # In units of the flux that each may have, the wings' prior is 1.
        complement = own - crossed.T @ through + np.eye(len(broad))
        rest = sought_broad - crossed.T @ solved
        covariance = sought.T @ solved + rest.T @ np.linalg.solve(complement, rest)
        moves = self._held_moves()
        if moves.shape[1]:
            seen = [score @ moves for score in self.scores]
            pull = -sum(score.T @ part for score, part in zip(self.scores, seen, strict=True))
            pull_broad = (
                -sum(ratio.T @ part for ratio, part in zip(ratios, seen, strict=True))
                * broad.fluxes[:, None]
            )
            follow_broad = np.linalg.solve(complement, pull_broad - through.T @ pull)
            changes = (
                sought.T @ (self.solve(pull) - through @ follow_broad + moves)
                + sought_broad.T @ follow_broad
            )
            covariance = covariance + changes @ changes.T
        errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
        signal, relative = errors[0], errors[1:]
        scale = relative * signal
        correlations = np.where(scale > 0, covariance[0, 1:] / np.where(scale > 0, scale, 1.0), 0.0)
        cuts = np.cumsum(sizes)
        *amplitude_errors, total = np.split(relative, cuts)
        *amplitude_correlations, total_correlation = np.split(correlations, cuts)
        fluxes, means = self._component_errors()
        return Uncertainty(
            signal=float(signal),
            fluxes=fluxes,
            means=means,
            amplitudes=tuple(amplitude_errors),
            correlations=tuple(amplitude_correlations),
            background=float(total[0]),
            background_correlation=float(total_correlation[0]),
        )

    def _component_errors(self):
        """Standard errors of each flux (K,) and mean (K, 2), all other parameters being free."""
        k, n = len(self.parameters.mixture), len(self.fixed)
        covariance = self.solve(np.eye(n)[:, : 3 * k])[: 3 * k].reshape(3, k, 3, k)
        each = np.arange(k)
        fluxes = self.parameters.mixture.fluxes * np.sqrt(
            np.maximum(covariance[0, each, 0, each], 0.0)
        )
        roots = np.linalg.cholesky(self.parameters.scales(self.phase))
        own = np.stack(
            [np.stack([covariance[a, each, b, each] for b in (1, 2)], axis=1) for a in (1, 2)],
            axis=1,
        )
        return fluxes, np.sqrt(np.maximum(np.einsum("kij,kjl,kil->ki", roots, own, roots), 0.0))

    def _held_moves(self):
        """What each independent deviation of the held levels does to the logarithms of the amplitudes, (n, n_deviations)."""
        n, row, columns = len(self.fixed), 6 * len(self.parameters.mixture), []
        for p, amplitudes in zip(self.prepared, self.parameters.amplitudes, strict=True):
            backgrounds = p.observation.backgrounds
            moves = np.zeros((n, max((len(b.deviations) for b in backgrounds), default=0)))
            for b, amplitude in zip(backgrounds, amplitudes, strict=True):
                moves[row, : len(b.deviations)] = np.array(b.deviations) / max(amplitude, 1e-300)
                row += 1
            columns.append(moves)
        return np.concatenate(columns, axis=1)

    def removal_losses(self):
        """What removing a component would cost once the others have refitted, (K,) [nat]: 1 / (2 var log F_k), Wald's test of F_k = 0."""
        k = len(self.parameters.mixture)
        unit = np.zeros((6 * k + sum(len(a) for a in self.parameters.amplitudes), k))
        unit[np.arange(k), np.arange(k)] = 1.0
        return 0.5 / np.maximum(np.diag(self.solve(unit)[:k]), 1e-300)

    def addition_gains(self, candidates, logs):
        """What adding each candidate, alone, would gain once all other parameters have made room for it.

        With D = d log L / d F, V = sum_i w_i (N / lambda)_i^2 and c = sum_i w_i s_i (N / lambda)_i: flux D / (V - c^T I^-1 c), gain D^2 / 2 (V - c^T I^-1 c)
        (Rao 1948), the present parameters being at their maximum.

        Parameters
        ----------
        candidates : Mixture
        logs : list of (N_o,) arrays
            Of `em.log_densities` at the present parameters.

        Returns
        -------
        gains : (K,) array
            [nat]; 0 where less flux would be better.
        fluxes : (K,) array
            [photon at the reference exposure].
        """
        phase = self._phase_of(candidates)
        slopes = flux_slopes(self.prepared, candidates, phase, logs)
        ratios = self._ratios(candidates, phase, logs)
        square = sum((ratio * ratio).sum(0) for ratio in ratios)
        crossed = sum(score.T @ ratio for score, ratio in zip(self.scores, ratios, strict=True))
        free = square - np.einsum("ij,ij->j", crossed, self.solve(crossed))
        # Where the others can imitate a candidate to all the digits this estimate has, adding it gains nothing.
        usable = (slopes > 0) & (free > 1e-3 * square) & (square > 1e-200)
        free = np.where(usable, free, 1.0)
        return np.where(usable, slopes**2 / (2 * free), 0.0), np.where(usable, slopes / free, 0.0)


def _broad(prepared, mixture):
    """Wings that the mixture may lack: round components about the signal's centre, each with the flux of the components of at least half its width."""
    areas = [
        (p.observation.completeness.effective > 0).sum() * p.observation.completeness.grid.cell_area
        for p in prepared
        if len(p.integrals)
    ]
    if not areas or not len(mixture):
        return Mixture.empty()
    half_diagonal = np.sqrt(max(areas) / 2)
    centre = np.average(mixture.means, axis=0, weights=mixture.fluxes)
    widths = np.linalg.det(mixture.covariances) ** 0.25
    sigmas = np.array([half_diagonal / 3, half_diagonal / 2])
    fluxes = np.array([mixture.fluxes[widths >= sigma / 2].sum() for sigma in sigmas])
    kept = fluxes > 0
    covariances = (sigmas[kept] ** 2)[:, None, None] * np.eye(2)
    return Mixture(
        fluxes=fluxes[kept], means=np.tile(centre, (int(kept.sum()), 1)), covariances=covariances
    )


def _scores(p, chosen, weights, parameters, phase, share, blur, amplitude):
    """w_i d log lambda_i / d (log F, L^-1 mu, log-Cholesky of Sigma, log B) at some photons, (n, 6 K + n_b)."""
    mixture = parameters.mixture
    coefficients, means, precisions = views(mixture, share, blur)
    roots = np.repeat(np.linalg.cholesky(parameters.scales(phase)), share.shape[1], axis=0)
    slopes = np.swapaxes(roots, 1, 2) @ np.linalg.inv(
        (mixture.covariances[:, None] + blur).reshape(-1, 2, 2)
    )
    curvatures = slopes @ roots
    packed = np.stack([curvatures[:, 0, 0], curvatures[:, 0, 1], curvatures[:, 1, 1]], axis=1)
    background = amplitude[:, None] * p.ratios[:, chosen]
    return scores(
        p.x[chosen],
        p.y[chosen],
        weights,
        background,
        coefficients,
        means,
        precisions,
        np.ascontiguousarray(slopes),
        packed,
        share.shape[1],
    )
