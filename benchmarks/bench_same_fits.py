"""Compares the fits of two versions of gmmx, and the processor time that each takes.

``python bench_same_fits.py BEFORE AFTER [--repeats N] [--only NAME,...] [--keep FOLDER]`` fits
ten observations with each of two commands and compares the model files. A command is the path of
an executable or several words in quotes, such as "python -m gmmx". With ``--keep`` the models of
BEFORE are copied to a folder, which may later be named in the place of BEFORE: then only AFTER is
run, and no times are compared.

Each fit is a whole process on one thread. The commands take turns, and the times in the table are
medians of user and system time over the repeats. The first fits after an installation compile
gmmx's kernels, and the median of three repeats leaves them out.

Differences are the largest of: fluxes and amplitudes of backgrounds, relative; means over the
square root of the covariance's trace; covariances over the trace. An amplitude that is smaller than
its standard error is compared with the error. The components are compared in the order of the
file. The exit code is 1 if any difference exceeds 1e-9 or a fit fails.

The script reads the model files with h5py and imports nothing of either version. The observations
come from $GMMX_TEST_DATA (default ../shared/data beside the repository).
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median

import h5py
import numpy as np
from astropy.table import Table

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
DATA = Path(os.environ.get("GMMX_TEST_DATA", _BESIDE))
SMALL, GALAXY, PAIR = (DATA / "marx" / name for name in ("small", "galaxy", "pair"))
CLUSTER, CENA = (DATA / "real" / name for name in ("zwcl2341_acisi", "18461_CenA"))
ARP299 = DATA / "real" / "xmm_0112810101_Arp299" / "Arp299_MOS1_evt_0.5-8.0keV.fits.gz"

# Largest difference of the same fits.
TOLERANCE = 1e-9
# Components of the fit that makes the table of fixed components, and of the fit that uses it.
K_TABLE, K_FIXED = 6, 8
# Name of that table in a folder of models.
TABLE = "frozen.ecsv"
# The option that fixes components, with the beginning of its columns; the newest name first.
FIXING = {"--fix": "fixed", "--freeze": "freeze"}


def _masked(folder):
    """Arguments for a simulated sky: events, mask of the point sources, both maps and the band."""
    return [
        folder / "events.fits.gz",
        *("--mask", folder / "sources.reg"),
        *("--exposure", folder / "expmap.fits.gz"),
        *("--psf", folder / "psfmap.fits.gz"),
        *("--energy", "0.5:2"),
    ]


# Arguments of `gmmx fit` by the name of the fit.
FITS = {
    "small": [*_masked(SMALL), "--k", 12],
    "galaxy-15": [*_masked(GALAXY), "--k", 15],
    "galaxy-40": [*_masked(GALAXY), "--k", 40],
    "galaxy-auto": [*_masked(GALAXY), "--k", "auto"],
    # Two pointings fitted jointly, with the built-in PSF.
    "pair": [
        *(PAIR / "events_1.fits.gz", PAIR / "events_2.fits.gz"),
        *("--mask", PAIR / "sources.reg"),
        *("--exposure", PAIR / "expmap_1.fits.gz", "--exposure", PAIR / "expmap_2.fits.gz"),
        *("--energy", "0.5:2", "--k", 40),
    ],
    # Modelled point sources, as in configs/point-sources.toml.
    "sources": [
        GALAXY / "events.fits.gz",
        *("--sources", GALAXY / "sources.reg", "--source-positions", "free"),
        *("--exposure", GALAXY / "expmap.fits.gz", "--psf", "chandra"),
        *("--energy", "0.5:2", "--background", "sky,particle", "--k", "auto"),
    ],
    # A counts image with a map of the stowed background.
    "counts": [
        CLUSTER / "srcfree_bin4_500-2000_17490_band1_thresh.img.gz",
        *("--exposure", CLUSTER / "srcfree_bin4_500-2000_17490_band1_thresh.expmap_nosrcedg.gz"),
        *("--mask", CLUSTER / "zwcl2341_sources_phys_excl.reg"),
        *("--background", f"sky,{CLUSTER / '17490_bin4_500-2000_bgstow_goodreg.img.gz'}"),
        *("--k", "auto"),
    ],
    # Another mission: no exposure map, no PSF.
    "arp299": [ARP299, "--k", "auto"],
    # No exposure map, the built-in PSF at the photons' own energies.
    "cena": [CENA / "cena.fits.gz", "--mask", CENA / "cena_regions.reg", "--k", "auto"],
    # Two fixed components, one of them in part; `marked` adds the option that fixes them.
    "frozen": [*_masked(SMALL), "--k", K_FIXED],
}


class FitFailed(Exception):
    """A command ended with another exit code than 0, or did not write a complete file."""


@dataclass(frozen=True)
class Command:
    """A gmmx command.

    Attributes
    ----------
    words : tuple of str
    """

    words: tuple

    def run(self, *arguments):
        """Run it to its end.

        Parameters
        ----------
        *arguments
            Words after the command's own.

        Returns
        -------
        float
            User and system time of the process [s].

        Raises
        ------
        FitFailed
            When the exit code is not 0.
        """
        words = [*self.words, *map(str, arguments)]
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise FitFailed(f"exit code {process.returncode} of {shlex.join(words)}")
        return usage.ru_utime + usage.ru_stime

    def fit(self, arguments, model):
        """Fit on one thread with one seed, like `run`."""
        common = ("--seed", 1, "--threads", 1, "--out", model, "--overwrite", "-q")
        return self.run("fit", *arguments, *common)

    @cached_property
    def fixing(self):
        """The option of `fit` that fixes components, by its name in this version."""
        asked = subprocess.run([*self.words, "fit", "--help"], capture_output=True, text=True)
        for option in FIXING:
            if re.search(rf"(?<!\S){option}(?![\w-])", asked.stdout):
                return option
        raise FitFailed(f"{shlex.join(self.words)} fit --help knows none of {', '.join(FIXING)}")


@dataclass(frozen=True, eq=False)
class Model:
    """The numbers of a model file that are compared.

    Attributes
    ----------
    flux, mean, covariance : ndarray, (K,), (K, 2), (K, 2, 2)
    backgrounds : list of str
        Names, in the order of the file.
    amplitudes, errors : ndarray, (B,)
        Amplitudes of the backgrounds, and their standard errors.
    log_likelihood : float
    """

    flux: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray
    backgrounds: list
    amplitudes: np.ndarray
    errors: np.ndarray
    log_likelihood: float

    @classmethod
    def read(cls, path):
        """Read a model file; an incomplete one raises FitFailed."""
        try:
            with h5py.File(path, "r") as file:
                groups = sorted(file["background"].values(), key=lambda g: g.attrs["index"])
                return cls(
                    **{key: file["mixture"][key][()] for key in ("flux", "mean", "covariance")},
                    backgrounds=[group.name for group in groups],
                    amplitudes=np.array([group.attrs["amplitude"] for group in groups]),
                    errors=np.array([group.attrs.get("amplitude_error", 0.0) for group in groups]),
                    log_likelihood=float(file.attrs["log_likelihood"]),
                )
        except (OSError, KeyError) as error:
            raise FitFailed(f"{path}: not a model that can be compared: {error}") from None

    def __len__(self):
        return len(self.flux)


@dataclass(frozen=True, order=True)
class Difference:
    """The difference of two models.

    Attributes
    ----------
    changed : bool
        Whether any bit differs.
    value : float
        The largest relative difference, infinite where the models cannot be compared.
    part : str
        The number that it belongs to.
    """

    changed: bool
    value: float
    part: str

    @classmethod
    def between(cls, before, after):
        """Compare two models on the scales of the first."""
        if len(before) != len(after):
            return cls(True, np.inf, "K")
        if before.backgrounds != after.backgrounds:
            return cls(True, np.inf, "backgrounds")
        trace = np.trace(before.covariance, axis1=1, axis2=2)
        scales = {
            "flux": np.abs(before.flux),
            "mean": np.sqrt(trace)[:, None],
            "covariance": trace[:, None, None],
            # fmax ignores unknown errors, which are NaN.
            "amplitudes": np.fmax(np.abs(before.amplitudes), before.errors),
        }
        pairs = {part: (getattr(before, part), getattr(after, part)) for part in scales}
        changed = any(a.dtype != b.dtype or a.tobytes() != b.tobytes() for a, b in pairs.values())
        largest = {part: _largest(*pair, scales[part]) for part, pair in pairs.items()}
        part = max(largest, key=largest.get)
        return cls(changed, largest[part], part)

    def __str__(self):
        if not self.changed:
            return "same bits"
        if np.isinf(self.value):
            return f"differs in {self.part}"
        return f"{self.value:.1e} in {self.part}"


def _largest(before, after, scale):
    """The largest difference over a scale; infinite where only one value is NaN."""
    same = (before == after) | (np.isnan(before) & np.isnan(after))
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(same, 0.0, np.abs(after - before) / scale)
    return float(np.nan_to_num(relative, nan=np.inf, posinf=np.inf).max(initial=0.0))


def fixed_components(command, folder):
    """Make the component table of a fit, without the columns that mark fixed parameters.

    Parameters
    ----------
    command : Command
        The version that fits and exports.
    folder : Path
        Folder of the files.

    Returns
    -------
    Path
    """
    model, path = folder / "table.h5", folder / TABLE
    command.fit([*_masked(SMALL), "--k", K_TABLE], model)
    command.run("export", model, "--out", path, "--overwrite", "-q")
    return path


def marked(path, command, folder):
    """Arguments that fix the first component of a table, and mean and covariance of the second.

    Parameters
    ----------
    path : Path
        The table, as `fixed_components` leaves it.
    command : Command
        The version that gets the arguments.
    folder : Path
        Folder of the marked table.

    Returns
    -------
    list
    """
    table = Table.read(path, format="ascii.ecsv")
    prefix = FIXING[command.fixing]
    for name, n_fixed in (("flux", 1), ("mean", 2), ("covariance", 2)):
        table[f"{prefix}_{name}"] = np.arange(len(table)) < n_fixed
    out = folder / f"{prefix}.ecsv"
    table.write(out, format="ascii.ecsv", overwrite=True)
    return [command.fixing, out]


def compare(name, commands, repeats, folder, kept=None, keep=None):
    """Make one fit with each command, and print its row of the table.

    Parameters
    ----------
    name : str
        Name of the fit.
    commands : list of Command
        Two, or one if models were kept.
    repeats : int
    folder : Path
        Folder of temporary files.
    kept : Path, optional
        Folder of the models to compare with.
    keep : Path, optional
        Folder that the models of the first command are copied to.

    Returns
    -------
    difference : Difference
        The largest difference of the repeats.
    seconds : list of float
        Median time of each command.
    """
    arguments = [FITS[name]] * len(commands)
    if name == "frozen":
        table = kept / TABLE if kept else fixed_components(commands[0], folder)
        if keep:
            shutil.copy(table, keep / TABLE)
        arguments = [[*FITS[name], *marked(table, command, folder)] for command in commands]
    paths = [folder / f"{name}_{i}.h5" for i in range(len(commands))]
    seconds, differences = [[] for _ in commands], []
    for repeat in range(repeats):
        for command, words, path, its in zip(commands, arguments, paths, seconds, strict=True):
            its.append(command.fit(words, path))
        if keep and repeat == 0:
            shutil.copy(paths[0], keep / f"{name}.h5")
        before, after = (Model.read(p) for p in ((kept / f"{name}.h5", *paths) if kept else paths))
        differences.append(Difference.between(before, after))
    difference, seconds = max(differences), [median(its) for its in seconds]
    k = f"{len(before)}" if len(before) == len(after) else f"{len(before)}/{len(after)}"
    gain = after.log_likelihood - before.log_likelihood
    print(f"{name:12s}{k:>7s}  {difference!s:24s}{gain:>12.3g}{times(seconds)}", flush=True)
    return difference, seconds


def times(seconds):
    """Columns of the table with the times of both commands and their ratio, or with one time."""
    if len(seconds) == 1:
        return f"{'-':>10s}{seconds[0]:>10.2f}{'-':>8s}"
    before, after = seconds
    return f"{before:>10.2f}{after:>10.2f}{after / before:>8.2f}"


def given_options():
    """Read the command line; a wrong one ends the script with exit code 2.

    Returns
    -------
    argparse.Namespace
        The options, and in addition `names`, the names of the fits; `kept`, the folder of models
        in the place of BEFORE, or None; and `commands`, one or two.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", metavar="BEFORE", help="a gmmx command, or a folder of models")
    parser.add_argument("after", metavar="AFTER", help="a gmmx command")
    parser.add_argument("--repeats", type=int, default=1, help="runs of each fit and command")
    parser.add_argument("--only", metavar="NAME,...", help=f"some of {', '.join(FITS)}")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="folder for the models of BEFORE"
    )
    given = parser.parse_args()

    given.names = given.only.split(",") if given.only else list(FITS)
    unknown = [name for name in given.names if name not in FITS]
    if unknown:
        parser.error(f"--only {unknown[0]}: the fits are {', '.join(FITS)}")
    if given.repeats < 1:
        parser.error("--repeats takes a number from 1 on")
    wanted = [f"{name}.h5" for name in given.names] + [TABLE] * ("frozen" in given.names)
    given.kept = Path(given.before) if Path(given.before).is_dir() else None
    if given.kept:
        absent = [name for name in wanted if not (given.kept / name).exists()]
        if absent:
            parser.error(f"{given.kept} has no {absent[0]}: keep it with --keep, or use --only")
        if given.keep:
            parser.error("--keep is for the models of a command, and BEFORE is a folder")
    if given.keep:
        there = [name for name in wanted if (given.keep / name).exists()]
        if there:
            parser.error(f"{given.keep / there[0]} exists: remove it, or name another folder")
    given.commands = []
    for text in [given.after] if given.kept else [given.before, given.after]:
        words = shlex.split(text)
        if not words or shutil.which(words[0]) is None:
            parser.error(f"{text!r} is neither a command nor a folder")
        given.commands.append(Command(tuple(words)))
    if not DATA.is_dir():
        parser.error(f"no observations at {DATA}: set GMMX_TEST_DATA")
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
    return given


def main():
    given = given_options()
    head = f"{'difference':24s}{'log-lik.':>12s}{'before':>10s}{'after':>10s}{'ratio':>8s}"
    print(f"user and system time, median of {given.repeats} [s]; log-likelihood gained [nat]")
    print(f"{'fit':12s}{'K':>7s}  {head}", flush=True)
    good, changed, totals = [], 0, []
    with tempfile.TemporaryDirectory() as folder:
        for name in given.names:
            options = given.repeats, Path(folder), given.kept, given.keep
            try:
                difference, seconds = compare(name, given.commands, *options)
            except FitFailed as error:
                print(f"{name:12s}{'':>7s}  failed: {error}", flush=True)
                continue
            totals.append(seconds)
            changed += difference.changed
            if difference.value <= TOLERANCE:
                good.append(name)
    if totals:
        print(f"{'all':12s}{'':>7s}  {'':24s}{'':>12s}{times(np.sum(totals, axis=0))}")
    bad = [name for name in given.names if name not in good]
    if bad:
        print(f"NOT the same fits within {TOLERANCE:g}: {', '.join(bad)}")
    else:
        same = len(good) - changed
        print(f"the same fits within {TOLERANCE:g}; {same} of {len(good)} to the bit")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
