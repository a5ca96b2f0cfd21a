"""The pages of docs/ say what is true."""

import importlib.util
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"


def test_the_reference_of_commands_is_what_the_help_prints():
    spec = importlib.util.spec_from_file_location("make_commands", DOCS / "make_commands.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    assert (DOCS / "commands.md").read_text() == made.reference(), "run `make docs`"
