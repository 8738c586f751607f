"""OLE compound files, read by olefile and written anew with fewer streams ([MS-CFB]).

Version 3 (512-byte sectors). What was in slack space or unlisted sectors is not carried over.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import olefile

from shared.model import GapCode
from shared.sanitize.work import HoldError, Work

SECTOR, MINI = 512, 64
CUTOFF = 4_096
FREE, END, FAT, NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
MOST_BYTES = 100_000_000  # the sector numbers in the header (109) and a chain are all written


@dataclass(slots=True)
class Storage:
    """A storage: class id, and streams (bytes) and storages by name."""

    clsid: bytes = b"\0" * 16
    children: dict[str, bytes | Storage] = field(default_factory=dict, repr=False)


def read(data: bytes, work: Work) -> Storage:
    """The tree of a compound file. HoldError ``malformed`` where it cannot be walked."""
    try:
        ole = olefile.OleFileIO(io.BytesIO(data), raise_defects=olefile.DEFECT_INCORRECT)
        with ole:
            root = Storage(_clsid(ole, ""))
            for path in ole.listdir(streams=True, storages=True):
                work.member()
                _put(ole, root, path, work)
    except HoldError:
        raise
    except Exception:  # noqa: BLE001 - olefile raises many kinds for damage
        raise HoldError(GapCode.MALFORMED) from None
    return root


def _clsid(ole: olefile.OleFileIO, path: str | Sequence[str]) -> bytes:
    text = ole.getclsid(path) if path else ole.root.clsid
    plain = (text or "").replace("-", "")
    if not plain:
        return b"\0" * 16
    raw = bytes.fromhex(plain)
    return raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]


def _put(ole: olefile.OleFileIO, root: Storage, path: list[str], work: Work) -> None:
    storage = root
    for name in path[:-1]:
        inner = storage.children.setdefault(name, Storage())
        if not isinstance(inner, Storage):
            raise HoldError(GapCode.MALFORMED)
        storage = inner
    if ole.get_type(path) == olefile.STGTY_STREAM:
        content = ole.openstream(path).read()
        work.spend(len(content))
        storage.children[path[-1]] = content
    else:
        found = storage.children.setdefault(path[-1], Storage())
        assert isinstance(found, Storage)
        found.clsid = _clsid(ole, path)


@dataclass(slots=True)
class _Row:
    name: str
    kind: int
    clsid: bytes = b"\0" * 16
    left: int = NONE
    right: int = NONE
    child: int = NONE
    start: int = 0
    size: int = 0

    def pack(self) -> bytes:
        wide = self.name.encode("utf-16-le") + b"\0\0" if self.kind else b""
        return (
            wide.ljust(64, b"\0")
            + struct.pack("<HBBIII", len(wide), self.kind, 1, self.left, self.right, self.child)
            + self.clsid
            + b"\0" * 20
            + struct.pack("<IQ", self.start, self.size)
        )


class _Writer:
    """Collects rows, sectors and chains."""

    def __init__(self) -> None:
        self.rows: list[_Row] = []
        self.big: list[bytes] = []
        self.fat: list[int] = []
        self.small = bytearray()
        self.minifat: list[int] = []

    def chain(self, data: bytes) -> int:
        """Put data into sectors; the first one's number."""
        count = -(-len(data) // SECTOR)
        if not count:
            return END
        start = len(self.fat)
        self.fat += [*range(start + 1, start + count), END]
        self.big.append(data.ljust(count * SECTOR, b"\0"))
        return start

    def stream(self, data: bytes) -> int:
        """Put a stream where its size belongs."""
        if len(data) >= CUTOFF or not data:
            return self.chain(data)
        count = -(-len(data) // MINI)
        start = len(self.minifat)
        self.minifat += [*range(start + 1, start + count), END]
        self.small += data.ljust(count * MINI, b"\0")
        return start

    def tree(self, storage: Storage) -> int:
        """The rows below a storage; the number of the top one."""
        numbers = []
        for name in sorted(storage.children, key=lambda n: (len(n.encode("utf-16-le")), n.upper())):
            child = storage.children[name]
            row = _Row(name, 1 if isinstance(child, Storage) else 2)
            self.rows.append(row)
            numbers.append(len(self.rows) - 1)
            if isinstance(child, Storage):
                row.clsid = child.clsid
                row.child = self.tree(child)
            else:
                row.size, row.start = len(child), self.stream(child)
        return self.balanced(numbers)

    def balanced(self, numbers: list[int]) -> int:
        """Siblings as a balanced tree."""
        if not numbers:
            return NONE
        middle = len(numbers) // 2
        row = self.rows[numbers[middle]]
        row.left = self.balanced(numbers[:middle])
        row.right = self.balanced(numbers[middle + 1 :])
        return numbers[middle]


def write(root: Storage) -> bytes:
    """The file. HoldError ``too_large`` beyond what is written here."""
    writer = _Writer()
    top = _Row("Root Entry", 5, root.clsid)
    writer.rows.append(top)
    top.child = writer.tree(root)
    top.size, top.start = len(writer.small), writer.chain(bytes(writer.small))
    while len(writer.rows) % 4:
        writer.rows.append(_Row("", 0))
    directory = writer.chain(b"".join(row.pack() for row in writer.rows))
    packed = struct.pack(f"<{len(writer.minifat)}I", *writer.minifat)
    minifat_count = -(-len(packed) // SECTOR)
    minifat = writer.chain(packed.ljust(minifat_count * SECTOR, b"\xff"))
    return _finished(writer, directory, minifat, minifat_count)


def _finished(writer: _Writer, directory: int, minifat: int, minifat_count: int) -> bytes:
    """Header, sectors, and the allocation table behind them (with its own list if it is long)."""
    tables, extra = 1, 0
    while (len(writer.fat) + tables + extra) * 4 > tables * SECTOR:
        tables += 1
        extra = -(-max(0, tables - 109) // 127)
    first = len(writer.fat)
    if first * SECTOR > MOST_BYTES:
        raise HoldError(GapCode.TOO_LARGE)
    numbers = list(range(first, first + tables))
    lists = list(range(first + tables, first + tables + extra))
    fat = [*writer.fat, *[FAT] * tables, *[0xFFFFFFFC] * extra]
    fat += [FREE] * (tables * 128 - len(fat))
    header = bytes.fromhex("D0CF11E0A1B11AE1") + b"\0" * 16
    header += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIII", 0, tables, directory, 0, CUTOFF)
    header += struct.pack("<IIII", minifat, minifat_count, lists[0] if lists else END, extra)
    head = numbers[:109]
    header += struct.pack("<109I", *head, *[FREE] * (109 - len(head)))
    rest = numbers[109:]
    difat = b""
    for index, _ in enumerate(lists):
        piece = rest[index * 127 : (index + 1) * 127]
        following = lists[index + 1] if index + 1 < len(lists) else END
        difat += struct.pack("<128I", *piece, *[FREE] * (127 - len(piece)), following)
    return header + b"".join(writer.big) + struct.pack(f"<{len(fat)}I", *fat) + difat
