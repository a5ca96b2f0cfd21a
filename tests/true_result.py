"""A result that is the truth of its own photons: for figures, and for the numbers behind them."""

import numpy as np
from handmade import ellipse, make_result

from gmmx.model.background import Background
from gmmx.model.completeness import Completeness
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.pointing import Pointing
from gmmx.model.psf import PsfModel
from gmmx.plane.frame import SkyFrame
from gmmx.plane.grid import PixelGrid
from gmmx.plane.shapes import Shapes, Term, circle


def make_true_result(seed=0, *, background=0.08, step=4.0, n=100):
    """A result that is the truth of its own photons.

    Two ellipses and a flat sky, through a graded exposure with a gap, a mask and a PSF of 3 arcsec.
    """
    rng = np.random.default_rng(seed)
    grid = PixelGrid.covering((-200, 200), (-200, 200), step)
    x, y = grid.centres()
    exposure = 1e7 * np.where(np.abs(x - 60) < 8, 0.0, 1 - 0.4 * np.hypot(x, y) / 283)
    hole = circle(40, 40, 15)
    open_fraction = Shapes.of(Term(((hole, False),))).open_fraction(grid)
    completeness = Completeness(
        grid=grid, exposure=exposure, open_fraction=open_fraction, unit="cm**2 s"
    )
    mixture = Mixture(
        fluxes=np.array([9000.0, 3000]),
        means=np.array([[-20.0, 10], [30, -60]]),
        covariances=np.array([ellipse(40, 20, 30), ellipse(8, 5, 100)]),
    )
    photons = np.concatenate(
        [
            mixture.sample(rng.poisson(12000), rng),
            rng.uniform(-200, 200, (rng.poisson(background * 400**2), 2)),
        ]
    )
    photons[:12000] += rng.normal(0, 3, (12000, 2))
    chance = completeness.exposure_at(*photons.T) / exposure.max()
    keep = (rng.random(len(photons)) < chance) & ~hole.contains(*photons.T)
    observation = Observation(
        photons=Photons(photons[keep, 0], photons[keep, 1]),
        frame=SkyFrame(150, 2),
        completeness=completeness,
        psf=PsfModel.constant(3.0),
        backgrounds=(Background(amplitude=background),),
        masks=Shapes.of(Term(((hole, False),))),
        pointing=Pointing(
            target="made by hand", obs_id="7", exposure_time=5e4, band_kev=(0.5, 2.0)
        ),
    ).exposed()
    return make_result([observation], mixture)
