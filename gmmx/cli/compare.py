"""The command `gmmx compare`."""

import click

from ..config import CompareConfig, SampleCompareConfig
from . import options
from .given import config_of
from .options import Command, File, Option, setting

_NEED_PHOTONS = "applies to models of photons: leave it out"
_NEED_SAMPLES = "applies to models of samples: leave it out"


@click.command(
    "compare",
    cls=Command,
    epilog=options.examples(
        "gmmx compare model.h5 model_k20.h5",
        "gmmx compare model.h5 other_psf.h5 --folds 10 --out table.ecsv --out difference.fits",
        "gmmx compare stars.h5 stars_k5.h5 --out pairs.ecsv",
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
@setting(
    SampleCompareConfig,
    "n",
    "Number of samples that are drawn from each mixture of a catalogue for the divergences.",
    metavar="INT",
)
@setting(
    CompareConfig,
    "seed",
    "Seed of the division of the photons, or of the samples that are drawn.",
    metavar="INT",
)
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
    "in units of its standard deviation (.fits, .h5); for mixtures of catalogues the pairs of "
    "components (.ecsv, .fits, .csv). May be given several times.",
)
@options.overwrite
@options.as_json
@options.quiet
@options.verbose
@options.config
@click.pass_context
def compare(context, models, out, overwrite, as_json, **given):
    """Compare two or more MODELs of the same photons, or of catalogues with the same columns.

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

    Mixtures of catalogues with the same columns are compared by the Kullback-Leibler divergence
    of each other model from the first, in both directions, by the log-likelihood on the samples of
    both, and by their components, of which the most alike stand beside each other.
    """
    from ..commands.compare import compare as compare_photons
    from ..commands.compare import compare_samples
    from ..io.models import model_kind
    from ..show.compare_list import compare_dict, compare_lines
    from ..show.sample_compare_list import sample_compare_dict, sample_compare_lines

    console = context.obj
    common = {"out": out, "overwrite": overwrite, "inputs": console.configs}
    if model_kind(models[0]) == "photons":
        config = config_of(context, given, CompareConfig, _NEED_SAMPLES)
        steps, command = console.steps, console.command
        found = compare_photons(models, config, command=command, callback=steps, **common)
        lines, facts = compare_lines, compare_dict
    else:
        config = config_of(context, given, SampleCompareConfig, _NEED_PHOTONS)
        found = compare_samples(models, config, **common)
        lines, facts = sample_compare_lines, sample_compare_dict
    if as_json:
        console.show_json(facts(found))
    else:
        console.show("\n".join(lines(found)))
    for path in out:
        console.say(f"comparison: {path}")
