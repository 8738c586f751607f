"""Word and PowerPoint 97-2003 files under a password: [MS-OFFCRYPTO] 2.3.5 and 2.3.6.

Word's own way is 40-bit RC4 (Office 97) or RC4 by the CryptoAPI (Office XP and later); PowerPoint
has the second alone. Keys change every 512 bytes of a stream, or with each object of a file.
"""

from __future__ import annotations

import hashlib
import struct

from tests.unit.extract_files.cfb_writer import cfb
from tests.unit.extract_files.legacy_cases import atom, word_97

SALT, VERIFIER = bytes(range(16)), bytes(range(16, 32))
BITS = 128
BLOCK = 512
PLAIN_FIB = 68  # bytes


def rc4(key, data):
    box, j, out = list(range(256)), 0, bytearray()
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) & 0xFF
        box[i], box[j] = box[j], box[i]
    i = j = 0
    for byte in data:
        i = (i + 1) & 0xFF
        j = (j + box[i]) & 0xFF
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) & 0xFF])
    return bytes(out)


def key_97(password):
    """Block number → key of 40 bits' worth."""
    short = hashlib.md5(password.encode("utf-16-le")).digest()[:5]
    base = hashlib.md5((short + SALT) * 16).digest()[:5]
    return lambda block: hashlib.md5(base + struct.pack("<I", block)).digest()


def key_capi(password):
    """Block number → key of 128 bits."""
    base = hashlib.sha1(SALT + password.encode("utf-16-le")).digest()
    return lambda block: hashlib.sha1(base + struct.pack("<I", block)).digest()[: BITS // 8]


def header_97(key):
    secret = rc4(key(0), VERIFIER + hashlib.md5(VERIFIER).digest())
    return struct.pack("<HH", 1, 1) + SALT + secret


def header_capi(key):
    provider = "Microsoft Enhanced Cryptographic Provider v1.0\0".encode("utf-16-le")
    inner = struct.pack("<8I", 4, 0, 0x6801, 0x8004, BITS, 1, 0, 0) + provider
    secret = rc4(key(0), VERIFIER + hashlib.sha1(VERIFIER).digest())
    return (
        struct.pack("<HHII", 2, 2, 4, len(inner)) + inner
        + struct.pack("<I", 16) + SALT + secret[:16] + struct.pack("<I", 20) + secret[16:]
    )  # fmt: skip


def blocks(key, data):
    return b"".join(
        rc4(key(at // BLOCK), data[at : at + BLOCK]) for at in range(0, len(data), BLOCK)
    )


def doc_locked(password, make_key, make_header):
    """A .doc; the table stream begins with the header, which stays as it is."""

    def build(number):
        key = make_key(password)
        header = make_header(key)
        streams = word_97([("本文の文字。\r", 3), (f"番号 {number}\r", 3)])
        table = header + streams["1Table"]
        word = bytearray(streams["WordDocument"])
        struct.pack_into("<I", word, 154 + 33 * 8, len(header))  # the piece table has moved
        struct.pack_into("<H", word, 10, 0x200 | 0x100)
        struct.pack_into("<I", word, 14, len(header))
        secret = bytes(word[:PLAIN_FIB]) + blocks(key, bytes(word))[PLAIN_FIB:]
        return cfb(
            {
                "WordDocument": secret,
                "1Table": header + blocks(key, table)[len(header) :],
            }
        )

    return build


def ppt_locked(password):
    """A .ppt of two objects, then the header as an object of its own and the directory."""

    def build(number):
        key = key_capi(password)
        places, stream = [], b""
        for block, text in enumerate(("表紙", f"番号 {number}"), start=1):
            inner = atom(0x0FF0, atom(0x0FA0, text.encode("utf-16-le")), version=15)
            places.append(len(stream))
            stream += rc4(key(block), atom(1000, inner, version=15))
        places.append(len(stream))
        stream += atom(0x2F14, header_capi(key), version=15)
        directory = len(stream)
        stream += atom(0x1772, struct.pack("<4I", 1 | len(places) << 20, *places))
        edit = len(stream)
        stream += atom(0x0FF5, struct.pack("<IHBBIIIIHHI", 0, 0, 0, 3, 0, directory, 1, 3, 1, 0, 3))
        # So long a name that the writer does not fill up the stream, whose size must be the atom's.
        name = "a" * 1355
        user = struct.pack("<IIIHHBBH", 20, 0xF3D1C4DF, edit, len(name), 0x3F4, 3, 0, 0)
        user += name.encode() + struct.pack("<I", 8) + name.encode("utf-16-le")
        user = atom(0x0FF6, user)
        return cfb({"PowerPoint Document": stream, "Current User": user})

    return build
