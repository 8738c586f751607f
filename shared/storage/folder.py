"""A copy of a container in a folder of this machine, to be read alone (``azcopy``'s layout)."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from shared.errors import GoneError
from shared.ports import Blob


@dataclass(frozen=True, slots=True)
class Folder:
    """Blobs are files; a blob's name is the path below ``root``. Links are not followed."""

    root: Path

    async def get(self, name: str) -> Blob:
        """The whole file; GoneError."""
        path = self._path(name)
        try:
            return Blob(path.read_bytes(), str(path.stat().st_mtime_ns))
        except OSError:
            message = f"{name} cannot be read"
            raise GoneError(message) from None

    async def read_range(self, name: str, start: int, length: int | None = None) -> bytes:
        """The bytes from ``start``, at most ``length``; empty if the file is missing or shorter."""
        try:
            with self._path(name).open("rb") as file:
                file.seek(start)
                return file.read(-1 if length is None else length)
        except (OSError, GoneError):
            return b""

    async def names(self, prefix: str = "") -> AsyncIterator[str]:
        """Names in order."""
        # The last part of a prefix may be the beginning of a name, the rest are folders.
        top = self.root / prefix.rpartition("/")[0]
        found = []
        for folder, _, files in os.walk(top):
            found += [(Path(folder) / file).relative_to(self.root).as_posix() for file in files]
        for name in sorted(found):
            if name.startswith(prefix):
                yield name

    def _path(self, name: str) -> Path:
        path = self.root / name
        if not path.resolve().is_relative_to(self.root.resolve()):
            message = "a name outside the folder"
            raise GoneError(message)
        return path
