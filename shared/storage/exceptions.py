"""Exceptions: asked for, granted by as many different people as it takes, ended by themselves.

requested → granted | refused; granted → expired | revoked. Each step is conditional on the row's
ETag, so that two people who press at once are two steps. An identity is the directory's object id:
two browser sessions of one person are one identity.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.codec import decode, encode
from shared.errors import GoneError, MalformedError, RefusedError
from shared.model import AuditEvent, Item
from shared.policy.exemption import Exemption, Kind, applying, generation
from shared.ports import Clock, Row, Table, Value

LONGEST = timedelta(days=92)
"""An exception ends within a quarter, or is asked for anew."""
LEAST_WORDS = 8  # characters of a reason
LIMIT = 30_000  # bytes of a request: a string property holds 32 Ki characters
ENDS = "ends"  # the partition that lists requests by their expiry
EVERYWHERE = "values"  # the partition of suppressions, which concern no item


@dataclass(frozen=True, slots=True)
class Request:
    """One exception, from being asked for to its end. ``version`` is the row's ETag when read.

    ``needed`` is how many different people it takes, the requester among them; an override by the
    owner takes the owner alone. ``item`` is None for a suppression.
    """

    id: str
    kind: Kind
    scope: str
    rules: tuple[str, ...]
    fingerprints: tuple[str, ...]
    gaps: tuple[str, ...]
    reason: str
    owner: str
    people: tuple[str, ...]
    needed: int
    asked_at: datetime
    expires_at: datetime
    item: Item | None = None
    state: str = "requested"
    granted_at: datetime | None = None
    version: str = ""

    def exemption(self) -> Exemption | None:
        """What ``decide`` is given, once it is granted (also after its end: time decides)."""
        if self.granted_at is None:
            return None
        return Exemption(
            self.id, self.kind, self.scope, self.rules, self.fingerprints, self.gaps,
            self.reason, self.people, self.granted_at, self.expires_at,
        )  # fmt: skip


class Exceptions:
    """The table ``exceptions``: partition = the item's place key (``values`` for suppressions)."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    async def request(self, asked: Request) -> Request:
        """Keep a request; one that needs one person is granted at once.

        RefusedError for an override by another than the owner, a reason of too few words, or an
        expiry that is past or later than a quarter; MalformedError for one that is too large.
        """
        now = self._clock()
        person = _identity(asked.people)
        _check(asked, person, now)
        kept = replace(
            asked, people=(person,), asked_at=now, state="requested", granted_at=None, version=""
        )
        if kept.needed <= 1:
            kept = replace(kept, state="granted", granted_at=now)
        await self._table.put(_end(kept))  # first: what is granted is sure to be ended
        return replace(kept, version=await self._table.insert(_row(kept)))

    async def approve(self, scope: str, request_id: str, who: str) -> Request:
        """One more person; granted once enough different people have said so.

        RefusedError for the same identity a second time, for the item's owner, and where it is not
        waiting any more; StorageConflictError if somebody else was faster (read it again).
        """
        found, person, now = await self.get(scope, request_id), _identity([who]), self._clock()
        if found.state != "requested" or found.expires_at <= now:
            message = f"the exception {request_id} is not waiting for an approval"
            raise RefusedError(message)
        if person in found.people or person == _fold(found.owner):
            message = f"the exception {request_id} needs another person"
            raise RefusedError(message)
        people = (*found.people, person)
        granted = len(set(people)) >= found.needed
        return await self._write(
            replace(
                found,
                people=people,
                state="granted" if granted else "requested",
                granted_at=now if granted else None,
            )
        )

    async def end(self, scope: str, request_id: str, *, refuse: bool = False) -> Request:
        """Refuse what waits, or revoke what was granted: it ends now."""
        found, now = await self.get(scope, request_id), self._clock()
        if found.state not in {"requested", "granted"} or (refuse and found.state == "granted"):
            message = f"the exception {request_id} has ended already"
            raise RefusedError(message)
        state = "revoked" if found.granted_at else "refused"
        return await self._write(replace(found, state=state, expires_at=min(now, found.expires_at)))

    async def get(self, scope: str, request_id: str) -> Request:
        """One; GoneError if there is none."""
        for partition in (scope, EVERYWHERE):
            row = await self._table.get(partition, request_id)
            if row is not None:
                return _request(row)
        message = f"no exception {request_id}"
        raise GoneError(message)

    async def about(self, place_key: str) -> tuple[Exemption, ...]:
        """Everything ever granted about an item or a value, ended or not."""
        found = []
        for partition in (place_key, EVERYWHERE):
            async for row in self._table.query(partition):
                exemption = _request(row).exemption()
                if exemption is not None:
                    found.append(exemption)
        return tuple(found)

    async def applying(self, place_key: str) -> tuple[Exemption, ...]:
        """What ``decide`` is given for an item now."""
        return applying(await self.about(place_key), place_key, self._clock())

    async def generation(self, item: Item) -> Item:
        """The item as it is to be scanned now: a grant and an expiry each make another key."""
        place_key = item.place_key()
        mine = [each for each in await self.about(place_key) if each.scope == place_key]
        number = generation(mine, place_key, self._clock(), item.generation)
        return replace(item, generation=number)

    async def due(self) -> list[Request]:
        """What was granted and has ended by itself, until ``expire`` marks it.

        ``decide`` looks at the time and not at marks. The caller scans the item again first, under
        its new generation, and marks then: so a crash between the two repeats and loses nothing.
        """
        now, found = self._clock(), []
        async for row in self._table.query(ENDS, end=_moment(now + timedelta(milliseconds=1))):
            try:
                request = await self.get(str(row.values["scope"]), row.key.partition("-")[2])
            except GoneError:
                await self._table.delete(ENDS, row.key)
                continue
            if request.state == "granted" and request.expires_at <= now:
                found.append(request)
            else:  # refused, revoked, never granted in time
                await self._table.delete(ENDS, row.key)
        return found

    async def expire(self, request: Request) -> Request:
        """Mark what ``due`` gave as expired; StorageConflictError if another worker did."""
        marked = await self._write(replace(request, state="expired"))
        await self._table.delete(ENDS, _end(request).key)
        return marked

    async def _write(self, request: Request) -> Request:
        version = await self._table.replace(_row(request), request.version)
        return replace(request, version=version)


def event(request: Request, time: datetime, policy_version: str, trace: str = "") -> AuditEvent:
    """The record of a step (asked, granted, refused, revoked, expired): who, what, until when."""
    key = f"{request.id}:{request.state}:{len(request.people)}"
    return AuditEvent(
        id=hashlib.sha256(key.encode()).hexdigest(),
        time=time,
        item=request.item or Item("exception", request.id, "", ""),
        disposition="none",
        would_be="none",
        mode="none",
        policy_version=policy_version,
        rule_ids=request.rules,
        action=f"exception_{request.state}",
        action_state="recorded",
        steps=(),
        findings=(),
        gaps=(),
        place="",
        owner=request.owner,
        seconds=0.0,
        trace=trace or f"{request.kind.value}:{request.id}:{','.join(request.people)}",
    )


def _check(asked: Request, person: str, now: datetime) -> None:
    if asked.kind is Kind.OVERRIDE and person != _fold(asked.owner):
        message = "only the owner may set a rule aside for an item"
        raise RefusedError(message)
    if asked.kind is not Kind.OVERRIDE and person == _fold(asked.owner):
        message = "the owner of an item may not release it"
        raise RefusedError(message)
    if len(asked.reason.strip()) < LEAST_WORDS:
        message = f"an exception needs a reason of at least {LEAST_WORDS} characters"
        raise RefusedError(message)
    if not now < asked.expires_at <= now + LONGEST:
        message = f"an exception ends after now and within {LONGEST.days} days"
        raise RefusedError(message)


def _fold(identity: str) -> str:
    return identity.strip().casefold()


def _identity(people: Sequence[str]) -> str:
    person = _fold(people[0]) if len(people) == 1 else ""
    if not person:
        message = "an exception is asked for by one person"
        raise RefusedError(message)
    return person


def _row(request: Request) -> Row:
    body = encode(replace(request, version="")).decode()
    if len(body.encode()) > LIMIT:
        message = f"the exception {request.id} names too many findings"
        raise MalformedError(message)
    partition = EVERYWHERE if request.kind is Kind.SUPPRESSION else request.scope
    return Row(
        partition,
        request.id,
        {"state": request.state, "expires": request.expires_at, "request": body},
    )


def _end(request: Request) -> Row:
    values: dict[str, Value] = {"scope": request.scope}
    return Row(ENDS, f"{_moment(request.expires_at)}-{request.id}", values)


def _moment(time: datetime) -> str:
    return f"{int(time.timestamp() * 1000):013d}"


def _request(row: Row) -> Request:
    return replace(decode(str(row.values["request"]), Request), version=row.etag)
