"""Models of photons and of samples: which commands each has."""

import numpy as np
import pytest
from command_line import error_line, run

import gmmx
from gmmx.cli.main import main
from gmmx.commands.kinds import COMMANDS

# What each command needs beside its model.
REST = {
    "flux": ("--circle", "1,2,3"),
    "simulate": ("--out", "x.fits"),
    "condition": ("--given", "x=1"),
    "denoise": ("--out", "x.fits"),
    "compress": ("--out", "x.png"),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A model of photons and one of samples, by kind."""
    folder = tmp_path_factory.mktemp("models")
    x, y = np.random.default_rng(0).normal(0, 5, (2, 200))
    sky = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    samples = gmmx.fit_samples(np.column_stack([x, y]), n_components=1, names=["x", "y"])
    paths = {"photons": folder / "sky.h5", "samples": folder / "samples.h5"}
    for result in (sky, samples):
        result.write(paths[result.kind])
    return paths


def test_every_command_on_a_model_is_known_for_a_kind():
    assert {name for names in COMMANDS.values() for name in names} == set(main.commands) - {"fit"}


@pytest.mark.parametrize("kind", COMMANDS)
def test_the_commands_of_a_kind_are_in_the_order_of_the_work(kind):
    assert [name for name in main.commands if name in COMMANDS[kind]] == list(COMMANDS[kind])


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        (kind, name)
        for kind, names in COMMANDS.items()
        for name in main.commands
        if name not in (*names, "fit")
    ],
)
def test_a_command_without_a_meaning_names_those_that_have_one(models, kind, command):
    given = [models[kind]] * (1 + (command == "compare"))
    done = run(command, *given, *REST.get(command, ()))
    assert done.exit_code == 1
    assert f"a model of {kind}, which gmmx {command} cannot use: the commands for" in done.stderr
    assert done.stderr.count("\n") == 1


def test_models_of_both_kinds_are_not_drawn_in_one_figure(models, tmp_path):
    done = run("plot", models["photons"], models["samples"], "--out", tmp_path / "x.png")
    assert done.exit_code == 1
    assert "samples.h5: a model of samples, and" in done.stderr


@pytest.mark.parametrize("command", ["score", "assign", "denoise"])
def test_a_model_of_arrays_reads_no_catalogue(models, tmp_path, command):
    (tmp_path / "other.csv").write_text("x,y\n1,2\n")
    words = () if command == "score" else ("--out", tmp_path / "out.csv")
    done = run(command, models["samples"], tmp_path / "other.csv", *words)
    assert "samples.h5: a model of a picture or of arrays, which names" in error_line(done)


def test_a_catalogue_is_not_replaced_by_what_comes_from_its_model(tmp_path):
    catalogue = tmp_path / "line.csv"
    catalogue.write_text("a\n" + "\n".join(map(str, range(20))))
    run("fit", catalogue, "--columns", "a", "--k", 1, "--out", tmp_path / "line.h5")
    done = run("export", tmp_path / "line.h5", "--out", catalogue, "--overwrite")
    assert done.exit_code == 1
    assert "inputs are never replaced" in done.stderr
