"""An observation laid out for the kernels: photons in tiles of neighbours, terms of lambda(x)."""

from dataclasses import dataclass

import numpy as np

from .._kernels.tiles import TiledPhotons
from ..errors import InputError
from ..model.completeness import reference_exposure
from ..model.density import background_terms
from ..model.field import Field
from ..model.observation import Observation
from ..model.pyramid import Pyramid

# Photons in a tile at most.
TILE = 256
# Blocks that sums are taken in at most; see `TiledPhotons`.
MAX_BLOCKS = 64


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Prepared:
    """An observation, its photons in tiles and the terms of lambda(x) as the kernels read them.

    Attributes
    ----------
    observation : Observation
    tiled : TiledPhotons
        Photons in the order of the tiles, with q_b / Omega at each, from maps without masks.
    order : (N,) integers
        Row of the observation's photons that each tiled photon has.
    integrals : (n_b,) array
        int q_b dx [arcsec**2].
    fixed : (n_b,) booleans
        Background amplitudes that are not fitted.
    pyramid : Pyramid or None
        Completeness; None if the observation is complete everywhere.
    reference : float
        E_ref, which the completeness and the backgrounds are relative to.
    """

    observation: Observation
    tiled: TiledPhotons
    order: np.ndarray
    integrals: np.ndarray
    fixed: np.ndarray
    pyramid: Pyramid | None
    reference: float

    def __repr__(self):
        photons, tiles = len(self.x), len(self.tiled.tiles) - 1
        return f"Prepared({self.observation.name}: {photons:,} rows in {tiles:,} tiles)"

    @property
    def x(self):
        """Positions along x in the order of the tiles, (N,) [arcsec]."""
        return self.tiled.x

    @property
    def y(self):
        """Positions along y in the order of the tiles, (N,) [arcsec]."""
        return self.tiled.y

    @property
    def weights(self):
        """Weights in the order of the tiles, (N,) [photon]."""
        return self.tiled.weights

    @property
    def ratios(self):
        """Ratios q_b / Omega at each photon, (n_b, N)."""
        return self.tiled.ratios

    def every(self, stride):
        """Every stride-th photon, (n,) integers."""
        return np.arange(stride // 2, len(self.x), stride)


def tile(x, y):
    """Order photons into tiles of neighbours: strips in x, each cut in y.

    This is sort-tile-recursive packing (Leutenegger, Lopez & Edgington 1997, ICDE 13, 497).

    Parameters
    ----------
    x, y : (N,) arrays
        [arcsec]

    Returns
    -------
    order : (N,) integers
        Photon in each place.
    tiles, boxes, blocks : arrays
        See `TiledPhotons`.

    Examples
    --------
    >>> x, y = np.random.default_rng(0).uniform(0, 100, (2, 1000))
    >>> order, tiles, boxes, blocks = tile(x, y)
    >>> tiles
    array([   0,  256,  512,  768, 1000])
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

    Parameters
    ----------
    observation : Observation
    reference : float
        E_ref.

    Returns
    -------
    Prepared

    Raises
    ------
    InputError
        If a photon lies where the exposure is zero, or a background has no open area.
    """
    photons = observation.photons
    order, tiles, boxes, blocks = tile(photons.x, photons.y)
    x, y, weights = photons.x[order], photons.y[order], photons.weights[order]
    completeness = observation.completeness
    pyramid, integrals, ratios = None, np.zeros(0), np.zeros((0, len(x)))
    if completeness is not None:
        field = Field(completeness, reference)
        if np.any(stray := field.at(x, y) <= 0):
            raise InputError(
                f"{observation.name}: {int(stray.sum())} photons lie where the exposure is zero: "
                f"remove them with Observation.exposed()"
            )
        terms = background_terms(observation, reference)
        pyramid = Pyramid.of(completeness.grid, field.own_maps().omega)
        integrals = np.array([term.seen() for term in terms])
        ratios = np.array([term.ratio(x, y) for term in terms]).reshape(len(terms), len(x))
        for background, integral in zip(observation.backgrounds, integrals, strict=True):
            if integral <= 0:
                raise InputError(
                    f"{observation.name}: background {background.name!r} has no open area: it "
                    "expects no photon anywhere in the exposed, unmasked field"
                )
    return Prepared(
        observation=observation,
        tiled=TiledPhotons(x, y, weights, ratios, tiles, boxes, blocks),
        order=order,
        integrals=integrals,
        fixed=np.array([b.fixed for b in observation.backgrounds], bool),
        pyramid=pyramid,
        reference=reference,
    )


def prepare_all(observations):
    """Lay observations out on their common reference exposure.

    Returns
    -------
    tuple of Prepared
    """
    reference = reference_exposure([o.completeness for o in observations])
    return tuple(prepare(o, reference) for o in observations)
