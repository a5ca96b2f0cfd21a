"""Every kernel of the fit against its slow twin."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gmmx._kernels import exposure, information, photons, search
from gmmx._kernels._math import exp_fast, log_fast
from gmmx._kernels.threads import threads_at_most
from gmmx.em.photons import PRUNING
from gmmx.model.pyramid import Pyramid
from gmmx.plane.grid import PixelGrid

SLOW_PYTHON = bool(numba.config.DISABLE_JIT)
EXAMPLES = settings(deadline=None, max_examples=5 if SLOW_PYTHON else 50)
SEEDS = st.integers(0, 2**32 - 1)


# Not cached: the cache would not notice a change of the functions that are compiled in.
@numba.njit(error_model="numpy", fastmath={"reassoc", "contract", "nsz", "arcp"})
def _all_exp(x):
    out = np.empty(len(x))
    for i in range(len(x)):
        out[i] = exp_fast(x[i])
    return out


@numba.njit(error_model="numpy", fastmath={"reassoc", "contract", "nsz", "arcp"})
def _all_log(x):
    out = np.empty(len(x))
    for i in range(len(x)):
        out[i] = log_fast(x[i])
    return out


def precisions_of(covariances):
    """(V, 2, 2) covariances to (V, 3) xx, xy, yy of their inverses."""
    inverse = np.linalg.inv(covariances)
    return np.stack([inverse[:, 0, 0], inverse[:, 0, 1], inverse[:, 1, 1]], axis=1)


def tiled(x, y, size):
    """Tiles of `size` photons in the order given, three tiles to a block."""
    tiles = np.append(np.arange(0, len(x), size), len(x))
    boxes = []
    for start, stop in itertools.pairwise(tiles):
        low, high = (np.array([f(x[start:stop]), f(y[start:stop])]) for f in (np.min, np.max))
        boxes.append([*(low + high) / 2, *(high - low) / 2])
    blocks = np.append(np.arange(0, len(tiles) - 1, 3), len(tiles) - 1)
    return tiles, np.array(boxes).reshape(-1, 4), blocks


def photon_case(
    seed,
    *,
    n_photons=None,
    n_components=None,
    per_component=None,
    n_backgrounds=None,
    size=None,
    tolerance=0.0,
):
    """Arguments of `photon_moments`: views of all widths and fluxes, photons among them and a few far off, unequal weights."""
    rng = np.random.default_rng(seed)
    most = 60 if SLOW_PYTHON else 400
    n = n_photons or int(rng.integers(1, most))
    k = n_components or int(rng.integers(1, 5))
    m = per_component or int(rng.integers(1, 4))
    n_b = int(rng.integers(0, 3)) if n_backgrounds is None else n_backgrounds
    v = k * m
    means = np.repeat(rng.uniform(-30, 30, (k, 2)), m, axis=0)
    sigma = np.exp(rng.uniform(np.log(0.2), np.log(20), v))
    ratio, angle = rng.uniform(0.1, 1, v), rng.uniform(0, np.pi, v)
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], axis=1).reshape(
        v, 2, 2
    )
    covariances = (
        turn
        @ (np.stack([sigma**2, (sigma * ratio) ** 2], axis=1)[:, :, None] * np.eye(2))
        @ np.swapaxes(turn, 1, 2)
    )
    logs = (
        np.log(rng.uniform(0.01, 100, v))
        - 0.5 * np.log(np.linalg.det(covariances))
        - np.log(2 * np.pi)
    )
    owner = rng.integers(0, v, n)
    points = means[owner] + np.einsum(
        "nij,nj->ni", np.linalg.cholesky(covariances)[owner], rng.standard_normal((n, 2))
    )
    points[rng.random(n) < 0.1] *= 3
    points = points[np.argsort(points[:, 0])]
    x, y = np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])
    weights = rng.choice([0.0, 1.0, 1.0, 2.0, 0.3], n)
    amplitudes = rng.uniform(0.001, 0.1, n_b)
    ratios = rng.uniform(0.5, 2, (n_b, n))
    tiles, boxes, blocks = tiled(x, y, size or int(rng.choice([1, 7, 64, n])))
    return (
        x,
        y,
        weights,
        ratios,
        tiles,
        boxes,
        blocks,
        amplitudes,
        logs,
        means,
        precisions_of(covariances),
        tolerance,
    )


def assert_moments_match(found, expected, total, *, rtol=1e-10):
    """Moments, responsibilities and log-likelihood agree, in the scale of each; first moments may cancel."""
    moments, responsibilities, log_likelihood = expected
    spread = moments[:, 3] + moments[:, 5]
    scale = np.stack([moments[:, 0], *2 * [np.sqrt(moments[:, 0] * spread)], *3 * [spread]], axis=1)
    assert np.all(
        np.abs(found[0] - moments) <= rtol * scale + 1e-13 * total * (1 + np.abs(moments).max(0))
    )
    assert_allclose(found[1], responsibilities, rtol=rtol, atol=1e-13 * total)
    assert found[2] == pytest.approx(log_likelihood, rel=rtol, abs=rtol * max(total, 1))


def test_fast_exponential():
    x = np.concatenate([-np.logspace(-12, np.log10(599), 2000), [0.0, -1e-300, -600.0]])
    assert_allclose(_all_exp(x), reference.exp_fast(x), rtol=4e-13)


def test_fast_exponential_stays_small_and_positive_far_below():
    assert_allclose(_all_exp(np.array([-601.0, -1e5, -1e300, -np.inf])), np.exp(-600), rtol=4e-13)


def test_fast_logarithm():
    x = np.concatenate(
        [
            np.logspace(-290, 290, 1500),
            np.linspace(0.3, 3, 1500),
            [1.0, 2.0, 0.5, np.sqrt(2), np.sqrt(0.5)],
        ]
    )
    expected = reference.log_fast(x)
    assert np.all(np.abs(_all_log(x) - expected) <= 2e-14 * np.maximum(1, np.abs(expected)))


@EXAMPLES
@given(seed=SEEDS)
def test_photon_moments_match_reference(seed):
    case = photon_case(seed)
    assert_moments_match(
        photons.photon_moments(*case), reference.photon_moments(*case), case[2].sum()
    )


@EXAMPLES
@given(seed=SEEDS)
def test_responsibilities_sum_to_the_weights(seed):
    case = photon_case(seed, tolerance=PRUNING)
    moments, responsibilities, _ = photons.photon_moments(*case)
    assert moments[:, 0].sum() + responsibilities.sum() == pytest.approx(case[2].sum(), rel=1e-12)


@EXAMPLES
@given(seed=SEEDS, size=st.sampled_from([1, 8, 32]))
def test_pruned_views_cost_no_more_than_the_bound(seed, size):
    case = photon_case(seed, tolerance=PRUNING, size=size)
    found, expected = photons.photon_moments(*case), reference.photon_moments(*case)
    total = case[2].sum()
    # Densities may lose 1e-10 of themselves; beside that there is rounding.
    assert abs(found[2] - expected[2]) <= total * (PRUNING + 1e-12) + 1e-12 * abs(expected[2])
    assert np.all(np.abs(found[0][:, 0] - expected[0][:, 0]) <= 2 * total * PRUNING + 1e-12 * total)


def test_pruning_leaves_views_out_where_they_do_not_matter():
    # Otherwise the bound above would hold trivially.
    covariances = np.repeat(np.eye(2)[None], 2, 0)
    arguments = np.zeros(2), np.array([[0.0, 0.0], [100.0, 0.0]]), precisions_of(covariances)
    reach = np.empty(2, np.int64)
    assert (
        photons.reaching_views(np.array([0.0, 0.0, 1.0, 1.0]), 1e-3, *arguments, PRUNING, reach)
        == 1
    )
    assert reach[0] == 0
    assert (
        photons.reaching_views(np.array([50.0, 0.0, 60.0, 1.0]), 1e-3, *arguments, PRUNING, reach)
        == 2
    )
    assert (
        photons.reaching_views(np.array([100.0, 0.0, 1.0, 1.0]), 1e-3, *arguments, PRUNING, reach)
        == 1
    )
    assert reach[0] == 1


@EXAMPLES
@given(seed=SEEDS, size=st.sampled_from([1, 5, 50]))
def test_tiles_do_not_matter(seed, size):
    one = photon_case(seed, size=10**6)
    many = (*one[:4], *tiled(one[0], one[1], size), *one[7:])
    assert_moments_match(
        photons.photon_moments(*many), photons.photon_moments(*one), one[2].sum(), rtol=1e-11
    )


@pytest.mark.parametrize("n_backgrounds", [0, 1])
@pytest.mark.parametrize("per_component", [1, 2, 3])
def test_photon_a_thousand_sigma_away(per_component, n_backgrounds):
    case = list(
        photon_case(
            5, n_photons=20, per_component=per_component, n_backgrounds=n_backgrounds, size=20
        )
    )
    sigma = 1 / np.sqrt(case[10][:, 0].min())
    case[0], case[1], case[2] = case[0].copy(), case[1].copy(), np.ones(20)
    case[0][-1] = 1000 * sigma
    case[4:7] = tiled(case[0], case[1], 20)
    found = photons.photon_moments(*case)
    assert all(np.all(np.isfinite(part)) for part in found)
    assert_moments_match(found, reference.photon_moments(*case), 20)
    assert found[0][:, 0].sum() + found[1].sum() == pytest.approx(20, rel=1e-12)
    # Without a background the far photon still belongs to somebody.
    if not n_backgrounds:
        assert found[2] < -1e5


def test_photons_of_no_weight_do_not_count():
    case = photon_case(11, n_photons=50, n_backgrounds=1, size=10)
    keep = case[2] > 0
    assert 0 < keep.sum() < 50
    fewer = (
        case[0][keep],
        case[1][keep],
        case[2][keep],
        case[3][:, keep],
        *tiled(case[0][keep], case[1][keep], 10),
        *case[7:],
    )
    assert_moments_match(
        photons.photon_moments(*case), photons.photon_moments(*fewer), case[2].sum()
    )


def test_background_alone():
    case = photon_case(3, n_photons=40, n_backgrounds=2)
    case = (*case[:8], np.zeros(0), np.zeros((0, 2)), np.zeros((0, 3)), PRUNING)
    moments, responsibilities, log_likelihood = photons.photon_moments(*case)
    assert moments.shape == (0, 6)
    assert responsibilities.sum() == pytest.approx(case[2].sum())
    assert log_likelihood == pytest.approx(case[2] @ np.log(case[7] @ case[3]))


@EXAMPLES
@given(seed=SEEDS)
def test_removal_losses_match_reference(seed):
    rng = np.random.default_rng(seed)
    m = int(rng.integers(1, 4))
    case = photon_case(seed, per_component=m)
    # Where a photon belongs to one component alone, 1 - share is what rounding leaves of it: relative to 1e-9, the floor.
    expected = reference.removal_losses(*case, m)
    assert_allclose(
        photons.removal_losses(*case, m),
        expected,
        rtol=1e-9,
        atol=2e-3 * case[2].max() if case[7].size == 0 else 1e-8 * case[2].sum(),
    )


@EXAMPLES
@given(seed=SEEDS)
def test_log_densities_match_reference(seed):
    x, y, _, ratios, tiles, boxes, blocks, *rest = photon_case(seed)
    arguments = x, y, ratios, tiles, boxes, blocks, *rest
    assert_allclose(
        photons.log_densities(*arguments),
        reference.log_densities(*arguments),
        rtol=1e-10,
        atol=1e-10,
    )


@EXAMPLES
@given(seed=SEEDS)
def test_view_sums_match_reference(seed):
    x, y, weights, _, tiles, boxes, _, _, *views, _ = photon_case(seed)
    found, expected = (
        f(x, y, weights, tiles, boxes, *views) for f in (photons.view_sums, reference.view_sums)
    )
    # Tiles beyond 6 standard deviations are left out: exp(-18) of the peak for each photon at most.
    assert np.all(
        np.abs(found - expected) <= 1e-10 * expected + np.exp(views[0] - 18) * weights.sum()
    )


@EXAMPLES
@given(seed=SEEDS)
def test_scores_match_reference(seed):
    rng = np.random.default_rng(seed)
    m = int(rng.integers(1, 4))
    x, y, weights, ratios, _, _, _, amplitudes, logs, means, precisions, _ = photon_case(
        seed, per_component=m
    )
    slopes, curvatures = rng.normal(size=(len(logs), 2, 2)), rng.normal(size=(len(logs), 3))
    case = (
        x,
        y,
        weights,
        amplitudes[:, None] * ratios,
        logs,
        means,
        precisions,
        slopes,
        curvatures,
        m,
    )
    expected = reference.scores(*case)
    # Responsibilities below exp(-100) are raised to it.
    assert_allclose(
        information.scores(*case),
        expected,
        rtol=1e-9,
        atol=1e-10 * np.abs(expected).max(initial=1e-3),
    )


@EXAMPLES
@given(seed=SEEDS)
def test_density_ratios_match_reference(seed):
    m = int(np.random.default_rng(seed).integers(1, 4))
    x, y, weights, *_, logs, means, precisions, _ = photon_case(seed, per_component=m)
    levels = np.random.default_rng(seed).normal(0, 5, len(x))
    case = x, y, weights, levels, logs, means, precisions, m
    assert_allclose(
        information.density_ratios(*case), reference.density_ratios(*case), rtol=1e-10, atol=1e-40
    )


@pytest.mark.parametrize("n", [2, 700])
def test_scores_of_photons_that_belong_nowhere_are_no_denormal_numbers(n):
    x = np.linspace(0, 5000, n)
    means, precisions = np.array([[0.0, 0.0], [3.0, 0.0]]), np.tile([1.0, 0.0, 1.0], (2, 1))
    found = information.scores(
        x,
        0 * x,
        np.ones(n),
        np.full((1, n), 1e-3),
        np.zeros(2),
        means,
        precisions,
        np.tile(np.eye(2), (2, 1, 1)),
        np.ones((2, 3)),
        1,
    )
    ratios = information.density_ratios(
        x, 0 * x, np.ones(n), np.zeros(n), np.zeros(2), means, precisions, 1
    )
    assert np.abs(found[:, :2]).min() > 1e-46
    assert ratios.min() > 1e-46
    assert np.all(np.isfinite(found))


@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (40, 3), (300, 260)])
def test_smoothing_matches_reference(shape):
    rng = np.random.default_rng(1)
    image, taps = rng.poisson(2.0, shape).astype(float), np.array([0.4, 0.2, 0.07, 0.03])
    assert_allclose(
        search.smoothed(image, taps), reference.smoothed(image, taps), rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize("shape", [(20, 30), (300, 260)])
def test_significances_match_reference(shape):
    rng = np.random.default_rng(2)
    data, model = rng.exponential(2.0, shape), rng.exponential(2.0, shape)
    data[0, :5] = 0.0
    found = search.significances(data, model, 50.0, 8.0)
    assert_allclose(found, reference.significances(data, model, 50.0, 8.0), rtol=1e-10, atol=1e-12)
    assert 0 < np.count_nonzero(found) < found.size


def exposure_case(seed):
    """A pyramid of a map with holes and gradients, and views on and off it."""
    rng = np.random.default_rng(seed)
    ny, nx = rng.integers(3, 40, 2)
    omega = rng.uniform(0, 1, (ny, nx)) * (rng.random((ny, nx)) < 0.8)
    pyramid = Pyramid.of(PixelGrid.covering((0, nx), (0, ny), 1.0), omega)
    v = 6
    sigma = np.exp(rng.uniform(np.log(0.3), np.log(10), v))
    rho = rng.uniform(-0.8, 0.8, v)
    ratio = rng.uniform(0.4, 1, v)
    covariances = np.stack([sigma**2, rho * ratio * sigma**2, (ratio * sigma) ** 2], axis=1)
    means = rng.uniform(-0.3, 1.3, (v, 2)) * [nx, ny]
    levels = np.where(
        rng.random(v) < 0.5, rng.integers(0, len(pyramid.offsets), v), -rng.integers(1, 12, v)
    )
    return (
        pyramid.values,
        pyramid.offsets,
        pyramid.heights,
        pyramid.widths,
        levels,
        means,
        covariances,
    )


@EXAMPLES
@given(seed=SEEDS)
def test_exposure_moments_match_reference(seed):
    case = exposure_case(seed)
    found, expected = exposure.exposure_moments(*case), reference.exposure_moments(*case)
    scale = np.sqrt(case[6][:, 0])
    assert_allclose(
        found / scale[:, None] ** [0, 1, 1, 2, 2, 2],
        expected / scale[:, None] ** [0, 1, 1, 2, 2, 2],
        rtol=1e-10,
        atol=1e-12,
    )


def test_views_off_the_map_see_nothing():
    case = list(exposure_case(0))
    case[5] = np.array(
        [[1e4, 0.0], [-1e4, 5.0], [3.0, 1e12], [3.0, -1e12], [1e300, 1e300], [-1e300, 2.0]]
    )
    assert_array_equal(exposure.exposure_moments(*case), 0)


@pytest.mark.parametrize("n", [1, 5, 300])
def test_threads_and_repeats_agree_to_the_bit(n):
    case = photon_case(1, n_photons=n, n_backgrounds=1, size=8, tolerance=PRUNING)
    answers = []
    for threads in (1, 2, 1, 0):
        with threads_at_most(threads):
            answers.append(
                [
                    *photons.photon_moments(*case),
                    photons.removal_losses(*case, 1),
                    exposure.exposure_moments(*exposure_case(n)),
                ]
            )
    for other in answers[1:]:
        for one, two in zip(answers[0], other, strict=True):
            assert_array_equal(one, two)


@pytest.mark.skipif(SLOW_PYTHON, reason="this is the run without compilation")
def test_kernels_without_compilation():
    # What numba compiles is also what Python runs: indices that leave an array raise there, and do not here.
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            "-k",
            "match or fast or thousand or alone",
            __file__,
        ],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-1000:]
    assert "passed" in run.stdout
