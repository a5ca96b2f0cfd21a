"""Options of reading: files, selections, and point sources."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import InputError
from ._checks import (
    Options,
    make_tuples,
    require_at_least,
    require_bool,
    require_choice,
    require_positive,
)

SOURCE_POSITIONS = ("free", "fixed")


@dataclass(frozen=True, kw_only=True, repr=False)
class ReadOptions(Options):
    """Files that are read with the event lists, and the selection of photons.

    A tuple holds one value for each event list, in their order; commas separate several values
    for one list. A single value may be given without a tuple.

    Parameters
    ----------
    exposure : path or tuple of paths
        Exposure maps. Without one the field is inferred from the photons.
    exposure_unit : str or tuple of str
        Units of the exposure maps, such as "s" or "cm**2 s", for maps whose BUNIT does not give
        them; "none" for a relative map. They override BUNIT.
    area : float, str or tuple of these
        Effective areas on the optical axis for the band and the spectrum [cm^2], or a text with a
        unit. Fluxes are then known without an exposure map, or with one in seconds, but they are
        approximate.
    psf : str, float, path or tuple of these
        "none", "chandra", the sigma of a Gaussian [arcsec], a PSF map, several PSF maps of
        different encircled fractions, or the image of a point source. Without it the
        instrument's PSF is used.
    psf_ecf : float, optional
        Encircled fraction of the PSF map, between 0 and 1. It overrides the map's header.
    psf_extra_sigma : float
        Sigma of a further Gaussian [arcsec] that the PSF is convolved with.
    mask, region : path, region or tuple of these
        Regions to leave out, and regions to keep: photons outside the latter are left out.
    energy_kev : str, (float, float), optional
        Energy band: "LO:HI" or a pair [keV], or "all". Without it the instrument's band.
    ccd : str, int or sequence of int, optional
        Chips: "0-3", "7", "0,1,3", their numbers, or "all". Without it the chips of the aim
        point.
    background : str or tuple of str
        "sky", "particle", "particle-fi", "particle-bi", "streak", a FITS image or event list, or
        "none". "KIND=VALUE" or "FILE:fixed" keeps the amplitude fixed. Without it the
        instrument's backgrounds.
    background_prior : str or tuple of str
        Gaussian priors on background amplitudes that are fitted, such as "sky=2e-9+-1e-10", in
        the units of `background`. A comma separates several for one observation.
    background_region : path, region or tuple of these
        Source-free regions: the background amplitudes are fitted there and then kept fixed.
    grid : float, optional
        Cell of the completeness grid [arcsec]. Without it the pixel of the exposure map, or
        1 arcsec where there is no map.
    bin : float, optional
        Size of the cells that photons are counted in [arcsec]. Without it photons stay single.
    no_checksum : bool
        Whether FITS files are read even if their CHECKSUM or DATASUM does not hold.

    Raises
    ------
    InputError
        If a value is not one of these.

    Examples
    --------
    >>> ReadOptions(energy_kev="0.5:2", mask="sources.reg")
    ReadOptions(mask=('sources.reg',), energy_kev=(0.5, 2.0))
    """

    exposure: tuple = ()
    exposure_unit: tuple = ()
    area: tuple = ()
    psf: tuple = ()
    psf_ecf: float | None = None
    psf_extra_sigma: float = 0.0
    mask: tuple = ()
    region: tuple = ()
    energy_kev: tuple[float, float] | str | None = None
    ccd: tuple[int, ...] | str | None = None
    background: tuple = ()
    background_prior: tuple = ()
    background_region: tuple = ()
    grid: float | None = None
    bin: float | None = None
    no_checksum: bool = False

    def __post_init__(self):
        several = ("exposure", "exposure_unit", "area", "psf", "mask", "region")
        several = (*several, "background", "background_prior", "background_region")
        make_tuples(self, *several, numbers=("psf", "area"))
        object.__setattr__(self, "energy_kev", energy_band(self.energy_kev))
        object.__setattr__(self, "ccd", chip_numbers(self.ccd))
        require_positive(self, "grid", "bin", "psf_ecf")
        if self.psf_ecf is not None and self.psf_ecf >= 1:
            hint = f": did you mean {self.psf_ecf / 100:g}?" if 1 < self.psf_ecf < 100 else ""
            raise InputError(
                f"`psf_ecf` = {self.psf_ecf:g}: an encircled fraction lies between 0 and 1{hint}",
                parameter="psf_ecf",
            )
        require_at_least(self, 0, "psf_extra_sigma")
        require_bool(self, "no_checksum")


@dataclass(frozen=True, kw_only=True, repr=False)
class SourceOptions(Options):
    """Point sources that are fitted together with the extended emission.

    Parameters
    ----------
    sources : path, region or tuple of these
        Region files or source lists, one circle or ellipse for each source.
    source_positions : {"free", "fixed"}
        Whether the positions are fitted, within their regions, or kept as the list has them.
    """

    sources: tuple = ()
    source_positions: str = "free"

    def __post_init__(self):
        make_tuples(self, "sources")
        require_choice(self, "source_positions", SOURCE_POSITIONS)


def energy_band(energy: str | Sequence[float] | None) -> tuple[float, float] | str | None:
    """Return an energy band as (low, high) [keV], "all", or None where nothing is chosen.

    Parameters
    ----------
    energy : str, (float, float) or None
        "LO:HI" or a pair [keV], "all" or None.

    Raises
    ------
    InputError
        If it is none of these, if a bound is negative, or if LO is not below HI.

    Examples
    --------
    >>> energy_band("0.5:2")
    (0.5, 2.0)
    """
    if energy is None:
        return None
    if isinstance(energy, str) and energy.strip().lower() == "all":
        return "all"
    try:
        low, high = (float(e) for e in (energy.split(":") if isinstance(energy, str) else energy))
    except (TypeError, ValueError):
        problem = "write LO:HI in keV, such as 0.5:2, or all"
    else:
        if not (math.isfinite(low) and math.isfinite(high) and low >= 0):
            problem = "both limits must be energies in keV, at least 0"
        elif low >= high:
            problem = "the lower limit must be below the upper limit, in keV"
        else:
            return low, high
    raise InputError(f"`energy_kev` = {energy}: {problem}", parameter="energy_kev")


def chip_numbers(ccd: str | int | Iterable[int] | None) -> tuple[int, ...] | str | None:
    """Return chip numbers in rising order, "all", or None where nothing is chosen.

    Parameters
    ----------
    ccd : str, int, sequence of int or None
        "0-3", "7", "0,1,3", "all", a number, numbers or None.

    Raises
    ------
    InputError
        If it is none of these.

    Examples
    --------
    >>> chip_numbers("0-3")
    (0, 1, 2, 3)
    """
    if ccd is None:
        return None
    if isinstance(ccd, str) and ccd.strip().lower() == "all":
        return "all"
    parts: Iterable = ccd if isinstance(ccd, Iterable) else (ccd,)
    found = [_chip_range(part) for part in (ccd.split(",") if isinstance(ccd, str) else parts)]
    if not found or not all(found):
        raise InputError(
            f"`ccd` = {ccd}: write chip numbers such as 0-3, 7 or 0,1,3, or all", parameter="ccd"
        )
    return tuple(sorted(set().union(*found)))


def _chip_range(part):
    """Return the chips of "7" or "0-3"; an empty range if the part is neither."""
    match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", str(part))
    return range(int(match[1]), int(match[2] or match[1]) + 1) if match else range(0)
