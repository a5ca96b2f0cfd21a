"""What regions become: plane shapes, and lists of them that are joined and cut as region files say.

A region file is a list of terms, read in order: each is added to what the terms before it cover (OR), or cut out of it (AND NOT); a list that starts with a
cut starts from everywhere. Every shape knows two things of a point: whether it is inside, exactly, and how far the edge is, at least. The first sorts photons;
the second decides with one look whether a whole cell is in or out, so that only cells on an edge cost anything.
"""

from dataclasses import asdict, dataclass, field
from functools import cached_property
from itertools import chain

import numpy as np

from .errors import InputError
from .grid import PixelGrid

# Points this close to an edge, relative to the shape's size, are inside: the same edge comes through different arithmetic in different files.
EDGE = 1e-9
EVERYWHERE = (-np.inf, np.inf, -np.inf, np.inf)


def _turned(shape, x, y):
    """Offsets from a shape's centre along its own axes [arcsec]."""
    angle = np.radians(shape.angle)
    dx, dy = x - shape.x, y - shape.y
    if shape.angle == 0:
        return dx, dy
    return np.cos(angle) * dx + np.sin(angle) * dy, np.cos(angle) * dy - np.sin(angle) * dx


def _placed(shape, u, v):
    """(n, 2) positions [arcsec] of offsets along a shape's own axes: the inverse of `_turned`."""
    angle = np.radians(shape.angle)
    return np.column_stack([shape.x + np.cos(angle) * u - np.sin(angle) * v, shape.y + np.sin(angle) * u + np.cos(angle) * v])


@dataclass(frozen=True)
class Ellipse:
    """An ellipse; a circle when its semi-axes are equal.

    Attributes
    ----------
    x, y : float
        Centre [arcsec].
    rx, ry : float
        Semi-axes [arcsec].
    angle : float
        From +x to the first semi-axis, counter-clockwise [deg].
    """

    x: float
    y: float
    rx: float
    ry: float
    angle: float = 0.0

    def contains(self, x, y, edge=EDGE):
        u, v = _turned(self, x, y)
        return (u / self.rx) ** 2 + (v / self.ry) ** 2 <= (1 + edge) ** 2

    def distance(self, x, y, bound):
        u, v = _turned(self, x, y)
        f = np.hypot(u / self.rx, v / self.ry)
        if bound or self.rx == self.ry:
            return (1 - f) * min(self.rx, self.ry)
        # To first order in the distance, which is what the share of a small cell on the edge needs.
        slope = np.hypot(u / self.rx**2, v / self.ry**2)
        return (1 - f) * np.divide(f, slope, out=np.full(np.shape(f), min(self.rx, self.ry)), where=slope > 0)

    def bounds(self):
        c, s = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        w, h = np.hypot(self.rx * c, self.ry * s), np.hypot(self.rx * s, self.ry * c)
        return self.x - w, self.x + w, self.y - h, self.y + h

    def outlines(self, n):
        t = np.linspace(0, 2 * np.pi, n)
        return [_placed(self, self.rx * np.cos(t), self.ry * np.sin(t))]


@dataclass(frozen=True)
class Box:
    """A rectangle: centre, full widths [arcsec], and the angle from +x to its first side, counter-clockwise [deg]."""

    x: float
    y: float
    width: float
    height: float
    angle: float = 0.0

    def contains(self, x, y, edge=EDGE):
        u, v = _turned(self, x, y)
        return (np.abs(u) <= self.width / 2 * (1 + edge)) & (np.abs(v) <= self.height / 2 * (1 + edge))

    def distance(self, x, y, bound):
        u, v = _turned(self, x, y)
        return np.minimum(self.width / 2 - np.abs(u), self.height / 2 - np.abs(v))

    def bounds(self):
        corners = self.outlines(5)[0]
        return corners[:, 0].min(), corners[:, 0].max(), corners[:, 1].min(), corners[:, 1].max()

    def outlines(self, n):
        return [_placed(self, self.width / 2 * np.array([-1, 1, 1, -1, -1]), self.height / 2 * np.array([-1, -1, 1, 1, -1]))]


@dataclass(frozen=True)
class Polygon:
    """A polygon, inside by the even-odd rule.

    Attributes
    ----------
    vertices : tuple of (float, float)
        Three or more corners [arcsec]; the last side runs back to the first corner.
    """

    vertices: tuple

    def __post_init__(self):
        object.__setattr__(self, "vertices", tuple((float(x), float(y)) for x, y in self.vertices))
        if len(self.vertices) < 3:
            raise InputError(f"a polygon needs at least 3 corners, got {len(self.vertices)}")

    @cached_property
    def _sides(self):
        return [(*a, *b) for a, b in zip(self.vertices, self.vertices[1:] + self.vertices[:1], strict=True) if a != b]

    def _to_side(self, x, y):
        """Squared distance to the nearest side [arcsec**2], and whether the even-odd rule says inside."""
        nearest, inside = np.full(np.shape(x), np.inf), np.zeros(np.shape(x), bool)
        for x0, y0, x1, y1 in self._sides:
            dx, dy, px, py = x1 - x0, y1 - y0, x - x0, y - y0
            t = np.clip((px * dx + py * dy) / (dx * dx + dy * dy), 0, 1)
            nearest = np.minimum(nearest, (px - t * dx) ** 2 + (py - t * dy) ** 2)
            if dy != 0:
                inside ^= ((y0 > y) != (y1 > y)) & (px < dx / dy * py)
        return nearest, inside

    def contains(self, x, y, edge=EDGE):
        x0, x1, y0, y1 = self.bounds()
        nearest, inside = self._to_side(x, y)
        return inside | (nearest <= (edge * max(x1 - x0, y1 - y0)) ** 2)

    def distance(self, x, y, bound):
        nearest, inside = self._to_side(x, y)
        return np.where(inside, 1, -1) * np.sqrt(nearest)

    def bounds(self):
        x, y = zip(*self.vertices, strict=True)
        return min(x), max(x), min(y), max(y)

    def outlines(self, n):
        return [np.array([*self.vertices, self.vertices[0]])]


@dataclass(frozen=True)
class Sector:
    """An unbounded wedge: its apex [arcsec] and the range of angle, counter-clockwise from +x [deg]; equal ends make a full turn."""

    x: float
    y: float
    start: float
    stop: float

    @property
    def span(self):
        """Opening angle, in (0, 360] [deg]."""
        return 360.0 if self.stop - self.start >= 360 else (self.stop - self.start) % 360 or 360.0

    def contains(self, x, y, edge=EDGE):
        dx, dy = x - self.x, y - self.y
        from_start = (np.degrees(np.arctan2(dy, dx)) - self.start) % 360
        return (from_start <= self.span + 360 * edge) | (from_start >= 360 - 360 * edge) | ((dx == 0) & (dy == 0))

    def distance(self, x, y, bound):
        if self.span == 360:
            return np.full(np.shape(x), np.inf)
        dx, dy = x - self.x, y - self.y
        nearest = np.full(np.shape(x), np.inf)
        for angle in np.radians([self.start, self.stop]):
            along, across = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
            nearest = np.minimum(nearest, np.where(along > 0, np.abs(across), np.hypot(dx, dy)))
        return np.where(self.contains(x, y), nearest, -nearest)

    def bounds(self):
        return EVERYWHERE

    def outlines(self, n):
        return []


@dataclass(frozen=True)
class Ring:
    """What lies in `outer`, not in `inner`, and within `sector`: annuli of circles, ellipses and boxes, pies and pandas.

    Attributes
    ----------
    outer : Ellipse or Box
    inner : Ellipse or Box or None
        The hole; its edge belongs to the ring.
    sector : Sector or None
    """

    outer: Ellipse | Box
    inner: Ellipse | Box | None = None
    sector: Sector | None = None

    def contains(self, x, y, edge=EDGE):
        inside = self.outer.contains(x, y, edge)
        if self.inner is not None:
            inside &= ~self.inner.contains(x, y, -edge)
        if self.sector is not None:
            inside &= self.sector.contains(x, y, edge)
        return inside

    def distance(self, x, y, bound):
        least = self.outer.distance(x, y, bound)
        if self.inner is not None:
            least = np.minimum(least, -self.inner.distance(x, y, bound))
        if self.sector is not None:
            least = np.minimum(least, self.sector.distance(x, y, bound))
        return least

    def bounds(self):
        return self.outer.bounds()

    def outlines(self, n):
        if self.sector is None or self.sector.span == 360:
            return self.outer.outlines(n) + ([] if self.inner is None else self.inner.outlines(n))
        angles = np.radians(self.sector.start + np.linspace(0, self.sector.span, max(n // 2, 2)))
        arcs = [_reach(part, self.sector, angles) for part in (self.outer, self.inner) if part is not None]
        back = arcs[1][::-1] if len(arcs) == 2 else np.array([[self.sector.x, self.sector.y]])
        return [np.vstack([arcs[0], back, arcs[0][:1]])]


def _reach(part, sector, angles):
    """(n, 2) points where rays from a sector's apex, which is the part's centre, leave the part."""
    u, v = _turned(part, sector.x + np.cos(angles), sector.y + np.sin(angles))
    scaled = np.hypot(u / part.rx, v / part.ry) if isinstance(part, Ellipse) else np.maximum(np.abs(u) / part.width, np.abs(v) / part.height) * 2
    return np.column_stack([sector.x + np.cos(angles) / scaled, sector.y + np.sin(angles) / scaled])


@dataclass(frozen=True)
class Field:
    """Everywhere."""

    def contains(self, x, y, edge=EDGE):
        return np.ones(np.shape(x), bool)

    def distance(self, x, y, bound):
        return np.full(np.shape(x), np.inf)

    def bounds(self):
        return EVERYWHERE

    def outlines(self, n):
        return []


@dataclass(frozen=True)
class Term:
    """One entry of a region list: the intersection of shapes, each possibly negated.

    Attributes
    ----------
    parts : tuple of (shape, bool)
        Shapes, and whether each is negated.
    exclude : bool
        Whether the term is cut out of what came before it instead of being added.
    label : str
        The text it was read from.
    """

    parts: tuple
    exclude: bool = False
    label: str = ""

    def contains(self, x, y):
        """Whether positions [arcsec] are in the term's own area, whatever the list does with it."""
        return np.logical_and.reduce([shape.contains(x, y) != negated for shape, negated in self.parts])

    def distance(self, x, y, bound):
        """Distance to the term's edge [arcsec], negative outside; with `bound`, never more than the true one."""
        return np.minimum.reduce([-shape.distance(x, y, bound) if negated else shape.distance(x, y, bound) for shape, negated in self.parts])

    def bounds(self):
        """(x_min, x_max, y_min, y_max) [arcsec] outside which there is nothing of the term."""
        x0, x1, y0, y1 = np.array([shape.bounds() for shape, negated in self.parts if not negated] or [EVERYWHERE]).T
        return x0.max(), x1.min(), y0.max(), y1.min()


class _Near:
    """Points, sorted into cells once, so that a small shape meets only those near it."""

    CELLS = 240  # squared, they fit 16 bits, which numpy sorts by radix

    def __init__(self, x, y, boxes):
        boxes = boxes[np.isfinite(boxes).all(axis=1)]
        self.order = None
        if len(x) * len(boxes) < 20_000:
            return
        x0, y0 = max(boxes[:, 0].min(), x.min()), max(boxes[:, 2].min(), y.min())
        x1, y1 = min(boxes[:, 1].max(), x.max()), min(boxes[:, 3].max(), y.max())
        self.low = np.array([x0, y0])
        self.per = self.CELLS / np.maximum([x1 - x0, y1 - y0], 1e-9)
        cx, cy = (x - x0) * self.per[0], (y - y0) * self.per[1]
        # Cells that no shape comes near are not sorted: a mask of small sources leaves most photons alone.
        wanted = np.zeros((self.CELLS, self.CELLS), bool)
        for box in boxes:
            (ix0, ix1), (iy0, iy1) = self._cells(box)
            wanted[iy0 : iy1 + 1, ix0 : ix1 + 1] = True
        kept = np.flatnonzero((cx >= 0) & (cx <= self.CELLS) & (cy >= 0) & (cy <= self.CELLS))
        cell = np.minimum(cy[kept], self.CELLS - 1).astype(np.uint16) * np.uint16(self.CELLS) + np.minimum(cx[kept], self.CELLS - 1).astype(np.uint16)
        chosen = wanted.ravel()[cell]
        kept, cell = kept[chosen], cell[chosen]
        self.order = kept[np.argsort(cell, kind="stable")]
        self.starts = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=self.CELLS**2))])
        self.many = len(x) // 3

    def _cells(self, box):
        # One cell to spare on each side, against rounding.
        edges = (np.reshape(box, (2, 2)) - self.low[:, None]) * self.per[:, None] + [-1, 1]
        return np.clip(edges, 0, self.CELLS - 1).astype(int)

    def __call__(self, box):
        """Indices of the points that may lie in a box, or the slice of all."""
        if self.order is None or not np.isfinite(box).all():
            return slice(None)
        (ix0, ix1), (iy0, iy1) = self._cells(box)
        rows = np.arange(iy0, iy1 + 1) * self.CELLS
        first, last = self.starts[rows + ix0], self.starts[rows + ix1 + 1]
        if (last - first).sum() > self.many:
            return slice(None)
        return np.concatenate([self.order[a:b] for a, b in zip(first, last, strict=True)])


@dataclass(frozen=True)
class Shapes:
    """What one or several region files cover.

    Attributes
    ----------
    groups : tuple of tuple of Term
        One list of terms for each file. Within a list, terms act in order on what came before; the lists are joined.
    """

    groups: tuple = field(default=())

    def __post_init__(self):
        object.__setattr__(self, "groups", tuple(tuple(group) for group in self.groups if len(group)))

    @classmethod
    def of(cls, *terms):
        """One list, of terms or of bare shapes to be joined."""
        return cls((tuple(t if isinstance(t, Term) else Term(((t, False),)) for t in terms),))

    @classmethod
    def union(cls, several):
        """What any of several covers: an exclusion in one does not reach into another."""
        return cls(tuple(chain.from_iterable(shapes.groups for shapes in several)))

    @property
    def terms(self):
        """All terms of all lists, in order."""
        return tuple(chain.from_iterable(self.groups))

    @property
    def labels(self):
        """The text each term was read from."""
        return tuple(term.label for term in self.terms)

    @property
    def n_shapes(self):
        """Number of shapes, excluded ones too."""
        return sum(len(term.parts) for term in self.terms)

    @property
    def only_excludes(self):
        """Whether every list is everywhere but holes: it starts with an exclusion or a field, and goes on with exclusions."""
        starts = [group[0].exclude or group[0].parts == ((Field(), False),) for group in self.groups]
        return bool(starts) and all(starts) and all(term.exclude for group in self.groups for term in group[1:]) and any(t.exclude for t in self.terms)

    def holes(self):
        """The excluded terms of every list, as what is covered."""
        return Shapes((tuple(Term(term.parts, False, term.label) for term in self.terms if term.exclude),))

    def _combine(self, x, y, *, evaluate, negate, nothing, everything, margin):
        """Add and cut the terms in order: with truth values, or with distances, for which OR is the larger and AND the smaller."""
        boxes = np.array([term.bounds() for term in self.terms]).reshape(-1, 4) + margin * np.array([-1, 1, -1, 1])
        near, boxes = _Near(x, y, boxes), iter(boxes)
        total = np.full(len(x), nothing)
        for group in self.groups:
            state = np.full(len(x), everything if group[0].exclude else nothing)
            for term in group:
                at = near(next(boxes))
                value = evaluate(term, x[at], y[at])
                state[at] = np.minimum(state[at], negate(value)) if term.exclude else np.maximum(state[at], value)
            np.maximum(total, state, out=total)
        return total

    def contains(self, x, y):
        """Whether positions [arcsec] are covered; edges are.

        Parameters
        ----------
        x, y : (N,) array

        Returns
        -------
        (N,) array of bool
        """
        x, y = np.broadcast_arrays(np.asarray(x, np.float64), np.asarray(y, np.float64))
        inside, flat_x, flat_y = np.zeros(x.size, bool), x.ravel(), y.ravel()
        for start in range(0, x.size, 1 << 20):
            part = slice(start, start + (1 << 20))
            inside[part] = self._combine(flat_x[part], flat_y[part], evaluate=Term.contains, negate=np.logical_not, nothing=False, everything=True, margin=0)
        return inside.reshape(x.shape)

    def count_by_term(self, x, y, weights=None):
        """Weight of the positions in each term's own area, whatever the list does with it, (T,)."""
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        weights = np.ones(len(x)) if weights is None else weights
        boxes = np.array([term.bounds() for term in self.terms]).reshape(-1, 4)
        near = _Near(x, y, boxes)
        places = [near(box) for box in boxes]
        return np.array([weights[at][term.contains(x[at], y[at])].sum() for term, at in zip(self.terms, places, strict=True)])

    def open_share(self, grid, *, subsamples=10):
        """Share of each cell's area that is not covered.

        Blocks of cells wholly in or out are settled at once; cells on an edge are halved until their parts are settled or `subsamples` times smaller, and
        those take the share that a straight edge at the same distance would leave. The shares are good to about 0.2 %.

        Parameters
        ----------
        grid : PixelGrid
            May be turned against the plane.
        subsamples : int
            Parts along a cell's side, rounded up to a power of two.

        Returns
        -------
        (ny, nx) array
        """
        ny, nx = grid.shape
        diagonal = max(np.hypot(*(grid.matrix[:, 0] + grid.matrix[:, 1])), np.hypot(*(grid.matrix[:, 0] - grid.matrix[:, 1])))

        def settle(ix, iy, size, finest):
            """Covered share of squares of `size` cells with lower left corners (ix, iy), and which of them are on an edge."""
            x, y = grid.to_plane(ix + (size - 1) / 2, iy + (size - 1) / 2)
            radius = diagonal * size / 2
            d = self._combine(
                x, y, evaluate=lambda t, x, y: t.distance(x, y, not finest), negate=np.negative, nothing=-np.inf, everything=np.inf, margin=radius
            )
            if finest:
                return np.clip(0.5 + d / (grid.step * size), 0, 1), np.zeros(len(d), bool)
            return (d >= radius).astype(float), np.abs(d) < radius

        size = 1 << max(0, int(np.ceil(np.log2(max(ny, nx) / 32))))
        iy, ix = (corner.ravel() * size for corner in np.indices((-(-ny // size), -(-nx // size))))
        covered = np.zeros((-(-ny // size), -(-nx // size)))
        while True:
            share, on_edge = settle(ix, iy, size, False)
            covered[iy // size, ix // size] += share
            ix, iy = ix[on_edge], iy[on_edge]
            if size == 1:
                break
            size //= 2
            covered = covered.repeat(2, axis=0).repeat(2, axis=1)
            ix, iy = _quarters(ix, iy, size)
            on_grid = (ix < nx) & (iy < ny)
            ix, iy = ix[on_grid], iy[on_grid]
        covered = np.ascontiguousarray(covered[:ny, :nx])
        depth = max(1, int(np.ceil(np.log2(max(subsamples, 2)))))
        # In batches, because the parts of an edge cell outnumber it a hundredfold.
        for start in range(0, len(ix), 20_000):
            px, py, cell = ix[start : start + 20_000], iy[start : start + 20_000], np.arange(start, min(start + 20_000, len(ix)))
            for level in range(1, depth + 1):
                part = 0.5**level
                px, py = _quarters(px, py, part)
                cell = np.tile(cell, 4)
                share, on_edge = settle(px, py, part, level == depth)
                np.add.at(covered, (iy[cell], ix[cell]), share * part**2)
                px, py, cell = px[on_edge], py[on_edge], cell[on_edge]
        return np.clip(1 - covered, 0, 1)

    def area(self, grid=None):
        """Covered area [arcsec**2], shapes that overlap counted once.

        Parameters
        ----------
        grid : PixelGrid, optional
            Where to count; everywhere without one.

        Raises
        ------
        InputError
            Without a grid, when the area has no bound.
        """
        if grid is None:
            x_range, y_range = self.bounding_box()
            if not np.isfinite([*x_range, *y_range]).all():
                raise InputError("the shapes cover an unbounded area: give the grid to count it on")
            extent = max(x_range[1] - x_range[0], y_range[1] - y_range[0])
            if extent <= 0:
                return 0.0
            grid = PixelGrid.covering(x_range, y_range, extent / 256)
        return float((1 - self.open_share(grid, subsamples=16)).sum() * grid.cell_area)

    def bounding_box(self):
        """The intervals ((x_min, x_max), (y_min, y_max)) [arcsec] outside which nothing is covered; infinite for a list that starts with an exclusion."""
        boxes = [EVERYWHERE if term.exclude else term.bounds() for group in self.groups for term in group if term is group[0] or not term.exclude]
        if not boxes:
            return (0.0, 0.0), (0.0, 0.0)
        x0, x1, y0, y1 = np.array(boxes, float).T
        return (float(x0.min()), float(x1.max())), (float(y0.min()), float(y1.max()))

    def outlines(self, n=64):
        """Edges of all bounded shapes, excluded ones too, as closed lines.

        Parameters
        ----------
        n : int
            Points for each curve; polygons and boxes have one for each corner.

        Returns
        -------
        list of (m, 2) array
        """
        return [line for term in self.terms for shape, _ in term.parts for line in shape.outlines(n)]

    def to_records(self):
        """One dict for each term, ready for JSON; `from_records` gives the same Shapes back, to the bit."""
        return [
            {"list": i, "label": term.label, "exclude": term.exclude, "parts": [{"negated": negated, **_record(shape)} for shape, negated in term.parts]}
            for i, group in enumerate(self.groups)
            for term in group
        ]

    @classmethod
    def from_records(cls, records):
        """The Shapes that `to_records` wrote down.

        Raises
        ------
        InputError
            When a record is not one.
        """
        groups = {}
        for record in records:
            try:
                parts = tuple((_shape({k: v for k, v in part.items() if k != "negated"}), part["negated"]) for part in record["parts"])
                groups.setdefault(record["list"], []).append(Term(parts, record["exclude"], record["label"]))
            except (KeyError, TypeError, AttributeError) as problem:
                raise InputError(f"not a record of a shape: {str(record)[:80]} ({problem})") from None
        return cls(tuple(tuple(group) for _, group in sorted(groups.items())))


def circle(x, y, radius):
    """The circle about (x, y) [arcsec]."""
    return Ellipse(x, y, radius, radius)


def _quarters(ix, iy, size):
    """Lower left corners of the four squares of `size` in squares of twice the size."""
    return np.concatenate([ix, ix + size, ix, ix + size]), np.concatenate([iy, iy, iy + size, iy + size])


_KINDS = {kind.__name__.lower(): kind for kind in (Ellipse, Box, Polygon, Sector, Ring, Field)}


def _record(shape):
    if isinstance(shape, Ring):
        return {"shape": "ring", **{k: None if v is None else _record(v) for k, v in vars(shape).items()}}
    return {"shape": type(shape).__name__.lower(), **{k: [list(c) for c in v] if k == "vertices" else v for k, v in asdict(shape).items()}}


def _shape(record):
    values = {k: _shape(v) if isinstance(v, dict) else v for k, v in record.items() if k != "shape"}
    return _KINDS[record["shape"]](**values)
