"""The command line: how commands end, what they print where, and which codes they exit with."""

import json
import signal
import warnings

import click
import pytest
from command_line import run

import gmmx
from gmmx.cli import options
from gmmx.cli.console import Console, Main
from gmmx.cli.main import main
from gmmx.errors import DataError, DataWarning, InputError
from gmmx.model.mixture import Mixture
from gmmx.model.state import Iterate


def make_program(behave):
    """Make a command line whose one command, work, takes files and does nothing but behave."""

    @click.group(cls=Main)
    def program():
        pass

    @program.command(cls=options.Command)
    @options.events
    @options.as_json
    @options.quiet
    @options.verbose
    @click.option("--psf-ecf")
    @click.option("--k", "n_components")
    def work(**given):
        behave()

    return program


def raising(error):
    """Make a command line whose command raises an error."""

    def behave():
        raise error

    return make_program(behave)


# How it ends


@pytest.mark.parametrize(
    "arguments",
    [
        ["fit"],
        ["fit", "e.fits", "--nonsense"],
        ["fit", "e.fits", "--k", "2.5"],
        ["render", "m.h5"],
        ["nonsense"],
    ],
)
def test_a_wrong_command_line_is_2(arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_the_version():
    assert run("--version").stdout == f"gmmx, version {gmmx.__version__}\n"


@pytest.mark.parametrize("command", main.commands)
def test_every_command_has_help(command):
    assert command in run("--help").stdout
    assert run(command, "-h").exit_code == 0


def test_an_error_is_one_line_and_1():
    result = run("work", "-q", "a", program=raising(DataError("a.fits: broken\nin two lines")))
    assert result.exit_code == 1
    assert result.stderr == "gmmx: error: a.fits: broken in two lines\n"
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("message", "printed"),
    [
        ("give one with `psf_ecf`", "give one with --psf-ecf"),
        ("`psf_ecf` = 2: too large", "--psf-ecf 2: too large"),
        ("`n_components` = 0", "--k 0"),
        ("`units` stay, as other `words` do", "`units` stay, as other `words` do"),
    ],
)
def test_a_parameter_is_printed_as_its_option(message, printed):
    program = raising(InputError(message))
    assert run("work", "a", program=program).stderr == f"gmmx: error: {printed}\n"


def test_an_error_with_json_is_one_object_too():
    error = InputError("`psf_ecf` = 2: too large", parameter="psf_ecf")
    result = run("work", "--json", "a.fits", "b.fits", program=raising(error))
    assert result.exit_code == 1
    assert result.stdout.count("\n") == 1
    assert json.loads(result.stdout) == {
        "status": "error",
        "message": "--psf-ecf 2: too large",
        "file": "a.fits",
        "parameter": "psf_ecf",
    }
    assert result.stderr == "gmmx: error: --psf-ecf 2: too large\n"


def test_a_failure_names_the_first_file_of_standard_input():
    result = run("work", "--json", "-", program=raising(DataError("broken")), stdin="a\nb\n")
    assert json.loads(result.stdout)["file"] == "a"


@pytest.mark.parametrize(
    "arguments",
    [
        ["fit", "--config", "nothing.toml", "a.fits", "--json"],
        ["fit", "a.fits", "--json"],
        ["info", "a.fits", "--json"],
        ["score", "a.fits", "b.fits", "--json"],
    ],
)
def test_every_failure_with_json_names_the_first_file(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 1
    facts = json.loads(result.stdout)
    assert (facts["status"], facts["file"]) == ("error", "a.fits")
    assert "error" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "file", "word"),
    [
        (["fit", "--json"], None, "EVENTS"),
        (["fit", "a.fits", "--json", "--k", "many"], "a.fits", "--k"),
        (["fit", "a.fits", "--json", "--nothing"], None, "--nothing"),
        (["score", "a.h5", "--json"], "a.h5", "EVENTS"),
        (["info", "--json"], None, "MODEL"),
    ],
)
def test_a_wrong_command_line_with_json_is_one_object_too(arguments, file, word):
    result = run(*arguments)
    assert result.exit_code == 2
    facts = json.loads(result.stdout)
    assert (facts["status"], facts["file"]) == ("error", file)
    assert word in facts["message"]


def test_a_bug_shows_its_traceback():
    with pytest.raises(ZeroDivisionError):
        run("work", "a", program=raising(ZeroDivisionError("a bug")))


def test_an_interruption_is_130():
    result = run("work", "-q", "a", program=raising(KeyboardInterrupt()))
    assert (result.exit_code, result.stderr.strip()) == (130, "gmmx: interrupted")


def test_an_interruption_inside_a_kernel_is_130():
    # Compiled code turns the exception of a signal into the cause of a SystemError.
    error = SystemError("a kernel returned a result with an exception set")
    error.__cause__ = SystemError("and so did its argument")
    error.__cause__.__cause__ = KeyboardInterrupt()
    result = run("work", "-q", "a", program=raising(error))
    assert (result.exit_code, result.stderr.strip()) == (130, "gmmx: interrupted")


def test_a_system_error_that_no_signal_caused_shows_its_traceback():
    with pytest.raises(SystemError):
        run("work", "a", program=raising(SystemError("a bug")))


@pytest.fixture
def warning_program():
    def behave():
        warnings.warn("the mask\ntakes all", DataWarning, stacklevel=1)
        warnings.warn("the mask\ntakes all", DataWarning, stacklevel=1)
        warnings.warn("of somebody else", RuntimeWarning, stacklevel=1)

    return make_program(behave)


def test_a_warning_is_one_line_and_is_printed_once(warning_program):
    result = run("work", "a", program=warning_program)
    assert result.stderr == "gmmx: warning: the mask takes all\n"


def test_quiet_silences_warnings(warning_program):
    assert run("work", "a", "-q", program=warning_program).stderr == ""


def test_verbose_shows_the_warnings_of_other_packages(warning_program):
    told = run("work", "a", "-v", program=warning_program).stderr
    assert told.count("the mask takes all") == 1
    assert "RuntimeWarning: of somebody else" in told


def test_the_state_of_the_process_is_left_as_it_was(warning_program):
    before = signal.getsignal(signal.SIGTERM), warnings.showwarning
    run("work", "a", program=warning_program)
    assert (signal.getsignal(signal.SIGTERM), warnings.showwarning) == before


def test_a_caller_in_python_gets_the_error_itself():
    with pytest.raises(DataError, match="broken"):
        raising(DataError("broken")).main(["work", "a"], standalone_mode=False)


def make_iterate(stage):
    """Make the iterate that the callback of a fit receives at a stage."""
    return Iterate(
        mixture=Mixture.empty(),
        amplitudes=(),
        log_likelihood=-1.0,
        objective=-1.0,
        iteration=3,
        stage=stage,
        step="em",
        seconds=0.5,
        state=None,
    )


def test_verbose_prints_one_line_of_progress_for_each_stage(capsys):
    console = Console("gmmx")
    console.verbose = True
    for stage in ("grow", "grow", "settle"):
        console.progress(make_iterate(stage))
    assert [line.split()[0] for line in capsys.readouterr().err.splitlines()] == ["grow", "settle"]


def test_progress_is_silent_without_a_terminal(capsys):
    Console("gmmx").progress(make_iterate("grow"))
    assert capsys.readouterr().err == ""


def test_results_name_options_too(capsys):
    console = Console("gmmx", {"max_iter": "--max-iter"})
    console.show("Warnings\n  not converged: raise `max_iter`")
    console.show_json({"warnings": ["not converged: raise `max_iter`"]})
    assert capsys.readouterr().out.splitlines() == [
        "Warnings",
        "  not converged: raise --max-iter",
        '{"status": "ok", "warnings": ["not converged: raise --max-iter"]}',
    ]


def test_messages_name_options_too(capsys):
    Console("gmmx", {"psf": "--psf"}).say("psf: none (give another PSF with `psf`)")
    assert capsys.readouterr().err == "psf: none (give another PSF with --psf)\n"
