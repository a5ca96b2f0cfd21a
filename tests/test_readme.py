"""The README's commands are ones that exist, and its script runs and prints what it says."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from gmmx.cli.main import main

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("line", re.findall(r"^    (gmmx .*)$", TEXT, flags=re.MULTILINE))
def test_commands_are_real(line):
    _, name, *arguments = shlex.split(line)
    command = main.commands[name]
    known = {flag for option in command.params for flag in option.opts}
    assert {argument for argument in arguments if argument.startswith("-")} <= known


def test_files_that_are_named_exist():
    for name in re.findall(
        r"\]\(([\w/.-]+)\)|`((?:configs|data_samples|benchmarks)/[\w/.-]*)`", TEXT
    ):
        path = next(filter(None, name))
        assert (ROOT / path).exists(), path


@pytest.mark.slow
def test_the_script_runs_and_prints_what_the_text_says(tmp_path):
    script = re.search(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)[1]
    (tmp_path / "data_samples").symlink_to(ROOT / "data_samples")
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    said = float(re.search(r"prints a flux of ([\d.e-]+)", TEXT)[1])
    assert float(f"{float(done.stdout.split()[0]):.2e}") == said
    assert (tmp_path / "model.h5").exists()
