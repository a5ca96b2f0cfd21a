"""What an exposure map is worth: the ray-traced galaxy fitted with its map, with the built-in field alone, and with an even field.

Diffuse flux and background photons over the truth; without a map the reference exposure is 1, the mirrors' axis, which the map's maximum stands for.
Reads the simulated observations from $GMMX_TEST_DATA (default ../shared/data beside the repository).
"""

import time
import warnings
from dataclasses import replace

from astropy.io import fits
from bench_accuracy import GALAXY, Truth, true_background

import gmmx
from gmmx import errors
from gmmx.model.completeness import Completeness


def rows(k=20, psf=GALAXY / "psfmap.fits.gz"):
    """(name, flux over truth, background over truth, flux in annuli over truth, seconds) of each way to have an exposure."""
    truth = Truth()
    with (
        fits.open(GALAXY / "events.fits.gz") as files,
        fits.open(GALAXY / "labels.fits.gz") as labels,
    ):
        events = {
            "X": files["EVENTS"].data["X"],
            "Y": files["EVENTS"].data["Y"],
            "COMP": labels[1].data["COMP"],
        }
    with fits.open(GALAXY / "expmap.fits.gz") as files:
        largest = float(files[0].data.max())
    given = {"mask": GALAXY / "sources.reg", "psf": psf}
    mapped = gmmx.read_observation(
        GALAXY / "events.fits.gz", exposure=GALAXY / "expmap.fits.gz", **given
    )
    alone = gmmx.read_observation(GALAXY / "events.fits.gz", **given)
    field = alone.completeness
    even = replace(
        alone,
        completeness=Completeness(
            grid=field.grid, exposure=(field.exposure > 0) * 1.0, open_fraction=field.open_fraction
        ),
    )
    for name, observation in (("exposure map", mapped), ("no map", alone), ("even field", even)):
        result = gmmx.fit(observation, n_components=k, seed=1)
        scale = (
            1.0 if observation.completeness.has_flux_unit else result.reference_exposure / largest
        )
        at_map = replace(result, reference_exposure=result.reference_exposure / scale)
        background = result.background_photons / true_background(observation, events)
        yield name, truth.total(at_map), background, truth.annuli(at_map), result.seconds


def main():
    warnings.simplefilter("ignore", errors.GmmxWarning)
    began = time.perf_counter()
    print("marx/galaxy, --k 20 --mask sources.reg: over the truth")
    print("  exposure      PSF      flux    background   annuli")
    for title, psf in (("chandra", None), ("psfmap", GALAXY / "psfmap.fits.gz"), ("none", "none")):
        for name, flux, background, annuli, seconds in rows(psf=psf):
            print(
                f"  {name:12s}  {title:7s}  {flux:.4f}  {background:.4f}      {' '.join(f'{a:.3f}' for a in annuli)}   {seconds:.1f} s",
                flush=True,
            )
    print(f"{time.perf_counter() - began:.0f} s in all")


if __name__ == "__main__":
    main()
