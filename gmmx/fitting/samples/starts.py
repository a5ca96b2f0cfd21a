"""The parameters that a fit to samples starts from: one component, clusters, random samples."""

import numpy as np

from ...em.maximise import floored
from ...em.structure import in_form
from ...model.mixture import Mixture

# Samples that clusters are made from, for each cluster, and at least.
_PER_CLUSTER = 100
_LEAST_SAMPLES = 5_000
# Steps of k-means, and points whose distances are held at a time.
_STEPS, _ROWS = 10, 4096
# Part of the samples that a background starts with.
_BACKGROUND_FRACTION = 0.3
# Least part of a cluster's variance that remains when the noise is taken off.
_LEAST_PART = 0.1


def amplitudes_at_start(problem):
    """Background amplitudes with which backgrounds share three tenths of the samples."""
    integrals = problem.likelihood.background_integrals
    part = _BACKGROUND_FRACTION * problem.likelihood.total_weight / max(len(integrals), 1)
    return part / np.maximum(integrals, 1e-300)


def samples_for_components(problem):
    """Sum of weights that the components start with."""
    has_background = len(problem.likelihood.background_integrals) > 0
    fraction = 1 - _BACKGROUND_FRACTION if has_background else 1.0
    return fraction * problem.likelihood.total_weight


def one_component(problem):
    """Parameters with one component, of the mean and the spread of all samples.

    Missing values are left out column by column.
    """
    z, weights = problem.likelihood.scaling.forward(problem.samples.x), problem.samples.weights
    known = ~np.isnan(z)
    sums = np.maximum(weights @ known, 1e-300)
    mean = weights @ np.where(known, z, 0.0) / sums
    spread = weights @ np.where(known, z - mean, 0.0) ** 2 / sums
    noise = problem.likelihood.mean_noise
    variances = np.maximum(spread - np.diag(noise), _LEAST_PART * spread)
    variances = np.maximum(variances, problem.options.min_sigma**2)
    mixture = Mixture(
        fluxes=[samples_for_components(problem)],
        means=mean[None],
        covariances=in_form(np.diag(variances)[None], np.ones(1), problem.options.covariance_form),
    )
    return problem.likelihood.scaled_parameters(mixture, amplitudes_at_start(problem))


def clusters(problem, filled, n_components, rng):
    """Parameters with k-means++ clusters as components; empty clusters are left out.

    Parameters
    ----------
    problem : SampleProblem
    filled : (N, D) array
        Scaled values without gaps.
    n_components : int
    rng : numpy.random.Generator
    """
    weights = problem.samples.weights
    most = max(_PER_CLUSTER * n_components, _LEAST_SAMPLES)
    is_weighted = np.any(weights != weights[0])
    if is_weighted or len(filled) > most:
        n = min(len(filled), most)
        part = weights / weights.sum() if is_weighted else None
        points = filled[rng.choice(len(filled), n, replace=is_weighted, p=part)]
    else:
        points = filled
    centres, labels = _k_means(points, _seeds(points, n_components, rng))
    total, d = samples_for_components(problem), filled.shape[1]
    pooled = np.cov(points.T, bias=True).reshape(d, d) / n_components ** (2 / d)
    noise = problem.likelihood.mean_noise
    fluxes, means, covariances = [], [], []
    for k in range(n_components):
        members = points[labels == k]
        if not len(members):
            continue
        fluxes.append(total * len(members) / len(points))
        means.append(centres[k])
        n = len(members)
        scatter = np.cov(members.T, bias=True).reshape(d, d) if n > 1 else np.zeros((d, d))
        # A cluster of few members has hardly a shape of its own.
        covariances.append((n * scatter + (d + 1) * pooled) / (n + d + 1))
    scatters = np.array(covariances)
    bare = floored(scatters - noise, _LEAST_PART * np.linalg.eigvalsh(scatters)[:, 0])
    return _start(problem, np.array(fluxes), means, bare)


def scattered(problem, filled, n_components, rng):
    """Parameters with components about random samples, all as wide as a part of the whole.

    Parameters
    ----------
    problem : SampleProblem
    filled : (N, D) array
        Scaled values without gaps.
    n_components : int
    rng : numpy.random.Generator
    """
    weights, d = problem.samples.weights, filled.shape[1]
    part = weights / weights.sum()
    # Samples of weight 0 are never chosen.
    is_short = np.count_nonzero(weights) < n_components
    chosen = rng.choice(len(filled), n_components, replace=is_short, p=part)
    spread = np.cov(filled.T, bias=True, aweights=weights).reshape(1, d, d)
    wide = spread / n_components ** (2 / d)
    fluxes = np.full(n_components, samples_for_components(problem) / n_components)
    least = _LEAST_PART * np.linalg.eigvalsh(wide)[:, 0]
    bare = floored(wide - problem.likelihood.mean_noise, least)
    return _start(problem, fluxes, filled[chosen], np.repeat(bare, n_components, axis=0))


def _start(problem, fluxes, means, covariances):
    """Parameters of components no narrower than `min_sigma`, in the form of the covariances."""
    bare = floored(covariances, problem.options.min_sigma**2)
    mixture = Mixture(
        fluxes=fluxes,
        means=means,
        covariances=in_form(bare, fluxes, problem.options.covariance_form),
    )
    return problem.likelihood.scaled_parameters(mixture, amplitudes_at_start(problem))


def _k_means(points, centres):
    """Centres after steps of Lloyd (1982), and the nearest one of each point before the last step.

    `scipy.cluster.vq.kmeans2` does the same with distances of all points from all centres, which
    take more memory than the fit.
    """
    # Imported here because only this start needs it.
    from scipy.cluster.vq import vq

    n = len(centres)
    for _ in range(_STEPS):
        parts = [vq(points[i : i + _ROWS], centres)[0] for i in range(0, len(points), _ROWS)]
        labels = np.concatenate(parts)
        counts = np.bincount(labels, minlength=n)[:, None]
        sums = np.stack([np.bincount(labels, column, minlength=n) for column in points.T], axis=1)
        centres = np.where(counts > 0, sums / np.maximum(counts, 1), centres)
    return centres, labels


def _seeds(points, n, rng):
    """Points chosen by k-means++: each with a probability that grows as its squared distance.

    `scipy.cluster.vq.kmeans2` does the same, with a cost that grows as n**2.
    """
    chosen = np.empty((n, points.shape[1]))
    chosen[0] = points[rng.integers(len(points))]
    nearest = np.full(len(points), np.inf)
    for i in range(1, n):
        nearest = np.minimum(nearest, ((points - chosen[i - 1]) ** 2).sum(1))
        sums = np.cumsum(nearest)
        place = np.searchsorted(sums, rng.random() * sums[-1], side="right")
        chosen[i] = points[min(place, len(points) - 1)]
    return chosen


def filled_values(problem, parameters):
    """Scaled values (N, D), with the expectation under one Gaussian where a value is missing."""
    likelihood = problem.likelihood
    z = likelihood.scaling.forward(problem.samples.x)
    mean, sigma = parameters.mixture.means[0], parameters.mixture.covariances[0]
    for group in likelihood.groups:
        known = group.columns
        gone = np.setdiff1d(np.arange(len(mean)), known)
        if not len(gone):
            continue
        total = sigma[np.ix_(known, known)] + likelihood.mean_noise[np.ix_(known, known)]
        gain = np.linalg.solve(total, sigma[np.ix_(known, gone)]) if len(known) else None
        offsets = z[group.index[:, None], known] - mean[known]
        z[group.index[:, None], gone] = mean[gone] + (0 if gain is None else offsets @ gain)
    return z
