"""What the telescope can see, and its reference exposure."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmx.errors import InputError
from gmmx.model.completeness import Completeness, reference_exposure
from gmmx.plane.grid import PixelGrid

GRID = PixelGrid.covering((0, 4), (0, 3), 1.0)


def ramp(grid=GRID, unit=""):
    """Exposure 0, 1, 2, ... in the order of the pixels."""
    return Completeness(
        grid=grid,
        exposure=np.arange(grid.shape[0] * grid.shape[1], dtype=float).reshape(grid.shape),
        unit=unit,
    )


def test_without_mask_everything_is_open():
    assert_array_equal(ramp().open_fraction, 1)
    assert_array_equal(ramp().effective, ramp().exposure)


def test_masks_multiply_and_exposure_stays():
    share = np.ones(GRID.shape)
    share[0, 1], share[2, 3] = 0.0, 0.5
    seen = ramp().masked(share).masked(share)
    assert seen.effective[2, 3] == 11 * 0.25
    assert seen.exposure[0, 1] == 1
    assert seen.exposure_at(1.5, 0.5) == 1
    assert seen.effective_at(1.5, 0.5) == 0
    assert seen.effective_at(3.2, 2.9) == 11 * 0.25


def test_nothing_is_seen_off_the_grid():
    assert_array_equal(ramp().exposure_at([-0.1, 4.1, 2.0, 1e9], [1.0, 1.0, 3.1, 0.0]), 0)
    assert_array_equal(ramp().effective_at([-0.1, 4.1, 2.0, 1e9], [1.0, 1.0, 3.1, 0.0]), 0)


def test_flux_needs_area_and_time():
    assert ramp(unit="cm**2 s").has_flux_unit
    assert not ramp(unit="s").has_flux_unit
    assert not ramp().has_flux_unit


@pytest.mark.parametrize(
    ("exposure", "share", "match"),
    [
        (-1.0, 1.0, "cannot be negative, got -1"),
        (1.0, 1.5, "between 0 and 1"),
        (1.0, -0.1, "between 0 and 1"),
        (np.nan, 1.0, "not finite"),
    ],
)
def test_what_cannot_be_a_completeness(exposure, share, match):
    with pytest.raises(InputError, match=match):
        Completeness(
            grid=GRID,
            exposure=np.full(GRID.shape, exposure),
            open_fraction=np.full(GRID.shape, share),
        )


def test_exposure_must_fit_its_grid():
    with pytest.raises(InputError, match=r"Completeness.exposure must have shape \(3, 4\)"):
        Completeness(grid=GRID, exposure=np.ones((4, 3)))


def test_reference_exposure_of_one_map_is_its_maximum():
    assert reference_exposure([ramp()]) == 11
    assert reference_exposure([ramp().masked(np.zeros(GRID.shape))]) == 11
    assert reference_exposure([None]) == 1
    assert reference_exposure([]) == 1


def test_reference_exposure_is_the_maximum_of_the_sum():
    far = Completeness(
        grid=PixelGrid.covering((100, 104), (0, 3), 1.0), exposure=np.full((3, 4), 9.0)
    )
    assert reference_exposure([ramp(), far]) == 11
    # Twice the same field: exposures add.
    assert reference_exposure([ramp(), ramp()]) == 22
    finer = Completeness(
        grid=PixelGrid.covering((0, 4), (0, 3), 0.5), exposure=np.full((6, 8), 5.0)
    )
    assert reference_exposure([finer, ramp()]) == 16
    assert reference_exposure([ramp(), finer]) == 16


def test_sum_of_completeness_stays_below_one():
    turned = PixelGrid(
        shape=(30, 30),
        origin=np.array([1.0, -2.0]),
        matrix=0.2 * np.array([[0.8, -0.6], [0.6, 0.8]]),
    )
    maps = [
        ramp(),
        Completeness(grid=turned, exposure=np.random.default_rng(0).uniform(0, 5, turned.shape)),
    ]
    reference = reference_exposure(maps)
    for one in maps:
        x, y = one.grid.centres()
        assert np.all(sum(c.effective_at(x, y) for c in maps) <= reference * (1 + 1e-12))
    assert_allclose(
        reference, max(sum(c.effective_at(*one.grid.centres()) for c in maps).max() for one in maps)
    )


def test_maps_that_do_not_go_together():
    with pytest.raises(InputError, match="others have none"):
        reference_exposure([ramp(), None])
    with pytest.raises(InputError, match=r"different units.*'cm\*\*2 s', 's'"):
        reference_exposure([ramp(unit="s"), ramp(unit="cm**2 s")])


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
    for one, other in ((new.exposure, old.exposure), (new.effective, old.effective)):
        assert_allclose(one.sum() * new.grid.cell_area, other.sum() * old.grid.cell_area, rtol=1e-9)
    # And the centre of mass, which a shift of half a cell would move.
    for k in range(2):
        means = [np.sum(m.exposure * m.grid.centres()[k]) / m.exposure.sum() for m in (new, old)]
        assert abs(means[0] - means[1]) < 0.1 * step


def test_coarser_cells_are_block_means():
    old = make_turned_map()
    assert_allclose(old.regridded(8.0).exposure, old.exposure.reshape(6, 2, 9, 2).mean((1, 3)))
    assert old.regridded(4.0) is old
    with pytest.raises(InputError, match="positive"):
        old.regridded(0.0)
