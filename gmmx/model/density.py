"""The expected density of photons, lambda(x), and its integral: every kind of term, written once.

In one observation

    lambda(x) = sum_t A_t q_t(x)  [photon / arcsec**2],

where A_t is the amplitude of term t and q_t its shape. The kinds of term are

| class | A_t | q_t(x) |
|---|---|---|
| `Components`, `PointSources` | 1 | Omega(x) sum_k F_k sum_m c_km N(x; mu_k, Sigma_k + S_km) |
| `SkyBackground` | B | Omega(x) |
| `ParticleBackground` | B | open(x), times the template where there is one |
| `TemplateBackground`, `StreakBackground` | B | open(x) times the template |

with Omega the completeness (exposure over reference exposure, times the open fraction of each
cell) and open(x) the open fraction inside the field. Fit, score, images, figures and search ask
for lambda here. Only the kernels of the fit know a faster way, which the tests hold against this.

To add a kind of background, write a class here with the decorator `background_kind`. The option
that reads it is in `gmmx.reading`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from .field import Field
from .mixture import Mixture

# Every kind of background by its name in model files; filled by `background_kind`.
BACKGROUND_KINDS = {}


def background_kind(name):
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


@dataclass(frozen=True, eq=False)
class BackgroundTerm:
    """A background of one observation: ``B q(x)``.

    With v(x) = Omega(x) for a background that the mirrors vignette and v(x) = open(x) for any
    other, ``q(x) = v(x) template(x)``, and the template is 1 where the background has none.

    Attributes
    ----------
    background : Background
    field : Field
    """

    background: object
    field: Field

    kind: ClassVar[str] = ""
    # Whether the mirrors vignette it, so that it is seen like the sky.
    is_vignetted: ClassVar[bool] = False
    # Whether a background of this kind has a template: "never", "maybe" or "always".
    has_template: ClassVar[str] = "maybe"

    @property
    def amplitude(self):
        """B [photon / arcsec**2 where q = 1]; 0 before it is fitted."""
        return self.background.amplitude or 0.0

    def shape(self, x, y):
        """q at positions [arcsec], as if there were no mask; 0 outside the field."""
        return self.filled(x, y, self.field.at(x, y))

    def filled(self, x, y, omega):
        """q at positions where the completeness were `omega` (a number, or one per position)."""
        seen = omega if self.is_vignetted else 1.0 * (np.asarray(omega) > 0)
        return seen * self._template_at(x, y)

    def ratio(self, x, y):
        """q / Omega at positions inside the field, as if there were no mask."""
        template = self._template_at(x, y)
        return template if self.is_vignetted else template / self.field.at(x, y)

    def on(self, maps, *, masked=True):
        """q as means over the pixels of a grid, (ny, nx).

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

    def seen(self):
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


@background_kind("streak")
class StreakBackground(BackgroundTerm):
    """Photons that arrive while the chip is read out: q = open times the map of the streaks."""

    has_template = "always"


@dataclass(frozen=True, eq=False)
class Components:
    """The components of a mixture, seen by one observation.

    ``q(x) = Omega(x) sum_k F_k sum_m c_km N(x; mu_k, Sigma_k + S_km)`` with the PSF averaged over
    each component. The fluxes are part of q, so that the amplitude is 1.

    Attributes
    ----------
    mixture : Mixture
    psf : PsfModel or None
        None: the mixture is seen as it is.
    field : Field
    """

    mixture: object
    psf: object
    field: Field
    amplitude: ClassVar[float] = 1.0

    @cached_property
    def views(self):
        """Fluxes, means and covariances of the Gaussians as the PSF spreads them."""
        from .drawing import blurred

        return blurred(self.mixture, self.psf)

    def shape(self, x, y):
        """q at positions [photon / arcsec**2], as if there were no mask."""
        return self.field.at(x, y) * self.ratio(x, y)

    def ratio(self, x, y):
        """q / Omega at positions: the components as the PSF spreads them [photon / arcsec**2]."""
        fluxes, means, covariances = self.views
        # A Gaussian of the PSF may have no weight here, but a flux is positive.
        return Mixture(
            fluxes=np.maximum(fluxes, 1e-300), means=means, covariances=covariances
        ).density(x, y)

    def everywhere(self, grid):
        """q / Omega as means over the pixels of a grid, (ny, nx) [photon / arcsec**2]."""
        from .drawing import pixel_means

        return pixel_means(*self.views, grid)

    def on(self, maps, *, masked=True):
        """q as means over the pixels of a grid, (ny, nx) [photon / arcsec**2].

        Omega and the components are averaged one by one.
        """
        return (maps.omega if masked else maps.unmasked) * self.everywhere(maps.grid)

    def seen(self):
        """Integral of q over the open field, sum_k F_k e_k [photon]."""
        fluxes, means, covariances = self.views
        if self.field.completeness is None or len(fluxes) == 0:
            return float(fluxes.sum())
        from .pyramid import Pyramid

        maps = self.field.own_maps()
        pyramid = Pyramid.of(maps.grid, maps.omega)
        fractions = pyramid.moments(means, covariances, pyramid.levels(covariances))[:, 0]
        return float(fluxes @ fractions)


class PointSources(Components):
    """Point sources, seen by one observation: components whose own size is none."""


def background_terms(observation, reference):
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


def terms_of(observation, reference, extended=None, points=None):
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
    list of terms
        Components, point sources, backgrounds; without those of which there are none.
    """
    field = Field(observation.completeness, reference)
    mixtures = ((Components, extended), (PointSources, points))
    return [
        *(
            kind(mixture, observation.psf, field)
            for kind, mixture in mixtures
            if mixture is not None and len(mixture)
        ),
        *background_terms(observation, reference),
    ]


def density(terms, x, y):
    """Expected density of photons at positions, as if there were no mask.

    ``lambda(x) = sum_t A_t q_t(x)``

    Parameters
    ----------
    terms : sequence of terms
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


def expected_counts(terms):
    """Photons that terms make in the open field: the integral of lambda(x) [photon]."""
    return float(sum(term.amplitude * term.seen() for term in terms))
