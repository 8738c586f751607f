"""Looks for planted numbers in bytes: as they are, decoded, decompressed, in any width.

``queues``, ``tables`` and ``blobs`` give what lies in an Azurite, originals aside: where and what.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import unicodedata
import zlib
from collections.abc import Iterator

from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

ORIGINALS = {"landing", "envelopes", "quarantine", "evidence", "relay"}

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
_STREAM = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
# What people and machines put between digits: spaces, dashes of every kind, cells, quotes.
_BETWEEN = re.compile(r"(?<=\d)[\s\-‐‑‒–—―−ー.,|\"'\\tn]{1,4}(?=\d)")
_RUN = re.compile(r"[0-9]{10,}")
# A digit as it stands in bytes: ASCII and UTF-16, and full-width in UTF-8, CP932 and UTF-16.
_DIGIT = re.compile(rb"[0-9]|\xef\xbc[\x90-\x99]|\x82[\x4f-\x58]|[\x10-\x19]\xff")
_FEW = 10
_DEPTH = 3


def readings(data: bytes, depth: int = 0) -> Iterator[str]:
    """Every text that ``data`` may be read as, digits in ASCII and joined.

    What looked like base64 is mostly an id: without digits in it, it is decoded and not read.
    """
    if depth == 0 or len(_DIGIT.findall(data)) >= _FEW:
        texts = set()
        for encoding, start in (("utf-8", 0), ("cp932", 0), ("utf-16-le", 0), ("utf-16-le", 1)):
            text = unicodedata.normalize("NFKC", data[start:].decode(encoding, "ignore"))
            texts |= {text, _BETWEEN.sub("", text)}
        yield from texts
    if depth >= _DEPTH:
        return
    for found in _BASE64.finditer(data):
        raw = found.group().translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
        try:
            decoded = base64.b64decode(raw + b"=" * (-len(raw) % 4))
        except binascii.Error:
            continue
        yield from readings(decoded, depth + 1)
    for found in _STREAM.finditer(data):
        try:
            inflated = zlib.decompressobj(47).decompress(data[found.start() :], 10_000_000)
        except zlib.error:
            continue
        yield from readings(inflated, depth + 1)


def planted(data: bytes, numbers: tuple[str, ...]) -> set[str]:
    """Which of the numbers occur in ``data``, in any reading."""
    wanted, lengths = frozenset(numbers), {len(each) for each in numbers}
    found = set()
    for text in readings(data):
        for run in _RUN.findall(text):
            for size in lengths:
                found |= wanted.intersection(run[a : a + size] for a in range(len(run) - size + 1))
    return found


def queues(connection, folder):
    """Messages, also those read and deleted: Azurite's own files still hold every one."""
    service = QueueServiceClient.from_connection_string(connection)
    for queue in service.list_queues():
        for message in service.get_queue_client(queue.name).peek_messages(32):
            yield queue.name, message.content.encode()
    extents = [path for path in (folder / "__queuestorage__").rglob("*") if path.is_file()]
    assert extents, "the messages' own files were found"
    for path in extents:
        yield path.name, path.read_bytes()


def tables(connection):
    """Every row of every table."""
    service = TableServiceClient.from_connection_string(connection)
    for table in service.list_tables():
        for row in service.get_table_client(table.name).list_entities():
            values = {
                key: base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
                for key, value in row.items()
            }
            yield table.name, json.dumps(values, ensure_ascii=False).encode()


def blobs(connection):
    """Names and metadata of every blob, and what is in it unless it may be an original."""
    service = BlobServiceClient.from_connection_string(connection)
    for container in service.list_containers():
        client = service.get_container_client(container.name)
        for blob in client.list_blobs(include=["metadata"]):
            shown = json.dumps([blob.name, blob.metadata], ensure_ascii=False).encode()
            yield container.name, shown
            if container.name in ORIGINALS:
                continue
            try:
                data = client.download_blob(blob.name).readall()
            except HttpResponseError:  # moved on meanwhile
                continue
            yield f"{container.name}/{blob.name}", data
