"""The page and the facts of a model of either kind: of photons, or of samples."""

from ..model.result import FitResult
from ..model.samples_result import SamplesResult
from .facts import summary_dict
from .page import summary
from .sample_page import sample_facts, sample_summary


def page_of(result: FitResult | SamplesResult, *, verbose: bool = False) -> str:
    """A page about a model, to be read."""
    if isinstance(result, SamplesResult):
        return sample_summary(result, verbose=verbose)
    return summary(result, verbose=verbose)


def facts_of(result: FitResult | SamplesResult, **extra: object) -> dict[str, object]:
    """Facts of a model, ready for JSON; further facts come first."""
    if isinstance(result, SamplesResult):
        return sample_facts(result, **extra)
    return summary_dict(result, **extra)
