"""What figures say in words: angles, and the two lines at their head."""

import numpy as np


def angle(arcsec):
    """An angle as panels say it."""
    return (
        f"{arcsec / 60:.2g}'"
        if arcsec >= 600
        else f'{arcsec:.2g}"'
        if arcsec < 100
        else f'{arcsec:.0f}"'
    )


def _values(result, name):
    """A keyword's values over the observations, each once, blank ones left out."""
    found = [o.metadata.get(name) for o in result.observations]
    return list(
        dict.fromkeys(
            str(value).strip() for value in found if value is not None and str(value).strip()
        )
    )


def _shortened(words, most=4):
    return (
        ", ".join(words)
        if len(words) <= most
        else f"{', '.join(words[: most - 1])} and {len(words) - most + 1} more"
    )


def heading(result):
    """What was looked at, and the observations of it."""
    objects, ids = _values(result, "OBJECT"), _values(result, "OBS_ID")
    heading = _shortened(objects, 2) or _shortened([o.name for o in result.observations], 2)
    # A dollar sign would start mathematics.
    return (heading + (f"   ObsID {_shortened(ids)}" if ids else "")).replace("$", r"\$")


def details(result):
    """Band, exposure, photons, K and all else that a figure's second line says."""
    bands = list(dict.fromkeys(str(_band(o)) for o in result.observations if _band(o)))
    seconds = [o.metadata.get("EXPOSURE") for o in result.observations]
    parts = [_shortened(bands, 2)]
    if all(isinstance(s, int | float) for s in seconds):
        parts.append(f"{sum(seconds) / 1000:,.1f} ks")
    parts += [
        f"{result.n_photons:,.0f} photons",
        f"K = {len(result.extended)}{_and_points(result)}",
        f"background {100 * result.background_fraction:.0f} %",
    ]
    if not result.converged:
        parts.append("NOT CONVERGED")
    if result.frame is not None:
        parts.append(f"offsets from {_position(result.frame.ra0, result.frame.dec0)}")
    return "   |   ".join(part for part in parts if part)


def _band(observation):
    band = observation.metadata.get("energy_kev")
    if band is None or isinstance(band, str):
        return "all energies" if band == "all" else band
    return f"{band[0]:g}-{band[1]:g} keV" if np.all(np.isfinite(band)) else "all energies"


def _position(ra, dec):
    seconds, arcsec = round(ra / 15 * 36000) / 10 % 86400, round(abs(dec) * 3600)
    hours, degrees = (
        f"{int(seconds // 3600):02d}:{int(seconds // 60 % 60):02d}:{seconds % 60:04.1f}",
        f"{arcsec // 3600:02d}:{arcsec // 60 % 60:02d}:{arcsec % 60:02d}",
    )
    return f"{hours} {'-' if dec < 0 else '+'}{degrees}"


def _and_points(result):
    n = len(result.point_sources)
    return f" and {n} point source{'s' * (n != 1)}" if n else ""
