"""EventList: the photons a telescope recorded, single or counted in pixels, and the frame they live in."""

from dataclasses import dataclass, field, replace

import numpy as np

from .._arrays import read_only
from ..errors import InputError
from ..plane.frame import PhysicalFrame, SkyFrame
from ..plane.grid import PixelGrid


@dataclass(frozen=True, eq=False, kw_only=True)
class EventList:
    """What an event file or a counts image holds, in the tangent plane of its own sky coordinates.

    Attributes
    ----------
    frame : SkyFrame
        The tangent plane.
    physical : PhysicalFrame or None
        The file's sky pixels in that plane; None where they are turned against it.
    x, y : (N,) array
        Detected positions [arcsec]: of photons, or the centres of pixels that hold some.
    weights : (N,) array or None
        Photons each row stands for; None where that is one.
    pixels : PixelGrid or None
        The counts image that the rows are pixels of; None for single photons.
    energy_kev : (N,) array or None
        Photon energies [keV]; None where the file does not tell them.
    ccd : (N,) array of int16 or None
        The chip that recorded each photon; None where the file does not tell it.
    metadata : dict
        Keywords of the file, its name and digest, and what it records about itself; JSON-ready.
    n_dropped : dict of str to float
        Photons left out so far, by reason.
    """

    frame: SkyFrame
    physical: PhysicalFrame | None
    x: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None = None
    pixels: PixelGrid | None = None
    energy_kev: np.ndarray | None = None
    ccd: np.ndarray | None = None
    metadata: dict = field(default_factory=dict)
    n_dropped: dict = field(default_factory=dict)

    def __post_init__(self):
        read_only(self, x=("N",), y=("N",))
        if self.weights is not None:
            read_only(self, weights=self.x.shape)
        if self.energy_kev is not None:
            read_only(self, energy_kev=(len(self.x),))
        if self.ccd is not None:
            ccd = np.array(self.ccd, dtype=np.int16)
            if ccd.shape != self.x.shape:
                raise InputError(f"EventList.ccd must have shape {self.x.shape}, got {ccd.shape}")
            ccd.flags.writeable = False
            object.__setattr__(self, "ccd", ccd)

    def __len__(self):
        return len(self.x)

    @property
    def n_photons(self):
        """Sum of the weights: the rows of an event list [photon]."""
        return self.weighed(np.ones(len(self), bool))

    def weighed(self, chosen):
        """Photons of the rows that `chosen` (N booleans) names: an int where their number is whole."""
        total = float(
            np.count_nonzero(chosen) if self.weights is None else self.weights[chosen].sum()
        )
        return int(total) if total.is_integer() else total

    def select(self, keep, reason):
        """The list with only the photons that `keep` (N booleans) names; the others are counted under `reason`."""
        if np.all(keep):
            return self
        n_lost = self.weighed(~keep)
        kept = {
            name: None if getattr(self, name) is None else getattr(self, name)[keep]
            for name in ("x", "y", "weights", "energy_kev", "ccd")
        }
        return replace(
            self,
            **kept,
            n_dropped={**self.n_dropped, reason: self.n_dropped.get(reason, 0) + n_lost},
        )

    def noted(self, **metadata):
        """The same photons with further metadata."""
        return replace(self, metadata={**self.metadata, **metadata})
