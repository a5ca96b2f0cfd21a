"""The expected density of photons, lambda(x), and its integral: every kind of term, written once.

In one observation

    lambda(x) = sum_t A_t q_t(x)  [photon / arcsec**2],

where A_t is the amplitude of term t and q_t its shape. The kinds of term are

| class | A_t | q_t(x) |
|---|---|---|
| `Components`, `PointComponents` | 1 | Omega(x) sum_k F_k sum_m c_km N(x; mu_k, Sigma_k + S_km) |
| `SkyBackground` | B | Omega(x) |
| `ParticleBackground` | B | open(x), times the template where there is one |
| `TemplateBackground`, `StreakBackground` | B | open(x) times the template |

with Omega the completeness (exposure over reference exposure, times the open fraction of each
cell) and open(x) the open fraction inside the field. Fit, score, images, figures and search ask
for lambda here. Only the kernels of the fit know a faster way, which the tests compare with this.

To add a kind of background, write a class here with the decorator `background_kind`. The option
that reads it is in `gmmx.reading`.

Examples
--------
A uniform sky of 0.02 photon/arcsec**2 on a field of 100 arcsec**2, and one component:

>>> from gmmx.model.background import Background
>>> from gmmx.model.completeness import Completeness
>>> from gmmx.model.mixture import Mixture
>>> from gmmx.model.observation import Observation
>>> from gmmx.model.photons import Photons
>>> from gmmx.plane.grid import PixelGrid
>>> grid = PixelGrid.covering((-5, 5), (-5, 5), 0.5)
>>> observation = Observation(
...     photons=Photons([], []),
...     completeness=Completeness(grid=grid, exposure=np.ones(grid.shape)),
...     backgrounds=(Background(kind="sky", amplitude=0.02),),
... )
>>> star = Mixture(fluxes=[10.0], means=[[0.0, 0.0]], covariances=[np.eye(2)])
>>> terms = terms_of(observation, 1.0, extended=star)
>>> terms
[Components(1 component), SkyBackground(0.02 photon/arcsec^2)]
>>> density(terms, np.array([0.0, 4.0, 99.0]), np.zeros(3)).round(4)
array([1.6115, 0.0205, 0.    ])
>>> round(expected_counts(terms), 3)
12.0
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from .components import Components, PointComponents
from .field import Field, FieldMaps

if TYPE_CHECKING:
    from .background import Background
    from .mixture import Mixture
    from .observation import Observation

__all__ = [
    "BACKGROUND_KINDS",
    "BackgroundTerm",
    "Components",
    "PointComponents",
    "Term",
    "background_kind",
    "background_terms",
    "density",
    "expected_counts",
    "terms_of",
]

# Every kind of background by its name in model files; filled by `background_kind`.
BACKGROUND_KINDS: dict[str, type[BackgroundTerm]] = {}


class Term(Protocol):
    """One additive term of lambda(x): an amplitude times a shape q(x)."""

    @property
    def amplitude(self) -> float:
        """A; together with q it makes photon / arcsec**2."""

    def shape(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Shape q at positions [arcsec], as if there were no mask; 0 outside the field."""

    def ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Ratio q / Omega at positions [arcsec] inside the field, as if there were no mask."""

    def on(self, maps: FieldMaps, *, masked: bool = True) -> np.ndarray:
        """Shape q as means over the pixels of a grid, with the masks or as if there were none."""

    def seen(self) -> float:
        """Integral of q over the open field."""


def background_kind(name: str) -> Callable[[type[BackgroundTerm]], type[BackgroundTerm]]:
    """Class decorator that makes a subclass of `BackgroundTerm` the term of one kind.

    Parameters
    ----------
    name : str
        The kind, as it stands in `Background.kind` and in model files.
    """

    def register(cls):
        cls.kind = name
        BACKGROUND_KINDS[name] = cls
        return cls

    return register


@dataclass(frozen=True, eq=False, repr=False)
class BackgroundTerm:
    """A background of one observation: ``B q(x)``.

    With v(x) = Omega(x) for a background that the mirrors vignette and v(x) = open(x) for any
    other, ``q(x) = v(x) template(x)``, and the template is 1 where the background has none.

    Attributes
    ----------
    background : Background
    field : Field
    """

    background: Background
    field: Field

    kind: ClassVar[str] = ""
    # Whether the mirrors vignette it, so that it is seen like the sky.
    is_vignetted: ClassVar[bool] = False
    # Whether a background of this kind has a template: "never", "maybe" or "always".
    has_template: ClassVar[str] = "maybe"
    # Value of the parameter `background` that fixes the amplitude.
    fixed_form: ClassVar[str] = "{name}=VALUE"

    def __repr__(self):
        return f"{type(self).__name__}({self.amplitude:.4g} photon/arcsec^2)"

    @property
    def amplitude(self) -> float:
        """B [photon / arcsec**2 where q = 1]; 0 before it is fitted."""
        return self.background.amplitude or 0.0

    def shape(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Shape q at positions [arcsec], as if there were no mask; 0 outside the field."""
        return self.filled(x, y, self.field.at(x, y))

    def filled(self, x: np.ndarray, y: np.ndarray, omega: float | np.ndarray) -> np.ndarray:
        """Shape q at positions, if the completeness there were `omega`."""
        seen = omega if self.is_vignetted else 1.0 * (np.asarray(omega) > 0)
        return seen * self._template_at(x, y)

    def ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Ratio q / Omega at positions inside the field, as if there were no mask."""
        template = self._template_at(x, y)
        return template if self.is_vignetted else template / self.field.at(x, y)

    def on(self, maps: FieldMaps, *, masked: bool = True) -> np.ndarray:
        """Shape q as means over the pixels of a grid, (ny, nx).

        Parameters
        ----------
        maps : FieldMaps
            The field of this term on the grid.
        masked : bool
            Whether the masks count; without them q is that of the whole field.
        """
        if self.is_vignetted:
            seen = maps.omega if masked else maps.unmasked
        else:
            seen = maps.opened if masked else 1.0 * (maps.unmasked > 0)
        if self.background.template is None:
            return seen
        return seen * maps.of_template(self.background.template)

    def seen(self) -> float:
        """Integral of q over the open field [arcsec**2]."""
        maps = self.field.own_maps()
        return float(self.on(maps).sum() * maps.grid.cell_area)

    def _template_at(self, x, y):
        template = self.background.template
        return np.ones(np.shape(x)) if template is None else template.at(x, y)


@background_kind("sky")
class SkyBackground(BackgroundTerm):
    """Sky of uniform brightness, seen through the mirrors: q = Omega."""

    is_vignetted = True
    has_template = "never"


@background_kind("particle")
class ParticleBackground(BackgroundTerm):
    """Charged particles, which the mirrors do not vignette: q = open.

    A template holds the fraction of the exposure time in which each place recorded them.
    """


@background_kind("file")
class TemplateBackground(BackgroundTerm):
    """A background whose map was read from a file: q = open times the map."""

    has_template = "always"
    fixed_form = "{name}:fixed"


@background_kind("streak")
class StreakBackground(BackgroundTerm):
    """Photons that arrive while the chip is read out: q = open times the map of the streaks."""

    has_template = "always"


def background_terms(observation: Observation, reference: float) -> list[BackgroundTerm]:
    """The terms of an observation's backgrounds, in their order.

    Parameters
    ----------
    observation : Observation
    reference : float
        E_ref of the fit.

    Returns
    -------
    list of BackgroundTerm
    """
    field = Field(observation.completeness, reference)
    return [BACKGROUND_KINDS[b.kind](b, field) for b in observation.backgrounds]


def terms_of(
    observation: Observation,
    reference: float,
    extended: Mixture | None = None,
    points: Mixture | None = None,
) -> list[Term]:
    """All terms of lambda(x) in one observation.

    Parameters
    ----------
    observation : Observation
    reference : float
        E_ref of the fit.
    extended, points : Mixture, optional
        The extended components and the point sources of the sky.

    Returns
    -------
    list of Term
        Components, point sources, backgrounds; without those of which there are none.
    """
    field = Field(observation.completeness, reference)
    mixtures = ((Components, extended), (PointComponents, points))
    return [
        *(
            kind(mixture, observation.psf, field)
            for kind, mixture in mixtures
            if mixture is not None and len(mixture)
        ),
        *background_terms(observation, reference),
    ]


def density(terms: Sequence[Term], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Expected density of photons at positions, as if there were no mask.

    ``lambda(x) = sum_t A_t q_t(x)``

    Parameters
    ----------
    terms : sequence of Term
    x, y : (N,) array
        Positions [arcsec].

    Returns
    -------
    (N,) array
        [photon / arcsec**2]; 0 outside the field.
    """
    total = np.zeros(np.shape(x))
    for term in terms:
        total += term.amplitude * term.shape(x, y)
    return total


def expected_counts(terms: Sequence[Term]) -> float:
    """Photons that terms make in the open field: the integral of lambda(x) [photon]."""
    return float(sum(term.amplitude * term.seen() for term in terms))
