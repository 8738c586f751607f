"""A made-up November: events by the default policy, and what people made of their incidents."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from shared.export.monthly import Handled
from shared.model import AuditEvent, Context, Evidence, Finding, Gap, GapCode, Item, Level
from shared.policy import Policy, default_text

ENTITIES = (
    "my_number", "phone_number", "person_name", "email_address", "sensitive_information",
    "birth_date", "address", "bank_account",
)  # fmt: skip
PLACES = ("own_mailbox", "onedrive_private", "onedrive_inside", "onedrive_guest", "landing")
SOURCES = ("mail", "mail", "mail", "drive", "drive", "gate", "teams")
WHY = (Evidence("check", 2.4, "検査用数字が合う", "the check digit is right"),)
START = datetime(2026, 10, 1, 15, tzinfo=UTC)


def events(count=3_000, seed=11):
    """From October on; weekends are quiet."""
    rng, policy = random.Random(seed), Policy.load([default_text()])
    found = []
    for number in range(count):
        moment = START + timedelta(seconds=rng.randrange(60 * 86_400))
        if (moment + timedelta(hours=9)).weekday() > 4 and rng.random() < 0.85:
            continue
        found.append(_event(rng, number, moment, policy))
    return sorted(found, key=lambda each: each.time)


def _event(rng, number, moment, policy):
    held = rng.random() < 0.35
    found = tuple(
        Finding(rng.choice(ENTITIES), "本文", 0, 12, 0.9, Level(rng.choice((1, 2, 2, 3))), "1***",
                f"k:{rng.getrandbits(256):064x}", WHY)
        for _ in range(rng.choice((1, 1, 2, 4)) if held else 0)
    )  # fmt: skip
    gaps = (Gap(GapCode.ENCRYPTED, "添付1"),) if rng.random() < 0.04 else ()
    cohort = rng.choice(("everyone", "everyone", "trial", "trial", "welfare"))
    context = Context(rng.choice(SOURCES), rng.choice(PLACES), "o", cohort=cohort)
    said = policy.decide(context, found, gaps)
    state = "applied" if rng.random() < 0.97 else "not_enforceable"
    return AuditEvent(
        f"{number:064x}", moment, Item(context.source, str(number), "o", "1"),
        said.disposition.name.lower(), said.would_be.name.lower(), said.mode.value, policy.version,
        said.rule_ids, said.disposition.name.lower(), state, (), said.findings, gaps,
        context.place, "o", 1.0, "t", "", context,
    )  # fmt: skip


def incidents(every, seed=12):
    """One an event that was reviewed or blocked; most are dealt with within a day."""
    rng = random.Random(seed)
    for each in every:
        if each.disposition not in {"review", "block"}:
            continue
        waits = rng.random() < 0.06
        first = each.time + timedelta(hours=rng.lognormvariate(0.8, 1.3))
        false = rng.random() < 0.12
        yield Handled(
            each.id,
            "open" if waits else rng.choice(("closed", "confirmed")),
            "" if waits else "false_positive" if false else "true_positive",
            each.time,
            None if waits else first,
            first + timedelta(hours=rng.random() * 8) if false and not waits else None,
        )
