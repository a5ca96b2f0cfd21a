"""Observations laid out for the kernels: photons in tiles, completeness in a pyramid, backgrounds as ratios and integrals."""

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..model.completeness import reference_exposure
from ..model.density import background_terms
from ..model.field import Field
from ..model.observation import Observation
from ..model.pyramid import Pyramid

TILE = 256
MAX_BLOCKS = 64


@dataclass(frozen=True, eq=False, kw_only=True)
class Prepared:
    """An observation laid out for the kernels: photons in tiles, completeness in a pyramid, backgrounds as ratios and integrals.

    Attributes
    ----------
    observation : Observation
    x, y, weights : (N,) arrays
        Photons in the order of the tiles.
    order : (N,) integers
        ``x = observation.photons.x[order]``.
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


def prepare(observation, reference):
    """Lay an observation out for the kernels.

    Raises
    ------
    InputError
        When a photon lies where the completeness is zero, or a background has nothing to be spread over.
    """
    photons = observation.photons
    order, tiles, boxes, blocks = tile(photons.x, photons.y)
    x, y, weights = photons.x[order], photons.y[order], photons.weights[order]
    completeness = observation.completeness
    pyramid, integrals, ratios = None, np.zeros(0), np.zeros((0, len(x)))
    if completeness is not None:
        terms = background_terms(observation, reference)
        field = Field(completeness, reference)
        at = field.at(x, y)
        if np.any(at <= 0):
            raise InputError(
                f"{observation.name}: {int((at <= 0).sum())} photons lie where the exposure is zero: use Observation.exposed()"
            )
        pyramid = Pyramid.of(completeness.grid, field.own_maps().omega)
        integrals = np.array([term.seen() for term in terms])
        ratios = np.array([term.ratio(x, y) for term in terms]).reshape(len(terms), len(x))
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
