"""The record's own timers in the running system: it is verified, and exported, as it grows."""

from __future__ import annotations

import json

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

from tests.e2e.conftest import until

pytestmark = pytest.mark.e2e
RANGE = slice(0, 33)  # sixteen digits, a dash, sixteen digits


def test_chain_is_verified_by_its_timer(day, stack):
    assert day
    table = TableServiceClient.from_connection_string(stack.stack.storage)
    events = table.get_table_client("auditevents")

    def verified():
        try:
            row = events.get_entity("chain", "verified")
        except ResourceNotFoundError:
            return None
        return row if row["full_up_to"].value >= 10 else None

    row = until(verified, 60, "the outcome of a verification")
    assert (row["result"], row["by"]) == ("whole", "timer")


def test_every_record_is_in_exactly_one_exported_file(day, stack):
    assert day
    service = BlobServiceClient.from_connection_string(stack.stack.storage)
    exports = service.get_container_client("exports")

    def ranges():
        names = [name.rpartition("/")[2][RANGE] for name in exports.list_blob_names()]
        return sorted(tuple(map(int, name.split("-"))) for name in names)

    def enough():
        try:
            found = ranges()
        except ResourceNotFoundError:
            return None
        return found if found and found[-1][1] >= 10 else None

    found = until(enough, 60, "an exported file")
    assert [first for first, _ in found] == [1, *(last + 1 for _, last in found[:-1])]
    lines = [
        json.loads(line)
        for name in exports.list_blob_names()
        for line in exports.download_blob(name).readall().splitlines()
    ]
    numbers = [line["metadata"]["sequence"] for line in lines]
    assert len(numbers) == len(set(numbers))
    assert {line["class_uid"] for line in lines} <= {2006, 3004}
