"""The beam of a figure: the ellipse that stands for the PSF at one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..model.psf import core_radius

if TYPE_CHECKING:
    from ..model.result import FitResult


def beam_at(result: FitResult, place: tuple[float, float]) -> np.ndarray | None:
    """The ellipse that holds 39 % of the PSF at a place, as a covariance (2, 2) [arcsec**2].

    It has the area of the circle that holds 39 %, which is that of 1 sigma for a round Gaussian,
    and the form of the PSF's Gaussians, weighted with their peaks. In a joint fit the PSF is the
    mean over the observations that have one. None without a PSF.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> psf = gmmx.PsfModel.constant(0.5)
    >>> observation = gmmx.Observation(photons=gmmx.Photons(x, y), psf=psf)
    >>> beam_at(gmmx.fit(observation, n_components=1), (0.0, 0.0)).round(6)
    array([[0.25, 0.  ],
           [0.  , 0.25]])
    """
    x, y = np.array(place)[:, None]
    parts = [o.psf.at(x, y) for o in result.observations if o.psf is not None]
    if not parts:
        return None
    weights = np.concatenate([one[0] for one, _ in parts]) / len(parts)
    covariances = np.concatenate([one[0] for _, one in parts])
    roots = np.sqrt(np.linalg.det(covariances))
    form = np.einsum("m,mij->ij", weights / roots, covariances)
    radius = core_radius(weights[None], covariances[None])[0]
    return form * radius**2 / np.sqrt(np.linalg.det(form))
