"""Counts images of a real cluster, ZwCl 2341.1+0000 in three ACIS-I pointings: radial profiles of data against model, fitted one at a time and jointly.

Needs the real data: real/zwcl2341_acisi in $GMMX_TEST_DATA (default ../shared/data beside the repository); without them it says so and ends.
``--background`` is that of `gmmx fit`, once for all pointings; ``{}`` in it stands for the ObsID, and commas join what each pointing has. Without it: sky and
the stowed image of each pointing, both levels fitted. ``--only joint`` or ``--only 17490`` leaves the other fits out.

The counts and the stowed images have been cut to a field that is smaller than the exposure maps' (nothing at all within some 40 arcsec of the chips' edges), so
the exposure is set to zero there: `trimmed`. ``--whole`` leaves the maps as they are.
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
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.special import gammaincc

from gmmx import errors, fit, render
from gmmx.config import FitConfig
from gmmx.io.virtual import parse_file_argument
from gmmx.model.density import background_terms
from gmmx.model.drawing import convolved, pixel_means
from gmmx.model.mixture import Mixture
from gmmx.reading.door import observations_of

DATA = (
    Path(os.environ.get("GMMX_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    / "real"
    / "zwcl2341_acisi"
)
OBSIDS = ("5786", "17170", "17490")
ANNULI = np.array(
    [
        0,
        5,
        10,
        15,
        20,
        30,
        40,
        50,
        60,
        80,
        100,
        120,
        150,
        180,
        210,
        240,
        280,
        320,
        360,
        400,
        450,
        500,
        550,
        600,
        660,
        720,
        800,
    ]
)
# The profile counts from here on: inside, a few photons and the choice of the centre decide [arcsec].
INNER = 10.0
SMOOTHING = 12.0
STOWED = str(DATA / "{}_bin4_500-2000_bgstow_goodreg.img.gz")
COUNTS = str(DATA / "srcfree_bin4_500-2000_{}_band1_thresh.img.gz")
EXPOSURE = str(DATA / "srcfree_bin4_500-2000_{}_band1_thresh.expmap_nosrcedg.gz")
# With 0.15 stowed counts a pixel, one circle in 3e7 of this radius is empty by chance [pixel].
EMPTY = 6.0
# An annulus needs as many expected photons for its chi^2 to follow the distribution of that name.
LEAST = 10.0


def trimmed(obsid, folder):
    """An exposure map that is zero outside of the field of counts and stowed counts, their morphological closing by a disc: (path, share that was cut)."""
    counts = sum(fits.getdata(path.format(obsid)).astype(float) for path in (STOWED, COUNTS))
    near = distance_transform_edt(counts == 0) <= EMPTY
    field = distance_transform_edt(near) > EMPTY
    with fits.open(EXPOSURE.format(obsid)) as files:
        exposure = files[0].data
        cut = 1 - exposure[field].sum(dtype=float) / exposure.sum(dtype=float)
        path = Path(folder) / f"{obsid}.expmap"
        fits.PrimaryHDU(np.where(field, exposure, 0).astype(np.float32), files[0].header).writeto(
            path, overwrite=True
        )
    return str(path), cut


def observed(obsids, background, exposures):
    """The pointings as the command line would read them, each with its exposure map, the mask of 250 shapes and the PSF that counts images get."""
    config = FitConfig(
        exposure=tuple(exposures[o] for o in obsids),
        mask=(str(DATA / "zwcl2341_sources_phys_excl.reg"),),
        background=tuple(background.format(*[o] * background.count("{}")) for o in obsids),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", errors.DataWarning)
        return observations_of([parse_file_argument(COUNTS.format(o)) for o in obsids], config)


def centre(observation):
    """The cluster's centre: where counts over exposure, both smoothed, are brightest on well exposed sky [arcsec]."""
    completeness = observation.completeness
    grid, sigma = completeness.grid, SMOOTHING / completeness.grid.step
    seen = gaussian_filter(completeness.effective / completeness.exposure.max(), sigma)
    smooth = gaussian_filter(
        grid.histogram(observation.photons.x, observation.photons.y, observation.photons.weights),
        sigma,
    )
    bright = np.where(seen > 0.5 * seen.max(), smooth / np.maximum(seen, 1e-12), 0.0)
    x, y = grid.centres()
    return x.flat[bright.argmax()], y.flat[bright.argmax()]


def profile(images, about):
    """Counts and expected counts in annuli about a place, two (n,) arrays."""
    x, y = images.counts.grid.centres()
    ring = np.digitize(np.hypot(x - about[0], y - about[1]).ravel(), ANNULI) - 1
    return tuple(
        np.bincount(ring, image.values.ravel(), len(ANNULI))[: len(ANNULI) - 1]
        for image in (images.counts, images.expected)
    )


def _moved(mixture):
    """For each parameter of a mixture the one or two mixtures whose images give the derivative by it: (factor, plus, minus or None)."""
    for k in range(len(mixture)):
        one = mixture.select([k])
        yield 1.0, one, None
        covariance, sigma = one.covariances[0], np.sqrt(np.linalg.eigvalsh(one.covariances[0])[0])
        for axis in range(2):
            step = 0.01 * sigma * np.eye(2)[axis]
            yield (
                0.5,
                *(
                    Mixture(
                        fluxes=one.fluxes,
                        means=one.means + sign * step,
                        covariances=one.covariances,
                    )
                    for sign in (1, -1)
                ),
            )
        for i, j in ((0, 0), (0, 1), (1, 1)):
            change = np.zeros((2, 2))
            change[i, j] = change[j, i] = 0.02 * sigma**2
            yield (
                0.5,
                *(
                    Mixture(
                        fluxes=one.fluxes,
                        means=one.means,
                        covariances=(covariance + sign * change)[None],
                    )
                    for sign in (1, -1)
                ),
            )


def freedom(result, about, used):
    """Degrees of freedom of chi^2 over annuli: what of their number the fit, made on all photons and not on the profile, has left.

    To first order the residuals of a Poisson fit with derivatives J of the expected counts have the covariance V - J I^-1 J^T, V = diag(expected) and
    I = J^T V^-1 J, so that Pearson's chi^2 of annuli A is expected to be ``n - sum_a (A J I^-1 J^T A^T)_aa / expected_a``. A background at zero is at its
    bound and not counted among the parameters.
    """
    alive = [i for i, b in enumerate(result.backgrounds) if not b.fixed and b.photons > 1]
    n = 6 * len(result.mixture) + len(alive)
    information, slopes, expected, b = (
        np.zeros((n, n)),
        np.zeros((len(ANNULI) - 1, n)),
        np.zeros(len(ANNULI) - 1),
        0,
    )
    for o in result.observations:
        c = o.completeness
        seen = c.effective > 0
        omega, maps = (
            c.effective[seen] / result.reference_exposure,
            [
                term.on(term.field.own_maps())[seen] * c.grid.cell_area
                for term in background_terms(o, result.reference_exposure)
            ],
        )

        def counts(mixture, o=o, seen=seen, omega=omega):
            return (
                pixel_means(*convolved(mixture, o.psf), o.completeness.grid)[seen]
                * omega
                * o.completeness.grid.cell_area
            )

        columns = np.zeros((n, len(omega)))
        for column, (factor, plus, minus) in zip(columns, _moved(result.mixture), strict=False):
            column[:] = factor * (counts(plus) - (0 if minus is None else counts(minus)))
        for q in maps:
            if b in alive:
                columns[6 * len(result.mixture) + alive.index(b)] = q
            b += 1
        model = counts(result.mixture) + np.array([one.amplitude for one in o.backgrounds]) @ maps
        information += (columns / np.maximum(model, 1e-12)) @ columns.T
        x, y = c.grid.centres()
        ring = np.digitize(np.hypot(x - about[0], y - about[1])[seen], ANNULI) - 1
        for j in range(len(ANNULI) - 1):
            slopes[j] += columns[:, ring == j].sum(1)
            expected[j] += model[ring == j].sum()
    unit = np.sqrt(np.maximum(np.diag(information), 1e-300))
    taken = np.einsum(
        "ai,ij,aj->a",
        slopes / unit,
        np.linalg.pinv(information / np.outer(unit, unit), rcond=1e-10, hermitian=True),
        slopes / unit,
    )
    return used.sum() - float((taken / np.maximum(expected, 1e-300))[used].sum())


def chi2(counts, expected):
    """Pearson's chi^2 beyond the inner radius, and which annuli it is made of."""
    used = (ANNULI[:-1] >= INNER) & (expected > LEAST)
    return float(((counts - expected) ** 2 / np.maximum(expected, 1e-300))[used].sum()), used


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--background", default=f"sky,{STOWED}")
    parser.add_argument("--only", action="append")
    parser.add_argument(
        "--k", type=int, help="components to reach, in place of as many as are worth their price"
    )
    parser.add_argument(
        "--whole",
        action="store_true",
        help="exposure maps as they are, beyond the field of the counts",
    )
    arguments = parser.parse_args()
    if not DATA.is_dir():
        print(f"no observations of ZwCl 2341.1+0000 at {DATA}: set GMMX_TEST_DATA")
        return
    with tempfile.TemporaryDirectory() as folder:
        exposures = {o: EXPOSURE.format(o) for o in OBSIDS}
        print(
            f"ZwCl 2341.1+0000, real data that are not part of the project; backgrounds: {arguments.background.replace(str(DATA) + os.sep, '')}"
        )
        if not arguments.whole:
            cuts = {o: trimmed(o, folder) for o in OBSIDS}
            exposures = {o: path for o, (path, _) in cuts.items()}
            print(
                "exposure cut to the field of the counts: "
                + ", ".join(f"{o} {100 * cut:.1f} % less" for o, (_, cut) in cuts.items())
            )
        compare(arguments, exposures)


def compare(arguments, exposures):
    """Fit, and print what came out of it."""
    cases = {o: (o,) for o in OBSIDS} | {"joint": OBSIDS}
    # The deepest pointing tells where the centre is, for all; the three share one tangent plane.
    profiles, about = {}, centre(observed(("17490",), "sky", exposures)[0])
    for name, obsids in cases.items():
        if arguments.only and name not in arguments.only:
            continue
        began = time.perf_counter()
        observations = observed(obsids, arguments.background, exposures)
        read = time.perf_counter() - began
        if name != "joint":
            print(
                f"\n{name}: PSF {observations[0].pointing.choices['psf']}; background {observations[0].pointing.choices['background']}"
            )
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = fit(observations, n_components=arguments.k)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        profiles[name] = profile(render(result), about)
        total, used = chi2(*profiles[name])
        left = freedom(result, about, used)
        photons = sum(o.n_photons for o in observations)
        print(
            f"{name}: {photons:,.0f} photons, K {len(result.mixture)}, read in {read:.1f} s, fitted in {result.seconds:.0f} s, {peak:.0f} MB at most so far"
        )
        print(
            f"  chi^2 {total:.1f} in {used.sum()} annuli beyond {INNER:g} arcsec, {left:.1f} degrees of freedom: {total / left:.2f} per degree"
            f" ({total / used.sum():.2f} per annulus), by chance as large in {100 * gammaincc(left / 2, total / 2):.0f} %"
        )
        for b in result.backgrounds:
            obsid = next(o for o in obsids if o in b.observation)
            print(
                f"  {obsid} {'sky' if b.kind == 'sky' else 'stowed' if 'bgstow' in b.name else b.name}: {b.photons:,.0f} +- {b.photons_error:,.0f} photons"
            )
        widths = np.linalg.det(result.mixture.covariances) ** 0.25
        print(
            "  components, photons at sigma [arcsec]: "
            + ", ".join(
                f"{f:,.0f} at {w:.0f}" for f, w in zip(result.mixture.fluxes, widths, strict=True)
            )
        )
        for w in caught:
            print(f"  {w.message}", flush=True)
    print("\ncounts and (counts - expected) / sqrt(expected) in annuli [arcsec] about the centre")
    print(" ".join(["   annulus", *(f"{name:>15}" for name in profiles)]))
    for j, (low, high) in enumerate(pairwise(ANNULI)):
        cells = [
            f"{counts[j]:8.0f} {(counts[j] - expected[j]) / np.sqrt(max(expected[j], 1e-300)):+6.2f}"
            for counts, expected in profiles.values()
        ]
        print(" ".join([f"{low:4d} - {high:3d}", *cells]))


if __name__ == "__main__":
    main()
