"""From a counts image to an observation: photons that were counted in pixels.

All photons of a pixel are at its centre. So a pixel is masked or open as a whole, in the counts
and in the completeness alike, and the PSF includes the square of the pixel.
"""

import warnings
from dataclasses import dataclass, replace

import numpy as np

from ..errors import DataError, DataWarning, InputError
from ..io.counts_image import read_counts
from ..io.virtual import FileArgument
from ..telescope.instruments import instrument_of
from .assemble import assembled
from .exposure import exposure_of_image
from .masks import whole_pixels
from .psf import choose_psf, widened_by_pixel

# Bands whose ends differ by less are the same [keV].
SAME_ENERGY = 1e-3


@dataclass(frozen=True)
class CountsImageFile:
    """A file whose first image holds counts.

    Attributes
    ----------
    file : FileArgument
        It has no filters, because an image has no rows.
    """

    file: FileArgument

    def __post_init__(self):
        if self.file.filters:
            raise DataError(
                f"{self.file.path}: a counts image has no rows that {self.file.filters} could "
                "filter: filter the events and bin them anew"
            )

    def observation(self, options, *, name=None):
        """Read the observation, in its own plane, photons on zero exposure included.

        Parameters
        ----------
        options : ReadOptions
            Of one observation.
        name : str, optional
            Name of the observation; the name of the file without it.

        Returns
        -------
        Observation

        Raises
        ------
        DataError
            If a file cannot be used, or no photon is left.
        InputError
            If the value of an option is impossible, or options contradict each other.
        """
        image = read_counts(self.file.path)
        instrument = instrument_of(image.pointing)
        chips = check_chips(image, options.ccd)
        band, energy = choose_band(image, options.energy_kev)
        image = image.noted(band_kev=band, chips=chips)
        exposure = exposure_of_image(image, options, self.file)
        psf = choose_psf(image, options, self.file, instrument)
        choices = {
            "energy": energy,
            "exposure": exposure.choice,
            "area": exposure.area_choice,
            "psf": psf.choice,
        }
        side = image.pixels.step
        choices["pixels"] = (
            f'counts image, {side:.4g}" a pixel: '
            f'the PSF is widened by a sigma of {side / np.sqrt(12):.3g}"'
        )
        if image.n_unobserved:
            choices["not observed"] = (
                f"{image.n_unobserved:,} of {image.observed.size:,} pixels of the counts image, "
                "which are NaN or BLANK"
            )
        return assembled(
            self.file,
            image,
            exposure,
            replace(psf, psf=widened_by_pixel(psf.psf, side)),
            options,
            instrument=instrument,
            open_fraction=whole_pixels(image),
            choices=choices,
            name=name,
        )

    def held_out(self, fitted):
        """Read the photons of the image to score an observation that was fitted.

        Parameters
        ----------
        fitted : Observation

        Returns
        -------
        CountsImage
        """
        image = read_counts(self.file.path)
        choose_band(image, fitted.pointing.band_kev)
        return image


def choose_band(image, energy_kev=None):
    """Return the energy band of a counts image, which cannot be cut in energy.

    Parameters
    ----------
    image : CountsImage
    energy_kev : (float, float), "all" or None
        The band that is asked for.

    Returns
    -------
    band : (float, float) or None
        [keV]; None if it is not known.
    choice : str or None
        How the band is known; None if it was asked for and the image does not tell it.

    Raises
    ------
    InputError
        If another band than the image's own is asked for.
    """
    recorded, name = image.pointing.recorded_band_kev, _name(image)
    asked = None if energy_kev == "all" else energy_kev
    if recorded is None and asked is not None:
        warnings.warn(
            f"{name}: a counts image cannot be cut in energy, and the header of this one has no "
            f"energy band: it is taken to be of {asked[0]:g}:{asked[1]:g} keV",
            DataWarning,
            stacklevel=3,
        )
    if recorded is None:
        return asked, None if asked else "not in the header of the counts image"
    if asked is not None and not np.allclose(asked, recorded, rtol=0, atol=SAME_ENERGY):
        raise InputError(
            f"{name}: `energy_kev` = {asked[0]:g}:{asked[1]:g}: a counts image cannot be cut in "
            f"energy, this one is of {recorded[0]:g}:{recorded[1]:g} keV: bin the events anew, "
            "or leave `energy_kev` out",
            parameter="energy_kev",
        )
    return recorded, "{:g}:{:g} keV (header of the counts image)".format(*recorded)


def check_chips(image, ccd=None):
    """Return the chips of a counts image, which cannot be chosen.

    Parameters
    ----------
    image : CountsImage
    ccd : tuple of int, "all" or None
        The chips that are asked for.

    Returns
    -------
    tuple of int or None
        None if they are not known.

    Raises
    ------
    InputError
        If other chips than the image's own are asked for.
    """
    recorded, name = image.pointing.recorded_chips, _name(image)
    asked = None if ccd == "all" else ccd
    if asked is not None:
        text = ",".join(map(str, asked))
        if recorded is None:
            warnings.warn(
                f"{name}: `ccd` = {text}: chips cannot be chosen in a counts image, and the "
                "header of this one does not name its chips: all are kept",
                DataWarning,
                stacklevel=3,
            )
        elif tuple(asked) != recorded:
            raise InputError(
                f"{name}: `ccd` = {text}: chips cannot be chosen in a counts image, this one is "
                f"of {','.join(map(str, recorded))}: bin the events anew, or leave `ccd` out",
                parameter="ccd",
            )
    return recorded


def _name(image):
    return image.pointing.file_name or "image"
