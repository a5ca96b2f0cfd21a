"""The warnings of a fit in few words: what a figure says of them.

A message names a file, a fact and a way out. A figure keeps the fact.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..model.flux_notes import areas_of

if TYPE_CHECKING:
    from ..model.result import FitResult

# Warnings that a figure has room for; more are counted.
MOST = 6
# Words after which a message says what to do about it, or goes on about the same fact.
_ENDS = re.compile(
    r"; |, so that |, because |, where no |, fewer than the |: (?=give |fix |is |are |make |hold |"
    r"quote |limit |raise |choose |filter |mask |leave |correct |to use |their positions? |"
    r"its position |the latter |as a mask |no further )"
)
# Messages whose fact needs other words in a figure.
_SAID_SHORTER = (
    (r"the fit has not converged: (?P<why>[^;]*)", "the fit has not converged ({why})"),
    (
        r"the fitted background (?P<name>'.*?') of (?P<of>.*?) is zero, because broad",
        "background {name} is zero: broad components have absorbed it",
    ),
    (
        r"background (?P<name>'.*?') of .* and the signal flux are correlated by (?P<r>[-+.\d]*\d)",
        "background {name} is hardly distinguishable from broad emission (correlation {r})",
    ),
    (
        r"the sum of the backgrounds and the signal flux are correlated by (?P<r>[-+.\d]*\d)",
        "the backgrounds are hardly distinguishable from broad emission (correlation {r})",
    ),
    (
        r"(?P<which>component.*?) (?P<lie>lies?) mostly outside of the field or under masks",
        "{which} {lie} mostly outside of the field or under masks",
    ),
    (
        r"the fit has (?P<k>\d+) components?, fewer than the (?P<asked>\d+) asked for",
        "{asked} components were asked for, the photons need {k}",
    ),
    (
        r".*?: no exposure map: (?P<how>.*?)(, cells of .*| \(give one.*|$)",
        "no exposure map: {how}",
    ),
    (r".*?: no PSF: ", "no PSF was given: nothing is deconvolved"),
    (
        r"(?P<file>[^:]*): its first shape holds every photon",
        "{file}: read as a mask of its exclusions",
    ),
)
# A path up to its last part.
_FOLDERS = re.compile(r"(?<![\w.])(?:[\w.~-]*/)+(?=[\w.-])")
# A parenthesis, with those inside it, and how long one may be in a figure.
_ASIDE = re.compile(r" \((?:[^()]|\([^()]*\))*\)")
_LONGEST_ASIDE = 22


def cautions(result: FitResult) -> list[str]:
    """Return what a figure has to say of a fit: its warnings, shortened, and other doubts.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    list of str
        Without full stops. Doubts about the whole fit come first. Of more than six the rest is
        counted.

    Examples
    --------
    >>> import numpy as np
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> cautions(result)
    []
    """
    said = [shortened(text) for text in result.warnings]
    if not result.converged and not any("not converged" in text for text in said):
        said.insert(0, "the fit has not converged")
    areas = " and ".join(f"{area:g}" for area in areas_of(result))
    if areas:
        said.insert(0, f"fluxes are approximate: from an effective area of {areas} cm^2")
    said = sorted(dict.fromkeys(said), key=lambda text: _rank(text))
    if len(said) > MOST:
        said[MOST - 1 :] = [f"{len(said) - MOST + 1} more, which gmmx info prints"]
    return said


def shortened(message: str) -> str:
    """Return the fact of a warning, without folders, asides and the way out.

    Examples
    --------
    >>> shortened("/data/evt.fits: no exposure map: uniform, cells of 1 arcsec (give one)")
    'no exposure map: uniform'
    >>> shortened("/data/evt.fits: 12 pixels are not finite: are they masked?")
    'evt.fits: 12 pixels are not finite'
    """
    text = _FOLDERS.sub("", " ".join(message.split()))
    for pattern, form in _SAID_SHORTER:
        found = re.match(pattern, text)
        if found:
            return form.format(**found.groupdict())
    text = _ASIDE.sub(lambda one: one[0] if len(one[0]) <= _LONGEST_ASIDE else "", text)
    return _ENDS.split(text, maxsplit=1)[0].rstrip(" .:;,")


def _rank(text):
    """Doubts about the whole fit come before those about files."""
    words = ("not converged", "approximate", "is zero", "distinguishable", "no exposure", "no PSF")
    return next((i for i, word in enumerate(words) if word in text), len(words))
