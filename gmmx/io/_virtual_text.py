"""The text in the brackets of a CIAO virtual file: blocks, conditions, ranges and shapes."""

import math
import re
from dataclasses import dataclass

import numpy as np

from ..plane.frame import PhysicalFrame, SkyFrame
from ..plane.shapes import Shapes
from ._bit_filter import BitFilter, read_pattern
from .regions import read_region_text, read_regions

# Words of CIAO that do not select rows, and the parameter that does the same in gmmx, if any.
_NOT_ROWS = {"bin": "`bin` or `grid`"} | dict.fromkeys(
    ("cols", "columns", "opt", "option", "subspace", "rename")
)
_SKY = ("sky", "pos", "(x,y)")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d+)?"
_RANGE = re.compile(rf"\s*({_NUMBER})?\s*(?:(:)\s*({_NUMBER})?)?\s*")
_CONDITION = re.compile(
    r"\s*(\(\s*x\s*,\s*y\s*\)|[A-Za-z_]\w*)\s*(==|!=|<=|>=|<|>|=)(.*)", re.DOTALL
)
# An open end of x or y on the sky [pixel]: it is far outside any detector.
_FAR = 1e6


@dataclass(frozen=True)
class ColumnFilter:
    """Ranges of a column.

    Attributes
    ----------
    column : str
        Name of the column in lower case.
    ranges : tuple of (float, float)
        Lower and upper ends; both belong to the range. Open ends are infinite.
    exclude : bool
        Whether the filter drops the rows in the ranges (True) or all other rows (False).
    text : str
        The condition as it was written.

    Examples
    --------
    >>> one = ColumnFilter("grade", ((0.0, 4.0), (6.0, 6.0)), exclude=False, text="grade=0:4,6")
    >>> one.keeps(np.array([4.0, 5.0, 6.0]))
    array([ True, False,  True])
    """

    column: str
    ranges: tuple
    exclude: bool
    text: str

    def keeps(self, values):
        """Return whether each of (N,) values passes. NaN lies in no range."""
        inside = np.zeros(np.shape(values), bool)
        for low, high in self.ranges:
            inside |= (values >= low) & (values <= high)
        return inside != self.exclude

    @property
    def span(self):
        """Smallest interval (low, high) with all values that pass; infinite for an exclusion."""
        if self.exclude:
            return -math.inf, math.inf
        return min(low for low, _ in self.ranges), max(high for _, high in self.ranges)


@dataclass(frozen=True)
class SkyFilter:
    """Shapes on the sky.

    Attributes
    ----------
    path : str or None
        The region file; None if the shapes are written out.
    shapes : str
        The shapes as CIAO text.
    exclude : bool
        Whether the filter drops the photons inside the shapes (True) or outside (False).
    text : str
        The condition as it was written.
    """

    path: str | None
    shapes: str
    exclude: bool
    text: str

    def read(self, *, frame: SkyFrame, physical: PhysicalFrame) -> Shapes:
        """Read the shapes in a tangent plane."""
        if self.path is not None:
            return read_regions(self.path, frame=frame, physical=physical)
        return read_region_text(self.shapes, frame=frame, physical=physical, name=f"[{self.text}]")


class FilterError(Exception):
    """A filter is not understood; the text says which part."""


def brackets(text):
    """Return the indices of brackets where filters may begin.

    These are the brackets after which only blocks in brackets follow, because the name of a
    folder may contain brackets too. If there is none, it is the first bracket.
    """
    found = [match.start() for match in re.finditer(r"\[", text)]
    return [start for start in found if _is_blocks(text[start:].rstrip())] or found[:1]


def _is_blocks(text):
    try:
        blocks_of(text)
    except FilterError:
        return False
    return True


def blocks_of(text):
    """Return the text in each pair of brackets."""
    found, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        if letter == "[":
            depth += 1
            start = place + 1 if depth == 1 else start
        elif letter == "]":
            depth -= 1
            if depth == 0:
                found.append(text[start:place])
        if depth < 0 or (depth == 0 and letter not in "] "):
            raise FilterError(f"brackets that do not match in {text}")
    if depth:
        raise FilterError(f"brackets that do not match in {text}")
    return found


def _pieces(text):
    """Split a text at the commas outside parentheses."""
    pieces, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            raise FilterError(f"parentheses that do not match in [{text}]")
        if letter == "," and depth == 0:
            pieces.append(text[start:place])
            start = place + 1
    if depth:
        raise FilterError(f"parentheses that do not match in [{text}]")
    return [*pieces, text[start:]]


def read_block(block):
    """Read the filters of one block: conditions that must all hold."""
    exclude = re.match(r"\s*exclude\b", block, re.IGNORECASE)
    body = block[exclude.end() :] if exclude else block
    word = re.match(r"\s*(#row|[@#]|\w+)", body, re.IGNORECASE)
    if not body.strip():
        raise FilterError(f"nothing in [{block}]")
    if word is not None and word[1].lower() in _NOT_ROWS and not _CONDITION.fullmatch(body):
        instead = _NOT_ROWS[word[1].lower()]
        raise FilterError(
            f"[{block}] is not understood ({word[1].lower()} selects no rows"
            + (f"; see {instead})" if instead else ")")
        )
    # A piece without a comparison goes on with the list of the one before: ccd_id=0,2:3.
    conditions = []
    for piece in _pieces(body):
        found = _CONDITION.fullmatch(piece)
        if found:
            conditions.append(
                [found[1].lower().replace(" ", ""), found[2], found[3].strip(), piece.strip()]
            )
        elif (
            conditions
            and conditions[-1][1] in ("=", "==", "!=")
            and conditions[-1][0] not in _SKY
            and _RANGE.fullmatch(piece)
            and piece.strip()
        ):
            conditions[-1][2] += "," + piece
            conditions[-1][3] += "," + piece.strip()
        else:
            raise FilterError(
                f"{piece.strip() or 'an empty condition'!r} in [{block}] is not understood"
            )
    if exclude and len(conditions) > 1:
        raise FilterError(
            f"[{block}] excludes by {len(conditions)} conditions at once: "
            "write [exclude ...][exclude ...]"
        )
    return [_filter(*condition, exclude=bool(exclude)) for condition in conditions]


def _filter(column, operator, value, text, *, exclude):
    """Make a filter of one condition."""
    if column in _SKY:
        if operator not in ("=", "==", "!="):
            raise FilterError(f"{text!r}: sky is compared with = and a shape")
        file = re.fullmatch(r"region\s*\(((?:[^()]|\([^()]*\))*)\)", value, re.IGNORECASE)
        if file is None and re.search(r"\bregion\s*\(", value, re.IGNORECASE):
            raise FilterError(
                f"{text!r} combines a region file with more: "
                "chain [sky=region(A)][exclude sky=region(B)]"
            )
        if not value or (file and not file[1].strip()):
            raise FilterError(f"{text!r} names no shape")
        return SkyFilter(
            None if file is None else file[1].strip(), value, exclude != (operator == "!="), text
        )
    exclude = exclude != (operator == "!=")
    pattern = read_pattern(value)
    if pattern is not None and operator in ("=", "==", "!="):
        return BitFilter(column, pattern, exclude, text)
    ranges = _ranges(operator, value, text)
    if column not in ("x", "y"):
        return ColumnFilter(column, ranges, exclude, text)
    # Bounds on the sky are a shape: the exposure has to end where the photons do.
    ends = [[min(max(end, -_FAR), _FAR) for end in pair] for pair in ranges]
    corners = [
        (low, -_FAR, high, _FAR) if column == "x" else (-_FAR, low, _FAR, high)
        for low, high in ends
    ]
    return SkyFilter(
        None,
        "+".join("rectangle({!r},{!r},{!r},{!r})".format(*map(float, four)) for four in corners),
        exclude,
        text,
    )


def _ranges(operator, value, text):
    """Return the ranges of a condition. Both ends belong to a range, so `< v` ends before v."""
    if operator in ("<", "<=", ">", ">="):
        if not re.fullmatch(_NUMBER, value):
            raise FilterError(f"{text!r}: {value!r} is not a number")
        limit = _float(value)
        return {
            "<": ((-math.inf, math.nextafter(limit, -math.inf)),),
            "<=": ((-math.inf, limit),),
            ">": ((math.nextafter(limit, math.inf), math.inf),),
            ">=": ((limit, math.inf),),
        }[operator]
    ranges = []
    for part in value.split(","):
        found = _RANGE.fullmatch(part)
        if not found or not part.strip() or part.strip() == ":":
            raise FilterError(f"{text!r}: {part.strip()!r} is neither a number nor a range LO:HI")
        low = -math.inf if found[1] is None else _float(found[1])
        high = (low if found[2] is None else math.inf) if found[3] is None else _float(found[3])
        if low > high:
            raise FilterError(f"{text!r}: the range {part.strip()} is empty")
        ranges.append((low, high))
    return tuple(ranges)


def _float(text):
    return float(re.sub("[dD]", "e", text))
