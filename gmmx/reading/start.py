"""Read the components that a fit starts with: a table of fixed components, or an earlier model."""

from dataclasses import dataclass

from ..errors import InputError
from ..fitting.carry import carried
from ..io.models import read_model
from ..io.tables import read_table
from ..model.completeness import reference_exposure
from ..model.mixture import Fixed, Mixture
from .fixed_components import fixed_from_table


@dataclass(frozen=True, eq=False, kw_only=True)
class Start:
    """The components that a fit starts with; none if neither a table nor a model is given.

    Attributes
    ----------
    mixture : Mixture or None
        Components of which all parameters are fitted.
    fixed : (Mixture, Fixed) or None
        Further components, and which of their parameters are not fitted.
    """

    mixture: Mixture | None = None
    fixed: tuple[Mixture, Fixed] | None = None

    def __repr__(self):
        free = 0 if self.mixture is None else len(self.mixture)
        fixed = 0 if self.fixed is None else len(self.fixed[0])
        return f"Start({free} free components, {fixed} with fixed parameters)"

    @property
    def point_positions(self):
        """Positions of the point sources among the components, (n, 2) [arcsec]."""
        if self.fixed is None:
            return Mixture.empty().means
        mixture, fixed = self.fixed
        return mixture.means[fixed.points]


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
    start : Start

    Raises
    ------
    InputError
        If the table or the model cannot be a start of this fit.
    """
    reference = reference_exposure([o.completeness for o in observations])
    if config.fix is not None:
        return observations, Start(fixed=_fixed_components(config.fix, observations, reference))
    if not config.starts_from_model:
        return observations, Start()
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
        return observations, Start(mixture=mixture)
    # Parameters that were fixed in the model stay fixed.
    kept = model.fixed.any_fixed
    return observations, Start(
        mixture=mixture.select(~kept),
        fixed=(mixture.select(kept), model.fixed.select(kept)),
    )


def _fixed_components(path, observations, reference):
    """Read a table of components that stay fixed as (Mixture, Fixed)."""
    table = read_table(path)
    first = observations[0]
    unit = "" if first.completeness is None else first.completeness.unit
    try:
        return fixed_from_table(table, first.frame, reference, unit)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
