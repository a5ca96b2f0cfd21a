"""Point sources that are modelled instead of masked: components without any size of their own."""

from dataclasses import dataclass

import numpy as np

from .._arrays import read_only
from ..errors import InputError
from ..model.mixture import POINT_SIGMA, Fixed, Mixture
from ..model.psf import core_radius
from ..plane.shapes import Box, Ellipse, Ring

# Share of the exposure below which a source cannot be told from nothing.
_LEAST_SEEN = 0.01
# Two sources closer than this share of the radius that holds 39 % of the PSF cannot be told apart.
_SAME = 0.5


@dataclass(frozen=True, eq=False, kw_only=True)
class PointSources:
    """Places of point sources and how far each may move from there.

    Attributes
    ----------
    x, y : (n,) array
        In the tangent plane of the fit [arcsec].
    reaches : (n,) array
        Radius of a circle as large as the source's region [arcsec]: its photons are counted there to begin with, and the source stays within it.
    movable : bool
        Whether the positions are fitted.
    """

    x: np.ndarray
    y: np.ndarray
    reaches: np.ndarray
    movable: bool = True

    def __post_init__(self):
        read_only(self, x=("n",), y=("n",), reaches=("n",))
        if np.any(self.reaches <= 0):
            raise InputError(
                f"the region of a point source must have an area, got a radius of {self.reaches.min():g} arcsec"
            )

    def __len__(self):
        return len(self.x)

    @classmethod
    def of_shapes(cls, shapes, *, movable=True):
        """One source at the centre of each shape that is not cut out; of each that is, where the list does nothing else, as masks are written in CIAO.

        An ellipse reaches as far as the circle of its area, sqrt(a b); of other shapes half the mean side of the box, or of the box about them, counts.

        Parameters
        ----------
        shapes : Shapes
            As region files and source lists are read: circles, ellipses, boxes, polygons.

        Raises
        ------
        InputError
            When a shape has no bounds, or is a ring, which is drawn around a source and not on it.
        """
        terms = [
            term
            for term in (shapes.holes() if shapes.only_excludes else shapes).terms
            if not term.exclude
        ]
        places = np.array([_place(term) for term in terms], float).reshape(-1, 3)
        return cls(x=places[:, 0], y=places[:, 1], reaches=places[:, 2], movable=movable)

    def select(self, index):
        """The sources that `index` (integers or booleans) names."""
        return PointSources(
            x=self.x[index], y=self.y[index], reaches=self.reaches[index], movable=self.movable
        )

    def usable(self, observations, reference):
        """The sources that the photons can tell of, and how many are left out, by reason.

        A source is left out where there is no exposure, where all of it is cut out, and where it lies within half the PSF's radius of 39 % of one before it.

        Parameters
        ----------
        observations : sequence of Observation
        reference : float
            E_ref.

        Returns
        -------
        sources : PointSources
        left_out : dict of str to int
        """
        exposed = (
            self._sum(
                observations, lambda o: o.completeness.exposure_at(self.x, self.y) / reference
            )
            >= _LEAST_SEEN
        )
        seen = exposed & (self._completeness(observations, reference) >= _LEAST_SEEN)
        own = np.array(seen)
        radii = [core_radius(*o.psf.at(self.x, self.y)) for o in observations if o.psf is not None]
        least = _SAME * np.min(radii, axis=0) if radii and len(self) else np.zeros(len(self))
        for i in np.flatnonzero(seen):
            own[i] = not np.any(
                own[:i] & (np.hypot(self.x[:i] - self.x[i], self.y[:i] - self.y[i]) < least[i])
            )
        reasons = {
            "without exposure": ~exposed,
            "under a mask or outside the region": exposed & ~seen,
            "listed twice": seen & ~own,
        }
        return self.select(own), {
            reason: int(which.sum()) for reason, which in reasons.items() if which.any()
        }

    def apart_from(self, places):
        """The sources that have none of some places (n, 2) [arcsec] within their circles."""
        if len(places) == 0:
            return self
        distance = np.hypot(self.x[:, None] - places[:, 0], self.y[:, None] - places[:, 1])
        return self.select((distance > self.reaches[:, None]).all(1))

    def _completeness(self, observations, reference):
        # A small mask may leave open a share of the cell that it lies in.
        return self._sum(
            observations,
            lambda o: np.where(
                o.cuts_out(self.x, self.y),
                0.0,
                o.completeness.effective_at(self.x, self.y) / reference,
            ),
        )

    def _sum(self, observations, share):
        """A share summed over the observations, (n,); 1 for each that is complete everywhere."""
        return sum(
            (np.ones(len(self)) if o.completeness is None else share(o) for o in observations),
            np.zeros(len(self)),
        )

    def started(self, observations, reference):
        """The sources as components of a fit: with the flux of the photons in their circles beyond the level of the ring about them, all but the flux held.

        Returns
        -------
        mixture : Mixture
        fixed : Fixed
        """
        inside, around = np.zeros(len(self)), np.zeros(len(self))
        for o in observations:
            for i in range(len(self)):
                distance = np.hypot(o.photons.x - self.x[i], o.photons.y - self.y[i])
                inside[i] += o.photons.weights[distance < self.reaches[i]].sum()
                around[i] += o.photons.weights[
                    (distance >= self.reaches[i]) & (distance < 2 * self.reaches[i])
                ].sum()
        # The ring has three times the circle's area.
        fluxes = np.maximum(inside - around / 3, 1.0) / np.maximum(
            self._completeness(observations, reference), _LEAST_SEEN
        )
        n = len(self)
        mixture = Mixture(
            fluxes=fluxes,
            means=np.stack([self.x, self.y], axis=1),
            covariances=np.tile(POINT_SIGMA**2 * np.eye(2), (n, 1, 1)),
        )
        return mixture, Fixed(
            fluxes=np.zeros(n, bool),
            means=np.ones(n, bool),
            covariances=np.ones(n, bool),
            points=np.ones(n, bool),
        )

    def strayed(self, means):
        """Which sources have left their circles, (n,) booleans, and all places brought back to the edge, (n, 2) [arcsec]."""
        homes = np.stack([self.x, self.y], axis=1)
        shift = means - homes
        distance = np.hypot(*shift.T)
        out = distance > self.reaches
        return out, np.where(
            out[:, None],
            homes + shift * (self.reaches / np.maximum(distance, 1e-300))[:, None],
            means,
        )


def _place(term):
    """Centre and reach of a source's region, (x, y, radius) [arcsec]."""
    shape, negated = term.parts[0]
    if any(isinstance(part, Ring) and not cut for part, cut in term.parts):
        raise InputError(
            f"{term.short_label}: a ring, pie or panda is no region of a point source: give a circle or an ellipse on it"
        )
    x0, x1, y0, y1 = term.bounds()
    if not np.all(np.isfinite([x0, x1, y0, y1])):
        raise InputError(
            f"{term.short_label}: a point source needs a region with bounds, such as a circle or an ellipse"
        )
    reach = np.sqrt(max(x1 - x0, 0.0) * max(y1 - y0, 0.0)) / 2
    if len(term.parts) == 1 and not negated:
        reach = (
            np.sqrt(shape.rx * shape.ry)
            if isinstance(shape, Ellipse)
            else np.sqrt(shape.width * shape.height) / 2
            if isinstance(shape, Box)
            else reach
        )
    return (x0 + x1) / 2, (y0 + y1) / 2, reach
