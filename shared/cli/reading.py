"""Files of this machine as items: found, read, and never a traceback."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from shared.model import Content, Extraction, Gap, GapCode
from shared.sandbox import Sandbox

MAX_BYTES = 150_000_000
"""Larger files are not read but are a gap, as in the service (SEKISHO_MAX_ITEM_BYTES's default)."""


def find(paths: Sequence[Path]) -> Iterator[Path]:
    """Every file under the paths, in order and each once; folders that cannot be opened too.

    Links to folders are not followed (they may lead in a circle); links to files are.
    """
    seen: set[str] = set()
    for path in paths:
        for each in _under(path):
            key = os.path.realpath(each)
            if key not in seen:
                seen.add(key)
                yield each


def _under(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    try:
        entries = sorted(path.iterdir())
    except OSError:
        yield path  # reading it then says by name that it could not be opened
        return
    for entry in entries:
        if entry.is_dir():
            if not entry.is_symlink():
                yield from _under(entry)
        else:
            yield entry


async def read(path: Path, sandbox: Sandbox) -> Extraction:
    """What is in a file; what cannot be opened or is no file is a gap by name."""
    loaded = _load(path)
    if isinstance(loaded, GapCode):
        return Extraction((), (Gap(loaded, ""),))
    return await sandbox.extract(loaded)


def _load(path: Path) -> Content | GapCode:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return GapCode.UNSUPPORTED  # a pipe or a device would never end
        if status.st_size > MAX_BYTES:
            return GapCode.TOO_LARGE
        data = path.read_bytes()
    except OSError:
        return GapCode.CRASHED
    # A name may be no Unicode at all.
    return Content(data, path.name.encode("utf-8", "replace").decode())
