"""The model file: every bit comes back, and what is not a whole model is refused in one line."""

import json
from dataclasses import fields, is_dataclass, replace

import h5py
import numpy as np
import pytest
from handmade import make_mixture, make_observation, make_result

import gmmx
from gmmx.answers.images import render
from gmmx.errors import DataError, InputError, OutputError
from gmmx.io.models import SCHEMA_VERSION, read_model, write_model
from gmmx.model.background import Background
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.pointing import InputFile, MaskRecord, Pointing, SkyBrightness
from gmmx.model.result import HISTORY_COLUMNS, PATH_COLUMNS
from gmmx.plane.frame import SkyFrame
from gmmx.plane.shapes import Ellipse, Shapes, Term


def assert_same(one, other, where="result"):
    """Equality to the bit, through nouns, tuples and dicts."""
    if is_dataclass(one):
        assert type(one) is type(other), where
        for f in fields(one):
            assert_same(getattr(one, f.name), getattr(other, f.name), f"{where}.{f.name}")
    elif isinstance(one, np.ndarray):
        assert one.dtype.kind == other.dtype.kind, where
        assert one.shape == other.shape, where
        assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f"), where
        if one.dtype.kind == "f":
            assert one.tobytes() == other.tobytes(), where
    elif isinstance(one, dict):
        assert list(one) == list(other) or set(one) == set(other), where
        for key, value in one.items():
            assert_same(value, other[key], f"{where}[{key!r}]")
    elif isinstance(one, tuple):
        assert len(one) == len(other), where
        for i, (a, b) in enumerate(zip(one, other, strict=True)):
            assert_same(a, b, f"{where}[{i}]")
    else:
        assert type(one) is type(other), where
        assert one == other or (np.isnan(one) and np.isnan(other)), where


def go_round(path, result):
    write_model(path, result)
    again = read_model(path)
    assert_same(result, again)
    return again


def one_line(error):
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400


def test_a_model_comes_back_to_the_bit(tmp_path):
    observation = make_observation(kinds=("sky", "particle", "file", "streak"))
    timed = Background(
        name="timed",
        kind="particle",
        amplitude=0.3,
        fixed=True,
        template=observation.backgrounds[2].template,
        deviations=(0.1, 1 / 3),
    )
    observation = replace(observation, backgrounds=(*observation.backgrounds, timed))
    again = go_round(tmp_path / "model.h5", make_result([observation], make_mixture(5)))
    assert again.frame == observation.frame
    assert again.observations[0].photons.x.flags.writeable is False


def test_observations_with_like_names_come_back_in_order(tmp_path):
    observations = [
        make_observation(
            i,
            name="evt2/a.fits" if i < 2 else "b",
            rotation=0.2 * i,
            kinds=("sky", "file"),
            n=50 + i,
        )
        for i in range(4)
    ]
    again = go_round(tmp_path / "model.h5", make_result(observations, make_mixture()))
    assert [len(o.photons) for o in again.observations] == [50, 51, 52, 53]


def test_a_dozen_observations_come_back_in_order(tmp_path):
    names = [f"o{i}" for i in range(12)]
    many = make_result([make_observation(i, name=name, n=5) for i, name in enumerate(names)])
    assert [o.name for o in go_round(tmp_path / "many.h5", many).observations] == names


def test_a_fit_without_a_sky_comes_back_without_one(tmp_path):
    result = make_result(
        [Observation(photons=Photons(np.arange(3.0), np.zeros(3)))],
        make_mixture(2),
        requested_components=None,
        history={},
        path={},
        options={},
        warnings=(),
        converged=False,
    )
    again = go_round(tmp_path / "bare.h5", result)
    assert again.frame is None
    assert again.requested_components is None


def test_an_observation_without_optional_parts_comes_back_without_them(tmp_path):
    observation = replace(
        make_observation(),
        backgrounds=(Background(name="sky"),),
        psf=None,
        physical=None,
        pointing=Pointing(),
        dropped={},
    )
    again = go_round(tmp_path / "free.h5", make_result([observation]))
    assert again.observations[0].backgrounds[0].amplitude is None


@pytest.mark.parametrize(
    "addition", ["profile", "mixture/energy", "observations/acisf00001/spectrum"]
)
def test_optional_additions_of_later_versions_are_ignored(tmp_path, addition):
    result = make_result([make_observation()], make_mixture())
    write_model(tmp_path / "model.h5", result)
    with h5py.File(tmp_path / "model.h5", "r+") as file:
        file.create_group(addition).attrs["kind"] = "later"
        file.attrs["later"] = 1
    assert_same(result, read_model(tmp_path / "model.h5"))


@pytest.mark.parametrize("given", [{"energy_kev": [0.6, 1.2]}, {"ccd": [3, 7]}])
def test_energies_and_chips_of_photons_come_back(tmp_path, given):
    photons = Photons([0.0, 1.0], [2.0, 3.0], **given)
    again = go_round(tmp_path / "model.h5", make_result([Observation(photons=photons)]))
    (name,) = given
    assert list(getattr(again.observations[0].photons, name)) == given[name]


def test_no_component_and_no_photon_are_allowed(tmp_path):
    again = go_round(tmp_path / "empty.h5", make_result([make_observation(n=0)]))
    assert len(again.mixture) == 0
    assert render(again).signal.values.max() == 0


def test_numbers_of_numpy_come_back_as_numbers(tmp_path):
    result = make_result(
        [make_observation()],
        make_mixture(),
        seconds=np.float64(1.5),
        iterations=np.int64(9),
        converged=np.True_,
        options={"k": np.int64(3)},
    )
    write_model(tmp_path / "model.h5", result)
    again = read_model(tmp_path / "model.h5")
    assert (again.seconds, again.iterations, again.converged, again.options) == (
        1.5,
        9,
        True,
        {"k": 3},
    )
    assert (type(again.iterations), type(again.converged)) == (int, bool)


def test_text_of_any_kind_and_length_comes_back(tmp_path):
    metadata = {"TITLE": "\xe9t\xe9", "DSVAL1": "x" * 100_000, "nested": {"a": [1, None, "b"]}}
    observation = replace(
        make_observation(), name="\xc5ngstr\xf6m\u2605", pointing=Pointing(header=metadata)
    )
    result = make_result(
        [observation],
        options={"events": ["a" * 200] * 1000},
        warnings=("\xfcber",),
        history={"stage": np.array(["grow", "\xfcber"])},
    )
    write_model(tmp_path / "model.h5", result, command="c" * 100_000)
    assert_same(result, read_model(tmp_path / "model.h5"))


def test_the_layout_is_what_it_says(tmp_path):
    path = tmp_path / "model.h5"
    result = make_result([make_observation(kinds=("sky", "file"))], make_mixture(4))
    write_model(path, result, command="gmmx fit events.fits")
    with h5py.File(path) as file:
        assert file.attrs["schema"] == "gmmx-model"
        assert file.attrs["schema_version"] == SCHEMA_VERSION == 2
        assert file.attrs["gmmx_version"] == gmmx.__version__
        assert file.attrs["command"] == "gmmx fit events.fits"
        assert json.loads(file.attrs["options"])["tol"] == 0.1
        assert file["frame"].attrs["projection"] == "TAN"
        assert file["mixture/covariance"].shape == (4, 2, 2)
        assert file["mixture/flux"].attrs["reference_exposure"] == 1e7
        assert file["mixture/kind"][0] == b"extended"
        assert set(file["background"]) == {"sky", "file"}
        assert file["background/sky"].attrs["photons"] == 123.4
        assert file["background/file/map"].shape == (50, 60)
        observation = file["observations/acisf00001"]
        assert observation["dropped"].attrs["zero exposure"] == 3.0
        units, packed = {}, []

        def visit(name, node):
            if isinstance(node, h5py.Dataset):
                units[name] = node.attrs["unit"]
                packed.append(
                    node.compression == "gzip" and node.shuffle if node.dtype.kind == "f" else True
                )

        file.visititems(visit)
        assert all(packed)
        assert units["mixture/mean"] == "arcsec"
        assert units["observations/acisf00001/photons/x"] == "arcsec"
        assert units["observations/acisf00001/completeness/exposure"] == "cm**2 s"
        assert units["history/objective"] == units["path/criterion"] == "nat"
        assert set(file["history"]) == set(HISTORY_COLUMNS)
        assert set(file["path"]) == set(PATH_COLUMNS)


POINTING = Pointing(
    telescope="CHANDRA",
    obs_id="315",
    exposure_time=72e3,
    band_kev=(0.5, 2.0),
    chips=(0, 1),
    inputs=(InputFile("events", "evt2.fits", "ab" * 32), InputFile("mask", "m.reg")),
    masks=(MaskRecord(file="m.reg", n_shapes=2, n_photons=1.5, by_shape=(1.0, 0.5)),),
    choices={"psf": "built in"},
    sky_brightness=SkyBrightness(2e-9, "photon/cm**2/s/arcsec**2"),
    header={"TITLE": "The Antennae", "MJDREF": 50814.0, "nested": {"a": [1, None]}},
)


def test_the_pointing_is_kept_as_typed_attributes(tmp_path):
    observation = replace(make_observation(), pointing=POINTING)
    go_round(tmp_path / "model.h5", make_result([observation]))
    with h5py.File(tmp_path / "model.h5") as file:
        group = file["observations/acisf00001/pointing"]
        assert group.attrs["telescope"] == "CHANDRA"
        assert list(group.attrs["band_kev"]) == [0.5, 2.0]
        assert list(group.attrs["chips"]) == [0, 1]
        assert group["inputs/0"].attrs["role"] == "events"
        assert "roll" not in group.attrs


def test_a_keyword_that_json_cannot_hold_is_refused(tmp_path):
    observation = replace(make_observation(), pointing=Pointing(header={"odd": object()}))
    with pytest.raises(InputError, match=r"Pointing\.header"):
        write_model(tmp_path / "model.h5", make_result([observation]))
    assert list(tmp_path.iterdir()) == []


def test_the_same_fit_gives_the_same_bytes(tmp_path):
    result = make_result([make_observation()], make_mixture(4))
    for name in ("one.h5", "two.h5"):
        write_model(tmp_path / name, result)
    with h5py.File(tmp_path / "one.h5") as one, h5py.File(tmp_path / "two.h5") as two:
        for name in ("flux", "mean", "covariance"):
            assert one["mixture"][name][()].tobytes() == two["mixture"][name][()].tobytes()


AROUND = Ellipse(1 / 3, -2.0, 9.0, 4.0, 33.3)
HOLE = Term(((Ellipse(0.1, 0.2, 1.0, 1.0), False),), True)


@pytest.mark.parametrize(
    "masks",
    [
        Shapes(),
        Shapes.of(AROUND),
        Shapes.union([Shapes.of(AROUND, HOLE), Shapes.of(AROUND)]),
    ],
    ids=["none", "one", "with a hole"],
)
@pytest.mark.parametrize("frame", [None, SkyFrame(202.3, 47.2, "FK5")])
def test_masks_come_back(tmp_path, masks, frame):
    observation = replace(make_observation(), masks=masks, masks_frame=frame)
    again = go_round(tmp_path / "model.h5", make_result([observation])).observations[0]
    assert (again.masks, again.masks_frame) == (masks, frame)


def test_a_model_is_not_overwritten_unless_asked(tmp_path):
    path = tmp_path / "model.h5"
    result = make_result([make_observation()], make_mixture())
    write_model(path, result)
    before = path.read_bytes()
    with pytest.raises(OutputError, match="exists") as error:
        write_model(path, result)
    one_line(error)
    assert path.read_bytes() == before
    write_model(path, make_result([make_observation()]), overwrite=True)
    assert len(read_model(path).mixture) == 0


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(OutputError, match="no folder"):
        write_model(tmp_path / "absent" / "model.h5", make_result([make_observation()]))


def test_observations_in_different_planes_are_refused(tmp_path):
    elsewhere = replace(make_observation(), frame=SkyFrame(1.0, 2.0), name="b")
    with pytest.raises(InputError, match="tangent plane"):
        write_model(tmp_path / "two.h5", make_result([make_observation(), elsewhere]))
    assert list(tmp_path.iterdir()) == []


def make_foreign_file(path):
    """An HDF5 file of another program."""
    with h5py.File(path, "w") as file:
        file["data"] = [1, 2]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.write_bytes(b""), "not a gmmx model"),
        (lambda path: path.write_bytes(b"SIMPLE  =                    T" * 100), "not an HDF5"),
        (make_foreign_file, "schema missing"),
    ],
    ids=["absent", "folder", "empty", "FITS", "foreign"],
)
def test_a_file_that_is_no_model_is_refused(tmp_path, make, reason):
    make(tmp_path / "other.h5")
    with pytest.raises(DataError, match=reason) as error:
        read_model(tmp_path / "other.h5")
    one_line(error)


@pytest.mark.parametrize("part", [0.02, 0.3, 0.7, 0.999])
def test_a_truncated_model_is_refused(tmp_path, part):
    path = tmp_path / "model.h5"
    write_model(path, make_result([make_observation()], make_mixture()))
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(
        DataError,
        match=r"truncated or damaged model file: write it again with `gmmx fit`$|not a gmmx model",
    ) as error:
        read_model(path)
    one_line(error)


def test_a_damaged_model_is_refused(tmp_path):
    path = tmp_path / "model.h5"
    write_model(path, make_result([make_observation(n=5000)], make_mixture()))
    with h5py.File(path) as file:
        chunk = file["observations/acisf00001/photons/x"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    middle = chunk.byte_offset + chunk.size // 2
    content[middle : middle + 8] = bytes(255 - b for b in content[middle : middle + 8])
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged") as error:
        read_model(path)
    one_line(error)


def test_a_model_without_its_fluxes_is_refused(tmp_path):
    path = tmp_path / "model.h5"
    write_model(path, make_result([make_observation()], make_mixture()))
    with h5py.File(path, "a") as file:
        del file["mixture/flux"]
    with pytest.raises(DataError, match="damaged model file: it has no flux: write it again"):
        read_model(path)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda file: file["mixture/covariance"].__setitem__(0, -1.0), "positive definite"),
        (lambda file: file["frame"].attrs.__setitem__("dec0", 123.0), "got .*123"),
        (lambda file: file.attrs.__setitem__("options", "{"), "an attribute is no JSON"),
    ],
    ids=["covariance", "declination", "options"],
)
def test_the_cause_that_makes_a_model_unreadable_is_named(tmp_path, change, cause):
    path = tmp_path / "model.h5"
    write_model(path, make_result([make_observation()], make_mixture()))
    with h5py.File(path, "a") as file:
        change(file)
    with pytest.raises(
        DataError, match=f"damaged model file: .*{cause}.*: write it again"
    ) as error:
        read_model(path)
    one_line(error)


@pytest.mark.parametrize("version", [0, 3])
def test_an_unknown_version_is_named(tmp_path, version):
    path = tmp_path / "model.h5"
    write_model(path, make_result([make_observation()]))
    with h5py.File(path, "a") as file:
        file.attrs.update(schema_version=version, gmmx_version="9.1")
    expected = rf"schema_version {version}, written by gmmx 9\.1.*update gmmx"
    with pytest.raises(DataError, match=expected) as error:
        read_model(path)
    one_line(error)


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    resource = pytest.importorskip("resource")
    result = make_result([make_observation(n=20_000)], make_mixture())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
        with pytest.raises(OutputError, match="could not be written") as error:
            write_model(tmp_path / "model.h5", result)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    one_line(error)
    assert list(tmp_path.iterdir()) == []
