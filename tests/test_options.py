"""The options of the command line, and those of TOML files: what they make of what is given."""

import ast
import re
from dataclasses import fields
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

import gmmx
from gmmx.cli.configs import CONFIGS, OTHER_CONFIGS, SHORT
from gmmx.cli.console import Console
from gmmx.cli.main import main
from gmmx.cli.options import values
from gmmx.cli.streams import expanded
from gmmx.cli.toml import read_defaults
from gmmx.config import FitConfig, RenderConfig, SampleConfig
from gmmx.errors import DataError, GmmxError, InputError
from gmmx.io.virtual import parse_file_argument


def parsed(command, *arguments):
    """Return what click makes of the arguments of a command."""
    arguments = [str(argument) for argument in arguments]
    parent = click.Context(main, obj=Console("gmmx"), **main.context_settings)
    return main.commands[command].make_context(command, arguments, parent=parent).params


def fit_config(*arguments):
    return values(FitConfig, parsed("fit", "events.fits", *arguments))


@pytest.mark.parametrize("command", CONFIGS)
def test_every_parameter_of_an_option_class_is_an_option(command):
    options = {option.name: option for option in main.commands[command].params}
    defaults = {field.name: field.default for field in fields(CONFIGS[command])}
    assert {name: options[name].default for name in defaults} == defaults
    several = {name for name, value in defaults.items() if isinstance(value, tuple)}
    assert {name for name in defaults if options[name].multiple} == several


@pytest.mark.parametrize("command", CONFIGS)
def test_defaults_are_those_of_the_option_class(command):
    config = CONFIGS[command]
    assert values(config, parsed(command, "file", "--out", "out.h5")) == config()


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("--k 7", "n_components", 7),
        ("--k auto", "n_components", "auto"),
        ("--mask a.reg --mask b.reg", "mask", ("a.reg", "b.reg")),
        ("--region c.reg", "region", ("c.reg",)),
        ("--sources s.reg", "sources", ("s.reg",)),
        ("--source-positions fixed", "source_positions", "fixed"),
        ("--exposure x --exposure y", "exposure", ("x", "y")),
        ("--psf 0.5", "psf", ("0.5",)),
        ("--psf-ecf 0.9", "psf_ecf", 0.9),
        ("--psf-extra-sigma 0.2", "psf_extra_sigma", 0.2),
        ("--energy 0.5:2", "energy_kev", (0.5, 2.0)),
        ("--energy all", "energy_kev", "all"),
        ("--ccd 0-3", "ccd", (0, 1, 2, 3)),
        ("--background sky=2e-9", "background", ("sky=2e-9",)),
        ("--background-region d.reg", "background_region", ("d.reg",)),
        ("--min-sigma 0.2", "min_sigma", 0.2),
        ("--grid 2", "grid", 2.0),
        ("--bin 3", "bin", 3.0),
        ("--init kmeans", "init", "kmeans"),
        ("--init model.h5", "init", "model.h5"),
        ("--fix f.ecsv", "fix", "f.ecsv"),
        ("--seed 4", "seed", 4),
        ("--max-iter 5", "max_iter", 5),
        ("--tol 0.6", "tol", 0.6),
        ("--prior-mean-count 2", "prior_mean_count", 2.0),
        ("--prior-covariance-count 4", "prior_covariance_count", 4.0),
        ("--exchanges 1", "exchanges", 1),
        ("--threads 1", "threads", 1),
    ],
)
def test_an_option_sets_its_parameter(line, name, value):
    assert fit_config(*line.split()) == FitConfig(**{name: value})


@pytest.mark.parametrize(
    "line", ["--nonsense", "--k 2.5", "--source-positions loose", "--tol small", "--k"]
)
def test_a_wrong_command_line_is_a_usage_error(line):
    with pytest.raises(click.UsageError):
        fit_config(*line.split())


def test_a_dash_reads_file_names_from_standard_input():
    @click.command()
    def listed():
        click.echo(expanded(["first.fits", "-"]))

    result = CliRunner().invoke(listed, input="a.fits\n\n b.fits \n")
    assert result.output == "['first.fits', 'a.fits', 'b.fits']\n"


def test_a_dash_without_file_names_is_refused():
    @click.command()
    def listed():
        expanded(["-"])

    result = CliRunner().invoke(listed, input="\n")
    assert isinstance(result.exception, InputError)
    assert "no file names on standard input" in str(result.exception)


@pytest.mark.parametrize(
    ("events", "out"),
    [
        ("a/events.fits.gz", "a/events.model.h5"),
        ("evt2.fits", "evt2.model.h5"),
        ("acis.v2.fits.GZ", "acis.v2.model.h5"),
        ("list", "list.model.h5"),
    ],
)
def test_the_default_output_is_beside_the_events(events, out):
    assert parse_file_argument(events).beside(".model.h5") == Path(out)


# Help


@pytest.mark.parametrize("command", main.commands)
def test_the_help_of_an_option_is_a_sentence(command):
    options = [one for one in main.commands[command].params if isinstance(one, click.Option)]
    texts = [option.help.split(" [default")[0] for option in options]
    assert [text for text in texts if not (text[0].isupper() and text.endswith("."))] == []


def test_commands_are_listed_in_the_order_of_the_work():
    listed = main.list_commands(click.Context(main))
    assert listed == [
        "fit",
        "errors",
        "render",
        "plot",
        "info",
        "flux",
        "profile",
        "export",
        "score",
        "compare",
        "test",
        "assign",
        "simulate",
        "sample",
        "condition",
        "denoise",
        "compress",
    ]


def test_the_options_of_fit_stand_under_headings():
    text = CliRunner().invoke(main, ["fit", "--help"]).output
    headings = [line for line in text.splitlines() if line.endswith(":") and line[0] != " "]
    samples = ["Catalogue:", "Picture:", "Mixture of a catalogue or a picture:"]
    photons = ["Input:", "Instrument:", "Model:", "Fit:"]
    assert headings == [*photons, *samples, "Output:", "Other:"]


def test_every_parameter_of_a_fit_to_samples_is_an_option():
    options = {option.name for option in main.commands["fit"].params}
    assert {field.name for field in fields(SampleConfig)} - options == {"accelerate"}


def test_options_of_photons_and_samples_are_told_apart_in_a_configuration_file(tmp_path):
    path = tmp_path / "stars.toml"
    path.write_text('[fit]\ncolumns = ["a", "b"]\ncriterion = "aic"\nk = 3\n')
    found = read_defaults(path, CONFIGS, SHORT, OTHER_CONFIGS)["fit"]
    assert found == {"columns": ("a", "b"), "criterion": "aic", "n_components": 3}


@pytest.mark.parametrize(
    ("before", "incomplete", "words"),
    [
        (["render", "--units"], "f", ["flux"]),
        (["render", "--image"], "signal", ["signal", "signal_psf"]),
        (["fit", "-", "--source-positions"], "f", ["free", "fixed"]),
        (["fit", "--psf"], "c", ["chandra"]),
        (["fit", "--k"], "a", ["auto"]),
    ],
)
def test_the_shell_completes_words(before, incomplete, words):
    completion = ShellComplete(main, {}, "gmmx", "_GMMX_COMPLETE")
    found = completion.get_completions(before, incomplete)
    assert [item.value for item in found if item.type == "plain"] == words


# TOML


def write(folder, text):
    path = folder / "options.toml"
    path.write_text(text)
    return path


def test_the_command_line_overrides_a_file_which_overrides_the_default(tmp_path):
    path = write(
        tmp_path,
        """
        [fit]
        k = 33
        seed = 5
        mask = ["a.reg", "b.reg"]
        psf = 0.7
        tol = 1
        min-sigma = 0.3
        energy = [0.5, 2]
        [render]
        units = "sb"
        points = true
        """,
    )
    assert fit_config("--config", path, "--seed", 6) == FitConfig(
        n_components=33,
        seed=6,
        mask=("a.reg", "b.reg"),
        psf=("0.7",),
        tol=1,
        min_sigma=0.3,
        energy_kev=(0.5, 2.0),
    )
    drawn = values(RenderConfig, parsed("render", "m.h5", "--out", "a.fits", "--config", path))
    assert drawn == RenderConfig(units="sb", points=True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[fit]\nkomponents = 3\n", ["unknown key 'komponents'", "[fit]", "max_iter"]),
        ("[plots]\ndpi = 3\n", ["unknown key 'plots'", "[fit], [errors], [render], [plot]"]),
        ("k = 3\n", ["unknown key 'k'"]),
        ("[render]\nunit = 'sb'\n", ["unknown key 'unit'", "[render]", "units"]),
        ("[fit]\nk = 'many'\n", ["[fit]: `n_components` = many"]),
        ("[fit]\nk = 0\n", ["[fit]: `n_components` = 0"]),
        ("[fit]\nseed = true\n", ["[fit]: `seed` = True", "whole number"]),
        ("[fit]\ntol = 'small'\n", ["[fit]: `tol` = small", "positive number"]),
        ("[fit]\nenergy = [0.5, 2, 3]\n", ["[fit]: `energy_kev` = [0.5, 2, 3]"]),
        ("[fit]\ninit = 'lattice'\n", ["[fit]: `init` = lattice", "grow, kmeans", ".h5"]),
        ("[render]\npoints = 'yes'\n", ["[render]: `points` = yes"]),
        ("[fit\n", ["not a TOML file"]),
    ],
)
def test_bad_toml_is_refused_by_key(tmp_path, text, words):
    path = write(tmp_path, text)
    with pytest.raises(GmmxError) as caught:
        fit_config("--config", path)
    assert [word for word in [str(path), *words] if word not in str(caught.value)] == []


def test_a_file_of_options_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "options.toml").write_bytes("[fit]\nk = 3\n".encode("utf-16"))
    with pytest.raises(DataError, match="not a TOML file: its text is not in UTF-8"):
        fit_config("--config", str(tmp_path / "options.toml"))


def test_a_file_of_options_that_does_not_exist_is_refused():
    with pytest.raises(DataError, match=r"nothing.toml: cannot be read"):
        fit_config("--config", "nothing.toml")


# Messages


LIBRARY = [
    path
    for path in sorted(Path(gmmx.__file__).parent.rglob("*.py"))
    if "cli" not in path.relative_to(Path(gmmx.__file__).parent).parts
]


def texts_of(path):
    """Return the string constants of a module that are not docstrings."""
    tree = ast.parse(path.read_text())
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in constants
        if isinstance(node.value, str) and id(node) not in docstrings
    ]


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_the_library_names_parameters_and_not_options(path):
    assert [text for text in texts_of(path) if re.search(r"(?<![\w-])--[a-z]", text)] == []
