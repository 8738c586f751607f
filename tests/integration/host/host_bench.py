"""What the local host's tests do to it and to its storage."""

from __future__ import annotations

import base64
import contextlib
import json
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import pytest
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local.host.process import HostProcess

APP = Path(__file__).parent / "sample_app"


class Bench:
    """One run's names and clients; a run shares its Azurite but no queue, container or receipt."""

    def __init__(self, connection, folder):
        self.connection = connection
        self.folder = folder
        self.run = f"r{uuid.uuid4().hex[:8]}"
        self.blobs = BlobServiceClient.from_connection_string(connection)
        self.queues = QueueServiceClient.from_connection_string(connection)
        self.env = {
            "AzureWebJobsStorage": connection,
            "STORE_B": connection,
            "RUN": self.run,
            "TICK": "0 0 0 1 1 *",
            "AzureFunctionsWebHost__hostid": self.run,
        }

    def host(self, *, appdir=APP, env=None, **options):
        return HostProcess(
            appdir,
            env={**self.env, **(env or {})},
            log_path=self.folder / f"{uuid.uuid4().hex}.log",
            **{"blob_poll": 0.1, **options},
        )

    def queue(self, name):
        return self.queues.get_queue_client(f"{self.run}-{name}")

    def send(self, name, body, *, raw=False):
        queue = self.queue(name)
        with contextlib.suppress(ResourceExistsError):
            queue.create_queue()
        text = body if isinstance(body, str) else json.dumps(body)
        queue.send_message(text if raw else base64.b64encode(text.encode()).decode())

    def receive(self, name, count=1, *, within=15.0, raw=False):
        """Bodies of that many messages, deleted; fewer only when the time is over."""
        found, deadline = [], time.monotonic() + within
        queue = self.queue(name)
        while len(found) < count and time.monotonic() < deadline:
            with contextlib.suppress(ResourceNotFoundError):
                for message in queue.receive_messages(max_messages=32, visibility_timeout=30):
                    queue.delete_message(message)
                    text = message.content
                    found.append(text if raw else base64.b64decode(text).decode())
            time.sleep(0.03)
        return found

    def receive_json(self, name, count=1, **options):
        return [json.loads(each) for each in self.receive(name, count, **options)]

    def depth(self, name):
        try:
            return self.queue(name).get_queue_properties().approximate_message_count
        except ResourceNotFoundError:
            return 0

    def upload(self, container, name, data=b"synthetic", **options):
        client = self.blobs.get_container_client(f"{self.run}-{container}")
        with contextlib.suppress(ResourceExistsError):
            client.create_container()
        client.upload_blob(name, data, overwrite=True, **options)


def call(host, path, *, method="GET", body=None, key=None, headers=None):
    """Status, body and the response's headers."""
    request = urllib.request.Request(
        host.url + path,
        method=method,
        data=body.encode() if isinstance(body, str) else body,
        headers={**({"x-functions-key": key} if key else {}), **(headers or {})},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers


def status(host):
    code, body, _ = call(host, "/admin/host/status", key=host.master_key)
    assert code == 200
    return json.loads(body)


def until(check, *, within=15.0):
    """The first true value of check(); AssertionError when the time is over."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        value = check()
        if value:
            return value
        time.sleep(0.03)
    message = f"not within {within} s"
    raise AssertionError(message)


def refusal(host):
    """Why the host does not start."""
    with pytest.raises(RuntimeError) as caught:
        host.start()
    return str(caught.value)
