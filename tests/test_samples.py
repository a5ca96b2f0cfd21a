"""What samples are, and what is refused."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmx.errors import InputError
from gmmx.model.samples import Samples

X = np.arange(12.0).reshape(6, 2)


def test_a_sample_says_what_it_is():
    samples = Samples(x=X, covariances=np.ones((6, 2)), names=["g_r", "r_i"])
    assert repr(samples) == "Samples(6 samples in 2 dimensions: g_r, r_i; noise diagonal)"


@pytest.mark.parametrize(
    ("covariances", "kind"),
    [
        (None, "none"),
        (np.eye(2), "common"),
        (np.ones((6, 2)), "diagonal"),
        (np.tile(np.eye(2), (6, 1, 1)), "full"),
    ],
)
def test_the_shape_of_the_covariances_tells_their_kind(covariances, kind):
    samples = Samples(x=X, covariances=covariances)
    assert samples.noise_kind == kind
    expected = np.zeros((2, 2)) if covariances is None else np.eye(2)
    assert_array_equal(samples.noise(), np.tile(expected, (6, 1, 1)))


def test_one_column_needs_no_second_axis():
    samples = Samples(x=[1.0, 2.0], covariances=[0.1, 0.2])
    assert samples.noise()[:, 0, 0].tolist() == [0.1, 0.2]


def test_one_sample_of_one_column_has_one_variance():
    assert Samples(x=[[1.0]], covariances=[[0.5]]).noise().tolist() == [[[0.5]]]


def test_an_infinite_variance_is_a_missing_value():
    variances = np.ones((6, 2))
    variances[3, 1] = np.inf
    missing = Samples(x=X, covariances=variances).missing
    assert np.argwhere(missing).tolist() == [[3, 1]]


def test_masked_values_are_missing():
    x = np.ma.masked_equal(X, 5.0)
    assert np.argwhere(Samples(x=x).missing).tolist() == [[2, 1]]


@pytest.mark.parametrize("kind", ["none", "common", "diagonal", "full"])
@pytest.mark.parametrize("index", [[4, 1], [0, 2, 5]], ids=["as many as columns", "more"])
def test_a_selection_keeps_the_noise_of_its_rows(kind, index):
    rng = np.random.default_rng(0)
    given = {
        "none": None,
        "common": np.diag([1.0, 2.0]),
        "diagonal": rng.uniform(1, 2, (6, 2)),
        "full": rng.uniform(1, 2, (6, 1, 1)) * np.eye(2),
    }[kind]
    samples = Samples(x=X, covariances=given)
    part = samples.select(index)
    assert_array_equal(part.x, X[index])
    assert_array_equal(part.noise(), samples.noise()[index])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": [["a", "b"]]}, "`x` holds values that are not numbers"),
        ({"x": np.zeros((0, 2))}, r"`x` has shape \(0, 2\)"),
        ({"x": [[1.0, np.inf]]}, "row 0 holds an infinite value"),
        ({"x": X, "covariances": np.ones(6)}, r"`covariances` has shape \(6,\)"),
        ({"x": X, "covariances": -np.ones((6, 2))}, "row 0 has the variance -1 in column 0"),
        ({"x": X, "covariances": np.full((6, 2), np.nan)}, "row 0 has the variance nan"),
        ({"x": X[:2], "covariances": np.eye(2)}, "may be variances of each sample"),
        ({"x": X, "weights": -np.ones(6)}, "`weights` must be 6 finite numbers"),
        ({"x": X, "weights": np.zeros(6)}, "all `weights` are 0"),
        ({"x": X, "names": ["a"]}, "`names` has 1 names for 2 columns"),
        ({"x": X, "names": ["a", "a"]}, "`names` repeats a name"),
    ],
)
def test_what_is_no_sample_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        Samples(**arguments)


@pytest.mark.parametrize(
    "bad",
    [
        [[1.0, 2.0], [2.0, 1.0]],
        [[1.0, 0.5], [0.2, 1.0]],
        [[np.inf, 0.0], [np.nan, np.nan]],
    ],
    ids=["not positive", "not symmetric", "not finite"],
)
def test_the_row_of_a_bad_covariance_is_named(bad):
    covariances = np.tile(np.eye(2), (6, 1, 1))
    covariances[4] = bad
    with pytest.raises(InputError, match="row 4 is not symmetric and positive semi-definite"):
        Samples(x=X, covariances=covariances)


def test_a_covariance_may_be_zero_along_an_axis():
    covariances = np.tile(np.diag([1.0, 0.0]), (6, 1, 1))
    assert Samples(x=X, covariances=covariances).noise_kind == "full"
