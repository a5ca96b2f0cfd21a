"""What an event list says of simulated photons beside their positions: energies, chips, times."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .membership import Membership, membership_of

if TYPE_CHECKING:
    from ..model.photons import Photons
    from ..model.pointing import Pointing
    from ..model.result import FitResult
    from .simulate import Simulation


@dataclass(frozen=True, eq=False, repr=False)
class EventRows:
    """Simulated photons in the order of their times.

    Attributes
    ----------
    photons : Photons
        With energies and chips, if the photons of the fit have them.
    origin : (N,) integers
        As in `Simulation`.
    times : (N,) array or None
        Rising times [s]; None if the model tells no exposure time.
    interval : (float, float) or None
        The good time interval, in which they lie [s].
    """

    photons: Photons
    origin: np.ndarray
    times: np.ndarray | None
    interval: tuple[float, float] | None

    def __repr__(self):
        return f"EventRows({self.photons!r})"

    @property
    def missing(self) -> list[str]:
        """The columns that cannot be made, because the model lacks what they are drawn from."""
        known = {
            "ENERGY": self.photons.energy_kev is not None,
            "CCD_ID": self.photons.ccd is not None,
            "TIME": self.times is not None,
        }
        return [name for name, is_known in known.items() if not is_known]


def rows_of(
    result: FitResult, number: int, simulation: Simulation, rng: np.random.Generator
) -> EventRows:
    """The rows of an event list of simulated photons.

    An energy is that of a recorded photon, drawn with its probability to be of the same kind: an
    extended component, a point source, or the same background. So each kind has the spectrum that
    the photons show for it, in the band of the fit. The chip is that of the nearest recorded
    photon. Times are even over the good time interval.

    Parameters
    ----------
    result : FitResult
    number : int
        Of the observation that was simulated.
    simulation : Simulation
    rng : numpy.random.Generator

    Returns
    -------
    EventRows

    Examples
    --------
    >>> import gmmx
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(0, 5, (2, 400))
    >>> photons = gmmx.Photons(x, y, energy_kev=rng.uniform(0.5, 2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=photons), n_components=1)
    >>> (simulation,) = result.simulate(rng)
    >>> rows = rows_of(result, 0, simulation, rng)
    >>> rows, rows.missing
    (EventRows(Photons(367 photons, 0.5-1.95 keV)), ['CCD_ID', 'TIME'])
    """
    observation = result.observations[number]
    recorded, photons = observation.photons, simulation.photons
    interval = good_time(simulation.observation.pointing)
    times = None
    if interval is not None:
        times = np.sort(rng.uniform(*interval, len(photons)))
    if recorded.energy_kev is not None:
        found = membership_of(result, observation, recorded.x, recorded.y)
        energies = _energies(recorded, found, simulation.origin, result.points, rng)
        photons = replace(photons, energy_kev=energies)
    if recorded.ccd is not None and len(recorded):
        photons = replace(photons, ccd=recorded.ccd[_nearest(recorded, photons)])
    return EventRows(photons, simulation.origin, times, interval)


def good_time(pointing: Pointing) -> tuple[float, float] | None:
    """The good time interval of an observation in one piece [s]; None if no time is known.

    It begins at TSTART, or else at 0, and has the length of ONTIME, or else of EXPOSURE, or goes
    on to TSTOP.

    Examples
    --------
    >>> from gmmx.model.pointing import Pointing
    >>> good_time(Pointing(exposure_time=900.0, header={"TSTART": 50.0, "ONTIME": 1000.0}))
    (50.0, 1050.0)
    """
    header = pointing.header
    start, stop, on_time = (_number(header.get(key)) for key in ("TSTART", "TSTOP", "ONTIME"))
    begin = 0.0 if start is None else start
    span = None if start is None or stop is None else stop - start
    for length in (on_time, pointing.exposure_time, span):
        if length is not None and length > 0:
            return begin, begin + length
    return None


def _number(value):
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None


def _energies(recorded, found: Membership, origin, points, rng):
    """An energy of the recorded photons for each origin, drawn by kind."""
    is_point = np.zeros(max(int(origin.max(initial=0)) + 1, len(points)), bool)
    is_point[: len(points)] = points
    of_sky = origin >= 0
    kinds = [
        (of_sky & ~is_point[origin], found.signal),
        (of_sky & is_point[origin], found.points),
        *((origin == -1 - b, values) for b, values in enumerate(found.backgrounds)),
    ]
    energies = np.zeros(len(origin))
    for chosen, probability in kinds:
        n = int(chosen.sum())
        sums = np.cumsum(recorded.weights * probability)
        if n == 0:
            continue
        if sums[-1] <= 0:
            # No recorded photon is of this kind: the spectrum of all photons stands in.
            sums = np.cumsum(recorded.weights)
        place = np.searchsorted(sums, rng.random(n) * sums[-1], side="right")
        energies[chosen] = recorded.energy_kev[np.minimum(place, len(sums) - 1)]
    return energies


def _nearest(recorded, photons):
    """The nearest recorded photon of each of some photons, (N,) integers."""
    # Loaded here because that takes a fifth of a second.
    from scipy.spatial import cKDTree

    tree = cKDTree(np.column_stack([recorded.x, recorded.y]))
    return tree.query(np.column_stack([photons.x, photons.y]))[1]
