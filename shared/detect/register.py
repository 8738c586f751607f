"""A register: several exact data match tables in one file, with what to look for in a text.

Layout: ``SEDMR1``, two zero bytes, the header's length (8 bytes), the header (JSON, padded with
spaces to a multiple of 8), then the tables of its columns. The header names columns and the
lengths of their values, and holds no value.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import BinaryIO, Final

from shared.detect.edm import Table, TableBuilder
from shared.detect.edm_values import canonical
from shared.errors import MalformedError

MAGIC: Final = b"SEDMR1\0\0"
MOST_PARTS = 2
"""Columns that may be combined into one value."""

_LENGTH = struct.Struct("<Q")
_LEAST = 3
"""Characters; what is shorter stands everywhere and is left out."""


@dataclass(slots=True)
class Part:
    """What values of one column look like: lengths of digits and of other text, whether dates."""

    digits: list[int] = field(default_factory=list)
    texts: list[int] = field(default_factory=list)
    dates: bool = False

    def learn(self, value: str) -> None:
        """Take a canonical value into account."""
        if value.isascii() and value.isdigit():
            if len(value) not in self.digits:
                self.digits.append(len(value))
        elif len(value) == 10 and value[4] == "-":  # noqa: PLR2004 - a canonical date; folded text holds no dash
            self.dates = True
        elif len(value) not in self.texts:
            self.texts.append(len(value))


@dataclass(frozen=True, slots=True)
class Column:
    """One table of a register; ``name`` is what the file's header row says (``氏名+生年月日``)."""

    name: str
    parts: tuple[Part, ...]
    table: Table


class RegisterBuilder:
    """Collects the values of columns, each alone or two together; only hashes are kept."""

    def __init__(self, key: bytes, columns: Sequence[str]) -> None:
        self._columns = tuple(columns)
        self._builders = [TableBuilder(key, column) for column in columns]
        self._parts = [[Part() for _ in column.split("+")] for column in columns]

    def add(self, row: Sequence[Sequence[str]]) -> None:
        """Register one row: for each column its values; where one is blank the column is left."""
        for builder, parts, values in zip(self._builders, self._parts, row, strict=True):
            known = [canonical(value) for value in values]
            if not all(known) or (len(known) == 1 and len(known[0]) < _LEAST):
                continue
            for part, value in zip(parts, known, strict=True):
                part.learn(value)
            builder.add_canonical(known)

    def write(self, stream: BinaryIO) -> dict[str, int]:
        """Write the register; how many distinct values each column holds."""
        header = json.dumps(
            [
                {
                    "name": name,
                    "size": builder.size,
                    "parts": [asdict(part) for part in parts],
                }
                for name, builder, parts in zip(
                    self._columns, self._builders, self._parts, strict=True
                )
            ],
            ensure_ascii=False,
        ).encode()
        header += b" " * (-len(header) % 8)
        stream.write(MAGIC + _LENGTH.pack(len(header)) + header)
        return {
            name: builder.write(stream)
            for name, builder in zip(self._columns, self._builders, strict=True)
        }


class Register:
    """A register over any buffer (a memory-mapped file: nothing is copied).

    MalformedError where the buffer is none, or was written with another key.
    """

    def __init__(self, buffer: bytes | memoryview, key: bytes) -> None:
        view = memoryview(buffer)
        if len(view) < len(MAGIC) + _LENGTH.size or bytes(view[: len(MAGIC)]) != MAGIC:
            message = "not a register of exact data match"
            raise MalformedError(message)
        start = len(MAGIC) + _LENGTH.size
        (length,) = _LENGTH.unpack_from(view, len(MAGIC))
        at = start + length
        columns = []
        try:
            for entry in json.loads(bytes(view[start:at])):
                table = Table(view[at : at + entry["size"]], key, entry["name"])
                at += entry["size"]
                parts = tuple(Part(**part) for part in entry["parts"])
                columns.append(Column(entry["name"], parts, table))
        except (ValueError, KeyError, TypeError) as error:
            message = "the register's header is broken"
            raise MalformedError(message) from error
        self.columns = tuple(columns)

    def __repr__(self) -> str:
        return f"Register({', '.join(column.name for column in self.columns)})"
