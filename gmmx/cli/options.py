"""The options of the command line: how they are declared, and those that commands share.

An option that sets a parameter takes its default and its choices from the option classes in
`gmmx.config`, so that nothing is written twice.
"""

import warnings
from dataclasses import fields

import click
from click.shell_completion import CompletionItem

from ..config import ReadOptions
from ..errors import GmmxWarning
from .configs import CONFIGS, OTHER_CONFIGS, SHORT
from .streams import expanded, printing

# The help of an option with a longer name begins on the next line.
WIDEST_NAME = 26


class File(click.Path):
    """A file name, which the shell completes. Words and numbers may stand in its place.

    Parameters
    ----------
    *words : str
        Words that may stand in place of the file name; the shell completes them too.
    """

    name = "file"

    def __init__(self, *words):
        super().__init__()
        self.words = words

    def convert(self, value, _parameter, _context):
        """Return the text as it is: the library checks it, and says what is wrong with it."""
        return value

    def shell_complete(self, context, parameter, incomplete):
        """Complete words, and leave the rest to the shell."""
        words = [CompletionItem(word) for word in self.words if word.startswith(incomplete)]
        return words + super().shell_complete(context, parameter, incomplete)


class Components(click.ParamType):
    """A whole number, or "auto"."""

    name = "int|auto"

    def convert(self, value, _parameter, _context):
        """Return an int, or "auto"."""
        if value == "auto":
            return value
        try:
            return int(value)
        except ValueError:
            self.fail(f"{value!r} is neither a whole number nor auto")

    def shell_complete(self, _context, _parameter, incomplete):
        """Complete "auto"."""
        return [CompletionItem("auto")] if "auto".startswith(incomplete) else []


class Anything(click.ParamType):
    """A text that the option class parses."""

    name = "text"

    def convert(self, value, _parameter, _context):
        """Return the value as it is."""
        return value


class Option(click.Option):
    """An option that stands under a heading in the help of its command."""

    def __init__(self, *arguments, group="Options", **rest):
        super().__init__(*arguments, **rest)
        self.group = group


class Command(click.Command):
    """A command whose help has headings, and which knows its files before an option fails."""

    def parse_args(self, context, arguments):
        """Note the files and whether JSON is wanted, for a failure, then parse as usual."""
        # The shell's completion parses without a console.
        if context.obj is not None:
            has_json = any(option.name == "as_json" for option in self.params)
            context.obj.as_json = has_json and "--json" in arguments
        given, _, _ = self.make_parser(context).parse_args(list(arguments))
        if context.obj is not None:
            context.obj.file = _first_file(given)
        return super().parse_args(context, arguments)

    def make_context(self, *args, **extra):
        """Parse the command line, which prints the help."""
        with printing():
            return super().make_context(*args, **extra)

    def format_options(self, context, formatter):
        """Write the options under their headings, in the order of the declarations."""
        groups = {}
        for option in self.get_params(context):
            if isinstance(option, click.Option):
                heading = getattr(option, "group", "Other")
                groups.setdefault(heading, []).append(option.get_help_record(context))
        names = [name for rows in groups.values() for name, _ in rows]
        width = max(len(name) for name in names if len(name) <= WIDEST_NAME)
        for heading, rows in groups.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), text) for name, text in rows], width)


def _first_file(given):
    """Return the first file among raw arguments, or None."""
    for name in ("models", "model", "events"):
        value = given.get(name)
        first = value[0] if isinstance(value, tuple) and value else value
        if isinstance(first, str) and first != "-":
            return first
    return None


def setting(config, name, text, *, default=None, **rest):
    """Declare the option that sets a parameter of an option class.

    Parameters
    ----------
    config : type
        The option class: the option has its default, and its type where this is a number.
    name : str
        The parameter. The option is --name with dashes, or its short form in `SHORT`.
    text : str
        The help.
    default : str, optional
        What the help says of the default, if the class has None or ().
    **rest
        Further arguments of `click.option`, such as group, type and metavar.
    """
    value = getattr(config, name)
    if default is None and value not in (None, ()):
        default = f"{value:g}" if isinstance(value, float) else str(value)
    rest.setdefault("type", {int: click.INT, float: click.FLOAT}.get(type(value)))
    return click.option(
        "--" + SHORT.get(name, name).replace("_", "-"),
        name,
        cls=Option,
        default=value,
        multiple=isinstance(value, tuple),
        help=text if default is None else f"{text} [default: {default}]",
        **rest,
    )


def flag(*names, help, group="Output", **rest):
    """Declare an option without a value."""
    return click.option(*names, cls=Option, is_flag=True, help=help, group=group, **rest)


def out(metavar, text, *, required=True):
    """Declare the output file."""
    return click.option(
        "--out",
        cls=Option,
        group="Output",
        metavar=metavar,
        type=File(),
        required=required,
        help=text,
    )


def _be_quiet(context, _parameter, value):
    context.obj.quiet = value


def _be_verbose(context, _parameter, value):
    context.obj.verbose = value
    if value:
        warnings.simplefilter("default")
        warnings.simplefilter("always", GmmxWarning)


def _read_config(context, _parameter, path):
    """Take the defaults of the options from a TOML file."""
    if path is not None:
        # Imported here, because `gmmx --help` is to stay quick.
        from .toml import read_defaults

        tables = read_defaults(path, CONFIGS, SHORT, OTHER_CONFIGS)
        found = tables.get(context.info_name, {})
        context.obj.configs.append(path)
        context.default_map = {**(context.default_map or {}), **found}


def values(config, given):
    """Return the options of a class from what click parsed."""
    return config(**{f.name: given[f.name] for f in fields(config)})


def examples(*lines):
    """Return the end of a help page: examples, one on each line."""
    return "\n".join(["Examples:", "", "\b", *(f"  {line}" for line in lines)])


def _take_files(context, _parameter, paths):
    # The shell's completion must not read standard input.
    if context.resilient_parsing:
        return paths
    found = expanded(paths)
    context.obj.file = context.obj.file or found[0]
    return found


def _files(name, metavar):
    return click.argument(
        name, nargs=-1, required=True, metavar=metavar, type=File(), callback=_take_files
    )


events = _files("events", "EVENTS...")
model = click.argument("model", type=File())
models = _files("models", "MODEL...")
no_checksum = flag(
    "--no-checksum",
    group="Input",
    default=ReadOptions.no_checksum,
    help="Read FITS files even if their CHECKSUM or DATASUM does not hold.",
)
overwrite = flag("--overwrite", help="Replace the output file if it exists.")
as_json = flag(
    "--json",
    "as_json",
    help="Print one JSON object for each result on standard output, also if the command fails: "
    "its status is ok or error.",
)
config = click.option(
    "--config",
    cls=Option,
    group="Other",
    metavar="FILE.toml",
    type=File(),
    is_eager=True,
    expose_value=False,
    callback=_read_config,
    help="Read options from the table of this command in a TOML file. Options on the command "
    "line override them.",
)
quiet = flag(
    "-q",
    "--quiet",
    expose_value=False,
    is_eager=True,
    callback=_be_quiet,
    help="Print only errors on standard error.",
)
verbose = flag(
    "-v",
    "--verbose",
    expose_value=False,
    is_eager=True,
    callback=_be_verbose,
    help="Print more: the stages of a fit, all components and options, and the warnings of other "
    "packages.",
)
