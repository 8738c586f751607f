"""Audit events made up for tests: no values, fingerprints from counters."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.model import AuditEvent, Context, Finding, Item, Level

TIME = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)


def finding(entity="my_number", level=Level.HIGH, fingerprint="k:1"):
    return Finding(entity, "本文", 0, 12, 0.9, level, "****", fingerprint)


def event(number, found=(), *, disposition="allow", place="own_mailbox", owner="o", **more):
    fields = {
        "context": Context("mail", place, owner, cohort="pilot"),
        "would_be": disposition,
        "rule_ids": (),
        "gaps": (),
        "action_state": "applied",
        "time": TIME,
    } | more
    return AuditEvent(
        id=f"{number:064x}",
        item=Item("mail", f"m{number}", owner, "1"),
        disposition=disposition,
        mode="enforce",
        policy_version="p",
        action="none",
        steps=(),
        findings=tuple(found),
        place=place,
        owner=owner,
        seconds=1.0,
        trace="t",
        **fields,
    )
