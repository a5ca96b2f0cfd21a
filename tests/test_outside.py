"""Region files that do not touch the field, and region files that name no coordinate system."""

import re
from pathlib import Path

import numpy as np
import pytest
import regions
from astropy.coordinates import SkyCoord
from astropy.io import fits
from made_files import DEC0, RA0, event_hdus, flat, image_hdus

import gmmx
from gmmx.commands.fit import described
from gmmx.errors import DataError, DataWarning, InputError
from gmmx.io.regions import read_regions
from gmmx.plane.frame import PhysicalFrame, SkyFrame

FRAME = SkyFrame(RA0, DEC0)
PHYSICAL = PhysicalFrame(4096.5, 4096.5, 0.492, 0.492)
GALACTIC = SkyCoord(RA0, DEC0, unit="deg").galactic
# A circle in the field, beside the Gaussian in its middle.
ON_SKY = f'circle({RA0},{DEC0 + 0.015},10")'
FAR = f'fk5\ncircle({RA0},{DEC0 + 3.2},10")\n'


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    event_hdus().writeto("events.fits")
    image_hdus(flat(3e5)).writeto("expmap.fits")
    return tmp_path


def read(**options):
    return gmmx.read_observation(
        "events.fits", exposure="expmap.fits", psf="none", energy_kev="0.5:2", **options
    )


def read_mask(text, **options):
    Path("mask.reg").write_text(text)
    return read(mask="mask.reg", **options)


# A frame that the file names


@pytest.mark.parametrize(
    "head",
    [
        "global color=green include=1 fk5",
        "global coordsys fk5",
        "global coordsys=icrs color=red",
        'global fk5 font="helvetica 10 normal physical"',
        "fk5",
        "J2000",
    ],
)
def test_a_system_may_stand_on_the_global_line(files, head):
    masked = read_mask(f"# Region file format: DS9 version 4.1\n{head}\n{ON_SKY}\n")
    (record,) = masked.pointing.masks
    assert record.area_arcmin2 == pytest.approx(np.pi * 100 / 3600, rel=0.01)
    assert record.n_outside == 0


@pytest.mark.parametrize("head", ["global wcsa", "global coordsys detector", "wcsb"])
def test_a_system_of_one_image_is_refused(files, head):
    with pytest.raises(DataError, match=r"mask.reg, line 1: .* that belong to one image"):
        read_mask(f"{head}\n{ON_SKY}\n")


def test_expressions_of_sas_are_in_physical_pixels(tmp_path):
    (tmp_path / "sas.reg").write_text(
        "((X,Y) IN circle(4096,4096,20))&&!((X,Y) in CIRCLE(4100,4096,2))||(X,Y) IN box(9,9,2,2,0)"
    )
    (tmp_path / "ciao.reg").write_text("circle(4096,4096,20)*!circle(4100,4096,2)+box(9,9,2,2,0)")
    sas, ciao = (
        read_regions(tmp_path / name, frame=FRAME, physical=PHYSICAL)
        for name in ("sas.reg", "ciao.reg")
    )
    assert sas.area() == ciao.area() > 0


def test_a_value_of_another_setting_is_no_system(files):
    global_line = "global text={fk5} tag=fk5 delete=1"
    masked = read_mask(f"{global_line}\ncircle(4196.5,4096.5,20)\n")
    assert masked.pointing.masks[0].area_arcmin2 == pytest.approx(
        np.pi * (20 * 0.492) ** 2 / 3600, rel=0.01
    )


# A list that touches nothing


@pytest.mark.parametrize(
    ("system", "place", "cause"),
    [
        ("fk5", "10.000,2.2", "if the coordinates were right ascensions in hours"),
        ("ecliptic", f"{GALACTIC.l.deg},{GALACTIC.b.deg}", "if the coordinates were galactic"),
        ("fk5", "10,60", "is it the region file of another observation"),
    ],
)
def test_a_shape_on_the_other_side_of_the_sky_is_an_error_with_its_cause(
    files, system, place, cause
):
    with pytest.raises(DataError, match=f"line 2: .* 90 degrees or more .*{cause}"):
        read_mask(f'{system}\ncircle({place},10")\n')


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (FAR, r"the nearest shape is 3\.1\d deg away: is it the region file of another obs"),
        (f'fk5\ncircle({GALACTIC.l.deg},{GALACTIC.b.deg},10")\n', "were galactic"),
        ("physical\ncircle(30,30,4)\n", "were image pixels"),
        ("image\ncircle(4096.5,4096.5,4)\n", "were physical pixels"),
        (f"physical\n{ON_SKY}\n", r"were right ascension and declination of J2000 \(fk5\)"),
        ("# Region file format: CIAO version 1.0\ncircle(9000,9000,9)\n", "nearest shape is"),
    ],
    ids=["far", "galactic", "image", "physical", "degrees", "CIAO"],
)
def test_a_mask_that_touches_nothing_is_a_warning_with_its_cause(files, text, cause):
    with pytest.warns(DataWarning, match=f"mask.reg: its shape does not touch the field.*{cause}"):
        masked = read_mask(text)
    assert masked.pointing.masks[0].n_outside == 1


@pytest.mark.parametrize(
    "text",
    [
        f"# Region file format: DS9 version 4.1\n{ON_SKY}\n",
        f"circle({RA0},{DEC0},0.01)\n",
        "circle(9000,9000,9)\n",
        "-circle(9000,9000,9)\n",
    ],
)
def test_a_mask_without_a_system_that_touches_nothing_is_an_error(files, text):
    with pytest.raises(DataError, match=r"mask.reg: its shape .* the file names no coordinate sys"):
        read_mask(text)


@pytest.mark.parametrize("text", ["circle(4196.5,4096.5,20)\n", '-circle(10:00:04,2:12:00,9")\n'])
def test_a_mask_without_a_system_that_touches_the_field_is_read(files, text):
    assert read_mask(text).pointing.masks[0].n_outside == 0


def test_shapes_outside_are_counted(files):
    masked = read_mask(f'fk5\n{ON_SKY}\ncircle({RA0},{DEC0 + 1},5")\ncircle({RA0},3.9,5")\n')
    assert masked.pointing.masks[0].n_outside == 2
    assert any("mask.reg, 3 shapes (2 outside the field), " in line for line in described(masked))


def test_a_shape_whose_box_alone_touches_the_field_is_outside(files):
    # The field is a square of 240 arcsec. The box of this circle overlaps its corner.
    offset = 120 + 60 * 0.8
    x, y = (4096.5 + offset / 0.492,) * 2
    with pytest.warns(DataWarning, match="does not touch the field"):
        read_mask(f"physical\ncircle({x},{y},{60 / 0.492})\n")


def test_a_region_outside_says_why_nothing_is_left(files):
    Path("keep.reg").write_text(f'fk5\ncircle({GALACTIC.l.deg},{GALACTIC.b.deg},10")\n')
    with pytest.raises(DataError, match=r"none of .* lies in the region .*were galactic.*nothing"):
        read(region="keep.reg")


def test_sources_outside_say_why_none_is_fitted(files):
    observation = read()
    Path("sources.reg").write_text(f'fk5\ncircle({GALACTIC.l.deg},{GALACTIC.b.deg},3")\n')
    with pytest.raises(InputError, match=r"none of 1 sources can be fitted .*were galactic"):
        gmmx.fit(observation, n_components=1, sources="sources.reg")


def test_a_filter_that_touches_nothing_is_a_warning(files):
    with pytest.warns(DataWarning, match="touch the field, so that this mask does nothing"):
        gmmx.read_observation(
            "events.fits[exclude sky=circle(9000,9000,9)]", exposure="expmap.fits", psf="none"
        )


def test_objects_that_touch_nothing_are_a_warning(files):
    circle = regions.Regions.parse(FAR, format="ds9")
    with pytest.warns(DataWarning, match=r"CircleSkyRegion: its shape .* 3\.1\d deg away"):
        read(mask=circle)


def make_table(path, *, wcs=False, **columns):
    formats = {
        "SHAPE": "16A",
        **{k: f"{np.shape(v)[1]}D" for k, v in columns.items() if np.ndim(v) > 1},
    }
    table = fits.BinTableHDU.from_columns(
        [fits.Column(k, formats.get(k, "D"), array=v) for k, v in columns.items()], name="REGION"
    )
    if wcs:
        for n, kind, value, step in ((2, "RA---TAN", RA0, -1), (3, "DEC--TAN", DEC0, 1)):
            table.header[f"TCTYP{n}"], table.header[f"TCRVL{n}"] = kind, value
            table.header[f"TCRPX{n}"], table.header[f"TCDLT{n}"] = 4096.5, step * 0.492 / 3600
            table.header[f"TCUNI{n}"] = "deg"
    table.writeto(path)


@pytest.mark.parametrize(("wcs", "outcome"), [(True, DataWarning), (False, DataError)])
def test_a_table_that_touches_nothing_is_told(files, wcs, outcome):
    # The package `regions` writes image pixels where CIAO writes physical ones.
    make_table("table.fits", wcs=wcs, SHAPE=["circle"], X=[60.0], Y=[60.0], R=[4.0])
    check = pytest.raises if issubclass(outcome, Exception) and not wcs else pytest.warns
    with check(outcome, match="were image pixels"):
        read(mask="table.fits")


def test_a_mask_of_a_mosaic_need_not_touch_each_field(files):
    event_hdus(ra=RA0 + 0.05).writeto("east.fits")
    image_hdus(flat(3e5), ra=RA0 + 0.05).writeto("east.expmap")
    Path("mask.reg").write_text(f'fk5\ncircle({RA0 + 0.07},{DEC0},5")\n')
    west, east = gmmx.read_observations(
        ["events.fits", "east.fits"],
        exposure=("expmap.fits", "east.expmap"),
        mask="mask.reg",
        psf="none",
    )
    assert [o.pointing.masks[0].n_outside for o in (west, east)] == [1, 0]


def test_sources_in_physical_pixels_are_refused_for_several_pointings(files):
    event_hdus(ra=RA0 + 0.02).writeto("east.fits")
    image_hdus(flat(3e5), ra=RA0 + 0.02).writeto("east.expmap")
    pair = gmmx.read_observations(
        ["events.fits", "east.fits"], exposure=("expmap.fits", "east.expmap"), psf="none"
    )
    Path("sources.reg").write_text("physical\ncircle(4096.5,4096.5,8)\n")
    with pytest.raises(InputError, match=r"sources.reg: physical pixels mean another place"):
        gmmx.fit(pair, n_components=1, sources="sources.reg")


# Polygons of tables that are filled up

TRIANGLE = [(4076.5, 4076.5), (4116.5, 4076.5), (4096.5, 4116.5)]


@pytest.mark.parametrize(
    "filling",
    [[(np.nan, np.nan)] * 3, [(0.0, 0.0)] * 3, [(0.0, 0.0)], [TRIANGLE[-1]] * 3, [TRIANGLE[0]]],
    ids=["NaN", "zeros", "one zero", "last corner", "first corner"],
)
def test_a_polygon_is_read_without_what_fills_it_up(tmp_path, filling):
    x, y = np.array([[*TRIANGLE, *filling]]).transpose(2, 0, 1)
    make_table(tmp_path / "t.fits", SHAPE=["polygon"], X=x, Y=y)
    shapes = read_regions(tmp_path / "t.fits", frame=FRAME, physical=PHYSICAL)
    assert shapes.area() == pytest.approx(800 * 0.492**2, rel=1e-3)


def test_a_polygon_whose_last_corner_may_be_padding_is_refused(tmp_path):
    corners = [(-9.0, 0.0), (-9.0, 9.0), (9.0, 9.0), (0.0, 0.0)]
    x, y = np.array([corners]).transpose(2, 0, 1)
    make_table(tmp_path / "t.fits", SHAPE=["polygon"], X=x, Y=y)
    with pytest.raises(DataError, match=re.escape("the last corner is (0, 0), which may be pad")):
        read_regions(tmp_path / "t.fits", frame=FRAME, physical=PHYSICAL)


# Values that no shape can have


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("circle(1e400,4096,2)", "1e400 is too large"),
        ("circle(4096,4096,1e300)", "1e300 is too large"),
        ("circle(4096,,4096,2)", "a value is missing between two commas"),
        ("circle(4096,4096,nan)", "nan is not a number"),
    ],
)
def test_impossible_values_are_refused_with_their_line(tmp_path, text, message):
    (tmp_path / "odd.reg").write_text(f"physical\n{text}\n")
    with pytest.raises(DataError, match=f"odd.reg, line 2: .*{message}"):
        read_regions(tmp_path / "odd.reg", frame=FRAME, physical=PHYSICAL)


@pytest.mark.parametrize(
    "text",
    [
        "circle(4096,4096,1e-300)",
        "ellipse(4096,4096,3,0,0)",
        "polygon(1,1,2,2,3,3)",
        "box(9,9,0,2)",
    ],
)
def test_shapes_without_area_are_left_out(tmp_path, text):
    (tmp_path / "thin.reg").write_text(f"physical\n{text}\ncircle(4096,4096,2)\n")
    with pytest.warns(DataWarning, match="1 entry covers no area"):
        shapes = read_regions(tmp_path / "thin.reg", frame=FRAME, physical=PHYSICAL)
    assert shapes.n_shapes == 1
