"""Measures fits of pictures: time, processor time, memory and PSNR, scikit-learn beside gmmx.

``python benchmarks/bench_pictures.py [PART ...] [--table FILE.jsonl] [--print]`` adds rows to the
table and prints benchmarks/pictures.txt. Parts that the table has are not run again.

The drawing has 1,000 x 1,000 pixels, of which 130,000 are dark, and K = 500. The colour pictures
are a drawn landscape with noise of 0.03 in each channel, of 128 x 128 pixels with K = 100 and of
512 x 512 pixels with K = 1000, and a photograph that comes with scikit-learn, of 320 x 214 pixels
with K = 400. scikit-learn gets the same samples, divided by the spread of each column, and the same
K, with its own start, at most 100 iterations, and reg_covar = 1e-6. The picture of either mixture
is the conditional mean of the colours, and its PSNR is that against the picture that was fitted.

scikit-learn takes more than a minute for an iteration of the largest picture, and is stopped after
5. "its steps" are those of scikit-learn from its own start to its own end, made with the kernel of
gmmx: its k-means clusters, its M-step with reg_covar, its stopping rule. Where both can be run they
end after the same number of iterations with the same PSNR; on the largest picture the parameters
agree to 2e-13 after 5 iterations.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
from common import machine
from PIL import Image, ImageDraw, ImageFont

import gmmx
from gmmx._kernels.samples import sample_moments
from gmmx.answers.pictures import colour_picture, density_picture, psnr
from gmmx.config import PictureOptions
from gmmx.em.sample_groups import groups_of, square
from gmmx.errors import GmmxWarning
from gmmx.io.pictures import brightness, read_picture, write_picture
from gmmx.model.mixture import Mixture
from gmmx.model.scaling import Scaling
from gmmx.reading.picture import read_picture_samples

# Iterations of scikit-learn, fewer for many elements of its responsibilities.
MOST_ITERATIONS, FEW_ITERATIONS, MANY = 100, 5, 100_000_000
REG_COVAR, TOLERANCE = 1e-6, 1e-3
TABLE = Path(__file__).with_name("pictures.jsonl")
# Part: program, kind of picture, side [pixel], K.
PARTS = {
    "drawing": ("gmmx", "drawing", 1000, 500),
    "small": ("gmmx", "colour", 128, 100),
    "small-sklearn": ("scikit-learn", "colour", 128, 100),
    "small-steps": ("its steps", "colour", 128, 100),
    "photo": ("gmmx", "photo", 320, 400),
    "photo-steps": ("its steps", "photo", 320, 400),
    "colour": ("gmmx", "colour", 512, 1000),
    "colour-sklearn": ("scikit-learn", "colour", 512, 1000),
    "colour-steps": ("its steps", "colour", 512, 1000),
}


def make_landscape(side):
    """A landscape with hills, a tree and the sun, (side, side, 3), between 0 and 1."""
    y, x = np.mgrid[0:side, 0:side] / side
    picture = np.stack([0.4 + 0.3 * y, 0.6 + 0.2 * y, 0.9 + 0 * y], -1)
    grass = np.stack(
        [0.2 + 0.06 * np.sin(40 * x) * np.sin(37 * y), 0.5 - 0.3 * (y - 0.5), 0.15 + 0 * y], -1
    )
    hill = y > 0.55 + 0.1 * np.sin(6 * x) + 0.03 * np.sin(23 * x)
    picture = np.where(hill[..., None], grass, picture)
    picture[np.hypot(x - 0.75, y - 0.2) < 0.08] = [1, 0.9, 0.3]
    picture[np.hypot((x - 0.3) / 0.1, (y - 0.5) / 0.15) < 1] = [0.1, 0.35, 0.1]
    picture[(abs(x - 0.3) < 0.015) & (y > 0.6) & (y < 0.8)] = [0.35, 0.2, 0.1]
    noise = np.random.default_rng(0).normal(0, 0.03, picture.shape)
    return np.clip(picture + noise, 0, 1)


def make_drawing(side):
    """A word and a face in black on white, (side, side)."""
    # Matplotlib comes with this font.
    from matplotlib import get_data_path

    picture = Image.new("L", (side, side), 255)
    draw, unit = ImageDraw.Draw(picture), side / 1000
    font = f"{get_data_path()}/fonts/ttf/DejaVuSerif-Bold.ttf"
    place = (90 * unit, 100 * unit)
    draw.text(place, "gmmx", font=ImageFont.truetype(font, 270 * unit), fill=0)
    width = round(28 * unit)

    def box(*corners):
        return [corner * unit for corner in corners]

    draw.ellipse(box(250, 500, 750, 950), outline=0, width=width)
    draw.ellipse(box(380, 620, 440, 700), fill=0)
    draw.ellipse(box(560, 620, 620, 700), fill=0)
    draw.arc(box(370, 640, 630, 860), 20, 160, fill=0, width=width)
    return np.asarray(picture) / 255


def fitted(path, colour, k):
    """The fit of a picture as the command makes it."""
    out = Path(path).with_suffix(".h5")
    command = [sys.executable, "-m", "gmmx", "fit", path, "--k", str(k), "--out", out, "--quiet"]
    subprocess.run([*command, *(["--colour"] if colour else [])], check=True)
    return gmmx.read(out)


def make_photo(side):
    """A photograph of a pagoda that comes with scikit-learn, (ny, side, 3)."""
    from sklearn.datasets import load_sample_image

    photo = Image.fromarray(load_sample_image("china.jpg"))
    height = round(photo.height * side / photo.width)
    return np.asarray(photo.resize((side, height))) / 255


MAKERS = {"drawing": make_drawing, "colour": make_landscape, "photo": make_photo}


def fitted_by_sklearn(path, k):
    """The fit of scikit-learn, as a result of gmmx, and the number of iterations."""
    from sklearn.mixture import GaussianMixture

    samples, mean, scale = scaled_samples(path)
    most = FEW_ITERATIONS if len(samples) * k > MANY else MOST_ITERATIONS
    peer = GaussianMixture(k, reg_covar=REG_COVAR, random_state=0, max_iter=most)
    peer.fit((samples.x - mean) / scale)
    found = Mixture(fluxes=peer.weights_, means=peer.means_, covariances=peer.covariances_)
    return as_result(path, found), peer.n_iter_


def fitted_by_its_steps(path, k):
    """What `fitted_by_sklearn` returns, without its limit of iterations, by the kernel of gmmx."""
    from sklearn.cluster import KMeans

    samples, mean, scale = scaled_samples(path)
    z = (samples.x - mean) / scale
    labels = KMeans(k, n_init=1, random_state=np.random.RandomState(0)).fit(z).labels_
    n, d = len(z), z.shape[1]
    least = 10 * np.finfo(float).eps
    weights = np.bincount(labels, minlength=k) + least
    means = np.stack([np.bincount(labels, one, minlength=k) for one in z.T], 1) / weights[:, None]
    offsets = z - means[labels]
    second = np.empty((k, d, d))
    for i in range(d):
        for j in range(d):
            second[:, i, j] = np.bincount(labels, offsets[:, i] * offsets[:, j], minlength=k)
    covariances = second / weights[:, None, None] + REG_COVAR * np.eye(d)
    own = Scaling(centre=np.zeros(d), scale=np.ones(d))
    (group,) = groups_of(replace(samples, x=z), own)
    found = Mixture(fluxes=weights / weights.sum(), means=means, covariances=covariances)
    logs = [-np.inf]
    while len(logs) <= MOST_ITERATIONS:
        sums, _, total = sample_moments(group.rows, np.zeros(0), group.gaussians(found))
        weights = sums[:, 0] + least
        shifts = sums[:, 1 : 1 + d] / weights[:, None]
        second = square(sums[:, 1 + d :], d) / weights[:, None, None]
        second -= shifts[:, :, None] * shifts[:, None, :]
        found = Mixture(
            fluxes=weights / weights.sum(),
            means=found.means + shifts,
            covariances=second + REG_COVAR * np.eye(d),
        )
        logs.append(total / n)
        if logs[-1] - logs[-2] < TOLERANCE:
            break
    return as_result(path, found), len(logs) - 1


def scaled_samples(path):
    """Samples of a colour picture, and the mean and the spread of each column."""
    samples = read_picture_samples(path, PictureOptions(colour=True))
    return samples, samples.x.mean(0), samples.x.std(0)


def as_result(path, found):
    """A mixture of scaled samples, of fractions, as a result of gmmx."""
    samples, mean, scale = scaled_samples(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GmmxWarning)
        frame = gmmx.fit_samples(samples, n_components=1)
    mixture = Mixture(
        fluxes=found.fluxes * len(samples),
        means=mean + found.means * scale,
        covariances=found.covariances * np.outer(scale, scale),
    )
    options = frame.options | {"picture_size": list(read_picture(path).shape[1::-1])}
    observed = np.ones(len(mixture))
    return replace(frame, mixture=mixture, observed_fraction=observed, options=options)


def measured(part):
    """One row of the table."""
    program, kind, side, k = PARTS[part]
    colour = kind != "drawing"
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/picture.png"
        write_picture(path, MAKERS[kind](side))
        before, began = _cpu(), time.perf_counter()
        if program == "gmmx":
            result = fitted(path, colour, k)
            iterations = result.iterations
        else:
            peer = fitted_by_sklearn if program == "scikit-learn" else fitted_by_its_steps
            result, iterations = peer(path, k)
        seconds, cpu = time.perf_counter() - began, _cpu() - before
        who = resource.RUSAGE_CHILDREN if program == "gmmx" else resource.RUSAGE_SELF
        memory = resource.getrusage(who).ru_maxrss / 1024**2
        original = read_picture(path)
        if colour:
            quality = psnr(colour_picture(result), original)
        else:
            quality = psnr(1 - np.clip(density_picture(result), 0, 1), brightness(original))
    return {
        "part": part,
        "program": program,
        "kind": kind,
        "side": side,
        "height": len(original),
        "k": k,
        "seconds": seconds,
        "cpu_seconds": cpu,
        "memory_gb": memory,
        "iterations": int(iterations),
        "psnr": quality,
    }


def _cpu():
    """Processor time of this process and of those that it has started and that have ended [s]."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def table_of(rows):
    """The table as text."""
    columns = "{:<14}{:<10}{:>12}{:>7}{:>9}{:>11}{:>10}{:>12}{:>10}"
    names = (
        "program",
        "picture",
        "pixels",
        "K",
        "time",
        "CPU time",
        "memory",
        "iterations",
        "PSNR",
    )
    lines = [machine(), "", columns.format(*names)]
    for part in PARTS:
        for row in (one for one in rows if one["part"] == part):
            lines.append(
                columns.format(
                    row["program"],
                    row["kind"],
                    f"{row['side']}x{row.get('height', row['side'])}",
                    row["k"],
                    f"{row['seconds']:.0f} s",
                    f"{row['cpu_seconds']:.0f} s",
                    f"{row['memory_gb']:.2f} GB",
                    row["iterations"],
                    f"{row['psnr']:.2f} dB",
                )
            )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help="by default all")
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--print", action="store_true", help="only print the table")
    given = parser.parse_args()
    rows = []
    if given.table.exists():
        rows = [json.loads(line) for line in given.table.read_text().splitlines()]
    known = {row["part"] for row in rows}
    for part in [] if given.print else given.parts or PARTS:
        if part not in known:
            # Each in its own process, because memory is measured as the maximum of a process.
            code = (
                f"import json, bench_pictures; print(json.dumps(bench_pictures.measured({part!r})))"
            )
            here = Path(__file__).parent
            done = subprocess.run(
                [sys.executable, "-c", code],
                cwd=here,
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
            rows.append(json.loads(done.stdout.splitlines()[-1]))
            given.table.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    print(table_of(rows))


if __name__ == "__main__":
    main()
