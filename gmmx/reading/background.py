"""From what --background says to the backgrounds of an observation: kinds, levels that are held, and shapes from the exposure, the photons or a file."""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError, DataWarning, InputError
from ..io.backgrounds import read_background
from ..model.background import Background
from ..model.completeness import reference_exposure
from ..model.photons import EventList
from ..plane.grid import SkyImage
from ..plane.resample import map_means
from ..telescope.acis import (
    BACK_ILLUMINATED,
    chip_areas,
    normalised,
    streak_shape,
    streak_share,
    time_share,
    vignetting_spread,
)
from .levels import expected_counts
from .selection import select_energy

WORDS = ("sky", "particle", "particle-fi", "particle-bi", "streak")
FIXED = ":fixed"
FORMS = "write sky, particle, streak, a FITS file, FILE:fixed, sky=VALUE, particle=VALUE, streak=SHARE or none, joined with commas"
# Vignetting that varies by less than this over the field cannot tell particles from sky; by less than the second, not even in principle.
TELLING, SAME = 0.01, 1e-4
# Counts under the kernel that smooths a file's photons: 3 per cent of noise; and the kernel's limits [arcsec].
SMOOTHED_COUNTS, NARROWEST, WIDEST = 1000.0, 8.0, 128.0
# Share of the field that a file may leave out before it is said.
UNCOVERED = 0.02


@dataclass(frozen=True)
class Wanted:
    """One background as it was asked for: a word or a path, and the level or whether the file's own is held."""

    what: str
    level: float | None = None
    is_file: bool = False
    fixed: bool = False

    @property
    def name(self):
        return Path(self.what).name if self.is_file else self.what


def parse_backgrounds(background):
    """What was asked for, a tuple of Wanted; None where nothing was, and the instrument decides.

    Parameters
    ----------
    background : None, str or sequence of str
        Words or files, each string one of them or several joined with commas.

    Raises
    ------
    InputError
        When a word is unknown, a level is no level, or the same is asked for twice.
    """
    if background is None:
        return None
    texts = [
        str(text).strip()
        for text in ((background,) if isinstance(background, (str, Path)) else background)
    ]
    parts = [
        part.strip()
        for text in texts
        for part in ([text] if _names_file(text) else text.split(","))
    ]
    wanted = []
    for text in filter(None, parts):
        word, _, level = text.partition("=")
        if text == "none":
            continue
        if word in WORDS:
            wanted.append(Wanted(word, _level(text, level) if "=" in text else None))
        elif _names_file(text) or re.search(r"[./]", text.removesuffix(FIXED)):
            wanted.append(
                Wanted(text.removesuffix(FIXED), is_file=True, fixed=text.endswith(FIXED))
            )
        else:
            raise InputError(f"background {text!r}: {FORMS}")
    names = [one.name for one in wanted]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"background {', '.join(texts)}: one {twice} background is enough")
    if "particle" in names and {"particle-fi", "particle-bi"} & set(names):
        raise InputError(
            f"background {', '.join(texts)}: particle is particle-fi and particle-bi already: give either"
        )
    return tuple(wanted)


def _names_file(text):
    return text not in WORDS and Path(text.removesuffix(FIXED)).is_file()


def _level(text, level):
    try:
        value = float(level)
    except ValueError:
        value = np.nan
    if not (np.isfinite(value) and value >= 0):
        raise InputError(
            f"background {text!r}: the level must be a number, at least 0, such as sky=2e-9"
        )
    if text.startswith("streak") and value >= 1:
        raise InputError(
            f"background {text!r}: that is the share of all photons, below 1, such as streak=0.0128"
        )
    return value


def make_backgrounds(wanted, listed, completeness, *, measured=True):
    """The backgrounds of an observation.

    A held sky level is an amplitude at this observation's largest exposure; a joint fit, whose reference exposure is another, starts from the level itself.

    Parameters
    ----------
    wanted : tuple of Wanted or None
        Of `parse_backgrounds`. None: sky, and for ACIS particles where vignetting tells them from the sky.
    listed : EventList or CountsImage
        The photons of the chips and the band, before any shape has cut them.
    completeness : Completeness
        With all masks in it.
    measured : bool
        Whether the completeness comes from an exposure map: a vignetting that is only about right cannot tell particles from the sky, and what it errs by would
        come back as broad components.

    Returns
    -------
    backgrounds : tuple of Background
    noted : dict
        The levels that were asked for, for the metadata.
    said : str or None
        How each was made, for people; None where there are none.
    used : list of Path
        Files that were read.
    """
    said = ""
    if wanted is None:
        wanted, said = _usual(listed, completeness, measured)
    if {"sky", "particle"} <= {
        one.what for one in wanted if one.level is None
    } and vignetting_spread(completeness) < SAME:
        raise InputError(
            "background sky, particle: without vignetting in the exposure they are the same: give one of them, or an exposure map"
        )
    made, noted, told = [], {}, []
    for one in wanted:
        if one.is_file:
            background, how = _from_file(one, listed, completeness)
            made.append(background)
        elif one.what == "sky":
            flux = completeness.has_flux_unit
            made.append(
                Background(**_held(one.level, reference_exposure([completeness]) if flux else 1.0))
            )
            how = "fitted" if one.level is None else f"held at {one.level:g}"
            if one.level is not None:
                noted = {
                    "sky_background": one.level,
                    "sky_background_unit": "photon/cm**2/s/arcsec**2"
                    if flux
                    else "photon/arcsec**2",
                }
        elif one.what == "streak":
            shape, mean = streak_shape(listed, completeness)
            share = streak_share(listed.metadata) if one.level is None else one.level
            made.append(
                Background(
                    name="streak", kind="streak", template=shape, amplitude=share * mean, fixed=True
                )
            )
            how = f"{100 * share:.2f} % of the photons, along the chips' columns"
        else:
            parts = _particles(one, listed, completeness)
            made += parts
            how = ("fitted" if one.level is None else f"held at {one.level:g}") + (
                f" as {' and '.join(b.name for b in parts)}" if len(parts) > 1 else ""
            )
        told.append(f"{one.name} {how}")
    return (
        tuple(made),
        noted,
        (said or "; ".join(told)) or None,
        [Path(one.what) for one in wanted if one.is_file],
    )


def _held(level, scale=1.0):
    return {} if level is None else {"amplitude": level * scale, "fixed": True}


def _usual(listed, completeness, measured):
    """What the instrument's background is, and why."""
    if not str(listed.metadata.get("INSTRUME", "")).upper().startswith("ACIS"):
        return (Wanted("sky"),), "sky, its level fitted"
    if not measured:
        return (
            Wanted("sky"),
        ), "sky, its level fitted (without an exposure map particles are hardly told from it)"
    if vignetting_spread(completeness) < TELLING:
        return (
            Wanted("sky"),
        ), "sky, its level fitted (no vignetting in the exposure that would tell particles from it)"
    return (
        Wanted("sky"),
        Wanted("particle"),
    ), "sky and particles, their levels fitted (default for ACIS)"


def _particles(one, listed, completeness):
    """Particles are recorded wherever and whenever a chip is, at one rate on front-illuminated chips, at another on those illuminated from behind."""
    share = time_share(completeness)
    chips = (
        []
        if listed.photons.ccd is None
        or not str(listed.metadata.get("INSTRUME", "")).upper().startswith("ACIS")
        else np.unique(listed.photons.ccd)
    )
    kinds = np.isin(chips, BACK_ILLUMINATED)
    sides = {one.what: np.ones(share.shape, bool)}
    if one.what != "particle" or (one.level is None and kinds.any() and not kinds.all()):
        behind = (
            np.isin(chip_areas(listed, completeness), BACK_ILLUMINATED)
            if len(chips)
            else np.zeros(share.shape, bool)
        )
        sides = {"particle-fi": ~behind, "particle-bi": behind}
        sides = {name: area for name, area in sides.items() if one.what in ("particle", name)}
    made = []
    for name, area in sides.items():
        values = np.where(area, share, 0.0)
        if not np.any(values * completeness.open_share > 0):
            raise InputError(f"background {name}: none of its chips is in the field: leave it out")
        made.append(
            Background(
                name=name,
                kind="particle",
                template=SkyImage(grid=completeness.grid, values=values),
                **_held(one.level),
            )
        )
    return made


def _from_file(one, listed, completeness):
    """The background that a file holds, and how it was made of it."""
    found = read_background(one.what, frame=listed.frame, physical=listed.physical)
    grid, field = completeness.grid, completeness.exposure > 0
    if isinstance(found, EventList):
        found = _of_the_same(found, listed)
        density, known, is_counts = (
            grid.histogram(*_places(found, listed.frame)) / grid.cell_area,
            np.ones(grid.shape),
            True,
        )
        ours, theirs = (
            (listed.metadata.get("EXPOSURE"), found.metadata.get("EXPOSURE"))
            if one.fixed
            else (1.0, 1.0)
        )
        if not (_is_time(ours) and _is_time(theirs)):
            raise DataError(
                f"{one.what}: its counts are scaled by EXPOSURE, which is not in the headers of both: fit its level (without {FIXED})"
            )
        ratio = ours / theirs
    else:
        unit = found.image.unit.lower()
        if one.fixed and re.search(r"cm|/\s*s|s\s*(\*\*|\^)?\s*-\s*1|arcsec", unit):
            raise DataError(
                f"{one.what}: BUNIT {found.image.unit!r} is not counts per pixel: fit its level (without {FIXED})"
            )
        density = map_means(found.image.values, found.image.grid, grid) / found.image.grid.cell_area
        known, is_counts = (
            map_means(found.known.astype(float), found.image.grid, grid),
            found.is_counts,
        )
        # Photons are scaled like those of an event list; what has been smoothed or scaled is what somebody made it to be.
        times = (listed.metadata.get("EXPOSURE"), found.exposure)
        scales = one.fixed and is_counts and all(_is_time(t) for t in times)
        ratio = times[0] / times[1] if scales else 1.0
    covered = field & (known > 0.5)
    total = float(density[covered].sum() * grid.cell_area)
    if total <= 0:
        raise DataError(
            f"{one.what}: the background file does not overlap the field: is it of another pointing?"
        )
    missing = 1 - covered.sum() / field.sum()
    if missing > UNCOVERED:
        warnings.warn(
            f"{one.what}: it does not cover {100 * missing:.1f} % of the field, which is filled with its mean",
            DataWarning,
            stacklevel=4,
        )
    share = time_share(completeness)
    density = np.where(covered, density / np.maximum(known, 0.5), 0.0)
    how = f"{total:,.0f} counts" if is_counts else f"an image worth {total:,.0f}"
    if is_counts:
        density, sigma = _smoothed(density, share, covered, listed, completeness)
        how += f', smoothed on each chip with sigma {sigma:.0f}"' if sigma else ""
    density = np.where(
        field & ~covered,
        share * density[covered].sum() / max(share[covered].sum(), 1e-300),
        density,
    )
    shape, _ = normalised(density, completeness)
    if not one.fixed:
        return Background(name=one.name, kind="file", template=shape), f"{how}, level fitted"
    # Such that it predicts what the file has where it has anything: smoothing keeps the sum to a per cent or two only.
    background = Background(
        name=one.name,
        kind="file",
        template=shape,
        **_held(total / float(shape.values[covered].sum() * grid.cell_area), ratio),
    )
    scaled = f" times {ratio:.4g}, the ratio of EXPOSURE" if ratio != 1 else ""
    return (
        background,
        f"{how}{scaled}, held at {expected_counts(completeness, background):,.0f} photons",
    )


def _is_time(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0


def _of_the_same(found, listed):
    """The events of a background in the band and on the chips of an observation."""
    band, chips = listed.metadata.get("energy_kev"), listed.metadata.get("chips")
    if isinstance(band, list | tuple) and found.photons.energy_kev is not None:
        found = select_energy(found, tuple(band))
    return (
        found.select(np.isin(found.photons.ccd, chips), "ccd")
        if chips is not None and found.photons.ccd is not None
        else found
    )


def _places(found, frame):
    if found.frame == frame:
        return found.photons.x, found.photons.y
    x, y = frame.to_plane(*found.frame.to_sky(found.photons.x, found.photons.y))
    good = np.isfinite(x) & np.isfinite(y)
    return x[good], y[good]


def _smoothed(density, share, covered, listed, completeness):
    """Counts smoothed within each chip as a rate over the time there, so that neither edges nor gaps darken or spill: ``t G * counts / G * t``."""
    # Loaded where it is needed: that takes a tenth of a second.
    from scipy.ndimage import gaussian_filter

    step = completeness.grid.step
    mean = density[covered].mean()
    sigma = float(
        np.clip(np.sqrt(SMOOTHED_COUNTS / (4 * np.pi * mean)), max(NARROWEST, step), WIDEST)
    )
    chips = (
        chip_areas(listed, completeness)
        if listed.photons.ccd is not None
        else np.zeros(density.shape, int)
    )
    smooth = np.zeros(density.shape)
    for chip in np.unique(chips[covered]):
        area = covered & (chips == chip)
        # A Gaussian reaches four sigmas: no more of the field than that is needed.
        rows, columns = (np.flatnonzero(area.any(axis)) for axis in (1, 0))
        part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        counts, time = (
            gaussian_filter(np.where(area, values, 0.0)[part], sigma / step, mode="constant")
            for values in (density, share)
        )
        smooth[part] += np.where(area[part], share[part] * counts / np.maximum(time, 1e-9), 0.0)
    return smooth, sigma
