"""Shapes: patterns over the skeleton, bounded in length, that both matchers read alike.

A shape is ``head`` (one character class) followed by ``tail``, with classes that must not stand
just before and after. Vectorscan, which knows no lookaround, gets a superset of it and says where
a match may end; ``re`` then decides at every start on its own, so that looking in windows around
those ends and looking everywhere give the same hits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from shared.errors import PolicyError

type Span = tuple[int, int]
"""(start, end) in characters."""

LONGEST = 256
"""Characters; a shape that can match more is refused (bounded work)."""


@dataclass(frozen=True)
class Shape:
    """A pattern; ``before`` and ``after`` are the inside of a character class, ``""`` for none.

    ``tail`` is in the syntax that ``re`` and Vectorscan share (no lookaround, no back reference).
    ``alone`` is a further condition (a ``re`` lookaround) on where the match may start, and
    ``ends`` on where it may end. ``gate`` is something short that stands inside every match, for
    patterns that Vectorscan is slow to compile. PolicyError where the length is unbounded.
    """

    name: str
    head: str
    tail: str
    before: str = "0-9A-Za-z"
    after: str = "0-9A-Za-z"
    alone: str = ""
    ends: str = ""
    gate: str = ""
    length: int = field(init=False, default=0)
    fixed: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        try:
            least, width = re._parser.parse(self.tail).getwidth()  # type: ignore[attr-defined,unused-ignore]  # noqa: SLF001 - the only way to know a pattern's width
        except re.error as error:
            message = f"shape {self.name}: {error.msg} at {error.pos}"
            raise PolicyError(message) from None
        if width >= LONGEST:
            message = f"shape {self.name}: its length must be bounded (under {LONGEST} characters)"
            raise PolicyError(message)
        object.__setattr__(self, "length", width + 1)
        object.__setattr__(self, "fixed", least == width)

    @cached_property
    def pattern(self) -> re.Pattern[bytes]:
        """The exact rule: a match starts at ``start()`` and ends at ``end(1)``."""
        guard = f"(?<![{self.before}]{self.head})" if self.before else ""
        stop = f"(?![{self.after}])" if self.after else ""
        source = f"{self.head}{guard}{self.alone}(?=({self.tail}){stop}{self.ends})"
        return re.compile(source.encode("latin-1"), re.DOTALL)

    @property
    def superset(self) -> bytes:
        """For Vectorscan: matches wherever ``pattern`` does, its end one off at most.

        With a ``gate`` it matches somewhere inside instead.
        """
        if self.gate:
            return self.gate.encode("latin-1")
        start = f"(?:^|[^{self.before}])" if self.before else ""
        stop = f"(?:[^{self.after}]|$)" if self.after else ""
        return f"{start}{self.head}{self.tail}{stop}".encode("latin-1")
