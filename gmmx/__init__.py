"""Fit Gaussian mixtures to X-ray photons, with PSF, exposure and background in the model.

The names below are imported when they are first used, so that ``import gmmx`` takes 0.01 s.

Examples
--------
>>> import gmmx
>>> grid = gmmx.PixelGrid.covering((-50, 50), (-50, 50), 2.0)
>>> grid.shape
(50, 50)
"""

from importlib import import_module

# Type checkers take it for true. The name of `typing` is not imported, because that takes 5 ms.
TYPE_CHECKING = False
if TYPE_CHECKING:
    # The same names for type checkers and editors, which do not run `__getattr__`.
    from .answers.images import render as render
    from .commands.notebook import fit as fit
    from .commands.samples import fit_samples as fit_samples
    from .config import FitConfig as FitConfig
    from .config import FitOptions as FitOptions
    from .config import ReadOptions as ReadOptions
    from .config import SampleOptions as SampleOptions
    from .errors import ConvergenceWarning as ConvergenceWarning
    from .errors import DataError as DataError
    from .errors import DataWarning as DataWarning
    from .errors import DegeneracyWarning as DegeneracyWarning
    from .errors import GmmxError as GmmxError
    from .errors import GmmxWarning as GmmxWarning
    from .errors import InputError as InputError
    from .errors import OutputError as OutputError
    from .fitting.point_sources import PointSources as PointSources
    from .io.models import read_any as read  # noqa: F401
    from .io.regions import read_regions as read_regions
    from .model.background import Background as Background
    from .model.completeness import Completeness as Completeness
    from .model.mixture import Fixed as Fixed
    from .model.mixture import Mixture as Mixture
    from .model.observation import Observation as Observation
    from .model.photons import CountsImage as CountsImage
    from .model.photons import EventList as EventList
    from .model.photons import Photons as Photons
    from .model.pointing import Pointing as Pointing
    from .model.psf import PsfModel as PsfModel
    from .model.result import FitResult as FitResult
    from .model.sample_background import SampleBackground as SampleBackground
    from .model.sample_completeness import SampleCompleteness as SampleCompleteness
    from .model.samples import Samples as Samples
    from .model.samples_result import SamplesResult as SamplesResult
    from .model.state import FitState as FitState
    from .plane.frame import PhysicalFrame as PhysicalFrame
    from .plane.frame import SkyFrame as SkyFrame
    from .plane.grid import PixelGrid as PixelGrid
    from .plane.grid import SkyImage as SkyImage
    from .plane.shapes import Shapes as Shapes
    from .reading.catalogue import read_samples as read_samples
    from .reading.door import read_observation as read_observation
    from .reading.door import read_observations as read_observations

__version__ = "0.1.0"

# Each public name, and the module and the name under which it is found there.
_HOMES = {
    # Verbs, in the order of the work.
    "read_observation": "reading.door",
    "read_observations": "reading.door",
    "read_samples": "reading.catalogue",
    "fit": "commands.notebook",
    "fit_samples": "commands.samples",
    "read": "io.models:read_any",
    "read_regions": "io.regions",
    "render": "answers.images",
    # Nouns of an observation.
    "Photons": "model.photons",
    "EventList": "model.photons",
    "CountsImage": "model.photons",
    "Observation": "model.observation",
    "Pointing": "model.pointing",
    "Completeness": "model.completeness",
    "PsfModel": "model.psf",
    "Background": "model.background",
    # Nouns of the plane.
    "SkyFrame": "plane.frame",
    "PhysicalFrame": "plane.frame",
    "PixelGrid": "plane.grid",
    "SkyImage": "plane.grid",
    "Shapes": "plane.shapes",
    # Nouns of a fit.
    "Mixture": "model.mixture",
    "Fixed": "model.mixture",
    "PointSources": "fitting.point_sources",
    "FitState": "model.state",
    "FitResult": "model.result",
    # Nouns of a catalogue.
    "Samples": "model.samples",
    "SampleCompleteness": "model.sample_completeness",
    "SampleBackground": "model.sample_background",
    "SamplesResult": "model.samples_result",
    # Options.
    "ReadOptions": "config",
    "FitOptions": "config",
    "FitConfig": "config",
    "SampleOptions": "config",
    # Errors and warnings.
    "GmmxError": "errors",
    "InputError": "errors",
    "DataError": "errors",
    "OutputError": "errors",
    "GmmxWarning": "errors",
    "DataWarning": "errors",
    "ConvergenceWarning": "errors",
    "DegeneracyWarning": "errors",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, inner = _HOMES[name].partition(":")
    value = getattr(import_module(f".{module}", __name__), inner or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
