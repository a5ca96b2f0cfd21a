"""Photons simulated from a fit: what the telescope would detect if the model were true."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..model.mixture import Mixture
from ..model.photons import Photons
from .photon_source import PhotonSource

if TYPE_CHECKING:
    from ..model.observation import Observation
    from ..model.result import FitResult


@dataclass(frozen=True, eq=False, repr=False)
class ParameterSet:
    """One set of parameters of a fit, from which photons are drawn.

    Attributes
    ----------
    mixture : Mixture
        Point sources included.
    amplitudes : tuple of (n_b,) arrays
        Of the backgrounds of each observation [photon / arcsec**2].
    numbers : (K,) integers
        The number of each component in the component table. Components that a draw has beyond
        those of the fit have the numbers that follow.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=2, seed=1)
    >>> ParameterSet.of(result).only([1])
    ParameterSet(component 1, 0 backgrounds)
    """

    mixture: Mixture
    amplitudes: tuple[np.ndarray, ...]
    numbers: np.ndarray

    @classmethod
    def of(cls, result: FitResult, draw: int | None = None) -> ParameterSet:
        """The best parameters of a fit, or those of one of its draws, which count from 0.

        Raises
        ------
        InputError
            If the fit has no such draw.
        """
        sizes = [len(o.backgrounds) for o in result.observations]
        if draw is None:
            every = [b.amplitude or 0.0 for o in result.observations for b in o.backgrounds]
            mixture, numbers = result.mixture, np.arange(len(result.mixture))
        else:
            draws = result.draws
            if draws is None:
                raise InputError(
                    f"`draw` = {draw}: the model has no draws: make them with `gmmx errors`",
                    parameter="draw",
                )
            if not 0 <= draw < len(draws):
                raise InputError(
                    f"`draw` = {draw}: the model has {len(draws)} draws, 0 to {len(draws) - 1}",
                    parameter="draw",
                )
            every = draws.amplitudes[draw]
            mixture, numbers = draws.mixture(draw), np.flatnonzero(draws.fluxes[draw] > 0)
        parts = np.split(np.asarray(every, float), np.cumsum(sizes)[:-1])
        return cls(mixture, tuple(parts), numbers)

    def __repr__(self):
        numbers, b = ", ".join(map(str, self.numbers)), sum(map(len, self.amplitudes))
        components = f"component{'s' * (len(self.numbers) != 1)} {numbers or 'none'}"
        return f"ParameterSet({components}, {b} background{'s' * (b != 1)})"

    def only(self, components: Iterable[int]) -> ParameterSet:
        """The same backgrounds with some of the components, by their numbers.

        Raises
        ------
        InputError
            If there is no such component.
        """
        chosen = sorted(set(components))
        absent = [number for number in chosen if number not in self.numbers]
        if absent:
            have = f"0 to {self.numbers.max()}" if len(self.numbers) else "none"
            raise InputError(
                f"`components` = {','.join(map(str, chosen))}: the parameters have no component "
                f"{absent[0]}: their numbers are {have}",
                parameter="components",
            )
        rows = np.flatnonzero(np.isin(self.numbers, chosen))
        return replace(self, mixture=self.mixture.select(rows), numbers=self.numbers[rows])


@dataclass(frozen=True, eq=False, repr=False)
class Simulation:
    """The simulated photons of one observation.

    Attributes
    ----------
    observation : Observation
        Like the one that was fitted, with the simulated photons in the place of the recorded
        ones, and with the exposure that they were simulated for.
    origin : (N,) integers
        Where each photon is from: the number of the component in the component table, or -1 - b
        for the b-th background of the observation.

    Examples
    --------
    `simulated` makes them.
    """

    observation: Observation
    origin: np.ndarray

    def __post_init__(self):
        origin = np.array(self.origin, np.int64)
        if origin.shape != self.photons.x.shape:
            raise InputError(
                f"Simulation.origin must be one integer for each of the {len(self.photons)} rows "
                f"of photons, got shape {origin.shape}"
            )
        origin.flags.writeable = False
        object.__setattr__(self, "origin", origin)

    def __repr__(self):
        name, n = self.observation.name, len(self.origin)
        n_background = int((self.origin < 0).sum())
        return f"Simulation({name}: {n:,} photons, {n_background:,} of them of backgrounds)"

    @property
    def photons(self) -> Photons:
        """The detected photons, one row each."""
        return self.observation.photons


def simulated(
    result: FitResult,
    rng: np.random.Generator,
    *,
    parameters: ParameterSet | None = None,
    exposure_scale: float = 1.0,
    with_psf: bool = True,
    in_pixels: bool = True,
) -> tuple[Simulation, ...]:
    """Simulate the photons of every observation of a fit.

    The number of photons is a Poisson number, and their density is the lambda(x) of the fit; see
    `gmmx.answers.photon_source`. 150,000 photons take a tenth of a second. To simulate one
    parameter set many times, make a `PhotonSource` for each observation once and draw from it.

    Parameters
    ----------
    result : FitResult
    rng : numpy.random.Generator
    parameters : ParameterSet, optional
        What is simulated; by default the best parameters of the fit.
    exposure_scale : float
        Factor on the exposure time of every observation; see `scaled`.
    with_psf : bool
        Whether the PSF spreads the photons. Without it the observations have no PSF.
    in_pixels : bool
        Whether photons that the fit counted in pixels are counted in these pixels again. Else
        they are single photons, and the PSF of the observations is that of the telescope alone.

    Returns
    -------
    tuple of Simulation
        One for each observation, with one row for each photon. The photons have no energies;
        `gmmx.answers.event_rows.rows_of` draws those.

    Raises
    ------
    InputError
        If the factor is not positive.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> simulated(result, np.random.default_rng(1), exposure_scale=3)
    (Simulation(observation: 1,201 photons, 0 of them of backgrounds),)
    """
    parameters = ParameterSet.of(result) if parameters is None else parameters
    found = []
    for o, amplitudes in zip(result.observations, parameters.amplitudes, strict=True):
        seen = o if with_psf else without_psf(o)
        seen = seen if in_pixels else not_in_pixels(seen)
        source = PhotonSource.of(
            seen, parameters.mixture, amplitudes, reference=result.reference_exposure
        )
        found.append(_simulation(source, parameters, rng, exposure_scale))
    return tuple(found)


def _simulation(source, parameters, rng, exposure_scale):
    """The simulation of one observation."""
    if not (np.isfinite(exposure_scale) and exposure_scale > 0):
        raise InputError(
            f"`exposure_scale` = {exposure_scale}: it must be a positive number",
            parameter="exposure_scale",
        )
    photons, origin = source.drawn(rng, exposure_scale)
    of_sky = origin >= 0
    origin[of_sky] = parameters.numbers[origin[of_sky]]
    longer = scaled(source.observation, exposure_scale)
    return Simulation(replace(longer, photons=photons, dropped={}), origin)


def without_psf(observation: Observation) -> Observation:
    """The observation with no PSF but that of the pixels, if its photons are counted in some."""
    side = observation.photons.pixel
    if side == 0 or observation.psf is None:
        return replace(observation, psf=None)
    return replace(observation, psf=type(observation.psf).constant(side / np.sqrt(12)))


def not_in_pixels(observation: Observation) -> Observation:
    """The observation without photons, as it was before they were counted in pixels.

    The variance of the pixel is taken out of the PSF. One that was nothing but the pixel's is
    left with a width that does not matter.
    """
    side, psf = observation.photons.pixel, observation.psf
    if side == 0:
        return observation
    if psf is not None:
        least = (1e-3 * side) ** 2
        covariances = psf.covariances - (side**2 / 12 - least) * np.eye(2)
        psf = replace(psf, covariances=covariances)
    return replace(observation, photons=Photons(np.zeros(0), np.zeros(0)), psf=psf)


def scaled(observation: Observation, factor: float) -> Observation:
    """The observation with another exposure time: everything that grows with it is multiplied.

    Parameters
    ----------
    observation : Observation
    factor : float

    Returns
    -------
    Observation
        With the same photons.
    """
    if factor == 1:
        return observation
    completeness, pointing = observation.completeness, observation.pointing
    if completeness is not None:
        completeness = replace(completeness, exposure=factor * completeness.exposure)
    if pointing.exposure_time is not None:
        pointing = replace(pointing, exposure_time=factor * pointing.exposure_time)
    pointing = replace(pointing, header=_longer(pointing.header, factor))
    backgrounds = tuple(
        replace(
            b,
            amplitude=None if b.amplitude is None else factor * b.amplitude,
            deviations=tuple(factor * one for one in b.deviations),
            prior=None if b.prior is None else (factor * b.prior[0], factor * b.prior[1]),
        )
        for b in observation.backgrounds
    )
    return replace(
        observation, completeness=completeness, pointing=pointing, backgrounds=backgrounds
    )


def _longer(header, factor):
    """The keywords of an observation of another exposure time."""
    found = {key: value for key, value in header.items() if key != "DATE-END"}
    for key in ("ONTIME", "LIVETIME", "EXPOSURE"):
        if isinstance(found.get(key), int | float):
            found[key] = factor * found[key]
    start, stop = found.get("TSTART"), found.get("TSTOP")
    if isinstance(start, int | float) and isinstance(stop, int | float):
        found["TSTOP"] = start + factor * (stop - start)
    return found
