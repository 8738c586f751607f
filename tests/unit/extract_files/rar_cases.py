"""Golden RAR archives: stored ones written here from the published structure, others by rars.

The library that reads is also the only writer of compressed RAR that may be installed; libarchive
reads what it writes (tried by hand, RAR 2 to 7), so it writes what the format is.
"""

from __future__ import annotations

import struct
import zlib

import rars

from tests.unit.extract_files.archive_cases import note
from tests.unit.extract_files.office_cases import cell_text, sheet_with


def _block(kind, flags, body):
    """RAR 1.5 to 4: checksum, type, flags, size."""
    rest = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
    return struct.pack("<H", zlib.crc32(rest) & 0xFFFF) + rest


def rar_4(members):
    """Stored members; names as bytes."""
    out = b"Rar!\x1a\x07\x00" + _block(0x73, 0, b"\0" * 6)
    for name, data in members.items():
        size = len(data)
        head = struct.pack("<IIBIIBBHI", size, size, 2, zlib.crc32(data), 0, 20, 0x30, len(name), 0)
        out += _block(0x74, 0x8000, head + name) + data
    return out + _block(0x7B, 0x4000, b"")


def _vint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def _block_5(body):
    sized = _vint(len(body)) + body
    return struct.pack("<I", zlib.crc32(sized)) + sized


def rar_5(members):
    """Stored members; names as text."""
    out = b"Rar!\x1a\x07\x01\x00" + _block_5(b"\1\0\0")
    for name, data in members.items():
        raw, size = name.encode(), _vint(len(data))
        head = b"\2\2" + size + b"\4" + size + b"\0" + struct.pack("<I", zlib.crc32(data))
        out += _block_5(head + b"\0\0" + _vint(len(raw)) + raw) + data
    return out + _block_5(b"\5\0\0")


def built(members, **options):
    builder = rars.RarBuilder(**options)
    for name, data in members.items():
        builder.add_bytes(data, name)
    return builder.to_bytes()


def packed(kind, **options):
    return lambda n: built({"a.txt": note(n) * 50, "b.txt": b"x" * 500}, format=kind, **options)


def nested(number):
    return built({"集計.xlsx": sheet_with(cell_text)(number)}, format="rar50")


CONTENT = r"^メンバー1\.txt › 本文"

# format, place in words, builder, expected location, passwords
CASES = [
    ("rar", "メンバー (RAR 4、無圧縮)", lambda n: rar_4({b"a.txt": note(n)}), CONTENT, ()),
    ("rar", "メンバー (RAR 5、無圧縮)", lambda n: rar_5({"a.txt": note(n)}), CONTENT, ()),
    *(
        ("rar", f"メンバー (RAR {name})", packed(kind), CONTENT, ())
        for name, kind in (("2", "rar20"), ("3", "rar30"), ("4", "rar40"), ("5", "rar50"))
    ),
    ("rar", "ソリッド (RAR 4)", packed("rar40", solid=True), CONTENT, ()),
    ("rar", "ソリッド (RAR 5)", packed("rar50", solid=True), CONTENT, ()),
    (
        "rar",
        "ファイル名 (CP932)",
        lambda n: rar_4({f"表_{n}.txt".encode("cp932"): b"x"}),
        r"^メンバー1\.txt › 名前$",
        (),
    ),
    (
        "rar",
        "ファイル名 (UTF-8)",
        lambda n: rar_5({f"表_{n}.txt": b"x"}),
        r"^メンバー1\.txt › 名前$",
        (),
    ),
    ("rar", "コメント", lambda n: built({"a.txt": b"x"}, comment=n), r"^コメント$", ()),
    ("rar", "アーカイブの中の表", nested, r"^メンバー1\.xlsx › シート1!B7$", ()),
    ("rar", "暗号 (RAR 3、AES)", packed("rar30", password="秘密"), CONTENT, ("違う", "秘密")),
    ("rar", "暗号 (RAR 5、AES)", packed("rar50", password="秘密"), CONTENT, ("違う", "秘密")),
    (
        "rar",
        "暗号 (RAR 5、名前も)",
        packed("rar50", password="himitsu", encrypt_headers=True),
        CONTENT,
        ("himitsu",),
    ),
]
