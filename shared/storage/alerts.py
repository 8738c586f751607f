"""Alerts: what somebody should look at. One row a kind and reference, inserted once."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from shared import telemetry
from shared.errors import StorageConflictError
from shared.ports import Clock, Row, Table, Value
from shared.storage.alert_words import WORDS

__all__ = ["FRESH", "WORDS", "Alerts"]

FRESH = "fresh"
"""The partition of what nobody was told of yet."""


@dataclass(frozen=True, slots=True)
class Alerts:
    """The table ``alerts``: partition = kind, so each kind is listed by itself."""

    table: Table
    clock: Clock

    async def once(self, kind: str, ref: str) -> bool:
        """Raise ``kind`` about ``ref`` (an opaque id or a blob's name); False if it was there."""
        japanese, english = WORDS[kind]
        key = hashlib.sha256(ref.encode()).hexdigest()
        if await self.table.get(kind, key) is not None:
            return False  # whoever had to be told of it is told, or is about to be
        values: dict[str, Value] = {"time": self.clock(), "ref": ref, "ja": japanese, "en": english}
        await self.table.put(Row(FRESH, f"{kind}-{key}", values | {"kind": kind}))
        try:
            await self.table.insert(Row(kind, key, values))
        except StorageConflictError:
            return False
        telemetry.alerted(kind)
        return True

    async def fresh(self) -> AsyncIterator[tuple[str, str, datetime]]:
        """Kind, reference and time of what was raised and not told yet, at most 1,000."""
        rows = [row async for row in self.table.query(FRESH)]
        for row in rows:
            time = row.values["time"]
            assert isinstance(time, datetime)
            yield str(row.values["kind"]), str(row.values["ref"]), time

    async def told(self, kind: str, ref: str) -> None:
        """Somebody was told, or is sure to be."""
        await self.table.delete(FRESH, f"{kind}-{hashlib.sha256(ref.encode()).hexdigest()}")
