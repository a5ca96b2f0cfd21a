"""Every configuration that comes with gmmx can be loaded, and one is run."""

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from gmmx.cli.main import TABLES, main
from gmmx.commands import pipeline

CONFIGS = sorted((Path(__file__).resolve().parents[1] / "configs").glob("*.toml"))


def test_there_are_configurations():
    assert {path.name for path in CONFIGS} >= {"acis-i.toml", "acis-s.toml"}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_configurations_load(path, monkeypatch):
    seen = {}

    def stop(*arguments, **rest):
        seen["config"] = arguments[2]
        raise SystemExit(0)

    for command in TABLES:
        monkeypatch.setattr(pipeline, command, stop)
    for command, table in tomllib.loads(path.read_text()).items():
        rest = ["--out", "out.h5"]
        result = CliRunner().invoke(main, [command, "in", "--config", str(path), *rest])
        assert result.exit_code == 0, result.output
        names = {"k": "n_components", "energy": "energy_kev"}
        expected = type(seen["config"])(
            **{names.get(key, key): value for key, value in table.items()}
        )
        assert seen["config"] == expected


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
