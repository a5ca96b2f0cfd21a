"""Point sources that are modelled instead of masked: components without any size of their own."""

from dataclasses import dataclass

import numpy as np

from ._arrays import freeze
from .errors import InputError
from .mixture import POINT_SIGMA, Frozen, Mixture

# Share of the exposure below which a source cannot be told from nothing.
_LEAST_SEEN = 0.01


@dataclass(frozen=True, eq=False, kw_only=True)
class PointSources:
    """Places of point sources and how far each may move from there.

    Attributes
    ----------
    x, y : (n,) array
        In the tangent plane of the fit [arcsec].
    reaches : (n,) array
        Half the mean side of the box about the source's region, the radius of a circle [arcsec]: its photons are counted there to begin with, and the
        source stays within it.
    movable : bool
        Whether the positions are fitted.
    """

    x: np.ndarray
    y: np.ndarray
    reaches: np.ndarray
    movable: bool = True

    def __post_init__(self):
        freeze(self, x=("n",), y=("n",), reaches=("n",))
        if np.any(self.reaches <= 0):
            raise InputError(f"the region of a point source must have an area, got a radius of {self.reaches.min():g} arcsec")

    def __len__(self):
        return len(self.x)

    @classmethod
    def of_shapes(cls, shapes, *, movable=True):
        """One source at the centre of each shape that is not cut out.

        Parameters
        ----------
        shapes : Shapes
            As region files and source lists are read: circles, ellipses.

        Raises
        ------
        InputError
            When a shape has no bounds.
        """
        boxes = np.array([term.bounds() for term in shapes.terms if not term.exclude], float).reshape(-1, 4)
        if not np.all(np.isfinite(boxes)):
            raise InputError("a point source needs a region with bounds, such as a circle or an ellipse")
        x0, x1, y0, y1 = boxes.T
        return cls(x=(x0 + x1) / 2, y=(y0 + y1) / 2, reaches=np.sqrt((x1 - x0) * (y1 - y0)) / 2, movable=movable)

    def select(self, index):
        """The sources that `index` (integers or booleans) names."""
        return PointSources(x=self.x[index], y=self.y[index], reaches=self.reaches[index], movable=self.movable)

    def seen(self, observations, reference):
        """The sources where there is exposure.

        Parameters
        ----------
        observations : sequence of Observation
        reference : float
            E_ref.
        """
        return self.select(self._completeness(observations, reference) >= _LEAST_SEEN)

    def apart_from(self, places):
        """The sources that have none of some places (n, 2) [arcsec] within their circles."""
        if len(places) == 0:
            return self
        distance = np.hypot(self.x[:, None] - places[:, 0], self.y[:, None] - places[:, 1])
        return self.select((distance > self.reaches[:, None]).all(1))

    def _completeness(self, observations, reference):
        parts = [np.ones(len(self)) if o.completeness is None else o.completeness.effective_at(self.x, self.y) / reference for o in observations]
        return sum(parts, np.zeros(len(self)))

    def started(self, observations, reference):
        """The sources as components of a fit: with the flux of the photons in their circles beyond the level of the ring about them, all but the flux held.

        Returns
        -------
        mixture : Mixture
        frozen : Frozen
        """
        inside, around = np.zeros(len(self)), np.zeros(len(self))
        for o in observations:
            for i in range(len(self)):
                distance = np.hypot(o.x - self.x[i], o.y - self.y[i])
                inside[i] += o.weights[distance < self.reaches[i]].sum()
                around[i] += o.weights[(distance >= self.reaches[i]) & (distance < 2 * self.reaches[i])].sum()
        # The ring has three times the circle's area.
        fluxes = np.maximum(inside - around / 3, 1.0) / np.maximum(self._completeness(observations, reference), _LEAST_SEEN)
        n = len(self)
        mixture = Mixture(fluxes=fluxes, means=np.stack([self.x, self.y], axis=1), covariances=np.tile(POINT_SIGMA**2 * np.eye(2), (n, 1, 1)))
        return mixture, Frozen(fluxes=np.zeros(n, bool), means=np.ones(n, bool), covariances=np.ones(n, bool), points=np.ones(n, bool))

    def strayed(self, means):
        """Which sources have left their circles, (n,) booleans, and all places brought back to the edge, (n, 2) [arcsec]."""
        homes = np.stack([self.x, self.y], axis=1)
        shift = means - homes
        distance = np.hypot(*shift.T)
        out = distance > self.reaches
        return out, np.where(out[:, None], homes + shift * (self.reaches / np.maximum(distance, 1e-300))[:, None], means)
