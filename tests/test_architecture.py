"""The layout's rules: who may import whom, and what a file may contain."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "gmmx"
# A module imports only from groups to its left.
ORDER = (
    "errors < _arrays config _kernels < grid < shapes < events completeness psf background mixture encircled < observation chandra sources < result"
    " < selection layout raster < footprint < chips levels em < search accelerate information start < climb < structure < fit"
    " < render score point_source < pixels io plots report < blur backgrounds planes masking < assemble < joint < pipeline < console < cli"
)
GROUPS = [group.split() for group in ORDER.split(" < ")]
RANK = {name: rank for rank, group in enumerate(GROUPS) for name in group}
# Heavy or particular packages, and the only places that may import them; a folder stands for all that is in it.
CONFINED = {
    "numba": ("_kernels",),
    "matplotlib": ("plots",),
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
            yield node.lineno, node.level, node.module or "", tuple(alias.name for alias in node.names)


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
def test_modules_import_only_from_the_left(path):
    own = module_of(path).split("/")[0]
    if own == "__init__":
        return
    assert own in RANK, f"{own} is in no group of the import rule"
    for line, level, module, names in imports_of(path):
        assert level > 0 or module.split(".")[0] != "gmmx", f"{path}:{line}: imports inside the package are relative"
        if level == 0:
            continue
        for target in relative_targets(path, level, module, names):
            other = target.split("/")[0]
            assert other in RANK, f"{path}:{line}: {other} is in no group of the import rule"
            assert RANK[other] < RANK[own] or other == own, f"{path}:{line}: {own} imports {other}, which is not to its left"


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_packages_stay_where_they_belong(path):
    for line, level, module, names in imports_of(path):
        if level:
            continue
        for imported in (module, *(f"{module}.{name}" for name in names)):
            for package, homes in CONFINED.items():
                if imported == package or imported.startswith(package + "."):
                    here = module_of(path)
                    assert any(here == home or here.startswith(home + "/") for home in homes), f"{path}:{line}: {package} belongs in {' or '.join(homes)}"


def test_every_group_member_exists():
    names = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in SOURCES}
    assert sorted(set(RANK) - names) == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_text_is_ascii_and_names_no_machine(path):
    text = path.read_bytes().decode("ascii")
    places = re.findall(r"(?<![\w.~}])/(?:home|root|Users|work|mnt|scratch)/\S*", text)
    assert places == [], f"{path}: absolute paths of one machine"
    assert "\t" not in text or path.name in ("Makefile", ".gitignore"), f"{path}: tabs"


def test_top_level_holds_what_the_layout_says():
    allowed = "pyproject.toml README.md gmmx configs tests data_samples Makefile benchmarks LICENSE CITATION.cff CHANGELOG.md demo build dist"
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".") and path.suffix not in (".h5", ".fits", ".png", ".egg-info")}
    assert found - set(allowed.split()) == set()


def test_files_stay_small():
    for folder in ("data_samples", "benchmarks", "tests", "gmmx", "configs"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert path.stat().st_size < 2_000_000, f"{path} is larger than 2 MB"
