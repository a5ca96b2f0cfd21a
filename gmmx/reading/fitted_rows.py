"""Which rows of an event list are in the band, chips, masks and field of a fit."""

import warnings
from dataclasses import dataclass

import numpy as np

from ..errors import DataError, DataWarning
from ..io.counts_image import is_counts_image
from ..io.events import read_numbered
from ..io.files import file_digest
from ..io.virtual import FileArgument
from ..model.observation import Observation

# Positions that are nearer than this are those of one photon [arcsec].
_SAME = 1e-5


@dataclass(frozen=True, eq=False, repr=False)
class FittedRows:
    """The rows of an event list that belong to a fitted observation.

    Attributes
    ----------
    file : FileArgument
    rows : (n,) integers
        Their numbers in the table, from 0.
    x, y : (n,) array
        Their positions in the plane of the fit [arcsec].
    n_rows : int
        Number of all rows of the table.
    """

    file: FileArgument
    rows: np.ndarray
    x: np.ndarray
    y: np.ndarray
    n_rows: int

    def __repr__(self):
        return f"FittedRows({len(self.rows):,} of {self.n_rows:,} rows of {self.file.path})"


def fitted_rows(file: FileArgument, fitted: Observation) -> FittedRows:
    """Find the rows of an event list in the band, chips, masks and field of an observation.

    The filters behind the name of the file count, too. For the file of the fit itself these are
    the rows that were fitted.

    Parameters
    ----------
    file : FileArgument
    fitted : Observation
        An observation of a model.

    Returns
    -------
    FittedRows

    Raises
    ------
    DataError
        If the file is a counts image, cannot be read, or has no photon in that field.

    Warns
    -----
    DataWarning
        If the file was fitted and has changed since, if other rows are found than were fitted, or
        if the file is of another observation.
    """
    if is_counts_image(file):
        raise DataError(
            f"{file.path}: a counts image has no rows to assign: name the event list that it was "
            "made from"
        )
    events, numbers = read_numbered(file)
    _doubt_observation(file, events.pointing.obs_id, fitted)
    keep = _in_band(events, fitted) & _inside(file, events, fitted)
    x, y = _moved(events.frame, fitted.frame, events.photons.x, events.photons.y)
    keep &= np.isfinite(x) & np.isfinite(y)
    if fitted.completeness is not None:
        keep[keep] = fitted.completeness.effective_at(x[keep], y[keep]) > 0
    own = fitted.pointing.events_file
    if own is not None and own.path == file.text:
        keep = _as_fitted(file, own, fitted, keep, x, y)
    if not keep.any():
        raise DataError(
            f"{file.text}: none of its photons lies in the model's band and field: was it taken "
            "of the same sky?"
        )
    n_rows = events.pointing.n_rows
    return FittedRows(
        file, numbers[keep], x[keep], y[keep], len(keep) if n_rows is None else n_rows
    )


def _doubt_observation(file, obs_id, fitted):
    """Warn of an event list whose ObsID is not that of the observation that it stands for."""
    own = fitted.pointing.obs_id
    if own and obs_id and str(own) != str(obs_id):
        warnings.warn(
            f"{file.path}: ObsID {obs_id}, but the observation of the model is {own}: its PSF, "
            "exposure and backgrounds are taken; give the event lists in the order of the fit",
            DataWarning,
            stacklevel=4,
        )


def _in_band(events, fitted):
    """Which photons are in the band and on the chips of the fit."""
    band, chips = fitted.pointing.band_kev, fitted.pointing.chips
    keep = np.ones(len(events), bool)
    if band is not None and events.photons.energy_kev is not None:
        energies = events.photons.energy_kev
        keep &= (energies >= band[0]) & (energies <= band[1])
    if chips is not None and events.photons.ccd is not None:
        keep &= np.isin(events.photons.ccd, chips)
    return keep


def _inside(file, events, fitted):
    """Which photons are outside the masks of the fit, and inside the filters of the file."""
    at = events.photons.x, events.photons.y
    keep = np.ones(len(events), bool)
    for one in file.sky:
        shapes = one.read(frame=events.frame, physical=events.physical)
        keep &= shapes.contains(*at) != one.exclude
    if fitted.masks is not None:
        # The masks are exact in the plane that they were read in.
        frame = fitted.masks_frame or fitted.frame
        keep &= ~fitted.masks.contains(*_moved(events.frame, frame, *at))
    return keep


def _moved(own, frame, x, y):
    """Positions in another plane."""
    return (x, y) if frame is None or own == frame else own.to_frame(frame, x, y)


def _as_fitted(file, own, fitted, keep, x, y):
    """Of the rows of the fit's own file those that were fitted."""
    if own.sha256 and file_digest(file.path) != own.sha256:
        warnings.warn(
            f"{file.path}: the file has changed since the model was fitted to it: its rows are "
            "assigned as those of any other event list",
            DataWarning,
            stacklevel=3,
        )
        return keep
    photons = fitted.photons
    if photons.pixel == 0 and int(keep.sum()) != len(photons):
        # What was cut out cannot always be expressed by masks; the photons tell it.
        from scipy.spatial import cKDTree

        tree = cKDTree(np.column_stack([photons.x, photons.y]))
        at = np.column_stack([x[keep], y[keep]])
        keep[keep] = tree.query(at, distance_upper_bound=_SAME)[0] < _SAME
    n, n_fitted = int(keep.sum()), fitted.n_photons
    if photons.pixel == 0 and n != len(photons):
        warnings.warn(
            f"{file.path}: {n:,} rows are assigned, and {n_fitted:,.0f} photons were fitted: "
            "sums of probabilities differ from those of the component table",
            DataWarning,
            stacklevel=3,
        )
    return keep
