"""A real VBA project, written from [MS-OVBA] (chunks are stored, not compressed)."""

# ruff: noqa: E501 - a project stream is quoted in one piece
from __future__ import annotations

import struct

from shared.sanitize.compound import Storage, write

CODE = (
    'Attribute VB_Name = "Module1"\r\n'
    "Sub AutoOpen()\r\n"
    '    Shell "cmd.exe /c calc.exe", 1\r\n'
    '    CreateObject("WScript.Shell").Run "powershell.exe"\r\n'
    "End Sub\r\n"
    "Sub Workbook_Open()\r\n    AutoOpen\r\nEnd Sub\r\n"
)


def compressed(data):
    """A container of literal tokens ([MS-OVBA] 2.4.1)."""
    out = b"\x01"
    for at in range(0, len(data), 3_500):
        piece = data[at : at + 3_500]
        tokens = b"".join(b"\0" + piece[i : i + 8] for i in range(0, len(piece), 8))
        out += struct.pack("<H", (len(tokens) + 2 - 3) | 0xB000) + tokens
    return out


def record(kind, body):
    return struct.pack("<HI", kind, len(body)) + body


def both(kind, other, text):
    return record(kind, text.encode()) + record(other, text.encode("utf-16-le"))


def directory():
    out = record(1, struct.pack("<I", 1)) + record(2, struct.pack("<I", 0x409))
    out += record(0x14, struct.pack("<I", 0x409)) + record(3, struct.pack("<H", 1252))
    out += record(4, b"VBAProject") + both(5, 0x40, "") + record(6, b"") + record(0x3D, b"")
    out += record(7, b"\0" * 4) + record(8, b"\0" * 4)
    out += struct.pack("<HIIH", 9, 4, 1, 1) + both(0x0C, 0x3C, "")
    out += record(0x0F, struct.pack("<H", 1)) + record(0x13, struct.pack("<H", 0xFFFF))
    out += both(0x19, 0x47, "Module1") + both(0x1A, 0x32, "Module1") + both(0x1C, 0x48, "")
    out += record(0x31, b"\0" * 4) + record(0x1E, b"\0" * 4) + record(0x2C, b"\xff\xff")
    out += record(0x21, b"") + record(0x2B, b"") + record(0x10, b"")
    return compressed(out)


def project():
    """The streams of a VBA project."""
    return {
        "VBA": Storage(
            children={
                "dir": directory(),
                "_VBA_PROJECT": b"\xcc\x61\xff\xff\0\0\0",
                "Module1": compressed(CODE.encode()),
            }
        ),
        "PROJECT": b'ID="{00000000-0000-0000-0000-000000000000}"\r\nModule=Module1\r\nName="VBAProject"\r\n',
    }


def vba_project_bin():
    return write(Storage(children=project()))
