"""Regions given as objects cut photons and place sources as their files do."""

import astropy.units as u
import numpy as np
import pytest
import regions
from astropy.coordinates import SkyCoord
from astropy.io import fits
from made_files import DEC0, RA0, event_hdus, flat, image_hdus

import gmmx
from gmmx.commands.fit import fit
from gmmx.config import FitConfig
from gmmx.errors import DataError

TEXT = f'icrs\ncircle({RA0},{DEC0 + 0.01},15")\nellipse({RA0 - 0.01},{DEC0},20",8",30)\n'


@pytest.fixture
def files(tmp_path, monkeypatch):
    """An event list, its exposure map, and regions as a file."""
    monkeypatch.chdir(tmp_path)
    event_hdus().writeto("events.fits")
    image_hdus(flat(3e5)).writeto("expmap.fits")
    (tmp_path / "sky.reg").write_text(TEXT)
    return tmp_path


def read(**options):
    return gmmx.read_observation(
        "events.fits", exposure="expmap.fits", psf="none", energy_kev="0.5:2", **options
    )


def as_objects(form):
    """Return the regions of the file in one of the forms in which a person may have them."""
    found = regions.Regions.parse(TEXT, format="ds9")
    return {
        "Regions": found,
        "list": list(found),
        "compound": found[0] | found[1],
        "mixed": ["sky.reg", found[0]],
    }[form]


@pytest.mark.parametrize("form", ["Regions", "list", "compound", "mixed"])
@pytest.mark.parametrize("option", ["mask", "region", "background_region"])
def test_objects_cut_the_photons_that_their_file_cuts(files, option, form):
    by_file, by_objects = read(**{option: "sky.reg"}), read(**{option: as_objects(form)})
    assert by_objects.n_photons == by_file.n_photons
    assert np.array_equal(by_objects.photons.x, by_file.photons.x)
    np.testing.assert_allclose(
        by_objects.completeness.open_fraction, by_file.completeness.open_fraction, atol=1e-9
    )


def test_pixel_regions_count_the_pixels_of_the_exposure_map(files):
    # The map is centred on the field. Its pixel (0, 0) is the centre of the first pixel.
    middle = (np.array(flat(3e5).shape) - 1) / 2
    circle = regions.CirclePixelRegion(regions.PixCoord(middle[1], middle[0]), 10.0)
    centre = SkyCoord(RA0, DEC0, unit="deg")
    on_sky = regions.CircleSkyRegion(centre, 20 * u.arcsec)
    assert read(region=circle).n_photons == read(region=on_sky).n_photons > 100


@pytest.mark.parametrize("form", ["Regions", "list"])
def test_objects_name_the_sources_that_their_file_names(files, form):
    def fitted(name, sources):
        config = FitConfig(
            n_components=1,
            seed=1,
            exposure="expmap.fits",
            psf="1.0",
            energy_kev="0.5:2",
            sources=sources,
        )
        return fit(["events.fits"], out=f"{name}.model.h5", config=config)[1]

    by_file, by_objects = fitted("file", "sky.reg"), fitted("objects", as_objects(form))
    assert by_objects.points.sum() == by_file.points.sum() == 2
    np.testing.assert_allclose(by_objects.mixture.means, by_file.mixture.means, atol=1e-6)


def test_a_model_fitted_with_objects_is_read_back(files):
    out, _ = fit(
        ["events.fits"],
        config=FitConfig(
            n_components=1,
            psf="none",
            exposure="expmap.fits",
            energy_kev="0.5:2",
            mask=as_objects("Regions"),
        ),
    )
    assert gmmx.read(out).observations[0].masks.n_shapes == 2


def write_table(path, *, r, rotang, **units):
    """Write a FITS region table of an ellipse and a circle, with units of its columns."""
    columns = {
        "SHAPE": ("16A", ["ellipse", "circle"]),
        "X": ("D", [4030.0, 4190.0]),
        "Y": ("D", [4160.0, 4040.0]),
        "R": ("2D", r),
        "ROTANG": ("D", rotang),
    }
    made = [
        fits.Column(name, form, unit=units.get(name), array=np.array(values))
        for name, (form, values) in columns.items()
    ]
    fits.BinTableHDU.from_columns(made, name="REGION").writeto(path)


RADII, ANGLES = np.array([[40.0, 15.0], [20.0, 0.0]]), np.array([30.0, 0.0])


@pytest.mark.parametrize(
    ("factor", "turn", "units"),
    [
        (1, 1, {}),
        (1, 1, {"X": "pixel", "Y": "PIXELS", "R": "pix", "ROTANG": "deg"}),
        (1, 1, {"X": "physical", "Y": "sky", "R": "physical", "ROTANG": "DEGREES"}),
        # The Chandra Source Catalog calls its angles pixels.
        (1, 1, {"R": "pixel", "ROTANG": "pixel"}),
        (0.492, 1, {"R": "arcsec"}),
        (0.492 / 60, 1, {"R": "arcmin"}),
        (1, np.pi / 180, {"ROTANG": "rad"}),
    ],
)
def test_a_region_table_is_read_in_its_units(files, factor, turn, units):
    write_table(files / "plain_reg.fits", r=RADII, rotang=ANGLES)
    write_table(files / "other_reg.fits", r=factor * RADII, rotang=turn * ANGLES, **units)
    plain, other = read(mask="plain_reg.fits"), read(mask="other_reg.fits")
    assert 0 < plain.dropped["mask"] == other.dropped["mask"]
    np.testing.assert_allclose(
        other.completeness.open_fraction, plain.completeness.open_fraction, atol=1e-6
    )


@pytest.mark.parametrize(
    "units", [{"X": "deg", "Y": "deg"}, {"R": "furlong"}, {"R": "s"}, {"ROTANG": "s"}]
)
def test_a_region_table_in_other_quantities_is_refused_by_name(files, units):
    write_table(files / "other_reg.fits", r=RADII, rotang=ANGLES, **units)
    with pytest.raises(DataError, match=r"other_reg\.fits\[REGION\]: the column .* has the unit"):
        read(mask="other_reg.fits")
