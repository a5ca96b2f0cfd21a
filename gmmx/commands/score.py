"""Score a model on photons that it was not fitted to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..answers.score import held_out_score
from ..config import ReadOptions
from ..errors import InputError
from ..io.files import checksums
from ..io.virtual import parse_file_argument
from ..reading.held_out import in_pixels_of, read_held_out
from .kinds import read_for
from .other_samples import catalogue_like


def score(
    model: str | Path,
    events: Sequence[str | Path],
    *,
    no_checksum: bool = ReadOptions.no_checksum,
) -> dict:
    """Score a model file on other event files, or on another catalogue.

    The photons are selected as those of the fit were: by energy, chip, mask and field.

    Parameters
    ----------
    model : path
    events : sequence of path
        One event file for each observation of the model, in its order; or one catalogue.
    no_checksum : bool
        Whether FITS files are read even if their CHECKSUM or DATASUM does not hold.

    Returns
    -------
    dict
        What JSON can hold: "score", the mean log density per photon or row [nat],
        "score_error", its standard error, "n_photons" or "n_samples", and others.

    Raises
    ------
    InputError
        If the number of event files is not that of the observations.
    DataError
        If a file cannot be read, or none of its photons is in the model's band and field.
    """
    result = read_for("score", model)
    return {"model": str(model)} | _SCORES[result.kind](model, result, events, no_checksum)


def _score_photons(model, result, events, no_checksum):
    """Score a model on the photons of other event files."""
    files = [parse_file_argument(one) for one in events]
    n = len(result.observations)
    if len(files) != n:
        raise InputError(
            f"{model}: the model has {n} observation{'s' * (n > 1)}, and {len(files)} event "
            f"list{'s were' if len(files) > 1 else ' was'} given: give one for each, in order",
            parameter="events",
        )
    fitted = result.observations
    with checksums(verified=not no_checksum):
        photons = [read_held_out(file, one) for file, one in zip(files, fitted, strict=True)]
    seen = tuple(in_pixels_of(other, one) for other, one in zip(photons, fitted, strict=True))
    found = held_out_score(replace(result, observations=seen), photons)
    dropped = sum((Counter(o.dropped) for o in photons), Counter())
    return {
        "events": [file.text for file in files],
        "score": found.mean,
        "score_error": found.error,
        "unit": "nat per photon, positions in arcsec",
        "n_photons": int(found.n_photons),
        "n_dropped": {reason: int(count) for reason, count in dropped.items()},
        "expected_photons": found.expected_photons,
    }


def _score_samples(model, result, catalogues, no_checksum):
    """Score a mixture of samples on another catalogue."""
    if len(catalogues) != 1:
        raise InputError(
            f"{model}: a mixture of samples is scored on one catalogue, and {len(catalogues)} were "
            "given",
            parameter="events",
        )
    other = catalogue_like(model, result, catalogues[0], no_checksum=no_checksum)
    found = result.score(other.samples)
    return {
        "events": [str(catalogues[0])],
        "score": found.mean,
        "score_error": found.error,
        "unit": "nat per sample",
        "n_samples": int(found.n),
    }


_SCORES = {"photons": _score_photons, "samples": _score_samples}
