"""Fit the amplitudes of backgrounds in a source-free region and keep them fixed."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..em.tiles import prepare
from ..errors import InputError
from ..model.completeness import reference_exposure
from ..model.observation import Observation
from ..model.pointing import SkyBrightness
from .background import FLUX_BRIGHTNESS
from .masks import cut_regions

# Least photons of a background, because a background that exists has a logarithm.
LEAST_PHOTONS = 1e-6
RELATIVE_BRIGHTNESS = "photon/arcsec**2 per unit of exposure"


def fixed_in_source_free_region(chosen, lists, recorded, completeness, open_fraction):
    """Fit the amplitudes of backgrounds in a source-free region and keep them fixed.

    Parameters
    ----------
    chosen : ChosenBackgrounds
    lists : RegionLists
        The masks of the observation, and the source-free region.
    recorded : EventList or CountsImage
        Photons of the chosen chips and band, before any mask.
    completeness : Completeness
        Without any mask.
    open_fraction : callable
        As for `cut_regions`.

    Returns
    -------
    ChosenBackgrounds

    Raises
    ------
    InputError
        If no amplitude is free, or the region has no photon or nothing of a background.
    """
    (regions,), reference = lists.regions, reference_exposure([completeness])
    names = ", ".join(one.name for one in regions)
    if all(b.fixed for b in chosen.backgrounds):
        raise InputError(
            f"{names}: no background is left whose amplitude could be fitted in a region: leave "
            "out `background_region`, or the amplitudes",
            parameter="background_region",
        )
    # The same masks were cut out of the whole field before, with all warnings.
    cut = cut_regions(recorded, completeness, lists, open_fraction, warn=False)
    alone = Observation(
        photons=cut.recorded.photons,
        frame=recorded.frame,
        completeness=cut.completeness,
        backgrounds=chosen.backgrounds,
        name=names,
    ).exposed()
    try:
        found = fitted_amplitudes(alone, reference)
    except InputError as error:
        raise InputError(f"{names}: {str(error).removeprefix(f'{names}: ')}") from None
    short = ", ".join(Path(one.name).name for one in regions)
    choice = (
        f"{chosen.choice}; amplitudes fitted to the {alone.n_photons:,.0f} photons in {short} "
        "and kept fixed"
    )
    brightness = chosen.sky_brightness
    for sky in (b for b in found if b.kind == "sky" and b.deviations):
        unit = FLUX_BRIGHTNESS if completeness.has_flux_unit else RELATIVE_BRIGHTNESS
        brightness = SkyBrightness(sky.amplitude / reference, unit)
    return replace(chosen, backgrounds=found, choice=choice, sky_brightness=brightness)


def fitted_amplitudes(observation, reference):
    """Return the backgrounds with the amplitudes that fit a source-free observation, fixed.

    They maximise the concave function

        sum_i w_i log sum_b B_b q_b(x_i) - sum_b B_b int q_b

    of the free amplitudes B_b. The errors are those of its curvature,
    ``sum_i w_i q_b q_c / lambda**2``: for a single background the relative error is one over the
    square root of the number of photons.

    Parameters
    ----------
    observation : Observation
        Photons and completeness of the source-free region alone.
    reference : float
        Reference exposure that the amplitudes refer to: that of the whole observation.

    Returns
    -------
    tuple of Background
        In the order of the observation's. Backgrounds that were fixed stay as they are.

    Raises
    ------
    InputError
        If there is no photon, or a background has no open sky in the region.
    """
    backgrounds = observation.backgrounds
    fitted = [i for i, b in enumerate(backgrounds) if not b.fixed]
    if not fitted:
        return backgrounds
    observation = observation.exposed()
    n = observation.n_photons
    if n <= 0:
        raise InputError(
            "no photon lies in it on open, exposed sky: choose a region with background photons"
        )
    prepared = prepare(observation, reference)
    known = np.array([b.amplitude if b.fixed else 0.0 for b in backgrounds])
    integrals = prepared.integrals[fitted]
    terms = _Terms(
        # In units of photons, where all numbers are of one size.
        ratios=prepared.ratios[fitted] / integrals[:, None],
        rest=known @ prepared.ratios,
        weights=prepared.weights,
        n_photons=n,
    )
    start = max(n - float(known @ prepared.integrals), 0.1 * n) / len(fitted)
    photons = terms.maximised(np.full(len(fitted), start))
    deviations = terms.deviations(photons)
    made = list(backgrounds)
    for row, (i, integral) in enumerate(zip(fitted, integrals, strict=True)):
        made[i] = replace(
            made[i],
            amplitude=float(photons[row] / integral),
            fixed=True,
            deviations=tuple(deviations[row] / integral),
        )
    return tuple(made)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Terms:
    """The likelihood of the photons that each of several backgrounds makes.

    Attributes
    ----------
    ratios : (B, N) array
        Density of each background at each photon, per photon that it makes.
    rest : (N,) array
        Density of the backgrounds that are fixed.
    weights : (N,) array
    n_photons : float
        Sum of the weights.
    """

    ratios: np.ndarray
    rest: np.ndarray
    weights: np.ndarray
    n_photons: float

    def loss(self, photons):
        """Return the negative log-likelihood per photon, and its gradient."""
        w, n = self.weights, self.n_photons
        density = photons @ self.ratios + self.rest
        value = float(photons.sum() - w @ np.log(density)) / n
        return value, (1 - self.ratios @ (w / density)) / n

    def maximised(self, start):
        """Return the photons of each background at the maximum of the likelihood."""
        # Imported here, because importing it takes a tenth of a second.
        from scipy.optimize import minimize

        return minimize(
            self.loss,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=[(LEAST_PHOTONS, None)] * len(start),
            options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 1000},
        ).x

    def deviations(self, photons):
        """Return a matrix D whose product D D^T is the covariance of the photons."""
        scores = self.ratios * np.sqrt(self.weights) / (photons @ self.ratios + self.rest)
        # Backgrounds that the region cannot tell apart have only their sum determined: a trace of
        # information keeps the matrix regular.
        trace = np.eye(len(photons)) * 1e-9 / self.n_photons
        values, vectors = np.linalg.eigh(scores @ scores.T + trace)
        return vectors / np.sqrt(values)
