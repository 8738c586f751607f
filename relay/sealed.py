"""How mail lies on the relay's disk: AES-256-GCM, a key of its own for each file.

A file is one readable line (``SEKISHO-SPOOL 1 <key id> <salt>``, so that a rotation can be seen
from outside), the length of the first box, and two boxes: the envelope and the mail. The file's key
is HKDF-SHA-256 of the site's key and the salt, so the two nonces are fixed and can never repeat
under one key (NIST SP 800-38D, 8.2.1). The line and the file's name are authenticated: no file can
be renamed to be another.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.errors import MalformedError, SettingsError
from shared.settings import Key

MAGIC = "SEKISHO-SPOOL 1"
SIZE = 32
_SALT = 16
_ID = re.compile(r"[A-Za-z0-9._-]{1,40}")
_META, _BODY = (bytes(11) + bytes([each]) for each in (1, 2))


def keys_of(text: str, name: str) -> tuple[Key, ...]:
    """Keys of a file: ``<id>:<base64 of 32 bytes>`` a line; SettingsError names the file alone."""
    found: list[Key] = []
    for line in text.split():
        key_id, _, encoded = line.partition(":")
        try:
            value = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            value = b""
        if not _ID.fullmatch(key_id) or len(value) < SIZE:
            found.clear()
            break
        found.append(Key(key_id, value))
    if not found:
        message = f"{name}: each line is <id>:<base64 of 32 random bytes>"
        raise SettingsError(message)
    return tuple(found)


def read_keys(file: Path) -> tuple[Key, ...]:
    """The keys of a file; SettingsError where it has none."""
    try:
        return keys_of(file.read_text(encoding="ascii"), file.name)
    except (OSError, UnicodeDecodeError):
        message = f"{file} cannot be read as a file of keys"
        raise SettingsError(message) from None


class Sealer:
    """Seals with the first key; opens with any (old ones, while they rotate)."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = {key.id: key.value for key in reversed(keys)}
        self.current = keys[0].id

    def seal(self, name: str, meta: bytes, body: bytes = b"") -> bytes:
        """The file's bytes for ``name``."""
        salt = os.urandom(_SALT)
        line = f"{MAGIC} {self.current} {salt.hex()}\n".encode()
        box = AESGCM(_derived(self._keys[self.current], salt))
        sealed = box.encrypt(_META, meta, line + name.encode())
        mail = box.encrypt(_BODY, body, line + name.encode())
        return b"".join((line, len(sealed).to_bytes(4), sealed, mail))

    def open_meta(self, name: str, raw: bytes) -> bytes:
        """The first box; MalformedError where it is not what was sealed under this name."""
        box, line, meta, _ = self._parts(raw)
        return _opened(box, _META, meta, line + name.encode())

    def open(self, name: str, raw: bytes) -> tuple[bytes, bytes]:
        """Both boxes; MalformedError as above."""
        box, line, meta, body = self._parts(raw)
        bound = line + name.encode()
        return _opened(box, _META, meta, bound), _opened(box, _BODY, body, bound)

    def _parts(self, raw: bytes) -> tuple[AESGCM, bytes, bytes, bytes]:
        line, end, rest = raw.partition(b"\n")
        words = line.decode("ascii", "replace").rsplit(" ", 2)
        if not end or words[0] != MAGIC or len(words) != 3:  # noqa: PLR2004 - magic, id, salt
            message = "spool: not a sealed file"
            raise MalformedError(message)
        if words[1] not in self._keys:
            message = f"spool: the key {words[1]!r} is not in the file of keys"
            raise MalformedError(message)
        try:
            salt = bytes.fromhex(words[2])
        except ValueError:
            message = "spool: not a sealed file"
            raise MalformedError(message) from None
        size = int.from_bytes(rest[:4])
        box = AESGCM(_derived(self._keys[words[1]], salt))
        return box, line + b"\n", rest[4 : 4 + size], rest[4 + size :]


def key_id(head: bytes) -> str:
    """Which key a file was sealed with, by its first line; empty if it is none of ours."""
    words = head.partition(b"\n")[0].decode("ascii", "replace").rsplit(" ", 2)
    return words[1] if words[0] == MAGIC else ""


def _derived(key: bytes, salt: bytes) -> bytes:
    return HKDF(hashes.SHA256(), SIZE, salt, b"sekisho relay spool v1").derive(key)


def _opened(box: AESGCM, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
    try:
        return box.decrypt(nonce, sealed, bound)
    except InvalidTag:
        message = "spool: a file was damaged or changed"
        raise MalformedError(message) from None
