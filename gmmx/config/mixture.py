"""Options of the commands that draw from a mixture, condition it, and denoise samples."""

from dataclasses import dataclass

from ..errors import InputError
from ._checks import Options, make_tuples, require_choice, require_text, require_whole
from .picture_output import parsed_size

# Where the colours of samples of a colour picture come from.
SAMPLE_COLOURS = ("draw", "expectation", "most-probable")


@dataclass(frozen=True, kw_only=True, repr=False)
class SampleCommandConfig(Options):
    """Options of `gmmx sample`.

    Parameters
    ----------
    n : int
        Number of samples.
    seed : int
        Seed of the random numbers.
    grid_size : str, optional
        Width and height of a picture, such as "1000x800" [pixel]; by default those of the picture
        that was fitted.
    colours : {"draw", "expectation", "most-probable"}
        Colours in a picture: drawn from the conditional mixture at their place, or its mean, or
        the mean of its most probable component.
    """

    n: int = 1000
    seed: int = 0
    grid_size: str | None = None
    colours: str = "draw"

    def __post_init__(self):
        require_whole(self, 1, "n")
        require_whole(self, 0, "seed")
        require_text(self, "grid_size")
        parsed_size(self.grid_size)
        require_choice(self, "colours", SAMPLE_COLOURS)


@dataclass(frozen=True, kw_only=True, repr=False)
class ConditionConfig(Options):
    """Options of `gmmx condition`.

    Parameters
    ----------
    given : str or sequence of str
        Columns whose values are known, as "NAME=VALUE"; commas separate several.
    columns : str or sequence of str
        Columns to keep; the mixture is integrated over the others. By default all that are not
        given.

    Examples
    --------
    >>> ConditionConfig(given="r_i=0.4").values
    {'r_i': 0.4}
    >>> ConditionConfig(given="r_i")
    Traceback (most recent call last):
    gmmx.errors.InputError: `given` = r_i: write NAME=VALUE, such as r_i=0.4
    """

    given: tuple = ()
    columns: tuple = ()

    def __post_init__(self):
        for name in ("given", "columns"):
            make_tuples(self, name)
            parts = tuple(part.strip() for one in getattr(self, name) for part in one.split(","))
            object.__setattr__(self, name, parts)
        if not all(self.columns):
            raise InputError(
                "`columns` has an empty name: put one comma between names", parameter="columns"
            )
        if len(set(self.columns)) < len(self.columns):
            raise InputError("`columns` repeats a column: name each once", parameter="columns")
        parts = self.given
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
