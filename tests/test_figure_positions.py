"""What stands on a map is at the place that astropy's own transformation gives it."""

import re
from functools import cache

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from handmade import ellipse, make_result
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Ellipse
from matplotlib.text import Annotation
from numpy.testing import assert_allclose

from gmmx.model.completeness import Completeness
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.psf import PsfModel
from gmmx.plane.frame import SkyFrame
from gmmx.plane.grid import PixelGrid
from gmmx.show.figures import plot

WITHIN = 0.5
# Every roll and declination, and fields across right ascension 0 at every declination.
CASES = [(150.0, dec, roll) for dec in (2.0, 60.0, 89.0) for roll in (0, 40, 217)]
CASES += [(359.999, 2.0, 217), (359.999, 60.0, 40), (359.999, 89.0, 0)]
SKIES = [pytest.param(*one, id="ra {} dec {} roll {}".format(*one)) for one in CASES]
# Distance and position angle of each component from the tangent point, and its ellipse.
PLACES = ((150 * u.arcsec, 70 * u.deg), (100 * u.arcsec, 200 * u.deg))
MAJOR, MINOR, ANGLE, ROUND = 30.0, 12.0, 30.0, 15.0


def make_turned_field(ra, dec, roll):
    """A fit of an ellipse and a round component, on a map that is turned by a roll angle."""
    frame = SkyFrame(ra, dec)
    centre = SkyCoord(ra, dec, unit="deg")
    places = [centre.directional_offset_by(angle, far) for far, angle in PLACES]
    means = np.array([frame.to_plane(one.ra.deg, one.dec.deg) for one in places])
    north = float(frame.north(*means[0]))
    mixture = Mixture(
        fluxes=[3000.0, 2000.0],
        means=means,
        covariances=[ellipse(MAJOR, MINOR, ANGLE + north), ROUND**2 * np.eye(2)],
    )
    turn = np.radians(roll)
    matrix = 4 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    grid = PixelGrid(shape=(100, 110), origin=-matrix @ [54.5, 49.5], matrix=matrix)
    completeness = Completeness(grid=grid, exposure=np.full(grid.shape, 1e7), unit="cm**2 s")
    observation = Observation(
        photons=Photons([], []),
        frame=frame,
        completeness=completeness,
        psf=PsfModel.constant(2.0),
    )
    return make_result([observation], mixture), places


@cache
def drawn_map(ra, dec, roll, coords="icrs"):
    """The axes of a map with all its marks, and the positions of the components."""
    result, places = make_turned_field(ra, dec, roll)
    options = {"contours": "0.2,1", "components": True, "coords": coords}
    return plot(result, "signal", **options).axes[0], places


def pixel_of(axes, sky):
    """Pixel of a direction by astropy's transformation."""
    return np.array(axes.wcs.world_to_pixel(sky))


@pytest.mark.parametrize(
    ("ra", "dec", "roll", "coords"),
    [(*one, "icrs") for one in CASES]
    + [(*one, coords) for one in CASES[-3:] for coords in ("galactic", "offset")],
)
def test_ticks_are_at_their_coordinates(ra, dec, roll, coords):
    axes, _ = drawn_map(ra, dec, roll, coords)
    axes.figure.draw(FigureCanvasAgg(axes.figure).get_renderer())
    system = axes.coords if coords == "icrs" else axes._all_coords[1]
    middle = axes.wcs.pixel_to_world(np.mean(axes.get_xlim()), np.mean(axes.get_ylim()))
    scale = np.sqrt(axes.wcs.proj_plane_pixel_area()).to_value("arcsec")
    for index, coordinate in enumerate(system):
        ticks = coordinate._ticks
        found = [
            (pixel, world)
            for edge in ticks.pixel
            for pixel, world in zip(ticks.pixel[edge], ticks.world[edge], strict=True)
        ]
        assert len(found) >= 2
        sky = axes.wcs.pixel_to_world(*np.array([pixel for pixel, _ in found]).T)
        sky = {
            "icrs": lambda one: one,
            "galactic": lambda one: one.galactic,
            "offset": lambda one: one.transform_to(middle.skyoffset_frame()),
        }[coords](sky).spherical
        value = (sky.lat if index else sky.lon).deg
        width = np.ones(len(value)) if index else np.cos(sky.lat.rad)
        wrong = (value - [world for _, world in found] + 180) % 360 - 180
        assert_allclose(3600 * wrong * width / scale, 0, atol=WITHIN)


@pytest.mark.parametrize(("ra", "dec", "roll"), SKIES)
def test_the_scale_bar_has_its_length_on_the_sky(ra, dec, roll):
    axes, _ = drawn_map(ra, dec, roll)
    (bar,) = (line for line in axes.lines if line.get_label() == "scale bar")
    ends = axes.wcs.pixel_to_world(*bar.get_data())
    scale = np.sqrt(axes.wcs.proj_plane_pixel_area()).to_value("arcsec")
    (minutes,) = (text.get_text() for text in axes.texts if re.fullmatch(r"\d'", text.get_text()))
    length = 60 * int(minutes.removesuffix("'"))
    assert_allclose(ends[0].separation(ends[1]).arcsec / scale, length / scale, atol=WITHIN)


@pytest.mark.parametrize(("ra", "dec", "roll"), SKIES)
def test_arrows_point_to_north_and_east(ra, dec, roll):
    axes, _ = drawn_map(ra, dec, roll)
    arrows = [text for text in axes.texts if isinstance(text, Annotation)]
    assert [arrow.get_label() for arrow in arrows] == ["arrow N", "arrow E"]
    for arrow, angle in zip(arrows, (0, 90), strict=True):
        base, tip = (axes.wcs.pixel_to_world(*place) for place in (arrow.xyann, arrow.xy))
        ideal = base.directional_offset_by(angle * u.deg, base.separation(tip))
        assert np.hypot(*(pixel_of(axes, ideal) - arrow.xy)) < WITHIN
        low, high = axes.viewLim.get_points()
        assert np.all((low < arrow.xy) & (arrow.xy < high))


@pytest.mark.parametrize(("ra", "dec", "roll"), SKIES)
def test_ellipses_are_at_their_places_and_angles(ra, dec, roll):
    axes, places = drawn_map(ra, dec, roll)
    (found,) = (
        patch
        for patch in axes.patches
        if isinstance(patch, Ellipse) and patch.get_label() == "component 0"
    )
    turn = np.radians(found.angle)
    along = np.array([np.cos(turn), np.sin(turn)]) * found.width / 2
    across = np.array([-np.sin(turn), np.cos(turn)]) * found.height / 2
    for half, angle, length in ((along, ANGLE, MAJOR), (across, ANGLE + 90, MINOR)):
        ends = np.array([found.center + half, found.center - half])
        ideal = [
            pixel_of(axes, places[0].directional_offset_by(one * u.deg, length * u.arcsec))
            for one in (angle, angle + 180)
        ]
        # The ends have no order.
        ends = ends[np.argsort(np.hypot(*(ends - ideal[0]).T))]
        assert np.hypot(*(ends - ideal).T).max() < WITHIN


@pytest.mark.parametrize(("ra", "dec", "roll"), SKIES)
def test_contours_are_where_the_signal_has_their_levels(ra, dec, roll):
    axes, places = drawn_map(ra, dec, roll)
    scale = np.sqrt(axes.wcs.proj_plane_pixel_area()).to_value("arcsec")
    drawn = next(one for one in axes.collections if list(getattr(one, "levels", ())) == [0.2, 1])
    peak = 2000 / (2 * np.pi * ROUND**2)
    for path, level in zip(drawn.get_paths(), drawn.levels, strict=True):
        sky = axes.wcs.pixel_to_world(*path.vertices.T)
        radii = places[1].separation(sky).arcsec
        about = radii[radii < 3 * ROUND]
        assert len(about) > 20
        ideal = ROUND * np.sqrt(2 * np.log(peak / level))
        assert_allclose(about / scale, ideal / scale, atol=WITHIN)


@pytest.mark.parametrize(("ra", "dec", "roll"), SKIES[::4])
def test_a_zoom_shows_the_radius_about_its_position(ra, dec, roll):
    result, places = make_turned_field(ra, dec, roll)
    text = places[1].to_string("hmsdms", sep=":", precision=4).replace(" ", ",")
    axes = plot(result, "signal", zoom=f"{text},20").axes[0]
    (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
    middle = axes.wcs.pixel_to_world((x0 + x1) / 2, (y0 + y1) / 2)
    edge = axes.wcs.pixel_to_world(x1, (y0 + y1) / 2)
    scale = np.sqrt(axes.wcs.proj_plane_pixel_area()).to_value("arcsec")
    assert middle.separation(places[1]).arcsec < WITHIN * scale
    assert_allclose(middle.separation(edge).arcsec, 20, atol=WITHIN * scale)
    # It is drawn on cells of its own: those of the map are 4 arcsec wide.
    assert scale < 0.2
