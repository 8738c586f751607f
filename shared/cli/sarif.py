"""SARIF 2.1.0 of a scan, for tools that gather findings. Masks and reasons, never a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from urllib.parse import quote

from shared.cli.output import GAPS
from shared.detect.rulebook import Rule
from shared.model import Decision, Finding, Gap, Level

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Level.LOW: "note", Level.MEDIUM: "warning", Level.HIGH: "error"}


def document(
    judged: Iterable[tuple[Path, Decision]], rules: Mapping[str, Rule]
) -> dict[str, object]:
    """One run with a result for each finding and each gap.

    Positions count characters of an extracted segment, not of the file, so the place is a logical
    location and the positions are properties. Gaps are rules named ``gap/<code>``.
    """
    results: list[dict[str, object]] = []
    used: dict[str, dict[str, object]] = {}
    for path, decision in judged:
        for finding in decision.findings:
            rule = rules[finding.entity]
            used[finding.entity] = _rule(finding.entity, f"{rule.ja} / {rule.en}", rule.source)
            results.append(_finding(path, decision, finding, rule))
        for gap in decision.gaps:
            code = f"gap/{gap.code.value}"
            used[code] = _rule(code, GAPS[gap.code], "読めない部分 / could not be read")
            results.append(_gap(path, decision, gap, code))
    driver = {
        "name": "Sekisho",
        "version": metadata.version("sekisho"),
        "rules": list(used.values()),
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str, words: str, more: str) -> dict[str, object]:
    return {"id": code, "shortDescription": {"text": words}, "fullDescription": {"text": more}}


def _place(path: Path, location: str) -> list[dict[str, object]]:
    place: dict[str, object] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(path.as_posix().encode("utf-8", "surrogateescape"))}
        }
    }
    if location:
        place["logicalLocations"] = [{"fullyQualifiedName": location}]
    return [place]


def _finding(path: Path, decision: Decision, finding: Finding, rule: Rule) -> dict[str, object]:
    reasons = "、".join(each.ja for each in finding.evidence)
    return {
        "ruleId": finding.entity,
        "level": _LEVELS[finding.level],
        "message": {"text": f"{rule.ja} {finding.masked}（{reasons}）"},
        "locations": _place(path, finding.location),
        "properties": {
            "start": finding.start,
            "end": finding.end,
            "confidence": finding.confidence,
            "disposition": decision.disposition.name.lower(),
            "evidence": [{"code": each.code, "weight": each.weight} for each in finding.evidence],
        },
    }


def _gap(path: Path, decision: Decision, gap: Gap, code: str) -> dict[str, object]:
    return {
        "ruleId": code,
        "level": "warning",
        "message": {
            "text": f"読めない部分: {GAPS[gap.code]} / could not be read ({gap.code.value})"
        },
        "locations": _place(path, gap.location),
        "properties": {"disposition": decision.disposition.name.lower()},
    }
