"""One hostile file of the corpus, and how the real tools are wired for the tests."""

from __future__ import annotations

import io
import time
import zipfile
from dataclasses import dataclass
from email import message_from_bytes

from shared.extract import extract
from shared.extract.charset import decode
from shared.extract.sniff import sniff
from shared.model import Content
from shared.sanitize import Options, Tools, sanitise

WORDS = "住民課の案内です"


@dataclass(frozen=True)
class Sample:
    """``words`` must still be readable, ``code`` be in the lineage; ``held`` expects no content."""

    name: str
    data: bytes
    code: str
    words: str = WORDS
    held: bool = False
    media_type: str = ""

    @property
    def kind(self):
        return self.name.rpartition(".")[2]


def read(content):
    return extract(content, clock=time.monotonic)[0]


TOOLS = Tools(sniff=sniff, extract=read, decode=decode)


def clean(data, name="", media_type="", **options):
    return sanitise(
        Content(data, name, media_type),
        tools=TOOLS,
        clock=time.monotonic,
        options=Options(**options),
    )


def text_of(content):
    return "\n".join(segment.text for segment in read(content).segments)


def codes(result):
    return {removal.code for removal in result.lineage.removals}


def inside(content):
    """Name and bytes of every file of an item: in archives and mails, the pages of mails too."""
    kind = content.name.rpartition(".")[2]
    if kind == "zip":
        with zipfile.ZipFile(io.BytesIO(content.data)) as archive:
            for name in archive.namelist():
                yield from inside(Content(archive.read(name), name))
    elif kind == "eml":
        for part in message_from_bytes(content.data).walk():
            name = part.get_filename() or (
                "body.html" if part.get_content_subtype() == "html" else ""
            )
            if name:
                yield from inside(Content(part.get_payload(decode=True), name))
    else:
        yield content.name, content.data
