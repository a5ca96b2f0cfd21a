"""Several models of one sky, brought into one tangent plane and one unit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..model.drawing import pixel_means
from ..model.flux_notes import exposure_in_words
from ..model.mixture import Mixture
from ..model.moving import moved_draws, moved_mixture
from ..plane.grid import PixelGrid
from .canvas import seen_ranges
from .errors import draws_of
from .uncertainty import smoothed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..model.posterior import Draws
    from ..model.result import FitResult
    from ..plane.frame import SkyFrame
    from .rings import Rings

# Below this part of the reference exposure the sky counts as not observed.
_SCARCE = 0.05
# Cells along the longer side of a common grid.
_CELLS = 350
# Margin about the common field, in its longer side.
_MARGIN = 0.03


@dataclass(frozen=True, eq=False, repr=False)
class SkyModel:
    """A model in the tangent plane of another.

    Parameters
    ----------
    result : FitResult
    frame : SkyFrame or None
        The plane.
    """

    result: FitResult
    frame: SkyFrame | None

    def __repr__(self):
        return f"SkyModel({self.extended!r} in {self.frame!r})"

    @cached_property
    def extended(self) -> Mixture:
        """The extended components in the plane."""
        return moved_mixture(self.result.extended, self.result.frame, self.frame)

    @cached_property
    def draws(self) -> Draws:
        """The draws of the model, or those of its information matrix, in the plane."""
        return moved_draws(draws_of(self.result), self.result.frame, self.frame)

    @cached_property
    def drawn(self) -> list[Mixture]:
        """The extended components of each draw in the plane."""
        return list(self.draws.mixtures(self.result.points))

    @property
    def scale(self) -> float:
        """Brightness in the unit of the exposure for one photon / arcsec**2 at E_ref."""
        return 1.0 / self.result.reference_exposure if self.result.exposure_unit else 1.0

    def brightness(self, grid: PixelGrid, *, at: float | None = None) -> np.ndarray:
        """Mean brightness of the signal in each pixel, (ny, nx), smoothed by `at` [arcsec]."""
        m = smoothed(self.extended, at)
        return pixel_means(m.fluxes, m.means, m.covariances, grid) * self.scale

    def profile(self, rings: Rings) -> tuple[np.ndarray, np.ndarray]:
        """Mean brightness of the deconvolved signal in rings: best (n,), of the draws (N, n)."""
        per_photon = self.scale / rings.areas()
        m, drawn = self.extended, self.draws
        best = m.fluxes @ rings.photons(m.means, m.covariances)
        fluxes = drawn.fluxes.copy()
        fluxes[:, : len(self.result.points)][:, self.result.points] = 0.0
        draw, component = np.nonzero(fluxes)
        means, covariances = drawn.means[draw, component], drawn.covariances[draw, component]
        photons = fluxes[draw, component][:, None] * rings.photons(means, covariances)
        total = np.zeros((len(drawn), len(rings)))
        np.add.at(total, draw, photons)
        return best * per_photon, total * per_photon

    def seen(self, grid: PixelGrid) -> np.ndarray:
        """Whether any observation recorded the centre of each pixel, (ny, nx) booleans.

        Without exposure maps that is the rectangle of the photons.
        """
        x, y = grid.centres()
        if self.frame is not None and self.result.frame is not None:
            x, y = self.frame.to_frame(self.result.frame, x, y)
        maps = [o.completeness for o in self.result.observations if o.completeness is not None]
        if maps:
            total = np.sum([one.effective_at(x, y) for one in maps], axis=0)
            return total > _SCARCE * self.result.reference_exposure
        (x0, x1), (y0, y1) = seen_ranges(self.result)
        return np.logical_and.reduce([x > x0, x < x1, y > y0, y < y1])

    def ranges(self) -> np.ndarray:
        """Intervals of x and y [arcsec] in the plane that the model's field spans, (2, 2)."""
        (x0, x1), (y0, y1) = seen_ranges(self.result)
        # The edges of a rectangle bend a little on their way to the other plane.
        along = np.linspace(0.0, 1.0, 9)
        x, y = (
            axis.ravel() for axis in np.meshgrid(x0 + (x1 - x0) * along, y0 + (y1 - y0) * along)
        )
        if self.frame is not None and self.result.frame is not None:
            x, y = self.result.frame.to_frame(self.frame, x, y)
        if not np.all(np.isfinite(x)):
            # On the other side of the sky.
            return np.full((2, 2), np.nan)
        return np.array([[x.min(), x.max()], [y.min(), y.max()]])


@dataclass(frozen=True, eq=False, repr=False)
class OneSky:
    """Models of one sky on one grid of the first model's tangent plane.

    Attributes
    ----------
    models : tuple of SkyModel
    grid : PixelGrid
        It covers the field that all models share.
    unit : str
        Of all brightnesses.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> sky = OneSky.of([result, result])
    >>> sky.unit
    'photon/arcsec**2'
    """

    models: tuple[SkyModel, ...]
    grid: PixelGrid
    unit: str

    @classmethod
    def of(
        cls, results: Sequence[FitResult], grid: PixelGrid | None = None, *, cells: int = _CELLS
    ) -> OneSky:
        """Bring models into the plane of the first.

        Parameters
        ----------
        results : sequence of FitResult
        grid : PixelGrid, optional
            In the plane of the first model; by default one that covers the common field.
        cells : int
            Pixels along the longer side of that grid.

        Raises
        ------
        InputError
            If the units differ, if only some models have a frame, or if the fields do not
            overlap.
        """
        frames = [one.frame for one in results]
        if any(frame is None for frame in frames) and any(frame is not None for frame in frames):
            raise InputError(
                "some models have coordinates of the sky and others have none, so that they "
                "cannot be laid over each other: fit all from files with a WCS"
            )
        models = tuple(SkyModel(one, frames[0]) for one in results)
        grid = _common_grid(models, cells) if grid is None else grid
        sky = cls(models, grid, _common_unit(results))
        if not sky.seen.any():
            raise _no_overlap(models)
        return sky

    def __repr__(self):
        return f"OneSky({len(self.models)} models on {self.grid!r})"

    @cached_property
    def seen(self) -> np.ndarray:
        """The pixels that every model's observations recorded, (ny, nx) booleans."""
        return np.all([model.seen(self.grid) for model in self.models], axis=0)

    @cached_property
    def brightnesses(self) -> tuple[np.ndarray, ...]:
        """The deconvolved signal of each model, (ny, nx) [`unit`]."""
        return tuple(model.brightness(self.grid) for model in self.models)

    @property
    def frame(self) -> SkyFrame | None:
        """The tangent plane."""
        return self.models[0].frame


def energies_of(result: FitResult) -> str:
    """The energies of all observations of a fit, in words."""
    texts = dict.fromkeys(o.pointing.energies or "unknown energies" for o in result.observations)
    return ", ".join(texts)


def _no_overlap(models):
    """The refusal of models of different parts of the sky."""
    text = "the fields of the models do not overlap"
    if models[0].frame is not None:
        from astropy.coordinates import SkyCoord

        frames = [model.result.frame for model in models]
        places = [SkyCoord(f.ra0, f.dec0, unit="deg", frame=f.radesys.lower()) for f in frames]
        far = max(places[0].separation(place).arcmin for place in places)
        apart = f"{far:.4g} arcmin" if far < 120 else f"{far / 60:.4g} degrees"
        text += f": their reference positions are {apart} apart"
    return InputError(f"{text}: give models of one part of the sky")


def _common_unit(results):
    units = [one.exposure_unit for one in results]
    if len(set(units)) > 1:
        names = " and ".join(dict.fromkeys(exposure_in_words(one) for one in results))
        raise InputError(
            f"the exposures of the models have {names}, so that their brightnesses cannot be "
            "compared: fit all with an exposure map in one unit"
        )
    if not units[0]:
        return "photon/arcsec**2"
    return "/".join(["photon", *units[0].split(), "arcsec**2"])


def _common_grid(models, cells):
    ranges = np.array([model.ranges() for model in models])
    low, high = ranges[:, :, 0].max(0), ranges[:, :, 1].min(0)
    # A comparison with NaN is false, too.
    if not np.all(high > low):
        raise _no_overlap(models)
    whole = _covering(low, high, cells)
    seen = np.all([model.seen(whole) for model in models], axis=0)
    if not seen.any():
        raise _no_overlap(models)
    # Turned fields fill only a part of the rectangle that their rectangles share.
    places = np.stack([axis[seen] for axis in whole.centres()])
    margin = _MARGIN * float(np.ptp(places, axis=1).max()) + whole.step
    return _covering(places.min(1) - margin, places.max(1) + margin, cells)


def _covering(low, high, cells):
    return PixelGrid.covering(*zip(low, high, strict=True), float((high - low).max()) / cells)
