"""Residual blocks: they follow the model, and their residuals are unit noise for a true model."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from true_result import make_true_result

from gmmx.answers.blocks import LEAST_PHOTONS, ResidualBlocks, adaptive_blocks, uniform_blocks
from gmmx.answers.scene import Scene
from gmmx.plane.grid import PixelGrid


def make_grid(n):
    return PixelGrid.covering((-n / 2, n / 2), (-n / 2, n / 2), 1.0)


def make_bright_core(n=100):
    """A model that falls from 400 to 0.1 photons in a cell, with an edge and a masked disc."""
    grid = make_grid(n)
    x, y = grid.centres()
    expected = 0.1 + 400 * np.exp(-np.hypot(x, y) / 4)
    expected[(x > 0.4 * n) | (np.hypot(x - 10, y - 20) < 6.3)] = 0
    return grid, expected


def drawn_residuals(n_skies):
    """Residuals of skies drawn from one model, all in one array."""
    grid, expected = make_bright_core()
    rng = np.random.default_rng(5)
    skies = [adaptive_blocks(grid, rng.poisson(expected), expected) for _ in range(n_skies)]
    return np.concatenate([blocks.residuals for blocks in skies])


def test_every_block_expects_at_least_ten_photons():
    grid, expected = make_bright_core()
    assert adaptive_blocks(grid, expected, expected).expected.min() >= LEAST_PHOTONS


def test_blocks_are_small_where_the_model_is_bright():
    grid, expected = make_bright_core()
    labels = adaptive_blocks(grid, expected, expected).labels
    area = np.bincount(labels[labels >= 0])[labels]
    assert area[50, 50] == 1
    assert area[5, 5] >= 64


def test_blocks_hold_every_photon_of_the_field_once():
    grid, expected = make_bright_core()
    counts = np.random.default_rng(1).poisson(expected)
    blocks = adaptive_blocks(grid, counts, expected)
    assert_allclose(blocks.counts.sum(), counts.sum())
    assert_allclose(blocks.expected.sum(), expected.sum())
    assert np.array_equal(blocks.labels >= 0, expected > 0)


def test_a_sliver_at_an_edge_does_not_coarsen_the_blocks_beside_it():
    expected = np.full((64, 64), 12.0)
    expected[:, 33:] = 0
    whole, cut = expected.copy(), expected.copy()
    whole[:, 32] = 0
    cut[:, 32] = 1.0
    grid = make_grid(64)
    assert len(adaptive_blocks(grid, whole, whole)) == 64 * 32
    assert 64 * 32 <= len(adaptive_blocks(grid, cut, cut)) < 64 * 33


def test_an_island_that_expects_too_little_is_left_out():
    expected = np.full((32, 32), 12.0)
    expected[:, 16:] = 0
    expected[3, 30] = 4.0
    blocks = adaptive_blocks(make_grid(32), expected, expected)
    assert blocks.labels[3, 30] == -1
    assert len(blocks) == 16 * 32


@pytest.mark.parametrize(("level", "n"), [(0.001, 1), (0.0, 0)])
def test_a_field_that_expects_too_little_is_one_block_or_none(level, n):
    expected = np.full((16, 16), level)
    assert len(adaptive_blocks(make_grid(16), expected, expected)) == n


def test_blocks_are_not_smaller_than_asked_for():
    grid, expected = make_bright_core(96)
    labels = adaptive_blocks(grid, expected, expected, smallest=3.0).labels
    squares = labels.reshape(24, 4, 24, 4).swapaxes(1, 2).reshape(24, 24, 16)
    open_ = (squares >= 0).all(-1)
    assert np.all(np.ptp(squares[open_], axis=-1) == 0)


def test_residuals_of_a_true_model_are_unit_noise():
    found = drawn_residuals(20)
    n = len(found)
    assert n > 4000
    assert abs(found.mean()) < 3.5 / np.sqrt(n)
    assert abs(np.mean(found**2) - 1) < 3.5 * np.sqrt(2 / n)


def test_three_sigma_are_as_rare_as_for_a_normal_distribution():
    found = drawn_residuals(20)
    expected = 0.0027 * len(found)
    assert abs(np.sum(np.abs(found) > 3) - expected) < 3.5 * np.sqrt(expected)


def test_residuals_of_simulated_photons_are_unit_noise_around_gaps_and_masks():
    blocks = Scene(make_true_result()).residual_blocks()
    n = len(blocks)
    assert n > 900
    assert abs(blocks.residuals.mean()) < 3.5 / np.sqrt(n)
    assert abs(np.mean(blocks.residuals**2) - 1) < 3.5 * np.sqrt(2 / n)
    # The gap is empty.
    assert np.isnan(blocks.values).any()


def test_equal_blocks_have_the_side_that_was_asked_for_in_whole_cells():
    grid, expected = make_bright_core()
    blocks = uniform_blocks(grid, expected, expected, 7.8)
    assert blocks.side == 8
    _, sizes = np.unique(blocks.labels[blocks.labels >= 0], return_counts=True)
    assert sizes.max() == 64


def test_equal_blocks_say_which_of_them_expect_too_little():
    grid, expected = make_bright_core()
    blocks = uniform_blocks(grid, expected, expected, 4.0)
    assert blocks.scarce[blocks.labels[5, 5]]
    assert not blocks.scarce[blocks.labels[50, 50]]


def test_blocks_say_what_they_are():
    grid = make_grid(2)
    none = ResidualBlocks(grid=grid, labels=np.full((2, 2), -1), counts=[], expected=[])
    assert repr(none) == "ResidualBlocks(none: nothing was recorded)"
