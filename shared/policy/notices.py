"""Notices: what happened, where in the item, why, what to do, whom to ask. Never a value. Pure.

A template is text: its first line the subject, its second the lead, then ``## sections`` of ``-``
lines. From it come the mail (text and HTML) and the Adaptive Card; so a site that edits words
edits one file a kind and language. Templates run in Jinja's sandbox and see facts only.
"""

from __future__ import annotations

import hashlib
import pkgutil
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from shared.errors import PolicyError
from shared.model import AuditEvent, Finding, Item
from shared.policy.engine import Policy
from shared.policy.rule import JST, Words

KINDS = (
    *("owner", "manager", "security", "digest", "alert"),
    *("sender", "recipient", "gate_sender", "gate_recipient", "gate_expired"),
)
LANGUAGES = ("ja", "en")
SHOWN = 8
"""Items that one notice tells of by themselves; the rest are counted."""

_DIGITS = re.compile(r"[0-9０-９][0-9０-９ \-‐－]{2,}[0-9０-９]")
_ACTIONS = {
    "allow": Words("通過", "passed"),
    "tag": Words("印を付けました", "tagged"),
    "review": Words("確認を待っています", "waits for a review"),
    "block": Words("止めました", "stopped"),
}
_NOT_DONE = {
    "partial": Words("一部だけ行えました", "only partly done"),
    "not_enforceable": Words("止められませんでした", "could not be stopped"),
}
_SUBJECTS = {
    "owner": Words("あなたの情報を確認してください（{} 件）", "Please look at {} of your items"),
    "manager": Words("所属の職員の情報について（{} 件）", "{} items of your staff"),
    "security": Words("確認が必要なもの（{} 件）", "{} items need a review"),
    "digest": Words("1日のまとめ（{} 件）", "The day's digest: {} items"),
    "alert": Words("警報（{} 件）", "{} alerts"),
    "gate_sender": Words(
        "送信したものを関所で止めました（{} 件）", "What you sent was stopped ({})"
    ),
    "gate_recipient": Words(
        "あなた宛てのものを関所で止めました（{} 件）", "Something for you was stopped ({})"
    ),
    "gate_expired": Words(
        "パスワードの入力期限が過ぎました（{} 件）", "The time for the password is over ({})"
    ),
    "sender": Words("送信したメールを止めました（{} 件）", "Your mail was stopped ({})"),
    "recipient": Words("あなた宛てのメールを止めました（{} 件）", "A mail to you was stopped ({})"),
}
_UNREAD = Words("読めない部分", "a part that could not be read")


@dataclass(frozen=True, slots=True)
class House:
    """What a deployment says of itself: its name, whom to ask, and the words of things.

    ``alerts`` are the words of alerts by kind; ``link`` gives the address of an item's page, where
    its owner sees why and may ask for it (None: there is no console).
    """

    organisation: Words
    contact: str
    entities: Mapping[str, Words] = field(default_factory=dict)
    alerts: Mapping[str, Words] = field(default_factory=dict)
    link: Callable[[AuditEvent], str] | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A title and its lines."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A notice in one language."""

    language: str
    subject: str
    lead: str
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """A rendered notice: the mail, and the card as a Workflows webhook takes it."""

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    card: dict[str, object] = field(repr=False)


class Notices:
    """Renders notices; ``overrides`` are a site's templates by name (``owner.ja``, ``layout``)."""

    def __init__(
        self, policy: Policy, house: House, overrides: Mapping[str, str] | None = None
    ) -> None:
        self._policy = policy
        self._house = house
        self._overrides = dict(overrides or {})
        unknown = set(self._overrides) - {f"{k}.{each}" for k in KINDS for each in LANGUAGES}
        if unknown - {"layout"}:
            message = f"notices: unknown templates {', '.join(sorted(unknown - {'layout'}))}"
            raise PolicyError(message)

    def render(
        self,
        kind: str,
        events: Sequence[AuditEvent],
        languages: Sequence[str] = LANGUAGES,
        day: date | None = None,
    ) -> Notice:
        """One notice of all the events, in each language after another.

        PolicyError names a template that does not render or has not its shape.
        """
        parts = [self._part(kind, each, events, day) for each in languages]
        subject = " / ".join(part.subject for part in parts)
        html = self._run("layout", {"parts": parts, "subject": subject}, escape=True)
        return Notice(subject, "\n".join(map(_text, parts)), html, _card(parts))

    def _part(
        self, kind: str, language: str, events: Sequence[AuditEvent], day: date | None
    ) -> Part:
        name = f"{kind}.{language}"
        lines = self._run(name, self._facts(kind, language, events, day)).splitlines()
        lines = [line.strip() for line in lines if line.strip()]
        sections: list[Section] = []
        for line in lines[2:]:
            if line.startswith("## "):
                sections.append(Section(line[3:], ()))
            elif line.startswith("- ") and sections:
                last = sections[-1]
                sections[-1] = Section(last.title, (*last.lines, line[2:]))
            else:
                message = f"notices: {name}: a line is neither a '## ' title nor '- ' text"
                raise PolicyError(message)
        if not sections:
            message = f"notices: {name}: a subject, a lead and '## ' sections are needed"
            raise PolicyError(message)
        return Part(language, lines[0], lines[1], tuple(each for each in sections if each.lines))

    def _facts(
        self, kind: str, language: str, events: Sequence[AuditEvent], day: date | None
    ) -> dict[str, object]:
        def word(words: Words) -> str:
            return words.ja if language == "ja" else words.en

        found = Counter(finding.entity for event in events for finding in _distinct(event).values())
        done = Counter(_done(event) for event in events)
        rules = {each.id: each for each in self._policy.rules}
        used = dict.fromkeys(rule for event in events for rule in event.rule_ids if rule in rules)
        return {
            "subject": word(_SUBJECTS[kind]).format(len(events)),
            "organisation": word(self._house.organisation),
            "contact": self._house.contact,
            "items": [self._item(each, language) for each in events[:SHOWN]],
            "more": max(len(events) - SHOWN, 0),
            "links": [self._house.link(each) for each in events[:SHOWN]]
            if self._house.link
            else [],
            "alerts": [
                {
                    "time": f"{event.time.astimezone(JST):%Y-%m-%d %H:%M}",
                    "what": word(self._house.alerts[event.action]),
                    "reference": reference(event.id),
                }
                for event in events[:SHOWN]
                if event.action in self._house.alerts
            ],
            "owners": len({event.owner for event in events}),
            "reasons": [word(rules[each].reason) for each in used],
            "day": f"{day:%Y-%m-%d}" if day else "",
            "totals": [
                {"name": word(words), "count": done[words]}
                for words in (*reversed(_ACTIONS.values()), *_NOT_DONE.values())
                if done[words]
            ],
            "kinds": [
                {"name": self._kind(entity, language), "count": count}
                for entity, count in sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
            ],
        }

    def _item(self, event: AuditEvent, language: str) -> dict[str, object]:
        def word(words: Words) -> str:
            return words.ja if language == "ja" else words.en

        place = self._policy.places.get(event.place)
        rows: dict[tuple[str, str], int] = Counter(
            (finding.entity, safe(finding.location)) for finding in _distinct(event).values()
        )
        found = [
            {"kind": self._kind(entity, language), "where": where, "count": count}
            for (entity, where), count in list(rows.items())[:SHOWN]
        ]
        found += [
            {"kind": word(_UNREAD), "where": safe(gap.location) or "—", "count": 1}
            for gap in event.gaps[:SHOWN]
        ]
        return {
            "time": f"{event.time.astimezone(JST):%Y-%m-%d %H:%M}",
            "place": word(place) if place else event.place,
            "action": word(_done(event)),
            "reference": reference(event.id),
            "found": found,
        }

    def _kind(self, entity: str, language: str) -> str:
        words = self._house.entities.get(entity)
        if words is None:
            return entity
        return words.ja if language == "ja" else words.en

    def _run(self, name: str, facts: Mapping[str, object], *, escape: bool = False) -> str:
        environment = ImmutableSandboxedEnvironment(
            autoescape=escape, undefined=StrictUndefined, trim_blocks=True
        )
        environment.globals.clear()
        try:
            return environment.from_string(self._source(name)).render(facts)
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            message = f"notices: the template {name} does not render: {type(error).__name__}"
            raise PolicyError(message) from None

    def _source(self, name: str) -> str:
        if name in self._overrides:
            return self._overrides[name]
        file = "layout.html" if name == "layout" else f"{name}.txt"
        raw = pkgutil.get_data("shared.policy", f"notice_templates/{file}")
        assert raw is not None
        return raw.decode()


def safe(location: str) -> str:
    """A location without what may be a value: runs of four digits or more are hidden."""
    return _DIGITS.sub("＊＊＊", location)


def reference(event_id: str) -> str:
    """A short reference that people can read out: letters, so that it is no number itself."""
    letters = "".join(chr(ord("A") + int(digit, 16)) for digit in event_id[:12])
    return "-".join(letters[start : start + 4] for start in (0, 4, 8))


def raised(kind: str, ref: str, time: datetime) -> AuditEvent:
    """An alert as a notice takes it; it is on no record."""
    return AuditEvent(
        id=hashlib.sha256(f"alert\0{kind}\0{ref}".encode()).hexdigest(),
        time=time,
        item=Item("alert", hashlib.sha256(ref.encode()).hexdigest()[:32], "", ""),
        disposition="none",
        would_be="none",
        mode="none",
        policy_version="",
        rule_ids=(),
        action=kind,
        action_state="recorded",
        steps=(),
        findings=(),
        gaps=(),
        place="",
        owner="",
        seconds=0.0,
        trace="",
    )


def due_digest(now: datetime, last: date | None) -> date | None:
    """The day (in Japan) whose digest is to be sent now, or None: yesterday's, once."""
    yesterday = date.fromordinal(now.astimezone(JST).date().toordinal() - 1)
    return None if last is not None and last >= yesterday else yesterday


def _done(event: AuditEvent) -> Words:
    """What was read back, not what was asked."""
    said = Words(event.disposition, event.disposition)
    return _NOT_DONE.get(event.action_state) or _ACTIONS.get(event.disposition, said)


def _distinct(event: AuditEvent) -> dict[tuple[str, str], Finding]:
    return {(each.fingerprint, each.location): each for each in event.findings}


def _text(part: Part) -> str:
    lines = [part.subject, "", part.lead]
    for section in part.sections:
        lines += ["", f"■ {section.title}", *(f"・{line}" for line in section.lines)]
    return "\n".join(lines) + "\n"


def _card(parts: Sequence[Part]) -> dict[str, object]:
    """A message with an Adaptive Card 1.4, as a Workflows webhook takes it."""
    body: list[dict[str, object]] = []
    for part in parts:
        body.append(
            {"type": "TextBlock", "text": plain(part.subject), "weight": "Bolder", "size": "Medium",
             "wrap": True, "separator": bool(body)}
        )  # fmt: skip
        body.append({"type": "TextBlock", "text": plain(part.lead), "wrap": True})
        for section in part.sections:
            body.append(
                {"type": "TextBlock", "text": plain(section.title), "weight": "Bolder",
                 "color": "Attention", "wrap": True, "spacing": "Medium"}
            )  # fmt: skip
            lines = "\n".join(f"- {plain(line)}" for line in section.lines)
            body.append({"type": "TextBlock", "text": lines, "wrap": True, "spacing": "None"})
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def plain(text: str) -> str:
    """Text for a card, whose TextBlocks read Markdown: no links, no emphasis."""
    return re.sub(r"([\\\[\]()*_~`<>#])", r"\\\1", text)
