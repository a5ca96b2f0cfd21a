"""Observations and fit results made by hand, to test renderers, writers and figures with."""

import json

import numpy as np
from astropy.io import fits

from gmmx.model.background import Background
from gmmx.model.completeness import Completeness, reference_exposure
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.pointing import InputFile, Pointing
from gmmx.model.posterior import Draws
from gmmx.model.psf import PsfModel
from gmmx.model.result import HISTORY_COLUMNS, PATH_COLUMNS, BackgroundSummary, FitResult
from gmmx.plane.frame import PhysicalFrame, SkyFrame
from gmmx.plane.grid import PixelGrid, SkyImage


def ellipse(major, minor, position_angle):
    """Covariance of an ellipse whose position angle [deg] counts from north through east."""
    pa = np.radians(position_angle)
    along, across = np.array([-np.sin(pa), np.cos(pa)]), np.array([np.cos(pa), np.sin(pa)])
    return major**2 * np.outer(along, along) + minor**2 * np.outer(across, across)


def make_result(observations, mixture=None, **changes):
    """A FitResult about observations, with something in every field."""
    mixture = Mixture.empty() if mixture is None else mixture
    k = len(mixture)
    completeness = observations[0].completeness
    given = {
        "mixture": mixture,
        "observations": tuple(observations),
        "reference_exposure": reference_exposure([o.completeness for o in observations]),
        "exposure_unit": "" if completeness is None else completeness.unit,
        "observed_fraction": np.linspace(0.9, 0.4, k),
        "observed_photons": np.linspace(100, 10, k) / 3,
        "prior_scales": np.linspace(0.3, 2, k),
        "backgrounds": tuple(
            BackgroundSummary(
                observation=o.name,
                name=b.name,
                kind=b.kind,
                amplitude=b.amplitude or 0.0,
                amplitude_error=0.0 if b.fixed else (b.amplitude or 0.0) / 30,
                photons=123.4,
                photons_error=0.0 if b.fixed else 5.6,
                correlation=-0.3,
                fixed=b.fixed,
                amplitude_upper95=np.nan if b.fixed else 1.06 * (b.amplitude or 0.0),
                photons_upper95=np.nan if b.fixed else 132.6,
            )
            for o in observations
            for b in o.backgrounds
        ),
        "signal_error": 12.3456789012345,
        "background_error": 7.8,
        "background_correlation": -0.3,
        "log_likelihood": -12345.678901234567,
        "objective": -12350.1,
        "converged": True,
        "stop_reason": "less than 0.1 nat still to come",
        "iterations": 321,
        "requested_components": k,
        "history": {
            name: np.array(["grow", "quasi-newton"])
            if name in ("stage", "step")
            else np.array([1.0, 2.5]) / 3
            for name in HISTORY_COLUMNS
        },
        "path": dict(
            zip(
                PATH_COLUMNS,
                map(
                    np.array,
                    zip(
                        ("start", 0, -900.5, -900.5, True),
                        ("grow", 4, -300.5, -380.5, True),
                        ("exchange", 5, -299.0, -399.0, False),
                        ("exchange", 4, -290.25, -370.25, True),
                        ("prune", k, -295.0, -295.0 - 20 * k, True),
                        ("final", k, -294.0, -294.0 - 20 * k, True),
                        strict=True,
                    ),
                ),
                strict=True,
            )
        ),
        "options": {"k": k, "mask": ["a.reg"], "energy": None, "tol": 0.1},
        "seed": 7,
        "seconds": 1.25,
        "warnings": ("the exposure map is of another band",),
    }
    return FitResult(**{**given, **changes})


def make_observation(
    seed=0, *, n=500, name="acisf00001", unit="cm**2 s", rotation=0.0, kinds=("sky",)
):
    """One pointing of 60 x 50 pixels of 2 arcsec, with a gap, a mask, a PSF and backgrounds."""
    rng = np.random.default_rng(seed)
    turn = np.array([[np.cos(rotation), -np.sin(rotation)], [np.sin(rotation), np.cos(rotation)]])
    grid = PixelGrid(
        shape=(50, 60), origin=np.array([0.1, -0.2]) - 2 * turn @ [29.5, 24.5], matrix=2 * turn
    )
    exposure = 1e7 * (1 - 0.3 * (np.arange(60) / 60)) * np.ones((50, 1))
    exposure[:, 30:32] = 0
    open_fraction = np.ones((50, 60))
    open_fraction[10:14, 10:15] = 0.25
    nodes = PixelGrid.covering((-60, 60), (-50, 50), 40)
    psf = PsfModel(
        grid=nodes,
        weights=np.broadcast_to([0.75, 0.25], (*nodes.shape, 2)),
        covariances=np.einsum(
            "yx,m,ij->yxmij", rng.uniform(1, 2, nodes.shape), [1.0, 9.0], np.eye(2)
        ),
        description="two Gaussians",
    )
    shape = SkyImage(grid=grid, values=rng.uniform(0.5, 1.5, grid.shape), unit="photon/arcsec**2")
    backgrounds = [
        Background(
            name=kind,
            kind=kind,
            amplitude=0.01 * (i + 1),
            template=shape if kind in ("file", "streak") else None,
        )
        for i, kind in enumerate(kinds)
    ]
    x, y = grid.to_plane(*rng.uniform([-0.4, -0.4], [59.4, 49.4], (n, 2)).T)
    return Observation(
        photons=Photons(x, y, weights=rng.choice([1.0, 1.0, 2.0, 0.1], n)),
        frame=SkyFrame(202.47, 47.195),
        completeness=Completeness(
            grid=grid, exposure=exposure, open_fraction=open_fraction, unit=unit
        ),
        psf=psf,
        backgrounds=tuple(backgrounds),
        name=name,
        physical=PhysicalFrame(x0=4096.5, y0=4096.5, step_x=0.492, step_y=0.492),
        pointing=Pointing(
            telescope="CHANDRA",
            obs_id="1",
            exposure_time=1e5,
            file_name="evt2.fits",
            inputs=(InputFile("events", "evt2.fits", "ab" * 32),),
            band_kev=(0.5, 2.0),
        ),
        dropped={"zero exposure": 3.0},
    )


def make_mixture(k=3, seed=1):
    """A few ellipses near the centre."""
    rng = np.random.default_rng(seed)
    covariances = [ellipse(*rng.uniform([4, 1], [9, 3]), rng.uniform(0, 180)) for _ in range(k)]
    return Mixture(
        fluxes=np.sort(rng.uniform(50, 500, k))[::-1],
        means=rng.uniform(-15, 15, (k, 2)),
        covariances=np.reshape(covariances, (k, 2, 2)),
    )


def galaxy_truth(folder):
    """The true components of the simulated galaxy as a FitResult in the plane of its map."""
    truth = json.loads((folder / "truth.json").read_text())
    with fits.open(folder / "expmap.fits.gz") as hdus:
        header, exposure = hdus[0].header, hdus[0].data.astype(np.float64)
    frame = SkyFrame(header["CRVAL1"], header["CRVAL2"])
    step = header["CDELT2"] * 3600
    grid = PixelGrid(
        shape=exposure.shape,
        origin=step * (1 - np.array([header["CRPIX1"], header["CRPIX2"]])),
        matrix=step * np.eye(2),
    )
    parts = truth["components"]
    x, y = frame.to_plane(np.array([p["ra"] for p in parts]), np.array([p["dec"] for p in parts]))
    mixture = Mixture(
        fluxes=np.array([p["flux"] for p in parts]) * exposure.max(),
        means=np.stack([x, y], axis=1),
        covariances=np.array([ellipse(p["sig_major"], p["sig_minor"], p["pa_deg"]) for p in parts]),
    )
    observation = Observation(
        photons=Photons([], []),
        frame=frame,
        completeness=Completeness(grid=grid, exposure=exposure, unit="cm**2 s"),
        physical=PhysicalFrame(x0=4096.5, y0=4096.5, step_x=0.492, step_y=0.492),
        psf=PsfModel.constant(1.0),
        name="galaxy",
    )
    return make_result([observation], mixture)


def make_draws(result, n=30, seed=0, scatter=0.1):
    """Draws about a result: all its components, and a broad one that half of the draws lack."""
    rng, m = np.random.default_rng(seed), result.mixture
    k = len(m)
    covariances = np.concatenate([m.covariances, 900 * np.eye(2)[None]])
    fluxes = np.append(m.fluxes, m.fluxes.sum()) * np.exp(scatter * rng.normal(size=(n, k + 1)))
    fluxes[: n // 2, -1] = 0.0
    means = np.concatenate([m.means, np.zeros((1, 2))])
    turns = np.eye(2) + scatter * rng.normal(size=(n, k + 1, 2, 2))
    drawn = turns @ covariances @ np.swapaxes(turns, -1, -2)
    return Draws(
        fluxes=fluxes,
        means=means + 5 * scatter * rng.normal(size=(n, k + 1, 2)),
        covariances=(drawn + np.swapaxes(drawn, -1, -2)) / 2,
        amplitudes=rng.uniform(0.01, 0.02, (n, len(result.backgrounds))),
        method="laplace",
        seed=seed,
    )
