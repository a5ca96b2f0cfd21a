"""The ways to a number of components: given, from clusters and by growth; or chosen."""

from dataclasses import dataclass, field

import numpy as np

from ...model.samples_result import PATH_COLUMNS
from .climb import BRIEF_TOLERANCE, climb
from .criteria import Criteria
from .moves import enlarged, exchange
from .starts import clusters, filled_values, one_component, scattered

# Evaluations of a short ascent: from a start, after growing, and between other moves.
_START_EVALUATIONS = 15
_GROW_EVALUATIONS = 30
# Components that are added in one round, at most; growth doubles K at most.
_MOST_ADDED = 10
# Above this, "auto" starts from clusters alone.
_MOST_GROWN = 60
# Numbers of components beyond the best one that are tried before the choice ends.
_PATIENCE = 3


@dataclass(frozen=True, eq=False)
class Search:
    """A search for the components: the problem, the random numbers and the path so far.

    Parameters
    ----------
    problem : SampleProblem
    rng : numpy.random.Generator
    held_out : SampleLikelihood or None
        Of samples that are not fitted.
    path : list of tuple
        Rows in the order of `PATH_COLUMNS`; the search adds to them.
    progress : callable or None
        Called with the stage and K before each trial.
    """

    problem: object
    rng: np.random.Generator
    held_out: object = None
    path: list = field(default_factory=list)
    progress: object = None

    def tell(self, stage, k):
        """Tell the caller what comes next."""
        if self.progress is not None:
            self.progress(stage, k)

    def note(self, stage, climbed, accepted=True):
        """Add a row to the path, and return its criteria."""
        found = Criteria.of(self.problem, climbed.evaluation, self.held_out)
        k = len(climbed.parameters.mixture)
        self.path.append((stage, k, *found.row, bool(accepted)))
        return found

    def _brief(self, parameters, budget):
        """A climb that ends where hardly anything is to be gained."""
        return climb(self.problem, parameters, budget=budget, tolerance=BRIEF_TOLERANCE)

    def first(self):
        """The fit of one component."""
        self.tell("start", 1)
        found = climb(
            self.problem,
            one_component(self.problem),
            budget=2 * _GROW_EVALUATIONS,
            tolerance=self.problem.options.tol,
        )
        self.note("start", found)
        return found

    def from_clusters(self, first, n_components):
        """The best of several fits that start from clusters; with a completeness, of others, too.

        Behind a hole or an edge the samples that were recorded form other clusters than all samples
        do. There as many fits start from random samples.
        """
        filled = filled_values(self.problem, first.parameters)
        best = self._best_start(clusters, filled, n_components)
        if self.problem.likelihood.selection is not None:
            other = self._best_start(scattered, filled, n_components)
            best = max(best, other, key=lambda one: one.objective)
        self.note("kmeans", best)
        return best

    def _best_start(self, make, filled, n_components):
        """The best of several short ascents, continued."""
        best, starts = None, self.problem.options.starts
        for _ in range(starts):
            self.tell("kmeans", n_components)
            start = make(self.problem, filled, n_components, self.rng)
            found = self._brief(start, _START_EVALUATIONS)
            if best is None or found.objective > best.objective:
                best = found
        if starts > 1:
            best = self._brief(best.parameters, 2 * _GROW_EVALUATIONS)
        return best

    def grown(self, climbed, n_components):
        """The fit with more components, by splits in rounds."""
        while (k := len(climbed.parameters.mixture)) < n_components:
            self.tell("grow", k)
            n_new = min(k, _MOST_ADDED, n_components - k)
            larger = enlarged(self.problem, climbed, n_new, budget=_GROW_EVALUATIONS)
            if larger is None or len(larger.parameters.mixture) <= k:
                break
            climbed = larger
            self.note("grow", climbed)
        return climbed

    def with_components(self, n_components):
        """The fit with a given number of components, from the better of all initialisations."""
        first, options = self.first(), self.problem.options
        if n_components == 1:
            return first
        found = []
        if options.init != "grow":
            found.append(self.from_clusters(first, n_components))
        if options.init == "grow" or (options.init == "auto" and n_components <= _MOST_GROWN):
            found.append(self.grown(first, n_components))
        best = max(found, key=lambda one: (len(one.parameters.mixture), one.objective))
        return self.exchanged(self.grown(best, n_components))

    def exchanged(self, climbed):
        """The fit after exchanges of components."""
        self.tell("exchange", len(climbed.parameters.mixture))

        def note(found, accepted):
            self.note("exchange", found, accepted)

        return exchange(self.problem, climbed, self.problem.options.exchanges, note)

    def chosen(self):
        """The fit whose number of components is the best by the criterion."""
        options = self.problem.options
        climbed = best = self.first()
        merit = best_merit = self.note("choose", climbed).merit(options.criterion)
        while len(climbed.parameters.mixture) < options.max_components:
            k = len(climbed.parameters.mixture)
            larger = self._one_more(climbed)
            if larger is None or len(larger.parameters.mixture) <= k:
                break
            climbed = larger
            merit = self.note("choose", climbed).merit(options.criterion)
            if merit > best_merit:
                best, best_merit = climbed, merit
            if len(climbed.parameters.mixture) >= len(best.parameters.mixture) + _PATIENCE:
                break
        return best

    def _one_more(self, climbed):
        """The better of a split and of clusters, with one component more."""
        k, options = len(climbed.parameters.mixture), self.problem.options
        self.tell("grow", k + 1)
        found = []
        if options.init != "kmeans":
            larger = enlarged(self.problem, climbed, 1, budget=2 * _GROW_EVALUATIONS)
            if larger is not None:
                found.append(larger)
        if options.init != "grow":
            first = self._brief(one_component(self.problem), _START_EVALUATIONS)
            found.append(self.from_clusters(first, k + 1))
        if not found:
            return None
        best = max(found, key=lambda one: one.objective)
        return exchange(self.problem, best, min(options.exchanges, 3), lambda *_: None)


def columns_of(path):
    """The path as one array for each of its columns."""
    columns = zip(*path, strict=True) if path else [()] * len(PATH_COLUMNS)
    return {name: np.array(c) for name, c in zip(PATH_COLUMNS, columns, strict=True)}
