"""gmmx fits Gaussian mixtures to X-ray photons: from an event list to the sky it came from.

The names below are imported when they are first used, so that ``import gmmx`` takes 0.01 s.

Examples
--------
>>> import gmmx
>>> grid = gmmx.PixelGrid.covering((-50, 50), (-50, 50), 2.0)
>>> grid.shape
(50, 50)
"""

from importlib import import_module

__version__ = "0.1.0"

# Each public name, and the module and the name under which it is found there.
_HOMES = {
    # Verbs, in the order of the work.
    "read_observation": "reading.door",
    "read_observations": "reading.door",
    "fit": "fitting.driver",
    "read": "io.models:read_model",
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
    # Options.
    "ReadOptions": "config",
    "FitOptions": "config",
    "FitConfig": "config",
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
