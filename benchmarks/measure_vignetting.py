"""Measure the vignetting of ACIS-I from a ray-traced exposure map, 0.5 to 2 keV.

It is the table in gmmx/telescope/instruments.py.

The values are medians over rings of 1 arcmin, of the exposure over that on the axis, in cells far
from the edges of the chips. Reads $GMMX_TEST_DATA (default ../shared/data).
"""

import os
import warnings
from pathlib import Path

import numpy as np
from scipy.ndimage import minimum_filter

from gmmx.io.events import read_events
from gmmx.io.maps import read_exposure
from gmmx.telescope.footprint import footprint, optical_axis

DATA = (
    Path(os.environ.get("GMMX_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    / "marx"
)
AWAY_FROM_EDGES = 20.0
LAST = 12


def main():
    warnings.simplefilter("ignore")
    events = read_events(DATA / "galaxy/events.fits.gz")
    exposure = read_exposure(
        DATA / "realisations/galaxy/expmap_hp.fits.gz",
        frame=events.frame,
        physical=events.physical,
        pointing=events.pointing,
    )
    # Without a direction of the axis the field has no vignetting, which is to be measured.
    field = footprint(events.noted(ra=None, dec=None), step=2.0)
    x, y = exposure.grid.centres()
    whole = (
        minimum_filter(field.exposure_at(x, y), round(2 * AWAY_FROM_EDGES / exposure.grid.step))
        > 0.999
    )
    axis = optical_axis(events)
    off_axis = np.hypot(x - axis[0], y - axis[1]) / 60
    centres = np.arange(LAST + 1)
    rings = [whole & (np.abs(off_axis - r) < (0.5 if r else 0.7)) for r in centres]
    values = np.array(
        [np.median(exposure.exposure[ring]) if ring.any() else np.nan for ring in rings]
    )
    spread = [np.std(exposure.exposure[ring]) if ring.any() else np.nan for ring in rings]
    # On the axis is the corner of one chip only, and chips differ by a per cent or two. So the
    # value there is that of the parabola through the first rings.
    _, top = np.polyfit(centres[1:6] ** 2, values[1:6], 1)
    print(
        f"on the axis {top:.5g} cm^2 s, largest in the map {exposure.exposure.max():.5g} "
        f"({exposure.exposure.max() / top:.4f} of it)"
    )
    for r, value, scatter, ring in zip(centres, values / top, spread / top, rings, strict=True):
        print(f"  {r:2d} arcmin  {value:.4f} +- {scatter:.4f}  ({ring.sum()} cells)")
    print("vignetting =", tuple(np.round(np.append(1.0, values[1:] / top), 4).tolist()))


if __name__ == "__main__":
    main()
