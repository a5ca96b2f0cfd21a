"""The command `gmmx profile`."""

import click

from ..config import ProfileConfig
from . import options
from .options import Command, File, Option, flag, setting, values
from .record import without_output


@click.command(
    "profile",
    cls=Command,
    epilog=options.examples(
        "gmmx profile model.h5 --out profile.ecsv --out profile.pdf",
        "gmmx profile model.h5 --center 187.706,12.391 --bins 0,5,10,20,40",
        "gmmx profile model.h5 --axis-ratio 0.7 --pa 45 --sector 350:100 --bins counts:200",
    ),
)
@options.model
@setting(
    ProfileConfig,
    "center",
    "Centre of the annuli: the highest surface brightness of the signal at the resolution of the "
    "PSF (brightest), the mean position of its flux (centroid), or a position (ICRS, in degrees "
    "or as hh:mm:ss,dd:mm:ss).",
    metavar="RA,DEC|WORD",
)
@setting(
    ProfileConfig,
    "bins",
    "Annuli to the farthest place that was observed: N of equal ratios (log:N, the innermost is "
    "a disc), N of equal widths (linear:N), or annuli with at least N photons each (counts:N); or "
    "the edges as a list [arcsec].",
    metavar="RULE:N|LIST",
)
@setting(
    ProfileConfig,
    "axis_ratio",
    "Minor over major axis of elliptical annuli. R is then the semi-major axis.",
    metavar="Q",
)
@setting(
    ProfileConfig,
    "pa",
    "Position angle of the major axis, north through east [degrees].",
    metavar="DEG",
    type=float,
)
@setting(
    ProfileConfig,
    "sector",
    "Keep the part of the annuli between two position angles, north through east [degrees].",
    metavar="FROM:TO",
)
@flag(
    "--isophotes",
    help="Fit ellipses to the isophotes of the deconvolved model, with the middles of the annuli "
    "as semi-major axes: centre, ellipticity and position angle. It takes some seconds.",
    group="Options",
    default=ProfileConfig.isophotes,
)
@click.option(
    "--out",
    cls=Option,
    group="Output",
    metavar="FILE",
    type=File(),
    multiple=True,
    help="Table (.ecsv, .fits, .csv) or figure (.pdf, .svg, .png). May be given several times.",
)
@options.overwrite
@options.as_json
@options.quiet
@options.verbose
@options.config
@click.pass_obj
def profile(console, model, out, overwrite, as_json, **given):
    """Measure the radial profile of MODEL.

    Each annulus has the data (recorded photons less backgrounds and point sources, over the
    exposure), the model of the signal as the PSF blurs it, and the deconvolved model. Compare the
    data with the blurred model, which is weighted with the exposure as they are. Columns have the
    names of CIAO's dmextract where the quantity is the same: SUR_FLUX is corrected for the
    exposure, SUR_BRI is not.

    Errors of the data are Poisson (SUR_FLUX_ERR) and those of the background (SUR_FLUX_BG_ERR).
    Errors of the models are the spread over draws of the parameters: those in MODEL, or else 200
    draws from the information matrix. Annuli share components, so that their errors are
    correlated. The half-light radius holds half of the deconvolved flux within the farthest
    place that was observed.
    """
    from ..commands.profile import profile as measure
    from ..show.profile_list import profile_dict, profile_lines

    config = values(ProfileConfig, given)
    table = measure(
        model,
        config,
        out=out,
        overwrite=overwrite,
        inputs=console.configs,
        command=without_output(console.command),
    )
    if as_json:
        console.show_json({"model": model, **profile_dict(table)})
    else:
        console.show("\n".join(profile_lines(table)))
    for path in out:
        console.say(f"profile: {path}")
