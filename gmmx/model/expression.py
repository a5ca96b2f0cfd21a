"""Expressions over columns, such as "mag < 24 & hypot(x - 6.5, y - 6) > 2", parsed safely.

The text is parsed into Python's syntax tree, of which only numbers, names of columns, arithmetic,
comparisons, logic and a list of NumPy's functions are understood. Nothing is evaluated by Python
itself. As in many tools of catalogues, & and | bind weaker than comparisons here.
"""

import ast
import operator
import re
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from ..errors import InputError

_FUNCTIONS = (
    *("abs", "sqrt", "exp", "log", "log2", "log10", "log1p", "expm1", "power", "square", "sign"),
    *("sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh", "tanh"),
    *("hypot", "floor", "ceil", "minimum", "maximum", "clip", "where", "isfinite"),
    *("deg2rad", "rad2deg"),
)
_OTHER_NAMES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2"}
_CONSTANTS = {"pi": np.pi, "e": np.e, "True": True, "False": False, "nan": np.nan, "inf": np.inf}
_BINARY = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Mod: operator.mod,
    ast.FloorDiv: operator.floordiv,
}
_COMPARE = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
# Longest text, and the deepest tree: Python's own parser fails on deeper ones.
_LONGEST = 10_000
_DEEPEST = 100


@dataclass(frozen=True, eq=False, repr=False)
class Expression:
    """An expression over columns.

    Parameters
    ----------
    text : str
    names : tuple of str
        Names of the columns that it may use, in order.

    Raises
    ------
    InputError
        If the text is no expression, or names something that is no column.

    Examples
    --------
    >>> cut = Expression("mag < 24 & hypot(x, y) > 2", ("x", "y", "mag"))
    >>> cut(np.array([[3.0, 0.0, 20.0], [0.0, 1.0, 20.0], [3.0, 0.0, 25.0]]))
    array([1., 0., 0.])
    >>> Expression("colour < 1", ("color",))
    Traceback (most recent call last):
    gmmx.errors.InputError: 'colour < 1': there is no column 'colour': did you mean 'color'?
    """

    text: str
    names: tuple

    def __post_init__(self):
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "_tree", self._parsed())
        # Faults of every part of the tree show up now rather than in the midst of a fit.
        self(np.zeros((1, len(self.names))))

    def __repr__(self):
        return f"Expression({self.text!r})"

    def __call__(self, x):
        """Value at each row of x (N, D), (N,) numbers; a truth is 1 or 0."""
        columns = dict(zip(self.names, np.asarray(x, float).T, strict=True))
        with np.errstate(all="ignore"):
            value = self._value(self._tree, columns, 0)
        return np.broadcast_to(np.asarray(value, float), len(x)).copy()

    @property
    def used(self):
        """The columns that the expression depends on."""
        found = {node.id for node in ast.walk(self._tree) if isinstance(node, ast.Name)}
        return tuple(name for name in self.names if name in found)

    def _parsed(self):
        if not isinstance(self.text, str) or not self.text.strip():
            raise InputError(f"{self.text!r}: not an expression")
        if len(self.text) > _LONGEST:
            raise InputError(f"an expression of {len(self.text):,} characters: shorten it")
        try:
            return ast.parse(_with_words(self.text).strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise self._error("not an expression; write for example mag < 24 & g_r > 0.2") from None

    def _error(self, fault):
        return InputError(f"{self.text!r}: {fault}")

    def _value(self, node, columns, depth):
        """Value of a part of the tree."""
        if depth > _DEEPEST:
            raise self._error("too many brackets inside each other")

        def value(part):
            return self._value(part, columns, depth + 1)

        if isinstance(node, ast.Constant):
            if isinstance(node.value, bool | int | float):
                return np.float64(node.value)
        elif isinstance(node, ast.Name):
            return self._named(node.id, columns)
        elif isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            return _BINARY[type(node.op)](_number(value(node.left)), _number(value(node.right)))
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            sign = -1.0 if isinstance(node.op, ast.USub) else 1.0
            return sign * _number(value(node.operand))
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
            return np.logical_not(value(node.operand))
        elif isinstance(node, ast.BoolOp):
            join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            found = value(node.values[0])
            for part in node.values[1:]:
                found = join(found, value(part))
            return found
        elif isinstance(node, ast.Compare) and all(type(op) in _COMPARE for op in node.ops):
            parts = [value(part) for part in (node.left, *node.comparators)]
            found = np.True_
            for i, op in enumerate(node.ops):
                found = np.logical_and(found, _COMPARE[type(op)](parts[i], parts[i + 1]))
            return found
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            return self._called(node.func.id, [value(part) for part in node.args])
        raise self._error(f"{_source(node)} is not understood in an expression")

    def _named(self, name, columns):
        if name in columns:
            return columns[name]
        if name in _CONSTANTS:
            return np.float64(_CONSTANTS[name])
        near = get_close_matches(name, self.names, 1, 0.6)
        hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(self.names)}"
        raise self._error(f"there is no column {name!r}: {hint}")

    def _called(self, name, values):
        known = _OTHER_NAMES.get(name, name)
        if known not in _FUNCTIONS:
            raise self._error(f"there is no function {name!r}: choose from {', '.join(_FUNCTIONS)}")
        try:
            return getattr(np, known)(*[_number(v) if known != "where" else v for v in values])
        except TypeError:
            raise self._error(f"{name} does not take {len(values)} values") from None


def _number(value):
    """A value as numbers: a truth is 1 or 0."""
    return np.asarray(value, float)


def _source(node):
    try:
        return repr(ast.unparse(node))
    except Exception:
        return "a part of it"


def _with_words(text):
    """The text with "and", "or" and "not" for the signs of logic, which bind weaker."""
    text = re.sub(r"&&?", " and ", text)
    text = re.sub(r"\|\|?", " or ", text)
    return re.sub(r"[~!](?!=)", " not ", text)
