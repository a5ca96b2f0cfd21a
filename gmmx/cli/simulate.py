"""The command `gmmx simulate`."""

import click

from ..config import SimulateConfig
from . import options
from .options import Anything, Command, flag, setting, values


@click.command(
    "simulate",
    cls=Command,
    epilog=options.examples(
        "gmmx simulate model.h5 --out simulated.fits",
        "gmmx simulate model.h5 --exposure-scale 3 --seed 7 --out proposal.fits",
        "gmmx simulate model.h5 --components 0,3 --draw 12 --out two.fits",
    ),
)
@options.model
@setting(
    SimulateConfig,
    "exposure_scale",
    "Factor on the exposure time of every observation.",
    metavar="FLOAT",
)
@setting(
    SimulateConfig,
    "components",
    "Only these components, by their numbers in the component table, or none for the backgrounds "
    "alone. The backgrounds are simulated in any case.",
    metavar="LIST|none",
    default="all",
    type=Anything(),
)
@flag(
    "--no-psf",
    group="Options",
    default=SimulateConfig.no_psf,
    help="Leave the photons where the sky has them, without the PSF.",
)
@setting(
    SimulateConfig,
    "draw",
    "Draw of the parameters to simulate, from 0, of those that gmmx errors put into MODEL.",
    metavar="INT",
    default="the best fit",
    type=click.INT,
)
@setting(SimulateConfig, "seed", "Seed of the random numbers.", metavar="INT")
@options.out(
    "FILE.fits",
    "Event list. A joint model makes one for each observation, with its number before the ending: "
    "FILE_1.fits, FILE_2.fits.",
)
@options.overwrite
@options.quiet
@options.verbose
@options.config
@click.pass_obj
def simulate(console, model, out, overwrite, **given):
    """Simulate the event list that the telescope would record if MODEL were true.

    The number of photons is a Poisson number. They go through PSF, exposure, gaps and masks, and
    all backgrounds are added. The column origin holds the truth: the number of the component, or
    -1, -2 for the backgrounds in their order.

    Energies are drawn from the recorded photons, by origin: each photon counts with its
    probability to be of the signal, of a point source, or of a background. They lie in the band
    of the fit, which the header records, so that gmmx fit selects the same band. Times are even
    over one good time interval. A model of a counts image gives single photons without energies.

    Fit the simulated file with the exposure map, PSF and masks of the original. With
    --exposure-scale multiply the exposure map by the same factor.
    """
    from ..commands.simulate import simulate as simulate_events

    config = values(SimulateConfig, given)
    written = simulate_events(
        model, out, config, overwrite=overwrite, inputs=console.configs, say=console.say
    )
    for path, n in written:
        console.say(f"simulated: {n:,} photons in {path} (seed {config.seed})")
