"""``sekisho policy explain``: the chain of one decision, on the screen."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.markup import escape
from rich.table import Table

from shared.cli.output import DISPOSITIONS, GAPS, clean, console
from shared.model import AuditEvent, Finding, Gap, GapCode, Level
from shared.policy import Policy
from shared.policy.exemption import PREFIX
from shared.policy.explain import Explanation, Line
from shared.policy.rule import JST

MODES = {"off": "停止 off", "simulate": "試行 simulate", "notify": "通知 notify", "enforce": "実施"}
CONDITIONS = {
    "entities": "見つかった情報 entities",
    "also": "組合せ also",
    "gaps": "読めない部分 gaps",
    "places": "場所 places",
    "sources": "経路 sources",
    "sharing": "共有 sharing",
    "labels": "ラベル labels",
    "cohorts": "対象者 cohorts",
    "sender_domains": "差出人 sender_domains",
    "recipient_domains": "宛先 recipient_domains",
    "times": "時間帯 times",
    "mode": "段階 mode",
    "exception": "例外 exception",
}


def finding(text: str, number: int) -> list[Finding]:
    """``entity=…,level=…,count=…`` as that many made-up findings; BadParameter."""
    said = dict(part.partition("=")[::2] for part in text.split(","))
    level, count = said.pop("level", "high").upper(), said.pop("count", "1")
    entity = said.pop("entity", "")
    if said or not entity or level not in Level.__members__ or not count.isdigit():
        message = f"{text!r}: entity=…,level=low|medium|high,count=…"
        raise click.BadParameter(message, param_hint="--finding")
    return [
        Finding(entity, "本文", 0, 1, 0.9, Level[level], "*", f"hypothesis:{number}:{each}")
        for each in range(int(count))
    ]


def gap(text: str) -> Gap:
    """A gap by its code; BadParameter."""
    try:
        return Gap(GapCode(text), "本文")
    except ValueError:
        message = f"{text!r} is none of {', '.join(GapCode)}"
        raise click.BadParameter(message, param_hint="--gap") from None


def show_recorded(event: AuditEvent) -> None:
    """What was decided and done then; below it stands what the rules of today say."""
    screen = console()
    moment = f"{event.time.astimezone(JST):%Y-%m-%d %H:%M}"
    done = f"{clean(event.action)} ({clean(event.action_state)})"
    said = f"{clean(event.item.source)} — {clean(event.disposition)}, {done}"
    version = clean(event.policy_version)
    screen.print(f"記録 recorded: {moment} {said}, policy {version}", markup=False)
    for each in event.rule_ids:
        kind = "例外 exception" if each.startswith(PREFIX) else "規則 rule"
        screen.print(f"  {kind}: {clean(each.removeprefix(PREFIX))}", markup=False)


def show(policy: Policy, told: Explanation, entities: dict[str, str]) -> None:
    """Print it; never a value."""
    screen = console()
    place = policy.places.get(told.context.place)
    where = f"{place.ja} / {place.en}" if place else "知らない場所 / an unknown place"
    screen.print(f"場所 place: {clean(told.context.place)} — {where}", markup=False)
    for each in told.counts:
        words = entities.get(each.entity, each.entity)
        screen.print(f"  {words} {each.entity} ({each.level}) × {each.values}", markup=False)
    for code in told.gaps:
        screen.print(f"  読めない部分: {GAPS[GapCode(code)]} {code}", markup=False)
    screen.print(_table(policy, told.lines))
    _verdict(told)


def _table(policy: Policy, lines: Sequence[Line]) -> Table:
    table = Table(
        "規則 / rule", "段階 / mode", "分類 / class", "→", "一致 / match", show_lines=False
    )
    for line in lines:
        words = policy.classes.get(line.information_class)
        said = line.information_class or "—"
        table.add_row(
            f"{escape(line.rule_id)}\n[dim]{escape(line.title.ja)}[/dim]",
            MODES[line.mode],
            f"{said}\n[dim]{escape(words.ja)}[/dim]" if words else said,
            line.outcome,
            "✓" if line.matched else "✗ " + "、".join(CONDITIONS[each] for each in line.unmet),
        )
    return table


def _verdict(told: Explanation) -> None:
    screen, decision = console(), told.decision
    screen.print(f"判定 / decision: {DISPOSITIONS[decision.disposition]}", style="bold")
    if decision.would_be is not decision.disposition:
        words = f"すべて実施していれば / if every rule enforced: {DISPOSITIONS[decision.would_be]}"
        screen.print(f"{words} ({decision.mode.value})")
    if told.deciding:
        words = "、".join(told.deciding)
        screen.print(f"緩くなるには、次のすべてが違う必要がある / to be milder, all of: {words}")
    for rule_id, condition in told.near:
        words = f"{rule_id} ({CONDITIONS[condition]})"
        screen.print(f"厳しくなったはずの規則 / would have been stricter: {words}", markup=False)
    for line in told.lines:
        if line.rule_id in told.deciding:
            screen.print(f"理由 / why: {line.reason.ja}\n           {line.reason.en}", markup=False)
