"""PSF maps whose radii are those of another unit or another encircled fraction."""

from collections.abc import Iterator

import numpy as np

from ...model.psf import core_radius
from ...telescope.aim_point import aim_detector
from .energies import fraction_overridden
from .evidence import Evidence

# Off-axis angles of the table [arcmin], and radii of Chandra's ACIS there that hold three fractions
# of the PSF, at 1 keV in the mean over azimuths, by the built-in library [arcsec].
ANGLES = (2.0, 4.0, 6.0, 8.0, 10.0)
FRACTIONS = (0.393, 0.5, 0.9)
RADII = (
    (0.35, 0.63, 1.17, 2.01, 3.25),
    (0.41, 0.76, 1.45, 2.62, 4.36),
    (0.81, 1.72, 3.59, 6.29, 9.71),
)
# The radii with ACIS-S at the focus, relative to these, beyond 3 arcmin: its chips are not tilted
# towards the focal surface.
ON_ACIS_S = 1.3
# Ratios of a map's radii to these from which a warning is due. Energies, azimuths and the round
# shape of a map's PSF change them by a quarter; pixels of 2" in place of arcsec by 2, and a
# fraction of 0.9 taken for 0.39 by 3.
PLAUSIBLE = (0.68, 1.6)
# Where radii are compared: off the axis, where they do not depend on the pixels [arcmin].
COMPARED = (3.0, 10.0)
# No telescope for X-rays that focuses has a wider core [arcsec]: that of ASCA has 80.
LARGEST_SIGMA = 150.0


def implausible_radii(e: Evidence) -> Iterator[str]:
    """Compare the radii of a PSF map of Chandra's ACIS with those of the telescope.

    The radii at the map's own encircled fraction are compared with those of the built-in PSF at
    3 to 10 arcmin off the axis, and the median of their ratios is taken.
    """
    pointing, psf = e.recorded.pointing, e.psf.psf
    if e.instrument.psf != "chandra" or len(e.psf_maps) != 1 or psf is None:
        return
    header = e.psf_maps[0]
    fraction = e.options.psf_ecf or header.number("ECF")
    if fraction is None or pointing.ra is None or pointing.dec is None:
        return
    if not FRACTIONS[0] - 0.05 < fraction < FRACTIONS[-1] + 0.02:
        return
    if any(fraction_overridden(e)):
        # That has a warning of its own.
        return
    x, y = (v.ravel() for v in psf.grid.centres())
    off_axis = np.hypot(*np.subtract((x, y), np.reshape(_axis(e), (2, 1)))) / 60
    some = np.flatnonzero((off_axis > COMPARED[0]) & (off_axis < COMPARED[1]))
    photons = e.recorded.photons
    near = _within(x[some], y[some], photons)
    some = some[near][:: max(1, near.sum() // 300)]
    if len(some) < 10:
        return
    m = psf.n_gaussians
    radii = core_radius(
        psf.weights.reshape(-1, m)[some], psf.covariances.reshape(-1, m, 2, 2)[some], fraction
    )
    on_s = ON_ACIS_S if aim_detector(e.recorded)[0] == "ACIS-S" else 1.0
    usual = [on_s * np.interp(off_axis[some], ANGLES, row) for row in RADII]
    expected = np.array([np.interp(fraction, FRACTIONS, one) for one in zip(*usual, strict=True)])
    ratio = float(np.median(radii / expected))
    if PLAUSIBLE[0] < ratio < PLAUSIBLE[1]:
        return
    yield (
        f"{header.path}: with ECF {fraction:g} and BUNIT {header.text('BUNIT') or 'arcsec'!r} its "
        f"radii are {ratio:.2g} times those of Chandra off the axis: are they in pixels, or do "
        "they hold another fraction (ECF) of the PSF? Correct BUNIT, or give `psf_ecf`"
    )


def wider_than_any_telescope(e: Evidence) -> Iterator[str]:
    """Compare the PSF with telescopes: none that focuses has a core of 150".

    A sigma in pixels or degrees, or a PSF image of other pixels, makes one.
    """
    psf = e.psf.psf
    if psf is None:
        return
    middle = psf.grid.shape[0] // 2, psf.grid.shape[1] // 2
    radius = float(core_radius(psf.weights[middle][None], psf.covariances[middle][None])[0])
    if radius > LARGEST_SIGMA:
        yield (
            f"{', '.join(map(str, e.psf.files)) or e.name}: `psf`: the core of the PSF has a sigma "
            f'of {radius:.3g}", more than any telescope: is it in pixels, or the map in another '
            "unit? Sigmas are in arcsec"
        )


def _axis(e):
    """Return where the optical axis is in the plane [arcsec]."""
    pointing = e.recorded.pointing
    return np.array(e.recorded.frame.to_plane(pointing.ra, pointing.dec))


def _within(x, y, photons):
    """Whether positions lie within the rectangle around the photons."""
    return (
        (x > photons.x.min())
        & (x < photons.x.max())
        & (y > photons.y.min())
        & (y < photons.y.max())
    )
