"""The monthly report as one self-contained HTML file: no script, nothing loaded from elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from shared.audit.formats.entry import plain
from shared.export import charts, words
from shared.export.monthly import DISPOSITIONS, Month, middle, most, share
from shared.export.words import Pair, Words, pair
from shared.storage.chain_watch import Verified
from shared.storage.index_counts import JAPAN

TOP = 10

_ENVIRONMENT = Environment(
    loader=PackageLoader("shared.export"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(month: Month, said: Words, now: datetime, verified: Verified | None) -> str:
    """The file's text (UTF-8). ``verified`` is the chain's last verification, where it is known."""
    return _ENVIRONMENT.get_template("monthly.html").render(
        month=month,
        title=f"{month.first.year}年{month.first.month}月",
        title_en=f"{month.first:%B %Y}",
        organisation=plain(said.organisation),
        now=now.astimezone(JAPAN),
        verified=verified,
        verified_at=_local(verified.full_time or verified.time) if verified else None,
        cards=_cards(month),
        trend=_trend(month),
        weeks=_weeks(month),
        rules=_rules(month, said),
        rules_chart=_rules_chart(month, said),
        entities=[(pair(said.entities, name), n) for name, n in month.entities.most_common(TOP)],
        entities_chart=_ranked(month.entities, said.entities),
        sources=[(pair(words.SOURCES, name), counts) for name, counts in _by_total(month.sources)],
        gaps=[(pair(words.GAPS, name), n) for name, n in month.gaps.most_common()],
        unenforced=[(pair(words.STATES, name), n) for name, n in month.unenforced.most_common()],
        cohorts=[(_cohort(name), row) for name, row in sorted(month.cohorts.items())],
        dispositions=[(name, words.DISPOSITIONS[name]) for name in DISPOSITIONS],
        response=month.response,
        first=(middle(month.response.first_hours), most(month.response.first_hours)),
        release=(middle(month.response.release_hours), most(month.response.release_hours)),
        steps=list(zip(words.STEPS, month.response.steps(), strict=True)),
        steps_chart=_steps(month),
        hours=_hours,
        percent=_percent,
    )


def _cards(month: Month) -> list[dict[str, Any]]:
    before = sum(month.before.values())
    cards = [_card("", ("判定した件数", "items decided on"), month.items, before)]
    cards += [
        _card(name, words.DISPOSITIONS[name], month.dispositions[name], month.before[name])
        for name in DISPOSITIONS
    ]
    persons = ("個人番号の人数", "people whose number was found")
    cards.append({"kind": "", "name": persons, "count": len(month.persons), "change": ""})
    return cards


def _card(kind: str, name: Pair, count: int, before: int) -> dict[str, Any]:
    change = f"前月 {before:,}（{(count - before) / before:+.0%}）" if before else "前月 —"
    return {"kind": kind, "name": name, "count": count, "change": change}


def _trend(month: Month) -> Markup:
    labels = [f"{day.month}/{day.day}" for day in month.days]
    series = [
        (kind, words.DISPOSITIONS[kind][0], [counts[kind] for counts in month.days.values()])
        for kind in DISPOSITIONS
    ]
    return _svg(charts.stacked(labels, series))


def _weeks(month: Month) -> list[tuple[str, Counter[str], int]]:
    return [
        (_short(first) + (f"〜{_short(last)}" if last > first else ""), counts, counts.total())
        for first, last, counts in month.weeks()
    ]


def _rules(month: Month, said: Words) -> list[dict[str, Any]]:
    found = []
    for rule, counts in _by_total(month.rules)[:TOP]:
        verdicts = month.verdicts.get(rule, Counter())
        found.append({
            "id": plain(rule),
            "name": pair(said.rules, rule),
            "counts": counts,
            "total": sum(counts.values()),
            "false": verdicts["false_positive"],
            "decided": verdicts["false_positive"] + verdicts["true_positive"],
            "share": share(verdicts["false_positive"], verdicts["true_positive"]),
        })  # fmt: skip
    return found


def _rules_chart(month: Month, said: Words) -> Markup:
    top = _by_total(month.rules)[:TOP]
    series = [
        (kind, words.DISPOSITIONS[kind][0], [counts[kind] for _, counts in top])
        for kind in DISPOSITIONS
        if any(counts[kind] for _, counts in top)
    ]
    labels = [plain(pair(said.rules, rule)[0])[:24] for rule, _ in top]
    return _svg(charts.ranked(labels, series)) if top else Markup()


def _ranked(counts: Counter[str], names: Mapping[str, Pair]) -> Markup:
    top = counts.most_common(TOP)
    labels = [plain(pair(names, name)[0])[:24] for name, _ in top]
    return _svg(charts.ranked(labels, [("", "", [n for _, n in top])])) if top else Markup()


def _steps(month: Month) -> Markup:
    if not month.response.first_hours:
        return Markup()
    return _svg(charts.columns([ja for ja, _ in words.STEPS], month.response.steps()))


def _svg(text: str) -> Markup:
    return Markup(text)  # noqa: S704 # nosec B704 - charts escape what they are given


def _by_total(rows: Mapping[str, Counter[str]]) -> list[tuple[str, Counter[str]]]:
    return sorted(rows.items(), key=lambda each: (-sum(each[1].values()), each[0]))


def _cohort(name: str) -> Pair:
    return words.EVERYONE if name == "everyone" else (plain(name), plain(name))


def _short(day: date) -> str:
    return f"{day.month}月{day.day}日"


def _local(moment: datetime) -> datetime:
    return moment.astimezone(JAPAN)


def _hours(value: float | None) -> str:
    if value is None:
        return "—"
    return f"{value * 60:.0f} 分" if value < 1 else f"{value:.1f} 時間"


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{value:.0%}"
