"""Run command lines in forked processes, with a limit of time and of memory.

`Runner` starts this file as a program. It imports gmmx and compiles its kernels once, and forks for
each job, so that a job costs a quarter of a second. The child process runs the command lines in
its own memory; whatever it does, the parent process gives one `Outcome`.
"""

import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

SECONDS = 60.0
BYTES = 4 << 30


@dataclass(frozen=True)
class Job:
    """Command lines that are run one after the other, until one of them fails.

    Attributes
    ----------
    folder : str
        Where they run.
    lines : tuple of tuple of str
        The words of each command line.
    answer : str
        Name of the file that holds the answer: a model, images, or "" for standard output.
    """

    folder: str
    lines: tuple
    answer: str = ""


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Attributes
    ----------
    ended : {"done", "refused", "traceback", "hang", "crash"}
        `done` is exit code 0 of all command lines, `refused` any other code.
    code : int
        Exit code of the last command line.
    said : str
        Standard error of all command lines.
    answer : dict of str to list
        Numbers by name, if the job is done.
    trace : str
        The traceback, or what ended the process.
    peak : int
        Largest memory in use [bytes].
    """

    ended: str
    code: int = 0
    said: str = ""
    answer: dict | None = None
    trace: str = ""
    peak: int = 0


class Runner:
    """A process that forks for each job; a context manager."""

    def __init__(self, scratch):
        program = [sys.executable, "-P", __file__, str(scratch)]
        threads = dict.fromkeys(("NUMBA_NUM_THREADS", "OMP_NUM_THREADS"), "1")
        # OpenMP does not survive a fork.
        threads |= {"OPENBLAS_NUM_THREADS": "1", "NUMBA_THREADING_LAYER": "workqueue"}
        here = Path(__file__).resolve().parent
        paths = os.pathsep.join([str(here.parent), str(here)])
        self._process = subprocess.Popen(
            program,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **threads, "PYTHONPATH": paths},
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(timeout=10)

    def run(self, job):
        """Return the Outcome of a Job."""
        print(json.dumps(asdict(job)), file=self._process.stdin, flush=True)
        return Outcome(**json.loads(self._process.stdout.readline()))


def run_all(runners, jobs):
    """Return the outcomes of jobs, which share several runners."""
    free = list(runners)

    def run(job):
        # Each thread takes a runner and gives it back, and there are as many of both.
        runner = free.pop()
        try:
            return runner.run(job)
        finally:
            free.append(runner)

    with ThreadPoolExecutor(len(runners)) as pool:
        return list(pool.map(run, jobs))


def _forked(job):
    """Run a job in a child process, and wait for it."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _run_and_leave(job, writer)
    os.close(writer)
    text, end = b"", time.monotonic() + SECONDS
    while True:
        ready, _, _ = select.select([reader], [], [], max(0, end - time.monotonic()))
        part = os.read(reader, 1 << 20) if ready else b""
        text += part
        if not part:
            break
    os.close(reader)
    if not ready:
        os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    peak = usage.ru_maxrss * 1024
    if not ready:
        return Outcome("hang", trace=f"not done after {SECONDS:.0f} s", peak=peak)
    if status or not text:
        return Outcome("crash", trace=f"the process ended with status {status}", peak=peak)
    return Outcome(**json.loads(text), peak=peak)


def _run_and_leave(job, writer):
    """Run a job, write its outcome into a pipe, and end the process."""
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    os.chdir(job.folder)
    try:
        outcome = _run(job)
    except BaseException:
        outcome = {"ended": "traceback", "trace": traceback.format_exc()}
    text = json.dumps(outcome).encode()
    while text:
        text = text[os.write(writer, text) :]
    os._exit(0)


def _run(job):
    from command_line import run

    said = printed = ""
    for line in job.lines:
        result = run(*line)
        said, printed = said + result.stderr, printed + result.stdout
        if result.exit_code:
            return {"ended": "refused", "code": result.exit_code, "said": said}
    if not job.answer:
        left_out = json.loads(printed).get("n_dropped", {})
        said += "".join(f"photons: scored; left out: 1 {reason}\n" for reason in left_out)
    return {"ended": "done", "said": said, "answer": answer_in(job.answer, printed)}


def answer_in(name, printed):
    """Return the numbers of an answer by name: of a file, or of what was printed."""
    if name.endswith(".h5"):
        return _of_model(name)
    facts = json.loads(printed) if printed.startswith("{") else {}
    numbers = {key: [value] for key, value in facts.items() if isinstance(value, (int, float))}
    return numbers | (_of_images(name) if name else {})


def _of_model(name):
    from gmmx.io.models import read_model

    result = read_model(name)
    mixture, frame = result.mixture, result.frame
    ra, dec = frame.to_sky(*mixture.means.T)
    found = {
        "flux": mixture.fluxes / result.reference_exposure,
        "ra": ra,
        "dec": dec,
        "covariance": mixture.covariances,
        "background": [one.photons for one in result.backgrounds],
        "unit": [float(result.has_flux_unit)],
    }
    for i, one in enumerate(result.observations):
        completeness = one.completeness
        found[f"photons {i}"] = [one.n_photons]
        found[f"exposure {i}"] = [completeness.effective.sum() * completeness.grid.cell_area]
        band = one.pointing.band_kev
        found[f"band {i}"] = [-1.0, -1.0] if band is None else list(band)
        if one.psf is not None:
            found[f"psf {i}"] = one.psf.covariances.mean((0, 1, 2))
    return {key: [float(v) for v in _flat(values)] for key, values in found.items()}


def _of_images(name):
    from astropy.io import fits

    with fits.open(name) as hdus:
        return {
            hdu.name: [float(hdu.data.sum()), *map(float, hdu.shape)]
            for hdu in hdus
            if hdu.data is not None
        }


def _flat(values):
    import numpy as np

    return np.ravel(values)


def _serve(scratch):
    """Run the jobs of standard input, one on each line."""
    from hostile_inputs import make_good_files

    # What is imported and compiled here need not be in each child.
    make_good_files(Path(scratch) / f"good-{os.getpid()}")
    for line in sys.stdin:
        sys.stdout.write(json.dumps(asdict(_forked(Job(**json.loads(line))))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve(sys.argv[1])
