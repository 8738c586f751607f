"""The audit log is verified by and by, and what came of it is a row that the console shows.

Each run checks what is new since the last one (with the signed heads of these days), and then a
part of the whole log: pass after pass, so that what was verified long ago is looked at again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from shared.audit.chain import Break, Tip
from shared.audit.head import Verify
from shared.codec import decode, encode
from shared.ports import Clock, Row, Table, Value
from shared.storage.alerts import Alerts
from shared.storage.audit_reader import AuditReader, Checked, Place, days_between
from shared.storage.audit_state import CHAIN

VERIFIED = "verified"
WHOLE, BROKEN, UNSIGNED = "whole", "broken", "unsigned"
BUDGET = 256 * 1024 * 1024  # bytes of the pass a run
FIRST = 4  # budgets that what is new may take
MOST_DAYS = 400  # heads of more days are not asked for one day at a time


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the next run goes on: ``newest`` and its ``tip``, and the pass over the whole."""

    newest: Place = field(default_factory=Place)
    tip: Tip = field(default_factory=Tip)
    whole: Place = field(default_factory=Place)
    started: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """The row ``chain`` / ``verified`` of the table ``auditevents``.

    ``result`` is ``whole``, ``unsigned`` (whole, but no signed head vouches for its end) or
    ``broken`` (``seq``, ``kind`` and ``words`` of the first break); ``up_to`` the last record that
    holds, ``time`` when that was found, ``by`` whom (``timer`` or ``command``). ``full_time`` and
    ``full_up_to`` are of the last time that the whole log was read from its first record.
    """

    time: datetime
    result: str
    up_to: int
    by: str
    full_time: datetime | None = None
    full_up_to: int = 0
    seq: int = 0
    kind: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class ChainWatch:
    """``table`` is ``auditevents``; ``verifier`` knows the present and former signing keys.

    Without ``alerts`` (a command that is far from them) a break is written down and not told.
    """

    reader: AuditReader
    table: Table
    alerts: Alerts | None
    clock: Clock
    verifier: Verify | None = None
    budget: int = BUDGET

    async def run(self) -> Verified:
        """Check what is new and a part of the whole; a break is an alert (once a break)."""
        before, progress = await self._before()
        now = self.clock()
        since = before.time if before else None
        newest = await self.reader.check(
            progress.newest,
            verifier=self.verifier,
            days=_days(since, now),
            known=_known(progress.tip),
            budget=FIRST * self.budget,
        )
        if newest.verdict.broken:
            return await self._broken(newest.verdict.broken, newest, before, progress)
        tip = newest.verdict.tip
        if not newest.ended:  # a long log that nobody looked at before: the rest comes next
            progress = replace(progress, newest=newest.place, tip=tip)
            return await self._whole(tip.count, before, progress)
        part = await self.reader.check(progress.whole, known=_known(tip), budget=self.budget)
        if part.verdict.broken:
            return await self._broken(part.verdict.broken, part, before, progress)
        progress = replace(
            progress,
            newest=newest.place,
            tip=tip,
            whole=Place() if part.ended else part.place,
        )
        full = part.verdict.tip.count if part.ended else 0
        return await self._whole(tip.count, before, progress, full)

    async def _whole(
        self, up_to: int, before: Verified | None, progress: Progress, full: int = 0
    ) -> Verified:
        """Write down that it holds; ``full`` records were read from the first one on, just now."""
        found = Verified(self.clock(), _result(self.verifier), up_to, "timer")
        if full:
            found = replace(found, full_time=found.time, full_up_to=full)
        elif before:
            found = replace(found, full_time=before.full_time, full_up_to=before.full_up_to)
        await self._write(found, progress)
        return found

    async def note(self, checked: Checked, by: str, *, full: bool) -> Verified:
        """Write down what a verification outside found; ``full``: it began at the first record."""
        before, progress = await self._before()
        broken = checked.verdict.broken
        if broken:
            return await self._broken(broken, checked, before, progress, by)
        tip = checked.verdict.tip
        found = Verified(self.clock(), _result(self.verifier, checked), tip.count, by)
        if full:
            found = replace(found, full_time=found.time, full_up_to=tip.count)
        elif before:
            found = replace(found, full_time=before.full_time, full_up_to=before.full_up_to)
        if tip.count >= progress.tip.count:
            progress = replace(progress, newest=checked.place, tip=tip)
        await self._write(found, progress)
        return found

    async def read(self) -> Verified | None:
        """The last outcome, or None."""
        return (await self._before())[0]

    async def _broken(
        self,
        broken: Break,
        checked: Checked,
        before: Verified | None,
        progress: Progress,
        by: str = "timer",
    ) -> Verified:
        found = Verified(
            self.clock(),
            BROKEN,
            checked.verdict.tip.count,
            by,
            before.full_time if before else None,
            before.full_up_to if before else 0,
            broken.seq,
            broken.kind.value,
            broken.words,
        )
        if self.alerts:
            await self.alerts.once("chain_break", f"record {broken.seq}: {broken.kind.value}")
        await self._write(found, progress)
        return found

    async def _before(self) -> tuple[Verified | None, Progress]:
        row = await self.table.get(CHAIN, VERIFIED)
        if row is None:
            return None, Progress()
        state = row.values["state"]
        return verified(row), decode(state if isinstance(state, bytes) else str(state), Progress)

    async def _write(self, found: Verified, progress: Progress) -> None:
        values: dict[str, Value] = {
            "time": found.time,
            "result": found.result,
            "up_to": found.up_to,
            "by": found.by,
            "full_up_to": found.full_up_to,
            "seq": found.seq,
            "kind": found.kind,
            "words": found.words,
            "state": encode(progress).decode(),
        }
        if found.full_time:
            values["full_time"] = found.full_time
        await self.table.put(Row(CHAIN, VERIFIED, values))


def verified(row: Row) -> Verified:
    """The outcome that a row tells of."""
    values = row.values
    time, full = values["time"], values.get("full_time")
    assert isinstance(time, datetime)
    up_to, full_up_to, seq = values["up_to"], values["full_up_to"], values["seq"]
    assert isinstance(up_to, int)
    assert isinstance(full_up_to, int)
    assert isinstance(seq, int)
    return Verified(
        time,
        str(values["result"]),
        up_to,
        str(values["by"]),
        full if isinstance(full, datetime) else None,
        full_up_to,
        seq,
        str(values["kind"]),
        str(values["words"]),
    )


def _result(verifier: Verify | None, checked: Checked | None = None) -> str:
    signed = verifier is not None and (checked is None or checked.heads > 0)
    return WHOLE if signed else UNSIGNED


def _known(tip: Tip) -> Sequence[Tip]:
    return [tip] if tip.count else []


def _days(since: datetime | None, now: datetime) -> list[date] | None:
    """The days whose heads may be new; None: all."""
    if since is None or now - since > timedelta(days=MOST_DAYS):
        return None
    first = (since - timedelta(days=1)).astimezone(UTC).date()
    return days_between(first, now.astimezone(UTC).date())
