"""The envelope beside a blob in the landing container: who it is for, and where it goes.

Container ``envelopes``, the blob's name + ``.json``, written *before* the blob, so that whoever is
woken by the blob finds it. It holds names, which are content; the blob's own name never does.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime

from shared.codec import decode, encode
from shared.errors import GoneError, MalformedError, UnavailableError
from shared.ports import Blobs

_UPN = re.compile(r"[^@\s/\\]{1,64}@[^@\s/\\]{1,255}")
# What OneDrive does not take in a name (support.microsoft.com, restrictions in OneDrive).
_FORBIDDEN = re.compile(r'["*:<>?/\\|\x00-\x1f]')
_ENDS = re.compile(r"^\s+|[\s.]+$")
REPLACE, RENAME = "replace", "rename"


@dataclass(frozen=True, slots=True)
class Sidecar:
    """``recipients`` are sign-in names; a file has one, its owner, and ``path`` in their OneDrive.

    ``conflict`` says what happens to another file of that name: ``rename`` the new one, or
    ``replace`` the old one's content. ``via`` is who brought it: ``relay``, ``push``, ``drop``.
    The options are ESMTP's, of the mail and of each recipient, as the relay was given them.
    ``created_at`` and ``modified_at`` are a file's own times, which OneDrive then shows.
    """

    recipients: tuple[str, ...]
    path: str = field(default="", repr=False)
    media_type: str = field(default="", repr=False)
    sender: str = field(default="", repr=False)
    received_at: datetime | None = None
    conflict: str = RENAME
    via: str = ""
    v: int = 1
    mail_options: tuple[str, ...] = field(default=(), repr=False)
    recipient_options: tuple[tuple[str, ...], ...] = field(default=(), repr=False)
    created_at: datetime | None = None
    modified_at: datetime | None = None

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The path without the name."""
        return self.path.rpartition("/")[0]


def sidecar_name(blob: str) -> str:
    """Where a blob's envelope is."""
    return f"{blob}.json"


async def write(envelopes: Blobs, blob: str, sidecar: Sidecar) -> None:
    """Write it; MalformedError if a recipient is no sign-in name or the path is not a clean one."""
    check(sidecar)
    await envelopes.put(sidecar_name(blob), encode(sidecar))


async def read(envelopes: Blobs, blob: str) -> Sidecar:
    """Read it; UnavailableError while it is missing, MalformedError if it is not one."""
    try:
        found = await envelopes.get(sidecar_name(blob))
    except GoneError:
        message = "a blob in the landing container has no envelope yet"
        raise UnavailableError(message, retry_after=30) from None
    sidecar = decode(found.data, Sidecar)
    check(sidecar)
    return sidecar


def check(sidecar: Sidecar) -> None:
    """MalformedError where it could send something to a place that nobody meant."""
    if not sidecar.recipients or not all(_UPN.fullmatch(each) for each in sidecar.recipients):
        message = "an envelope without recipients, or with one that is no sign-in name"
        raise MalformedError(message)
    if sidecar.path and sidecar.path != clean_path(sidecar.path):
        message = "an envelope's path is not a clean relative path"
        raise MalformedError(message)
    if sidecar.conflict not in {REPLACE, RENAME}:
        message = "an envelope's conflict behaviour is unknown"
        raise MalformedError(message)


def clean_path(path: str) -> str:
    """A relative path that OneDrive takes: no ``..``, no forbidden characters, no blank ends."""
    parts = [_ENDS.sub("", _FORBIDDEN.sub("_", part)) for part in path.split("/")]
    return "/".join(part for part in parts if part)


def drop_id(blob: str, etag: str) -> str:
    """The name of a dropped blob's copy under ``files/``: the same for the same upload."""
    return hashlib.sha256(f"{len(blob)}:{blob}{etag}".encode()).hexdigest()[:32]
