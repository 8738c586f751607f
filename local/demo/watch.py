"""What the system wrote down, read from the storage with the Azure SDK alone, without shared."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

UNJUDGED = "none"  # gone or superseded before it was read: another line says what became of it


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the audit log: its number and its event."""

    seq: int
    event: dict[str, Any]

    @property
    def key(self) -> tuple[str, str]:
        """The item's source and id."""
        return self.event["item"]["source"], self.event["item"]["id"]

    @property
    def disposition(self) -> str:
        """What was decided."""
        return str(self.event["disposition"])


class Storage:
    """The audit log, the incidents, the landing and the quarantine container."""

    def __init__(self, connection: str) -> None:
        self._blobs = BlobServiceClient.from_connection_string(connection)
        self._tables = TableServiceClient.from_connection_string(connection)

    def chain(self) -> list[bytes]:
        """The audit log's lines as they are, in order."""
        container = self._blobs.get_container_client("audit")
        try:
            names = sorted(container.list_blob_names(name_starts_with="chain/"))
            blocks = [container.download_blob(name).readall() for name in names]
        except ResourceNotFoundError:
            return []  # nothing was recorded yet
        return [line for block in blocks for line in block.splitlines(keepends=True)]

    def lines(self) -> list[Line]:
        """The lines that tell of items."""
        found = []
        for raw in self.chain():
            record = json.loads(raw)
            event = record["event"]
            if "ref" in event and "item" not in event:
                event = json.loads(self.blob("audit", event["ref"]) or b"{}")
            if "item" in event:
                found.append(Line(record["seq"], event))
        return found

    def blob(self, container: str, name: str) -> bytes | None:
        """A blob's bytes, or None."""
        try:
            return self._blobs.get_blob_client(container, name).download_blob().readall()
        except ResourceNotFoundError:
            return None

    def tag(self, container: str, name: str) -> str:
        """The blob's index tag ``state``; empty if there is no such blob or tag."""
        try:
            tags = self._blobs.get_blob_client(container, name).get_blob_tags()
        except ResourceNotFoundError:
            return ""
        return tags.get("state", "")

    def incidents(self) -> set[str]:
        """The audit ids that have an incident."""
        try:
            rows = list(self._tables.get_table_client("incidents").list_entities())
        except ResourceNotFoundError:
            return set()
        return {str(row["event"]) for row in rows}


def latest(lines: list[Line]) -> dict[tuple[str, str], Line]:
    """The last judged line of each item (a file that is shared after it was saved has two)."""
    return {line.key: line for line in lines if line.disposition != UNJUDGED}
