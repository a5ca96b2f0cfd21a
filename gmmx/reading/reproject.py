"""An observation in another tangent plane than its own."""

from dataclasses import replace

import numpy as np

from ..errors import DataError
from ..plane.affine import MAX_RESIDUAL, affine_grid, resampled
from ..plane.grid import PixelGrid


def moved(observation, frame):
    """The observation in another tangent plane: photons through the sky, grids by the nearest affine map, exact to 0.02 pixel or else resampled.

    Masks stay as they are, in the plane that they are exact in. In the plane that it is in already, nothing of an observation changes.
    """
    own = observation.frame
    if frame == own:
        return observation

    def there(x, y):
        return frame.to_plane(*own.to_sky(x, y))

    def back(x, y):
        return own.to_plane(*frame.to_sky(x, y))

    x, y = there(observation.photons.x, observation.photons.y)
    if not np.all(np.isfinite(x)):
        raise DataError(
            f"{observation.name}: its photons are on the other side of the sky from the frame's tangent point: fit it alone"
        )
    completeness, blur = observation.completeness, observation.psf
    grid, exposure, open_share = _moved_maps(
        completeness.grid, there, back, (completeness.exposure, 0.0), (completeness.open_share, 1.0)
    )
    completeness = replace(completeness, grid=grid, exposure=exposure, open_share=open_share)
    backgrounds = []
    for b in observation.backgrounds:
        if b.template is not None:
            grid, values = _moved_maps(b.template.grid, there, back, (b.template.values, 0.0))
            b = replace(b, template=replace(b.template, grid=grid, values=values))
        backgrounds.append(b)
    if blur is not None and not blur.is_round_everywhere:
        # The blur varies over many nodes: what the affine map errs by does not matter.
        grid = affine_grid(blur.grid.shape, lambda ix, iy: there(*blur.grid.to_plane(ix, iy)))[0]
        turn = _rotation(blur.grid, grid)
        blur = replace(blur, grid=grid, covariances=turn @ blur.covariances @ turn.T)
    # The telescope's sky pixels are a scale of their own tangent plane, in no other.
    return replace(
        observation,
        photons=replace(observation.photons, x=x, y=y),
        frame=frame,
        completeness=completeness,
        psf=blur,
        backgrounds=tuple(backgrounds),
        physical=None,
        masks_frame=observation.masks_frame or own,
    )


def _moved_maps(old, there, back, *maps):
    """A grid in another plane, and the maps on it, pairs of values and what lies outside them."""
    grid, residual = affine_grid(old.shape, lambda ix, iy: there(*old.to_plane(ix, iy)))
    if residual < MAX_RESIDUAL:
        return grid, *(values for values, _ in maps)
    ways = (lambda ix, iy: there(*old.to_plane(ix, iy))), (lambda x, y: old.to_pixels(*back(x, y)))
    found = [resampled(values, *ways, fill=fill) for values, fill in maps]
    return found[0][0], *(values for _, values in found)


def _rotation(old, new):
    """The rotation (2, 2) that is nearest to the linear map from one grid's steps to another's."""
    u, _, v = np.linalg.svd(
        PixelGrid(shape=old.shape, origin=old.origin, matrix=new.matrix).matrix @ old.inverse
    )
    return u @ v
