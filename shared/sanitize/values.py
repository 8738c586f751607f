"""The values of this room: what it is given, and what its lineage says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shared.model import Content, Extraction


class Links(StrEnum):
    """What becomes of a plain hyperlink (http, https, mailto); others are always removed."""

    DEFANG = "defang"  # its target is shown beside it as text, and nothing can be clicked
    KEEP = "keep"  # it stays, with its target shown beside it in HTML


class Parts(StrEnum):
    """What becomes of a mail or an archive when one part in it cannot be sanitised."""

    HOLD = "hold"  # the whole item is held
    NOTE = "note"  # a note stands in its place; the gap is named all the same


@dataclass(frozen=True, slots=True)
class Options:
    """What policy chooses. ``pixels`` is the most that a picture may have.

    ``link`` is where the reader of a sanitised mail asks for its original; its note names it.
    """

    links: Links = Links.DEFANG
    parts: Parts = Parts.HOLD
    pixels: int = 60_000_000
    compare_text: bool = True
    link: str = ""


class Budget(Protocol):
    """The budget of one item; ``shared.extract.Limits`` is one. Bytes and seconds."""

    @property
    def depth(self) -> int:
        """How deep parts may be nested."""

    @property
    def members(self) -> int:
        """How many parts there may be in all."""

    @property
    def expanded(self) -> int:
        """How many bytes may be unpacked in all."""

    @property
    def ratio(self) -> int:
        """How many times its packed size a member may be."""

    @property
    def seconds(self) -> float:
        """How long all of it may take."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The default budget."""

    depth: int = 8
    members: int = 5_000
    expanded: int = 200_000_000
    ratio: int = 1_000
    seconds: float = 60.0


def sha256(data: bytes) -> str:
    """64 hex digits."""
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class Tools:
    """What this room may not import.

    ``sniff(data, name, media_type)`` names the formats of the bytes; ``extract`` reads an item (for
    the comparison of words; None leaves it out); ``decode(data, label)`` gives a text's likeliest
    reading; ``digest`` makes the lineage's hashes (hand in a keyed one where an item can be so
    small that its plain hash gives it away).
    """

    sniff: Callable[[bytes, str, str], tuple[str, ...]]
    extract: Callable[[Content], Extraction] | None
    decode: Callable[[bytes, str], str]
    digest: Callable[[bytes], str] = sha256


@dataclass(frozen=True, slots=True)
class Removal:
    """Something that was taken out, how often, and why; no content in it."""

    code: str
    location: str
    count: int
    ja: str
    en: str


@dataclass(frozen=True, slots=True)
class PartHash:
    """A part before and after; ``clean`` is empty where a note stands in its place."""

    location: str
    kind: str
    original: str
    clean: str


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where the clean item comes from.

    ``original`` and ``clean`` are digests (``clean`` is empty for a held item); ``statements`` are
    what follows for signatures. ``text_kept`` says whether every visible line of the original is in
    the clean item (None: not compared); ``text_lost`` counts the lines that are not.
    """

    original: str
    clean: str
    removals: tuple[Removal, ...] = ()
    statements: tuple[Removal, ...] = ()
    parts: tuple[PartHash, ...] = ()
    text_kept: bool | None = None
    text_lost: int = 0
