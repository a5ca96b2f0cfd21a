"""Whether models were fitted to the same photons, and draws that are paired where they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..config import N_DRAWS
from ..em.paired import paired_parameters
from ..em.parameters import Parameters
from ..errors import InputError
from ..fitting.problem import Problem
from ..model.posterior import Draws
from .errors import options_of

if TYPE_CHECKING:
    from ..model.observation import Observation
    from ..model.result import FitResult

# Photons are the same if they lie within this distance [arcsec].
_SAME_PLACE = 0.01
# Photons that the scores of paired draws are taken of, and at least for each parameter.
_PHOTONS, _PHOTONS_PER_PARAMETER = 20_000, 8
# Roles of input files that choose photons.
_CUTS = ("mask", "region")


def check_same_photons(results: Sequence[FitResult], names: Sequence[str]) -> None:
    """Refuse models that were not fitted to the same photons.

    Parameters
    ----------
    results : sequence of FitResult
    names : sequence of str
        What the models are called in messages.

    Raises
    ------
    InputError
        If the photons of any model differ from those of the first; it says in what.
    """
    for result, name in zip(results[1:], names[1:], strict=True):
        found = _what_differs(results[0], result)
        if found:
            raise InputError(
                f"{name}: it was not fitted to the photons of {names[0]}: {found}: compare models "
                "of the same photons, and use gmmx score for others"
            )


def have_same_photons(first: FitResult, other: FitResult) -> bool:
    """Whether two models were fitted to the same photons, in any tangent planes.

    Parameters
    ----------
    first, other : FitResult
    """
    pairs = (first.observations, other.observations)
    return len(pairs[0]) == len(pairs[1]) and all(map(_are_same, *pairs))


def _what_differs(first: FitResult, other: FitResult) -> str:
    """What differs between the photons of two models; empty if they are the same."""
    n, m = len(first.observations), len(other.observations)
    if n != m:
        return f"{m} observation{'s' * (m != 1)} instead of {n}"
    for number, (one, two) in enumerate(
        zip(first.observations, other.observations, strict=True), 1
    ):
        found = _of_observation(one, two)
        if found:
            return f"observation {number}: {found}" if n > 1 else found
    return ""


def _of_observation(one: Observation, two: Observation) -> str:
    """What differs between two observations, the causes before what follows from them."""
    facts = []
    a, b = one.pointing, two.pointing
    if a.energies != b.energies:
        facts.append(f"energies {b.energies or 'unknown'} instead of {a.energies or 'unknown'}")
    if a.chip_names != b.chip_names:
        facts.append(f"chips {b.chip_names or 'all'} instead of {a.chip_names or 'all'}")
    cuts = [sorted(i.sha256 for i in p.inputs if i.role in _CUTS) for p in (a, b)]
    if cuts[0] != cuts[1]:
        files = [", ".join(m.file for m in p.masks) or "none" for p in (a, b)]
        facts.append(f"masks {files[1]} instead of {files[0]}")
    if one.photons.pixel != two.photons.pixel:
        sizes = [p.pixel or "no" for p in (one.photons, two.photons)]
        facts.append(f"photons in pixels of {sizes[1]} arcsec instead of {sizes[0]}")
    if not _are_same(one, two):
        digests = [p.events_file.sha256[:12] if p.events_file else "" for p in (a, b)]
        if digests[0] != digests[1]:
            paths = [p.events_file.path if p.events_file else "none" for p in (a, b)]
            facts.append(
                f"the event file {paths[1]} (SHA-256 {digests[1]}...) instead of {paths[0]} "
                f"({digests[0]}...)"
            )
        counts = [f"{o.n_photons:,.0f}" for o in (one, two)]
        if counts[0] != counts[1]:
            facts.append(f"{counts[1]} photons instead of {counts[0]}")
        facts = facts or ["the positions of the photons differ"]
    return "; ".join(facts)


def _are_same(one: Observation, two: Observation) -> bool:
    """Whether two observations have the same photons, in any tangent plane."""
    if len(one.photons) != len(two.photons):
        return False
    if not np.array_equal(one.photons.weights, two.photons.weights):
        return False
    x, y = two.photons.x, two.photons.y
    if one.frame is not None and two.frame is not None and one.frame != two.frame:
        x, y = two.frame.to_frame(one.frame, x, y)
    return bool(np.all(np.hypot(x - one.photons.x, y - one.photons.y) < _SAME_PLACE))


def with_paired_draws(
    results: Sequence[FitResult], n: int = N_DRAWS, seed: int = 0
) -> list[FitResult]:
    """Models of the same photons with draws that belong together, draw by draw.

    The draws are what refits to photons with the same random weights would give, to first order:
    see `gmmx.em.paired`. The spread of the difference of two models over them contains what the
    photons do to both.

    Parameters
    ----------
    results : sequence of FitResult
        Of the same photons, in the same order.
    n : int
        Number of draws.
    seed : int
        Of the random numbers.

    Returns
    -------
    list of FitResult

    Examples
    --------
    >>> import gmmx
    >>> rng = np.random.default_rng(0)
    >>> x, y = np.concatenate([rng.normal(-20, 4, (2, 300)), rng.normal(20, 4, (2, 300))], 1)
    >>> observation = gmmx.Observation(photons=gmmx.Photons(x, y))
    >>> fits = [gmmx.fit(observation, n_components=k) for k in (1, 2)]
    >>> drawn = [model.draws.fluxes.sum(1) for model in with_paired_draws(fits, 100)]
    >>> bool(np.corrcoef(*drawn)[0, 1] > 0.95)
    True
    """
    # The information of all models is summed over the same photons.
    numbers = [6 * len(one.mixture) + len(one.backgrounds) for one in results]
    photons = max(_PHOTONS, _PHOTONS_PER_PARAMETER * max(numbers))
    informations = [_information(one, photons) for one in results]
    drawn = paired_parameters(informations, n, np.random.default_rng(seed))
    return [
        replace(
            one,
            draws=Draws(
                fluxes=its.fluxes,
                means=its.means,
                covariances=its.covariances,
                amplitudes=its.amplitudes,
                method="bootstrap",
                seed=seed,
            ),
        )
        for one, its in zip(results, drawn, strict=True)
    ]


def _information(result, photons):
    """The information matrix of a fit, summed over about so many photons."""
    problem = Problem.of(result.observations, options_of(result))
    amplitudes = tuple(
        np.array([b.amplitude for b in o.backgrounds], float) for o in result.observations
    )
    parameters = Parameters(mixture=result.mixture, amplitudes=amplitudes, fixed=result.fixed)
    phase = problem.begin_phase(parameters)
    evaluation = problem.evaluate(parameters, phase)
    return problem.information(parameters, phase, photons=photons).at_boundary(evaluation)
