"""Run the command line in this process, as tests need it."""

import hashlib

from click.testing import CliRunner

from gmmx.cli.main import main


def run(*arguments, program=main, stdin=None, unchanged=None):
    """Run a command line and return click's result; a bug raises its exception.

    Parameters
    ----------
    *arguments : object
        The words of the command line.
    program : click.Command
    stdin : str, optional
        Standard input.
    unchanged : Path, optional
        A folder in which no file may be made, changed or removed.
    """
    before = contents(unchanged) if unchanged else None
    result = CliRunner().invoke(program, [str(word) for word in arguments], input=stdin)
    if unchanged:
        assert contents(unchanged) == before
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def contents(folder):
    """Return the digest of every file in a folder."""
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def error_line(result):
    """Return the one line on standard error of a run that failed with exit code 1."""
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("gmmx: error: ")
    return lines[0].removeprefix("gmmx: error: ")
