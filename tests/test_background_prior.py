"""Gaussian priors on background amplitudes: the M-step, the fit, its errors, and the option."""

import numpy as np
import pytest
from command_line import run
from made_files import event_hdus
from scipy.optimize import minimize_scalar
from simulated import drawn, field, mixture_of

import gmmx
from gmmx.config import FitOptions
from gmmx.em.maximise import evaluate, with_prior
from gmmx.em.parameters import Parameters
from gmmx.errors import InputError
from gmmx.fitting.driver import fit
from gmmx.fitting.problem import Problem
from gmmx.model.background import Background
from gmmx.reading.background_priors import parse_priors

SIDE, SKY = 100.0, 0.1
SOURCE = mixture_of((800, 0, 0, 10))


def make_observation(background, seed=1):
    """Photons of one source over a sky of SKY photons per arcsec^2."""
    rng = np.random.default_rng(seed)
    return drawn(SOURCE, field(SIDE, 1.0), rng, sky=SKY, backgrounds=(background,))


@pytest.mark.parametrize("responsibility", [1e-9, 3.0, 2e4])
@pytest.mark.parametrize(("mean", "error"), [(0.0, 0.1), (0.5, 1e-3), (2.0, 50.0)])
def test_the_m_step_is_the_maximum_of_its_objective(responsibility, mean, error):
    def lowered(log):
        b = np.exp(log)
        return 40.0 * b - responsibility * log + (b - mean) ** 2 / (2 * error**2)

    best = np.exp(minimize_scalar(lowered, bounds=(-60, 10), method="bounded").x)
    arrays = (np.array([v]) for v in (responsibility, 40.0, mean, error**-2))
    found = with_prior(*arrays)[0]
    assert lowered(np.log(found)) <= lowered(np.log(best)) + 1e-6


def make_problem(prior=(0.12, 0.004)):
    """A problem with a prior, and parameters away from its maximum."""
    problem = Problem.of(make_observation(Background(prior=prior)), FitOptions())
    parameters = Parameters(mixture=SOURCE, amplitudes=(np.array([0.07]),))
    return problem, parameters, problem.begin_phase(parameters)


def test_the_gradient_contains_the_prior():
    problem, parameters, phase = make_problem()
    step = 1e-5
    values = [
        evaluate(
            problem.likelihood,
            parameters.moved(SOURCE, [parameters.amplitudes[0] * np.exp(s)]),
            phase,
        ).objective
        for s in (-step, step)
    ]
    slope = evaluate(problem.likelihood, parameters, phase).gradient.log_amplitudes[0][0]
    assert slope == pytest.approx((values[1] - values[0]) / (2 * step), rel=1e-5)


def test_no_step_lowers_the_objective():
    problem, parameters, phase = make_problem()
    objectives = []
    for _ in range(12):
        evaluation = evaluate(problem.likelihood, parameters, phase)
        objectives.append(evaluation.objective)
        parameters = evaluation.successor
    assert np.all(np.diff(objectives) > -1e-9)


def test_a_prior_pulls_the_fit_by_its_weight():
    free = fit(make_observation(Background()), start=SOURCE, n_components=1, exchanges=0)
    b = free.backgrounds[0]
    mean, error = 1.2 * SKY, b.amplitude_error
    known = Background(prior=(mean, error))
    result = fit(make_observation(known), start=SOURCE, n_components=1, exchanges=0)
    found = result.backgrounds[0]
    assert found.amplitude == pytest.approx((b.amplitude + mean) / 2, abs=0.1 * error)
    assert found.amplitude_error == pytest.approx(error / np.sqrt(2), rel=0.1)
    drawn_amplitudes = result.errors(500, method="laplace").draws.amplitudes
    assert drawn_amplitudes.std() == pytest.approx(error / np.sqrt(2), rel=0.15)


def test_a_model_file_keeps_the_prior(tmp_path):
    known = Background(prior=(SKY, 0.01))
    result = fit(make_observation(known), start=SOURCE, n_components=1, exchanges=0)
    result.write(tmp_path / "m.h5")
    again = gmmx.read(tmp_path / "m.h5").observations[0].backgrounds[0]
    assert again.prior == (SKY, 0.01)


@pytest.mark.parametrize("text", ["sky", "sky=1", "sky=1+-0", "sky=-1+-1", "sky=1+-x", "sky=+-"])
def test_a_text_that_is_no_prior_is_refused(text):
    with pytest.raises(InputError, match=r"write KIND=VALUE\+-ERROR"):
        parse_priors([text])


@pytest.mark.parametrize(
    "changes", [{"prior": (1.0, 0.0)}, {"prior": (1.0, 0.1), "fixed": True, "amplitude": 1.0}]
)
def test_a_prior_that_cannot_be_is_refused(changes):
    with pytest.raises(InputError):
        Background(**changes)


@pytest.mark.filterwarnings("ignore:.*no exposure map")
def test_the_option_sets_the_prior(tmp_path):
    path = tmp_path / "e.fits"
    event_hdus().writeto(path)
    observation = gmmx.read_observation(
        path, psf="none", background="sky", background_prior="sky=0.02+-0.001"
    )
    assert observation.backgrounds[0].prior == (0.02, 0.001)
    result = run("fit", path, "--background", "sky", "--background-prior", "halo=1+-1")
    assert result.exit_code == 1
    assert "no background of that name" in result.stderr
