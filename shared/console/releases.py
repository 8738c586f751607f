"""Letting go what was stopped: who may ask, for what, and that each step is on the record.

Three ways, one mechanism (``shared.storage.exceptions``): a reviewer *releases* one item (as many
different people as its rules say), its owner *overrides* a rule that permits it, a false positive
*suppresses* a value. Each has a reason and an end. The pipeline judges the items anew; nothing is
let go here.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from shared.codec import encode
from shared.console.session import User
from shared.errors import GoneError, RefusedError, StorageConflictError
from shared.model import AuditEvent, Envelope
from shared.policy import Policy
from shared.policy.exemption import MILDEST, OWNER, Kind
from shared.policy.rule import Rule
from shared.ports import Clock, Queue
from shared.services.held import stopped
from shared.storage.exceptions import Exceptions, Request
from shared.storage.exceptions import event as recorded
from shared.storage.incidents import Change, Incidents, incident_id

DAYS = (1, 7, 30, 90)
"""What a person may choose from; an exception ends within a quarter."""
STOPPED = frozenset({"review", "block"})
VALUES = 50
"""Values that one form suppresses at most."""


def _fresh() -> str:
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Releases:
    """``results`` is the queue ``scan-results``. An identity is the directory's object id."""

    exceptions: Exceptions
    incidents: Incidents
    policy: Policy
    results: Queue
    clock: Clock
    fresh: Callable[[], str] = _fresh

    async def about(self, event: AuditEvent) -> list[Request]:
        """Every request about an event's item and its values, the newest first."""
        values = {each.fingerprint for each in event.findings}
        found = await self.exceptions.about(event.item.place_key())
        found += [each for each in await self.exceptions.suppressions() if each.scope in values]
        return sorted(found, key=lambda each: each.asked_at, reverse=True)

    async def ask(self, event: AuditEvent, user: User, reason: str, days: int) -> Request:
        """A reviewer asks to release the item; granted at once where one person is enough."""
        kept = await self._keep(self._request(Kind.RELEASE, event, user, reason, days))
        await self._released(kept, user)
        return kept

    async def suppress(
        self, event: AuditEvent, user: User, reason: str, days: int, values: Sequence[str]
    ) -> list[Request]:
        """Ask that these values of the event count as none.

        It takes as many people as a release: or it would be a way around the second one.
        RefusedError for a value that is not the event's, for none, or for too many.
        """
        known = {each.fingerprint for each in event.findings}
        if not values or len(values) > VALUES or not set(values) <= known:
            message = "a suppression is of the event's own values"
            raise RefusedError(message)
        kept = []
        for value in dict.fromkeys(values):
            request = self._request(Kind.SUPPRESSION, event, user, reason, days, value)
            kept.append(await self._keep(request))
        return kept

    async def override(self, event: AuditEvent, user: User, reason: str, days: int) -> Request:
        """The owner sets the rules aside; RefusedError where one of them does not permit it."""
        if not self.overridable(event):
            message = "a rule that stopped the item permits no override"
            raise RefusedError(message)
        return await self._keep(self._request(Kind.OVERRIDE, event, user, reason, days))

    async def approve(self, scope: str, request_id: str, user: User) -> Request:
        """One more person."""
        kept = await self._told(await self.exceptions.approve(scope, request_id, user.id))
        await self._released(kept, user)
        return kept

    async def end(self, scope: str, request_id: str, *, refuse: bool) -> Request:
        """Refused before it was granted, or revoked."""
        return await self._told(await self.exceptions.end(scope, request_id, refuse=refuse))

    async def tell_again(self, requests: Sequence[Request]) -> None:
        """Their state once more: its telling may have failed, and the record keeps it once."""
        for each in requests:
            await self._told(each)

    def strict(self, event: AuditEvent) -> list[Rule]:
        """The rules of today that stopped the item."""
        context = event.context
        return [
            rule
            for rule in self.policy.rules
            if rule.id in event.rule_ids
            and (context is None or self.policy.outcome(rule, context) > MILDEST)
        ]

    def overridable(self, event: AuditEvent) -> bool:
        """Whether every rule that stopped the item permits that its owner sets it aside."""
        rules = self.strict(event)
        known = event.disposition in STOPPED and event.context is not None
        return known and bool(rules) and all(rule.override == OWNER for rule in rules)

    def people_for(self, event: AuditEvent) -> int:
        """How many different people it takes."""
        return self.policy.people_for(event.rule_ids)

    def _request(
        self, kind: Kind, event: AuditEvent, user: User, reason: str, days: int, value: str = ""
    ) -> Request:
        now = self.clock()
        alone = kind is Kind.OVERRIDE
        return Request(
            id=self.fresh(),
            kind=kind,
            scope=value or event.item.place_key(),
            rules=tuple(each.id for each in self.policy.rules if each.id in event.rule_ids),
            fingerprints=() if value else _values(event),
            gaps=() if value else tuple(dict.fromkeys(each.code.value for each in event.gaps)),
            reason=reason.strip(),
            owner=event.owner,
            people=(user.id,),
            needed=1 if alone else self.people_for(event),
            asked_at=now,
            expires_at=now + timedelta(days=days),
            item=stopped(event),
            place=event.place,
            incident=incident_id(event),
        )

    async def _released(self, request: Request, user: User) -> None:
        """Say so on the incident; that somebody changes it at this moment stops nothing."""
        if request.kind is not Kind.RELEASE or request.state != "granted":
            return
        with suppress(GoneError, RefusedError, StorageConflictError):
            row = await self.incidents.get(request.incident)
            version = int(str(row.values.get("version", 0)))
            change = Change("release", user.id, user.name, version, request.reason)
            await self.incidents.change(f"{row.partition}/{row.key}", change, self.clock())

    async def _keep(self, request: Request) -> Request:
        return await self._told(await self.exceptions.request(request))

    async def _told(self, request: Request) -> Request:
        told = recorded(request, self.clock(), self.policy.version)
        await self.results.put(encode(Envelope("result", first_seen=told.time, event=told)))
        return request


def _values(event: AuditEvent) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.fingerprint for each in event.findings))
