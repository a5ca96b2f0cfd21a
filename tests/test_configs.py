"""Every configuration that comes with gmmx can be read, and one of them is run."""

import json
from pathlib import Path

import pytest
from command_line import run

from gmmx.cli.options import CONFIGS, SHORT
from gmmx.cli.toml import read_defaults

FILES = sorted((Path(__file__).resolve().parents[1] / "configs").glob("*.toml"))


def test_there_are_configurations():
    assert {path.name for path in FILES} >= {"acis-i.toml", "acis-s.toml"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_configuration_sets_options_that_exist(path):
    found = read_defaults(path, CONFIGS, SHORT)
    assert found.keys() >= {"fit", "render"}
    assert CONFIGS["fit"](**found["fit"]).energy_kev == (0.5, 2.0)
    assert CONFIGS["render"](**found["render"]).units == "flux"


def test_a_configuration_runs_on_the_sample(samples, tmp_path):
    config = ["--config", samples.parent / "configs" / "acis-i.toml"]
    quick = ["--k", 2, "--bin", 4, "--exchanges", 0, "--max-iter", 100]
    maps = ["--exposure", samples / "expmap.fits.gz", "--psf", samples / "psfmap.fits.gz"]
    mask = ["--mask", samples / "sources.reg"]
    model = tmp_path / "model.h5"
    events = samples / "events.fits.gz"
    result = run("fit", *config, events, *maps, *mask, *quick, "--out", model, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["k"] == 2
    result = run("render", *config, model, "--out", tmp_path / "model.fits")
    assert result.exit_code == 0, result.output
