"""`gmmx assign` says of each photon which component it is from, and changes nothing else."""

import gzip
import json
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from command_line import error_line, run
from handmade import make_mixture, make_observation, make_result
from made_files import DEC0, RA0, event_hdus, flat, image_hdus
from numpy.testing import assert_allclose, assert_array_equal
from true_result import make_true_result

import gmmx
from gmmx.answers.label_map import label_map
from gmmx.answers.membership import membership_of
from gmmx.errors import DataWarning, InputError
from gmmx.io._checksum import BLOCK, block_sums, encoded, folded
from gmmx.io.virtual import parse_file_argument
from gmmx.model.background import Background
from gmmx.model.completeness import Completeness
from gmmx.model.mixture import POINT_SIGMA, Fixed, Mixture
from gmmx.model.photons import Photons
from gmmx.plane.grid import PixelGrid
from gmmx.reading.fitted_rows import fitted_rows

NEW = ["P_SIGNAL", "P_BKG", "P_POINT", "COMPONENT", "P_COMPONENT"]
# The sums hold wherever a fit stops.
BRIEF = ("--max-iter", 3)
CUTS = ("--energy", "0.6:1.8", "--mask", "hole.reg")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with an event list of many kinds of columns, and models of fits to it."""
    folder = tmp_path_factory.mktemp("assign")
    hdus = event_hdus(n=2000)
    table, n = hdus[1], 2000
    bits = np.random.default_rng(0).random((n, 20)) > 0.5
    more = [
        fits.Column("bits", "20X", array=bits),
        fits.Column("time", "D", array=np.arange(n)),
        fits.Column("phas", "9I", array=np.arange(9 * n).reshape(n, 9)),
        fits.Column("wide", "J", bzero=2**31, array=np.arange(n, dtype=np.uint32) + 2**31),
        fits.Column("name", "4A", array=np.full(n, "abcd")),
        fits.Column("path", "PE()", array=np.array([np.arange(i % 3) for i in range(n)], object)),
    ]
    events = fits.BinTableHDU.from_columns(table.columns + fits.ColDefs(more), table.header)
    events.header.update({card.keyword: card.value for card in table.header["TC*"].cards})
    # Rows that no fit can use: without a position, without an energy, and twice the same.
    events.data["x"][5] = np.nan
    events.data["energy"][6] = np.nan
    for name in ("x", "y", "energy"):
        events.data[name][8] = events.data[name][7]
    good = fits.BinTableHDU.from_columns([fits.Column("START", "D", array=[0.0])], name="GTI")
    fits.HDUList([hdus[0], events, good]).writeto(folder / "evt2.fits", checksum=True)
    image_hdus(flat(3e5), OBS_ID="101").writeto(folder / "expmap.fits")
    (folder / "hole.reg").write_text(f'fk5\ncircle({RA0},{DEC0 + 0.01},9")\n')
    (folder / "point.reg").write_text(f'fk5\ncircle({RA0},{DEC0},3")\n')
    return folder


def fitted(folder, events="evt2.fits", *options, name="model.h5"):
    """The result of a fit in the folder, whose model is kept."""
    if not (folder / name).exists():
        maps = ("--exposure", "expmap.fits", "--psf", "1", "--background", "sky", "--k", 1)
        words = [folder / w if str(w).endswith((".reg", ".fits")) else w for w in (*maps, *options)]
        done = run(
            "fit",
            f"{folder / 'evt2.fits'}{events.removeprefix('evt2.fits')}",
            *words,
            "-q",
            "--out",
            folder / name,
        )
        assert done.exit_code == 0, done.stderr
    return gmmx.read(folder / name)


def assign(folder, *words, model="model.h5", out="out.fits"):
    """Run `gmmx assign`, and return its output and the rows that it wrote."""
    done = run("assign", folder / model, *words, "--out", folder / out, "--overwrite")
    assert done.exit_code == 0, done.stderr
    with fits.open(folder / out, checksum=True) as hdus:
        return done, hdus["EVENTS"].data.copy()


FITS = {
    "band and mask": ("evt2.fits", *CUTS),
    "filters of rows": ("evt2.fits[energy=700:1500][time=100:1900]", *BRIEF),
    "filter of the sky": ("evt2.fits[sky=circle(4096.5,4096.5,150)]", *BRIEF),
    "exclusion": ("evt2.fits[exclude sky=circle(4096.5,4096.5,20)]", *BRIEF),
    "cells": ("evt2.fits", "--bin", "3", "--mask", "hole.reg", *BRIEF),
    "region": ("evt2.fits", "--region", "hole.reg", *BRIEF),
    "point source": ("evt2.fits", "--sources", "point.reg", *BRIEF),
}


@pytest.mark.parametrize("name", FITS)
def test_the_sums_are_those_of_the_component_table(folder, name):
    result = fitted(folder, *FITS[name], name=f"{name}.h5")
    done, rows = assign(folder, model=f"{name}.h5")
    observed = result.observed_photons
    assert np.nansum(rows["P_SIGNAL"]) == pytest.approx(observed[~result.points].sum(), rel=1e-9)
    assert np.nansum(rows["P_POINT"]) == pytest.approx(observed[result.points].sum(), rel=1e-9)
    was_fitted = np.isfinite(rows["P_SIGNAL"])
    assert was_fitted.sum() == result.n_photons < len(rows)
    assert_allclose(sum(rows[one] for one in NEW[:3])[was_fitted], 1)
    assert f"{int(result.n_photons):,} of 2,000 rows assigned" in done.stdout


def test_rows_that_were_not_fitted_have_nan_and_minus_two(folder):
    fitted(folder, *FITS["band and mask"])
    _, rows = assign(folder, "--label", "draw")
    out = ~np.isfinite(rows["P_SIGNAL"])
    assert_array_equal(out, ~np.isfinite(rows["P_COMPONENT"]))
    assert set(rows["COMPONENT"][out]) == set(rows["LABEL"][out]) == {-2}
    assert set(rows["COMPONENT"][~out]) == {-1, 0}
    energies = rows["energy"]
    assert out[5]
    assert out[6]
    assert np.all(out[(energies < 600) | (energies > 1800)])


def test_everything_else_stays_as_it_is(folder):
    fitted(folder, *FITS["band and mask"])
    assign(folder)
    with fits.open(folder / "evt2.fits") as before, fits.open(folder / "out.fits") as after:
        assert [hdu.name for hdu in after] == [hdu.name for hdu in before]
        assert after["GTI"].data.tobytes() == before["GTI"].data.tobytes()
        old, new = before["EVENTS"], after["EVENTS"]
        assert new.columns.names == [*old.columns.names, *NEW]
        for column in old.columns.names:
            if column != "path":
                assert_array_equal(new.data[column], old.data[column])
        assert all(
            np.array_equal(a, b) for a, b in zip(new.data["path"], old.data["path"], strict=True)
        )
        changed = {"NAXIS1", "TFIELDS", "THEAP", "CHECKSUM", "DATASUM"}
        for card in old.header.cards:
            if card.keyword not in changed:
                assert new.header[card.keyword] == card.value
        assert new.header["ASGMODEL"] == "model.h5"


def test_an_event_list_is_read_again_with_its_new_columns(folder):
    fitted(folder, *FITS["band and mask"])
    _, first = assign(folder, "--label", "draw")
    (folder / "first.fits").write_bytes((folder / "out.fits").read_bytes())
    _, again = assign(folder, folder / "first.fits", "--label", "draw")
    assert again.columns.names == first.columns.names
    for name in ("P_SIGNAL", "COMPONENT", "LABEL"):
        assert_array_equal(again[name], first[name])
    header = fits.getheader(folder / "out.fits", 1)
    assert sum("gmmx assign" in line for line in header["COMMENT"]) == 1


def test_another_event_list_is_cut_like_the_fit(folder):
    fitted(folder, *FITS["band and mask"])
    hdus = event_hdus(n=1000)
    hdus[1].data["energy"][:10] = 5000
    hdus.writeto(folder / "other.fits", overwrite=True)
    _, rows = assign(folder, folder / "other.fits")
    in_band = (rows["energy"] >= 600) & (rows["energy"] <= 1800)
    was_fitted = np.isfinite(rows["P_SIGNAL"])
    assert not was_fitted[:10].any()
    assert 0.9 < was_fitted[in_band].mean() < 1


def test_labels_are_drawn_by_the_probabilities_or_the_best(folder):
    fitted(folder, *FITS["band and mask"])
    _, best = assign(folder, "--label", "best")
    assert_array_equal(best["LABEL"], best["COMPONENT"])
    _, drawn = assign(folder, "--label", "draw", "--seed", 1)
    n = np.isfinite(drawn["P_SIGNAL"]).sum()
    expected = np.nansum(drawn["P_SIGNAL"])
    assert abs((drawn["LABEL"] == 0).sum() - expected) < 4 * np.sqrt(n) / 2
    _, same = assign(folder, "--label", "draw", "--seed", 1)
    _, other = assign(folder, "--label", "draw", "--seed", 2)
    assert_array_equal(same["LABEL"], drawn["LABEL"])
    assert np.any(other["LABEL"] != drawn["LABEL"])


def test_a_gzipped_file_becomes_a_gzipped_file(folder):
    fitted(folder, *FITS["band and mask"])
    packed = folder / "packed.fits.gz"
    packed.write_bytes(gzip.compress((folder / "evt2.fits").read_bytes()))
    done, rows = assign(folder, packed, "--json", out="out.fits.gz")
    assert (folder / "out.fits.gz").read_bytes()[:2] == b"\x1f\x8b"
    facts = json.loads(done.stdout)
    assert facts["n_rows"] == 2000
    assert facts["signal"] == pytest.approx(np.nansum(rows["P_SIGNAL"]))


def test_a_map_has_the_label_of_each_pixel(folder):
    result = fitted(folder, *FITS["band and mask"])
    assign(folder, "--map", folder / "labels.fits")
    labels, header = fits.getdata(folder / "labels.fits", header=True)
    assert labels.dtype == ">i4"
    assert labels.shape == result.observations[0].completeness.grid.shape
    assert set(np.unique(labels)) == {-2, -1, 0}
    assert (labels[52, 52], labels[2, 2], labels[70, 51]) == (0, -1, -2)
    assert header["CTYPE1"] == "RA---TAN"


def test_an_event_list_of_another_observation_is_doubted(folder, tmp_path):
    with fits.open(folder / "evt2.fits") as hdus:
        for hdu in hdus:
            hdu.header["OBS_ID"] = "4711"
        hdus.writeto(tmp_path / "other.fits", checksum=True)
    (own,) = fitted(folder, *FITS["band and mask"]).observations
    own = replace(own, pointing=replace(own.pointing, obs_id="101"))
    with pytest.warns(DataWarning, match="ObsID 4711, but the observation of the model is 101"):
        fitted_rows(parse_file_argument(tmp_path / "other.fits"), own)


def test_a_joint_model_makes_one_file_for_each_observation(folder):
    if not (folder / "joint.h5").exists():
        event_hdus(n=900, OBS_ID="102").writeto(folder / "second.fits")
        pair = (folder / "evt2.fits", folder / "second.fits")
        maps = ("--exposure", folder / "expmap.fits") * 2
        run("fit", *pair, *maps, "--psf", "1", "--k", 1, *BRIEF, "-q", "--out", folder / "joint.h5")
    result = gmmx.read(folder / "joint.h5")
    done = run("assign", folder / "joint.h5", "--out", folder / "two.fits")
    assert done.exit_code == 0, done.stderr
    sums = [np.nansum(fits.getdata(folder / f"two_{i}.fits", 1)["P_SIGNAL"]) for i in (1, 2)]
    assert sum(sums) == pytest.approx(result.observed_photons.sum(), rel=1e-9)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("evt2.fits", "evt2.fits"), "1 observation, and 2 event lists were given"),
        (("missing.fits",), "missing.fits: no such file"),
        (("expmap.fits",), "a counts image has no rows to assign"),
        (("away.fits",), "none of its photons lies in the model's band and field"),
        (("taken.fits",), "it has a column p_signal of another format: rename it"),
        (("evt2.fits", "--label", "sure"), None),
    ],
)
def test_what_cannot_be_assigned_is_refused(folder, words, message):
    fitted(folder, *FITS["band and mask"])
    event_hdus(ra=RA0 + 1).writeto(folder / "away.fits", overwrite=True)
    hdus = event_hdus()
    more = fits.ColDefs([fits.Column("p_signal", "I", array=np.zeros(1500))])
    table = fits.BinTableHDU.from_columns(hdus[1].columns + more, hdus[1].header)
    table.header.update({card.keyword: card.value for card in hdus[1].header["TC*"].cards})
    fits.HDUList([hdus[0], table]).writeto(folder / "taken.fits", overwrite=True)
    files = [folder / word if word.endswith("fits") else word for word in words]
    done = run("assign", folder / "model.h5", *files, "--out", folder / "new.fits")
    if message is None:
        assert done.exit_code == 2
    else:
        assert message in error_line(done)
    assert not (folder / "new.fits").exists()


@pytest.mark.parametrize("option", ["--out", "--map"])
@pytest.mark.parametrize("name", ["evt2.fits", "expmap.fits"])
def test_no_input_is_replaced(folder, option, name):
    fitted(folder, *FITS["band and mask"])
    words = {"--out": "new.fits", "--map": "new_map.fits"} | {option: name}
    words = [word for key, value in words.items() for word in (key, folder / value)]
    done = run("assign", folder / "model.h5", *words, "--overwrite", unchanged=folder)
    assert "is the same file as the input" in error_line(done)


def test_two_outputs_of_one_name_are_refused(folder):
    fitted(folder, *FITS["band and mask"])
    words = ("--out", folder / "one.fits", "--map", folder / "one.fits")
    done = run("assign", folder / "model.h5", *words, "--overwrite")
    assert "one.fits: is also the name of another output" in error_line(done)
    assert not (folder / "one.fits").exists()


def test_the_method_of_a_fit_assigns_its_photons():
    result = make_true_result()
    (observation,) = result.observations
    at = observation.photons.x, observation.photons.y
    (found,) = result.assign(np.random.default_rng(3))
    same = membership_of(result, observation, *at, rng=np.random.default_rng(3))
    assert_array_equal(found.signal, same.signal)
    assert_array_equal(found.drawn, same.drawn)
    assert result.assign()[0].drawn is None


def test_a_file_that_has_moved_is_asked_for(tmp_path):
    make_result([make_observation()], make_mixture()).write(tmp_path / "m.h5")
    done = run("assign", tmp_path / "m.h5", "--out", tmp_path / "o.fits")
    assert "evt2.fits: no such file, although" in error_line(done)


def test_a_file_that_has_changed_since_the_fit_is_named(folder, tmp_path):
    result = fitted(folder, *FITS["band and mask"])
    own = result.observations[0]
    files = tuple(
        replace(one, sha256="0" * 64) if one.role == "events" else one
        for one in own.pointing.inputs
    )
    changed = replace(own, pointing=replace(own.pointing, inputs=files))
    with pytest.warns(DataWarning, match="the file has changed since the model was fitted to it"):
        fitted_rows(parse_file_argument(own.pointing.events_file.path), changed)


# Probabilities


def test_probabilities_are_the_parts_of_the_density():
    result = make_true_result(n=50)
    observation, m = result.observations[0], result.mixture
    x, y = observation.photons.x[:300], observation.photons.y[:300]
    found = membership_of(result, observation, x, y)
    parts = []
    for k in range(2):
        covariance = m.covariances[k] + 9 * np.eye(2)
        d = np.column_stack([x, y]) - m.means[k]
        square = np.einsum("ni,ij,nj->n", d, np.linalg.inv(covariance), d)
        area = 2 * np.pi * np.sqrt(np.linalg.det(covariance))
        parts.append(m.fluxes[k] * np.exp(-square / 2) / area)
    parts.append(np.full(300, 0.08))
    total = np.sum(parts, axis=0)
    assert_allclose(found.signal, (parts[0] + parts[1]) / total, rtol=1e-9)
    assert_allclose(found.background, parts[2] / total, rtol=1e-9)
    best = np.argmax(parts, axis=0)
    assert_array_equal(found.best, np.where(best == 2, -1, best))
    assert_allclose(found.best_probability, np.max(parts, axis=0) / total, rtol=1e-9)


def test_many_photons_are_taken_in_parts(monkeypatch):
    result = make_true_result()
    observation = result.observations[0]
    x, y = observation.photons.x[:100], observation.photons.y[:100]
    whole = membership_of(result, observation, x, y, rng=np.random.default_rng(0))
    monkeypatch.setattr("gmmx.answers.membership._MOST", 20)
    parts = membership_of(result, observation, x, y, rng=np.random.default_rng(0))
    for name in ("signal", "points", "backgrounds", "best", "best_probability", "drawn"):
        assert_array_equal(getattr(parts, name), getattr(whole, name))


def test_point_sources_are_apart_from_the_signal():
    kinds = np.array([False, True])
    mixture = Mixture(
        fluxes=[500.0, 100.0],
        means=[[0.0, 0.0], [20.0, 0.0]],
        covariances=[9 * np.eye(2), POINT_SIGMA**2 * np.eye(2)],
    )
    fixed = Fixed(fluxes=kinds & False, means=kinds, covariances=kinds, points=kinds)
    observation = replace(make_observation(), backgrounds=(Background(amplitude=0.02),))
    result = make_result([observation], mixture, fixed=fixed)
    found = membership_of(result, observation, np.array([0.0, 20.0]), np.zeros(2))
    assert_array_equal(found.best, [0, 1])
    assert found.signal[0] > 0.9 > 0.1 > found.signal[1]
    assert found.points[1] > 0.9 > 0.1 > found.points[0]


def test_without_components_everything_is_background():
    observation = replace(make_observation(), backgrounds=(Background(amplitude=0.02),))
    result = make_result([observation], Mixture.empty())
    found = membership_of(result, observation, np.zeros(3), np.zeros(3))
    assert_array_equal(found.background, np.ones(3))
    assert_array_equal(found.best, [-1, -1, -1])


def test_a_position_where_nothing_is_expected_is_refused():
    observation = replace(make_observation(), backgrounds=())
    result = make_result([observation], make_mixture())
    with pytest.raises(InputError, match="the model expects nothing where 1 of the photons"):
        membership_of(result, observation, np.array([1e5]), np.zeros(1))


def test_labels_follow_the_sum_over_observations():
    grid = PixelGrid.covering((-20, 20), (-20, 20), 2.0)
    x, _ = grid.centres()
    sides = [1.0 * (x < 0), 1.0 * (x >= 0)]
    observations = [
        replace(
            make_observation(),
            name=f"o{i}",
            photons=Photons(np.zeros(0), np.zeros(0)),
            psf=None,
            completeness=Completeness(grid=grid, exposure=side, open_fraction=1.0 * (x < 18)),
            backgrounds=(Background(amplitude=0.3),),
        )
        for i, side in enumerate(sides)
    ]
    mixture = Mixture(
        fluxes=[100.0, 100.0],
        means=[[-10.0, 0.0], [10.0, 0.0]],
        covariances=[4 * np.eye(2)] * 2,
    )
    labels = label_map(make_result(observations, mixture))
    at = labels.at(np.array([-10.0, 10.0, 0.5, 19.0]), np.array([0.0, 0.0, 15.0, 0.0]))
    assert_array_equal(at, [0, 1, -1, -2])


# Checksums


@pytest.mark.parametrize("total", [0, 1, 0x3A3B3C3D, 0xFFFFFFFF, 868229149, 0x40404040])
def test_an_encoded_sum_adds_that_sum_and_has_no_punctuation(total):
    text = encoded(total)
    assert len(text) == 16
    assert text.isalnum()
    # The text stands behind 11 bytes of its card.
    padded = (bytes(3) + text + bytes(13)).ljust(BLOCK, b"\0")
    zeros = (bytes(3) + b"0" * 16 + bytes(13)).ljust(BLOCK, b"\0")
    one, two = (folded(int(block_sums(part).sum())) for part in (padded, zeros))
    assert (one - two - total) % 0xFFFFFFFF == 0


# Observations that are not part of the repository


def test_a_real_event_list_keeps_its_rows_and_the_sums(shared_data, tmp_path):
    folder = shared_data / "real" / "18461_CenA"
    events = f"{folder / 'cena.fits.gz'}[energy=500:3000][ccd_id=0,1]"
    words = ("--mask", folder / "cena_regions.reg", "--k", 1, "--psf", "1", "--grid", 8, *BRIEF)
    assert run("fit", events, *words, "-q", "--out", tmp_path / "m.h5").exit_code == 0
    result = gmmx.read(tmp_path / "m.h5")
    done = run("assign", tmp_path / "m.h5", "--out", tmp_path / "o.fits")
    assert done.exit_code == 0, done.stderr
    rows = fits.getdata(tmp_path / "o.fits", 1)
    assert len(rows) == 23_094
    assert np.isfinite(rows["P_SIGNAL"]).sum() == result.n_photons
    assert np.nansum(rows["P_SIGNAL"]) == pytest.approx(result.observed_photons.sum(), rel=1e-9)


@pytest.mark.slow
def test_the_true_share_of_the_signal_is_its_probability(shared_data):
    galaxy = shared_data / "marx" / "galaxy"
    skies = shared_data / "marx" / "realisations" / "galaxy"
    signal, truth = [], []
    for number in range(4):
        events = skies / f"events_{number:02d}.fits.gz"
        observation = gmmx.read_observation(
            events,
            exposure=skies / "expmap_hp.fits.gz",
            psf=galaxy / "psfmap.fits.gz",
            mask=galaxy / "sources.reg",
            energy_kev=(0.5, 2),
        )
        result = gmmx.fit(observation, n_components=15, seed=1)
        rows = fitted_rows(parse_file_argument(events), result.observations[0])
        signal.append(membership_of(result, result.observations[0], rows.x, rows.y).signal)
        component = fits.getdata(events)["COMP"][rows.rows]
        truth.append((component >= 0) & (component < 100))
    signal, truth = np.concatenate(signal), np.concatenate(truth)
    bins = np.minimum(np.floor(10 * signal), 9).astype(int)
    n, mean, share = (np.bincount(bins, w) for w in (np.ones(len(bins)), signal, truth))
    error = np.sqrt(mean / n * (1 - mean / n) / n)
    assert np.all(np.abs(share - mean) / n < 0.02 + 2 * error)
