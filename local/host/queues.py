"""Queue listeners: receive, run, delete, release or poison.

After ``QueueListener`` and ``QueueProcessor`` of azure-sdk-for-net.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import datetime as dt
import json
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from local.host.functions import Function
from local.host.hostjson import QueueOptions
from local.host.invoker import Call, Invoker, Outcome
from local.host.outputs import Sender
from local.host.wire import Value

log = logging.getLogger("local.host.queues")

_FIRST_PAUSE = 0.1  # seconds; QueuePollingIntervals.Minimum

type Handler = Callable[[QueueMessage, bytes], Awaitable[Outcome]]


class QueueListener:
    """One queue's listener. ``poison`` is None on a poison queue: there is nowhere further to go.

    ``receive_visibility`` (seconds, ten minutes on the platform) is how long a message stays hidden
    when the host dies with it in hand; while the host lives, it is renewed at half that time.
    """

    def __init__(
        self,
        queue: QueueClient,
        poison: QueueClient | None,
        *,
        options: QueueOptions,
        sender: Sender,
        handler: Handler,
        receive_visibility: int,
    ) -> None:
        self._queue = queue
        self._poison = poison
        self._options = options
        self._sender = sender
        self._handler = handler
        self._visibility = receive_visibility
        self._wake = sender.wake(queue)
        self._busy: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def run(self) -> None:
        """Listen until ``stop``, then until what is in hand is settled."""
        pause = _FIRST_PAUSE
        while not self._stopping:
            self._wake.clear()
            messages = await self._receive()
            for message in messages:
                task = asyncio.create_task(self._process(message))
                self._busy.add(task)
                task.add_done_callback(self._busy.discard)
            if messages:
                pause = _FIRST_PAUSE
                await self._until_room()
                continue
            with contextlib.suppress(TimeoutError):
                if not self._stopping:
                    await asyncio.wait_for(self._wake.wait(), pause)
            # Randomised, so that many listeners do not poll in step.
            pause = min(self._options.max_polling_interval, pause * random.uniform(1.6, 2.4))  # noqa: S311 - not a secret
        await asyncio.gather(*self._busy)

    def stop(self) -> None:
        """Fetch no more."""
        self._stopping = True
        self._wake.set()

    async def _receive(self) -> list[QueueMessage]:
        batch = self._options.batch_size
        try:
            return [
                message
                async for message in self._queue.receive_messages(
                    messages_per_page=batch, max_messages=batch, visibility_timeout=self._visibility
                )
            ]
        except ResourceNotFoundError:
            return []  # it may be created later
        except AzureError as error:
            log.warning("queue %s: %s", self._queue.queue_name, error.message)
            return []

    async def _until_room(self) -> None:
        while len(self._busy) > self._options.threshold:
            await asyncio.wait(self._busy, return_when=asyncio.FIRST_COMPLETED)

    async def _process(self, message: QueueMessage) -> None:
        try:
            if (message.dequeue_count or 1) > self._options.max_dequeue_count:
                await self._to_poison(message)
                return
            try:
                body = self._decode(message.content)
            except (binascii.Error, ValueError):
                log.warning("message %s does not decode: to poison, not run", message.id)
                await self._to_poison(message)
                return
            await self._settle(message, await self._handle(message, body))
        except AzureError as error:
            log.warning("message %s: %s; it comes back by itself", message.id, error.message)

    async def _handle(self, message: QueueMessage, body: bytes) -> Outcome:
        over = asyncio.Event()
        renewal = asyncio.create_task(self._renew(message, over))
        try:
            return await self._handler(message, body)
        except Exception:
            log.exception("message %s", message.id)
            return Outcome.FAILED
        finally:
            over.set()  # not cancelled: a half-done renewal would lose the pop receipt
            await renewal

    async def _renew(self, message: QueueMessage, over: asyncio.Event) -> None:
        while True:
            try:
                await asyncio.wait_for(over.wait(), self._visibility / 2)
            except TimeoutError:
                try:
                    await self._hide(message, self._visibility)
                except AzureError as error:
                    log.warning("message %s is not renewed: %s", message.id, error.message)
            else:
                return

    async def _hide(self, message: QueueMessage, seconds: float) -> None:
        renewed = await self._queue.update_message(
            message.id, message.pop_receipt, visibility_timeout=int(seconds)
        )
        message.pop_receipt = renewed.pop_receipt

    def _decode(self, content: str) -> bytes:
        return (
            base64.b64decode(content, validate=True) if self._options.base64 else content.encode()
        )

    async def _settle(self, message: QueueMessage, outcome: Outcome) -> None:
        if outcome is Outcome.DONE:
            await self._unless_gone(self._queue.delete_message(message.id, message.pop_receipt))
        elif outcome is Outcome.ABORTED:
            await self._unless_gone(self._hide(message, 0))  # not the function's fault: at once
        elif self._poison is None:
            # Left hidden, so that a failing poison handler does not spin (QueueProcessor).
            log.warning("message %s failed on a poison queue: left hidden", message.id)
        elif (message.dequeue_count or 1) >= self._options.max_dequeue_count:
            await self._to_poison(message)
        else:
            await self._unless_gone(self._hide(message, self._options.visibility_timeout))

    async def _to_poison(self, message: QueueMessage) -> None:
        if self._poison is None:
            return
        await self._sender.send_raw(self._poison, message.content)
        await self._unless_gone(self._queue.delete_message(message.id, message.pop_receipt))

    async def _unless_gone(self, call: Awaitable[Any]) -> None:
        """Ignore that another receiver has had the message since (its visibility ran out)."""
        try:
            await call
        except ResourceNotFoundError:
            return
        except HttpResponseError as error:
            if getattr(error, "error_code", None) != "PopReceiptMismatch":
                raise


def queue_handler(function: Function, invoker: Invoker) -> Handler:
    """Runs a queue function with the metadata that its QueueMessage reads."""

    async def handle(message: QueueMessage, body: bytes) -> Outcome:
        outcome, _returned = await invoker.call(function, queue_call(body, message))
        return outcome

    return handle


def queue_call(body: bytes, message: QueueMessage | None = None) -> Call:
    """The call for a message's bytes; without a message (started by hand) it is a first try."""
    value = _value(body)
    data: dict[str, Any] = {"queueTrigger": value.data}
    if value.kind == "string":
        with contextlib.suppress(ValueError):
            parsed = json.loads(value.data)
            data |= parsed if isinstance(parsed, dict) else {}
    now = dt.datetime.now(dt.UTC)
    message = message or QueueMessage(content="", id="by-hand", pop_receipt="", dequeue_count=1)
    data |= {"id": message.id, "dequeueCount": message.dequeue_count}
    metadata = {
        "Id": Value.of("string", message.id),
        "PopReceipt": Value.of("string", message.pop_receipt or ""),
        "DequeueCount": Value.of("json", str(message.dequeue_count)),
        "InsertionTime": _time(message.inserted_on or now),
        "ExpirationTime": _time(message.expires_on or now),
        "NextVisibleTime": _time(message.next_visible_on or now),
    }
    return Call(value, metadata, data)


def _value(body: bytes) -> Value:
    try:
        return Value.of("string", body.decode())
    except UnicodeDecodeError:
        return Value.of("bytes", body)


def _time(moment: dt.datetime) -> Value:
    return Value.of("json", json.dumps(moment.astimezone(dt.UTC).isoformat(timespec="seconds")))
