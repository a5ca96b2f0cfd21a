"""The command `gmmx plot`."""

import click

from ..config import COORDINATES, FIGURES, PANELS, SAMPLE_FIGURES, STRETCHES, UNITS, PlotConfig
from . import options
from .options import Command, File, flag, setting, values
from .record import without_output


@click.command(
    "plot",
    cls=Command,
    epilog=options.examples(
        "gmmx plot model.h5 --out model.png",
        "gmmx plot model.h5 --what data,signal,residual --contours 5 --out row.pdf",
        "gmmx plot model.h5 --what signal --zoom 187.706,12.391,30 --components --out core.pdf",
        "gmmx plot first.h5 second.h5 --what compare --out compare.pdf",
        "gmmx plot soft.h5 medium.h5 hard.h5 --what colour --out colour.png --alt colour.txt",
        "gmmx plot model.h5 --what error --coords offset --units sb --out error.pdf",
    ),
)
@options.models
@setting(
    PlotConfig,
    "what",
    "Figure: overview, observations (residual and profile of each), history (of the fit), compare "
    "(of two models), colour (of three), or panels with commas between them, which make a row: "
    f"{', '.join(PANELS)}.",
    metavar="NAME|NAME,...",
    type=File(*FIGURES, *SAMPLE_FIGURES),
)
@setting(
    PlotConfig,
    "zoom",
    "Part of the sky: centre (ICRS, in degrees or as hh:mm:ss,dd:mm:ss) and radius [arcsec], or a "
    "region file.",
    metavar="RA,DEC,RADIUS|FILE",
    type=File(),
    default="everything that was recorded",
)
@setting(
    PlotConfig,
    "contours",
    "Contours of the signal over every map: their number, or their levels in the unit of "
    "--units (a comma makes a single whole number a level).",
    metavar="INT|LEVEL,...",
)
@flag(
    "--components",
    help="Draw 1 sigma ellipses of the components over every map, numbered as in the table of "
    "gmmx export.",
    group="Options",
    default=PlotConfig.components,
)
@setting(
    PlotConfig,
    "region",
    "Draw the regions of this file over every map. May be given several times.",
    metavar="FILE",
    type=File(),
)
@setting(
    PlotConfig,
    "smooth",
    "Standard deviation of the Gaussian that the photons, the error and a picture in true colour "
    "are smoothed with [arcsec].",
    metavar="ARCSEC",
    type=float,
    default="about six photons in the kernel; the PSF for the error; a pixel in true colour",
)
@setting(
    PlotConfig,
    "block",
    "Side of the blocks of the residuals [arcsec]; blocks that expect fewer than 10 photons are "
    "hatched.",
    metavar="ARCSEC",
    type=float,
    default="blocks that expect at least 10 photons each",
)
@flag(
    "--significant",
    help="Outline the blocks of the residuals beyond 3, 4 and 5 sigma.",
    group="Options",
    default=PlotConfig.significant,
)
@setting(
    PlotConfig,
    "coords",
    "Coordinates of the maps: equatorial, galactic, or offsets from the centre of the map.",
    type=click.Choice(COORDINATES),
)
@flag(
    "--degrees",
    help="Write coordinates in decimal degrees.",
    group="Options",
    default=PlotConfig.degrees,
)
@setting(
    PlotConfig,
    "units",
    "Unit of surface brightness: photons/arcsec^2 at the reference exposure (counts), "
    "photon/cm^2/s per pixel of the exposure map (flux), or photon/cm^2/s/arcsec^2 (sb).",
    type=click.Choice(UNITS),
)
@setting(
    PlotConfig,
    "vmin",
    "Surface brightness of the darkest colour, in the unit of --units.",
    metavar="FLOAT",
    type=float,
    default="0",
)
@setting(
    PlotConfig,
    "vmax",
    "Surface brightness of the brightest colour, in the unit of --units.",
    metavar="FLOAT",
    type=float,
    default="the brightest of the panels",
)
@setting(PlotConfig, "stretch", "Scaling of the colours.", type=click.Choice(STRETCHES))
@setting(
    PlotConfig,
    "cmap",
    "Colours of surface brightness, by matplotlib's name.",
    metavar="NAME",
    default="inferno",
)
@setting(
    PlotConfig,
    "width",
    "Width: a journal's single column (3.5 inches) or double column (7.1 inches), or inches. auto "
    "is single for one panel and double for other figures.",
    metavar="single|double|INCHES",
    type=File("auto", "single", "double"),
)
@setting(
    PlotConfig,
    "style",
    "Style sheet of matplotlib, or the name of one of its styles.",
    metavar="FILE",
    type=File(),
)
@setting(
    PlotConfig,
    "alt",
    "Write a description of the figure to this text file, for readers who do not see it.",
    metavar="FILE.txt",
    type=File(),
)
@setting(
    PlotConfig,
    "colour_stretch",
    "Brightness up to which a picture in true colour is linear, in units of the mean of each band.",
    metavar="FLOAT",
    type=float,
    default="0.1 % of the pixels are brighter than white",
    group="True colour",
)
@setting(
    PlotConfig,
    "colour_q",
    "How strongly what is brighter is compressed (Lupton et al. 2004).",
    metavar="FLOAT",
    group="True colour",
)
@setting(
    PlotConfig,
    "colour_minimum",
    "Brightness that becomes black, in units of the mean of each band.",
    metavar="FLOAT",
    group="True colour",
)
@setting(PlotConfig, "dpi", "Resolution of a PNG [dots per inch].", metavar="INT")
@options.out("FILE.png|.pdf|.svg", "File of the figure.")
@options.overwrite
@options.quiet
@options.verbose
@options.config
@click.pass_obj
def plot(console, models, out, overwrite, **given):
    """Draw a figure of a MODEL, or of several, at the size of a journal's column.

    The figure "overview" shows the smoothed photons, the model with the background, the
    deconvolved signal, the completeness, the residuals and the radial profile. "observations"
    shows the residuals and the profile of each observation. "history" shows how the
    log-likelihood and the number of components changed during the fit.

    "compare" shows the signals of two models on one scale, their difference in units of its
    standard deviation, and both profiles. "colour" shows the signals of three models of one sky
    in three bands, softest first, in red, green and blue; each band is divided by its mean
    brightness, so that white is the mean colour of the picture.

    Of a mixture of samples, "corner", which is then the default, shows each column with its
    histogram and each pair of columns with contours that hold 39.3, 86.5 and 98.9 % of the mixture;
    "path" shows the criteria and the log-likelihood against the number of components.

    The panel "error" shows the error of the signal over draws of the parameters: those that gmmx
    errors put into MODEL, or else 200 draws from the information matrix.
    """
    from ..commands.plot import plot as plot_models

    config = values(PlotConfig, given)
    out = plot_models(
        models,
        out,
        config,
        overwrite=overwrite,
        inputs=console.configs,
        command=without_output(console.command),
    )
    console.say(f"figure: {out}")
