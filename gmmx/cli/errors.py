"""The command `gmmx errors`."""

import click

from ..config import DRAW_METHODS, ErrorsConfig
from . import options
from .options import Command, setting, values


@click.command(
    "errors",
    cls=Command,
    epilog=options.examples(
        "gmmx errors model.h5",
        "gmmx errors model.h5 --method scan --draws 500 --out with_draws.h5",
    ),
)
@options.model
@setting(ErrorsConfig, "draws", "Number of parameter sets.", metavar="INT")
@setting(
    ErrorsConfig,
    "method",
    "Draw from the information matrix (laplace), refit with Poisson weights of the photons "
    "(bootstrap), or refit with wings of beta-models beside the mixture (scan). auto "
    "takes scan if the background is correlated with the flux by more than 0.7, if a component "
    "with a tenth of the flux is wider than an eighth of the half-diagonal of the field, or if a "
    "score test says that wings are missing. Else it takes laplace. For samples it takes laplace, "
    "or bootstrap above 3,500 parameters; there is no scan of samples.",
    type=click.Choice(DRAW_METHODS),
)
@setting(ErrorsConfig, "seed", "Seed of the random numbers.", metavar="INT")
@setting(
    ErrorsConfig,
    "threads",
    "Number of threads, or 0 for all cores. The draws do not depend on it.",
    metavar="INT",
)
@options.out("MODEL.h5", "Write a copy with the draws. [default: MODEL itself]", required=False)
@options.overwrite
@options.quiet
@options.verbose
@options.config
@click.pass_obj
def errors(console, model, out, overwrite, **given):
    """Add draws of the parameters to MODEL, from which all errors are computed.

    A draw is a complete parameter set, with a mixture and all backgrounds, that is consistent
    with the photons. The error of any answer is its spread over the draws. MODEL is rewritten, all
    else in it stays, unless --out is given.

    Of a mixture of samples, the numbers of samples scatter as Poisson numbers. Weights that are
    whole numbers count equal rows; with other weights, in any unit, each row is one sample.

    The draws contain the degeneracy between broad emission and the background, the error of a
    background that was measured elsewhere, and fluxes that may be zero. They do not contain sources
    that nobody observed, under masks or outside of the field, nor structure that the mixture
    smooths: on clusters with cavities and fronts, intervals of 68 % hold the truth in about half of
    the cases. On emission that fills the field the photons hardly tell its wings from a flat
    background. The wings of the draws are those of beta-models there, and the mean over the draws
    is a better estimate of the flux than the fit. A measured background, with fit --background-
    prior, narrows the errors.
    """
    from ..commands.errors import errors as draw_errors

    config = values(ErrorsConfig, given)
    out, result = draw_errors(
        model,
        out,
        config,
        overwrite=overwrite,
        inputs=console.configs,
        callback=console.steps,
    )
    console.say(f"draws: {len(result.draws)} parameter sets ({result.draws.method}) in {out}")
