"""The radial profile as lines of text, and as what JSON can hold."""

import numpy as np

from ..model.amounts import with_interval

# A larger part of the brightness at positions that were hardly observed is marked.
_MUCH = 0.1
# Where an error needs more digits behind the point, all are written with a power of ten.
_MOST_DIGITS = 5
# The columns that are shown, with their errors.
_SHOWN = tuple((name, f"{name}_ERR") for name in ("SUR_FLUX", "MODEL_SUR_FLUX", "DECONV_SUR_FLUX"))


def profile_lines(table):
    """The centre, the half-light radius and one line for each annulus.

    Parameters
    ----------
    table : astropy.table.QTable
        As `gmmx.answers.profile_table.profile_of` makes it.

    Returns
    -------
    list of str
    """
    meta, number = table.meta, _numbers(table)
    lines = [f"{name:<18}{text}" for name, text in _facts(meta, number)]
    scale = np.nanmax(np.abs(np.append(number["DECONV_SUR_FLUX"], number["SUR_FLUX"])))
    power = 0 if not scale > 0 or 0.1 <= scale < 1e4 else int(np.floor(np.log10(scale)))
    # Far out a brightness may be many orders of magnitude below that of the centre.
    steep = any(
        _digits(error * 10.0**-power) > _MOST_DIGITS
        for _, error_name in _SHOWN
        for error in number[error_name]
    )
    power = 0 if steep else power
    unit = "photon/cm^2/s/arcsec^2" if "CUM_FLUX" in table.colnames else "photon/arcsec^2"
    times = "" if power == 0 else f"1e{power:+03d} "
    lines += [
        "",
        f"surface brightness [{times}{unit}]",
        f"{'radius [arcsec]':<19}{'photons':>9}  {'data':<22}{'blurred model':<22}deconvolved",
    ]
    factor = 10.0**-power
    extrapolated = False
    for i, (low, high) in enumerate(number["R"]):
        cells = [
            _cell(number[name][i] * factor, number[error][i] * factor, steep)
            for name, error in _SHOWN
        ]
        much = number["DECONV_SUR_FLUX_EXTRAPOLATED"][i] > _MUCH * number["DECONV_SUR_FLUX"][i]
        extrapolated |= bool(much)
        radius = f"{low:.4g} - {high:.4g}"
        row = f"{radius:<19}{number['COUNTS'][i]:>9,.0f}  {cells[0]:<22}{cells[1]:<22}{cells[2]}"
        lines.append(row + " *" * bool(much))
    if extrapolated:
        lines.append("* more than 10 % of it lies where the completeness is below 5 %")
    if meta.get("psf") == "none":
        lines.append("no PSF was given: the deconvolved model is as blurred as the data")
    elif meta.get("psf", "all") != "all":
        lines.append(
            f"{meta['psf']} observations have a PSF: the model is deconvolved in those only"
        )
    if "ISO_PA" in number:
        lines += _isophote_lines(number)
    lines += ["", f"errors of the models: {meta['errors']}"]
    if "flux_note" in meta:
        lines.append(f"flux: {meta['flux_note']}")
    return lines


def _isophote_lines(number):
    """One line for each isophote that was found."""
    lines = ["", "isophotes of the deconvolved model"]
    place = ("ISO_RA", "ISO_DEC") if "ISO_RA" in number else ("ISO_X", "ISO_Y")
    head = "centre [deg]" if "ISO_RA" in number else "centre [arcsec]"
    lines.append(f"{'axis [arcsec]':<15}{head:<24}{'error':<10}{'ellipticity':<18}pos. angle [deg]")
    for i, axis in enumerate(number["RMID"]):
        if not np.isfinite(number["ISO_PA"][i]):
            lines.append(f"{axis:<15.4g}none: the brightness has no elliptical contour here")
            continue
        centre = " ".join(f"{number[name][i]:+.5f}" for name in place)
        error = np.hypot(number["ISO_X_ERR"][i], number["ISO_Y_ERR"][i])
        cells = [
            _cell(number[name][i], number[f"{name}_ERR"][i])
            for name in ("ISO_ELLIPTICITY", "ISO_PA")
        ]
        text = f'{error:.2g}"'
        lines.append(f"{axis:<15.4g}{centre:<24}{text:<10}{cells[0]:<18}{cells[1]}")
    return lines


def profile_dict(table):
    """The table as a dict of lists and texts that JSON can hold; None stands for no number."""
    columns = {name: _plain(values) for name, values in _numbers(table).items()}
    units = {
        name: str(table[name].unit)
        for name in table.colnames
        if str(getattr(table[name], "unit", None) or "")
    }
    return {**table.meta, "columns": columns, "units": units}


def _facts(meta, number):
    """Pairs of words and texts about the whole profile."""
    if "ra" in meta:
        place = f"RA {meta['ra']:.5f}, Dec {meta['dec']:+.5f} ({meta['radesys']})"
    else:
        place = f"x {meta['x']:.3f}, y {meta['y']:.3f} arcsec"
    yield "centre", place + (f", {meta['center']}" if meta["center"].isalpha() else "")
    if "pa" in meta:
        yield "ellipses", f"axis ratio {meta['axis_ratio']:g}, position angle {meta['pa']:g} deg"
    if "sector" in meta:
        yield "sector", f"position angles {meta['sector']} deg"
    if "half_light_radius" in meta:
        ends = ("", "_lower68", "_upper68")
        text = with_interval(*(meta[f"half_light_radius{end}"] for end in ends)) + " arcsec"
        within = meta.get("half_light_within")
        yield "half-light radius", text + (f" (flux within {within:.4g} arcsec)" if within else "")
    name, unit = (
        ("CUM_FLUX", "photon/cm^2/s") if "CUM_FLUX" in number else ("CUM_PHOTONS", "photons")
    )
    enclosed = with_interval(*(number[name + end][-1] for end in ("", "_LOWER68", "_UPPER68")))
    yield "signal", f"{enclosed} {unit} within {number['R'][-1, 1]:.4g} arcsec"


def _cell(value, error, with_power=False):
    """A value with its error for a column of the table, or a dash where nothing is known."""
    if not np.isfinite(value):
        return "-"
    digits = _digits(error)
    if not with_power:
        return f"{value:.{digits}f} +- {error:.{digits}f}"
    if error > 0 and value != 0:
        # The last digit of the value is the second of its error.
        digits = int(np.clip(np.floor(np.log10(abs(value))) + digits, 0, _MOST_DIGITS))
    return f"{value:.{digits}e} +- {error:.1e}"


def _digits(error):
    """Digits behind the point with which an error has two."""
    return 3 if not error > 0 else int(max(1 - np.floor(np.log10(error)), 0))


def _numbers(table):
    """The columns as arrays without units."""
    return {name: np.asarray(getattr(table[name], "value", table[name])) for name in table.colnames}


def _plain(values):
    """Nested lists, with None where there is no number."""
    if values.ndim > 1:
        return [_plain(row) for row in values]
    return [float(value) if np.isfinite(value) else None for value in values]
