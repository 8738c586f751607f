"""Registered documents in an item: a filled-in form is known as that form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b

from shared.detect.rulebook import Rule
from shared.detect.scene import Candidate, Draft, Tally
from shared.detect.winnow import winnow
from shared.errors import MalformedError
from shared.model import Segment

ENTITY = "registered_document"
LEAST = 0.6
"""The share of a form's hashes that must be in an item."""

_STEEPNESS, _START = 10.0, 2.5


class Forms:
    """Forms by name, as hashes under a key. Adding a name again replaces it."""

    def __init__(self, key: bytes, forms: Mapping[str, frozenset[int]] | None = None) -> None:
        self._key = key
        self._forms = dict(forms or {})

    def __repr__(self) -> str:
        return f"Forms({len(self._forms)})"

    def __len__(self) -> int:
        return len(self._forms)

    def add(self, name: str, texts: Sequence[str]) -> int:
        """Register a form's texts (its pages or sheets); how many hashes stand for it."""
        hashes = self._winnowed(texts)
        if hashes:
            self._forms[name] = hashes
        return len(hashes)

    def dump(self) -> bytes:
        """As JSON: names and hashes, no text."""
        forms = {name: sorted(hashes) for name, hashes in sorted(self._forms.items())}
        value = {"v": 1, "check": _check(self._key), "forms": forms}
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def load(cls, data: bytes, key: bytes) -> Forms:
        """What ``dump`` wrote. MalformedError where it did not, or with another key."""
        try:
            value = json.loads(data)
            check = value["check"]
            forms = {str(name): frozenset(map(int, h)) for name, h in value["forms"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            message = "not a file of registered documents"
            raise MalformedError(message) from error
        if check != _check(key):
            message = "the registered documents were written with another key"
            raise MalformedError(message)
        return cls(key, forms)

    def _winnowed(self, texts: Sequence[str]) -> frozenset[int]:
        return frozenset().union(*(winnow(text, self._key) for text in texts))

    def drafts(self, rule: Rule, segments: Sequence[Segment]) -> list[tuple[Segment, Draft]]:
        """The forms that an item holds, each with the segment that holds most of it."""
        if not self._forms:
            return []
        found = [(segment, winnow(segment.text, self._key)) for segment in segments]
        everything = frozenset().union(*(hashes for _, hashes in found))
        drafts = []
        for name, hashes in self._forms.items():
            share = len(hashes & everything) / len(hashes)
            if share >= LEAST:
                segment, _ = max(found, key=lambda each: len(hashes & each[1]))
                drafts.append((segment, _draft(rule, name, share, len(segment.text))))
        return drafts


def _check(key: bytes) -> str:
    return blake2b(b"sekisho forms", digest_size=8, key=key[:64]).hexdigest()


def _draft(rule: Rule, name: str, share: float, length: int) -> Draft:
    tally = Tally(rule)
    tally.add("form", _STEEPNESS * share - _START, word=name, n=round(100 * share))
    candidate = Candidate("form", 0, length, name.encode())
    return Draft(candidate, ENTITY, tally.score, tally.level(), tuple(tally.reasons))
