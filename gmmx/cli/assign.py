"""The command `gmmx assign`."""

import click

from ..config import LABELS, AssignConfig
from . import options
from .options import Command, File, flag, setting, values


@click.command(
    "assign",
    cls=Command,
    epilog=options.examples(
        "gmmx assign model.h5 --out assigned.fits",
        "gmmx assign model.h5 evt2.fits --label draw --out assigned.fits",
        "gmmx assign model.h5 --out assigned.fits --map labels.fits",
    ),
)
@options.model
@click.argument("events", nargs=-1, metavar="[EVENTS]...", type=File())
@setting(
    AssignConfig,
    "label",
    "Add the column LABEL with one decision for each photon: drawn by the probabilities (draw), or "
    "the most probable origin (best).",
    type=click.Choice(LABELS),
)
@setting(AssignConfig, "seed", "Seed of the labels that are drawn.", metavar="INT")
@flag(
    "--no-checksum",
    group="Options",
    default=AssignConfig.no_checksum,
    help="Read FITS files even if their CHECKSUM or DATASUM does not hold.",
)
@options.out(
    "FILE.fits",
    "Copy of EVENTS with the new columns. A joint model makes one for each observation, with its "
    "number before the ending: FILE_1.fits, FILE_2.fits.",
)
@setting(
    AssignConfig,
    "map",
    "Image of component labels, a binning map for spectroscopy: the component from which most "
    "photons of a pixel are expected, -1 for the backgrounds, -2 where nothing was fitted.",
    group="Output",
    metavar="FILE.fits",
    type=File(),
)
@options.overwrite
@options.as_json
@options.quiet
@options.verbose
@options.config
@click.pass_obj
def assign(console, model, events, out, overwrite, as_json, **given):
    """Assign the photons of EVENTS to the components of MODEL.

    The output has all rows, columns and extensions of EVENTS, and these columns: P_SIGNAL, P_BKG
    and P_POINT, the probabilities that a photon is of an extended component, a background or a
    point source, which sum to 1; COMPONENT, the most probable of all components and the background;
    and P_COMPONENT, its probability.

    Components count from 0, as in the component table and the figures: extended ones by decreasing
    flux, then the point sources. -1 is the background, all backgrounds together. Photons that were
    not fitted, because of their energy, chip, place or a filter, have NaN and -2.

    The rows of a catalogue get the columns COMPONENT, P_COMPONENT, P_BKG and LOG_DENSITY, the
    logarithm of the density at the values of the row, broadened by its errors, if MODEL is a
    mixture of its columns; the output may be .ecsv, .fits or .csv.

    Without EVENTS the files that MODEL was fitted to are read, with their filters. The sum of
    P_SIGNAL is then the sum of the column observed_photons of the component table. Energies do not
    enter the probabilities.
    """
    from ..commands.assign import assign as assign_photons

    config = values(AssignConfig, given)
    facts = assign_photons(
        model,
        events,
        out,
        config,
        overwrite=overwrite,
        inputs=console.configs,
        command=console.command,
    )
    for one in facts:
        if as_json:
            console.show_json({"model": model, **one})
        else:
            console.show(_in_words(one))
    if config.map is not None:
        console.say(f"labels: {config.map}")


def _in_words(one):
    """Say what was assigned in one file."""
    head = f"{one['file']}: {one['n_assigned']:,} of {one['n_rows']:,} rows assigned: "
    if "point_sources" not in one:
        return f"{head}{one['signal']:,.1f} to components, {one['background']:,.1f} to backgrounds"
    return (
        f"{head}{one['signal']:,.1f} photons of the signal, {one['point_sources']:,.1f} of point "
        f"sources, {one['background']:,.1f} of backgrounds"
    )
