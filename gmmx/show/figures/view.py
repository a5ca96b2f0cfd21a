"""What all panels of a figure share: the fit, its numbers, the visible sky, and the options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ...answers.canvas import output_grid
from ...answers.centres import sky_position
from ...answers.profile_panel import profile_to_draw
from ...answers.scene import Scene
from ...answers.signal_error import SignalError, error_of_signal
from ...answers.units import scale_of
from ...config import PlotConfig
from ...config.figures import parsed_zoom
from ...errors import InputError
from ...model.flux_notes import areas_of
from ...model.result import FitResult
from ...plane.shapes import Shapes
from .colour import brightness_norm, plain
from .sky import Sky
from .words import angle

if TYPE_CHECKING:
    from astropy.table import QTable
    from astropy.visualization import ImageNormalize

# Margin about the shapes of a region file that is zoomed to, in their larger side.
_MARGIN = 0.05


@dataclass(frozen=True, eq=False, repr=False)
class View:
    """The part of a fit that a figure shows, and how.

    Every panel is drawn from a View, so that all panels of a figure agree.

    Parameters
    ----------
    result : FitResult
    scene : Scene
        The numbers behind the panels.
    config : PlotConfig
        The options of the figure.
    regions : tuple of Shapes
        Shapes that are drawn over the maps, in the plane of the fit.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> View.of(result, PlotConfig(what="signal"))
    View(signal: 36 x 34 arcsec)
    """

    result: FitResult
    scene: Scene
    config: PlotConfig
    regions: tuple[Shapes, ...] = ()

    @classmethod
    def of(
        cls,
        result: FitResult,
        config: PlotConfig,
        *,
        zoom: Shapes | None = None,
        regions: Sequence[Shapes] = (),
    ) -> View:
        """Make the view that the options ask for.

        Parameters
        ----------
        result : FitResult
        config : PlotConfig
        zoom : Shapes, optional
            The shapes of the file that `zoom` names.
        regions : sequence of Shapes
            Those of the files that `region` names.

        Raises
        ------
        InputError
            If the zoom cannot be found, nothing was recorded, or the smoothing exceeds the field.
        """
        x, y = _ranges(result, config, zoom)
        scene = Scene(result, x, y)
        side = max(scene.width, scene.height)
        if config.smooth is not None and config.smooth > side:
            raise InputError(
                f"`smooth` = {config.smooth:g} is larger than what is shown, {side:.3g} arcsec: "
                "give a smaller one",
                parameter="smooth",
            )
        return cls(result, scene, config, tuple(regions))

    def __repr__(self):
        width, height = self.scene.width, self.scene.height
        return f"View({self.config.what}: {width:.0f} x {height:.0f} arcsec)"

    @cached_property
    def sky(self) -> Sky:
        """The visible part of the plane."""
        return Sky(self.scene.grid, self.result.frame, self.scene.x, self.scene.y)

    @property
    def is_zoomed(self) -> bool:
        """Whether a part of the field is shown."""
        return self.config.zoom is not None

    @property
    def has_psf(self) -> bool:
        """Whether any observation of the fit has a PSF."""
        return any(o.psf is not None for o in self.result.observations)

    @cached_property
    def error(self) -> SignalError:
        """The error of the signal."""
        return error_of_signal(self.result, self.sky.x, self.sky.y, self.config.smooth)

    @cached_property
    def profile(self) -> QTable:
        """The radial profile about the brightest emission.

        Of a zoomed map it is the brightest emission there, and the profile ends at its edge.
        """
        if not self.is_zoomed:
            return profile_to_draw(self.result)
        reach = max(self.scene.width, self.scene.height) / 2
        return profile_to_draw(self.result, self.scene.centre(), reach)

    @cached_property
    def scale(self) -> float:
        """Factor from photons / arcsec**2 at the reference exposure to `units`."""
        area = self._pixel_area if self.config.units == "flux" else 1.0
        return scale_of(self.result, self.config.units, area) * area

    @cached_property
    def unit(self) -> tuple[str, ...]:
        """The unit of the surface brightness, in phrases for a colour bar."""
        about = " (approximate)" if areas_of(self.result) else ""
        if self.config.units == "sb":
            return (rf"photon cm$^{{-2}}$ s$^{{-1}}$ arcsec$^{{-2}}${about}",)
        if self.config.units == "flux":
            side = angle(float(np.sqrt(self._pixel_area)))
            return rf"photon cm$^{{-2}}$ s$^{{-1}}${about}", f"pixels of {side}"
        unit = self.result.exposure_unit
        if not unit:
            return (r"photons arcsec$^{-2}$",)
        exposure = plain(float(f"{self.result.reference_exposure:.3g}"))
        return r"photons arcsec$^{-2}$", f"at {exposure} {_printed(unit)}{about}"

    @property
    def _pixel_area(self):
        return output_grid(self.result).cell_area

    @cached_property
    def limits(self) -> tuple[float, float]:
        """Faintest and brightest value that the colours tell apart, in `units`."""
        low, high = (self.scale * one for one in self.scene.brightness_limits())
        high = high if self.config.vmax is None else self.config.vmax
        start = self.config.vmin or 0.0
        if high <= start and self.config.vmin is None:
            raise InputError(f"`vmax` = {high:g} must be above 0", parameter="vmax")
        if high <= start:
            raise InputError(
                f"`vmin` = {start:g} is not below the brightest value, {high:.3g}: give a lower "
                "`vmin`, or `vmax`",
                parameter="vmin",
            )
        return min(low, high / 10), high

    @cached_property
    def norm(self) -> ImageNormalize:
        """How surface brightness becomes colour, in all panels of the figure."""
        low, high = self.limits
        return brightness_norm(self.config.stretch, low, high, start=self.config.vmin or 0.0)


def _printed(unit):
    return unit.replace("**2", "$^2$")


def _ranges(result, config, zoom):
    """Intervals of x and y [arcsec] that are shown; None shows everything."""
    if config.zoom is None:
        return None, None
    found = parsed_zoom(config.zoom) if isinstance(config.zoom, str) else None
    if found is None:
        return _about(zoom, config.zoom)
    ra, dec, radius = found
    x, y = _place(result, ra, dec, config.zoom)
    return (x - radius, x + radius), (y - radius, y + radius)


def _place(result, ra, dec, text):
    try:
        if result.frame is None:
            place = float(ra), float(dec)
        else:
            sky = sky_position(ra, dec).transform_to(result.frame.radesys.lower())
            place = tuple(float(one) for one in result.frame.to_plane(sky.ra.deg, sky.dec.deg))
    except ValueError:
        raise InputError(
            f"`zoom` = {text}: give RA,DEC,RADIUS, such as 187.706,12.391,30 or "
            "12:30:49.4,+12:23:28,30 (radius in arcsec), or a region file",
            parameter="zoom",
        ) from None
    (x0, x1), (y0, y1) = output_grid(result).extent()
    reach = np.hypot(x1 - x0, y1 - y0)
    if not np.hypot(place[0] - (x0 + x1) / 2, place[1] - (y0 + y1) / 2) < 3 * reach:
        where = "" if result.frame is None else f" at RA {result.frame.ra0:.4f}, "
        where += "" if result.frame is None else f"Dec {result.frame.dec0:+.4f}"
        raise InputError(
            f"`zoom` = {text}: this is far from the field{where}: check the position",
            parameter="zoom",
        )
    return place


def _about(shapes, name):
    """The intervals of shapes with a margin, neither side much longer than the other."""
    if shapes is None:
        raise InputError(f"`zoom` = {name}: no region of that name was read", parameter="zoom")
    (x0, x1), (y0, y1) = shapes.bounding_box()
    side = max(x1 - x0, y1 - y0)
    if not (np.isfinite(side) and side > 0):
        raise InputError(
            f"`zoom` = {name}: its shapes have no bounds to zoom to: give a circle, a box or a "
            "polygon",
            parameter="zoom",
        )
    half = np.maximum(np.array([x1 - x0, y1 - y0]), side / 2) / 2 + _MARGIN * side
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return (x - half[0], x + half[0]), (y - half[1], y + half[1])
