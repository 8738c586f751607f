"""Change notifications in real HTTP: the handshake, matching, batches, retry, lifecycle events."""

from __future__ import annotations

import asyncio
import json
import time
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from local.graph.bodies import FORGERY, notifications
from local.graph.faults import Faults
from local.graph.rich import Signer
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

    def __init__(self, world: World, faults: Faults, signer: Signer) -> None:
        self._world, self._faults, self._signer = world, faults, signer
        self._held: list[tuple[str, Json]] = []
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
        for owner in (change.owner, *change.also):
            for one in self._world.watching(change.kind, owner):
                for body in notifications(self._world, one, change, self._faults.forgery):
                    for _ in range(self._faults.copies()):
                        self._hold(one.notification_url, body)

    def _hold(self, url: str, body: Json) -> None:
        """Keep it back while notifications are to be reordered; then all, the last one first."""
        if self._faults.reorder_notifications > 0:
            self._faults.reorder_notifications -= 1
            self._held.append((url, body))
            if self._faults.reorder_notifications == 0:
                self.release()
        elif self._faults.loss is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(self._faults.loss.wait(), self._enqueue, url, body)
        else:
            self._enqueue(url, body)

    def release(self) -> None:
        """Send what was kept back, in reversed order."""
        while self._held:
            self._enqueue(*self._held.pop())

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
            forged = [each for each in batch if each.get(FORGERY)]  # alone: the others are genuine
            for each in ([e for e in batch if not e.get(FORGERY)], *([e] for e in forged)):
                if each:
                    task = asyncio.get_running_loop().create_task(self._post(url, each))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)

    def _body(self, batch: list[Json]) -> Json:
        """As it is sent: with a token where there is content."""
        value = [{k: v for k, v in each.items() if k != FORGERY} for each in batch]
        forgery = batch[0].get(FORGERY, "")
        if forgery == "no_token" or not any("encryptedContent" in each for each in batch):
            return {"value": value}
        token = self._signer.token(self._world.application_id, self._world.tenant_id, forgery)
        return {"value": value, "validationTokens": [token]}

    async def _post(self, url: str, batch: list[Json]) -> None:
        body = self._body(batch)
        data = json.dumps(body).encode()
        for attempt in range(RETRIES + 1):
            started = time.monotonic()
            status = await self._attempt(url, data)
            self._world.deliveries.append(
                {
                    "time": ids.timestamp(ids.now()),
                    "url": url,
                    "notifications": body["value"],
                    "tokens": body.get("validationTokens", []),
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
