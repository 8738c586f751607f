"""Keys and files of registers: what ``edm``, ``fingerprint`` and ``scan`` share."""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from pathlib import Path

import click

from shared.detect import Forms, Register
from shared.errors import MalformedError

VARIABLE = "SEKISHO_EDM_KEY"
_LEAST, _MOST = 16, 64


def key(file: Path | None) -> bytes:
    """The key of the file, or the bytes that the variable holds as hexadecimal; UsageError."""
    if file is not None:
        found = file.read_bytes().strip()
    else:
        try:
            found = bytes.fromhex(os.environ.get(VARIABLE, ""))
        except ValueError:
            message = f"{VARIABLE} is not hexadecimal"
            raise click.UsageError(message) from None
    if not found:
        message = f"鍵がありません / no key: give --key-file, or {VARIABLE} in hexadecimal"
        raise click.UsageError(message)
    if not _LEAST <= len(found) <= _MOST:
        message = f"the key has {len(found)} bytes; it must have {_LEAST} to {_MOST}"
        raise click.UsageError(message)
    return found


def registers(files: Sequence[Path], secret: bytes) -> list[Register]:
    """The registers, memory-mapped; UsageError names the file that is none."""
    opened = []
    for file in files:
        try:
            with file.open("rb") as stream:
                view = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            opened.append(Register(memoryview(view), secret))
        except (MalformedError, ValueError) as error:
            message = f"{file}: {error}"
            raise click.UsageError(message) from error
    return opened


def forms(file: Path, secret: bytes) -> Forms:
    """The registered documents of a file; UsageError."""
    try:
        return Forms.load(file.read_bytes(), secret)
    except MalformedError as error:
        message = f"{file}: {error}"
        raise click.UsageError(message) from error


def replace(out: Path, data: Path) -> None:
    """Put a finished file in its place in one step, for its owner alone."""
    data.chmod(0o600)
    data.replace(out)
