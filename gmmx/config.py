"""The options of each command: the only place where a default is written."""

import math
from dataclasses import dataclass, fields

from .errors import InputError

# Ways to begin a fit; the end of a file's name that makes it a model to begin from.
STARTS = ("grow", "kmeans", "random", "minmax")
POSITIONS = ("free", "fixed")
MODEL_SUFFIXES = (".h5", ".hdf5")


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """Options of `gmmx fit`; the command line and TOML files use the same names.

    Attributes
    ----------
    k : int or "auto"
        Number of components to reach; "auto" goes on until one more is not worth its price.
    mask, region : tuple of str
        Region files: what is excluded, and what alone is kept.
    sources : tuple of str
        Region files or source lists of point sources that are fitted instead of masked.
    source_positions : {"free", "fixed"}
        Whether the places of the point sources are fitted.
    exposure : tuple of str
        Exposure maps, one for each event list.
    psf : tuple of str
        "none", "chandra", a Gaussian sigma [arcsec], a PSF map, several at different encircled fractions joined by commas, or the image of a point source: one
        for each event list; empty lets the instrument decide.
    psf_ecf : float or None
        Encircled fraction of the PSF map, over its header's.
    psf_blur : float
        A further round blur [arcsec], added in quadrature to whatever PSF there is.
    energy : str or None
        "LO:HI" [keV] or "all"; None lets the instrument decide.
    ccd : str or None
        "0-3", "7", "0,1,3" or "all"; None lets the instrument decide.
    background : tuple of str
        "sky", "particle" (or one of its halves, "particle-fi" and "particle-bi", for chips illuminated from the front and from behind), "streak", a FITS image
        or event list, "sky=VALUE", "particle=VALUE", "streak=SHARE", "FILE:fixed" or "none"; empty lets the instrument decide.
    background_region : tuple of str
        Region files of source-free sky, where the levels are taken from.
    min_sigma : float
        Floor of the components' intrinsic standard deviation [arcsec]; half of the pixel at least, where all photons are counted in pixels.
    grid : float or None
        Cell of the completeness grid [arcsec]; None takes the exposure map's own pixel, 1 arcsec without one.
    bin : float or None
        Collect photons into cells of this size [arcsec], which the PSF is widened by; None leaves them single.
    init : str
        "grow", "kmeans", "random", "minmax", or a model file to go on from.
    fix : str or None
        A table of components that are there from the start, and which of their fluxes, means and covariances are held.
    seed : int
    max_iter : int
        Evaluations of the likelihood at most, after the start.
    tol : float
        Stop when less than this is still to be gained [nat in total].
    prior_mean_count, prior_covariance_count : float
        a and nu of the priors (design of the method: 1 and 3).
    exchanges : int
        Rounds in which components of little use may be exchanged for missing ones.
    threads : int
        0: as many as the machine has.
    """

    k: int | str = "auto"
    mask: tuple = ()
    region: tuple = ()
    sources: tuple = ()
    source_positions: str = "free"
    exposure: tuple = ()
    psf: tuple = ()
    psf_ecf: float | None = None
    psf_blur: float = 0.0
    energy: str | None = None
    ccd: str | None = None
    background: tuple = ()
    background_region: tuple = ()
    min_sigma: float = 0.1
    grid: float | None = None
    bin: float | None = None
    init: str = "grow"
    fix: str | None = None
    seed: int = 0
    max_iter: int = 2000
    tol: float = 0.1
    prior_mean_count: float = 1.0
    prior_covariance_count: float = 3.0
    exchanges: int = 12
    threads: int = 0

    def __post_init__(self):
        if self.k != "auto" and (not isinstance(self.k, int) or self.k < 1):
            raise InputError(
                f"k = {self.k}: a fit needs at least one component, such as --k 20, or auto"
            )
        if self.init not in STARTS and not self.starts_from_model:
            raise InputError(
                f"init = {self.init}: it is {', '.join(STARTS)}, or a model file ending in {' or '.join(MODEL_SUFFIXES)}"
            )
        if self.starts_from_model and self.fix is not None:
            raise InputError(
                "init = MODEL and fix both say what to start from: export the model, mark what to hold, and give that table to --fix alone"
            )
        if self.source_positions not in POSITIONS:
            raise InputError(
                f"source_positions = {self.source_positions}: it is {' or '.join(POSITIONS)}"
            )
        if self.psf_ecf is not None and not 0 < self.psf_ecf < 1:
            hint = f": did you mean {self.psf_ecf / 100:g}?" if 1 < self.psf_ecf < 100 else ""
            raise InputError(
                f"psf_ecf = {self.psf_ecf:g}: an encircled fraction lies between 0 and 1{hint}"
            )
        _check(self, "must be positive", lambda value: value > 0, "min_sigma", "grid", "bin", "tol")
        _check(
            self,
            "must be at least 0",
            lambda value: value >= 0,
            "psf_blur",
            "prior_mean_count",
            "prior_covariance_count",
            "exchanges",
            "threads",
            "seed",
        )
        _check(self, "must be at least 1", lambda value: value >= 1, "max_iter")

    @property
    def starts_from_model(self):
        """Whether `init` names a model file."""
        return str(self.init).lower().endswith(MODEL_SUFFIXES)


@dataclass(frozen=True, kw_only=True)
class RenderConfig:
    """Options of `gmmx render`.

    Attributes
    ----------
    image : str or None
        One image by name; None writes them all.
    like : str or None
        A FITS image whose grid is taken.
    bin : float or None
        Pixel size [arcsec]; None takes the exposure map's.
    units : str
        "counts", "flux" or "sb".
    points : bool
        Whether the signal has the point sources in it.
    """

    image: str | None = None
    like: str | None = None
    bin: float | None = None
    units: str = "counts"
    points: bool = False

    def __post_init__(self):
        _check(self, "must be positive", lambda value: value > 0, "bin")


@dataclass(frozen=True, kw_only=True)
class PlotConfig:
    """Options of `gmmx plot`.

    Attributes
    ----------
    what : str
        "result", "residuals" or "history": what was fitted, what is left of each observation, or how the fit went.
    stretch : str
        "log", "asinh", "sqrt" or "linear".
    dpi : int
    """

    what: str = "result"
    stretch: str = "log"
    dpi: int = 150

    def __post_init__(self):
        _check(self, "must be at least 10", lambda value: value >= 10, "dpi")


@dataclass(frozen=True, kw_only=True)
class ExportConfig:
    """Options of `gmmx export`.

    Attributes
    ----------
    frame : str
        Coordinates of a region file: "fk5", "icrs" or "physical".
    scale : float
        Semi-axes of a region file's ellipses in standard deviations.
    """

    frame: str = "fk5"
    scale: float = 1.0

    def __post_init__(self):
        _check(self, "must be positive", lambda value: value > 0, "scale")


def option_names(config):
    """Names of a config's options, in order."""
    return tuple(f.name for f in fields(config))


def _check(config, rule, holds, *names):
    for name in names:
        value = getattr(config, name)
        if value is not None and not (math.isfinite(value) and holds(value)):
            raise InputError(f"{name} = {value:g}: {rule}")
