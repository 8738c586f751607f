"""A confirmed leak: how many people, until when to report, and a draft of the nine items. Pure.

Act on the Protection of Personal Information, art. 68 (public bodies) and its Enforcement Rules,
art. 44; for specific personal information the Number Act, art. 29-4: a preliminary report
promptly (the guideline: within about three to five days) and a final report within 30 days, 60
where it was done for an improper purpose. The Commission counts the day of knowing as the first.
The earliest day is shown: that a last day on a holiday moves to the next working day is left out.
A draft is for a person to check and complete; nothing here files a report.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shared.model import AuditEvent, Finding
from shared.policy.rule import JST

PERSONAL_NUMBER = "my_number"
SOON, SOON_LATEST, FINAL, FINAL_IMPROPER = 3, 5, 30, 60
_OPEN = "（記入してください）"


@dataclass(frozen=True, slots=True)
class Persons:
    """Distinct people: at least ``low``, at most ``high`` (they differ after a key's rotation).

    One individual number is one person. Without any, names count, which two people may share:
    ``exact`` is false then.
    """

    low: int
    high: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Days in Japan; the day of knowing is day one."""

    known: date
    preliminary_from: date
    preliminary_by: date
    final_by: date

    def days_left(self, today: date) -> tuple[int, int]:
        """Days until the preliminary and the final report are due (negative: overdue)."""
        return (self.preliminary_by - today).days, (self.final_by - today).days


def persons(findings: Iterable[Finding]) -> Persons:
    """How many people, from fingerprints alone.

    The same value has another fingerprint under another key, so values of one key are distinct
    and those of different keys may be the same people.
    """
    numbers, names = defaultdict(set), defaultdict(set)
    for each in findings:
        key = each.fingerprint.partition(":")[0]
        if each.entity == PERSONAL_NUMBER:
            numbers[key].add(each.fingerprint)
        elif each.entity == "person_name":
            names[key].add(each.fingerprint)
    counts = [len(values) for values in (numbers or names).values()]
    return Persons(max(counts, default=0), sum(counts), bool(numbers) and len(numbers) == 1)


def deadlines(known: datetime, *, improper: bool = False) -> Deadlines:
    """When to report what was known at ``known`` (an aware time)."""
    day = known.astimezone(JST).date()

    def nth(count: int) -> date:
        return day + timedelta(days=count - 1)

    return Deadlines(day, nth(SOON), nth(SOON_LATEST), nth(FINAL_IMPROPER if improper else FINAL))


def draft(
    events: Iterable[AuditEvent],
    known: datetime,
    entities: Mapping[str, str],
    places: Mapping[str, str],
    *,
    improper: bool = False,
) -> str:
    """The nine items in Japanese, as Markdown, prefilled from the record; no value is in it.

    ``entities`` and ``places`` give their Japanese words; what the record cannot know is left to
    be written and says so.
    """
    events = tuple(events)
    people = persons(finding for event in events for finding in event.findings)
    due = deadlines(known, improper=improper)
    kinds = sorted({each.entity for event in events for each in event.findings})
    where = sorted({places.get(event.place, event.place) for event in events if event.place})
    items = (
        ("概要", _overview(events, where, due)),
        (
            "漏えい等が発生し、又は発生したおそれがある個人データの項目",
            "、".join(entities.get(each, each) for each in kinds) or _OPEN,
        ),
        ("本人の数", _people(people)),
        ("原因", _OPEN),
        ("二次被害又はそのおそれの有無及びその内容", _secondary(events)),
        ("本人への対応の実施状況", _OPEN),
        ("公表の実施状況", _OPEN),
        ("再発防止のための措置", _OPEN),
        ("その他参考となる事項", _other(events)),
    )
    head = (
        "# 特定個人情報等の漏えい等報告書（下書き）\n\n"
        "この下書きは監査記録から作りました。提出の前に、担当者が必ず確かめてください。\n\n"
        f"- 速報の期限: {due.preliminary_by:%Y年%m月%d日}"
        f"（おおむね3〜5日以内。{due.preliminary_from:%m月%d日}までが望ましい）\n"
        f"- 確報の期限: {due.final_by:%Y年%m月%d日}"
        f"（{FINAL_IMPROPER if improper else FINAL}日以内。知った日を1日目として数えています）\n"
    )
    body = "".join(f"\n## {n}. {title}\n\n{text}\n" for n, (title, text) in enumerate(items, 1))
    return head + body


def _overview(events: tuple[AuditEvent, ...], where: list[str], due: Deadlines) -> str:
    if not events:
        return _OPEN
    first = min(event.time for event in events).astimezone(JST)
    return (
        f"事態を知った日: {due.known:%Y年%m月%d日}\n"
        f"検知した日時: {first:%Y年%m月%d日 %H時%M分}（日本時間）\n"
        f"検知した場所: {'、'.join(where) or _OPEN}\n対象: {len(events)}件\n発生日・経緯: {_OPEN}"
    )


def _people(people: Persons) -> str:
    if not people.high:
        return f"記録からは数えられません。{_OPEN}"
    if people.exact:
        return f"{people.low}人（個人番号の異なる値の数による）"
    if people.low != people.high:
        return f"{people.low}人以上{people.high}人以下（照合用の鍵が途中で替わったため）"
    return f"おおむね{people.low}人（氏名の異なる値の数による。同姓同名は1人と数えています）"


def _secondary(events: tuple[AuditEvent, ...]) -> str:
    stopped = sum(
        event.disposition == "block" and event.action_state in {"applied", "unchanged"}
        for event in events
    )
    return f"関所が停止を確認したもの: {stopped}件 / {len(events)}件。二次被害の有無: {_OPEN}"


def _other(events: tuple[AuditEvent, ...]) -> str:
    ids = "\n".join(f"- {event.id}" for event in events)
    gaps = sum(bool(event.gaps) for event in events)
    unread = f"\n読めない部分があったもの: {gaps}件（人数に含まれていません）" if gaps else ""
    return f"監査記録の番号:\n{ids}{unread}"
