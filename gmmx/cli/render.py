"""The command `gmmx render`."""

import click

from ..config import ALL_IMAGES, ESTIMATES, IMAGES, UNITS, RenderConfig
from . import options
from .options import Command, File, flag, setting, values


@click.command(
    cls=Command,
    epilog=options.examples(
        "gmmx render model.h5 --out model.fits",
        "gmmx render model.h5 --units flux --like broad_flux.img --out model.fits",
        "gmmx render model.h5 --image residual --bin 8 --out residual.fits",
        "gmmx render model.h5 --image snr --at 5 --out snr.fits",
    ),
)
@options.model
@setting(
    RenderConfig,
    "image",
    f"Write only this image: {', '.join(IMAGES)}, for a joint fit expected_1, counts_1, "
    f"residual_1 and so on, or an image of the uncertainty of the signal: error, snr (signal over "
    "error), lower or upper (ends of the interval of 68 %). An error map per pixel is dominated "
    "by pixels that the data do not resolve: give --at.",
    metavar="NAME",
    type=File(*ALL_IMAGES),
    default="all images but those of the uncertainty",
)
@setting(
    RenderConfig,
    "at",
    "Resolution of the signal and of its uncertainty: they are smoothed with a Gaussian of this "
    "standard deviation [arcsec].",
    metavar="ARCSEC",
    type=float,
    default="no smoothing",
)
@setting(
    RenderConfig,
    "estimate",
    "Signal: the best fit (best), or the mean over the draws of the parameters (mean).",
    type=click.Choice(ESTIMATES),
)
@setting(
    RenderConfig,
    "like",
    "FITS image whose pixel grid the images get.",
    metavar="FITS",
    type=File(),
)
@setting(
    RenderConfig,
    "bin",
    "Pixel size [arcsec].",
    metavar="ARCSEC",
    type=float,
    default="the pixel of the exposure map",
)
@setting(
    RenderConfig,
    "units",
    "Units of the signal and background images: photons per pixel at the reference exposure "
    "(counts), photon/cm^2/s per pixel (flux), or photon/cm^2/s/arcsec^2 (sb).",
    type=click.Choice(UNITS),
)
@flag(
    "--points",
    help="Draw the point sources in the signal image too.",
    group="Options",
    default=RenderConfig.points,
)
@options.no_checksum
@options.out("FILE.fits|.h5", "File of the images.")
@options.overwrite
@options.quiet
@options.verbose
@options.config
@click.pass_obj
def render(console, model, out, overwrite, **given):
    """Write images of MODEL.

    The first image is the deconvolved signal, which DS9 shows at once. The others are the
    signal convolved with the PSF, the background, the completeness, the expected counts, the
    recorded counts and the residuals in sigma. For a joint fit, the last three follow for each
    observation.

    The uncertainty of the signal is its spread over draws of the parameters: those that gmmx
    errors put into MODEL, or else 200 draws from the information matrix. The headers say which.
    """
    from ..commands.render import render as render_model

    config = values(RenderConfig, given)
    out = render_model(
        model,
        out,
        config,
        overwrite=overwrite,
        inputs=console.configs,
        command=console.command,
    )
    console.say(f"images: {out}")
