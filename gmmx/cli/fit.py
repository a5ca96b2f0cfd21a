"""The command `gmmx fit`."""

import click

from ..config import FitConfig
from . import options
from .fit_options import PHOTON_OPTIONS
from .fit_samples import SAMPLE_OPTIONS, fit_samples, refuse_sample_options
from .options import Command, flag, values


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
    dimensions, and the errors of each row are deconvolved. A picture (PNG, JPEG, TIFF) is fitted
    without --columns. By default it gets 500 components from k-means clusters, no narrower than
    a pixel, and its fit ends when less than 0.001 nat for each pixel can still be gained, or after
    100 evaluations.
    """
    from ..io.pictures import is_picture

    if given["columns"] or is_picture(events[0]):
        fit_samples(context, events, out, overwrite, strict, as_json, given)
        return
    from ..commands import fit as commands
    from ..show.facts import summary_dict
    from ..show.page import summary

    refuse_sample_options(context, given)
    console = context.obj
    out, result = commands.fit(
        events,
        out,
        values(FitConfig, given),
        overwrite=overwrite,
        inputs=console.configs,
        command=console.command,
        say=console.say,
        callback=console.progress,
    )
    if as_json:
        console.show_json(summary_dict(result, model=str(out)))
    else:
        console.show(f"{summary(result, verbose=console.verbose)}\n\nmodel: {out}")
    if strict and not result.converged:
        context.exit(3)
