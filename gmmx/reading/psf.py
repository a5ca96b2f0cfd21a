"""Which PSF an observation gets: what was asked for, or else what its telescope has."""

import math
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError, DataWarning, InputError
from ..io.maps import read_image
from ..io.psf import is_picture, picture_grid, read_chandra_library, read_psf_map, read_psf_maps
from ..model.psf import PsfModel, core_radius
from ..telescope.chandra_psf import PIXEL_VARIANCE, USUAL_ENERGY, pointing_psf
from .psf_image import fit_point_source
from .selection import aim_detector


@dataclass(frozen=True, eq=False, kw_only=True)
class Blur:
    """The PSF of an observation and where it came from.

    Attributes
    ----------
    psf : PsfModel or None
    resolved : str or None
        What to tell people; None where they asked for just this.
    files : tuple of str
        Files that were read.
    """

    psf: PsfModel | None = None
    resolved: str | None = None
    files: tuple = ()


def parse_psf(psf):
    """The kind of PSF that is asked for and its value: ("default", None), ("none", None), ("chandra", None), ("sigma", arcsec) or ("files", paths).

    Parameters
    ----------
    psf : None, float, str, Path or sequence of them
        Several are PSF maps of one observation.

    Raises
    ------
    InputError
        When a word or number stands beside others.
    """
    parts = [psf] if isinstance(psf, (str, Path, int, float)) else list(psf or ())
    parts = [text for text in (str(part).strip() for part in parts if part is not None) if text]
    if not parts:
        return "default", None
    kinds = [_kind(text) for text in parts]
    if len(parts) > 1 and any(kind != "files" for kind, _ in kinds):
        raise InputError(
            f"psf {','.join(parts)}: several values must be PSF maps of different encircled fractions"
        )
    return kinds[0] if kinds[0][0] != "files" else ("files", parts)


def _kind(text):
    if text.lower() in ("none", "chandra"):
        return text.lower(), None
    try:
        return "sigma", float(text)
    except ValueError:
        return "files", None


def choose_blur(listed, psf=None, *, ecf=None, extra=0.0, events="events"):
    """The PSF of an observation.

    Parameters
    ----------
    listed : EventList or CountsImage
        The photons of the fit, for where the field is and which energies it has; their keywords tell the telescope.
    psf : as for `parse_psf`
        One or several PSF maps (`io.blurs`), the image of a point source (`point_source`), the sigma of a Gaussian [arcsec], "none", or "chandra": the library
        of the mirrors (`chandra`). Nothing: the library for Chandra's ACIS, else no blur, with a warning.
    ecf : float, optional
        Encircled fraction of a single PSF map, over its header's.
    extra : float
        A further round blur [arcsec], added in quadrature to every Gaussian.

    events : str
        The event file, for messages.

    Returns
    -------
    Blur

    Raises
    ------
    InputError, DataError
        When the PSF cannot be had, or the options do not go together.
    """
    kind, value = parse_psf(psf)
    if not (math.isfinite(extra) and extra >= 0):
        raise InputError(f"`psf_extra_sigma` = {extra:g}: it must be at least 0")
    if ecf is not None and (kind != "files" or len(value) > 1):
        raise InputError(f"psf_ecf {ecf:g} goes with a PSF map: give one with --psf FILE")
    blur = _wanted(kind, value, listed, ecf, events)
    if extra == 0:
        return blur
    if blur.psf is None:
        raise InputError(
            f"`psf_extra_sigma` = {extra:g} widens a PSF, and there is none: give {extra:g} as the sigma of one with `psf`"
        )
    text = f'{blur.psf.description}, and {extra:g}" more'
    return Blur(psf=blur.psf.widened(extra**2, text), resolved=text, files=blur.files)


def _wanted(kind, value, listed, ecf, events):
    if kind == "none":
        return Blur()
    if kind == "sigma":
        return Blur(psf=PsfModel.constant(value))
    if kind == "files":
        blur = _from_files(value, listed, ecf)
        if (
            blur.psf.grid.shape != (1, 1)
            and not blur.psf.grid.locate(listed.photons.x, listed.photons.y)[2].any()
        ):
            raise DataError(
                f"{', '.join(value)}: the PSF map does not overlap the events of {events}: is it of another pointing?"
            )
        return blur
    is_acis, reason = _why_not_chandra(listed)
    if reason is None:
        return _chandra(listed)
    if kind == "chandra":
        raise DataError(f"{events}: the Chandra PSF cannot be had: {reason}")
    remark = f"; the built-in Chandra PSF cannot be had: {reason}" if is_acis else ""
    message = f"{events}: no PSF: what comes back is blurred by the telescope (give a PSF map or a sigma with --psf){remark}"
    warnings.warn(message, DataWarning, stacklevel=4)
    return Blur(resolved=f"none (no PSF was given{remark})")


def _from_files(paths, listed, ecf):
    plane = {"frame": listed.frame, "physical": listed.physical}
    if len(paths) > 1:
        psf = read_psf_maps(paths, **plane)
        return Blur(psf=psf, resolved=psf.description, files=tuple(paths))
    image = read_image(paths[0])
    if not is_picture(image, ecf):
        return Blur(psf=read_psf_map(paths[0], **plane, ecf=ecf), files=tuple(paths))
    found = fit_point_source(*reversed(picture_grid(image, **plane)))
    text = (
        f'image of a point source {Path(paths[0]).name}: {found.psf.n_gaussians} Gaussians for the whole field, r50 {found.r50:.2f}", '
        f"encircled energy met to {100 * found.error:.1f} %"
    )
    return Blur(psf=found.psf.widened(0.0, text), resolved=text, files=tuple(paths))


def _why_not_chandra(listed):
    """Whether the events are Chandra's ACIS, and why the library cannot serve them; None where it can."""
    about = listed.metadata
    telescope, instrument = (
        str(about.get(key, "")).strip().upper() for key in ("TELESCOP", "INSTRUME")
    )
    if telescope not in ("CHANDRA", "AXAF") or not instrument.startswith("ACIS"):
        return (
            False,
            f"it is for ACIS, not for {' '.join((telescope, instrument)).strip() or 'an instrument without a name'}: give another PSF with --psf",
        )
    if str(about.get("OBS_ID", "")).strip().lower() == "merged":
        return (
            True,
            "OBS_ID Merged has several pointings, each with its own PSF: fit the single event lists together: gmmx fit a.fits b.fits",
        )
    missing = [
        key
        for key in ("RA_PNT", "DEC_PNT", "ROLL_PNT")
        if not isinstance(about.get(key), (int, float)) or isinstance(about.get(key), bool)
    ]
    if missing:
        return (
            True,
            f"no {', '.join(missing)} in the events' header: mend it, or give another PSF with --psf",
        )
    if aim_detector(listed) is None:
        return (
            True,
            "neither SIM_Z nor DETNAM tells whether the aim point is on ACIS-I or ACIS-S: give another PSF with --psf",
        )
    return True, None


def _chandra(listed):
    """The library's PSF for an event list of ACIS."""
    about, detector = listed.metadata, aim_detector(listed)
    adjusted = str(about.get("PIX_ADJ", "") or "").strip().upper()
    variance = PIXEL_VARIANCE.get(adjusted or "NONE", 0.0)
    psf = pointing_psf(
        read_chandra_library(),
        detector,
        frame=listed.frame,
        pointing=(about["RA_PNT"], about["DEC_PNT"]),
        roll=about["ROLL_PNT"],
        x_range=(listed.photons.x.min(), listed.photons.x.max()),
        y_range=(listed.photons.y.min(), listed.photons.y.max()),
        energies_kev=listed.photons.energy_kev,
    ).widened(variance)
    if listed.photons.energy_kev is None:
        energy = f"at {USUAL_ENERGY:g} keV (the file does not tell energies)"
    else:
        energy = (
            f"for the photons' own energies (median {np.median(listed.photons.energy_kev):.2f} keV)"
        )
    m = psf.n_gaussians
    r50 = core_radius(psf.weights.reshape(-1, m), psf.covariances.reshape(-1, m, 2, 2), 0.5)
    pixels = f"PIX_ADJ {adjusted}" if adjusted else "no PIX_ADJ, taken as NONE"
    text = f'Chandra library, {detector}, {energy}, {pixels}: {m} Gaussians, r50 {r50.min():.2f}" to {r50.max():.2f}"'
    return Blur(psf=psf.widened(0.0, text), resolved=text)
