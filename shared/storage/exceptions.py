"""Exceptions: asked for, granted by as many different people as it takes, ended by themselves.

requested → granted | refused; granted → expired | revoked. Each step is conditional on the row's
ETag, so that two people who press at once are two steps. An identity is the directory's object id:
two browser sessions of one person are one identity.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.codec import decode, encode
from shared.errors import GoneError, MalformedError, RefusedError, StorageConflictError
from shared.model import AuditEvent, Item
from shared.policy.exemption import Exemption, Kind, applying, used
from shared.ports import Clock, Row, Table, Value

LONGEST = timedelta(days=92)
"""An exception ends within a quarter, or is asked for anew."""
LEAST_WORDS = 8  # characters of a reason
LIMIT = 30_000  # bytes of a request: a string property holds 32 Ki characters
TURNS = "turns"  # the partition that lists requests by the moments at which they begin and end
COPIES = "copies"  # the partition that says of which item's place a place is a copy
USES = "uses:"  # the partitions that list what rests on an exception
UNSURE = timedelta(minutes=10)  # how long a turn may wait for the step that it announces
LISTED = "listed"  # the partition that lists all requests
EVERYWHERE = "values"  # the partition of suppressions, which concern no item


@dataclass(frozen=True, slots=True)
class Request:
    """One exception, from being asked for to its end. ``version`` is the row's ETag when read.

    ``needed`` is how many different people it takes, the requester among them; an override by the
    owner takes the owner alone. ``item`` is what is judged anew, ``place`` where it was,
    ``incident`` the one under which a person decided.
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
    place: str = ""
    incident: str = ""

    def exemption(self) -> Exemption | None:
        """What ``decide`` is given, once it is granted (also after its end: time decides)."""
        if self.granted_at is None:
            return None
        return Exemption(
            self.id, self.kind, self.scope, self.rules, self.fingerprints, self.gaps,
            self.reason, self.people, self.granted_at, self.expires_at,
            self.place,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Turn:
    """The latest moment (Unix milliseconds) at which an exception began or ended."""

    request: Request
    moment: int
    ended: bool
    rows: tuple[str, ...]

    @property
    def marked(self) -> Request:
        """The request as the turn leaves it: what ended by itself is expired."""
        by_itself = self.ended and self.request.state == "granted"
        return replace(self.request, state="expired") if by_itself else self.request

    def anew(self, item: Item) -> Item:
        """The item as it is to be judged anew: another key of the ledger, the same each time."""
        return replace(item, generation=self.moment)


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
        await self._turns(kept, kept.expires_at)  # first: what is granted is sure to be ended
        if kept.granted_at is not None:
            await self._turns(kept, now)
        await self._table.put(Row(LISTED, kept.id, {"scope": kept.scope, "asked": now}))
        return replace(kept, version=await self._table.insert(_row(kept)))

    async def granted_elsewhere(self, asked: Request) -> Request:
        """Keep what enough people granted in another place (the relay); once an id.

        MalformedError for one that is too large.
        """
        there = await self._table.get(asked.scope, asked.id)
        if there is not None:
            return _request(there)
        kept = replace(asked, state="granted", granted_at=asked.asked_at, version="")
        await self._turns(kept, kept.expires_at)
        await self._table.put(Row(LISTED, kept.id, {"scope": kept.scope, "asked": kept.asked_at}))
        try:
            return replace(kept, version=await self._table.insert(_row(kept)))
        except StorageConflictError:  # another reader of the same message
            return await self.get(kept.scope, kept.id)

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
        if granted:
            await self._turns(found, now)
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
        if found.granted_at:
            await self._turns(found, now)
        return await self._write(replace(found, state=state, expires_at=min(now, found.expires_at)))

    async def get(self, scope: str, request_id: str) -> Request:
        """One; GoneError if there is none."""
        for partition in (scope, EVERYWHERE):
            row = await self._table.get(partition, request_id)
            if row is not None:
                return _request(row)
        message = f"no exception {request_id}"
        raise GoneError(message)

    async def listed(self) -> list[Request]:
        """Every request of the last quarter and those to come, what ends last first."""
        found = []
        for each in [row async for row in self._table.query(LISTED)]:
            try:
                found.append(await self.get(str(each.values["scope"]), each.key))
            except GoneError:
                continue
        return sorted(found, key=lambda each: each.expires_at, reverse=True)

    async def about(self, place_key: str) -> list[Request]:
        """Every request about an item, whatever became of it."""
        return [_request(row) async for row in self._table.query(place_key)]

    async def suppressions(self) -> list[Request]:
        """Every request about a value, whatever became of it."""
        return await self.about(EVERYWHERE)

    async def applying(self, *place_keys: str) -> tuple[Exemption, ...]:
        """What ``decide`` is given now for an item (and for what it is a copy of)."""
        found = []
        places = [*place_keys, *[await self._origin(each) for each in place_keys]]
        for partition in (*filter(None, dict.fromkeys(places)), EVERYWHERE):
            async for row in self._table.query(partition):
                exemption = _request(row).exemption()
                if exemption is not None:
                    found.append(exemption)
        return applying(found, places, self._clock())

    async def used(self, item: Item, rule_ids: Sequence[str]) -> None:
        """Note what rests on exceptions: it is judged anew when one of them ends. Idempotent."""
        values: dict[str, Value] = {"item": encode(item), "time": self._clock()}
        for each in used(rule_ids):
            await self._table.put(Row(f"{USES}{each}", item.place_key(), values))

    async def copied(self, item: Item, copies: Sequence[Item]) -> None:
        """Note what an item's copies are copies of, where anybody ever granted something for it."""
        place = item.place_key()
        origin = await self._origin(place) or place
        if not await self.about(origin):
            return
        for each in copies:
            if each.place_key() != origin:
                await self._table.put(Row(COPIES, each.place_key(), {"of": origin}))

    async def _origin(self, place_key: str) -> str:
        row = await self._table.get(COPIES, place_key)
        return str(row.values["of"]) if row else ""

    async def uses(self, request: Request) -> AsyncIterator[Item]:
        """The items whose last decision under this exception rested on it."""
        async for row in self._table.query(f"{USES}{request.id}", limit=1_000_000):
            value = row.values["item"]
            if isinstance(value, bytes):
                yield decode(value, Item)

    async def due(self) -> list[Turn]:
        """What has begun or ended and is to be judged anew, until ``settle``.

        ``decide`` looks at the time and not at marks. The caller enqueues the items first and
        settles then: a crash between the two repeats and loses nothing.
        """
        now, found = self._clock(), dict[str, Turn]()
        async for row in self._table.query(TURNS, end=_moment(now + timedelta(milliseconds=1))):
            moment, _, name = row.key.partition("-")
            try:
                request = await self.get(str(row.values["scope"]), name)
            except GoneError:
                request = None
            if request is not None and request.granted_at is not None:
                rows = (*(found[name].rows if name in found else ()), row.key)
                found[name] = Turn(request, int(moment), request.expires_at <= now, rows)
            elif int(moment) < int(_moment(now - UNSURE)):  # refused, or never granted in time
                await self._table.delete(TURNS, row.key)
        return list(found.values())

    async def settle(self, turn: Turn) -> Request:
        """The turn is carried out; what ended by itself is marked. StorageConflictError: again."""
        request = turn.marked
        if request.state != turn.request.state:
            request = await self._write(request)
        if turn.ended:
            async for row in self._table.query(f"{USES}{request.id}", limit=1_000_000):
                await self._table.delete(row.partition, row.key)
        for key in turn.rows:
            await self._table.delete(TURNS, key)
        return request

    async def _turns(self, request: Request, moment: datetime) -> None:
        """Announce a moment, before the step that it belongs to: a grant is never forgotten."""
        values: dict[str, Value] = {"scope": request.scope}
        await self._table.put(Row(TURNS, f"{_moment(moment)}-{request.id}", values))

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


def _moment(time: datetime) -> str:
    return f"{int(time.timestamp() * 1000):013d}"


def _request(row: Row) -> Request:
    return replace(decode(str(row.values["request"]), Request), version=row.etag)
