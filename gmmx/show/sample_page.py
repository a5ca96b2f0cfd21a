"""A page about a mixture of samples: what `gmmx fit` and `gmmx info` print of a catalogue."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .._words import counted
from ..answers.captions import draws_in_words
from ..answers.sample_components import error_columns, moments_of, sample_table
from ..answers.sample_errors import errors_of
from ..answers.sample_intervals import interval
from ..model.samples_result import SamplesResult
from .lines import OPTION_NAMES, aligned, value_text, with_error, wrapped

if TYPE_CHECKING:
    from astropy.table import Table

_LARGEST = 10


def sample_summary(result: SamplesResult, *, verbose: bool = False) -> str:
    """A page about a mixture of samples: the samples, the fit, the components, the warnings.

    Parameters
    ----------
    result : SamplesResult
    verbose : bool
        List all components instead of the ten largest, the moments of the mixture, the path over
        K, and all options.

    Returns
    -------
    str

    Examples
    --------
    >>> import gmmx
    >>> x = np.random.default_rng(0).normal([0.0, 5.0], [1.0, 2.0], (500, 2))
    >>> print(sample_summary(gmmx.fit_samples(x, n_components=1, names=["a", "b"])))
    Samples
      rows                500
      columns             a, b
      errors              none
    ...
    """
    blocks = [_sample_lines(result), _fit_lines(result)]
    blocks.append(_component_lines(result, None if verbose else _LARGEST))
    if verbose:
        blocks.append(_moment_lines(result))
    if verbose and _path_rows(result):
        blocks.append(["Number of components", *_path_rows(result)])
    if result.warnings:
        blocks.append(["Warnings", *map(wrapped, result.warnings)])
    if verbose and result.options:
        pairs = [(name, value_text(value)) for name, value in result.options.items()]
        blocks.append(["Options", *aligned(pairs, OPTION_NAMES)])
    return "\n\n".join("\n".join(block) for block in blocks)


def sample_facts(result: SamplesResult, **extra: object) -> dict[str, object]:
    """Facts of a mixture of samples, ready for JSON.

    Parameters
    ----------
    result : SamplesResult
    **extra
        Further facts, which come first.

    Examples
    --------
    >>> import gmmx
    >>> facts = sample_facts(gmmx.fit_samples([0.1, 1.2, 2.2, 0.4, 1.9], n_components=1))
    >>> facts["k"], facts["samples"], facts["columns"]
    (1, 5, ['x0'])
    """
    mixture, (mean, covariance) = result.mixture, result.expectation()
    facts = extra | {
        "kind": "samples",
        "samples": len(result.samples),
        "columns": list(result.names),
        "units": list(result.units),
        "noise": result.samples.noise_kind,
        "completeness": None if result.completeness is None else result.completeness.text,
        "missing_values": int(result.samples.missing.sum()),
        "k": len(mixture),
        "requested_components": result.requested_components,
        "log_likelihood": result.log_likelihood,
        "n_parameters": result.n_parameters,
        "bic": result.bic,
        "aic": result.aic,
        "icl": result.icl,
        "converged": result.converged,
        "iterations": result.iterations,
        "background_fraction": result.background_fraction,
        "seed": result.seed,
        "seconds": result.seconds,
        "mean": mean.tolist(),
        "covariance": covariance.tolist(),
        "components": _component_facts(result),
        "warnings": list(result.warnings),
    }
    return facts if result.draws is None else _with_errors(facts, result)


def _component_facts(result):
    """Facts of each component."""
    mixture = result.mixture
    parts = (mixture.fluxes, result.fractions, result.observed_fraction)
    names = ("samples", "fraction", "observed_fraction", "mean", "covariance")
    columns = (part.tolist() for part in (*parts, mixture.means, mixture.covariances))
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _with_errors(facts, result):
    """The facts with the errors of all that was fitted, under names that end in _err."""
    found = errors_of(result)
    facts["draws"] = {
        "number": len(result.draws),
        "method": result.draws.method,
        "seed": result.draws.seed,
    }
    moments = moments_of(result, lambda one: one.mixture, result.names)
    facts["mean_err"] = [moments[f"mean_{name}"]["error"] for name in result.names]
    facts["sigma_err"] = [moments[f"sigma_{name}"]["error"] for name in result.names]
    facts["background_fraction_err"] = _background_error(result) / 100
    errors = zip(found.fluxes, found.fractions, found.means, found.covariances, strict=True)
    names = ("samples_err", "fraction_err", "mean_err", "covariance_err")
    for component, own in zip(facts["components"], errors, strict=True):
        component |= {name: error.tolist() for name, error in zip(names, own, strict=True)}
    return facts


def _background_error(result):
    """Error of the part of the samples that backgrounds hold [%]; None without draws."""
    if result.draws is None:
        return None
    return 100 * float(interval(result, lambda one: one.background_fraction).error[0])


def _sample_lines(result):
    samples = result.samples
    columns = zip(result.names, result.units, strict=True)
    titles = [f"{name} [{unit}]" if unit else name for name, unit in columns]
    pairs = [("rows", f"{len(samples):,}"), ("columns", ", ".join(titles))]
    kinds = {
        "none": "none",
        "common": "one covariance for all rows",
        "diagonal": "a standard deviation for each value",
        "full": "a covariance for each row",
    }
    pairs.append(("errors", kinds[samples.noise_kind]))
    missing = int(samples.missing.sum())
    if missing:
        part = 100 * missing / samples.x.size
        pairs.append(("missing", f"{counted(missing, 'value')} ({part:.3g} %)"))
    if np.ptp(samples.weights) > 0:
        pairs.append(("sum of weights", f"{samples.weights.sum():,.6g}"))
    if result.completeness is not None:
        pairs.append(("completeness", result.completeness.text))
    if result.noise is not None:
        pairs.append(("errors of others", result.noise.text))
    return ["Samples", *aligned(pairs)]


def _fit_lines(result):
    k = len(result.mixture)
    chosen = f"chosen by {result.options.get('criterion', 'bic').upper()}"
    pairs = [
        ("components", f"{k}" + (f", {chosen}" if result.requested_components is None else "")),
        (
            "status",
            "converged"
            if result.converged
            else f"NOT CONVERGED after {counted(result.iterations, 'evaluation')}",
        ),
        ("log-likelihood", f"{result.log_likelihood:,.3f} nat"),
        ("criteria", f"BIC {result.bic:,.1f}, AIC {result.aic:,.1f}, ICL {result.icl:,.1f}"),
        ("parameters", f"{result.n_parameters} free"),
        ("work", f"{counted(result.iterations, 'evaluation')} in {result.seconds:.1f} s"),
    ]
    if result.backgrounds:
        part = with_error(100 * result.background_fraction, _background_error(result))
        pairs.append(("background", f"{part} % of the samples ({result.backgrounds[0].name})"))
    if result.draws is not None:
        pairs.append(("errors", draws_in_words(result.draws)))
    return ["Fit", *aligned(pairs)]


def _component_lines(result, limit):
    table = sample_table(result)[:limit]
    table.remove_columns([name for name in table.colnames if name.startswith("corr_")])
    if not np.any(result.observed_fraction < 1):
        table.remove_column("observed_fraction")
    k = len(result.mixture)
    head = "Components" if len(table) == k else f"Largest {len(table)} of {k} components"
    return [head, *table_lines(table)]


def _moment_lines(result):
    """The mean, standard deviation and correlations of the mixture, a row for each column."""
    # Loaded here because that takes a third of a second.
    from astropy.table import Table

    _, covariance = result.expectation()
    sigma = np.sqrt(np.diag(covariance))
    moments = moments_of(result, lambda one: one.mixture, result.names)
    texts = [with_error(one["value"], one.get("error")) for one in moments.values()]
    d = len(sigma)
    rows = {"column": np.array(result.names, dtype=str), "mean": texts[:d], "sigma": texts[d:]}
    table = Table(rows)
    for i, name in enumerate(result.names[:-1]):
        table[f"corr_{name}"] = [
            "" if j <= i else f"{covariance[i, j] / (sigma[i] * sigma[j]):.3f}"
            for j in range(len(sigma))
        ]
    return ["Mean, standard deviation and correlations of the mixture", *table_lines(table)]


def table_lines(table: Table) -> list[str]:
    """Lines of a table with four digits of each number, or as many as its error has.

    Parameters
    ----------
    table : astropy.table.Table
        Errors are written behind their values.
    """
    shown = table.copy()
    for name, own in error_columns(table).items():
        both = zip(table[name], table[own], strict=True)
        shown.replace_column(name, [with_error(value, error) for value, error in both])
        shown.remove_column(own)
    for name in shown.colnames:
        if shown[name].dtype.kind == "f":
            shown[name].info.format = "{:.4g}"
    lines = shown.pformat(max_width=-1, max_lines=-1, show_unit=False)
    return [f"  {line}" for line in (lines[0], *lines[2:])]


def part_page(table: Table) -> str:
    """The components of a mixture of some columns, and what holds of all of them.

    Parameters
    ----------
    table : astropy.table.Table
        Of `part_table`.
    """
    rows = []
    for name, one in table.meta["all"].items():
        text = with_error(one["value"], one.get("error"))
        if "error" in one:
            ends = (f"{one[f'lower{n}']:.4g} to {one[f'upper{n}']:.4g} ({n} %)" for n in (68, 95))
            text += f", {', '.join(ends)}"
        rows.append((name, text))
    return "\n".join([*table_lines(table), "", "All components", *aligned(rows)])


def table_rows(table: Table) -> list[dict]:
    """Rows of a table, ready for JSON.

    Parameters
    ----------
    table : astropy.table.Table
    """
    return [{name: row[name].tolist() for name in table.colnames} for row in table]


def _path_rows(result):
    """The criteria at each number of components that was compared."""
    path = result.path
    if "stage" not in path:
        return []
    return [
        f"  K {int(k):<4} log L {value:,.1f}  BIC {bic:,.1f}  AIC {aic:,.1f}  ICL {icl:,.1f}"
        for stage, k, value, bic, aic, icl in zip(
            *(path[name] for name in ("stage", "k", "log_likelihood", "bic", "aic", "icl")),
            strict=True,
        )
        if stage == "choose" and math.isfinite(bic)
    ]
