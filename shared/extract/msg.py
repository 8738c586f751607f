"""Outlook .msg: properties in an OLE compound file. Source: [MS-OXMSG]."""

from __future__ import annotations

import io
import re
import struct
from collections import defaultdict
from dataclasses import dataclass, field

import olefile

from shared.extract import mapi
from shared.extract.job import SEPARATOR, Document, Job, LimitError, with_extension
from shared.extract.mapi import Property
from shared.model import GapCode

_STREAM = re.compile(r"__substg1\.0_([0-9A-Fa-f]{4})([0-9A-Fa-f]{4})(?:-([0-9A-Fa-f]{8}))?$")
FIXED_STREAM = "__properties_version1.0"
RECIPIENT, ATTACHMENT = "__recip_version1.0_", "__attach_version1.0_"
EMBEDDED = "__substg1.0_3701000D"
DATA = 0x3701
SEVERAL = 0x1000

Path = tuple[str, ...]


@dataclass(slots=True)
class Storage:
    """What is directly in a storage: streams and storages by name."""

    streams: list[str] = field(default_factory=list)
    storages: list[str] = field(default_factory=list)


def read(document: Document, job: Job) -> None:
    """Read a message and the messages and files in it."""
    with olefile.OleFileIO(io.BytesIO(document.data)) as ole:
        MsgReader(ole, job).message((), document)


class MsgReader:
    """One compound file being read; its tree is listed once."""

    def __init__(self, ole: olefile.OleFileIO, job: Job) -> None:
        self.ole = ole
        self.job = job
        self.tree: dict[Path, Storage] = defaultdict(Storage)
        for path in ole.listdir(streams=True, storages=False):
            job.tick()
            *parents, name = path
            self.tree[tuple(parents)].streams.append(name)
            for depth in range(1, len(path)):
                above = self.tree[tuple(path[: depth - 1])].storages
                if path[depth - 1] not in above:
                    above.append(path[depth - 1])

    def message(self, path: Path, document: Document) -> None:
        """A message, its people and its attachments."""
        properties = self.properties(path, 32 if not path else 24)
        label = mapi.codepage(properties)
        mapi.message(properties, document, self.job)
        people: list[str] = []
        attachments = 0
        for name in sorted(self.tree[path].storages):
            if name.startswith(RECIPIENT):
                people += mapi.people(self.properties((*path, name), 8), label)
            elif name.startswith(ATTACHMENT):
                attachments += 1
                self.attachment((*path, name), label, f"添付{attachments}", document)
        self.job.text(document.inside("宛先"), "\n".join(dict.fromkeys(people)))

    def attachment(self, path: Path, label: str, place: str, document: Document) -> None:
        """A file, or a message as a storage."""
        properties = self.properties(path, 8)
        name, *others = mapi.file_names(properties, label) or ("",)
        for other in others:
            shown = f"{with_extension(place, name)}{SEPARATOR}名前"
            self.job.text(document.inside(shown), other)
        if EMBEDDED in self.tree[path].storages:
            self.embedded((*path, EMBEDDED), name, place, document)
            return
        data = [prop.value for prop in properties if prop.id == DATA]
        if data:
            self.job.child(document, data[0], name, label=place)
        else:  # a link, or an object that only its program can draw
            self.job.gap(GapCode.UNSUPPORTED, document.inside(place))

    def embedded(self, path: Path, name: str, place: str, document: Document) -> None:
        """A message in a message, or an OLE object."""
        self.job.member()
        inner = Document(b"", name, "", document.inside(f"{place}.msg"), document.depth + 1)
        self.job.text(inner.inside("名前"), name)
        if inner.depth > self.job.limits.depth:
            self.job.gap(GapCode.TOO_DEEP, inner.location)
        elif FIXED_STREAM in self.tree[path].streams:
            self.message(path, inner)
        else:
            self.job.gap(GapCode.UNSUPPORTED, inner.location)

    def properties(self, path: Path, header: int) -> list[Property]:
        """The properties of a storage: text and binary in streams, numbers in one table."""
        found = []
        for name in sorted(self.tree[path].streams):
            if name == FIXED_STREAM:
                found += _numbers(self.stream((*path, name)), header)
                continue
            match = _STREAM.match(name)
            if match and (match[3] or not int(match[2], 16) & SEVERAL):
                kind = int(match[2], 16) & ~SEVERAL
                found.append(Property(int(match[1], 16), kind, self.stream((*path, name))))
        return found

    def stream(self, path: Path) -> bytes:
        """A stream's bytes, within the budget."""
        try:
            with self.ole.openstream(list(path)) as stream:
                data: bytes = stream.read(self.job.limits.expanded + 1)
        except OSError:
            self.job.gap(GapCode.MALFORMED, "メッセージ")
            return b""
        if len(data) > self.job.limits.expanded:
            raise LimitError(GapCode.TOO_LARGE)
        self.job.spend(len(data))
        return data


def _numbers(data: bytes, header: int) -> list[Property]:
    """The 32-bit numbers of a property table."""
    found = []
    for at in range(header, len(data) - 15, 16):
        kind, number = struct.unpack_from("<HH", data, at)
        if kind == mapi.INTEGER:
            found.append(Property(number, kind, data[at + 8 : at + 12]))
    return found
