"""Images of a model in pixels of several sizes: time, memory, and whether their sums agree.

``python bench_render.py MODEL.h5 [...]`` draws all images of each model in pixels of 0.5 to 60
arcsec, and in those of its exposure map. It prints the processor time, the expected photons over
the recorded ones, and the largest difference between a pixel and the sum of the finer pixels in it,
relative to the pixel.
"""

import argparse
import resource
import time

import numpy as np

import gmmx
from gmmx.answers.canvas import output_grid
from gmmx.plane.grid import PixelGrid

STEPS = (0.5, 1.0, 2.0, 4.0, 12.0, 60.0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", nargs="+")
    for path in parser.parse_args().models:
        result = gmmx.read(path)
        own = output_grid(result)
        print(f"{path}: {len(result.mixture)} components, {len(result.observations)} observations")
        print("pixel [arcsec]  processor [s]  expected / recorded  against finer pixels  peak [GB]")
        report("map", result, own, None)
        finer = None
        for step in STEPS:
            # The coarsest pixels decide the extent, so that all grids are nested.
            x, y = (60 * np.round(np.array(side) / 60) for side in own.extent())
            finer = report(f"{step:g}", result, PixelGrid.covering(x, y, step), finer)


def report(name, result, grid, finer):
    """Draw the images, print a line, and return the expected photons."""
    began = time.process_time()
    images = gmmx.render(result, grid)
    spent = time.process_time() - began
    expected, difference = images.expected.values, ""
    if finer is not None:
        n = len(finer) // len(expected)
        sums = finer.reshape(len(expected), n, -1, n).sum((1, 3))
        seen = sums > 1e-6 * sums.max()
        difference = f"{np.abs(expected / np.where(seen, sums, 1) - 1)[seen].max():.1e}"
    ratio = expected.sum() / images.counts.values.sum()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{name:>14}  {spent:13.2f}  {ratio:19.5f}  {difference:>20}  {peak:9.1f}")
    return expected


if __name__ == "__main__":
    main()
