"""Claims that tests of the project prove; they are run at their full size where they have one.

A line is a set of tests; it holds if at least one ran, none failed and none was skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path

from trust.lines import Line, Told

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Claim:
    """What is claimed, the tests that prove it, and the environment of a size."""

    ja: str
    en: str
    tests: tuple[str, ...]
    env: dict[str, dict[str, str]] = field(default_factory=dict)


CLAIMS = (
    Claim(
        "通知の欠落・重複・偽造、Graph の障害でも、見つけて一度だけ動く",
        "notifications lost, doubled, forged, and a Graph that fails: found, acted once",
        ("tests/e2e/test_faults.py",),
    ),
    Claim(
        "台帳と購読の状態は、モデルと食い違わない",
        "the ledger and the subscriptions agree with their models",
        ("tests/unit/storage/test_ledger_machine.py", "tests/unit/graph"),
    ),
    Claim(
        "200 個の番号は、記録・キュー・表・画面・お知らせのどこにも現れない",
        "200 numbers appear in no log, queue, table, page or notice",
        ("tests/e2e/test_canary.py",),
    ),
    Claim(
        "ロールの割り当てと Graph の権限は、コードが使うものと一致する",
        "role assignments and Graph permissions are those that the code uses",
        ("tests/unit/infra",),
    ),
    Claim(
        "方針の判定は、別に書いた判定器と無作為の組で一致する",
        "policy agrees with a second evaluator on random pairs of policy and item",
        ("tests/unit/policy/test_properties.py",),
        {
            "ci": {"SEKISHO_PAIRS": "2000"},
            "nightly": {"SEKISHO_PAIRS": "20000"},
            "full": {"SEKISHO_PAIRS": "100000"},
        },
    ),
)


def run(size: str, told: Told) -> list[Line]:
    """A line a claim."""
    lines = []
    for done, claim in enumerate(CLAIMS):
        told(f"tests: {claim.en}", done, len(CLAIMS))
        lines.append(_line(claim, size))
    told("tests", len(CLAIMS), len(CLAIMS))
    return lines


def _line(claim: Claim, size: str) -> Line:
    env = claim.env.get(size, {})
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", f"--junit-xml={report}", *claim.tests],
            cwd=ROOT,
            env={**os.environ, **env},
            capture_output=True,
            check=False,
        )
        counts = _counts(report)
    ran, bad, skipped = counts["tests"], counts["failures"] + counts["errors"], counts["skipped"]
    said = ", ".join(f"{name} {value}" for name, value in env.items())
    return Line(
        claim.ja,
        claim.en,
        f"{ran} tests, {bad} failed, {skipped} skipped" + (f" ({said})" if said else ""),
        ran > 0 and bad == 0 and skipped == 0,
        {**counts, **env},
    )


def _counts(report: Path) -> dict[str, int]:
    names = ("tests", "failures", "errors", "skipped")
    if not report.exists():
        return dict.fromkeys(names, 0)
    suites = ET.parse(report).getroot().iter("testsuite")
    found = dict.fromkeys(names, 0)
    for suite in suites:
        for name in names:
            found[name] += int(suite.get(name, "0"))
    return found
