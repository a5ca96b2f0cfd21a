"""CPU time of figures beyond the start of Python and the reading of the model.

Each figure of `marx/galaxy` is drawn by a process of its own, on one thread, and so is a process
that imports what figures need and reads the model. The difference of their CPU times is divided by
the limit for that figure. The smallest of the runs counts, because other programs can only add.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import common

RUNS = 3
START = """
import sys
from gmmx.cli.main import main
from gmmx.io.models import read_model
from gmmx.show.figures import plot
read_model(sys.argv[1])
"""
# Options of each figure, and its limit [s].
FIGURES = {
    "signal": (["--what", "signal"], 2.0),
    "signal, contours": (["--what", "signal", "--contours", "5", "--components"], 2.0),
    "data": (["--what", "data"], 2.0),
    "scene": (["--what", "scene"], 2.0),
    "completeness": (["--what", "completeness"], 2.0),
    "residual": (["--what", "residual"], 2.0),
    "profile": (["--what", "profile"], 2.0),
    "zoom": (["--what", "signal", "--zoom", "13:29:53,+47:11:40,60"], 2.0),
    "galactic": (["--what", "signal", "--coords", "galactic"], 2.0),
    "overview": ([], 4.0),
}


def cpu_time(command):
    """CPU time of a process [s]."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    threads = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    subprocess.run(command, check=True, env={**os.environ, **threads}, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def least(command):
    """The smallest CPU time of some runs, the first of which may compile kernels."""
    cpu_time(command)
    return min(cpu_time(command) for _ in range(RUNS))


def main():
    """Fit the galaxy, or take the model that is named, and print the table."""
    arguments = [one for one in sys.argv[1:] if one.endswith(".h5")]
    sys.argv[1:] = [one for one in sys.argv[1:] if not one.endswith(".h5")]
    parts = common.wanted_parts(FIGURES)
    galaxy = common.MARX / "galaxy"
    if not arguments and common.is_missing(galaxy):
        return
    print(f"# {common.machine()}")
    with tempfile.TemporaryDirectory() as folder:
        model = arguments[0] if arguments else str(Path(folder) / "galaxy.h5")
        if not arguments:
            maps = ["--exposure", str(galaxy / "expmap.fits.gz"), "--k", "15", "--out", model]
            fit = [*common.GMMX, "fit", str(galaxy / "events.fits.gz"), *maps]
            subprocess.run(fit, check=True, capture_output=True)
        start = least([sys.executable, "-c", START, model])
        print(f"# start-up and reading: {start:.2f} s of CPU time")
        print(f"{'figure':<18}{'beyond it [s]':>14}{'of its limit':>14}")
        for name in parts:
            options, limit = FIGURES[name]
            out = str(Path(folder) / "figure.png")
            command = [*common.GMMX, "plot", model, *options, "--out", out, "--overwrite"]
            beyond = least(command) - start
            print(f"{name:<18}{beyond:>14.2f}{beyond / limit:>14.2f}", flush=True)


if __name__ == "__main__":
    main()
