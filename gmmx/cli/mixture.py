"""The commands `gmmx sample`, `gmmx condition` and `gmmx denoise`."""

import click

from ..config import SAMPLE_COLOURS, ConditionConfig, SampleCommandConfig
from . import options
from .options import Anything, Command, File, setting, values


@click.command(
    "sample",
    cls=Command,
    epilog=options.examples(
        "gmmx sample model.h5 --n 5000 --out drawn.ecsv",
        "gmmx sample drawing.h5 --n 40000 --out samples.png",
    ),
)
@options.model
@setting(SampleCommandConfig, "n", "Number of samples.", metavar="INT")
@setting(SampleCommandConfig, "seed", "Seed of the random numbers.", metavar="INT")
@setting(
    SampleCommandConfig,
    "grid_size",
    "Size of a picture [pixel].",
    metavar="WIDTHxHEIGHT",
    type=Anything(),
    default="that of the picture that was fitted",
)
@setting(
    SampleCommandConfig,
    "colours",
    "Colours in a picture: drawn from the conditional mixture at each place (draw), its mean "
    "(expectation), or the mean of its most probable component (most-probable).",
    type=click.Choice(SAMPLE_COLOURS),
)
@options.out(
    "FILE", "Table (.ecsv, .fits, .csv), or for the mixture of a picture .png, .jpg or .tif."
)
@options.overwrite
@options.quiet
@options.verbose
@options.config
@click.pass_obj
def sample(console, model, out, overwrite, **given):
    """Draw samples from MODEL and write them as a table, or scatter them over a picture.

    The samples of a catalogue are without errors. Those of a model of photons are positions on
    the deconvolved sky, of extended components. gmmx simulate draws what a telescope detects.
    """
    from ..commands.pictures import sample_picture
    from ..commands.sample import sample as to_table
    from ..io.pictures import is_picture

    config = values(SampleCommandConfig, given)
    draw = sample_picture if is_picture(out) else to_table
    out = draw(model, out, config, overwrite=overwrite, inputs=console.configs)
    console.say(f"samples: {config.n:,} in {out}")


@click.command(
    "condition",
    cls=Command,
    epilog=options.examples(
        "gmmx condition stars.h5 --given r_i=0.4",
        "gmmx condition stars.h5 --given r_i=0.4,parallax=1.2 --out conditional.ecsv",
        "gmmx condition stars.h5 --columns g_r,r_i --out marginal.ecsv",
    ),
)
@options.model
@setting(
    ConditionConfig,
    "given",
    "Columns whose values are known. Commas separate several.",
    metavar="NAME=VALUE,...",
    type=Anything(),
)
@setting(
    ConditionConfig,
    "columns",
    "Columns to keep: the mixture is integrated over the others. Commas separate several.",
    metavar="NAME,...",
    type=Anything(),
    default="all columns that are not given",
)
@options.out("FILE", "Table (.ecsv, .fits, .csv).", required=False)
@options.overwrite
@options.as_json
@options.quiet
@options.verbose
@options.config
@click.pass_obj
def condition(console, model, out, overwrite, as_json, **given):
    """Condition MODEL, a mixture of a catalogue, on known values of some columns.

    The result is the mixture of the other columns: one row for each component, with the fraction
    that the known values give it. With --columns it is the marginal mixture of these columns, which
    needs no --given. Below stand the mean and the standard deviation of each column over all
    components. If MODEL has draws, all numbers have errors, and --json has the intervals of 68 and
    95 % of the means and standard deviations.
    """
    from ..commands.condition import condition as conditioned
    from ..show.sample_page import part_page, table_rows

    config = values(ConditionConfig, given)
    table = conditioned(model, config, out=out, overwrite=overwrite, inputs=console.configs)
    if as_json:
        facts = {"given": config.values, "rows": table_rows(table), "all": table.meta["all"]}
        console.show_json({"model": model} | facts)
    else:
        console.show(part_page(table))
    if out is not None:
        console.say(f"mixture: {out}")


@click.command(
    "denoise",
    cls=Command,
    epilog=options.examples(
        "gmmx denoise stars.h5 --out denoised.fits",
        "gmmx denoise stars.h5 other.fits --out denoised.ecsv",
    ),
)
@options.model
@click.argument("catalogue", type=File(), required=False)
@options.out("FILE", "Table (.ecsv, .fits, .csv).")
@options.overwrite
@options.quiet
@options.verbose
@click.pass_obj
def denoise(console, model, catalogue, out, overwrite):
    """Write the values of samples without their errors.

    Each value is the posterior mean, given the values and errors of its row and the mixture of
    MODEL as the prior; its standard deviation and the correlations stand beside it. Missing
    values are filled in. Each row of CATALOGUE gets a row, which is empty if it has no value at
    all. Without CATALOGUE the samples are those that MODEL was fitted to.
    """
    from ..commands.denoise import denoise as denoised

    out = denoised(model, out, catalogue, overwrite=overwrite, inputs=console.configs)
    console.say(f"denoised samples: {out}")
