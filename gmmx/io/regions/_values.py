"""The values between a shape's parentheses: positions, lengths and angles with their units."""

import re

from ._frames import HOURS, PIXEL_SYSTEMS, UNNAMED, Place, RegionProblem

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_VALUE = re.compile(rf"({_NUMBER})(''|[\"'dDrRpPiI])?", re.ASCII)
_SEXAGESIMAL = re.compile(r"([-+]?)(\d+)([:hHdD])(\d+)[:mM](\d+\.?\d*)[sS]?", re.ASCII)
# No place on the sky, in pixels of any size or in degrees, has a larger number.
LARGEST = 1e9
_ARCSEC = {'"': 1.0, "''": 1.0, "'": 60.0, "d": 3600.0, "r": 206264.80624709636}
_DEGREES = {None: 1.0, "d": 1.0, "r": 57.29577951308232}


class Numbers:
    """The values between a shape's parentheses, read one after the other.

    Parameters
    ----------
    text : str
        The values, separated by commas or blanks.
    system : str
        Coordinate system of the line.
    frames : Frames
    """

    def __init__(self, text, system, frames):
        if re.search(r",\s*,", text):
            raise RegionProblem("a value is missing between two commas")
        self.values = [
            value
            for value in re.split(r"[,\s]+", text.strip())
            if value and not re.fullmatch(r"n=\d+", value)
        ]
        self.system, self.frames = system, frames

    def _next(self, what):
        if not self.values:
            raise RegionProblem(f"too few values: {what} is missing")
        return self.values.pop(0)

    def _pair(self):
        """Return the system of the next position and its two coordinates."""
        systems, coordinates = zip(
            *(
                self._coordinate(self._next("a coordinate"), is_longitude)
                for is_longitude in (True, False)
            ),
            strict=True,
        )
        if systems[0] != systems[1]:
            raise RegionProblem("the two coordinates are of different kinds")
        return systems[0], *coordinates

    def _coordinate(self, value, is_longitude):
        on_sky = "sky" if self.system in (*PIXEL_SYSTEMS, HOURS, UNNAMED) else self.system
        sexagesimal = _SEXAGESIMAL.fullmatch(value)
        if sexagesimal:
            sign, whole, unit, minutes, seconds = sexagesimal.groups()
            if float(minutes) >= 60 or float(seconds) >= 60:
                raise RegionProblem(f"{value} has 60 minutes or seconds, or more")
            degrees = int(whole) + float(minutes) / 60 + float(seconds) / 3600
            hours = unit in "hH" or (
                unit == ":" and is_longitude and on_sky not in ("galactic", "ecliptic")
            )
            return on_sky, (-1 if sign == "-" else 1) * degrees * (15 if hours else 1)
        number, unit = self._value(value)
        if unit in ("p", "i"):
            return {"p": "physical", "i": "image"}[unit], number
        if unit is None:
            return self.system, number
        if unit not in _DEGREES:
            raise RegionProblem(f"{value} is not a coordinate")
        return on_sky, number * _DEGREES[unit]

    def _value(self, value):
        found = _VALUE.fullmatch(value)
        if not found:
            raise RegionProblem(f"{short(value)} is not a number")
        number = float(found[1])
        if not abs(number) <= LARGEST:
            raise RegionProblem(f"{short(value)} is too large")
        return number, found[2] and found[2].lower()

    def _place_of(self, system, u, v):
        place = self.frames.place(system, u, v)
        if system != self.system and (system in PIXEL_SYSTEMS or self.system in PIXEL_SYSTEMS):
            # Angles and bare lengths belong to the system of the line, in any system of the
            # position.
            if self.system == "physical" and self.frames.physical is None:
                return Place(place.x, place.y, 0.0, 1, float("nan"))
            return self.frames.turned_like(self.system, place)
        return place

    def place(self):
        """Return the next position as a Place."""
        self.here = self._place_of(*self._pair())
        return self.here

    def places(self):
        """Return all remaining positions as Places."""
        places = []
        while self.values:
            places.append(self._place_of(*self._pair()))
        return places

    def corners(self):
        """Return two opposite corners, and the place midway between them.

        Returns
        -------
        low, high : list of float
            The corners in their own system.
        place : Place
            The middle of the two.
        is_flat : bool
            Whether their system is one of pixels.
        """
        (system, *low), (other, *high) = self._pair(), self._pair()
        if system != other:
            raise RegionProblem("the two corners are in different systems")
        self.at = lambda u, v: self.frames.place(system, u, v)
        return (
            low,
            high,
            self.frames.place(system, (low[0] + high[0]) / 2, (low[1] + high[1]) / 2),
            system in PIXEL_SYSTEMS,
        )

    def lengths(self, n=None):
        """Return the next n lengths [arcsec]; all that remain by default."""
        values = [self._next("a length") for _ in range(len(self.values) if n is None else n)]
        return [self._length(value) for value in values]

    def _length(self, value):
        number, unit = self._value(value)
        if number < 0:
            raise RegionProblem(f"{value} is a negative length")
        if unit in ("p", "i"):
            return (
                number
                * self.frames.turned_like({"p": "physical", "i": "image"}[unit], self.here).scale
            )
        if unit is None:
            if self.here.scale != self.here.scale:
                raise RegionProblem(
                    f"the length {value} is in physical pixels, which the events do not have: "
                    "add a unit (d, ' or \")"
                )
            return number * self.here.scale
        return number * _ARCSEC[unit]

    def axes(self):
        """Return the pairs of axes [arcsec], and the angle if one is left [deg]."""
        lengths = self.lengths(len(self.values) // 2 * 2)
        if not lengths:
            raise RegionProblem("too few values: two axes are missing")
        return list(zip(lengths[::2], lengths[1::2], strict=True)), self.angle(0.0)

    def angle(self, default=None):
        """Return the next angle [deg], or `default` if none is left."""
        if default is not None and not self.values:
            return default
        number, unit = self._value(value := self._next("an angle"))
        if unit not in _DEGREES:
            raise RegionProblem(f"{value} is not an angle")
        return number * _DEGREES[unit]

    def count(self):
        """Skip a number of parts."""
        value = self._next("a number of parts")
        if not value.isdigit() or int(value) < 1:
            raise RegionProblem(f"{short(value)} is not a number of parts")

    def end(self):
        """Refuse values that are left over."""
        if self.values:
            raise RegionProblem(
                f"more values than the shape takes, from {short(self.values[0])} on"
            )


def short(text):
    """Return text that fits into a one-line message: printable ASCII, at most 60 characters."""
    text = " ".join(text.split()).encode("ascii", "backslashreplace").decode()
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= 60 else text[:57] + "..."
