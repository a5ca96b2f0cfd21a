"""Which ascent needs the fewest iterations: EM, SQUAREM, DAAREM, and gmmx's own L-BFGS.

All start from one mixture, which is grown and then disturbed. The objective is that of a phase,
whose PSF averages and prior scales are constant. A trial for which the phase is not valid is
refused. Where EM itself leaves the phase, a new phase begins at its step, and the change of the
objective is not counted as a gain.

Name cases to run only them: ``python benchmarks/bench_acceleration.py small``.
"""

import time
import warnings

import numpy as np
from ascents import METHODS, CountedObjective
from cases import ngc4636, small_galaxy
from common import is_missing, wanted_parts
from galaxy import GALAXY, observed

from gmmx._kernels.threads import threads_at_most
from gmmx.config import FitOptions
from gmmx.em.chart import Chart
from gmmx.em.parameters import Priors
from gmmx.errors import GmmxWarning
from gmmx.fitting.grow import Grow
from gmmx.fitting.plan import first_state
from gmmx.fitting.problem import Problem, parameters_of

CHECKPOINTS = (50, 100, 200, 400)
# How far the start is moved in each coordinate: in log flux, in sigma, in log width.
DISTURBED = 0.1
# Each case and its number of components.
CASES = {
    "ngc4636": (lambda: ngc4636().train, 60),
    "small": (lambda: small_galaxy().train, 12),
    "galaxy": (observed, 40),
}


def started(observation, k):
    """The prepared observation, and a mixture that is grown to k components and disturbed."""
    problem = Problem.of(observation, FitOptions())
    prepared = problem.likelihood
    parameters = parameters_of(Grow(most=k).run(problem, first_state(problem)))
    chart = Chart.at(prepared, parameters, prepared.begin_phase(parameters, Priors()))
    z = chart.to_vector(parameters)
    disturbance = np.random.default_rng(1).normal(size=len(z))
    return prepared, chart.to_parameters(z + DISTURBED * chart.scales * disturbance)


def compare(name, observation, k):
    """Print the rows of one case."""
    prepared, parameters = started(observation, k)
    print(f"{name}: {len(prepared[0].x):,} photons, K = {len(parameters.mixture)}", flush=True)
    for label, method in METHODS.items():
        began = time.perf_counter()
        objective = CountedObjective(prepared, parameters, CHECKPOINTS[-1]).raise_with(method)
        seconds = time.perf_counter() - began
        cells = "".join(f"{objective.gained[n - 1]:10.1f}" for n in CHECKPOINTS)
        print(
            f"  {label:22s}{cells}{objective.n_phases:10d}"
            f"{1e3 * seconds / len(objective.gained):10.1f}",
            flush=True,
        )


def main():
    wanted = wanted_parts(CASES)
    warnings.simplefilter("ignore", GmmxWarning)
    print(
        f"Nats gained from a common start (grown, then disturbed by {DISTURBED} in every"
        " coordinate) after so many evaluations; ms for one"
    )
    print(f"  {'':22s}{''.join(f'{n:10d}' for n in CHECKPOINTS)}{'phases':>10s}{'ms':>10s}")
    with threads_at_most(0):
        for name in wanted:
            if name == "galaxy" and is_missing(GALAXY):
                continue
            make, k = CASES[name]
            compare(name, make(), k)


if __name__ == "__main__":
    main()
