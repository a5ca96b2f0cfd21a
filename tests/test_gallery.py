"""The gallery of docs/ prints what it says, and its pictures can be drawn again."""

import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
FILES = sorted((DOCS / "gallery").glob("*.png"))


def loaded(name):
    """A script of docs/ as a module."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


gallery = loaded("make_pictures")
# The search over five columns takes some seconds.
SECTIONS = [
    pytest.param(code, printed, id=title, marks=[pytest.mark.slow] * title.startswith("Five"))
    for title, code, printed in gallery.sections()
]


@pytest.mark.parametrize(("code", "printed"), SECTIONS)
def test_the_code_of_the_gallery_prints_what_stands_below_it(code, printed):
    made = gallery.run(code)[1]
    assert NUMBER.sub("#", made) == NUMBER.sub("#", printed)
    # Last digits depend on the machine.
    numbers = (list(map(float, NUMBER.findall(text))) for text in (made, printed))
    assert next(numbers) == pytest.approx(next(numbers), rel=0.01)


def test_each_section_shows_its_picture_with_an_alternative_text():
    shown = re.findall(r"!\[([^]]{40,})\]\(gallery/([\w-]+)\.png\)", gallery.PAGE.read_text())
    assert [name for _, name in shown] == list(gallery.PICTURES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_picture_of_the_gallery_is_small(path):
    assert path.stem in gallery.PICTURES
    assert path.stat().st_size < 300_000


@pytest.mark.slow
@pytest.mark.parametrize("name", gallery.PICTURES)
def test_a_picture_can_be_drawn_again_with_the_same_bytes(name, tmp_path):
    made = []
    for again in ("one", "two"):
        (tmp_path / again).mkdir()
        gallery.main([name], tmp_path / again)
        made.append((tmp_path / again / f"{name}.png").read_bytes())
    assert made[0] == made[1]
