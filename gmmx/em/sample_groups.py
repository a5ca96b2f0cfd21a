"""Samples of which the same coordinates are known, laid out for the kernels."""

from dataclasses import dataclass, replace

import numpy as np

from .._kernels.samples import Gaussians, Rows, sample_log_terms
from .likelihood import GaussianSums
from .maximise import floored
from .triangles import packed, square

_LOG_2_PI = float(np.log(2 * np.pi))
_TINY = 1e-300
# Sum of responsibilities of a component that has none.
_NOTHING = 1e-100
# Samples whose responsibilities are kept at a time.
_CHUNK = 8192
# Samples above which they are sorted in space.
_MANY = 512


@dataclass(frozen=True, eq=False, kw_only=True)
class SampleGroup:
    """Samples with the same pattern of missing values.

    The likelihood of what is known of a sample is exact: the projection R takes the known
    coordinates of means and covariances.

    Attributes
    ----------
    index : (n,) integers
        Which samples these are.
    columns : (d,) integers
        The coordinates that are known.
    rows : Rows
        In scaled coordinates.
    common : (d, d) array or None
        Noise covariance if it is the same for all, else None.
    log_volume : float
        Logarithm of the product of the scales of the known columns, by which coefficients are
        divided, so that densities are in the units of the columns.
    """

    index: np.ndarray
    columns: np.ndarray
    rows: Rows
    common: np.ndarray | None
    log_volume: float

    def gaussians(self, mixture):
        """The components as these samples know them."""
        d, log_fluxes = len(self.columns), np.log(np.maximum(mixture.fluxes, _TINY))
        known = self._known(mixture.covariances)
        coefficients = log_fluxes - d / 2 * _LOG_2_PI - self.log_volume
        means = np.ascontiguousarray(mixture.means[:, self.columns])
        if self.common is not None:
            roots = np.linalg.cholesky(known + self.common)
            coefficients -= np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(1)
            known = np.linalg.inv(roots)
        return Gaussians(coefficients, means, packed(known))

    def deconvolved(self, sums, mixture):
        """Moments of the samples without noise, about the components' means.

        With ``G = Sigma R^T T^-1`` and ``d = x - R mu`` they are the sums over i of r, r G d and
        r (G d d^T G^T + Sigma - G R Sigma) (Bovy et al. 2011, equations 16 and 17).

        Parameters
        ----------
        sums : (K, 1 + d + d (d + 1) / 2) array
            Of `sample_moments`.
        mixture : Mixture

        Returns
        -------
        GaussianSums
        """
        d, sigma = len(self.columns), mixture.covariances
        zeroth, first, second = sums[:, 0], sums[:, 1 : 1 + d], square(sums[:, 1 + d :], d)
        gains = sigma[:, :, self.columns]
        if self.common is not None:
            gains = gains @ np.linalg.inv(self._known(sigma) + self.common)
            rest = sigma - gains @ sigma[:, self.columns]
        else:
            rest = sigma
        second = gains @ second @ np.swapaxes(gains, 1, 2) + zeroth[:, None, None] * rest
        return GaussianSums(
            zeroth,
            np.einsum("kij,kj->ki", gains, first),
            (second + np.swapaxes(second, 1, 2)) / 2,
        )

    def part(self, place, weights, with_backgrounds):
        """The samples of this group that have a place, with other weights.

        Parameters
        ----------
        place : (N,) integers
            New index of each sample, or -1.
        weights : (n,) array
            Of the samples that have a place, by that.
        with_backgrounds : bool
        """
        here = np.flatnonzero(place[self.index] >= 0)
        index, rows = place[self.index[here]], self.rows
        backgrounds = rows.backgrounds if with_backgrounds else rows.backgrounds[:0]
        arrays = rows.x[:, here], rows.noise[:, here], weights[index], backgrounds[:, here]
        rows = Rows(*(np.array(array, order="C") for array in arrays))
        return replace(self, index=index, rows=rows)

    def rows_at(self, here):
        """The group of some of its rows (integers)."""
        rows = Rows(*(np.array(array[..., here], order="C") for array in self.rows))
        return replace(self, index=self.index[here], rows=rows)

    def noise_matrices(self):
        """Noise covariances of all rows, (n, d, d)."""
        d, n = len(self.columns), len(self.index)
        if self.common is not None:
            return np.broadcast_to(self.common, (n, d, d))
        noise = self.rows.noise.T
        return noise[:, :, None] * np.eye(d) if noise.shape[1] == d else square(noise, d)

    def log_terms(self, parameters, rows=None):
        """Logarithm of each term of lambda at all rows, or at some of them, (n, K + n_b)."""
        rows = self.rows if rows is None else rows
        terms = sample_log_terms(rows, self.gaussians(parameters.mixture))
        (amplitudes,) = parameters.amplitudes
        with np.errstate(divide="ignore"):
            backgrounds = np.log(amplitudes[:, None] * rows.backgrounds)
        return np.concatenate([terms, backgrounds]).T

    def parts(self, parameters):
        """Yield index, rows and responsibilities (n, K) of at most _CHUNK samples at a time."""
        for first in range(0, len(self.index), _CHUNK):
            piece = slice(first, first + _CHUNK)
            rows = Rows(*(np.array(array[..., piece], order="C") for array in self.rows))
            logs = self.log_terms(parameters, rows)
            logs -= np.logaddexp.reduce(logs, axis=1)[:, None]
            yield self.index[piece], rows, np.exp(logs[:, : len(parameters.mixture)])

    def noise_sum(self, rows=None, weights=None):
        """Weighted sum of the noise covariances, of all rows or of some with other weights."""
        d, rows = len(self.columns), self.rows if rows is None else rows
        weights = rows.weights if weights is None else weights
        if self.common is not None:
            return weights.sum() * self.common
        sums = rows.noise @ weights
        return np.diag(sums) if len(sums) == d else square(sums[None], d)[0]

    def with_backgrounds(self, backgrounds, scaling, x):
        """The group with the densities of backgrounds at its rows, (n, D) in their units."""
        densities = np.array([self._density_of(b, scaling, x) for b in backgrounds])
        densities = densities.reshape(len(backgrounds), len(x))
        return replace(self, rows=self.rows._replace(backgrounds=densities))

    def _density_of(self, background, scaling, x):
        """Density of a background at all rows, with their noise if it belongs to it."""
        if not background.adds_noise:
            return background.density(x, self.columns)
        scale = scaling.scale[self.columns]
        if self.common is not None:
            return background.density(x, self.columns, (self.common * np.outer(scale, scale))[None])
        densities = np.empty(len(x))
        for first in range(0, len(x), _CHUNK):
            piece = np.arange(first, min(first + _CHUNK, len(x)))
            noise = self.rows_at(piece).noise_matrices() * np.outer(scale, scale)
            densities[piece] = background.density(x[piece], self.columns, noise)
        return densities

    def _known(self, matrices):
        return matrices[:, self.columns[:, None], self.columns]


def groups_of(samples, scaling, backgrounds=()):
    """Group samples by which of their coordinates are known, in scaled coordinates.

    Parameters
    ----------
    samples : Samples
    scaling : Scaling
    backgrounds : sequence of SampleBackground

    Returns
    -------
    tuple of SampleGroup
    """
    missing = samples.missing
    if not missing.any():
        return (_group(samples, scaling, backgrounds, None, np.arange(samples.n_dimensions)),)
    patterns, labels = np.unique(missing, axis=0, return_inverse=True)
    order = np.argsort(labels.ravel(), kind="stable")
    cuts = np.cumsum(np.bincount(labels.ravel()))[:-1]
    return tuple(
        _group(samples, scaling, backgrounds, index, np.flatnonzero(~pattern))
        for pattern, index in zip(patterns, np.split(order, cuts), strict=True)
    )


def mean_noise(groups, n_dimensions):
    """Mean covariance of the noise, (D, D): each element over the samples that know it."""
    sums, weights = np.zeros((2, n_dimensions, n_dimensions))
    for group in groups:
        block = np.ix_(group.columns, group.columns)
        sums[block] += group.noise_sum()
        weights[block] += group.rows.weights.sum()
    return _semi_definite((sums / np.maximum(weights, _TINY))[None], groups)[0]


def _semi_definite(matrices, groups):
    """Mean covariances whose elements are means over different samples, made semi-definite."""
    return matrices if len(groups) == 1 else floored(matrices, 0.0)


def responsibilities_of(groups, parameters):
    """Responsibility of each component for each sample, (K, N); nothing else is that large."""
    n = sum(len(g.index) for g in groups)
    found = np.empty((len(parameters.mixture), n))
    for group in groups:
        for index, _, parts in group.parts(parameters):
            found[:, index] = parts.T
    return found


def local_noise(groups, parameters, overall):
    """Mean noise covariance of each component, (K, D, D), each element over those that know it.

    Parameters
    ----------
    groups : tuple of SampleGroup
    parameters : Parameters
    overall : (D, D) array
        That of all samples, which a component without any has.
    """
    k, d = parameters.mixture.means.shape
    sums, weights = np.zeros((2, k, d, d))
    for group in groups:
        block = np.ix_(np.arange(k), group.columns, group.columns)
        for _, rows, parts in group.parts(parameters):
            parts = (rows.weights[:, None] * parts).T
            sums[block] += [group.noise_sum(rows, part) for part in parts]
            weights[block] += parts.sum(1)[:, None, None]
    return _semi_definite((sums + _NOTHING * overall) / (weights + _NOTHING), groups)


def _group(samples, scaling, backgrounds, index, columns):
    """The group of some samples, or of all if `index` is None."""
    scale = scaling.scale[columns]
    if samples.noise_kind in ("none", "common") and len(samples) > _MANY:
        # Neighbours side by side: only few components matter for them.
        index = np.arange(len(samples)) if index is None else index
        index = index[_along_a_curve(samples.x[index][:, columns], scaling, columns)]
    chosen = slice(None) if index is None else index
    x = np.array(samples.x[chosen].T[columns], order="C")
    x -= scaling.centre[columns, None]
    x /= scale[:, None]
    noise, common = _noise(samples, chosen, columns, scale)
    # Arrays of one kind only (contiguous, not read-only), for which kernels are compiled once.
    weights = np.array(samples.weights[chosen])
    group = SampleGroup(
        index=np.arange(len(samples)) if index is None else index,
        columns=columns,
        rows=Rows(x, noise, weights, np.zeros((len(backgrounds), len(weights)))),
        common=common,
        log_volume=float(np.log(scale).sum()),
    )
    return group.with_backgrounds(backgrounds, scaling, samples.x[chosen])


def _along_a_curve(x, scaling, columns):
    """Order in which values follow a Z-order curve, so that neighbours stand side by side."""
    z = (x - scaling.centre[columns]) / scaling.scale[columns]
    bits = min(10, 60 // max(len(columns), 1))
    # Most values lie within 4 scales; those outside go to the edge.
    cells = np.clip((z + 4) / 8 * 2**bits, 0, 2**bits - 1).astype(np.int64)
    code = np.zeros(len(x), np.int64)
    for bit in range(bits - 1, -1, -1):
        for column in range(len(columns)):
            code = (code << 1) | ((cells[:, column] >> bit) & 1)
    return np.argsort(code, kind="stable")


def _noise(samples, chosen, columns, scale):
    """Noise of some samples in scaled coordinates: that of each, or that of all."""
    kind, given, d = samples.noise_kind, samples.covariances, len(columns)
    if kind in ("none", "common") or d == 0:
        common = np.zeros((d, d))
        if kind == "common":
            common = given[columns[:, None], columns] / np.outer(scale, scale)
        return np.zeros((0, len(samples.x[chosen]))), common
    if kind == "diagonal":
        return np.array(given[chosen].T[columns], order="C") / scale[:, None] ** 2, None
    # Element by element, so that no second copy of all covariances is made.
    rows, others = np.tril_indices(d)
    n = len(given) if isinstance(chosen, slice) else len(chosen)
    noise = np.empty((len(rows), n))
    for place, (i, j) in enumerate(zip(rows, others, strict=True)):
        noise[place] = given[chosen, columns[i], columns[j]] / (scale[i] * scale[j])
    return noise, None
