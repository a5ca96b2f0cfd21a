"""The options of `gmmx fit` for photons, under the headings of its help."""

import click

from ..config import SOURCE_POSITIONS, STARTS, FitConfig
from . import options
from .options import Anything, Components, File, setting


def _headed(group):
    def declare(name, text, **rest):
        return setting(FitConfig, name, text, group=group, **rest)

    return declare


_input, _instrument, _model, _fit = map(_headed, ("Input", "Instrument", "Model", "Fit"))

PHOTON_OPTIONS = (
    _input(
        "exposure",
        "Exposure map in cm^2 s, as CIAO fluximage writes it. Without one, the field is the "
        "outline of the chips, from a field-of-view file given with --region or else from the "
        "photons, and there are no fluxes in physical units unless --area is given.",
        metavar="FILE",
        type=File(),
    ),
    _input(
        "exposure_unit",
        "Unit of the exposure map, such as s for a map of XMM-Newton without BUNIT, or none for a "
        "relative map. If BUNIT says something else, this unit is taken, with a warning.",
        metavar="UNIT",
        type=Anything(),
        default="BUNIT of the map",
    ),
    _input(
        "area",
        "Effective area on the optical axis for the energy band and the spectrum [cm^2], which "
        "gives approximate fluxes: the exposure is this area times the exposure time of the header "
        "times the vignetting that is assumed, or times an exposure map in seconds.",
        metavar="CM2",
        type=Anything(),
    ),
    _input(
        "mask",
        "Leave out the photons inside the regions of this file (DS9, CIAO or FITS). May be given "
        "several times.",
        metavar="FILE",
        type=File(),
    ),
    _input(
        "region",
        "Keep only the photons inside the regions of this file. May be given several times.",
        metavar="FILE",
        type=File(),
    ),
    _input(
        "energy_kev",
        "Energy band [keV], such as 0.5:2.",
        metavar="LO:HI|all",
        type=Anything(),
        default="0.5:7 for ACIS, else all",
    ),
    _input(
        "bin",
        "Count the photons in cells of this size [arcsec]. The fit is then faster, and the PSF is "
        "widened by the size of the cell.",
        metavar="ARCSEC",
        type=float,
        default="single photons",
    ),
    _input(
        "grid",
        "Cell size of the map of exposure and masks [arcsec].",
        metavar="ARCSEC",
        type=float,
        default="the pixel of the exposure map, else 1",
    ),
    options.no_checksum,
    _instrument(
        "ccd",
        "Chips whose photons are kept, such as 0-3 or 5,7.",
        metavar="LIST|all",
        type=Anything(),
        default="the chips of the aim point for ACIS: 0-3 or 7; else all",
    ),
    _instrument(
        "psf",
        "PSF: the built-in model of Chandra, a PSF map of CIAO mkpsfmap, several PSF maps of "
        "different encircled fractions separated by commas, an image of a point source, the sigma "
        "of a Gaussian [arcsec], or none.",
        metavar="chandra|FILE|SIGMA|none",
        type=File("chandra", "none"),
        default="chandra for ACIS, else none",
    ),
    _instrument(
        "psf_ecf",
        "Encircled fraction of the PSF map, between 0 and 1.",
        metavar="FRACTION",
        type=float,
        default="the header of the map",
    ),
    _instrument(
        "psf_extra_sigma",
        "Sigma of a further Gaussian that the PSF is convolved with [arcsec], for instance for an "
        "uncertain aspect solution.",
        metavar="ARCSEC",
    ),
    _instrument(
        "background",
        "Backgrounds, separated by commas: sky (vignetted), particle (not vignetted), streak (the "
        "readout streak of ACIS), a FITS image or event list, or none. Their amplitudes are "
        "fitted, except that of streak, which follows from the frame time. sky=VALUE "
        "[photon/cm^2/s/arcsec^2, or photon/arcsec^2 without an exposure map in cm^2 s] and "
        "particle=VALUE [photon/arcsec^2] keep an amplitude fixed, and FILE:fixed keeps the "
        "amplitude of a file fixed. A catalogue has uniform (in the box of all objects), "
        "uniform:LOW:HIGH,... with a range for each column, or FILE.h5: the model of a control "
        "field, or an HDF5 file with a dataset density and one for each axis.",
        metavar="KIND[=VALUE]|FILE[:fixed]|none",
        type=File("sky", "particle", "streak", "none"),
        default="for ACIS with an exposure map sky,particle; else sky",
    ),
    _instrument(
        "background_prior",
        "Gaussian priors on amplitudes that are fitted, such as sky=2e-9+-1e-10, from blank-sky "
        "rates for instance, in the units of --background. Commas separate several.",
        metavar="KIND=VALUE+-ERROR",
        type=Anything(),
    ),
    _instrument(
        "background_region",
        "Fit the background amplitudes to the photons inside the source-free regions of this file, "
        "then keep them fixed. May be given several times.",
        metavar="FILE",
        type=File(),
    ),
    _model(
        "n_components",
        "Number of components, or auto to choose it: each component must raise the log-likelihood "
        "by more than its price.",
        metavar="INT|auto",
        type=Components(),
    ),
    _model(
        "price",
        "Price of a component with --k auto [nat]. Without it a narrow component, which could "
        "have had many positions, is dearer than a broad one.",
        metavar="NAT",
        type=float,
        default="8, and the log of the number of positions in the field",
    ),
    _model(
        "min_sigma",
        "Smallest intrinsic standard deviation of a component [arcsec]. It is at least half a "
        "pixel if all photons are counted in pixels.",
        metavar="ARCSEC",
    ),
    _model(
        "sources",
        "Region file or source list of point sources that are fitted instead of masked. May be "
        "given several times.",
        metavar="FILE",
        type=File(),
    ),
    _model(
        "source_positions",
        "Fit the positions of the point sources within their regions (free), or keep those of "
        "the list (fixed).",
        type=click.Choice(SOURCE_POSITIONS),
    ),
    _model(
        "fix",
        "Start from the components of this table, which gmmx export writes. Its columns "
        "fixed_flux, fixed_mean and fixed_covariance mark the parameters to keep fixed.",
        metavar="FILE.ecsv",
        type=File(),
    ),
    _model(
        "prior_mean_count",
        "Weight of the prior on the position of a component, as a number of photons that are "
        "distributed as the exposure within the component.",
        metavar="PHOTONS",
    ),
    _model(
        "prior_covariance_count",
        "Weight of the prior on the covariance of a component, as a number of photons that are "
        "distributed as the core of the PSF. The prior keeps faint components from shrinking "
        "below the resolution.",
        metavar="PHOTONS",
    ),
    _fit(
        "init",
        "Initialisation: grow the mixture from the background (grow), start from k-means clusters "
        "(kmeans), or continue from the components of a model file. A larger --k adds components "
        "to those of the model.",
        metavar="|".join([*STARTS, "MODEL.h5"]),
        type=File(*STARTS),
    ),
    _fit("seed", "Seed of the random numbers of --init kmeans.", metavar="INT"),
    _fit(
        "max_iter",
        "Maximum number of likelihood evaluations after the initialisation.",
        metavar="INT",
    ),
    _fit(
        "tol",
        "Stop when the gain in log-likelihood that can still be expected is below this [nat].",
        metavar="NAT",
    ),
    _fit(
        "exchanges",
        "Maximum number of rounds that exchange superfluous components for missing ones.",
        metavar="INT",
    ),
    _fit(
        "draws",
        "Draw so many parameter sets after the fit, which are the errors of all answers, as gmmx "
        "errors does.",
        metavar="INT",
        default="none",
    ),
    _fit(
        "threads",
        "Number of threads, or 0 for all cores. The result does not depend on it.",
        metavar="INT",
    ),
)
