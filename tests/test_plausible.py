"""Plausible but wrong input is named: one change of a good observation each."""

import warnings

import numpy as np
import pytest
from astropy.io import fits
from plausible_files import (
    CELLS,
    DEC,
    PIXEL,
    RA,
    STEP,
    TIME,
    counts_of,
    drawn_photons,
    exposure_values,
    make_good,
    positions,
    psf_radii,
    write_events,
    write_image,
    write_mask,
)
from scipy.ndimage import gaussian_filter

import gmmx
from gmmx.errors import DataError, DataWarning, InputError
from gmmx.io.psf_library import read_chandra_library
from gmmx.model.psf import core_radius
from gmmx.reading.doubts.psf import ANGLES, FRACTIONS, ON_ACIS_S, RADII
from gmmx.reading.held_out import read_held_out

GOOD_MAP = {"BUNIT": "cm**2 s", "ENERG_LO": 0.5, "ENERG_HI": 2.0, "CONTENT": "EXP"}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return make_good(tmp_path_factory.mktemp("good"))


def read(events, options, several=False):
    """Read observations, and return the texts of the warnings or of the refusal."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            if several:
                gmmx.read_observations([str(one) for one in events], **options)
            else:
                gmmx.read_observation(str(events), **options)
        except (DataError, InputError) as error:
            return [str(error)]
    return [str(one.message) for one in caught if issubclass(one.category, DataWarning)]


def with_map(good, folder, values=None, **changes):
    """The good observation with another exposure map."""
    values = exposure_values() if values is None else values
    path = write_image(folder / "other.expmap", values, **{**GOOD_MAP, **changes})
    return good.events, {**good.options, "exposure": str(path)}


def with_events(good, folder, columns=None, **changes):
    """The good observation with another event list."""
    columns = drawn_photons() if columns is None else columns
    return write_events(folder / "other_evt2.fits", columns, **changes), good.options


def with_psf(good, folder, values=None, options=(), **changes):
    """The good observation with another PSF map."""
    values = psf_radii() if values is None else values
    header = {"BUNIT": "arcsec", "ECF": 0.393, "ENERGY": 1.0, **changes}
    path = write_image(folder / "other.psfmap", values, **header)
    return good.events, {**good.options, "psf": str(path), **dict(options)}


def with_image(good, folder, values, **changes):
    """The good observation as a counts image."""
    header = {"ENERGYLO": 0.5, "ENERGYHI": 2.0, **changes}
    return write_image(folder / "other.img", values, **header), good.options


def with_background(good, folder, values, **changes):
    """The good observation with an image of its background, of the good band if nothing else."""
    path = write_image(folder / "background.img", values, **changes)
    return good.events, {**good.options, "background": ("sky", str(path))}


def rows(columns, keep):
    return {name: values[keep] for name, values in columns.items()}


def within(columns, radius):
    """The photons near the pointing."""
    x, y = ((columns[k] - 4096.5) * PIXEL for k in "xy")
    return rows(columns, np.hypot(x, y) < radius)


def detector_positions(columns):
    """Photons as a telescope without roll would record them."""
    unrolled = drawn_photons(roll=0.0)
    return {**unrolled, "time": unrolled["time"]}


def chip_positions(columns):
    """Photons at their places on the chips, from 1 to 1024."""
    rng = np.random.default_rng(3)
    x, y = rng.uniform(1, 1024, (2, len(columns["x"]))).astype(np.float32)
    return {**columns, "x": x, "y": y}


def repeated(columns, n):
    return {k: np.concatenate([v, v[:n]]) for k, v in columns.items()}


def written(folder, text):
    path = folder / "other.reg"
    path.write_text(text)
    return str(path)


def counts(seed=5, level=0.05):
    """Counts of a flat background in the pixels of the map."""
    return np.random.default_rng(seed).poisson(level * (exposure_values() > 0))


def of_sources(level=0.3):
    """A background that holds the sources, too."""
    values = gaussian_filter(counts_of(drawn_photons()).astype(float), 2)
    return values + level * values.mean()


EXPOSURE_MAPS = {
    "another observation": ({"OBS_ID": "9999"}, "OBS_ID 9999"),
    "another telescope": ({"TELESCOP": "XMM", "INSTRUME": "EMOS1"}, "TELESCOP XMM"),
    "another pointing": ({"RA_PNT": RA + 0.1}, "another pointing"),
    "another aspect by pointing": ({"DEC_PNT": DEC + 10 / 3600}, "another aspect solution"),
    "another aspect by file": ({"ASOLFILE": "pcadf04321_asol2.fits"}, "pcadf04321_asol2.fits"),
    "another roll": ({"ROLL_PNT": 75.0}, "ROLL_PNT 75"),
    "another date": (
        {"DATE-OBS": "2015-01-01T00:00:00", "DATE-END": "2015-01-02T00:00:00"},
        "2015-01-01",
    ),
    "another chip set by DETNAM": ({"DETNAM": "ACIS-235678"}, "ACIS-235678"),
    "another band": ({"ENERG_LO": 2.0, "ENERG_HI": 7.0}, "2-7 keV"),
    "a narrow part of the band": ({"ENERG_LO": 0.5, "ENERG_HI": 1.0}, "have other energies"),
    "of unfiltered times": (dict.fromkeys(("EXPOSURE", "LIVETIME", "ONTIME"), TIME / 0.7), "(GTI)"),
}


@pytest.mark.parametrize(("changes", "words"), EXPOSURE_MAPS.values(), ids=EXPOSURE_MAPS)
def test_an_exposure_map_whose_keywords_contradict_the_photons_is_named(
    good, tmp_path, changes, words
):
    texts = read(*with_map(good, tmp_path, **changes))
    assert [one for one in texts if words in one and "other.expmap" in one] != []


VALUES = {
    "in cm^2 and says so": (1 / TIME, {"BUNIT": "cm**2"}, "effective area (cm**2)"),
    "in cm^2 and says cm^2 s": (1 / TIME, {}, "is it in cm**2?"),
    "in cm^2 s and says cm^2": (1.0, {"BUNIT": "cm**2"}, "is it in cm**2 s?"),
    "in cm^2 s and says s": (1.0, {"BUNIT": "s"}, "is it in cm**2 s?"),
    "in m^2 s and says cm^2 s": (1e-4, {}, "Or correct BUNIT"),
    "divided by its maximum": (None, {"BUNIT": "cm**2 s"}, "divided by its maximum"),
    "divided by its maximum, without unit": (None, {"BUNIT": ""}, "divided by its maximum"),
}


@pytest.mark.parametrize(("factor", "changes", "words"), VALUES.values(), ids=VALUES)
def test_an_exposure_map_of_another_scale_is_named(good, tmp_path, factor, changes, words):
    values = exposure_values()
    values = values / values.max() if factor is None else values * factor
    (text,) = read(*with_map(good, tmp_path, values, **changes))
    assert words in text


def moved_header(good, folder, pixels, keywords=("CRPIX1", "CRPIX2")):
    """The good map, with another reference pixel."""
    with fits.open(good.exposure) as hdus:
        for key in keywords:
            hdus[0].header[key] += pixels
        hdus.writeto(folder / "other.expmap")
    return {**good.options, "exposure": str(folder / "other.expmap")}


FIELDS = {
    "of more chips than the photons": lambda good, folder: with_events(
        good, folder, drawn_photons(chips=(0, 1, 2))
    ),
    "beyond photons that were cut out": lambda good, folder: with_events(
        good, folder, within(drawn_photons(), 400.0)
    ),
    'shifted by 10" in its values': lambda good, folder: with_map(
        good, folder, exposure_values(moved=(10.0, 0.0))
    ),
    'shifted by 10" in its values, obliquely': lambda good, folder: with_map(
        good, folder, exposure_values(moved=(-7.0, 7.0))
    ),
    "of another roll by its values": lambda good, folder: with_map(
        good, folder, exposure_values(roll=75.0)
    ),
    "shifted by half a pixel": lambda good, folder: (
        good.events,
        moved_header(good, folder, 0.5),
    ),
    "shifted by half a pixel against an image": lambda good, folder: (
        good.image,
        moved_header(good, folder, 0.5),
    ),
    'shifted by 10" in its sky coordinates': lambda good, folder: (
        good.events,
        moved_header(good, folder, 10 / STEP, ["CRPIX1"]),
    ),
}
FIELD_WORDS = dict(
    zip(
        FIELDS,
        (
            "the map has more chips",
            "events were cut after",
            "edges of the exposure map",
            "edges of the exposure map",
            "zero exposure",
            "reference pixel",
            "reference pixel",
            "reference pixel",
        ),
        strict=True,
    )
)


@pytest.mark.parametrize("kind", FIELDS)
def test_an_exposure_map_of_another_field_is_named(good, tmp_path, kind):
    assert FIELD_WORDS[kind] in " ".join(read(*FIELDS[kind](good, tmp_path)))


EVENTS = {
    "duplicate photons": (lambda c: repeated(c, 300), {}, "300 of its"),
    "the list twice": (lambda c: repeated(c, len(c["x"])), {}, "merged with itself"),
    "duplicates without times": (
        lambda c: {k: v for k, v in repeated(c, 50).items() if k != "time"},
        {},
        "50 of its",
    ),
    "detector coordinates": (detector_positions, {}, "detector coordinates (DETX, DETY)"),
    "keywords of another pointing": (lambda c: c, {"RA_PNT": RA + 2}, "from the optical axis"),
    "keywords of another roll": (lambda c: c, {"ROLL_PNT": 75.0}, "turned by 45 degrees"),
    "cut in time, EXPOSURE is not": (
        lambda c: rows(c, c["time"] < 1e8 + 0.4 * TIME),
        {},
        "it was filtered in time",
    ),
    "cut in time, with EXPOSURE": (
        lambda c: rows(c, c["time"] < 1e8 + 0.4 * TIME),
        {"EXPOSURE": 0.4 * TIME, "LIVETIME": 0.4 * TIME, "ONTIME": 0.4 * TIME},
        "(GTI)",
    ),
}


@pytest.mark.parametrize(("change", "changes", "words"), EVENTS.values(), ids=EVENTS)
def test_an_event_list_that_contradicts_its_header_is_named(good, tmp_path, change, changes, words):
    texts = read(*with_events(good, tmp_path, change(drawn_photons()), **changes))
    assert words in " ".join(texts)
    assert "other_evt2.fits" in " ".join(texts)


def test_positions_on_the_chips_are_named(good, tmp_path):
    events, _ = with_events(good, tmp_path, chip_positions(drawn_photons()))
    assert "detector or chip coordinates" in " ".join(read(events, {"psf": "1"}))


def test_positions_on_the_chips_do_not_go_with_an_exposure_map(good, tmp_path):
    (text,) = read(*with_events(good, tmp_path, chip_positions(drawn_photons())))
    assert "does not overlap" in text


def test_a_filter_by_time_beside_an_area_is_named(good):
    texts = read(f"{good.events}[time={1e8}:{1e8 + 8000}]", {"area": 400, "psf": "1"})
    assert "EXPOSURE of its header is of all times" in " ".join(texts)


def test_a_filter_by_time_beside_a_map_of_all_times_is_named(good):
    (text,) = read(f"{good.events}[time={1e8}:{1e8 + 8000}]", good.options)
    assert "the filter by time" in text


def test_photons_of_one_pixel_and_energy_by_chance_are_no_duplicates(good, tmp_path):
    rng = np.random.default_rng(2)
    columns = {k: v for k, v in drawn_photons().items() if k != "time"}
    columns["x"], columns["y"] = np.round(columns["x"]), np.round(columns["y"])
    columns["energy"] = 500 + 100 * rng.integers(0, 15, len(columns["x"]))
    assert read(*with_events(good, tmp_path, columns)) == []


PSF_MAPS = {
    "in pixels, called arcsec": (1 / 8, {}, {}, "are they in pixels"),
    "of bin 4 in pixels": (1 / 1.968, {}, {}, "are they in pixels"),
    "of bin 1 in pixels": (1 / 0.492, {}, {}, "are they in pixels"),
    "ECF 0.9 called 0.39": (2.9, {}, {}, "another fraction (ECF)"),
    "ECF 0.39 called 0.9": (1.0, {"ECF": 0.9}, {}, "another fraction (ECF)"),
    "`psf_ecf` against the header": (1.0, {}, {"psf_ecf": 0.5}, "`psf_ecf` says 0.5"),
    "of another energy": (1.0, {"ENERGY": 6.4}, {}, "6.4 keV"),
    "of another observation": (1.0, {"OBS_ID": "9999"}, {}, "OBS_ID 9999"),
    "of another pointing": (1.0, {"DEC_PNT": DEC + 0.1}, {}, "another pointing"),
    "of another roll": (1.0, {"ROLL_PNT": 120.0}, {}, "ROLL_PNT 120"),
}


@pytest.mark.parametrize(("factor", "changes", "options", "words"), PSF_MAPS.values(), ids=PSF_MAPS)
def test_a_psf_map_of_another_kind_is_named(good, tmp_path, factor, changes, options, words):
    texts = read(*with_psf(good, tmp_path, psf_radii() * factor, options, **changes))
    assert words in " ".join(texts)


def test_a_sigma_that_no_telescope_has_is_named(good):
    assert "Sigmas are in arcsec" in " ".join(read(good.events, {**good.options, "psf": "300"}))


def around(radius, n=1):
    circles = [f"circle(4096.5,4096.5,{(radius - i) / PIXEL})" for i in range(n)]
    return "physical\n" + "\n".join(circles) + "\n"


def quarters(radius):
    """Four sectors of a circle, of which none takes half of the photons."""
    pies = [f"pie(4096.5,4096.5,0,{radius / PIXEL},{a},{a + 90})" for a in (0, 90, 180, 270)]
    return "physical\n" + "\n".join(pies) + "\n"


@pytest.mark.parametrize(("detector", "factor"), [("ACIS-I", 1.0), ("ACIS-S", ON_ACIS_S)])
def test_the_radii_that_are_compared_are_those_of_the_built_in_psf(detector, factor):
    library = read_chandra_library().seen_as(detector, np.array([1.0]))
    for angle, *radii in zip(ANGLES[1:], *(row[1:] for row in RADII), strict=True):
        azimuths = np.arange(0.0, 360, 45)
        weights, covariances = (v[:, 0] for v in library.at(detector, np.full(8, angle), azimuths))
        found = [core_radius(weights, covariances, one).mean() for one in FRACTIONS]
        assert found == pytest.approx(np.multiply(radii, factor), rel=0.13)


def test_a_map_that_is_said_to_be_relative_may_have_the_maximum_1(good, tmp_path):
    events, options = with_map(good, tmp_path, exposure_values() / exposure_values().max())
    texts = read(events, {**options, "exposure_unit": "none"})
    assert not [text for text in texts if "divided by its maximum" in text]


def test_a_fraction_of_the_psf_that_contradicts_the_header_has_one_warning(good, tmp_path):
    events, options = with_psf(good, tmp_path, options={"psf_ecf": 0.9})
    (text,) = read(events, options)
    assert "leave `psf_ecf` out" in text


MASKS = {
    "covers the target": (around(450.0), "give it with `region`"),
    "covers most of the field": (quarters(450.0), "the masks take"),
    "of another field": ('fk5\ncircle(10.5,-30.0,5")\n', "of another observation?"),
    "of a field half a degree away": ('fk5\ncircle(150.5,2.2,5")\n', "this mask does nothing"),
}


@pytest.mark.parametrize(("text", "words"), MASKS.values(), ids=MASKS)
def test_a_mask_that_does_something_else_is_named(good, tmp_path, text, words):
    texts = read(good.events, {**good.options, "mask": written(tmp_path, text)})
    assert words in " ".join(texts)


def test_one_shape_that_takes_most_of_the_photons_has_one_warning(good, tmp_path):
    texts = read(good.events, {**good.options, "mask": written(tmp_path, around(450.0))})
    assert len([text for text in texts if "takes" in text or "the masks take" in text]) == 1


def test_a_mask_whose_shapes_hold_no_sources_is_named(good, tmp_path):
    # Farther than the shifts that are searched.
    mask = write_mask(tmp_path / "moved.reg", moved=(70.0, -50.0))
    events, options = with_events(good, tmp_path, drawn_photons(n_sky=60_000))
    texts = read(events, {**options, "mask": str(mask)})
    assert "hold no more photons than their surroundings" in " ".join(texts)


def test_regions_cut_out_of_the_events_but_not_of_the_map_are_named(good, tmp_path):
    holes = "&".join(f"!circle({4000 + 50 * i},4100,8)" for i in range(3))
    field = f"rectangle(1,1,8192,8192)&{holes}"
    events, options = with_events(good, tmp_path, DSTYP1="sky(x,y)", DSVAL1=field)
    (text,) = read(events, {**options, "mask": ()})
    assert "3 regions were cut out of its photons" in text


@pytest.mark.parametrize("moved", [(25.0, 0.0), (-20.0, 30.0)], ids=str)
def test_a_mask_in_another_frame_or_epoch_is_named(good, tmp_path, moved):
    mask = write_mask(tmp_path / "moved.reg", moved=moved)
    (text,) = read(good.events, {**good.options, "mask": str(mask)})
    assert "in another frame or epoch" in text


def test_a_list_of_sources_as_a_region_to_keep_is_named(good):
    options = {**good.options, "mask": (), "region": str(good.mask)}
    assert "a list of sources to leave out?" in " ".join(read(good.events, options))


def scaled(factor):
    return lambda values: values * factor


IMAGES = {
    "smoothed": (lambda v: gaussian_filter(v.astype(float), 2), {}, "smoothed"),
    "smoothed and rounded": (
        lambda v: np.round(gaussian_filter(20.0 * v, 2)),
        {},
        "neighbouring pixels scatter",
    ),
    "divided by the exposure": (
        lambda v: v / np.where(exposure_values() > 0, exposure_values(), 1),
        {},
        "not whole",
    ),
    "divided by a relative exposure": (
        lambda v: v / np.maximum(exposure_values() / exposure_values().max(), 0.3),
        {},
        "not whole",
    ),
    "background-subtracted": (lambda v: v - 0.01, {}, "is a background subtracted?"),
    "background-subtracted and clipped": (lambda v: np.clip(v - 0.01, 0, None), {}, "not whole"),
    "counts per second": (lambda v: v / TIME * 100, {}, "multiples of 0.005"),
    "multiplied": (scaled(4), {}, "multiples of 4"),
    "a band that its header contradicts": (
        scaled(1),
        {"ENERGYLO": 2.0, "ENERGYHI": 7.0, "DSTYP1": "energy", "DSVAL1": "500:2000"},
        "DSVAL",
    ),
}


@pytest.mark.parametrize(("change", "changes", "words"), IMAGES.values(), ids=IMAGES)
def test_an_image_of_something_else_than_counts_is_named(good, tmp_path, change, changes, words):
    values = change(counts_of(drawn_photons()))
    events, options = with_image(good, tmp_path, values, **changes)
    assert words in " ".join(read(events, {**options, "energy_kev": None}))


BACKGROUNDS = {
    "the events themselves": (
        lambda good, folder: {"background": ("sky", str(good.events))},
        "is the file of the photons itself",
    ),
    "with the sources in it": (
        lambda good, folder: with_background(good, folder, of_sources())[1],
        "it has sources in it",
    ),
    "of another band": (
        lambda good, folder: with_background(good, folder, counts(), ENERG_LO=2.0, ENERG_HI=7.0)[1],
        "the background is for 2-7 keV",
    ),
    "a level 1e3 too low": (lambda good, folder: {"background": "sky=5e-13"}, "another unit"),
    "a level 1e6 too low": (lambda good, folder: {"background": "sky=5e-16"}, "another unit"),
    "a level 1e3 too high": (lambda good, folder: {"background": "sky=5e-7"}, "more than the"),
    "a level 1e6 too high": (lambda good, folder: {"background": "sky=5e-4"}, "more than the"),
}


@pytest.mark.parametrize(("change", "words"), BACKGROUNDS.values(), ids=BACKGROUNDS)
def test_a_background_that_is_none_is_named(good, tmp_path, change, words):
    options = {**good.options, **change(good, tmp_path)}
    assert words in " ".join(read(good.events, options))


def joint(good, other, **changes):
    """Options of a joint reading of the good observation and another event list."""
    options = {k: v for k, v in good.options.items() if k not in ("exposure", "psf")}
    maps = {k: (str(getattr(good, k)),) * 2 for k in ("exposure", "psf")}
    return [good.events, other], {**options, **maps, **changes}


def second_exposure(folder, **changes):
    """Another exposure of the same sky, with other photons."""
    return write_events(folder / "second.fits", drawn_photons(seed=9), **changes)


def copied(good, folder):
    (folder / "copy.fits").write_bytes(good.events.read_bytes())
    return folder / "copy.fits"


def copied_image(good, folder):
    (folder / "copy.img").write_bytes(good.image.read_bytes())
    return folder / "copy.img"


def rescaled_map(good, folder):
    path = write_image(folder / "thousand.expmap", exposure_values() / 30, **GOOD_MAP)
    return (str(good.exposure), str(path))


JOINT = {
    "a copy": (lambda g, f: joint(g, copied(g, f)), "photons in common"),
    "the same name twice": (lambda g, f: joint(g, g.events), "given 2 times"),
    "rows of the other list": (
        lambda g, f: joint(g, write_events(f / "part.fits", rows(drawn_photons(), slice(500)))),
        "photons in common",
    ),
    "cuts in time that overlap": (
        lambda g, f: (
            [f"{g.events}[time={1e8}:{1e8 + 9e3}]", f"{g.events}[time={1e8 + 8e3}:{1e8 + 2e4}]"],
            joint(g, g.events)[1],
        ),
        "photons in common",
    ),
    "a copy of a counts image": (
        lambda g, f: ([g.image, copied_image(g, f)], joint(g, g.events)[1]),
        "the same counts in the same pixels",
    ),
    "two bands": (
        lambda g, f: (
            [
                write_image(
                    f / "hard.img", counts_of(drawn_photons(seed=9)), ENERGYLO=2.0, ENERGYHI=7.0
                ),
                g.image,
            ],
            joint(g, g.events, energy_kev=None)[1],
        ),
        "2:7 and 0.5:2 keV",
    ),
    "one map for two pointings": (
        lambda g, f: joint(g, second_exposure(f, OBS_ID="4322", ROLL_PNT=60.0)),
        "with one exposure map",
    ),
    "maps of two units": (
        lambda g, f: joint(g, second_exposure(f), exposure=rescaled_map(g, f)),
        "photons per unit of exposure",
    ),
}


@pytest.mark.parametrize(("change", "words"), JOINT.values(), ids=JOINT)
def test_observations_that_do_not_belong_together_are_named(good, tmp_path, change, words):
    assert words in " ".join(read(*change(good, tmp_path), several=True))


SCORED = {
    "cut to another band": (
        lambda c: c,
        {"DSTYP1": "energy", "DSVAL1": "1000:7000", "DSUNI1": "eV"},
        "the file was cut to 1:7 keV",
    ),
    "with another spectrum": (
        lambda c: {**c, "energy": 1500 + c["energy"] / 4},
        {},
        "energies of 1.8",
    ),
    "of another telescope": (lambda c: c, {"INSTRUME": "HRC"}, "HRC"),
    "without energies": (
        lambda c: {name: values for name, values in c.items() if name not in ("energy", "pi")},
        {},
        "its photons have no energies, so that all of them are scored",
    ),
}


@pytest.mark.parametrize(("change", "changes", "words"), SCORED.values(), ids=SCORED)
def test_photons_that_a_model_is_not_of_are_named(good, tmp_path, change, changes, words):
    fitted = gmmx.read_observation(str(good.events), **good.options)
    columns = change(drawn_photons(seed=9))
    path = write_events(tmp_path / "held_out.fits", columns, **changes)
    with pytest.warns(DataWarning, match=words):
        read_held_out(str(path), fitted)


def test_photons_that_a_model_is_of_are_not_doubted(good, tmp_path):
    fitted = gmmx.read_observation(str(good.events), **good.options)
    path = second_exposure(tmp_path, OBS_ID="4322")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_held_out(str(path), fitted)


def test_the_good_observation_is_not_doubted(good):
    assert read(good.events, good.options) == []


def test_the_good_image_is_not_doubted(good):
    assert read(good.image, good.options) == []


@pytest.mark.parametrize("grid", [1.0, 8.0, 12.0, 60.0, 2000.0])
def test_the_good_observation_on_any_grid_is_not_doubted(good, grid):
    assert read(good.events, {**good.options, "grid": grid}) == []


@pytest.mark.parametrize(("step", "cells"), [(0.02, 1500), (0.5, 60), (100.0, 5), (900.0, 1)])
def test_maps_of_any_pixels_can_be_looked_at(good, tmp_path, step, cells):
    # About the Gaussian source.
    place = {"ra": RA + 60 / 3600, "dec": DEC + 80 / 3600}
    values = np.full((cells, cells), 400 * TIME)
    path = write_image(tmp_path / "other.expmap", values, step=step, **place, **GOOD_MAP)
    options = {**good.options, "exposure": str(path), "mask": (), "background": "sky"}
    texts = read(good.events, options)
    assert [text for text in texts if "zero exposure" not in text] == []


def test_two_good_exposures_are_not_doubted(good, tmp_path):
    assert read(*joint(good, second_exposure(tmp_path)), several=True) == []


def test_halves_of_one_list_are_not_doubted(good):
    halves = [f"{good.events}[ccd_id={chips}]" for chips in ("0:1", "2:3")]
    texts = read(halves, joint(good, good.events)[1], several=True)
    assert [one for one in texts if "in common" in one] == []


@pytest.mark.parametrize("seed", range(4))
def test_a_good_background_is_not_doubted(good, tmp_path, seed):
    assert read(*with_background(good, tmp_path, counts(seed))) == []


def test_positions_of_the_maker_are_symmetric():
    x, y = positions()
    assert (x.shape, x[0, 0], y[-1, 0]) == ((CELLS, CELLS), -x[0, -1], -y[0, 0])


def test_photons_of_which_none_is_in_the_band_of_a_model_are_refused(good, tmp_path):
    fitted = gmmx.read_observation(str(good.events), **good.options)
    columns = drawn_photons(seed=9)
    path = write_events(tmp_path / "hard.fits", {**columns, "energy": columns["energy"] + 5000})
    with pytest.raises(
        DataError, match=r"it has no photon of 0\.5:2 keV, the band of .*give photons"
    ):
        read_held_out(str(path), fitted)


def test_a_map_of_another_roll_has_no_second_warning_of_its_time(good, tmp_path):
    texts = read(*with_map(good, tmp_path, ROLL_PNT=75.0, EXPOSURE=2.5 * TIME))
    assert any("ROLL_PNT 75" in text for text in texts)
    assert not any("filtered in time" in text for text in texts)


def test_the_events_as_their_own_background_have_one_warning(good):
    options = {**good.options, "background": ("sky", str(good.events))}
    assert len([text for text in read(good.events, options) if "the background is" in text]) == 1
