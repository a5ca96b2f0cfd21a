"""Draws the README's picture: the sample observation smoothed, the model of gmmx, and the truth."""

from pathlib import Path

import numpy as np
from common import ROOT
from galaxy import differences
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from scipy.ndimage import gaussian_filter

import gmmx
from gmmx.io.images import read_grid_like
from gmmx.io.maps import read_image

SAMPLES = ROOT / "data_samples"
OUT = Path(__file__).with_name("picture.png")
# Sigma of the smoothed photons, and half the side of the panels [arcsec].
SMOOTHING = 4.0
HALF = 200.0


def smoothed_photons(images, result):
    """Smoothed counts over the smoothed exposure; NaN where there is no exposure."""
    grid = images.counts.grid
    sigma = SMOOTHING / grid.step
    exposure = gaussian_filter(
        images.completeness.values * result.reference_exposure * grid.cell_area, sigma
    )
    counts = gaussian_filter(images.counts.values, sigma)
    return np.where(exposure > 0, counts / np.maximum(exposure, 1e-300), np.nan)


def draw(panels, brightest, step):
    """Draw images side by side on one scale.

    Parameters
    ----------
    panels : dict of str to (ny, nx) array
        Surface brightness by title.
    brightest : float
        Upper end of the scale.
    step : float
        Pixel [arcsec].
    """
    figure = Figure(figsize=(10.5, 3.55), facecolor="white")
    for i, (title, values) in enumerate(panels.items()):
        axes = figure.add_axes((0.005 + i * 0.3025, 0.02, 0.295, 0.86))
        shown = axes.imshow(
            np.maximum(values, 1e-30),
            origin="lower",
            cmap="inferno",
            norm=LogNorm(brightest / 1e4, brightest),
            interpolation="nearest",
        )
        axes.set_title(title, fontsize=10.5)
        axes.set_axis_off()
        if i == 0:
            _scale_bar(axes, values.shape[1], step)
    bar = figure.colorbar(shown, cax=figure.add_axes((0.917, 0.06, 0.013, 0.78)))
    bar.set_label(r"photon cm$^{-2}$ s$^{-1}$ arcsec$^{-2}$", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    figure.savefig(OUT, dpi=100)


def _scale_bar(axes, width, step):
    """Draw a bar of one arcmin into the lower left corner."""
    left, low = 0.05 * width, 0.06 * width
    axes.plot([left, left + 60 / step], [low, low], color="white", lw=2)
    above = 0.085 * width
    axes.text(left + 30 / step, above, "1'", color="white", ha="center", fontsize=10)


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
    signal = images.signal.values
    truth = read_image(SAMPLES / "truth.fits.gz").values

    x, y = grid.centres()
    centre = result.mixture.means[np.argmax(result.mixture.fluxes)]
    rows = np.any(abs(y - centre[1]) < HALF, axis=1)
    columns = np.any(abs(x - centre[0]) < HALF, axis=0)
    panels = {
        f'photons / exposure, smoothed by {SMOOTHING:g}"': smoothed_photons(images, result),
        f"gmmx: {len(result.mixture)} Gaussians, deconvolved": signal,
        "truth": truth,
    }
    cut = {title: values[np.ix_(rows, columns)] for title, values in panels.items()}
    draw(cut, truth.max(), grid.step)

    flux = result.mixture.fluxes.sum() / result.reference_exposure
    print(
        f"{OUT.name}: K = {len(result.mixture)}, flux {flux:.4e},"
        f" truth {truth.sum() * grid.cell_area:.4e}"
    )
    for sigma, difference in zip((2, 8), differences(signal, truth, grid.step), strict=True):
        print(f'half the integrated absolute difference at {sigma}": {difference:.4f}')


if __name__ == "__main__":
    main()
