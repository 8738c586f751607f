"""The end of the day: a table for people, ``report.json`` for machines, and one verdict."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.demo.readback import State
from local.demo.watch import Line
from local.demo.world import Sent
from local.samples import Expectation
from shared.audit.chain import verify

WIDTH = 140  # columns of the table where no terminal says another
COLOURS = {"allow": "green", "tag": "cyan", "review": "yellow", "block": "bold red"}
LEVELS = {1: "low", 2: "medium", 3: "high"}


@dataclass(frozen=True, slots=True)
class Result:
    """One sample at the end; ``line`` and ``state`` are None where the audit never told of it."""

    sent: Sent
    expected: Expectation
    line: Line | None = None
    state: State | None = None

    @property
    def problems(self) -> list[str]:
        """What is not as it was expected; empty if all is."""
        if self.line is None or self.state is None:
            return ["no audit line"]
        wrong = []
        if self.line.disposition not in self.expected.dispositions:
            wrong.append(f"{self.line.disposition}, not {' or '.join(self.expected.dispositions)}")
        if self.state.name != self.expected.state:
            wrong.append(f"{self.state.name}, not {self.expected.state}")
        entities = {each["entity"] for each in self.line.event["findings"]}
        codes = {each["code"] for each in self.line.event["gaps"]}
        wrong += [f"no {each}" for each in self.expected.entities if each not in entities]
        wrong += [f"no gap {each}" for each in self.expected.gaps if each not in codes]
        return wrong

    @property
    def seconds(self) -> float:
        """From the sending to the time that the audit wrote."""
        if self.line is None:
            return 0.0
        written = datetime.fromisoformat(self.line.event["time"])
        return round(max(written.timestamp() - self.sent.at, 0.0), 3)


def chain_holds(lines: Sequence[bytes]) -> bool:
    """Whether the hash chain is whole and holds every line."""
    verdict = verify(lines)
    return bool(lines) and verdict.broken is None and verdict.tip.count == len(lines)


def write(path: Path, results: Sequence[Result], *, chain_verified: bool) -> None:
    """``report.json``: masks only."""
    items = [_item(each) for each in results]
    body = {"items": items, "chain_verified": chain_verified}
    path.write_text(json.dumps(body, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _item(result: Result) -> dict[str, object]:
    event = result.line.event if result.line else {}
    return {
        "name": result.sent.sample.name,
        "source": result.sent.sample.source,
        "disposition": event.get("disposition", ""),
        "expected": "|".join(result.expected.dispositions),
        "action": result.state.name if result.state else "",
        "audit_id": event.get("id", ""),
        "seconds": result.seconds,
        "findings": [_finding(each) for each in event.get("findings", [])],
        "gaps": event.get("gaps", []),
    }


def _finding(finding: dict[str, Any]) -> dict[str, Any]:
    kept = {key: finding[key] for key in ("entity", "location", "confidence", "masked")}
    return {**kept, "level": LEVELS[finding["level"]]}


def table(results: Sequence[Result]) -> Table:
    """Item → findings → decision → action as read back → audit line with seconds."""
    made = Table(title="関所 — 市役所の一日 / a city hall's day")
    made.add_column("経路\nsource")
    made.add_column("項目\nitem", overflow="fold")
    made.add_column("見つかったもの（伏せ字）\nfindings (masked)", overflow="fold")
    made.add_column("判定\ndecision")
    made.add_column("読み戻した結果\naction, as read back", overflow="fold")
    made.add_column("監査\naudit", justify="right")
    for each in results:
        made.add_row(*_cells(each))
    return made


def _cells(result: Result) -> tuple[Text, ...]:
    sample = result.sent.sample
    head = (Text(sample.source), Text(sample.title))
    if result.line is None or result.state is None:
        return *head, Text(""), Text("✗", style="red"), Text("; ".join(result.problems)), Text("")
    word = result.line.disposition
    back = f"{result.state.name}: {result.state.shown}"
    if result.problems:
        back += "\n✗ " + "; ".join(result.problems)
    return (
        *head,
        Text(_found(result.line)),
        Text(f"{'✗' if result.problems else '✓'} {word}", style=COLOURS.get(word, "")),
        Text(back, style="red" if result.problems else ""),
        Text(f"#{result.line.seq} {result.seconds:4.1f}s"),
    )


def _found(line: Line) -> str:
    """Each kind with its surest mask, and how many more of the kind there are."""
    kinds: dict[str, list[str]] = {}
    for each in sorted(line.event["findings"], key=lambda finding: -finding["confidence"]):
        kinds.setdefault(each["entity"], []).append(each["masked"])
    shown = [
        f"{entity} {masks[0]}" + (f" +{len(masks) - 1}" if len(masks) > 1 else "")
        for entity, masks in kinds.items()
    ]
    return "\n".join([*shown, *(f"読めない gap: {each['code']}" for each in line.event["gaps"])])


def say(console: Console, results: Sequence[Result], *, chain_verified: bool) -> None:
    """The table and the verdict."""
    console.print(table(results))
    met = sum(not each.problems for each in results)
    chain = "検証済 verified" if chain_verified else "✗ 壊れている broken"
    console.print(
        f"期待どおり / as expected: {met} of {len(results)}   監査の連鎖 / audit chain: {chain}"
    )


def save(path: Path, results: Sequence[Result], *, chain_verified: bool) -> None:
    """The same as plain text, for the README (``python -m local.docs --demo``)."""
    console = Console(file=io.StringIO(), record=True, width=WIDTH, color_system=None)
    say(console, results, chain_verified=chain_verified)
    path.write_text(console.export_text(styles=False), encoding="utf-8")
