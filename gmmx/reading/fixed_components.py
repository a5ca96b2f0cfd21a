"""Component tables become mixtures again, with a record of which parameters stay fixed."""

from dataclasses import replace

import numpy as np

from ..errors import InputError
from ..io.units import read_unit
from ..model.mixture import FIXED_COLUMNS, POINT_SIGMA, Fixed, Mixture
from ..plane.systems import converted

# Units of the columns that are read; other units of the same quantity are converted.
UNITS = {
    **dict.fromkeys(("x", "y", "sigma_major", "sigma_minor"), "arcsec"),
    **dict.fromkeys(("ra", "dec", "position_angle"), "deg"),
    "photons": "photon",
    "flux": "photon/cm**2/s",
}
SHAPE_COLUMNS = ("photons", "sigma_major", "sigma_minor", "position_angle")
# x, y that differ from ra, dec by less than this are the same positions, with more digits [arcsec].
SAME_POSITION = 1e-3


def mixture_from_table(table, frame=None):
    """Return the mixture that a component table describes, in the order of its rows.

    This is the inverse of `answers.components.component_table`.

    Parameters
    ----------
    table : astropy.table.Table
        Columns photons, sigma_major and sigma_minor [arcsec], position_angle [deg], and either
        ra and dec [deg] (with a frame) or x and y [arcsec] (without one). A row whose two sigmas
        are 0 is a point source.
    frame : SkyFrame, optional
        Tangent plane of the mixture. It may differ from the plane of the table.

    Returns
    -------
    Mixture

    Raises
    ------
    InputError
        If a column is missing or a size is not positive.

    Examples
    --------
    >>> from astropy.table import Table
    >>> row = {"photons": 9.0, "sigma_major": 2.0, "sigma_minor": 1.0, "position_angle": 0.0}
    >>> mixture = mixture_from_table(Table([row | {"x": 3.0, "y": 4.0}]))
    >>> mixture.covariances[0].round(12).tolist()
    [[1.0, 0.0], [0.0, 4.0]]
    """
    needed = [*SHAPE_COLUMNS, *(("x", "y") if frame is None else ("ra", "dec"))]
    missing = [name for name in needed if name not in table.colnames]
    if missing:
        raise InputError(
            f"a component table needs the columns {', '.join(needed)}: "
            f"there is no {', '.join(missing)}"
        )
    fluxes, major, minor, angle, *position = (_numbers(table, name) for name in needed)
    _check_angles(angle, *(() if frame is None else position))
    points = (major == 0) & (minor == 0)
    major, minor = np.where(points, POINT_SIGMA, major), np.where(points, POINT_SIGMA, minor)
    if not (np.all(major > 0) and np.all(minor > 0)):
        raise InputError(
            "every component needs a sigma_major and a sigma_minor above 0, "
            "or both 0 for a point source"
        )
    (x, y), north = _in_plane(table, frame, *position)
    covariances = _covariances(major, minor, np.radians(angle + north))
    return Mixture(fluxes=fluxes, means=np.stack([x, y], 1), covariances=covariances)


def _in_plane(table, frame, u, v):
    """Return the positions of a table in the plane, and the direction of its north there [deg]."""
    if frame is None:
        return (u, v), np.zeros(len(u))
    theirs = (table.meta.get("frame") or {}).get("radesys", frame.radesys)
    x, y = frame.to_plane(*converted(u, v, theirs, frame.radesys))
    if theirs == frame.radesys:
        return (x, y), frame.north(x, y)
    # A step along the meridian of the other system.
    step = np.where(v > 0, -1e-3, 1e-3)
    x1, y1 = frame.to_plane(*converted(u, v + step, theirs, frame.radesys))
    return (x, y), np.degrees(np.arctan2(-(x1 - x) * step, (y1 - y) * step))


def _check_angles(angle, ra=0.0, dec=0.0):
    """Refuse angles that have no meaning."""
    for name, values, most in (
        ("position_angle", angle, 3600.0),
        ("ra", ra, 360.0),
        ("dec", dec, 90.0),
    ):
        worst = float(np.max(np.abs(values), initial=0.0))
        # NaN has a message of its own, later.
        if worst > most:
            raise InputError(f"column {name} holds {worst:g}: it is in degrees, up to {most:g}")


def _covariances(major, minor, turn):
    """Covariances (K, 2, 2) of ellipses whose major axes lie `turn` counter-clockwise from y."""
    along = np.stack([-np.sin(turn), np.cos(turn)], -1)
    across = np.stack([np.cos(turn), np.sin(turn)], -1)
    return (major**2)[:, None, None] * along[:, :, None] * along[:, None, :] + (minor**2)[
        :, None, None
    ] * across[:, :, None] * across[:, None, :]


def fixed_from_table(table, frame, reference_exposure, exposure_unit):
    """Return the components of a table and which of their parameters a fit keeps fixed.

    The boolean columns fixed_flux, fixed_mean and fixed_covariance mark the fixed parameters. A
    table without any of them fixes everything; a row in which none is true is only a start.

    The photons of a component are its flux times the reference exposure where both exist, else
    the column photons.

    Parameters
    ----------
    table : astropy.table.Table
        A table as `mixture_from_table` takes it.
    frame : SkyFrame or None
        Tangent plane of the fit.
    reference_exposure : float
        Reference exposure of the fit, in `exposure_unit`.
    exposure_unit : str
        "cm**2 s" if photons over exposure are a flux.

    Returns
    -------
    mixture : Mixture
    fixed : Fixed

    Raises
    ------
    InputError
        If the table is empty, a column is missing, unknown or not boolean, nothing is fixed, or
        a value is impossible.
    """
    if len(table) == 0:
        raise InputError("has no row: there is no component to fix")
    fixed = _fixed_columns(table)
    table = table.copy()
    flux = _numbers(table, "flux")
    if exposure_unit != "cm**2 s":
        flux = np.full(len(table), np.nan)
    photons = _numbers(table, "photons")
    table["photons"] = np.where(np.isfinite(flux), flux * reference_exposure, photons)
    mixture = mixture_from_table(table, frame)
    return replace(mixture, means=_exact_means(table, frame, mixture.means)), fixed


def _fixed_columns(table):
    """Read the boolean columns of a table as a Fixed."""
    given = [name for name in table.colnames if name.lower().startswith("fixed")]
    unknown = [name for name in given if name not in FIXED_COLUMNS]
    if unknown:
        raise InputError(
            f"column {unknown[0]} is unknown: {', '.join(FIXED_COLUMNS)} mark fixed parameters"
        )
    for name in given:
        if table[name].dtype.kind != "b" or np.any(getattr(table[name], "mask", False)):
            raise InputError(
                f"column {name} must be true or false in every row (datatype bool), "
                f"it holds {table[name].dtype}"
            )
    columns = {
        field: np.array(table[name]) if name in given else np.full(len(table), not given)
        for name, field in FIXED_COLUMNS.items()
    }
    points = (_numbers(table, "sigma_major") == 0) & (_numbers(table, "sigma_minor") == 0)
    fixed = Fixed(**(columns | {"covariances": columns["covariances"] | points}), points=points)
    if not fixed.any_fixed.any():
        raise InputError(
            f"{', '.join(given)} {'are' if len(given) > 1 else 'is'} false in every row: "
            "mark the parameters to keep fixed"
        )
    return fixed


def _exact_means(table, frame, means):
    """Take x and y of a table in the plane of the fit where they agree with ra and dec.

    They have all digits: ra and dec lose some on the way to the sky and back.
    """
    own = table.meta.get("frame") or {}
    if frame is None or (own.get("ra0"), own.get("dec0")) != (frame.ra0, frame.dec0):
        return means
    if not {"x", "y"} <= set(table.colnames):
        return means
    exact = np.stack([_numbers(table, "x"), _numbers(table, "y")], axis=1)
    same = np.abs(exact - means).max(1) < SAME_POSITION
    return np.where(same[:, None], exact, means)


def _numbers(table, name):
    """Return a column as floats, NaN where the table has no value."""
    if name not in table.colnames:
        return np.full(len(table), np.nan)
    column = table[name]
    if column.ndim != 1 or column.dtype.kind not in "iuf":
        raise InputError(f"column {name} does not hold one number in each row")
    unit, expected = getattr(column, "unit", None), UNITS[name]
    factor = 1.0 if unit is None else read_unit(str(unit)).of(expected)
    if factor is None:
        raise InputError(f"column {name} has the unit {unit}: it must be {expected}")
    return factor * np.asarray(
        column.filled(np.nan) if hasattr(column, "filled") else column, np.float64
    )
