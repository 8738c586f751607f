"""ports.Ledger on a table: who is working on what, what was intended, what is done.

One row a key. A row is *claimed* (someone reads it), *intended* (the decision is written, acting
may have begun) or *done*. Every write is conditional on the row's ETag, so a worker whose lease was
taken over can write nothing more; ``fence`` counts the takeovers.

Operations on storage: a fresh item costs three (insert, intend, complete) and one for
``is_own_write``; a renewal one; each version that our action made one more.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from shared.codec import decode, encode
from shared.errors import BusyError, LeaseLostError, MalformedError, StorageConflictError
from shared.model import Claim, Intent, Item, Outcome
from shared.ports import Clock, Row, Table, Value
from shared.storage.claimcheck import LIMIT, ClaimCheck, reference

CLAIMED, INTENDED, DONE = "claimed", "intended", "done"
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
PARTITIONS = 256  # the first two hexadecimal digits of a key


def own_version(version: str, context_hash: str) -> str:
    """A version for ``Outcome.versions`` whose surroundings our action changed as well.

    A plain version stands for the surroundings that were scanned: if somebody shares the item anew,
    the same version must be scanned again.
    """
    return f"{version}\x1f{context_hash}"


def _new_owner() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class TableLedger:
    """The ledger of one policy version. Leases last ``lease`` by ``clock``."""

    table: Table
    own: Table
    checks: ClaimCheck
    clock: Clock
    policy_version: str
    lease: timedelta = timedelta(seconds=120)
    new_owner: Callable[[], str] = _new_owner

    async def claim(self, item: Item, first_seen: datetime) -> Claim:
        """Take the item; ``done`` claims carry the intent. BusyError while another has it."""
        key = item.key(self.policy_version)
        fresh = Claim(item, key, self.new_owner(), 1, "", first_seen)
        try:
            token = await self.table.insert(self._row(fresh, CLAIMED))
        except StorageConflictError:
            return await self._take_over(fresh)
        return replace(fresh, token=token)

    async def renew(self, claim: Claim) -> Claim:
        """Extend the lease; LeaseLostError if taken over."""
        return await self._write(claim, INTENDED if claim.intent else CLAIMED)

    async def intend(self, claim: Claim, intent: Intent) -> Claim:
        """Write the decision down before acting; LeaseLostError if taken over."""
        data = encode(intent)
        if len(data) > LIMIT:
            await self.checks.put("intents", data)
        return await self._write(replace(claim, intent=intent), INTENDED)

    async def complete(self, claim: Claim, outcome: Outcome) -> None:
        """Mark done, after the outcome's ``versions`` are noted as our own writes."""
        await asyncio.gather(*(self._own(claim, version) for version in outcome.versions))
        await self._write(claim, DONE, outcome)

    async def release(self, claim: Claim) -> None:
        """Give the lease back unfinished; nothing happens if it is lost already."""
        row = self._row(claim, INTENDED if claim.intent else CLAIMED, until=NEVER)
        try:
            await self.table.replace(row, claim.token)
        except StorageConflictError:
            return

    async def is_own_write(self, item: Item) -> bool:
        """Whether our action made this version, under this policy and no later rescan."""
        row = await self.own.get(item.place_key(), _own_key(item, item.content_version))
        if row is None or row.values["policy"] != self.policy_version:
            return False
        return item.generation <= _whole(row, "generation")

    async def purge(self, before: datetime, partition: int, most: int = 2_000) -> int:
        """Forget what was last written before ``before``, and the own writes noted there; how many.

        Of one of the ``PARTITIONS``, and ``most`` rows, so that a timer's run ends in time. Rows
        with an intent that is not done are kept: they are unfinished business. A forgotten item is
        as one that was never seen.
        """
        count = 0
        async for row in self.table.query(f"{partition:02x}", limit=sys.maxsize):
            if row.values["state"] != INTENDED and _time(row, "written") < before:
                await self._forget(row)
                count += 1
                if count == most:
                    break
        return count

    async def _take_over(self, fresh: Claim) -> Claim:
        row = await self.table.get(fresh.key[:2], fresh.key)
        if row is None:  # purged between our insert and this read
            message = f"ledger: {fresh.key} is changing"
            raise BusyError(message)
        mine = row.values["owner"] == fresh.owner  # our insert did arrive, its answer did not
        claim = replace(
            fresh,
            fence=_whole(row, "fence"),
            token=row.etag,
            first_seen=_time(row, "first_seen"),
            intent=await self._intent(row.values),
            done=row.values["state"] == DONE,
        )
        if claim.done or mine:
            return claim
        if _time(row, "lease_until") > self.clock():
            message = f"ledger: {fresh.key} is held"
            raise BusyError(message)
        try:
            return await self._write(
                replace(claim, fence=claim.fence + 1), INTENDED if claim.intent else CLAIMED
            )
        except LeaseLostError as error:
            raise BusyError(str(error)) from None

    async def _write(self, claim: Claim, state: str, outcome: Outcome | None = None) -> Claim:
        row = self._row(claim, state, outcome)
        try:
            token = await self.table.replace(row, claim.token)
        except StorageConflictError:
            message = f"ledger: {claim.key} was taken over"
            raise LeaseLostError(message) from None
        return replace(claim, token=token)

    def _row(
        self,
        claim: Claim,
        state: str,
        outcome: Outcome | None = None,
        until: datetime | None = None,
    ) -> Row:
        now = self.clock()
        values: dict[str, Value] = {
            "state": state,
            "owner": claim.owner,
            "fence": claim.fence,
            "lease_until": until or now + self.lease,
            "written": now,
            "first_seen": claim.first_seen,
            "item": encode(claim.item),
        }
        if claim.intent is not None:
            data = encode(claim.intent)
            if len(data) <= LIMIT:
                values["intent"] = data
            else:  # put aside by intend()
                values["intent_ref"] = reference("intents", data)
        if outcome is not None:
            values["outcome"] = encode(outcome)
        return Row(claim.key[:2], claim.key, values)

    async def _intent(self, values: Mapping[str, Value]) -> Intent | None:
        data = values.get("intent")
        if "intent_ref" in values:
            try:
                data = await self.checks.get(str(values["intent_ref"]))
            except MalformedError:
                if values["state"] != DONE:
                    raise
        return decode(data, Intent) if isinstance(data, bytes) else None

    async def _own(self, claim: Claim, version: str) -> None:
        values: dict[str, Value] = {
            "policy": self.policy_version,
            "generation": claim.item.generation,
        }
        await self.own.put(Row(claim.item.place_key(), _own_key(claim.item, version), values))

    async def _forget(self, row: Row) -> None:
        outcome, item = row.values.get("outcome"), row.values["item"]
        if isinstance(outcome, bytes) and isinstance(item, bytes):
            written = decode(item, Item)
            for version in decode(outcome, Outcome).versions:
                await self.own.delete(written.place_key(), _own_key(written, version))
        await self.table.delete(row.partition, row.key)


def _own_key(item: Item, version: str) -> str:
    if "\x1f" not in version:
        version = own_version(version, item.context_hash)
    return _hash(version)


def _hash(version: str) -> str:
    return hashlib.sha256(version.encode()).hexdigest()


def _time(row: Row, name: str) -> datetime:
    value = row.values[name]
    assert isinstance(value, datetime)
    return value


def _whole(row: Row, name: str) -> int:
    value = row.values[name]
    assert isinstance(value, int)
    return value
