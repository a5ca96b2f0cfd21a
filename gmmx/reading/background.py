"""Make the backgrounds of an observation: those that are asked for, or the instrument's."""

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..model.background import Background
from ..model.completeness import reference_exposure
from ..model.pointing import SkyBrightness
from ..plane.grid import SkyImage
from ..telescope.acis import (
    chip_areas,
    exposed_fraction,
    streak_fraction,
    streak_template,
    vignetting_spread,
)
from ..telescope.instruments import instrument_of
from .background_file import background_of_file
from .background_request import BackgroundRequest, parse_backgrounds

# Relative spread of the vignetting over the field that can tell particles from the sky, and the
# spread below which they are the same even in principle.
TELLING, SAME = 0.01, 1e-4
FLUX_BRIGHTNESS, PHOTON_BRIGHTNESS = "photon/cm**2/s/arcsec**2", "photon/arcsec**2"


@dataclass(frozen=True, eq=False, kw_only=True)
class ChosenBackgrounds:
    """The backgrounds of an observation and how they were made.

    Attributes
    ----------
    backgrounds : tuple of Background
    choice : str or None
        How each was made, for people; None if there is none.
    files : tuple of str
        Files that were read.
    sky_brightness : SkyBrightness or None
        Brightness that a sky background is fixed at.
    """

    backgrounds: tuple = ()
    choice: str | None = None
    files: tuple = ()
    sky_brightness: SkyBrightness | None = None

    def __repr__(self):
        return f"ChosenBackgrounds({self.choice or 'none'})"


def choose_backgrounds(recorded, exposure, completeness, background, instrument):
    """Make the backgrounds of an observation.

    A sky whose brightness is given has its amplitude at the largest exposure of this observation.
    `background_amplitudes.at_reference` rescales it for a joint fit.

    Parameters
    ----------
    recorded : EventList or CountsImage
        Photons of the chosen chips and band, before any mask.
    exposure : ChosenExposure
    completeness : Completeness
        With all masks.
    background : sequence of str
        As in `ReadOptions`. Empty: sky, and for ACIS also particles where the vignetting can tell
        them from the sky.
    instrument : Instrument

    Returns
    -------
    ChosenBackgrounds

    Raises
    ------
    InputError, DataError
        If a background cannot be made.
    """
    requests, choice = parse_backgrounds(background), None
    if requests is None:
        requests, choice = _of_the_instrument(instrument, completeness, exposure.is_measured)
    fitted = {one.what for one in requests if one.amplitude is None}
    if {"sky", "particle"} <= fitted and vignetting_spread(completeness) < SAME:
        raise InputError(
            "`background` = sky, particle: without vignetting in the exposure they are the same: "
            "give one of them, or an exposure map",
            parameter="background",
        )
    made, sky_brightness = [], None
    for one in requests:
        make = background_of_file if one.is_file else MAKERS[one.what]
        backgrounds, how = make(one, recorded, completeness)
        made.append((backgrounds, f"{one.name} {how}"))
        if one.what == "sky" and one.amplitude is not None:
            unit = FLUX_BRIGHTNESS if completeness.has_flux_unit else PHOTON_BRIGHTNESS
            sky_brightness = SkyBrightness(one.amplitude, unit)
    return ChosenBackgrounds(
        backgrounds=tuple(b for backgrounds, _ in made for b in backgrounds),
        choice=(choice or "; ".join(text for _, text in made)) or None,
        files=tuple(one.what for one in requests if one.is_file),
        sky_brightness=sky_brightness,
    )


def _of_the_instrument(instrument, completeness, is_measured):
    """Return the backgrounds of an instrument as requests, and why they are those.

    Without an exposure map the vignetting is only approximately known. It cannot tell particles
    from the sky then, and its errors would be fitted as broad components.
    """
    names = instrument.backgrounds
    choice = {
        ("sky",): "sky, amplitude fitted",
        ("sky", "particle"): "sky and particles, amplitudes fitted (default for ACIS)",
    }[names]
    if "particle" in names and not is_measured:
        names = ("sky",)
        choice = (
            "sky, amplitude fitted "
            "(without an exposure map particles are hardly distinguishable from the sky)"
        )
    elif "particle" in names and vignetting_spread(completeness) < TELLING:
        names = ("sky",)
        choice = (
            "sky, amplitude fitted "
            "(the exposure has no vignetting that would distinguish particles from the sky)"
        )
    return tuple(BackgroundRequest(name) for name in names), choice


def _how(one):
    return "fitted" if one.amplitude is None else f"fixed at {one.amplitude:g}"


def _fixed(amplitude):
    return {} if amplitude is None else {"amplitude": amplitude, "fixed": True}


def _sky(one, _recorded, completeness):
    """Make a sky background. A given brightness is a flux if the exposure has area and time."""
    amplitude = one.amplitude
    if amplitude is not None and completeness.has_flux_unit:
        amplitude *= reference_exposure([completeness])
    return (Background(**_fixed(amplitude)),), _how(one)


def _streak(one, recorded, completeness):
    """Make the background of photons that arrive while the chips are read out."""
    template, mean = streak_template(recorded, completeness)
    fraction = streak_fraction(recorded.pointing) if one.amplitude is None else one.amplitude
    streak = Background(
        name="streak", kind="streak", template=template, amplitude=fraction * mean, fixed=True
    )
    return (streak,), f"{100 * fraction:.2f} % of the photons, along the chips' columns"


def _particles(one, recorded, completeness):
    """Make the background of particles, which is recorded wherever and whenever a chip is.

    Front-illuminated chips record it at one rate, back-illuminated chips at another one.
    """
    exposed = exposed_fraction(completeness)
    made = []
    for name, area in _illuminated(one, recorded, completeness).items():
        values = np.where(area, exposed, 0.0)
        if not np.any(values * completeness.open_fraction > 0):
            raise InputError(
                f"`background` = {name}: none of its chips is in the field: leave it out",
                parameter="background",
            )
        template = SkyImage(grid=completeness.grid, values=values)
        made.append(
            Background(name=name, kind="particle", template=template, **_fixed(one.amplitude))
        )
    parts = f" as {' and '.join(b.name for b in made)}" if len(made) > 1 else ""
    return tuple(made), _how(one) + parts


def _illuminated(one, recorded, completeness):
    """Return the area of each particle background, by name: the field, or parts of it.

    "particle" is split if its amplitude is fitted and the photons are on chips of both kinds.
    """
    ccd = recorded.photons.ccd
    back_illuminated = instrument_of(recorded.pointing).back_illuminated
    chips = np.unique(ccd) if ccd is not None and back_illuminated else np.zeros(0, int)
    is_back = np.isin(chips, back_illuminated)
    both = one.amplitude is None and is_back.any() and not is_back.all()
    everywhere = np.ones(completeness.grid.shape, bool)
    if one.what == "particle" and not both:
        return {"particle": everywhere}
    back = ~everywhere
    if len(chips):
        back = np.isin(chip_areas(recorded, completeness), back_illuminated)
    areas = {"particle-fi": ~back, "particle-bi": back}
    return {name: area for name, area in areas.items() if one.what in ("particle", name)}


# The maker of each word of `background`. It takes the request, the photons before any mask and the
# completeness with all masks, and returns the backgrounds and how they were made.
MAKERS = {
    "sky": _sky,
    "particle": _particles,
    "particle-fi": _particles,
    "particle-bi": _particles,
    "streak": _streak,
}
