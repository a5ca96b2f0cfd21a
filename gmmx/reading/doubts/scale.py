"""Exposure maps whose values or coordinates cannot be what their headers say."""

from collections.abc import Iterator

import numpy as np

from ...io.header_facts import HeaderFacts
from .evidence import Evidence

# No telescope for X-rays has a smaller or larger effective area on its axis [cm**2].
LEAST_AREA, LARGEST_AREA = 1.0, 2e4
# Relative difference of a maximum from 1 at which a map was divided by its maximum.
NORMALISED = 1e-3
# A map may be off the photons' pixels by this part of a pixel, in which rounding lies.
SAME_PIXEL = 0.1


def normalised(e: Evidence) -> Iterator[str]:
    """Look at the maximum of the map: it is 1 for a map that was divided by its maximum.

    The maximum of an exposure in any unit is 1 to a per mille by chance once in a thousand maps
    of one decade, and no map of an observation in `cm**2 s` is so small.
    """
    exposure = e.exposure.completeness.exposure
    if not e.exposure.is_measured or abs(exposure.max() - 1) > NORMALISED:
        return
    # A map of ones says where the field is, and nothing more. So does one that is said to be
    # relative.
    told = e.options.exposure_unit and not e.exposure.completeness.unit
    if told or np.ptp(exposure[exposure > 0]) == 0:
        return
    unit = e.exposure.completeness.unit
    effect = f"fluxes lack that factor, although its unit is {unit}"
    if not unit:
        effect = "results are photons at the largest exposure, not fluxes"
    yield (
        f"{e.exposure.files[0]}: the largest value of the exposure map is 1: it was divided by its "
        f"maximum, so that {effect}: give the map as it was, in cm**2 s"
    )


def another_unit(e: Evidence) -> Iterator[str]:
    """Compare the largest value of the map with the exposure time of the photons.

    Their ratio is an effective area for a map in `cm**2 s`, and it lies between 1 and 20,000 cm**2
    for every telescope. A map in `s` exceeds the time only by the number of its instruments, and
    a map in `cm**2` is an area itself. The limits leave a factor of ten on both sides.
    """
    if not e.exposure.is_measured or e.exposure.area is not None:
        return
    path, unit = e.exposure.files[0], e.exposure.completeness.unit
    peak, time = float(e.exposure.completeness.exposure.max()), e.exposure_time
    if unit == "cm**2" and peak > LARGEST_AREA:
        yield (
            f"{path}: its unit is cm**2, and no telescope has the area {peak:.3g} cm**2 of its "
            "largest value: is it in cm**2 s? Correct BUNIT, or give `exposure_unit`"
        )
    if unit == "cm**2" and LEAST_AREA <= peak <= LARGEST_AREA and time is not None:
        yield (
            f"{path}: the map is an effective area (cm**2), not an exposure (cm**2 s), so that "
            f"fluxes lack the time: multiply it by EXPOSURE of {e.name}, {time:.5g} s"
        )
    if time is None or abs(peak - 1) < NORMALISED:
        return
    if unit == "cm**2 s" and not LEAST_AREA <= peak / time <= LARGEST_AREA:
        yield (
            f"{path}: its unit is cm**2 s, and its largest value, {peak:.3g}, over EXPOSURE of "
            f"{e.name}, {time:.5g} s, is an effective area of {peak / time:.3g} cm**2, which no "
            "telescope has: is it in cm**2? Multiply it by the time. Or correct BUNIT"
        )
    if unit == "s" and not 0.02 < peak / time < 20:
        yield (
            f"{path}: its unit is s, and its largest value, {peak:.3g} s, is far from EXPOSURE of "
            f"{e.name}, {time:.5g} s: is it in cm**2 s? Correct BUNIT, or give `exposure_unit`"
        )


def shifted_pixels(e: Evidence) -> Iterator[str]:
    """Compare the two coordinate systems of a map, or its pixels with those of a counts image.

    The sky pixels of the telescope follow from the pixels of the map by CRVALnP (or LTVn, LTMn),
    and positions on the sky by CRVALn. The photons have both, too: the same place must come out
    of both ways to a tenth of a pixel. A map of the same pixels as a counts image has its centres
    on theirs. Reference pixels that are off by a half (CRPIXn from 0 instead of 1) are the usual
    fault.
    """
    if not e.exposure.is_measured:
        return
    offset = _by_sky_pixels(e) if not e.is_image else _by_image(e)
    step = e.exposure.completeness.grid.step
    if offset is None or not SAME_PIXEL * step < np.hypot(*offset) < np.inf:
        return
    yield (
        f"{e.exposure.files[0]}: its pixels are shifted against those of {e.name} by "
        f'({offset[0]:.3g}", {offset[1]:.3g}"), {np.hypot(*offset) / step:.2g} of its pixels: '
        "correct the reference pixel of its WCS (CRPIX1, CRPIX2), or make the map anew"
    )


def _by_sky_pixels(e):
    """Return where the map's sky pixels lie from those of the photons [arcsec]."""
    header, physical = e.exposure_map, e.recorded.physical
    if header is None or physical is None or e.options.grid is not None:
        return None
    axes = _sky_pixels(header)
    grid = e.exposure.completeness.grid
    ny, nx = (header.number(key) for key in ("NAXIS2", "NAXIS1"))
    if axes is None or (ny, nx) != grid.shape or not _same_tangent_point(e):
        return None
    middle = np.array([(nx - 1) / 2, (ny - 1) / 2])
    sky = [first + step * index for (first, step), index in zip(axes, middle, strict=True)]
    ours, theirs = np.array(physical.to_plane(*sky)), np.array(grid.to_plane(*middle))
    return theirs - ours


def _by_image(e):
    """Return the offset of a map of an image's own pixels from them [arcsec]."""
    pixels, grid = e.recorded.pixels, e.exposure.completeness.grid
    if not np.allclose(pixels.matrix, grid.matrix, rtol=1e-4, atol=1e-4 * pixels.step):
        return None
    index = np.array(pixels.to_pixels(*grid.origin))
    return grid.matrix @ (index - np.round(index))


def _same_tangent_point(e):
    """Whether map and photons have the tangent point in common, so that sky pixels are the same."""
    ra, dec = (e.exposure_map.number(key) for key in ("CRVAL1", "CRVAL2"))
    if ra is None or dec is None:
        return False
    x, y = e.recorded.frame.to_plane(ra, dec)
    return bool(np.hypot(x, y) < 1e-3)


def _sky_pixels(header: HeaderFacts):
    """Return coordinate of the first pixel and step of the telescope's sky pixels, per axis."""
    axes = []
    for axis in (1, 2):
        value, pixel, step = (header.number(f"{k}{axis}P") for k in ("CRVAL", "CRPIX", "CDELT"))
        shift, scale = header.number(f"LTV{axis}"), header.number(f"LTM{axis}_{axis}")
        if value is not None and pixel is not None and step:
            axes.append((value + step * (1 - pixel), step))
        elif shift is not None and scale:
            axes.append(((1 - shift) / scale, 1 / scale))
    return axes if len(axes) == 2 else None
