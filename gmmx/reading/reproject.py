"""Move an observation into another tangent plane."""

from dataclasses import replace

import numpy as np

from ..errors import DataError
from ..plane.affine import MAX_RESIDUAL, affine_grid, resampled
from ..plane.grid import PixelGrid


def moved(observation, frame):
    """Return an observation in another tangent plane.

    Photons go through the sky. Grids follow by the nearest affine map, if it is exact to 0.02
    pixel; otherwise the maps are resampled. Masks stay in the plane where they are exact.

    Parameters
    ----------
    observation : Observation
    frame : SkyFrame
        The new plane. In its own plane the observation stays as it is.

    Returns
    -------
    Observation

    Raises
    ------
    DataError
        If photons have no image in the new plane.
    """
    if frame == observation.frame:
        return observation
    way = _Way(observation.frame, frame)
    x, y = way.there(observation.photons.x, observation.photons.y)
    if not np.all(np.isfinite(x)):
        raise DataError(
            f"{observation.name}: its photons are on the other side of the sky from the tangent "
            "point of the frame: fit it alone"
        )
    return replace(
        observation,
        photons=replace(observation.photons, x=x, y=y),
        frame=frame,
        completeness=_moved_completeness(observation.completeness, way),
        psf=_moved_psf(observation.psf, way),
        backgrounds=tuple(_moved_background(b, way) for b in observation.backgrounds),
        # Sky pixels of the telescope exist in their own tangent plane only.
        physical=None,
        masks_frame=observation.masks_frame or observation.frame,
    )


class _Way:
    """The way from one tangent plane to another, and back."""

    def __init__(self, own, frame):
        self.own, self.frame = own, frame

    def there(self, x, y):
        """Return positions of the old plane in the new one [arcsec]."""
        return self.own.to_frame(self.frame, x, y)

    def back(self, x, y):
        """Return positions of the new plane in the old one [arcsec]."""
        return self.frame.to_frame(self.own, x, y)

    def grid(self, old):
        """Return the affine grid that is nearest to a grid of the old plane, and its error."""
        return affine_grid(old.shape, lambda ix, iy: self.there(*old.to_plane(ix, iy)))

    def maps(self, old, *maps):
        """Return a grid in the new plane, and maps on it.

        Parameters
        ----------
        old : PixelGrid
        *maps : (array, float)
            Values on the old grid, and the value outside of it.
        """
        grid, residual = self.grid(old)
        if residual < MAX_RESIDUAL:
            return grid, *(values for values, _ in maps)

        def place(ix, iy):
            return self.there(*old.to_plane(ix, iy))

        def unplace(x, y):
            return old.to_pixels(*self.back(x, y))

        found = [resampled(values, place, unplace, fill=fill) for values, fill in maps]
        return found[0][0], *(values for _, values in found)


def _moved_completeness(old, way):
    grid, exposure, open_fraction = way.maps(
        old.grid, (old.exposure, 0.0), (old.open_fraction, 1.0)
    )
    return replace(old, grid=grid, exposure=exposure, open_fraction=open_fraction)


def _moved_background(old, way):
    if old.template is None:
        return old
    grid, values = way.maps(old.template.grid, (old.template.values, 0.0))
    return replace(old, template=replace(old.template, grid=grid, values=values))


def _moved_psf(psf, way):
    """Move the nodes of a PSF, and rotate its Gaussians."""
    if psf is None or psf.is_round_everywhere:
        return psf
    # The PSF varies over many nodes, so that the error of the affine map does not matter.
    grid, _ = way.grid(psf.grid)
    turn = _rotation(psf.grid, grid)
    return replace(psf, grid=grid, covariances=turn @ psf.covariances @ turn.T)


def _rotation(old, new):
    """Return the rotation (2, 2) nearest to the linear map from one grid's steps to another's."""
    steps = PixelGrid(shape=old.shape, origin=old.origin, matrix=new.matrix).matrix
    u, _, v = np.linalg.svd(steps @ old.inverse)
    return u @ v
