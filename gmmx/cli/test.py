"""The command `gmmx test`."""

import click

from ..config import GoodnessConfig
from . import options
from .options import Command, File, Option, flag, setting, values


@click.command(
    "test",
    cls=Command,
    epilog=options.examples(
        "gmmx test model.h5",
        "gmmx test model.h5 --simulations 1000 --out test.ecsv --out-map residuals.fits",
    ),
)
@options.model
@setting(GoodnessConfig, "simulations", "Number of simulated skies.", metavar="INT")
@flag(
    "--no-refit",
    group="Options",
    default=GoodnessConfig.no_refit,
    help="Compare the simulated skies with MODEL, instead of fitting each of them first. This is "
    "fast, but the p-values are too large, because MODEL was fitted to the photons and follows "
    "some of their noise: a small p-value remains significant, a large one says little.",
)
@setting(GoodnessConfig, "seed", "Seed of the simulations.", metavar="INT")
@setting(
    GoodnessConfig,
    "threads",
    "Number of threads, or 0 for all cores. The result does not depend on it.",
    metavar="INT",
)
@options.out(
    "FILE", "Table of the statistics and of the places (.ecsv, .fits, .csv).", required=False
)
@click.option(
    "--out-map",
    cls=Option,
    group="Output",
    metavar="FILE",
    type=File(),
    help="Images of the local significance of the residuals in discs of several radii (.fits, "
    ".h5). The first has the largest significance of all radii at each place.",
)
@options.overwrite
@options.as_json
@options.quiet
@options.verbose
@options.config
@click.pass_obj
def test(console, model, out, out_map, overwrite, as_json, **given):
    """Test whether MODEL describes its photons.

    Skies are simulated from MODEL and fitted again, starting from MODEL. The p-value of a
    statistic is the fraction of them that differ from their fit at least as much as the photons
    differ from MODEL. The statistics are the Cash statistic in blocks of 4, 16 and 64 arcsec and in
    a radial and an azimuthal profile, and the largest residual within discs of several radii.

    The places that MODEL misses are listed with their local significance, which knows nothing of
    the search, and with the chance of so large a residual anywhere in the field.
    """
    from ..commands.test import goodness
    from ..show.goodness_list import goodness_dict, goodness_lines

    config = values(GoodnessConfig, given)
    found = goodness(
        model,
        config,
        out=out,
        out_map=out_map,
        overwrite=overwrite,
        inputs=console.configs,
        command=console.command,
        callback=console.steps,
    )
    if as_json:
        console.show_json({"model": model, **goodness_dict(found)})
    else:
        console.show("\n".join(goodness_lines(found)))
    for what, path in (("statistics", out), ("significance", out_map)):
        if path is not None:
            console.say(f"{what}: {path}")
