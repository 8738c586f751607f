"""Blob triggers by polling: scan → receipt → internal queue → function.

The cloud's Event Grid source has no local emulator, so a trigger with that source is polled like
any other. Receipts, the internal queue and the poison queue are named as azure-sdk-for-net names
them. One host an app and storage account: receipts are locked in the process, not by lease.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import BlobProperties
from azure.storage.blob.aio import ContainerClient
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from local.host.blob_paths import BlobPath
from local.host.functions import Function
from local.host.invoker import Call, Invoker, Outcome
from local.host.outputs import Sender
from local.host.storage import Storage, create_missing
from local.host.wire import Value

log = logging.getLogger("local.host.blobs")

HOSTS = "azure-webjobs-hosts"
POISON = "webjobs-blobtrigger-poison"
# Last-Modified has whole seconds, and a listing may miss a write that is just being made.
_OVERLAP = dt.timedelta(seconds=2)


def trigger_queue(host: str) -> str:
    """The queue between the scan and the function."""
    return f"azure-webjobs-blobtrigger-{host}"


class Receipts:
    """Enqueues each version of a blob once a function, across restarts.

    The receipt is written after the message: a host killed between the two sends it again
    (at least once), never not at all.
    """

    def __init__(
        self, hosts: ContainerClient, queue: QueueClient, sender: Sender, host: str
    ) -> None:
        self._hosts = hosts
        self._queue = queue
        self._sender = sender
        self._host = host
        self._made = False
        self._done: set[str] = set()
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def enqueue(self, function: Function, container: str, blob: str, etag: str) -> bool:
        """Enqueue this version unless it has a receipt; whether it was enqueued now."""
        quoted = f'"{etag.strip('"')}"'
        path = f"blobreceipts/{self._host}/{function.id}/{quoted}/{container}/{blob}"
        if path in self._done:
            return False
        async with self._locks[path]:
            if path in self._done:
                return False
            if not self._made:  # without it each scan would send everything again
                await create_missing(self._hosts.create_container)
                self._made = True
            client = self._hosts.get_blob_client(path)
            fresh = not await client.exists()
            if fresh:
                message = {
                    "Type": "BlobTrigger",
                    "FunctionId": function.id,
                    "BlobType": "BlockBlob",
                    "ContainerName": container,
                    "BlobName": blob,
                    "ETag": quoted,
                }
                await self._sender.send(self._queue, json.dumps(message, ensure_ascii=False))
                await client.upload_blob(b"", overwrite=True, metadata={"Completed": "true"})
            self._done.add(path)
        self._locks.pop(path, None)
        return fresh


class BlobTriggers:
    """The blob functions of an app; ``paths`` are parsed at construction.

    Raises:
        HostRefusedError: a path that is no pattern, or a connection that does not serve.
    """

    def __init__(
        self,
        functions: Sequence[Function],
        storage: Storage,
        receipts: Receipts,
        invoker: Invoker,
        *,
        poll: float,
        parallel: int,
    ) -> None:
        self.functions = {each.id: each for each in functions}
        self.paths = {
            each.id: BlobPath.parse(each.trigger.text("path"), where=f"{each.name}.path")
            for each in functions
        }
        self._storage = storage
        self._receipts = receipts
        self._invoker = invoker
        self._poll = poll
        self._gate = asyncio.Semaphore(parallel)
        self._stop = asyncio.Event()
        self._since: dict[tuple[str, str], dt.datetime] = {}
        self._groups: defaultdict[tuple[str, str], list[Function]] = defaultdict(list)
        for each in functions:
            key = (each.trigger.connection, self.paths[each.id].container)
            self._groups[key].append(each)

    async def run(self) -> None:
        """Scan until ``stop``."""
        while not self._stop.is_set():
            for key, functions in self._groups.items():
                try:
                    await self._scan(key, functions)
                except ResourceNotFoundError:
                    continue  # the container may be created later
                except AzureError as error:
                    log.warning("container %s: %s; scanned again", key[1], error.message)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), self._poll)

    def stop(self) -> None:
        """Scan no more."""
        self._stop.set()

    async def notify(self, function: Function, container: str, blob: str, etag: str) -> bool:
        """Take one blob from an event; whether it matched the function's path."""
        path = self.paths[function.id]
        if path.container != container or path.match(blob) is None:
            return False
        await self._receipts.enqueue(function, container, blob, etag)
        return True

    async def _scan(self, key: tuple[str, str], functions: Iterable[Function]) -> None:
        """One listing. The mark moves only when every blob of it is enqueued."""
        connection, container = key
        since, newest = self._since.get(key), self._since.get(key)
        client = self._storage.blobs(connection).get_container_client(container)
        async for page in client.list_blobs().by_page():
            found = []
            async for blob in page:
                newest = max(newest or blob.last_modified, blob.last_modified)
                if since is None or blob.last_modified >= since - _OVERLAP:
                    found += [self._enqueue(each, container, blob) for each in functions]
            await asyncio.gather(*found)
        if newest is not None:
            self._since[key] = newest

    async def _enqueue(self, function: Function, container: str, blob: BlobProperties) -> None:
        if self.paths[function.id].match(blob.name) is not None:
            async with self._gate:
                await self._receipts.enqueue(function, container, blob.name, str(blob.etag))

    async def handle(self, message: QueueMessage, body: bytes) -> Outcome:
        """Run the function that an internal message names, if that version is still there."""
        event = json.loads(body)
        function = self.functions.get(event["FunctionId"])
        if function is None:
            log.warning("message %s is for a function that is not here", message.id)
            return Outcome.DONE
        container, name = event["ContainerName"], event["BlobName"]
        client = self._storage.blobs(function.trigger.connection).get_blob_client(container, name)
        try:
            download = await client.download_blob()
            content = await download.readall()
        except ResourceNotFoundError:
            return Outcome.DONE
        if str(download.properties.etag).strip('"') != event["ETag"].strip('"'):
            return Outcome.DONE  # a newer version has, or will have, a receipt of its own
        parts = self.paths[function.id].match(name) or {}
        call = _call(download.properties, content, f"{container}/{name}", client.url, parts)
        outcome, _returned = await self._invoker.call(function, call)
        return outcome


def _call(
    found: BlobProperties, content: bytes, path: str, url: str, parts: Mapping[str, str]
) -> Call:
    properties: dict[str, Any] = {
        "ContentLength": len(content),
        "ETag": found.etag,
        "LastModified": found.last_modified.isoformat(),
        "ContentType": found.content_settings.content_type,
        "BlobType": 0,
    }
    metadata = {
        "BlobTrigger": Value.of("string", path),
        "Uri": Value.of("string", json.dumps(url)),
        "Properties": Value.of("json", json.dumps(properties)),
        "Metadata": Value.of("json", json.dumps(found.metadata)),
        **{name: Value.of("string", text) for name, text in parts.items()},
    }
    return Call(Value.of("bytes", content), metadata, {"blobTrigger": path, **parts})
