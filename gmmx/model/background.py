"""Background: photons that are not from the sky components, as one observation sees them."""

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..plane.grid import SkyImage
from .density import BACKGROUND_KINDS


@dataclass(frozen=True, eq=False, kw_only=True)
class Background:
    """One background of one observation: ``B q(x)`` photons per arcsec**2.

    The shape q of each kind is that of its class in `gmmx.model.density`.

    Attributes
    ----------
    name : str
    kind : str
        "sky", "particle", "file" or "streak": a key of `BACKGROUND_KINDS`.
    amplitude : float or None
        B [photon / arcsec**2 where q = 1]. None: it is fitted and starts from the data.
    fixed : bool
        Whether the amplitude is kept fixed.
    template : SkyImage or None
        The map of a file or of a streak. For particles, the fraction of the exposure time in which
        each place recorded them; without one it is 1 everywhere.
    deviations : tuple of float
        Uncertainty of a fixed amplitude: ``B + sum_j deviations[j] z_j`` with independent z_j of
        unit variance, the same z_j for all backgrounds of an observation [photon / arcsec**2].
    prior : (float, float) or None
        Mean and standard deviation of a Gaussian prior on an amplitude that is fitted
        [photon / arcsec**2].

    Raises
    ------
    InputError
        For an unknown kind, a negative amplitude, or a template that the kind does not have.

    Examples
    --------
    >>> Background(kind="sky", amplitude=0.02, fixed=True)
    Background(sky: amplitude 0.02 photon/arcsec^2, fixed)
    """

    name: str = "sky"
    kind: str = "sky"
    amplitude: float | None = None
    fixed: bool = False
    template: SkyImage | None = None
    deviations: tuple[float, ...] = ()
    prior: tuple[float, float] | None = None

    def __post_init__(self):
        object.__setattr__(self, "deviations", tuple(float(d) for d in self.deviations))
        if self.kind not in BACKGROUND_KINDS:
            kinds = ", ".join(BACKGROUND_KINDS)
            raise InputError(f"the kind of a background is one of {kinds}, got {self.kind!r}")
        if self.amplitude is not None and not (np.isfinite(self.amplitude) and self.amplitude >= 0):
            raise InputError(
                f"the amplitude of background {self.name!r} must be at least 0, "
                f"got {self.amplitude}"
            )
        if self.fixed and self.amplitude is None:
            raise InputError(f"background {self.name!r} is fixed but has no amplitude")
        has_template = BACKGROUND_KINDS[self.kind].has_template
        if self.template is None and has_template == "always":
            raise InputError(f"background {self.name!r}: kind {self.kind!r} needs a template")
        if self.template is not None and has_template == "never":
            raise InputError(f"background {self.name!r}: kind {self.kind!r} has no template")
        if self.deviations and not self.fixed:
            raise InputError(
                f"background {self.name!r}: deviations belong to a fixed amplitude, "
                "but this one is fitted"
            )
        if self.prior is not None:
            self._check_prior()

    def _check_prior(self):
        mean, error = map(float, self.prior)
        if not (np.isfinite(mean) and mean >= 0 and np.isfinite(error) and error > 0):
            raise InputError(
                f"the prior of background {self.name!r} must be an amplitude, at least 0, and its "
                f"positive error, got {self.prior}"
            )
        if self.fixed:
            raise InputError(
                f"background {self.name!r}: a prior belongs to an amplitude that is fitted, "
                "but this one is fixed"
            )
        object.__setattr__(self, "prior", (mean, error))

    def __repr__(self):
        amplitude = (
            "amplitude fitted"
            if self.amplitude is None
            else f"amplitude {self.amplitude:.4g} photon/arcsec^2"
        )
        kind = "" if self.kind == self.name else f", kind {self.kind}"
        return f"Background({self.name}{kind}: {amplitude}{', fixed' if self.fixed else ''})"

    @property
    def is_vignetted(self) -> bool:
        """Whether the mirrors vignette it, so that its amplitude is per reference exposure."""
        return BACKGROUND_KINDS[self.kind].is_vignetted


def how_to_fix(kind: str, name: str) -> str:
    """Parameters that fix the amplitude of a background, for messages.

    Parameters
    ----------
    kind, name : str
        As in `Background`.

    Examples
    --------
    >>> how_to_fix("sky", "sky")
    '`background` = sky=VALUE or a source-free region in `background_region`'
    """
    value = BACKGROUND_KINDS[kind].fixed_form.format(name=name)
    return f"`background` = {value} or a source-free region in `background_region`"
