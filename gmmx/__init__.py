"""gmmx: from the photons an X-ray telescope recorded to the sky they came from."""

from importlib import import_module

__version__ = "0.1.0"

# Public names and the module that holds each: resolved on first use, so that `import gmmx` costs nothing.
_HOMES = {
    "EventList": "model.events",
    "FitConfig": "config",
    "FitResult": "model.result",
    "GmmxError": "errors",
    "Mixture": "model.mixture",
    "Observation": "model.observation",
    "PsfModel": "model.psf",
    "fit_mixture": "fitting.driver",
    "read_model": "io.models",
    "read_observation": "reading.event_list",
    "render_images": "answers.images",
    "write_model": "io.models",
}

__all__ = sorted(_HOMES)


def __getattr__(name):
    if name in _HOMES:
        value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
