"""The policy again, from its words: no shared code, no early end; and random policies and items."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import yaml

from shared.model import Context, Finding, Gap, GapCode, Level
from shared.policy import default_text

ENTITIES = ["my_number", "phone_number", "sensitive_information", "person_name"]
PLACES = ["own_mailbox", "landing", "onedrive_anonymous", "nowhere_known"]
SHARING = ["anonymous", "guest"]
LABELS = ["秘", "部外秘"]
COHORTS = ["pilot", "wave", "everyone"]
DOMAINS = ["example.jp", "a.example.jp", "other.test", ""]
CODES = ["encrypted", "bomb", "partial"]
LEVELS = ["low", "medium", "high"]
RANKS = ["allow", "tag", "review", "block"]
MODES = ["off", "simulate", "notify", "enforce", "enforce", "enforce"]
CLASSES = ["1", "2", "3C", "3B", "3A"]
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
HOURS = ["00:00", "08:30", "17:15", "22:00"]
DEFAULT = yaml.safe_load(default_text())
DEFAULT_RULES = [rule["id"] for rule in DEFAULT["rules"]]


def evaluate(rules, matrix, context, findings, gaps):
    """Disposition and would-be by name."""
    answers, rehearsed = (["tag"] if gaps else ["allow"]), []
    for rule in rules:
        mode = rule.get("cohorts", {}).get(context.cohort, rule.get("mode", "enforce"))
        if mode == "off" or not matches(rule["when"], context, findings, gaps):
            continue
        if rule.get("disposition"):
            said = rule["disposition"]
        else:
            row = matrix[rule["class"]]
            said = row.get(context.place, max(row.values(), key=RANKS.index))
        (answers if mode == "enforce" else rehearsed).append(said)
    said = max(answers, key=RANKS.index)
    return said, max([said, *rehearsed], key=RANKS.index)


def matches(when, context, findings, gaps):
    to = context.recipient_domains
    checks = {
        "entities": lambda _: count(when, findings),
        "also": lambda groups: all(count(group, findings) for group in groups),
        "gaps": lambda wanted: any(gap.code in wanted or "any" in wanted for gap in gaps),
        "places": lambda wanted: context.place in wanted,
        "sources": lambda wanted: context.source in wanted,
        "cohorts": lambda wanted: context.cohort in wanted,
        "sharing": lambda wanted: any(grant in wanted for grant in context.sharing),
        "labels": lambda wanted: any(label in wanted for label in context.labels),
        "sender_domains": lambda wanted: under(context.sender_domain, wanted),
        "recipient_domains": lambda wanted: any(under(each, wanted) for each in to),
        "times": lambda wanted: inside(wanted, context.received_at),
    }
    return all(checks[key](wanted) for key, wanted in when.items() if key in checks)


def under(domain, parents):
    return any(domain == parent or domain.endswith("." + parent) for parent in parents)


def count(group, findings):
    floor = LEVELS.index(group.get("min_level", "low")) + 1
    values = set()
    for each in findings:
        if (each.entity in group["entities"] or "any" in group["entities"]) and (
            each.level >= floor
        ):
            values.add(each.fingerprint)
    return len(values) >= group.get("min_count", 1)


def inside(window, moment):
    """Minute by minute: walk back from the moment to a start of the window."""
    if moment is None:
        return True
    local = moment + timedelta(hours=9)
    start, end = window.get("from", "00:00"), window.get("to", "00:00")
    for back in range(1440):
        then = local - timedelta(minutes=back)
        clock = f"{then.hour:02}:{then.minute:02}"
        if clock == start:
            return DAYS[then.weekday()] in window.get("days", DAYS)
        if clock == end:
            return False
    return False


def merged_rules(base, over):
    by_id = {rule["id"]: dict(rule) for rule in base}
    for rule in over:
        by_id[rule["id"]] = by_id.get(rule["id"], {}) | rule
    return list(by_id.values())


def some(rng, values):
    return rng.sample(values, rng.randint(1, 2))


def group(rng):
    found = {"entities": some(rng, [*ENTITIES, "any"])}
    if rng.random() < 0.5:
        found["min_level"] = rng.choice(LEVELS)
    if rng.random() < 0.5:
        found["min_count"] = rng.randint(1, 3)
    return found


def window(rng):
    made = {"from": rng.choice(HOURS), "to": rng.choice(HOURS)}
    return made | ({"days": some(rng, DAYS)} if rng.random() < 0.5 else {})


def when(rng):
    """Conditions: findings or gaps, and some of the rest."""
    made = group(rng) if rng.random() < 0.7 else {"gaps": some(rng, [*CODES, "any"])}
    rest = {
        "also": lambda: [group(rng)],
        "gaps": lambda: some(rng, [*CODES, "any"]),
        "places": lambda: some(rng, PLACES[:3]),
        "sources": lambda: some(rng, ["mail", "gate"]),
        "sharing": lambda: some(rng, SHARING),
        "labels": lambda: some(rng, LABELS),
        "cohorts": lambda: some(rng, COHORTS),
        "sender_domains": lambda: some(rng, DOMAINS[:3]),
        "recipient_domains": lambda: some(rng, DOMAINS[:3]),
        "times": lambda: window(rng),
    }
    for key in rng.sample(list(rest), rng.randint(0, 3)):
        made[key] = rest[key]()
    return made


def site(rng):
    """A site file: a few rules of its own, modes for some of the defaults'."""
    words = {"ja": "あ", "en": "a"}
    rules = []
    for index in range(rng.randint(0, 4)):
        body = {"id": f"site-{index}", "title": words, "reason": words, "when": when(rng)}
        key = rng.choice(["class", "disposition"])
        body[key] = rng.choice(CLASSES if key == "class" else RANKS[1:])
        body["mode"] = rng.choice(MODES)
        if rng.random() < 0.3:
            body["cohorts"] = {rng.choice(COHORTS): rng.choice(MODES)}
        rules.append(body)
    names = rng.sample(DEFAULT_RULES, rng.randint(0, 3))
    rules.extend({"id": name, "mode": rng.choice(MODES)} for name in names)
    return {"rules": rules}


def findings(rng):
    return [
        Finding(
            rng.choice(ENTITIES), "x", 0, 1, 0.5, Level(rng.randint(1, 3)), "*",
            f"k:{rng.randint(1, 4)}",
        )
        for _ in range(rng.randint(0, 5))
    ]  # fmt: skip


def gaps(rng):
    return [Gap(GapCode(rng.choice(CODES)), "x") for _ in range(rng.choice([0, 0, 1, 2]))]


def context(rng):
    start = datetime(2026, 7, 1, tzinfo=UTC)
    moment = start + timedelta(minutes=rng.randrange(7 * 1440))
    return Context(
        rng.choice(["mail", "gate"]),
        rng.choice(PLACES),
        sender_domain=rng.choice(DOMAINS),
        recipient_domains=tuple(rng.choices(DOMAINS, k=rng.randint(0, 2))),
        sharing=tuple(rng.choices(SHARING, k=rng.randint(0, 2))),
        labels=tuple(rng.choices(LABELS, k=rng.randint(0, 1))),
        cohort=rng.choice(COHORTS),
        received_at=rng.choice([None, moment, moment]),
    )


def generator(seed):
    return random.Random(seed)
