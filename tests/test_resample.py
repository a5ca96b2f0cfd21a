"""Maps and photons on other grids: what each way keeps, and where it agrees with another way."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmx.errors import InputError
from gmmx.plane.affine import affine_grid, resampled
from gmmx.plane.grid import PixelGrid
from gmmx.plane.resample import (
    area_means,
    block_means,
    check_size,
    collected,
    halved,
    map_means,
    nearest,
)

GRID = PixelGrid(shape=(24, 36), origin=np.zeros(2), matrix=np.eye(2))
THIRDS = PixelGrid(shape=(8, 12), origin=np.array([1.0, 1.0]), matrix=3 * np.eye(2))
VALUES = np.random.default_rng(4).uniform(0, 1, GRID.shape)


def make_turned_grid():
    """A grid that is turned by 0.3 against GRID and covers it."""
    turn = 2.7 * np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    return PixelGrid(
        shape=(30, 30), origin=np.array([17.5, 11.5]) - turn @ [14.5, 14.5], matrix=turn
    )


def test_means_over_whole_pixels_are_exact():
    assert_allclose(
        map_means(VALUES, GRID, THIRDS), VALUES.reshape(8, 3, 12, 3).mean((1, 3)), rtol=1e-12
    )


def test_means_on_the_own_grid_change_nothing():
    assert_array_equal(map_means(VALUES, GRID, GRID), VALUES)


def test_finer_pixels_repeat_the_nearest_value():
    finer = PixelGrid(shape=(96, 144), origin=np.array([-0.375, -0.375]), matrix=0.25 * np.eye(2))
    assert_array_equal(map_means(VALUES, GRID, finer), VALUES.repeat(4, 0).repeat(4, 1))
    assert_array_equal(nearest(VALUES, GRID, finer), VALUES.repeat(4, 0).repeat(4, 1))


def test_means_on_a_turned_grid_conserve_the_integral():
    turned = make_turned_grid()
    total = map_means(VALUES, GRID, turned).sum() * turned.cell_area
    assert total == pytest.approx(VALUES.sum(), rel=5e-3)


@pytest.mark.parametrize("way", [map_means, nearest])
def test_there_is_nothing_off_the_map(way):
    away = PixelGrid(shape=(4, 4), origin=np.array([1e4, 0.0]), matrix=np.eye(2))
    assert way(VALUES, GRID, away).max() == 0


def test_both_ways_to_means_agree():
    # A matrix that is not quite diagonal takes the way for turned grids.
    barely = PixelGrid(
        shape=(8, 12), origin=np.array([1.0, 1.0]), matrix=3 * np.eye(2) + [[0, 1e-7], [0, 0]]
    )
    assert_allclose(map_means(VALUES, GRID, barely), map_means(VALUES, GRID, THIRDS), rtol=1e-12)


def test_area_means_and_map_means_agree_on_whole_cells():
    grid, (means,) = area_means([VALUES], GRID, 3.0)
    assert_allclose(grid.origin, THIRDS.origin, atol=1e-12)
    assert_allclose(means, map_means(VALUES, GRID, THIRDS), rtol=1e-12)


@pytest.mark.parametrize("step", [0.7, 1.9, 5.0, 100.0])
def test_area_means_keep_the_integral(step):
    grid, (means,) = area_means([VALUES], GRID, step)
    assert_allclose(means.sum() * grid.cell_area, VALUES.sum(), rtol=1e-9)


@pytest.mark.parametrize("step", [0.0, -1.0, np.nan, np.inf])
def test_a_cell_has_a_positive_size(step):
    with pytest.raises(InputError, match="must be positive"):
        area_means([VALUES], GRID, step)


def test_a_grid_that_no_memory_holds_is_refused():
    with pytest.raises(InputError, match=r"2e\+09 cells of 0\.1 arcsec is too large"):
        check_size(2e9, 0.1)


def test_several_maps_are_looked_up_at_once():
    turned = make_turned_grid()
    both = nearest(np.array([VALUES, 2 * VALUES]), GRID, turned)
    assert_array_equal(both[0], nearest(VALUES, GRID, turned))
    assert_array_equal(both[1], 2 * both[0])


@pytest.mark.parametrize("shape", [(8, 8), (7, 9), (1, 5), (1, 1)])
def test_each_halving_keeps_the_sum(shape):
    image = np.random.default_rng(1).uniform(0, 1, shape)
    levels = halved(image, 4)
    assert levels[0] is image
    assert [level.shape for level in levels[1:]] == [
        tuple(-(-n // 2**j) for n in shape) for j in (1, 2, 3)
    ]
    assert_allclose([level.sum() for level in levels], image.sum())


def test_block_means_leave_out_pixels_without_a_value():
    values = VALUES.copy()
    values[:6, :6] = np.nan
    values[6, 0] = np.nan
    grid, means = block_means(GRID, values, 6)
    assert means.shape == (4, 6)
    assert np.isnan(means[0, 0])
    assert_allclose(means[1, 0], np.nanmean(values[6:12, :6]))
    assert_allclose(grid.to_plane(0, 0), [2.5, 2.5])


def test_few_pixels_stay_as_they_are():
    assert block_means(GRID, VALUES, 36) == (GRID, VALUES)


def test_collected_photons_keep_their_sum_and_lie_at_the_centres_of_cells():
    rng = np.random.default_rng(2)
    x, y, w = rng.normal(0, 5, 1000), rng.normal(0, 5, 1000), rng.uniform(0.5, 2, 1000)
    cx, cy, cw = collected(x, y, w, cell=2.0)
    assert len(cx) < 300
    assert_allclose(cw.sum(), w.sum())
    assert_allclose(np.mod([cx, cy], 2.0), 1.0)
    at = (np.abs(x - cx[0]) <= 1) & (np.abs(y - cy[0]) <= 1)
    assert_allclose(cw[0], w[at].sum())
    cells = np.floor(np.column_stack([cx, cy]) / 2)
    assert len(np.unique(cells, axis=0)) == len(cx)


@pytest.mark.parametrize("cell", [0.0, -1.0, np.nan])
def test_photons_are_collected_into_cells_of_a_positive_size(cell):
    with pytest.raises(InputError, match="must be positive"):
        collected(VALUES[0], VALUES[1], VALUES[2], cell=cell)


def test_an_affine_map_is_fitted_exactly():
    grid, residual = affine_grid((1, 1), lambda ix, iy: (3 * ix + iy + 1, 2 * iy))
    assert residual < 1e-9
    assert_allclose(grid.matrix, [[3, 1], [0, 2]], atol=1e-12)


def test_a_bent_map_has_a_residual():
    grid, residual = affine_grid((9, 60), lambda ix, iy: (3 * ix + 1e-3 * ix**2, 2.0 * iy))
    assert 0.1 < residual < 1
    assert grid.shape == (9, 60)


@pytest.mark.parametrize(
    "place",
    [lambda ix, iy: (np.nan * ix, iy), lambda ix, iy: (ix, ix)],
    ids=["not finite", "on a line"],
)
def test_what_is_no_map_of_the_plane_has_no_grid(place):
    assert affine_grid((5, 5), place) == (None, np.inf)


def test_resampling_a_regular_map_changes_nothing():
    values = np.arange(12.0).reshape(3, 4)
    grid, again = resampled(
        values, lambda ix, iy: (ix * 2.0, iy * 2.0), lambda x, y: (x / 2, y / 2), fill=-1.0
    )
    assert_allclose(again, values)
    assert_allclose(grid.origin, [0, 0])


def test_resampling_fills_the_corners_of_a_turned_map():
    turned = make_turned_grid()
    grid, again = resampled(np.ones(turned.shape), turned.to_plane, turned.to_pixels, fill=-1.0)
    assert again[0, 0] == -1
    assert again[grid.shape[0] // 2, grid.shape[1] // 2] == 1
    area = (again == 1).sum() * grid.cell_area
    assert area == pytest.approx(turned.cell_area * 900, rel=0.02)
