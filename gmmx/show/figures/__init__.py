"""Figures of a fit.

Each function takes a result and returns a matplotlib Figure. It saves nothing, shows nothing and
keeps no state, so that it works without a display and in threads.
"""

from .by_name import paper_figure, plot, sky_of
from .history import history_figure
from .metadata import Provenance
from .of_samples import samples_figure
from .picture import image_figure
from .profile import profile_figure
from .saving import save

__all__ = [
    "Provenance",
    "history_figure",
    "image_figure",
    "paper_figure",
    "plot",
    "profile_figure",
    "samples_figure",
    "save",
    "sky_of",
]
