"""Shapes: who is inside, how much of a cell is open, and that nothing is lost on the way."""

import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gmmx.errors import InputError
from gmmx.plane.grid import PixelGrid
from gmmx.plane.shapes import Box, Ellipse, Field, Polygon, Ring, Sector, Shapes, Term, circle

EVERY_KIND = [
    Ellipse(3.0, -2.0, 9.0, 4.0, 30.0),
    circle(-5.0, 4.0, 6.0),
    Box(2.0, 1.0, 12.0, 5.0, -20.0),
    Polygon(((-8.0, -6.0), (7.0, -7.0), (0.0, 0.5), (9.0, 8.0), (-6.0, 5.0))),
    Ring(circle(0.0, 0.0, 9.0), circle(0.0, 0.0, 5.0)),
    Ring(Ellipse(1.0, 1.0, 9.0, 6.0, 40.0), Ellipse(1.0, 1.0, 4.5, 3.0, 40.0)),
    Ring(Box(1.0, 1.0, 16.0, 10.0, 40.0), Box(1.0, 1.0, 8.0, 5.0, 40.0)),
    Ring(circle(0.0, 0.0, 9.0), circle(0.0, 0.0, 3.0), Sector(0.0, 0.0, 30.0, 280.0)),
    Ring(Ellipse(1.0, 1.0, 9.0, 6.0, 40.0), None, Sector(1.0, 1.0, -20.0, 70.0)),
    Ring(
        Box(1.0, 1.0, 16.0, 10.0, 40.0),
        Box(1.0, 1.0, 8.0, 5.0, 40.0),
        Sector(1.0, 1.0, 200.0, 300.0),
    ),
    Sector(-2.0, 1.0, 100.0, 250.0),
    Field(),
]
AREAS = {
    0: np.pi * 36,
    1: np.pi * 36,
    2: 60.0,
    4: np.pi * 56,
    5: np.pi * (54 - 13.5),
    6: 120.0,
    7: np.pi * 72 * 250 / 360,
}


def cut(*shapes, label=""):
    return Term(tuple((shape, False) for shape in shapes), True, label)


def brute_share(shapes, grid, n=64):
    """The slow twin of open_share: n x n points in every cell."""
    ny, nx = grid.shape
    ix, iy = np.meshgrid(*((np.arange(count * n) + 0.5) / n - 0.5 for count in (nx, ny)))
    return 1 - shapes.contains(*grid.to_plane(ix, iy)).reshape(ny, n, nx, n).mean((1, 3))


def test_inside_by_hand():
    ellipse = Shapes.of(Ellipse(10.0, 20.0, 4.0, 1.0, 90.0))
    assert_array_equal(
        ellipse.contains([10, 10, 10.9, 11.1, 14], [20, 23.9, 20, 20, 20]),
        [True, True, True, False, False],
    )
    box = Shapes.of(Box(0.0, 0.0, 4.0, 2.0, 45.0))
    r = np.sqrt(0.5)
    assert_array_equal(
        box.contains([1.9 * r, 2.1 * r, -0.9 * r], [1.9 * r, 2.1 * r, 0.9 * r]), [True, False, True]
    )
    wedge = Shapes.of(Sector(1.0, 1.0, 350.0, 10.0))
    assert_array_equal(
        wedge.contains([2, 2, 0, 1, 1e6], [1, 1.2, 1, 1, 1]), [True, False, False, True, True]
    )
    ring = Shapes.of(Ring(circle(0.0, 0.0, 2.0), circle(0.0, 0.0, 1.0)))
    assert_array_equal(
        ring.contains([0, 0.99, 1, 1.5, 2, 2.01], np.zeros(6)),
        [False, False, True, True, True, False],
    )
    assert Shapes.of(Field()).contains([1e9], [-1e9]).all()


def test_edges_are_inside_to_rounding():
    polygon = Polygon(((0.0, 0.0), (3.0, 1.0), (2.0, 4.0)))
    for shape in (Box(1e3, 2e3, 0.3, 0.7, 0.0), polygon, Ellipse(1e3, 1e3, 0.1, 0.3, 12.0)):
        line = shape.outlines(200)[0]
        middles = (line[1:] + line[:-1]) / 2 if not isinstance(shape, Ellipse) else line
        for points in (line, middles):
            assert Shapes.of(shape).contains(*points.T).all()
            centre = line[:-1].mean(0)
            assert not Shapes.of(shape).contains(*(centre + (points - centre) * (1 + 1e-5)).T).any()


def test_order_of_terms_counts():
    small, large = circle(0.0, 0.0, 1.0), circle(0.0, 0.0, 3.0)
    x = np.array([0.5, 2.0, 5.0])
    y = np.zeros(3)
    assert_array_equal(
        Shapes(((Term(((large, False),)), cut(small)),)).contains(x, y), [False, True, False]
    )
    assert_array_equal(
        Shapes(((cut(small), Term(((large, False),))),)).contains(x, y), [True, True, True]
    )
    assert_array_equal(Shapes(((cut(small),),)).contains(x, y), [False, True, True])
    assert_array_equal(
        Shapes.of(Term(((large, False), (small, True)))).contains(x, y), [False, True, False]
    )
    assert_array_equal(
        Shapes.of(Term(((large, False), (Sector(0.0, 0.0, 90.0, 270.0), False)))).contains(-x, y),
        [True, True, False],
    )
    assert_array_equal(Shapes().contains(x, y), [False, False, False])


def test_union_keeps_exclusions_at_home():
    first = Shapes(
        (
            (
                (Term(((circle(0.0, 0.0, 2.0), False),), label="a")),
                cut(circle(0.0, 0.0, 1.0), label="b"),
            ),
        )
    )
    second = Shapes.of(circle(0.5, 0.0, 1.0))
    x = np.array([0.1, -0.9, 1.8])
    for joined in (Shapes.union([first, second]), Shapes.union([second, first])):
        assert_array_equal(joined.contains(x, np.zeros(3)), [True, False, True])
        assert joined.n_shapes == 3
        assert set(joined.labels) == {"a", "b", ""}


def test_only_excludes_and_holes():
    holes = Shapes(
        ((cut(circle(0.0, 0.0, 1.0), label="-a"), cut(circle(4.0, 0.0, 1.0), label="-b")),)
    )
    assert holes.only_excludes
    assert Shapes(((Term(((Field(), False),)), *holes.terms),)).only_excludes
    assert not Shapes(((Term(((circle(0.0, 0.0, 9.0), False),)), *holes.terms),)).only_excludes
    assert not Shapes.of(Field()).only_excludes
    assert not Shapes().only_excludes
    x = np.linspace(-3, 8, 50)
    assert_array_equal(holes.holes().contains(x, 0 * x), ~holes.contains(x, 0 * x))


def random_shapes(seed):
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
def test_sorting_the_points_changes_nothing(seed):
    shapes, rng = random_shapes(seed)
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
def test_bounds_of_distance_hold(seed):
    shapes, rng = random_shapes(seed)
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


@pytest.mark.parametrize("kind", range(len(EVERY_KIND)))
@pytest.mark.parametrize("turn", [0.0, 33.0])
def test_open_share_matches_brute_force(kind, turn):
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    grid = PixelGrid(
        shape=(13, 17), origin=np.array([-14.0, -15.0]), matrix=1.9 * np.array([[c, -s], [s, c]])
    )
    shapes = Shapes.of(EVERY_KIND[kind])
    share, truth = shapes.open_fraction(grid), brute_share(shapes, grid)
    assert_allclose(share, truth, atol=0.02)
    # The twin's own error, of points on a lattice, dominates single cells.
    assert np.sqrt(np.mean((share - truth) ** 2)) < 0.004
    settled = (truth == 0) | (truth == 1)
    assert_allclose(share[settled], truth[settled], atol=5e-3)


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=6)
def test_open_share_of_combinations(seed):
    shapes, _ = random_shapes(seed)
    grid = PixelGrid(
        shape=(11, 12), origin=np.array([-44.0, -42.0]), matrix=np.array([[8.0, 1.0], [-1.5, 7.5]])
    )
    assert_allclose(shapes.open_fraction(grid), brute_share(shapes, grid), atol=0.02)


def test_aligned_edges_are_exact():
    grid = PixelGrid.covering((0, 10), (0, 10), 1.0)
    share = Shapes.of(Box(5.1, 5.0, 4.0, 4.0)).open_fraction(grid)
    assert_allclose(share[5], [1, 1, 1, 0.1, 0, 0, 0, 0.9, 1, 1], atol=1e-9)
    assert_array_equal(share[:3], 1)
    assert_array_equal(Shapes.of(Field()).open_fraction(grid), 0)
    assert_array_equal(Shapes().open_fraction(grid), 1)


@pytest.mark.parametrize("place", [(0.0, 0.0), (1.3, -2.1), (4.0, 4.0)])
def test_shapes_smaller_than_a_cell(place):
    grid = PixelGrid.covering((-20, 20), (-20, 20), 8.0)
    share = Shapes.of(circle(*place, 2.0)).open_fraction(grid)
    assert_allclose((1 - share).sum() * 64, np.pi * 4, rtol=0.01)


def test_areas():
    for kind, truth in AREAS.items():
        assert_allclose(Shapes.of(EVERY_KIND[kind]).area(), truth, rtol=2e-3)
    grid = PixelGrid.covering((-5, 5), (-5, 5), 0.5)
    assert_allclose(Shapes(((cut(circle(0.0, 0.0, 2.0)),),)).area(grid), 100 - 4 * np.pi, rtol=1e-3)
    with pytest.raises(InputError, match="unbounded"):
        Shapes.of(Field()).area()
    assert Shapes().area() == 0


def test_area_of_a_union_matches_monte_carlo():
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


def test_bounding_box():
    assert Shapes.of(circle(1.0, 2.0, 3.0), Box(10.0, 0.0, 2.0, 2.0)).bounding_box() == (
        (-2.0, 11.0),
        (-1.0, 5.0),
    )
    assert Shapes(
        ((Term(((circle(0.0, 0.0, 1.0), False),)), cut(circle(50.0, 0.0, 9.0))),)
    ).bounding_box() == ((-1.0, 1.0), (-1.0, 1.0))
    assert not np.isfinite(Shapes(((cut(circle(0.0, 0.0, 1.0)),),)).bounding_box()).any()


@pytest.mark.parametrize("kind", range(10))
def test_outlines_are_closed_and_on_the_edge(kind):
    shape = EVERY_KIND[kind]
    for line in Shapes.of(shape).outlines():
        assert_allclose(line[0], line[-1], atol=1e-9)
        assert np.abs(shape.distance(*line.T, True)).max() < 1e-6
    assert Shapes.of(Sector(0.0, 0.0, 0.0, 90.0)).outlines() == []


def test_records_go_round_through_json():
    terms = [
        Term(((shape, False), (circle(0.1, 1 / 3, np.pi), True)), i % 3 == 1, f"line {i}")
        for i, shape in enumerate(EVERY_KIND)
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
def test_bad_records(record):
    with pytest.raises(InputError, match="not a record of a shape"):
        Shapes.from_records([record])


def test_a_polygon_has_three_corners():
    with pytest.raises(InputError, match="3 corners"):
        Polygon(((0, 0), (1, 1)))


@pytest.mark.parametrize("half", [7.1, 43.5, 86.2])
def test_the_outermost_points_are_not_lost(half):
    x, y = np.meshgrid(np.linspace(-half, half, 104), np.linspace(-half, half, 104))
    bars = Shapes(((*(Term(((Box(v, 0.0, 0.1, 4 * half, 0.0), False),)) for v in x[0]),),))
    assert np.all(bars.contains(x, y))


def test_many_photons_and_shapes_take_no_time():
    rng = np.random.default_rng(1)
    shapes = Shapes.of(
        *[
            Ellipse(*rng.uniform(-600, 600, 2), *rng.uniform(2, 20, 2), rng.uniform(0, 180))
            for _ in range(250)
        ]
    )
    x, y = rng.uniform(-800, 800, (2, 1_000_000))
    start = time.process_time()
    shapes.contains(x, y)
    # Without the sorting it is 5 s.
    assert time.process_time() - start < 1.0
