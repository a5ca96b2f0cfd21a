"""Options that belong to one kind of input or model, where a command takes several kinds."""

from click.core import ParameterSource

from ..config import option_names
from ..errors import InputError


def config_of(context, given, config, refusal, defaults=None):
    """Return the options of a class, and refuse those that are given and belong to another.

    Parameters
    ----------
    context : click.Context
    given : dict
        The values of all options of the command.
    config : type
        The option class.
    refusal : str
        What is said of an option of another class, after its name.
    defaults : dict, optional
        Defaults that stand in place of those of the class.

    Raises
    ------
    InputError
        If an option of another class is given.
    """
    set_there = (ParameterSource.COMMANDLINE, ParameterSource.DEFAULT_MAP)
    values = {
        name: value
        for name, value in given.items()
        if context.get_parameter_source(name) in set_there
    }
    for name in values:
        if name not in option_names(config):
            raise InputError(f"`{name}` {refusal}", parameter=name)
    return config(**{**(defaults or {}), **values})
