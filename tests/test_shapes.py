"""Shapes: which points are inside, and how much of a cell is covered."""

import json
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gmmx.errors import InputError
from gmmx.plane.grid import PixelGrid
from gmmx.plane.shapes import Box, Ellipse, Field, Polygon, Ring, Sector, Shapes, Term, circle

EVERY_KIND = {
    "ellipse": Ellipse(3.0, -2.0, 9.0, 4.0, 30.0),
    "circle": circle(-5.0, 4.0, 6.0),
    "box": Box(2.0, 1.0, 12.0, 5.0, -20.0),
    "polygon": Polygon(((-8.0, -6.0), (7.0, -7.0), (0.0, 0.5), (9.0, 8.0), (-6.0, 5.0))),
    "annulus": Ring(circle(0.0, 0.0, 9.0), circle(0.0, 0.0, 5.0)),
    "elliptical annulus": Ring(
        Ellipse(1.0, 1.0, 9.0, 6.0, 40.0), Ellipse(1.0, 1.0, 4.5, 3.0, 40.0)
    ),
    "box annulus": Ring(Box(1.0, 1.0, 16.0, 10.0, 40.0), Box(1.0, 1.0, 8.0, 5.0, 40.0)),
    "pie": Ring(circle(0.0, 0.0, 9.0), circle(0.0, 0.0, 3.0), Sector(0.0, 0.0, 30.0, 280.0)),
    "elliptical pie": Ring(Ellipse(1.0, 1.0, 9.0, 6.0, 40.0), None, Sector(1.0, 1.0, -20.0, 70.0)),
    "box panda": Ring(
        Box(1.0, 1.0, 16.0, 10.0, 40.0),
        Box(1.0, 1.0, 8.0, 5.0, 40.0),
        Sector(1.0, 1.0, 200.0, 300.0),
    ),
    "sector": Sector(-2.0, 1.0, 100.0, 250.0),
    "field": Field(),
}
BOUNDED = [name for name in EVERY_KIND if name not in ("sector", "field")]
AREAS = {
    "ellipse": np.pi * 36,
    "circle": np.pi * 36,
    "box": 60.0,
    "annulus": np.pi * 56,
    "elliptical annulus": np.pi * (54 - 13.5),
    "box annulus": 120.0,
    "pie": np.pi * 72 * 250 / 360,
}


def add(*shapes, label=""):
    """A term that adds the intersection of shapes."""
    return Term(tuple((shape, False) for shape in shapes), label=label)


def cut(*shapes, label=""):
    """A term that cuts the intersection of shapes out."""
    return Term(tuple((shape, False) for shape in shapes), True, label)


def brute_open_fraction(shapes, grid, n=64):
    """The slow twin of open_fraction: n x n points in every cell."""
    ny, nx = grid.shape
    ix, iy = np.meshgrid(*((np.arange(count * n) + 0.5) / n - 0.5 for count in (nx, ny)))
    return 1 - shapes.contains(*grid.to_plane(ix, iy)).reshape(ny, n, nx, n).mean((1, 3))


R = np.sqrt(0.5)


@pytest.mark.parametrize(
    ("shape", "x", "y", "inside"),
    [
        (Ellipse(10, 20, 4, 1, 90), [10, 10, 10.9, 11.1, 14], [20, 23.9, 20, 20, 20], "YYYnn"),
        (Box(0, 0, 4, 2, 45), [1.9 * R, 2.1 * R, -0.9 * R], [1.9 * R, 2.1 * R, 0.9 * R], "YnY"),
        (Sector(1, 1, 350, 10), [2, 2, 0, 1, 1e6], [1, 1.2, 1, 1, 1], "YnnYY"),
        (Ring(circle(0, 0, 2), circle(0, 0, 1)), [0, 0.99, 1, 1.5, 2, 2.01], [0] * 6, "nnYYYn"),
        (Field(), [1e9], [-1e9], "Y"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_points_are_inside_as_worked_out_by_hand(shape, x, y, inside):
    assert_array_equal(Shapes.of(shape).contains(x, y), [letter == "Y" for letter in inside])


@pytest.mark.parametrize(
    "shape",
    [
        Box(1e3, 2e3, 0.3, 0.7, 0.0),
        Polygon(((0.0, 0.0), (3.0, 1.0), (2.0, 4.0))),
        Ellipse(1e3, 1e3, 0.1, 0.3, 12.0),
    ],
    ids=lambda shape: type(shape).__name__,
)
def test_edges_are_inside_to_rounding(shape):
    line = shape.outlines(200)[0]
    middles = line if isinstance(shape, Ellipse) else (line[1:] + line[:-1]) / 2
    points, centre = np.vstack([line, middles]), line[:-1].mean(0)
    assert Shapes.of(shape).contains(*points.T).all()
    assert not Shapes.of(shape).contains(*(centre + (points - centre) * (1 + 1e-5)).T).any()


SMALL, LARGE, RIGHT = circle(0.0, 0.0, 1.0), circle(0.0, 0.0, 3.0), Sector(0.0, 0.0, -90.0, 90.0)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ([add(LARGE), cut(SMALL)], [False, True, False]),
        ([cut(SMALL), add(LARGE)], [True, True, True]),
        ([cut(SMALL)], [False, True, True]),
        ([Term(((LARGE, False), (SMALL, True)))], [False, True, False]),
        ([add(LARGE, RIGHT)], [True, True, False]),
        ([add(LARGE), cut(SMALL, RIGHT)], [False, True, False]),
        ([], [False, False, False]),
    ],
)
def test_terms_act_in_order(terms, expected):
    x = np.array([0.5, 2.0, 5.0])
    assert_array_equal(Shapes((tuple(terms),)).contains(x, np.zeros(3)), expected)


@pytest.mark.parametrize("order", [1, -1])
def test_an_exclusion_does_not_reach_into_another_list(order):
    first = Shapes(((add(circle(0.0, 0.0, 2.0), label="a"), cut(SMALL, label="b")),))
    second = Shapes.of(circle(0.5, 0.0, 1.0))
    joined = Shapes.union([first, second][::order])
    assert_array_equal(joined.contains([0.1, -0.9, 1.8], np.zeros(3)), [True, False, True])
    assert joined.n_shapes == 3
    assert set(joined.labels) == {"a", "b", ""}


HOLES = Shapes(((cut(SMALL, label="-a"), cut(circle(4.0, 0.0, 1.0), label="-b")),))


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        (HOLES, True),
        (Shapes(((add(Field()), *HOLES.terms),)), True),
        (Shapes(((add(circle(0.0, 0.0, 9.0)), *HOLES.terms),)), False),
        (Shapes.of(Field()), False),
        (Shapes(), False),
    ],
)
def test_a_list_of_holes_in_the_plane_only_excludes(shapes, expected):
    assert shapes.only_excludes is expected


def test_holes_cover_what_their_list_leaves_out():
    x = np.linspace(-3, 8, 50)
    assert_array_equal(HOLES.holes().contains(x, 0 * x), ~HOLES.contains(x, 0 * x))


def drawn_shapes(seed):
    """Two lists of random terms, and the generator that drew them."""
    rng = np.random.default_rng(seed)
    terms = []
    for _ in range(rng.integers(1, 40)):
        x, y, r, angle = *rng.uniform(-40, 40, 2), rng.uniform(0.3, 12), rng.uniform(-200, 400)
        kinds = [
            circle(x, y, r),
            Ellipse(x, y, r, r / 3, angle),
            Box(x, y, r, 2 * r, angle),
            Polygon(tuple(zip(x + rng.normal(0, r, 5), y + rng.normal(0, r, 5), strict=True))),
            Ring(
                circle(x, y, r),
                circle(x, y, r / 2),
                Sector(x, y, angle, angle + rng.uniform(10, 350)),
            ),
            Sector(x, y, angle, angle + 20),
        ]
        parts = [(kinds[i], False) for i in rng.choice(len(kinds), rng.integers(1, 3))]
        if rng.random() < 0.2:
            parts.append((circle(x, y, r / 3), True))
        terms.append(Term(tuple(parts), bool(rng.random() < 0.3), f"line {len(terms)}"))
    middle = len(terms) // 2
    return Shapes((terms[:middle], terms[middle:])), rng


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=25)
def test_sorting_points_into_cells_changes_nothing(seed):
    shapes, rng = drawn_shapes(seed)
    x, y = rng.uniform(-60, 60, (2, 5000))
    expected = np.zeros(len(x), bool)
    for group in shapes.groups:
        state = np.full(len(x), group[0].exclude)
        for term in group:
            own = np.all([shape.contains(x, y) != negated for shape, negated in term.parts], axis=0)
            state = state & ~own if term.exclude else state | own
        expected |= state
    assert_array_equal(shapes.contains(x, y), expected)
    assert_allclose(
        shapes.count_by_term(x, y, x + 60),
        [(x + 60)[term.contains(x, y)].sum() for term in shapes.terms],
        rtol=1e-12,
    )


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=25)
def test_the_bound_of_a_distance_never_exceeds_it(seed):
    shapes, rng = drawn_shapes(seed)
    x, y = rng.uniform(-60, 60, (2, 300))
    for term in shapes.terms:
        inside, d = term.contains(x, y), term.distance(x, y, True)
        assert_array_equal(inside, d >= -1e-9)
        angle = rng.uniform(0, 2 * np.pi, len(x))
        step = 0.999 * np.where(np.isfinite(d), np.abs(d), 1.0)
        assert_array_equal(
            term.contains(x + step * np.cos(angle), y + step * np.sin(angle)), inside
        )
        x0, x1, y0, y1 = term.bounds()
        within = (x >= x0 - 1e-9) & (x <= x1 + 1e-9) & (y >= y0 - 1e-9) & (y <= y1 + 1e-9)
        assert not np.any(inside & ~within)


@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("turn", [0.0, 33.0])
def test_the_open_fraction_of_a_kind_matches_many_points(kind, turn):
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    grid = PixelGrid(
        shape=(13, 17), origin=np.array([-14.0, -15.0]), matrix=1.9 * np.array([[c, -s], [s, c]])
    )
    shapes = Shapes.of(EVERY_KIND[kind])
    fraction, truth = shapes.open_fraction(grid), brute_open_fraction(shapes, grid)
    # In single cells most of the difference is the twin's, whose points are on a lattice.
    assert_allclose(fraction, truth, atol=0.02)
    assert np.sqrt(np.mean((fraction - truth) ** 2)) < 0.004
    settled = (truth == 0) | (truth == 1)
    assert_allclose(fraction[settled], truth[settled], atol=5e-3)


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=6)
def test_the_open_fraction_of_combinations_matches_many_points(seed):
    shapes, _ = drawn_shapes(seed)
    grid = PixelGrid(
        shape=(11, 12), origin=np.array([-44.0, -42.0]), matrix=np.array([[8.0, 1.0], [-1.5, 7.5]])
    )
    assert_allclose(shapes.open_fraction(grid), brute_open_fraction(shapes, grid), atol=0.02)


def test_aligned_edges_are_exact():
    grid = PixelGrid.covering((0, 10), (0, 10), 1.0)
    fraction = Shapes.of(Box(5.1, 5.0, 4.0, 4.0)).open_fraction(grid)
    assert_allclose(fraction[5], [1, 1, 1, 0.1, 0, 0, 0, 0.9, 1, 1], atol=1e-9)
    assert_array_equal(fraction[:3], 1)


@pytest.mark.parametrize(("shapes", "expected"), [(Shapes.of(Field()), 0), (Shapes(), 1)])
def test_everything_and_nothing_are_exact(shapes, expected):
    assert_array_equal(shapes.open_fraction(PixelGrid.covering((0, 10), (0, 10), 1.0)), expected)


@pytest.mark.parametrize("place", [(0.0, 0.0), (1.3, -2.1), (4.0, 4.0)])
def test_shapes_smaller_than_a_cell_are_not_lost(place):
    grid = PixelGrid.covering((-20, 20), (-20, 20), 8.0)
    fraction = Shapes.of(circle(*place, 2.0)).open_fraction(grid)
    assert_allclose((1 - fraction).sum() * 64, np.pi * 4, rtol=0.01)


@pytest.mark.parametrize("kind", AREAS)
def test_areas_are_those_of_the_formulas(kind):
    assert_allclose(Shapes.of(EVERY_KIND[kind]).area(), AREAS[kind], rtol=2e-3)


def test_an_unbounded_area_is_counted_on_a_grid():
    grid = PixelGrid.covering((-5, 5), (-5, 5), 0.5)
    shapes = Shapes(((cut(circle(0.0, 0.0, 2.0)),),))
    assert_allclose(shapes.area(grid), 100 - 4 * np.pi, rtol=1e-3)
    with pytest.raises(InputError, match="unbounded"):
        shapes.area()


def test_no_shapes_have_no_area():
    assert Shapes().area() == 0


def test_overlaps_count_once_in_the_area():
    rng = np.random.default_rng(5)
    shapes = Shapes.of(
        *[
            Ellipse(*rng.uniform(-30, 30, 2), *rng.uniform(1, 9, 2), rng.uniform(0, 180))
            for _ in range(30)
        ]
    )
    (x0, x1), (y0, y1) = shapes.bounding_box()
    inside = shapes.contains(rng.uniform(x0, x1, 1_000_000), rng.uniform(y0, y1, 1_000_000))
    box = (x1 - x0) * (y1 - y0)
    assert_allclose(shapes.area(), inside.mean() * box, atol=4 * inside.std() / 1000 * box)


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        (
            Shapes.of(circle(1.0, 2.0, 3.0), Box(10.0, 0.0, 2.0, 2.0)),
            ((-2.0, 11.0), (-1.0, 5.0)),
        ),
        (Shapes(((add(SMALL), cut(circle(50.0, 0.0, 9.0))),)), ((-1.0, 1.0), (-1.0, 1.0))),
        (Shapes(((cut(SMALL),),)), ((-np.inf, np.inf), (-np.inf, np.inf))),
        (Shapes(), ((0.0, 0.0), (0.0, 0.0))),
    ],
)
def test_nothing_is_covered_outside_the_bounding_box(shapes, expected):
    assert shapes.bounding_box() == expected


@pytest.mark.parametrize("kind", BOUNDED)
def test_outlines_are_closed_lines_on_the_edge(kind):
    for line in Shapes.of(EVERY_KIND[kind]).outlines():
        assert_allclose(line[0], line[-1], atol=1e-9)
        assert np.abs(EVERY_KIND[kind].distance(*line.T, True)).max() < 1e-6


@pytest.mark.parametrize("kind", ["sector", "field"])
def test_unbounded_shapes_have_no_outline(kind):
    assert Shapes.of(EVERY_KIND[kind]).outlines() == []


def test_records_come_back_from_json_to_the_bit():
    terms = [
        Term(((shape, False), (circle(0.1, 1 / 3, np.pi), True)), i % 3 == 1, f"line {i}")
        for i, shape in enumerate(EVERY_KIND.values())
    ]
    shapes = Shapes((terms[:5], terms[5:]))
    assert Shapes.from_records(json.loads(json.dumps(shapes.to_records()))) == shapes
    assert Shapes.from_records([]) == Shapes()


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"parts": [{"shape": "blob", "negated": False}]},
        {"list": 0, "exclude": False, "label": "", "parts": [{"shape": "box"}]},
    ],
)
def test_a_record_of_no_shape_is_refused(record):
    with pytest.raises(InputError, match="not a record of a shape"):
        Shapes.from_records([record])


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (Polygon, (((0, 0), (1, 1)),), "at least 3 corners, got 2"),
        (Ellipse, (0, 0, 0, 1), "an ellipse needs sizes above zero, got 0 and 1"),
        (Box, (0, 0, 2, -1), "a box needs sizes above zero, got 2 and -1"),
        (Box, (0, 0, np.nan, 1), "a box needs sizes above zero, got nan"),
    ],
)
def test_shapes_without_area_are_refused(kind, arguments, message):
    with pytest.raises(InputError, match=message):
        kind(*arguments)


@pytest.mark.parametrize("half", [7.1, 43.5, 86.2])
def test_the_outermost_points_are_not_lost(half):
    x, y = np.meshgrid(np.linspace(-half, half, 104), np.linspace(-half, half, 104))
    bars = Shapes.of(*(Box(v, 0.0, 0.1, 4 * half) for v in x[0]))
    assert np.all(bars.contains(x, y))


class CountedEllipse(Ellipse):
    """An ellipse that notes with how many points it was compared."""

    compared: ClassVar[list] = []

    def contains(self, x, y, *edge):
        self.compared.append(len(x))
        return super().contains(x, y, *edge)


def test_a_small_shape_is_compared_with_the_points_near_it_only():
    rng = np.random.default_rng(1)
    ellipses = [
        CountedEllipse(*rng.uniform(-600, 600, 2), *rng.uniform(2, 20, 2), rng.uniform(0, 180))
        for _ in range(100)
    ]
    Shapes.of(*ellipses).contains(*rng.uniform(-800, 800, (2, 100_000)))
    compared = CountedEllipse.compared
    assert len(compared) == 100
    assert sum(compared) < 0.01 * 100 * 100_000


@pytest.mark.parametrize(
    ("noun", "text"),
    [
        (Shapes.of(SMALL), "Shapes(1 shape)"),
        (
            Shapes.union([HOLES, Shapes.of(SMALL)]),
            "Shapes(3 shapes, 2 of them excluded, in 2 lists)",
        ),
        (Term(((SMALL, False),), True, "-circle(0,0,1)"), "Term('-circle(0,0,1)', exclude=True)"),
        (add(SMALL), "Term('without a name')"),
        (
            add(Polygon(((0, 0), (1, 0), (0, 1))), label="polygon(" + "0," * 40 + ")"),
            "Term('polygon of 3 vertices')",
        ),
        (add(SMALL, label="c" * 99), "Term('" + "c" * 57 + "...')"),
    ],
)
def test_nouns_show_themselves_in_a_line(noun, text):
    assert repr(noun) == text


def test_few_points_meet_all_sides_of_a_polygon_at_once_with_the_same_numbers(monkeypatch):
    rng = np.random.default_rng(4)
    corners = np.vstack([rng.normal(0, 5, (9, 2)), [[0.0, 3.0], [2.0, 3.0]]])
    x, y = rng.normal(0, 6, (2, 500))
    at_once = Polygon(tuple(map(tuple, corners)))
    one_by_one = Polygon(at_once.vertices)
    found = at_once.distance(x, y, False), at_once.contains(x, y)
    monkeypatch.setattr("gmmx.plane.shapes.polygon.AT_ONCE", 0)
    assert_array_equal(found[0], one_by_one.distance(x, y, False))
    assert_array_equal(found[1], one_by_one.contains(x, y))
