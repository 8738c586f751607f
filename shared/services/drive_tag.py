"""Tagging a file: a sensitivity label where the deployment names one, else a column; lifting it.

``assignSensitivityLabel`` answers 202: accepted, not applied, so the label is read back until it is
there. It is a metered and protected API, so one action asks once and never again; what it refuses
(another kind of file, no agreement with Microsoft) is named, and the column takes its place. A
label that somebody else gave is not replaced. What we set is written down first (table ``tags``),
so that a clean edit lifts it, and nothing but it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.errors import StorageConflictError, UnavailableError
from shared.graph.answers import Json
from shared.model import Claim, Disposition, Item, Outcome, OutcomeState, Step
from shared.ports import Clock, Row, Table, Value
from shared.services.common import ATTEMPTS
from shared.services.files import Files
from shared.services.words import CATEGORIES
from shared.storage.ledger import own_version

LOOKS, PAUSE = 5, 1.0  # how often a label is looked for at once, and the seconds between
AGAIN = 30.0  # seconds until the message is taken up again
PATIENCE = timedelta(minutes=10)  # then an accepted label counts as not applied
# What Graph answers instead of 202, by status.
_WHY = {400: "not_for_this_kind_of_file", 402: "refused_402", 403: "refused_403"}
_SET = Step("label", "read_back")


@dataclass(frozen=True, slots=True)
class Tags:
    """Where it is written down what we set, and the label id for a disposition (if any).

    ``read``: a rule of the policy asks for labels, so each file's is read (one call a file).
    """

    table: Table
    clock: Clock
    labels: Mapping[Disposition, str] = field(default_factory=dict)
    pause: float = PAUSE
    read: bool = False


class Tagging:
    """Each step looks first whether it is done already."""

    def __init__(self, files: Files, tags: Tags) -> None:
        self._files = files
        self._tags = tags

    async def tag(self, claim: Claim, disposition: Disposition) -> Outcome:
        """Label or column, read back; what neither can do is NOT_ENFORCEABLE with its reasons."""
        action = disposition.name.lower()
        entity = await self._files.read(claim.item)
        if not await self._files.same_content(claim, entity):
            await self._files.follow(claim.item, entity)
            return Outcome(action, OutcomeState.SUPERSEDED)
        steps: tuple[Step, ...] = ()
        if wanted := self._tags.labels.get(disposition, ""):
            step = await self._label(claim, wanted)
            if step == _SET:
                versions = await self._versions(claim)
                return Outcome(action, OutcomeState.APPLIED, (step,), versions)
            steps = (step,)
        return await self._column(claim, action, CATEGORIES[disposition], steps)

    async def lift(self, claim: Claim) -> Outcome | None:
        """Take back what we set on an earlier version; None where we set nothing."""
        row = await self._row(claim.item)
        if row is None:
            return None
        steps = (*await self._lift_column(claim.item, row), *await self._lift_label(claim, row))
        await self._tags.table.delete(row.partition, row.key)
        versions = await self._versions(claim) if row.values.get("label") else ()
        return Outcome("allow", OutcomeState.APPLIED, steps, versions)

    async def _label(self, claim: Claim, wanted: str) -> Step:
        current = await self._files.label(claim.item)
        if current == wanted:
            return _SET
        row = await self._row(claim.item)
        values = dict(row.values) if row else {}
        if current and current != values.get("label"):
            return Step("label", "another_one_kept")
        asked = values.get("asked") if values.get("for") == claim.key else None
        if not isinstance(asked, datetime):
            before = values.get("before", "") if current else ""
            asked = self._tags.clock()
            told: dict[str, Value] = {
                "label": wanted,
                "before": before,
                "for": claim.key,
                "asked": asked,
            }
            await self._note(claim.item, {**values, **told})
            status = await self._files.assign(claim.item, wanted)
            if status in _WHY:
                await self._note(claim.item, values)
                return Step("label", _WHY[status])
        if await self._shows(claim.item, wanted):
            return _SET
        if self._tags.clock() - asked > PATIENCE:
            return Step("label", "accepted_not_applied")
        text = "a label was accepted and is not applied yet"
        raise UnavailableError(text, retry_after=AGAIN)

    async def _column(
        self, claim: Claim, action: str, wanted: str, steps: tuple[Step, ...]
    ) -> Outcome:
        for _ in range(ATTEMPTS):
            entity = await self._files.read(claim.item)
            if not await self._files.same_content(claim, entity):
                await self._files.follow(claim.item, entity)
                return Outcome(action, OutcomeState.SUPERSEDED, steps)
            try:
                if await self._files.column(claim.item) == wanted:
                    done = (*steps, Step("column", "read_back"))
                    return Outcome(action, OutcomeState.APPLIED, done)
                row = await self._row(claim.item)
                values = dict(row.values) if row else {}
                await self._note(claim.item, {**values, "column": wanted})
                written = await self._files.set_column(claim.item, wanted, str(entity["eTag"]))
            except StorageConflictError:
                continue
            if not written:
                await self._note(claim.item, values)
                missing = Step("column", "the library has no column SekishoVerdict")
                return Outcome(action, OutcomeState.NOT_ENFORCEABLE, (*steps, missing))
        text = "the file changes faster than it can be tagged"
        raise UnavailableError(text)

    async def _lift_column(self, item: Item, row: Row) -> tuple[Step, ...]:
        ours = row.values.get("column")
        if not ours:
            return ()
        if await self._files.column(item) != ours:
            return (Step("column", "changed_by_somebody"),)
        entity: Json = await self._files.read(item)
        await self._files.set_column(item, None, str(entity["eTag"]))
        if await self._files.column(item) == ours:
            text = "the column is still there after it was lifted"
            raise UnavailableError(text)
        return (Step("column", "lifted"),)

    async def _lift_label(self, claim: Claim, row: Row) -> tuple[Step, ...]:
        ours, before = row.values.get("label"), str(row.values.get("before") or "")
        if not ours:
            return ()
        current = await self._files.label(claim.item)
        if current == before:
            return (Step("label", "lifted"),)
        if current != ours:
            return (Step("label", "changed_by_somebody"),)
        if row.values.get("lifting") != claim.key:
            await self._note(claim.item, {**row.values, "lifting": claim.key})
            status = await self._files.assign(claim.item, before)
            if status in _WHY:
                return (Step("label", f"not_lifted: {_WHY[status]}"),)
        if not await self._shows(claim.item, before):
            text = "a label's removal was accepted and is not done yet"
            raise UnavailableError(text, retry_after=AGAIN)
        return (Step("label", "lifted"),)

    async def _shows(self, item: Item, wanted: str) -> bool:
        for look in range(LOOKS):
            if look:
                await asyncio.sleep(self._tags.pause)
            if await self._files.label(item) == wanted:
                return True
        return False

    async def _versions(self, claim: Claim) -> tuple[str, ...]:
        """The version that our label made, if it holds what was scanned and nothing else."""
        entity = await self._files.read(claim.item)
        if not await self._files.same_content(claim, entity):
            return ()
        sharing = await self._files.sharing(claim.item)
        return (own_version(str(entity["cTag"]), sharing.digest),)

    async def _row(self, item: Item) -> Row | None:
        return await self._tags.table.get(item.recipient, item.id)

    async def _note(self, item: Item, values: Mapping[str, Value]) -> None:
        if values:
            await self._tags.table.put(Row(item.recipient, item.id, values))
        else:
            await self._tags.table.delete(item.recipient, item.id)
