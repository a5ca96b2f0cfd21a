"""An extended component and three point sources on a flat sky, and a list of the sources."""

from dataclasses import replace

import numpy as np
from simulated import drawn, field, mixture_of

from gmmx.fitting.point_sources import PointSources
from gmmx.model.background import Background
from gmmx.model.mixture import POINT_SIGMA
from gmmx.model.psf import PsfModel
from gmmx.plane.frame import PhysicalFrame, SkyFrame

TRUTH = mixture_of(
    (4000, 0, 0, 12),
    (900, 20, 5, POINT_SIGMA),
    (300, -15, 18, POINT_SIGMA),
    (120, -25, -20, POINT_SIGMA),
)
# The last one is not where it is listed.
LISTED = PointSources(x=[20.0, -15.0, -24.0], y=[5.0, 18.0, -20.5], reaches=[4.0, 4.0, 4.0])


def make_three_points():
    """An observation of TRUTH, with a PSF of 1.5 arcsec."""
    made = drawn(
        TRUTH,
        field(100, 1.0),
        np.random.default_rng(3),
        psf=PsfModel.constant(1.5),
        sky=0.1,
        backgrounds=(Background(amplitude=0.1),),
        name="three points",
    )
    physical = PhysicalFrame(x0=4096.5, y0=4096.5, step_x=0.492, step_y=0.492)
    return replace(made, frame=SkyFrame(150.0, 60.0), physical=physical)
