"""Golden archives by zipfile, pyzipper, tarfile and others, each with one number in one place."""

from __future__ import annotations

import io
import zipfile
import zlib

import pyzipper
from office_cases import cell_text, sheet_with


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
]
