"""How other programs do on the same photons: gmmx, pyGMMis, scikit-learn, and images.

``python benchmarks/bench_peers.py [CASE ...] [--budget MINUTES] [--peers NAME,...]`` prints the
table benchmarks/peers.txt. pyGMMis runs in an environment of its own, .venv-peers (``make
.venv-peers/.ready``). A program that exceeds its budget is stopped, and its last state is scored.

The columns are

- wall s: wall time of the whole process;
- held-out gap: log-likelihood per held-out photon below that of the truth, with the standard error
  of the paired difference. Each model is seen through the telescope of the case. scikit-learn
  knows no telescope, and its model is the density of the detected photons;
- KL, ISE: Kullback-Leibler divergence and integrated squared error of the deconvolved, normalised
  density;
- diff: where there is an image of the truth, half the integrated absolute difference from it after
  smoothing with 2 and 8 arcsec.
"""

import argparse
import sys
import tempfile
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from common import GMMX, ROOT, machine, run
from galaxy import GALAXY, differences
from peer_jobs import CASES, make_job, write_arrays
from peer_pictures import pictures
from scores import (
    expected_photons,
    fitted_parameters,
    integrated_squared_error,
    kl_divergence,
    log_scores,
    mean_and_error,
)

import gmmx
from gmmx.em.parameters import Parameters
from gmmx.em.photons import PhotonLikelihood
from gmmx.errors import GmmxWarning
from gmmx.io.images import read_grid_like
from gmmx.model.mixture import Mixture

HERE = Path(__file__).resolve().parent
PEERS = ("gmmx", "gmmx auto", "pygmmis", "scikit-learn", "pictures")
SCRIPTS = {"pygmmis": HERE / "peer_pygmmis.py", "scikit-learn": HERE / "peer_sklearn.py"}
SEED = 1
# Seeds that a program is tried with, within its budget, when it crashes.
SEEDS = 4


@dataclass(eq=False)
class Row:
    """A line of the table; a number that is not known is NaN or 0."""

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
        f"  {'':16s}{'K':>4s}{'wall s':>9s}{'iter':>7s}{'ms/iter':>10s}{'MB':>7s}"
        f"{'held-out gap':>14s}{'+-':>9s}{'KL':>9s}{'ISE':>9s}"
        f'{"diff 2":>9s}"{"diff 8":>8s}"'
    )

    def __str__(self):
        def cell(value, form, width):
            return f"{value:>{width}{form}}" if np.isfinite(value) else f"{'-':>{width}s}"

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


def score(row, job, parameters, detected=None):
    """Fill the scores of a row.

    Parameters
    ----------
    row : Row
    job : Job
    parameters : Parameters
        The model. Its fluxes need no normalisation, but its amplitudes refer to them.
    detected : Mixture, optional
        The density of the detected photons, for a program that knows no telescope.
    """
    case, mixture = job.case, parameters.mixture
    row.kl = kl_divergence(case.truth.mixture, mixture)
    row.ise = integrated_squared_error(case.truth.mixture, mixture)
    if case.held_out is not None:
        lost = _gaps(case, parameters, detected)
        row.gap, row.error = mean_and_error(lost)
    if job.image is None:
        return
    train = case.train
    scale, reference = train.n_photons, train.completeness.exposure.max()
    if detected is None:
        prepared = PhotonLikelihood.of([train])
        scale /= expected_photons(prepared, parameters)
        reference = prepared.reference_exposure
    image, grid = job.image.drawn(
        replace(mixture, fluxes=mixture.fluxes * scale), train.frame, reference
    )
    row.differences = tuple(differences(image, job.image.values, grid.step))


def _gaps(case, parameters, detected):
    """Score of the truth less that of the model, for each held-out photon [nat]."""
    held_out = case.held_out
    best = log_scores(held_out, case.truth)
    if detected is None:
        return best - log_scores(held_out, parameters)
    x, y = held_out.photons.x, held_out.photons.y
    completeness = held_out.completeness
    if completeness is not None:
        # The scores lack log Omega, which a density of detected photons contains.
        best = best + np.log(completeness.exposure_at(x, y) / completeness.exposure.max())
    return best - np.log(np.maximum(detected.density(x, y), 1e-300))


def with_backgrounds(mixture, job, amplitude=0.0):
    """Parameters of a mixture, with one amplitude where the case has a background."""
    n = len(job.case.train.backgrounds)
    return Parameters(mixture=mixture, amplitudes=(np.full(n, amplitude),))


def gmmx_row(job, folder, budget, k):
    """Run gmmx from files to a model file."""
    row, model = Row("gmmx" if k != "auto" else "gmmx --k auto"), folder / f"model_{k}.h5"
    arguments = job.arguments if k == "auto" else (*job.arguments, *job.with_k)
    words = (*GMMX, "fit", *arguments, "--k", k, "--seed", SEED, "--out", model, "--overwrite")
    done = run([*words, "-q"], budget=budget)
    row.seconds, row.memory = done.seconds, done.memory
    if done.stopped or done.code:
        row.notes.append("stopped" if done.stopped else done.error)
        return row
    result = gmmx.read(model)
    row.k, row.iterations = len(result.mixture), result.iterations
    row.per_iteration = result.seconds / result.iterations
    if not result.converged:
        row.notes.append("not converged")
    score(row, job, fitted_parameters(result))
    return row


def state_row(job, folder, budget, peer, python):
    """Run another program in a process that writes its state."""
    row, state = Row(peer), folder / f"{peer}.npz"
    if not Path(python).exists():
        row.notes.append(f"no {python}: make .venv-peers/.ready")
        return row
    write_arrays(job, folder / "job.npz")
    left = budget
    for seed in range(SEED, SEED + SEEDS):
        # The state of a start that crashed is no result.
        state.unlink(missing_ok=True)
        words = (python, SCRIPTS[peer], folder / "job.npz", state, seed)
        done = run(words, budget=left)
        row.seconds, row.memory, left = done.seconds, done.memory, left - done.seconds
        if done.stopped or not done.code:
            break
        row.notes.append(f"seed {seed}: {done.error} after {done.seconds:.0f} s")
    if done.stopped:
        row.notes.append(f"stopped after {budget / 60:g} min in all")
    if state.exists() and (done.stopped or not done.code):
        with np.load(state) as found:
            _score_state(row, job, found)
    return row


def _score_state(row, job, found):
    """Fill a row from the state that a program has written."""
    amp, mean, covar = (found[name] for name in ("amp", "mean", "covar"))
    row.iterations, row.per_iteration = int(found["iterations"]), float(found["per_iteration"])
    kept = amp > 0
    everything = Mixture(fluxes=amp[kept], means=mean[kept], covariances=covar[kept])
    if row.peer == "scikit-learn":
        row.k = len(amp) - int(found["n_background"])
        if row.k < len(amp):
            row.notes.append(f"background: one component more, {amp[-1]:.2f} of the photons")
        signal = everything.select(np.arange(row.k))
        score(row, job, with_backgrounds(signal, job), detected=everything)
        return
    row.k, fraction = int(kept.sum()), float(found["background"])
    starts = f", best of {job.starts} starts" if job.starts > 1 else ""
    state = "" if found["imputing"] else ", still in its start without imputation"
    row.notes.append(f"background {fraction:.3f}{starts}{state}")
    # The background of pyGMMis fills the rectangle of the field.
    (x_low, x_high), (y_low, y_high) = job.case.train.completeness.grid.extent()
    area = (x_high - x_low) * (y_high - y_low)
    score(row, job, with_backgrounds(everything, job, fraction / area))


def picture_rows(job):
    """Make images of the photons without a model."""
    train, truth = job.case.train, job.image.values
    grid = read_grid_like(job.image.path, train.frame)

    def difference(image):
        return sum(differences(image, truth, grid.step))

    background = float(job.case.truth.amplitudes[0][0] / train.completeness.exposure.max())
    for picture in pictures(train, grid, background, difference):
        row = Row(picture.name, seconds=picture.seconds, iterations=picture.iterations)
        row.per_iteration = picture.seconds / picture.iterations
        row.differences = tuple(differences(picture.values, truth, grid.step))
        row.notes.append(f"best setting, {picture.setting}; time of this image only")
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
            own = sys.executable if peer == "scikit-learn" else python
            yield state_row(job, folder, budget, peer, own)


def given_options():
    """Read the command line: cases, budget, peers and the interpreter of pyGMMis."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", help=f"{', '.join(CASES)} (default: all)"
    )
    parser.add_argument(
        "--budget", type=float, default=15.0, help="minutes per peer and case (default: 15)"
    )
    parser.add_argument(
        "--peers", default=",".join(PEERS), help=f"comma-separated, of: {', '.join(PEERS)}"
    )
    parser.add_argument(
        "--python",
        default=str(ROOT / ".venv-peers" / "bin" / "python"),
        help="the interpreter that has pygmmis",
    )
    given = parser.parse_args()
    given.cases = given.cases or list(CASES)
    given.peers = given.peers.split(",")
    for names, known in ((given.cases, CASES), (given.peers, PEERS)):
        unknown = sorted(set(names) - set(known))
        if unknown:
            parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    return given


def main():
    given = given_options()
    warnings.simplefilter("ignore", GmmxWarning)
    print(f"{machine()}; budget {given.budget:g} min per peer", flush=True)
    budget = 60 * given.budget
    with tempfile.TemporaryDirectory() as scratch:
        for name in given.cases:
            folder = Path(scratch) / name
            folder.mkdir()
            job = make_job(name, folder)
            if job is None:
                print(f"{name}: not at {GALAXY}: set GMMX_TEST_DATA")
                continue
            if "gmmx" in given.peers and name == given.cases[0]:
                # The first fit on a machine compiles the kernels and is not in the table.
                gmmx_row(job, folder, budget, job.k)
            case = job.case
            print(
                f"{name}: {case.train.n_photons:,.0f} photons,"
                f" {len(case.truth.mixture)} true components"
            )
            print(Row.TITLE, flush=True)
            for row in rows(job, folder, budget, given.peers, given.python):
                print(row, flush=True)


if __name__ == "__main__":
    main()
