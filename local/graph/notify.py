"""Change notifications in real HTTP: the handshake, matching, batches, retry, lifecycle events."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from local.graph.faults import Faults
from local.graph.state import ids
from local.graph.state.world import Change, Subscription, World

type Json = dict[str, Any]
HANDSHAKE_SECONDS = 10.0
BATCH = 50
SUCCESS = 2  # hundred
GATHER_SECONDS = 0.02  # what happens together travels together
FIRST_RETRY_SECONDS = 0.25
RETRIES = 12  # doubling from a quarter of a second: 17 minutes; Graph goes on for 4 hours
LONGEST_RETRY_SECONDS = 60.0


class Notifier:
    """Delivers; one queue an address, so that a slow receiver holds up only itself."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world, self._faults = world, faults
        self._session: aiohttp.ClientSession | None = None
        self._queues: dict[str, asyncio.Queue[Json]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        world.listener = self.on_change

    async def start(self) -> None:
        """Open the client."""
        timeout = aiohttp.ClientTimeout(total=30)
        self._session = aiohttp.ClientSession(timeout=timeout)

    async def stop(self) -> None:
        """Stop delivering; what is queued is lost, as with a killed service."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def handshake(self, url: str) -> str:
        """Why the address may not be used; empty where it gave the token back within 10 s."""
        assert self._session is not None
        token = f"Validation: Testing client application reachability. Request-Id: {ids.guid()}"
        address = f"{url}{'&' if '?' in url else '?'}validationToken={quote(token, safe='')}"
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        timeout = aiohttp.ClientTimeout(total=HANDSHAKE_SECONDS)
        try:
            async with self._session.post(
                URL(address, encoded=True), headers=headers, timeout=timeout
            ) as answer:
                text, status, kind = await answer.text(), answer.status, answer.content_type
        except TimeoutError:
            return "Subscription validation request timed out."
        except aiohttp.ClientError:
            return "Subscription validation request failed: the endpoint was not reached."
        if (status, kind, text) != (HTTPStatus.OK, "text/plain", token):
            return (
                "Subscription validation request failed. Must respond with 200 OK to this request "
                f"and the validation token as text/plain (was {status}, {kind})."
            )
        return ""

    def on_change(self, change: Change) -> None:
        """Queue a notification for each subscription that matches, own changes included."""
        for subscription in self._world.watching(change.kind, change.owner):
            for body in _notifications(self._world, subscription, change):
                for _ in range(self._faults.copies()):
                    self._enqueue(subscription.notification_url, body)

    def lifecycle(self, subscription: Subscription, event: str) -> bool:
        """Queue a lifecycle event; False where the subscription named no address for them."""
        if not subscription.lifecycle_url:
            return False
        body = {
            "subscriptionId": subscription.id,
            "subscriptionExpirationDateTime": ids.timestamp(subscription.expires),
            "tenantId": self._world.tenant_id,
            "clientState": subscription.client_state,
            "lifecycleEvent": event,
        }
        self._enqueue(subscription.lifecycle_url, body)
        return True

    def _enqueue(self, url: str, body: Json) -> None:
        if url not in self._queues:
            self._queues[url] = asyncio.Queue()
            task = asyncio.get_running_loop().create_task(self._deliver(url))
            self._tasks.add(task)
        self._queues[url].put_nowait(body)

    async def _deliver(self, url: str) -> None:
        queue = self._queues[url]
        while True:
            batch = [await queue.get()]
            await asyncio.sleep(GATHER_SECONDS)
            while not queue.empty() and len(batch) < BATCH:
                batch.append(queue.get_nowait())
            task = asyncio.get_running_loop().create_task(self._post(url, batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _post(self, url: str, batch: list[Json]) -> None:
        data = json.dumps({"value": batch}).encode()
        for attempt in range(RETRIES + 1):
            started = time.monotonic()
            status = await self._attempt(url, data)
            self._world.deliveries.append(
                {
                    "time": ids.timestamp(ids.now()),
                    "url": url,
                    "notifications": batch,
                    "attempt": attempt + 1,
                    "status": status,
                    "seconds": round(time.monotonic() - started, 3),
                }
            )
            if status // 100 == SUCCESS:
                return
            await asyncio.sleep(min(FIRST_RETRY_SECONDS * 2**attempt, LONGEST_RETRY_SECONDS))

    async def _attempt(self, url: str, data: bytes) -> int:
        assert self._session is not None
        headers = {"Content-Type": "application/json; charset=utf-8"}
        try:
            async with self._session.post(url, data=data, headers=headers) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0


def _notifications(world: World, subscription: Subscription, change: Change) -> Iterator[Json]:
    base: Json = {
        "subscriptionId": subscription.id,
        "subscriptionExpirationDateTime": ids.timestamp(subscription.expires),
        "clientState": subscription.client_state or None,
        "tenantId": world.tenant_id,
    }
    if change.kind == "drive":
        if not change.sharing or subscription.security:
            data = {"@odata.type": "#Microsoft.Graph.DriveItem"}
            named = {"changeType": "updated", "resource": subscription.resource}
            yield {**base, **named, "resourceData": data}
        return
    if change.event is not None:
        if change.change in subscription.change_types:
            path = f"Users/{change.owner}/Events/{change.event.id}"
            data = _outlook("Event", path, change.event.etag, change.event.id)
            yield {**base, "changeType": change.change, "resource": path, "resourceData": data}
        return
    message = change.message
    assert message is not None
    for kind, key in _mail_events(subscription, change):
        if kind in subscription.change_types:
            path = f"Users/{change.owner}/Messages/{key}"
            data = _outlook("Message", path, message.etag, key)
            yield {**base, "changeType": kind, "resource": path, "resourceData": data}


def _outlook(kind: str, path: str, etag: str, key: str) -> Json:
    named = {"@odata.type": f"#Microsoft.Graph.{kind}", "@odata.id": path}
    return {**named, "@odata.etag": etag, "id": key}


def _mail_events(subscription: Subscription, change: Change) -> Iterator[tuple[str, str]]:
    """(changeType, id). A move keeps an immutable id: updated; otherwise deleted and created."""
    message = change.message
    assert message is not None
    key = message.id(immutable=subscription.immutable)
    old = key if subscription.immutable else change.old_id
    into = subscription.folder in {"", change.folder}
    if change.change != "moved":
        if into:
            yield change.change, key
    elif subscription.folder:
        outof = change.source == subscription.folder
        if outof:
            yield "deleted", old
        if into:
            yield "created", key
    elif subscription.immutable:
        yield "updated", key
    else:
        yield "deleted", old
        yield "created", key
