"""Region files as text: DS9 and CIAO, statement by statement."""

import math
import re

from ...errors import DataError
from ...plane.shapes import Term
from ._frames import RegionProblem
from ._lists import Entry, shapes_in_order, warn_of_no_area
from ._shapes import AREALESS, build, shape_name
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
# XMM's SAS writes ((X,Y) IN circle(26188.5,22816.5,1200)) in physical pixels.
_OF_SAS = re.compile(r"\(?\s*\(\s*X\s*,\s*Y\s*\)\s*IN\s+(\w+\s*\([^()]*\))\s*\)?", re.IGNORECASE)
_INTERSECTIONS = ("*", "&", "&&", "*!", "&!", "&&!")
_NOT_A_REGION = "not a region: shapes look like circle(4096.5,4096.5,20)"


def parse_regions(text, frames, *, name="regions", unnamed="physical", assumed=None, most=math.inf):
    """Return the Shapes that a region file's text describes.

    Parameters
    ----------
    text : str
    frames : Frames
    name : str
        Name of the file in errors and warnings.
    unnamed : str
        Coordinate system of the shapes before which none is named.
    assumed : str, optional
        Coordinate system of all shapes, whatever the text names.
    most : int
        Number of entries after which the rest of the text is left out.

    Raises
    ------
    DataError
        If the text holds no shape, or a statement that cannot be read.
    """
    reader = _Reader(text, frames, unnamed, assumed)
    for number, line in enumerate(text.splitlines(), 1):
        if len(reader.entries) >= most:
            break
        for statement, properties in _statements(line):
            shapes = statement
            try:
                shapes = reader.without_settings(statement, properties)
                if shapes:
                    reader.add(shapes, properties, number)
            except RegionProblem as problem:
                raise DataError(f"{name}, line {number}: {short(shapes)}: {problem}") from None
    warn_of_no_area(name, reader.left_out)
    if not reader.entries:
        raise DataError(
            f"{name}: no shape in it"
            + (
                " that covers an area: draw circles or polygons"
                if reader.left_out
                else ": is it a DS9, CIAO or FITS region file?"
            )
        )
    # Only DS9 has tags. In CIAO's files the text after a '#' is a comment.
    entries = [Entry(one.term, one.background and reader.is_ds9) for one in reader.entries]
    return shapes_in_order(entries, exclusions_last=reader.is_ds9, name=name)


def names_ciao(text):
    """Tell whether the first lines of a text say that it is CIAO's."""
    return _format_of(text) == "ciao"


def _format_of(text):
    """Return the format that the header of a text names, in lower case; empty without one."""
    header = re.search(r"region file format:\s*(\w+)", text, re.IGNORECASE)
    return header[1].lower() if header else ""


class _Reader:
    """The settings for the next statement, and the entries that were read so far."""

    def __init__(self, text, frames, unnamed, assumed):
        self.is_ds9 = _format_of(text) == "ds9"
        self.frames, self.system, self.assumed = frames, unnamed, assumed
        self.flags = {"include": True, "source": True}
        self.entries, self.left_out = [], []

    def without_settings(self, statement, properties):
        """Take the global flags or the coordinate system from a statement, and return the rest."""
        word, rest = re.fullmatch(r"(\w*)\s*(.*)", statement, re.DOTALL).groups()
        if word.lower() == "global":
            self.flags |= _flags(rest + " " + properties)
            self.system, self.is_ds9 = _global_system(rest) or self.system, True
            return ""
        if word.lower() in _SYSTEMS:
            self.system, self.is_ds9 = _SYSTEMS[word.lower()], True
            return rest
        return statement

    def add(self, statement, properties, number):
        """Add the terms of a statement on line `number`."""
        _check_system(statement)
        flags, terms = self.flags | _flags(properties), []
        if not _ANNOTATIONS.match(statement.lstrip("+-!# ")):
            system = self.assumed or self.system
            terms = _terms(statement, system, self.frames, include=flags["include"])
        if not terms:
            self.left_out.append(f"line {number}: {short(statement)}")
        self.entries += [Entry(term, not flags["source"]) for term in terms]


def _statements(line):
    """Split a line into statements at its semicolons.

    Semicolons in braces, in quotes and in the properties after a '#' do not count.

    Yields
    ------
    statement, properties : str
    """
    while line.strip() and not line.lstrip().startswith("#"):
        body = re.match(r"(?:\{[^}]*\}|[^#;{]|\{)*", line)[0]
        if re.match(r"\s*global\b", line, re.IGNORECASE):
            body = re.match(r"(?:\"[^\"]*\"|\{[^}]*\}|[^;])*", line)[0]
        line, properties = line[len(body) :], ""
        if line.startswith("#"):
            # A comment may hold anything. After it, only a word that looks like a shape or a
            # coordinate system starts a new statement.
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
    """Replace the text in braces and quotes by blanks of the same length."""
    return re.sub(r"\{[^}]*\}|\"[^\"]*\"|'[^']*'", lambda found: " " * len(found[0]), text)


def _global_system(settings):
    """Return the coordinate system among the settings of a `global` line, or None.

    It stands as a word of its own, such as `fk5`, or as `coordsys fk5` or `coordsys=fk5`.
    """
    words = re.sub(r"\b(?:coordsys|wcs|system)\s*[= ]\s*", " ", _blanked(settings), flags=re.I)
    # A word behind an equals sign is the value of another setting.
    words = re.sub(r"\w+\s*=\s*\S+", " ", words).lower().split()
    for word in words:
        _check_system(word)
    return next((_SYSTEMS[word] for word in words if word in _SYSTEMS), None)


def _check_system(word):
    """Refuse a coordinate system that has no place on the sky without its image."""
    if _UNKNOWN_SYSTEMS.fullmatch(word):
        raise RegionProblem(
            "coordinates that belong to one image or detector: save the regions in fk5"
        )


def _flags(properties):
    """Return the flags `include` and `source` that properties set."""
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
    """Return the terms of one statement; shapes of no size give none."""
    factors, terms = _factors(statement), []
    for i, (operator, name, numbers, text) in enumerate(factors):
        shape = build(_kind(name), Numbers(numbers, system, frames))
        intersects = i > 0 and operator in _INTERSECTIONS
        joins = operator in (("+", "|", "||", "-") if i else ("", "+", "-", "!"))
        if not (intersects or joins):
            raise RegionProblem(f"{operator!r} is not a way to combine shapes: use + - * and *!")
        if shape is None and (intersects or len(factors) > 1):
            raise RegionProblem("a shape of no size in a combination")
        if intersects:
            last = terms.pop()
            parts = (*last.parts, (shape, operator.endswith("!")))
            terms.append(Term(parts, last.exclude, f"{last.label}{text}"))
        elif shape is not None:
            excluded = operator in ("-", "!") or (operator == "" and not include)
            terms.append(Term(((shape, False),), excluded, text))
    return terms


def _factors(statement):
    """Split a statement into its shapes.

    Returns
    -------
    list of (str, str, str, str)
        Operator before the shape, name, numbers, and the text of all three.
    """
    rest = _OF_SAS.sub(r"\1", re.sub(r"\s*\|\|\s*$", "", statement))
    if "(" not in rest:
        found = _BARE.fullmatch(rest)
        if not found or (shape_name(found[2]) is None and found[2].lower() != "region"):
            raise RegionProblem(_NOT_A_REGION)
        return [(found[1], found[2], found[3], rest.strip())]
    factors = []
    while rest.strip():
        found = _FACTORS.match(rest)
        if not found:
            raise RegionProblem(_NOT_A_REGION)
        factors.append((re.sub(r"\s", "", found[1]), found[2], found[3], found[0].strip()))
        rest = rest[found.end() :]
    return factors


def _kind(name):
    """Return the full name of a shape that covers an area."""
    kind = shape_name(name)
    if kind is None or kind in AREALESS:
        raise RegionProblem(
            "a region file in a region file: give that file itself"
            if name.lower() == "region"
            else f"{name!r} is not a shape with an area, such as circle, ellipse, box or polygon"
        )
    return kind
