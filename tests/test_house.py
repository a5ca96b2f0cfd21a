"""What importing costs, what is packaged, and what make does."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import gmmx

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("numpy", "astropy", "numba", "matplotlib", "h5py", "scipy", "regions")


def printed_by(code):
    """Standard output of a fresh interpreter that runs some code."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return done.stdout


@pytest.mark.parametrize(
    "code",
    [
        "import gmmx, sys",
        "import sys, gmmx.cli.main; gmmx.cli.main.main(['fit', '--help'], standalone_mode=False)",
    ],
)
def test_importing_and_help_load_no_heavy_package(code):
    out = printed_by(f"{code}; print([name for name in {HEAVY} if name in sys.modules])")
    assert out.splitlines()[-1] == "[]"


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


@pytest.mark.parametrize(
    "target", ["demo", "test", "test-slow", "coverage", "lint", "types", "docs", "bench", "clean"]
)
def test_make_prints_its_targets(target):
    done = make()
    assert done.returncode == 0
    assert f"\n  {target} " in done.stdout


def test_make_refuses_an_old_python(tmp_path):
    old = tmp_path / "python2"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = make(f"VENV={tmp_path}/venv", f"PYTHON={old}", "test")
    assert done.returncode != 0
    assert "gmmx needs Python 3.11 or newer" in done.stderr.splitlines()[0]
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [("LICENSE", "BSD 3-Clause"), ("CITATION.cff", "10.1016/j.ascom.2018.09.013")],
)
def test_licence_and_citation_are_there(name, text):
    assert text in (ROOT / name).read_text()


@pytest.mark.parametrize(
    "name",
    [
        "events.fits.gz",
        "expmap.fits.gz",
        "psfmap.fits.gz",
        "sources.reg",
        "sources_phys.reg",
        "truth.fits.gz",
        "truth.json",
        "README.md",
    ],
)
def test_the_sample_observation_is_complete(name):
    assert (ROOT / "data_samples" / name).stat().st_size > 0
