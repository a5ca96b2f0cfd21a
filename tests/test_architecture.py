"""The rules of the layout: who may import whom, and how long lines and functions may be."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "gmmx"
# The rooms in the order of the work. A module imports from its own room and from rooms above it.
ROOMS = (
    "errors",
    "_arrays",
    "_words",
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
    "sklearn",
    "cli",
)
RANK = {name: rank for rank, name in enumerate(ROOMS)}
# Rooms that see less of the house than their place in the order would allow.
MAY_SEE = {
    "io": {"errors", "_arrays", "_words", "config", "plane", "model", "telescope"},
    "reading": set(ROOMS) - {"answers", "show", "commands", "cli"},
}
# Modules whose methods are doors to rooms below, and import inside their bodies.
DOORS = {
    # A FitResult draws, writes, scores and tabulates itself in notebooks.
    "model/doors": {"answers", "show", "io"},
    # It measures fluxes, profiles, scores and errors, too.
    "model/number_doors": {"answers", "io"},
    # A SamplesResult answers, draws and writes itself.
    "model/sample_doors": {"answers", "show", "io"},
}
# Packages that only some places may import; a folder stands for all of its modules.
CONFINED = {
    "numba": ("_kernels",),
    # The doors only name the type that a method returns.
    "matplotlib": ("show", "model/doors", "model/sample_doors"),
    "h5py": ("io",),
    "astropy.io": ("io",),
    "click": ("cli", "console"),
    "sklearn": ("sklearn",),
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


@cache
def imports_of(path):
    """(line, level, module, names) of every import in a file, whichever depth it stands at."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(node.lineno, 0, alias.name, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            found.append((node.lineno, node.level, node.module or "", names))
    return found


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


def targets_of(path):
    """Where the relative imports of a file lead: (line, module)."""
    for line, level, module, names in imports_of(path):
        for target in relative_targets(path, level, module, names) if level else ():
            yield line, target


def is_private(target, own):
    """Whether a module, or a folder above it, is private to a folder that `own` is not in."""
    parts = target.split("/")
    return any(
        part.startswith("_") and not part.startswith("__") and own[:depth] != parts[:depth]
        for depth, part in enumerate(parts[1:], start=1)
    )


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_no_import_goes_upward(path):
    own = module_of(path).split("/")[0]
    if own in ("__init__", "__main__"):
        return
    visible = MAY_SEE.get(own, set(ROOMS[: RANK[own]])) | {own} | DOORS.get(module_of(path), set())
    wrong = [(line, t) for line, t in targets_of(path) if t.split("/")[0] not in visible]
    assert wrong == []


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_imports_inside_the_package_are_relative(path):
    absolute = [(line, module) for line, level, module, _ in imports_of(path) if not level]
    assert [one for one in absolute if one[1].split(".")[0] == "gmmx"] == []


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_private_modules_stay_in_their_room(path):
    own = module_of(path).split("/")[:-1]
    assert [(line, target) for line, target in targets_of(path) if is_private(target, own)] == []


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
@pytest.mark.parametrize(("package", "homes"), CONFINED.items(), ids=CONFINED)
def test_a_package_is_imported_only_where_it_belongs(path, package, homes):
    here = module_of(path)
    if any(here == home or here.startswith(home + "/") for home in homes):
        return
    outside = [
        (line, module)
        for line, level, module, names in imports_of(path)
        for name in ([module, *(f"{module}.{name}" for name in names)] if not level else ())
        if name == package or name.startswith(package + ".")
    ]
    assert outside == []


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
        " CITATION.cff CHANGELOG.md CONTRIBUTING.md demo build dist htmlcov PKG-INFO"
    )
    found = {
        path.name
        for path in ROOT.iterdir()
        if not path.name.startswith(".")
        and path.suffix not in (".h5", ".fits", ".png", ".egg-info")
    }
    assert found - set(allowed.split()) == set()


def test_no_file_is_larger_than_2_mb():
    folders = ("data_samples", "benchmarks", "tests", "gmmx", "configs", "docs")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    own = [path for path in files if "__pycache__" not in path.parts]
    assert [path for path in own if path.stat().st_size >= 2_000_000] == []
