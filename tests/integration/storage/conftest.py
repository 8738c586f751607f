"""One suite, two stores: the in-memory double and a real Azurite."""

from __future__ import annotations

import base64
import itertools
from datetime import UTC, datetime

import pytest
from azure.storage.queue import QueueClient

from local.memory import Account, MemoryStores
from shared.storage.stores import AzureStores

_NUMBERS = itertools.count(1)


class Kit:
    """Stores of either kind, names nobody else uses, and a look at a queue's messages."""

    def __init__(self, stores, peek):
        self.stores = stores
        self.peek = peek
        self.name = f"t{next(_NUMBERS):06d}"


@pytest.fixture(params=["memory", pytest.param("azurite", marks=pytest.mark.integration)])
async def kit(request):
    if request.param == "memory":
        account = Account(lambda: datetime.now(UTC))
        view = MemoryStores(account)
        yield Kit(view, lambda name: [m.body for m in view.queue(name).visible()])
        return
    connection = request.getfixturevalue("azurite").connection_string

    def peek(name):
        with QueueClient.from_connection_string(connection, name) as client:
            return [base64.b64decode(m.content) for m in client.receive_messages(max_messages=32)]

    async with AzureStores(connection_string=connection) as stores:
        yield Kit(stores, peek)
