"""A ZIP archive whose one member is the archive itself, to the byte.

By the construction that Russ Cox published ("Zip Files All The Way Down", 2010): a DEFLATE stream
of two operations, here five bytes each. ``L`` prints the bytes that follow it (a stored block),
``R`` prints the last so many bytes again (a block of the fixed code). The checksum stands
in it; as CRC-32 is linear, the one that fits is the solution of 32 equations.
"""

from __future__ import annotations

import struct
import zlib

NAME = b"r.zip"
UNIT = 5  # bytes of an operation
HEAD = 12 * UNIT  # the local header, filled up by an extra field: R of 65 bytes fills a unit
EMPTY = b"\0\0\0\xff\xff"
# Length codes of the fixed Huffman code: (first length, extra bits), codes 257 to 284 (RFC 1951).
LENGTHS = [(n, 0) for n in range(3, 11)] + [
    (3 + (4 + i << e), e) for e in range(1, 6) for i in range(4)
]
DISTANCES = [(n, 0) for n in range(1, 5)] + [
    (1 + (2 + i << e), e) for e in range(1, 14) for i in range(2)
]


def literal(data):
    """L: a stored block of these bytes."""
    return struct.pack("<BHH", 0, len(data), len(data) ^ 0xFFFF) + data


class Bits:
    def __init__(self):
        self.bits = []

    def number(self, value, width):
        self.bits += [value >> n & 1 for n in range(width)]

    def code(self, value, width):
        self.bits += [value >> n & 1 for n in reversed(range(width))]

    def copy(self, length, distance):
        index = max(n for n, (first, _) in enumerate(LENGTHS) if first <= length)
        if 257 + index < 280:
            self.code(1 + index, 7)
        else:
            self.code(0b11000000 + 257 + index - 280, 8)
        self.number(length - LENGTHS[index][0], LENGTHS[index][1])
        index = max(n for n, (first, _) in enumerate(DISTANCES) if first <= distance)
        self.code(index, 5)
        self.number(distance - DISTANCES[index][0], DISTANCES[index][1])

    def block(self, *copies, last=False):
        self.number(0b010 | last, 3)
        for copy in copies:
            self.copy(*copy)
        self.code(0, 7)

    def bytes(self):
        return bytes(
            sum(bit << n for n, bit in enumerate(self.bits[at : at + 8]))
            for at in range(0, len(self.bits), 8)
        )


def again(size):
    """R: exactly one unit that prints the last ``size`` bytes (20 or 65) again."""
    out = Bits()
    if size == 4 * UNIT:
        out.block((10, 20), (10, 20))
    else:
        out.block((size, size))
        out.block()
    assert len(out.bits) == 8 * UNIT
    return out.bytes()


def last_again(size):
    """R, the last operation."""
    out = Bits()
    out.block((size, size), last=True)
    return out.bytes()


def built(crc, day=0x21):
    """The archive if its CRC-32 were this one."""
    tail_size = 46 + len(NAME) + 22
    end = tail_size + 4  # with the last operation, of four bytes
    ra, r4 = again(HEAD + UNIT), again(4 * UNIT)
    l1, l4, la, le = (literal(bytes(n))[:UNIT] for n in (UNIT, 4 * UNIT, HEAD + UNIT, end))
    packed = 28 * UNIT + HEAD + 2 * end - tail_size
    common = struct.pack(
        "<HHHHHIIIHH", 20, 0, 8, 0, day, crc, packed, HEAD + packed + tail_size, len(NAME), 0
    )
    extra = HEAD - 30 - len(NAME)
    head = b"PK\3\4" + common[:-2] + struct.pack("<H", extra) + NAME
    head += struct.pack("<HH", 0x7171, extra - 4) + bytes(extra - 4)
    tail = b"PK\1\2\x14\0" + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + NAME
    tail += b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(tail), HEAD + packed, 0)
    whole = last_again(end) + tail
    program = (
        la + head + la + ra + l1 + ra + l1 + l1
        + l4 + ra + l1 + l1 + l4 + r4
        + l4 + r4 + l4 + r4 + l4 + r4
        + l4 + r4 + EMPTY + EMPTY + le + r4 + EMPTY + EMPTY
        + le + whole
    )  # fmt: skip
    assert len(whole) == end
    assert len(program) + 4 == packed, (len(program) + 4, packed)
    return head + program + whole


def solved(equations):
    """x of 32 bits with, for each (mask, bit): parity(x & mask) == bit; None if there is none."""
    rows = list(equations)
    pivots = []
    for column in range(32):
        row = next((r for r in rows if r[0] >> column & 1), None)
        if row is None:
            continue
        rows = [
            (m ^ row[0], b ^ row[1]) if m >> column & 1 else (m, b)
            for m, b in rows
            if (m, b) != row
        ]
        pivots = [
            (c, m ^ row[0], b ^ row[1]) if m >> column & 1 else (c, m, b) for c, m, b in pivots
        ]
        pivots.append((column, *row))
    if any(b for m, b in rows if not m):
        return None
    return sum(b << c for c, _, b in pivots)


def zip_quine():
    """The archive; the date of its member is chosen such that a checksum exists."""
    for day in range(0x21, 0x40):
        zero = zlib.crc32(built(0, day))
        changes = [zlib.crc32(built(1 << n, day)) ^ zero ^ (1 << n) for n in range(32)]
        masks = [sum((changes[n] >> bit & 1) << n for n in range(32)) for bit in range(32)]
        crc = solved([(mask, zero >> bit & 1) for bit, mask in enumerate(masks)])
        if crc is not None and zlib.crc32(built(crc, day)) == crc:
            return built(crc, day)
    message = "no checksum fits"
    raise AssertionError(message)
