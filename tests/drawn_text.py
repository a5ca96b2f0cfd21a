"""A figure as text: what is drawn, so that a change of a figure shows in a comparison of lines.

Numbers are rounded to three digits, so that the text is the same on every machine. Run the tests
with GMMX_UPDATE_BASELINES=1 to write the baselines anew, and look at the figures before you commit
them.
"""

import os
from pathlib import Path

import numpy as np

BASELINES = Path(__file__).with_name("baselines")


def text_of(figure):
    """One line for each thing that a figure draws."""
    lines = [f"text {text.get_text()!r}" for text in figure.texts]
    for axes in sorted(all_axes(figure), key=lambda one: one.get_label()):
        lines += [f"axes {axes.get_label()}", *(f"  {line}" for line in _lines_of(axes))]
    return "\n".join(lines) + "\n"


def all_axes(figure):
    """The axes of a figure, those inside other axes included."""
    return [one for axes in figure.axes for one in (axes, *axes.child_axes)]


def check_baseline(figure, name):
    """Compare a figure with its baseline, or write the baseline if that is asked for."""
    path, text = BASELINES / f"{name}.txt", text_of(figure)
    if os.environ.get("GMMX_UPDATE_BASELINES"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text(), f"the figure differs from tests/baselines/{name}.txt"


def _lines_of(axes):
    for place in ("left", "center"):
        if axes.get_title(loc=place):
            yield f"title {axes.get_title(loc=place)}"
    for name in ("x", "y"):
        low, high = getattr(axes, f"get_{name}lim")()
        label = getattr(axes, f"get_{name}label")()
        yield f"{name} {_number(low)} to {_number(high)} {label!r}"
    for image in axes.images:
        values = np.ma.filled(np.ma.asarray(image.get_array(), float), np.nan)
        limits = " to ".join(map(_number, image.get_clim()))
        seen = values[np.isfinite(values)]
        spread = f"mean {_number(seen.mean())} deviation {_number(seen.std())}"
        yield f"image {values.shape} {spread} {image.get_cmap().name} {limits}"
    for line in axes.lines:
        x, y = (np.asarray(v, float) for v in line.get_data())
        yield f"line {_name(line)} {len(x)} points {_summary(x)} {_summary(y)}"
    for patch in axes.patches:
        yield f"patch {type(patch).__name__}"
    for collection in axes.collections:
        yield f"collection {type(collection).__name__} {len(collection.get_paths())}"
    for text in axes.texts:
        yield f"text {text.get_text()!r} at {' '.join(map(_number, text.get_position()))}"
    legend = axes.get_legend()
    if legend is not None:
        yield f"legend {', '.join(text.get_text() for text in legend.get_texts())}"


def _name(line):
    """The label of a line; matplotlib's own numbers of unlabelled ones say nothing."""
    return "unlabelled" if line.get_label().startswith("_") else line.get_label()


def _summary(values):
    seen = values[np.isfinite(values)]
    return f"{_number(seen.min())} to {_number(seen.max())}" if len(seen) else "nothing"


def _number(value):
    return f"{float(value):.3g}"
