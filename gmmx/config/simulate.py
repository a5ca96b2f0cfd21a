"""Options of simulated photons, and of photons that are assigned to components."""

import re
from dataclasses import dataclass

from ..errors import InputError
from ._checks import (
    Options,
    is_whole,
    require_bool,
    require_choice,
    require_positive,
    require_text,
    require_whole,
)

# How one hard decision for each photon is made.
LABELS = ("draw", "best")


@dataclass(frozen=True, kw_only=True, repr=False)
class SimulateConfig(Options):
    """Options of `gmmx simulate`.

    Parameters
    ----------
    exposure_scale : float
        Factor on the exposure time of every observation.
    components : sequence of int, optional
        Numbers of the only components that are simulated, also as text, such as "0,3", or "none"
        for the backgrounds alone. The backgrounds always are simulated.
    no_psf : bool
        Whether photons are left where the sky has them, without the PSF.
    draw : int, optional
        The draw of the parameters that is simulated, from 0. Without it the best fit.
    seed : int
        Of the random numbers.

    Examples
    --------
    >>> SimulateConfig(components="0,3", exposure_scale=2.0)
    SimulateConfig(exposure_scale=2.0, components=(0, 3))
    """

    exposure_scale: float = 1.0
    components: tuple[int, ...] | None = None
    no_psf: bool = False
    draw: int | None = None
    seed: int = 0

    def __post_init__(self):
        require_positive(self, "exposure_scale")
        require_bool(self, "no_psf")
        require_whole(self, 0, "draw", "seed")
        object.__setattr__(self, "components", _numbers(self.components))


def _numbers(given):
    """Return the numbers of components in rising order, or None."""
    if given is None:
        return None
    if isinstance(given, str):
        parts = [] if given.strip().lower() == "none" else given.split(",")
        good = all(re.fullmatch(r"\s*\d+\s*", part) for part in parts)
    else:
        parts = list(given) if isinstance(given, list | tuple) else [given]
        good = all(is_whole(part) and part >= 0 for part in parts)
    if not good:
        raise InputError(
            f"`components` = {given}: give numbers of the component table, such as 0,3, or none",
            parameter="components",
        )
    return tuple(sorted({int(part) for part in parts}))


@dataclass(frozen=True, kw_only=True, repr=False)
class AssignConfig(Options):
    """Options of `gmmx assign`.

    Parameters
    ----------
    label : {"draw", "best"}, optional
        How one hard decision for each photon is made: drawn by the probabilities, or the most
        probable origin. Without it there is none.
    map : path, optional
        FITS image of component labels to write.
    seed : int
        Of the labels that are drawn.
    no_checksum : bool
        Whether FITS files are read even if their CHECKSUM or DATASUM does not hold.

    Examples
    --------
    >>> AssignConfig(label="draw")
    AssignConfig(label='draw')
    """

    label: str | None = None
    map: str | None = None
    seed: int = 0
    no_checksum: bool = False

    def __post_init__(self):
        if self.label is not None:
            require_choice(self, "label", LABELS)
        require_text(self, "map")
        require_whole(self, 0, "seed")
        require_bool(self, "no_checksum")
