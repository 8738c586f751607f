"""What people ask of the running relay, as files in the spool's folder ``requests``.

Who asks is who owns the file, as the system says it; only root may speak for another (sudo's user).
"""

from __future__ import annotations

import os
import pwd
import re
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from relay.spool import REQUESTS
from shared.codec import decode, encode
from shared.errors import MalformedError
from shared.services.relay_delivery import DELETE, RELEASE

LOCAL, CLOUD = "relay", "cloud"
_LONGEST = 4_096
_NAME = re.compile(r"[0-9a-f]{24}")
_DEAD = re.compile(r"[0-9a-f]{24}|[0-9a-f]{64}")
RETRY = "retry"


@dataclass(frozen=True, slots=True)
class Request:
    """``people`` ask for ``action`` on a held mail; ``channel`` says where they are known."""

    name: str
    action: str
    people: tuple[str, ...]
    channel: str = LOCAL


def ask(folder: Path, name: str, action: str) -> None:
    """Leave a request of the user who runs this process."""
    user = os.environ.get("SUDO_USER", "") if os.getuid() == 0 else ""
    request = Request(name, action, (user,) if user else ())
    path = folder / REQUESTS / f"{secrets.token_hex(8)}.tmp"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    os.fchmod(handle, 0o644)  # the relay's own user reads it; the folder keeps all others out
    with os.fdopen(handle, "wb") as out:
        out.write(encode(request))
        out.flush()
        os.fsync(out.fileno())
    path.rename(path.with_suffix(".ask"))


def take_requests(folder: Path) -> list[Request]:
    """Read and remove what was asked. A crash before it is acted on loses a wish, never a mail."""
    found = []
    for path in sorted((folder / REQUESTS).glob("*.ask")):
        with suppress(OSError, MalformedError):
            found.append(_read(path))
        path.unlink(missing_ok=True)
    return found


def _read(path: Path) -> Request:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or about.st_size > _LONGEST:
            message = "a request is no small file"
            raise MalformedError(message)
        asked = decode(file.read(), Request)
    check(asked)
    people = asked.people if about.st_uid == 0 and asked.people else (user_of(about.st_uid),)
    return Request(asked.name, asked.action, people)


def check(request: Request) -> None:
    """MalformedError where it names no spooled mail, or something that nobody can ask for."""
    known = request.action in {RELEASE, DELETE} and _NAME.fullmatch(request.name)
    if not known and not (request.action == RETRY and _DEAD.fullmatch(request.name)):
        message = "a request needs the name of a mail, and release, delete or retry"
        raise MalformedError(message)


def user_of(uid: int) -> str:
    """A user's name; the number where the system has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
