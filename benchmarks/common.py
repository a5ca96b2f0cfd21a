"""Pieces that the benchmark scripts share: the data, the parts of a table, and measured processes.

The observations come from the folder $GMMX_TEST_DATA, by default ../shared/data beside the
repository. The tests make skies in tests/skies.py, which the benchmarks import as well: importing
this module makes that folder importable.
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
from dataclasses import dataclass
from pathlib import Path

import gmmx
from gmmx.errors import GmmxWarning

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("GMMX_TEST_DATA", ROOT.parent / "shared" / "data"))
MARX = DATA / "marx"
# The gmmx of the interpreter that runs the benchmark.
GMMX = (sys.executable, "-m", "gmmx")
# Interval between two measurements of a process's memory [s]: a measurement takes time from a core.
MEMORY_INTERVAL = 0.25

sys.path.append(str(ROOT / "tests"))


def machine():
    """Describe the machine and the versions, for the first line of a table."""
    python = f"Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {platform.machine()}, {python}, gmmx {gmmx.__version__}"


def is_missing(folder):
    """Whether a folder of observations does not exist; a line is printed if so."""
    if folder.is_dir():
        return False
    print(f"no observations at {folder}: set GMMX_TEST_DATA")
    return True


def wanted_parts(known):
    """Read the names on the command line; all known ones if there are none.

    Parameters
    ----------
    known : iterable of str

    Returns
    -------
    list of str
    """
    known = list(known)
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(known)}")
    wanted = parser.parse_args().parts
    unknown = [name for name in wanted if name not in known]
    if unknown:
        parser.error(f"{unknown[0]} is not one of {', '.join(known)}")
    return wanted or known


def run_parts(parts, folder=MARX):
    """Run the parts of a table that the command line names, or all of them.

    Parameters
    ----------
    parts : dict of str to callable
        The parts by name, in the order of the table.
    folder : Path
        The observations that all parts need.
    """
    wanted = wanted_parts(parts)
    if is_missing(folder):
        return
    warnings.simplefilter("ignore", GmmxWarning)
    began = time.perf_counter()
    for name in wanted:
        parts[name]()
    print(f"\n{time.perf_counter() - began:.0f} s in total")


def shortest(function, repeats):
    """Shortest time of several calls [s], after one call that is not timed."""
    function()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)


@dataclass(frozen=True, eq=False)
class Run:
    """A process that has ended.

    Attributes
    ----------
    seconds : float
        Wall time [s].
    processor_seconds : float
        User and system time of the process and its children [s].
    memory : float
        Peak memory [MB]; 0 where the system does not tell it.
    stopped : bool
        Whether the process was stopped because its time was used up.
    code : int
        Exit code.
    error : str
        Last line of the standard error.
    """

    seconds: float
    processor_seconds: float
    memory: float
    stopped: bool
    code: int
    error: str


def run(command, *, budget=float("inf"), environment=None):
    """Run a command to its end, or stop it with its children when its time is used up.

    The memory is read from /proc, because the peak that the kernel reports for an ended process
    is never below that of the process that started it.

    Parameters
    ----------
    command : sequence of str or Path
    budget : float
        Longest wall time [s].
    environment : dict, optional
        Environment variables in addition to the present ones.

    Returns
    -------
    Run
    """
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
            env=None if environment is None else {**os.environ, **environment},
        )
        peak, stopped, measured = 0.0, False, began
        while True:
            done, status, usage = os.wait4(process.pid, os.WNOHANG)
            if done:
                break
            now = time.perf_counter()
            if now - began > budget:
                stopped = True
                os.killpg(process.pid, signal.SIGKILL)
                _, status, usage = os.wait4(process.pid, 0)
                break
            if now - measured > MEMORY_INTERVAL:
                peak, measured = max(peak, group_memory(process.pid)), time.perf_counter()
            time.sleep(0.005)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        last = log.read().strip().splitlines()[-1:]
    worked = usage.ru_utime + usage.ru_stime
    return Run(seconds, worked, peak, stopped, process.returncode, "".join(last))


def successful(command, **options):
    """Run a command like `run`, and end the script if it fails."""
    done = run(command, **options)
    if done.code:
        words = " ".join(map(str, command))
        raise SystemExit(f"{words}: exit code {done.code}: {done.error}")
    return done


def group_memory(group):
    """Memory of all processes of a group, with shared pages counted once [MB]; 0 without /proc.

    The peak of the largest process is taken where it exceeds the present sum, because the kernel
    remembers a peak that falls between two measurements.
    """
    total, largest = 0, 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rsplit(")", 1)[1].split()[2]) == group:
                total += _kilobytes(stat.parent / "smaps_rollup", "Pss:")
                largest = max(largest, _kilobytes(stat.parent / "status", "VmHWM:"))
        except (OSError, ValueError, IndexError, StopIteration):
            continue
    return max(total, largest) / 1024


def _kilobytes(path, key):
    """The number behind a key in a file of /proc."""
    lines = path.read_text().splitlines()
    return int(next(line for line in lines if line.startswith(key)).split()[1])
