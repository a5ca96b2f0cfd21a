"""The part of `gmmx fit` that is about catalogues and pictures."""

import click

from ..config import (
    COVARIANCE_FORMS,
    CRITERIA,
    DRAWING_THRESHOLD,
    IMAGE_THRESHOLD,
    NOISE_MODELS,
    NOISE_ORDERS,
    SampleConfig,
)
from .options import Anything, File, flag, setting


def _headed(group):
    def declare(name, text, **rest):
        return setting(SampleConfig, name, text, group=group, **rest)

    return declare


_catalogue, _picture, _samples = map(
    _headed, ("Catalogue", "Picture", "Mixture of a catalogue or a picture")
)

SAMPLE_OPTIONS = (
    _catalogue(
        "columns",
        "Fit these columns of a table (FITS, ECSV, CSV, VOTable, HDF5, Parquet) instead of "
        "photons. Empty cells and NaN are missing values.",
        metavar="NAME,...",
        type=Anything(),
    ),
    _catalogue(
        "errors",
        "Columns of the standard deviations of the errors, in the order of --columns. A value "
        "without an error counts as missing.",
        metavar="NAME,...",
        type=Anything(),
    ),
    _catalogue(
        "correlations",
        "Columns of the correlations of the errors, for the pairs of columns 1-2, 1-3, ... 2-3, "
        "and so on.",
        metavar="NAME,...",
        type=Anything(),
    ),
    _catalogue(
        "covariance",
        "Column whose cells hold the covariance matrices of the errors, instead of --errors.",
        metavar="NAME",
        type=Anything(),
    ),
    _catalogue("weights", "Column of weights.", metavar="NAME", type=Anything()),
    _catalogue(
        "completeness",
        "Probability that an object is in the catalogue: an expression over the columns, such as "
        "'mag < 24 & hypot(x - 6.5, y - 6) > 2', or an HDF5 file with a dataset `completeness` and "
        "one dataset for each axis, which has the name of a column.",
        metavar="EXPRESSION|FILE.h5",
        type=File(),
        default="every object is in it",
    ),
    _catalogue(
        "noise_order",
        "Whether the errors are there before the selection, which then acts on the values with "
        "their errors, or after it.",
        type=click.Choice(NOISE_ORDERS),
    ),
    _catalogue(
        "noise_model",
        "Errors of objects that are not in the catalogue: the mean of all errors (constant), "
        "the errors of objects nearby (local), or an HDF5 file that gives the errors as a function "
        "of the true values, with a dataset errors/NAME for each column and one for each axis.",
        metavar="constant|local|FILE.h5",
        type=File(*NOISE_MODELS),
    ),
    flag(
        "--picture",
        group="Picture",
        default=SampleConfig.picture,
        help="Fit a FITS image as a picture: its bright pixels are samples, weighted with their "
        "values. Without it a FITS image holds counts, which are fitted as photons. The name or "
        "the number of an extension may follow the name of the file in brackets.",
    ),
    flag(
        "--colour",
        group="Picture",
        default=SampleConfig.colour,
        help="Fit all pixels with their colours: each is a sample (x, y, red, green, blue).",
    ),
    _picture(
        "threshold",
        "Darkness between 0 and 1 above which a pixel of a drawing is a sample. Its weight is its "
        "darkness. For a FITS image, the part of its largest value.",
        metavar="FRACTION",
        type=click.FLOAT,
        default=f"{DRAWING_THRESHOLD:g}, for a FITS image {IMAGE_THRESHOLD:g}",
    ),
    flag(
        "--invert",
        group="Picture",
        default=SampleConfig.invert,
        help="Fit the bright pixels of a drawing instead of the dark ones, or the dark pixels of a "
        "FITS image instead of the bright ones.",
    ),
    _samples(
        "criterion",
        "What chooses the number of components with --k auto: the criterion of Schwarz (bic), that "
        "of Akaike (aic), the integrated complete-data likelihood (icl), or samples that are not "
        "fitted (held-out).",
        type=click.Choice(CRITERIA),
    ),
    _samples("max_components", "Largest number of components that --k auto tries.", metavar="INT"),
    _samples(
        "covariance_form",
        "Form of the covariances: any (full), along the columns (diagonal), the same for all "
        "components (tied), or round (spherical).",
        type=click.Choice(COVARIANCE_FORMS),
    ),
    _samples(
        "starts",
        "Number of starts from k-means clusters, of which the best is taken.",
        metavar="INT",
    ),
)
