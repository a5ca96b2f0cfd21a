"""The single panels of a figure: each function draws one of them into given axes."""

from matplotlib import colormaps
from matplotlib.colors import Normalize

from ...answers.scene import SCARCE
from ...model.flux_notes import areas_of
from . import sky as on
from .blocks import EDGE, draw_blocks, title_of
from .colour import MEDIUM, SKY, brightness_norm, plain, strip_bar
from .words import angle


def norm_of(scene, stretch):
    """The normalisation that photons, scene and signal share, and its faint end."""
    low, high = scene.brightness_limits()
    return brightness_norm(stretch, low, high), low


def draw_data(axes, scene, sky, norm, result):
    """Draw the smoothed photons with the outlines of the masks."""
    values, kernel = scene.smoothed
    shown = _brightness(axes, values, scene, sky, norm)
    on.title(axes, f"photons, smoothed by {angle(kernel)}")
    on.outlines(axes, result.observations, sky)
    on.scale_bar(axes, sky)
    on.compass(axes, sky)
    return shown


def draw_scene(axes, scene, sky, norm, result):
    """Draw signal and background after the PSF, as a telescope without gaps would record them."""
    shown = _brightness(axes, scene.whole, scene, sky, norm)
    parts = ["model"]
    if scene.bounded:
        parts.append("gaps filled")
    elif has_psf(result):
        parts.append("after the PSF")
    if any(o.backgrounds for o in result.observations):
        parts.append("with background")
    on.title(axes, ", ".join(parts))
    _hatch_unseen(axes, scene, sky)
    radii = scene.psf_radii()
    if radii is not None:
        on.psf_circles(axes, sky, *radii)
    return shown


def draw_signal(axes, scene, sky, norm, result):
    """Draw the extended emission before the PSF, without the background."""
    shown = _brightness(axes, scene.signal, scene, sky, norm)
    on.title(axes, "signal" + (", deconvolved" if has_psf(result) else ", no PSF was given"))
    _hatch_unseen(axes, scene, sky)
    on.mark_points(axes, result.point_sources, sky)
    scarce = result.scarcely_observed & ~result.points
    on.mark_components(axes, result.mixture, scarce, sky, "dashed: scarcely observed")
    return shown


def draw_completeness(axes, scene, sky, result):
    """Draw the completeness with the outlines of the masks."""
    values = scene.images.completeness.values
    shown = on.show(axes, values, scene.grid, sky, "bone", Normalize(0, 1))
    axes.set_facecolor("black")
    on.title(axes, "completeness")
    on.outlines(axes, result.observations, sky)
    if not scene.bounded:
        style = {"fontsize": MEDIUM, "color": "black", "path_effects": []}
        on.note(axes, 0.5, 0.5, "complete everywhere", ha="center", va="center", **style)
    strip_bar(axes.figure, axes, shown, "completeness bar", [0, 0.5, 1])
    return shown


def draw_residual(axes, scene, sky, name="residual"):
    """Draw the significance of data minus model in blocks of at least 10 expected photons."""
    blocks = scene.residual_blocks()
    shown = draw_blocks(axes, blocks, sky)
    on.title(axes, title_of(blocks))
    strip_bar(axes.figure, axes, shown, f"{name} bar", [-EDGE, 0, EDGE])
    return shown


def brightness_label(result):
    """Label of the colour bar that photons, scene and signal share."""
    unit = ""
    if result.exposure_unit:
        exposure = plain(float(f"{result.reference_exposure:.3g}"))
        unit = f"\nof {exposure} {result.exposure_unit.replace('cm**2', 'cm$^2$')}"
        unit += " (approximate)" if areas_of(result) else ""
    return rf"photons arcsec$^{{-2}}$ at the reference exposure{unit}"


def has_psf(result):
    """Whether any observation of a fit has a PSF."""
    return any(o.psf is not None for o in result.observations)


def _brightness(axes, values, scene, sky, norm):
    shown = on.show(axes, values, scene.grid, sky, SKY, norm)
    # Beyond its grid the picture is as dark as its darkest pixel.
    axes.set_facecolor(colormaps[SKY](0.0))
    return shown


def _hatch_unseen(axes, scene, sky):
    if scene.bounded:
        on.hatch(axes, scene.images.completeness.values, scene.grid, sky, SCARCE)
