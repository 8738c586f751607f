"""Who is told of what: a recorded event, the day before, an alert → entries of the outbox.

Whom a rule obliges to tell follows from the rules that matched and from their mode for the cohort
(off and simulate tell nobody). Nobody is told of our own notices, nor twice of one stop.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from shared.audit.event import UNJUDGED
from shared.model import AuditEvent, Mode
from shared.policy import Policy
from shared.policy.exemption import PREFIX
from shared.policy.notices import due_digest, raised
from shared.ports import Clock, Row
from shared.services.outbox import DAYS, KEPT_FOR, Address, Outbox
from shared.services.own_notice import LABEL
from shared.storage.alerts import Alerts

_PREFIX = "notify_"
_BITES = frozenset({Mode.NOTIFY, Mode.ENFORCE})
# What was not done, or was there already, is no news.
_NO_NEWS = frozenset({"superseded", "gone", "unchanged"})
_COUNTED = frozenset({"review", "block"})
_TOLD = "told"  # the partition of the outbox that says which digest went last


@dataclass(frozen=True, slots=True)
class Telling:
    """``security`` are the addresses of the people in charge; ``card`` whether they get cards."""

    policy: Policy
    outbox: Outbox
    clock: Clock
    mail: bool
    security: Sequence[str] = ()
    card: bool = False

    async def event(self, event: AuditEvent) -> None:
        """After it is on the record; may run twice. Durable when it returns.

        What somebody released is no news to who asked for it.
        """
        if event.disposition == UNJUDGED or event.action_state in _NO_NEWS:
            return
        if event.context is not None and LABEL in event.context.labels:
            return
        released = any(each.startswith(PREFIX) for each in event.rule_ids)
        for kind in () if released else kinds(self.policy, event):
            for address in self._addresses(kind, event):
                await self.outbox.put(kind, address, event)
        if event.disposition in _COUNTED and any(self._in_charge()):
            await self.outbox.count(event)

    async def digest(self) -> None:
        """Yesterday's digest to the people in charge, once; days long past are forgotten."""
        now = self.clock()
        row = await self.outbox.table.get(_TOLD, "digest")
        last = date.fromisoformat(str(row.values["day"])) if row else None
        day = due_digest(now, last)
        if day is None:
            return
        if await self.outbox.of_day(day.isoformat()):
            for address in self._in_charge():
                await self.outbox.put_day(address, day)
        await self.outbox.forget_day(day - timedelta(days=DAYS))
        await self.outbox.forget(now - KEPT_FOR)
        await self.outbox.table.put(Row(_TOLD, "digest", {"day": day.isoformat()}))

    async def alerts(self, alerts: Alerts) -> None:
        """What was raised since the last time; told once, then no longer fresh."""
        async for kind, ref, time in alerts.fresh():
            if not (kind == "notice_failed" and ref.startswith("alert/")):
                for address in self._in_charge():
                    await self.outbox.put("alert", address, raised(kind, ref, time))
            await alerts.told(kind, ref)

    def _addresses(self, kind: str, event: AuditEvent) -> Iterator[Address]:
        if kind == "security":
            yield from self._in_charge()
        elif self.mail and event.owner:  # an outsider's message has none: no account of ours
            yield Address(kind, event.owner)

    def _in_charge(self) -> Iterator[Address]:
        if self.mail:
            yield from (Address("mail", each) for each in self.security)
        if self.card:
            yield Address("card", "security")


def kinds(policy: Policy, event: AuditEvent) -> tuple[str, ...]:
    """``owner``, ``manager``, ``security``: whom the matching rules oblige to tell, each once."""
    cohort = event.context.cohort if event.context is not None else "everyone"
    found = dict.fromkeys(
        each.removeprefix(_PREFIX)
        for rule in policy.rules
        if rule.id in event.rule_ids and rule.mode_for(cohort) in _BITES
        for each in rule.obligations
        if each.startswith(_PREFIX)
    )
    return tuple(found)
