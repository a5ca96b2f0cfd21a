"""The house: what importing costs, what is packaged."""

import os
import resource
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import gmmx

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("numpy", "astropy", "numba", "matplotlib", "h5py", "scipy", "regions")


def run(*code):
    """Standard output of a fresh interpreter, and the processor seconds it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize(
    "code",
    [
        "import gmmx, sys",
        "import sys, gmmx.cli.main; gmmx.cli.main.main(['fit', '--help'], standalone_mode=False)",
    ],
)
def test_importing_is_light(code):
    out, _ = run("-c", f"{code}; print([name for name in {HEAVY} if name in sys.modules])")
    assert out.splitlines()[-1] == "[]"


def test_help_is_quick():
    # Processor time, and the best of a few, so that a busy machine does not fail it.
    assert min(run("-m", "gmmx.cli.main", "--help")[1] for _ in range(4)) < 0.3
    assert min(run("-c", "import gmmx")[1] for _ in range(4)) < 0.15


def test_one_version_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" in project["dynamic"]
    assert project["scripts"] == {"gmmx": "gmmx.cli.main:main"}
    assert (ROOT / "CITATION.cff").read_text().count(f"version: {gmmx.__version__}\n") == 2
    assert f"## {gmmx.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def make(*arguments):
    """What `make` says in this repository, whether or not it was itself started by make."""
    if shutil.which("make") is None:
        pytest.skip("there is no make here")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    return subprocess.run(
        ["make", "-s", "-C", str(ROOT), *arguments], capture_output=True, text=True, env=environment
    )


def test_make_prints_its_targets():
    done = make()
    assert done.returncode == 0
    for target in ("demo", "test", "test-slow", "lint", "bench", "clean"):
        assert f"\n  {target} " in done.stdout


def test_make_refuses_an_old_python(tmp_path):
    old = tmp_path / "python2"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = make(f"VENV={tmp_path}/venv", f"PYTHON={old}", "test")
    assert done.returncode != 0
    assert "gmmx needs Python 3.11 or newer" in done.stderr.splitlines()[0]
    assert not (tmp_path / "venv").exists()


def test_contributed_files_are_there():
    assert "BSD 3-Clause" in (ROOT / "LICENSE").read_text()
    assert "10.1016/j.ascom.2018.09.013" in (ROOT / "CITATION.cff").read_text()
    for name in (
        "events.fits.gz",
        "expmap.fits.gz",
        "psfmap.fits.gz",
        "sources.reg",
        "sources_phys.reg",
        "truth.fits.gz",
        "truth.json",
        "README.md",
    ):
        assert (ROOT / "data_samples" / name).stat().st_size > 0
