"""ports.Table on Azure Table storage."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from azure.core import MatchConditions
from azure.core.async_paging import AsyncItemPaged
from azure.core.exceptions import AzureError, HttpResponseError
from azure.data.tables import EdmType, EntityProperty, TableEntity, UpdateMode
from azure.data.tables.aio import TableClient

from shared.errors import GoneError, StorageConflictError
from shared.ports import Row, Value
from shared.storage.azure import MISSING, Place, code_of, translate


class AzureTable:
    """One table; made at the first need."""

    def __init__(self, client: TableClient) -> None:
        self._client = client
        self._place = Place(client.create_table)

    async def get(self, partition: str, key: str) -> Row | None:
        """The row, or None."""
        try:
            entity = await self._place.run(
                "table get", lambda: self._client.get_entity(partition, key)
            )
        except GoneError:
            return None
        return _row(entity)

    async def insert(self, row: Row) -> str:
        """The new row's ETag; StorageConflictError if it exists."""
        entity = _entity(row)
        done = await self._place.run("table insert", lambda: self._client.create_entity(entity))
        return str(done["etag"])

    async def replace(self, row: Row, etag: str) -> str:
        """The new ETag; StorageConflictError if the row is gone or has another ETag."""
        entity = _entity(row)
        try:
            done = await self._place.run(
                "table replace",
                lambda: self._client.update_entity(
                    entity,
                    UpdateMode.REPLACE,
                    etag=etag,
                    match_condition=MatchConditions.IfNotModified,
                ),
            )
        except GoneError as error:
            raise StorageConflictError(str(error)) from None
        return str(done["etag"])

    async def put(self, row: Row) -> str:
        """Insert or replace; the new ETag."""
        entity = _entity(row)
        done = await self._place.run(
            "table put", lambda: self._client.upsert_entity(entity, UpdateMode.REPLACE)
        )
        return str(done["etag"])

    async def delete(self, partition: str, key: str, etag: str | None = None) -> None:
        """StorageConflictError where a given ETag does not match; a row that is gone is fine."""
        options: dict[str, Any] = {}
        if etag is not None:
            options = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
        # The SDK itself swallows "not found" here, with or without an ETag.
        await self._place.run(
            "table delete", lambda: self._client.delete_entity(partition, key, **options)
        )

    async def query(
        self, partition: str, *, start: str = "", end: str = "", limit: int = 1000
    ) -> AsyncIterator[Row]:
        """Rows of the partition with start ≤ key < end, in key order, at most limit."""
        words = ["PartitionKey eq @partition"]
        values: dict[str, str] = {"partition": partition}
        if start:
            words.append("RowKey ge @start")
            values["start"] = start
        if end:
            words.append("RowKey lt @end")
            values["end"] = end
        pages: AsyncItemPaged[TableEntity] = self._client.query_entities(
            " and ".join(words), parameters=values, results_per_page=min(limit, 1000)
        )
        count = 0
        try:
            async for entity in pages:
                yield _row(entity)
                count += 1
                if count >= limit:
                    return
        except AzureError as error:
            if not (isinstance(error, HttpResponseError) and code_of(error) in MISSING):
                raise translate(error, "table query") from None


def _entity(row: Row) -> dict[str, object]:
    entity: dict[str, object] = {"PartitionKey": row.partition, "RowKey": row.key}
    for name, value in row.values.items():
        whole = isinstance(value, int) and not isinstance(value, bool)
        # The SDK refuses whole numbers over 32 bits unless their type is named.
        entity[name] = EntityProperty(value, EdmType.INT64) if whole else value
    return entity


def _row(entity: TableEntity) -> Row:
    values = {
        name: _value(value)
        for name, value in entity.items()
        if name not in {"PartitionKey", "RowKey", "Timestamp"}
    }
    return Row(
        entity["PartitionKey"], entity["RowKey"], values, str(entity.metadata.get("etag") or "")
    )


def _value(value: object) -> Value:
    if isinstance(value, EntityProperty):
        value = value.value
    if isinstance(value, datetime):
        # The SDK gives a subclass that carries the service's seventh digit; ours is plain and UTC.
        return datetime.fromtimestamp(value.timestamp(), UTC).replace(microsecond=value.microsecond)
    assert isinstance(value, (str, int, float, bool, bytes))
    return value
