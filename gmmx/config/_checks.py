"""Checks and conversions that the option classes share."""

import math
from dataclasses import fields
from datetime import date, time
from difflib import get_close_matches
from numbers import Integral, Real
from os import PathLike, fspath

from .._words import either
from ..errors import InputError

# Names of the command line, for which Python has others.
_IN_PYTHON = {"k": "n_components", "energy": "energy_kev"}

# Values of a configuration file that name no file.
_NO_FILES = (Real, list, tuple, dict, date, time)


class Options:
    """Base of the option classes: a short repr, and a record that JSON can hold."""

    @classmethod
    def check_names(cls, names):
        """Refuse names that are not options of this class, and propose those that may be meant."""
        known = option_names(cls)
        for name in names:
            if name in known:
                continue
            near = [_IN_PYTHON.get(name), *get_close_matches(name, known, 1, 0.7)]
            meant = next((one for one in near if one in known), None)
            hint = f"did you mean `{meant}`?" if meant else f"choose from {', '.join(known)}"
            raise TypeError(f"{cls.__name__} has no option {name!r}: {hint}")

    def __repr__(self):
        """Name the class and the options that differ from their defaults."""
        changed = (
            f"{f.name}={getattr(self, f.name)!r}"
            for f in fields(self)
            if getattr(self, f.name) != f.default
        )
        return f"{type(self).__name__}({', '.join(changed)})"

    def record(self):
        """Return the options as a dict that JSON can hold; other objects become their repr."""
        return {f.name: recorded(getattr(self, f.name)) for f in fields(self)}


def option_names(config):
    """Return the names of the options of a class, in order."""
    return tuple(f.name for f in fields(config))


def is_whole(value):
    return isinstance(value, Integral) and not isinstance(value, bool)


def recorded(value):
    if isinstance(value, tuple | list):
        return [recorded(one) for one in value]
    if is_whole(value):
        return int(value)
    if isinstance(value, Real) and not isinstance(value, bool):
        return float(value)
    return value if isinstance(value, str | bool | None) else repr(value)


def make_tuples(options, *names, numbers=()):
    """Turn single values into tuples; paths become the text of the command line.

    So do numbers in the options that are named in `numbers`; in the others they are refused, as
    everything is that a configuration file may hold beside texts.
    """
    for name in names:
        given = getattr(options, name)
        if given is None:
            values = ()
        else:
            values = given if isinstance(given, tuple | list) else (given,)
        texts = []
        for value in values:
            is_number = isinstance(value, Real) and not isinstance(value, bool)
            if isinstance(value, PathLike):
                texts.append(fspath(value))
            elif is_number and name in numbers:
                texts.append(str(value))
            elif isinstance(value, _NO_FILES) or value == "":
                raise InputError(f"`{name}` = {value!r}: it must be a text", parameter=name)
            else:
                texts.append(value)
        object.__setattr__(options, name, tuple(texts))


def require_text(options, *names):
    """Refuse values that are neither texts nor None, such as numbers of a configuration file."""
    for name in names:
        value = getattr(options, name)
        if value is not None and (not isinstance(value, str) or not value):
            raise InputError(f"`{name}` = {value!r}: it must be a text", parameter=name)


def require_choice(options, name, choices):
    value = getattr(options, name)
    if not isinstance(value, str) or value not in choices:
        raise InputError(f"`{name}` = {value}: choose {either(choices)}", parameter=name)


def require_bool(options, name):
    value = getattr(options, name)
    if not isinstance(value, bool):
        raise InputError(f"`{name}` = {value}: choose true or false", parameter=name)


def require_positive(options, *names):
    require(options, names, "a positive number", lambda v: math.isfinite(v) and v > 0)


def require_at_least(options, least, *names):
    rule = f"a number of at least {least}"
    require(options, names, rule, lambda v: math.isfinite(v) and v >= least)


def require_whole(options, least, *names):
    rule = f"a whole number of at least {least}"
    require(options, names, rule, lambda v: is_whole(v) and v >= least)


def require(options, names, rule, holds):
    """Refuse values that are not numbers or break the rule; None is allowed as a default only."""
    for name in names:
        value = getattr(options, name)
        if value is None and type(options).__dataclass_fields__[name].default is None:
            continue
        try:
            good = holds(value)
        except TypeError:
            good = False
        if not good:
            raise InputError(f"`{name}` = {value}: it must be {rule}", parameter=name)
