"""Options of figures: defaults and validation."""

import math
from dataclasses import dataclass
from itertools import pairwise

from .._words import either
from ..errors import InputError
from ._checks import (
    Options,
    make_tuples,
    require,
    require_at_least,
    require_bool,
    require_choice,
    require_positive,
    require_text,
    require_whole,
)
from .output import UNITS

# Panels that show the sky, and those that show a curve: several of them make a row.
MAPS = (
    *("data", "scene", "signal", "completeness"),
    *("residual", "significance", "error", "components"),
)
CURVES = ("profile", "history")
PANELS = (*MAPS, *CURVES)
# Figures with a layout of their own.
PAGES = ("overview", "observations", "compare", "colour")
FIGURES = ("overview", *PANELS, *PAGES[1:])
# Figures of mixtures of samples.
SAMPLE_FIGURES = ("corner", "path")
STRETCHES = ("log", "asinh", "sqrt", "linear")
COORDINATES = ("icrs", "galactic", "offset")
# Widths of a journal's columns [inch].
WIDTHS = {"single": 3.5, "double": 7.1}
_NARROWEST, _WIDEST = 2.5, 40.0
_MOST_CONTOURS = 30
# Widest picture [pixel]: matplotlib draws none of 65,536 pixels, and memory is finite.
_MOST_PIXELS = 20_000
_LARGEST_RADIUS = 36_000.0


@dataclass(frozen=True, kw_only=True, repr=False)
class PlotConfig(Options):
    """Options of `gmmx plot`.

    Parameters
    ----------
    what : str
        A figure, "overview" or "observations", or of several models "compare" (two) or "colour"
        (three); or panels with commas between them, which make a row: "data", "scene", "signal",
        "completeness", "residual", "significance", "error", "components", "profile", "history".
        Of a mixture of samples "corner", which is then the default, or "path".
    zoom : str or regions.Region, optional
        The part of the sky that is shown: "RA,DEC,RADIUS" (ICRS; degrees, or hours and degrees
        with colons; arcsec), or a region file.
    contours : str, optional
        Contours of the signal over every map: their number, or their levels in `units`.
    components : bool
        Whether the maps get the 1 sigma ellipses of the components, numbered as in the table.
    region : tuple of path
        Region files that are drawn over the maps.
    smooth : float, optional
        Standard deviation of the Gaussian that photons and errors are smoothed with [arcsec].
    block : float, optional
        Side of the blocks of the residuals [arcsec]; by default they grow until each expects 10
        photons.
    significant : bool
        Whether blocks of the residuals beyond 3, 4 and 5 sigma are outlined.
    coords : {"icrs", "galactic", "offset"}
        Coordinates at the edges of the maps. Offsets are from the centre of the map.
    degrees : bool
        Whether coordinates are in decimal degrees instead of hours, minutes and seconds.
    units : {"counts", "flux", "sb"}
        Unit of surface brightness: photons/arcsec^2 at the reference exposure, photon/cm^2/s per
        pixel of the exposure map, or photon/cm^2/s/arcsec^2.
    vmin, vmax : float, optional
        Ends of the colours of the surface brightness, in `units`.
    stretch : {"log", "asinh", "sqrt", "linear"}
        Scaling of the colours.
    cmap : str, optional
        Colours of the surface brightness, by matplotlib's name.
    width : str or float
        "single" or "double", the columns of a journal, or inches. "auto" is single for one panel
        and double for all other figures.
    style : path, optional
        A matplotlib style sheet, or the name of one.
    alt : path, optional
        Text file for a description of the figure.
    colour_stretch : float, optional
        Brightness up to which a picture in true colour is linear, over the mean of each band.
    colour_q : float
        How strongly brighter emission is compressed in true colour.
    colour_minimum : float
        Brightness that becomes black in true colour, over the mean of each band.
    dpi : int
        Resolution of a PNG, and of the images in other files [dots per inch].

    Examples
    --------
    >>> PlotConfig(what="data, signal", zoom="12:30:49.4,+12:23:28,30", width=7)
    PlotConfig(what='data,signal', zoom='12:30:49.4,+12:23:28,30', width='7')
    """

    what: str = "overview"
    zoom: str | None = None
    contours: str | None = None
    components: bool = False
    region: tuple = ()
    smooth: float | None = None
    block: float | None = None
    significant: bool = False
    coords: str = "icrs"
    degrees: bool = False
    units: str = "counts"
    vmin: float | None = None
    vmax: float | None = None
    stretch: str = "log"
    cmap: str | None = None
    width: str | float = "auto"
    style: str | None = None
    alt: str | None = None
    colour_stretch: float | None = None
    colour_q: float = 8.0
    colour_minimum: float = 0.0
    dpi: int = 300

    def __post_init__(self):
        object.__setattr__(self, "what", ",".join(_names(self.what)))
        if self.zoom is not None and (isinstance(self.zoom, str | int | float | bool)):
            require_text(self, "zoom")
            parsed_zoom(self.zoom)
        require_text(self, "cmap", "style", "alt")
        if self.contours is not None:
            object.__setattr__(self, "contours", _text(self.contours))
            parsed_contours(self.contours)
        require_bool(self, "components")
        require_bool(self, "degrees")
        require_bool(self, "significant")
        make_tuples(self, "region")
        require_positive(self, "smooth", "block", "colour_stretch", "colour_q")
        require_at_least(self, 0, "colour_minimum")
        require_choice(self, "coords", COORDINATES)
        require_choice(self, "units", UNITS)
        require(self, ("vmin", "vmax"), "a finite number", math.isfinite)
        if self.vmin is not None and self.vmax is not None and self.vmin >= self.vmax:
            raise InputError(
                f"`vmin` = {self.vmin:g} must be below `vmax` = {self.vmax:g}", parameter="vmin"
            )
        require_choice(self, "stretch", STRETCHES)
        object.__setattr__(self, "width", _text(self.width))
        parsed_width(self.width)
        require_whole(self, 10, "dpi")
        if self.inches * self.dpi > _MOST_PIXELS:
            raise InputError(
                f"`dpi` = {self.dpi}: a figure of {self.inches:g} inches would be more than "
                f"{_MOST_PIXELS:,} pixels wide: give at most {int(_MOST_PIXELS / self.inches)}",
                parameter="dpi",
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The name of the figure, or those of its panels."""
        return tuple(self.what.split(","))

    @property
    def inches(self) -> float:
        """Width of the figure [inch]."""
        # The components stand on the signal and in a chart beside it.
        single = self.what in (*MAPS, "profile", "colour") and self.what != "components"
        return parsed_width(str(self.width)) or WIDTHS["single" if single else "double"]


def parsed_zoom(text: str) -> tuple[str, str, float] | None:
    """Right ascension, declination [text] and radius [arcsec]; None if the text names a file.

    Raises
    ------
    InputError
        If the radius is not positive.

    Examples
    --------
    >>> parsed_zoom("187.7,12.4,30")
    ('187.7', '12.4', 30.0)
    >>> parsed_zoom("core.reg")
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) == 1:
        return None
    try:
        ra, dec, size = parts
        radius = float(size.removesuffix('"'))
        if not 0 < radius <= _LARGEST_RADIUS:
            raise ValueError
    except ValueError:
        raise InputError(
            f"`zoom` = {text}: give RA,DEC,RADIUS, such as 187.706,12.391,30 or "
            "12:30:49.4,+12:23:28,30 (radius in arcsec), or a region file",
            parameter="zoom",
        ) from None
    return ra, dec, radius


def parsed_contours(text: str) -> int | tuple[float, ...]:
    """The number of contours, or their levels.

    Raises
    ------
    InputError
        If the text is neither a whole number nor a list of rising levels.

    Examples
    --------
    >>> parsed_contours("5"), parsed_contours("0.1,1,10"), parsed_contours("0.5")
    (5, (0.1, 1.0, 10.0), (0.5,))
    """
    try:
        if text.strip().isdigit():
            number = int(text)
            if not 1 <= number <= _MOST_CONTOURS:
                raise ValueError
            return number
        levels = tuple(float(part) for part in text.split(",") if part.strip())
        rising = all(low < high for low, high in pairwise(levels))
        if not (levels and rising and math.isfinite(levels[0] + levels[-1])):
            raise ValueError
    except ValueError:
        raise InputError(
            f"`contours` = {text}: give their number, from 1 to {_MOST_CONTOURS}, or rising "
            "levels such as 0.1,0.5,2",
            parameter="contours",
        ) from None
    return levels


def parsed_width(text: str) -> float | None:
    """Width of a figure [inch]; None for "auto".

    Raises
    ------
    InputError
        If it is neither a column nor a width between 2.5 and 40 inches.

    Examples
    --------
    >>> parsed_width("double"), parsed_width("5.2"), parsed_width("auto")
    (7.1, 5.2, None)
    """
    if text == "auto" or text in WIDTHS:
        return WIDTHS.get(text)
    try:
        inches = float(text)
    except ValueError:
        inches = math.nan
    if not _NARROWEST <= inches <= _WIDEST:
        raise InputError(
            f"`width` = {text}: give single ({WIDTHS['single']} inches), double "
            f"({WIDTHS['double']} inches), or a width from {_NARROWEST:g} to {_WIDEST:g} inches",
            parameter="width",
        )
    return inches


def _names(what):
    """The names in a list of panels, or the name of one figure."""
    names = [name.strip() for name in what.split(",")] if isinstance(what, str) else []
    known = (*FIGURES, *SAMPLE_FIGURES)
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise InputError(
            f"`what` = {unknown[0] if unknown else what}: choose {either(known)}",
            parameter="what",
        )
    page = next((name for name in names if name not in PANELS), None)
    if page is not None and len(names) > 1:
        raise InputError(
            f"`what` = {','.join(names)}: {page} is a whole figure; only {either(PANELS)} can "
            "stand in a row",
            parameter="what",
        )
    return names


def _text(value):
    """A number or a list of numbers as the text of the command line."""
    if isinstance(value, list | tuple):
        return ",".join(f"{one!s}" for one in value) + ("," if len(value) == 1 else "")
    return value if isinstance(value, str) else str(value)
