"""``sekisho explain``: every candidate in a text, and what spoke for and against it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from shared.cli.output import LEVELS, clean, console, say
from shared.detect import Engine, Explanation, FingerprintKey
from shared.detect import explain as explanations


def explain(text: str, rules: Sequence[str], *, table: bool, as_json: bool) -> int:
    """Print the scoring; 0 where nothing reaches a level, else 1."""
    engine = Engine(FingerprintKey("explain", bytes(32)), site_rules=rules)
    found = explanations(text, table=table, engine=engine)
    if as_json:
        for each in found:
            say(_line(each))
    else:
        _print(found)
    return int(any(each.level for each in found))


def _line(each: Explanation) -> dict[str, object]:
    return {
        "entity": each.entity,
        "start": each.start,
        "end": each.end,
        "masked": each.masked,
        "score": each.score,
        "confidence": each.confidence,
        "level": each.level.name.lower() if each.level else None,
        "evidence": [
            {"code": e.code, "weight": e.weight, "ja": e.ja, "en": e.en} for e in each.evidence
        ],
    }


def _print(found: Sequence[Explanation]) -> None:
    table = Table(title="関所 sekisho explain")
    table.add_column("候補 / candidate", overflow="fold")
    table.add_column("位置", justify="right")
    table.add_column("点", justify="right")
    table.add_column("根拠 / evidence", overflow="fold")
    for each in found:
        level = LEVELS[each.level] if each.level else "なし none"
        name = Text(f"{each.ja} {each.en}\n{clean(each.masked)}")
        table.add_row(name, f"{each.start}–{each.end}", "", "")
        for evidence in each.evidence:
            words = Text(f"{evidence.ja} / {evidence.en}")
            table.add_row("", "", f"{evidence.weight:+.1f}", words)
        total = Text(f"{level}（確からしさ {each.confidence:.2f}）", style="bold")
        table.add_row("", "", f"{each.score:.1f}", total, end_section=True)
    screen = console()
    if found:
        screen.print(table)
    screen.print(f"候補 {len(found)}件 / {len(found)} candidates")
