"""Golden archives by zipfile, pyzipper, tarfile and others, each with one number in one place."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib

import pyzipper

from tests.unit.extract_files.office_cases import cell_text, sheet_with


def zipped(members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def note(number):
    return f"番号 {number}".encode()


def plain(method):
    return lambda number: zipped({"a.txt": note(number)}, method)


def nested(number):
    inner = zipped({"集計.xlsx": sheet_with(cell_text)(number)})
    return zipped({"1.zip": zipped({"2.zip": inner})})


def name_utf8(number):
    return zipped({f"氏名_{number}.txt": b"x"})


def name_cp932(number):
    """As Explorer on a Japanese Windows writes it: CP932 bytes, no flag."""
    right = f"表_{number}.txt".encode("cp932")
    wrong = b"A" * len(right)
    return zipped({wrong.decode(): b"x"}).replace(wrong, right)


def folder_name(number):
    return zipped({f"{number}/": b"", "a.txt": b"x"})


def archive_comment(number):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "x")
        archive.comment = note(number).decode().encode("cp932")
    return out.getvalue()


def aes(password):
    def build(number):
        out = io.BytesIO()
        with pyzipper.AESZipFile(
            out, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES
        ) as archive:
            archive.setpassword(password)
            archive.writestr("a.txt", note(number))
        return out.getvalue()

    return build


class ZipCrypto:
    """PKWARE's traditional cipher (APPNOTE 6.1), to write what old archivers write."""

    def __init__(self, password):
        self.keys = [0x12345678, 0x23456789, 0x34567890]
        for byte in password:
            self.update(byte)

    @staticmethod
    def crc(value, byte):
        index = (value ^ byte) & 0xFF
        for _ in range(8):
            index = (index >> 1) ^ (0xEDB88320 if index & 1 else 0)
        return (value >> 8) ^ index

    def update(self, byte):
        first, second, third = self.keys
        first = self.crc(first, byte)
        second = (second + (first & 0xFF)) * 134775813 + 1 & 0xFFFFFFFF
        third = self.crc(third, second >> 24)
        self.keys = [first, second, third]

    def encrypt(self, data):
        out = bytearray()
        for byte in data:
            key = self.keys[2] | 2
            out.append(byte ^ ((key * (key ^ 1)) >> 8 & 0xFF))
            self.update(byte)
        return bytes(out)


def zipcrypto(password):
    """A stored member, encrypted: headers patched by hand."""

    def build(number):
        content = note(number)
        crc = zlib.crc32(content)
        cipher = ZipCrypto(password)
        secret = cipher.encrypt(b"\0" * 11 + bytes([crc >> 24])) + cipher.encrypt(content)
        data = bytearray(zipped({"a.txt": b"\0" * len(secret)}, zipfile.ZIP_STORED))
        at = data.index(b"\0" * len(secret), 30)
        data[at : at + len(secret)] = secret
        central = data.index(b"PK\x01\x02")
        for flag, crc_at, size_at in ((6, 14, 22), (central + 8, central + 16, central + 24)):
            data[flag] |= 1
            data[crc_at : crc_at + 4] = crc.to_bytes(4, "little")
            data[size_at : size_at + 4] = len(content).to_bytes(4, "little")
        return bytes(data)

    return build


def tar(number):
    return _tar({"a.txt": note(number)})


def _tar(members, kind=tarfile.PAX_FORMAT, encoding="utf-8"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=kind, encoding=encoding) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def tar_name(number):
    return _tar({f"表_{number}.txt": b"x"}, tarfile.USTAR_FORMAT, "cp932")


def tar_link(number):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("a")
        info.type, info.linkname = tarfile.SYMTYPE, f"/etc/{number}"
        archive.addfile(info)
    return out.getvalue()


def zstd(number):
    """One frame with one raw block (RFC 8878 3.1.1)."""
    content = note(number)
    head = b"\x28\xb5\x2f\xfd" + bytes([0x20, len(content)])
    return head + (len(content) << 3 | 1).to_bytes(3, "little") + content


def crc16(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return crc


def lzh(name, content):
    """One stored member with a level-0 header."""
    raw = name.encode("cp932")
    rest = b"-lh0-" + struct.pack("<III", len(content), len(content), 0) + b"\x20\x00"
    rest += bytes([len(raw)]) + raw + struct.pack("<H", crc16(content))
    return bytes([len(rest), sum(rest) & 0xFF]) + rest + content + b"\0"


def seven_zip(members):
    """A 7z archive of stored members, one folder each (7zFormat.txt)."""
    packed = b"".join(members.values())
    n = len(members)
    sizes = [len(data) for data in members.values()]
    crcs = b"".join(struct.pack("<I", zlib.crc32(data)) for data in members.values())
    names = b"".join(name.encode("utf-16-le") + b"\0\0" for name in members)
    header = (
        b"\x01\x04\x06" + _count(0) + _count(n) + b"\x09" + b"".join(map(_count, sizes)) + b"\x00"
    )
    header += b"\x07\x0b" + _count(n) + b"\x00" + b"\x01\x01\x00" * n
    header += b"\x0c" + b"".join(map(_count, sizes)) + b"\x0a\x01" + crcs + b"\x00"
    header += (
        b"\x00\x05" + _count(n) + b"\x11" + _count(len(names) + 1) + b"\x00" + names + b"\x00\x00"
    )
    start = struct.pack("<QQI", len(packed), len(header), zlib.crc32(header))
    return (
        b"7z\xbc\xaf\x27\x1c\x00\x04"
        + struct.pack("<I", zlib.crc32(start))
        + start
        + packed
        + header
    )


def _count(value):
    """7z's variable-length number, to 14 bits."""
    return bytes([value]) if value < 0x80 else bytes([0x80 | value >> 8, value & 0xFF])


# format, place in words, builder, expected location, passwords
CASES = [
    ("zip", "メンバー (無圧縮)", plain(zipfile.ZIP_STORED), r"^メンバー1\.txt › ", ()),
    ("zip", "メンバー (deflate)", plain(zipfile.ZIP_DEFLATED), r"^メンバー1\.txt › ", ()),
    ("zip", "メンバー (bzip2)", plain(zipfile.ZIP_BZIP2), r"^メンバー1\.txt › ", ()),
    ("zip", "メンバー (LZMA)", plain(zipfile.ZIP_LZMA), r"^メンバー1\.txt › ", ()),
    (
        "zip",
        "三重のアーカイブの中の表",
        nested,
        r"^メンバー1\.zip › メンバー1\.zip › メンバー1\.xlsx › シート1!B7$",
        (),
    ),
    ("zip", "ファイル名 (UTF-8)", name_utf8, r"^メンバー1\.txt › 名前$", ()),
    ("zip", "ファイル名 (CP932、2 バイト目が 5C)", name_cp932, r"^メンバー1\.txt › 名前$", ()),
    ("zip", "フォルダー名", folder_name, r"^メンバー1 › 名前$", ()),
    ("zip", "アーカイブのコメント", archive_comment, r"^コメント$", ()),
    ("zip", "暗号 (ZipCrypto)", zipcrypto(b"himitsu"), r"^メンバー1\.txt › ", ("x", "himitsu")),
    (
        "zip",
        "暗号 (AES、UTF-8 のパスワード)",
        aes("秘密".encode()),
        r"^メンバー1\.txt › ",
        ("秘密",),
    ),
    (
        "zip",
        "暗号 (AES、CP932 のパスワード)",
        aes("秘密".encode("cp932")),
        r"^メンバー1\.txt › ",
        ("秘密",),
    ),
    ("tar", "メンバー", tar, r"^メンバー1\.txt › ", ()),
    ("tar", "ファイル名 (CP932)", tar_name, r"^メンバー1\.txt › 名前$", ()),
    ("tar", "リンク先", tar_link, r"^メンバー1 › 名前$", ()),
    ("tgz", "メンバー", lambda n: gzip.compress(tar(n)), r"^中身.* › メンバー1\.txt › ", ()),
    ("gz", "中身", lambda n: gzip.compress(note(n)), r"^中身", ()),
    ("bz2", "中身", lambda n: bz2.compress(note(n)), r"^中身", ()),
    ("xz", "中身", lambda n: lzma.compress(note(n)), r"^中身", ()),
    (
        "xz",
        "二つ目のストリーム",
        lambda n: lzma.compress(b"x") + lzma.compress(note(n)),
        r"^中身",
        (),
    ),
    ("zst", "中身", zstd, r"^中身", ()),
    ("lzh", "メンバー", lambda n: lzh("a.txt", note(n)), r"^メンバー1\.txt › ", ()),
    (
        "lzh",
        "ファイル名 (CP932)",
        lambda n: lzh(f"表_{n}.txt", b"x"),
        r"^メンバー1\.txt › 名前$",
        (),
    ),
    (
        "7z",
        "メンバー",
        lambda n: seven_zip({"a.txt": b"x", "b.txt": note(n)}),
        r"^メンバー2\.txt › ",
        (),
    ),
    ("7z", "ファイル名", lambda n: seven_zip({f"{n}.txt": b"x"}), r"^メンバー1\.txt › 名前$", ()),
]
