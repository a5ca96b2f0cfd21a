"""The options of every command: each default, each choice and each check is written here.

Python and the command line use the same classes, so that both refuse the same values in the
same words. Other modules take the options as one object, or their defaults from here.
"""

from dataclasses import dataclass

from ._checks import Options, option_names
from .catalogue import CatalogueOptions, box_of
from .compare import CompareConfig, SampleCompareConfig
from .errors import DRAW_METHODS, N_DRAWS, ErrorsConfig, FitDraws
from .figures import (
    COORDINATES,
    CURVES,
    FIGURES,
    MAPS,
    PANELS,
    SAMPLE_FIGURES,
    STRETCHES,
    WIDTHS,
    PlotConfig,
)
from .fitting import MODEL_SUFFIXES, STARTS, FitOptions
from .goodness import GoodnessConfig
from .mixture import SAMPLE_COLOURS, ConditionConfig, SampleCommandConfig
from .output import (
    ALL_IMAGES,
    ESTIMATES,
    IMAGES,
    IMAGES_OF_EACH,
    IMAGES_OF_ERRORS,
    REGION_FRAMES,
    UNITS,
    ExportConfig,
    FluxConfig,
    RenderConfig,
)
from .picture_input import (
    DRAWING_THRESHOLD,
    IMAGE_THRESHOLD,
    PICTURE_DEFAULTS,
    PICTURE_TOLERANCE,
    PIXEL_SIGMA,
    PictureOptions,
)
from .picture_output import TONES, CompressConfig, PictureRenderConfig
from .profile import ProfileConfig
from .reading import SOURCE_POSITIONS, ReadOptions, SourceOptions, chip_numbers, energy_band
from .samples import (
    COVARIANCE_FORMS,
    CRITERIA,
    HDF5_SUFFIXES,
    NOISE_MODELS,
    NOISE_ORDERS,
    SAMPLE_STARTS,
    SampleOptions,
)
from .simulate import LABELS, AssignConfig, SimulateConfig

__all__ = [
    "ALL_IMAGES",
    "COORDINATES",
    "COVARIANCE_FORMS",
    "CRITERIA",
    "CURVES",
    "DRAWING_THRESHOLD",
    "DRAW_METHODS",
    "ESTIMATES",
    "FIGURES",
    "HDF5_SUFFIXES",
    "IMAGES",
    "IMAGES_OF_EACH",
    "IMAGES_OF_ERRORS",
    "IMAGE_THRESHOLD",
    "LABELS",
    "MAPS",
    "MODEL_SUFFIXES",
    "NOISE_MODELS",
    "NOISE_ORDERS",
    "N_DRAWS",
    "PANELS",
    "PICTURE_DEFAULTS",
    "PICTURE_TOLERANCE",
    "PIXEL_SIGMA",
    "REGION_FRAMES",
    "SAMPLE_COLOURS",
    "SAMPLE_FIGURES",
    "SAMPLE_STARTS",
    "SOURCE_POSITIONS",
    "STARTS",
    "STRETCHES",
    "TONES",
    "UNITS",
    "WIDTHS",
    "AssignConfig",
    "CatalogueOptions",
    "CompareConfig",
    "CompressConfig",
    "ConditionConfig",
    "ErrorsConfig",
    "ExportConfig",
    "FitConfig",
    "FitDraws",
    "FitOptions",
    "FluxConfig",
    "GoodnessConfig",
    "Options",
    "PictureOptions",
    "PictureRenderConfig",
    "PlotConfig",
    "ProfileConfig",
    "ReadOptions",
    "RenderConfig",
    "SampleCommandConfig",
    "SampleCompareConfig",
    "SampleConfig",
    "SampleOptions",
    "SimulateConfig",
    "SourceOptions",
    "box_of",
    "chip_numbers",
    "energy_band",
    "option_names",
]


@dataclass(frozen=True, kw_only=True, repr=False)
class FitConfig(FitOptions, SourceOptions, ReadOptions, FitDraws):
    """All options of `gmmx fit`: of ReadOptions, SourceOptions, FitOptions and FitDraws.

    Examples
    --------
    >>> FitConfig(n_components=20, energy_kev="0.5:2", exposure="expmap.fits")
    FitConfig(exposure=('expmap.fits',), energy_kev=(0.5, 2.0), n_components=20)
    """

    def __post_init__(self):
        for part in (ReadOptions, SourceOptions, FitOptions, FitDraws):
            part.__post_init__(self)


@dataclass(frozen=True, kw_only=True, repr=False)
class SampleConfig(SampleOptions, CatalogueOptions, PictureOptions, FitDraws):
    """All options of `gmmx fit` for a catalogue or a picture.

    They are those of CatalogueOptions, PictureOptions, SampleOptions and FitDraws.

    Examples
    --------
    >>> SampleConfig(columns="g_r,r_i", n_components=3)
    SampleConfig(columns=('g_r', 'r_i'), n_components=3)
    """

    def __post_init__(self):
        for part in (CatalogueOptions, PictureOptions, SampleOptions, FitDraws):
            part.__post_init__(self)
