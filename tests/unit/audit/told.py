"""Events in which every field has a value of its own, so that none can be taken for another."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.audit.formats import Entry
from shared.model import AuditEvent, Context, Evidence, Finding, Gap, GapCode, Item, Level, Step

TIME = datetime(2026, 11, 24, 15, 30, 5, 250_000, tzinfo=UTC)
WHY = (Evidence("checksum", 0.6, "検査数字が合う", "the check digit is right"),)


def finding(entity, level, fingerprint, location="本文"):
    return Finding(entity, location, 3, 15, 0.75, level, "12**", fingerprint, WHY)


NUMBER = finding("my_number", Level.HIGH, "k1:aa")
AGAIN = finding("my_number", Level.MEDIUM, "k1:aa", "添付1.xlsx › Sheet1!B7")
OTHER = finding("my_number", Level.LOW, "k1:bb")
CARD = finding("credit_card", Level.MEDIUM, "k1:cc")
PHONE = finding("phone_number", Level.LOW, "k1:dd")


def event(disposition, source, findings=(), gaps=(), **more):
    context = Context(
        source, "place-1", "owner-1", "sender.example", ("to.example",), ("link",), "trial"
    )
    values = {
        "id": "event-1", "time": TIME,
        "item": Item(source, "item-1", "box-1", "version-1", "hash-1"),
        "disposition": disposition, "would_be": "block", "mode": "simulate",
        "policy_version": "policy-1", "rule_ids": ("rule-1", "rule-2"), "action": "moved",
        "action_state": "applied", "steps": (Step("moved", "done"),), "findings": findings,
        "gaps": tuple(Gap(code, "添付2") for code in gaps), "place": "place-1", "owner": "owner-1",
        "seconds": 1.25, "trace": "trace-1", "evidence_ref": "evidence-1", "context": context,
        "found": "sweep",
    }  # fmt: skip
    return AuditEvent(**(values | more))


LOCKED = (GapCode.ENCRYPTED, GapCode.ENCRYPTED, GapCode.TOO_LARGE)
DEED = {
    "action": "console.release", "owner": "person-1", "context": None, "would_be": "none",
    "mode": "none", "rule_ids": (), "steps": (Step("reason", "r"), Step("role", "reviewer")),
}  # fmt: skip
EVENTS = {
    "a mail is stopped": event("block", "mail", (NUMBER, AGAIN, OTHER, CARD), LOCKED),
    "it could not be": event("block", "teams", (NUMBER,), action_state="not_enforceable"),
    "it was already": event("block", "drive", (CARD,), action_state="unchanged"),
    "a file is tagged": event("tag", "drive", (CARD, PHONE), rule_ids=("rule-1",)),
    "a date waits for a person": event("review", "calendar", (PHONE,), owner=""),
    "a mail passes the gate": event("allow", "gate", rule_ids=(), action="none"),
    "an item was gone": event("none", "mail", rule_ids=(), context=None, place="", owner=""),
    "a person releases": event("none", "console", **DEED),
    "a person looks": event("none", "console", **(DEED | {"action": "console.view", "steps": ()})),
    "a copy is kept": event("none", "evidence", **(DEED | {"action": "kept"})),
}
ENTRIES = [Entry(number, f"{number:064x}", each) for number, each in enumerate(EVENTS.values(), 41)]
