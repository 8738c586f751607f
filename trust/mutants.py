"""Do the tests bite? Small faults are planted one at a time (mutmut); a test should fail for each.

Runs on a copy of the committed tree under ``build/mutants``. In the full size every mutant is run;
in the smaller ones a random sample, the same each time, whose score is an estimate and says so.
Faults in nothing but a sentence for people (an error's text) are counted apart: no test quotes
them, so that they can be worded better. ``python -m trust.mutants ROOM SAMPLE`` runs one room.
"""

from __future__ import annotations

import random
import sys
from collections import Counter

from trust import judged
from trust.lines import Line, Told, of_size
from trust.mutant_tree import Tree

SEED = 20261128
WANTED = 0.85
# What is mutated, and the tests that should notice.
ROOMS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "detect": (("shared/detect",), ("tests/unit/detect",)),
    "policy": (("shared/policy",), ("tests/unit/policy", "tests/unit/notices/test_notices.py")),
    "pipeline": (("shared/pipeline.py",), ("tests/unit/pipeline",)),
    "ledger": (
        ("shared/storage/ledger.py",),
        ("tests/unit/storage/test_ledger.py", "tests/unit/storage/test_ledger_machine.py"),
    ),
    "audit": (("shared/audit",), ("tests/unit/audit",)),
}
NOTICED = {"killed", "timeout", "segfault", "suspicious", "caught by type check"}
ESCAPED = {"survived", "no tests"}


def run(size: str, told: Told) -> list[Line]:
    """A line a room."""
    sample = of_size(size, 6, 80, 0)
    lines = []
    for done, room in enumerate(ROOMS):
        told(f"mutants: {room}", done, len(ROOMS))
        lines.append(measured(room, sample))
    told("mutants", len(ROOMS), len(ROOMS))
    return lines


def measured(room: str, sample: int) -> Line:
    """Run a room's mutants (0: all) and count what was noticed."""
    tree = Tree(room, *ROOMS[room])
    tree.prepare()
    texts = tree.texts()
    before = tree.codes()
    names = sorted(before.keys() - texts)
    chosen = random.Random(SEED).sample(names, min(sample, len(names))) if sample else names
    left = [name for name in chosen if _status(before[name]) not in NOTICED]
    if left:
        tree.run(left)
    codes = tree.codes()
    ended = Counter(_status(codes[name]) for name in chosen)
    planted = tree.planted(name for name in chosen if _status(codes[name]) in ESCAPED)
    survivors = judged.survivors(room, planted)
    harmless = sum(each["harmless"] for each in survivors)
    noticed = sum(ended[each] for each in NOTICED)
    counted = noticed + len(survivors) - harmless
    score = noticed / counted if counted else 0.0
    part = "" if len(chosen) == len(names) else f", a sample of {len(names):,}"
    return Line(
        f"{room}：植えた誤りの {WANTED:.0%} 以上に試験が気づく",
        f"{room}: tests notice at least {WANTED:.0%} of planted faults",
        f"{score:.0%} of {counted:,} mutants ({harmless} judged harmless{part})",
        score >= WANTED,
        {
            "mutants": len(names),
            "texts": len(texts),
            "run": counted,
            **ended,
            "survivors": survivors,
        },
        f"{len(survivors)} escaped; each is below with its judgement",
    )


def _status(code: int | None) -> str:
    from mutmut.stats import status_by_exit_code  # of requirements-trust.txt

    return str(status_by_exit_code[code])


if __name__ == "__main__":
    print(measured(sys.argv[1], int(sys.argv[2])))
