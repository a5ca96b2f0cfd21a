"""Event files of other detectors than ACIS: they are read, defaults are chosen, and fits run."""

import warnings

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose

from gmmx.commands.fit import described, fit
from gmmx.config import FitConfig
from gmmx.errors import DataError, DataWarning, InputError
from gmmx.io.events import read_events
from gmmx.reading.door import read_observation

HRC = {
    "TELESCOP": "CHANDRA",
    "INSTRUME": "HRC",
    "DETNAM": "HRC-I",
    "OBS_ID": "1912",
    "RA_PNT": 83.6,
    "DEC_PNT": 22.0,
    "RA_NOM": 83.6,
    "DEC_NOM": 22.0,
}
ARP299 = "real/xmm_0112810101_Arp299/Arp299_MOS1_evt_0.5-8.0keV.fits.gz"


def written(path, columns, pixel, step, keywords, *, wcs=True, half=600.0, n=4000, seed=3):
    """A file with a source on an even sky, of columns (name, format, values); None for x and y."""
    rng = np.random.default_rng(seed)
    place = (
        np.concatenate([rng.uniform(-half, half, (n // 2, 2)), rng.normal(0, 10, (n - n // 2, 2))])
        / step
        + pixel
    )
    sky = {"x": place[:, 0], "y": place[:, 1]}
    made = [
        fits.Column(name, form, array=sky.get(name.lower(), values))
        for name, form, values in columns
    ]
    table = fits.BinTableHDU.from_columns(made, name="EVENTS")
    table.header.update(keywords)
    for i, column in enumerate(table.columns.names, 1):
        if wcs and column.lower() in sky:
            is_x = column.lower() == "x"
            kind, value = (
                ("RA---TAN", keywords["RA_NOM"]) if is_x else ("DEC--TAN", keywords["DEC_NOM"])
            )
            table.header.update(
                {
                    f"TCTYP{i}": kind,
                    f"TCRVL{i}": value,
                    f"TCRPX{i}": pixel,
                    f"TCDLT{i}": (-1 if is_x else 1) * step / 3600,
                    f"TCUNI{i}": "deg",
                }
            )
            table.header.update({f"TLMIN{i}": 0.5, f"TLMAX{i}": 2 * pixel - 0.5})
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path, overwrite=True)
    return path


def hrc_events(path, *, energy=False, **options):
    rng = np.random.default_rng(1)
    columns = [
        ("time", "D", np.arange(4000.0)),
        ("crsv", "I", np.ones(4000)),
        ("chip_id", "I", np.zeros(4000)),
        ("x", "E", None),
        ("y", "E", None),
    ]
    columns += [("pha", "I", rng.integers(0, 256, 4000)), ("pi", "I", rng.integers(0, 256, 4000))]
    columns += [("energy", "E", np.zeros(4000))] if energy else []
    return written(path, columns, 16384.5, 0.1318, HRC, **options)


@pytest.mark.parametrize("energy", [False, True])
def test_hrc_has_no_energies(tmp_path, energy):
    path = hrc_events(tmp_path / "hrc.fits", energy=energy)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        events = read_events(path)
        assert len(events) == 4000
    assert events.photons.energy_kev is None
    assert_allclose([events.photons.x[2000:].std(), events.photons.y[2000:].std()], 10, rtol=0.05)
    with pytest.warns(DataWarning) as caught:
        observation = read_observation(path)
    assert len(caught) == 2
    assert observation.pointing.band_kev is None
    assert "energy: all (the file has no energies)" in described(observation)
    assert observation.pointing.choices["exposure"].startswith("uniform")
    assert_allclose(observation.completeness.exposure.sum(), 1200**2, rtol=0.02)
    with pytest.raises(DataError, match="give `energy_kev` as all"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read_observation(path, energy_kev="0.5:2")
    with pytest.raises(DataError, match="no energies" if energy else "no column energy"):
        read_events(f"{path}[energy=500:2000]")
    assert len(read_events(f"{path}[pi=20:200]")) == np.count_nonzero(
        (fits.getdata(path, 1)["pi"] >= 20) & (fits.getdata(path, 1)["pi"] <= 200)
    )


def test_hrc_without_wcs_takes_its_own_pixels(tmp_path):
    path = hrc_events(tmp_path / "hrc.fits", wcs=False)
    with pytest.warns(DataWarning, match=r"pixel 16384\.5, 0\.1318 arcsec"):
        events = read_events(path)
    assert_allclose(
        events.photons.x, read_events(hrc_events(tmp_path / "whole.fits")).photons.x, atol=1e-6
    )


@pytest.mark.filterwarnings("ignore::gmmx.errors.DataWarning")
def test_hrc_is_fitted(tmp_path):
    path = hrc_events(tmp_path / "hrc.fits")
    _, result = fit(
        [f"{path}[sky=circle(16384.5,16384.5,2000)]"],
        config=FitConfig(n_components=1, grid=4.0, psf=("0.5",)),
    )
    assert_allclose(result.mixture.fluxes, 2000, rtol=0.1)
    assert_allclose(np.sqrt(result.mixture.covariances[0, 0, 0]), 10, rtol=0.1)


@pytest.mark.parametrize("instrument", ["EMOS2", "EPN"])
def test_xmm_has_upper_case_and_whole_pixels(tmp_path, instrument):
    rng = np.random.default_rng(5)
    columns = [
        ("TIME", "D", np.arange(4000.0)),
        ("X", "J", None),
        ("Y", "J", None),
        ("PI", "I", rng.integers(200, 12000, 4000)),
    ]
    columns += [
        ("FLAG", "J", rng.integers(0, 2, 4000)),
        ("PATTERN", "B", rng.integers(0, 13, 4000)),
        ("CCDNR", "B", rng.integers(1, 8, 4000)),
    ]
    keywords = {
        "TELESCOP": "XMM",
        "INSTRUME": instrument,
        "RA_NOM": 172.1,
        "DEC_NOM": 58.5,
        "RA_PNT": 172.1,
        "DEC_PNT": 58.5,
    }
    path = written(tmp_path / "xmm.fits", columns, 25921.0, 0.05, keywords)
    data = fits.getdata(path, 1)
    with pytest.warns(DataWarning) as caught:
        observation = read_observation(path, grid=8.0)
    assert len(caught) == 2
    # Nothing is cut that nobody asked to cut.
    assert observation.n_photons == 4000
    lines = described(observation)
    assert f"energy: all (no default band for {instrument})" in lines
    assert "psf: none (no PSF was given)" in lines
    kept = read_events(f"{path}[FLAG=0,PATTERN<=4][PI=500:2000]")
    assert len(kept) == np.count_nonzero(
        (data["FLAG"] == 0) & (data["PATTERN"] <= 4) & (data["PI"] >= 500) & (data["PI"] <= 2000)
    )
    assert kept.pointing.recorded_band_kev == (0.5, 2.0)
    with pytest.raises(DataError, match="no column energy"):
        read_events(f"{path}[energy=500:2000]")
    with pytest.raises(InputError, match=r"did you mean 0\.5:2\?"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read_observation(path, energy_kev="500:2000")


@pytest.mark.filterwarnings("ignore::gmmx.errors.DataWarning")
def test_a_real_xmm_observation(shared_data):
    observation = read_observation(
        f"{shared_data / ARP299}[FLAG=0,PATTERN<=12][sky=circle(25921,25921,6000)]", grid=4.0
    )
    assert observation.pointing.chips is None
    assert observation.pointing.band_kev == (0.5, 8.0)
    assert 8000 < observation.n_photons < 32806
    assert observation.completeness.unit == ""


def make_channels(path, telescope, instrument, energies, *, width, first=0.0):
    """An event list with channels of a fixed width [eV] from an energy [eV], and no energies."""
    channels = np.floor((energies - first) / width)
    columns = [("x", "E", None), ("y", "E", None), ("PI", "J", channels)]
    keywords = {"TELESCOP": telescope, "INSTRUME": instrument, "RA_NOM": 10.0, "DEC_NOM": 5.0}
    written(path, columns, 500.5, 2.0, keywords, n=len(energies))
    return path


@pytest.mark.parametrize(
    ("telescope", "instrument", "width", "first"),
    [
        ("NuSTAR", "FPMA", 40, 1600),
        ("NuSTAR", "FPMB", 40, 1600),
        ("SWIFT", "XRT", 10, 0),
        ("SUZAKU", "XIS1", 3.65, 0),
        ("XRISM", "XTEND", 6, 0),
        ("XRISM", "RESOLVE", 0.5, 0),
        ("HITOMI", "SXI", 6, 0),
        ("IXPE", "DU1", 40, 0),
        ("ROSAT", "PSPCB", 10, 0),
        ("XMM", "EPN", 1, 0),
        ("eROSITA", "TM1", 1, 0),
    ],
)
@pytest.mark.parametrize("band", [(2.0, 5.0), (2.4, 4.0)])
def test_channels_of_each_mission_select_by_energy(
    tmp_path, telescope, instrument, width, first, band
):
    energies = np.random.default_rng(8).uniform(1700, 6000, 3000)
    path = make_channels(
        tmp_path / "evt.fits", telescope, instrument, energies, width=width, first=first
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read_events(path).photons.energy_kev
    # A channel's centre is at most half a channel away, and an energy in eV is its lower edge.
    assert np.abs(1000 * found - energies).max() <= (width if width == 1 else width / 2) + 1e-6
    inside = np.count_nonzero((energies >= 1000 * band[0]) & (energies <= 1000 * band[1]))
    kept = np.count_nonzero((found >= band[0]) & (found <= band[1]))
    assert kept == pytest.approx(inside, abs=4 * np.sqrt(3000 * width / 4300) + 1)


def test_a_filter_by_channels_sets_the_band_to_their_edges(tmp_path):
    energies = np.random.default_rng(8).uniform(3000, 79000, 500)
    path = make_channels(tmp_path / "evt.fits", "NuSTAR", "FPMA", energies, width=40, first=1600)
    band = read_events(f"{path}[pi=35:1909]").pointing.recorded_band_kev
    assert band == pytest.approx((3.0, 78.0))


def test_an_unknown_mission_is_told_how_to_filter_channels(tmp_path):
    path = make_channels(tmp_path / "evt.fits", "EINSTEIN", "IPC", np.full(50, 2000.0), width=100)
    with pytest.raises(DataError, match=r"or filter the channels by evt.fits\[pi=LO:HI\]"):
        read_observation(path, energy_kev=(1, 3))
