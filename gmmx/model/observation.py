"""Observation: the photons of one pointing with its completeness, PSF and backgrounds."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ..errors import InputError
from ..plane.frame import PhysicalFrame, SkyFrame
from ..plane.shapes import Shapes
from .background import Background
from .completeness import Completeness
from .photons import Photons, keep_photons
from .pointing import Pointing
from .psf import PsfModel


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Observation:
    """The photons of one pointing, with its exposure, PSF, masks and backgrounds.

    Parameters
    ----------
    photons : Photons
        Positions in the tangent plane, weights, energies and chips.
    frame : SkyFrame, optional
        The tangent plane. Without it the observation has no position on the sky.
    completeness : Completeness, optional
        Exposure and masks. Without it the field is complete everywhere, and the reference
        exposure is 1.
    psf : PsfModel, optional
        Point spread function. Without it nothing is deconvolved.
    backgrounds : tuple of Background
        They need a completeness, because without one the field has no edge.
    name : str
        Name of the observation in messages and files.
    physical : PhysicalFrame, optional
        The telescope's sky pixels in the tangent plane.
    masks : Shapes, optional
        Regions without photons, in the plane of `masks_frame`. Photons and completeness are cut
        already.
    masks_frame : SkyFrame, optional
        The tangent plane of the masks, if it is not `frame`.
    pointing : Pointing
        Telescope, pointing, energy band, chips, input files and choices.
    dropped : dict of str to float
        Number of photons that were left out, by reason.

    Raises
    ------
    InputError
        If two backgrounds have the same name, or if there are backgrounds but no completeness.

    Examples
    --------
    >>> from gmmx import PixelGrid
    >>> grid = PixelGrid.covering((-30, 30), (-30, 30), 1.0)
    >>> x, y = np.random.default_rng(0).uniform(-30, 30, (2, 500))
    >>> Observation(
    ...     photons=Photons(x, y),
    ...     completeness=Completeness(grid=grid, exposure=np.full((60, 60), 2e7), unit="cm**2 s"),
    ...     psf=PsfModel.constant(0.5),
    ...     backgrounds=(Background(kind="sky"),),
    ...     name="toy",
    ... )
    Observation(toy: 500 photons on 1 arcmin^2; PSF constant Gaussian; background sky)
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
    dropped: dict[str, float] = field(default_factory=dict)

    def __post_init__(self):
        names = [b.name for b in self.backgrounds]
        if len(set(names)) < len(names):
            raise InputError(
                f"two backgrounds of one observation have the same name: {', '.join(names)}"
            )
        if self.backgrounds and self.completeness is None:
            raise InputError("a background needs a completeness: without one its field has no edge")

    def __repr__(self):
        facts = self.pointing
        about = [
            facts.target or self.name,
            f"{facts.instrument} {facts.chip_names}".strip(),
            facts.energies,
            "" if facts.exposure_time is None else f"{facts.exposure_time / 1000:.3g} ks",
        ]
        photons = f"{self.n_photons:,.0f} photons"
        if self.completeness is not None:
            photons += f" on {self.completeness.open_area / 3600:.4g} arcmin^2"
        psf = "no PSF"
        if self.psf is not None:
            # The description of a PSF begins with its name, and goes on with its sizes.
            psf = f"PSF {re.split('[,:]', self.psf.description.removeprefix('PSF '))[0]}"
        background = f"background {' + '.join(b.name for b in self.backgrounds) or 'none'}"
        return f"Observation({', '.join(filter(None, about))}: {photons}; {psf}; {background})"

    @property
    def n_photons(self) -> float:
        """Number of photons, the sum of the weights."""
        return self.photons.n_photons

    def from_masks(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Take positions from the plane of the masks to the plane of the observation [arcsec]."""
        return _between(self.masks_frame, self.frame, x, y)

    def cuts_out(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Whether positions [arcsec] are under a mask or outside the region, (n,) booleans."""
        if self.masks is None:
            return np.zeros(np.shape(x), bool)
        return self.masks.contains(*_between(self.frame, self.masks_frame, x, y))

    def mask_outlines(self, n: int = 64) -> list[np.ndarray]:
        """Edges of the masks in the plane of the observation, (n, 2) arrays [arcsec]."""
        if self.masks is None:
            return []
        return [np.column_stack(self.from_masks(*line.T)) for line in self.masks.outlines(n)]

    def select(self, keep: np.ndarray, reason: str) -> "Observation":
        """Keep some of the photons and count the others under a reason.

        Parameters
        ----------
        keep : (N,) array of bool
            True for the photons that stay.
        reason : str
            Key in `dropped`.
        """
        return keep_photons(self, keep, reason)

    def exposed(self) -> "Observation":
        """Drop the photons where the completeness is zero."""
        if self.completeness is None:
            return self
        seen = self.completeness.effective_at(self.photons.x, self.photons.y) > 0
        return self.select(seen, "zero exposure")


def finest_detail(observations: Iterable[Observation]) -> float:
    """The smallest sigma that binned photons resolve, half the finest pixel [arcsec].

    It is 0 if any observation has single photons.
    """
    return min((o.photons.pixel / 2 for o in observations), default=0.0)


def common_band(observations: Iterable[Observation]) -> tuple[float, float] | None:
    """The smallest band that contains the energies of all observations [keV].

    It is None if any observation has no band, or one without an upper end.
    """
    bands = [o.pointing.band_kev for o in observations]
    known = [band for band in bands if band is not None and np.isfinite(band).all()]
    if not known or len(known) < len(bands):
        return None
    return float(min(low for low, _ in known)), float(max(high for _, high in known))


def _between(frame, other, x, y):
    """Take positions from one tangent plane to another; they stay if either is unknown."""
    if frame is None or other is None or frame == other:
        return x, y
    return frame.to_frame(other, x, y)
