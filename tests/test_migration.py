"""The pages on samples, and for users of other packages: our side of each row runs."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table
from command_line import run

import gmmx
from gmmx.model.samples import Samples

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = (DOCS / "migration.md").read_text()
ANSWERS = re.findall(r"^\|.*\| `(gmmx .*)` \| `(.*)` \|$", (DOCS / "samples.md").read_text(), re.M)
# The code in the last cells of the tables.
CODE = [
    code
    for line in PAGE.splitlines()
    if line.startswith("| ") and "`" in line
    for code in re.findall(r"`([^`]+)`", line.rstrip(" |").rpartition(" | ")[2])
]
STATEMENTS = [code for code in CODE if re.match(r"(result\W|gmmx\.|from gmmx)", code)]
STATEMENTS += [code for _, code in ANSWERS]
KEYWORDS = [code for code in CODE if re.match(r"\w+=", code)]
COMMANDS = [line.strip() for line in PAGE.splitlines() if line.startswith("    gmmx ")]


@pytest.fixture(scope="module")
def names():
    """What the rows of the page speak of: data, errors, a fit."""
    rng = np.random.default_rng(0)
    data = np.concatenate([rng.normal(0, 1, (40, 2)), rng.normal(5, 1, (40, 2))])
    errors = np.full(data.shape, 0.04)
    # Other packages call the same things by other names.
    found = {"gmmx": gmmx, "rng": rng, "n": 5, "w": np.ones(80)}
    found |= dict.fromkeys(("data", "X", "x", "ydata"), data)
    found |= dict.fromkeys(("covar", "Xerr", "ycovar"), errors)
    found |= {"xamp": [0.5, 0.5], "xmean": data[[0, -1]], "xcovar": np.tile(np.eye(2), (2, 1, 1))}
    found |= {"low": data.min(0) - 1, "high": data.max(0) + 1, "samples": Samples(x=data)}
    found["selection"] = lambda x: np.ones(len(x))
    found["covar_fct"] = lambda x: np.full(x.shape, 0.04)
    found["result"] = gmmx.fit_samples(data, n_components=2, names=["r_i", "g_r"])
    found["other"] = found["result"]
    return found


def test_the_page_has_code_of_both_kinds():
    assert len(STATEMENTS) > 25
    assert len(KEYWORDS) > 5
    assert len(COMMANDS) > 4
    assert len(ANSWERS) > 10


@pytest.mark.parametrize("code", STATEMENTS)
def test_our_side_of_a_row_runs(names, code):
    exec(code, dict(names))


@pytest.mark.parametrize("code", KEYWORDS)
def test_an_argument_is_one_of_fit_samples(names, code):
    given = eval(f"dict({code})", dict(names))
    if "noise_model" in given:
        # The errors of samples that nobody saw mean something only where there are errors and
        # samples that nobody saw.
        given |= {"covariances": names["covar"], "completeness": names["selection"]}
    gmmx.fit_samples(names["data"], n_components=1, names=["r_i", "mag"], **given)


def test_the_commands_run_one_after_the_other(names, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = Table(names["data"], names=["g_r", "r_i"])
    table["g_r_err"] = table["r_i_err"] = 0.2
    table.write("stars.fits")
    table.write("other.fits")
    other = "gmmx fit stars.fits --columns g_r,r_i --errors g_r_err,r_i_err --k 1 --out other.h5"
    for command in (*COMMANDS, other, *(command for command, _ in ANSWERS)):
        done = run(*shlex.split(command)[1:])
        assert done.exit_code == 0, done.output
