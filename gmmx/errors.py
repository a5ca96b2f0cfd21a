"""What can go wrong, as types: one root error, its few children, and the warnings."""


class GmmxError(Exception):
    """The root of every error that gmmx raises on purpose: one line, naming the thing, the value and the way out."""


class InputError(GmmxError, ValueError):
    """An argument or an array that a function cannot work with."""


class DataError(GmmxError):
    """A file that cannot be read, or whose content cannot be what it says it is."""


class OutputError(GmmxError):
    """An output that cannot be written, or that would overwrite what exists."""


class GmmxWarning(UserWarning):
    """The root of every warning that gmmx gives: the run goes on, and its user should know."""


class DataWarning(GmmxWarning):
    """Input that is readable and plausible but may not be what its user thinks."""


class ConvergenceWarning(GmmxWarning):
    """A fit that stopped before the objective had settled."""


class DegeneracyWarning(GmmxWarning):
    """Parameters that the data cannot tell apart."""
