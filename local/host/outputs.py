"""Output bindings: queue messages and blobs that a function set or returned."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from local.host.errors import BindingError
from local.host.functions import Binding
from local.host.storage import Storage, create_missing
from local.host.wire import Value

_FIELD = re.compile(r"\{([^{}]+)\}")


def fill(text: str, data: Mapping[str, Any]) -> str:
    """The text with each ``{name}`` or ``{a.b}`` replaced from the trigger's data, in any case.

    ``{rand-guid}`` and ``{DateTime}`` are made up on the spot (learn.microsoft.com/azure/
    azure-functions/functions-bindings-expressions-patterns).

    Raises:
        BindingError: the data has no such name.
    """

    def one(match: re.Match[str]) -> str:
        name = match[1].lower()
        if name in {"rand-guid", "sys.randguid"}:
            return str(uuid.uuid4())
        if name in {"datetime", "sys.utcnow"}:
            return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
        value: Any = data
        for part in name.split("."):
            below = value.items() if isinstance(value, Mapping) else ()
            found = {str(key).lower(): each for key, each in below}
            if part not in found:
                message = f"no value for the expression {match[0]}"
                raise BindingError(message)
            value = found[part]
        return str(value)

    return _FIELD.sub(one, text)


def split_messages(value: Value) -> list[str | bytes]:
    """The messages of one queue output: a JSON array is one message an element.

    That is the platform's rule, also for a plain string that happens to be an array
    (azure-functions-python-worker#1492). It re-indents JSON objects too; this host does not.
    """
    if isinstance(value.data, bytes):
        return [value.data]
    if not value.data.lstrip().startswith("["):
        return [value.data]
    try:
        parsed = json.loads(value.data)
    except ValueError:
        return [value.data]
    return [
        each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in parsed
    ]


class Sender:
    """Puts messages on queues, creates what is missing, and wakes our own listeners.

    ``base64`` is host.json's messageEncoding.
    """

    def __init__(self, *, base64: bool) -> None:
        self._base64 = base64
        self._wakes: dict[str, asyncio.Event] = {}

    def wake(self, queue: QueueClient) -> asyncio.Event:
        """The event that is set whenever this host puts a message on that queue."""
        return self._wakes.setdefault(queue.url, asyncio.Event())

    async def send(self, queue: QueueClient, body: str | bytes) -> None:
        """One message in host.json's encoding; BindingError where it cannot be text."""
        data = body if isinstance(body, bytes) else body.encode()
        if self._base64:
            await self.send_raw(queue, base64.b64encode(data).decode())
            return
        try:
            await self.send_raw(queue, data.decode())
        except UnicodeDecodeError as error:
            message = "messageEncoding none takes UTF-8 text alone"
            raise BindingError(message) from error

    async def send_raw(self, queue: QueueClient, text: str) -> None:
        """One message as it is."""
        try:
            await queue.send_message(text)
        except ResourceNotFoundError:
            await create_missing(queue.create_queue)
            await queue.send_message(text)
        self.wake(queue).set()


class Outputs:
    """Writes what a function put out."""

    def __init__(self, storage: Storage, sender: Sender) -> None:
        self._storage = storage
        self._sender = sender

    async def write(self, binding: Binding, value: Value, data: Mapping[str, Any]) -> None:
        """Durable when it returns.

        Raises:
            BindingError: an expression has no value, or the storage refused.
        """
        try:
            if binding.kind == "queue":
                await self._write_queue(binding, value, data)
            else:
                await self._write_blob(binding, value, data)
        except HttpResponseError as error:
            message = (
                f"output {binding.name}: {getattr(error, 'error_code', None) or error.status_code}"
            )
            raise BindingError(message) from error

    async def _write_queue(self, binding: Binding, value: Value, data: Mapping[str, Any]) -> None:
        name = fill(binding.text("queueName"), data)
        queue = self._storage.queues(binding.connection).get_queue_client(name)
        for message in split_messages(value):
            await self._sender.send(queue, message)

    async def _write_blob(self, binding: Binding, value: Value, data: Mapping[str, Any]) -> None:
        container, _, name = fill(binding.text("path"), data).partition("/")
        client = self._storage.blobs(binding.connection).get_container_client(container)
        body = value.raw
        try:
            await client.upload_blob(name, body, overwrite=True)
        except ResourceNotFoundError:
            await create_missing(client.create_container)
            await client.upload_blob(name, body, overwrite=True)
