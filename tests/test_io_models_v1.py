"""Model files of schema_version 1 are read as they were, and go over into version 2 to the bit."""

import json

import h5py
import numpy as np
import pytest
from test_io_models import assert_same

from gmmx.io.models import read_model, write_model

K = 3
RECORDS = {
    "TELESCOP": "CHANDRA",
    "INSTRUME": "ACIS",
    "OBS_ID": "96303",
    "OBJECT": "MARX-SMALL",
    "EXPOSURE": 19746.7,
    "EXPTIME": 3.2,
    "RA_PNT": 10.65,
    "DEC_PNT": -9.32,
    "ROLL_PNT": 217.0,
    "SEQ_NUM": "0",
    "file": "events.fits.gz",
    "sha256": "ab" * 32,
    "n_rows": 50,
    "energy_kev": [0.5, 2.0],
    "chips": [0, 1, 2, 3],
    "inputs": [
        {"role": "events", "path": "events.fits.gz", "sha256": "ab" * 32},
        {"role": "freeze", "path": "table.ecsv", "sha256": "cd" * 32},
    ],
    "masks": [
        {
            "file": "sources.reg",
            "kind": "mask",
            "shapes": 2,
            "area_arcmin2": 0.25,
            "photons": 40,
            "by_shape": [25.0, 15.0],
        }
    ],
    "resolved": {"ccd": "0-3 (aim point on ACIS-I)"},
}


def make_version_1_file(path, *, frozen=True):
    """A small model file in the layout of version 1; returns the numbers that it holds."""
    rng = np.random.default_rng(3)
    numbers = {
        "flux": rng.uniform(10, 99, K),
        "mean": rng.normal(0, 9, (K, 2)),
        "covariance": rng.uniform(1, 9, K)[:, None, None] * np.eye(2),
        "x": rng.normal(0, 9, 50),
        "weight": rng.choice([1.0, 2.0], 50),
        "exposure": 1e6 * rng.uniform(1, 2, (4, 5)),
        "open_share": rng.uniform(0, 1, (4, 5)),
        "objective": rng.normal(0, 1, 4),
    }
    grid = {"grid_shape": (4, 5), "grid_origin": [-8.0, -6.0], "grid_matrix": 4 * np.eye(2)}
    with h5py.File(path, "w") as file:
        file.attrs.update(schema="gmmx-model", schema_version=1, gmmx_version="0.1.0", command="")
        file.attrs["options"] = json.dumps(
            {"k": 8, "freeze": "table.ecsv", "prior_count": 1.0, "psf_blur": 0.5, "tol": 0.1}
        )
        file.attrs["warnings"] = json.dumps(["of another band"])
        file.attrs.update(seed=1, converged=True, iterations=9, seconds=1.5, requested_components=8)
        file.attrs.update(stop_reason="settled", log_likelihood=-12.5, objective=-13.5)
        file.create_group("frame").attrs.update(
            ra0=10.65, dec0=-9.32, projection="TAN", radesys="ICRS"
        )
        _make_mixture(file.create_group("mixture"), numbers, frozen)
        for name, background in (("background/sky", True), ("observations/a/backgrounds/sky", 0)):
            group = file.create_group(name)
            group.attrs.update(index=0, name="sky", kind="sky", amplitude=0.02, fixed=False)
            if background:
                group.attrs.update(observation="a", amplitude_error=0.001, photons=40.0)
                group.attrs.update(photons_error=2.0, correlation=-0.2)
        _make_observation(file["observations/a"], numbers, grid)
        history = file.create_group("history")
        history["phase"] = np.array([b"grow", b"settle", b"settle", b"final"])
        history["phase_number"] = np.array([0.0, 1.0, 1.0, 2.0])
        history["objective"] = numbers["objective"]
        path_group = file.create_group("path")
        path_group["phase"] = np.array([b"start", b"final"])
        path_group["accepted"] = np.array([True, True])
    return numbers


def _make_mixture(group, numbers, frozen):
    group.attrs.update(reference_exposure=numbers["exposure"].max(), exposure_unit="cm**2 s")
    group.attrs["signal_error"] = 3.5
    for name in ("flux", "mean", "covariance"):
        group[name] = numbers[name]
    group["kind"] = np.array([b"extended", b"extended", b"point"])
    group["observed_share"] = np.linspace(0.4, 0.9, K)
    group["observed_photons"] = np.linspace(9, 90, K)
    group["prior_scale"] = np.ones(K)
    if frozen:
        for name in ("freeze_flux", "freeze_mean", "freeze_covariance"):
            group[name] = np.array([name == "freeze_flux", False, name == "freeze_covariance"])


def _make_observation(group, numbers, grid):
    group.attrs.update(index=0, name="a", pixel_arcsec=0.0)
    group["metadata"] = json.dumps(RECORDS)
    group.create_group("dropped").attrs["mask"] = 40
    group["photons/x"] = group["photons/y"] = numbers["x"]
    group["photons/weight"] = numbers["weight"]
    maps = group.create_group("completeness")
    maps.attrs.update(unit="cm**2 s", **grid)
    maps["exposure"], maps["open_share"] = numbers["exposure"], numbers["open_share"]
    psf = group.create_group("psf")
    psf.attrs.update(description="one Gaussian", **grid)
    psf["weights"] = np.ones((4, 5, 1))
    psf["covariances"] = np.broadcast_to(np.eye(2), (4, 5, 1, 2, 2))
    group.create_group("physical").attrs.update(x0=4096.5, y0=4096.5, step_x=0.492, step_y=0.492)
    group["masks"] = json.dumps([])


@pytest.fixture
def version_1(tmp_path):
    numbers = make_version_1_file(tmp_path / "v1.h5")
    return read_model(tmp_path / "v1.h5"), numbers


@pytest.mark.parametrize(
    ("name", "array_of"),
    [
        ("flux", lambda result: result.mixture.fluxes),
        ("mean", lambda result: result.mixture.means),
        ("covariance", lambda result: result.mixture.covariances),
        ("x", lambda result: result.observations[0].photons.x),
        ("weight", lambda result: result.observations[0].photons.weights),
        ("exposure", lambda result: result.observations[0].completeness.exposure),
        ("objective", lambda result: result.history["objective"]),
    ],
)
def test_an_array_is_read_to_the_bit(version_1, name, array_of):
    result, numbers = version_1
    assert array_of(result).tobytes() == numbers[name].tobytes()


def test_renamed_things_are_found_under_their_present_names(version_1):
    result, _ = version_1
    assert list(result.observed_fraction) == [0.4, 0.65, 0.9]
    assert list(result.fixed.fluxes) == [True, False, False]
    assert list(result.points) == [False, False, True]
    assert list(result.history["stage"]) == ["grow", "settle", "settle", "final"]
    assert list(result.history["phase"]) == [0, 1, 1, 2]
    assert list(result.path["stage"]) == ["start", "final"]
    assert result.options == {
        "n_components": 8,
        "fix": "table.ecsv",
        "prior_mean_count": 1.0,
        "psf_extra_sigma": 0.5,
        "tol": 0.1,
    }


def test_the_facts_of_an_observation_are_found(version_1):
    pointing = version_1[0].observations[0].pointing
    assert (pointing.telescope, pointing.instrument, pointing.target) == (
        "CHANDRA",
        "ACIS",
        "MARX-SMALL",
    )
    assert (pointing.band_kev, pointing.chips, pointing.n_rows) == ((0.5, 2.0), (0, 1, 2, 3), 50)
    assert (pointing.exposure_time, pointing.frame_time, pointing.roll) == (19746.7, 3.2, 217.0)
    assert [file.role for file in pointing.inputs] == ["events", "fix"]
    assert pointing.masks[0].by_shape == (25.0, 15.0)
    assert pointing.choices == {"ccd": "0-3 (aim point on ACIS-I)"}
    assert pointing.header == {"SEQ_NUM": "0"}


def test_photons_have_neither_energies_nor_chips(version_1):
    photons = version_1[0].observations[0].photons
    assert photons.energy_kev is None
    assert photons.ccd is None


def test_the_same_comes_back_from_version_2(version_1, tmp_path):
    result, _ = version_1
    write_model(tmp_path / "v2.h5", result)
    with h5py.File(tmp_path / "v2.h5") as file:
        assert file.attrs["schema_version"] == 2
    assert_same(result, read_model(tmp_path / "v2.h5"))


def test_a_fit_without_fixed_parameters_has_none(tmp_path):
    make_version_1_file(tmp_path / "free.h5", frozen=False)
    assert read_model(tmp_path / "free.h5").fixed is None


@pytest.mark.parametrize("name", ["path", "mixture/flux_error"])
def test_additions_that_early_files_lack_are_empty(tmp_path, name):
    make_version_1_file(tmp_path / "early.h5")
    with h5py.File(tmp_path / "early.h5", "r+") as file:
        if name in file:
            del file[name]
    result = read_model(tmp_path / "early.h5")
    assert (result.path == {}) == (name == "path")
    assert list(result.flux_errors) == [0.0] * K
