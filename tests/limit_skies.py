"""Skies in which one amount, a background or a component, has few photons or none."""

from typing import NamedTuple

import numpy as np
from simulated import drawn, field, mixture_of

from gmmx.fitting.driver import fit
from gmmx.model.background import Background
from gmmx.model.mixture import Fixed, Mixture
from gmmx.model.observation import Observation
from gmmx.model.psf import PsfModel

PSF = PsfModel.constant(0.8)
SIDE = 120.0
# Photons of the sky under a component, and of the extended source that is always there.
SKY, SOURCE = 2000.0, 400.0
# Width of the component whose flux alone is fitted [arcsec]; a narrow one is seen as the PSF.
WIDTHS = {"point source": 0.1, "broad component": 5.0}
KINDS = ("background", *WIDTHS)


class LimitSky(NamedTuple):
    """Photons, and the components that a fit starts from, the first ones all free."""

    observation: Observation
    start: Mixture
    fixed: tuple[Mixture, Fixed] | None


def make_sky(kind, level, seed):
    """A sky with `level` photons of the amount that is sought.

    Parameters
    ----------
    kind : str
        One of KINDS: the background of a sky with one extended source, or a component of known
        position and shape over a background beside an extended source.
    level : float
        Expected photons.
    seed : int
    """
    rng, field_map = np.random.default_rng(seed), field(SIDE, 1.0)
    if kind == "background":
        source = mixture_of((SOURCE, 0, 0, 8))
        sky = level / SIDE**2
        observation = drawn(source, field_map, rng, psf=PSF, sky=sky, backgrounds=(Background(),))
        return LimitSky(observation, source, None)
    source, place = mixture_of((SOURCE, -25, 10, 6)), (12, -4)
    faint = mixture_of((max(level, 1e-9), *place, WIDTHS[kind]))
    observation = drawn(
        source.joined(faint),
        field_map,
        rng,
        psf=PSF,
        sky=SKY / SIDE**2,
        backgrounds=(Background(),),
    )
    known = Fixed(fluxes=[False], means=[True], covariances=[True])
    return LimitSky(observation, source, (mixture_of((10.0, *place, WIDTHS[kind])), known))


class Found(NamedTuple):
    """The fitted photons, their error and their upper limit at 95 %."""

    value: float
    error: float
    limit: float


def found_in(sky):
    """Fit a sky; the amount that is sought."""
    result = fit(sky.observation, start=sky.start, fixed=sky.fixed, threads=1)
    if sky.fixed is None:
        b = result.backgrounds[0]
        return Found(b.photons, b.photons_error, b.photons_upper95)
    k = int(np.flatnonzero(result.fixed.means)[0])
    values = result.mixture.fluxes[k], result.flux_errors[k], result.flux_upper95[k]
    return Found(*map(float, values))
