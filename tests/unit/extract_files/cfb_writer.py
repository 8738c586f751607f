"""Writes OLE compound files ([MS-CFB] version 3): streams by path, each padded to 4096 bytes."""

from __future__ import annotations

import struct
from itertools import pairwise

SECTOR = 512
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def _entry(name, kind, child, right, start, size):
    wide = name.encode("utf-16-le") + b"\0\0"
    return (
        wide.ljust(64, b"\0")
        + struct.pack("<HBBIII", len(wide), kind, 1, FREE, right, child)
        + b"\0" * 36
        + struct.pack("<IQ", start, size)
    )


def cfb(streams):
    """The file of ``{"Name": bytes, "Storage/Name": bytes}`` (one level of storages)."""
    data, fat, rows = bytearray(), [], []
    folders = sorted({path.partition("/")[0] for path in streams if "/" in path})
    top = [path for path in streams if "/" not in path]
    names = [*top, *folders]
    inner = {folder: [p for p in streams if p.startswith(folder + "/")] for folder in folders}
    order = [*names, *(path for folder in folders for path in inner[folder])]
    index = {name: number for number, name in enumerate(order, start=1)}

    def chain(siblings):
        # Nodes in the standard's order (length, then upper case), each the right child of the last.
        ranked = sorted(siblings, key=lambda p: (len(p), p.upper()))
        links = {one: index[next_] for one, next_ in pairwise(ranked)}
        return index[ranked[0]] if ranked else FREE, links

    first, links = chain(names)
    children = {}
    for folder in folders:
        children[folder], more = chain(inner[folder])
        links.update(more)
    for name in order:
        shown = name.rpartition("/")[2]
        if name in children:
            rows.append(_entry(shown, 1, children[name], links.get(name, FREE), 0, 0))
            continue
        content = streams[name].ljust(4096, b"\0")
        count = -(-len(content) // SECTOR)
        start = len(fat)
        fat += [*range(start + 1, start + count), END]
        data += content.ljust(count * SECTOR, b"\0")
        rows.append(_entry(shown, 2, FREE, links.get(name, FREE), start, len(content)))
    directory = _entry("Root Entry", 5, first, FREE, END, 0) + b"".join(rows)
    directory += _entry("", 0, FREE, FREE, 0, 0) * (-len(directory) // 128 % 4)
    place, count = len(fat), len(directory) // SECTOR
    fat += [*range(place + 1, place + count), END]
    tables = 1
    while (len(fat) + tables) * 4 > tables * SECTOR:
        tables += 1
    table_at = len(fat)
    fat += [FAT] * tables
    fat += [FREE] * (tables * 128 - len(fat))
    header = bytes.fromhex("D0CF11E0A1B11AE1") + b"\0" * 16
    header += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, tables, place, 0, 4096, END, 0, END, 0)
    header += struct.pack("<109I", *range(table_at, table_at + tables), *[FREE] * (109 - tables))
    return header + bytes(data) + directory + struct.pack(f"<{len(fat)}I", *fat)
