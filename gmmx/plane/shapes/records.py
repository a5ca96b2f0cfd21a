"""Terms as plain dicts, which JSON keeps to the bit."""

from dataclasses import asdict

from ...errors import InputError
from .kinds import Box, Ellipse, Field
from .polygon import Polygon
from .sectors import Ring, Sector
from .term import Term

_KINDS = {kind.__name__.lower(): kind for kind in (Ellipse, Box, Polygon, Sector, Ring, Field)}


def to_records(groups: tuple) -> list[dict]:
    """Return one dict for each term of several lists of terms.

    Examples
    --------
    >>> term = Term(((Ellipse(0.0, 0.0, 2.0, 1.0), False),), label="a")
    >>> to_records(((term,),))[0]["parts"][0]["shape"]
    'ellipse'
    >>> from_records(to_records(((term,),))) == ((term,),)
    True
    """
    return [
        {
            "list": i,
            "label": term.label,
            "exclude": term.exclude,
            "parts": [{"negated": negated, **_to_record(shape)} for shape, negated in term.parts],
        }
        for i, group in enumerate(groups)
        for term in group
    ]


def from_records(records: list[dict]) -> tuple:
    """Return the lists of terms that `to_records` wrote.

    Raises
    ------
    InputError
        If a record is not one of a shape.
    """
    groups: dict[int, list[Term]] = {}
    for record in records:
        try:
            parts = tuple(
                (_from_record({k: v for k, v in part.items() if k != "negated"}), part["negated"])
                for part in record["parts"]
            )
            term = Term(parts, record["exclude"], record["label"])
            groups.setdefault(record["list"], []).append(term)
        except (KeyError, TypeError, AttributeError) as problem:
            raise InputError(f"not a record of a shape: {str(record)[:80]} ({problem})") from None
    return tuple(tuple(group) for _, group in sorted(groups.items()))


def _to_record(shape):
    if isinstance(shape, Ring):
        parts = {k: None if v is None else _to_record(v) for k, v in vars(shape).items()}
        return {"shape": "ring", **parts}
    return {
        "shape": type(shape).__name__.lower(),
        **{k: [list(c) for c in v] if k == "vertices" else v for k, v in asdict(shape).items()},
    }


def _from_record(record):
    values = {
        k: _from_record(v) if isinstance(v, dict) else v for k, v in record.items() if k != "shape"
    }
    return _KINDS[record["shape"]](**values)
