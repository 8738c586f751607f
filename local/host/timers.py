"""Timer triggers: one run at a time, the last one remembered in the storage."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import logging
from collections.abc import Callable

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob.aio import ContainerClient

from local.host.functions import Function
from local.host.invoker import Call, Invoker, Outcome
from local.host.schedule import Schedule
from local.host.storage import create_missing
from local.host.wire import Retry, Value

log = logging.getLogger("local.host.timers")

_NEVER = "0001-01-01T00:00:00"


def utcnow() -> dt.datetime:
    """The present moment in UTC."""
    return dt.datetime.now(dt.UTC)


class TimerListener:
    """Fires one function. HostRefusedError at construction for a schedule that is not NCRONTAB.

    A run that is over its next time is followed by the next one in future, not by those it missed;
    a time that passed while the host was down is made up for once, as past due, where the schedule
    is remembered (a minute or more apart and useMonitor not false).
    """

    def __init__(
        self,
        function: Function,
        invoker: Invoker,
        hosts: ContainerClient,
        host: str,
        clock: Callable[[], dt.datetime] = utcnow,
    ) -> None:
        trigger = function.trigger
        self.schedule = Schedule.parse(trigger.text("schedule"), where=f"{function.name}.schedule")
        self._function = function
        self._invoker = invoker
        self._hosts = hosts
        self._state = hosts.get_blob_client(f"timers/{host}/{function.id}/status")
        self._clock = clock
        self._at_start = bool(trigger.properties.get("runOnStartup"))
        self._remembers = trigger.properties.get(
            "useMonitor"
        ) is not False and not self.schedule.is_frequent(clock())
        self._last = _NEVER
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Fire until ``stop``; the run in hand is finished."""
        due, past_due = await self._first()
        while await self._until(due):
            await self._fire(past_due=past_due)
            self._last = due.isoformat()
            due, past_due = self.schedule.after(max(due, self._clock())), False
            await self._remember(due)

    def stop(self) -> None:
        """Fire no more."""
        self._stop.set()

    async def call_now(self) -> Outcome:
        """Run the function once, off schedule."""
        return await self._attempt(self._call(past_due=False))

    async def _first(self) -> tuple[dt.datetime, bool]:
        now = self._clock()
        due = self.schedule.after(now)
        past_due = False
        if self._remembers:
            try:
                state = json.loads(await (await self._state.download_blob()).readall())
                self._last = state["Last"]
                past_due = dt.datetime.fromisoformat(state["Next"]) < now
            except ResourceNotFoundError:
                await self._remember(due)
            except (AzureError, ValueError, KeyError, TypeError) as error:
                log.warning("%s: its last run is not known: %s", self._function.name, error)
        return (now if self._at_start or past_due else due), past_due

    async def _until(self, due: dt.datetime) -> bool:
        """Wait; False when stopped. A timeout may come early by milliseconds, hence the loop."""
        while (left := (due - self._clock()).total_seconds()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), left)
            if self._stop.is_set():
                return False
        return not self._stop.is_set()

    async def _fire(self, *, past_due: bool) -> None:
        call, retry = self._call(past_due=past_due), self._function.retry
        outcome = await self._attempt(call)
        tried = 0
        while outcome is Outcome.FAILED and retry is not None and tried != retry.count:
            tried += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause_before(retry, tried))
            if self._stop.is_set():
                return
            outcome = await self._attempt(
                Call(call.value, retry_count=tried, max_retries=retry.count)
            )

    async def _attempt(self, call: Call) -> Outcome:
        outcome, _returned = await self._invoker.call(self._function, call)
        return outcome

    def _call(self, *, past_due: bool) -> Call:
        value = {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": {
                "Last": self._last,
                "Next": self.schedule.after(self._clock()).isoformat(),
                "LastUpdated": self._last,
            },
            "IsPastDue": past_due,
        }
        retry = self._function.retry
        return Call(
            Value.of("json", json.dumps(value)), max_retries=0 if retry is None else retry.count
        )

    async def _remember(self, following: dt.datetime) -> None:
        if not self._remembers:
            return
        state = {
            "Last": self._last,
            "Next": following.isoformat(),
            "LastUpdated": self._clock().isoformat(),
        }
        try:
            await create_missing(self._hosts.create_container)
            await self._state.upload_blob(json.dumps(state), overwrite=True)
        except AzureError as error:
            log.warning("%s: its run is not remembered: %s", self._function.name, error.message)


def pause_before(retry: Retry, attempt: int) -> float:
    """Seconds before a retry: fixed, or doubling from the least to the most (without jitter)."""
    if retry.delay is not None:
        return retry.delay
    return min(retry.most, max(retry.least, 0.1) * 2.0 ** min(attempt - 1, 30))
