"""The column of an event list that holds the energies, and its unit."""

import warnings

import numpy as np

from ..errors import DataError, DataWarning
from ._columns import EnergyColumn
from .units import energy_scale

# Telescopes record nothing below this energy [keV].
LEAST_KEV = 0.05


def energy_column(path, columns, instrument):
    """Find the column that holds the energies."""
    if not instrument.has_energies:
        return EnergyColumn()
    if "energy" in columns:
        return EnergyColumn(name="energy", scale=_energy_unit(path, columns["energy"]))
    if "pi" not in columns:
        return EnergyColumn()
    scale, channels = energy_scale(columns["pi"].unit), instrument.channels
    if scale is not None:
        return EnergyColumn(name="pi", scale=scale)
    if channels is None:
        return EnergyColumn()
    if channels.is_substitute:
        warnings.warn(
            f"{path}: no energy column: taking energies from PI, channels of "
            f"{channels.width_kev * 1000:g} eV",
            DataWarning,
            stacklevel=3,
        )
    return EnergyColumn(
        name="pi", scale=channels.width_kev, offset=channels.offset, half=channels.half
    )


def _energy_unit(path, column):
    """Return the size of the unit of a column of energies [keV]: eV, if the file names none."""
    scale = energy_scale(column.unit)
    if scale is None and column.unit:
        raise DataError(
            f"{path}: TUNIT{column.number} {column.unit!r} of the column {column.name} is no unit "
            "of energy: correct the header, for instance to eV"
        )
    return 1e-3 if scale is None else scale


def convert_energies(path, table):
    """Convert energies to keV, in place to save memory; refuse keV that are taken for eV."""
    values, energy = table.values, table.energy
    if energy.name is None:
        return
    values[energy.name] += energy.offset
    values[energy.name] *= energy.scale
    column = table.columns[energy.name]
    if energy.name == "energy" and not column.unit:
        largest = np.max(values["energy"], where=np.isfinite(values["energy"]), initial=0.0)
        if 0 < largest < LEAST_KEV:
            raise DataError(
                f"{path}: no energy above {1000 * largest:.3g} eV, because the column "
                f"{column.name} has no unit: if they are in keV, write TUNIT{column.number} = "
                "'keV' into its header"
            )
