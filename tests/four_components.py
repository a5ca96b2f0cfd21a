"""Four components on a flat sky: the observation that most tests of whole fits use."""

import warnings
from dataclasses import replace

import numpy as np
from simulated import drawn, field, mixture_of

from gmmx.fitting.driver import fit
from gmmx.model.background import Background
from gmmx.model.psf import PsfModel

SKY = (Background(),)
FOUR = mixture_of((1500, -40, -30, 3), (900, 35, 20, 8), (600, 30, -45, 1.5), (400, -35, 45, 12))


def make_four(seed=0, completeness=None, **options):
    """FOUR on a flat sky, seen through a PSF of 0.8 arcsec."""
    completeness = field(200, 2.0) if completeness is None else completeness
    rng = np.random.default_rng(seed)
    psf = PsfModel.constant(0.8)
    return drawn(FOUR, completeness, rng, psf=psf, sky=0.03, backgrounds=SKY, **options)


def bumps():
    """An exposure that falls off, with a gap and a mask, on coarse cells."""
    c = field(200, 2.0, exposure=100.0)
    x, y = c.grid.centres()
    exposure = 100 * np.clip(1 - 0.004 * np.hypot(x, y), 0, None) * (np.abs(x - 10) > 4)
    open_fraction = np.where(np.hypot(x + 40, y + 24) < 5, 0.0, 1.0)
    return replace(c, exposure=exposure, open_fraction=open_fraction, unit="s")


def quiet_fit(observations, **options):
    """A fit on one thread; its warnings are ignored."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fit(observations, **({"threads": 1} | options))


def nearest(mixture, truth):
    """Index of the component nearest to each true one."""
    distances = np.hypot(*(truth.means[:, None] - mixture.means[None]).transpose(2, 0, 1))
    return np.argmin(distances, axis=1)
