"""Fuzz the parsers of region texts and of row filters with atheris, guided by coverage.

    python tests/fuzz_text.py [regions|filters] -max_total_time=120

atheris is not a dependency (`pip install atheris`). Whatever a text is, its parser returns, or
raises an error of gmmx.
"""

import sys
import warnings
from contextlib import suppress

import atheris

with atheris.instrument_imports(include=["gmmx"]):
    from gmmx.errors import GmmxError
    from gmmx.io.regions import read_region_text
    from gmmx.io.virtual import parse_file_argument
    from gmmx.plane.frame import PhysicalFrame, SkyFrame

PLANE = {"frame": SkyFrame(150.0, 2.2), "physical": PhysicalFrame(4096.5, 4096.5, 0.492, 0.492)}


def regions(content):
    """Parse a region file's text."""
    _allowed(lambda text: read_region_text(text, **PLANE), content)


def filters(content):
    """Parse the filters behind a file's name."""
    _allowed(lambda text: parse_file_argument("events.fits" + text), content)


def _allowed(parse, content):
    with suppress(GmmxError):
        parse(content.decode("latin-1"))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    target = {"regions": regions, "filters": filters}[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
