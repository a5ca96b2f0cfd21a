"""Expressions over columns: what they mean, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gmmx.errors import InputError
from gmmx.model.expression import Expression

NAMES = ("mag", "x", "y")
ROWS = np.array([[20.0, 6.5, 6.0], [25.0, 0.0, 0.0], [22.0, 9.0, 2.0]])


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("mag < 24 & hypot(x-6.5, y-6) > 2", [0, 0, 1]),
        ("mag < 24 and not x == 9", [1, 0, 0]),
        ("(mag > 24) | (y > 5)", [1, 1, 0]),
        ("mag<24 && x>7 || y == 0", [0, 1, 1]),
        ("~(mag < 21)", [0, 1, 1]),
        ("mag != 25", [1, 0, 1]),
        ("20 < mag <= 22", [0, 0, 1]),
        ("clip(0.5 - 0.1*(mag - 22), 0, 1)", [0.7, 0.2, 0.5]),
        ("where(x > 1, 1/x, 0) * 9", [9 / 6.5, 0, 1]),
        ("(mag < 24) * 0.5", [0.5, 0, 0.5]),
        ("-x + 2**2 - pi", [4 - 6.5 - np.pi, 4 - np.pi, -5 - np.pi]),
        ("atan2(y, x)", np.arctan2([6, 0, 2], [6.5, 0, 9])),
        ("0.3", [0.3, 0.3, 0.3]),
    ],
)
def test_an_expression_means_what_it_says(text, values):
    assert Expression(text, NAMES)(ROWS) == pytest.approx(values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not an expression"),
        ("mag <", "not an expression"),
        ("mag = 3", "not an expression"),
        ("magn < 3", "did you mean 'mag'"),
        ("size < 3", "choose from mag, x, y"),
        ("__import__('os')", "is not understood|there is no function"),
        ("mag.real", "is not understood"),
        ("mag[0]", "is not understood"),
        ("(lambda: 1)()", "is not understood"),
        ("[v for v in x]", "is not understood"),
        ("f'{x}'", "is not understood"),
        ("'text'", "is not understood"),
        ("open(x)", "there is no function 'open'"),
        ("hypot(x)", "hypot does not take 1 values"),
        ("sqrt(x, out=y)", "is not understood"),
        ("x if y else mag", "is not understood"),
        ("x := 3", "not an expression"),
        ("(" * 300 + "x" + ")" * 300, "not an expression|too many brackets"),
        ("-" * 300 + "x", "too many brackets|not an expression"),
        ("x" * 20_000, "shorten it"),
    ],
)
def test_what_is_no_expression_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        Expression(text, NAMES)


@given(st.text(max_size=40) | st.text(alphabet="magxy0123 .()<>=&|~!*/+-,'[]", max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_text_is_an_expression_or_an_error(text):
    try:
        value = Expression(text, NAMES)(ROWS)
    except InputError:
        return
    assert value.shape == (3,)
