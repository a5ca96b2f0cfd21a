"""Read the components that a fit starts with: a table of fixed components, or an earlier model."""

from ..errors import InputError
from ..fitting.carry import carried
from ..io.models import read_model
from ..io.tables import read_table
from ..model.completeness import reference_exposure
from .fixed_components import fixed_from_table


def read_start(config, observations):
    """Read the initial components of a fit.

    Parameters
    ----------
    config : FitConfig
        `fix` names a component table, or `init` a model file.
    observations : list of Observation

    Returns
    -------
    observations : list of Observation
        With the background amplitudes of the model where it has them.
    start : dict
        "start" and "fixed" as `fit` takes them; empty if neither a table nor a model is
        given.

    Raises
    ------
    InputError
        If the table or the model cannot be a start of this fit.
    """
    reference = reference_exposure([o.completeness for o in observations])
    if config.fix is not None:
        return observations, {"fixed": _fixed_components(config.fix, observations, reference)}
    if not config.starts_from_model:
        return observations, {}
    model = read_model(config.init)
    try:
        mixture, observations = carried(model, observations, reference)
    except InputError as error:
        raise InputError(f"{config.init}: {error}") from None
    extended = int((~model.points).sum())
    if config.n_components != "auto" and config.n_components < extended:
        raise InputError(
            f"{config.init}: a model of {extended} components, "
            f"`n_components` = {config.n_components}: "
            "give at least as many, or none to keep the model's"
        )
    if model.fixed is None:
        return observations, {"start": mixture}
    # Parameters that were fixed in the model stay fixed.
    kept = model.fixed.any_fixed
    return observations, {
        "start": mixture.select(~kept),
        "fixed": (mixture.select(kept), model.fixed.select(kept)),
    }


def _fixed_components(path, observations, reference):
    """Read a table of components that stay fixed as (Mixture, Fixed)."""
    table = read_table(path)
    first = observations[0]
    unit = "" if first.completeness is None else first.completeness.unit
    try:
        return fixed_from_table(table, first.frame, reference, unit)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
