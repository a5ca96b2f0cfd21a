"""The order in which the terms of a list act, and the entries that a list leaves out."""

import warnings
from dataclasses import dataclass

from ...errors import DataWarning
from ...plane.shapes import Shapes, Term


@dataclass(frozen=True)
class Entry:
    """A term of a list, and whether its line tags it as background."""

    term: Term
    background: bool = False


def shapes_in_order(entries, *, exclusions_last, name):
    """Return the Shapes of a list of entries, the terms in the order in which they act.

    Parameters
    ----------
    entries : list of Entry
        At least one.
    exclusions_last : bool
        DS9 and the package `regions` treat exclusion as a property of a shape, so that exclusions
        come last. CIAO applies its lines in order.
    name : str
        Name of the list in warnings.

    Warns
    -----
    DataWarning
        If background shapes stand beside source shapes, and if a CIAO list starts with an exclusion
        and goes on with additions.
    """
    entries = _without_background(entries, name)
    terms = [entry.term for entry in entries]
    if exclusions_last:
        terms = sorted(terms, key=lambda term: term.exclude)
    elif terms[0].exclude and not all(term.exclude for term in terms):
        warnings.warn(
            f"{name}: starts with an exclusion, which is cut out of the whole plane, and the "
            "shapes after it add to the rest: put exclusions last",
            DataWarning,
            stacklevel=4,
        )
    return Shapes(((*_cuts_of(terms[0]), *terms[1:]),))


def _without_background(entries, name):
    """Leave out the shapes that are tagged as background, unless there are no others."""
    background = [entry.term for entry in entries if entry.background]
    if not 0 < len(background) < len(entries):
        return entries
    warnings.warn(
        f"{name}: {len(background)} of {len(entries)} shapes are tagged as background and left out"
        f" ({background[0].short_label}, ...): to use them, drop the tag",
        DataWarning,
        stacklevel=5,
    )
    return [entry for entry in entries if not entry.background]


def _cuts_of(first):
    """Return a first term `a&!b&!c...` as `a`, `-b`, `-c`, and any other term as it is.

    Both cover the same. As cuts, `b` and `c` are compared with the points near them only.
    """
    if first.exclude or all(negated for _, negated in first.parts):
        return [first]
    kept = tuple(part for part in first.parts if not part[1])
    cuts = [Term(((shape, False),), True, first.label) for shape, negated in first.parts if negated]
    return [Term(kept, False, first.label), *cuts]


def warn_of_no_area(name, left_out, kind="entry"):
    """Warn of the entries that cover no area.

    Parameters
    ----------
    name : str
        Name of the list.
    left_out : list of str
        Labels of the entries.
    kind : {"entry", "row", "region"}
        Word for one of them.
    """
    if not left_out:
        return
    n, others = len(left_out), {"entry": "entries", "row": "rows", "region": "regions"}[kind]
    counted = f"1 {kind} covers no area and is" if n == 1 else f"{n} {others} cover no area and are"
    more = ", ..." if n > 1 else ""
    warnings.warn(f"{name}: {counted} left out ({left_out[0]}{more})", DataWarning, stacklevel=5)
