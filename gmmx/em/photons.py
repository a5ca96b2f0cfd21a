"""The Poisson likelihood of photons on the sky, with PSF, exposure, masks and backgrounds.

==================  ===============================  ============  =============================
symbol              variable                         shape         meaning, unit
==================  ===============================  ============  =============================
F_k                 Parameters.mixture.fluxes        (K,)          flux [photon]
mu_k                Parameters.mixture.means         (K, 2)        position [arcsec]
Sigma_k             Parameters.mixture.covariances   (K, 2, 2)     intrinsic [arcsec**2]
B_ob                Parameters.amplitudes[o]         (n_b,)        background [photon/arcsec**2]
c_okm               ComponentPsf.weights             (K, M)        PSF averaged over component k
S_okm               ComponentPsf.covariances         (K, M, 2, 2)  its covariances [arcsec**2]
T_okm               ComponentPsf.totals              (K M, 2, 2)   Sigma_k + S_okm [arcsec**2]
G_okm               gains                            (K, M, 2, 2)  Sigma_k T_okm^-1
Omega_o(x)          Prepared.pyramid                 grid          completeness
q_ob(x) / Omega_o   Prepared.tiled.ratios            (n_b, N_o)    shape of a background
lambda_o / Omega_o  (in the kernel)                  (N_o,)        density [photon/arcsec**2]
n0, n1, n2          Moments.complete                 (K,), ...     sums of responsibilities
s0, s1, s2          Moments.exposure                 (K,), ...     integrals of the completeness
e_k                 Evaluation.observed_fraction     (K,)          observed fraction, s0
S_k                 PhotonPhase.prior_scales         (K,)          prior's scale [arcsec**2]
==================  ===============================  ============  =============================

The expected density of photons in observation o is

    lambda_o(x) = Omega_o(x) sum_km F_k c_okm N(x; mu_k, T_okm) + sum_b B_ob q_ob(x).

The method is that of Bovy, Hogg & Roweis (2011, AOAS 5, 1657; the deconvolution of moments is
their equations 16 to 18) with the selection of Melchior & Goulding (2018, A&C 25, 183, section
3.2). It departs from the latter in two ways: photons that the telescope missed are integrated
instead of drawn, and the PSF belongs to the component instead of to the photon.
"""

from dataclasses import dataclass, replace

import numpy as np

from .._kernels.information import density_ratios
from .._kernels.photons import log_densities, photon_moments, removal_losses, view_sums
from ..model.mixture import Mixture
from ..model.psf import core_radius
from .likelihood import GaussianSums, Moments, completed
from .tiles import prepare_all
from .views import ComponentPsf, PhotonPhase

# Relative error of any density that may come from leaving views out of a tile; the objective errs
# by at most N times this.
PRUNING = 1e-10


@dataclass(frozen=True, eq=False, repr=False)
class PhotonLikelihood:
    """The extended likelihood of the photons of one or several observations of one sky.

    It is also a sequence of its prepared observations.

    Parameters
    ----------
    prepared : tuple of Prepared
    reference_exposure : float
        E_ref, in the unit of the exposure maps; 1 without any.

    Examples
    --------
    >>> from gmmx.em.maximise import evaluate
    >>> from gmmx.em.parameters import Parameters, Priors
    >>> from gmmx.model.mixture import Mixture
    >>> from gmmx.model.observation import Observation
    >>> from gmmx.model.photons import Photons
    >>> photons = Observation(photons=Photons(x=[0.0, 1.0, 2.0], y=[0.0, 0.0, 3.0]))
    >>> likelihood = PhotonLikelihood.of([photons])
    >>> likelihood
    PhotonLikelihood(3 photons of 1 observation)
    >>> start = Mixture(fluxes=[1.0], means=[[0.0, 0.0]], covariances=[[[4.0, 0], [0, 4.0]]])
    >>> parameters = Parameters(mixture=start, amplitudes=(np.zeros(0),))
    >>> phase = likelihood.begin_phase(parameters, Priors(mean_count=0.0, covariance_count=0.0))
    >>> evaluate(likelihood, parameters, phase).successor.mixture.means
    array([[1., 1.]])
    """

    prepared: tuple
    reference_exposure: float

    @classmethod
    def of(cls, observations):
        """Lay observations out for the kernels.

        Raises
        ------
        InputError
            If a photon lies where the exposure is zero, or a background has no open area.
        """
        prepared = prepare_all(observations)
        return cls(prepared, prepared[0].reference)

    def __repr__(self):
        photons, n = sum(weights.sum() for weights in self.weights), len(self)
        return f"PhotonLikelihood({photons:,.6g} photons of {n} observation{'s' if n > 1 else ''})"

    def __len__(self):
        """Number of observations."""
        return len(self.prepared)

    def __iter__(self):
        """The prepared observations, one by one."""
        return iter(self.prepared)

    def __getitem__(self, index):
        """One of the prepared observations."""
        return self.prepared[index]

    @property
    def weights(self):
        """Weights of the photons of each observation, in the order of their tiles."""
        return tuple(p.weights for p in self.prepared)

    @property
    def integrals(self):
        """Integrals of q_b over the field of each observation, (n_b,) arrays [arcsec**2]."""
        return tuple(p.integrals for p in self.prepared)

    @property
    def fixed_amplitudes(self):
        """Background amplitudes of each observation that are not fitted, (n_b,) booleans."""
        return tuple(p.fixed for p in self.prepared)

    @property
    def deviations(self):
        """Standard deviations of the fixed amplitudes, an (n_deviations, n_b) array each."""
        found = []
        for p in self.prepared:
            rows = [b.deviations for b in p.observation.backgrounds]
            array = np.zeros((max(map(len, rows), default=0), len(rows)))
            for column, row in enumerate(rows):
                array[: len(row), column] = row
            found.append(array)
        return tuple(found)

    def begin_phase(self, parameters, priors):
        """Fix PSF averages, pyramid levels and prior scales at the present parameters."""
        mixture = parameters.mixture
        if all(p.observation.psf is None for p in self.prepared):
            # The covariance prior guards against deconvolving too much. Where nothing is
            # deconvolved it would only narrow components that are half hidden.
            priors = replace(priors, covariance_count=0.0)
        psfs = tuple(ComponentPsf.of(p, mixture) for p in self.prepared)
        scales = np.full(len(mixture), np.inf)
        for p, psf in zip(self.prepared, psfs, strict=True):
            core = (
                np.full(len(mixture), priors.min_sigma**2)
                if p.observation.psf is None
                else core_radius(psf.weights, psf.covariances) ** 2
            )
            scales = np.minimum(scales, core)
        return PhotonPhase(psfs=psfs, prior_scales=scales, priors=priors)

    def moments(self, parameters, phase):
        """The E-step; see `Likelihood.moments`."""
        mixture = parameters.mixture
        k = len(mixture)
        sums = [GaussianSums(np.zeros(k), np.zeros((k, 2)), np.zeros((k, 2, 2))) for _ in range(2)]
        log_likelihood, all_responsibilities = 0.0, []
        for p, amplitude, psf in zip(self.prepared, parameters.amplitudes, phase.psfs, strict=True):
            views, totals = psf.views(mixture), psf.totals(mixture)
            photons, responsibilities, log_sum = photon_moments(p.tiled, amplitude, views, PRUNING)
            log_likelihood += log_sum - float(amplitude @ p.integrals)
            all_responsibilities.append(responsibilities)
            shape = (*psf.weights.shape, 6)
            exposures = psf.exposures(p, views, totals).reshape(shape) * psf.weights[..., None]
            for total, part in zip(sums, (photons.reshape(shape), exposures), strict=True):
                for all_of_it, some in zip(total, psf.deconvolved(part, mixture), strict=True):
                    all_of_it += some
        observed, exposure = sums
        return Moments(
            log_likelihood=log_likelihood - float(mixture.fluxes @ exposure.zeroth),
            observed=observed.zeroth,
            complete=completed(observed, exposure, mixture),
            exposure=exposure,
            responsibilities=tuple(all_responsibilities),
        )

    def log_densities(self, parameters, phase):
        """Logarithms of lambda / Omega at the photons of each observation.

        Returns
        -------
        list of (N_o,) arrays
            In the order of the tiles [nat].
        """
        return [
            log_densities(p.tiled, amplitude, psf.views(parameters.mixture), PRUNING)
            for p, amplitude, psf in zip(
                self.prepared, parameters.amplitudes, phase.psfs, strict=True
            )
        ]

    def removal_losses(self, parameters, phase, observed_fraction):
        """Log-likelihood lost when a component is removed and nothing else changes, (K,) [nat].

        This is ``sum_i -w_i log(1 - r_ik / w_i) - F_k e_k``.
        """
        losses = -parameters.mixture.fluxes * observed_fraction
        for p, amplitude, psf in zip(self.prepared, parameters.amplitudes, phase.psfs, strict=True):
            views = psf.views(parameters.mixture)
            losses += removal_losses(p.tiled, amplitude, views, PRUNING)
        return losses

    def flux_slopes(self, candidates, phase, logs):
        """Derivative of log L by the flux of components that could be added, (C,) [nat / photon].

        This is ``sum_i w_i N_c(x_i) / lambda_i - e_c``.

        Parameters
        ----------
        candidates : Mixture
            Components; their own fluxes do not matter.
        phase : PhotonPhase
            Begun at the candidates.
        logs : list of (N_o,) arrays
            What `log_densities` returns at the present parameters.
        """
        unit = replace(candidates, fluxes=np.ones(len(candidates)))
        slopes = np.zeros(len(candidates))
        for p, psf, log in zip(self.prepared, phase.psfs, logs, strict=True):
            views = psf.views(unit)
            sums = view_sums(p.tiled, p.weights * np.exp(-log), views)
            seen = psf.weights.copy()
            if p.pyramid is not None:
                seen *= psf.exposures(p, views, psf.totals(unit))[:, 0].reshape(seen.shape)
            slopes += sums.reshape(seen.shape).sum(1) - seen.sum(1)
        return slopes

    def scores(self, parameters, phase, stride):
        """Derivatives of log lambda by all parameters at some photons; see `Likelihood.scores`.

        Photons lie in the order of their tiles, so that every stride-th one samples the sky
        evenly.
        """
        mixture = parameters.mixture
        sizes = [len(a) for a in parameters.amplitudes]
        first, n = 6 * len(mixture), 6 * len(mixture) + sum(sizes)
        found = []
        for p, psf, amplitude in zip(self.prepared, phase.psfs, parameters.amplitudes, strict=True):
            own = psf.scores(p, amplitude, parameters, phase, stride)
            if own.shape[1] < n:
                columns = [*range(6 * len(mixture)), *range(first, first + len(amplitude))]
                everything = np.zeros((len(own), n))
                everything[:, columns] = own
                own = everything
            first += len(amplitude)
            found.append(own)
        return found

    def density_ratios(self, candidates, phase, logs, stride):
        """N_c(x_i) / lambda_i of candidates at some photons; see `Likelihood.density_ratios`."""
        unit = replace(candidates, fluxes=np.ones(len(candidates)))
        ratios = []
        for p, psf, log in zip(self.prepared, phase.psfs, logs, strict=True):
            chosen = p.every(stride)
            ratios.append(
                density_ratios(
                    p.x[chosen],
                    p.y[chosen],
                    np.sqrt(stride * p.weights[chosen]),
                    log[chosen],
                    psf.views(unit),
                )
            )
        return ratios

    def wings(self, mixture):
        """Broad components that the mixture may lack.

        They are two round components about the signal's centre, of a third and half of the
        field's half-diagonal. Each has the flux of those fitted components that are at least half
        as wide, so that compact emission has no wings.
        """
        completeness = [p.observation.completeness for p in self.prepared if len(p.integrals)]
        areas = [(c.effective > 0).sum() * c.grid.cell_area for c in completeness]
        if not areas or not len(mixture):
            return Mixture.empty()
        half_diagonal = np.sqrt(max(areas) / 2)
        centre = np.average(mixture.means, axis=0, weights=mixture.fluxes)
        widths = np.linalg.det(mixture.covariances) ** 0.25
        sigmas = np.array([half_diagonal / 3, half_diagonal / 2])
        fluxes = np.array([mixture.fluxes[widths >= sigma / 2].sum() for sigma in sigmas])
        kept = fluxes > 0
        return Mixture(
            fluxes=fluxes[kept],
            means=np.tile(centre, (int(kept.sum()), 1)),
            covariances=(sigmas[kept] ** 2)[:, None, None] * np.eye(2),
        )
