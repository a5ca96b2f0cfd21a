"""The estimator with the interface of scikit-learn."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")
from sklearn.mixture import GaussianMixture as Peer
from sklearn.utils.estimator_checks import parametrize_with_checks

from gmmx.sklearn import GaussianMixture


def drawn_pair():
    """Two groups of samples in two dimensions."""
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(0, 1, (300, 2)), rng.normal(8, 2, (200, 2))])


@parametrize_with_checks([GaussianMixture(max_iter=20, n_init=1)])
def test_it_keeps_the_rules_of_scikit_learn(estimator, check):
    check(estimator)


def test_it_finds_what_scikit_learn_finds():
    x = drawn_pair()
    ours = GaussianMixture(n_components=2, random_state=0).fit(x)
    theirs = Peer(n_components=2, random_state=0, tol=1e-8, max_iter=1000).fit(x)
    order = np.argsort(theirs.weights_)[::-1]
    assert np.allclose(ours.means_, theirs.means_[order], atol=0.01)
    assert np.allclose(ours.score_samples(x), theirs.score_samples(x), atol=0.01)
    assert ours.bic(x) == pytest.approx(theirs.bic(x), abs=0.1)
    assert ours.aic(x) == pytest.approx(theirs.aic(x), abs=0.1)


def test_the_number_of_components_can_be_chosen():
    assert len(GaussianMixture(n_components="auto", random_state=0).fit(drawn_pair()).weights_) == 2


def test_errors_of_the_samples_are_deconvolved():
    x = drawn_pair()
    noisy = x + np.random.default_rng(1).normal(0, 1, x.shape)
    mixture = GaussianMixture(n_components=2, random_state=0)
    mixture.fit(noisy, covariances=np.ones(x.shape))
    assert np.sqrt(np.diagonal(mixture.covariances_[0])) == pytest.approx([1.0, 1.0], abs=0.2)


def test_probabilities_add_up_to_one():
    x = drawn_pair()
    mixture = GaussianMixture(n_components=2, random_state=0).fit(x)
    assert np.allclose(mixture.predict_proba(x).sum(axis=1), 1)


def test_drawn_samples_know_their_components():
    mixture = GaussianMixture(n_components=2, random_state=0).fit(drawn_pair())
    x, labels = mixture.sample(1000)
    assert x.shape == (1000, 2)
    assert np.mean(mixture.predict(x) == labels) > 0.99


def test_the_components_of_fitted_samples_follow_from_their_errors():
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.normal(0, 0.3, 300), rng.normal(6, 2, 300), [1.6]])[:, None]
    errors = np.full(x.shape, 1e-4)
    mixture = GaussianMixture(n_components=2, random_state=0)
    narrow = np.argmin(np.abs(mixture.fit(x, covariances=errors).means_[:, 0]))
    assert mixture.predict([[1.6]]) != narrow
    # With an error of 1 the last sample may well belong to the narrow component.
    errors[-1] = 1.0
    assert mixture.fit_predict(x, covariances=errors)[-1] == narrow
