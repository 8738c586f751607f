"""Exact data match: whether a value is one of the registered ones, without keeping any of them.

A table is a sorted array of keyed 64-bit hashes of folded values. Nobody can read a value out of
it without the key, and with it only by trying: the key belongs in a vault.

Layout (little-endian): ``SEDM1``, three zero bytes, the key's check (8 bytes), the number of
hashes (8 bytes), an index of 65,537 unsigned 32-bit positions (by the upper 16 bits), one unused
32-bit word, then the hashes, 64 bits each, ascending.
"""

from __future__ import annotations

import struct
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, BinaryIO, Final

from shared.errors import MalformedError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAGIC: Final = b"SEDM1\0\0\0"
_HEAD = struct.Struct("<8s8sQ")
_BUCKETS = 1 << 16
_INDEX_BYTES = 4 * (_BUCKETS + 2)
_SEPARATOR = "\x1f"
_REMOVED = dict.fromkeys(map(ord, " \t\r\n-‐‑‒–—―−－ー・/.,、()（）\u3000\u200b"))


def fold(value: str) -> str:
    """Width, case, spaces and separators away: ``１２３４－…`` and ``1234…`` are one value."""
    if value.isascii():
        return value.lower().translate(_REMOVED)
    return unicodedata.normalize("NFKC", value).casefold().translate(_REMOVED)


def combine(values: Iterable[str]) -> str:
    """Several columns as one value (氏名 + 生年月日); each is folded on its own."""
    return _SEPARATOR.join(map(fold, values))


def _person(column: str) -> bytes:
    return blake2b(column.encode(), digest_size=16).digest()


class TableBuilder:
    """Collects hashes, 8 bytes a value, and writes the table; no value is kept."""

    def __init__(self, key: bytes, column: str = "") -> None:
        self._key = key
        self._column = column
        self._state = blake2b(digest_size=8, key=key, person=_person(column))
        self._hashes = bytearray()

    def add(self, *values: str) -> None:
        """Register one value, or the combination of several; blank ones are left out."""
        self.add_canonical([fold(value) for value in values])

    def add_canonical(self, values: Sequence[str]) -> None:
        """Register values that are folded already, as one."""
        folded = _SEPARATOR.join(values)
        if folded.strip(_SEPARATOR):
            state = self._state.copy()
            state.update(folded.encode())
            self._hashes += state.digest()

    @property
    def size(self) -> int:
        """The bytes that ``write`` will write."""
        return _HEAD.size + _INDEX_BYTES + 8 * len(self._distinct())

    def _distinct(self) -> NDArray[np.uint64]:
        """The hashes so far, ascending and each once; they then stand for what was collected."""
        import numpy as np  # noqa: PLC0415 - only builders need it

        hashes = np.unique(np.frombuffer(bytes(self._hashes), dtype="<u8"))
        self._hashes = bytearray(hashes.tobytes())
        return hashes

    def write(self, stream: BinaryIO) -> int:
        """Write the table and return how many distinct hashes it holds."""
        import numpy as np  # noqa: PLC0415 - only builders need it

        hashes = self._distinct()
        edges = np.arange(_BUCKETS, dtype=np.uint64) << np.uint64(48)
        index = np.searchsorted(hashes, edges).astype("<u4")
        stream.write(_HEAD.pack(MAGIC, _key_check(self._key, self._column), len(hashes)))
        stream.write(index.tobytes() + struct.pack("<II", len(hashes), 0))
        stream.write(hashes.astype("<u8").tobytes())
        return len(hashes)


def _key_check(key: bytes, column: str) -> bytes:
    return blake2b(b"sekisho edm", digest_size=8, key=key, person=_person(column)).digest()


class Table:
    """A table over any buffer (bytes, or a memory-mapped file): nothing is copied.

    MalformedError where the buffer is no table, or was written with another key or column.
    """

    def __init__(self, buffer: bytes | memoryview, key: bytes, column: str = "") -> None:
        view = memoryview(buffer)
        if len(view) < _HEAD.size + _INDEX_BYTES or bytes(view[:8]) != MAGIC:
            message = "not an exact data match table"
            raise MalformedError(message)
        _, check, count = _HEAD.unpack_from(view)
        if check != _key_check(key, column):
            message = "the exact data match table has another key or column"
            raise MalformedError(message)
        start = _HEAD.size + _INDEX_BYTES
        if len(view) != start + 8 * count:
            message = "the exact data match table is not complete"
            raise MalformedError(message)
        self._key = key
        self._column = column
        self._index = view[_HEAD.size : start].cast("I")
        self._hashes = view[start:].cast("Q")
        self._state = blake2b(digest_size=8, key=key, person=_person(column))

    def __len__(self) -> int:
        return len(self._hashes)

    def __repr__(self) -> str:
        return f"Table(column={self._column!r}, values={len(self)})"

    def has_canonical(self, *values: str) -> bool:
        """Whether values that are folded already are registered together."""
        return self.has_folded(_SEPARATOR.join(values))

    def has_folded(self, folded: str) -> bool:
        """Whether a folded value is registered (a false yes: one in 2^64 for each value held)."""
        state = self._state.copy()
        state.update(folded.encode())
        sought = int.from_bytes(state.digest(), "little")
        bucket = sought >> 48
        low, high = self._index[bucket], self._index[bucket + 1]
        at = bisect_left(self._hashes, sought, low, high)
        return at < high and self._hashes[at] == sought

    def __contains__(self, value: str | Sequence[str]) -> bool:
        return self.has_folded(fold(value) if isinstance(value, str) else combine(value))
