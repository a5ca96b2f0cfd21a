"""Samples of which something that the selection knew is unknown: sums over quasi-random points.

The density of a recorded sample is an integral over what is unknown of it, the coordinates u:

    f(x_i) = int v(u) lambda(x_i, u) du.

=======================  ==========================  ==============================================
selection                u                           v(u)
=======================  ==========================  ==============================================
before the noise         the noise-free values       Omega(y) N(x_i; y, S_i)
after it                 values that are missing     Omega(x_i, u)
after it, noise varies   the noise-free values       Omega(x_i, y + e) N(x_i; y, S_i(y))
=======================  ==========================  ==============================================

("noise_order" says "after" for the first of them, and "before" for the others: it is the noise's
order.) Values are missing at random, so that the expected number of samples does not change. Where
v is the same for all u that are plausible, f is what it is without a selection. For the other
samples it is a sum over points u_iq that are drawn once for a phase from a density g_i, the
posterior of u with wider components, with fixed ``v_iq = v(u_iq) / (Q g_i(u_iq))``. A step of EM
takes each point as a sample of weight ``w_i v_iq lambda_iq / sum_q v_iq lambda_iq``, and never
lowers the objective.
"""

from dataclasses import dataclass

import numpy as np

from .._kernels.samples import Rows, sample_log_densities, sample_moments
from .sample_groups import SampleGroup
from .triangles import packed
from .unknown import Unknown

# Base-2 logarithms of the points of each sample, least and most, and of those of all samples.
_LOG_POINTS = (6, 9)
_LOG_ALL_POINTS = 19
# Elements of an array of points at a time.
_CHUNK = 2_000_000
_TINY = 1e-300
# Relative variation of the noise that is none.
_SAME = 1e-9


@dataclass(frozen=True, eq=False, kw_only=True)
class SelectedValues:
    """Points of the samples for which the selection varies, and the others as they were.

    Attributes
    ----------
    groups : tuple of SampleGroup
        Samples for which it does not.
    points : SampleGroup or None
        All points of the other samples, sample by sample, with all coordinates.
    index : (n,) integers
        Which samples these are.
    weights : (n,) array
        Their weights.
    log_factors : (n, Q) array
        log v; minus infinity where nothing can be recorded.
    log_omega : (N,) array
        Logarithm of the completeness of samples of which something is unknown that it may depend
        on, and for which it does not vary; NaN for the others.
    """

    groups: tuple
    points: SampleGroup | None
    index: np.ndarray
    weights: np.ndarray
    log_factors: np.ndarray
    log_omega: np.ndarray

    @classmethod
    def of(cls, likelihood, parameters, selection):
        """Draw points at given parameters.

        Parameters
        ----------
        likelihood : SampleLikelihood
        parameters : Parameters
        selection : Selection
        """
        kept, drawn = [], []
        omegas = np.full(sum(len(g.index) for g in likelihood.groups), np.nan)
        parts = []
        for group in likelihood.groups:
            found = Unknown.parts_of(group, likelihood, selection)
            if found is None:
                kept.append(group)
            for part in found or ():
                if part.is_without_effect:
                    kept.append(part.group)
                else:
                    parts.append(part)
        n = sum(len(part.group.index) for part in parts)
        n_points = 2 ** int(np.clip(_LOG_ALL_POINTS - np.log2(max(n, 1)), *_LOG_POINTS))
        for part in parts:
            wide = n_points * (len(parameters.mixture) + len(likelihood.scaling.scale))
            for piece in part.pieces(max(1, _CHUNK // wide)):
                chosen, points = piece.drawn(parameters, n_points)
                varies = points.varies(_SAME)
                rest = np.flatnonzero(~varies)
                if len(rest):
                    kept.append(chosen.rows_at(rest))
                    omegas[chosen.index[rest]] = np.log(points.omega[rest, 0])
                near = np.flatnonzero(varies)
                if len(near):
                    drawn.append((chosen.rows_at(near), points.select(near)))
        return cls(groups=tuple(kept), **_joined(drawn, n_points, likelihood), log_omega=omegas)

    @property
    def constant(self):
        """Sum of the logarithms of the completeness that do not depend on the parameters [nat]."""
        known = (np.nan_to_num(self.log_omega[g.index]) for g in self.groups)
        return sum(float(g.rows.weights @ k) for g, k in zip(self.groups, known, strict=True))

    def moments_of_points(self, amplitudes, mixture):
        """Sums, responsibilities of the backgrounds and log-likelihood, as `sample_moments`."""
        gaussians, rows = self.points.gaussians(mixture), self.points.rows
        logs = sample_log_densities(rows, amplitudes, gaussians).reshape(self.log_factors.shape)
        logs += self.log_factors
        peak = np.maximum(logs.max(1), np.log(_TINY))
        parts = np.exp(logs - peak[:, None])
        sums = np.maximum(parts.sum(1), _TINY)
        parts *= (self.weights / sums)[:, None]
        moments, responsibilities, _ = sample_moments(
            rows._replace(weights=parts.ravel()), amplitudes, gaussians
        )
        return moments, responsibilities, float(self.weights @ (peak + np.log(sums)))

    def log_terms_of_points(self, parameters):
        """Logarithm of each term of f, (n, K + n_b), for the samples of `index`."""
        return np.logaddexp.reduce(self.log_terms_at_points(parameters), axis=1)

    def log_terms_at_points(self, parameters):
        """Logarithm of v_iq and each term of lambda together, (n, Q, K + n_b)."""
        terms = self.points.log_terms(parameters)
        return terms.reshape(*self.log_factors.shape, -1) + self.log_factors[..., None]


def _joined(drawn, n_points, likelihood):
    """All points as one group, and what belongs to them."""
    if not drawn:
        nothing = np.zeros(0)
        return {
            "points": None,
            "index": nothing.astype(int),
            "weights": nothing,
            "log_factors": np.zeros((0, n_points)),
        }
    values = np.concatenate([points.values for _, points in drawn])
    d = values.shape[2]
    noise, common = _noise_of([points.noise for _, points in drawn], n_points, likelihood)
    index = np.concatenate([group.index for group, _ in drawn])
    n_b = len(likelihood.backgrounds) if len(drawn[0][0].rows.backgrounds) else 0
    group = SampleGroup(
        index=np.repeat(index, n_points),
        columns=np.arange(d),
        rows=Rows(
            np.array(values.reshape(-1, d).T, order="C"),
            noise,
            np.ones(values.shape[0] * n_points),
            np.zeros((n_b, values.shape[0] * n_points)),
        ),
        common=common,
        log_volume=float(np.log(likelihood.scaling.scale).sum()),
    )
    if n_b:
        at = likelihood.scaling.back(values.reshape(-1, d))
        group = group.with_backgrounds(likelihood.backgrounds, likelihood.scaling, at)
    with np.errstate(divide="ignore"):
        factors = [points.log_factors + np.log(points.omega) for _, points in drawn]
    return {
        "points": group,
        "index": index,
        "weights": np.concatenate([group.rows.weights for group, _ in drawn]),
        "log_factors": np.concatenate(factors),
    }


def _noise_of(matrices, n_points, likelihood):
    """Noise of points for `Rows`, and that of all of them if it is the same."""
    n, d = sum(len(one) for one in matrices) * n_points, len(likelihood.scaling.scale)
    if all(group.common is not None for group in likelihood.groups):
        common = likelihood.mean_noise if matrices[0].any() else np.zeros((d, d))
        return np.zeros((0, n)), common
    if not any(one.any() for one in matrices):
        return np.zeros((0, n)), np.zeros((d, d))
    triangles = packed(np.concatenate(matrices))
    return np.ascontiguousarray(np.repeat(triangles, n_points, axis=0).T), None
