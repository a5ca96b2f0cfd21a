"""What is lost without an exposure map: the simulated galaxy with three kinds of exposure.

The galaxy is fitted with its exposure map, with the field and vignetting that gmmx infers without
a map, and with an even exposure over that field. Diffuse flux and background photons are given
over the truth. Without a map the reference exposure is 1 on the axis of the mirrors, which
corresponds to the maximum of the map.
"""

from dataclasses import replace

from astropy.io import fits
from common import run_parts
from galaxy import GALAXY, Truth, labelled, true_background

import gmmx
from gmmx.model.completeness import Completeness

MAP = GALAXY / "expmap.fits.gz"
PSFS = {"chandra": None, "psfmap": GALAXY / "psfmap.fits.gz", "none": "none"}


def exposures(psf):
    """The galaxy as observed with each kind of exposure, by name."""
    events, given = GALAXY / "events.fits.gz", {"mask": GALAXY / "sources.reg", "psf": psf}
    mapped = gmmx.read_observation(events, exposure=MAP, **given)
    without = gmmx.read_observation(events, **given)
    field = without.completeness
    even = Completeness(
        grid=field.grid, exposure=(field.exposure > 0) * 1.0, open_fraction=field.open_fraction
    )
    return {
        "exposure map": mapped,
        "no map": without,
        "even field": replace(without, completeness=even),
    }


def rows(psf, k=20):
    """One row for each kind of exposure.

    Yields
    ------
    name : str
    flux, background : float
        Over the truth.
    annuli : list of float
        Flux over the truth.
    seconds : float
    """
    truth = Truth()
    _, events, labels = labelled()
    with fits.open(MAP) as files:
        largest = float(files[0].data.max())
    for name, observation in exposures(psf).items():
        result = gmmx.fit(observation, n_components=k, seed=1)
        has_map = observation.completeness.has_flux_unit
        reference = result.reference_exposure if has_map else largest
        at_map = replace(result, reference_exposure=reference)
        background = result.background_photons / true_background(observation, events, labels)
        yield name, truth.total(at_map), background, truth.annuli(at_map), result.seconds


def table():
    """Print a row for each kind of PSF and of exposure."""
    print("marx/galaxy, --k 20 --mask sources.reg: over the truth")
    print("  exposure      PSF      flux    background   annuli")
    for title, psf in PSFS.items():
        for name, flux, background, annuli, seconds in rows(psf):
            print(
                f"  {name:12s}  {title:7s}  {flux:.4f}  {background:.4f}      "
                f"{' '.join(f'{a:.3f}' for a in annuli)}   {seconds:.1f} s",
                flush=True,
            )


if __name__ == "__main__":
    run_parts({"table": table})
