"""``sekisho policy replay`` and ``report``: tables, JSON and a chart."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pygal  # type: ignore[import-untyped] # ships no types
from pygal.style import Style  # type: ignore[import-untyped] # the same
from rich.table import Table

from shared.cli.output import console
from shared.model import Disposition
from shared.policy import Policy
from shared.policy.replay import Replay
from shared.policy.report import Cohort

SHOWN = 40
NAMES = {"allow": "通過", "tag": "印付け", "review": "要確認", "block": "遮断"}
COLOURS = ("#2e7d32", "#0277bd", "#f9a825", "#c62828")


def as_json(replay: Replay, policy: Policy) -> dict[str, object]:
    """The whole difference."""
    return {
        "policy": policy.version,
        "events": replay.events,
        "unjudged": replay.unjudged,
        "excepted": replay.excepted,
        "incomplete": replay.incomplete,
        "newly_blocked": replay.newly_blocked(),
        "moves": [
            {"before": before.name.lower(), "after": after.name.lower(), "items": items}
            for (before, after), items in sorted(replay.moves.items())
        ],
        "changes": [asdict(each) for each in replay.table()],
    }


def show(replay: Replay, policy: Policy) -> None:
    """The difference as a table."""
    screen = console()
    screen.print(
        f"規則 / policy {policy.version}: {replay.events} 件 / events, "
        f"新たに遮断 / newly blocked {replay.newly_blocked()}"
    )
    for words, count in (
        ("判定のない記録 / not judged", replay.unjudged),
        ("例外を使った判定（比べない） / by exception, not compared", replay.excepted),
        ("周囲の情報が不完全な記録 / without their full context", replay.incomplete),
    ):
        if count:
            screen.print(f"  {words}: {count}")
    rows = replay.table()
    table = Table("前 / before", "後 / after", "規則 / rule", "だれ / owner", "件 / items")
    for row in rows[:SHOWN]:
        table.add_row(_named(row.before), _named(row.after), row.rule_id, row.owner, str(row.items))
    if rows:
        screen.print(table)
    else:
        screen.print("判定は変わりません / no decision changes")
    if len(rows) > SHOWN:
        screen.print(f"ほか {len(rows) - SHOWN} 行は --json に / more rows: --json FILE")


def chart(replay: Replay) -> bytes:
    """SVG: what was decided then (bars) and would be now (colours). Nothing is loaded from afar."""
    style = Style(
        colors=COLOURS, background="white", font_family="Noto Sans CJK JP, Meiryo, sans-serif"
    )
    drawn = pygal.StackedBar(
        style=style,
        js=[],
        title="規則を替えると / with the other policy",
        x_title="記録された判定 / as recorded",
        y_title="件 / items",
        legend_at_bottom=True,
        width=900,
        height=520,
        print_values=True,
        print_zeroes=False,
    )
    drawn.x_labels = [_named(each.name.lower()) for each in Disposition]
    for after in Disposition:
        counts = [replay.moves[before, after] for before in Disposition]
        drawn.add("→ " + _named(after.name.lower()), counts)
    data = drawn.render()
    assert isinstance(data, bytes)
    return data


def write_json(file: Path, content: object) -> None:
    """One JSON file in UTF-8."""
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def cohorts_json(rows: dict[str, Cohort]) -> list[dict[str, object]]:
    """The report as data."""
    return [
        {
            "cohort": name,
            "items": row.items,
            "dispositions": dict(row.dispositions),
            "would_be": dict(row.would_be),
            "rehearsed": row.rehearsed,
            "excepted": row.excepted,
            "verdicts": dict(row.verdicts),
            "false_positive_share": row.false_share(),
            "median_hours_to_release": row.median_hours(),
        }
        for name, row in rows.items()
    ]


def show_cohorts(rows: dict[str, Cohort]) -> None:
    """The report as a table."""
    table = Table(
        "対象者 / cohort", "件 / items", *(_named(each) for each in NAMES),
        "試行で厳しく / rehearsed", "例外 / exceptions", "誤検知 / false", "放出まで(時間) / hours",
        title="展開の報告 / roll-out",
    )  # fmt: skip
    for name, row in rows.items():
        share, hours = row.false_share(), row.median_hours()
        table.add_row(
            name,
            str(row.items),
            *(str(row.dispositions[each]) for each in NAMES),
            str(row.rehearsed),
            str(row.excepted),
            "—" if share is None else f"{share:.0%}",
            "—" if hours is None else f"{hours:.1f}",
        )
    console().print(table)


def _named(name: str) -> str:
    return f"{NAMES[name]} {name}"
