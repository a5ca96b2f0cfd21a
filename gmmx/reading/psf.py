"""Choose the PSF of an observation: the one that is asked for, or else that of its telescope."""

import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import DataError, DataWarning, InputError
from ..io.files import check_input
from ..io.maps import read_image
from ..io.psf import LARGEST_SIGMA, read_psf_map, read_psf_maps
from ..io.psf_image import is_picture, picture_grid
from ..io.psf_library import read_chandra_library
from ..model.psf import PsfModel, core_radius
from ..telescope.aim_point import aim_detector
from ..telescope.chandra_psf import PIXEL_VARIANCE, USUAL_ENERGY, pointing_psf
from .psf_image import fit_point_source

# Fraction of the photons that a PSF map may leave out without a warning.
OUTSIDE = 0.1
UNKNOWN_AIM = (
    "neither SIM_Z nor DETNAM tells whether the aim point is on ACIS-I or ACIS-S: "
    "give another PSF with `psf`"
)


@dataclass(frozen=True, eq=False, kw_only=True)
class ChosenPsf:
    """The PSF of an observation and where it came from.

    Attributes
    ----------
    psf : PsfModel or None
        None if the photons are not blurred, or the PSF is not known.
    choice : str or None
        How the PSF was chosen; None if the options say it.
    files : tuple of str
        Files that were read.
    """

    psf: PsfModel | None = None
    choice: str | None = None
    files: tuple = ()

    def __repr__(self):
        described = "none" if self.psf is None else self.psf.description
        return f"ChosenPsf({self.choice or described})"


def parse_psf(psf):
    """Return the kind of PSF that is asked for, and its value.

    Parameters
    ----------
    psf : sequence of str
        As in `ReadOptions`, for one observation.

    Returns
    -------
    kind : {"default", "none", "chandra", "sigma", "files"}
    value : float, tuple of str or None
        Sigma [arcsec], or paths.

    Raises
    ------
    InputError
        If several values are given that are not all files.

    Examples
    --------
    >>> parse_psf(["0.5"]), parse_psf(["core.fits", "wing.fits"])
    (('sigma', 0.5), ('files', ('core.fits', 'wing.fits')))
    """
    parts = [text for text in (str(part).strip() for part in psf) if text]
    if not parts:
        return "default", None
    kinds = [_kind(text) for text in parts]
    if len(parts) > 1 and any(kind != "files" for kind, _ in kinds):
        raise InputError(
            f"`psf` = {','.join(parts)}: several values must be PSF maps of different "
            "encircled fractions",
            parameter="psf",
        )
    if kinds[0][0] == "sigma" and kinds[0][1] > LARGEST_SIGMA:
        raise InputError(
            f"`psf` = {parts[0]}: no telescope's PSF has a sigma above {LARGEST_SIGMA:g} arcsec",
            parameter="psf",
        )
    return kinds[0] if kinds[0][0] != "files" else ("files", tuple(parts))


def _kind(text):
    if text.lower() in ("none", "chandra"):
        return text.lower(), None
    try:
        return "sigma", float(text)
    except ValueError:
        return "files", None


def choose_psf(recorded, options, file, instrument):
    """Choose the PSF of an observation.

    Parameters
    ----------
    recorded : EventList or CountsImage
        Photons of the fit. They show where the field is and which energies it has, and their
        keywords name the telescope.
    options : ReadOptions
        `psf`, `psf_ecf` and `psf_extra_sigma` of one observation. Without `psf` Chandra's ACIS
        gets the built-in PSF; other instruments get none, with a warning.
    file : FileArgument
        File of the photons, for messages.
    instrument : Instrument

    Returns
    -------
    ChosenPsf

    Raises
    ------
    InputError, DataError
        If the PSF cannot be read or made, or the options do not go together.
    """
    kind, value = parse_psf(options.psf)
    ecf, extra = options.psf_ecf, options.psf_extra_sigma
    if ecf is not None and (kind != "files" or len(value) > 1):
        raise InputError(
            f"`psf_ecf` = {ecf:g} belongs to a single PSF map: give one with `psf`",
            parameter="psf_ecf",
        )
    if kind == "none":
        chosen = ChosenPsf()
    elif kind == "sigma":
        chosen = ChosenPsf(psf=PsfModel.constant(value))
    elif kind == "files":
        chosen = _from_files(value, recorded, ecf, file)
    else:
        chosen = _of_telescope(recorded, file, instrument, asked=kind == "chandra")
    if extra == 0:
        return chosen
    if chosen.psf is None:
        raise InputError(
            f"`psf_extra_sigma` = {extra:g} widens a PSF, and there is none: "
            f"give {extra:g} as the sigma of one with `psf`",
            parameter="psf_extra_sigma",
        )
    text = f'{chosen.psf.description}, convolved with a Gaussian of sigma {extra:g}"'
    return replace(chosen, psf=chosen.psf.widened(extra**2, text), choice=text)


def widened_by_pixel(psf, side):
    """Return a PSF convolved with the square pixel in which photons are counted.

    The variance of a position in the square is side**2 / 12 along each axis.

    Parameters
    ----------
    psf : PsfModel or None
    side : float
        Side of the pixel [arcsec].
    """
    variance = side**2 / 12
    if psf is not None:
        return psf.widened(variance)
    sigma = np.sqrt(variance)
    return replace(
        PsfModel.constant(sigma),
        description=f'none but that of pixels of {side:.3g}": a Gaussian of sigma {sigma:.3g}"',
    )


def _of_telescope(recorded, file, instrument, *, asked):
    """Return the built-in PSF of the telescope, or none, with a warning, if there is none."""
    problem = _problem(recorded.pointing, instrument)
    found = _chandra(recorded) if problem is None else None
    if found is not None:
        return found
    problem = problem or UNKNOWN_AIM
    if asked:
        raise DataError(f"{file}: the Chandra PSF is not available: {problem}", parameter="psf")
    remark = ""
    if instrument.psf == "chandra":
        remark = f"; the built-in Chandra PSF is not available: {problem}"
    warnings.warn(
        f"{file}: no PSF: the components are not deconvolved "
        f"(give a PSF map or a sigma with `psf`){remark}",
        DataWarning,
        stacklevel=5,
    )
    return ChosenPsf(choice=f"none (no PSF was given{remark})")


def _from_files(paths, recorded, ecf, file):
    """Read PSF maps, or the image of a point source."""
    plane = {"frame": recorded.frame, "physical": recorded.physical}
    for path in paths:
        check_input(path, way_out="give `psf` as chandra, a FITS file, a sigma in arcsec, or none")
    if len(paths) > 1:
        psf = read_psf_maps(paths, **plane)
        choice = psf.description
    else:
        image = read_image(paths[0])
        if is_picture(image, ecf):
            return _of_picture(paths, *picture_grid(image, **plane))
        psf, choice = read_psf_map(paths[0], **plane, ecf=ecf), None
    _check_cover(psf, recorded.photons, paths, file)
    return ChosenPsf(psf=psf, choice=choice, files=paths)


def _check_cover(psf, photons, paths, file):
    """Refuse maps that lie elsewhere than the photons, and warn if they leave out many."""
    if psf.grid.shape == (1, 1):
        return
    names = ", ".join(paths)
    outside = 1 - psf.grid.locate(photons.x, photons.y)[2].mean()
    if outside == 1:
        raise DataError(
            f"{names}: the PSF map does not overlap the events of {file}: "
            "is it of another pointing?"
        )
    if outside > OUTSIDE:
        warnings.warn(
            f"{names}: {100 * outside:.0f} % of the photons of {file} lie outside the PSF map, and "
            "get the PSF of its edge: is it of another pointing?",
            DataWarning,
            stacklevel=6,
        )


def _of_picture(paths, grid, values):
    """Fit the image of a point source."""
    found = fit_point_source(values, grid)
    text = (
        f"image of a point source {Path(paths[0]).name}: {found.psf.n_gaussians} Gaussians for "
        f'the whole field, r50 {found.r50:.2f}", '
        f"encircled energy reproduced within {100 * found.error:.1f} %"
    )
    return ChosenPsf(psf=found.psf.widened(0.0, text), choice=text, files=paths)


def _problem(pointing, instrument):
    """Return why the built-in library does not serve a pointing, or None if it does."""
    if instrument.psf != "chandra":
        name = f"{pointing.telescope} {pointing.instrument}".strip()
        return (
            f"it is for ACIS, not for {name or 'an instrument without a name'}: "
            "give another PSF with `psf`"
        )
    if pointing.obs_id.lower() == "merged":
        return (
            "OBS_ID Merged has several pointings, each with its own PSF: fit the single event "
            "lists jointly"
        )
    needed = {"RA_PNT": pointing.ra, "DEC_PNT": pointing.dec, "ROLL_PNT": pointing.roll}
    missing = [key for key, value in needed.items() if value is None]
    if missing:
        return (
            f"no usable {', '.join(missing)} in the header of the photons: write it there, or give "
            "another PSF with `psf`"
        )
    return None


def _chandra(recorded):
    """Return the PSF of the built-in library, or None if the aim point is not known."""
    pointing, photons = recorded.pointing, recorded.photons
    detector, _ = aim_detector(recorded)
    if detector is None:
        return None
    adjusted = pointing.pixel_adjustment.upper()
    psf = pointing_psf(
        read_chandra_library(),
        detector,
        frame=recorded.frame,
        pointing=(pointing.ra, pointing.dec),
        roll=pointing.roll,
        x_range=(photons.x.min(), photons.x.max()),
        y_range=(photons.y.min(), photons.y.max()),
        energies_kev=photons.energy_kev,
    ).widened(PIXEL_VARIANCE.get(adjusted or "NONE", 0.0))
    if photons.energy_kev is None:
        energy = f"at {USUAL_ENERGY:g} keV (the file has no energies)"
    else:
        median = np.median(photons.energy_kev)
        energy = f"for the energies of the photons (median {median:.2f} keV)"
    m = psf.n_gaussians
    r50 = core_radius(psf.weights.reshape(-1, m), psf.covariances.reshape(-1, m, 2, 2), 0.5)
    pixels = f"PIX_ADJ {adjusted}" if adjusted else "no PIX_ADJ, taken as NONE"
    text = (
        f"built-in Chandra PSF, {detector}, {energy}, {pixels}: {m} Gaussians, "
        f'r50 {r50.min():.2f}" to {r50.max():.2f}"'
    )
    return ChosenPsf(psf=psf.widened(0.0, text), choice=text)
