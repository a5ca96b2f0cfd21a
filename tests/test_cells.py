"""Integrals over cells: a coarse pixel is the sum of the fine ones, whatever varies inside."""

from dataclasses import replace

import numpy as np
import pytest
import reference
from handmade import galaxy_truth, make_observation, make_result
from numpy.testing import assert_allclose

import gmmx
from gmmx._kernels import cells as kernels
from gmmx._kernels.overlap import add_overlaps as overlap_kernel
from gmmx.answers.canvas import output_grid
from gmmx.answers.images import render
from gmmx.errors import InputError
from gmmx.model.background import Background
from gmmx.model.cells import CellIntegrals
from gmmx.model.completeness import Completeness
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.plane.grid import PixelGrid
from gmmx.plane.refinement import Refinement, add_overlaps


def make_covariance(major, minor, angle):
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    return turn @ np.diag([major**2, minor**2]) @ turn.T


def packed(matrices):
    return np.ascontiguousarray(matrices.reshape(-1, 4)[:, [0, 1, 3]])


def test_samples_match_the_slow_twin():
    inverses = np.linalg.inv(np.array([make_covariance(9, 2, 0.4), make_covariance(3, 3, 0)]))
    case = np.array([2.0, 0.5]), np.array([[7.2, 3.9], [-4.0, 15.0]]), packed(inverses), 19, 31
    assert_allclose(
        kernels.sample_gaussians(*case), reference.sample_gaussians(*case), rtol=1e-9, atol=1e-10
    )


@pytest.mark.parametrize("axes", [(0.3, 0.2), (2.0, 0.6), (6.0, 0.4)], ids=str)
def test_cell_integrals_match_the_slow_twin(axes):
    x_edges, y_edges = np.array([-2.0, -1.5, 0.0, 2.5]), np.array([-1.0, 0.2, 0.4, 3.0])
    case = (
        np.array([3.0]),
        np.array([[0.1, 0.3]]),
        packed(make_covariance(*axes, 0.7)[None]),
        x_edges,
        y_edges,
    )
    fast, slow = np.zeros((3, 3)), np.zeros((3, 3))
    kernels.add_cell_integrals(fast, *case)
    reference.add_cell_integrals(slow, *case)
    assert_allclose(fast, slow, rtol=0, atol=1e-8)


@pytest.mark.parametrize("scale", [0.7, 4.0])
@pytest.mark.parametrize("angle", [0.01, 0.6, 2.0])
def test_overlaps_match_the_slow_twin(angle, scale):
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    case = (
        np.random.default_rng(2).uniform(1, 2, (5, 7)),
        2,
        np.array([-1.3, 0.4]),
        matrix,
        np.linalg.inv(matrix),
    )
    fast, slow = np.zeros((4, 5)), np.zeros((4, 5))
    overlap_kernel(fast, *case)
    reference.add_overlaps(slow, *case)
    assert_allclose(fast, slow, rtol=0, atol=2e-2 * scale**2)


def test_overlaps_keep_the_total_and_an_even_map():
    grid = PixelGrid.covering((0, 40), (0, 30), 1.0)
    turn = 2.5 * np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    turned = PixelGrid(
        shape=(30, 30), origin=np.array([20.0, 15.0]) - turn @ [14.5, 14.5], matrix=turn
    )
    image = np.zeros(turned.shape)
    add_overlaps(image, turned, np.ones(grid.shape), grid)
    assert image.sum() == pytest.approx(1200, rel=1e-12)
    assert image.max() == pytest.approx(turned.cell_area, rel=1e-12)


@pytest.mark.parametrize(
    "axes",
    [(1e-6, 1e-6), (0.1, 0.1), (2.0, 0.1), (3.0, 3.0), (13.0, 12.5), (25.0, 24.0), (400.0, 90.0)],
    ids=str,
)
def test_cells_of_any_size_agree(axes):
    given = np.ones(1), np.array([[80.3, 70.1]]), make_covariance(*axes, 0.5)[None]
    x_edges, y_edges = np.linspace(-0.5, 199.5, 401), np.linspace(-0.5, 149.5, 301)
    fine = CellIntegrals.of(*given, x_edges, y_edges).rows(0, 300)
    for n in (2, 4, 20):
        coarse = CellIntegrals.of(*given, x_edges[::n], y_edges[::n]).rows(0, 300 // n)
        sums = fine.reshape(300 // n, n, 400 // n, n).sum((1, 3))
        assert_allclose(coarse, sums, rtol=0, atol=1e-7 * sums.max())


def test_rows_in_blocks_are_the_rows_of_the_whole():
    given = np.ones(2), np.array([[10.0, 12.0], [5.0, 5.0]]), np.array([np.eye(2), 400 * np.eye(2)])
    integrals = CellIntegrals.of(*given, np.arange(31.0), np.arange(21.0))
    whole = integrals.rows(0, 20)
    assert_allclose(
        np.concatenate([integrals.rows(0, 7), integrals.rows(7, 20)]), whole, rtol=1e-14
    )


@pytest.fixture(scope="module")
def masked_core():
    """A bright core behind a mask and a gap, both much smaller than a coarse pixel."""
    grid = PixelGrid.covering((-120, 120), (-120, 120), 2.0)
    x, y = grid.centres()
    exposure = 1e7 * (1 + x / 400)
    exposure[:, 70:72] = 0
    completeness = Completeness(
        grid=grid,
        exposure=exposure,
        open_fraction=1.0 * (np.hypot(x, y) > 8),
        unit="cm**2 s",
    )
    observation = replace(make_observation(kinds=("sky", "particle")), completeness=completeness)
    mixture = Mixture(
        fluxes=[4000.0, 900.0],
        means=[[0.3, 0.8], [30.0, -10.0]],
        covariances=[81 * np.eye(2), make_covariance(60, 8, 0.4)],
    )
    return make_result([observation], mixture)


@pytest.fixture(scope="module")
def finest(masked_core):
    """EXPECTED in pixels of 0.5 arcsec, whose edges are not those of the map."""
    return render(masked_core, PixelGrid.covering((-119.3, 120.7), (-119.3, 120.7), 0.5)).expected


@pytest.mark.parametrize("step", [1.0, 1.5, 2.0, 4.0, 6.0, 16.0, 60.0, 240.0])
def test_a_coarse_pixel_of_expected_is_the_sum_of_the_fine_ones(masked_core, finest, step):
    grid = PixelGrid.covering((-119.3, 120.7), (-119.3, 120.7), step)
    n, per_side = grid.shape[0], int(2 * step)
    sums = finest.values.reshape(n, per_side, n, per_side).sum((1, 3))
    assert_allclose(render(masked_core, grid).expected.values, sums, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("step", [1.0, 4.0, 12.0, 60.0])
def test_a_coarse_pixel_is_the_sum_of_fine_ones_that_are_turned_against_the_map(masked_core, step):
    c, s = np.cos(0.5), np.sin(0.5)
    turn = np.array([[c, -s], [s, c]])

    def turned(side):
        n = int(240 / side)
        corner = -turn @ (np.ones(2) * side * (n - 1) / 2)
        return PixelGrid(shape=(n, n), origin=corner, matrix=side * turn)

    fine, coarse = (render(masked_core, turned(side)).expected.values for side in (1.0, step))
    n = len(coarse)
    sums = fine.reshape(n, int(step), n, int(step)).sum((1, 3))
    assert_allclose(coarse, sums, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["signal", "signal_psf", "background", "expected"])
@pytest.mark.parametrize("step", [0.5, 2.0, 60.0])
def test_sums_over_the_field_do_not_depend_on_the_pixels(masked_core, name, step):
    sums = [
        getattr(render(masked_core, output_grid(masked_core, bin=b)), name).values.sum()
        for b in (None, step)
    ]
    assert sums[1] == pytest.approx(sums[0], rel=1e-6)


@pytest.mark.parametrize("step", [0.5, 5.0, 60.0])
def test_expected_photons_are_those_that_were_fitted(step):
    rng = np.random.default_rng(3)
    grid = PixelGrid.covering((-120, 120), (-120, 120), 2.0)
    x, y = grid.centres()
    open_fraction = 1.0 * (np.hypot(x, y) > 8)
    places = np.concatenate([rng.normal(0, 12, (400, 2)), rng.uniform(-120, 120, (200, 2))])
    kept = grid.locate(*places.T)
    places = places[(open_fraction[kept[1], kept[0]] > 0) & kept[2]]
    observation = Observation(
        photons=Photons(*places.T),
        completeness=Completeness(
            grid=grid, exposure=np.ones(grid.shape), open_fraction=open_fraction
        ),
        backgrounds=(Background(name="sky", kind="sky"),),
    )
    result = gmmx.fit(observation, n_components=1, exchanges=0, threads=1)
    images = render(result, output_grid(result, bin=step))
    assert images.expected.values.sum() == pytest.approx(images.counts.values.sum(), rel=1e-3)


def test_a_refinement_is_cut_by_both_grids():
    grid, target = (
        PixelGrid.covering((0, 12), (0, 4), 2.0),
        PixelGrid.covering((1, 10), (0, 3), 3.0),
    )
    cells = Refinement.of(target, grid)
    assert_allclose(np.diff(cells.x.edges) * 3, [1, 2, 2, 1, 1, 2])
    values = np.arange(12.0).reshape(2, 6)
    assert_allclose(cells.means(values), [[8 / 3, 13 / 3, 17 / 3]])


def test_turned_grids_have_no_refinement():
    turned = PixelGrid(shape=(3, 3), origin=np.zeros(2), matrix=np.array([[1.0, 0.1], [-0.1, 1.0]]))
    assert Refinement.of(turned, PixelGrid.covering((0, 3), (0, 3), 1.0)) is None


def test_a_pixel_much_larger_than_the_field_is_named(masked_core):
    with pytest.raises(InputError, match=r"1e\+06 arcsec is more than 100 times .* 240 x 240"):
        output_grid(masked_core, bin=1e6)
    assert output_grid(masked_core, bin=300.0).shape == (1, 1)


@pytest.mark.parametrize("step", [pytest.param(0.5, marks=pytest.mark.slow), 1.968, 3.0, 60.0])
def test_the_expected_photons_of_a_galaxy_do_not_depend_on_the_pixels(shared_data, step):
    truth = galaxy_truth(shared_data / "marx" / "galaxy")
    own = render(truth).expected.values.sum()
    coarse = render(truth, output_grid(truth, bin=step)).expected.values.sum()
    assert coarse == pytest.approx(own, rel=1e-6)
