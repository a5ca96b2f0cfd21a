"""Count what becomes of hostile input: good files with one change, through the command line.

    python benchmarks/bench_hostile.py [INPUTS FOR EACH READER] [SEED]

`same`: the answer of the good file. `named`: another answer, and a warning or a count of photons
left out. `refused`: one line that names the file, exit code 1. `exempt`: another possible file
(tests/hostile_exempt.py). All others are faults: `silent` is another answer without a word.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from hostile import drawn_cases, run_cases  # noqa: E402
from hostile_exempt import EXEMPT  # noqa: E402
from hostile_inputs import GOOD, make_good_files  # noqa: E402
from hostile_runner import Runner  # noqa: E402

KINDS = ("same", "named", "refused", "exempt", "silent", "traceback", "unclear", "hang", "memory")


def main(each, number):
    """Run `each` hostile inputs of every reader, and print a table."""
    with tempfile.TemporaryDirectory() as scratch:
        good = Path(scratch) / "good"
        make_good_files(good)
        cases = [
            case
            for reader in GOOD
            for case in drawn_cases(
                reader, (good / GOOD[reader].file).read_bytes(), each, number=number
            )
        ]
        with Runner(scratch) as one, Runner(scratch) as other:
            verdicts = run_cases((one, other), cases, good, Path(scratch) / "cases", EXEMPT)
    print(f"{'reader':22s}" + "".join(f"{kind:>10s}" for kind in KINDS))
    for reader in (*GOOD, "all"):
        counts = Counter(v.kind for v in verdicts if reader in (v.case.reader, "all"))
        print(f"{reader:22s}" + "".join(f"{counts[kind]:10d}" for kind in KINDS))
    print(
        f"\n{len(verdicts)} hostile inputs; largest memory "
        f"{max(v.outcome.peak for v in verdicts) / 2**20:.0f} MB"
    )
    for verdict in verdicts:
        if not verdict.is_right:
            print(verdict)


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*(given + [25, 0][len(given) :]))
