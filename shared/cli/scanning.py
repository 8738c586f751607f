"""``sekisho scan``: read, detect, decide; a table or a JSON line an item."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from shared.cli import reading, sarif
from shared.cli.output import COLOURS, DISPOSITIONS, GAPS, LEVELS, clean, console, say
from shared.detect import Engine, FingerprintKey, Forms, Register
from shared.model import Context, Decision, Finding
from shared.policy import Policy
from shared.sandbox import Sandbox

CLEAN, FINDINGS, UNREAD = 0, 1, 2
SHOWN = 5
"""Findings of one file in the table; the JSON lines have them all."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to judge: the policy, the least confidence that counts, the place decided for.

    ``rules`` are a site's rule texts; ``edm`` and ``forms`` its registers.
    """

    policy: Policy
    min_confidence: float
    place: str
    rules: Sequence[str] = ()
    edm: Sequence[Register] = ()
    forms: Forms | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """One file and what policy made of it."""

    path: Path
    decision: Decision


async def scan(paths: Sequence[Path], options: Options, shape: str = "text") -> int:
    """Scan everything under the paths and print it; the exit code."""
    found = list(reading.find(paths))
    # Fingerprints only count distinct values here, so their key lives as long as the command.
    engine = Engine(
        FingerprintKey("cli", secrets.token_bytes(32)),
        site_rules=options.rules,
        edm=options.edm,
        forms=options.forms,
    )
    judged: list[Judged] = []
    with closing(Sandbox()) as sandbox, _progress() as progress:
        task = progress.add_task("調べています / scanning", total=len(found))
        for path in found:
            extraction = await reading.read(path, sandbox)
            findings = [
                each
                for each in engine.scan(extraction.segments)
                if each.confidence >= options.min_confidence
            ]
            context = Context(source="cli", place=options.place)
            decision = options.policy.decide(context, findings, extraction.gaps)
            judged.append(Judged(path, decision))
            if shape == "json":
                say(line(judged[-1]))
            progress.advance(task)
    if shape == "sarif":
        say(sarif.document([(each.path, each.decision) for each in judged], engine.rules))
    elif shape == "text":
        _print(judged, {entity: rule.ja for entity, rule in engine.rules.items()})
    return exit_code(judged)


def exit_code(judged: Sequence[Judged]) -> int:
    """2 if anything was not read, else 1 if anything was found, else 0."""
    if any(each.decision.gaps for each in judged):
        return UNREAD
    return FINDINGS if any(each.decision.findings for each in judged) else CLEAN


def _progress() -> Progress:
    """A bar on stderr where a person looks at it, nothing otherwise."""
    screen = console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=screen,
        transient=True,
        disable=not screen.is_terminal,
    )


def line(judged: Judged) -> dict[str, object]:
    """The JSON line of an item: masks and reasons, never a value."""
    decision = judged.decision
    return {
        "path": str(judged.path),
        "disposition": decision.disposition.name.lower(),
        "findings": [_finding(each) for each in decision.findings],
        "gaps": [{"code": gap.code.value, "location": gap.location} for gap in decision.gaps],
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "entity": finding.entity,
        "location": finding.location,
        "start": finding.start,
        "end": finding.end,
        "confidence": finding.confidence,
        "level": finding.level.name.lower(),
        "masked": finding.masked,
        "evidence": [
            {"code": each.code, "weight": each.weight, "ja": each.ja, "en": each.en}
            for each in finding.evidence
        ],
    }


def _print(judged: Sequence[Judged], words: Mapping[str, str]) -> None:
    table = Table("判定", title="関所 sekisho scan")
    table.add_column("ファイル", overflow="fold", max_width=36)
    table.add_column("見つかったもの（伏せ字）", overflow="fold")
    table.add_column("場所", overflow="fold", max_width=26)
    table.add_column("根拠", overflow="fold")
    for each in judged:
        decision = each.decision
        word = Text(DISPOSITIONS[decision.disposition], style=COLOURS[decision.disposition])
        head: tuple[Text | str, str] = (word, clean(str(each.path)))
        for row in _rows(decision, words):
            table.add_row(head[0], Text(head[1]), *(Text(cell) for cell in row))
            head = ("", "")
    findings = sum(len(each.decision.findings) for each in judged)
    gaps = sum(len(each.decision.gaps) for each in judged)
    screen = console()
    screen.print(table)
    screen.print(
        f"{len(judged)}件を調べました。見つかったもの {findings}、読めない部分 {gaps}。 / "
        f"{len(judged)} items, {findings} findings, {gaps} unread parts."
    )


def _rows(decision: Decision, words: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """What stands behind the file's name: gaps, the surest findings, and how many more."""
    rows = [
        (f"読めない部分 {gap.code.value}", clean(gap.location), GAPS[gap.code])
        for gap in decision.gaps
    ]
    surest = sorted(decision.findings, key=lambda each: -each.confidence)
    rows += [_row(finding, words) for finding in surest[:SHOWN]]
    if len(surest) > SHOWN:
        rows.append((f"ほか{len(surest) - SHOWN}件 / and more", "", ""))
    return rows or [("", "", "")]


def _row(finding: Finding, words: Mapping[str, str]) -> tuple[str, str, str]:
    reasons = "、".join(each.ja for each in finding.evidence)
    name = words.get(finding.entity, finding.entity)
    level = f"{LEVELS[finding.level]} {finding.confidence:.2f}"
    return f"{name} {finding.masked}（{level}）", clean(finding.location), reasons
