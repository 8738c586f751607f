"""Writers for mail the way old and broken programs write it; independent of what reads it."""

from __future__ import annotations

import base64
import itertools
import quopri
import struct

CRLF = b"\r\n"


def jis_pair(sjis: bytes) -> bytes:
    """A Shift_JIS pair as a JIS pair (JIS X 0208 annex 1)."""
    lead, trail = sjis
    row = (lead - (0x71 if lead < 0xA0 else 0xB1)) * 2 + 1
    if trail > 0x7F:
        trail -= 1
    if trail >= 0x9E:
        return bytes((row + 1, trail - 0x7D))
    return bytes((row, trail - 0x1F))


def windows_pair(character: str) -> bytes:
    """CP932 with the NEC-selected code of IBM's kanji, which alone fit into JIS rows."""
    raw = character.encode("cp932")
    if raw[0] < 0xFA:
        return raw
    for lead in (0xED, 0xEE):
        for trail in range(0x40, 0xFD):
            if trail == 0x7F:
                continue
            try:
                if bytes((lead, trail)).decode("cp932") == character:
                    return bytes((lead, trail))
            except UnicodeDecodeError:
                continue
    raise ValueError


def iso2022jp(  # noqa: C901 - a state machine in one piece
    text: str, *, kana: str = "esc", start: bytes = b"\x1b$B", end: bytes = b"\x1b(B"
) -> bytes:
    """ISO-2022-JP as Windows writes it. ``kana``: ``esc`` (ESC ( I) or ``so`` (shift out)."""
    out = bytearray()
    mode = "ascii"

    def switch(new: str) -> None:
        nonlocal mode
        if new == mode:
            return
        if mode == "kana" and kana == "so":
            out.extend(b"\x0f")
        if new == "double":
            out.extend(start)
        elif new == "kana":
            if kana == "so" and mode == "double":
                out.extend(end)
            out.extend(b"\x1b(I" if kana == "esc" else b"\x0e")
        elif mode != "kana" or kana == "esc":
            out.extend(end)
        mode = new

    for character in text:
        if character < "\x80":
            switch("ascii")
            out.extend(character.encode())
        elif "｡" <= character <= "ﾟ":
            switch("kana")
            out.append(character.encode("cp932")[0] & 0x7F)
        else:
            switch("double")
            out.extend(jis_pair(windows_pair(character)))
    switch("ascii")
    return bytes(out)


def euc_windows(text: str) -> bytes:
    """EUC-JP with NEC's and IBM's characters (CP51932)."""
    out = bytearray()
    for character in text:
        if character < "\x80":
            out.extend(character.encode())
        elif "｡" <= character <= "ﾟ":
            out.extend(b"\x8e" + character.encode("cp932"))
        else:
            out.extend(byte | 0x80 for byte in jis_pair(windows_pair(character)))
    return bytes(out)


def b64_word(charset: str, data: bytes) -> bytes:
    return b"=?" + charset.encode() + b"?B?" + base64.b64encode(data) + b"?="


def q_word(charset: str, data: bytes) -> bytes:
    return b"=?" + charset.encode() + b"?Q?" + b"".join(b"=%02X" % byte for byte in data) + b"?="


def encoded(data: bytes, transfer: str) -> bytes:
    if transfer == "base64":
        return base64.encodebytes(data).replace(b"\n", CRLF)
    if transfer == "quoted-printable":
        return quopri.encodestring(data)
    return data


def mail(body: bytes, *headers: bytes, subject: bytes = b"test") -> bytes:
    lines = [b"From: a@example.jp", b"To: b@example.jp", b"Subject: " + subject, *headers]
    return CRLF.join(lines) + CRLF + CRLF + body


def typed(
    body: bytes, charset: str | None, transfer: str = "8bit", kind: str = "text/plain"
) -> bytes:
    parameter = f"; charset={charset}" if charset is not None else ""
    return mail(
        encoded(body, transfer),
        b"MIME-Version: 1.0",
        f"Content-Type: {kind}{parameter}".encode(),
        f"Content-Transfer-Encoding: {transfer}".encode(),
    )


def with_attachment(
    disposition: bytes, kind: bytes = b"application/octet-stream", data: bytes = b"abc"
) -> bytes:
    return mail(
        CRLF.join(
            (
                b"--BB",
                b"Content-Type: text/plain; charset=utf-8",
                b"",
                "本文です".encode(),
                b"--BB",
                b"Content-Type: " + kind,
                *((b"Content-Disposition: " + disposition,) if disposition else ()),
                b"Content-Transfer-Encoding: base64",
                b"",
                base64.b64encode(data),
                b"--BB--",
                b"",
            )
        ),
        b"MIME-Version: 1.0",
        b'Content-Type: multipart/mixed; boundary="BB"',
    )


def nested(levels: int, text: bytes) -> bytes:
    """Multiparts in multiparts."""
    head = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
        for level in range(levels)
    )
    return b"Subject: x\r\nFrom: a@b\r\n" + head + b"Content-Type: text/plain\r\n\r\n" + text


# ---- OLE compound files -------------------------------------------------------------------------

Tree = dict[str, "bytes | Tree"]
END, FAT_SECTOR, FREE = 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF


def compound_file(tree: Tree) -> bytes:  # noqa: C901 - the format in one piece
    """A version 3 compound file ([MS-CFB]); every stream is padded over the mini stream cutoff."""
    entries: list[list] = [["Root Entry", 5, FREE, END, 0]]
    streams: list[tuple[int, bytes]] = []

    def add(folder: Tree) -> int:
        numbers = []
        for name, value in sorted(folder.items(), key=lambda item: (len(item[0]), item[0].upper())):
            number = len(entries)
            numbers.append(number)
            kind = 2 if isinstance(value, bytes) else 1
            entries.append([name, kind, FREE, END, 0])
            if isinstance(value, bytes):
                streams.append((number, value))
            else:
                entries[number][2] = add(value)
        for number, following in itertools.pairwise(numbers):
            entries[number].append(following)  # a chain of right siblings is a legal search tree
        return numbers[0] if numbers else FREE

    entries[0][2] = add(tree)
    sectors: list[bytes] = []
    table: list[int] = []

    def store(data: bytes) -> int:
        first = len(sectors)
        pieces = [data[at : at + 512].ljust(512, b"\0") for at in range(0, len(data), 512)]
        for index, piece in enumerate(pieces):
            sectors.append(piece)
            table.append(END if index == len(pieces) - 1 else first + index + 1)
        return first

    mini = bytearray()
    mini_table: list[int] = []
    for number, data in streams:
        entries[number][4] = len(data)
        if len(data) >= 4096:
            entries[number][3] = store(data)
        elif data:
            first = len(mini) // 64
            count = -(-len(data) // 64)
            mini += data.ljust(count * 64, b"\0")
            mini_table += [*range(first + 1, first + count), END]
            entries[number][3] = first
    if mini:
        entries[0][3], entries[0][4] = store(bytes(mini)), len(mini)
    mini_first = (
        store(b"".join(struct.pack("<I", each) for each in mini_table)) if mini_table else END
    )
    directory = b"".join(_entry(*entry) for entry in entries)
    directory_first = store(directory)
    fat_count = 1
    while (len(table) + fat_count) * 4 > fat_count * 512:
        fat_count += 1
    fat_start = len(sectors)
    table += [FAT_SECTOR] * fat_count
    fat = b"".join(struct.pack("<I", each) for each in table).ljust(fat_count * 512, b"\xff")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16
    header += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    header += struct.pack(
        "<IIIIIIIII",
        0,
        fat_count,
        directory_first,
        0,
        4096,
        mini_first,
        -(-len(mini_table) * 4 // 512),
        END,
        0,
    )
    header += b"".join(struct.pack("<I", fat_start + n) for n in range(fat_count)).ljust(
        436, b"\xff"
    )
    return header + b"".join(sectors) + fat


def _entry(name: str, kind: int, child: int, start: int, size: int, right: int = FREE) -> bytes:
    raw = name.encode("utf-16-le") + b"\0\0"
    return (
        raw.ljust(64, b"\0")
        + struct.pack("<HBBIII", len(raw), kind, 1, FREE, right, child)
        + b"\0" * 36
        + struct.pack("<IQ", start, size)
    )


def msg(
    properties: dict[tuple[int, int], bytes],
    attachments: list[Tree] = (),
    *,
    root: bool = True,
    codepage: int = 932,
) -> Tree:
    """The tree of a message."""
    tree: Tree = {
        f"__substg1.0_{number:04X}{kind:04X}": value for (number, kind), value in properties.items()
    }
    tree["__properties_version1.0"] = b"\0" * (32 if root else 24) + struct.pack(
        "<HHIII", 3, 0x3FFD, 6, codepage, 0
    )
    for index, attachment in enumerate(attachments):
        tree[f"__attach_version1.0_#{index:08X}"] = {
            "__properties_version1.0": b"\0" * 8,
            **attachment,
        }
    return tree


def tnef(attributes: list[tuple[int, int, bytes]]) -> bytes:
    """A TNEF stream of (level, number, value)."""
    out = b"\x78\x9f\x3e\x22\x01\x00"
    for level, number, value in attributes:
        out += struct.pack("<BHHI", level, number, 1, len(value)) + value
        out += struct.pack("<H", sum(value) & 0xFFFF)
    return out


def tnef_properties(properties: list[tuple[int, int, bytes]]) -> bytes:
    """A block of variable-length MAPI properties."""
    out = struct.pack("<I", len(properties))
    for number, kind, value in properties:
        out += struct.pack("<HHII", kind, number, 1, len(value)) + value + b"\0" * (-len(value) % 4)
    return out


# ---- CMS ---------------------------------------------------------------------------------------


def ber(tag: int, content: bytes, *, indefinite: bool = False) -> bytes:
    if indefinite:
        return bytes((tag, 0x80)) + content + b"\0\0"
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def cms(kind: int, content: bytes, *, indefinite: bool = False) -> bytes:
    """ContentInfo of pkcs7-``kind`` (2 signed, 3 enveloped) around ``content``."""
    oid = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07"
    if indefinite:
        pieces = b"".join(ber(4, content[at : at + 10]) for at in range(0, len(content), 10))
        inner = ber(0x24, pieces, indefinite=True)
    else:
        inner = ber(4, content)
    encapsulated = ber(
        0x30, ber(6, oid + b"\x01") + ber(0xA0, inner, indefinite=indefinite), indefinite=indefinite
    )
    body = ber(
        0x30,
        ber(2, b"\x01") + ber(0x31, b"") + encapsulated + ber(0x31, b""),
        indefinite=indefinite,
    )
    return ber(
        0x30,
        ber(6, oid + bytes((kind,))) + ber(0xA0, body, indefinite=indefinite),
        indefinite=indefinite,
    )
