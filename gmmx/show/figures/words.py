"""Words in figures: angles, and the two lines at the head."""

from astropy.coordinates import SkyCoord

from .fitting_text import width_of
from .style import LARGE, SMALL, em


def angle(arcsec):
    """Text of an angle, in arcsec or, from 10 arcmin on, in arcmin."""
    if arcsec >= 600:
        return f"{arcsec / 60:.2g}'"
    return f'{arcsec:.2g}"' if arcsec < 100 else f'{arcsec:.0f}"'


def heading_lines(result, width):
    """The lines at the head of a figure of a width [inch]: the target, and facts of the fit."""
    lines = [""]
    for fact in details(result):
        longer = f"{lines[-1]}   |   {fact}" if lines[-1] else fact
        if width_of(longer, SMALL) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(fact)
    return [heading(result), *lines]


def write_heading(figure, lines, *, left):
    """Write the lines at the head of a figure, `left` inches from its edge."""
    width, height = figure.get_size_inches()
    bold = {"fontsize": LARGE, "fontweight": "bold"}
    grey = {"fontsize": SMALL, "color": "0.3"}
    figure.text(left / width, 1 - 1.3 * em() / height, lines[0], va="center", **bold)
    for i, line in enumerate(lines[1:]):
        y = 1 - (2.9 + 1.15 * i) * em() / height
        figure.text(left / width, y, line, va="center", **grey)


def heading(result):
    """The target, and the observations of it."""
    targets = _distinct(o.pointing.target for o in result.observations)
    ids = _distinct(o.pointing.obs_id for o in result.observations)
    text = _first(targets, 2) or _first([o.name for o in result.observations], 2)
    # A dollar sign would start a formula.
    return (text + (f"   ObsID {_first(ids, 4)}" if ids else "")).replace("$", r"\$")


def details(result):
    """Band, exposure time, photons, number of components, background, position, in words."""
    parts = [_first(_distinct(o.pointing.energies for o in result.observations), 2)]
    times = [o.pointing.exposure_time for o in result.observations]
    if all(time is not None for time in times):
        parts.append(f"{sum(times) / 1000:,.1f} ks")
    parts += [
        f"{result.n_photons:,.0f} photons",
        f"K = {len(result.extended)}{_and_points(result)}",
        f"background {100 * result.background_fraction:.0f} %",
    ]
    if result.frame is not None:
        place = SkyCoord(result.frame.ra0, result.frame.dec0, unit="deg")
        parts.append(f"reference position {place.to_string('hmsdms', sep=':', precision=0)}")
    return [part for part in parts if part]


def psf_in_signal(*results):
    """What the PSF did to the signals of models: nothing is deconvolved that had none."""
    known = [o.psf is not None for result in results for o in result.observations]
    if not any(known):
        return "no PSF was given"
    return "deconvolved" if all(known) else f"PSF in {sum(known)} of {len(known)} observations"


def signal_in_words(*results):
    """The same for a description: "deconvolved signal", "signal without a PSF"."""
    text = psf_in_signal(*results)
    if text == "deconvolved":
        return "deconvolved signal"
    return "signal without a PSF" if text.startswith("no") else "partly deconvolved signal"


def name_of(observation):
    """The ObsID of an observation, or else its name."""
    known = observation.pointing.obs_id
    return (f"ObsID {known}" if known else observation.name).replace("$", r"\$")


def _distinct(values):
    """Each value once, in the order given, without empty ones."""
    return list(dict.fromkeys(str(value).strip() for value in values if value))


def _first(words, most):
    """The words with commas between them; of too many, the first ones and how many follow."""
    if len(words) <= most:
        return ", ".join(words)
    return f"{', '.join(words[: most - 1])} and {len(words) - most + 1} more"


def _and_points(result):
    n = len(result.point_sources)
    return f" and {n} point source{'s' * (n != 1)}" if n else ""
