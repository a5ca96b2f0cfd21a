"""Observations laid out for the kernels: photons in tiles, completeness in a pyramid, backgrounds as ratios and integrals."""

from dataclasses import dataclass

import numpy as np

from .._kernels.exposure import exposure_moments
from ..errors import InputError
from ..model.completeness import reference_exposure
from ..model.observation import Observation
from ..plane.grid import PixelGrid

TILE = 256
MAX_BLOCKS = 64
# Cells per standard deviation in the integral of the completeness.
SAMPLING = 3.0
# Cells along the shorter side of the coarsest map that is used: the field's outline matters to views broader than it, too.
LEAST_CELLS = 12


@dataclass(frozen=True, eq=False)
class Pyramid:
    """Completeness on all levels, in one array; see `_kernels.exposure`."""

    grid: PixelGrid
    values: np.ndarray
    offsets: np.ndarray
    heights: np.ndarray
    widths: np.ndarray

    @classmethod
    def of(cls, grid, omega):
        """Average 2 x 2 cells, odd sizes padded with 0, until one side is a single cell."""
        maps = [np.ascontiguousarray(omega)]
        while min(maps[-1].shape) > 1:
            last = maps[-1]
            last = np.pad(last, ((0, last.shape[0] % 2), (0, last.shape[1] % 2)))
            maps.append(last.reshape(last.shape[0] // 2, 2, last.shape[1] // 2, 2).mean((1, 3)))
        sizes = np.array([m.size for m in maps])
        return cls(
            grid,
            np.concatenate([m.ravel() for m in maps]),
            np.cumsum(sizes) - sizes,
            np.array([m.shape[0] for m in maps]),
            np.array([m.shape[1] for m in maps]),
        )

    def levels(self, covariances):
        """Level for each view: the coarsest with LEAST_CELLS whose cell is at most its smallest sigma / SAMPLING; -s for cells of level 0 in s x s parts."""
        pixels = self.grid.inverse @ covariances @ self.grid.inverse.T
        sigma = np.sqrt(np.linalg.eigvalsh(pixels)[..., 0])
        level = np.floor(np.log2(sigma / SAMPLING)).astype(np.int64)
        coarsest = max(0, int((np.minimum(self.heights, self.widths) >= LEAST_CELLS).sum()) - 1)
        parts = np.ceil(SAMPLING / sigma).astype(np.int64)
        return np.where(level >= 0, np.minimum(level, coarsest), -parts)

    def moments(self, means, covariances, levels):
        """e0, e1, e2 of views in plane coordinates, (V, 6).

        A map of level l is the first one, smeared by cells of h = 2**l pixels: up to the fourth order ``int Omega N(T) = int (Omega * box) N(T')`` with
        ``T' = T - (h**2 - 1) I / 12``. Midpoint sums with T itself would lose up to 1 per cent of a view that is cut by the field's edge, always in its favour:
        broad components would take the place of the background, whose integral is exact. The moments under T follow as in a deconvolution, with
        ``G = T' T^-1``: ``e1 = G^-1 e1'``, ``e2 = G^-1 [e2' - e0 (T' - G T')] G^-T``, and stay the exact derivatives of e0.
        """
        inverse, matrix = self.grid.inverse, self.grid.matrix
        pixels = inverse @ covariances @ inverse.T
        narrowed = pixels - ((4.0 ** np.maximum(levels, 0) - 1) / 12)[:, None, None] * np.eye(2)
        centres = (means - self.grid.origin) @ inverse.T
        flat = np.stack([narrowed[:, 0, 0], narrowed[:, 0, 1], narrowed[:, 1, 1]], axis=1)
        moments = exposure_moments(
            self.values, self.offsets, self.heights, self.widths, levels, centres, flat
        )
        gains = pixels @ np.linalg.inv(narrowed)
        rest = narrowed - narrowed @ np.linalg.solve(pixels, narrowed)
        first = np.einsum("vij,vj->vi", gains, moments[:, 1:3])
        second = (
            gains
            @ (square(moments[:, 3:]) - moments[:, 0, None, None] * rest)
            @ np.swapaxes(gains, 1, 2)
        )
        first, second = first @ matrix.T, matrix @ second @ matrix.T
        return np.column_stack(
            [moments[:, 0], first, second[:, 0, 0], second[:, 0, 1], second[:, 1, 1]]
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Prepared:
    """An observation laid out for the kernels: photons in tiles, completeness in a pyramid, backgrounds as ratios and integrals.

    Attributes
    ----------
    observation : Observation
    x, y, weights : (N,) arrays
        Photons in the order of the tiles.
    order : (N,) integers
        ``x = observation.x[order]``.
    ratios : (n_b, N) array
        q_b / Omega at each photon, from maps without masks.
    integrals : (n_b,) array
        int q_b dx [arcsec**2].
    fixed : (n_b,) booleans
        Amplitudes that are held.
    tiles, boxes, blocks : arrays
        See `_kernels.photons`.
    pyramid : Pyramid or None
    reference : float
        E_ref, which the pyramid and the backgrounds are relative to.
    """

    observation: Observation
    x: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    order: np.ndarray
    ratios: np.ndarray
    integrals: np.ndarray
    fixed: np.ndarray
    tiles: np.ndarray
    boxes: np.ndarray
    blocks: np.ndarray
    pyramid: Pyramid | None
    reference: float


def square(flat):
    """(..., 3) xx, xy, yy to (..., 2, 2)."""
    return np.stack([flat[..., 0], flat[..., 1], flat[..., 1], flat[..., 2]], axis=-1).reshape(
        *flat.shape[:-1], 2, 2
    )


def tile(x, y):
    """Order photons into tiles of neighbours: strips in x, each cut in y (sort-tile-recursive packing).

    Returns
    -------
    order, tiles, boxes, blocks : arrays
        See `Prepared` and `_kernels.photons`.
    """
    n = len(x)
    n_tiles = max(1, -(-n // TILE))
    per_strip = TILE * int(np.ceil(np.sqrt(n_tiles)))
    strip = np.empty(n, np.int32)
    strip[np.argsort(x, kind="stable")] = np.arange(n) // per_strip
    order = np.lexsort((y, strip))
    tiles = np.minimum(np.arange(n_tiles + 1) * TILE, n)
    boxes = np.zeros((n_tiles, 4))
    if n:
        for axis, values in enumerate((x[order], y[order])):
            low, high = (
                np.minimum.reduceat(values, tiles[:-1]),
                np.maximum.reduceat(values, tiles[:-1]),
            )
            boxes[:, axis], boxes[:, axis + 2] = (low + high) / 2, (high - low) / 2
    blocks = np.linspace(0, n_tiles, min(MAX_BLOCKS, n_tiles) + 1).astype(np.int64)
    return order, tiles, boxes, blocks


def background_maps(observation, reference):
    """q_b of each background on the completeness grid, (n_b, ny, nx)."""
    c = observation.completeness
    maps = []
    for b in observation.backgrounds:
        if b.kind == "sky":
            maps.append(c.effective / reference)
        else:
            maps.append(
                np.where(c.exposure > 0, c.open_share * b.unvignetted(*c.grid.centres()), 0.0)
            )
    return np.array(maps).reshape(len(maps), *c.grid.shape)


def prepare(observation, reference):
    """Lay an observation out for the kernels.

    Raises
    ------
    InputError
        When a photon lies where the completeness is zero, or a background has nothing to be spread over.
    """
    order, tiles, boxes, blocks = tile(observation.x, observation.y)
    x, y, weights = observation.x[order], observation.y[order], observation.weights[order]
    completeness = observation.completeness
    pyramid, integrals, ratios = None, np.zeros(0), np.zeros((0, len(x)))
    if completeness is not None:
        omega = completeness.effective / reference
        at = completeness.exposure_at(x, y) / reference
        if np.any(at <= 0):
            raise InputError(
                f"{observation.name}: {int((at <= 0).sum())} photons lie where the exposure is zero: use Observation.exposed()"
            )
        pyramid = Pyramid.of(completeness.grid, omega)
        maps = background_maps(observation, reference)
        integrals = maps.sum((1, 2)) * completeness.grid.cell_area
        ratios = np.ones((len(observation.backgrounds), len(x)))
        for row, b in zip(ratios, observation.backgrounds, strict=True):
            if b.kind != "sky":
                row[:] = b.unvignetted(x, y) / at
        if np.any(integrals <= 0):
            raise InputError(f"{observation.name}: a background has no open sky to be spread over")
    return Prepared(
        observation=observation,
        x=x,
        y=y,
        weights=weights,
        order=order,
        ratios=ratios,
        integrals=integrals,
        fixed=np.array([b.fixed for b in observation.backgrounds], bool),
        tiles=tiles,
        boxes=boxes,
        blocks=blocks,
        pyramid=pyramid,
        reference=reference,
    )


def prepare_all(observations):
    """Lay observations out on their common reference exposure: (list of Prepared, E_ref)."""
    reference = reference_exposure([o.completeness for o in observations])
    return [prepare(o, reference) for o in observations], reference
