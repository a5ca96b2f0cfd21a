"""Event lists and images in every form in which keywords place them on the sky."""

from dataclasses import dataclass, field

import numpy as np
from astropy import units
from astropy.coordinates import FK4, FK5, BarycentricMeanEcliptic, FK4NoETerms, SkyCoord
from astropy.io import fits
from astropy.time import Time
from astropy.wcs import WCS

CENTRE = SkyCoord(150.0, 2.2, unit="deg")
PIXEL, ZERO = 0.492, 4096.5
COLUMNS = ("energy", "x", "y", "detx", "dety")
# The names of the keywords for CTYPE, CRVAL, CRPIX, CDELT, CUNIT and CROTA.
NAMES = {
    "": ("TCTYP{n}", "TCRVL{n}", "TCRPX{n}", "TCDLT{n}", "TCUNI{n}", "TCROT{n}"),
    "A": ("TCTY{n}A", "TCRV{n}A", "TCRP{n}A", "TCDE{n}A", "TCUN{n}A", "TCRO{n}A"),
    "image": ("CTYPE{n}", "CRVAL{n}", "CRPIX{n}", "CDELT{n}", "CUNIT{n}", "CROTA{n}"),
    "image A": ("CTYPE{n}A", "CRVAL{n}A", "CRPIX{n}A", "CDELT{n}A", "CUNIT{n}A", "CROTA{n}A"),
    "SAS": ("REF{a}CTYP", "REF{a}CRVL", "REF{a}CRPX", "REF{a}CDLT", "REF{a}CUNI", "REF{a}CROT"),
}


@dataclass(frozen=True)
class Form:
    """A form of keywords, and the projection that they describe.

    Attributes
    ----------
    name : str
    names : {"", "A", "SAS", "image", "image A"}
        Row of NAMES.
    matrix : {"", "TP", "TPC", "TC", "TCD", "TCROT", "PC", "CD", "CROTA"}
        Keywords of the matrix.
    keys : dict
        Further keywords; {x} and {y} stand for the numbers of the columns. None removes a keyword.
    primary : dict
        Keywords of the primary header.
    columns : tuple of str
    turn : float
        Turn of the pixels [deg].
    steps : (float, float)
        CDELT over the pixel's size.
    skew : float
        Element of the matrix beside the turn.
    code : str
        Projection.
    axes : (str, str)
        Names of the coordinates of X and Y.
    system : str or astropy frame
    at : SkyCoord
        Reference direction.
    lonpole : float or None
    pv : tuple
        Parameters of the projection.
    unit : float
        Unit of the coordinates [deg].
    is_plain : bool
        Whether pixels and plane are those of the first form, so that a fit must be the same.
    pixel : float
        Side of a pixel [arcsec].
    zero : (float, float)
        CRPIX.
    """

    name: str
    names: str = ""
    matrix: str = ""
    keys: dict = field(default_factory=dict)
    primary: dict = field(default_factory=dict)
    columns: tuple = COLUMNS
    turn: float = 0.0
    steps: tuple = (-1.0, 1.0)
    skew: float = 0.0
    code: str = "TAN"
    axes: tuple = ("RA", "DEC")
    system: object = "icrs"
    at: SkyCoord = field(default_factory=lambda: CENTRE)
    lonpole: float | None = None
    pv: tuple = ()
    unit: float = 1.0
    is_plain: bool = False
    pixel: float = PIXEL
    zero: tuple = (ZERO, ZERO)

    def __str__(self):
        return self.name.replace(" ", "-")

    @property
    def pc(self):
        c, s = np.cos(np.radians(self.turn)), np.sin(np.radians(self.turn))
        return np.array([[c, -s + self.skew], [s, c]])

    def wcs(self):
        """The projection as an astropy WCS of X and Y."""
        wcs, at = WCS(naxis=2), self.at.transform_to(self.system).spherical
        values = {"RA": at.lon.deg, "DEC": at.lat.deg, "LON": at.lon.deg, "LAT": at.lat.deg}
        wcs.wcs.ctype = [f"{axis:-<4}-{self.code}" for axis in self.axes]
        wcs.wcs.crval = [values[axis[-3:]] if axis != "RA" else values[axis] for axis in self.axes]
        wcs.wcs.crpix = self.zero
        wcs.wcs.cdelt = [step * self.pixel / 3600 for step in self.steps]
        wcs.wcs.pc = self.pc
        if self.lonpole is not None:
            wcs.wcs.lonpole = self.lonpole
        if self.pv:
            wcs.wcs.set_pv(list(self.pv))
        return wcs

    def pixels(self, sky):
        """X and Y of directions."""
        there = sky.transform_to(self.system).spherical
        world = {"lon": there.lon.deg, "lat": there.lat.deg}
        order = [
            world["lon" if axis == "RA" or axis.endswith("LON") else "lat"] for axis in self.axes
        ]
        return self.wcs().wcs_world2pix(*order, 1)

    def write(self, path, sky, energy):
        """Write the event list."""
        x, y = self.pixels(sky)
        values = {"energy": energy, "x": x, "y": y, "detx": x, "dety": y}
        table = fits.BinTableHDU.from_columns(
            [fits.Column(name, "D", array=values[name]) for name in self.columns], name="EVENTS"
        )
        table.header.update(TELESCOP="TEST", INSTRUME="CAMERA", EXPOSURE=1000.0)
        numbers = [self.columns.index(name) + 1 for name in ("x", "y")]
        self._keywords(table.header, numbers)
        primary = fits.PrimaryHDU()
        primary.header.update(self.primary)
        fits.HDUList([primary, table]).writeto(path)
        return path

    def write_image(self, path, values, **keywords):
        """Write an image."""
        hdu = fits.PrimaryHDU(values)
        hdu.header.update(keywords)
        self._keywords(hdu.header, (1, 2))
        hdu.writeto(path)
        return path

    def directions(self, ix, iy):
        """Directions of pixels that are counted from 0, as a SkyCoord in ICRS."""
        world = dict(zip(self.axes, self.wcs().wcs_pix2world(ix, iy, 0), strict=True))
        lon, lat = (
            next(world[axis] for axis in self.axes if axis.endswith(names))
            for names in (("RA", "LON"), ("DEC", "LAT"))
        )
        return SkyCoord(lon, lat, unit="deg", frame=self.system).icrs

    def _keywords(self, header, numbers):
        """Put the keywords into a header."""
        self._wcs_keywords(header, numbers)
        for key, value in self.keys.items():
            key = key.format(x=numbers[0], y=numbers[1])
            if value is None:
                header.pop(key, None)
            else:
                header[key] = value

    def _wcs_keywords(self, header, numbers):
        wcs = self.wcs()
        for i, (n, axis) in enumerate(zip(numbers, "XY", strict=True)):
            keys = [name.format(n=n, a=axis) for name in NAMES[self.names]]
            values = [wcs.wcs.ctype[i], wcs.wcs.crval[i] / self.unit, self.zero[i]]
            values += [wcs.wcs.cdelt[i] / self.unit, "deg"]
            for key, value in zip(keys, values, strict=False):
                header[key] = value
            if self.matrix in ("TCROT", "CROTA") and i == 1:
                # Greisen & Calabretta 2002, equation 189.
                header[keys[5]] = self.turn * self.steps[0] * self.steps[1]
            elif self.matrix not in ("", "TCROT", "CROTA"):
                replaces = self.matrix in ("TC", "TCD", "CD")
                if replaces:
                    del header[keys[3]]
                for j, k in enumerate(numbers):
                    factor = wcs.wcs.cdelt[i] / self.unit if replaces else 1.0
                    key = f"{self.matrix}{n}_{k}{'A' if self.names.endswith('A') else ''}"
                    header[key] = self.pc[i, j] * factor


def plain(name, **given):
    """A form with the pixels and the plane of the plain one."""
    return Form(name, is_plain=True, **given)


DETECTOR = {
    "TCTYP4": "LONG-TAN",
    "TCTYP5": "NPOL-TAN",
    "TCRVL4": 0.0,
    "TCRVL5": 0.0,
    "TCDLT4": 1.0,
    "TCDLT5": 1.0,
    "TCRPX4": 1.0,
    "TCRPX5": 1.0,
    "LONP4": 270.0,
    "TPC4_5": 0.5,
}
J1975, B1900 = Time(1975, format="jyear"), Time(1900, format="byear")
B1950 = Time(1950, format="byear")
FAR = CENTRE.directional_offset_by(30 * units.deg, 2 * units.deg)

FORMS = (
    # Forms of the keywords.
    plain("TCDLT"),
    plain("TPC, the unit matrix", matrix="TPC"),
    plain("TP, the unit matrix", matrix="TP"),
    plain("TCD in place of TCDLT", matrix="TCD"),
    plain("TC in place of TCDLT", matrix="TC"),
    plain("TCROT 0", matrix="TCROT"),
    plain("REFX alone", names="SAS"),
    plain("an alternate WCS alone", names="A"),
    plain("an alternate WCS with a matrix", names="A", matrix="TP"),
    plain("Y before X", columns=("y", "detx", "energy", "x")),
    plain("lower case", keys={"TCTYP{x}": "ra---tan", "TCTYP{y}": "dec--tan"}),
    plain("arcsec", unit=1 / 3600, keys={"TCUNI{x}": "arcsec", "TCUNI{y}": "arcsec"}),
    plain("degrees", keys={"TCUNI{x}": "degree", "TCUNI{y}": "DEG"}),
    plain("no unit", keys={"TCUNI{x}": None, "TCUNI{y}": None}),
    plain("LONP and LATP", keys={"LONP{x}": 180.0, "LATP{x}": 90.0}),
    plain("LONPOLE without a number", keys={"LONPOLE": 180.0, "LATPOLE": 0.0}),
    plain("detector columns too", keys=DETECTOR),
    # Names of the system.
    plain("RADESYS", keys={"RADESYS": "ICRS"}),
    plain("RADECSYS", keys={"RADECSYS": "ICRS"}),
    plain("RADESYS in small letters", keys={"RADESYS": "icrs"}),
    plain("RADESYS ICRF", keys={"RADESYS": "ICRF"}),
    plain("blank RADESYS", keys={"RADESYS": " "}),
    plain("RADESYS and EQUINOX", keys={"RADESYS": "ICRS", "EQUINOX": 2000.0}),
    plain("RADESYS in the primary header", primary={"RADESYS": "ICRS"}),
    plain("RADE of the column", keys={"RADE{x}": "ICRS", "RADESYS": "FK4"}),
    Form("FK5", system="fk5", keys={"RADESYS": "FK5"}),
    Form("fk5", system="fk5", keys={"RADECSYS": "fk5 ", "EQUINOX": 2000}),
    Form("FK5 of J2000", system="fk5", keys={"RADESYS": "FK5/J2000"}),
    Form("J2000", system="fk5", keys={"RADESYS": "J2000"}),
    Form("EQUINOX 2000 alone", system="fk5", keys={"EQUINOX": 2000.0}),
    Form("EQUINOX as text", system="fk5", keys={"EQUINOX": "J2000.0"}),
    Form("EQUI of the column", system="fk5", keys={"EQUI{x}": 2000.0, "EQUI{y}": 2000.0}),
    Form("FK5 of J1975", system=FK5(equinox=J1975), keys={"RADESYS": "FK5", "EQUINOX": 1975.0}),
    Form("FK4", system="fk4", keys={"RADESYS": "FK4", "EQUINOX": 1950.0}),
    Form("B1950", system="fk4", keys={"RADESYS": "B1950"}),
    Form("EQUINOX 1950 alone", system="fk4", keys={"EQUINOX": 1950.0}),
    Form("FK4 of B1900", system=FK4(equinox=B1900), keys={"RADESYS": "FK4", "EQUINOX": 1900.0}),
    Form("FK4-NO-E", system=FK4NoETerms(equinox=B1950), keys={"RADESYS": "FK4-NO-E"}),
    # Other coordinates.
    Form("galactic", system="galactic", axes=("GLON", "GLAT")),
    Form(
        "galactic, and RADESYS", system="galactic", axes=("GLON", "GLAT"), keys={"RADESYS": "FK5"}
    ),
    Form("supergalactic", system="supergalactic", axes=("SLON", "SLAT")),
    Form("ecliptic", system="barycentricmeanecliptic", axes=("ELON", "ELAT")),
    Form(
        "ecliptic of J1975",
        system=BarycentricMeanEcliptic(equinox=J1975),
        axes=("ELON", "ELAT"),
        keys={"RADESYS": "FK5", "EQUINOX": 1975.0},
    ),
    # Turned pixels.
    Form("TCROT", matrix="TCROT", turn=30.0),
    Form("TPC", matrix="TPC", turn=30.0),
    Form("TP", matrix="TP", turn=200.0),
    Form("TCD", matrix="TCD", turn=-75.0),
    Form("TC", matrix="TC", turn=90.0),
    Form("TP of an alternate WCS", names="A", matrix="TP", turn=30.0),
    Form("TCROT in SAS's form", names="SAS", matrix="TCROT", turn=30.0),
    Form("sheared", matrix="TCD", turn=20.0, skew=0.2),
    Form("X to the east", steps=(1.0, 1.0)),
    Form("both axes reversed", steps=(1.0, -1.0)),
    Form("X along declination", axes=("DEC", "RA"), steps=(1.0, -1.0)),
    Form("LONP", lonpole=150.0, keys={"LONP{x}": 150.0}),
    Form("LONPOLE", lonpole=150.0, keys={"LONPOLE": 150.0}),
    # Other projections.
    Form("SIN", code="SIN"),
    Form("turned SIN", code="SIN", matrix="TPC", turn=40.0),
    Form(
        "slant SIN",
        code="SIN",
        pv=((2, 1, 0.1), (2, 2, -0.2)),
        keys={"TV{y}_1": 0.1, "TV{y}_2": -0.2},
    ),
    Form("ARC", code="ARC"),
    Form("ZEA", code="ZEA"),
    Form("STG", code="STG"),
    Form("CAR", code="CAR"),
    Form("AIT, 2 degrees away", code="AIT", at=FAR),
    Form("galactic CAR", code="CAR", system="galactic", axes=("GLON", "GLAT"), at=FAR),
)


SIZE = (41, 60)
RADEC_FK5 = {"RADECSYS": "FK5", "EQUINOX": 2000.0}


def image(name, **given):
    """A form of an image of SIZE, in pixels of 2 arcsec."""
    zero = given.pop("zero", (25.0, 18.5))
    return Form(name, names=given.pop("names", "image"), pixel=2.0, zero=zero, **given)


SLANT = {"PV2_1": 0.1, "PV2_2": 0.2}

IMAGE_FORMS = (
    image("CDELT"),
    image("CROTA2", matrix="CROTA", turn=30.0),
    image("PC", matrix="PC", turn=-50.0),
    image("CD", matrix="CD", turn=160.0),
    image("sheared", matrix="CD", turn=20.0, skew=0.02),
    image("alternate", names="image A"),
    image("turned alternate", names="image A", matrix="PC", turn=30.0),
    image("alternate beside pixels", names="image A", keys={"CTYPE1": "DETX", "CTYPE2": "DETY"}),
    image("LONPOLE", lonpole=130.0, keys={"LONPOLE": 130.0}),
    image("to the east", steps=(1.0, 1.0)),
    image("declination first", axes=("DEC", "RA"), steps=(1.0, -1.0)),
    image("lower case", keys={"CTYPE1": "ra---tan", "CTYPE2": "dec--tan"}),
    image("three axes", keys={"CTYPE3": "ENERGY", "CRVAL3": 1.0, "CRPIX3": 1.0, "CDELT3": 1.0}),
    image("arcsec", unit=1 / 3600, keys={"CUNIT1": "arcsec", "CUNIT2": "arcsec"}),
    image("FK5", system="fk5", keys={"RADESYS": "FK5", "EQUINOX": 2000.0}),
    image("fk5", system="fk5", keys={"RADECSYS": "fk5"}),
    image("J2000", system="fk5", keys={"RADESYS": "J2000"}),
    image("EQUINOX 2000 alone", system="fk5", keys={"EQUINOX": 2000.0}),
    image("FK5 of J1975", system=FK5(equinox=J1975), keys={"RADESYS": "FK5", "EQUINOX": 1975.0}),
    image("FK4", system="fk4", keys={"RADESYS": "FK4", "EQUINOX": 1950.0}),
    image("galactic", system="galactic", axes=("GLON", "GLAT")),
    image("galactic, and RADESYS", system="galactic", axes=("GLON", "GLAT"), keys=RADEC_FK5),
    image("supergalactic", system="supergalactic", axes=("SLON", "SLAT")),
    image("ecliptic", system="barycentricmeanecliptic", axes=("ELON", "ELAT")),
    image("SIN", code="SIN", keys=RADEC_FK5, system="fk5"),
    image("turned ARC", code="ARC", matrix="PC", turn=10.0),
    image("ZEA", code="ZEA"),
    image("CAR", code="CAR"),
    image("galactic CAR", code="CAR", system="galactic", axes=("GLON", "GLAT")),
    image(
        "slant SIN", code="SIN", pv=((2, 1, 0.1), (2, 2, -0.2)), keys={"PV2_1": 0.1, "PV2_2": -0.2}
    ),
)
