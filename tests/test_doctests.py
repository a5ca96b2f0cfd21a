"""The examples in docstrings run and print what they say."""

import doctest
import pkgutil
from importlib import import_module
from pathlib import Path

import pytest

import gmmx

SAMPLES = Path(__file__).resolve().parents[1] / "data_samples"
MODULES = ["gmmx", *(module.name for module in pkgutil.walk_packages(gmmx.__path__, "gmmx."))]
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def run_examples(name):
    """Failures and attempts of the examples of one module."""
    return doctest.testmod(import_module(name), optionflags=OPTIONS)


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_examples_of_a_module_print_what_they_say(name, tmp_path, monkeypatch):
    # Examples may write files into the current folder, and read the data samples from it.
    (tmp_path / "data_samples").symlink_to(SAMPLES)
    monkeypatch.chdir(tmp_path)
    assert run_examples(name).failed == 0
