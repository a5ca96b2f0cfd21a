"""Measures the vignetting of the mirrors with ACIS-I, the table of gmmx/telescope/instruments.py.

The exposure map of a simulation, 0.5 to 2 keV, is divided by its value on the axis. The table has
the medians over rings of 1 arcmin, in cells far from the edges of the chips.
"""

import warnings

import numpy as np
from common import is_missing
from galaxy import GALAXY, REALISATIONS
from scipy.ndimage import minimum_filter

from gmmx.io.events import read_events
from gmmx.io.maps import read_exposure
from gmmx.telescope.footprint import footprint, optical_axis

# Distance of the cells from the edges of the chips [arcsec].
AWAY_FROM_EDGES = 20.0
# Radius of the last ring [arcmin].
LAST = 12


def main():
    if is_missing(REALISATIONS):
        return
    warnings.simplefilter("ignore")
    events = read_events(GALAXY / "events.fits.gz")
    exposure = read_exposure(
        REALISATIONS / "expmap_hp.fits.gz",
        frame=events.frame,
        physical=events.physical,
        pointing=events.pointing,
    )
    # Without a direction of the axis the field has no vignetting, which is to be measured.
    field = footprint(events.noted(ra=None, dec=None), step=2.0)
    x, y = exposure.grid.centres()
    size = round(2 * AWAY_FROM_EDGES / exposure.grid.step)
    whole = minimum_filter(field.exposure_at(x, y), size) > 0.999
    axis = optical_axis(events)
    off_axis = np.hypot(x - axis[0], y - axis[1]) / 60
    radii = np.arange(LAST + 1)
    rings = [whole & (np.abs(off_axis - r) < (0.5 if r else 0.7)) for r in radii]
    inside = [exposure.exposure[ring] for ring in rings]
    values = np.array([np.median(one) if one.size else np.nan for one in inside])
    spread = np.array([np.std(one) if one.size else np.nan for one in inside])
    # On the axis there is only the corner of one chip, and chips differ by one or two percent.
    # The value on the axis is therefore that of a parabola through the first rings.
    _, top = np.polyfit(radii[1:6] ** 2, values[1:6], 1)
    largest = exposure.exposure.max()
    print(
        f"on the axis {top:.5g} cm^2 s, largest in the map {largest:.5g}"
        f" ({largest / top:.4f} of it)"
    )
    for r, value, scatter, ring in zip(radii, values / top, spread / top, rings, strict=True):
        print(f"  {r:2d} arcmin  {value:.4f} +- {scatter:.4f}  ({ring.sum()} cells)")
    print("vignetting =", tuple(np.round(np.append(1.0, values[1:] / top), 4).tolist()))


if __name__ == "__main__":
    main()
