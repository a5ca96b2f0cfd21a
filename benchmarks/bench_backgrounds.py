"""Which background recovers the flux in the outskirts: simulated skies with known backgrounds.

The skies have a sky background, a particle background, half of each, and a readout streak. The
last part takes the amplitude from a source-free region. Name parts to run only them:
``python benchmarks/bench_backgrounds.py kinds streak region``.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from astropy.io import fits
from beta import N_BACKGROUND, N, beta_observations, fraction_within, photons_in_rings
from common import run_parts
from galaxy import (
    ANNULI,
    BACKGROUND,
    GALAXY,
    RINGS,
    Truth,
    chi2_of_next,
    labelled,
    observed,
    realisation,
    true_background,
)

import gmmx
from gmmx.model.completeness import reference_exposure
from gmmx.reading.source_free import fitted_amplitudes

STOWED = str(GALAXY / "bkgmap_pbkg.fits.gz")
KINDS = {
    "sky": ("sky",),
    "particle": ("particle",),
    "sky,particle": ("sky", "particle"),
    "FILE": (STOWED,),
    "sky,FILE": ("sky", STOWED),
}
# Header keywords of the event list that is made here.
KEYWORDS = (
    *("TELESCOP", "INSTRUME", "DETNAM", "OBS_ID", "EXPOSURE", "EXPTIME", "SIM_Z"),
    *("RA_PNT", "DEC_PNT", "ROLL_PNT", "RA_NOM", "DEC_NOM"),
)
AXIS_KEYWORDS = ("TCTYP", "TCRVL", "TCRPX", "TCDLT", "TCUNI")
# The corners of the field, beyond this radius, are free of sources [arcsec].
CORNERS = 520.0


def half_and_half(folder, seed=1):
    """Write an event list whose background is half sky, half particles, chosen at random.

    Returns
    -------
    path : Path
    rows : structured array
        The photons.
    labels : (n,) array of int
        Their true components.
    """
    rng = np.random.default_rng(seed)
    header, sky, sky_labels = labelled("events")
    _, particles, particle_labels = labelled("events_pbkg")
    from_sky = (sky_labels != BACKGROUND) | (rng.random(len(sky)) < 0.5)
    from_particles = (particle_labels == BACKGROUND) & (rng.random(len(particles)) < 0.5)
    names = [
        name
        for name in sky.dtype.names
        if name in particles.dtype.names and sky.dtype[name].shape == ()
    ]
    added = particles[names][from_particles].astype(sky[names].dtype)
    rows = np.concatenate([sky[names][from_sky], added])
    table = fits.BinTableHDU(rows, name="EVENTS")
    old = {header[f"TTYPE{i}"].upper(): i for i in range(1, header["TFIELDS"] + 1)}
    for number, column in enumerate(names, 1):
        if column in ("X", "Y"):
            for key in AXIS_KEYWORDS:
                table.header[f"{key}{number}"] = header[f"{key}{old[column]}"]
    for key in KEYWORDS:
        if key in header:
            table.header[key] = header[key]
    path = Path(folder) / "half.fits"
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
    return path, rows, np.concatenate([sky_labels[from_sky], particle_labels[from_particles]])


def print_row(name, numbers, tail=""):
    """Print a row of a table: its name, numbers, and a text."""
    cells = "".join(f"{number:9.4f}" for number in numbers)
    print(f"  {name:14s}{cells}  {tail}", flush=True)


def print_title(title, *names):
    """Print the title of a table and the names of its columns."""
    columns = ("total", *(f'{ring}"' for ring in RINGS), *names)
    print(f"\n{title}\n  {'':14s}" + "".join(f"{name:>9s}" for name in columns))


def kinds(k=20):
    """Fit sky, particles, and half of each, with every kind of background."""
    truth = Truth()
    with tempfile.TemporaryDirectory() as folder:
        cases = {
            "sky": (GALAXY / "events.fits.gz", *labelled("events")[1:]),
            "particles": (GALAXY / "events_pbkg.fits.gz", *labelled("events_pbkg")[1:]),
            "half sky, half particles": half_and_half(folder),
        }
        for name, (path, events, labels) in cases.items():
            print_title(f"marx/galaxy, background {name}, --k {k}: flux over truth", "backgr.")
            for kind, background in KINDS.items():
                result = gmmx.fit(observed(path, background=background), n_components=k, seed=1)
                true = true_background(result.observations[0], events, labels)
                parts = ", ".join(
                    f"{b.name.split('.')[0]} {b.photons:.0f} +- {b.photons_error:.0f}"
                    for b in result.backgrounds
                )
                over_truth = result.background_photons / true
                print_row(
                    kind,
                    [truth.total(result), *truth.annuli(result), over_truth],
                    f"+- {result.background_error / true:.4f};"
                    f" log L {result.log_likelihood:.1f}; {result.seconds:.0f} s; {parts}",
                )


def streak(k=20, n=4):
    """Fit realisations of the galaxy with and without the readout streak."""
    truth = Truth()
    print_title(
        f"marx/galaxy, {n} realisations, --k {k}: mean flux over truth; chi^2 per degree of freedom"
        " of the next one in blocks",
        *('4"', '16"', '64"'),
    )
    for background in (("sky",), ("sky", "streak")):
        results = [
            gmmx.fit(realisation(i, background=background), n_components=k, seed=1)
            for i in range(n)
        ]
        ratios = np.mean([[truth.total(r), *truth.annuli(r)] for r in results], axis=0)
        print_row(
            ",".join(background),
            [*ratios, *chi2_of_next(results)],
            f"log L {np.mean([r.log_likelihood for r in results]):.1f}",
        )


def region(k=30):
    """Fit a beta-model that fills the field, with three ways to have the background's amplitude."""
    base = observed(background=("sky",), psf="none")
    free, fixed, amplitude = beta_observations(base, 0)
    corners = np.hypot(*base.completeness.grid.centres()) > CORNERS
    source_free = replace(free, completeness=base.completeness.masked(corners.astype(float)))
    found = fitted_amplitudes(source_free, reference_exposure([base.completeness]))
    variants = {"free": free, "fixed": fixed, "from corners": replace(free, backgrounds=found)}
    fractions = np.diff([fraction_within(r) for r in ANNULI])
    print_title(
        f"beta-model that fills the field, {N} photons and {N_BACKGROUND} of background, K = {k}:"
        " flux over truth",
        "backgr.",
    )
    for name, observation in variants.items():
        result = gmmx.fit(observation, n_components=k, seed=1)
        rings = photons_in_rings(result, ANNULI) / N
        total = rings.sum() / fraction_within(ANNULI[-1])
        b = result.backgrounds[0]
        print_row(
            name,
            [total, *(rings / fractions), b.amplitude / amplitude],
            f"+- {b.amplitude_error / amplitude:.4f}; signal {result.mixture.fluxes.sum():.0f}"
            f" +- {result.signal_error:.0f}; correlation {b.correlation:+.2f}",
        )


if __name__ == "__main__":
    run_parts({"kinds": kinds, "streak": streak, "region": region})
