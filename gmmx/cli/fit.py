"""The command `gmmx fit`."""

import click

from ..config import FitConfig, SampleConfig
from . import options
from .fit_options import PHOTON_OPTIONS
from .fit_samples import SAMPLE_OPTIONS
from .given import config_of
from .options import Command, flag

_NEED_PHOTONS = "applies to photons, not to a catalogue or a picture: leave it out"
_NEED_SAMPLES = (
    "applies to catalogues and pictures: name the `columns` of a catalogue, or leave it out"
)


def _fit_options(command):
    """Declare all options that set a parameter of FitConfig or SampleConfig."""
    for declare in reversed((*PHOTON_OPTIONS, *SAMPLE_OPTIONS)):
        command = declare(command)
    return command


@click.command(
    "fit",
    cls=Command,
    epilog=options.examples(
        "gmmx fit evt2.fits --mask sources.reg",
        "gmmx fit evt2.fits --mask sources.reg --exposure expmap.fits --energy 0.5:2",
        "gmmx fit evt2.fits --k 40 --psf psfmap.fits --out model.h5",
        "gmmx fit 'evt2.fits[energy=500:2000,ccd_id=7][sky=circle(4096,4096,600)]'",
        "gmmx fit a.fits b.fits --exposure a.expmap --exposure b.expmap --out both.h5",
        "gmmx fit stars.fits --columns g_r,r_i --errors g_r_err,r_i_err --k auto",
        "gmmx fit photo.png --colour --k 1000",
        "gmmx fit 'optical.fits[SCI]' --picture --k 500",
    ),
)
@options.events
@_fit_options
@options.out("MODEL.h5", "Model file. [default: beside the first EVENTS]", required=False)
@options.overwrite
@flag("--strict", help="Exit with code 3 if the fit has not converged.")
@options.as_json
@options.quiet
@options.verbose
@options.config
@click.pass_context
def fit(context, events, out, overwrite, strict, as_json, **given):
    """Fit a mixture of Gaussians and the background to the photons of EVENTS.

    EVENTS are event lists, or counts images of one energy band. Several EVENTS are fitted
    jointly. CIAO filters, with energies in eV, may follow a file name in quotes. A single - reads
    the file names from standard input.

    With several EVENTS, give --exposure, --psf, --background and region files once for each
    event list, in the same order; commas separate several values for one list. A value that
    holds for all lists, such as an area or region files in sky coordinates, is given once.

    Options that are not given are chosen for the instrument, and the choices are printed.

    With --columns, EVENTS is a catalogue: the mixture is fitted to its columns, in any number of
    dimensions, and the errors of each row are deconvolved. A picture (PNG, JPEG, TIFF, or with
    --picture a FITS image of anything but counts) is fitted without --columns. By default it gets
    500 components from k-means clusters, no narrower than a pixel, and its fit ends when less than
    0.001 nat for each pixel can still be gained, or after 300 evaluations.
    """
    from ..reading.input_kind import DEFAULTS, input_kind
    from ..show.any_page import facts_of, page_of

    console = context.obj
    common = {
        "overwrite": overwrite,
        "inputs": console.configs,
        "command": console.command,
        "say": console.say,
    }
    kind = input_kind(events[0], given["columns"], given["picture"])
    # Each kind loads only what it needs.
    if kind == "photons":
        from ..commands.fit import fit as fit_photons

        config = config_of(context, given, FitConfig, _NEED_SAMPLES)
        out, result = fit_photons(events, out, config, callback=console.progress, **common)
    else:
        from ..commands.fit_catalogue import fit_catalogue

        config = config_of(context, given, SampleConfig, _NEED_PHOTONS, DEFAULTS.get(kind))
        out, result = fit_catalogue(events, out, config, callback=console.trials, **common)
    if as_json:
        console.show_json(facts_of(result, model=str(out)))
    else:
        console.show(f"{page_of(result, verbose=console.verbose)}\n\nmodel: {out}")
    if strict and not result.converged:
        context.exit(3)
