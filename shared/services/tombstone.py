"""The text that stands where a blocked file was: what happened, why, what to do, and a marker."""

from __future__ import annotations

import hashlib

from shared.model import Claim
from shared.services.common import decision_of
from shared.services.marker import Markers, Verdict, release_of
from shared.services.words import explanation, reference

LARGEST = 16_384
RELEASE = "tombstone"
_LINE = "sekisho-tombstone: "
_PREFIX = "関所で停止_"


def name(claim: Claim) -> str:
    """The file's new name; the old one may itself hold what was blocked."""
    return f"{_PREFIX}{reference(claim.key)}.txt"


def is_name(text: str) -> bool:
    """Whether a file has the name of a tombstone already."""
    return text.startswith(_PREFIX)


def write(claim: Claim, markers: Markers) -> bytes:
    """The tombstone of a claim, always the same bytes for the same claim (UTF-8 with BOM)."""
    body = explanation(
        decision_of(claim),
        "このファイルは関所（情報保護の仕組み）が停止し、隔離しました。",
        "This file has been stopped and moved to quarantine by Sekisho.",
        reference(claim.key),
    )
    verdict = markers.verdict(
        claim.item.place_key(), _digest(body), decision_of(claim).policy_version, "BLOCK", RELEASE
    )
    return f"\ufeff{body}\n{_LINE}{verdict.text()}\n".encode()


def marker(data: bytes) -> str:
    """The marker line's verdict in a file's content, or empty; to be verified by ``genuine``."""
    return _split(data)[1]


def genuine(data: bytes, place_key: str, markers: Markers) -> bool:
    """Whether this content is a tombstone that we wrote for this very item, unchanged."""
    body, text = _split(data)
    verdict = Verdict.read(text)
    if verdict is None or release_of(verdict) != RELEASE:
        return False
    return markers.genuine(verdict, place_key, _digest(body))


def _split(data: bytes) -> tuple[str, str]:
    if len(data) > LARGEST or _LINE.encode() not in data:
        return "", ""
    text = data.decode("utf-8-sig", errors="replace")
    body, _, rest = text.partition("\n" + _LINE)
    return body, rest.removesuffix("\n")


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
