"""Background: photons in the event list that are not the sky one is after."""

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..plane.grid import SkyImage

KINDS = ("sky", "particle", "file", "streak")
# Kinds whose shape is a map, and kinds that have none.
_MAPPED, _UNMAPPED = ("file", "streak"), ("sky",)


@dataclass(frozen=True, eq=False, kw_only=True)
class Background:
    """One background of one observation: ``B q(x)`` photons per arcsec**2.

    Attributes
    ----------
    name : str
    kind : {"sky", "particle", "file", "streak"}
        q is the completeness for the sky (flat, seen through the mirrors); for all others it is the open share inside the field times `template`.
    amplitude : float or None
        B [photons / arcsec**2 where q = 1]; None: to be fitted, starting from the data.
    fixed : bool
        Whether the amplitude is held.
    template : SkyImage or None
        The map of a file or a streak; of particles the share of the time in which they could be recorded, 1 everywhere without one.
    deviations : tuple of float
        What a held amplitude is uncertain by: ``B + sum_j deviations[j] z_j`` with independent z_j of unit variance, the same z_j for all backgrounds of an
        observation [photons / arcsec**2].
    """

    name: str = "sky"
    kind: str = "sky"
    amplitude: float | None = None
    fixed: bool = False
    template: SkyImage | None = None
    deviations: tuple = ()

    def __post_init__(self):
        object.__setattr__(self, "deviations", tuple(float(d) for d in self.deviations))
        if self.kind not in KINDS:
            raise InputError(f"a background is one of {', '.join(KINDS)}, got {self.kind!r}")
        if self.amplitude is not None and not (np.isfinite(self.amplitude) and self.amplitude >= 0):
            raise InputError(
                f"the amplitude of background {self.name!r} must be at least 0, got {self.amplitude}"
            )
        if self.fixed and self.amplitude is None:
            raise InputError(f"background {self.name!r} is held but has no amplitude")
        if self.template is None and self.kind in _MAPPED:
            raise InputError(f"background {self.name!r}: kind {self.kind!r} needs a map")
        if self.template is not None and self.kind in _UNMAPPED:
            raise InputError(
                f"background {self.name!r}: kind {self.kind!r} has no map but the exposure"
            )
        if self.deviations and not self.fixed:
            raise InputError(
                f"background {self.name!r}: deviations are those of a held amplitude, this one is fitted"
            )

    def unvignetted(self, x, y):
        """q at positions inside the field outside all masks, but for the sky's, which is the completeness: the map's value, or 1."""
        return np.ones(np.shape(x)) if self.template is None else self.template.at(x, y)


def way_to_hold(kind, name):
    """The options that hold the level of a background, for messages."""
    value = f"{name}:fixed" if kind == "file" else f"{name}=VALUE"
    return f"--background {value} or --background-region FILE"
