"""Photons: their positions, energies and chips, and the two nouns that a reader makes of them.

`EventList` holds single photons, `CountsImage` photons counted in the pixels of an image.
"""

from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any

import numpy as np

from .._arrays import read_only
from ..errors import InputError
from ..plane.frame import PhysicalFrame, SkyFrame
from ..plane.grid import PixelGrid
from .pointing import Pointing
from .records import RowFacts


@dataclass(frozen=True, eq=False, repr=False)
class Photons:
    """Detected photons in a tangent plane, one row for each photon or for each pixel.

    Parameters
    ----------
    x, y : (N,) array
        Detected positions, or the centres of pixels that hold photons [arcsec].
    weights : (N,) array, optional
        Number of photons that each row stands for [photon]. Without it each row is one photon.
    energy_kev : (N,) array, optional
        Photon energies [keV]; None if they are not known.
    ccd : (N,) array of int16, optional
        Number of the chip that recorded each photon; None if it is not known.
    pixel : float
        Side of the square in which the photons of a row were counted [arcsec]; 0 for single
        photons. The PSF of an observation already includes this square.

    Raises
    ------
    InputError
        If the arrays differ in length, hold values that are not finite, or if a weight or the
        pixel is negative.

    Examples
    --------
    >>> photons = Photons([0.0, 1.0, 2.0], [0.0, 0.0, 5.0], energy_kev=[0.6, 1.2, 1.5])
    >>> photons
    Photons(3 photons, 0.6-1.5 keV)
    >>> photons.select(photons.energy_kev > 1).x
    array([1., 2.])
    """

    x: np.ndarray
    y: np.ndarray
    _: KW_ONLY
    # None is replaced by ones.
    weights: np.ndarray = None  # type: ignore[assignment]
    energy_kev: np.ndarray | None = None
    ccd: np.ndarray | None = None
    pixel: float = 0.0

    def __post_init__(self):
        if self.weights is None:
            object.__setattr__(self, "weights", np.ones(len(self.x)))
        read_only(self, x=("N",), y=("N",), weights=("N",))
        if np.any(self.weights < 0):
            raise InputError(f"weights cannot be negative, got {self.weights.min():.6g}")
        if self.energy_kev is not None:
            read_only(self, energy_kev=(len(self.x),))
        if self.ccd is not None:
            ccd = np.array(self.ccd, dtype=np.int16)
            if ccd.shape != self.x.shape:
                raise InputError(f"Photons.ccd must have shape {self.x.shape}, got {ccd.shape}")
            ccd.flags.writeable = False
            object.__setattr__(self, "ccd", ccd)
        if not (np.isfinite(self.pixel) and self.pixel >= 0):
            raise InputError(
                f"the pixel that photons are counted in must be at least 0 arcsec, got {self.pixel}"
            )

    def __len__(self):
        return len(self.x)

    def __repr__(self):
        text = f"{self.n_photons:,.7g} photons"
        if len(self) != self.n_photons:
            text += f" in {len(self):,} cells"
        if self.pixel > 0:
            text += f", pixels of {self.pixel:.4g} arcsec"
        if self.energy_kev is not None and len(self):
            text += f", {self.energy_kev.min():.3g}-{self.energy_kev.max():.3g} keV"
        return f"Photons({text})"

    @property
    def n_photons(self) -> float:
        """Sum of the weights [photon]."""
        return float(self.weights.sum())

    def count(self, chosen: slice | np.ndarray) -> int | float:
        """Sum of the weights of chosen rows, an integer if the sum is whole.

        Parameters
        ----------
        chosen : (N,) array of bool or int
            Mask or indices of the rows.
        """
        total = float(self.weights[chosen].sum())
        return int(total) if total.is_integer() else total

    def select(self, rows: np.ndarray) -> "Photons":
        """Photons of some rows, with their energies and chips.

        Parameters
        ----------
        rows : (N,) array of bool, or array of int
            Mask or indices of the rows to keep.
        """
        kept: dict[str, Any] = {
            name: None if getattr(self, name) is None else getattr(self, name)[rows]
            for name in ("x", "y", "weights", "energy_kev", "ccd")
        }
        return replace(self, **kept)


def keep_photons(record, keep, reason):
    """Keep some of the photons of a record and count the others under a reason.

    Parameters
    ----------
    record : EventList, CountsImage or Observation
        It has `photons`, and the number of photons that were `dropped` by reason.
    keep : (N,) array of bool
        True for the photons that stay.
    reason : str
        Key in `dropped`.

    Returns
    -------
    EventList, CountsImage or Observation
    """
    if np.all(keep):
        return record
    lost = record.photons.count(~keep)
    return replace(
        record,
        photons=record.photons.select(keep),
        dropped={**record.dropped, reason: record.dropped.get(reason, 0) + lost},
    )


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class _Recorded:
    """Photons of one file in the tangent plane of that file's own sky coordinates.

    Attributes
    ----------
    frame : SkyFrame
        The tangent plane.
    physical : PhysicalFrame or None
        The file's sky pixels in that plane; None if they are rotated against it.
    photons : Photons
    pointing : Pointing
        Telescope, pointing, band, chips and files.
    dropped : dict of str to float
        Number of photons left out so far, by reason.
    rows : RowFacts or None
        What the rows of the file tell beyond photons; None if it is not known.
    """

    frame: SkyFrame
    physical: PhysicalFrame | None
    photons: Photons
    pointing: Pointing = field(default_factory=Pointing)
    dropped: dict = field(default_factory=dict)
    rows: RowFacts | None = None

    def __len__(self):
        return len(self.photons)

    def __repr__(self):
        facts = self.pointing
        about = f"{facts.telescope} {facts.instrument}".strip(), facts.target or facts.file_name
        known = ", ".join([part for part in about if part] + [repr(self.photons)])
        return f"{type(self).__name__}({known})"

    @property
    def n_photons(self) -> int | float:
        """Sum of the weights [photon]."""
        return self.photons.count(slice(None))

    def select(self, keep, reason):
        """Keep some of the photons and count the others under a reason.

        Parameters
        ----------
        keep : (N,) array of bool
        reason : str
            Key in `dropped`.
        """
        return keep_photons(self, keep, reason)

    def noted(self, **facts):
        """The same photons with some facts of their pointing changed.

        Parameters
        ----------
        **facts
            Fields of `Pointing`.
        """
        return replace(self, pointing=replace(self.pointing, **facts))


class EventList(_Recorded):
    """Single photons of an event file, in the tangent plane of the file's own sky coordinates.

    Parameters
    ----------
    frame : SkyFrame
        The tangent plane.
    physical : PhysicalFrame or None
        The file's sky pixels in that plane; None if they are rotated against it.
    photons : Photons
        One row for each photon.
    pointing : Pointing
        Telescope, pointing, band, chips and files.
    dropped : dict of str to float
        Number of photons left out so far, by reason.
    rows : RowFacts or None
        What the rows of the file tell beyond photons; None if it is not known.

    Examples
    --------
    >>> photons = Photons([0.0, 1.0], [0.0, 0.0], energy_kev=[0.7, 3.0])
    >>> events = EventList(frame=SkyFrame(150.0, 20.0), physical=None, photons=photons)
    >>> events
    EventList(Photons(2 photons, 0.7-3 keV))
    >>> events.select(events.photons.energy_kev < 2, "energy").dropped
    {'energy': 1}
    """


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class CountsImage(_Recorded):
    """Photons counted in the pixels of an image, one row for each pixel that holds some.

    Parameters
    ----------
    frame, physical, photons, pointing, dropped, rows
        As in `EventList`; the photons have the size of a pixel.
    pixels : PixelGrid
        The pixels of the image.
    observed : (ny, nx) array of bool, optional
        Whether the telescope looked at each pixel; None if it looked at all of them.

    Examples
    --------
    >>> photons = Photons([0.5, 1.5], [0.5, 0.5], weights=[3, 1], pixel=1.0)
    >>> CountsImage(
    ...     frame=SkyFrame(150.0, 20.0),
    ...     physical=None,
    ...     photons=photons,
    ...     pixels=PixelGrid.covering((0, 2), (0, 2), 1.0),
    ... )
    CountsImage(Photons(4 photons in 2 cells, pixels of 1 arcsec))
    """

    pixels: PixelGrid
    observed: np.ndarray | None = None

    def __post_init__(self):
        if self.observed is not None:
            observed = np.array(self.observed, dtype=bool)
            if observed.shape != self.pixels.shape:
                raise InputError(
                    f"CountsImage.observed must have shape {self.pixels.shape}, "
                    f"got {observed.shape}"
                )
            observed.flags.writeable = False
            object.__setattr__(self, "observed", observed)

    @property
    def n_unobserved(self) -> int:
        """Number of pixels that the telescope did not look at."""
        return 0 if self.observed is None else int(np.count_nonzero(~self.observed))

    def observed_fraction(self) -> np.ndarray:
        """1 in each pixel that the telescope looked at, and 0 in the others, (ny, nx)."""
        if self.observed is None:
            return np.ones(self.pixels.shape)
        return self.observed.astype(np.float64)
