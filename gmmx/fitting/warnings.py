"""The warnings of a fit, one function for each."""

import numpy as np

from ..errors import ConvergenceWarning, DataWarning, DegeneracyWarning
from ..model.background import how_to_fix
from ..model.summary import HIGH_CORRELATION

# A background is absorbed if fewer than this fraction of the photons belong to it, and if a
# component is broader than this fraction of the field's side.
_ABSORBED = 0.01
_BROAD = 0.25
# Mostly unseen components are named if their unseen flux is more than this fraction of the flux
# in the field; a warning names so many.
_MATTERS = 0.01
_NAMED = 3


def warnings_of(problem, state, result):
    """All warnings of a fit, in the order in which they are given.

    Parameters
    ----------
    problem : Problem
    state : FitState
    result : FitResult

    Returns
    -------
    list of GmmxWarning
    """
    return [
        *sources_at_edge(state),
        *not_converged(result),
        *fewer_components(state, result),
        *no_emission(result),
        *degenerate_backgrounds(result),
        *absorbed_backgrounds(problem, result),
        *unseen_components(result),
    ]


def sources_at_edge(state):
    """Point sources whose position would leave its region."""
    n = state.at_edge
    if n:
        subject = "1 point source" if n == 1 else f"{n} point sources"
        its, where = ("its", "position is") if n == 1 else ("their", "positions are")
        yield DataWarning(
            f"{subject} would leave {its} region: {its} {where} kept at the region's edge"
        )


def not_converged(result):
    """More could be gained by further evaluations."""
    if not result.converged:
        yield ConvergenceWarning(
            f"the fit has not converged: {result.stop_reason}; raise `max_iter`"
        )


def fewer_components(state, result):
    """Fewer components than were asked for."""
    k, asked = int((~result.points).sum()), state.n_components
    if asked is not None and k < asked:
        reason = "no further component is significant"
        if state.removed:
            reason = (
                "components that no photon needs, or of which less than 2 % was observed, were"
                " removed"
            )
        has = "1 component" if k == 1 else f"{k} components"
        yield DataWarning(f"the fit has {has}, fewer than the {asked} asked for: {reason}")


def no_emission(result):
    """The background explains all photons."""
    if np.all(result.points):
        yield DataWarning("there is no significant emission above the background")


def degenerate_backgrounds(result):
    """Backgrounds that the data hardly tell from broad signal."""
    degenerate = [b for b in result.backgrounds if b.is_degenerate]
    for b in degenerate:
        yield DegeneracyWarning(
            f"background {b.name!r} of {b.observation} and the signal flux are correlated by"
            f" {b.correlation:.2f}, so that the data hardly distinguish them: fix its amplitude"
            f" with {how_to_fix(b.kind, b.name)}"
        )
    together = result.background_correlation
    several = sum(not b.fixed for b in result.backgrounds) > 1
    if several and abs(together) > HIGH_CORRELATION and not degenerate:
        yield DegeneracyWarning(
            f"the sum of the backgrounds and the signal flux are correlated by {together:.2f}, so"
            " that the data hardly distinguish them: fix the amplitudes with `background_region`,"
            f" or one of them with `background` = {result.backgrounds[0].name}=VALUE"
        )


def absorbed_backgrounds(problem, result):
    """Backgrounds that fell to zero because components as broad as the field took their photons."""
    widths = np.linalg.det(result.mixture.covariances) ** 0.25
    for p, fitted in zip(problem.likelihood, result.observations, strict=True):
        # One background of an observation may stand in for another. Something else has taken
        # their place only if all of them are zero.
        amplitudes = np.array([b.amplitude for b in fitted.backgrounds])
        if float(amplitudes @ p.integrals) >= _ABSORBED * p.weights.sum():
            continue
        for b, integral in zip(fitted.backgrounds, p.integrals, strict=True):
            if b.fixed or not np.any(widths > _BROAD * np.sqrt(integral)):
                continue
            yield DegeneracyWarning(
                f"the fitted background {b.name!r} of {fitted.name} is zero, because broad"
                f" components have absorbed it: {_better_exposure(fitted)}, or fix its amplitude"
                f" with {how_to_fix(b.kind, b.name)}"
            )


def unseen_components(result):
    """Components that matter and of whose flux most lies outside of the field or under masks."""
    found = np.flatnonzero(result.mostly_unseen)
    unseen = result.unseen_fraction[found]
    inside, masked, outside = result.photons_by_place
    if result.mixture.fluxes[found] @ unseen <= _MATTERS * inside:
        return
    named = [
        f"component {k} ({100 * fraction:.0f} % of its flux)"
        for k, fraction in zip(found[:_NAMED], unseen, strict=False)
    ]
    named += [f"{len(found) - _NAMED} more"] if len(found) > _NAMED else []
    lies, its = ("lies", "its") if len(named) == 1 else ("lie", "their")
    parts = [f"{100 * masked / max(inside, 1e-300):.0f} % of the flux in the field is under masks"]
    if outside > _MATTERS * inside:
        whole = inside + outside
        parts = [
            f"quote the flux in the field, because {100 * outside / whole:.0f} % of the whole flux "
            "is outside of it",
            *(parts if masked > _MATTERS * inside else []),
        ]
    yield DegeneracyWarning(
        f"{' and '.join(named)} {lies} mostly outside of the field or under masks, where no photon"
        f" constrains {its} flux: {'; '.join(parts)}"
    )


def _better_exposure(observation):
    """How the exposure of an observation can be improved, for the message."""
    if any(file.role == "exposure" for file in observation.pointing.inputs):
        return "limit the exposure map to the region where photons are recorded"
    return "give an exposure map with `exposure`"
