"""How the command line speaks and ends: messages, progress, and exit codes."""

import json
import re
import shlex
import signal
import sys
import time
import warnings
from contextlib import suppress

import click

from .._words import readable
from ..errors import DataError, GmmxError, GmmxWarning, OutputError
from . import streams
from .streams import ReaderGoneError


class Console:
    """Results on standard output, messages and the progress of a fit on standard error.

    Parameters
    ----------
    command : str
        The whole command line.
    flags : dict of str to str
        The option of each parameter, such as "--k" of "n_components".

    Attributes
    ----------
    quiet, verbose, as_json : bool
        Whether -q, -v and --json were given.
    file : str or None
        First file on the command line, which the JSON object of a failure names.
    configs : list of str
        Configuration files that options were read from.
    """

    def __init__(self, command, flags=None):
        self.command, self.flags = command, flags or {}
        self.quiet = self.verbose = self.as_json = False
        self.file, self.configs = None, []
        self._said = set()
        self._shown_at, self._stage, self._live = 0.0, None, False

    def show(self, text):
        """Print a result for people."""
        self.clear()
        with streams.printing():
            click.echo(readable(self.in_options(text)))

    def show_json(self, facts):
        """Print a result as one JSON object on one line."""
        self.clear()
        text = json.dumps({"status": "ok", **facts}, allow_nan=False)
        with streams.printing():
            click.echo(self.in_options(text))

    def say(self, text):
        """Print a message in one line, unless -q was given."""
        if not self.quiet:
            self.clear()
            streams.say(self.in_options(text))

    def fail(self, error, file=None):
        """Print an error in one line, and with --json as one object on standard output too."""
        self.clear()
        message = self.in_options(_one_line(error))
        streams.say(f"gmmx: error: {message}")
        self.fail_in_json(message, file=file, parameter=error.parameter)

    def fail_in_json(self, message, *, file=None, parameter=None):
        """Print a failure as one JSON object on standard output, if --json was given."""
        if self.as_json:
            facts = {"status": "error", "message": message, "file": file or self.file}
            if parameter is not None:
                facts["parameter"] = parameter
            with suppress(ReaderGoneError, OutputError), streams.printing():
                click.echo(json.dumps(facts))

    def warn(self, message, category, filename, lineno, *_):
        """Print a warning once; this takes the place of `warnings.showwarning`."""
        text = self.in_options(_one_line(message))
        if text in self._said:
            return
        self._said.add(text)
        if issubclass(category, GmmxWarning):
            self.say(f"gmmx: warning: {text}")
        else:
            self.say(f"gmmx: {category.__name__}: {text} ({filename}:{lineno})")

    def in_options(self, text):
        """Return a text of the library with the options of its parameters.

        The library names a parameter between backticks: `psf` becomes --psf, and
        "`psf_ecf` = 2" becomes "--psf-ecf 2". Other names stay as they are.
        """

        def option(match):
            flag = self.flags.get(match[1])
            return match[0] if flag is None else flag + (match[2] or "")

        # The white space after "=" is kept, because it may be a line break of a wrapped text.
        return re.sub(r"`(\w+)`(?: =(\s+))?", option, text)

    def progress(self, iterate):
        """Show where a fit is: in a changing line on a terminal, else with -v at each stage."""
        if self.quiet:
            return
        rate = iterate.iteration / max(iterate.seconds, 1e-9)
        text = (
            f"{iterate.stage:<8} K {len(iterate.mixture):<4} log L {iterate.log_likelihood:,.1f}  "
            f"{iterate.iteration} evaluations, {rate:.0f}/s"
        )
        if sys.stderr is not None and sys.stderr.isatty():
            if time.monotonic() - self._shown_at > 0.1:
                self._shown_at, self._live = time.monotonic(), True
                streams.say(f"\r{text}\x1b[K", newline=False)
        elif self.verbose and iterate.stage != self._stage:
            self.say(text)
        self._stage = iterate.stage

    def steps(self, done, total):
        """Show how many of all steps are finished, in a changing line on a terminal."""
        if self.quiet or sys.stderr is None or not sys.stderr.isatty():
            return
        filled = round(30 * done / max(total, 1))
        bar = "#" * filled + "." * (30 - filled)
        self._live = True
        streams.say(f"\r[{bar}] {done} of {total}\x1b[K", newline=False)

    def trials(self, stage, k):
        """Show what a fit to samples tries, in a changing line on a terminal."""
        if self.quiet or sys.stderr is None or not sys.stderr.isatty():
            return
        self._live = True
        streams.say(f"\r{stage:<8} K {k}\x1b[K", newline=False)

    def clear(self):
        """Remove the line of the progress."""
        if self._live:
            self._live = False
            streams.say("\r\x1b[K", newline=False)


class Main(click.Group):
    """The group of commands, with the exit codes of gmmx and its warnings on standard error."""

    def list_commands(self, _context):
        """Return the commands in the order of the work, not of the alphabet."""
        return list(self.commands)

    def flags(self):
        """Return the option of each parameter of all commands."""
        return {
            option.name: option.opts[-1]
            for command in self.commands.values()
            for option in command.params
            if isinstance(option, click.Option)
        }

    def make_context(self, *args, **extra):
        """Parse the command line, which prints the help and the version."""
        with streams.printing():
            return super().make_context(*args, **extra)

    def main(self, *args, standalone_mode=True, **extra):
        """Run the command line.

        With `standalone_mode`, exit with a code; else errors are raised, for a caller in Python.
        """
        given = extra.get("args") or (args[0] if args else None)
        words = ["gmmx", *(sys.argv[1:] if given is None else map(str, given))]
        console = Console(shlex.join(words), self.flags())
        before = signal.getsignal(signal.SIGTERM)
        if standalone_mode:
            streams.open_all()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                warnings.simplefilter("always", GmmxWarning)
                warnings.showwarning = console.warn
                if standalone_mode:
                    signal.signal(signal.SIGTERM, _terminated)
                code = super().main(*args, standalone_mode=False, obj=console, **extra)
        except (click.ClickException, click.Abort, KeyboardInterrupt, ReaderGoneError) as error:
            if not standalone_mode:
                raise
            code = _exit_code(error, console)
        except GmmxError as error:
            if not standalone_mode:
                raise
            code = 1
            console.fail(error)
        except OSError as error:
            # Paths that are too long, or lie in folders that may not be entered.
            if not standalone_mode or error.filename is None:
                raise
            code = 1
            console.fail(DataError(f"{error.filename}: {error.strerror}: check the path"))
        except SystemError as error:
            cause = _signalled(error)
            if cause is None or not standalone_mode:
                raise
            code = cause.code if isinstance(cause, SystemExit) else _exit_code(cause, console)
        finally:
            console.clear()
            if standalone_mode:
                signal.signal(signal.SIGTERM, before)
        if standalone_mode:
            sys.exit(code or 0)
        return code


def _one_line(message):
    return " ".join(str(message).split())


def _exit_code(error, console):
    """Say how a run ended that was not completed, and return its exit code."""
    if isinstance(error, click.ClickException):
        with suppress(OSError):
            error.show()
        console.fail_in_json(_one_line(error.format_message()))
        return error.exit_code
    if isinstance(error, ReaderGoneError):
        return 141
    console.clear()
    streams.say("gmmx: interrupted")
    return 130


def _signalled(error):
    """Return the exception of a signal behind an error; None if there is none.

    An exception that a signal raises inside a compiled kernel arrives as a SystemError, whose
    causes lead to it.
    """
    while error is not None and not isinstance(error, KeyboardInterrupt | SystemExit):
        error = error.__cause__
    return error


def _terminated(_number, _frame):
    """Raise an exception, so that temporary files are removed on the way out."""
    raise SystemExit(143)
