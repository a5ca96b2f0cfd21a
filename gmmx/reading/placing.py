"""Bring observations into the plane of a fit."""

import warnings
from dataclasses import replace

import numpy as np

from ..errors import DataError, DataWarning
from ..model.photons import Photons
from ..plane.resample import collected
from .background_amplitudes import warn_of_bright_backgrounds
from .psf import widened_by_pixel
from .reproject import moved

# Fraction of the photons on zero exposure from which a warning is due.
ON_ZERO_EXPOSURE = 0.02


def placed(observation, *, frame=None, bin=None):
    """Return an observation in a tangent plane, without the photons on zero exposure there.

    The exposure is looked up only in the plane of the fit, so that the same cuts leave the same
    photons whenever the file is read again.

    Parameters
    ----------
    observation : Observation
    frame : SkyFrame, optional
        The plane; the observation's own without it.
    bin : float, optional
        Side of cells in which photons are counted [arcsec]. Photons of a counts image stay in its
        pixels.

    Returns
    -------
    Observation

    Raises
    ------
    DataError
        If no photon is left.
    """
    observation = _exposed(observation if frame is None else moved(observation, frame))
    warn_of_bright_backgrounds(observation)
    if bin is None:
        return observation
    if observation.photons.pixel > 0:
        warnings.warn(
            f"{observation.name}: `bin` = {bin:g} is for event lists: the counts image keeps its "
            f"pixels of {observation.photons.pixel:.4g} arcsec",
            DataWarning,
            stacklevel=3,
        )
        return observation
    return _binned(observation, bin)


def _exposed(observation):
    """Drop the photons on zero exposure, with a warning if they are many."""
    exposed, events = observation.exposed(), observation.pointing.events_file.path
    lost = 1 - exposed.n_photons / observation.n_photons
    if len(exposed.photons) == 0:
        raise DataError(
            f"{events}: all {observation.n_photons:.0f} photons that are left after the cuts lie "
            "on zero exposure: check exposure map and masks"
        )
    if lost > ON_ZERO_EXPOSURE:
        warnings.warn(
            f"{events}: {lost:.1%} of the photons lie on zero exposure and are dropped: is the "
            "exposure map of these chips and this pointing?",
            DataWarning,
            stacklevel=4,
        )
    return exposed


def _binned(observation, cell):
    """Count the photons of an observation in square cells, and widen its PSF by the cell."""
    photons = observation.photons
    x, y, weights = collected(photons.x, photons.y, photons.weights, cell=cell)
    # The centre of a cell at the edge of a mask may be masked: photons of such a cell stay single.
    hidden = observation.completeness.effective_at(x, y) <= 0
    if hidden.any():
        cells = set(_cells_of(x[hidden], y[hidden], cell))
        single = np.array([one in cells for one in _cells_of(photons.x, photons.y, cell)])
        x = np.concatenate([x[~hidden], photons.x[single]])
        y = np.concatenate([y[~hidden], photons.y[single]])
        weights = np.concatenate([weights[~hidden], photons.weights[single]])
    return replace(
        observation,
        photons=Photons(x, y, weights=weights, pixel=float(cell)),
        psf=widened_by_pixel(observation.psf, cell),
    )


def _cells_of(x, y, cell):
    """Return the index (ix, iy) of the cell of each position."""
    return list(map(tuple, np.floor(np.column_stack([x, y]) / cell).astype(int).tolist()))
