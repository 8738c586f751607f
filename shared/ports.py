"""What the shell implements, as Protocols. The core and the pipeline know only these.

Two floors: *stores* (table, queue, blobs: what Azure Storage gives, small enough to have an exact
in-memory double) and *ports* built on them (ledger, results, services).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from shared.model import (
    Claim,
    Content,
    Context,
    Decision,
    Extraction,
    Fetched,
    Finding,
    Gap,
    Intent,
    Item,
    Outcome,
    Segment,
)

type Clock = Callable[[], datetime]
type Value = str | int | float | bool | bytes | datetime


@dataclass(frozen=True, slots=True)
class Row:
    """A table row; ``etag`` is empty on a row that was not read."""

    partition: str
    key: str
    values: Mapping[str, Value] = field(repr=False)
    etag: str = ""


class Table(Protocol):
    """Rows with ETags. StorageConflictError: a condition failed; TransientError: it is away."""

    async def get(self, partition: str, key: str) -> Row | None:
        """The row, or None."""

    async def insert(self, row: Row) -> str:
        """The new row's ETag; StorageConflictError if it exists."""

    async def replace(self, row: Row, etag: str) -> str:
        """The new ETag; StorageConflictError if the row is gone or has another ETag."""

    async def put(self, row: Row) -> str:
        """Insert or replace without a condition; the new ETag."""

    async def delete(self, partition: str, key: str, etag: str | None = None) -> None:
        """Idempotent without an ETag; StorageConflictError where a given ETag does not match."""

    def query(
        self, partition: str, *, start: str = "", end: str = "", limit: int = 1000
    ) -> AsyncIterator[Row]:
        """Rows of a partition with start ≤ key < end (empty: open), in key order, at most limit."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A message in hand; ``receipt`` is good until it is hidden no longer."""

    body: bytes = field(repr=False)
    id: str
    receipt: str


class Queue(Protocol):
    """One storage queue; bodies are bytes, base64 is the implementation's business."""

    async def put(self, body: bytes, *, delay: float = 0.0) -> None:
        """Durable when it returns; visible after ``delay`` seconds. Over 48 KiB: PermanentError."""

    async def take(self, hidden: float) -> tuple[Taken, ...]:
        """Some of what waits; it comes back after ``hidden`` seconds unless it is dropped."""

    async def drop(self, taken: Taken) -> None:
        """Done with it; that it is gone, or that another has had it since, is fine."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob's bytes and properties."""

    data: bytes = field(repr=False)
    etag: str
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)


class Blobs(Protocol):
    """One container. Raises GoneError for a missing blob, StorageConflictError for a condition."""

    async def put(
        self,
        name: str,
        data: bytes,
        *,
        metadata: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        only_new: bool = False,
        etag: str | None = None,
    ) -> str:
        """Write a block blob; ``only_new`` or ``etag`` make it conditional. The new ETag."""

    async def get(self, name: str) -> Blob:
        """The whole blob."""

    async def properties(self, name: str) -> Blob | None:
        """ETag and metadata with empty data, or None."""

    async def delete(self, name: str, *, etag: str | None = None) -> None:
        """Idempotent without an ETag."""

    async def set_tags(self, name: str, tags: Mapping[str, str]) -> None:
        """Replace the blob's index tags (this does not change the ETag)."""

    async def get_tags(self, name: str) -> Mapping[str, str]:
        """The blob's index tags."""

    async def append(self, name: str, data: bytes, *, at: int) -> int:
        """Append one block to an append blob (created if ``at`` is 0) and return its new size.

        StorageConflictError where the blob is not exactly ``at`` bytes long: the fence against a
        second writer. Data up to 4 MiB.
        """

    async def read_range(self, name: str, start: int, length: int | None = None) -> bytes:
        """The bytes from ``start``, at most ``length``; empty if the blob is missing or shorter."""

    def names(self, prefix: str = "") -> AsyncIterator[str]:
        """Names in order."""


class Lease(Protocol):
    """Mutual exclusion with expiry, fenced by the caller's conditional writes."""

    async def acquire(self, name: str, seconds: int = 30) -> str:
        """A token; BusyError while someone else holds it."""

    async def renew(self, name: str, token: str, seconds: int = 30) -> None:
        """Extend; LeaseLostError if it was taken over."""

    async def release(self, name: str, token: str) -> None:
        """Give back; never raises for a lease that is lost already."""


class Ledger(Protocol):
    """Who is working on what, what was intended, what is done."""

    async def claim(self, item: Item, first_seen: datetime) -> Claim:
        """Take the item; ``done`` claims carry the intent. BusyError while another has it."""

    async def renew(self, claim: Claim) -> Claim:
        """Extend the lease; LeaseLostError if taken over."""

    async def intend(self, claim: Claim, intent: Intent) -> Claim:
        """Write the decision down before acting; LeaseLostError if taken over."""

    async def complete(self, claim: Claim, outcome: Outcome) -> None:
        """Mark done, and the outcome's ``versions`` as our own writes."""

    async def release(self, claim: Claim) -> None:
        """Give the lease back unfinished, so that a retry need not wait for its expiry."""

    async def is_own_write(self, item: Item) -> bool:
        """Whether this version of the item was made by one of our actions."""


class Service(Protocol):
    """One source: how its items are fetched and acted on."""

    async def fetch(self, item: Item) -> Fetched:
        """Bytes and context; GoneError, SupersededError (another version), TransientError."""

    async def apply(self, claim: Claim) -> Outcome:
        """Carry out ``claim.intent``, idempotently, and say what was read back afterwards.

        Called again after a crash at any point with the same intent; must not redo what is done.
        """

    def recognises(self, claim: Claim, fetched: Fetched, content_digest: str) -> bool:
        """Whether ``fetched.marker`` is ours for this content (our own write, or released)."""


class Exceptions(Protocol):
    """What people granted (shared.policy.exemption); to the pipeline an exception is opaque."""

    async def applying(self, *place_keys: str) -> Sequence[Any]:
        """Those that hold now for any of these places, or for a value: what ``decide`` is given."""

    async def used(self, item: Item, rule_ids: Sequence[str]) -> None:
        """Note that a decision about ``item`` rests on the exceptions among ``rule_ids``.

        Durable when it returns, idempotent: the item is judged anew when one of them ends.
        """

    async def copied(self, item: Item, copies: Sequence[Item]) -> None:
        """What was granted for ``item`` holds for these copies of it, as long as it does."""


class NoExceptions:
    """Nobody grants any."""

    async def applying(self, *place_keys: str) -> Sequence[Any]:
        """None."""
        del place_keys
        return ()

    async def used(self, item: Item, rule_ids: Sequence[str]) -> None:
        """Nothing to note."""

    async def copied(self, item: Item, copies: Sequence[Item]) -> None:
        """Nothing holds for the item."""


class Results(Protocol):
    """Where outcomes go: the queue that feeds the audit."""

    async def put(self, claim: Claim, outcome: Outcome) -> None:
        """Durable when it returns; may be called twice for one claim (the audit inserts once)."""


async def everyone(owner: str) -> str:
    """The cohort of an account where a deployment has none."""
    del owner
    return "everyone"


@dataclass(frozen=True, slots=True)
class App:
    """What a scan needs, put together by ``bootstrap`` (a test swaps one line)."""

    clock: Clock
    ledger: Ledger
    services: Mapping[str, Service]
    extract: Callable[[Content], Awaitable[Extraction]]
    detect: Callable[[Sequence[Segment]], tuple[Finding, ...]]
    decide: Callable[[Context, Sequence[Finding], Sequence[Gap], Sequence[Any]], Decision]
    digest: Callable[[Extraction], str]
    results: Results
    policy_version: str
    renew_every: float = 20.0
    exceptions: Exceptions = field(default_factory=NoExceptions)
    cohort: Callable[[str], Awaitable[str]] = everyone
