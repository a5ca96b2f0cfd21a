"""gmmx beside pyGMMis, scikit-learn and the pictures that people make: the same photons, one run, one machine.

``python benchmarks/bench_peers.py [CASE ...] [--budget MINUTES] [--peers NAME,...]`` prints a table and, when all cases and peers ran, stores it in
benchmarks/peers.txt. Cases: toy, small, ngc4636 and, from $GMMX_TEST_DATA (default ../shared/data beside the repository), galaxy. pyGMMis runs in an
environment of its own, .venv-peers (``make .venv-peers/.ready``); a peer that exceeds the budget is stopped and its last state scored.

What is compared: the wall time of the whole process; held-out log-likelihood per photon below the truth's, with the standard error of the paired difference,
each sky seen through the case's own telescope (scikit-learn's, which knows no telescope, as the density of detected photons that it is); Kullback-Leibler
divergence and integrated squared error of the deconvolved, normalised density; and, where there is an image of the truth, half the integrated absolute
difference from it after smoothing by 2 and 8 arcsec.
"""

import argparse
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from astropy.io import fits
from bench_accuracy import DATA, GALAXY, Truth, observed, true_parameters
from cases import (
    Case,
    integrated_squared_error,
    kl_divergence,
    log_scores,
    ngc4636,
    small_galaxy,
    toy,
)
from peer_pictures import pictures
from scipy.ndimage import gaussian_filter

import gmmx
from gmmx import errors
from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.io.images import read_grid_like
from gmmx.model.mixture import Mixture

HERE = Path(__file__).resolve().parent
OUT = HERE / "peers.txt"
PEERS = ("gmmx", "gmmx auto", "pygmmis", "scikit-learn", "pictures")
SEED = 1
# Seeds that a peer is tried with, within its budget, when it crashes.
SEEDS = 4
# Physical pixel of the event files that are written here [arcsec], and where its origin lies.
PIXEL, CENTRE = 0.492, 4096.5
# Between two looks at a peer's memory [s]: looking takes time from a core.
LOOK = 0.25


@dataclass(frozen=True, eq=False)
class Job:
    """A case, its number of components, how the command is called for it (and for a given K besides), starts of peers, and its image of the truth."""

    case: Case
    k: int
    arguments: tuple
    with_k: tuple = ()
    min_sigma: float = 0.1
    starts: int = 1
    image: Truth | None = None


@dataclass(eq=False)
class Run:
    """What a process took [s, MB], and whether it was stopped."""

    seconds: float
    memory: float
    stopped: bool
    code: int
    error: str


@dataclass(eq=False)
class Row:
    """A line of the table; NaN where there is nothing to say."""

    peer: str
    k: int = 0
    seconds: float = np.nan
    per_iteration: float = np.nan
    iterations: int = 0
    memory: float = np.nan
    gap: float = np.nan
    error: float = np.nan
    kl: float = np.nan
    ise: float = np.nan
    differences: tuple = (np.nan, np.nan)
    notes: list = field(default_factory=list)

    TITLE = (
        f"  {'':16s}{'K':>4s}{'wall s':>9s}{'iter':>7s}{'ms/iter':>10s}{'MB':>7s}{'held-out gap':>14s}{'+-':>9s}{'KL':>9s}{'ISE':>9s}"
        f'{"diff 2":>9s}"{"diff 8":>8s}"'
    )

    def __str__(self):
        def cell(value, form, width):
            return f"{'-':>{width}s}" if not np.isfinite(value) else f"{value:>{width}{form}}"

        cells = [
            cell(self.k or np.nan, "d" if self.k else "", 4),
            cell(self.seconds, ".1f", 9),
            cell(self.iterations or np.nan, "d" if self.iterations else "", 7),
            cell(1e3 * self.per_iteration, ".1f", 10),
            cell(self.memory, ".0f", 7),
            cell(self.gap, ".5f", 14),
            cell(self.error, ".5f", 9),
            cell(self.kl, ".4f", 9),
            cell(self.ise, ".4f", 9),
            cell(self.differences[0], ".4f", 10),
            cell(self.differences[1], ".4f", 9),
        ]
        return f"  {self.peer:16s}{''.join(cells)}{'  ' * bool(self.notes)}{'; '.join(self.notes)}"


def image_header(grid, frame, **others):
    """FITS keywords of an upright grid in a tangent plane."""
    header = fits.Header()
    for axis, (sign, kind, value) in enumerate(
        ((-1, "RA---TAN", frame.ra0), (1, "DEC--TAN", frame.dec0)), start=1
    ):
        header[f"CTYPE{axis}"], header[f"CRVAL{axis}"], header[f"CUNIT{axis}"] = kind, value, "deg"
        header[f"CRPIX{axis}"], header[f"CDELT{axis}"] = (
            1 - grid.origin[axis - 1] / grid.step,
            sign * grid.step / 3600,
        )
    header["RADESYS"] = frame.radesys
    header.update(others)
    return header


def write_observation(observation, folder):
    """Event list, exposure map and, unless it is one number, PSF map of a case, as the command reads them; its arguments."""
    columns = [
        fits.Column(n, "D", array=CENTRE + v / PIXEL)
        for n, v in (("X", observation.photons.x), ("Y", observation.photons.y))
    ]
    events = fits.BinTableHDU.from_columns(columns, name="EVENTS")
    for n, (sign, kind, value) in enumerate(
        ((-1, "RA---TAN", observation.frame.ra0), (1, "DEC--TAN", observation.frame.dec0)), start=1
    ):
        events.header.update(
            {
                f"TCTYP{n}": kind,
                f"TCRVL{n}": value,
                f"TCRPX{n}": CENTRE,
                f"TCDLT{n}": sign * PIXEL / 3600,
                f"TCUNI{n}": "deg",
            }
        )
    events.header["RADESYS"] = observation.frame.radesys
    events.writeto(folder / "events.fits")
    completeness, psf = observation.completeness, observation.psf
    fits.writeto(
        folder / "expmap.fits",
        completeness.effective,
        image_header(completeness.grid, observation.frame),
    )
    sigma = np.sqrt(psf.covariances[..., 0, 0, 0])
    if sigma.size > 1:
        header = image_header(psf.grid, observation.frame, BUNIT="arcsec", ECF=1 - np.exp(-0.5))
        fits.writeto(folder / "psfmap.fits", sigma, header)
    blur = str(folder / "psfmap.fits") if sigma.size > 1 else f"{sigma[0, 0]:g}"
    return (
        str(folder / "events.fits"),
        "--exposure",
        str(folder / "expmap.fits"),
        "--psf",
        blur,
        "--energy",
        "all",
    )


def write_job(job, path):
    """The case as plain arrays, for peers in other environments."""
    o = job.case.train
    c = o.completeness
    (x_low, x_high), (y_low, y_high) = c.grid.extent()
    psf_step = o.psf.grid.step if o.psf.grid.shape != (1, 1) else 1.0
    np.savez(
        path,
        data=np.column_stack([o.photons.x, o.photons.y]),
        k=job.k,
        min_sigma=job.min_sigma,
        omega=c.effective / c.exposure.max(),
        omega_origin=c.grid.origin,
        omega_step=c.grid.step,
        psf_variances=np.sqrt(np.linalg.det(o.psf.covariances[..., 0, :, :])),
        psf_origin=o.psf.grid.origin,
        psf_step=psf_step,
        low=np.array([x_low, y_low]),
        high=np.array([x_high, y_high]),
        has_background=bool(o.backgrounds),
        starts=job.starts,
    )


def galaxy_job():
    """The ray-traced galaxy; held out is another realisation of it, where there is one."""
    # The one background that is there, and that every peer has.
    train = observed(
        GALAXY / "events.fits.gz", GALAXY / "expmap.fits.gz", background=("sky",)
    ).exposed()
    truth = true_parameters(train)
    folder, other = DATA / "realisations" / "galaxy", None
    if folder.is_dir():
        photons = observed(
            folder / "events_00.fits.gz", folder / "expmap_hp.fits.gz", background=("sky",)
        )
        other = replace(
            train,
            photons=photons.photons,
        ).exposed()
    files = (
        f"{GALAXY}/events.fits.gz",
        "--exposure",
        f"{GALAXY}/expmap.fits.gz",
        "--psf",
        f"{GALAXY}/psfmap.fits.gz",
    )
    arguments = (
        *files,
        "--mask",
        f"{GALAXY}/sources.reg",
        "--energy",
        "0.5:2",
        "--background",
        "sky",
    )
    return Job(Case("galaxy", train, other, truth), 20, arguments, image=Truth())


def made(name, folder):
    """The job of a name, its files written to a folder; None for ray-traced photons that are not there."""
    if name == "galaxy":
        return galaxy_job() if GALAXY.is_dir() else None
    case = {"toy": toy, "small": small_galaxy, "ngc4636": ngc4636}[name]()
    arguments = write_observation(case.train, folder)
    if name == "toy":
        # Growing is made for skies of many photons: 211 begin better from k-means. Random starts differ by more than the methods do.
        return Job(
            case, 3, (*arguments, "--background", "none"), with_k=("--init", "kmeans"), starts=5
        )
    return Job(case, len(case.truth.mixture), arguments, starts=5 if name == "small" else 1)


def tree_memory(group):
    """Memory of all processes of a group, what they share counted once [MB]; 0 where the system does not tell."""
    total, largest = 0, 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rsplit(")", 1)[1].split()[2]) == group:
                total += _kilobytes(stat.parent / "smaps_rollup", "Pss:")
                # What the kernel remembers of each process does not miss a peak between two looks.
                largest = max(largest, _kilobytes(stat.parent / "status", "VmHWM:"))
        except (OSError, ValueError, IndexError, StopIteration):
            continue
    return max(total, largest) / 1024


def _kilobytes(path, key):
    return int(
        next(line for line in path.read_text().splitlines() if line.startswith(key)).split()[1]
    )


def run(command, budget):
    """A command, stopped with all its children once the budget is used up [s]."""
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True
        )
        peak, stopped, looked = 0.0, False, began
        while True:
            done, status = os.waitpid(process.pid, os.WNOHANG)
            if done:
                break
            if time.perf_counter() - began > budget:
                stopped = True
                os.killpg(process.pid, signal.SIGKILL)
                _, status = os.waitpid(process.pid, 0)
                break
            if time.perf_counter() - looked > LOOK:
                peak, looked = max(peak, tree_memory(process.pid)), time.perf_counter()
            time.sleep(0.01)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        last = log.read().strip().splitlines()[-1:]
    return Run(seconds, peak, stopped, process.returncode, "".join(last))


def scored(row, job, mixture, amplitude=None, detected=None):
    """Fill a row with what a sky is worth; `detected` is the density of detected photons of a peer that knows no telescope."""
    case = job.case
    truth, train = case.truth, case.train
    row.kl, row.ise = (
        kl_divergence(truth.mixture, mixture),
        integrated_squared_error(truth.mixture, mixture),
    )
    amplitudes = (
        np.atleast_1d(amplitude)
        if train.backgrounds and amplitude is not None
        else np.zeros(len(train.backgrounds)),
    )
    parameters = Parameters(mixture=mixture, amplitudes=amplitudes)
    held_out = case.held_out
    if held_out is not None:
        best = log_scores(held_out, truth)
        if detected is None:
            model = log_scores(held_out, parameters)
        else:
            model = np.log(
                np.maximum(detected.density(held_out.photons.x, held_out.photons.y), 1e-300)
            )
            if held_out.completeness is not None:
                best = best + np.log(
                    held_out.completeness.exposure_at(held_out.photons.x, held_out.photons.y)
                    / held_out.completeness.exposure.max()
                )
        lost = best - model
        row.gap, row.error = float(lost.mean()), float(lost.std(ddof=1) / np.sqrt(len(lost)))
    if job.image is not None:
        if detected is None:
            prepared = PhotonLikelihood.of([train])
            reference = prepared.reference_exposure
            found = evaluate(prepared, parameters, prepared.begin_phase(parameters, Priors()))
            scale = train.n_photons / (
                float(mixture.fluxes @ found.observed_fraction)
                + float(amplitudes[0] @ prepared[0].integrals)
            )
        else:
            scale, reference = train.n_photons, train.completeness.exposure.max()
        image = SimpleNamespace(
            extended=replace(mixture, fluxes=mixture.fluxes * scale),
            frame=train.frame,
            reference_exposure=reference,
        )
        row.differences = tuple(job.image.differences(image))
    return row


def gmmx_row(job, folder, budget, k):
    """The command, from files to a model file."""
    executable = Path(sys.executable).with_name("gmmx")
    row, model = Row("gmmx" if k != "auto" else "gmmx --k auto"), folder / f"model_{k}.h5"
    arguments = job.arguments if k == "auto" else (*job.arguments, *job.with_k)
    done = run(
        [
            str(executable),
            "fit",
            *arguments,
            "--k",
            str(k),
            "--seed",
            str(SEED),
            "--out",
            str(model),
            "--overwrite",
            "-q",
        ],
        budget,
    )
    row.seconds, row.memory = done.seconds, done.memory
    if done.stopped or done.code:
        row.notes.append("stopped" if done.stopped else done.error)
        return row
    result = gmmx.read(model)
    row.k, row.iterations, row.per_iteration = (
        len(result.mixture),
        result.iterations,
        result.seconds / result.iterations,
    )
    if not result.converged:
        row.notes.append("not converged")
    backgrounds = result.observations[0].backgrounds
    return scored(row, job, result.mixture, np.array([b.amplitude for b in backgrounds]))


def state_row(job, folder, budget, peer, python):
    """A peer in a process of its own that leaves its state behind."""
    row, state, script = (
        Row(peer),
        folder / f"{peer}.npz",
        HERE / f"peer_{'sklearn' if peer == 'scikit-learn' else peer}.py",
    )
    if not Path(python).exists():
        row.notes.append(f"no {python}: make .venv-peers/.ready")
        return row
    write_job(job, folder / "job.npz")
    left = budget
    for seed in range(SEED, SEED + SEEDS):
        # What a start that crashes has left behind is no result.
        state.unlink(missing_ok=True)
        done = run([str(python), str(script), str(folder / "job.npz"), str(state), str(seed)], left)
        row.seconds, row.memory, left = done.seconds, done.memory, left - done.seconds
        if done.stopped or not done.code:
            break
        row.notes.append(f"seed {seed}: {done.error} after {done.seconds:.0f} s")
    if done.stopped:
        row.notes.append(f"stopped after {budget / 60:g} min in all")
    if not state.exists() or (done.code and not done.stopped):
        return row
    with np.load(state) as found:
        amp, mean, covar = (found[name] for name in ("amp", "mean", "covar"))
        row.iterations, row.per_iteration = int(found["iterations"]), float(found["per_iteration"])
        kept = amp > 0
        everything = Mixture(fluxes=amp[kept], means=mean[kept], covariances=covar[kept])
        if peer == "scikit-learn":
            n_signal = len(amp) - int(found["n_background"])
            row.k = n_signal
            if n_signal < len(amp):
                row.notes.append(f"background: one component more, {amp[-1]:.2f} of the photons")
            return scored(row, job, everything.select(np.arange(n_signal)), detected=everything)
        row.k, share = int(kept.sum()), float(found["background"])
        starts = f", best of {job.starts} starts" if job.starts > 1 else ""
        row.notes.append(
            f"background {share:.3f}{starts}{'' if found['imputing'] else ', still in its start without imputation'}"
        )
        # The background of pyGMMis fills the field's rectangle.
        (x_low, x_high), (y_low, y_high) = job.case.train.completeness.grid.extent()
        return scored(row, job, everything, share / ((x_high - x_low) * (y_high - y_low)))


def picture_rows(job):
    """What is made of the photons without a model."""
    train, image = job.case.train, job.image
    grid = read_grid_like(GALAXY / "truth.fits.gz", train.frame)

    def differences(values):
        return tuple(
            0.5
            * np.abs(gaussian_filter(values - image.values, s / grid.step)).sum()
            / image.values.sum()
            for s in (2, 8)
        )

    background = float(job.case.truth.amplitudes[0][0] / train.completeness.exposure.max())
    for picture in pictures(train, grid, background, lambda values: sum(differences(values))):
        row = Row(
            picture.name,
            seconds=picture.seconds,
            iterations=picture.iterations,
            per_iteration=picture.seconds / picture.iterations,
        )
        row.differences = differences(picture.values)
        row.notes.append(f"best setting, {picture.setting}; the picture alone is timed")
        yield row


def rows(job, folder, budget, peers, python):
    """All rows of a case."""
    for peer in peers:
        if peer == "pictures":
            if job.image is not None:
                yield from picture_rows(job)
        elif peer.startswith("gmmx"):
            yield gmmx_row(job, folder, budget, "auto" if peer.endswith("auto") else job.k)
        else:
            yield state_row(
                job, folder, budget, peer, sys.executable if peer == "scikit-learn" else python
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", help="toy, small, ngc4636, galaxy (default: all)"
    )
    parser.add_argument(
        "--budget", type=float, default=15.0, help="minutes per peer and case (default: 15)"
    )
    parser.add_argument(
        "--peers", default=",".join(PEERS), help="comma-separated, of: " + ", ".join(PEERS)
    )
    parser.add_argument(
        "--python",
        default=str(HERE.parent / ".venv-peers" / "bin" / "python"),
        help="the interpreter that has pygmmis",
    )
    options = parser.parse_args()
    names = ("toy", "small", "ngc4636", "galaxy")
    wanted, peers = options.cases or list(names), options.peers.split(",")
    for name, known in ((wanted, names), (peers, PEERS)):
        if set(name) - set(known):
            parser.error(
                f"unknown: {', '.join(sorted(set(name) - set(known)))}; there are {', '.join(known)}"
            )
    warnings.simplefilter("ignore", errors.GmmxWarning)
    lines = []

    def say(line):
        print(line, flush=True)
        lines.append(line)

    say(
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, gmmx {gmmx.__version__}; budget {options.budget:g} min per peer"
    )
    with tempfile.TemporaryDirectory() as scratch:
        for name in wanted:
            folder = Path(scratch) / name
            folder.mkdir()
            job = made(name, folder)
            if job is None:
                say(f"{name}: not at {GALAXY}: set GMMX_TEST_DATA")
                continue
            if "gmmx" in peers and name == wanted[0]:
                # The first fit ever compiles; what is timed are the others.
                gmmx_row(job, folder, 60 * options.budget, job.k)
            say(
                f"{name}: {job.case.train.n_photons:,.0f} photons, {len(job.case.truth.mixture)} true components"
            )
            say(Row.TITLE)
            for row in rows(job, folder, 60 * options.budget, peers, options.python):
                say(str(row))
    if set(wanted) == set(names) and set(peers) == set(PEERS):
        OUT.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
