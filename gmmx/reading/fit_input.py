"""Everything that a fit reads from files: observations, point sources and a start."""

from dataclasses import dataclass, replace

from ..fitting.point_sources import PointSources
from ..io.files import checksums
from .door import observations_of
from .inputs import input_files
from .point_sources import read_point_sources, without_started
from .start import Start, read_start


@dataclass(frozen=True, eq=False, kw_only=True)
class FitInput:
    """The observations, point sources and initial components of a fit.

    Attributes
    ----------
    observations : tuple of Observation
        All in the plane of the first one.
    sources : PointSources or None
        Point sources that are fitted, without those that the start contains.
    start : Start
        Initial components.
    n_started : int
        Listed point sources that the start contains already.
    """

    observations: tuple
    sources: PointSources | None = None
    start: Start
    n_started: int = 0

    def __repr__(self):
        sources = 0 if self.sources is None else len(self.sources)
        return (
            f"FitInput({len(self.observations)} observations, {sources} point sources, "
            f"{self.start})"
        )


def read_fit_input(files, config):
    """Read the files of a fit.

    Parameters
    ----------
    files : sequence of FileArgument
        Event lists and counts images.
    config : FitConfig

    Returns
    -------
    FitInput

    Raises
    ------
    GmmxError
        If a file or an option cannot be used.
    """
    with checksums(verified=not config.no_checksum):
        return fit_input_of(observations_of(files, config, sources=config.sources), config)


def fit_input_of(observations, config, *, sources=None):
    """Read the point sources and the initial components of a fit of known observations.

    Parameters
    ----------
    observations : list of Observation
        All in the plane of the first one.
    config : FitConfig
    sources : PointSources, optional
        Point sources that need not be read.

    Returns
    -------
    FitInput

    Raises
    ------
    GmmxError
        If a file or an option cannot be used.
    """
    if config.sources:
        sources, summary = read_point_sources(config.sources, config.source_positions, observations)
        observations = _with_choices(observations, {"point sources": summary})
    observations, start = read_start(config, observations)
    sources, n_started = without_started(sources, start)
    return FitInput(
        observations=tuple(_with_inputs(observations, config)),
        sources=sources,
        start=start,
        n_started=n_started,
    )


def _with_inputs(observations, config):
    """Record the files that belong to the whole fit among the inputs of the first observation."""
    given = [("fix", config.fix), ("init", config.init if config.starts_from_model else None)]
    given += [("sources", path) for path in config.sources if isinstance(path, str)]
    files = input_files([(role, path) for role, path in given if path is not None])
    first = observations[0]
    return [replace(first, pointing=first.pointing.with_inputs(*files)), *observations[1:]]


def _with_choices(observations, choices):
    """Add choices to those of the first observation."""
    first = observations[0]
    return [replace(first, pointing=first.pointing.with_choices(choices)), *observations[1:]]
