"""What the telescope can see, and its reference exposure."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmx.errors import InputError
from gmmx.model.completeness import Completeness, reference_exposure
from gmmx.plane.grid import PixelGrid

GRID = PixelGrid.covering((0, 4), (0, 3), 1.0)


def make_ramp(grid=GRID, unit=""):
    """Exposure 0, 1, 2, ... in the order of the pixels."""
    return Completeness(
        grid=grid,
        exposure=np.arange(grid.shape[0] * grid.shape[1], dtype=float).reshape(grid.shape),
        unit=unit,
    )


def test_without_mask_everything_is_open():
    assert_array_equal(make_ramp().open_fraction, 1)
    assert_array_equal(make_ramp().effective, make_ramp().exposure)


def test_masks_multiply_and_exposure_stays():
    fraction = np.ones(GRID.shape)
    fraction[0, 1], fraction[2, 3] = 0.0, 0.5
    seen = make_ramp().masked(fraction).masked(fraction)
    assert seen.effective[2, 3] == 11 * 0.25
    assert seen.exposure[0, 1] == 1
    assert seen.exposure_at(1.5, 0.5) == 1
    assert seen.effective_at(1.5, 0.5) == 0
    assert seen.effective_at(3.2, 2.9) == 11 * 0.25


def test_nothing_is_seen_off_the_grid():
    assert_array_equal(make_ramp().exposure_at([-0.1, 4.1, 2.0, 1e9], [1.0, 1.0, 3.1, 0.0]), 0)
    assert_array_equal(make_ramp().effective_at([-0.1, 4.1, 2.0, 1e9], [1.0, 1.0, 3.1, 0.0]), 0)


def test_flux_needs_area_and_time():
    assert make_ramp(unit="cm**2 s").has_flux_unit
    assert not make_ramp(unit="s").has_flux_unit
    assert not make_ramp().has_flux_unit


@pytest.mark.parametrize(
    ("exposure", "fraction", "match"),
    [
        (-1.0, 1.0, "cannot be negative, got -1"),
        (1.0, 1.5, "between 0 and 1"),
        (1.0, -0.1, "between 0 and 1"),
        (np.nan, 1.0, "not finite"),
    ],
)
def test_what_cannot_be_a_completeness_is_refused(exposure, fraction, match):
    with pytest.raises(InputError, match=match):
        Completeness(
            grid=GRID,
            exposure=np.full(GRID.shape, exposure),
            open_fraction=np.full(GRID.shape, fraction),
        )


def test_exposure_must_fit_its_grid():
    with pytest.raises(InputError, match=r"Completeness.exposure must have shape \(3, 4\)"):
        Completeness(grid=GRID, exposure=np.ones((4, 3)))


@pytest.mark.parametrize(
    ("maps", "reference"),
    [
        ([make_ramp()], 11),
        # A mask does not change it.
        ([make_ramp().masked(np.zeros(GRID.shape))], 11),
        ([None], 1),
        ([], 1),
    ],
    ids=["one map", "all masked", "no map", "no observation"],
)
def test_the_reference_exposure_of_one_map_is_its_maximum(maps, reference):
    assert reference_exposure(maps) == reference


def test_reference_exposure_is_the_maximum_of_the_sum():
    far = Completeness(
        grid=PixelGrid.covering((100, 104), (0, 3), 1.0), exposure=np.full((3, 4), 9.0)
    )
    assert reference_exposure([make_ramp(), far]) == 11
    # Twice the same field: exposures add.
    assert reference_exposure([make_ramp(), make_ramp()]) == 22
    finer = Completeness(
        grid=PixelGrid.covering((0, 4), (0, 3), 0.5), exposure=np.full((6, 8), 5.0)
    )
    assert reference_exposure([finer, make_ramp()]) == 16
    assert reference_exposure([make_ramp(), finer]) == 16


def test_the_sum_of_completenesses_stays_below_one():
    turned = PixelGrid(
        shape=(30, 30),
        origin=np.array([1.0, -2.0]),
        matrix=0.2 * np.array([[0.8, -0.6], [0.6, 0.8]]),
    )
    maps = [
        make_ramp(),
        Completeness(grid=turned, exposure=np.random.default_rng(0).uniform(0, 5, turned.shape)),
    ]
    # The largest sum at a cell centre of any map is the reference.
    sums = [sum(c.effective_at(*one.grid.centres()) for c in maps).max() for one in maps]
    assert_allclose(reference_exposure(maps), max(sums), rtol=1e-12)


def test_maps_that_do_not_go_together():
    with pytest.raises(InputError, match="others have none"):
        reference_exposure([make_ramp(), None])
    with pytest.raises(InputError, match=r"different units.*'cm\*\*2 s', 's'"):
        reference_exposure([make_ramp(unit="s"), make_ramp(unit="cm**2 s")])


def make_turned_map(shape=(12, 18), step=4.0):
    rng = np.random.default_rng(8)
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    grid = PixelGrid(shape=shape, origin=np.array([5.0, -7.0]), matrix=step * turn)
    return Completeness(
        grid=grid,
        exposure=rng.uniform(0, 3, shape),
        open_fraction=rng.uniform(0, 1, shape),
        unit="s",
    )


@pytest.mark.parametrize("step", [1.0, 2.0, 4 / 3])
def test_finer_cells_repeat_the_value_they_lie_in(step):
    old = make_turned_map()
    new = old.regridded(step)
    x, y = new.grid.centres()
    assert_allclose(new.exposure, old.exposure_at(x, y), rtol=1e-9)
    assert_allclose(new.effective, old.effective_at(x, y), rtol=1e-9)
    assert_allclose(new.grid.step, step)
    assert new.unit == "s"


@pytest.mark.parametrize("step", [8.0, 12.0, 24.0, 7.0, 5.0, 3.0])
def test_other_cells_keep_the_integral(step):
    old = make_turned_map()
    new = old.regridded(step)
    ours, theirs = (
        np.array([c.exposure.sum(), c.effective.sum()]) * c.grid.cell_area for c in (new, old)
    )
    assert_allclose(ours, theirs, rtol=1e-9)
    # A shift of half a cell would move the centre of mass.
    ours, theirs = (
        np.array([(c.exposure * axis).sum() for axis in c.grid.centres()]) / c.exposure.sum()
        for c in (new, old)
    )
    assert_allclose(ours, theirs, atol=0.1 * step)


def test_coarser_cells_are_block_means():
    old = make_turned_map()
    assert_allclose(old.regridded(8.0).exposure, old.exposure.reshape(6, 2, 9, 2).mean((1, 3)))


def test_cells_of_the_present_size_change_nothing():
    old = make_turned_map()
    assert old.regridded(4.0) is old


@pytest.mark.parametrize("step", [0.0, -2.0, np.nan])
def test_cells_have_a_positive_size(step):
    with pytest.raises(InputError, match="positive"):
        make_turned_map().regridded(step)
