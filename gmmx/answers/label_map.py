"""The component that most of the photons of each pixel are from, as an image of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..model.density import background_terms
from ..model.drawing import convolved, pixel_means
from ..model.field import Field
from ..plane.grid import PixelGrid, SkyImage
from .canvas import output_grid
from .membership import BACKGROUND, NOT_FITTED

if TYPE_CHECKING:
    from ..model.result import FitResult


def label_map(result: FitResult, grid: PixelGrid | None = None) -> SkyImage:
    """Image of component labels: a binning map for spectroscopy.

    The label of a pixel is the number of the component from which most of its recorded photons are
    expected, after the PSF and summed over all observations; -1 where the backgrounds together
    expect more than any component, and -2 where nothing was fitted: outside of the field and under
    masks.

    Parameters
    ----------
    result : FitResult
    grid : PixelGrid, optional
        Pixels; by default those of the first exposure map.

    Returns
    -------
    SkyImage

    Examples
    --------
    >>> import gmmx
    >>> rng = np.random.default_rng(0)
    >>> x, y = np.concatenate([rng.normal(-20, 3, (2, 600)), rng.normal(20, 3, (2, 400))], axis=1)
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=2, seed=1)
    >>> image = label_map(result, PixelGrid.covering((-30, 30), (-30, 30), 20.0))
    >>> image.at(np.array([-20.0, 20.0]), np.array([-20.0, 20.0]))
    array([0., 1.])
    """
    grid = output_grid(result) if grid is None else grid
    maps = [
        Field(o.completeness, result.reference_exposure).maps_on(grid) for o in result.observations
    ]
    most = np.zeros(grid.shape)
    for o, its in zip(result.observations, maps, strict=True):
        for term in background_terms(o, result.reference_exposure):
            most += term.amplitude * term.on(its)
    labels = np.full(grid.shape, BACKGROUND)
    for number in range(len(result.mixture)):
        component = result.mixture.select(np.array([number]))
        expected = sum(
            its.omega * pixel_means(*convolved(component, o.psf), grid)
            for o, its in zip(result.observations, maps, strict=True)
        )
        labels[expected > most] = number
        most = np.maximum(most, expected)
    seen = np.max([its.omega for its in maps], axis=0) > 0
    return SkyImage(
        grid=grid,
        values=np.where(seen, labels, NOT_FITTED),
        frame=result.frame,
        comments=(
            "Number of the component, as in the component table, from which most photons of the "
            "pixel are expected; -1: the backgrounds; -2: outside of the field or under a mask.",
        ),
    )
