"""The PSF of a Chandra pointing with ACIS, from the library of Gaussian mixtures.

In detector axes, +DX is +DETX and +DY is +DETY of an event file. With X and Y west and north of
the pointing in its tangent plane,

    DX = X cos(ROLL_PNT) - Y sin(ROLL_PNT),    DY = X sin(ROLL_PNT) + Y cos(ROLL_PNT),

theta = |D| and phi = atan2(DY, DX). A direction at an angle a from +DX towards +DY is at
a - ROLL_PNT from west towards north.
"""

import numpy as np

from ..model.psf import PsfModel
from ..plane.frame import SkyFrame
from ..plane.grid import PixelGrid
from .psf_library import PsfLibrary

# Distance of the nodes [arcsec]. Bilinear interpolation between them has an error in encircled
# energy of 0.001 in the median over a field, and of 0.004 within 3' of the axis (0.02 at worst).
# It costs at most 0.003 nat per photon.
NODE_STEP = 20.0
# Energy of photons if it is not known [keV].
USUAL_ENERGY = 1.5
# Variance per axis that event positions have beyond that of the library, by PIX_ADJ [arcsec**2].
# The library has the 0.06 arcsec of EDSER. Without it photons lie at the centres of pixels of
# 0.492 arcsec, or are scattered over them.
PIXEL_VARIANCE = {"EDSER": 0.0, "NONE": 0.142**2 - 0.06**2, "RANDOMIZE": 0.20**2 - 0.06**2}


def pointing_psf(
    library: PsfLibrary,
    detector: str,
    *,
    frame: SkyFrame,
    pointing: tuple[float, float],
    roll: float,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    energies_kev: np.ndarray | None = None,
    step: float = NODE_STEP,
) -> PsfModel:
    """Return the PSF of a pointing over a rectangle in the plane, for a spectrum of photons.

    Parameters
    ----------
    library : PsfLibrary
    detector : str
        "ACIS-I" or "ACIS-S".
    frame : SkyFrame
        The plane in which the PSF is wanted.
    pointing : (float, float)
        RA_PNT and DEC_PNT, the optical axis [deg].
    roll : float
        ROLL_PNT [deg].
    x_range, y_range : (float, float)
        The rectangle [arcsec].
    energies_kev : (N,) array, optional
        Energies of the photons [keV]; without them all have `USUAL_ENERGY`.
    step : float
        Distance of the nodes [arcsec].

    Returns
    -------
    PsfModel
        M = 3 Gaussians for each node. Weights are fractions of the photons within 60 arcsec of a
        source.
    """
    energies_kev = np.array([USUAL_ENERGY]) if energies_kev is None else energies_kev
    library = library.seen_as(detector, energies_kev)
    grid = PixelGrid.covering(
        (x_range[0] - step, x_range[1] + step), (y_range[0] - step, y_range[1] + step), step
    )
    x, y = (v.ravel() for v in grid.centres())
    axis = SkyFrame(*pointing, frame.radesys)
    west, north = axis.to_plane(*frame.to_sky(x, y))
    theta, phi = _in_detector(west, north, roll)
    weights, covariances = (values[:, 0] for values in library.at(detector, theta, phi))
    # From detector axes to those of the plane of the pointing, and from there to those of the
    # frame, where north may have another direction.
    turn = np.nan_to_num(frame.north(x, y) - axis.north(west, north)) - roll
    covariances = _turned(covariances, np.radians(turn))
    m = weights.shape[-1]
    return PsfModel(
        grid=grid,
        weights=weights.reshape(*grid.shape, m),
        covariances=covariances.reshape(*grid.shape, m, 2, 2),
    )


def _in_detector(west, north, roll):
    """Return off-axis angles [arcmin] and azimuths [deg] of offsets [arcsec] from the axis."""
    sine, cosine = np.sin(np.radians(roll)), np.cos(np.radians(roll))
    dx, dy = west * cosine - north * sine, west * sine + north * cosine
    # Nothing is visible at 90 degrees from the axis, where the projection ends.
    theta = np.nan_to_num(np.hypot(dx, dy) / 60, nan=np.inf)
    return theta, np.nan_to_num(np.degrees(np.arctan2(dy, dx)))


def _turned(covariances, angles):
    """Return covariances (n, M, 2, 2) that are turned counter-clockwise by (n,) angles [rad]."""
    c, s = np.cos(angles), np.sin(angles)
    rotation = np.stack([c, -s, s, c], axis=1).reshape(-1, 1, 2, 2)
    return rotation @ covariances @ np.swapaxes(rotation, -1, -2)
