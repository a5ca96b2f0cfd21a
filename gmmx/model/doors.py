"""The methods of a FitResult that open the rest of the package: one function behind each."""

from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, cast

import numpy as np

from ..config import ErrorsConfig, ExportConfig, PlotConfig, RenderConfig
from ..errors import InputError
from .observation import Observation

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord
    from astropy.table import QTable
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from regions import Regions

    from ..answers.images import RenderedImages
    from ..answers.score import Score
    from ..io.regions import Source
    from ..plane.grid import PixelGrid
    from .result import FitResult


class ResultDoors:
    """The methods of a FitResult that draw, tabulate, score and write it.

    The methods import inside their bodies, because the rooms that they call import the nouns of
    this one.
    """

    @property
    def _result(self) -> "FitResult":
        """The object itself, because the only class with these methods is FitResult."""
        return cast("FitResult", self)

    @property
    def components(self) -> "QTable":
        """The component table with units, by decreasing flux.

        Its columns are those of the files that ``gmmx export`` writes. Each has a description.
        """
        from astropy.table import QTable

        from ..answers.components import component_table

        return QTable(component_table(self._result))

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
        from ..answers.components import component_table
        from ..io.regions import component_regions

        return component_regions(component_table(self._result), frame=frame, scale=scale)

    def plot(
        self,
        what: str = PlotConfig.what,
        *,
        stretch: str = PlotConfig.stretch,
        ax: "Axes | None" = None,
    ) -> "Figure":
        """Draw a figure of the fit, or one of its panels into given axes.

        Parameters
        ----------
        what : str
            A figure: "overview", "residuals" (of each observation) or "history" (of the fit).
            With `ax` a panel: "data", "scene", "signal", "completeness", "residual" or "profile".
        stretch : {"log", "asinh", "sqrt", "linear"}
            Scaling of the colours.
        ax : matplotlib Axes, optional
            Axes to draw a panel into. All panels except "profile" need axes with the projection
            ``gmmx.show.figures.sky_of(result).wcs``.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        InputError
            If `what` or `stretch` is unknown, or if the axes have no projection.
        """
        from ..show.figures import plot

        return plot(self._result, what, stretch=stretch, ax=ax)

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

    def score(self, other: Observation | Sequence[Observation]) -> "Score":
        """Score the fit on photons that it was not fitted to.

        Parameters
        ----------
        other : Observation or sequence of Observation
            One for each observation of the fit, in its order, with the same cuts.

        Returns
        -------
        Score
            Mean over the photons of log[lambda(x) / integral of lambda] [nat, x in arcsec].
        """
        from ..answers.score import held_out_score

        others = [other] if isinstance(other, Observation) else list(other)
        return held_out_score(self._result, others)

    def flux(
        self,
        region: "Source | Sequence[Source]",
        *,
        each: bool = False,
        erg_per_photon: float | None = None,
        correlations: bool = False,
    ) -> "QTable":
        """Flux of the extended components in regions of the sky, with intervals.

        Parameters
        ----------
        region : path, regions.Region, regions.Regions, or a list of these
            Each is one region.
        each : bool
            Whether every shape is a region of its own.
        erg_per_photon : float, optional
            Mean energy of a photon, from a spectral model [erg].
        correlations : bool
            Whether the correlations between the regions are given, too.

        Returns
        -------
        astropy.table.QTable
            The numbers that ``gmmx flux`` prints, with units; see
            `gmmx.answers.flux_table.flux_table`.
        """
        from ..answers.flux import Region
        from ..answers.flux_table import flux_in, plane_of
        from ..io.regions.named import named_regions

        named = named_regions(
            region,
            frame=plane_of(self._result),
            physical=self._result.observations[0].physical,
            each=each,
        )
        regions = [Region(name, shapes) for name, shapes in named]
        return flux_in(
            self._result, regions, erg_per_photon=erg_per_photon, correlations=correlations
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

    def errors(
        self,
        draws: int = ErrorsConfig.draws,
        *,
        method: str = ErrorsConfig.method,
        seed: int = ErrorsConfig.seed,
        threads: int = ErrorsConfig.threads,
    ) -> "FitResult":
        """Return the fit with draws of its parameters, from which all errors are computed.

        Parameters
        ----------
        draws : int
            Number of parameter sets.
        method : {"auto", "laplace", "bootstrap", "scan"}
            How they are made; see `gmmx.answers.errors.make_draws`.
        seed : int
            Of the random numbers.
        threads : int
            Number of threads; 0 uses every core. The draws do not depend on it.

        Returns
        -------
        FitResult
            A copy with `draws`.
        """
        from ..answers.errors import make_draws

        return make_draws(self._result, draws, method=method, seed=seed, threads=threads)

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
