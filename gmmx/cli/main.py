"""The command line: each command parses its options, calls its function, and prints.

Results go to standard output, everything else to standard error. Exit codes: 0 done; 1 the input
or the data cannot be used (one line says what, where and what to do); 2 wrong command line; 3 the
fit has not converged, with --strict; 130 interrupted; 141 the reader of standard output has gone;
143 terminated.
"""

import click

from .. import __version__
from ..config import REGION_FRAMES, ExportConfig
from ..errors import GmmxError
from . import options
from .assign import assign
from .compare import compare
from .compress import compress
from .console import Main
from .errors import errors
from .fit import fit
from .flux import flux
from .mixture import condition, denoise, sample
from .options import Command, flag, setting, values
from .plot import plot
from .profile import profile
from .render import render
from .simulate import simulate
from .test import test


@click.group(
    cls=Main,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 bad input, 2 wrong command line, "
    "3 not converged (with --strict).",
)
@click.version_option(__version__, prog_name="gmmx")
def main():
    """Fit Gaussian mixtures to the photons of an X-ray telescope.

    The fitted model describes the sky: gmmx deconvolves the PSF, corrects for exposure and
    masks, and separates the background.
    """


main.add_command(fit)
main.add_command(errors)
main.add_command(render)
main.add_command(plot)


@main.command(cls=Command)
@options.models
@options.as_json
@options.quiet
@options.verbose
@click.pass_context
def info(context, models, as_json):
    """Describe each MODEL: its data, its components, its background, and how the fit ended.

    A single - reads the file names from standard input. If a file cannot be read, the others are
    still described, and the exit code is 1.
    """
    from ..commands.info import info as read
    from ..show.any_page import facts_of, page_of

    console, failed = context.obj, False
    for model in models:
        try:
            result = read(model)
        except GmmxError as error:
            console.fail(error, file=model)
            failed = True
            continue
        if as_json:
            console.show_json(facts_of(result, model=model))
        else:
            console.show(f"{model}\n\n{page_of(result, verbose=console.verbose)}\n")
    if failed:
        context.exit(1)


main.add_command(flux)
main.add_command(profile)


@main.command(
    cls=Command,
    epilog=options.examples(
        "gmmx export model.h5 --out components.ecsv",
        "gmmx export model.h5 --frame physical --scale 2 --out components.reg",
    ),
)
@options.model
@setting(ExportConfig, "frame", "Coordinates of a region file.", type=click.Choice(REGION_FRAMES))
@setting(
    ExportConfig,
    "scale",
    "Semi-axes of the ellipses of a region file [standard deviations].",
    metavar="FLOAT",
)
@flag(
    "--correlations",
    group="Options",
    default=ExportConfig.correlations,
    help="Add columns with the correlations between the fluxes and positions of all components "
    "to a table (.ecsv, .fits).",
)
@options.out(
    "FILE", "Table (.ecsv, .fits, .csv) or regions (.reg for DS9, .crtf for CASA, reg.fits)."
)
@options.overwrite
@options.quiet
@options.verbose
@options.config
@click.pass_obj
def export(console, model, out, overwrite, **given):
    """Write the components of MODEL as a table or as regions.

    The suffix of the output file selects the format. Regions are one ellipse for each component
    and one circle for each point source. A name that ends in reg.fits makes a FITS region table,
    which is in physical pixels for every --frame; any other .fits is the component table.

    Every fitted column of a table has an error, its spread over draws of the parameters: those
    that gmmx errors put into MODEL, or else 200 draws from the information matrix.
    """
    from ..commands.export import export as export_model

    config = values(ExportConfig, given)
    out = export_model(model, out, config, overwrite=overwrite, inputs=console.configs)
    console.say(f"components: {out}")


@main.command(
    cls=Command,
    epilog=options.examples(
        "gmmx score model.h5 held_out.fits",
        "gmmx score joint.h5 held_out_a.fits held_out_b.fits --json",
    ),
)
@options.model
@options.events
@options.no_checksum
@options.as_json
@options.quiet
@options.verbose
@click.pass_obj
def score(console, model, events, no_checksum, as_json):
    """Score MODEL on EVENTS that it was not fitted to.

    The score is the mean over the photons of log[lambda(x) / integral of lambda], in nats, where
    lambda is the expected density of photons and x is in arcsec. The photons of EVENTS are
    selected by the energy band, chips, masks and field of the fit. Give one event list for each
    observation of the model, in its order.

    For a mixture of samples EVENTS is one catalogue with the same columns, and the score is the
    mean log density of its rows.

    The standard error of the score comes from the scatter between photons. It is not the error of
    the difference between two models on the same photons: this difference scatters much less.
    """
    from ..commands.score import score as score_files

    facts = score_files(model, events, no_checksum=no_checksum)
    if as_json:
        console.show_json(facts)
    else:
        noun = "photon" if "n_photons" in facts else "sample"
        console.show(
            f"score: {facts['score']:.6f} nat per {noun}, the mean of {facts[f'n_{noun}s']:,} "
            f"{noun}s (standard error of the mean {facts['score_error']:.6f})"
        )


main.add_command(compare)
main.add_command(test)
main.add_command(assign)
main.add_command(simulate)
main.add_command(sample)
main.add_command(condition)
main.add_command(denoise)
main.add_command(compress)


if __name__ == "__main__":
    main()
