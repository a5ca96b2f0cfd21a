"""The command `gmmx compare`."""

import click

from ..config import CompareConfig
from . import options
from .options import Command, File, Option, setting, values


@click.command(
    "compare",
    cls=Command,
    epilog=options.examples(
        "gmmx compare model.h5 model_k20.h5",
        "gmmx compare model.h5 other_psf.h5 --folds 10 --out table.ecsv --out difference.fits",
    ),
)
@options.models
@setting(
    CompareConfig,
    "folds",
    "Number of parts into which the photons are divided for the cross-validation. Each model is "
    "fitted again so many times.",
    metavar="INT",
)
@setting(
    CompareConfig,
    "bin",
    "Pixel size of the map of the difference [arcsec].",
    metavar="ARCSEC",
    type=float,
    default="the pixel of the exposure map",
)
@setting(CompareConfig, "seed", "Seed of the division of the photons.", metavar="INT")
@setting(
    CompareConfig,
    "threads",
    "Number of threads, or 0 for all cores. The result does not depend on it.",
    metavar="INT",
)
@click.option(
    "--out",
    cls=Option,
    group="Output",
    metavar="FILE",
    type=File(),
    multiple=True,
    help="Table (.ecsv, .csv), or maps of the difference between the first model and the others "
    "in units of its standard deviation (.fits, .h5). May be given several times.",
)
@options.overwrite
@options.as_json
@options.quiet
@options.verbose
@options.config
@click.pass_obj
def compare(console, models, out, overwrite, as_json, **given):
    """Compare two or more MODELs that were fitted to the same photons.

    The held-out score is the mean log density of photons that a model was not fitted to. The
    photons are divided into folds, the same for all models, and each model is fitted again without
    one fold after the other. It keeps its components, so that a choice of their number by
    --k auto, which has seen all photons, is not part of the test. The score of two models differs
    by the sum of paired differences, photon by photon, whose error is much smaller than that of
    either score. A difference of less than 2 sigma prefers the model with fewer free parameters.

    AIC and BIC are information criteria of the fit to all photons: the lower the better.

    The maps (--out FILE.fits) are the difference of the deconvolved signals of the first model and
    another one, its standard deviation, and their ratio. The standard deviation is that of paired
    draws, which contain what the photons do to both models. Models of different photons are
    refused.
    """
    from ..commands.compare import compare as compare_files
    from ..show.compare_list import compare_dict, compare_lines

    config = values(CompareConfig, given)
    found = compare_files(
        models,
        config,
        out=out,
        overwrite=overwrite,
        inputs=console.configs,
        command=console.command,
        callback=console.steps,
    )
    if as_json:
        console.show_json(compare_dict(found))
    else:
        console.show("\n".join(compare_lines(found)))
    for path in out:
        console.say(f"comparison: {path}")
