"""The detector of ACIS that the aim point of an observation is on."""

import numpy as np

from ..model.photons import CountsImage, EventList

# Position of Chandra's instrument table [mm]: -233.6 with ACIS-I at the focus, -190.1 with ACIS-S.
# Observations shift it by some 10 mm (Proposers' Observatory Guide, chapter 6).
SIM_Z = {"ACIS-I": (-250.0, -211.0), "ACIS-S": (-211.0, -150.0)}
# Parts of DETNAM, which lists the chips that are on, by the detector that is then aimed at.
DETNAM = {"ACIS-I": "0123", "ACIS-S": "7"}
# The chip under the aim point is that of the photons this near to the pointing [arcsec].
RADIUS = 60.0


def aim_detector(recorded: EventList | CountsImage) -> tuple[str | None, str]:
    """Find the detector that the aim point is on.

    It follows from the position of the instrument table, else from the chip under the pointing,
    else from the names of the chips that are on.

    Parameters
    ----------
    recorded : EventList or CountsImage
        Photons of Chandra's ACIS.

    Returns
    -------
    detector : {"ACIS-I", "ACIS-S"} or None
        None if it is not known.
    how : str
        How it is known.

    Examples
    --------
    >>> from gmmx.model.photons import EventList, Photons
    >>> from gmmx.model.pointing import Pointing
    >>> from gmmx.plane.frame import SkyFrame
    >>> place = {"frame": SkyFrame(150.0, 2.2), "physical": None, "photons": Photons([0.0], [0.0])}
    >>> aim_detector(EventList(pointing=Pointing(sim_z=-190.1), **place))
    ('ACIS-S', 'aim point on ACIS-S')
    """
    pointing, photons = recorded.pointing, recorded.photons
    if pointing.sim_z is not None:
        for detector, (low, high) in SIM_Z.items():
            if low <= pointing.sim_z < high:
                return detector, f"aim point on {detector}"
    if pointing.ra is not None and pointing.dec is not None and photons.ccd is not None:
        x, y = recorded.frame.to_plane(pointing.ra, pointing.dec)
        near = photons.ccd[np.hypot(photons.x - x, photons.y - y) < RADIUS]
        if len(near):
            detector = "ACIS-I" if np.bincount(near).argmax() < 4 else "ACIS-S"
            return detector, f"aim point on {detector}"
    for detector, chips in DETNAM.items():
        if chips in pointing.detector:
            return detector, f"DETNAM {pointing.detector}"
    return None, ""
