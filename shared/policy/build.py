"""A checked tree to rules and matrix."""

from __future__ import annotations

from datetime import datetime, time

from shared.model import Context, Disposition, Gap, GapCode, Level, Mode
from shared.policy.check import rule_id
from shared.policy.rule import BODY, DAYS, JST, Case, CaseFinding, Found, Rule, Times, When, Words
from shared.policy.tree import Node

type Matrix = dict[str, dict[str, Disposition]]


def build_matrix(root: Node) -> Matrix:
    """By class, then by place, what follows."""
    return {
        name: {place: _disposition(cell) for place, cell in row.items()}
        for name, row in root.at(["matrix"]).items()
    }


def build_ignored(root: Node) -> dict[str, frozenset[str]]:
    """By entity, the parts of an item where it is no finding."""
    return {
        entity: frozenset(_text(each) for each in parts.children())
        for entity, parts in _pairs(root, "ignore")
    }


def build_words(node: Node) -> dict[str, Words]:
    """Names with their words in both languages."""
    return {name: _words(inner) for name, inner in node.items()}


def build_rule(node: Node, last: str) -> Rule:
    """A rule of the merged policy; ``last`` names the file whose cases speak for the whole.

    (What an earlier file expected of the whole policy, a later one may change on purpose.)
    """
    mode, outcome, said = node.get("mode"), node.get("disposition"), node.get("class")
    override, release = node.get("override"), node.get("release")
    tests = node.get("tests") or Node({}, "", 0, 0)
    return Rule(
        id=rule_id(node),
        title=_words(node.at(["title"])),
        reason=_words(node.at(["reason"])),
        when=_when(node.at(["when"])),
        mode=Mode(_text(mode)) if mode else Mode.ENFORCE,
        cohorts={name: Mode(_text(inner)) for name, inner in _pairs(node, "cohorts")},
        information_class=_text(said) if said else None,
        disposition=_disposition(outcome) if outcome else None,
        obligations=_list(node, "obligations"),
        override=_text(override) if override else "",
        release=_number(release) if release else 1,
        hits=tuple(_case(each, last) for each in _children(tests, "hits")),
        misses=tuple(_case(each, last) for each in _children(tests, "misses")),
    )


def _when(node: Node) -> When:
    times = node.get("times")
    return When(
        found=_found(node) if node.get("entities") else None,
        also=tuple(_found(each) for each in _children(node, "also")),
        gaps=_list(node, "gaps"),
        places=_list(node, "places"),
        sources=_list(node, "sources"),
        sharing=_list(node, "sharing"),
        labels=_list(node, "labels"),
        cohorts=_list(node, "cohorts"),
        sender_domains=_list(node, "sender_domains"),
        recipient_domains=_list(node, "recipient_domains"),
        times=_times(times) if times else None,
    )


def _found(node: Node) -> Found:
    level, count = node.get("min_level"), node.get("min_count")
    return Found(
        _list(node, "entities"),
        _level(level) if level else Level.LOW,
        _number(count) if count else 1,
    )


def _times(node: Node) -> Times:
    start, end = node.get("from"), node.get("to")
    return Times(
        days=_list(node, "days") or DAYS,
        start=time.fromisoformat(_text(start)) if start else time(0),
        end=time.fromisoformat(_text(end)) if end else time(0),
    )


def _case(node: Node, last: str) -> Case:
    def word(key: str, default: str = "") -> str:
        inner = node.get(key)
        return _text(inner) if inner else default

    context = Context(
        source=word("source", "mail"),
        place=word("place", "own_mailbox"),
        sender_domain=word("sender_domain"),
        recipient_domains=_list(node, "recipient_domains"),
        sharing=_list(node, "sharing"),
        cohort=word("cohort", "everyone"),
        received_at=_moment(node.get("received_at")),
        labels=_list(node, "labels"),
    )
    expect = node.get("expect") if node.origin == last else None
    return Case(
        context=context,
        findings=tuple(_case_finding(each) for each in _children(node, "findings")),
        gaps=tuple(
            Gap(GapCode(code), f"部分{index}") for index, code in enumerate(_list(node, "gaps"))
        ),
        expect=_disposition(expect) if expect else None,
        where=f"{node.origin}: line {node.line}",
    )


def _moment(node: Node | None) -> datetime | None:
    if node is None:
        return None
    try:
        return datetime.fromisoformat(_text(node)).replace(tzinfo=JST)
    except ValueError:
        node.fail(f"{node.value!r} is no day of the calendar")


def _case_finding(node: Node) -> CaseFinding:
    count, part = node.get("count"), node.get("part")
    return CaseFinding(
        entity=_text(node.at(["entity"])),
        level=_level(node.at(["level"])),
        count=_number(count) if count else 1,
        part=_text(part) if part else BODY,
    )


def _words(node: Node) -> Words:
    return Words(_text(node.at(["ja"])), _text(node.at(["en"])))


def _pairs(node: Node, key: str) -> list[tuple[str, Node]]:
    inner = node.get(key)
    return list(inner.items()) if inner else []


def _children(node: Node, key: str) -> list[Node]:
    inner = node.get(key)
    return list(inner.children()) if inner else []


def _list(node: Node, key: str) -> tuple[str, ...]:
    return tuple(_text(each) for each in _children(node, key))


def _text(node: Node) -> str:
    return str(node.value)


def _number(node: Node) -> int:
    assert isinstance(node.value, int)
    return node.value


def _level(node: Node) -> Level:
    return Level[_text(node).upper()]


def _disposition(node: Node) -> Disposition:
    return Disposition[_text(node).upper()]
