"""Write docs/commands.md, the reference of all commands, from the help texts of the commands."""

from pathlib import Path

import click

from gmmx.cli.main import main

PAGE = Path(__file__).with_name("commands.md")
WIDTH = 96
START = """# Reference of all commands

This page is the output of `gmmx COMMAND --help`. `make docs` writes it.
"""


def reference():
    """The text of the page."""
    parts = [START]
    settings = main.context_settings | {"terminal_width": WIDTH, "color": False}
    with click.Context(main, info_name="gmmx", **settings) as context:
        parts.append(section("gmmx", main.get_help(context)))
        for name in main.list_commands(context):
            command = main.commands[name]
            with click.Context(
                command, parent=context, info_name=name, terminal_width=WIDTH, color=False
            ) as inner:
                parts.append(section(f"gmmx {name}", command.get_help(inner)))
    return "\n".join(parts)


def section(title, text):
    """One command: a heading and its help text, to the letter."""
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return f"## {title}\n\n```text\n{lines}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(reference())
