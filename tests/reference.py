"""Slow twins of the kernels, in NumPy, that anyone can check by eye."""

import numpy as np

# ---- raster ----


def draw_gaussians(peaks, means, inverses, splits, ny, nx):
    """Twin of `_kernels.raster.draw_gaussians`: every Gaussian at the centre of every part of every pixel, averaged."""
    image = np.zeros((ny, nx))
    for peak, (mx, my), (a, b, c), split in zip(peaks, means, inverses, splits, strict=True):
        x = (np.arange(nx * split) + 0.5) / split - 0.5 - mx
        y = ((np.arange(ny * split) + 0.5) / split - 0.5 - my)[:, None]
        q = a * x * x + 2 * b * x * y + c * y * y
        parts = np.where(q <= 36, peak * np.exp(-q / 2), 0.0)
        image += parts.reshape(ny, split, nx, split).mean((1, 3))
    return image
