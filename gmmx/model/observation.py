"""Observation: the photons of one pointing with its completeness, PSF and backgrounds."""

from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import InputError
from ..plane.frame import PhysicalFrame, SkyFrame
from ..plane.shapes import Shapes
from .background import Background
from .completeness import Completeness
from .photons import Photons
from .pointing import Pointing
from .psf import PsfModel


@dataclass(frozen=True, eq=False, kw_only=True)
class Observation:
    """One pointing, ready for the fit.

    Attributes
    ----------
    photons : Photons
        Positions in the tangent plane, weights, energies and chips.
    frame : SkyFrame, optional
        The tangent plane; None in tests and toys that have no sky.
    completeness : Completeness or None
        None: complete everywhere, of reference exposure 1.
    psf : PsfModel or None
        None: no blur.
    backgrounds : tuple of Background
    name : str
    physical : PhysicalFrame or None
        The telescope's sky pixels in the plane.
    masks : Shapes or None
        What was cut out, in the plane of `masks_frame`; the completeness and the photons are cut already.
    masks_frame : SkyFrame, optional
        The tangent plane that the masks are in; `frame` without one.
    pointing : Pointing
        Telescope, pointing, energy band, chips, input files and choices.
    dropped : dict of str to float
        Photons left out, by reason.
    """

    photons: Photons
    frame: SkyFrame | None = None
    completeness: Completeness | None = None
    psf: PsfModel | None = None
    backgrounds: tuple[Background, ...] = ()
    name: str = "observation"
    physical: PhysicalFrame | None = None
    masks: Shapes | None = None
    masks_frame: SkyFrame | None = None
    pointing: Pointing = field(default_factory=Pointing)
    dropped: dict = field(default_factory=dict)

    def __post_init__(self):
        names = [b.name for b in self.backgrounds]
        if len(set(names)) < len(names):
            raise InputError(f"two backgrounds of one observation share a name: {', '.join(names)}")
        if self.backgrounds and self.completeness is None:
            raise InputError("a background needs a completeness: without one its field has no edge")

    @property
    def n_photons(self):
        """Sum of the weights [photon]."""
        return self.photons.n_photons

    def from_masks(self, x, y):
        """Positions (x, y) in the plane of the masks, brought into the observation's own [arcsec]."""
        return _between(self.masks_frame, self.frame, x, y)

    def cuts_out(self, x, y):
        """Whether positions in the observation's plane [arcsec] are under a mask or outside the region, (n,) booleans."""
        return (
            np.zeros(np.shape(x), bool)
            if self.masks is None
            else self.masks.contains(*_between(self.frame, self.masks_frame, x, y))
        )

    def mask_outlines(self, n=64):
        """Edges of the masks in the observation's plane: a list of (n, 2) arrays [arcsec]."""
        return (
            []
            if self.masks is None
            else [np.column_stack(self.from_masks(*line.T)) for line in self.masks.outlines(n)]
        )

    def select(self, keep, reason):
        """The observation with only the photons that `keep` (booleans) names; the others are counted under `reason`."""
        if np.all(keep):
            return self
        lost = self.photons.count(~keep)
        return replace(
            self,
            photons=self.photons.select(keep),
            dropped={**self.dropped, reason: self.dropped.get(reason, 0) + lost},
        )

    def exposed(self):
        """The observation without the photons that lie where the completeness is zero."""
        if self.completeness is None:
            return self
        return self.select(
            self.completeness.effective_at(self.photons.x, self.photons.y) > 0, "zero exposure"
        )


def finest_detail(observations):
    """The smallest standard deviation that photons counted in pixels can tell, half of the finest pixel [arcsec]; 0 where some photons are single."""
    return min((o.photons.pixel / 2 for o in observations), default=0.0)


def _between(frame, other, x, y):
    """Positions of one tangent plane in another; unchanged where either is not known, or both are one."""
    return (
        (x, y)
        if frame is None or other is None or frame == other
        else other.to_plane(*frame.to_sky(x, y))
    )
