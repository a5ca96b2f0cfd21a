"""How fast gmmx is: its kernels per photon and view, and whole commands.

A view is one Gaussian of the PSF applied to one component. The commands fit marx/galaxy, and are
left out where the observations are missing.
"""

import sys
import tempfile

from cases import ngc4636
from common import GMMX, is_missing, machine, run, shortest, successful
from galaxy import GALAXY

from gmmx._kernels.photons import photon_moments
from gmmx._kernels.threads import threads_at_most
from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Priors
from gmmx.em.photons import PRUNING, PhotonLikelihood

REPEATS = 15
FIT = (
    *(*GMMX, "fit", GALAXY / "events.fits.gz"),
    *("--mask", GALAXY / "sources.reg", "--exposure", GALAXY / "expmap.fits.gz"),
    *("--psf", GALAXY / "psfmap.fits.gz", "--energy", "0.5:2", "--seed", "1", "--overwrite"),
)


def kernels():
    """Time E and M step and exposure moments at N = 150,000, K = 60."""
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
            every = shortest(lambda: photons(0.0), REPEATS)
            pruned = shortest(lambda: photons(PRUNING), REPEATS)
            exposure = shortest(lambda: psf.exposures(p, views, totals), REPEATS)
            whole = shortest(lambda: evaluate(prepared, case.truth, phase), REPEATS)
        print(
            f"  threads {threads}: photon moments without pruning {every * 1e3:.2f} ms ="
            f" {every / pairs * 1e9:.2f} ns per photon and view, pruned {pruned * 1e3:.2f} ms;"
            f" exposure moments {exposure * 1e3:.2f} ms ({exposure / every:.1%} of the former);"
            f" whole iteration {whole * 1e3:.2f} ms"
        )


def commands():
    """Time whole commands; all but the last find their kernels compiled."""
    least = min(run([*GMMX, "--help"]).seconds for _ in range(5))
    print(f"gmmx --help: {least:.2f} s")
    least = min(run([sys.executable, "-c", "import gmmx"]).seconds for _ in range(5))
    print(f"import gmmx: {least:.2f} s, with the start of Python")
    if is_missing(GALAXY):
        return
    with tempfile.TemporaryDirectory() as folder:
        model = f"{folder}/model.h5"
        fit = (*FIT, "--out", model)
        warm = {}
        for k in ("15", "40", "auto"):
            successful([*fit, "--k", k])
            warm[k] = successful([*fit, "--k", k])
            print(
                f"gmmx fit of marx/galaxy --k {k}: {warm[k].seconds:.1f} s, {warm[k].memory:.0f} MB"
            )
        render = [*GMMX, "render", model, "--out", f"{folder}/images.fits", "--overwrite"]
        least = min(successful(render).seconds for _ in range(3))
        print(f"gmmx render of it: {least:.1f} s")
        cache = {"NUMBA_CACHE_DIR": f"{folder}/cache"}
        cold = successful([*fit, "--k", "15"], environment=cache).seconds
        print(
            f"first fit on a machine, compilation included: {cold:.1f} s,"
            f" {cold - warm['15'].seconds:.1f} s more than later ones"
        )


if __name__ == "__main__":
    print(machine())
    kernels()
    commands()
