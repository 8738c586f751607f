"""Blob trigger paths: ``container/{name}.eml`` as a pattern."""

from __future__ import annotations

import re
from dataclasses import dataclass

from local.host.errors import HostRefusedError

_PART = re.compile(r"(\{[^{}]*\})")


@dataclass(frozen=True, slots=True)
class BlobPath:
    """A container and a pattern for names in it (the platform's ``BindingTemplate`` rules)."""

    container: str
    pattern: re.Pattern[str]
    names: tuple[str, ...]

    @classmethod
    def parse(cls, path: str, *, where: str) -> BlobPath:
        """Parse ``container/pattern``; without a pattern, every blob of the container.

        Raises:
            HostRefusedError: an expression in the container or one that is no plain name.
        """
        container, _, rest = path.partition("/")
        names, pattern = [], ""
        for part in _PART.split(rest or "{name}"):
            if not part.startswith("{"):
                pattern += re.escape(part)
                continue
            name = part[1:-1]
            if not name.isidentifier():
                message = f"{where}: {part} in {path!r} is not a plain name"
                raise HostRefusedError(message)
            names.append(name)
            pattern += "(.*)"
        if "{" in container or not container:
            message = f"{where}: {path!r} must begin with the name of a container"
            raise HostRefusedError(message)
        return cls(container, re.compile(pattern, re.DOTALL), tuple(names))

    def match(self, blob: str) -> dict[str, str] | None:
        """The values of the pattern's names, or None."""
        found = self.pattern.fullmatch(blob)
        return None if found is None else dict(zip(self.names, found.groups(), strict=True))
