"""Models of one sky in different tangent planes, made by hand."""

from dataclasses import replace

import numpy as np
from astropy.coordinates import SkyCoord
from handmade import ellipse, make_draws, make_result

from gmmx.model.completeness import Completeness
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.pointing import Pointing
from gmmx.plane.frame import SkyFrame
from gmmx.plane.grid import PixelGrid

# Components on the sky: right ascension and declination [deg], major and minor axis [arcsec] and
# position angle [deg].
SOURCES = ((150.01, 2.005, 12.0, 6.0, 30.0), (149.985, 1.99, 8.0, 8.0, 0.0))


def make_model(frame, *, fluxes=(3000.0, 1000.0), band=(0.5, 2.0), draws=0, seed=0, **changes):
    """A model of `SOURCES` in a tangent plane, with a field of 400 arcsec about its origin."""
    sources = np.array(SOURCES)[: len(fluxes)].reshape(-1, 5)
    # Positions come from astropy, so that gmmx's own way through the sky is what is tested.
    places = SkyCoord(*sources.T[:2], unit="deg").transform_to(frame.radesys.lower())
    x, y = frame.to_plane(places.ra.deg, places.dec.deg)
    north = frame.north(x, y)
    mixture = Mixture(
        fluxes=np.array(fluxes, float),
        means=np.stack([x, y], axis=1),
        covariances=np.reshape(
            [
                ellipse(major, minor, pa + turn)
                for (*_, major, minor, pa), turn in zip(sources, north, strict=True)
            ],
            (-1, 2, 2),
        ),
    )
    grid = PixelGrid.covering((-200, 200), (-200, 200), 4.0)
    observation = Observation(
        photons=Photons(*mixture.sample(200, np.random.default_rng(seed)).T)
        if len(mixture)
        else Photons([0.0], [0.0]),
        frame=frame,
        completeness=Completeness(grid=grid, exposure=np.full(grid.shape, 1e7), unit="cm**2 s"),
        pointing=Pointing(target="two sources", obs_id="7", exposure_time=5e4, band_kev=band),
    )
    result = make_result([observation], mixture, **changes)
    return replace(result, draws=make_draws(result, draws, seed)) if draws else result


HERE = SkyFrame(150.0, 2.0)
THERE = SkyFrame(150.02, 1.985)
