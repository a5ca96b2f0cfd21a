"""Hostile input: good files with a change, what became of them, and what may become of them."""

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from hostile_changes import CHANGES
from hostile_inputs import GOOD
from hostile_runner import BYTES, Outcome, run_all
from hypothesis import HealthCheck, Phase, given, seed, settings

# Answers that differ by less are the same.
SAME = 1e-6
# A fit that starts elsewhere ends within its tolerance, not at the same bits.
LOOSE = {"start model": 0.02, "table in ECSV": 0.02, "table in FITS": 0.02}


@dataclass(frozen=True)
class Case:
    """A good file and the change that is made to it.

    Attributes
    ----------
    reader : str
        A key of GOOD.
    change : object
        From hostile_changes.
    text : str
        The changed file, if it is a text.
    """

    reader: str
    change: object
    text: str = ""

    def __str__(self):
        return f"{self.reader}: {self.change}"


@dataclass(frozen=True)
class Verdict:
    """What became of a case.

    Attributes
    ----------
    case : Case
    kind : str
        "same", "named" or "refused" are right. "silent" is another answer without a word;
        "traceback", "crash", "hang", "memory" and "unclear", an error that does not name its
        file in one line, are wrong.
    outcome : Outcome
    """

    case: Case
    kind: str
    outcome: Outcome

    @property
    def is_right(self):
        """Whether it is what should become of hostile input."""
        return self.kind in ("same", "named", "refused", "exempt")

    def __str__(self):
        outcome = self.outcome
        last = (outcome.trace or outcome.said).strip().splitlines()
        return f"{self.kind:9s} {self.case}\n          {last[-1] if last else ''}"


def drawn_cases(reader, content, n, *, number=0):
    """Return n different cases of a reader, always the same ones for the same number."""
    found = {}

    @seed(1000 * number + sorted(GOOD).index(reader))
    @settings(
        max_examples=4 * n,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(CHANGES[GOOD[reader].kind](content))
    def draw(change):
        found.setdefault(repr(change), change)

    draw()
    names = list(found)
    # Hypothesis begins with the simplest, and then varies what it had: take them from all over.
    order = np.random.default_rng(number).permutation(len(names))[:n]
    return [_case(reader, found[names[i]], content) for i in order]


def _case(reader, change, content):
    is_text = GOOD[reader].kind in ("text", "filter")
    return Case(reader, change, change(content).decode("latin-1") if is_text else "")


def prepared(case, good_folder, folder):
    """Make the folder of a case: the good files by links, and the hostile one; return its Job."""
    good, folder = GOOD[case.reader], Path(folder)
    folder.mkdir(parents=True)
    changed = case.change((Path(good_folder) / good.file).read_bytes())
    for path in Path(good_folder).iterdir():
        if path.name != good.file:
            os.link(path, folder / path.name)
    (folder / good.file).write_bytes(changed)
    job = good.job(folder)
    if good.kind == "filter":
        words = changed.decode("latin-1").replace("\x00", "")
        lines = tuple(tuple(words if w == "FILTER" else w for w in line) for line in job.lines)
        job = replace(job, lines=lines)
    return job


def judged(case, outcome, good, exempt=()):
    """Return the Verdict of a case by the outcome of its good file."""
    if outcome.ended in ("traceback", "crash", "hang"):
        kind = "memory" if "MemoryError" in outcome.trace else outcome.ended
    elif outcome.peak > BYTES:
        kind = "memory"
    elif outcome.ended == "refused":
        kind = "refused" if _is_clear(case, outcome) else "unclear"
    elif is_same(outcome.answer, good.answer, LOOSE.get(case.reader, SAME)):
        kind = "same"
    elif _told(case, outcome) - _told(case, good):
        kind = "named"
    else:
        kind = "silent"
    if kind == "silent" and any(one(case) for one in exempt):
        kind = "exempt"
    return Verdict(case, kind, outcome)


def _is_clear(case, outcome):
    """Whether a refusal is one line that names the file."""
    errors = [line for line in outcome.said.splitlines() if line.startswith("gmmx: error: ")]
    others = [line for line in outcome.said.splitlines() if not line.startswith("gmmx: ")]
    name = GOOD[case.reader].file
    # A filter is its own name, and an option of a configuration may be the name of a file.
    named = GOOD[case.reader].kind in ("filter", "toml") or name in (errors or [""])[0]
    # Two files that do not fit together may be named by the other one.
    named = named or "overlap" in (errors or [""])[0]
    told = all(re.match(r"[\w ,-]+: ", line) for line in others)
    return outcome.code == 1 and len(errors) == 1 and named and told


def _told(case, outcome):
    """Return the warnings, and the reasons for which photons were left out."""
    lines = outcome.said.splitlines()
    found = {line for line in lines if line.startswith("gmmx: warning: ")}
    for line in lines:
        if "; left out: " in line:
            reasons = line.split("; left out: ")[1]
            found |= {re.sub(r"^[\d,]+ ", "", one) for one in reasons.split(", ")}
    if case.reader == "background events":
        # The line says how many of the events are counted.
        found |= {line for line in lines if line.startswith("background: ")}
    return found


def is_same(one, other, tolerance=SAME):
    """Whether two answers are the same numbers, in relation to their largest."""
    if one.keys() != other.keys():
        return False
    for name, values in one.items():
        a, b = np.array(values, float), np.array(other[name], float)
        scale = max(np.abs(b).max(initial=0), 1e-12)
        if a.shape != b.shape or not np.allclose(
            a, b, rtol=tolerance, atol=tolerance * scale, equal_nan=True
        ):
            return False
    return True


def run_cases(runners, cases, good_folder, scratch, exempt=()):
    """Run cases and return their verdicts."""
    readers = sorted({case.reader for case in cases})
    plain = [
        prepared(Case(r, _unchanged), good_folder, Path(scratch) / f"good-{r}") for r in readers
    ]
    good = dict(zip(readers, run_all(runners, plain), strict=True))
    for reader, outcome in good.items():
        assert outcome.ended == "done", (reader, outcome)
    jobs = [prepared(case, good_folder, Path(scratch) / f"{i:04d}") for i, case in enumerate(cases)]
    outcomes = run_all(runners, jobs)
    return [
        judged(case, outcome, good[case.reader], exempt)
        for case, outcome in zip(cases, outcomes, strict=True)
    ]


def _unchanged(content):
    return content
