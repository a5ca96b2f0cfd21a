"""What is made from events with turned pixels, or of another system, is where they are."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from command_line import run
from made_files import flat, image_hdus
from numpy.testing import assert_allclose
from sky_forms import CENTRE, FORMS

import gmmx
from gmmx.answers.components import component_table
from gmmx.io.events import read_events
from gmmx.io.models import read_model
from gmmx.io.regions import read_regions
from gmmx.io.tables import read_table, write_table
from gmmx.plane.frame import PhysicalFrame, SkyFrame
from gmmx.reading.fixed_components import mixture_from_table

NAMES = ("TPC", "TC", "X along declination", "FK5", "FK4", "galactic", "SIN")
# Offsets of a source from the middle of the field, to the west and north [arcsec].
SOURCE = (40.0, 25.0)


@pytest.fixture(scope="module", params=NAMES)
def fitted(request, tmp_path_factory):
    """A folder with events in a form of keywords, a model of them, and the form."""
    folder = tmp_path_factory.mktemp("turned")
    form = next(form for form in FORMS if form.name == request.param)
    rng = np.random.default_rng(2)
    x, y = rng.normal(0, 1, (400, 2)).T * [[8.0], [4.0]] + np.array(SOURCE)[:, None]
    ra, dec = SkyFrame(CENTRE.ra.deg, CENTRE.dec.deg).to_sky(x, y)
    form.write(folder / "evt.fits", SkyCoord(ra, dec, unit="deg"), np.full(400, 1000.0))
    image_hdus(flat(1000.0)).writeto(folder / "expmap.fits")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        given = {"exposure": folder / "expmap.fits", "psf": "none"}
        observation = gmmx.read_observation(folder / "evt.fits", **given)
        gmmx.fit(observation, n_components=1).write(folder / "m.h5")
    return folder, form


def source():
    return SkyCoord(*SkyFrame(CENTRE.ra.deg, CENTRE.dec.deg).to_sky(*SOURCE), unit="deg")


def test_a_model_keeps_plane_and_pixels(fitted):
    folder, _ = fitted
    events, model = read_events(folder / "evt.fits"), read_model(folder / "m.h5")
    assert model.frame == events.frame
    assert model.observations[0].physical == events.physical
    assert model.coords.icrs.separation(source()).arcsec.max() < 2


@pytest.mark.parametrize("name", ["m.reg icrs", "m.reg fk5", "m.reg physical", "m_reg.fits fk5"])
def test_exported_regions_are_read_back_at_the_same_place(fitted, name, tmp_path):
    folder, _ = fitted
    model = read_model(folder / "m.h5")
    physical = model.observations[0].physical
    name, system = name.split()
    write_table(tmp_path / name, component_table(model), frame=system)
    shapes = read_regions(tmp_path / name, frame=model.frame, physical=physical)
    ((ellipse, _),) = shapes.terms[0].parts
    assert_allclose((ellipse.x, ellipse.y), model.mixture.means[0], atol=2e-3)
    turn = np.radians(ellipse.angle)
    axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    covariance = axes @ np.diag([ellipse.rx**2, ellipse.ry**2]) @ axes.T
    assert_allclose(covariance, model.mixture.covariances[0], rtol=1e-2, atol=0.1)


def test_regions_of_a_table_place_themselves_in_another_plane(fitted, tmp_path):
    model = read_model(fitted[0] / "m.h5")
    write_table(tmp_path / "m_reg.fits", component_table(model))
    frame = SkyFrame(150.1, 2.3)
    ((ellipse, _),) = read_regions(tmp_path / "m_reg.fits", frame=frame).terms[0].parts
    at = model.frame.to_frame(frame, *model.mixture.means[0])
    assert_allclose((ellipse.x, ellipse.y), at, atol=2e-3)


@pytest.mark.parametrize("name", ["m.ecsv", "m.fits"])
def test_an_exported_table_starts_a_fit_in_any_system(fitted, name, tmp_path):
    model = read_model(fitted[0] / "m.h5")
    write_table(tmp_path / name, component_table(model))
    table = read_table(tmp_path / name)
    physical = PhysicalFrame(**table.meta["physical"])
    assert_allclose(physical.matrix, model.observations[0].physical.matrix, rtol=1e-12)
    for frame in (model.frame, SkyFrame(150.1, 2.3, "ICRS"), SkyFrame(150.1, 2.3, "FK5")):
        mixture = mixture_from_table(table, frame)
        at = model.frame.to_frame(frame, *model.mixture.means[0])
        assert_allclose(mixture.means[0], at, atol=1e-3)
        # The major axis is where it was, seen from the other plane.
        tip = np.linalg.eigh(model.mixture.covariances[0])[1][:, 1]
        there = np.array(model.frame.to_frame(frame, *(model.mixture.means[0] + tip))) - at
        major = np.linalg.eigh(mixture.covariances[0])[1][:, 1]
        assert abs(there @ major) / np.hypot(*there) == pytest.approx(1, abs=1e-6)


def test_rendered_images_have_the_source_at_its_place(fitted, tmp_path):
    folder, form = fitted
    out = tmp_path / "r.fits"
    assert run("render", folder / "m.h5", "--bin", 1, "--out", out).exit_code == 0
    image, header = fits.getdata(out), fits.getheader(out)
    iy, ix = np.unravel_index(np.argmax(image), image.shape)
    there = WCS(header).pixel_to_world(ix, iy).icrs
    assert there.separation(source()).arcsec < 2
    # The physical pixels are the columns X and Y.
    physical = WCS(header, key="P").wcs_pix2world([[ix, iy]], 0)[0]
    assert_allclose(physical, np.ravel(form.pixels(there)), atol=0.03)
    scale = np.array([[header.get(f"LTM{i}_{j}", 0.0) for j in (1, 2)] for i in (1, 2)])
    shift = [header["LTV1"], header["LTV2"]]
    assert_allclose(scale @ physical + shift, [ix + 1, iy + 1], atol=1e-6)


def test_a_physical_mask_cuts_the_photons_that_its_pixels_hold(fitted, tmp_path):
    folder, form = fitted
    x, y = (float(np.ravel(v)[0]) for v in form.pixels(source()))
    with fits.open(folder / "evt.fits") as hdus:
        table = Table(hdus["EVENTS"].data)
    inside = np.hypot(table["x"] - x, table["y"] - y) < 16.03
    (tmp_path / "mask.reg").write_text(f"physical\ncircle({x:.6f},{y:.6f},16.03)\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        masked = gmmx.read_observation(
            folder / "evt.fits",
            exposure=folder / "expmap.fits",
            psf="none",
            mask=tmp_path / "mask.reg",
        )
    assert masked.dropped["mask"] == np.count_nonzero(inside) > 100


@pytest.mark.parametrize("system", ["ICRS", "FK5", "FK4"])
@pytest.mark.parametrize("regions", ["icrs", "fk5", "fk4", "galactic"])
def test_regions_of_every_system_meet_a_plane_of_every_system(system, regions, tmp_path):
    there = SkyCoord(150.01, 2.21, unit="deg").transform_to(regions).spherical
    text = f'{regions}\ncircle({there.lon.deg:.9f},{there.lat.deg:.9f},3")\n'
    (tmp_path / "c.reg").write_text(text)
    form = next(form for form in FORMS if form.name == {"ICRS": "TCDLT"}.get(system, system))
    at = form.at.transform_to(form.system)
    frame = SkyFrame(at.ra.deg, at.dec.deg, system)
    ((circle, _),) = read_regions(tmp_path / "c.reg", frame=frame).terms[0].parts
    found = SkyCoord(*frame.to_sky(circle.x, circle.y), unit="deg", frame=system.lower())
    assert found.icrs.separation(SkyCoord(150.01, 2.21, unit="deg")).arcsec < 1e-3


def test_the_region_table_of_turned_columns_is_read(tmp_path):
    form = replace(FORMS[0], matrix="TPC", turn=30.0, columns=("x", "y"))
    sky = SkyCoord([150.01, 149.98], [2.21, 2.19], unit="deg")
    form.write(tmp_path / "t.fits", sky, np.ones(2))
    with fits.open(tmp_path / "t.fits") as hdus:
        header = hdus[1].header
        columns = hdus[1].columns + fits.ColDefs(
            [
                fits.Column("SHAPE", "8A", array=["Box", "Circle"]),
                fits.Column("R", "2D", array=[[40.0, 8.0], [5.0, np.nan]]),
                fits.Column("ROTANG", "D", array=[10.0, 0.0]),
            ]
        )
        hdu = fits.BinTableHDU.from_columns(columns, name="REGION")
        for key in header:
            if key[:4] in ("TCTY", "TCRV", "TCRP", "TCDL", "TCUN") or key.startswith("TPC"):
                hdu.header[key] = header[key]
        hdu.writeto(tmp_path / "reg.fits")
    frame = SkyFrame(150.1, 2.3)
    terms = read_regions(tmp_path / "reg.fits", frame=frame).terms
    shapes = [term.parts[0][0] for term in terms]
    found = [[shape.x, shape.y] for shape in shapes]
    assert_allclose(np.transpose(found), frame.to_plane(sky.ra.deg, sky.dec.deg), atol=1e-3)
    # X points 30 degrees clockwise of west, where the plane's x points, as TPC turns it.
    x, y = form.pixels(sky[0])
    step = np.array([x, x + np.cos(np.radians(10))]), np.array([y, y + np.sin(np.radians(10))])
    ends = form.wcs().wcs_pix2world(*step, 1)
    (u0, u1), (v0, v1) = frame.to_plane(*ends)
    assert shapes[0].angle % 180 == pytest.approx(
        np.degrees(np.arctan2(v1 - v0, u1 - u0)) % 180, abs=1e-3
    )


def test_physical_regions_in_sheared_pixels_are_refused(tmp_path):
    form = next(form for form in FORMS if form.name == "sheared")
    events = read_events(form.write(tmp_path / "evt.fits", source()[None], np.full(1, 1000.0)))
    (tmp_path / "c.reg").write_text("physical\ncircle(4100,4100,10)\n")
    with pytest.raises(gmmx.DataError, match="physical pixels are not square"):
        read_regions(tmp_path / "c.reg", frame=events.frame, physical=events.physical)


def test_keywords_with_remarks_by_astropy_leave_no_trace_on_the_screen(tmp_path):
    odd = {"RADECSYS": "FK5", "EQUINOX": "2000.0", "TCUNI{x}": "DEGREES", "DATE-OBS": "01/02/99"}
    form = replace(FORMS[0], matrix="TCD", system="fk5", keys=odd)
    rng = np.random.default_rng(2)
    x, y = rng.normal(0, 8, (2, 100))
    ra, dec = SkyFrame(CENTRE.ra.deg, CENTRE.dec.deg).to_sky(x, y)
    form.write(tmp_path / "evt.fits", SkyCoord(ra, dec, unit="deg"), np.full(100, 1000.0))
    image_hdus(flat(1000.0), A_ORDER=2, A_2_0=1e-9, B_ORDER=2, B_2_0=1e-9, RADECSYS="FK5").writeto(
        tmp_path / "expmap.fits"
    )
    options = ("--exposure", tmp_path / "expmap.fits", "--psf", "none", "--k", 1)
    found = run("fit", tmp_path / "evt.fits", *options, "--out", tmp_path / "m.h5")
    assert found.exit_code == 0
    assert not any(word in found.output for word in ("FITSFixed", "astropy", "SIP", "INFO"))
