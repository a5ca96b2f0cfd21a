"""Hostile input for every reader: the outcome is right, or one line that names the file.

Each input is a good file with one change, which hypothesis draws (`hostile_changes`). It goes
through the command line in a process of its own, with 60 s and 4 GB (`hostile_runner`). Where the
command succeeds, its answer is compared with that of the good file: another answer without a
warning is wrong, unless the change makes another possible file (`hostile_exempt`).
"""

from pathlib import Path

import numpy as np
import pytest
from hostile import drawn_cases, run_cases
from hostile_exempt import EXEMPT
from hostile_inputs import GOOD, make_good_files
from hostile_runner import Runner

# Inputs for each reader in `make test-slow`, and the number of them in `make test`.
EACH, SAMPLE = 25, 60


@pytest.fixture(scope="module")
def good_files(tmp_path_factory):
    """The folder of the good files."""
    folder = tmp_path_factory.mktemp("hostile") / "files"
    make_good_files(folder)
    return folder


@pytest.fixture(scope="module")
def runners(tmp_path_factory):
    """Two processes that run command lines."""
    scratch = tmp_path_factory.mktemp("runners")
    with Runner(scratch) as one, Runner(scratch) as other:
        yield one, other


def cases_of(reader, folder):
    """All hostile inputs of a reader."""
    return drawn_cases(reader, (Path(folder) / GOOD[reader].file).read_bytes(), EACH)


def check(cases, runners, folder, scratch):
    """Run cases; every one of them is right, and not all of them are refused."""
    verdicts = run_cases(runners, cases, folder, scratch / "cases", EXEMPT)
    wrong = [str(one) for one in verdicts if not one.is_right]
    assert not wrong, "\n".join(wrong)
    assert {"same", "refused"} <= {one.kind for one in verdicts}


def test_a_sample_of_hostile_inputs_is_right_or_refused_in_one_line(good_files, runners, tmp_path):
    cases = [case for reader in GOOD for case in cases_of(reader, good_files)]
    chosen = np.random.default_rng(11).choice(len(cases), SAMPLE, replace=False)
    check([cases[i] for i in chosen], runners, good_files, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("reader", GOOD)
def test_hostile_input_of_a_reader_is_right_or_refused_in_one_line(
    reader, good_files, runners, tmp_path
):
    check(cases_of(reader, good_files), runners, good_files, tmp_path)
