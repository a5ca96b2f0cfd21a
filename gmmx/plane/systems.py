"""Celestial reference systems: which ones a plane may be in, and the way between two of them."""

from typing import TYPE_CHECKING, Union

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from astropy.coordinates import BaseCoordinateFrame

# Systems of a tangent plane, as RADESYS names them: FK5 of J2000 and FK4 of B1950.
SYSTEMS = ("ICRS", "FK5", "FK4")


def converted(
    lon: ArrayLike,
    lat: ArrayLike,
    system: Union[str, "BaseCoordinateFrame"],
    other: Union[str, "BaseCoordinateFrame"],
) -> tuple[np.ndarray, np.ndarray]:
    """Convert directions from one celestial system to another.

    Parameters
    ----------
    lon, lat : float or array
        Directions [deg].
    system, other : str or astropy frame
        A name, such as those of `SYSTEMS`, or a frame of astropy. Directions stay as they are,
        to the bit, where the two are equal.

    Returns
    -------
    lon, lat : float or array
        [deg]

    Examples
    --------
    >>> lon, lat = converted(266.40499, -28.93617, "FK5", "galactic")
    >>> print(f"{abs((lon + 180) % 360 - 180):.3f} {abs(lat):.3f}")
    0.000 0.000
    """
    if isinstance(system, str) and isinstance(other, str) and system.lower() == other.lower():
        return np.asarray(lon)[()], np.asarray(lat)[()]
    # Imported here because it takes a tenth of a second, which --help should not wait for.
    from astropy.coordinates import SkyCoord

    theirs, ours = (one.lower() if isinstance(one, str) else one for one in (system, other))
    here = SkyCoord(lon, lat, unit="deg", frame=theirs)
    # Merged, a frame that is given by its name would take over the equinox of the other.
    there = here.transform_to(ours, merge_attributes=False).spherical
    return there.lon.deg, there.lat.deg
