"""FitState: the memory of a fit, from which it can be resumed after it was stopped."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .._words import counted
from ..errors import InputError
from .mixture import Fixed, Mixture
from .result import HISTORY_COLUMNS, PATH_COLUMNS

_MIXTURE = ("fluxes", "means", "covariances")
_FIXED = ("fluxes", "means", "covariances", "points")
# Fields of FitState that JSON holds.
_RECORD = (
    "stages",
    "stage",
    "progress",
    "n_components",
    "evaluations",
    "phases",
    "removed",
    "at_edge",
    "improved",
    "converged",
    "seconds",
    "generator",
)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class FitState:
    """State of a fit between two steps, from which the fit can be resumed.

    A fit runs its stages one after the other, and each stage is made of steps. While a fit
    settles, a step is one phase of at most 100 evaluations; while it grows, exchanges or prunes
    components, a step is one trial, that is the choice of components to try and two short phases
    of at most 12 evaluations each. A FitState exists at the boundary between two steps. A fit may
    be stopped after any evaluation. Resumed from the last FitState, it repeats the evaluations
    after that boundary and then gives the same bits as a fit that was never stopped. The
    quasi-Newton ascent and the estimates of gains and losses keep nothing across a boundary that
    cannot be computed from a FitState and the photons.

    Parameters
    ----------
    mixture : Mixture
        The K components.
    amplitudes : tuple of (n_b,) arrays
        Background amplitudes of each observation [photon / arcsec**2 at q = 1].
    fixed : Fixed or None
        Parameters of the mixture that are not fitted; None if all are.
    stages : tuple of dict
        All stages of the fit in order, as `fitting.stages` describes them.
    stage : int
        Index of the stage that runs or comes next; ``len(stages)`` once the fit is finished.
    progress : dict of str to number
        Counters of that stage; empty before it begins.
    n_components : int or None
        The number of components that was asked for, or None if it is chosen.
    evaluations, phases : int
        Number of evaluations of the likelihood and of phases so far.
    removed : int
        Components that were removed because they lost their photons.
    at_edge : int
        Point sources that reached the edge of their region and stay there.
    improved : bool
        Whether the latest exchange of components raised the objective.
    converged : bool
        Whether the latest settling ended because hardly any gain could still be expected.
    seconds : float
        Time spent so far [s].
    history, path : tuple of tuple
        One row for each accepted iterate, and one for each set of components that was tried, in
        the columns of `FitResult.history` and `FitResult.path`.
    generator : dict
        State of the random generator.

    Examples
    --------
    >>> state = FitState.initial(Mixture.empty(), (np.array([0.1]),), seed=1)
    >>> state
    FitState: 0 components after 0 evaluations, finished
    >>> FitState.from_arrays(state.to_arrays()).amplitudes
    (array([0.1]),)
    """

    mixture: Mixture
    amplitudes: tuple
    fixed: Fixed | None = None
    stages: tuple = ()
    stage: int = 0
    progress: dict = field(default_factory=dict)
    n_components: int | None = None
    evaluations: int = 0
    phases: int = 0
    removed: int = 0
    at_edge: int = 0
    improved: bool = True
    converged: bool = False
    seconds: float = 0.0
    history: tuple = ()
    path: tuple = ()
    generator: dict = field(default_factory=dict)

    def __post_init__(self):
        if not 0 <= self.stage <= len(self.stages):
            raise InputError(
                f"`stage` = {self.stage}: this state has {len(self.stages)} stages, from 0"
            )

    @classmethod
    def initial(
        cls,
        mixture: Mixture,
        amplitudes: Sequence[np.ndarray],
        *,
        seed: int,
        fixed: Fixed | None = None,
        n_components: int | None = None,
        stages: Sequence[dict] = (),
    ) -> "FitState":
        """Return the state before the first stage.

        Parameters
        ----------
        mixture : Mixture
        amplitudes : tuple of (n_b,) arrays
        seed : int
            Seed of the random generator.
        fixed : Fixed, optional
        n_components : int, optional
        stages : sequence of dict

        Returns
        -------
        FitState
        """
        return cls(
            mixture=mixture,
            amplitudes=tuple(amplitudes),
            fixed=fixed,
            n_components=n_components,
            stages=tuple(stages),
            generator=dict(np.random.default_rng(seed).bit_generator.state),
        )

    def __repr__(self):
        """Say how many components there are, and which stage comes next."""
        where = "finished"
        if self.stage < len(self.stages):
            names = [stage["stage"] for stage in self.stages]
            where = f"in stage {self.stage + 1} of {len(names)} ({names[self.stage]})"
        components = counted(len(self.mixture), "component")
        return f"FitState: {components} after {counted(self.evaluations, 'evaluation')}, {where}"

    def rng(self) -> np.random.Generator:
        """Return a random generator that continues where the fit's generator is."""
        rng = np.random.Generator(np.random.PCG64())
        rng.bit_generator.state = self.generator
        return rng

    def with_parameters(self, parameters):
        """Return the state with other parameters.

        Parameters
        ----------
        parameters : object
            With the attributes `mixture`, `amplitudes` and `fixed`.
        """
        return replace(
            self,
            mixture=parameters.mixture,
            amplitudes=tuple(parameters.amplitudes),
            fixed=parameters.fixed,
        )

    def going_on(self, **progress) -> "FitState":
        """Return the state with these counters of its stage changed."""
        return replace(self, progress={**self.progress, **progress})

    def after_stage(self, **changes) -> "FitState":
        """Return the state at the beginning of the next stage."""
        return replace(self, stage=self.stage + 1, progress={}, **changes)

    def to_arrays(self) -> dict[str, np.ndarray | str]:
        """Return the state as a flat dict of arrays and one JSON text, for a checkpoint.

        Returns
        -------
        dict of str to array or str
            Arrays are named as "mixture/fluxes", "amplitudes/0" or "history/objective". The rest
            is JSON under "record".
        """
        arrays = {f"mixture/{name}": getattr(self.mixture, name) for name in _MIXTURE}
        if self.fixed is not None:
            arrays |= {f"fixed/{name}": getattr(self.fixed, name) for name in _FIXED}
        arrays |= {f"amplitudes/{i}": a for i, a in enumerate(self.amplitudes)}
        for name, rows, columns in (
            ("history", self.history, HISTORY_COLUMNS),
            ("path", self.path, PATH_COLUMNS),
        ):
            arrays |= {f"{name}/{c}": v for c, v in columns_of(rows, columns).items()}
        record = {name: getattr(self, name) for name in _RECORD}
        return arrays | {"record": json.dumps(record)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> "FitState":
        """Return the state that `to_arrays` made a dict of.

        Raises
        ------
        InputError
            If an array or an entry of the record is missing.
        """
        try:
            record = json.loads(str(arrays["record"]))
            fixed = (
                Fixed(**{name: arrays[f"fixed/{name}"] for name in _FIXED})
                if "fixed/fluxes" in arrays
                else None
            )
            n = sum(str(name).startswith("amplitudes/") for name in arrays)
            return cls(
                mixture=Mixture(**{name: arrays[f"mixture/{name}"] for name in _MIXTURE}),
                amplitudes=tuple(np.array(arrays[f"amplitudes/{i}"], float) for i in range(n)),
                fixed=fixed,
                history=_rows(arrays, "history", HISTORY_COLUMNS),
                path=_rows(arrays, "path", PATH_COLUMNS),
                **{name: record[name] for name in _RECORD if name != "stages"},
                stages=tuple(record["stages"]),
            )
        except KeyError as error:
            raise InputError(f"this is no state of a fit: {error} is missing") from None


@dataclass(frozen=True, eq=False, kw_only=True)
class Iterate:
    """An accepted iterate, with which a fit calls its `callback`.

    Parameters
    ----------
    mixture : Mixture
    amplitudes : tuple of (n_b,) arrays
        Background amplitudes of each observation [photon / arcsec**2 at q = 1].
    log_likelihood, objective : float
        Of this mixture and these amplitudes [nat].
    iteration : int
        Evaluations of the likelihood so far.
    stage, step : str
        Stage that made it ("grow", "settle", ...) and how ("em", "quasi-newton", ...).
    seconds : float
        Time since the fit began [s].
    state : FitState
        The latest state that the fit can be resumed from.
    """

    mixture: Mixture
    amplitudes: tuple
    log_likelihood: float
    objective: float
    iteration: int
    stage: str
    step: str
    seconds: float
    state: FitState


def columns_of(rows, columns):
    """Return rows as a dict of one array for each column."""
    values = zip(*rows, strict=True) if rows else ((),) * len(columns)
    return dict(zip(columns, map(np.array, values), strict=True))


def _rows(arrays, name, columns):
    values = [np.asarray(arrays[f"{name}/{column}"]).tolist() for column in columns]
    return tuple(zip(*values, strict=True))
