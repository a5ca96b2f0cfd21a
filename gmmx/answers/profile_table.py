"""The radial profile of a fit as a table, with the names of CIAO's dmextract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from astropy import units
from astropy.table import QTable

from ..config import ProfileConfig
from ..model.flux_notes import flux_note
from .captions import psf_in_words
from .centres import centre_of, edges_of, reach_of
from .drawn_skies import DrawnSkies
from .errors import draws_of
from .flux_table import errors_in_words
from .half_light import half_light_radius
from .isophotes import Isophotes, isophotes
from .ring_profile import ring_profile
from .rings import Rings

if TYPE_CHECKING:
    from ..model.interval import Interval
    from ..model.posterior import Draws
    from ..model.result import FitResult
    from .ring_profile import RingProfile

_ENDS = {
    "_LOWER68": ("lower68", "lower end of the 68 % interval of {}"),
    "_UPPER68": ("upper68", "upper end of the 68 % interval of {}"),
    "_LOWER95": ("lower95", "lower end of the 95 % interval of {}"),
    "_UPPER95": ("upper95", "upper end of the 95 % interval of {}"),
}


def profile_of(result: FitResult, config: ProfileConfig) -> QTable:
    """Measure the radial profile of a fit: one row for each annulus.

    Parameters
    ----------
    result : FitResult
    config : ProfileConfig

    Returns
    -------
    astropy.table.QTable
        With units and descriptions. Brightnesses are in photon/cm**2/s/arcsec**2, or in
        photon/arcsec**2 at the reference exposure if the exposure has no area and time. The
        metadata hold the centre, the half-light radius with its interval, and how the errors
        were made.

    Raises
    ------
    InputError
        If the centre, the annuli or the sector cannot be used.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0.0, 5.0, (2, 500))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> table = profile_of(result, ProfileConfig(bins="0,5,10"))
    >>> table["RMID"]
    <Quantity [2.5, 7.5] arcsec>
    >>> bool(abs(table.meta["half_light_radius"] / (1.1774 * 5.0) - 1) < 0.05)
    True
    """
    rings = rings_of(result, config)
    draws = draws_of(result)
    profile = ring_profile(result, rings, draws)
    table = brightness_table(result, profile)
    bounded = any(o.completeness is not None for o in result.observations)
    reach = reach_of(result, rings) if bounded else np.inf
    skies = DrawnSkies(result, draws)
    half = half_light_radius(skies, rings, reach)
    if config.isophotes:
        _put_isophotes(_Putter(table), result, isophotes(skies, rings, table["RMID"].value))
    table.meta = _facts(result, config, rings, half, reach)
    table.meta["estimate"] = estimate_of(draws)
    return table


def rings_of(result: FitResult, config: ProfileConfig) -> Rings:
    """The annuli that the options ask for, in the plane of a fit."""
    centre = centre_of(result, config.center)
    # Position angles count from north through east, and x grows to the west.
    north = 0.0 if result.frame is None else float(result.frame.north(*centre))
    turn = 90.0 + north
    start, stop = (0.0, 0.0) if config.sector is None else map(float, config.sector)
    rings = Rings(
        centre=centre,
        edges=np.array([0.0, 1.0]),
        axis_ratio=config.axis_ratio,
        angle=0.0 if config.pa is None else config.pa + turn,
        sector=None if config.sector is None else (start + turn, stop + turn),
    )
    return rings.with_edges(edges_of(result, rings, str(config.bins)))


def brightness_table(result: FitResult, profile: RingProfile) -> QTable:
    """The columns of a profile, without metadata."""
    rings, photon = profile.rings, units.photon
    per_photon = result.flux_per_photon if result.has_flux_unit else 1.0 * photon
    brightness = per_photon / units.arcsec**2
    put = _Putter(QTable())
    edges = np.column_stack([rings.edges[:-1], rings.edges[1:]]) * units.arcsec
    put("R", edges, "inner and outer radius of the annulus; semi-major axes if it is elliptical")
    put("RMID", edges.mean(1), "middle of R")
    area = rings.areas() * units.arcsec**2
    put("AREA", area, "area of the annulus, observed or not")
    completeness = profile.exposed / rings.areas()
    put("COMPLETENESS", completeness, "mean completeness: exposure over reference, with masks")
    put("COUNTS", profile.counts * photon, "recorded photons")
    background, net = profile.background, profile.counts - profile.background.value
    put("BG_COUNTS", background.value * photon, "expected photons of backgrounds, point sources")
    put("BG_ERR", background.error * photon, "error of BG_COUNTS")
    put("NET_COUNTS", net * photon, "COUNTS less BG_COUNTS")
    with np.errstate(divide="ignore"):
        scale = np.where(profile.exposed > 0, 1 / profile.exposed, np.nan) * brightness
    low, high = profile.counts - profile.counts_lower, profile.counts_upper - profile.counts
    error, whole = (low + high) / 2, photon / area
    text = "NET_COUNTS over AREA; unlike SUR_FLUX not corrected for exposure, gaps and masks"
    put("SUR_BRI", net * whole, text)
    put("SUR_BRI_ERR", error * whole, "Poisson error of SUR_BRI: half of the interval")
    put("SUR_FLUX", net * scale, "data: NET_COUNTS over exposure and area")
    put("SUR_FLUX_ERR", error * scale, "Poisson error of SUR_FLUX: half of the interval")
    text = "the 68 % Poisson interval of SUR_FLUX (Gehrels 1986)"
    put("SUR_FLUX_ERR_LOW", low * scale, f"distance to the lower end of {text}")
    put("SUR_FLUX_ERR_HIGH", high * scale, f"distance to the upper end of {text}")
    put("SUR_FLUX_BG_ERR", background.error * scale, "error of SUR_FLUX from BG_ERR")
    put("BG_SUR_FLUX", background.value * scale, "BG_COUNTS over exposure and area")
    text = "model of the signal as the PSF blurs it, weighted with the exposure"
    _put_model(put, "MODEL_SUR_FLUX", profile, "blurred", brightness, text)
    text = "deconvolved model, mean over the whole annulus"
    _put_model(put, "DECONV_SUR_FLUX", profile, "deconvolved", brightness, text)
    text = "part of DECONV_SUR_FLUX at positions with a completeness below 5 %"
    put("DECONV_SUR_FLUX_EXTRAPOLATED", profile.extrapolated * brightness, text)
    name = "CUM_FLUX" if result.has_flux_unit else "CUM_PHOTONS"
    put(name, profile.enclosed.value * per_photon, "deconvolved signal within the outer radius")
    _put_interval(put, name, profile.enclosed, per_photon)
    return put.table


class _Putter:
    """Adds columns with their descriptions to a table."""

    def __init__(self, table):
        self.table = table

    def __call__(self, name, values, description):
        self.table[name] = values
        self.table[name].info.description = description


def _put_model(put, name, profile, which, brightness, text):
    """Add the columns of a model: value, parts of the error, intervals."""
    interval, following = getattr(profile, which), profile.background_errors[which]
    put(name, interval.value * brightness, text)
    _put_interval(put, name, interval, brightness)
    rest = np.sqrt(np.maximum(interval.error**2 - following**2, 0.0))
    put(f"{name}_STAT_ERR", rest * brightness, f"part of {name}_ERR if backgrounds were known")
    text = f"part of {name}_ERR that follows the amplitudes of the backgrounds"
    put(f"{name}_BG_ERR", following * brightness, text)


def _put_isophotes(put: _Putter, result: FitResult, found: Isophotes) -> None:
    """Add the columns of the isophotes whose semi-major axes are RMID."""
    x, y, arcsec = found.x.value, found.y.value, units.arcsec
    north = np.zeros(len(x))
    if result.frame is not None:
        known = np.isfinite(x)
        ra, dec = (np.where(known, one, np.nan) for one in result.frame.to_sky(x, y))
        north = result.frame.north(x, y)
        put("ISO_RA", ra * units.deg, "right ascension of the isophote's centre")
        put("ISO_DEC", dec * units.deg, "declination of the isophote's centre")
    for name, interval, unit, text in (
        ("ISO_X", found.x, arcsec, "centre of the isophote in the tangent plane, to the west"),
        ("ISO_Y", found.y, arcsec, "centre of the isophote in the tangent plane, to the north"),
        ("ISO_ELLIPTICITY", found.ellipticity, 1, "one minus the axis ratio of the isophote"),
        ("ISO_PA", found.angle, units.deg, "position angle of its major axis"),
    ):
        value = (interval.value - 90 - north) % 180 if name == "ISO_PA" else interval.value
        put(name, value * unit, text)
        put(f"{name}_ERR", interval.error * unit, f"half of the 68 % interval of {name}")


def _put_interval(put, name, interval, scale):
    put(f"{name}_ERR", interval.error * scale, f"half of the 68 % interval of {name}")
    for end, (field, text) in _ENDS.items():
        put(f"{name}{end}", getattr(interval, field) * scale, text.format(name))


def _facts(result: FitResult, config: ProfileConfig, rings: Rings, half: Interval, reach) -> dict:
    """The metadata of the table."""
    facts: dict = {"center": config.center}
    x, y = (float(one) for one in rings.centre)
    if result.frame is None:
        facts |= {"x": x, "y": y}
    else:
        ra, dec = (float(one) for one in result.frame.to_sky(x, y))
        facts |= {"ra": ra, "dec": dec, "radesys": result.frame.radesys}
    facts |= {"bins": config.bins, "axis_ratio": float(config.axis_ratio)}
    if config.pa is not None:
        facts["pa"] = float(config.pa)
    if config.sector is not None:
        facts["sector"] = "{:g}:{:g}".format(*config.sector)
    if np.isfinite(half.value[0]):
        fields = {"": "value", "_error": "error", "_lower68": "lower68", "_upper68": "upper68"}
        for end, name in fields.items():
            facts[f"half_light_radius{end}"] = float(getattr(half, name)[0])
        if np.isfinite(reach):
            facts["half_light_within"] = reach
    note = flux_note(result)
    facts |= {"errors": errors_in_words(result), "psf": psf_in_words(result)}
    return facts | ({"flux_note": note} if note else {})


def estimate_of(draws: Draws) -> str:
    """What the models of a profile are: "mean", over the draws of a scan, or "best", the fit."""
    return "mean" if draws.method == "scan" else "best"
