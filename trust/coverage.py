"""Which lines and branches of the core its own unit tests reach (coverage.py), a line a room."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from trust.lines import Line, Told
from trust.mutants import ROOMS

ROOT = Path(__file__).resolve().parent.parent
WANTED = 95.0  # per cent
PYTEST = ("-m", "pytest", "-q", "-n", "0", "-p", "no:randomly", "--hypothesis-seed=1")


def run(size: str, told: Told) -> list[Line]:
    """The same for every size."""
    del size
    lines = []
    for done, room in enumerate(ROOMS):
        told(f"coverage: {room}", done, len(ROOMS))
        lines.append(measured(room))
    told("coverage", len(ROOMS), len(ROOMS))
    return lines


def measured(room: str) -> Line:
    """Run a room's tests; it holds if they pass and reach enough of both."""
    sources, tests = ROOMS[room]
    include = ",".join(path if path.endswith(".py") else f"{path}/*" for path in sources)
    with tempfile.TemporaryDirectory() as folder:
        data, report = f"--data-file={folder}/data", Path(folder) / "report.json"
        coverage = [sys.executable, "-m", "coverage"]
        done = subprocess.run(
            [*coverage, "run", data, "--branch", f"--include={include}", *PYTEST, *tests],
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
        written = [*coverage, "json", data, "-o", str(report)]
        subprocess.run(written, cwd=ROOT, capture_output=True, check=False)
        found = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
    return _line(room, found, passed=done.returncode == 0)


def _line(room: str, found: dict[str, Any], *, passed: bool) -> Line:
    totals = found.get("totals", {})
    lines = _share(totals.get("covered_lines", 0), totals.get("num_statements", 0))
    branches = _share(totals.get("covered_branches", 0), totals.get("num_branches", 0))
    missing = [
        f"{path}: {', '.join(map(str, each['missing_lines']))}"
        for path, each in found.get("files", {}).items()
        if each["missing_lines"]
    ]
    return Line(
        f"{room}：単体試験が行と分岐の {WANTED:.0f} % 以上を通る",
        f"{room}: its unit tests reach at least {WANTED:.0f} % of lines and of branches",
        f"lines {lines:.1f} %, branches {branches:.1f} %" + ("" if passed else ", tests failed"),
        passed and lines >= WANTED and branches >= WANTED,
        {"lines": round(lines, 1), "branches": round(branches, 1), "not_reached": missing},
    )


def _share(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0


if __name__ == "__main__":
    for name in sys.argv[1:]:
        made = measured(name)
        print(made.measured, *made.figures["not_reached"], sep="\n  ")
