"""Do the tests bite? Small faults are planted one at a time (mutmut); a test should fail for each.

Runs on a copy of the committed tree under ``build/mutants``. In the full size every mutant is run;
in the smaller ones a random sample, the same each time, whose score is an estimate and says so.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from trust.lines import Line, Told, of_size

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / "build" / "mutants"
SEED = 20261128
WANTED = 0.85
# What is mutated, and the tests that should notice.
ROOMS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "detect": (("shared/detect",), ("tests/unit/detect",)),
    "policy": (("shared/policy",), ("tests/unit/policy", "tests/unit/notices")),
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
    sample = of_size(size, 6, 150, 0)
    lines = []
    for done, room in enumerate(ROOMS):
        told(f"mutants: {room}", done, len(ROOMS))
        lines.append(_room(room, sample))
    told("mutants", len(ROOMS), len(ROOMS))
    return lines


def _room(room: str, sample: int) -> Line:
    folder = COPY / room
    _prepare(folder, *ROOMS[room])
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "2"]
    # A name that no mutant has: mutmut makes them all and then finds nothing to run.
    subprocess.run([*command, "none.*"], cwd=folder, capture_output=True, check=False)
    names = sorted(_results(folder))
    chosen = random.Random(SEED).sample(names, min(sample, len(names))) if sample else names
    subprocess.run(
        [*command, *(chosen if sample else ())], cwd=folder, capture_output=True, check=False
    )
    codes = _results(folder)
    ended = Counter(_status(codes[name]) for name in chosen)
    survivors = [name for name in chosen if _status(codes[name]) in ESCAPED]
    noticed = sum(ended[each] for each in NOTICED)
    judged = noticed + len(survivors)
    score = noticed / judged if judged else 0.0
    part = "" if len(chosen) == len(names) else f" (a sample of {len(names):,})"
    return Line(
        f"{room}：植えた誤りの {WANTED:.0%} 以上に試験が気づく",
        f"{room}: tests notice at least {WANTED:.0%} of planted faults",
        f"{score:.0%} of {judged:,} mutants{part}",
        score >= WANTED,
        {"mutants": len(names), "run": judged, **ended, "survivors": survivors},
        ", ".join(survivors[:40]),
    )


def _prepare(folder: Path, sources: tuple[str, ...], tests: tuple[str, ...]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tree = subprocess.run(
        ["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    subprocess.run(["tar", "x"], cwd=folder, input=tree, check=True)
    also = [each.name for each in folder.iterdir() if each.name not in {"mutants", ".git"}]
    config = {
        "source_paths": list(sources),
        "pytest_add_cli_args_test_selection": list(tests),
        "pytest_add_cli_args": ["-p", "no:randomly", "--hypothesis-seed=1", "-x"],
        "also_copy": also,
    }
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as out:
        out.write("\n[tool.mutmut]\n")
        for name, value in config.items():
            out.write(f"{name} = {json.dumps(value)}\n")


def _results(folder: Path) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for meta in (folder / "mutants").rglob("*.meta"):
        found |= json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
    return found


def _status(code: int | None) -> str:
    from mutmut.stats import status_by_exit_code  # of requirements-trust.txt

    return str(status_by_exit_code[code])
