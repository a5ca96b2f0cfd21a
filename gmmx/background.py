"""Background: photons in the event list that are not the sky one is after."""

from dataclasses import dataclass

import numpy as np

from .errors import InputError
from .grid import SkyImage

KINDS = ("sky", "particle", "file")


@dataclass(frozen=True, eq=False, kw_only=True)
class Background:
    """One background of one observation: ``B q(x)`` photons per arcsec**2.

    Attributes
    ----------
    name : str
    kind : {"sky", "particle", "file"}
        q is the completeness for the sky (flat, seen through the mirrors), the open share for particles, the open share times `shape` for a file.
    amplitude : float or None
        B [photons / arcsec**2 where q = 1]; None: to be fitted, starting from the data.
    fixed : bool
        Whether the amplitude is held.
    shape : SkyImage or None
        The map of a file background.
    """

    name: str = "sky"
    kind: str = "sky"
    amplitude: float | None = None
    fixed: bool = False
    shape: SkyImage | None = None

    def __post_init__(self):
        if self.kind not in KINDS:
            raise InputError(f"a background is one of {', '.join(KINDS)}, got {self.kind!r}")
        if self.amplitude is not None and not (np.isfinite(self.amplitude) and self.amplitude >= 0):
            raise InputError(f"the amplitude of background {self.name!r} must be at least 0, got {self.amplitude}")
        if self.fixed and self.amplitude is None:
            raise InputError(f"background {self.name!r} is held but has no amplitude")
        if (self.kind == "file") != (self.shape is not None):
            raise InputError(f"background {self.name!r}: a map goes with kind 'file', and only with it")
