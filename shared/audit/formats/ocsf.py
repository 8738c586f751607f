"""Open Cybersecurity Schema Framework 1.6.0 (schema.ocsf.io), one JSON object a line.

A decision is a *Data Security Finding* (class 2006, with the profile ``security_control``). What a
person does in the console is no finding: it is an *Entity Management* event (class 3004: "activity
by … a user at a management console").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared import __version__
from shared.audit.formats.entry import Entry, plain
from shared.codec import encode
from shared.model import Level

VERSION = "1.6.0"
FINDING, ENTITY = 2006, 3004

_SEVERITY = {"none": 1, "allow": 1, "tag": 2, "review": 3, "block": 4}
_SEVERITIES = {1: "Informational", 2: "Low", 3: "Medium", 4: "High"}
_ACTION = {
    "none": (0, "Unknown"), "allow": (1, "Allowed"), "tag": (3, "Observed"),
    "review": (3, "Observed"), "block": (2, "Denied"),
}  # fmt: skip
_DISPOSITION = {
    "none": (16, "No Action"), "allow": (1, "Allowed"), "tag": (18, "Tagged"),
    "review": (19, "Alert"), "block": (2, "Blocked"),
}  # fmt: skip
_LEVELS = {Level.LOW: (1, "Low"), Level.MEDIUM: (2, "Medium"), Level.HIGH: (3, "High")}
_GOVERNMENTAL = (
    "my_number", "resident_record_code", "drivers_licence", "passport_number", "mrz",
    "residence_card_number", "basic_pension_number",
)  # fmt: skip
_FINANCIAL = ("credit_card", "bank_account", "yucho_account")
_CATEGORY = {
    **dict.fromkeys(_GOVERNMENTAL, (2, "Governmental")),
    **dict.fromkeys(_FINANCIAL, (3, "Financial")),
}
_PERSONAL = (1, "Personal")
_DETECTION = (10, "Application-Level DLP")
_GATEWAY = (6, "Secure Email Gateway")
_LIFECYCLE = {"gate": (2, "Data in-Transit")}
_AT_REST = (1, "Data at-Rest")
_READ, _UPDATE = (2, "Read"), (3, "Update")
# What the console only looks at; everything else changes something.
_LOOKS = ("view", "search", "list", "sign")


def line(entry: Entry) -> bytes:
    """One JSON line."""
    return encode(_deed(entry) if entry.deed else _finding(entry)) + b"\n"


def _finding(entry: Entry) -> dict[str, Any]:
    event = entry.event
    said = event.disposition
    action, disposition = _ACTION.get(said, (99, said)), _DISPOSITION.get(said, (99, said))
    if said == "block" and event.action_state not in {"applied", "unchanged"}:
        # What was read back, not what was asked for.
        action, disposition = (3, "Observed"), (15, "Detected")
    made = _common(entry, FINDING, "Data Security Finding", 2, "Findings", (1, "Create"))
    made |= {
        "finding_info": {
            "uid": plain(event.id),
            "title": f"{plain(said)}: {', '.join(map(plain, entry.entities())) or 'no finding'}",
            "types": [plain(each) for each in entry.entities()],
            "data_sources": [plain(event.item.source)],
            "related_analytics": [
                {"type_id": 1, "type": "Rule", "uid": plain(each)} for each in event.rule_ids
            ],
        },
        "action_id": action[0],
        "action": plain(action[1]),
        "disposition_id": disposition[0],
        "disposition": plain(disposition[1]),
        "status_id": 1 if said in {"review", "block"} else 99,
        "status": "New" if said in {"review", "block"} else "Logged",
        "status_detail": plain(f"{event.action}: {event.action_state}"),
        "is_alert": said == "block",
        "policy": {"name": "Sekisho", "version": plain(event.policy_version)},
        "data_security": _security(entry),
        "resources": [_resource(entry)],
        "start_time": _millis(entry) - round(event.seconds * 1000),
        "end_time": _millis(entry),
        "duration": round(event.seconds * 1000),
    }
    level = entry.level()
    if level:
        made["confidence_id"], made["confidence"] = _LEVELS[level]
    return made


def _security(entry: Entry) -> dict[str, Any]:
    event = entry.event
    entities = entry.entities()
    category = next((_CATEGORY[each] for each in _CATEGORY if each in entities), _PERSONAL)
    if not entities:
        category = (0, "Unknown")
    system = _GATEWAY if event.item.source == "gate" else _DETECTION
    lifecycle = _LIFECYCLE.get(event.item.source, _AT_REST)
    return {
        "category_id": category[0],
        "category": category[1],
        "detection_system_id": system[0],
        "detection_system": system[1],
        "data_lifecycle_state_id": lifecycle[0],
        "data_lifecycle_state": lifecycle[1],
        "discovery_details": [
            {"type": plain(name), "count": count} for name, count in entities.items()
        ],
        "total": len(event.findings),
        "status_id": 2 if event.gaps else 1,
        "status": "Partial" if event.gaps else "Complete",
        "status_details": [f"{plain(name)}: {count}" for name, count in entry.gaps().items()],
    }


def _resource(entry: Entry) -> dict[str, Any]:
    event = entry.event
    made: dict[str, Any] = {
        "uid": plain(event.item.id),
        "type": plain(event.item.source),
        "namespace": plain(event.place),
        "version": plain(event.item.content_version),
    }
    if event.owner:
        made["owner"] = {"uid": plain(event.owner)}
    return made


def _deed(entry: Entry) -> dict[str, Any]:
    event = entry.event
    name = event.action.removeprefix("console.")
    activity = _READ if name.startswith(_LOOKS) else _UPDATE
    roles = next((each.result for each in event.steps if each.name == "role"), "")
    made = _common(entry, ENTITY, "Entity Management", 3, "Identity & Access Management", activity)
    made |= {
        "entity": {"uid": plain(event.item.id), "type": "Sekisho"},
        "actor": {"user": {"uid": plain(event.owner), "type": plain(roles)}},
        "comment": plain(name),
        "status_id": 1,
        "status": "Success",
    }
    return made


def _common(
    entry: Entry,
    uid: int,
    name: str,
    category: int,
    category_name: str,
    activity: tuple[int, str],
) -> dict[str, Any]:
    event = entry.event
    severity = _SEVERITY.get(event.disposition, 1)
    profiles = {"profiles": ["security_control"]} if uid == FINDING else {}
    return {
        "class_uid": uid,
        "class_name": name,
        "category_uid": category,
        "category_name": category_name,
        "activity_id": activity[0],
        "activity_name": activity[1],
        "type_uid": uid * 100 + activity[0],
        "type_name": f"{name}: {activity[1]}",
        "time": _millis(entry),
        "severity_id": severity,
        "severity": _SEVERITIES[severity],
        "metadata": {
            "version": VERSION,
            "uid": plain(event.id),
            "sequence": entry.seq,
            "correlation_uid": plain(event.trace),
            "product": {"name": "Sekisho", "vendor_name": "Sekisho", "version": __version__},
            **profiles,
        },
        "unmapped": _unmapped(entry),
    }


def _unmapped(entry: Entry) -> Mapping[str, Any]:
    event = entry.event
    return {
        "would_be": plain(event.would_be),
        "mode": plain(event.mode),
        "cohort": plain(entry.cohort()),
        "persons": entry.persons(),
        "evidence_ref": plain(event.evidence_ref),
        "record_hash": entry.hash,
    }


def _millis(entry: Entry) -> int:
    return int(entry.event.time.timestamp() * 1000)
