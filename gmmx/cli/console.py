"""What the command line says and how it ends: warnings and progress on stderr, exit codes."""

import os
import re
import shlex
import signal
import sys
import time
import warnings

import click

from ..errors import GmmxError, GmmxWarning


class Console:
    """What is said on stderr: choices, warnings (each once) and the line that shows progress."""

    def __init__(self, command, flags=None):
        self.command = command
        # The option of each parameter, for messages of the library.
        self.flags = flags or {}
        self.quiet = self.verbose = False
        self.said = set()
        self.shown_at = 0.0
        self.stage = None
        self.live = False

    def say(self, text):
        """One line, unless -q."""
        if not self.quiet:
            self.clear()
            click.echo(text, err=True)

    def line(self, message):
        """Return a message of the library on one line, with parameters named by their options.

        A parameter is named between backticks: `psf` becomes --psf, and "`psf_ecf` = 2" becomes
        "--psf-ecf 2". Names that are no options stay as they are.
        """

        def option(match):
            flag = self.flags.get(match[1])
            return match[0] if flag is None else f"{flag} " if match[2] else flag

        return re.sub(r"`(\w+)`( = )?", option, " ".join(str(message).split()))

    def fail(self, error):
        """What went wrong, in one line, whatever -q says."""
        self.clear()
        click.echo(f"gmmx: error: {self.line(error)}", err=True)

    def warn(self, message, category, filename, lineno, file=None, line=None):
        """Takes the place of `warnings.showwarning`."""
        text = self.line(message)
        if text not in self.said:
            self.said.add(text)
            self.say(
                f"gmmx: warning: {text}"
                if issubclass(category, GmmxWarning)
                else f"gmmx: {category.__name__}: {text} ({filename}:{lineno})"
            )

    def progress(self, state):
        """Where a fit is: a line that changes on a terminal; with -v elsewhere, one line per phase."""
        if self.quiet:
            return
        terminal = sys.stderr.isatty()
        rate = state.iteration / max(state.seconds, 1e-9)
        text = f"{state.stage:<8} K {len(state.mixture):<4} log L {state.log_likelihood:,.1f}  {state.iteration} steps, {rate:.0f}/s"
        if terminal and time.monotonic() - self.shown_at > 0.1:
            self.shown_at, self.live = time.monotonic(), True
            click.echo(f"\r{text}\x1b[K", err=True, nl=False)
        elif self.verbose and not terminal and state.stage != self.stage:
            self.say(text)
        self.stage = state.stage

    def clear(self):
        """Take the live line away."""
        if self.live:
            self.live = False
            click.echo("\r\x1b[K", err=True, nl=False)


def _terminated(number, frame):
    # An exception, so that temporary files are removed on the way out.
    raise SystemExit(143)


class _NobodyReads(Exception):
    """The reader of stdout has gone: click would make exit code 1 of a BrokenPipeError."""


class Main(click.Group):
    """The group of commands, with gmmx's exit codes, and its warnings on stderr."""

    def invoke(self, context):
        """Run the command, its output included."""
        try:
            code = super().invoke(context)
            sys.stdout.flush()
        except BrokenPipeError:
            raise _NobodyReads from None
        return code

    def main(self, *args, standalone_mode=True, **extra):
        """Run; with `standalone_mode`, exit with a code instead of raising what was raised on purpose."""
        arguments = extra.get("args") or (args[0] if args else None)
        console = Console(
            shlex.join(["gmmx", *(sys.argv[1:] if arguments is None else map(str, arguments))]),
            {
                option.name: option.opts[-1]
                for command in self.commands.values()
                for option in command.params
                if isinstance(option, click.Option)
            },
        )
        before = signal.getsignal(signal.SIGTERM)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                warnings.simplefilter("always", GmmxWarning)
                warnings.showwarning = console.warn
                if standalone_mode:
                    signal.signal(signal.SIGTERM, _terminated)
                code = super().main(*args, standalone_mode=False, obj=console, **extra)
        except click.ClickException as error:
            if not standalone_mode:
                raise
            error.show()
            code = error.exit_code
        except (click.Abort, KeyboardInterrupt):
            if not standalone_mode:
                raise
            code = 130
            console.clear()
            click.echo("gmmx: interrupted", err=True)
        except _NobodyReads:
            if not standalone_mode:
                raise
            code = 141
            # Python flushes stdout once more when it ends: let it find a place that takes everything.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except GmmxError as error:
            if not standalone_mode:
                raise
            code = 1
            console.fail(error)
        finally:
            console.clear()
            if standalone_mode:
                signal.signal(signal.SIGTERM, before)
        if standalone_mode:
            sys.exit(code or 0)
        return code
