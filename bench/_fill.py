"""Rows into Azurite's tables by the hundred thousand: transactions of 100, spelt here.

The SDK spends half a millisecond of a core on each row of a transaction (measured), Azurite a
fifth of that, and then it writes all tables to disk anew every five seconds. So the multipart
bodies are written by hand, and Azurite is made to write less often; the columns are those that
``shared.storage.tables`` writes, and a test reads them back through it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import httpx
from azure.data.tables.aio import TableServiceClient
from rich.console import Console as Screen
from rich.progress import track

from local.azurite import ACCOUNT, KEY, Azurite
from shared.ports import Row, Value

BATCH = 100  # rows of one partition that a transaction takes
WORKERS = 4  # connections; Azurite itself works on one core
TRIES = 5
_REFUSED = re.compile(rb"HTTP/1\.1 [45]\d\d[^\r\n]*")


def columns(row: Row) -> dict[str, object]:
    """A row in the table service's JSON: types that JSON lacks are named beside their columns."""
    found: dict[str, object] = {"PartitionKey": row.partition, "RowKey": row.key}
    for name, value in row.values.items():
        kind, text = _typed(value)
        found[name] = text
        if kind:
            found[f"{name}@odata.type"] = kind
    return found


def _typed(value: Value) -> tuple[str, object]:
    if isinstance(value, datetime):
        return "Edm.DateTime", value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, bytes):
        return "Edm.Binary", base64.b64encode(value).decode()
    if isinstance(value, int) and not isinstance(value, bool):
        return "Edm.Int64", str(value)
    return "", value


def body(base: str, table: str, rows: Sequence[Row]) -> bytes:
    """One transaction that inserts the rows."""
    parts = [b"--batch_1\r\nContent-Type: multipart/mixed; boundary=changeset_1\r\n\r\n"]
    head = (
        "--changeset_1\r\nContent-Type: application/http\r\n"
        "Content-Transfer-Encoding: binary\r\n\r\n"
        f"POST {base}/{table} HTTP/1.1\r\nAccept: application/json;odata=minimalmetadata\r\n"
        "Content-Type: application/json\r\nPrefer: return-no-content\r\n"
        "DataServiceVersion: 3.0\r\n\r\n"
    ).encode()
    for row in rows:
        parts += [head, json.dumps(columns(row), ensure_ascii=True).encode(), b"\r\n"]
    return b"".join([*parts, b"--changeset_1--\r\n--batch_1--\r\n"])


async def fill(azurite: Azurite, rows: Mapping[tuple[str, str], Sequence[Row]]) -> float:
    """Put in rows by table and partition, none of which is there; the seconds it took."""
    began = time.perf_counter()
    todo = [
        (table, some[start : start + BATCH])
        for (table, _), some in rows.items()
        for start in range(0, len(some), BATCH)
    ]
    async with TableServiceClient.from_connection_string(azurite.connection_string) as service:
        for table in {name for name, _ in rows}:
            await service.create_table_if_not_exists(table)
    waiting = iter(track(todo, "rows", console=Screen(stderr=True)))
    async with httpx.AsyncClient(timeout=120) as client:

        async def work() -> None:
            for table, some in waiting:
                await _send(client, azurite, table, some)

        await asyncio.gather(*(work() for _ in range(WORKERS)))
    return time.perf_counter() - began


async def _send(client: httpx.AsyncClient, azurite: Azurite, table: str, rows: list[Row]) -> None:
    base = f"http://127.0.0.1:{azurite.ports[2]}/{ACCOUNT}"
    data = body(base, table, rows)
    for attempt in range(TRIES):
        try:
            answer = await client.post(f"{base}/$batch", content=data, headers=_signed())
        except httpx.TransportError:  # Azurite closed the connection meanwhile
            await asyncio.sleep(attempt)
            continue
        refused = _REFUSED.search(answer.content)
        if answer.status_code == httpx.codes.ACCEPTED and refused is None:
            return
        if attempt and b"EntityAlreadyExists" in answer.content:
            return  # it was in, only the answer was lost
        message = f"Azurite refused rows of {table}: {answer.status_code} {refused}"
        raise RuntimeError(message)
    message = f"Azurite does not answer: rows of {table}"
    raise RuntimeError(message)


def _signed() -> dict[str, str]:
    """SharedKeyLite of a batch, with the emulator's published key."""
    now = format_datetime(datetime.now(UTC), usegmt=True)
    text = f"{now}\n/{ACCOUNT}/{ACCOUNT}/$batch".encode()
    digest = hmac.new(base64.b64decode(KEY), text, hashlib.sha256).digest()
    return {
        "Authorization": f"SharedKeyLite {ACCOUNT}:{base64.b64encode(digest).decode()}",
        "x-ms-date": now,
        "x-ms-version": "2019-02-02",
        "Content-Type": "multipart/mixed; boundary=batch_1",
        "DataServiceVersion": "3.0",
        "Accept": "application/json",
    }


def saved(azurite: Azurite, patience: float = 240) -> None:
    """Wait until Azurite has written its tables to disk. RuntimeError where it does not.

    It writes by itself, now and then, where something changed: so one more row goes in first.
    """
    since = time.time()
    mark = {("filled", "filled"): [Row("filled", f"{since}", {})]}
    asyncio.run(fill(azurite, mark))
    file = azurite.folder / "__azurite_db_table__.json"
    deadline = time.monotonic() + patience
    while not file.exists() or file.stat().st_mtime <= since:
        if time.monotonic() > deadline:
            message = f"Azurite does not write {file}"
            raise RuntimeError(message)
        time.sleep(0.5)


@contextlib.contextmanager
def seldom() -> Iterator[None]:
    """An Azurite that starts inside writes its tables once a minute, not every five seconds."""
    before = os.environ.get("NODE_OPTIONS")
    os.environ["NODE_OPTIONS"] = f"--require={Path(__file__).parent / '_seldom.cjs'}"
    try:
        yield
    finally:
        os.environ.pop("NODE_OPTIONS")
        if before is not None:
            os.environ["NODE_OPTIONS"] = before
