"""Model files with a value that cannot be are refused in one line that names it."""

from dataclasses import replace

import numpy as np
import pytest
from handmade import make_mixture, make_observation, make_result
from hostile_changes import DeleteNode, SetArray, SetAttribute

from gmmx.answers.flags import component_flags
from gmmx.errors import DataError
from gmmx.io.models import read_model, write_model
from gmmx.model.mixture import Fixed
from gmmx.model.records import InputFile, MaskRecord
from gmmx.plane.shapes import Shapes
from gmmx.show.figures.history import history_figure


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """The bytes of a good model with two backgrounds."""
    path = tmp_path_factory.mktemp("good") / "model.h5"
    observation = make_observation(kinds=("sky", "particle"))
    write_model(path, make_result([observation], make_mixture(2)))
    return path.read_bytes()


@pytest.fixture
def changed(content, tmp_path):
    """A function that writes the good model with a change."""

    def write(change):
        path = tmp_path / "model.h5"
        path.write_bytes(change(content))
        return path

    return write


OWN = "observations/acisf00001"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (SetAttribute("mixture", "reference_exposure", ""), "reference_exposure of /mixture is ''"),
        (SetAttribute("mixture", "reference_exposure", 1e300), "not that of the exposure maps"),
        (SetAttribute("mixture", "exposure_unit", 5), "exposure_unit of /mixture is 5, not a text"),
        (SetAttribute("mixture", "exposure_unit", "xxx"), "several units: 'cm**2 s' and 'xxx'"),
        (SetAttribute("mixture", "signal_error", -1.0), "signal_error cannot be negative"),
        (SetAttribute("/", "objective", np.zeros(0)), "objective of / is (), not a number"),
        (SetAttribute("/", "iterations", -5), "iterations of / is -5, not a whole number"),
        (SetAttribute("/", "options", "[]"), "options of / is [], not a dict"),
        (SetAttribute("/", "converged", None), "/ has no converged"),
        (SetAttribute(f"{OWN}/backgrounds/sky", "amplitude", True), "amplitude of /obs"),
        (SetAttribute(f"{OWN}/backgrounds/sky", "amplitude", 7.0), "in /background and 7"),
        (SetAttribute(f"{OWN}/pointing", "telescope", 5), "damaged model file"),
        (DeleteNode("background/particle"), "background particle is not in both"),
        (DeleteNode("mixture/flux"), "damaged model file"),
        (SetArray("mixture/observed_fraction", "ints"), "observed_fraction cannot be 4.6"),
        (SetArray("mixture/kind", "huge"), "kind of /mixture holds other words"),
        (SetArray("mixture/flux_error", "negative"), "flux_errors cannot be negative"),
        (SetArray(f"{OWN}/completeness/exposure", "huge"), "not that of the exposure maps"),
        (SetArray("history/objective", "short"), "the columns of /history differ in length"),
    ],
    ids=str,
)
def test_an_impossible_value_is_refused(changed, change, message):
    path = changed(change)
    with pytest.raises(DataError) as error:
        read_model(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)


def test_a_path_that_lacks_a_column_is_not_described(changed):
    result = read_model(changed(DeleteNode("path/k")))
    assert result.refinement == {}
    texts = [one.get_text() for axes in history_figure(result).axes for one in axes.texts]
    assert "the model file has no record of them" in texts


def test_masks_without_shapes_flag_no_component():
    observation = make_observation()
    record = MaskRecord(file="m.reg", n_shapes=1, by_shape=(500.0,))
    pointing = replace(observation.pointing, masks=(record,))
    empty = replace(observation, pointing=pointing, masks=Shapes(()))
    result = make_result([empty], make_mixture(2))
    assert component_flags(result) == component_flags(make_result([observation], make_mixture(2)))


def test_a_fixed_parameter_is_true_or_false(tmp_path):
    fixed = Fixed(fluxes=[True, False], means=[False, False], covariances=[False, False])
    write_model(tmp_path / "m.h5", make_result([make_observation()], make_mixture(2), fixed=fixed))
    changed = SetArray("mixture/fixed_mean", "huge")((tmp_path / "m.h5").read_bytes())
    (tmp_path / "m.h5").write_bytes(changed)
    with pytest.raises(DataError, match="fixed means of /mixture are not true or false"):
        read_model(tmp_path / "m.h5")


def test_a_psf_that_was_read_is_in_the_model(tmp_path):
    observation = make_observation()
    files = (*observation.pointing.inputs, InputFile("psf", "psfmap.fits"))
    pointing = replace(observation.pointing, inputs=files)
    write_model(tmp_path / "m.h5", make_result([replace(observation, pointing=pointing)]))
    (tmp_path / "m.h5").write_bytes(DeleteNode(f"{OWN}/psf")((tmp_path / "m.h5").read_bytes()))
    with pytest.raises(DataError, match="the observation acisf00001 has no psf"):
        read_model(tmp_path / "m.h5")
