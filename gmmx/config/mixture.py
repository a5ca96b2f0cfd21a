"""Options of the commands that draw from a mixture, condition it, and denoise samples."""

from dataclasses import dataclass

from ..errors import InputError
from ._checks import Options, make_tuples, require_whole


@dataclass(frozen=True, kw_only=True, repr=False)
class SampleCommandConfig(Options):
    """Options of `gmmx sample`.

    Parameters
    ----------
    n : int
        Number of samples.
    seed : int
        Seed of the random numbers.
    """

    n: int = 1000
    seed: int = 0

    def __post_init__(self):
        require_whole(self, 1, "n")
        require_whole(self, 0, "seed")


@dataclass(frozen=True, kw_only=True, repr=False)
class ConditionConfig(Options):
    """Options of `gmmx condition`.

    Parameters
    ----------
    given : str or sequence of str
        Columns whose values are known, as "NAME=VALUE"; commas separate several.

    Examples
    --------
    >>> ConditionConfig(given="r_i=0.4").values
    {'r_i': 0.4}
    >>> ConditionConfig(given="r_i")
    Traceback (most recent call last):
    gmmx.errors.InputError: `given` = r_i: write NAME=VALUE, such as r_i=0.4
    """

    given: tuple = ()

    def __post_init__(self):
        make_tuples(self, "given")
        parts = tuple(part.strip() for one in self.given for part in one.split(","))
        object.__setattr__(self, "given", parts)
        if len(self.values) < len(parts):
            raise InputError("`given` names a column twice: give one value", parameter="given")

    @property
    def values(self):
        """The value of each column that is known."""
        found = {}
        for part in self.given:
            name, separator, value = part.rpartition("=")
            try:
                found[name.strip()] = float(value)
            except ValueError:
                separator = ""
            if not separator or not name.strip():
                raise InputError(
                    f"`given` = {part}: write NAME=VALUE, such as r_i=0.4", parameter="given"
                )
        return found
