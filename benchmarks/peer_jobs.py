"""The cases of bench_peers.py, and the files that gmmx and the other programs read."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from astropy.io import fits
from cases import Case, ngc4636, small_galaxy, toy
from galaxy import GALAXY, REALISATIONS, Truth, observed, realisation, true_parameters

DRAWN = {"toy": toy, "small": small_galaxy, "ngc4636": ngc4636}
CASES = (*DRAWN, "galaxy")
# Sky pixel of the event files that are written here [arcsec], and the pixel of the origin.
PIXEL, CENTRE = 0.492, 4096.5


@dataclass(frozen=True, eq=False)
class Job:
    """A case, and how the programs are called for it.

    Attributes
    ----------
    case : Case
    k : int
        Number of components.
    arguments : tuple of str
        Those of `gmmx fit`.
    with_k : tuple of str
        Further arguments where K is given.
    min_sigma : float
        Lower limit of a component's sigma [arcsec].
    starts : int
        Number of random starts of a program that needs them.
    image : Truth or None
        The image of the truth, where there is one.
    """

    case: Case
    k: int
    arguments: tuple
    with_k: tuple = ()
    min_sigma: float = 0.1
    starts: int = 1
    image: Truth | None = None


def make_job(name, folder):
    """Make the job of a name, and write its files to a folder.

    Parameters
    ----------
    name : str
        One of `CASES`.
    folder : Path

    Returns
    -------
    Job or None
        None if the observations of marx/galaxy are missing.
    """
    if name == "galaxy":
        return galaxy_job() if GALAXY.is_dir() else None
    case = DRAWN[name]()
    arguments = write_observation(case.train, folder)
    if name != "toy":
        starts = 5 if name == "small" else 1
        return Job(case, len(case.truth.mixture), arguments, starts=starts)
    # Growing needs many photons: 211 begin better from k-means. There are five starts, because
    # random starts differ by more than the programs do.
    arguments = (*arguments, "--background", "none")
    return Job(case, 3, arguments, with_k=("--init", "kmeans"), starts=5)


def galaxy_job():
    """The simulated galaxy; another realisation of it is held out, where there is one."""
    # Every program has one background, the one that there is.
    train = observed(background=("sky",)).exposed()
    held_out = None
    if REALISATIONS.is_dir():
        photons = realisation(0, background=("sky",)).photons
        held_out = replace(train, photons=photons).exposed()
    arguments = (
        f"{GALAXY}/events.fits.gz",
        *("--exposure", f"{GALAXY}/expmap.fits.gz"),
        *("--psf", f"{GALAXY}/psfmap.fits.gz"),
        *("--mask", f"{GALAXY}/sources.reg"),
        *("--energy", "0.5:2", "--background", "sky"),
    )
    case = Case("galaxy", train, held_out, true_parameters(train))
    return Job(case, 20, arguments, image=Truth())


def write_observation(observation, folder):
    """Write the event list, the exposure map and the PSF map of an observation.

    A PSF that is constant is given as a number.

    Parameters
    ----------
    observation : Observation
    folder : Path

    Returns
    -------
    tuple of str
        Arguments of `gmmx fit`.
    """
    _write_events(observation, folder / "events.fits")
    completeness, frame = observation.completeness, observation.frame
    exposure = folder / "expmap.fits"
    fits.writeto(exposure, completeness.effective, _image_header(completeness.grid, frame))
    sigma = np.sqrt(observation.psf.covariances[..., 0, 0, 0])
    psf = f"{sigma[0, 0]:g}"
    if sigma.size > 1:
        psf = str(folder / "psfmap.fits")
        header = _image_header(observation.psf.grid, frame, BUNIT="arcsec", ECF=1 - np.exp(-0.5))
        fits.writeto(psf, sigma, header)
    return (
        str(folder / "events.fits"),
        *("--exposure", str(exposure), "--psf", psf, "--energy", "all"),
    )


def _axes(frame):
    """Number, sign, kind and reference value of the axes of a tangent plane."""
    return ((1, -1, "RA---TAN", frame.ra0), (2, 1, "DEC--TAN", frame.dec0))


def _write_events(observation, path):
    """Write the photons as an event list with the columns X and Y."""
    photons, frame = observation.photons, observation.frame
    columns = [
        fits.Column(name, "D", array=CENTRE + values / PIXEL)
        for name, values in (("X", photons.x), ("Y", photons.y))
    ]
    events = fits.BinTableHDU.from_columns(columns, name="EVENTS")
    for n, sign, kind, value in _axes(frame):
        events.header[f"TCTYP{n}"] = kind
        events.header[f"TCRVL{n}"] = value
        events.header[f"TCRPX{n}"] = CENTRE
        events.header[f"TCDLT{n}"] = sign * PIXEL / 3600
        events.header[f"TCUNI{n}"] = "deg"
    events.header["RADESYS"] = frame.radesys
    events.writeto(path)


def _image_header(grid, frame, **others):
    """FITS keywords of an upright grid in a tangent plane."""
    header = fits.Header()
    for n, sign, kind, value in _axes(frame):
        header[f"CTYPE{n}"], header[f"CRVAL{n}"], header[f"CUNIT{n}"] = kind, value, "deg"
        header[f"CRPIX{n}"] = 1 - grid.origin[n - 1] / grid.step
        header[f"CDELT{n}"] = sign * grid.step / 3600
    header["RADESYS"] = frame.radesys
    header.update(others)
    return header


def write_arrays(job, path):
    """Write a job as plain arrays, for programs that run in another environment."""
    o = job.case.train
    c = o.completeness
    (x_low, x_high), (y_low, y_high) = c.grid.extent()
    np.savez(
        Path(path),
        data=np.column_stack([o.photons.x, o.photons.y]),
        k=job.k,
        min_sigma=job.min_sigma,
        omega=c.effective / c.exposure.max(),
        omega_origin=c.grid.origin,
        omega_step=c.grid.step,
        psf_variances=np.sqrt(np.linalg.det(o.psf.covariances[..., 0, :, :])),
        psf_origin=o.psf.grid.origin,
        psf_step=o.psf.grid.step if o.psf.grid.shape != (1, 1) else 1.0,
        low=np.array([x_low, y_low]),
        high=np.array([x_high, y_high]),
        has_background=bool(o.backgrounds),
        starts=job.starts,
    )
