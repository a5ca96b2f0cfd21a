"""What the images of a fit hold, and how they add up: the comments in the headers of files."""

from __future__ import annotations

_RECORDED = {
    "completeness": "Exposure times unmasked fraction over REFEXPO: mean over the pixel.",
    "counts": "Recorded photons.",
    "residual": "Signed root of the Poisson deviance of COUNTS against EXPECTED.",
}
_SUMMED = (
    "EXPECTED is summed over the cells of the completeness map, so that a coarse pixel holds the "
    "sum of the fine ones. The equation of pixels holds where completeness does not vary inside a "
    "pixel: on pixels no coarser than the completeness map's, whose edges its cells share."
)


def captions(units: str, *, points: bool, with_points: bool) -> dict[str, tuple[str, ...]]:
    """Comments on each image of a fit.

    Parameters
    ----------
    units : {"counts", "flux", "sb"}
        Unit of signal and background.
    points : bool
        Whether the fit has point sources.
    with_points : bool
        Whether the signal contains them.

    Returns
    -------
    dict of str to tuple of str
        By the name of the image in `RenderedImages`.

    Examples
    --------
    >>> captions("counts", points=False, with_points=False)["expected"][1]
    'EXPECTED = COMPLETENESS x SIGNAL_PSF + BACKGROUND'
    """
    equation = _equation(units, points and not with_points)
    unit = {
        "counts": "photons per pixel at REFEXPO",
        "flux": "photon/cm**2/s per pixel",
        "sb": "photon/cm**2/s/arcsec**2",
    }[units]
    background = "Recorded photons of all backgrounds, with exposure, gaps and masks in it."
    if units != "counts":
        background = (
            f"All backgrounds in {unit}, as if there were no mask: their photons over the exposure "
            "of the pixel, like SIGNAL. 0 where nothing was exposed."
        )
    without = "with the point sources" if with_points else "without point sources"
    drawn = {
        "signal": f"The deconvolved sky in {unit}: no PSF, gap, mask or background, {without}.",
        "signal_psf": f"The same as SIGNAL, convolved with the PSF, in {unit}, {without}.",
        "points": f"The point sources, convolved with the PSF, in {unit}.",
        "background": background,
        "expected": "Expected photons.",
        **_RECORDED,
    }
    summed = ("signal_psf", "points", "background", "completeness", "expected")
    return {
        name: (text, equation, _SUMMED) if name in summed else (text,)
        for name, text in drawn.items()
    }


def _equation(units, points):
    """How EXPECTED is made of the other images."""
    signal = "(SIGNAL_PSF + POINTS)" if points else "SIGNAL_PSF"
    if units == "counts":
        return f"EXPECTED = COMPLETENESS x {signal} + BACKGROUND"
    added = "SIGNAL_PSF + POINTS + BACKGROUND" if points else "SIGNAL_PSF + BACKGROUND"
    area = " x (area of a pixel in arcsec**2)" if units == "sb" else ""
    return f"EXPECTED = COMPLETENESS x REFEXPO{area} x ({added}), where nothing is masked"
