"""The methods of a FitResult that measure and simulate: errors, fluxes, profiles, photons."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ..config import ErrorsConfig, GoodnessConfig, ProfileConfig
from .observation import Observation

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord
    from astropy.table import QTable

    from ..answers.component_significance import ComponentSignificance
    from ..answers.goodness import Goodness
    from ..answers.membership import Membership
    from ..answers.score import Score
    from ..answers.simulate import Simulation
    from ..io.regions import Source
    from .result import FitResult


class NumberDoors:
    """The methods of a FitResult that measure something, one function behind each.

    The methods import inside their bodies, as those of `ResultDoors` do.
    """

    @property
    def _result(self) -> "FitResult":
        """The object itself, because the only class with these methods is FitResult."""
        return cast("FitResult", self)

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

    def profile(
        self,
        center: "str | SkyCoord" = ProfileConfig.center,
        *,
        bins: str | Sequence[float] = ProfileConfig.bins,
        axis_ratio: float = ProfileConfig.axis_ratio,
        pa: float | None = ProfileConfig.pa,
        sector: str | tuple[float, float] | None = ProfileConfig.sector,
        isophotes: bool = ProfileConfig.isophotes,
    ) -> "QTable":
        """Radial profile: data, blurred model and deconvolved model in annuli, with errors.

        Parameters
        ----------
        center : str or SkyCoord
            "brightest", "centroid", or a position, as text "RA,DEC" (ICRS).
        bins : str or sequence of float
            "log:N", "linear:N", "counts:N", or the edges [arcsec].
        axis_ratio : float
            Minor over major axis of elliptical annuli.
        pa : float, optional
            Position angle of their major axis [deg].
        sector : str or (float, float), optional
            Position angles "FROM:TO" between which the annuli are kept [deg].
        isophotes : bool
            Fit ellipses to the isophotes of the deconvolved model.

        Returns
        -------
        astropy.table.QTable
            The numbers that ``gmmx profile`` writes, with units; see
            `gmmx.answers.profile_table.profile_of`. `gmmx.show.figures.profile_figure` draws it.
        """
        from ..answers.profile_table import profile_of

        if not isinstance(center, str):
            place = center.icrs
            center = f"{float(place.ra.deg)!r},{float(place.dec.deg)!r}"
        config = ProfileConfig(
            center=center,
            bins=bins,
            axis_ratio=axis_ratio,
            pa=pa,
            sector=sector,
            isophotes=isophotes,
        )
        return profile_of(self._result, config)

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

    def simulate(
        self,
        rng: np.random.Generator,
        *,
        exposure_scale: float = 1.0,
        components: Sequence[int] | None = None,
        with_psf: bool = True,
        draw: int | None = None,
    ) -> "tuple[Simulation, ...]":
        """Simulate the photons that the telescope would detect if the fit were true.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the random numbers.
        exposure_scale : float
            Factor on the exposure of every observation.
        components : sequence of int, optional
            Only these components, by their numbers in the component table, with all backgrounds.
        with_psf : bool
            Whether the PSF spreads the photons.
        draw : int, optional
            Which draw of the parameters is simulated, from 0; by default the best fit.

        Returns
        -------
        tuple of Simulation
            One for each observation of the fit: its `photons`, the `origin` of each of them, and
            the `observation` that they make, which `gmmx.fit` takes. `sample` draws positions
            that are not detected by any telescope.
        """
        from ..answers.simulate import ParameterSet, simulated

        parameters = ParameterSet.of(self._result, draw)
        if components is not None:
            parameters = parameters.only(components)
        return simulated(
            self._result,
            rng,
            parameters=parameters,
            exposure_scale=exposure_scale,
            with_psf=with_psf,
        )

    def assign(self, rng: np.random.Generator | None = None) -> "tuple[Membership, ...]":
        """Assign the fitted photons to components, as ``gmmx assign`` does for an event list.

        Parameters
        ----------
        rng : numpy.random.Generator, optional
            With it one origin is drawn for each photon.

        Returns
        -------
        tuple of Membership
            One for each observation of the fit, with the probabilities of its photons.
        """
        from ..answers.membership import membership_of

        return tuple(
            membership_of(self._result, o, o.photons.x, o.photons.y, rng=rng)
            for o in self._result.observations
        )

    def goodness(
        self,
        simulations: int = GoodnessConfig.simulations,
        *,
        refit: bool = not GoodnessConfig.no_refit,
        seed: int = GoodnessConfig.seed,
        threads: int = GoodnessConfig.threads,
    ) -> "Goodness":
        """Compare the photons with skies that are simulated from the fit, as ``gmmx test`` does.

        Parameters
        ----------
        simulations : int
            Number of simulated skies.
        refit : bool
            Whether each is fitted before it is compared; p-values are too large without it.
        seed : int
            Of the random numbers.
        threads : int
            Number of threads; 0 uses every core. The result does not depend on it.

        Returns
        -------
        Goodness
            With the p-value of each statistic, and the places where photons and model differ.
        """
        from ..answers.goodness import goodness_of_fit

        return goodness_of_fit(self._result, simulations, refit=refit, seed=seed, threads=threads)

    def component_significance(
        self,
        simulations: int = GoodnessConfig.simulations,
        *,
        seed: int = GoodnessConfig.seed,
        threads: int = GoodnessConfig.threads,
    ) -> "ComponentSignificance":
        """Measure the significance of each component, as ``gmmx test --components`` does.

        Parameters
        ----------
        simulations : int
            Number of simulated skies.
        seed : int
            Of the random numbers.
        threads : int
            Number of threads; 0 uses every core. The result does not depend on it.

        Returns
        -------
        ComponentSignificance
            With `sqrt_ts` and `p_values` of the components, in the order of `mixture`.
        """
        from ..answers.component_significance import component_significance

        return component_significance(self._result, simulations, seed=seed, threads=threads)
