"""The comparison of models of samples as lines of text, and as what JSON can hold."""

from pathlib import PurePath

import numpy as np

from ..answers.sample_comparison import SampleComparison
from .lines import aligned
from .sample_page import table_lines, table_rows


def sample_compare_lines(found: SampleComparison) -> list[str]:
    """Blocks of lines: the models, their divergences, log-likelihoods, and components in pairs.

    Parameters
    ----------
    found : SampleComparison
    """
    short = [PurePath(name).name for name in found.names]
    names = short if len(set(short)) == len(short) else list(found.names)
    blocks = [_model_lines(found, names)]
    for j in range(1, len(names)):
        blocks.append(_divergence_lines(found, names, j))
        blocks.append(_gain_lines(found, names, j))
        blocks.append(_pair_lines(found, names, j))
    return "\n\n".join("\n".join(block) for block in blocks).split("\n")


def sample_compare_dict(found: SampleComparison) -> dict:
    """The same as a dict that JSON can hold; the first model is compared with each other one."""
    return {
        "kind": "samples",
        "models": [
            {
                "model": name,
                "k": len(one.mixture),
                "samples": len(one.samples),
                "n_parameters": one.n_parameters,
                "log_likelihood": one.log_likelihood,
                "bic": one.bic,
                "aic": one.aic,
            }
            for name, one in zip(found.names, found.results, strict=True)
        ],
        "same_samples": found.are_of_the_same_samples,
        "comparisons": [_facts(found, j) for j in range(1, len(found.names))],
    }


def _facts(found, j):
    return {
        "models": [found.names[0], found.names[j]],
        "divergence": found.divergences[0, j],
        "divergence_error": found.divergence_errors[0, j],
        "divergence_back": found.divergences[j, 0],
        "divergence_back_error": found.divergence_errors[j, 0],
        "gain": [_plain(found.gains[s, 0, j]) for s in (0, j)],
        "gain_error": [_plain(found.gain_errors[s, 0, j]) for s in (0, j)],
        "pairs": table_rows(found.pairs(0, j)),
    }


def _plain(value):
    return float(value) if np.isfinite(value) else None


def _model_lines(found, names):
    """A table with one column for each model."""
    results = found.results
    rows = [
        ("", names),
        ("components", [f"{len(one.mixture)}" for one in results]),
        ("free parameters", [f"{one.n_parameters}" for one in results]),
        ("samples", [f"{len(one.samples):,}" for one in results]),
        ("log-likelihood [nat]", [f"{one.log_likelihood:,.1f}" for one in results]),
    ]
    if found.are_of_the_same_samples:
        for name in ("aic", "bic"):
            values = np.array([getattr(one, name) for one in results])
            rows.append(
                (f"{name.upper()} less the lowest", [f"{v:,.1f}" for v in values - values.min()])
            )
    widths = [max(len(cells[i]) for _, cells in rows) for i in range(len(names))]
    first = max(len(name) for name, _ in rows)
    return [
        f"{name:<{first}}  "
        + "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
        for name, cells in rows
    ]


def _pair_lines(found, names, j):
    """The components of two models, those of a pair below each other."""
    # Loaded here because that takes a third of a second.
    from astropy.table import Table

    table = found.pairs(0, j)
    kept = [
        name.removesuffix("_1")
        for name in table.colnames
        if name.startswith(("component", "fraction", "mean_", "sigma_")) and name.endswith("_1")
    ]
    kept = [name for name in kept if not name.endswith("_err")]
    rows = []
    for row in table:
        distance = f"{row['distance']:.3f}" if min(row[0], row[1]) >= 0 else "alone"
        for end, model in ((1, names[0]), (2, names[j])):
            if row[f"component_{end}"] >= 0:
                rows.append((distance, model, *(row[f"{name}_{end}"] for name in kept)))
                distance = ""
    shown = Table(rows=rows, names=["distance", "model", *kept])
    return ["Components in pairs, and the Hellinger distance of their shapes", *table_lines(shown)]


def _divergence_lines(found, names, j):
    pairs = [
        (
            f"of {names[b]} from {names[a]}",
            f"{found.divergences[a, b]:.5g} +- {found.divergence_errors[a, b]:.2g}",
        )
        for a, b in ((0, j), (j, 0))
    ]
    return [
        "Kullback-Leibler divergence, without errors of samples [nat]",
        *aligned(pairs, _width(pairs)),
    ]


def _gain_lines(found, names, j):
    own = [(0, "on the samples of both")]
    if not found.are_of_the_same_samples:
        own = [(s, f"on the samples of {names[s]}") for s in (0, j)]
    pairs = [
        (text, f"{found.gains[s, 0, j]:,.1f} +- {found.gain_errors[s, 0, j]:.2g}")
        for s, text in own
    ]
    head = f"Log-likelihood of {names[0]} less that of {names[j]} [nat]"
    return [head, *aligned(pairs, _width(pairs))]


def _width(pairs):
    return 2 + max(len(name) for name, _ in pairs)
