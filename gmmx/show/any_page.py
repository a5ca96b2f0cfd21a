"""The page and the facts of a model of either kind: of photons, or of samples."""

from collections.abc import Callable

from ..model.result import FitResult
from ..model.samples_result import SamplesResult
from .facts import summary_dict
from .page import summary
from .sample_page import sample_facts, sample_summary

_PAGES: dict[str, Callable[..., str]] = {"photons": summary, "samples": sample_summary}
_FACTS: dict[str, Callable[..., dict]] = {"photons": summary_dict, "samples": sample_facts}


def page_of(result: FitResult | SamplesResult, *, verbose: bool = False) -> str:
    """A page about a model, to be read."""
    return _PAGES[result.kind](result, verbose=verbose)


def facts_of(result: FitResult | SamplesResult, **extra: object) -> dict[str, object]:
    """Facts of a model, ready for JSON; further facts come first."""
    return _FACTS[result.kind](result, **extra)
