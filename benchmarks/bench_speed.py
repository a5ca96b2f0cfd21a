"""How fast gmmx is: the kernels per photon and view, and whole commands as a shell sees them.

Whole commands read the simulated observations from $GMMX_TEST_DATA (default ../shared/data beside the repository) and are left out where it is absent.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cases import ngc4636

from gmmx._kernels.photons import photon_moments
from gmmx._kernels.threads import threads_at_most
from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Priors
from gmmx.em.photons import PRUNING, PhotonLikelihood

DATA = (
    Path(os.environ.get("GMMX_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    / "marx"
    / "galaxy"
)


def best(function, repeats=15):
    """Shortest of several times [s]."""
    function()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)


def kernels():
    """E and M step and exposure moments at N = 150,000, K = 60."""
    case = ngc4636()
    prepared = PhotonLikelihood.of([case.train])
    phase = prepared.begin_phase(case.truth, Priors())
    p, amplitude = prepared[0], case.truth.amplitudes[0]
    psf = phase.psfs[0]
    views, totals = psf.views(case.truth.mixture), psf.totals(case.truth.mixture)
    pairs = len(p.x) * len(views.means)

    def photons(tolerance):
        return photon_moments(p.tiled, amplitude, views, tolerance)

    print(f"N = {len(p.x):,}, K = {len(case.truth.mixture)}")
    for threads in (1, 2):
        with threads_at_most(threads):
            every, pruned = best(lambda: photons(0.0)), best(lambda: photons(PRUNING))
            exposure = best(lambda: psf.exposures(p, views, totals))
            whole = best(lambda: evaluate(prepared, case.truth, phase))
        print(
            f"  threads {threads}: photon moments without pruning {every * 1e3:.2f} ms = {every / pairs * 1e9:.2f} ns per photon and view,"
            f" pruned {pruned * 1e3:.2f} ms;"
            f" exposure moments {exposure * 1e3:.2f} ms ({exposure / every:.1%} of the former); whole iteration {whole * 1e3:.2f} ms"
        )


def command(*arguments, environment=None):
    """Wall time [s] and peak memory [MB] of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    began = time.perf_counter()
    subprocess.run(
        arguments, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    seconds = time.perf_counter() - began
    return seconds, max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def commands():
    """Whole commands, warm but for the last."""
    gmmx = str(Path(sys.executable).with_name("gmmx"))
    if not Path(gmmx).exists():
        gmmx = shutil.which("gmmx")
    print(f"gmmx --help: {min(command(gmmx, '--help')[0] for _ in range(5)):.2f} s")
    print(
        f"import gmmx: {min(command(sys.executable, '-c', 'import gmmx')[0] for _ in range(5)):.2f} s, Python's own start in it"
    )
    if not DATA.is_dir():
        print(f"no simulated observations at {DATA}: set GMMX_TEST_DATA")
        return
    with tempfile.TemporaryDirectory() as folder:
        model = f"{folder}/model.h5"
        fit = [
            gmmx,
            "fit",
            f"{DATA}/events.fits.gz",
            "--mask",
            f"{DATA}/sources.reg",
            "--exposure",
            f"{DATA}/expmap.fits.gz",
            "--psf",
            f"{DATA}/psfmap.fits.gz",
        ]
        fit += ["--energy", "0.5:2", "--seed", "1", "--out", model, "--overwrite"]
        for k in ("15", "40", "auto"):
            command(*fit, "--k", k)
            seconds, memory = command(*fit, "--k", k)
            print(f"gmmx fit of marx/galaxy --k {k}: {seconds:.1f} s, {memory:.0f} MB")
        print(
            f"gmmx render of it: {min(command(gmmx, 'render', model, '--out', f'{folder}/images.fits', '--overwrite')[0] for _ in range(3)):.1f} s"
        )
        warm = command(*fit, "--k", "15")[0]
        cold = command(
            *fit, "--k", "15", environment={**os.environ, "NUMBA_CACHE_DIR": f"{folder}/cache"}
        )[0]
        print(
            f"first fit ever, compilation included: {cold:.1f} s, {cold - warm:.1f} s more than a warm one"
        )


if __name__ == "__main__":
    kernels()
    commands()
