"""Ways to climb one objective in fewer evaluations: EM, SQUAREM, Anderson acceleration (DAAREM) and gmmx's own L-BFGS.

All start from the same mixture, grown and then disturbed. The objective is that of a phase, with its PSF averages and prior scales; a trial that the phase does
not hold for is refused, and where EM itself leaves the phase, a new one begins at its step, with nothing counted for the change. Reads marx/galaxy from
$GMMX_TEST_DATA (default ../shared/data beside the repository) and leaves it out where it is absent. Name cases to run only them:
``python benchmarks/bench_acceleration.py small``.
"""

import sys
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from bench_accuracy import GALAXY, observed
from cases import ngc4636, small_galaxy

from gmmx import errors
from gmmx._kernels.threads import threads_at_most
from gmmx.config import FitOptions
from gmmx.em.ascent import ascend
from gmmx.em.chart import Chart
from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Priors
from gmmx.fitting.grow import Grow
from gmmx.fitting.plan import first_state
from gmmx.fitting.problem import Problem, parameters_of

CHECKPOINTS = (50, 100, 200, 400)
OUT = Path(__file__).with_name("acceleration.txt")
# How far the start is moved in each coordinate: in log flux, in sigma, in log width.
DISTURBED = 0.1


class Spent(Exception):
    """The evaluations are used up."""


class Counted:
    """The objective, with the most gained after each evaluation [nat]."""

    def __init__(self, prepared, parameters):
        self.prepared, self.gained, self.phases = prepared, [], 0
        self.start = parameters
        self.rebase(0.0)

    def rebase(self, gained):
        """A new phase at `start`, where so much has been gained."""
        self.phases += 1
        self.phase = self.prepared.begin_phase(self.start, Priors())
        self.chart = Chart.at(self.prepared, self.start, self.phase)
        self.best = evaluate(self.prepared, self.start, self.phase)
        self.zero = self.best.objective - gained

    def __call__(self, parameters):
        if len(self.gained) >= CHECKPOINTS[-1]:
            raise Spent
        found = evaluate(self.prepared, parameters, self.phase)
        if found.objective > self.best.objective:
            self.best = found
        self.gained.append(self.best.objective - self.zero)
        return found

    def climb(self, method):
        """Climb by a method, phase after phase, until the evaluations are used up."""
        try:
            while True:
                method(self, self.chart.to_vector(self.start))
                self.start = self.best.successor
                self.rebase(self.gained[-1])
        except Spent:
            return self

    def at(self, z):
        """Evaluation at z, None where there is no such mixture or the phase does not hold."""
        try:
            parameters = self.chart.to_parameters(z)
            if self.phase.is_valid(parameters):
                found = self(parameters)
                self.chart.to_vector(found.successor)
                return found if np.isfinite(found.objective) else None
        except (ArithmeticError, ValueError, np.linalg.LinAlgError):
            pass
        return None

    def image(self, evaluation):
        """G(z): where EM goes from here."""
        return self.chart.to_vector(evaluation.successor)


def plain(objective, z):
    """Expectation maximisation."""
    while (now := objective.at(z)) is not None:
        z = objective.image(now)


def squarem(objective, z, *, by_component=False):
    """SQUAREM, scheme S3 with a longest step that adapts (Varadhan & Roland 2008, Scand. J. Stat. 35, 335); one step length for all or for each component."""
    k = len(objective.best.parameters.mixture)
    groups = np.zeros(len(z), int)
    if by_component:
        groups = np.concatenate(
            [
                np.arange(k),
                np.repeat(np.arange(k), 2),
                np.repeat(np.arange(k), 3),
                np.full(len(z) - 6 * k, k),
            ]
        )
    longest = 1.0
    while (first := objective.at(z)) is not None:
        one = objective.image(first)
        second = objective.at(one)
        if second is None:
            return
        two = objective.image(second)
        r, v = one - z, two - 2 * one + z
        lengths = np.sqrt(
            np.bincount(groups, r * r) / np.maximum(np.bincount(groups, v * v), 1e-300)
        )
        hit = lengths.max() >= longest
        a = np.clip(lengths, 1.0, longest)[groups]
        # A step of 1 is two steps of EM: there is nothing to try.
        third = objective.at(z + 2 * a * r + a * a * v) if longest > 1 else None
        if third is not None and third.objective >= second.objective:
            z = objective.image(third)
            longest *= 4 if hit else 1
        else:
            z = two
            longest = max(longest / 4, 1.0) if longest > 1 else 4.0


def daarem(objective, z, depth=10, slack=0.01):
    """Damped Anderson acceleration with restarts and control of the objective (Henderson & Varadhan 2019, JCGS 28, 834)."""
    now, success = objective.at(z), 0
    while now is not None:
        f = objective.image(now) - z
        steps, changes = [], []
        for _ in range(depth):
            proposal = None
            if changes:
                proposal = (
                    z
                    + f
                    - (np.array(steps) + np.array(changes)).T
                    @ _damped(np.array(changes).T, f, 1 / (1 + 1.2 ** (25 - success)))
                )
            trial = objective.at(proposal) if proposal is not None else None
            if trial is not None and trial.objective >= now.objective - slack:
                success += 1
            else:
                success = max(success - depth, 0) if proposal is not None else success
                proposal = z + f
                trial = objective.at(proposal)
                if trial is None:
                    return
            g = objective.image(trial) - proposal
            steps, changes = [*steps, proposal - z], [*changes, g - f]
            now, z, f = trial, proposal, g


def _damped(matrix, right, share):
    """Ridge regression whose coefficients have `share` of the squared length of those of least squares."""
    u, s, vt = np.linalg.svd(matrix, full_matrices=False)
    projected = u.T @ right
    s = np.maximum(s, 1e-12 * s[0])
    wanted = share * np.sum((projected / s) ** 2)
    low, high = -60.0, 60.0
    for _ in range(60):
        middle = (low + high) / 2
        if np.sum((s * projected / (s * s + np.exp(middle))) ** 2) > wanted:
            low = middle
        else:
            high = middle
    return vt.T @ (s * projected / (s * s + np.exp(high)))


def quasi_newton(objective, z):
    """gmmx.em.ascent.ascend."""
    for _ in ascend(
        objective, objective.phase.is_valid, objective.chart.to_parameters(z), objective.chart
    ):
        pass


METHODS = {
    "EM": plain,
    "SQUAREM": squarem,
    "SQUAREM by component": partial(squarem, by_component=True),
    "DAAREM, depth 10": daarem,
    "L-BFGS (gmmx)": quasi_newton,
}


def started(observation, k):
    """Observations as prepared, and a mixture grown to k components and disturbed."""
    problem = Problem.of(observation, FitOptions())
    prepared = problem.likelihood
    parameters = parameters_of(Grow(most=k).run(problem, first_state(problem)))
    chart = Chart.at(prepared, parameters, prepared.begin_phase(parameters, Priors()))
    z = chart.to_vector(parameters)
    return prepared, chart.to_parameters(
        z + DISTURBED * chart.scales * np.random.default_rng(1).normal(size=len(z))
    )


def compare(name, observation, k):
    """Lines of the table for one case."""
    prepared, parameters = started(observation, k)
    yield f"{name}: {len(prepared[0].x):,} photons, K = {len(parameters.mixture)}"
    for label, method in METHODS.items():
        began = time.perf_counter()
        objective = Counted(prepared, parameters).climb(method)
        seconds = time.perf_counter() - began
        cells = "".join(f"{objective.gained[n - 1]:10.1f}" for n in CHECKPOINTS)
        yield f"  {label:22s}{cells}{objective.phases:10d}{1e3 * seconds / len(objective.gained):10.1f}"


def main():
    warnings.simplefilter("ignore", errors.GmmxWarning)
    cases = {"ngc4636": (lambda: ngc4636().train, 60), "small": (lambda: small_galaxy().train, 12)}
    if GALAXY.is_dir():
        cases["galaxy"] = (
            lambda: observed(GALAXY / "events.fits.gz", GALAXY / "expmap.fits.gz"),
            40,
        )
    wanted = sys.argv[1:] or list(cases)
    lines = [
        "Nats gained from a common start (grown, then disturbed by 0.1 in every coordinate) after so many evaluations; ms for one",
        f"  {'':22s}{''.join(f'{n:10d}' for n in CHECKPOINTS)}{'phases':>10s}{'ms':>10s}",
    ]
    print("\n".join(lines))
    with threads_at_most(0):
        for name in wanted:
            if name not in cases:
                print(f"{name}: no such case here; there are {', '.join(cases)}")
                continue
            for line in compare(name, cases[name][0](), cases[name][1]):
                print(line, flush=True)
                lines.append(line)
    if not sys.argv[1:]:
        OUT.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
