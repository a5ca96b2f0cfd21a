"""Point sources that are fitted instead of masked: components without a size of their own."""

from dataclasses import dataclass

import numpy as np

from .._arrays import read_only
from ..errors import InputError
from ..model.mixture import POINT_SIGMA, Fixed, Mixture
from ..model.psf import core_radius
from ..plane.shapes import Box, Ellipse, Ring

# Completeness below which a source cannot be distinguished from nothing.
_LEAST_COMPLETENESS = 0.01
# Sources closer than this part of the radius that holds 39 % of the PSF cannot be distinguished.
_SAME = 0.5


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class PointSources:
    """Positions of point sources, and the regions that they may not leave.

    Parameters
    ----------
    x, y : (n,) array
        Positions in the tangent plane of the fit [arcsec].
    reaches : (n,) array
        Radius of each source's region, a circle [arcsec]. Photons inside it determine the
        source's initial flux, and the source stays within it.
    movable : bool
        Whether the positions are fitted.

    Raises
    ------
    InputError
        If a radius is not positive.

    Examples
    --------
    >>> sources = PointSources(x=[0.0, 30.0], y=[5.0, -5.0], reaches=[2.0, 3.0])
    >>> sources
    PointSources: 2, positions free
    >>> len(sources.apart_from(np.array([[29.0, -5.0]])))
    1
    """

    x: np.ndarray
    y: np.ndarray
    reaches: np.ndarray
    movable: bool = True

    def __post_init__(self):
        read_only(self, x=("n",), y=("n",), reaches=("n",))
        if np.any(self.reaches <= 0):
            raise InputError(
                "the region of a point source must have an area, but a radius is"
                f" {self.reaches.min():g} arcsec"
            )

    def __len__(self):
        """Number of sources."""
        return len(self.x)

    def __repr__(self):
        """Say how many there are, and whether their positions are fitted."""
        return f"PointSources: {len(self)}, positions {'free' if self.movable else 'fixed'}"

    @classmethod
    def of_shapes(cls, shapes, *, movable=True):
        """Make one source at the centre of each included shape.

        If all shapes are excluded, as in CIAO masks, they are used instead. The region of an
        ellipse is the circle of the same area. The radius for other shapes is half of the mean
        side of the box, or of the box around the shape.

        Parameters
        ----------
        shapes : Shapes
        movable : bool

        Returns
        -------
        PointSources

        Raises
        ------
        InputError
            If a shape has no bounds, or is a ring, which is drawn around a source and not on it.
        """
        used = shapes.holes() if shapes.only_excludes else shapes
        rows = [_circle(term) for term in used.terms if not term.exclude]
        x, y, reaches = np.array(rows, float).reshape(-1, 3).T
        return cls(x=x, y=y, reaches=reaches, movable=movable)

    def select(self, index):
        """The sources of `index` (integers or booleans)."""
        return PointSources(
            x=self.x[index], y=self.y[index], reaches=self.reaches[index], movable=self.movable
        )

    def usable(self, observations, reference):
        """The sources that can be fitted, and how many cannot, by reason.

        A source cannot be fitted where there is no exposure, under a mask, and within half of the
        PSF's radius of 39 % from a source before it in the list.

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
        exposed = self._exposure(observations, reference) >= _LEAST_COMPLETENESS
        seen = exposed & (self._completeness(observations, reference) >= _LEAST_COMPLETENESS)
        distinct = self._are_distinct(observations, seen)
        reasons = {
            "without exposure": ~exposed,
            "under a mask or outside the region": exposed & ~seen,
            "listed twice": seen & ~distinct,
        }
        left_out = {reason: int(which.sum()) for reason, which in reasons.items() if which.any()}
        return self.select(distinct), left_out

    def _are_distinct(self, observations, seen):
        """Which of the seen sources are not too close to a seen one before them."""
        radii = [core_radius(*o.psf.at(self.x, self.y)) for o in observations if o.psf is not None]
        least = _SAME * np.min(radii, axis=0) if radii and len(self) else np.zeros(len(self))
        distinct = np.array(seen)
        for i in np.flatnonzero(seen):
            distance = np.hypot(self.x[:i] - self.x[i], self.y[:i] - self.y[i])
            distinct[i] = not np.any(distinct[:i] & (distance < least[i]))
        return distinct

    def apart_from(self, places):
        """The sources that have none of the places (n, 2) [arcsec] in their region."""
        if len(places) == 0:
            return self
        distance = np.hypot(self.x[:, None] - places[:, 0], self.y[:, None] - places[:, 1])
        return self.select((distance > self.reaches[:, None]).all(1))

    def _exposure(self, observations, reference):
        """Exposure of all observations over E_ref, without masks, (n,)."""
        return self._summed(observations, lambda c, _: c.exposure_at(self.x, self.y) / reference)

    def _completeness(self, observations, reference):
        """Completeness of all observations, (n,)."""

        def of_one(completeness, observation):
            # The cell of a source under a small mask may be open in part.
            cut = observation.cuts_out(self.x, self.y)
            return np.where(cut, 0.0, completeness.effective_at(self.x, self.y) / reference)

        return self._summed(observations, of_one)

    def _summed(self, observations, of_one):
        """A sum over observations, (n,), to which each that is complete everywhere adds 1."""
        total = np.zeros(len(self))
        for o in observations:
            total += 1.0 if o.completeness is None else of_one(o.completeness, o)
        return total

    def started(self, observations, reference):
        """The sources as components that a fit starts from, at fixed positions.

        The flux of a source is that of the photons in its region, without the background that
        the ring of twice the radius around it has.

        Parameters
        ----------
        observations : sequence of Observation
        reference : float
            E_ref.

        Returns
        -------
        mixture : Mixture
        fixed : Fixed
            Only the fluxes are free.
        """
        inside, around = np.zeros(len(self)), np.zeros(len(self))
        for o in observations:
            photons = o.photons
            for i, reach in enumerate(self.reaches):
                distance = np.hypot(photons.x - self.x[i], photons.y - self.y[i])
                ring = (distance >= reach) & (distance < 2 * reach)
                inside[i] += photons.weights[distance < reach].sum()
                around[i] += photons.weights[ring].sum()
        # The ring has three times the area of the circle.
        completeness = np.maximum(self._completeness(observations, reference), _LEAST_COMPLETENESS)
        n = len(self)
        mixture = Mixture(
            fluxes=np.maximum(inside - around / 3, 1.0) / completeness,
            means=np.stack([self.x, self.y], axis=1),
            covariances=np.tile(POINT_SIGMA**2 * np.eye(2), (n, 1, 1)),
        )
        yes, no = np.ones(n, bool), np.zeros(n, bool)
        return mixture, Fixed(fluxes=no, means=yes, covariances=yes, points=yes)

    def strayed(self, means):
        """Find the sources that have left their region, and bring them back to its edge.

        Parameters
        ----------
        means : (n, 2) array
            Fitted positions [arcsec].

        Returns
        -------
        outside : (n,) booleans
        means : (n, 2) array
            [arcsec]
        """
        homes = np.stack([self.x, self.y], axis=1)
        shift = means - homes
        distance = np.hypot(*shift.T)
        outside = distance > self.reaches
        edge = homes + shift * (self.reaches / np.maximum(distance, 1e-300))[:, None]
        return outside, np.where(outside[:, None], edge, means)


def _circle(term):
    """Centre and radius of a source's region, (x, y, radius) [arcsec]."""
    shape, negated = term.parts[0]
    if any(isinstance(part, Ring) and not cut for part, cut in term.parts):
        raise InputError(
            f"{term.short_label}: a ring, pie or panda is no region of a point source: give a"
            " circle or an ellipse on it"
        )
    x0, x1, y0, y1 = term.bounds()
    if not np.all(np.isfinite([x0, x1, y0, y1])):
        raise InputError(
            f"{term.short_label}: a point source needs a region with bounds, such as a circle or"
            " an ellipse"
        )
    reach = np.sqrt(max(x1 - x0, 0.0) * max(y1 - y0, 0.0)) / 2
    if len(term.parts) == 1 and not negated:
        if isinstance(shape, Ellipse):
            reach = np.sqrt(shape.rx * shape.ry)
        elif isinstance(shape, Box):
            reach = np.sqrt(shape.width * shape.height) / 2
    return (x0 + x1) / 2, (y0 + y1) / 2, reach
