"""Good observations give no warning of plausible but wrong input."""

import warnings

import pytest

import gmmx
from gmmx.reading.doubts import checks, joint

ZWCL = ("17170", "17490", "5786")
MASK = "zwcl2341_sources_phys_excl.reg"


def marx(folder, events="events", **options):
    """A ray-traced observation with its map, PSF and masks."""
    maps = {name: f"{folder}/{name}.fits.gz" for name in ("expmap", "psfmap")}
    options = {"exposure": maps["expmap"], "psf": maps["psfmap"], **options}
    return [f"{folder}/{events}.fits.gz"], {"mask": f"{folder}/sources.reg", **options}


def pair(folder, **options):
    """Two ray-traced pointings."""
    several = {
        key: tuple(f"{folder}/{name}_{i}.fits.gz" for i in (1, 2))
        for key, name in (("exposure", "expmap"), ("psf", "psfmap"))
    }
    events = [f"{folder}/events_{i}.fits.gz" for i in (1, 2)]
    return events, {**several, "mask": f"{folder}/sources.reg", **options}


def zwcl(folder, *numbers, fixed="", background=True, **options):
    """Counts images with their exposure maps, and with stowed backgrounds."""
    chosen = [ZWCL[i] for i in numbers]
    start = f"{folder}/srcfree_bin4_500-2000"
    maps = tuple(f"{start}_{o}_band1_thresh.expmap_nosrcedg.gz" for o in chosen)
    stowed = tuple(f"sky,{folder}/{o}_bin4_500-2000_bgstow_goodreg.img.gz{fixed}" for o in chosen)
    options = {"exposure": maps, **({"background": stowed} if background else {}), **options}
    return [f"{start}_{o}_band1_thresh.img.gz" for o in chosen], options


def alone(path, **options):
    return [str(path)], {key: str(value) for key, value in options.items()}


OBSERVATIONS = {
    "small": lambda d: marx(d / "marx/small"),
    "small, 0.5-2 keV": lambda d: marx(d / "marx/small", energy_kev=(0.5, 2)),
    "small, physical mask": lambda d: marx(
        d / "marx/small", mask=f"{d}/marx/small/sources_phys.reg"
    ),
    "small, no mask": lambda d: marx(d / "marx/small", mask=()),
    "small, built-in PSF": lambda d: marx(d / "marx/small", psf="chandra"),
    "small, no maps": lambda d: alone(d / "marx/small/events.fits.gz"),
    "galaxy": lambda d: marx(d / "marx/galaxy"),
    "galaxy, PSF at 0.9": lambda d: marx(
        d / "marx/galaxy", psf=f"{d}/marx/galaxy/psfmap_90.fits.gz"
    ),
    "galaxy, two PSF maps": lambda d: marx(
        d / "marx/galaxy",
        psf=f"{d}/marx/galaxy/psfmap.fits.gz,{d}/marx/galaxy/psfmap_90.fits.gz",
    ),
    "galaxy, map of the particles": lambda d: marx(
        d / "marx/galaxy",
        "events_pbkg",
        background=("sky", f"{d}/marx/galaxy/bkgmap_pbkg.fits.gz"),
    ),
    "galaxy, coarse cells": lambda d: marx(d / "marx/galaxy", bin=2.0, grid=4.0),
    "pair": lambda d: pair(d / "marx/pair"),
    "point sources on the axis": lambda d: alone(d / "marx/psf/events_00.fits.gz"),
    "point sources off the axis": lambda d: alone(d / "marx/psf/events_10.fits.gz"),
    "Centaurus A": lambda d: alone(d / "real/18461_CenA/cena.fits.gz"),
    "Centaurus A, all chips": lambda d: alone(d / "real/18461_CenA/cena.fits.gz", ccd="all"),
    "Centaurus A, masked": lambda d: alone(
        d / "real/18461_CenA/cena.fits.gz", mask=d / "real/18461_CenA/cena_knots.reg"
    ),
    "B2223": lambda d: alone(d / "real/755_PSRB2223/755_7_evt2_05_8keV.fits.gz"),
    "B2223, CIAO mask": lambda d: alone(
        d / "real/755_PSRB2223/755_7_evt2_05_8keV.fits.gz",
        mask=d / "real/755_PSRB2223/755_7_holes_ciao.reg",
    ),
    "B2223, DS9 mask": lambda d: alone(
        d / "real/755_PSRB2223/755_7_evt2_05_8keV.fits.gz",
        mask=d / "real/755_PSRB2223/755_7_holes_ds9.reg",
    ),
    "B2223 with holes": lambda d: alone(
        d / "real/755_PSRB2223/755_7_holes_evt2_05_8keV.fits.gz",
        mask=d / "real/755_PSRB2223/755_7_holes_ds9.reg",
    ),
    **{
        f"ZwCl 2341, {number}": lambda d, i=i: zwcl(
            d / "real/zwcl2341_acisi", i, mask=f"{d}/real/zwcl2341_acisi/{MASK}"
        )
        for i, number in enumerate(ZWCL)
    },
    "ZwCl 2341, fixed": lambda d: zwcl(d / "real/zwcl2341_acisi", 0, fixed=":fixed"),
    "ZwCl 2341, source-free": lambda d: zwcl(
        d / "real/zwcl2341_acisi",
        1,
        background=False,
        background_region=f"{d}/real/zwcl2341_acisi/skybkg.reg",
    ),
    "ZwCl 2341, jointly": lambda d: zwcl(d / "real/zwcl2341_acisi", 0, 1, 2),
    "NGC 5044": lambda d: alone(
        d / "real/9399_NGC5044/img.fits.gz", psf=d / "real/9399_NGC5044/psf.map.gz"
    ),
    "M82": lambda d: alone(d / "real/10027_M82/chandra_test.fits.gz"),
    "M82 without energies": lambda d: alone(d / "real/10027_M82/chandra_noener_test.fits.gz"),
    "Arp 299": lambda d: alone(
        d / "real/xmm_0112810101_Arp299/Arp299_MOS1_evt_0.5-8.0keV.fits.gz", psf=5
    ),
    "a source image": lambda d: alone(
        d / "real/csc_cosmos_7999/acisf07999_000N001_r0035_regevt3_srcimg.fits.gz"
    ),
}


@pytest.fixture
def doubts(monkeypatch):
    """What the checks say of the observations that are read."""
    said = []
    for module in (checks, joint):
        monkeypatch.setattr(module, "doubts_about", noted_in(said, module.doubts_about))
    return said


def noted_in(said, doubts_about):
    """Return the same function, which adds what it finds to a list."""

    def note(evidence):
        found = doubts_about(evidence)
        said.extend(found)
        return found

    return note


def read(events, options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return gmmx.read_observations(events, **options)


@pytest.mark.parametrize("make", OBSERVATIONS.values(), ids=OBSERVATIONS)
def test_a_good_observation_is_not_doubted(shared_data, doubts, make):
    read(*make(shared_data))
    assert doubts == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "number"), [*(("small", i) for i in range(20)), *(("galaxy", i) for i in range(10))]
)
def test_a_realisation_of_a_good_observation_is_not_doubted(shared_data, doubts, name, number):
    folder = shared_data / "marx" / "realisations" / name
    original = shared_data / "marx" / name
    options = {
        "exposure": f"{folder}/expmap_hp.fits.gz",
        "psf": f"{original}/psfmap.fits.gz",
        "mask": f"{original}/sources.reg",
    }
    read([f"{folder}/events_{number:02d}.fits.gz"], options)
    assert doubts == []
