"""Held-out log-likelihood of mixtures of noisy samples, beside the best of the peers' starts.

The program "same equations" starts and ends like the peers, but its iterations are plain EM steps
of gmmx, which are those of the C code (the part `speed` compares them) and take less time.
"""

import json
import time
import warnings

import numpy as np
from peer_samples import CONVERGED, MOST
from sample_fits import Fit, drawn, job_of, mean_log, peer, steps

import gmmx
from gmmx.model.samples import Samples

D, K, STARTS = 5, 20, 5
EQUATIONS = "same equations"
# Number of samples, and with whom gmmx is compared, where that ends within half an hour.
SIZES = {20_000: (EQUATIONS, "extreme-deconvolution"), 100_000: (EQUATIONS,)}


def held_out(python, path, sizes=tuple(SIZES)):
    """Print the log-likelihood of held-out samples, by number of samples and program.

    Parameters
    ----------
    python : str
        Interpreter of the environment with the peers.
    path : Path or None
        File that keeps a row for each fit, so that what was interrupted goes on.
    sizes : sequence of int
        Numbers of samples, of `SIZES`.
    """
    for n in sizes:
        x, noise, truth = drawn(np.random.default_rng(1), 2 * n, D, K)
        sets = (x[:n], noise[:n]), (x[n:], noise[n:])
        print(f"log-likelihood of a sample, N = {n:,}, D = {D}, K = {K} [nat]: held out, fitted")
        print(f"  {'truth':21s} {mean_log(*sets[1], truth):.5f}  {mean_log(*sets[0], truth):.5f}")
        own = _row(python, path, n, "gmmx", 1, sets)
        values = []
        for program in SIZES[n]:
            for seed in range(STARTS):
                row = _row(python, path, n, program, seed, sets)
                if row is None:
                    break
                values.append(row["held_out"])
        if values:
            print(f"  gmmx - best of the peers {own['held_out'] - max(values):+.5f}", flush=True)


def _row(python, path, n, program, seed, sets):
    """The row of a fit, from the file if it is there; None if the program cannot run."""
    key = {"n": n, "program": program, "seed": seed}
    row = next((r for r in _rows_of(path) if {k: r[k] for k in key} == key), None)
    if row is None:
        fit = _fitted(python, program, seed, *sets[0])
        if fit is None:
            return None
        row = {
            **key,
            "held_out": mean_log(*sets[1], fit.mixture),
            "fitted": mean_log(*sets[0], fit.mixture),
            "seconds": fit.seconds,
            "cpu": fit.cpu,
        }
        if path is not None:
            with path.open("a") as file:
                file.write(json.dumps(row) + "\n")
    print(
        f"  {program:21s} {row['held_out']:.5f}  {row['fitted']:.5f}  seed {seed}, "
        f"{row['seconds']:.0f} s ({row['cpu']:.0f})",
        flush=True,
    )
    return row


def _rows_of(path):
    """The rows that a file holds."""
    if path is None or not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def _fitted(python, program, seed, x, noise):
    """A fit by gmmx with its defaults, or by a peer from clusters until it has converged."""
    job = job_of(x, noise, n_components=K)
    if program == EQUATIONS:
        start = peer(python, "start", job, 0, seed)
        if start is None:
            return None
        return steps(Samples(x=x, covariances=noise), start.mixture, MOST, tolerance=CONVERGED)
    if program != "gmmx":
        return peer(python, program, job, "converged", seed)
    began, cpu = time.perf_counter(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = gmmx.fit_samples(x, noise, n_components=K, seed=seed)
    return Fit(result.mixture, time.perf_counter() - began, time.process_time() - cpu)
