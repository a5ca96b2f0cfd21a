"""Parts of the model file of a mixture of samples: completeness, noise and backgrounds."""

import h5py
import numpy as np

from ..._words import readable
from ...errors import InputError
from ...model.mixture import Mixture
from ...model.sample_background import SampleBackground
from ...model.sample_completeness import SampleCompleteness
from ...model.sample_grid import SampleGrid
from ...model.sample_noise import SampleNoise
from .nodes import as_json, optional, put
from .values import flag, from_json, number, text


def put_completeness(group: h5py.Group, completeness: SampleCompleteness) -> None:
    """Write a completeness: its text, and its grid if it is one."""
    kind = "expression" if completeness.is_expression else "function"
    if completeness.grid is not None:
        kind = "grid"
        _put_grid(group, completeness.grid)
    group.attrs.update(kind=kind, text=readable(completeness.text))


def get_completeness(group: h5py.Group, names: tuple[str, ...]) -> SampleCompleteness:
    """Read a completeness over columns of these names."""
    kind, said = text(group, "kind"), text(group, "text")
    if kind == "expression":
        return SampleCompleteness.of(said, names)
    if kind == "grid":
        return SampleCompleteness.of(_get_grid(group), names)
    way_out = "give an expression or a grid"
    return SampleCompleteness(function=_lost(f"completeness {said!r}", way_out), text=said)


def put_noise(group: h5py.Group, noise: SampleNoise) -> None:
    """Write the noise as a function of the noise-free values."""
    kind = "function" if noise.grids is None else "grid"
    group.attrs.update(kind=kind, text=readable(noise.text))
    for name, grid in (noise.grids or {}).items():
        part = group.create_group(str(list(noise.names).index(name)))
        part.attrs["column"] = name
        _put_grid(part, grid)


def get_noise(group: h5py.Group, names: tuple[str, ...]) -> SampleNoise:
    """Read the noise of samples with columns of these names."""
    said = text(group, "text")
    if text(group, "kind") == "function":
        lost = _lost(f"noise model {said!r}", "give a file with grids")
        return SampleNoise(function=lost, names=names, text=said)
    grids = {text(part, "column"): _get_grid(part) for part in group.values()}
    return SampleNoise.of(SampleNoise(grids=grids, text=said), names)


def put_background(group: h5py.Group, background: SampleBackground, index: int) -> None:
    """Write a background as the attributes of a group, with its mixture or its grid."""
    kind = "uniform" if background.function is None else "function"
    if isinstance(background.function, Mixture):
        kind = "mixture"
        put(group, "flux", background.function.fluxes, "")
        put(group, "mean", background.function.means, "")
        put(group, "covariance", background.function.covariances, "")
    elif isinstance(background.function, SampleGrid):
        kind = "grid"
        _put_grid(group, background.function)
    group.attrs.update(
        index=index,
        name=readable(background.name),
        kind=kind,
        amplitude=optional(background.amplitude),
        observed_fraction=optional(background.observed_fraction),
        low=background.low,
        high=background.high,
        uniform=background.function is None,
        adds_noise=background.adds_noise,
    )


def get_background(group: h5py.Group, names: tuple[str, ...]) -> SampleBackground:
    """Read a background of samples with columns of these names."""
    name = text(group, "name")
    kind = "uniform" if flag(group, "uniform") else "function"
    kind = text(group, "kind") if "kind" in group.attrs else kind
    function = None
    if kind == "mixture":
        function = Mixture(
            fluxes=group["flux"][()], means=group["mean"][()], covariances=group["covariance"][()]
        )
    elif kind == "grid":
        function = _get_grid(group).on_columns(names)
    elif kind == "function":
        function = _lost(f"density of background {name!r}", "give a mixture or a grid")
    fitted = "observed_fraction"
    return SampleBackground(
        low=np.asarray(group.attrs["low"], float),
        high=np.asarray(group.attrs["high"], float),
        function=function,
        name=name,
        amplitude=number(group, "amplitude"),
        observed_fraction=number(group, fitted) if fitted in group.attrs else None,
        adds_noise="adds_noise" in group.attrs and flag(group, "adds_noise"),
    )


def _put_grid(group, grid):
    """Write a grid: its values, its axes, and the names of the columns that they stand for."""
    put(group, "values", grid.values, "")
    for i, axis in enumerate(grid.axes):
        put(group, f"axis{i}", axis, "")
    group.attrs["columns"] = as_json(list(grid.names), "columns")


def _get_grid(group):
    """Read the grid that `_put_grid` wrote."""
    values = group["values"][()]
    axes = [group[f"axis{i}"][()] for i in range(values.ndim)]
    # Earlier models have one axis for each column, in their order, and no names.
    names = from_json(group, "columns", list) if "columns" in group.attrs else ()
    return SampleGrid(values=values, axes=axes, names=tuple(map(str, names)))


def _lost(what, way_out):
    """A function in the place of one that a file cannot hold."""

    def refuse(_x):
        raise InputError(
            f"the {what} was a function of Python, which a model file cannot hold: fit again, or"
            f" {way_out}"
        )

    return refuse
