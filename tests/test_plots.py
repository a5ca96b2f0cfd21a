"""Figures: what is in them, that they draw in silence, and that their numbers add up."""

import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from handmade import ellipse, make_mixture, make_observation, make_result
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from gmmx.answers.images import render_images
from gmmx.answers.scene import Scene
from gmmx.errors import InputError
from gmmx.model.background import Background
from gmmx.model.completeness import Completeness
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.psf import PsfModel
from gmmx.plane.frame import SkyFrame
from gmmx.plane.grid import PixelGrid
from gmmx.plane.shapes import Shapes, Term, circle
from gmmx.show.figures import plot_history, plot_image, plot_residuals, plot_result
from gmmx.show.figures._draw import Offsets, plain, power_of

PANELS = ["data", "scene", "signal", "completeness", "residual", "profile", "ratio"]


def drawn(figure):
    """The PNG of a figure: drawing is where most things go wrong."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=50)
    assert buffer.tell() > 3000
    return buffer.getvalue()


def panels(figure):
    return {axes.get_label(): axes for axes in figure.axes}


def perfect(seed=0, *, background=0.08, step=4.0, n=100):
    """A result that is the truth of its own photons: two ellipses and a sky through a graded exposure with a gap, a hole and a blur of 3 arcsec."""
    rng = np.random.default_rng(seed)
    grid = PixelGrid.covering((-200, 200), (-200, 200), step)
    x, y = grid.centres()
    exposure = 1e7 * np.where(np.abs(x - 60) < 8, 0.0, 1 - 0.4 * np.hypot(x, y) / 283)
    hole = circle(40, 40, 15)
    open_share = Shapes.of(Term(((hole, False),))).open_share(grid)
    completeness = Completeness(grid=grid, exposure=exposure, open_share=open_share, unit="cm**2 s")
    mixture = Mixture(
        fluxes=np.array([9000.0, 3000]),
        means=np.array([[-20.0, 10], [30, -60]]),
        covariances=np.array([ellipse(40, 20, 30), ellipse(8, 5, 100)]),
    )
    photons = np.concatenate(
        [
            mixture.sample(rng.poisson(12000), rng),
            rng.uniform(-200, 200, (rng.poisson(background * 400**2), 2)),
        ]
    )
    photons[:12000] += rng.normal(0, 3, (12000, 2))
    chance = completeness.exposure_at(*photons.T) / exposure.max()
    keep = (rng.random(len(photons)) < chance) & ~hole.contains(*photons.T)
    observation = Observation(
        photons=Photons(photons[keep, 0], photons[keep, 1]),
        frame=SkyFrame(150, 2),
        completeness=completeness,
        psf=PsfModel.constant(3.0),
        backgrounds=(Background(amplitude=background),),
        masks=Shapes.of(Term(((hole, False),))),
        metadata={
            "OBJECT": "made by hand",
            "OBS_ID": "7",
            "EXPOSURE": 5e4,
            "energy_kev": [0.5, 2.0],
        },
    ).exposed()
    return make_result([observation], mixture)


def test_figure_of_a_fit_has_its_panels():
    figure = plot_result(perfect())
    assert isinstance(figure, Figure)
    found = panels(figure)
    assert set(PANELS) <= set(found)
    assert {"brightness bar", "completeness bar", "residual bar"} <= set(found)
    titles = [found[label].get_title(loc="left")[:3] for label in PANELS[:-1]]
    assert sorted(titles) == ["(a)", "(b)", "(c)", "(d)", "(e)", "(f)"]
    words = " ".join(text.get_text() for text in figure.texts)
    for fact in ("made by hand", "ObsID 7", "0.5-2 keV", "50.0 ks", "K = 2", "photons"):
        assert fact in words
    assert "arcsec$^{-2}$" in found["brightness bar"].get_ylabel()
    drawn(figure)


def test_three_pictures_share_one_scale():
    found = panels(plot_result(perfect()))
    norms = {id(found[label].images[0].norm) for label in ("data", "scene", "signal")}
    assert len(norms) == 1
    assert found["residual"].images[0].get_clim() == (-5, 5)


def test_east_is_left_on_the_sky():
    found = panels(plot_result(perfect()))
    for label in ("data", "scene", "signal", "completeness", "residual"):
        left, right = found[label].get_xlim()
        assert left > right, label
        image = found[label].images[0].get_extent()
        assert image[0] > image[1], label
    assert "east" in found["completeness"].get_xlabel()


def test_a_source_is_where_its_offset_says():
    """One component 60 arcsec east and 30 north: the brightest pixel of the picture is at +1.0, +0.5 arcmin."""
    result = perfect()
    result = replace(
        result,
        mixture=Mixture(
            fluxes=[1e4, 1.0], means=[[-60.0, 30], [0, 0]], covariances=[ellipse(6, 6, 0)] * 2
        ),
    )
    picture = panels(plot_result(result))["signal"].images[0]
    iy, ix = np.unravel_index(np.argmax(picture.get_array()), picture.get_array().shape)
    left, right, low, high = picture.get_extent()
    ny, nx = picture.get_array().shape
    assert_allclose(
        [left + (ix + 0.5) / nx * (right - left), low + (iy + 0.5) / ny * (high - low)],
        [1.0, 0.5],
        atol=4 / 60,
    )


def test_profile_of_a_perfect_model_agrees_with_its_photons():
    chi2, n = 0.0, 0
    for seed in range(4):
        profile = Scene(perfect(seed)).profile()
        pulls = (profile["counts"] - profile["expected"]) / np.sqrt(profile["expected"])
        assert np.abs(pulls).max() < 4.5
        chi2, n = chi2 + (pulls**2).sum(), n + len(pulls)
    assert n > 60
    assert abs(chi2 / n - 1) < 5 * np.sqrt(2 / n)


def test_profile_counts_every_photon_once_and_its_parts_add_up():
    result = perfect()
    scene = Scene(result)
    profile = scene.profile()
    assert_allclose(profile["counts"].sum(), result.n_photons)
    assert_allclose(profile["expected"].sum(), scene.images.expected.values.sum())
    assert_allclose(profile["signal"] + profile["background"], profile["model"])
    assert_allclose(profile["background"], 0.08, rtol=1e-6)
    assert np.all(profile["low"][1:] == profile["high"][:-1])


def test_profile_is_centred_on_the_brightest_emission():
    result = perfect()
    centre = Scene(result).centre()
    # The compact component is the brighter per area: 12 photons / arcsec**2 against 1.8.
    assert np.hypot(centre[0] - 30, centre[1] + 60) < 3


def test_residual_blocks_of_a_perfect_model_scatter_by_one():
    _, values, size = Scene(perfect()).residual_blocks()
    assert size == 8
    seen = values[np.isfinite(values)]
    assert len(seen) > 1500
    assert abs(np.mean(seen)) < 0.15
    assert 0.85 < np.std(seen) < 1.15
    # The gap, wider than a block, is empty.
    assert np.isnan(values).any()


def test_residual_shows_what_the_model_lacks():
    result = perfect()
    ones = {name: np.ones(1) for name in ("observed_fraction", "observed_photons", "prior_scales")}
    result = replace(
        result, mixture=result.mixture.select([0]), flux_errors=None, mean_errors=None, **ones
    )
    grid, values, _ = Scene(result).residual_blocks()
    ix, iy, _ = grid.locate(30, -60)
    assert values[iy, ix] > 8


def test_whole_scene_fills_gaps_and_masks():
    scene = Scene(perfect())
    ix, iy, _ = scene.grid.locate(np.array([60.0, 40, 0]), np.array([150.0, 40, 150]))
    assert_allclose(scene.images.completeness.values[iy[:2], ix[:2]], 0, atol=1e-12)
    assert np.all(scene.whole[iy, ix] >= 0.08)
    assert_allclose(scene.background, 0.08)


def test_smoothed_photons_keep_their_number():
    scene = Scene(perfect())
    smooth, kernel = scene.smoothed
    assert 3.99 < kernel < 12
    assert_allclose(smooth.sum() * scene.grid.cell_area, scene.result.n_photons, rtol=0.01)


@pytest.mark.parametrize("stretch", ["asinh", "sqrt", "linear"])
def test_stretches(stretch):
    drawn(plot_result(perfect(), stretch=stretch))


def test_unknown_stretch():
    with pytest.raises(InputError, match="got 'cubic'"):
        plot_result(perfect(), stretch="cubic")
    with pytest.raises(InputError, match="got 'cubic'"):
        plot_image(render_images(perfect()).signal, stretch="cubic")


def test_scarcely_observed_components_are_marked():
    result = replace(
        perfect(), observed_fraction=np.array([0.9, 0.1]), observed_photons=np.array([1000.0, 10])
    )
    found = panels(plot_result(result))["signal"]
    assert len(found.patches) == 1
    assert any("scarcely" in text.get_text() for text in found.texts)
    quiet = panels(plot_result(replace(perfect(), observed_fraction=np.ones(2))))["signal"]
    assert len(quiet.patches) == 0


def test_masks_are_outlined_and_darkness_is_hatched():
    figure = plot_result(perfect())
    found = panels(figure)
    assert len(found["data"].collections) == 1
    assert len(found["data"].collections[0].get_paths()) == 1
    assert any(c.get_hatch() or getattr(c, "hatches", None) for c in found["signal"].collections)


def test_background_alone_and_few_photons():
    observation = perfect().observations[0]
    keep = np.random.default_rng(0).random(len(observation.photons)) < 0.01
    observation = replace(
        observation.select(keep, "thinned"), backgrounds=(Background(amplitude=0.001),)
    )
    result = make_result([observation])
    figure = plot_result(result)
    assert "K = 0" in " ".join(text.get_text() for text in figure.texts)
    drawn(figure)


def test_no_sky_no_completeness():
    mixture = make_mixture(3)
    xy = mixture.sample(211, np.random.default_rng(2))
    figure = plot_result(
        make_result([Observation(photons=Photons(xy[:, 0], xy[:, 1]), name="toy")], mixture)
    )
    found = panels(figure)
    left, right = found["data"].get_xlim()
    assert left < right
    assert found["completeness"].get_xlabel() == "x [arcsec]"
    drawn(figure)


def test_turned_and_joint_observations():
    one, other = (
        make_observation(),
        make_observation(1, rotation=0.6, name="other", kinds=("sky", "particle", "file")),
    )
    result = make_result([one, other], make_mixture(), reference_exposure=2e7)
    figure = plot_result(result)
    drawn(figure)
    scene = Scene(result)
    assert_allclose(scene.profile()["counts"].sum(), result.n_photons)
    only_turned = make_result([other], make_mixture())
    drawn(plot_result(only_turned))
    drawn(plot_image(render_images(only_turned).signal))


def test_residuals_of_each_observation():
    one, other = (
        make_observation(),
        make_observation(1, rotation=0.6, name="other", kinds=("sky", "particle", "file")),
    )
    other = replace(other, metadata=other.metadata | {"OBS_ID": "4321"})
    result = make_result([one, other], make_mixture(), reference_exposure=2e7)
    figure = plot_residuals(result)
    drawn(figure)
    found = panels(figure)
    assert [label for label in found if "bar" not in label] == [
        f"{name} {i}" for i in (1, 2) for name in ("residual", "ratio", "profile")
    ]
    assert "ObsID 4321" in found["residual 2"]._left_title.get_text()
    assert f"{other.n_photons:,.0f} photons" in found["profile 2"]._left_title.get_text()
    # The same part of the sky, whichever looked there.
    assert found["residual 1"].get_xlim() == found["residual 2"].get_xlim()
    assert not np.array_equal(
        found["residual 1"].images[0].get_array().mask,
        found["residual 2"].images[0].get_array().mask,
    )
    # What one observation lacks is its own: twice the photons are seen in its row alone.
    crowded = plot_residuals(
        make_result(
            [replace(one, photons=replace(one.photons, weights=2 * one.photons.weights)), other],
            make_mixture(),
            reference_exposure=2e7,
        )
    )
    before, after = (
        found["residual 2"].images[0].get_array(),
        panels(crowded)["residual 2"].images[0].get_array(),
    )
    assert np.array_equal(before.filled(0), after.filled(0))


def test_residuals_of_one_observation():
    figure = plot_residuals(perfect())
    drawn(figure)
    assert [label for label in panels(figure) if "bar" not in label] == [
        "residual 1",
        "ratio 1",
        "profile 1",
    ]


def test_nothing_to_draw():
    with pytest.raises(InputError, match="nothing says what to draw"):
        plot_result(
            make_result(
                [Observation(photons=Photons([], []))],
                make_mixture(),
            )
        )


def test_large_maps_are_drawn_coarsely_and_stay_true():
    scene = Scene(perfect(step=0.4))
    assert max(scene.grid.shape) <= 701
    assert_allclose(scene.grid.step, 0.8)
    assert_allclose(scene.images.counts.values.sum(), scene.result.n_photons)


@pytest.mark.parametrize("plot", [plot_result, plot_residuals])
def test_text_does_not_overlap(plot):
    figure = plot(perfect())
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    boxes = []
    for axes in figure.axes:
        parts = [axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label, *axes.texts]
        boxes += [(t.get_text(), t.get_window_extent(renderer)) for t in parts if t.get_text()]
        for axis in (axes.xaxis, axes.yaxis):
            ticks = [
                t.label1 if t.label1.get_visible() else t.label2 for t in axis.get_major_ticks()
            ]
            low, high = sorted(axis.get_view_interval())
            inside = [
                t
                for t, at in zip(ticks, axis.get_majorticklocs(), strict=True)
                if low <= at <= high and t.get_text()
            ]
            boxes += [(t.get_text(), t.get_window_extent(renderer)) for t in inside]
    boxes += [(t.get_text(), t.get_window_extent(renderer)) for t in figure.texts]
    whole = figure.bbox
    for i, (name, box) in enumerate(boxes):
        outside = box.x0 < whole.x0 or box.x1 > whole.x1 or box.y0 < whole.y0 or box.y1 > whole.y1
        assert not outside, f"{name!r} leaves the page"
        for other_name, other in boxes[i + 1 :]:
            width = min(box.x1, other.x1) - max(box.x0, other.x0)
            height = min(box.y1, other.y1) - max(box.y0, other.y0)
            assert not (width > 1 and height > 1), f"{name!r} overlaps {other_name!r}"


def test_an_image_and_a_residual():
    images = render_images(perfect())
    figure = plot_image(images.signal, title="signal", frame=SkyFrame(150, 2))
    assert panels(figure)["bar"].get_ylabel().endswith("photon/pixel")
    drawn(figure)
    low, high = panels(plot_image(images.residual))["image"].images[0].get_clim()
    assert low == -high < 0
    empty = replace(images.signal, values=np.zeros(images.signal.grid.shape))
    drawn(plot_image(empty))


def test_history():
    result = make_result([make_observation()], make_mixture())
    found = panels(plot_history(result))
    assert set(found) == {"objective", "k", "path"}
    path = found["path"]
    assert "how K = 3 (3 asked for) came about" in path.get_title(loc="left") + path.get_title()
    star, left = (
        next(line for line in path.lines if line.get_label() == label)
        for label in ("the model", "tried, not taken")
    )
    # The best of them lies at 0: the path's last but one and last, at their K.
    assert_allclose(np.concatenate(star.get_data()), [3, 0])
    assert_allclose(np.concatenate(left.get_data()), [5, -399 + 354])
    drawn(plot_history(result))
    drawn(plot_history(replace(result, requested_components=None)))
    empty = plot_history(replace(result, history={}, path={}))
    assert any("holds no path" in text.get_text() for text in panels(empty)["path"].texts)
    drawn(empty)


def test_figures_can_be_made_in_threads_and_are_the_same():
    result = perfect()
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda r: drawn(plot_result(r)), [result, result])
    assert first == second


def test_no_window_and_no_global_figure():
    code = "import sys, gmmx.show.figures; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_numbers_on_axes():
    assert [plain(v) for v in (0, 0.003, 0.5, 1, 300, 2e5)] == [
        "0",
        "0.003",
        "0.5",
        "1",
        "300",
        r"$2\times10^{5}$",
    ]
    assert [power_of(v) for v in (0, 0.02, 5, 3e-4, 4e6)] == [0, 0, 0, -4, 6]
    assert_allclose(Offsets(600).points([[-60.0, 30.0]]), [[1.0, 0.5]])
