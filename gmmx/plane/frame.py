"""The tangent plane of the sky, and the telescope's physical pixels in it.

A position is (x, y) in arcsec in the tangent plane (TAN projection) about a reference direction.
Its axes run as they do on the screen: x grows with the image column, to the west, and y with the
row, to the north. Right ascension, declination and position angle appear only where files are read
and written.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InputError
from .systems import SYSTEMS, converted

ARCSEC_PER_RADIAN = 206264.80624709636


@dataclass(frozen=True, repr=False)
class SkyFrame:
    """A tangent plane: the gnomonic (TAN) projection about a direction of the sky.

    Parameters
    ----------
    ra0, dec0 : float
        Direction in which the plane touches the sphere [deg].
    radesys : {"ICRS", "FK5", "FK4"}
        Celestial reference system of `ra0` and `dec0`: FK5 is that of J2000, FK4 that of B1950.

    Raises
    ------
    InputError
        If `ra0` is not finite, `dec0` is not a declination, or the system is another.

    References
    ----------
    Calabretta & Greisen 2002, A&A 395, 1077, section 5.1.3.

    Examples
    --------
    >>> frame = SkyFrame(150.0, 20.0)
    >>> frame
    SkyFrame(150, 20, ICRS)
    >>> x, y = frame.to_plane(150.01, 20.0)
    >>> print(f"{x:.3f} {y:.3f}")
    -33.829 0.001
    """

    ra0: float
    dec0: float
    radesys: str = "ICRS"

    def __post_init__(self):
        if not (np.isfinite(self.ra0) and -90 <= self.dec0 <= 90):
            raise InputError(
                "a tangent point needs a finite right ascension and a declination in [-90, 90], "
                f"got {self.ra0}, {self.dec0}"
            )
        system = str(self.radesys).strip().upper()
        if system not in SYSTEMS:
            raise InputError(
                f"a tangent plane is in one of the systems {', '.join(SYSTEMS)}, "
                f"got {self.radesys!r}"
            )
        object.__setattr__(self, "radesys", system)

    def __repr__(self):
        return f"SkyFrame({self.ra0:.9g}, {self.dec0:.9g}, {self.radesys})"

    def to_plane(self, ra: ArrayLike, dec: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Project directions onto the plane.

        Parameters
        ----------
        ra, dec : float or array
            Directions in the system `radesys` [deg].

        Returns
        -------
        x, y : float or array
            Positions [arcsec]. A direction 90 degrees or more from the tangent point has no image
            in the plane: its position is NaN.
        """
        ra, dec = np.radians(ra), np.radians(dec)
        ra0, dec0 = np.radians(self.ra0), np.radians(self.dec0)
        cosine = np.sin(dec0) * np.sin(dec) + np.cos(dec0) * np.cos(dec) * np.cos(ra - ra0)
        cosine = np.where(cosine > 0, cosine, np.nan)
        east = np.cos(dec) * np.sin(ra - ra0) / cosine
        north = (
            np.cos(dec0) * np.sin(dec) - np.sin(dec0) * np.cos(dec) * np.cos(ra - ra0)
        ) / cosine
        return -east * ARCSEC_PER_RADIAN, north * ARCSEC_PER_RADIAN

    def to_sky(self, x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return the directions (ra, dec) [deg] of positions [arcsec]: the inverse of `to_plane`.

        Examples
        --------
        >>> SkyFrame(150.0, 20.0).to_sky(0.0, 3600.0)[1].round(6)
        np.float64(20.999898)
        """
        east, north = -np.asarray(x) / ARCSEC_PER_RADIAN, np.asarray(y) / ARCSEC_PER_RADIAN
        dec0 = np.radians(self.dec0)
        down = np.cos(dec0) - north * np.sin(dec0)
        ra = self.ra0 + np.degrees(np.arctan2(east, down))
        dec = np.degrees(np.arctan2(np.sin(dec0) + north * np.cos(dec0), np.hypot(east, down)))
        return np.mod(ra, 360.0), dec

    def to_frame(
        self, other: "SkyFrame", x: ArrayLike, y: ArrayLike
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions [arcsec] in another plane of positions in this one.

        The way leads through the sky, and from one celestial system to the other.

        Examples
        --------
        >>> x, y = SkyFrame(150.0, 20.0, "FK5").to_frame(SkyFrame(150.0, 20.0), 0.0, 0.0)
        >>> print(f"{1000 * x:.0f} {1000 * y:.0f} mas")
        17 18 mas
        """
        ra, dec = self.to_sky(x, y)
        return other.to_plane(*converted(ra, dec, self.radesys, other.radesys))

    def north(self, x: ArrayLike, y: ArrayLike) -> np.ndarray:
        """Return the direction of north at positions [arcsec].

        Meridians are straight lines through the image of the pole, (0, cot dec0). Away from the
        tangent point north is therefore not up, and near the pole the difference is large.

        Returns
        -------
        float or array
            Angle from the plane's y axis to north, counter-clockwise [deg].
        """
        dec0 = np.radians(self.dec0)
        return np.degrees(
            np.arctan2(
                np.asarray(x) * np.sin(dec0),
                ARCSEC_PER_RADIAN * np.cos(dec0) - np.asarray(y) * np.sin(dec0),
            )
        )


@dataclass(frozen=True, repr=False)
class PhysicalFrame:
    """The telescope's sky pixels, the "physical" coordinates of CIAO and DS9, in a tangent plane.

    They are linear in the plane:

        x = step_x (X - x0) + cross_x (Y - y0),    y = cross_y (X - x0) + step_y (Y - y0).

    Parameters
    ----------
    x0, y0 : float
        Physical coordinates of the plane's origin [pixel].
    step_x, step_y : float
        Size of a physical pixel along x and y [arcsec]; negative where the physical axis runs
        against the plane's.
    cross_x, cross_y : float
        Change of x with the physical Y, and of y with the physical X [arcsec / pixel]. They are
        zero unless the pixels are turned.

    Raises
    ------
    InputError
        If a number is not finite, or the pixels have no area.

    Examples
    --------
    >>> acis = PhysicalFrame(x0=4096.5, y0=4096.5, step_x=0.492, step_y=0.492)
    >>> acis
    PhysicalFrame(4096.5, 4096.5 at the tangent point, pixels of 0.492 x 0.492 arcsec)
    >>> x, y = acis.to_plane(4196.5, 4086.5)
    >>> print(f"{x:.2f} {y:.2f}")
    49.20 -4.92
    """

    x0: float
    y0: float
    step_x: float
    step_y: float
    cross_x: float = 0.0
    cross_y: float = 0.0

    def __post_init__(self):
        numbers = (self.x0, self.y0, *self.matrix.ravel().tolist())
        if not np.isfinite(numbers).all() or self.pixel_area == 0:
            raise InputError(
                "physical pixels need finite coordinates and an area that is not zero, "
                f"got {numbers}"
            )

    def __repr__(self):
        sides = np.hypot(*self.matrix)
        turned = "" if self.is_aligned else ", turned"
        return (
            f"PhysicalFrame({self.x0:.9g}, {self.y0:.9g} at the tangent point, "
            f"pixels of {sides[0]:.6g} x {sides[1]:.6g} arcsec{turned})"
        )

    @classmethod
    def from_matrix(cls, x0: float, y0: float, matrix: ArrayLike) -> "PhysicalFrame":
        """Make a frame of the pixel at the plane's origin and of a (2, 2) `matrix`."""
        matrix = np.array(matrix, np.float64)
        noise = 1e-9 * np.sqrt(abs(np.linalg.det(matrix)))
        if abs(matrix[0, 1]) + abs(matrix[1, 0]) < noise:
            matrix = np.diag(matrix.diagonal())
        (step_x, cross_x), (cross_y, step_y) = matrix.tolist()
        return cls(float(x0), float(y0), step_x, step_y, cross_x, cross_y)

    @property
    def matrix(self) -> np.ndarray:
        """Change of the position with the physical coordinates, (2, 2) [arcsec / pixel]."""
        return np.array([[self.step_x, self.cross_x], [self.cross_y, self.step_y]])

    @property
    def is_aligned(self) -> bool:
        """Whether the physical axes are parallel to those of the plane."""
        return self.cross_x == 0 and self.cross_y == 0

    @property
    def pixel_area(self) -> float:
        """Area of a physical pixel [arcsec^2]."""
        return abs(self.step_x * self.step_y - self.cross_x * self.cross_y)

    def to_plane(self, x_pix: ArrayLike, y_pix: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions (x, y) [arcsec] of physical coordinates [pixel]."""
        dx, dy = np.asarray(x_pix, np.float64) - self.x0, np.asarray(y_pix, np.float64) - self.y0
        if self.is_aligned:
            return dx * self.step_x, dy * self.step_y
        return (
            dx * self.step_x + dy * self.cross_x,
            dx * self.cross_y + dy * self.step_y,
        )

    def to_physical(self, x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return the physical coordinates [pixel] of positions (x, y) [arcsec]."""
        if self.is_aligned:
            return np.asarray(x) / self.step_x + self.x0, np.asarray(y) / self.step_y + self.y0
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        (a, b), (c, d) = np.linalg.inv(self.matrix)
        return a * x + b * y + self.x0, c * x + d * y + self.y0
