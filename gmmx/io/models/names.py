"""The names in a model file: one table for the writer and for the readers of all versions."""

SCHEMA = "gmmx-model"
# The version that is written. Groups and attributes that a reader does not know are ignored, so
# that an optional addition leaves the version as it is.
SCHEMA_VERSION = 2

# Attributes of the file that are fields of FitResult under the same name.
RESULT_ATTRIBUTES = (
    "log_likelihood",
    "objective",
    "converged",
    "stop_reason",
    "iterations",
    "requested_components",
    "seed",
    "seconds",
)
# Datasets of /mixture: field of FitResult, and unit. Its three parameters are written apart.
MIXTURE_ARRAYS = {
    "observed_fraction": ("observed_fraction", ""),
    "observed_photons": ("observed_photons", "photon"),
    "prior_scale": ("prior_scales", "arcsec**2"),
    "flux_error": ("flux_errors", "photon"),
    "mean_error": ("mean_errors", "arcsec"),
    "flux_upper95": ("flux_upper95", "photon"),
}
# Fields of PlaceErrors. The attributes photons_NAME and photons_NAME_error of /mixture are the
# photons of the extended components by place; only the errors are read.
PLACES = ("in_field", "under_masks", "outside")
# Datasets of /observations/<name>/photons: field of Photons, and unit.
PHOTON_ARRAYS = {
    "x": ("x", "arcsec"),
    "y": ("y", "arcsec"),
    "weight": ("weights", "photon"),
    "energy": ("energy_kev", "keV"),
    "ccd": ("ccd", ""),
}
# Datasets of /draws: field of Draws, and unit.
DRAW_ARRAYS = {
    "flux": ("fluxes", "photon"),
    "mean": ("means", "arcsec"),
    "covariance": ("covariances", "arcsec**2"),
    "amplitude": ("amplitudes", "photon/arcsec**2"),
}
# Units of the columns of /history and /path; the others have none.
COLUMN_UNITS = {"log_likelihood": "nat", "objective": "nat", "criterion": "nat", "seconds": "s"}

# Version 1: its name for each dataset that was renamed.
DATASETS_1 = {
    "observed_fraction": "observed_share",
    "fixed_flux": "freeze_flux",
    "fixed_mean": "freeze_mean",
    "fixed_covariance": "freeze_covariance",
    "open_fraction": "open_share",
}
# Version 1: the present name of each column, option and role of an input file that was renamed.
COLUMNS_1 = {"phase": "stage", "phase_number": "phase"}
OPTIONS_1 = {
    "k": "n_components",
    "energy": "energy_kev",
    "psf_blur": "psf_extra_sigma",
    "freeze": "fix",
    "prior_count": "prior_mean_count",
    "prior_shape": "prior_covariance_count",
}
ROLES_1 = {"freeze": "fix"}
