"""The README's commands exist, its links lead somewhere, and it prints what it says."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from gmmx.cli.main import main

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"^    (gmmx .*)$", TEXT.replace("\\\n", ""), flags=re.MULTILINE)
LINKS = sorted(set(re.findall(r"\]\(([\w/.-]+)\)", TEXT)))
# The lines that stand below a sentence that says what is printed.
BLOCKS = re.findall(
    r"^(?:`fit` prints|It prints)[^\n]*:\n\n((?:    .*\n)+)", TEXT, flags=re.MULTILINE
)


def lines_of(text):
    """The lines of a text with single spaces."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_has_its_options(line):
    _, name, *arguments = shlex.split(line)
    known = {flag for option in main.commands[name].params for flag in option.opts}
    assert {argument for argument in arguments if argument.startswith("-")} <= known


@pytest.mark.parametrize("link", LINKS)
def test_a_link_leads_to_a_file(link):
    assert (ROOT / link).exists()


def test_the_first_screen_has_the_two_commands():
    head = TEXT.splitlines()[:20]
    assert any("make demo" in line for line in head)
    assert any("make test" in line for line in head)


@pytest.mark.slow
def test_the_commands_print_what_the_text_says(tmp_path):
    for path in (ROOT / "data_samples").iterdir():
        (tmp_path / path.name).symlink_to(path)
    printed = []
    for line in COMMANDS:
        words = [sys.executable, "-m", "gmmx", *shlex.split(line)[1:]]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
        printed += lines_of(done.stdout)
    assert set(lines_of(BLOCKS[0])) <= set(printed)
    assert all((tmp_path / name).exists() for name in ("model.fits", "model.png"))


@pytest.mark.slow
def test_the_script_prints_what_the_text_says(tmp_path):
    script = re.search(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)[1]
    (tmp_path / "data_samples").symlink_to(ROOT / "data_samples")
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    printed = [shortened(line) for line in lines_of(done.stdout)]
    missing = [
        line
        for line in map(shortened, lines_of(BLOCKS[1]))
        if not any(one.startswith(line.removesuffix("...")) for one in printed)
    ]
    assert missing == []


def shortened(line):
    """A line whose long numbers have the digits that do not depend on the machine."""
    return re.sub(r"\d+\.\d{4,}", lambda number: number[0][:7], line)
