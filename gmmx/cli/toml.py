"""Options from a TOML file."""

import tomllib
from dataclasses import fields
from pathlib import Path

from ..errors import DataError, about


def read_defaults(path, configs, short, others=()):
    """Read the options of all commands from a TOML file.

    The file has one table for each command. The option class of the command checks the values,
    so that a file and a command line are refused in the same words.

    Parameters
    ----------
    path : str
    configs : dict of str to type
        The option class of each command.
    short : dict of str to str
        The short forms of parameters, such as "k" for "n_components".
    others : dict of str to type
        A further option class of some commands, for other kinds of files.

    Returns
    -------
    dict of str to dict
        Parameters and values that the file sets, for each command.

    Raises
    ------
    DataError
        If the file cannot be read, or has a table or a key that does not exist.
    InputError
        If a value is refused.
    """
    try:
        tables = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise DataError(f"{path}: not a TOML file: its text is not in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{path}: not a TOML file: {error}") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    found = {}
    for command, table in tables.items():
        if command not in configs or not isinstance(table, dict):
            known = ", ".join(f"[{name}]" for name in configs)
            raise DataError(
                f"{path}: unknown key {command!r}: the file may have the tables {known}"
            )
        with about(f"{path}: [{command}]"):
            found[command] = _checked(table, _class_for(table, command, configs, others), short)
    return found


def _class_for(table, command, configs, others):
    """Return the option class of a table: the other one, where only that knows all keys."""
    names = {key.replace("-", "_") for key in table}
    config, other = configs[command], dict(others).get(command)
    if other is None or names <= _names(config):
        return config
    return other if "columns" in names or names & (_names(other) - _names(config)) else config


def _names(config):
    return {f.name for f in fields(config)} | {"k", "energy"}


def _checked(table, config, short):
    """Return the values of a table as the option class keeps them."""
    keys = {short.get(f.name, f.name): f.name for f in fields(config)}
    names = {}
    for key in table:
        plain = key.replace("-", "_")
        name = plain if plain in keys.values() else keys.get(plain)
        if name is None:
            raise DataError(f"unknown key {key!r}: the table may have {', '.join(keys)}")
        names[name] = table[key]
    checked = config(**names)
    return {name: getattr(checked, name) for name in names}
