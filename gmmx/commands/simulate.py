"""Simulate event lists from a model and write them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from .._words import either
from ..answers.event_rows import rows_of
from ..answers.simulate import ParameterSet, simulated
from ..config import SimulateConfig
from ..errors import about
from ..io.event_list import EVENT_SUFFIXES, write_event_list
from ..io.inputs import recorded_files
from ..io.write import check_no_input, check_target
from .kinds import read_for


def simulate(
    model: str | Path,
    out: str | Path,
    config: SimulateConfig | None = None,
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
    say: Callable[[str], None] = lambda _line: None,
) -> list[tuple[Path, int]]:
    """Simulate the event list of each observation of a model file.

    Parameters
    ----------
    model, config, overwrite, inputs
        See `gmmx.commands`.
    out : path
        The event list. For a joint fit the number of the observation is added to its name, as in
        `numbered`.
    say : callable
        Called with one line of text if a column cannot be made.

    Returns
    -------
    list of (Path, int)
        The files that were written, and the number of photons in each.
    """
    config = SimulateConfig() if config is None else config
    outputs = [(out, EVENT_SUFFIXES)]
    result = read_for("simulate", model, outputs, overwrite=True, inputs=inputs)
    paths = numbered(out, len(result.observations))
    for path in paths:
        check_target(path, overwrite=overwrite, suffixes=EVENT_SUFFIXES, inputs=[model, *inputs])
        check_no_input(path, recorded_files(result.observations))
    with about(model):
        found = _simulated(result, config)
    for path, (simulation, rows) in zip(paths, found, strict=True):
        if rows.missing:
            say(
                f"{path}: it has no {either(rows.missing)}, because the model does not keep what "
                "they are drawn from"
            )
        _write(path, simulation, rows, model, config, overwrite)
    return [(path, len(rows.origin)) for path, (_, rows) in zip(paths, found, strict=True)]


def _write(path, simulation, rows, model, config, overwrite):
    """Write the event list of one observation."""
    write_event_list(
        path,
        simulation.observation,
        rows.photons,
        origin=rows.origin,
        times=rows.times,
        interval=rows.interval,
        cards=_cards(model, config),
        comments=_comments(model, config),
        overwrite=overwrite,
    )


def _simulated(result, config):
    """The simulation of each observation, with the rows of its event list."""
    rng = np.random.default_rng(config.seed)
    parameters = ParameterSet.of(result, config.draw)
    if config.components is not None:
        parameters = parameters.only(config.components)
    found = simulated(
        result,
        rng,
        parameters=parameters,
        exposure_scale=config.exposure_scale,
        with_psf=not config.no_psf,
        in_pixels=False,
    )
    return [(one, rows_of(result, i, one, rng)) for i, one in enumerate(found)]


def numbered(out: str | Path, n: int) -> list[Path]:
    """The output file of each of n observations.

    One observation keeps the name; several have their number, from 1, before the ending.

    Examples
    --------
    >>> [path.name for path in numbered("sky.fits.gz", 2)]
    ['sky_1.fits.gz', 'sky_2.fits.gz']
    """
    out = Path(out)
    if n == 1:
        return [out]
    ending = "".join(out.suffixes[-2:] if out.suffix == ".gz" else out.suffixes[-1:])
    stem = out.name.removesuffix(ending)
    return [out.with_name(f"{stem}_{number}{ending}") for number in range(1, n + 1)]


def _cards(model, config):
    """Keywords that say what was simulated."""
    cards = {
        "SIMULATD": (True, "the photons are simulated"),
        "SIMMODEL": (Path(model).name, "model that they were simulated from"),
        "SIMSEED": (config.seed, "seed of the random numbers"),
        "SIMSCALE": (config.exposure_scale, "factor on the exposure of the observation"),
        "SIMPSF": (not config.no_psf, "whether the PSF spreads the photons"),
    }
    if config.draw is not None:
        cards["SIMDRAW"] = (config.draw, "draw of the parameters that was simulated")
    if config.components is not None:
        text = ",".join(map(str, config.components)) or "none"
        cards["SIMCOMP"] = (text, "components that were simulated")
    return cards


def _comments(model, config):
    """The same for people."""
    return (
        f"SIMULATION by gmmx simulate, from the model {Path(model).name}, seed {config.seed}.",
        "The column origin is the truth: the component of each photon, or a background.",
    )
