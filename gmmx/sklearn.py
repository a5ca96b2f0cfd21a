"""A mixture of Gaussians with the interface of scikit-learn, which has to be installed.

    from gmmx.sklearn import GaussianMixture

It takes the place of `sklearn.mixture.GaussianMixture`, and knows errors of the samples too.
"""

import numpy as np
from scipy.special import logsumexp
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from .answers.mixtures import component_log_terms
from .commands.samples import fit_samples
from .config import SampleOptions
from .model.samples import Samples

_FORMS = {"full": "full", "diag": "diagonal", "tied": "tied", "spherical": "spherical"}


class GaussianMixture(DensityMixin, BaseEstimator):
    """Gaussian mixture of samples that may have errors.

    Parameters
    ----------
    n_components : int or "auto"
        Number of components, or "auto" to choose it by the Bayesian information criterion.
    covariance_type : {"full", "tied", "diag", "spherical"}
        Form of the covariances.
    tol : float
        The fit has converged when the gain in the log-likelihood of all samples that can still be
        expected is below this [nat].
    max_iter : int
        Maximum number of likelihood evaluations.
    n_init : int
        Number of initialisations by clusters, of which the best is taken.
    random_state : int, RandomState or None
        Seed of the initialisations.

    Attributes
    ----------
    weights_ : (K,) array
        Fractions of the samples.
    means_ : (K, D) array
    covariances_ : (K, D, D) array
        Always as matrices, whatever their form.
    converged_ : bool
    n_iter_ : int
        Evaluations of the likelihood.
    lower_bound_ : float
        Mean log-likelihood of the samples [nat].
    result_ : SamplesResult
        The fit with all that gmmx knows of it.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = np.concatenate([rng.normal(0, 1, (300, 2)), rng.normal(8, 2, (200, 2))])
    >>> mixture = GaussianMixture(n_components=2, random_state=0).fit(x)
    >>> mixture.predict([[0.0, 0.0], [8.0, 8.0]])
    array([0, 1])
    """

    def __init__(
        self,
        n_components=1,
        *,
        covariance_type="full",
        tol=0.01,
        max_iter=1000,
        n_init=5,
        random_state=None,
    ):
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.max_iter = max_iter
        self.n_init = n_init
        self.random_state = random_state

    def fit(self, X, y=None, *, covariances=None, weights=None):
        """Fit the mixture.

        Parameters
        ----------
        X : (N, D) array
        y : None
            There for the interface of scikit-learn.
        covariances : array, optional
            Covariances of the errors: (N, D) variances or (N, D, D) matrices.
        weights : (N,) array, optional
            Weights of the samples.

        Returns
        -------
        self
        """
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        if self.covariance_type not in _FORMS:
            raise ValueError(
                f"covariance_type = {self.covariance_type!r}: choose one of {', '.join(_FORMS)}"
            )
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        options = SampleOptions(
            n_components=self.n_components,
            covariance_form=_FORMS[self.covariance_type],
            tol=self.tol,
            max_iter=self.max_iter,
            starts=self.n_init,
            seed=seed,
        )
        result = fit_samples(X, covariances, weights, options=options)
        self.result_ = result
        self.weights_ = result.fractions
        self.means_ = result.mixture.means
        self.covariances_ = result.mixture.covariances
        self.converged_ = result.converged
        self.n_iter_ = max(1, result.iterations)
        self.lower_bound_ = result.log_likelihood / result.samples.weights.sum()
        return self

    def fit_predict(self, X, y=None, **options):
        """Fit the mixture and return the most probable component of each sample with its errors."""
        return np.argmax(self.fit(X, y, **options).result_.responsibilities(), axis=1)

    def score_samples(self, X):
        """Log density of each sample, (N,) [nat]."""
        return logsumexp(self._log_terms(X), axis=1)

    def score(self, X, y=None):
        """Mean log density of the samples [nat]."""
        return float(np.mean(self.score_samples(X)))

    def predict_proba(self, X):
        """Probability of each component for each sample, (N, K)."""
        terms = self._log_terms(X)
        return np.exp(terms - logsumexp(terms, axis=1, keepdims=True))

    def predict(self, X):
        """Most probable component of each sample, (N,)."""
        return np.argmax(self._log_terms(X), axis=1)

    def sample(self, n_samples=1):
        """Draw samples: their values (n, D), and their components (n,)."""
        check_is_fitted(self)
        random = check_random_state(self.random_state)
        rng = np.random.default_rng(random.randint(2**31 - 1))
        counts = rng.multinomial(n_samples, self.weights_ / self.weights_.sum())
        drawn = [
            rng.multivariate_normal(mean, covariance, count)
            for mean, covariance, count in zip(self.means_, self.covariances_, counts, strict=True)
        ]
        return np.concatenate(drawn), np.repeat(np.arange(len(counts)), counts)

    def bic(self, X):
        """Bayesian information criterion of samples; the smaller the better."""
        return self.result_.n_parameters * np.log(len(X)) - 2 * self.score_samples(X).sum()

    def aic(self, X):
        """Akaike's information criterion of samples; the smaller the better."""
        return 2 * self.result_.n_parameters - 2 * self.score_samples(X).sum()

    def _log_terms(self, X):
        """Log of the weighted density of each component at each sample, (N, K)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return component_log_terms(self.result_.mixture, Samples(x=X))
