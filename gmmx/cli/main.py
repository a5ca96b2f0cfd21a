"""The command line: parse, call `pipeline`, print.

Results go to stdout, everything else to stderr. Exit codes: 0 done; 1 the input or the data is at fault (one line says what, where and what to do); 2 the
command line is wrong; 3 not converged, with --strict; 130 interrupted; 141 nobody reads the output any more; 143 terminated.
"""

import json
import tomllib
import warnings

import click

from .. import __version__
from ..config import (
    BEGINNINGS,
    FIGURES,
    MODEL_SUFFIXES,
    REGION_FRAMES,
    SOURCE_POSITIONS,
    STARTS,
    STRETCHES,
    UNITS,
    ExportConfig,
    FitConfig,
    PlotConfig,
    RenderConfig,
    option_names,
)
from ..errors import DataError, GmmxError, GmmxWarning, InputError
from .console import Main

# What --init takes, for the help and for messages.
INIT = "|".join([*STARTS, "MODEL.h5"])
# Options whose name is not that of their parameter.
NAMES = {"--k": "n_components", "--energy": "energy_kev"}
# The tables that a TOML file may hold, and the options in each.
TABLES = {"fit": FitConfig, "render": RenderConfig, "plot": PlotConfig, "export": ExportConfig}


def _be_quiet(context, parameter, value):
    context.obj.quiet = value


def _be_verbose(context, parameter, value):
    context.obj.verbose = value
    if value:
        warnings.simplefilter("default")
        warnings.simplefilter("always", GmmxWarning)


def _count(context, parameter, value):
    if value == "auto":
        return value
    try:
        return int(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is neither a whole number nor auto") from None


def _beginning(context, parameter, value):
    if not _is_beginning(value):
        raise click.BadParameter(f"{value!r} is not one of {BEGINNINGS}")
    return value


def _is_beginning(value):
    return isinstance(value, str) and (value in STARTS or value.lower().endswith(MODEL_SUFFIXES))


def _checked(path, table, key, option, value):
    """A TOML value as the option of that name takes it."""
    if getattr(option, "is_flag", False):
        if not isinstance(value, bool):
            raise DataError(f"{path}: [{table}] {key} = {value!r}: this option takes true or false")
        return value
    words = {
        "integer": "an integer",
        "float": "a float",
        "choice": "one of " + ", ".join(getattr(option.type, "choices", ())),
    }
    taken = {"integer": int, "float": (int, float)}.get(option.type.name, (str, int, float))
    if option.name == "n_components":
        words["text"], taken = "a whole number or auto", (int,) if value != "auto" else str
    if option.name == "init" and not _is_beginning(value):
        words["text"], taken = f"one of {BEGINNINGS}", ()
    values = value if option.multiple and isinstance(value, list) else [value]
    for one in values:
        if (
            isinstance(one, bool)
            or not isinstance(one, taken)
            or one not in getattr(option.type, "choices", (one,))
        ):
            raise DataError(
                f"{path}: [{table}] {key} = {one!r}: this option takes {words.get(option.type.name, 'a string or a number')}"
            )
    values = [str(one) if option.type.name == "text" else one for one in values]
    return values if option.multiple else values[0]


def _read_config(context, parameter, path):
    """Defaults from a TOML file: the command line wins over them."""
    if path is None:
        return
    try:
        with open(path, "rb") as file:
            tables = tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a TOML file: {error}") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    found = {}
    for table, content in tables.items():
        if table not in TABLES or not isinstance(content, dict):
            raise DataError(
                f"{path}: unknown key {table!r}: it may hold the tables {', '.join(f'[{name}]' for name in TABLES)}"
            )
        known = option_names(TABLES[table])
        options = {option.name: option for option in main.commands[table].params}
        for key, value in content.items():
            name = key.replace("-", "_")
            name = NAMES.get(f"--{name}", name)
            if name not in known:
                raise DataError(
                    f"{path}: unknown key {key!r} in [{table}]: it may hold {', '.join(known)}"
                )
            found.setdefault(table, {})[name] = _checked(path, table, key, options[name], value)
    context.default_map = {**(context.default_map or {}), **found.get(context.info_name, {})}


quiet_opt = click.option(
    "-q",
    "--quiet",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_be_quiet,
    help="Nothing on stderr but errors.",
)
verbose_opt = click.option(
    "-v",
    "--verbose",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_be_verbose,
    help="Tell more.",
)
json_opt = click.option(
    "--json", "as_json", is_flag=True, help="One JSON object per result on stdout."
)
overwrite_opt = click.option("--overwrite", is_flag=True, help="Replace an output that exists.")
config_opt = click.option(
    "--config",
    metavar="FILE.toml",
    is_eager=True,
    expose_value=False,
    callback=_read_config,
    help="Options from the file's table of this command's name; the command line wins.",
)
model_arg = click.argument("model")
events_arg = click.argument("events", nargs=-1, required=True)


def out_opt(metavar, text, required=True):
    """The output's path."""
    return click.option("--out", metavar=metavar, required=required, help=text)


def setting(config, flag, text, **extra):
    """The option of a config's field: its name, default and type are the field's."""
    name = NAMES.get(flag, flag.lstrip("-").replace("-", "_"))
    default = getattr(config, name)
    extra.setdefault("type", {int: int, float: float}.get(type(default)))
    return click.option(
        flag,
        name,
        default=default,
        show_default=default not in (None, ()),
        multiple=isinstance(default, tuple),
        help=text,
        **extra,
    )


def expanded(paths):
    """Paths with every `-` replaced by the lines of stdin."""
    found = []
    for path in paths:
        found += (
            [line.strip() for line in click.get_text_stream("stdin") if line.strip()]
            if path == "-"
            else [path]
        )
    if not found:
        raise InputError("-: no file names on standard input: pipe a list, one per line")
    return found


def print_json(facts):
    """One JSON object on one line."""
    click.echo(json.dumps(facts, allow_nan=False))


@click.group(
    cls=Main,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    epilog="Exit codes: 0 done, 1 bad input, 2 wrong command line, 3 not converged (--strict).",
)
@click.version_option(__version__, prog_name="gmmx")
def main():
    """From the photons an X-ray telescope recorded to the sky they came from, as a mixture of Gaussians."""


@main.command()
@events_arg
@setting(
    FitConfig,
    "--k",
    "Components to reach, or as many as are worth their price.",
    type=str,
    metavar="INT|auto",
    callback=_count,
)
@setting(FitConfig, "--mask", "Region file of what is left out; may be repeated.", metavar="FILE")
@setting(
    FitConfig, "--region", "Region file of what alone is kept; may be repeated.", metavar="FILE"
)
@setting(
    FitConfig,
    "--sources",
    "Regions or source list of point sources, modelled instead of masked; may be repeated.",
    metavar="FILE",
)
@setting(
    FitConfig,
    "--source-positions",
    "Whether the places of the point sources are fitted, within their regions.",
    type=click.Choice(SOURCE_POSITIONS),
)
@setting(
    FitConfig,
    "--exposure",
    "Exposure map. Without one, the field that the photons or a field-of-view --region tell.",
    metavar="FILE",
)
@setting(
    FitConfig,
    "--psf",
    "PSF map, or A,B[,C] at several encircled fractions; image of a point source; sigma of a Gaussian [arcsec]. Without it, chandra for ACIS.",
    metavar="FILE|SIGMA|chandra|none",
)
@setting(
    FitConfig, "--psf-ecf", "Encircled fraction of the PSF map, over its header's.", type=float
)
@setting(
    FitConfig,
    "--psf-extra-sigma",
    "Sigma of a further Gaussian [arcsec] that the PSF is convolved with.",
)
@setting(FitConfig, "--energy", "Band [keV]. Without one, the instrument's.", metavar="LO:HI|all")
@setting(
    FitConfig, "--ccd", "Chips, as 0-3 or 5,7. Without it, the aim point's.", metavar="LIST|all"
)
@setting(
    FitConfig,
    "--background",
    "sky, particle, streak, an image or event list, joined with commas: fitted along, or held (streak always, at its share). "
    "sky=VALUE is in photon/cm^2/s/arcsec^2. Without it, the instrument's.",
    metavar="KIND[=VALUE]|FILE[:fixed]|none",
)
@setting(
    FitConfig,
    "--background-region",
    "Region file of source-free sky: levels are taken from it and held.",
    metavar="FILE",
)
@setting(FitConfig, "--min-sigma", "Floor of the components' own size [arcsec].")
@setting(
    FitConfig,
    "--grid",
    "Cell of the completeness grid [arcsec]. Without it, the exposure map's pixel, 1 if there is none.",
    type=float,
)
@setting(FitConfig, "--bin", "Collect photons into cells of this size [arcsec].", type=float)
@setting(
    FitConfig,
    "--init",
    "How to begin; a model is gone on from, with its K or a larger --k.",
    type=str,
    metavar=INIT,
    callback=_beginning,
)
@setting(
    FitConfig,
    "--fix",
    "Table of components to hold, as export writes it; fixed_flux, fixed_mean, fixed_covariance: what.",
    metavar="FILE.ecsv",
)
@setting(FitConfig, "--seed", "Of everything random.")
@setting(FitConfig, "--max-iter", "Evaluations of the likelihood at most, after the start.")
@setting(FitConfig, "--tol", "Stop when less than this is still to be gained [nat].")
@setting(FitConfig, "--prior-mean-count", "Photons that hold each mean.")
@setting(
    FitConfig, "--prior-covariance-count", "Photons of the PSF's spread that hold each covariance."
)
@setting(
    FitConfig,
    "--exchanges",
    "Rounds in which components of little use may be exchanged for missing ones.",
)
@setting(FitConfig, "--threads", "Threads; 0 for as many as there are.")
@config_opt
@out_opt(
    "MODEL.h5",
    "The model. Without it, beside the events: their name with .model.h5.",
    required=False,
)
@overwrite_opt
@click.option("--strict", is_flag=True, help="Exit with 3 when the fit did not converge.")
@json_opt
@quiet_opt
@verbose_opt
@click.pass_context
def fit(context, events, out, overwrite, strict, as_json, **options):
    """Fit a mixture to EVENTS: event lists, or images of counts.

    Several EVENTS are one joint fit: a repeated option goes in their order, and commas join what belongs to one of them. What is not given is taken from the
    instrument, and said. An EVENTS of - reads a list of files from stdin. CIAO's row filters may follow the name, in quotes because shells read brackets:
    "evt2.fits[energy=500:2000,ccd_id=0:3][exclude sky=region(sources.reg)]", energies in eV, both ends included.
    """
    from ..commands import pipeline
    from ..show.facts import summary_dict
    from ..show.page import summary

    console = context.obj
    config = FitConfig(**options)
    out, result = pipeline.fit(
        expanded(events),
        out,
        config,
        overwrite=overwrite,
        command=console.command,
        say=console.say,
        callback=console.progress,
    )
    console.clear()
    if as_json:
        print_json(summary_dict(result, model=str(out)))
    else:
        click.echo(summary(result, verbose=console.verbose))
        click.echo(f"\nmodel: {out}")
    if strict and not result.converged:
        context.exit(3)


@main.command()
@model_arg
@setting(
    RenderConfig,
    "--image",
    "This image alone: signal, signal_psf, background, completeness, expected, counts, residual or points.",
    metavar="NAME",
)
@setting(RenderConfig, "--like", "Take the grid of this FITS image.", metavar="FITS")
@setting(RenderConfig, "--bin", "Pixel size [arcsec]. Without it, the exposure map's.", type=float)
@setting(
    RenderConfig,
    "--units",
    "Of signal and background: photons per pixel, or a flux per pixel or per arcsec^2.",
    type=click.Choice(UNITS),
)
@click.option(
    "--points",
    is_flag=True,
    default=RenderConfig.points,
    help="Leave the point sources in the signal.",
)
@config_opt
@out_opt("FILE.fits|.h5", "The images.")
@overwrite_opt
@quiet_opt
@verbose_opt
@click.pass_obj
def render(console, model, out, overwrite, **options):
    """Draw MODEL as images.

    The deconvolved signal comes first, so that DS9 shows it at once; then what the telescope makes of it, the background, the completeness, the expected
    and the recorded counts, and their residual. The last three follow for each observation of a joint fit, as EXPECTED_1, COUNTS_1, RESIDUAL_1 and so on.
    """
    from ..commands import pipeline

    console.say(
        f"images: {pipeline.render(model, out, RenderConfig(**options), overwrite=overwrite, command=console.command)}"
    )


@main.command()
@model_arg
@setting(
    PlotConfig,
    "--what",
    "What was fitted, what is left of each observation, or how the fit went.",
    type=click.Choice(FIGURES),
)
@setting(
    PlotConfig,
    "--stretch",
    "Of the colours.",
    type=click.Choice(STRETCHES),
)
@setting(PlotConfig, "--dpi", "Dots per inch of a PNG.")
@config_opt
@out_opt("FILE.png|.pdf|.svg", "The figure.")
@overwrite_opt
@quiet_opt
@verbose_opt
@click.pass_obj
def plot(console, model, out, overwrite, **options):
    """Draw MODEL as a figure.

    Data, completeness, the full scene, the signal alone, the residual and the radial profile; with --what residuals, residual and profile of every observation
    by itself; with --what history, how the fit went and how the number of components came about.
    """
    from ..commands import pipeline

    console.say(f"figure: {pipeline.plot(model, out, PlotConfig(**options), overwrite=overwrite)}")


@main.command()
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@json_opt
@quiet_opt
@verbose_opt
@click.pass_context
def info(context, models, as_json):
    """Tell what each MODEL holds.

    A MODEL of - reads a list of files from stdin. One that cannot be read does not keep the others from being told; the exit code is then 1.
    """
    from ..commands import pipeline
    from ..show.facts import summary_dict
    from ..show.page import summary

    console, failed = context.obj, False
    for model in expanded(models):
        try:
            result = pipeline.info(model)
        except GmmxError as error:
            console.fail(error)
            failed = True
            continue
        if as_json:
            print_json(summary_dict(result, model=model))
        else:
            click.echo(f"{model}\n\n{summary(result, verbose=console.verbose)}\n")
    if failed:
        context.exit(1)


@main.command()
@model_arg
@setting(
    ExportConfig,
    "--frame",
    "Coordinates of a region file.",
    type=click.Choice(REGION_FRAMES),
)
@setting(ExportConfig, "--scale", "Semi-axes of a region file's ellipses in standard deviations.")
@config_opt
@out_opt("FILE.ecsv|.fits|.csv|.reg", "The component table, or DS9 ellipses.")
@overwrite_opt
@quiet_opt
@verbose_opt
@click.pass_obj
def export(console, model, out, overwrite, **options):
    """Write MODEL's components as a table or as regions."""
    from ..commands import pipeline

    console.say(
        f"components: {pipeline.export(model, out, ExportConfig(**options), overwrite=overwrite)}"
    )


@main.command()
@model_arg
@events_arg
@json_opt
@quiet_opt
@verbose_opt
@click.pass_obj
def score(console, model, events, as_json):
    """Score MODEL on photons it was not fitted to.

    The mean over the detected photons of EVENTS of log[lambda(x) / integral of lambda], in nats per photon with x in arcsec, under the model's own energy band,
    exposure, mask and PSF. As many EVENTS as the model has observations, in their order; filters in brackets as for fit.
    """
    from ..commands import pipeline

    facts = pipeline.score(model, expanded(events))
    if as_json:
        print_json(facts)
    else:
        click.echo(
            f"{facts['score']:.6f} +- {facts['score_error']:.6f} nat per photon, {facts['n_photons']:,} photons"
        )


if __name__ == "__main__":
    main()
