"""Records about an observation: its input files, and the extent of its masks."""

from dataclasses import dataclass

from .._words import counted
from ..errors import InputError


@dataclass(frozen=True)
class InputFile:
    """A file from which an observation or a fit was made.

    Parameters
    ----------
    role : str
        Purpose of the file, such as "events", "exposure", "psf" or "mask".
    path : str
        The path as it was given, with any filters in brackets.
    sha256 : str
        SHA-256 of the file's bytes on disk, in hexadecimal.

    Examples
    --------
    >>> InputFile("mask", "regions/sources.reg", "ab" * 32)
    InputFile(mask: regions/sources.reg)
    """

    role: str
    path: str
    sha256: str = ""

    def __repr__(self):
        return f"InputFile({self.role}: {self.path})"


@dataclass(frozen=True, kw_only=True)
class MaskRecord:
    """The photons and the area of the field inside the shapes of one region file.

    Parameters
    ----------
    file : str
        Name of the region file, or the text of a filter.
    kind : str
        "mask" or "region".
    n_shapes : int
        Number of shapes in the file.
    area_arcmin2 : float
        Area of the field inside the shapes [arcmin^2].
    n_photons : float
        Number of photons inside the shapes.
    by_shape : tuple of float
        Number of photons inside each shape of a mask; empty for a region.
    n_outside : int
        Number of shapes that do not touch the field.

    Examples
    --------
    >>> MaskRecord(file="m.reg", kind="mask", n_shapes=1, area_arcmin2=0.5, n_photons=12)
    MaskRecord(mask m.reg: 1 shape, 0.5 arcmin^2, 12 photons)
    """

    file: str
    kind: str = "mask"
    n_shapes: int = 0
    area_arcmin2: float = 0.0
    n_photons: float = 0
    by_shape: tuple[float, ...] = ()
    n_outside: int = 0

    def __post_init__(self):
        if self.kind not in ("mask", "region"):
            raise InputError(f"a region file is a mask or a region, not a {self.kind!r}")
        object.__setattr__(self, "by_shape", tuple(self.by_shape))

    def __repr__(self):
        inside = (
            f"{self.counted_shapes}, {self.area_arcmin2:.3g} arcmin^2, {self.n_photons:,} photons"
        )
        return f"MaskRecord({self.kind} {self.file}: {inside})"

    @property
    def counted_shapes(self) -> str:
        """The number of shapes, and of those outside the field if there are some, in words."""
        shapes = counted(self.n_shapes, "shape")
        return shapes + (f" ({self.n_outside:,} outside the field)" if self.n_outside else "")


@dataclass(frozen=True, kw_only=True)
class RowFacts:
    """What the rows of an event list tell beyond photons.

    Parameters
    ----------
    n_rows : int
        Number of rows.
    n_repeated : int
        Rows that are equal to an earlier one in position, energy and time.
    n_by_chance : float
        Number of such rows that is expected by chance.
    time_span : (float, float), optional
        First and last time [s]; None if the file has no times.

    Examples
    --------
    >>> RowFacts(n_rows=200, n_repeated=100)
    RowFacts(200 rows, 100 repeated)
    """

    n_rows: int
    n_repeated: int = 0
    n_by_chance: float = 0.0
    time_span: tuple[float, float] | None = None

    def __repr__(self):
        return f"RowFacts({counted(self.n_rows, 'row')}, {self.n_repeated:,} repeated)"


@dataclass(frozen=True)
class SkyBrightness:
    """Surface brightness at which a sky background is fixed.

    Parameters
    ----------
    value : float
    unit : str
        "photon/cm**2/s/arcsec**2"; "photon/arcsec**2", which is an amplitude at the largest
        exposure of this observation; or "photon/arcsec**2 per unit of exposure".

    Examples
    --------
    >>> SkyBrightness(2e-9, "photon/cm**2/s/arcsec**2")
    SkyBrightness(value=2e-09, unit='photon/cm**2/s/arcsec**2')
    """

    value: float
    unit: str

    @property
    def is_amplitude(self) -> bool:
        """Whether the value is an amplitude of this observation, not a brightness of the sky."""
        return self.unit == "photon/arcsec**2"
