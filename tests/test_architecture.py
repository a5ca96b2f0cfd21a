"""The layout's rules: who may import whom, and what a file may contain."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "gmmx"
# The rooms in the order of the house: a module imports only from its own room and from rooms above it.
ROOMS = (
    "errors",
    "_arrays",
    "config",
    "_kernels",
    "plane",
    "model",
    "telescope",
    "em",
    "fitting",
    "answers",
    "show",
    "io",
    "reading",
    "commands",
    "cli",
)
RANK = {name: rank for rank, name in enumerate(ROOMS)}
# Rooms that see less of the house than their place in the order would allow.
MAY_SEE = {
    "io": {"errors", "_arrays", "config", "plane", "model", "telescope"},
    "reading": set(ROOMS) - {"answers", "show", "commands", "cli"},
}
# Modules whose methods are doors to rooms below, and import inside their bodies.
DOORS = {
    # A FitResult draws, writes, scores and tabulates itself in notebooks.
    "model/doors": {"answers", "show", "io"},
}
# Heavy or particular packages, and the only places that may import them; a folder stands for all that is in it.
CONFINED = {
    "numba": ("_kernels",),
    # model/doors only names the type that a method returns.
    "matplotlib": ("show", "model/doors"),
    "h5py": ("io",),
    "astropy.io": ("io",),
    "click": ("cli", "console"),
}
SOURCES = sorted(PACKAGE.rglob("*.py"))
TEXTS = sorted(
    path
    for pattern in (
        "*.md",
        "*.toml",
        "*.cff",
        "Makefile",
        "LICENSE",
        ".gitignore",
        ".ci/*",
        "gmmx/**/*.py",
        "tests/**/*.py",
        "benchmarks/**/*.py",
        "configs/*",
        "data_samples/*.md",
        "docs/**/*.md",
    )
    for path in ROOT.glob(pattern)
    if path.is_file()
)


def module_of(path):
    """The path below the package without its ending: "io/events"."""
    return path.relative_to(PACKAGE).with_suffix("").as_posix()


def imports_of(path):
    """(line, level, module, names) of every import in a file, whichever depth it stands at."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, 0, alias.name, ()
        elif isinstance(node, ast.ImportFrom):
            yield (
                node.lineno,
                node.level,
                node.module or "",
                tuple(alias.name for alias in node.names),
            )


def relative_targets(path, level, module, names):
    """Modules of the package that a relative import names, as paths below the package."""
    base = list(path.relative_to(PACKAGE).parts[:-1])
    base = base[: len(base) - (level - 1)]
    if module:
        base += module.split(".")
    if base:
        return ["/".join(base)]
    # `from . import x` names a module, or what __init__ itself defines.
    return [name for name in names if name != "__version__"]


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_no_import_goes_upward(path):
    own = module_of(path).split("/")[0]
    if own in ("__init__", "__main__"):
        return
    assert own in RANK, f"{own} is not a room of the house"
    visible = MAY_SEE.get(own, set(ROOMS[: RANK[own]])) | {own} | DOORS.get(module_of(path), set())
    for line, level, module, names in imports_of(path):
        assert level > 0 or module.split(".")[0] != "gmmx", (
            f"{path}:{line}: imports inside the package are relative"
        )
        if level == 0:
            continue
        for target in relative_targets(path, level, module, names):
            other = target.split("/")[0]
            assert other in visible, f"{path}:{line}: {own} must not import {other}"


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_private_modules_stay_in_their_room(path):
    own = module_of(path).split("/")[:-1]
    for line, level, module, names in imports_of(path):
        if level == 0:
            continue
        for target in relative_targets(path, level, module, names):
            parts = target.split("/")
            for depth, part in enumerate(parts[1:], start=1):
                if part.startswith("_") and not part.startswith("__"):
                    assert own[:depth] == parts[:depth], f"{path}:{line}: {target} is private"


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_packages_stay_where_they_belong(path):
    for line, level, module, names in imports_of(path):
        if level:
            continue
        for imported in (module, *(f"{module}.{name}" for name in names)):
            for package, homes in CONFINED.items():
                if imported == package or imported.startswith(package + "."):
                    here = module_of(path)
                    assert any(here == home or here.startswith(home + "/") for home in homes), (
                        f"{path}:{line}: {package} belongs in {' or '.join(homes)}"
                    )


def long_functions():
    """Each function of the package that has more than 60 lines, with its docstring."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno + 1 > 60:
                name = f"{module_of(path)}:{node.name}"
                yield pytest.param(ast.get_docstring(node) or "", id=name)


@pytest.mark.parametrize("docstring", [*long_functions(), pytest.param("long because", id="none")])
def test_a_long_function_says_why(docstring):
    assert "long because" in " ".join(docstring.split())


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_modules_have_at_most_300_lines(path):
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_lines_have_at_most_100_columns(path):
    if path.suffix in (".py", ".toml", ".cff") or path.name == "Makefile":
        assert [line for line in path.read_text().splitlines() if len(line) > 100] == []


def test_every_room_exists():
    names = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in SOURCES}
    assert sorted(set(RANK) - names) == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_text_is_ascii_and_names_no_machine(path):
    text = path.read_bytes().decode("ascii")
    places = re.findall(r"(?<![\w.~}])/(?:home|root|Users|work|mnt|scratch)/\S*", text)
    assert places == [], f"{path}: absolute paths of one machine"
    assert "\t" not in text or path.name in ("Makefile", ".gitignore"), f"{path}: tabs"


def test_top_level_holds_what_the_layout_says():
    allowed = (
        "pyproject.toml README.md gmmx configs tests data_samples Makefile benchmarks docs LICENSE"
        " CITATION.cff CHANGELOG.md CONTRIBUTING.md demo build dist htmlcov"
    )
    found = {
        path.name
        for path in ROOT.iterdir()
        if not path.name.startswith(".")
        and path.suffix not in (".h5", ".fits", ".png", ".egg-info")
    }
    assert found - set(allowed.split()) == set()


def test_files_stay_small():
    for folder in ("data_samples", "benchmarks", "tests", "gmmx", "configs"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert path.stat().st_size < 2_000_000, f"{path} is larger than 2 MB"
