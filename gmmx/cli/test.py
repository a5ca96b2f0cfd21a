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
        "gmmx test model.h5 --components --out components.ecsv",
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
@flag(
    "--components",
    group="Options",
    default=GoodnessConfig.components,
    help="Measure the significance of each component, instead of the goodness of fit: the gain "
    "against a refit without it, compared with the largest gain of one more component on "
    "simulated skies without it.",
)
@setting(GoodnessConfig, "seed", "Seed of the simulations.", metavar="INT")
@setting(
    GoodnessConfig,
    "threads",
    "Number of threads, or 0 for all cores. The result does not depend on it.",
    metavar="INT",
)
@options.out(
    "FILE",
    "Table of the statistics and of the places (.ecsv, .fits, .csv). With --components, the table "
    "of components with the columns sqrt_ts and p_value.",
    required=False,
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

    With --components a component is compared with what the search for components finds in a field
    without it, so that its p-value contains the look-elsewhere effect. sqrt_ts is the square root
    of twice the gain in log-likelihood.
    """
    from ..commands.test import goodness, significance
    from ..show.goodness_list import goodness_dict, goodness_lines
    from ..show.significance_list import significance_dict, significance_lines

    config = values(GoodnessConfig, given)
    shared = {
        "out": out,
        "out_map": out_map,
        "overwrite": overwrite,
        "inputs": console.configs,
        "callback": console.steps,
    }
    if config.components:
        table = significance(model, config, **shared)
        lines, facts = significance_lines(table), significance_dict(table)
    else:
        found = goodness(model, config, **shared, command=console.command)
        lines, facts = goodness_lines(found), goodness_dict(found)
    if as_json:
        console.show_json({"model": model, **facts})
    else:
        console.show("\n".join(lines))
    what = "components" if config.components else "statistics"
    for name, path in ((what, out), ("significance", out_map)):
        if path is not None:
            console.say(f"{name}: {path}")
