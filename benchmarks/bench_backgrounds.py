"""What each kind of background is worth: ray-traced skies with sky, particles and half of each, a readout streak, and levels from a source-free region.

Reads the simulated observations from $GMMX_TEST_DATA as bench_accuracy.py does. Name parts to run only them: ``python benchmarks/bench_backgrounds.py kinds``.
"""

import tempfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from astropy.io import fits
from bench_accuracy import (
    ANNULI,
    DATA,
    GALAXY,
    Truth,
    beta_sky,
    block_chi2,
    inside_share,
    run_parts,
)

import gmmx
from gmmx.model.background import Background
from gmmx.model.completeness import reference_exposure
from gmmx.model.drawing import pixel_means
from gmmx.model.photons import Photons
from gmmx.plane.grid import PixelGrid
from gmmx.reading.source_free import fitted_amplitudes

BACKGROUND = -1
STOWED = str(GALAXY / "bkgmap_pbkg.fits.gz")
KINDS = {
    "sky": ("sky",),
    "particle": ("particle",),
    "sky,particle": ("sky", "particle"),
    "FILE": (STOWED,),
    "sky,FILE": ("sky", STOWED),
}
RINGS = [f'{low}-{high}"' for low, high in pairwise(ANNULI)]


def observed(events, background, **options):
    """The galaxy's events, point sources masked."""
    maps = {
        "exposure": GALAXY / "expmap.fits.gz",
        "psf": GALAXY / "psfmap.fits.gz",
        "mask": GALAXY / "sources.reg",
    }
    return gmmx.read_observation(
        events, energy_kev=(0.5, 2), background=background, **(maps | options)
    )


def labelled(name):
    """Header, photons and true component of every photon of one of the galaxy's event lists."""
    suffix = name.removeprefix("events")
    with (
        fits.open(GALAXY / f"{name}.fits.gz") as files,
        fits.open(GALAXY / f"labels{suffix}.fits.gz") as labels,
    ):
        return (
            files["EVENTS"].header.copy(),
            np.array(files["EVENTS"].data),
            np.array(labels["LABELS"].data["COMP"]),
        )


def half_and_half(folder, seed=1):
    """An event list whose background is half sky, half particles, at random; its path and its labels."""
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
    rows = np.concatenate(
        [sky[names][from_sky], particles[names][from_particles].astype(sky[names].dtype)]
    )
    table = fits.BinTableHDU(rows, name="EVENTS")
    old = {header[f"TTYPE{i}"].upper(): i for i in range(1, header["TFIELDS"] + 1)}
    for number, column in enumerate(names, 1):
        for key in ("TCTYP", "TCRVL", "TCRPX", "TCDLT", "TCUNI"):
            if column in ("X", "Y"):
                table.header[f"{key}{number}"] = header[f"{key}{old[column]}"]
    for key in (
        "TELESCOP",
        "INSTRUME",
        "DETNAM",
        "OBS_ID",
        "EXPOSURE",
        "EXPTIME",
        "RA_PNT",
        "DEC_PNT",
        "ROLL_PNT",
        "RA_NOM",
        "DEC_NOM",
        "SIM_Z",
    ):
        if key in header:
            table.header[key] = header[key]
    path = Path(folder) / "half.fits"
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
    return path, np.concatenate([sky_labels[from_sky], particle_labels[from_particles]])


def true_background(path, labels, observation):
    """Background photons that the masks leave."""
    with fits.open(path) as files:
        x, y = observation.physical.to_plane(files["EVENTS"].data["X"], files["EVENTS"].data["Y"])
    return int(
        (
            (labels == BACKGROUND)
            & ~observation.masks.contains(x, y)
            & (observation.completeness.effective_at(x, y) > 0)
        ).sum()
    )


def row(name, numbers, tail=""):
    print(
        f"  {name:14s}" + "".join(f"{number:9.4f}" for number in numbers) + f"  {tail}", flush=True
    )


def head(title, *names):
    print(f"\n{title}\n  {'':14s}" + "".join(f"{name:>9s}" for name in ("total", *RINGS, *names)))


def kinds(k=20):
    """Sky, particles, and half of each, each fitted with every kind of background."""
    truth = Truth()
    with tempfile.TemporaryDirectory() as folder:
        mixed = half_and_half(folder)
        cases = {
            "sky": (GALAXY / "events.fits.gz", labelled("events")[2]),
            "particles": (GALAXY / "events_pbkg.fits.gz", labelled("events_pbkg")[2]),
            "half sky, half particles": mixed,
        }
        for name, (path, labels) in cases.items():
            head(f"marx/galaxy, background {name}, --k {k}: flux over truth", "backgr.")
            for kind, background in KINDS.items():
                result = gmmx.fit(observed(path, background), n_components=k, seed=1)
                true = true_background(path, labels, result.observations[0])
                parts = ", ".join(
                    f"{b.name.split('.')[0]} {b.photons:.0f} +- {b.photons_error:.0f}"
                    for b in result.backgrounds
                )
                ratios = [
                    truth.total(result),
                    *truth.annuli(result),
                    result.background_photons / true,
                ]
                row(
                    kind,
                    ratios,
                    f"+- {result.background_error / true:.4f}; log L {result.log_likelihood:.1f}; {result.seconds:.0f} s; {parts}",
                )


def streak(k=20, n=4):
    """Realisations of the galaxy with and without the readout streak; chi^2 of the next realisation in blocks."""
    truth, folder = Truth(), DATA / "realisations" / "galaxy"
    for name, background in (("sky", ("sky",)), ("sky,streak", ("sky", "streak"))):
        results = []
        for i in range(n):
            observation = observed(
                folder / f"events_{i:02d}.fits.gz",
                background,
                exposure=folder / "expmap_hp.fits.gz",
            )
            results.append(gmmx.fit(observation, n_components=k, seed=1))
        if name == "sky":
            head(
                f"marx/galaxy, {n} realisations, --k {k}: mean flux over truth; chi^2 per degree of freedom of the next one in blocks",
                '4"',
                '16"',
                '64"',
            )
        chi2 = [
            [
                block_chi2(results[i], results[(i + 1) % n].observations[0], size)
                for size in (4, 16, 64)
            ]
            for i in range(n)
        ]
        ratios = np.mean([[truth.total(r), *truth.annuli(r)] for r in results], axis=0)
        row(
            name,
            [*ratios, *np.mean(chi2, axis=0)],
            f"log L {np.mean([r.log_likelihood for r in results]):.1f}",
        )


def region(k=30, n=130_000, n_sky=60_000):
    """A beta-model that fills the field: the sky's level free, held at the truth, and taken from the corners of the field."""
    base = replace(observed(GALAXY / "events.fits.gz", ("sky",), psf="none"), psf=None)
    x, y, level = beta_sky(np.random.default_rng(0), base.completeness, n, n_sky)
    free = replace(
        base,
        photons=Photons(x, y, weights=np.ones(len(x))),
        backgrounds=(Background(),),
        dropped={},
    )
    grid = base.completeness.grid
    corners = np.hypot(*grid.centres()) > 520
    source_free = replace(free, completeness=base.completeness.masked(corners.astype(float)))
    reference = reference_exposure([base.completeness])
    variants = {
        "free": free,
        "held": replace(free, backgrounds=(Background(amplitude=level, fixed=True),)),
        "from corners": replace(free, backgrounds=fitted_amplitudes(source_free, reference)),
    }
    rings = PixelGrid.covering((-600, 600), (-600, 600), 2.0)
    radius = np.hypot(*rings.centres())
    shares = np.diff([0.0] + [inside_share(r) for r in ANNULI[1:]])
    head(
        f"beta-model that fills the field, {n} photons and {n_sky} of sky, K = {k}: flux over truth",
        "backgr.",
    )
    for name, observation in variants.items():
        result = gmmx.fit(observation, n_components=k, seed=1)
        m = result.mixture
        image = pixel_means(m.fluxes, m.means, m.covariances, rings) * rings.cell_area
        inner = [
            image[(radius >= low) & (radius < high)].sum() / (n * share)
            for (low, high), share in zip(pairwise(ANNULI), shares, strict=True)
        ]
        b = result.backgrounds[0]
        tail = f"+- {b.amplitude_error / level:.4f}; signal {m.fluxes.sum():.0f} +- {result.signal_error:.0f}; correlation {b.correlation:+.2f}"
        row(
            name,
            [image[radius < 400].sum() / (n * inside_share(400)), *inner, b.amplitude / level],
            tail,
        )


if __name__ == "__main__":
    run_parts({"kinds": kinds, "streak": streak, "region": region})
