"""The command `gmmx flux`."""

import click

from ..config import FluxConfig
from . import options
from .options import Command, File, flag, setting, values


@click.command(
    "flux",
    cls=Command,
    epilog=options.examples(
        "gmmx flux model.h5 --region core.reg --region jet.reg",
        "gmmx flux model.h5 --circle 187.706,12.391,30 --erg-per-photon 1.9e-9",
        "gmmx flux model.h5 --region knots.reg --each --out fluxes.ecsv",
    ),
)
@options.model
@setting(
    FluxConfig,
    "region",
    "Region file, which is one region: the union of its shapes. May be given several times.",
    metavar="FILE",
    type=File(),
)
@setting(
    FluxConfig,
    "circle",
    "Circle: its centre (ICRS, in degrees or as hh:mm:ss,dd:mm:ss) and its radius [arcsec]. May "
    "be given several times.",
    metavar="RA,DEC,RADIUS",
)
@flag(
    "--each",
    help="Make every shape of a region file a region of its own.",
    group="Options",
    default=FluxConfig.each,
)
@setting(
    FluxConfig,
    "erg_per_photon",
    "Mean energy of a photon, from a spectral model [erg]. It adds fluxes in erg/cm^2/s.",
    metavar="ERG",
    type=float,
)
@flag(
    "--covariance",
    help="Give the correlations between the regions, too.",
    group="Options",
    default=FluxConfig.covariance,
)
@options.out("FILE", "Table (.ecsv, .fits, .csv).", required=False)
@options.overwrite
@options.as_json
@options.quiet
@options.verbose
@options.config
@click.pass_obj
def flux(console, model, out, overwrite, as_json, **given):
    """Measure the flux of MODEL in regions of the sky.

    The flux is that of the deconvolved signal, without point sources. Its intervals are the
    spread over draws of the parameters: those in the model, or else 200 draws from the
    information matrix. Beside it stand the recorded photons inside, the photons that the
    backgrounds and point sources explain, the significance of the signal, and the fraction of
    the flux at positions that were hardly observed. A region with a significance below 3 has a
    95 % upper limit.
    """
    from ..commands.flux import flux as measure
    from ..show.flux_list import flux_dicts, flux_lines

    config = values(FluxConfig, given)
    table = measure(model, config, out=out, overwrite=overwrite, inputs=console.configs)
    if as_json:
        console.show_json({"model": model, **flux_dicts(table)})
    else:
        console.show("\n".join(flux_lines(table)))
    if out is not None:
        console.say(f"fluxes: {out}")
