"""The values that flow through the pipeline.

All are frozen. None holds an item's content in its ``repr``; a ``Finding`` does not hold it at all.
They are encoded for queues and tables by msgspec (field names are the wire names).
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum


class Disposition(IntEnum):
    """What policy says of an item; ordered, so that the strictest matching rule wins."""

    ALLOW = 0
    TAG = 1
    REVIEW = 2
    BLOCK = 3


class Level(IntEnum):
    """How sure a finding is; thresholds are data in ``shared/detect``."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3


class Mode(StrEnum):
    """How far a rule bites; ``ENFORCE`` alone acts on the item."""

    OFF = "off"
    SIMULATE = "simulate"
    NOTIFY = "notify"
    ENFORCE = "enforce"


class GapCode(StrEnum):
    """Why a part of an item could not be read. No gap is ever called clean."""

    ENCRYPTED = "encrypted"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    TOO_MANY = "too_many"
    BOMB = "bomb"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    MALFORMED = "malformed"
    PARTIAL = "partial"
    UNKNOWN_FORMAT = "unknown_format"
    UNSUPPORTED = "unsupported"
    IMAGE_ONLY = "image_only"
    AMBIGUOUS = "ambiguous"
    EXTERNAL = "external"
    UNSANITISED = "unsanitised"


@dataclass(frozen=True, slots=True)
class Item:
    """A reference to what passes. Ids are opaque: a name or a subject is content, not identity.

    ``source`` is the service's name (``mail``, ``drive``, ``gate``, …), ``recipient`` whose copy it
    is (mailbox id, drive id, or the index in the gate's envelope), ``content_version`` what the
    source calls this state of the content (changeKey, cTag, ETag), ``context_hash`` a digest of
    what surrounds it (sharing). ``generation`` is 0, or the moment (Unix milliseconds) of a
    deliberate rescan: something beside the item changed (an exception began or ended).
    """

    source: str
    id: str
    recipient: str
    content_version: str
    context_hash: str = ""
    generation: int = 0

    def key(self, policy_version: str) -> str:
        """The ledger's key, 64 hex digits: another policy, sharing or generation is another key."""
        parts = (
            self.source,
            self.id,
            self.recipient,
            self.content_version,
            self.context_hash,
            policy_version,
            str(self.generation),
        )
        joined = "".join(f"{len(part)}:{part}" for part in parts)
        return hashlib.sha256(joined.encode()).hexdigest()

    def place_key(self) -> str:
        """The same item in any version, 64 hex digits (for markers and our own writes)."""
        joined = "".join(f"{len(p)}:{p}" for p in (self.source, self.id, self.recipient))
        return hashlib.sha256(joined.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Mark:
    """From ``offset`` on, a person would look at ``label`` (a cell, a page)."""

    offset: int
    label: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of an item's text, and where a person would look for it.

    ``location`` is a path such as ``添付2.xlsx › シート1``; names are content and not in it. In a
    table (``table=True``) rows are lines, cells are separated by tabs, and a block's first line is
    its header. ``marks`` (ascending offsets) refine the location inside the text.
    """

    location: str
    text: str = field(repr=False)
    table: bool = False
    marks: tuple[Mark, ...] = field(default=(), repr=False)

    def where(self, offset: int) -> str:
        """The location of the character at ``offset``, refined by the marks: ``シート1!B7``."""
        index = bisect_right(self.marks, offset, key=lambda mark: mark.offset)
        return f"{self.location}!{self.marks[index - 1].label}" if index else self.location


@dataclass(frozen=True, slots=True)
class Gap:
    """A part that could not be read, by name."""

    code: GapCode
    location: str


@dataclass(frozen=True, slots=True)
class Extraction:
    """What was read, and what could not be."""

    segments: tuple[Segment, ...]
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for or against a finding: its log-odds and its words. Never the value."""

    code: str
    weight: float
    ja: str
    en: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A recognised, scored, masked occurrence. Nothing in it holds the value itself.

    ``start`` and ``end`` index the segment's ``text`` (Python characters). ``confidence`` is 0…1.
    ``fingerprint`` is ``<key id>:<hex HMAC-SHA-256>`` of the folded value.
    """

    entity: str
    location: str
    start: int
    end: int
    confidence: float
    level: Level
    masked: str
    fingerprint: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What policy sees around the content.

    ``place`` is a place of the policy's matrix (``own_mailbox``, ``onedrive_private``,
    ``onedrive_inside``, ``onedrive_guest``, ``onedrive_anonymous``, ``landing`` …); ``owner`` an
    opaque id; ``sharing`` the kinds of grants (``anonymous``, ``organization``, ``guest``,
    ``user``; ``members_unread``: who is in it could not be read); ``labels`` the sensitivity
    labels on the item, by the names that policy uses.
    """

    source: str
    place: str
    owner: str = ""
    sender_domain: str = ""
    recipient_domains: tuple[str, ...] = ()
    sharing: tuple[str, ...] = ()
    cohort: str = "everyone"
    received_at: datetime | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What policy made of the findings; ``would_be`` is the disposition if every rule bit."""

    disposition: Disposition
    would_be: Disposition
    mode: Mode
    policy_version: str
    rule_ids: tuple[str, ...] = ()
    obligations: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes to scan, with what the source calls them (both are content: never logged)."""

    data: bytes = field(repr=False)
    name: str = field(default="", repr=False)
    media_type: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Fetched:
    """An item as its source gave it.

    ``etag`` is the version that ``apply`` must find again (If-Match); ``marker`` is Sekisho's
    marker on the item, if it carries one (to be verified, anyone can write one); ``gaps`` name what
    the source did not give (a file over the size limit has no data), beside those of reading.
    ``origin`` is the place key of the item that this is a released copy of, as verified by the
    service: what was granted for that item holds for the copy.
    """

    content: Content
    context: Context
    etag: str
    marker: str = ""
    gaps: tuple[Gap, ...] = ()
    origin: str = ""


class OutcomeState(StrEnum):
    """What became of the action, read back from the source."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"  # the item was already as decided
    RECORDED = "recorded"  # nothing to do but to record (allow, simulate)
    HANDED_OVER = "handed_over"  # on its way by the relay; what became of it is another event
    PARTIAL = "partial"  # some steps did not take; they are named
    NOT_ENFORCEABLE = "not_enforceable"  # the source does not allow it
    SUPERSEDED = "superseded"  # a newer version exists; its own item follows
    GONE = "gone"  # the item no longer exists


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an action and what was read back afterwards (no content in either)."""

    name: str
    result: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done, as read back. ``versions`` are the item's versions that our writes made.

    ``copies`` are the items that our action made of it elsewhere (delivered, put back under another
    id; any version): what was granted for the item holds for them.
    """

    action: str
    state: OutcomeState
    steps: tuple[Step, ...] = ()
    versions: tuple[str, ...] = ()
    evidence_ref: str = ""
    copies: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Intent:
    """Decided once and written down before acting, so that a crash never re-decides.

    ``content_digest`` is the keyed digest of what was read (a retry can tell the tombstone from
    the content); ``etag`` the version that was scanned.
    """

    decision: Decision
    context: Context
    content_digest: str
    etag: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A fenced, renewed lease on one key of the ledger.

    ``token`` is the ledger row's ETag (every write of ours is conditional on it); ``fence`` rises
    with each takeover; ``reported`` says that the result is on the queue or in the audit already.
    """

    item: Item
    key: str
    owner: str
    fence: int
    token: str
    first_seen: datetime
    intent: Intent | None = None
    done: bool = False
    trace: str = ""
    found: str = ""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One decision and what became of it; ``id`` is the ledger's key, so it is inserted once.

    Enumerations are written by name, for people and foreign tools. ``found`` is ``sweep`` where no
    notification told of the item before the sweep came upon it, ``baseline`` where it was there
    before its place was watched. ``context`` is what policy saw around the content (None: nobody
    judged it, or an event older than this field), so that another policy can be tried on it.
    """

    id: str
    time: datetime
    item: Item
    disposition: str
    would_be: str
    mode: str
    policy_version: str
    rule_ids: tuple[str, ...]
    action: str
    action_state: str
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    place: str
    owner: str
    seconds: float
    trace: str
    evidence_ref: str = ""
    context: Context | None = None
    found: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Every queue message. Times are UTC; ``item`` is set for kind ``item``, else ``body``.

    ``kind``: ``hint`` (something changed, look), ``job`` (a timer's work), ``item`` (scan this),
    ``look`` (a mail may say by now what opens a held one),
    ``result`` (an audit event, inline or by ``ref`` to a blob: queue messages cap at 64 KiB).
    ``replayed`` is set when a person puts a dead letter back: its age then counts from there.
    ``revived`` counts how often it came back from the poison queue.
    """

    kind: str
    first_seen: datetime
    item: Item | None = None
    body: dict[str, str] = field(default_factory=dict)
    event: AuditEvent | None = None
    ref: str = ""
    attempt: int = 0
    not_before: datetime | None = None
    trace: str = ""
    v: int = 1
    replayed: datetime | None = None
    revived: int = 0
