"""Made-up events for the console: masks that never were numbers, names by faker (seed 7)."""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, datetime, timedelta

from faker import Faker

from shared.model import AuditEvent, Context, Evidence, Finding, Gap, GapCode, Item, Level, Step

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
ENTITIES = ("my_number", "phone_number", "email_address", "credit_card", "corporate_number")
MASKS = {"my_number": "12**********", "phone_number": "090-****-****"}
SOURCES = ("mail", "drive", "gate")
COHORTS = ("everyone", "everyone", "trial", "schools")
STATES = {"allow": "recorded", "tag": "applied", "review": "applied", "block": "applied"}


def finding(
    entity: str, number: int, location: str = "本文", ja: str = "", en: str = ""
) -> Finding:
    fingerprint = hashlib.sha256(f"{entity}{number}".encode()).hexdigest()
    evidence = (
        Evidence("checksum", 2.1, "検査用数字が一致します", "The check digit is right"),
        Evidence(
            "keyword",
            1.4,
            ja or "直前に「個人番号」とあります",
            en or "“個人番号” stands just before it",
        ),
    )
    mask = MASKS.get(entity, "******")
    return Finding(
        entity, location, 10, 22, 0.97, Level.HIGH, mask, f"local-1:{fingerprint}", evidence
    )


def event(
    number: int, *, disposition: str = "review", source: str = "mail", age: timedelta = timedelta(),
    findings: tuple[Finding, ...] = (), owner: str = "u1", item: str = "", evidence: str = "",
) -> AuditEvent:  # fmt: skip
    """One decision; ids are hashes of the number, so that they are spread as real ones are."""
    return AuditEvent(
        id=hashlib.sha256(str(number).encode()).hexdigest(),
        time=NOW - age,
        item=Item(source, item or f"item-{number}", owner, "v1"),
        disposition=disposition,
        would_be=disposition,
        mode="enforce",
        policy_version="0123456789ab",
        rule_ids=("my-number-high",) if disposition == "block" else ("unread",),
        action={"block": "quarantine", "review": "tag_review"}.get(disposition, "tag"),
        action_state=STATES[disposition],
        steps=(Step("evidence", "read_back"), Step("removed", "read_back_gone")),
        findings=findings,
        gaps=(Gap(GapCode.ENCRYPTED, "添付1.zip"),) if disposition == "review" else (),
        place="own_mailbox" if source == "mail" else "onedrive_guest",
        owner=owner,
        seconds=1.2,
        trace="0" * 32,
        evidence_ref=evidence,
        context=Context(source, "own_mailbox", cohort=COHORTS[number % len(COHORTS)]),
        found="sweep" if number % 29 == 5 else "",
    )


def town(count: int = 120) -> list[AuditEvent]:
    """A fortnight of a city hall."""
    rng, fake = random.Random(7), Faker("ja_JP")
    fake.seed_instance(7)
    events = []
    for number in range(count):
        disposition = rng.choices(("allow", "tag", "review", "block"), (40, 30, 18, 12))[0]
        source = rng.choice(SOURCES)
        places = ("本文", "添付1.xlsx › シート1!B7", "添付2.pdf › 3ページ", "件名")
        found = tuple(
            finding(rng.choice(ENTITIES), rng.randrange(60), rng.choice(places))
            for _ in range(rng.randrange(1, 5))
        )
        events.append(
            event(
                number,
                disposition=disposition,
                source=source,
                age=timedelta(minutes=rng.randrange(13 * 24 * 60)),
                findings=found if disposition != "allow" else (),
                owner=fake.user_name(),
                evidence=f"{source}/2026/11/{number:08d}" if disposition == "block" else "",
            )
        )
    return events
