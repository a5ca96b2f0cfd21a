"""One iteration of expectation maximisation: exact, deterministic, monotone.

| symbol | variable | shape | unit | equation |
|---|---|---|---|---|
| F_k, mu_k, Sigma_k | Parameters.mixture.fluxes, .means, .covariances | (K,), (K, 2), (K, 2, 2) | photon, arcsec, arcsec**2 | intrinsic component |
| B_ob | Parameters.amplitudes[o] | (n_b,) | photon / arcsec**2 | background |
| c_okm, S_okm | Phase.psf_weights[o], .psf_covariances[o] | (K, M), (K, M, 2, 2) | -, arcsec**2 | PSF averaged over component k |
| T_okm | totals | (K, M, 2, 2) | arcsec**2 | Sigma_k + S_okm |
| G_okm | gains | (K, M, 2, 2) | - | Sigma_k T_okm^-1 |
| lambda_o | (in the kernel) | (N_o,) | photon / arcsec**2 | sum_km F_k c_okm N(x; mu_k, T_okm) + sum_b B_b q_b / Omega_o |
| n0, n1, n2 | photons | (K, M, 6) | photon, ... | sums of responsibilities over photons |
| e0, e1, e2 | exposures | (K, M, 6) | -, ... | integrals of Omega_o N(x; mu_k, T_okm) |
| e_k | Evaluation.observed_fraction | (K,) | - | sum_om c_okm e0 |
| S_k | Phase.prior_scales | (K,) | arcsec**2 | scale of the covariance prior |

The method is that of Bovy, Hogg & Roweis (2011, AOAS 5, 1657; the deconvolution of moments is their equations 16 to 18) with the selection of Melchior &
Goulding (2018, A&C 25, 183, section 3.2). It departs from the latter in that what the telescope missed is integrated instead of drawn, and that the PSF
belongs to the component instead of to the photon.
"""

from dataclasses import dataclass, replace

import numpy as np

from .._kernels.photons import log_densities as _log_densities
from .._kernels.photons import photon_moments, view_sums
from .._kernels.photons import removal_losses as _photon_losses
from ..errors import InputError
from ..model.mixture import Fixed, Mixture
from ..model.psf import core_radius
from ..model.pyramid import square

# What views left out of a tile may add to any density, relative; the objective errs by at most N times this.
PRUNING = 1e-10


@dataclass(frozen=True, eq=False, kw_only=True)
class Priors:
    """Strength of the priors and the floor of the covariances.

    Attributes
    ----------
    mean_count : float
        a: the mean is held as by this many photons spread as the exposure is over the component.
    covariance_count : float
        nu: the covariance is held as by this many photons of the PSF's own spread.
    min_sigma : float
        Floor of the intrinsic standard deviations [arcsec].
    """

    mean_count: float = 1.0
    covariance_count: float = 3.0
    min_sigma: float = 0.1


@dataclass(frozen=True, eq=False, kw_only=True)
class Parameters:
    """A mixture and the background amplitudes of each observation: what an iteration changes, and what of it no iteration may change.

    Attributes
    ----------
    mixture : Mixture
    amplitudes : tuple of (n_b,) arrays
    fixed : Fixed or None
        What of the mixture is held. It goes with the components through `moved`, `select` and `joined`.
    """

    mixture: Mixture
    amplitudes: tuple
    fixed: Fixed | None = None

    def __post_init__(self):
        if self.fixed is not None and len(self.fixed) != len(self.mixture):
            raise InputError(
                f"{len(self.mixture)} components, but {len(self.fixed)} that may be fixed"
            )

    @property
    def any_fixed(self):
        """(K,) booleans: components of which anything is fixed."""
        return np.zeros(len(self.mixture), bool) if self.fixed is None else self.fixed.any_fixed

    @property
    def points(self):
        """(K,) booleans: components that are point sources."""
        return np.zeros(len(self.mixture), bool) if self.fixed is None else self.fixed.points

    def scales(self, phase):
        """(K, 2, 2) covariances in whose units a mean is moved: the component's own, for a point source that of the PSF's core [arcsec**2]."""
        if not np.any(self.points):
            return self.mixture.covariances
        return np.where(
            self.points[:, None, None],
            phase.prior_scales[:, None, None] * np.eye(2),
            self.mixture.covariances,
        )

    def moved(self, mixture, amplitudes):
        """Other values of the same components; what is fixed stays, to the bit."""
        if self.fixed is not None:
            mixture = self.fixed.keep(self.mixture, mixture)
        return Parameters(mixture=mixture, amplitudes=tuple(amplitudes), fixed=self.fixed)

    def select(self, index):
        """The parameters with only the components that `index` names, in its order."""
        return replace(
            self,
            mixture=self.mixture.select(index),
            fixed=None if self.fixed is None else self.fixed.select(index),
        )

    def joined(self, mixture):
        """The parameters with further components, free ones."""
        fixed = None if self.fixed is None else self.fixed.joined(Fixed.none(len(mixture)))
        return replace(self, mixture=self.mixture.joined(mixture), fixed=fixed)


@dataclass(frozen=True, eq=False, kw_only=True)
class Phase:
    """What stays fixed while the objective is compared between iterates: PSF averages, levels of the pyramid, prior scales."""

    psf_weights: tuple
    psf_covariances: tuple
    levels: tuple
    prior_scales: np.ndarray
    priors: Priors
    narrowest: tuple

    def holds(self, parameters):
        """Whether the components are still as wide as the levels of the pyramid were chosen for: none has narrowed by more than 1.5."""
        totals = (parameters.mixture.covariances[:, None] + blur for blur in self.psf_covariances)
        return not any(
            np.any(_smallest_variance(total) * 2.25 < narrowest)
            for total, narrowest in zip(totals, self.narrowest, strict=True)
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Gradient:
    """Exact derivatives of the objective, by Fisher's identity from the moments that the M-step uses.

    With n the observed plus missing moments: ``d/d log F = n0 - F``, ``d/d mu = Sigma^-1 (n1 + a s1 / e)``,
    ``d/d Sigma = Sigma^-1 [n2 - n0 Sigma + a (s2 - s0 Sigma) / e + nu (S - Sigma)] Sigma^-1 / 2``, ``d/d log B = responsibility - B int q``.
    """

    log_fluxes: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    log_amplitudes: tuple

    def within(self, fixed):
        """The derivatives by what is free, 0 by what is fixed."""
        return replace(
            self,
            log_fluxes=np.where(fixed.fluxes, 0.0, self.log_fluxes),
            means=np.where(fixed.means[:, None], 0.0, self.means),
            covariances=np.where(fixed.covariances[:, None, None], 0.0, self.covariances),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Evaluation:
    """One E-step at `parameters`, and the M-step that follows from it.

    Attributes
    ----------
    parameters, successor : Parameters
    log_likelihood, objective : float
        At `parameters` [nat]; log Omega left out.
    observed : (K,) array
        Responsibilities summed over photons.
    observed_fraction : (K,) array
        e_k.
    gradient : Gradient
    """

    parameters: Parameters
    successor: Parameters
    log_likelihood: float
    objective: float
    observed: np.ndarray
    observed_fraction: np.ndarray
    gradient: Gradient


def _smallest_variance(covariances):
    """Smaller eigenvalue of symmetric 2 x 2 matrices."""
    a, b, c = covariances[..., 0, 0], covariances[..., 0, 1], covariances[..., 1, 1]
    half = np.sqrt((a - c) ** 2 / 4 + b * b)
    return np.maximum((a * c - b * b) / ((a + c) / 2 + half), 0)


def begin_phase(prepared, parameters, priors):
    """Fix PSF averages, pyramid levels and prior scales at the present parameters."""
    mixture = parameters.mixture
    k = len(mixture)
    if all(p.observation.psf is None for p in prepared):
        # The covariance prior guards against deconvolving too much; where nothing is deconvolved it would only narrow what is half hidden.
        priors = replace(priors, covariance_count=0.0)
    shares, blurs, levels, narrowest = [], [], [], []
    scales = np.full(k, np.inf)
    for p in prepared:
        psf = p.observation.psf
        if psf is None:
            share, blur = np.ones((k, 1)), np.zeros((k, 1, 2, 2))
            scale = np.full(k, priors.min_sigma**2)
        else:
            share, blur = (
                psf.averaged(mixture.means, mixture.covariances)
                if k
                else (np.ones((0, 1)), np.zeros((0, 1, 2, 2)))
            )
            scale = core_radius(share, blur) ** 2
        totals = mixture.covariances[:, None] + blur
        level = (
            p.pyramid.levels(totals.reshape(-1, 2, 2))
            if p.pyramid is not None
            else np.zeros(k * share.shape[1], np.int64)
        )
        scales = np.minimum(scales, scale)
        narrowest.append(_smallest_variance(totals))
        shares.append(share)
        blurs.append(blur)
        levels.append(level)
    return Phase(
        psf_weights=tuple(shares),
        psf_covariances=tuple(blurs),
        levels=tuple(levels),
        prior_scales=scales,
        priors=priors,
        narrowest=tuple(narrowest),
    )


def views(mixture, share, blur):
    """Log-coefficients (V,), means (V, 2) and precisions (V, 3) of the blurred components, V = K M, m fastest."""
    totals = (mixture.covariances[:, None] + blur).reshape(-1, 2, 2)
    determinant = totals[:, 0, 0] * totals[:, 1, 1] - totals[:, 0, 1] ** 2
    precisions = (
        np.stack([totals[:, 1, 1], -totals[:, 0, 1], totals[:, 0, 0]], axis=1)
        / determinant[:, None]
    )
    # A PSF Gaussian of no weight here must not become log(0) in the kernels.
    coefficients = (
        np.log(np.maximum((mixture.fluxes[:, None] * share).ravel(), 1e-300))
        - 0.5 * np.log(determinant)
        - np.log(2 * np.pi)
    )
    return coefficients, np.repeat(mixture.means, share.shape[1], axis=0), precisions


def _deconvolved(moments, covariances, blur):
    """Moments of where the photons came from, (K, 6), summed over the PSF's Gaussians.

    With G = Sigma T^-1: n0, G n1, G n2 G^T + n0 (Sigma - G Sigma) (Bovy et al. 2011, equations 16 and 17, summed over photons).
    """
    gains = covariances[:, None] @ np.linalg.inv(covariances[:, None] + blur)
    first = np.einsum("kmij,kmj->ki", gains, moments[..., 1:3])
    rest = covariances[:, None] - gains @ covariances[:, None]
    second = (
        gains @ square(moments[..., 3:]) @ np.swapaxes(gains, 2, 3)
        + moments[..., 0, None, None] * rest
    ).sum(1)
    return moments[..., 0].sum(1), first, (second + np.swapaxes(second, 1, 2)) / 2


def floored(covariances, min_sigma):
    """Covariances with eigenvalues of at least min_sigma**2: the constrained maximum of the M-step."""
    values, vectors = np.linalg.eigh(covariances)
    if values.size == 0 or values.min() >= min_sigma**2:
        return covariances
    values = np.maximum(values, min_sigma**2)
    return (vectors * values[:, None, :]) @ np.swapaxes(vectors, 1, 2)


def evaluate(prepared, parameters, phase):
    """One E-step and the M-step after it.

    ``F = n0; d = (n1 + a s1 / e) / (n0 + a); Sigma = [n2 + a s2 / e - (n0 + a) d d^T + nu S] / (n0 + a + nu)``, with n observed plus missing moments and s
    those of the exposure, all deconvolved; ``B = (responsibility of b) / int q_b``. The objective is
    ``log L + sum_k [a log e_k - nu / 2 (log|Sigma_k| + tr(Sigma_k^-1 S_k))]``. What is fixed keeps its value, and d = 0 where the mean is.

    Returns
    -------
    Evaluation
    """
    mixture, priors = parameters.mixture, phase.priors
    k = len(mixture)
    covariances = mixture.covariances
    n0, n1, n2 = np.zeros(k), np.zeros((k, 2)), np.zeros((k, 2, 2))
    s0, s1, s2 = np.zeros(k), np.zeros((k, 2)), np.zeros((k, 2, 2))
    log_likelihood, amplitudes, slopes = 0.0, [], []
    for p, amplitude, share, blur, level in zip(
        prepared,
        parameters.amplitudes,
        phase.psf_weights,
        phase.psf_covariances,
        phase.levels,
        strict=True,
    ):
        coefficients, means, precisions = views(mixture, share, blur)
        photons, responsibilities, log_sum = photon_moments(
            p.x,
            p.y,
            p.weights,
            p.ratios,
            p.tiles,
            p.boxes,
            p.blocks,
            amplitude,
            coefficients,
            means,
            precisions,
            PRUNING,
        )
        log_likelihood += log_sum - float(amplitude @ p.integrals)
        slopes.append(np.where(p.fixed, 0.0, responsibilities - amplitude * p.integrals))
        amplitudes.append(
            np.where(
                p.fixed,
                amplitude,
                np.maximum(responsibilities, 1e-12) / np.maximum(p.integrals, 1e-300),
            )
        )
        totals = (covariances[:, None] + blur).reshape(-1, 2, 2)
        if p.pyramid is None:
            exposures = np.column_stack(
                [
                    np.ones(len(totals)),
                    np.zeros((len(totals), 2)),
                    totals[:, 0, 0],
                    totals[:, 0, 1],
                    totals[:, 1, 1],
                ]
            )
        else:
            exposures = p.pyramid.moments(means, totals, level)
        shape = (*share.shape, 6)
        for sums, moments in (
            ((n0, n1, n2), photons.reshape(shape)),
            ((s0, s1, s2), exposures.reshape(shape) * share[..., None]),
        ):
            for total, part in zip(sums, _deconvolved(moments, covariances, blur), strict=True):
                total += part
    log_likelihood -= float(mixture.fluxes @ s0)
    e = np.maximum(s0, 1e-300)
    a, nu = priors.mean_count, priors.covariance_count
    scale = phase.prior_scales[:, None, None] * np.eye(2)
    inverse = np.linalg.inv(covariances)
    objective = log_likelihood + a * float(np.log(e).sum())
    narrowness = np.linalg.slogdet(covariances)[1] + phase.prior_scales * np.trace(
        inverse, axis1=1, axis2=2
    )
    # That a point source is narrow is no news.
    objective -= nu / 2 * float(narrowness[~parameters.points].sum())
    observed = n0.copy()
    flux = mixture.fluxes
    n0 = n0 + flux * (1 - s0)
    n1 = n1 - flux[:, None] * s1
    n2 = n2 + flux[:, None, None] * (covariances - s2)
    first = n1 + a * s1 / e[:, None]
    excess = (
        n2
        - n0[:, None, None] * covariances
        + a * (s2 / e[:, None, None] - covariances)
        + nu * (scale - covariances)
    )
    gradient = Gradient(
        log_fluxes=n0 - flux,
        means=np.einsum("kij,kj->ki", inverse, first),
        covariances=inverse @ excess @ inverse / 2,
        log_amplitudes=tuple(slopes),
    )
    shift = first / (n0 + a)[:, None]
    if parameters.fixed is not None:
        gradient = gradient.within(parameters.fixed)
        # The spread is about the mean that the component will have: about a fixed one it is wider.
        shift = np.where(parameters.fixed.means[:, None], 0.0, shift)
    spread = (
        covariances
        + (excess - (n0 + a)[:, None, None] * shift[:, :, None] * shift[:, None, :])
        / (n0 + a + nu)[:, None, None]
    )
    successor = Mixture(
        fluxes=np.maximum(n0, 1e-9),
        means=mixture.means + shift,
        covariances=floored(spread, priors.min_sigma),
    )
    return Evaluation(
        parameters=parameters,
        successor=parameters.moved(successor, amplitudes),
        log_likelihood=log_likelihood,
        objective=objective,
        observed=observed,
        observed_fraction=s0,
        gradient=gradient,
    )


def removal_losses(prepared, parameters, phase, shares):
    """Log-likelihood lost at once when a component is removed and nothing else changes, (K,): sum_i -w_i log(1 - r_ik / w_i) - F_k e_k [nat]."""
    losses = -parameters.mixture.fluxes * shares
    for p, amplitude, share, blur in zip(
        prepared, parameters.amplitudes, phase.psf_weights, phase.psf_covariances, strict=True
    ):
        coefficients, means, precisions = views(parameters.mixture, share, blur)
        losses += _photon_losses(
            p.x,
            p.y,
            p.weights,
            p.ratios,
            p.tiles,
            p.boxes,
            p.blocks,
            amplitude,
            coefficients,
            means,
            precisions,
            PRUNING,
            share.shape[1],
        )
    return losses


def log_densities(prepared, parameters, phase):
    """log lambda at each photon of each observation, log Omega left out: a list of (N_o,) arrays in the order of the tiles."""
    logs = []
    for p, amplitude, share, blur in zip(
        prepared, parameters.amplitudes, phase.psf_weights, phase.psf_covariances, strict=True
    ):
        coefficients, means, precisions = views(parameters.mixture, share, blur)
        logs.append(
            _log_densities(
                p.x,
                p.y,
                p.ratios,
                p.tiles,
                p.boxes,
                p.blocks,
                amplitude,
                coefficients,
                means,
                precisions,
                PRUNING,
            )
        )
    return logs


def flux_slopes(prepared, mixture, phase, logs):
    """Derivative of log L by the flux of components that could be added, (K,): ``sum_i w_i N_k(x_i) / lambda_i - e_k`` [nat / photon].

    Parameters
    ----------
    mixture : Mixture
        The components; their own fluxes do not matter.
    phase : Phase
        Begun at them.
    logs : list of (N_o,) arrays
        Of `log_densities` at the present parameters.
    """
    unit = replace(mixture, fluxes=np.ones(len(mixture)))
    slopes = np.zeros(len(mixture))
    for p, share, blur, level, log in zip(
        prepared, phase.psf_weights, phase.psf_covariances, phase.levels, logs, strict=True
    ):
        coefficients, means, precisions = views(unit, share, blur)
        sums = view_sums(
            p.x, p.y, p.weights * np.exp(-log), p.tiles, p.boxes, coefficients, means, precisions
        )
        seen = share.copy()
        if p.pyramid is not None:
            seen *= p.pyramid.moments(
                means, (mixture.covariances[:, None] + blur).reshape(-1, 2, 2), level
            )[:, 0].reshape(share.shape)
        slopes += sums.reshape(share.shape).sum(1) - seen.sum(1)
    return slopes
