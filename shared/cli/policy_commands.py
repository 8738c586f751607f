"""Commands on recorded decisions: ``policy explain``, ``replay``, ``report``; ``leak draft``."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import click

from shared.cli import explaining, policies, records, replaying
from shared.detect import Engine, FingerprintKey
from shared.model import AuditEvent, Context
from shared.policy import Policy
from shared.policy.explain import explain
from shared.policy.leak import draft
from shared.policy.replay import Replay, recorded
from shared.policy.report import report
from shared.policy.rule import JST

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
OUT = click.Path(dir_okay=False, path_type=Path)
DAY = click.DateTime(["%Y-%m-%d"])
EVENTS = click.option(
    "--events",
    "events_file",
    type=FILE,
    help="書き出した監査記録（1行1件） / exported audit records; without it SEKISHO_AUDIT is read",
)
POLICY = click.option("--policy", "policy_file", type=FILE, help="庁内の規則 / a site's policy")
FROM = click.option("--from", "start", type=DAY, help="この日から（日本時間） / from this day")
TO = click.option("--to", "end", type=DAY, help="この日まで（日本時間） / up to this day")
JSON = click.option("--json", "json_file", type=OUT, help="JSON で書き出す / write JSON")


def register(sekisho: click.Group, policy: click.Group) -> None:
    """Add the commands to their groups."""
    for command in (explain_command, replay_command, report_command):
        policy.add_command(command)
    sekisho.add_command(leak)


@click.command("explain")
@click.argument("event", required=False, metavar="[ITEM-ID | EVENT-ID]")
@EVENTS
@POLICY
@click.option("--finding", "findings", multiple=True, help="entity=…,level=…,count=…")
@click.option("--gap", "gaps", multiple=True, help="読めない部分 / a gap's code")
@click.option("--place", default="own_mailbox", show_default=True)
@click.option("--source", default="mail", show_default=True)
@click.option("--cohort", default="everyone", show_default=True)
@click.option("--sharing", multiple=True)
@click.option("--label", multiple=True)
def explain_command(
    event: str | None, events_file: Path | None, policy_file: Path | None, **said: tuple[str, ...]
) -> int:
    """なぜその判定か / why this decision: a recorded one, or a hypothesis (--finding, --gap)."""
    rules = _policy(policy_file)
    entities = _entities()
    if event:
        found = records.one(event, events_file)
        explaining.show_recorded(found)
        kept = recorded(found)
        if kept is None:
            message = "判定のない記録です / nothing was judged in this event"
            raise click.UsageError(message)
        context, findings, gaps = kept.context, kept.findings, kept.gaps
    elif said["findings"] or said["gaps"]:
        context = Context(
            str(said["source"]), str(said["place"]), cohort=str(said["cohort"]),
            sharing=said["sharing"], labels=said["label"],
        )  # fmt: skip
        findings = tuple(
            each
            for number, text in enumerate(said["findings"])
            for each in explaining.finding(text, number)
        )
        _known([each.entity for each in findings], entities)
        gaps = tuple(explaining.gap(text) for text in said["gaps"])
    else:
        message = "ITEM-ID か --finding か --gap が必要です / one of them is needed"
        raise click.UsageError(message)
    explaining.show(rules, explain(rules, context, findings, gaps), entities)
    return 0


@click.command("replay")
@EVENTS
@POLICY
@FROM
@TO
@JSON
@click.option("--chart", "chart_file", type=OUT, help="図を SVG で / write the chart as SVG")
def replay_command(
    events_file: Path | None,
    policy_file: Path | None,
    start: datetime | None,
    end: datetime | None,
    json_file: Path | None,
    chart_file: Path | None,
) -> int:
    """記録を別の規則で判定し直します / decide the record again by another policy."""
    rules = _policy(policy_file)
    replay = Replay(rules)
    replay.run(_between(records.events(events_file), start, end))
    replaying.show(replay, rules)
    if json_file:
        replaying.write_json(json_file, replaying.as_json(replay, rules))
    if chart_file:
        chart_file.write_bytes(replaying.chart(replay))
    return 0


@click.command("report")
@EVENTS
@FROM
@TO
@JSON
@click.option("--incidents", "incidents_file", type=FILE, help="判断の記録 / incidents' verdicts")
def report_command(
    events_file: Path | None,
    start: datetime | None,
    end: datetime | None,
    json_file: Path | None,
    incidents_file: Path | None,
) -> int:
    """対象者ごとの展開の報告 / the roll-out, a row a cohort."""
    chosen = _between(records.events(events_file), start, end)
    stored = events_file is None and incidents_file is None
    reviews = records.stored_reviews(chosen) if stored else records.reviews(incidents_file)
    rows = report(chosen, reviews)
    replaying.show_cohorts(rows)
    if json_file:
        replaying.write_json(json_file, replaying.cohorts_json(rows))
    return 0


@click.group()
def leak() -> None:
    """漏えいの報告 / reporting a leak."""


@leak.command("draft")
@click.option(
    "--incident", "incidents", multiple=True, required=True, help="監査記録の番号 / event id"
)
@EVENTS
@click.option("--known", type=DAY, required=True, help="事態を知った日 / the day it became known")
@click.option("--improper", is_flag=True, help="不正の目的のおそれ（60日） / improper purpose")
@click.option("--output", type=OUT, help="ファイルに書く / write to a file")
def leak_draft(
    incidents: tuple[str, ...],
    events_file: Path | None,
    known: datetime,
    *,
    improper: bool,
    output: Path | None,
) -> int:
    """報告書の下書き（9項目）と期限 / a draft of the nine items, with the deadlines."""
    every = records.events(events_file)
    chosen = [_found(each, every) for each in incidents]
    places = {name: words.ja for name, words in _policy(None).places.items()}
    day = known.replace(tzinfo=JST)
    text = draft(chosen, day, _entities(), places, improper=improper)
    if output:
        output.write_text(text, encoding="utf-8")
    else:
        click.echo(text, nl=False)
    return 0


def _policy(file: Path | None) -> Policy:
    try:
        return policies.load(file)
    except policies.PolicyFileError as error:
        raise click.UsageError(str(error)) from error


def _entities() -> dict[str, str]:
    engine = Engine(FingerprintKey("cli", bytes(32)))  # for its words alone: nothing is scanned
    return {entity: rule.ja for entity, rule in engine.rules.items()}


def _known(said: list[str], entities: dict[str, str]) -> None:
    for each in said:
        if each not in entities:
            message = f"{each!r} is none of {', '.join(sorted(entities))}"
            raise click.BadParameter(message, param_hint="--finding")


def _found(event: str, every: list[AuditEvent]) -> AuditEvent:
    """By id, or an unambiguous beginning of it (eight characters or more)."""
    least = 8
    found = [each for each in every if len(event) >= least and each.id.startswith(event)]
    if len(found) != 1:
        message = f"{len(found)} records have an id that begins so"
        raise click.UsageError(message)
    return found[0]


def _between(
    every: list[AuditEvent], start: datetime | None, end: datetime | None
) -> list[AuditEvent]:
    first = _midnight(start.date()) if start else datetime.min.replace(tzinfo=UTC)
    after = _midnight(end.date() + timedelta(days=1)) if end else datetime.max.replace(tzinfo=UTC)
    return [each for each in every if first <= each.time < after]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), JST)
