"""The public API: its names, and how each of them is documented."""

import ast
import doctest
import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import gmmx

PACKAGE = Path(gmmx.__file__).parent
VERBS = (
    "fit",
    "fit_samples",
    "read",
    "read_observation",
    "read_observations",
    "read_regions",
    "read_samples",
    "render",
)
NOUNS = (
    "Background",
    "Completeness",
    "CountsImage",
    "EventList",
    "FitConfig",
    "FitOptions",
    "FitResult",
    "FitState",
    "Fixed",
    "Mixture",
    "Observation",
    "Photons",
    "PhysicalFrame",
    "PixelGrid",
    "PointSources",
    "Pointing",
    "PsfModel",
    "ReadOptions",
    "SampleBackground",
    "SampleCompleteness",
    "SampleOptions",
    "Samples",
    "SamplesResult",
    "Shapes",
    "SkyFrame",
    "SkyImage",
)
ERRORS = ("DataError", "GmmxError", "InputError", "OutputError")
WARNINGS = ("ConvergenceWarning", "DataWarning", "DegeneracyWarning", "GmmxWarning")
PUBLIC = sorted((*VERBS, *NOUNS, *ERRORS, *WARNINGS))


def test_the_public_names_are_those_of_the_documentation():
    assert gmmx.__all__ == PUBLIC
    assert set(PUBLIC) <= set(dir(gmmx))


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_resolves_to_one_object(name):
    value = getattr(gmmx, name)
    assert callable(value)
    assert getattr(gmmx, name) is value


def test_type_checkers_see_the_same_names():
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    found = {alias.asname: (node.module, alias.name) for node in block.body for alias in node.names}
    assert sorted(found) == PUBLIC
    for name, (module, inner) in found.items():
        assert getattr(import_module(f"gmmx.{module}"), inner) is getattr(gmmx, name)


@pytest.mark.parametrize("name", PUBLIC)
def test_no_module_has_a_public_name(name):
    assert not (PACKAGE / name).exists()
    assert not (PACKAGE / f"{name}.py").exists()


@pytest.mark.parametrize(
    "module", ["gmmx.commands.fit", "gmmx.fitting.driver", "gmmx.io.models", "gmmx.answers.images"]
)
@pytest.mark.parametrize("name", VERBS)
def test_verbs_stay_functions_whatever_is_imported_first(module, name):
    code = f"import {module}, gmmx; print(callable(gmmx.{name}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'fit_mixtures'"):
        gmmx.fit_mixtures  # noqa: B018


@pytest.mark.parametrize("name", [*VERBS, *NOUNS])
def test_a_public_signature_is_annotated(name):
    value = getattr(gmmx, name)
    parameters = inspect.signature(value).parameters.values()
    assert [p.name for p in parameters if p.annotation is inspect.Parameter.empty] == []
    if name in VERBS:
        assert inspect.signature(value).return_annotation is not inspect.Signature.empty


@pytest.mark.parametrize("name", [*VERBS, *NOUNS])
def test_a_public_docstring_has_an_example(name):
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(getattr(gmmx, name)))
    assert examples, f"gmmx.{name} has no example in its docstring"


@pytest.mark.parametrize("name", [*ERRORS, *WARNINGS])
def test_errors_and_warnings_say_when_they_are_raised(name):
    assert getattr(gmmx, name).__doc__
    root = gmmx.GmmxError if name in ERRORS else gmmx.GmmxWarning
    assert issubclass(getattr(gmmx, name), root)
