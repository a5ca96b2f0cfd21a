"""The option classes: what they accept, what they refuse, and what they keep."""

import json
from dataclasses import fields
from datetime import date

import numpy as np
import pytest

from gmmx import config
from gmmx.answers.images import UNITS as IMAGE_UNITS
from gmmx.answers.images import RenderedImages
from gmmx.config import (
    AssignConfig,
    ExportConfig,
    FitConfig,
    FitOptions,
    PlotConfig,
    ReadOptions,
    RenderConfig,
    SimulateConfig,
    SourceOptions,
    chip_numbers,
    energy_band,
)
from gmmx.errors import InputError

CLASSES = (
    ReadOptions,
    SourceOptions,
    FitOptions,
    FitConfig,
    RenderConfig,
    PlotConfig,
    ExportConfig,
    SimulateConfig,
    AssignConfig,
)


@pytest.mark.parametrize("options", CLASSES)
def test_defaults_are_accepted_and_hidden_in_the_repr(options):
    assert repr(options()) == f"{options.__name__}()"


@pytest.mark.parametrize("options", CLASSES)
def test_a_record_can_be_written_as_json(options):
    record = json.loads(json.dumps(options().record()))
    assert list(record) == [field.name for field in fields(options)]


@pytest.mark.parametrize("part", [ReadOptions, SourceOptions, FitOptions])
def test_the_options_of_fit_contain_those_of_its_parts(part):
    inside = {field.name: field.default for field in fields(FitConfig)}
    assert {field.name: field.default for field in fields(part)}.items() <= inside.items()


@pytest.mark.parametrize(
    ("options", "given", "words"),
    [
        (
            FitConfig,
            {"n_components": 0},
            "`n_components` = 0: give at least 1, such as 20, or auto",
        ),
        (FitConfig, {"n_components": 2.5}, "`n_components` = 2.5"),
        (FitConfig, {"n_components": True}, "`n_components` = True"),
        (FitConfig, {"n_components": "many"}, "`n_components` = many"),
        (FitConfig, {"init": "random"}, "`init` = random: choose grow, kmeans, or a model file"),
        (FitOptions, {"init": "lattice"}, "choose grow, kmeans, or a model file"),
        (FitOptions, {"init": 3}, "`init` = 3: it must be a text"),
        (FitOptions, {"fix": ["a.ecsv"]}, r"`fix` = \['a.ecsv'\]: it must be a text"),
        (
            SimulateConfig,
            {"components": "0-3"},
            "`components` = 0-3: give numbers of the component",
        ),
        (SimulateConfig, {"components": [0, -1]}, "give numbers of the component table"),
        (SimulateConfig, {"draw": 1.5}, "`draw` = 1.5: it must be a whole number"),
        (AssignConfig, {"label": "all"}, "`label` = all: choose draw or best"),
        (AssignConfig, {"map": 3}, "`map` = 3: it must be a text"),
        (RenderConfig, {"like": True}, "`like` = True: it must be a text"),
        (ReadOptions, {"mask": 0}, "`mask` = 0: it must be a text"),
        (ReadOptions, {"exposure": True}, "`exposure` = True: it must be a text"),
        (ReadOptions, {"background": ["sky", [1]]}, r"`background` = \[1\]: it must be a text"),
        (ReadOptions, {"region": ""}, "`region` = '': it must be a text"),
        (SourceOptions, {"sources": date(2026, 1, 1)}, "it must be a text"),
        (RenderConfig, {"units": ["flux"]}, r"`units` = \['flux'\]: choose counts, flux or sb"),
        (FitConfig, {"init": "m.h5", "fix": "a.ecsv"}, "`init` = MODEL and `fix` both"),
        (FitConfig, {"seed": 1.5}, "`seed` = 1.5: it must be a whole number of at least 0"),
        (FitConfig, {"seed": None}, "`seed` = None"),
        (FitConfig, {"tol": "small"}, "`tol` = small: it must be a positive number"),
        (FitConfig, {"tol": 0}, "`tol` = 0: it must be a positive number"),
        (FitConfig, {"min_sigma": float("nan")}, "`min_sigma` = nan"),
        (FitConfig, {"max_iter": 0}, "`max_iter` = 0: it must be a whole number of at least 1"),
        (FitConfig, {"source_positions": "loose"}, "choose free or fixed"),
        (ReadOptions, {"psf_ecf": 39.3}, "`psf_ecf` = 39.3: .* did you mean 0.393?"),
        (ReadOptions, {"psf_ecf": "half"}, "`psf_ecf` = half: it must be a positive number"),
        (ReadOptions, {"psf_extra_sigma": -1}, "`psf_extra_sigma` = -1"),
        (ReadOptions, {"grid": -1}, "`grid` = -1: it must be a positive number"),
        (ReadOptions, {"energy_kev": "2:0.5"}, "the lower limit must be below the upper limit"),
        (ReadOptions, {"ccd": "x"}, "`ccd` = x: write chip numbers"),
        (RenderConfig, {"units": "erg"}, "`units` = erg: choose counts, flux or sb"),
        (RenderConfig, {"points": 1.5}, "`points` = 1.5"),
        (RenderConfig, {"image": "sky"}, "`image` = sky: choose signal, "),
        (RenderConfig, {"image": "signal_1"}, "`image` = signal_1: choose signal, "),
        (RenderConfig, {"like": "a.fits", "bin": 2}, "`like` and `bin` both set the pixels"),
        (
            PlotConfig,
            {"what": "residuals"},
            "`what` = residuals: choose overview, data",
        ),
        (PlotConfig, {"stretch": "cubic"}, "`stretch` = cubic"),
        (PlotConfig, {"dpi": 9}, "`dpi` = 9: it must be a whole number of at least 10"),
        (ExportConfig, {"frame": "fk4"}, "`frame` = fk4: choose fk5, icrs or physical"),
        (ExportConfig, {"scale": 0}, "`scale` = 0: it must be a positive number"),
    ],
)
def test_a_wrong_value_is_refused_by_name(options, given, words):
    with pytest.raises(InputError, match=words):
        options(**given)


@pytest.mark.parametrize(
    ("options", "name", "value"),
    [
        (FitOptions, "tol", 0),
        (FitOptions, "seed", -1),
        (FitOptions, "init", "lattice"),
        (ReadOptions, "psf_ecf", 2),
        (ReadOptions, "ccd", "a"),
        (ReadOptions, "energy_kev", "soft"),
        (PlotConfig, "what", "residuals"),
    ],
)
def test_an_error_carries_the_parameter_that_is_at_fault(options, name, value):
    with pytest.raises(InputError) as caught:
        options(**{name: value})
    assert caught.value.parameter == name


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a.reg", ("a.reg",)),
        (["a.reg", "b.reg"], ("a.reg", "b.reg")),
        (0.5, ("0.5",)),
        (None, ()),
        ((), ()),
    ],
)
def test_single_values_become_tuples_of_text(given, kept):
    assert ReadOptions(psf=given).psf == kept


def test_objects_stay_what_they_are_and_are_recorded_by_their_repr():
    region = object()
    options = ReadOptions(mask=region)
    assert options.mask == (region,)
    assert options.record()["mask"] == [repr(region)]


@pytest.mark.parametrize(
    ("given", "band"),
    [("0.5:2", (0.5, 2.0)), ((0.5, 2), (0.5, 2.0)), (" ALL ", "all"), (None, None)],
)
def test_energy_bands(given, band):
    assert energy_band(given) == band


@pytest.mark.parametrize("given", ["2", "2:2", "a:b", "1:inf", "-1:2", (1, 2, 3), 5])
def test_wrong_energy_bands_are_refused(given):
    with pytest.raises(InputError, match="`energy_kev`"):
        energy_band(given)


@pytest.mark.parametrize(
    ("given", "chips"),
    [
        ("0-3", (0, 1, 2, 3)),
        ("7", (7,)),
        ("3,1,1", (1, 3)),
        (7, (7,)),
        (np.int64(7), (7,)),
        ([5, 7], (5, 7)),
        ("all", "all"),
        (None, None),
    ],
)
def test_chips(given, chips):
    assert chip_numbers(given) == chips


@pytest.mark.parametrize("given", ["", "3-1", "a", "1-2-3", "-1", [1.5], 1.5, []])
def test_wrong_chips_are_refused(given):
    with pytest.raises(InputError, match="`ccd`"):
        chip_numbers(given)


def test_choices_are_those_of_the_library():
    images = {field.name for field in fields(RenderedImages)} - {"each"}
    assert set(config.ALL_IMAGES) == images
    assert tuple(IMAGE_UNITS) == config.UNITS


@pytest.mark.parametrize(
    ("options", "name", "meant"),
    [
        (ReadOptions, "energy", "energy_kev"),
        (ReadOptions, "psf_ef", "psf_ecf"),
        (FitOptions, "k", "n_components"),
        (FitOptions, "nonsense", "choose from n_components, price, init"),
    ],
)
def test_an_unknown_option_is_refused_with_the_one_that_may_be_meant(options, name, meant):
    with pytest.raises(TypeError, match=f"{options.__name__} has no option '{name}': .*{meant}"):
        options.check_names([name])
