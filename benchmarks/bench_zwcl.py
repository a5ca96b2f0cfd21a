"""Compares a joint fit of three real observations with a fit of each, by radial profiles.

The observations are counts images of the cluster ZwCl 2341.1+0000 in three ACIS-I pointings,
real/zwcl2341_acisi. Profiles of counts against model are printed for all fits.

``--background`` is that of `gmmx fit`, once for all pointings; ``{}`` in it is replaced by the
ObsID, and commas separate the backgrounds of each pointing. Without it each pointing has a sky
background and its stowed image, both with fitted amplitudes. ``--only joint`` or ``--only 17490``
runs one fit.

The counts and the stowed images are cut to a field that is smaller than that of the exposure maps:
they are empty within about 40 arcsec of the edges of the chips. The exposure is therefore set to
zero there, by `trimmed`. ``--whole`` leaves the maps as they are.
"""

import argparse
import os
import resource
import tempfile
import time
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
from astropy.io import fits
from common import DATA, is_missing
from profiles import ANNULI, INNER, chi2, degrees_of_freedom, profile
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.special import gammaincc

import gmmx
from gmmx.errors import DataWarning

CLUSTER = DATA / "real" / "zwcl2341_acisi"
OBSIDS = ("5786", "17170", "17490")
# The deepest pointing, which gives the centre of the cluster.
DEEPEST = "17490"
STOWED = str(CLUSTER / "{}_bin4_500-2000_bgstow_goodreg.img.gz")
COUNTS = str(CLUSTER / "srcfree_bin4_500-2000_{}_band1_thresh.img.gz")
EXPOSURE = str(CLUSTER / "srcfree_bin4_500-2000_{}_band1_thresh.expmap_nosrcedg.gz")
# Sigma of the smoothing for the centre [arcsec].
SMOOTHING = 12.0
# Radius of a circle that is empty only outside the field [pixel]: with 0.15 stowed counts a pixel,
# one circle in 3e7 is empty by chance.
EMPTY = 6.0


def trimmed(obsid, folder):
    """Write an exposure map that is zero outside the field of the counts.

    The field is the morphological closing of counts and stowed counts by a disc.

    Returns
    -------
    path : str
    cut : float
        Fraction of the exposure that was cut.
    """
    counts = sum(fits.getdata(path.format(obsid)).astype(float) for path in (STOWED, COUNTS))
    near = distance_transform_edt(counts == 0) <= EMPTY
    field = distance_transform_edt(near) > EMPTY
    path = Path(folder) / f"{obsid}.expmap"
    with fits.open(EXPOSURE.format(obsid)) as files:
        exposure = files[0].data
        cut = 1 - exposure[field].sum(dtype=float) / exposure.sum(dtype=float)
        values = np.where(field, exposure, 0).astype(np.float32)
        fits.PrimaryHDU(values, files[0].header).writeto(path, overwrite=True)
    return str(path), cut


def observed(obsids, background, exposures):
    """Read pointings with exposure maps, the mask of 250 shapes and the PSF of counts images."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return gmmx.read_observations(
            [COUNTS.format(o) for o in obsids],
            exposure=tuple(exposures[o] for o in obsids),
            mask=(str(CLUSTER / "zwcl2341_sources_phys_excl.reg"),),
            background=tuple(background.format(*[o] * background.count("{}")) for o in obsids),
        )


def centre(observation):
    """The centre of the cluster in the plane of an observation [arcsec].

    It is the maximum of smoothed counts over smoothed exposure in well exposed pixels.
    """
    completeness, photons = observation.completeness, observation.photons
    grid, sigma = completeness.grid, SMOOTHING / completeness.grid.step
    seen = gaussian_filter(completeness.effective / completeness.exposure.max(), sigma)
    smooth = gaussian_filter(grid.histogram(photons.x, photons.y, photons.weights), sigma)
    bright = np.where(seen > 0.5 * seen.max(), smooth / np.maximum(seen, 1e-12), 0.0)
    x, y = grid.centres()
    return x.flat[bright.argmax()], y.flat[bright.argmax()]


def compare(given, exposures):
    """Fit each pointing and all jointly, and print the results and the profiles."""
    cases = {o: (o,) for o in OBSIDS} | {"joint": OBSIDS}
    # All pointings have one tangent plane.
    profiles, about = {}, centre(observed((DEEPEST,), "sky", exposures)[0])
    for name, obsids in cases.items():
        if given.only and name not in given.only:
            continue
        began = time.perf_counter()
        observations = observed(obsids, given.background, exposures)
        read = time.perf_counter() - began
        if name != "joint":
            choices = observations[0].pointing.choices
            print(f"\n{name}: PSF {choices['psf']}; background {choices['background']}")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = gmmx.fit(observations, n_components=given.k or "auto")
        profiles[name] = profile(gmmx.render(result), about)
        print_fit(name, result, read)
        print_chi2(result, profiles[name], about)
        print_components(obsids, result)
        for warning in caught:
            print(f"  {warning.message}", flush=True)
    print_profiles(profiles)


def print_fit(name, result, read):
    """Print the sizes and times of a fit."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name}: {result.n_photons:,.0f} photons, K {len(result.mixture)}, read in {read:.1f} s,"
        f" fitted in {result.seconds:.0f} s, {peak:.0f} MB at most so far"
    )


def print_chi2(result, its_profile, about):
    """Print the chi^2 of the profile of a fit."""
    total, used = chi2(*its_profile)
    left = degrees_of_freedom(result, about, used)
    print(
        f"  chi^2 {total:.1f} in {used.sum()} annuli beyond {INNER:g} arcsec, {left:.1f} degrees of"
        f" freedom: {total / left:.2f} per degree ({total / used.sum():.2f} per annulus), by chance"
        f" as large in {100 * gammaincc(left / 2, total / 2):.0f} %"
    )


def print_components(obsids, result):
    """Print the backgrounds and the components of a fit."""
    for b in result.backgrounds:
        obsid = next(o for o in obsids if o in b.observation)
        kind = "stowed" if "bgstow" in b.name else b.name
        print(f"  {obsid} {kind}: {b.photons:,.0f} +- {b.photons_error:,.0f} photons")
    widths = np.linalg.det(result.mixture.covariances) ** 0.25
    parts = [f"{f:,.0f} at {w:.0f}" for f, w in zip(result.mixture.fluxes, widths, strict=True)]
    print(f"  components, photons at sigma [arcsec]: {', '.join(parts)}", flush=True)


def print_profiles(profiles):
    """Print counts and deviations in each annulus."""
    print("\ncounts and (counts - expected) / sqrt(expected) in annuli [arcsec] about the centre")
    print(" ".join(["   annulus", *(f"{name:>15}" for name in profiles)]))
    for j, (low, high) in enumerate(pairwise(ANNULI)):
        cells = []
        for counts, expected in profiles.values():
            deviation = (counts[j] - expected[j]) / np.sqrt(max(expected[j], 1e-300))
            cells.append(f"{counts[j]:8.0f} {deviation:+6.2f}")
        print(" ".join([f"{low:4d} - {high:3d}", *cells]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--background", default=f"sky,{STOWED}")
    parser.add_argument("--only", action="append", choices=(*OBSIDS, "joint"))
    parser.add_argument("--k", type=int, help="number of components (default: chosen)")
    parser.add_argument("--whole", action="store_true", help="leave the exposure maps as they are")
    given = parser.parse_args()
    if is_missing(CLUSTER):
        return
    exposures = {o: EXPOSURE.format(o) for o in OBSIDS}
    background = given.background.replace(str(CLUSTER) + os.sep, "")
    print(
        f"ZwCl 2341.1+0000, real data that are not part of the project; backgrounds: {background}"
    )
    with tempfile.TemporaryDirectory() as folder:
        if not given.whole:
            cuts = {o: trimmed(o, folder) for o in OBSIDS}
            exposures = {o: path for o, (path, _) in cuts.items()}
            parts = ", ".join(f"{o} {100 * cut:.1f} % less" for o, (_, cut) in cuts.items())
            print(f"exposure cut to the field of the counts: {parts}")
        compare(given, exposures)


if __name__ == "__main__":
    main()
