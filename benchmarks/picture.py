"""The README's picture: the sample observation smoothed, what gmmx makes of it, and the truth, on one scale."""

from pathlib import Path

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from scipy.ndimage import gaussian_filter

import gmmx
from gmmx.io.images import read_grid_like
from gmmx.io.maps import read_image

SAMPLES = Path(__file__).resolve().parents[1] / "data_samples"
OUT = Path(__file__).with_name("picture.png")
SMOOTHING = 4.0
HALF = 200.0


def main():
    observation = gmmx.read_observation(
        SAMPLES / "events.fits.gz",
        mask=SAMPLES / "sources.reg",
        exposure=SAMPLES / "expmap.fits.gz",
        psf=SAMPLES / "psfmap.fits.gz",
        energy_kev=(0.5, 2),
    )
    result = gmmx.fit(observation, n_components=6, seed=1)
    grid = read_grid_like(SAMPLES / "truth.fits.gz", result.frame)
    images = gmmx.render(result, grid, units="sb")
    truth = read_image(SAMPLES / "truth.fits.gz").values

    sigma = SMOOTHING / grid.step
    exposure = gaussian_filter(
        images.completeness.values * result.reference_exposure * grid.cell_area, sigma
    )
    smooth = np.where(
        exposure > 0,
        gaussian_filter(images.counts.values, sigma) / np.maximum(exposure, 1e-300),
        np.nan,
    )
    x, y = grid.centres()
    centre = result.mixture.means[np.argmax(result.mixture.fluxes)]
    rows, columns = (
        np.any(abs(y - centre[1]) < HALF, axis=1),
        np.any(abs(x - centre[0]) < HALF, axis=0),
    )

    figure = Figure(figsize=(10.5, 3.55), facecolor="white")
    titles = (
        f'photons / exposure, smoothed by {SMOOTHING:g}"',
        f"gmmx: {len(result.mixture)} Gaussians, deconvolved",
        "truth",
    )
    for i, (title, values) in enumerate(
        zip(titles, (smooth, images.signal.values, truth), strict=True)
    ):
        axes = figure.add_axes((0.005 + i * 0.3025, 0.02, 0.295, 0.86))
        shown = axes.imshow(
            np.maximum(values[np.ix_(rows, columns)], 1e-30),
            origin="lower",
            cmap="inferno",
            norm=LogNorm(truth.max() / 1e4, truth.max()),
            interpolation="nearest",
        )
        axes.set_title(title, fontsize=10.5)
        axes.set_axis_off()
        if i == 0:
            width = columns.sum()
            axes.plot(
                [0.05 * width, 0.05 * width + 60 / grid.step],
                [0.06 * width] * 2,
                color="white",
                lw=2,
            )
            axes.text(
                0.05 * width + 30 / grid.step,
                0.085 * width,
                "1'",
                color="white",
                ha="center",
                fontsize=10,
            )
    bar = figure.colorbar(shown, cax=figure.add_axes((0.917, 0.06, 0.013, 0.78)))
    bar.set_label(r"photon cm$^{-2}$ s$^{-1}$ arcsec$^{-2}$", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    figure.savefig(OUT, dpi=100)

    signal, scale = images.signal.values, truth.sum()
    print(
        f"{OUT.name}: K = {len(result.mixture)}, flux {result.mixture.fluxes.sum() / result.reference_exposure:.4e}, truth {truth.sum() * grid.cell_area:.4e}"
    )
    for seconds in (2.0, 8.0):
        difference = gaussian_filter(signal, seconds / grid.step) - gaussian_filter(
            truth, seconds / grid.step
        )
        print(
            f'half the integrated absolute difference at {seconds:g}": {0.5 * abs(difference).sum() / scale:.4f}'
        )


if __name__ == "__main__":
    main()
