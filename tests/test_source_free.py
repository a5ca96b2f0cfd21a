"""Background amplitudes are fitted in a source-free region and kept fixed."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from simulated import drawn, field, mixture_of

from gmmx.errors import InputError
from gmmx.fitting.driver import fit
from gmmx.model.background import Background
from gmmx.model.completeness import Completeness, reference_exposure
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.plane.grid import PixelGrid
from gmmx.reading.background_amplitudes import photons_of
from gmmx.reading.source_free import fitted_amplitudes
from gmmx.show.facts import summary_dict
from gmmx.show.page import summary


def corner(completeness, *, beyond=60.0):
    """The completeness where x is larger than a value [arcsec]."""
    x, _ = completeness.grid.centres()
    return completeness.masked((x > beyond).astype(float))


def make_vignetted(side=200.0):
    """A completeness that falls from the centre outwards."""
    grid = PixelGrid.covering((-side / 2, side / 2), (-side / 2, side / 2), 2.0)
    x, y = grid.centres()
    return Completeness(grid=grid, exposure=5.0 * (1 - 0.8 * np.hypot(x, y) / side))


def test_one_amplitude_is_counts_over_area():
    completeness = field(200, 2.0)
    seen = drawn(
        mixture_of((3000, 0, 0, 10)),
        completeness,
        np.random.default_rng(0),
        sky=0.1,
        backgrounds=(Background(),),
    )
    inside = Observation(
        photons=Photons(seen.photons.x, seen.photons.y),
        completeness=corner(completeness),
        backgrounds=seen.backgrounds,
    )
    n, area = np.count_nonzero(seen.photons.x > 60), 40 * 200
    (found,) = fitted_amplitudes(inside, reference_exposure([completeness]))
    assert found.fixed
    assert_allclose(found.amplitude, n / area, rtol=1e-6)
    assert_allclose(np.hypot.reduce(found.deviations), np.sqrt(n) / area, rtol=1e-6)
    result = fit(
        Observation(
            photons=Photons(seen.photons.x, seen.photons.y),
            completeness=completeness,
            backgrounds=(found,),
        ),
        n_components=1,
        exchanges=0,
    )
    (b,) = result.backgrounds
    assert b.amplitude == found.amplitude
    assert_allclose(b.amplitude_error, np.sqrt(n) / area, rtol=1e-6)
    assert_allclose(b.photons_error, np.sqrt(n) * 5, rtol=1e-6)
    assert_allclose(result.background_error, b.photons_error)
    # The uncertainty of the amplitude adds to that of the signal.
    exact = fit(
        Observation(
            photons=Photons(seen.photons.x, seen.photons.y),
            completeness=completeness,
            backgrounds=(Background(amplitude=found.amplitude, fixed=True),),
        ),
        n_components=1,
    )
    assert exact.backgrounds[0].amplitude_error == 0
    assert result.signal_error > exact.signal_error
    assert b.correlation < 0
    assert f"+- {b.photons_error:,.0f} detected photons, fixed" in summary(result)
    assert_allclose(summary_dict(result)["background_photons_error"], b.photons_error)


def test_two_amplitudes_are_where_the_likelihood_is_highest():
    completeness = make_vignetted()
    rng = np.random.default_rng(3)
    backgrounds = (Background(), Background(name="particle", kind="particle"))
    sky = drawn(mixture_of((1, 0, 0, 1)), completeness, rng, sky=0.6)
    x, y = rng.uniform(-100, 100, (2, 8000))
    seen = Observation(
        photons=Photons(np.append(sky.photons.x, x), np.append(sky.photons.y, y)),
        completeness=completeness,
        backgrounds=backgrounds,
    )
    found = fitted_amplitudes(seen, reference_exposure([completeness]))
    spread = np.array([b.deviations for b in found])
    covariance = spread @ spread.T
    errors = np.sqrt(np.diag(covariance))
    assert abs(found[0].amplitude - 0.6) < 4 * errors[0]
    assert abs(found[1].amplitude - 0.2) < 4 * errors[1]
    # Only their sum is well determined.
    assert covariance[0, 1] / errors.prod() < -0.8
    areas = (
        np.array(
            [
                completeness.effective.sum() / completeness.exposure.max(),
                completeness.effective.astype(bool).sum(),
            ]
        )
        * 4
    )
    total = areas @ [b.amplitude for b in found]
    assert_allclose(total, len(seen.photons), rtol=1e-5)
    assert_allclose(np.sqrt(areas @ covariance @ areas), np.sqrt(len(seen.photons)), rtol=1e-3)


def make_empty(completeness, background):
    """An observation without photons."""
    return Observation(
        photons=Photons([], []), completeness=completeness, backgrounds=(background,)
    )


def test_a_region_without_photons_is_refused():
    with pytest.raises(InputError, match="no photon lies in it"):
        fitted_amplitudes(make_empty(field(100, 2.0), Background()), 1.0)


def test_fixed_amplitudes_stay():
    fixed = Background(amplitude=0.5, fixed=True)
    assert fitted_amplitudes(make_empty(field(100, 2.0), fixed), 1.0) == (fixed,)


def test_the_photons_of_a_background_are_its_amplitude_times_the_area():
    assert_allclose(photons_of(Background(amplitude=0.5, fixed=True), field(100, 2.0)), 5000)


def test_the_sum_of_similar_backgrounds_is_well_determined():
    completeness = make_vignetted()
    rng = np.random.default_rng(5)
    backgrounds = (Background(), Background(name="particle", kind="particle"))
    seen = drawn(
        mixture_of((4000, 10, -10, 6)), completeness, rng, sky=0.5, backgrounds=backgrounds
    )
    result = fit(seen, n_components=1, exchanges=0)
    parts = [b.photons_error for b in result.backgrounds]
    assert result.background_error < 0.4 * min(parts)
    truth = 0.5 * completeness.effective.sum() / completeness.exposure.max() * 4
    assert abs(result.background_photons - truth) < 4 * result.background_error
    assert "all backgrounds" in summary(result)
