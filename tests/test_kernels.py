"""Every kernel of the fit against its slow twin."""

import itertools
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numba
import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gmmx._kernels import exposure, information, photons, search
from gmmx._kernels._math import exp_fast, log_fast
from gmmx._kernels.densities import densities_of_skies
from gmmx._kernels.discs import disc_fractions
from gmmx._kernels.exposure import LevelMaps
from gmmx._kernels.quantiles import interval_ends
from gmmx._kernels.threads import Pace, threads_at_most
from gmmx._kernels.tiles import TiledPhotons, Views, reaching_views
from gmmx.em.photons import PRUNING
from gmmx.model.pyramid import Pyramid
from gmmx.plane.grid import PixelGrid

SLOW_PYTHON = bool(numba.config.DISABLE_JIT)
EXAMPLES = settings(deadline=None, max_examples=5 if SLOW_PYTHON else 50)
SEEDS = st.integers(0, 2**32 - 1)
# Relative difference of a kernel and its twin, which add in another order.
ROUNDING = 1e-10


# Not cached, because the cache would not notice a change of the function that is compiled in.
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


class PhotonCase(NamedTuple):
    """Arguments of `photon_moments` and its relatives."""

    photons: TiledPhotons
    amplitudes: np.ndarray
    views: Views
    tolerance: float


def tiled(x, y, weights, ratios, size):
    """Photons in tiles of `size` in the order given, three tiles to a block."""
    tiles = np.append(np.arange(0, len(x), size), len(x))
    boxes = []
    for start, stop in itertools.pairwise(tiles):
        low, high = (np.array([f(x[start:stop]), f(y[start:stop])]) for f in (np.min, np.max))
        boxes.append([*(low + high) / 2, *(high - low) / 2])
    blocks = np.append(np.arange(0, len(tiles) - 1, 3), len(tiles) - 1)
    return TiledPhotons(x, y, weights, ratios, tiles, np.array(boxes).reshape(-1, 4), blocks)


def tiled_again(case, size, keep=slice(None)):
    """The same case with other tiles, and with only some of its photons."""
    x, y, weights, ratios, *_ = case.photons
    return case._replace(photons=tiled(x[keep], y[keep], weights[keep], ratios[:, keep], size))


def precisions_of(covariances):
    """(V, 2, 2) covariances to (V, 3) xx, xy, yy of their inverses."""
    inverse = np.linalg.inv(covariances)
    return np.stack([inverse[:, 0, 0], inverse[:, 0, 1], inverse[:, 1, 1]], axis=1)


def make_covariances(rng, v):
    """Covariances (V, 2, 2) of all widths, axis ratios and angles."""
    sigma = np.exp(rng.uniform(np.log(0.2), np.log(20), v))
    ratio, angle = rng.uniform(0.1, 1, v), rng.uniform(0, np.pi, v)
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], axis=1)
    turn = turn.reshape(v, 2, 2)
    axes = np.stack([sigma**2, (sigma * ratio) ** 2], axis=1)[:, :, None] * np.eye(2)
    return turn @ axes @ np.swapaxes(turn, 1, 2)


def make_photon_case(seed, *, n=None, k=None, m=None, n_backgrounds=None, size=None, tolerance=0.0):
    """Views of all widths and fluxes, photons among them and a few far off, unequal weights."""
    rng = np.random.default_rng(seed)
    n = n or int(rng.integers(1, 60 if SLOW_PYTHON else 400))
    k, m = k or int(rng.integers(1, 5)), m or int(rng.integers(1, 4))
    n_b = int(rng.integers(0, 3)) if n_backgrounds is None else n_backgrounds
    v = k * m
    means = np.repeat(rng.uniform(-30, 30, (k, 2)), m, axis=0)
    covariances = make_covariances(rng, v)
    fluxes = rng.uniform(0.01, 100, v)
    logs = np.log(fluxes) - 0.5 * np.log(np.linalg.det(covariances)) - np.log(2 * np.pi)
    owner = rng.integers(0, v, n)
    offsets = np.einsum(
        "nij,nj->ni", np.linalg.cholesky(covariances)[owner], rng.standard_normal((n, 2))
    )
    points = means[owner] + offsets
    points[rng.random(n) < 0.1] *= 3
    points = points[np.argsort(points[:, 0])]
    x, y = np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])
    weights = rng.choice([0.0, 1.0, 1.0, 2.0, 0.3], n)
    amplitudes, ratios = rng.uniform(0.001, 0.1, n_b), rng.uniform(0.5, 2, (n_b, n))
    return PhotonCase(
        tiled(x, y, weights, ratios, size or int(rng.choice([1, 7, 64, n]))),
        amplitudes,
        Views(logs, means, precisions_of(covariances), m),
        tolerance,
    )


def make_view_sums_case(seed):
    """Arguments of `view_sums`."""
    case = make_photon_case(seed)
    return case.photons, case.photons.weights, case.views


def make_scores_case(seed):
    """Arguments of `scores`, with any slopes and curvatures."""
    case, rng = make_photon_case(seed), np.random.default_rng(seed)
    x, y, weights, ratios, *_ = case.photons
    v = len(case.views.means)
    background = case.amplitudes[:, None] * ratios
    return (
        x,
        y,
        weights,
        background,
        case.views,
        rng.normal(size=(v, 2, 2)),
        rng.normal(size=(v, 3)),
    )


def make_ratios_case(seed):
    """Arguments of `density_ratios`, with any densities."""
    case = make_photon_case(seed)
    x, y, weights, *_ = case.photons
    return x, y, weights, np.random.default_rng(seed).normal(0, 5, len(x)), case.views


def make_exposure_case(seed):
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
    maps = LevelMaps(pyramid.values, pyramid.offsets, pyramid.heights, pyramid.widths)
    return maps, levels, means, covariances


def outputs_of(function, arguments):
    """What a kernel or a twin returns, as a tuple of arrays."""
    found = function(*arguments)
    return tuple(map(np.asarray, found if isinstance(found, tuple) else (found,)))


def check_kernel(kernel, twin, arguments, allowed, twin_arguments=None):
    """What every kernel must satisfy: the answer of its slow twin within `allowed`.

    `allowed(expected, arguments)` returns the largest difference of each output.
    """
    found = outputs_of(kernel, arguments)
    expected = outputs_of(twin, arguments if twin_arguments is None else twin_arguments)
    for one, two, difference in zip(found, expected, allowed(expected, arguments), strict=True):
        assert one.shape == two.shape
        assert np.all(np.abs(one - two) <= difference)


def moments_allowed(expected, case, rtol=ROUNDING):
    """Rounding of moments in the scale of each; first moments may cancel."""
    moments, responsibilities, log_likelihood = expected
    total = case[0].weights.sum()
    spread = moments[:, 3] + moments[:, 5]
    scale = np.stack([moments[:, 0], *2 * [np.sqrt(moments[:, 0] * spread)], *3 * [spread]], axis=1)
    largest = 1 + np.abs(moments).max(0, initial=0.0)
    return (
        rtol * scale + 1e-13 * total * largest,
        rtol * np.abs(responsibilities) + 1e-13 * total,
        rtol * np.maximum(np.abs(log_likelihood), max(total, 1)),
    )


def losses_allowed(expected, case):
    """Where a photon belongs to one component alone, 1 - r is what rounding leaves of it."""
    weights = case.photons.weights
    floor = 1e-8 * weights.sum() if len(case.amplitudes) else 2e-3 * weights.max()
    return (1e-9 * np.abs(expected[0]) + floor,)


def logs_allowed(expected, case):
    """Rounding of logarithms."""
    return (ROUNDING * (1 + np.abs(expected[0])),)


def view_sums_allowed(expected, arguments):
    """Tiles beyond 6 standard deviations are left out: exp(-18) of the peak for each photon."""
    _, weights, views = arguments
    return (ROUNDING * expected[0] + np.exp(views.log_coefficients - 18) * weights.sum(),)


def scores_allowed(expected, arguments):
    """Responsibilities below exp(-100) are raised to it."""
    return (1e-9 * np.abs(expected[0]) + ROUNDING * np.abs(expected[0]).max(initial=1e-3),)


def ratios_allowed(expected, arguments):
    """Ratios below exp(-100) are raised to it."""
    return (ROUNDING * np.abs(expected[0]) + 1e-40,)


def exposure_allowed(expected, arguments):
    """Rounding in the scale of each view."""
    scale = np.sqrt(arguments[3][:, :1]) ** [0, 1, 1, 2, 2, 2]
    return (ROUNDING * np.abs(expected[0]) + 1e-12 * scale,)


# Each kernel with its twin, the maker of its arguments, and the difference that is allowed.
KERNELS = {
    "photon_moments": (photons, make_photon_case, moments_allowed),
    "removal_losses": (photons, make_photon_case, losses_allowed),
    "log_densities": (photons, make_photon_case, logs_allowed),
    "view_sums": (photons, make_view_sums_case, view_sums_allowed),
    "scores": (information, make_scores_case, scores_allowed),
    "density_ratios": (information, make_ratios_case, ratios_allowed),
    "exposure_moments": (exposure, make_exposure_case, exposure_allowed),
}


@pytest.mark.parametrize("name", KERNELS)
@EXAMPLES
@given(seed=SEEDS)
def test_kernels_match_their_twins(name, seed):
    module, make, allowed = KERNELS[name]
    check_kernel(getattr(module, name), getattr(reference, name), make(seed), allowed)


def test_fast_exponential():
    x = np.concatenate([-np.logspace(-12, np.log10(599), 2000), [0.0, -1e-300, -600.0]])
    assert_allclose(_all_exp(x), reference.exp_fast(x), rtol=4e-13)


def test_fast_exponential_stays_small_and_positive_far_below():
    assert_allclose(_all_exp(np.array([-601.0, -1e5, -1e300, -np.inf])), np.exp(-600), rtol=4e-13)


def test_fast_logarithm():
    ends = [1.0, 2.0, 0.5, np.sqrt(2), np.sqrt(0.5)]
    x = np.concatenate([np.logspace(-290, 290, 1500), np.linspace(0.3, 3, 1500), ends])
    expected = reference.log_fast(x)
    assert np.all(np.abs(_all_log(x) - expected) <= 2e-14 * np.maximum(1, np.abs(expected)))


@EXAMPLES
@given(seed=SEEDS)
def test_responsibilities_sum_to_the_weights(seed):
    case = make_photon_case(seed, tolerance=PRUNING)
    moments, responsibilities, _ = photons.photon_moments(*case)
    total = moments[:, 0].sum() + responsibilities.sum()
    assert total == pytest.approx(case.photons.weights.sum(), rel=1e-12)


@EXAMPLES
@given(seed=SEEDS, size=st.sampled_from([1, 8, 32]))
def test_pruned_views_cost_no_more_than_the_bound(seed, size):
    case = make_photon_case(seed, tolerance=PRUNING, size=size)
    found, expected = photons.photon_moments(*case), reference.photon_moments(*case)
    total = case.photons.weights.sum()
    # Densities may lose 1e-10 of themselves; the rest is rounding.
    assert abs(found[2] - expected[2]) <= total * (PRUNING + 1e-12) + 1e-12 * abs(expected[2])
    assert np.all(np.abs(found[0][:, 0] - expected[0][:, 0]) <= 2 * total * PRUNING + 1e-12 * total)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ([0.0, 0.0, 1.0, 1.0], [0]),
        ([50.0, 0.0, 60.0, 1.0], [0, 1]),
        ([100.0, 0.0, 1.0, 1.0], [1]),
    ],
)
def test_pruning_leaves_views_out_where_they_do_not_matter(box, expected):
    # Otherwise the bound above would hold trivially.
    precisions = precisions_of(np.repeat(np.eye(2)[None], 2, 0))
    views = Views(np.zeros(2), np.array([[0.0, 0.0], [100.0, 0.0]]), precisions, 1)
    reach = np.empty(2, np.int64)
    n = reaching_views(np.array(box), 1e-3, views, PRUNING, reach)
    assert_array_equal(reach[:n], expected)


@EXAMPLES
@given(seed=SEEDS, size=st.sampled_from([1, 5, 50]))
def test_tiles_do_not_matter(seed, size):
    one = make_photon_case(seed, size=10**6)
    kernel = photons.photon_moments
    check_kernel(kernel, kernel, tiled_again(one, size), moments_allowed, twin_arguments=one)


@pytest.mark.parametrize("n_backgrounds", [0, 1])
@pytest.mark.parametrize("m", [1, 2, 3])
def test_photon_a_thousand_sigma_away(m, n_backgrounds):
    case = make_photon_case(5, n=20, m=m, n_backgrounds=n_backgrounds, size=20)
    x, y, _, ratios, *_ = case.photons
    x = np.append(x[:-1], 1000 / np.sqrt(case.views.precisions[:, 0].min()))
    case = case._replace(photons=tiled(x, y, np.ones(20), ratios, 20))
    check_kernel(photons.photon_moments, reference.photon_moments, case, moments_allowed)
    moments, responsibilities, log_likelihood = photons.photon_moments(*case)
    assert np.all(np.isfinite(moments))
    # Without a background the far photon still belongs to a component.
    assert moments[:, 0].sum() + responsibilities.sum() == pytest.approx(20, rel=1e-12)
    assert n_backgrounds or log_likelihood < -1e5


def test_photons_of_no_weight_do_not_count():
    case = make_photon_case(11, n=50, n_backgrounds=1, size=10)
    keep = case.photons.weights > 0
    assert 0 < keep.sum() < 50
    fewer, kernel = tiled_again(case, 10, keep), photons.photon_moments
    check_kernel(kernel, kernel, case, moments_allowed, twin_arguments=fewer)


def test_background_alone():
    case = make_photon_case(3, n=40, n_backgrounds=2, tolerance=PRUNING)
    case = case._replace(views=Views(np.zeros(0), np.zeros((0, 2)), np.zeros((0, 3)), 1))
    moments, responsibilities, log_likelihood = photons.photon_moments(*case)
    weights, ratios = case.photons.weights, case.photons.ratios
    assert moments.shape == (0, 6)
    assert responsibilities.sum() == pytest.approx(weights.sum())
    assert log_likelihood == pytest.approx(weights @ np.log(case.amplitudes @ ratios))


@pytest.mark.parametrize("n", [2, 700])
def test_scores_of_photons_that_belong_nowhere_are_no_denormal_numbers(n):
    x = np.linspace(0, 5000, n)
    precisions = np.tile([1.0, 0.0, 1.0], (2, 1))
    views = Views(np.zeros(2), np.array([[0.0, 0.0], [3.0, 0.0]]), precisions, 1)
    background, slopes = np.full((1, n), 1e-3), np.tile(np.eye(2), (2, 1, 1))
    found = information.scores(x, 0 * x, np.ones(n), background, views, slopes, np.ones((2, 3)))
    ratios = information.density_ratios(x, 0 * x, np.ones(n), np.zeros(n), views)
    assert np.abs(found[:, :2]).min() > 1e-46
    assert ratios.min() > 1e-46
    assert np.all(np.isfinite(found))


@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (40, 3), (300, 260)])
def test_smoothing_matches_its_twin(shape):
    image, taps = np.random.default_rng(1).poisson(2.0, shape).astype(float), [0.4, 0.2, 0.07, 0.03]

    def allowed(expected, arguments):
        return (ROUNDING * np.abs(expected[0]) + 1e-12,)

    check_kernel(search.smoothed, reference.smoothed, (image, np.array(taps)), allowed)


@pytest.mark.parametrize("shape", [(20, 30), (300, 260)])
def test_significances_match_their_twin(shape):
    rng = np.random.default_rng(2)
    data, model = rng.exponential(2.0, shape), rng.exponential(2.0, shape)
    data[0, :5] = 0.0

    def allowed(expected, arguments):
        return (ROUNDING * np.abs(expected[0]) + 1e-12,)

    case = data, model, 50.0, 8.0
    check_kernel(search.significances, reference.significances, case, allowed)
    assert 0 < np.count_nonzero(search.significances(*case)) < data.size


def test_views_off_the_map_see_nothing():
    maps, levels, _, covariances = make_exposure_case(0)
    means = [[1e4, 0.0], [-1e4, 5.0], [3.0, 1e12], [3.0, -1e12], [1e300, 1e300], [-1e300, 2.0]]
    found = exposure.exposure_moments(maps, levels, np.array(means), covariances)
    assert_array_equal(found, 0)


@pytest.mark.parametrize("n", [1, 5, 300])
def test_threads_and_repeats_agree_to_the_bit(n):
    case = make_photon_case(1, n=n, n_backgrounds=1, size=8, tolerance=PRUNING)
    answers = []
    for threads in (1, 2, 1, 0):
        with threads_at_most(threads):
            answers.append(
                [
                    *photons.photon_moments(*case),
                    photons.removal_losses(*case),
                    exposure.exposure_moments(*make_exposure_case(n)),
                ]
            )
    for other in answers[1:]:
        for one, two in zip(answers[0], other, strict=True):
            assert_array_equal(one, two)


def test_pace_returns_what_the_function_returns():
    pace = Pace()
    with threads_at_most(0):
        assert [pace(max, i, 7) for i in range(70)] == [max(i, 7) for i in range(70)]


@pytest.mark.skipif(SLOW_PYTHON, reason="this is the run without compilation")
def test_kernels_without_compilation():
    # What numba compiles also runs as Python: an index outside an array raises there, and does not
    # here.
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"),
            *("-k", "match or fast or thousand or alone", __file__),
        ],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-1000:]
    assert "passed" in run.stdout


# ---- rings and isophotes ----


@pytest.mark.parametrize("ratio", [1.0, 1.5, 8.0, 60.0])
@pytest.mark.parametrize("distance", [0.0, 3.0, 12.0])
def test_fractions_of_gaussians_within_circles_are_those_of_the_twin(distance, ratio):
    angle = np.radians(np.array([0.0, 40.0, 130.0]))
    c, s = np.cos(angle), np.sin(angle)
    turn = np.moveaxis(np.array([[c, -s], [s, c]]), 2, 0)
    covariances = turn @ np.diag([16.0, 16.0 / ratio**2]) @ np.swapaxes(turn, 1, 2)
    packed = np.ascontiguousarray(covariances.reshape(-1, 4)[:, [0, 1, 3]])
    means, radii = (
        distance * np.array([[1.0, 0.0], [0.6, 0.8], [-0.8, 0.6]]),
        np.array([0.5, 4, 11]),
    )
    expected = reference.disc_fractions(means, packed, radii)
    assert_allclose(disc_fractions(means, packed, radii), expected, atol=2e-5)


def test_nothing_lies_within_a_point_and_all_within_an_endless_circle():
    found = disc_fractions(np.zeros((1, 2)), np.array([[4.0, 0.0, 1.0]]), np.array([0.0, np.inf]))
    assert_array_equal(found, [[0.0, 1.0]])


def test_densities_of_several_skies_are_those_of_the_twin():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(3, 4, 2, 2))
    skies = rng.uniform(0, 5, (3, 4)), rng.normal(0, 3, (3, 4, 2)), root @ np.swapaxes(root, 2, 3)
    skies[0][1, 2] = 0.0
    number, (x, y) = np.array([2, 0, 1, 1, 2]), rng.normal(0, 4, (2, 5, 7))
    found = np.empty((5, 7))
    densities_of_skies(*skies, number, x, y, found)
    assert_allclose(found, reference.densities_of_skies(*skies, number, x, y), rtol=1e-10)


@pytest.mark.parametrize("n", [8, 30, 31, 200])
@pytest.mark.parametrize("digits", [0, 12], ids=["many equal", "all different"])
def test_ends_of_intervals_are_those_of_numpy(n, digits):
    values = np.random.default_rng(n).normal(size=(n, 150)).round(digits)
    lower, upper = np.empty(150), np.empty(150)
    interval_ends(values, 0.16, lower, upper)
    expected = np.quantile(values, (0.16, 0.84), axis=0)
    assert_allclose([lower, upper], expected, rtol=1e-12, atol=1e-12)
