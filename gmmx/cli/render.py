"""The command `gmmx render`."""

import click

from ..config import (
    ALL_IMAGES,
    ESTIMATES,
    IMAGES,
    TONES,
    UNITS,
    PictureRenderConfig,
    RenderConfig,
)
from . import options
from .given import config_of
from .options import Anything, Command, File, flag, setting


@click.command(
    cls=Command,
    epilog=options.examples(
        "gmmx render model.h5 --out model.fits",
        "gmmx render model.h5 --units flux --like broad_flux.img --out model.fits",
        "gmmx render model.h5 --image residual --bin 8 --out residual.fits",
        "gmmx render model.h5 --image snr --at 5 --out snr.fits",
        "gmmx render photo.h5 --grid-size 1000x800 --out photo.png",
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
@setting(
    PictureRenderConfig,
    "grid_size",
    "Size of the picture [pixel].",
    metavar="WIDTHxHEIGHT",
    type=Anything(),
    default="that of the picture that was fitted",
    group="Picture",
)
@setting(
    PictureRenderConfig,
    "tone",
    f"Curve from density or colour to what is drawn: {', '.join(TONES)}, or "
    "piecewise:X0:Y0,X1:Y1,... A density of 1 sample per pixel is black.",
    metavar="TONE",
    type=Anything(),
    group="Picture",
)
@setting(
    PictureRenderConfig,
    "contours",
    "Number of contours over the picture.",
    metavar="INT",
    group="Picture",
)
@flag(
    "--most-probable/--expectation",
    group="Picture",
    default=PictureRenderConfig.most_probable,
    help="Colour of each place: that of its most probable component, or the mean over all "
    "components. [default: expectation]",
)
@options.no_checksum
@options.out(
    "FILE.fits|.h5", "File of the images; for the mixture of a picture .png, .jpg, .tif or .fits."
)
@options.overwrite
@options.quiet
@options.verbose
@options.config
@click.pass_context
def render(context, model, out, overwrite, **given):
    """Write images of MODEL.

    The first image is the deconvolved signal, which DS9 shows at once. The others are the
    signal convolved with the PSF, the background, the completeness, the expected counts, the
    recorded counts and the residuals in sigma. For a joint fit, the last three follow for each
    observation.

    The uncertainty of the signal is its spread over draws of the parameters: those that gmmx
    errors put into MODEL, or else 200 draws from the information matrix. The headers say which.

    For the mixture of a picture, the picture is written: the density of a drawing, or the
    conditional colours of a picture that was fitted with --colour. FILE.fits gets the values of
    the pixels of a drawing or of a FITS image, with the coordinates of that.
    """
    from ..commands.pictures import render_picture
    from ..commands.render import render as render_images
    from ..io.models import model_kind

    console = context.obj
    common = {"overwrite": overwrite, "inputs": console.configs}
    if model_kind(model) == "photons":
        config = config_of(
            context, given, RenderConfig, "applies to mixtures of pictures: leave it out"
        )
        out = render_images(model, out, config, command=console.command, **common)
        console.say(f"images: {out}")
    else:
        config = config_of(
            context, given, PictureRenderConfig, "applies to models of photons: leave it out"
        )
        out = render_picture(model, out, config, command=console.command, **common)
        console.say(f"picture: {out}")
