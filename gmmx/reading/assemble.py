"""Assemble an observation from its photons, exposure, PSF, masks and backgrounds."""

from dataclasses import replace

from ..model.observation import Observation
from .background import choose_backgrounds
from .background_priors import with_priors
from .doubts.checks import warn_of_doubts
from .doubts.evidence import Evidence
from .inputs import input_files
from .masks import cut_regions
from .region_lists import read_region_lists, region_files, source_free_lists
from .source_free import fixed_in_source_free_region


def assembled(
    file, recorded, exposure, psf, options, *, instrument, open_fraction, choices, name=None
):
    """Cut photons and exposure by masks and regions, choose the backgrounds, put all together.

    Parameters
    ----------
    file : FileArgument
        File of the photons.
    recorded : EventList or CountsImage
        Photons of the chosen chips and band.
    exposure : ChosenExposure
    psf : ChosenPsf
    options : ReadOptions
    instrument : Instrument
        Its backgrounds are taken if the options do not name any.
    open_fraction : callable
        As for `cut_regions`.
    choices : dict of str to str
        Choices that the options leave open, in words. None is left out.
    name : str, optional
        Name of the observation; the name of the file without it.

    Returns
    -------
    Observation
    """
    lists = read_region_lists(recorded, exposure.pixels, options, file.sky)
    cut = cut_regions(recorded, exposure.completeness, lists, open_fraction)
    backgrounds = choose_backgrounds(
        recorded, exposure, cut.completeness, options.background, instrument
    )
    backgrounds = with_priors(backgrounds, options, cut.completeness)
    warn_of_doubts(
        Evidence(file, options, instrument, recorded, exposure, psf, backgrounds, lists, cut)
    )
    if options.background_region:
        lists = source_free_lists(lists, recorded, exposure.pixels, options)
        backgrounds = fixed_in_source_free_region(
            backgrounds, lists, recorded, exposure.completeness, open_fraction
        )
    files = [
        *(("exposure", path) for path in exposure.files),
        *(("psf", path) for path in psf.files),
        *region_files(options, file.sky),
        *(("background", path) for path in backgrounds.files),
    ]
    return Observation(
        photons=cut.recorded.photons,
        frame=recorded.frame,
        completeness=cut.completeness,
        psf=psf.psf,
        backgrounds=backgrounds.backgrounds,
        name=name or file.stem,
        physical=recorded.physical,
        masks=cut.shapes,
        pointing=_pointing(recorded, cut, backgrounds, choices, files, exposure.area),
        dropped=cut.recorded.dropped,
    )


def _pointing(recorded, cut, backgrounds, choices, files, area):
    """Return the facts of a pointing with the files, masks and choices of the observation."""
    choices = choices | {"background": backgrounds.choice}
    return replace(
        recorded.pointing,
        inputs=recorded.pointing.inputs + input_files(files),
        masks=cut.records,
        choices={key: text for key, text in choices.items() if text is not None},
        area=area,
        sky_brightness=backgrounds.sky_brightness,
    )
