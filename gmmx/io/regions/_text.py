"""Region files as text: DS9 and CIAO, statement by statement."""

import re
import warnings
from dataclasses import dataclass

from ...errors import DataError, DataWarning
from ...plane.shapes import Shapes, Term
from ._shapes import AREALESS, RegionProblem, build, shape_name
from ._values import Numbers, short

_SYSTEMS = {
    name: name for name in ("physical", "image", "fk4", "fk5", "icrs", "galactic", "ecliptic")
} | {"b1950": "fk4", "j2000": "fk5", "wcs": "sky"}
_UNKNOWN_SYSTEMS = re.compile(r"wcs[0a-z]|linear|amplifier|detector|tile\s+\d+", re.IGNORECASE)
_ANNOTATIONS = re.compile(
    r"(?:(?:circle|box|diamond|cross|x|arrow|boxcircle)\s+)?point\b|(?:"
    + "|".join(AREALESS)
    + r")\b",
    re.IGNORECASE,
)
_FACTORS = re.compile(r"\s*([-+*&|!\s]*)([A-Za-z]+)\s*\(([^()]*)\)")
_BARE = re.compile(r"\s*([-+!]?)\s*([A-Za-z]+)((?:\s+|$).*)", re.DOTALL)


@dataclass(frozen=True)
class _Entry:
    """A term with what its line says of it."""

    term: Term
    background: bool


def parse_regions(text, frames, *, name="regions"):
    """The shapes that a region file's text describes, see `read_regions`.

    Parameters
    ----------
    text : str
    frames : Frames
    name : str
        What errors and warnings call the file.
    """
    header = re.search(r"region file format:\s*(\w+)", text, re.IGNORECASE)
    is_ds9 = header is not None and header[1].lower() == "ds9"
    system, defaults, entries, left_out = None, {"include": True, "source": True}, [], []
    for number, line in enumerate(text.splitlines(), 1):
        for statement, properties in _statements(line):
            try:
                word, rest = re.fullmatch(r"(\w*)\s*(.*)", statement, re.DOTALL).groups()
                if word.lower() == "global":
                    defaults |= _flags(rest + " " + properties)
                    is_ds9 = True
                    continue
                if word.lower() in _SYSTEMS:
                    system, statement, is_ds9 = _SYSTEMS[word.lower()], rest, True
                    if not statement:
                        continue
                if _UNKNOWN_SYSTEMS.fullmatch(statement):
                    raise RegionProblem(
                        "coordinates that only the image they were drawn on knows: save the regions in fk5"
                    )
                if _ANNOTATIONS.match(statement.lstrip("+-!# ")):
                    left_out.append(f"line {number}: {short(statement)}")
                    continue
                flags = defaults | _flags(properties)
                terms = _terms(statement, system, frames, include=flags["include"])
                if not terms:
                    left_out.append(f"line {number}: {short(statement)}")
                entries += [_Entry(term, not flags["source"]) for term in terms]
            except RegionProblem as problem:
                raise DataError(f"{name}, line {number}: {short(statement)}: {problem}") from None
    if left_out:
        message = f"{len(left_out)} {'entry covers' if len(left_out) == 1 else 'entries cover'} no area and count for nothing ({left_out[0]}"
        warnings.warn(
            f"{name}: {message}{', ...' if len(left_out) > 1 else ''})", DataWarning, stacklevel=3
        )
    if not entries:
        raise DataError(
            f"{name}: no shape in it"
            + (
                " that covers an area: draw circles or polygons"
                if left_out
                else ": is it a DS9, CIAO or FITS region file?"
            )
        )
    return Shapes((_in_order(entries, is_ds9, name),))


def _in_order(entries, is_ds9, name):
    """The terms of a list in the order in which they act."""
    # The tag is DS9's: in CIAO's files whatever follows a '#' is a comment.
    background = [entry.term for entry in entries if entry.background and is_ds9]
    if 0 < len(background) < len(entries):
        warnings.warn(
            f"{name}: {len(background)} of {len(entries)} shapes are tagged as background and left out"
            f" ({background[0].short_label}, ...): to use them, drop the tag",
            DataWarning,
            stacklevel=4,
        )
        entries = [entry for entry in entries if not entry.background]
    terms = [entry.term for entry in entries]
    if is_ds9:
        terms = sorted(terms, key=lambda term: term.exclude)
    elif terms[0].exclude and not all(term.exclude for term in terms):
        warnings.warn(
            f"{name}: starts with an exclusion, so its first shapes are cut out of everywhere and the later ones only add: put exclusions last",
            DataWarning,
            stacklevel=4,
        )
    first = terms[0]
    if not first.exclude and any(not negated for _, negated in first.parts):
        # A long `a&!b&!c...` at the start cuts just as `a`, `-b`, `-c` does, and so each cut meets the points near it only.
        kept = tuple(part for part in first.parts if not part[1])
        terms[:1] = [Term(kept, False, first.label)] + [
            Term(((shape, False),), True, first.label) for shape, negated in first.parts if negated
        ]
    return tuple(terms)


def _statements(line):
    """(statement, properties) pairs of a line: split at semicolons, but not inside the properties after a '#', braces or quotes."""
    while line.strip() and not line.lstrip().startswith("#"):
        body = re.match(r"(?:\{[^}]*\}|[^#;{]|\{)*", line)[0]
        if re.match(r"\s*global\b", line, re.IGNORECASE):
            body = re.match(r"(?:\"[^\"]*\"|\{[^}]*\}|[^;])*", line)[0]
        line, properties = line[len(body) :], ""
        if line.startswith("#"):
            # Anything may stand in a comment: after it, only what looks like a shape or a system starts a new statement.
            for found in re.finditer(
                r";\s*[-+!]?\s*([A-Za-z]+)\d*\s*(?:[(\s;\d]|$)", _blanked(line)
            ):
                if found[1].lower() in _SYSTEMS or (shape_name(found[1]) and len(found[1]) >= 3):
                    properties, line = line[: found.start()], line[found.start() :]
                    break
            else:
                properties, line = line, ""
        if body.strip():
            yield body.strip(), properties
        line = line[1:] if line.startswith(";") else line


def _blanked(text):
    """Text with what stands in braces and quotes blanked out, at the same length."""
    return re.sub(r"\{[^}]*\}|\"[^\"]*\"|'[^']*'", lambda found: " " * len(found[0]), text)


def _flags(properties):
    """What properties say of inclusion and of source or background."""
    words = _blanked(properties)
    flags = {
        key: value != "0" for key, value in re.findall(r"\b(include|source)\s*=\s*(\d)", words)
    }
    for word, value in re.findall(
        r"\b(background|source)\b(?!\s*=\s*[^\d\s])(?:\s*=\s*(\d))?", words
    ):
        flags["source"] = (word == "source") == (value != "0")
    return flags


def _terms(statement, system, frames, *, include):
    """The terms of one statement; shapes of no size give none."""
    factors, rest = [], re.sub(r"\s*\|\|\s*$", "", statement)
    if "(" in rest:
        while rest.strip():
            found = _FACTORS.match(rest)
            if not found:
                raise RegionProblem("not a region: shapes look like circle(4096.5,4096.5,20)")
            factors.append((re.sub(r"\s", "", found[1]), found[2], found[3], found[0].strip()))
            rest = rest[found.end() :]
    else:
        found = _BARE.fullmatch(rest)
        if not found or (shape_name(found[2]) is None and found[2].lower() != "region"):
            raise RegionProblem("not a region: shapes look like circle(4096.5,4096.5,20)")
        factors.append((found[1], found[2], found[3], rest.strip()))
    terms = []
    for i, (operator, name, numbers, text) in enumerate(factors):
        kind = shape_name(name)
        if kind is None or kind in AREALESS:
            raise RegionProblem(
                f"{name!r} is no shape that covers an area"
                if name.lower() != "region"
                else "a region file in a region file: give that file itself"
            )
        shape = build(kind, Numbers(numbers, system, frames))
        if operator in ("*", "&", "&&", "*!", "&!", "&&!") and i:
            if shape is None:
                raise RegionProblem("a shape of no size in a combination")
            last = terms.pop()
            terms.append(
                Term(
                    (*last.parts, (shape, operator.endswith("!"))),
                    last.exclude,
                    f"{last.label}{text}",
                )
            )
        elif (not i and operator in ("", "+", "-", "!")) or (
            i and operator in ("+", "|", "||", "-")
        ):
            excluded = operator in ("-", "!") or (operator == "" and not include)
            if shape is not None:
                terms.append(Term(((shape, False),), excluded, text))
            elif len(factors) > 1:
                raise RegionProblem("a shape of no size in a combination")
        else:
            raise RegionProblem(f"{operator!r} is not a way to combine shapes: use + - * and *!")
    return terms
