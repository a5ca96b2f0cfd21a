"""The methods of a FitResult that open the rest of the package: one function behind each."""

from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from ..config import CompareConfig, ExportConfig, PlotConfig, RenderConfig
from ..errors import InputError
from .number_doors import NumberDoors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astropy.coordinates import SkyCoord
    from astropy.table import QTable, Table
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from regions import Regions

    from ..answers.compare import Comparison
    from ..answers.images import RenderedImages
    from ..plane.grid import PixelGrid
    from .result import FitResult


class ResultDoors(NumberDoors):
    """The methods of a FitResult that draw, tabulate and write it.

    The methods import inside their bodies, because the rooms that they call import the nouns of
    this one.
    """

    @property
    def components(self) -> "QTable":
        """The component table with units, by decreasing flux.

        Its columns are those of the files that ``gmmx export`` writes. Each has a description.
        The errors are made once, from the draws of the fit or else from its information matrix.
        """
        from astropy.table import QTable

        return QTable(self._table_with_errors)

    @cached_property
    def _table_with_errors(self) -> "Table":
        from ..answers.components import component_table
        from ..answers.errors import draws_of

        return component_table(self._result, draws_of(self._result))

    def _table(self) -> "Table":
        """The component table with the errors that the fit knows, which take no time."""
        from ..answers.components import component_table

        return component_table(self._result)

    @property
    def coords(self) -> "SkyCoord":
        """Celestial positions of the components, in the order of `mixture`.

        Raises
        ------
        InputError
            If the fit has no celestial frame.
        """
        from astropy.coordinates import SkyCoord

        frame = self._result.frame
        if frame is None:
            raise InputError("the fit has no celestial frame, so that it has no coordinates")
        ra, dec = frame.to_sky(*self._result.mixture.means.T)
        return SkyCoord(ra, dec, unit="deg", frame=frame.radesys.lower())

    def regions(self, *, frame: str = "icrs", scale: float = ExportConfig.scale) -> "Regions":
        """The components as ellipses of the package `regions`, by decreasing flux.

        Parameters
        ----------
        frame : str
            Celestial system of the regions: "icrs", "fk5", "galactic", ...
        scale : float
            Semi-axes in intrinsic standard deviations. A point source is a circle that holds
            most of its PSF, at any scale.

        Returns
        -------
        regions.Regions

        Raises
        ------
        InputError
            If the fit has no celestial frame, or if the scale is not positive.
        """
        from ..io.regions import component_regions

        return component_regions(self._table(), frame=frame, scale=scale)

    def plot(
        self,
        what: str = PlotConfig.what,
        *,
        others: "Sequence[FitResult]" = (),
        ax: "Axes | None" = None,
        **options: Any,
    ) -> "Figure":
        """Draw a figure of the fit, or one of its panels into given axes.

        Parameters
        ----------
        what : str
            A figure, "overview", "observations" or "history"; or panels with commas between them:
            "data", "scene", "signal", "completeness", "residual", "error", "components",
            "profile", "history".
        others : sequence of FitResult
            Further models: one for "compare", two for "colour" (the bands, softest first).
        ax : matplotlib Axes, optional
            Axes to draw a single panel into. A map needs axes with the projection
            ``gmmx.show.figures.sky_of(result, zoom=...).wcs``.
        **options
            Those of ``gmmx plot``, such as ``zoom="187.7,12.4,30"``, ``contours=5`` or
            ``units="sb"``; see `gmmx.config.PlotConfig`.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        InputError
            If an option is wrong, or if the axes have no projection.
        """
        from ..io.regions.figure import figure_regions
        from ..show.figures import plot

        PlotConfig.check_names(options)
        config = PlotConfig(what=what, **options)
        regions = figure_regions(config, self._result)
        models = [self._result, *others]
        return plot(models, config, ax=ax, zoom_to=regions.zoom_to, overlays=regions.overlays)

    def compare(
        self,
        *others: "FitResult",
        names: "Sequence[str] | None" = None,
        folds: int = CompareConfig.folds,
        seed: int = CompareConfig.seed,
        threads: int = CompareConfig.threads,
    ) -> "Comparison":
        """Compare the fit with others of the same photons, as ``gmmx compare`` does.

        Parameters
        ----------
        *others : FitResult
        names : sequence of str, optional
            What the models are called, this one first; by default A, B and so on.
        folds : int
            Number of parts into which the photons are divided for the cross-validation.
        seed : int
            Of the random division.
        threads : int
            Number of threads; 0 uses every core. The result does not depend on it.

        Returns
        -------
        Comparison
            With a `table`, the `verdict` in words, and the `difference` of two models as images.
        """
        from ..answers.compare import compare

        return compare([self._result, *others], names, folds=folds, seed=seed, threads=threads)

    def render(
        self,
        grid: "PixelGrid | None" = None,
        *,
        units: str = RenderConfig.units,
        with_points: bool = RenderConfig.points,
        estimate: str = RenderConfig.estimate,
        at: float | None = RenderConfig.at,
        errors: bool = False,
    ) -> "RenderedImages":
        """Draw the images of the fit; see `gmmx.render`.

        Parameters
        ----------
        grid : PixelGrid, optional
            Pixels to draw on; by default those of the first exposure map.
        units : {"counts", "flux", "sb"}
            Unit of signal and background: per pixel, or per area and time.
        with_points : bool
            Include the point sources in the signal.
        estimate, at, errors
            Which signal it is, its resolution [arcsec], and whether its errors are drawn too.

        Returns
        -------
        RenderedImages
        """
        from ..answers.images import render

        return render(
            self._result,
            grid,
            units=units,
            with_points=with_points,
            estimate=estimate,
            at=at,
            errors=errors,
        )

    def sample(self, n: int, rng: np.random.Generator, *, with_points: bool = False) -> np.ndarray:
        """Draw positions from the deconvolved sky.

        Parameters
        ----------
        n : int
            Number of positions.
        rng : numpy.random.Generator
            Source of the random numbers.
        with_points : bool
            Draw from the point sources too. By default only the extended components count.

        Returns
        -------
        (n, 2) array
            Positions in the tangent plane [arcsec]; ``result.frame.to_sky(*positions.T)``
            makes right ascensions and declinations of them.
        """
        mixture = self._result.mixture if with_points else self._result.extended
        return mixture.sample(n, rng)

    def write(
        self, path: str | PathLike, *, overwrite: bool = False, command: str | None = None
    ) -> None:
        """Write the model file of this fit; `gmmx.read` reads it.

        Parameters
        ----------
        path : str or Path
            The model file, such as "model.h5".
        overwrite : bool
            Replace the file if it exists.
        command : str, optional
            The command line that made the fit, for the record.

        Raises
        ------
        OutputError
            If the file exists and `overwrite` is false, or if it cannot be written.
        """
        from ..io.models import write_model

        write_model(path, self._result, overwrite=overwrite, command=command)
