"""Every configuration that comes with gmmx can be loaded, and one is run."""

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from gmmx.cli.main import main
from gmmx.cli.options import CONFIGS as CONFIGS_OF_COMMANDS
from gmmx.cli.options import SHORT
from gmmx.cli.toml import read_defaults

CONFIGS = sorted((Path(__file__).resolve().parents[1] / "configs").glob("*.toml"))


def test_there_are_configurations():
    assert {path.name for path in CONFIGS} >= {"acis-i.toml", "acis-s.toml"}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_the_configurations_set_options_that_exist(path):
    found = read_defaults(path, CONFIGS_OF_COMMANDS, SHORT)
    assert found.keys() == tomllib.loads(path.read_text()).keys()
    for command, options in found.items():
        assert options
        assert CONFIGS_OF_COMMANDS[command](**options) != CONFIGS_OF_COMMANDS[command]() or (
            command in ("plot", "export")
        )


def test_a_configuration_runs_on_the_sample(samples, tmp_path):
    config = samples.parent / "configs" / "acis-i.toml"
    out = tmp_path / "model.h5"
    quick = ["--k", "2", "--bin", "4", "--exchanges", "0", "--max-iter", "100"]
    files = [
        "--exposure",
        str(samples / "expmap.fits.gz"),
        "--psf",
        str(samples / "psfmap.fits.gz"),
        "--mask",
        str(samples / "sources.reg"),
    ]
    result = CliRunner().invoke(
        main,
        [
            "fit",
            "--config",
            str(config),
            str(samples / "events.fits.gz"),
            *files,
            *quick,
            "--out",
            str(out),
            "--json",
        ],
    )
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["k"] == 2
    result = CliRunner().invoke(
        main, ["render", "--config", str(config), str(out), "--out", str(tmp_path / "model.fits")]
    )
    assert result.exit_code == 0, result.output
