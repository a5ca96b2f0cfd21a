"""Several pointings stacked into one observation, for tools that take one event list.

The events are in one tangent plane, the exposure maps are summed, and the particle background is
flat on the detector, weighted with the exposure time.
"""

import numpy as np

from gmmx.model.background import Background
from gmmx.model.completeness import Completeness
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.psf import PsfModel, core_radius
from gmmx.plane.grid import PixelGrid, SkyImage
from gmmx.plane.resample import map_means

# Distance of the nodes of the stacked PSF [arcsec].
NODES = 20.0


def stacked(observations, *, merged=False):
    """Make one observation of several.

    Parameters
    ----------
    observations : list of Observation
        In one plane.
    merged : bool
        Whether the PSF is one Gaussian of the mean 39 % radius, as merge_obs averages PSF maps.
        Otherwise it is the sum of the PSFs, weighted with the exposures at each place, which is
        exact.

    Returns
    -------
    Observation
    """
    first = observations[0]
    ranges = np.array([o.completeness.grid.extent() for o in observations])
    low, high = ranges[..., 0].min(0), ranges[..., 1].max(0)
    step = first.completeness.grid.step
    grid = PixelGrid.covering((low[0], high[0]), (low[1], high[1]), step)
    exposures = _on(grid, observations, "exposure")
    completeness = Completeness(
        grid=grid,
        exposure=sum(exposures),
        open_fraction=_open_fraction(exposures, _on(grid, observations, "effective")),
        unit=first.completeness.unit,
    )
    seconds = [o.pointing.exposure_time for o in observations]
    times = sum(t * (e > 0) for t, e in zip(seconds, exposures, strict=True)) / sum(seconds)
    particles = Background(
        name="particle", kind="particle", template=SkyImage(grid=grid, values=times)
    )
    x, y, weights = (
        np.concatenate([getattr(o.photons, name) for o in observations])
        for name in ("x", "y", "weights")
    )
    return Observation(
        photons=Photons(x, y, weights=weights),
        frame=first.frame,
        completeness=completeness,
        psf=_stacked_psf(observations, completeness, merged),
        backgrounds=(Background(), particles),
        name="stacked",
    ).exposed()


def _on(grid, observations, name):
    """A map of each observation's completeness on one grid."""
    maps = [o.completeness for o in observations]
    return [map_means(getattr(one, name), one.grid, grid) for one in maps]


def _open_fraction(exposures, effective):
    """Summed effective exposure over summed exposure; 1 where there is none."""
    total = sum(exposures)
    seen = sum(effective) / np.where(total > 0, total, 1.0)
    return np.where(total > 0, np.clip(seen, 0, 1), 1.0)


def _stacked_psf(observations, completeness, merged):
    """The PSF of the stacked observations."""
    nodes = PixelGrid.covering(*completeness.grid.extent(), NODES)
    x, y = nodes.centres()
    least = 1e-9 * completeness.exposure.max()
    there = np.array([o.completeness.exposure_at(x, y) for o in observations]) + least
    weights, covariances, radii = [], [], []
    for o, fraction in zip(observations, there / there.sum(0), strict=True):
        c, s = o.psf.at(x.ravel(), y.ravel())
        weights.append(fraction[..., None] * c.reshape(*nodes.shape, -1))
        covariances.append(s.reshape(*nodes.shape, -1, 2, 2))
        radii.append(fraction * core_radius(c, s).reshape(nodes.shape))
    if not merged:
        return PsfModel(
            grid=nodes,
            weights=np.concatenate(weights, -1),
            covariances=np.concatenate(covariances, -3),
        )
    variances = sum(radii)[..., None] ** 2
    return PsfModel(
        grid=nodes,
        weights=np.ones_like(variances),
        covariances=variances[..., None, None] * np.eye(2),
    )
