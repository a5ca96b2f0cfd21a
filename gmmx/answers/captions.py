"""What the images of a fit hold, and how they add up: the comments in the headers of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model.interval import INSIDE

if TYPE_CHECKING:
    from ..model.posterior import Draws
    from ..model.result import FitResult

_UNITS = {
    "counts": "photons per pixel at REFEXPO",
    "flux": "photon/cm**2/s per pixel",
    "sb": "photon/cm**2/s/arcsec**2",
}
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
    unit = _UNITS[units]
    background = "Recorded photons of all backgrounds, with exposure, gaps and masks in it."
    if units != "counts":
        background = (
            f"All backgrounds in {unit}, as if there were no mask: their photons over the exposure "
            "of the pixel, like SIGNAL. 0 where nothing was exposed."
        )
    without = "with the point sources" if with_points else "without point sources"
    drawn = {
        "signal_psf": f"The best fit's sky, convolved with the PSF, in {unit}, {without}.",
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


def signal_captions(
    draws: Draws | None,
    *,
    units: str,
    with_points: bool,
    estimate: str,
    at: float | None,
    psf: str = "all",
) -> dict[str, tuple[str, ...]]:
    """Comments on the signal and on the images of its uncertainty.

    Parameters
    ----------
    draws : Draws or None
        Those that the images are made of.
    units, with_points, estimate, at
        As in `gmmx.render`.
    psf : str
        Which observations have a PSF, as `psf_in_words` says: nothing is deconvolved without one.

    Returns
    -------
    dict of str to tuple of str
        By the name of the image in `RenderedImages`.
    """
    unit = _UNITS[units]
    without = "with the point sources" if with_points else "without point sources"
    resolution = (
        "Resolution: each pixel by itself, no smoothing."
        if at is None
        else f"Resolution: smoothed with a Gaussian of sigma {at:g} arcsec."
    )
    which = "the mean over the draws" if estimate == "mean" else "the best fit"
    sky = f"{_sky_in_words(unit, psf)}, {without}"
    if draws is None:
        return {"signal": (f"{sky}.", resolution)}
    made = f"Errors: {draws_in_words(draws)}."
    caution: tuple[str, ...] = (resolution,)
    if at is None:
        caution += (
            "The data do not resolve single pixels: the error of a pixel is dominated by that, "
            "and errors of neighbours are correlated. Smooth with `at` to the resolution of use.",
        )
    end = "end of the central interval of 68 % of SIGNAL over the draws"
    return {
        "signal": (f"{sky}; {which}.", resolution, *((made,) * (estimate == "mean"))),
        "error": (
            f"Half the width of the interval of 68 % of SIGNAL over the draws, in {unit}, "
            f"{without}.",
            made,
            *caution,
        ),
        "snr": (
            f"SIGNAL ({which}) over ERROR, {without}; 0 where the error is 0.",
            made,
            *caution,
        ),
        "lower": (f"Lower {end}, in {unit}, {without}.", made, *caution),
        "upper": (f"Upper {end}, in {unit}, {without}.", made, *caution),
    }


def _sky_in_words(unit, psf):
    """What the signal is, and what is not in it."""
    if psf == "all":
        return f"The deconvolved sky in {unit}: no PSF, gap, mask or background"
    blurred = "blurred by the telescope because no PSF was given"
    if psf != "none":
        blurred = f"deconvolved in {psf} observations, the others had no PSF"
    return f"The sky in {unit}, {blurred}: no gap, mask or background"


def psf_in_words(result: FitResult) -> str:
    """Which observations have a PSF, so that the model is deconvolved: "all", "none", "1 of 2"."""
    given = sum(o.psf is not None for o in result.observations)
    whole = len(result.observations)
    return {0: "none", whole: "all"}.get(given, f"{given} of {whole}")


def draws_in_words(draws: Draws) -> str:
    """How errors were made, for a header.

    Examples
    --------
    >>> from gmmx.model.posterior import Draws
    >>> ones = {"fluxes": [[1.0]], "means": [[[0.0, 0.0]]], "covariances": [[[[1.0, 0], [0, 1]]]]}
    >>> draws_in_words(Draws(**ones, amplitudes=[[]], method="laplace", seed=3))
    '1 draw of the parameters from the information matrix (laplace, seed 3)'
    """
    source = " from the information matrix" if draws.method == "laplace" else ""
    several = "s" * (len(draws) != 1)
    kind = f"{draws.method}, seed {draws.seed}"
    return f"{len(draws)} draw{several} of the parameters{source} ({kind})"


def signal_cards(
    draws: Draws | None, *, estimate: str, at: float | None
) -> dict[str, tuple[str | float | int, str]]:
    """Keywords for the header of the signal and of the images of its uncertainty.

    Examples
    --------
    >>> signal_cards(None, estimate="best", at=5.0)["RESOLUTN"]
    (5.0, '[arcsec] sigma of the smoothing; 0: none')
    """
    cards: dict[str, tuple[str | float | int, str]] = {
        "ESTIMATE": (estimate, "signal: best fit or mean over the draws"),
        "RESOLUTN": (0.0 if at is None else float(at), "[arcsec] sigma of the smoothing; 0: none"),
    }
    if draws is not None:
        cards["ERRMETH"] = (draws.method, "how the draws of the parameters were made")
        cards["NDRAWS"] = (len(draws), "number of draws")
        cards["CONFLEV"] = (round(INSIDE[0], 4), "part of the draws inside the interval")
    return cards


def _equation(units, points):
    """How EXPECTED is made of the other images."""
    signal = "(SIGNAL_PSF + POINTS)" if points else "SIGNAL_PSF"
    if units == "counts":
        return f"EXPECTED = COMPLETENESS x {signal} + BACKGROUND"
    added = "SIGNAL_PSF + POINTS + BACKGROUND" if points else "SIGNAL_PSF + BACKGROUND"
    area = " x (area of a pixel in arcsec**2)" if units == "sb" else ""
    return f"EXPECTED = COMPLETENESS x REFEXPO{area} x ({added}), where nothing is masked"
