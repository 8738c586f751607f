"""OLE compound files: every storage in them by what it holds (.doc, .xls, .ppt, Ichitaro, objects).

A file's main storage and the objects embedded in it are read alike. Format: [MS-CFB], [MS-OLEDS].
"""

from __future__ import annotations

import io
from collections.abc import Callable

import olefile

from shared.extract import doc, jtd, ppt, xls
from shared.extract.job import Document, Job, LimitError
from shared.extract.office_crypto import unlock
from shared.extract.oleparts import Storage, native_file
from shared.extract.ooxml import printable
from shared.extract.sniff import sniff
from shared.model import GapCode

# A stream's name in lower case → what reads the storage it is in.
MAIN: dict[str, Callable[[Storage, str], None]] = {
    "worddocument": doc.read_storage,
    "workbook": xls.read_storage,
    "book": xls.read_storage,
    "powerpoint document": ppt.read_storage,
    "documenttext": jtd.read_storage,
    "jscompdocument": jtd.read_compressed,
}
OBJECTS = frozenset({"package", "contents", "embeddedodf"})
# What a stream of a known file may be that is no stream of the format: a picture, mostly.
FILES = frozenset(
    {"image", "emf", "wmf", "pdf", "zip", "docx", "xlsx", "pptx", "odf", "ole", "rtf"}
)
SUMMARIES = frozenset({"\x05summaryinformation", "\x05documentsummaryinformation"})
# Streams of pointers, formats and pictures' frames: no words of a person.
QUIET = frozenset(
    [
        "\x01compobj",
        "\x03objinfo",
        "\x01ole",
        "\x03linkinfo",
        "\x02olepres000",
        "\x03eprint",
        "\x03meta",
        "0table",
        "1table",
        "data",
        "pictures",
        "encryptioninfo",
        "dir",
        "props",
    ]
) | {"current user"}


def read(document: Document, job: Job) -> None:
    """Read all storages of a compound file; nothing known in it is a gap ``unknown_format``."""
    opened = unlock(document, job)
    if opened is None:
        return
    container = olefile.OleFileIO(io.BytesIO(opened.data))
    by_storage: dict[tuple[str, ...], list[str]] = {}
    for path in container.listdir(streams=True, storages=False):
        job.member()
        by_storage.setdefault(tuple(path[:-1]), []).append(path[-1])
    known = False
    for number, prefix in enumerate(sorted(by_storage, key=lambda p: (len(p), p))):
        where = opened if not prefix else _inner(opened, number)
        storage = Storage(container, prefix, by_storage[prefix], where, job)
        known = _storage(storage) or known
    if not known:
        job.gap(GapCode.UNKNOWN_FORMAT, document.location)


def _inner(document: Document, number: int) -> Document:
    location = document.inside(f"埋め込み{number}")
    return Document(document.data, "", "", location, document.depth)


def _storage(storage: Storage) -> bool:
    """Read one storage's streams; whether any was of a known kind."""
    known = False
    for name in storage.names:
        reader = MAIN.get(name.lower())
        if reader:
            known = True
            _guarded(storage, name, reader)
    for number, name in enumerate(storage.names, start=1):
        if name.lower() not in MAIN:
            known = _side_stream(storage, name, number, in_known=known) or known
    return known


def _guarded(storage: Storage, name: str, reader: Callable[[Storage, str], None]) -> None:
    """A damaged storage must not hide the others."""
    try:
        reader(storage, name)
    except (LimitError, MemoryError, RecursionError):
        raise
    except Exception:  # noqa: BLE001 - hostile input may raise anything; the storage then has a gap
        storage.job.gap(GapCode.MALFORMED, storage.document.location)


def _side_stream(storage: Storage, name: str, number: int, *, in_known: bool) -> bool:
    lower = name.lower()
    job, document = storage.job, storage.document
    if lower in SUMMARIES:
        job.text(document.inside("プロパティ"), storage.properties(name))
        return False
    if lower in QUIET:
        return False
    data = storage.data(name)
    if lower == "\x01ole10native":
        label, payload = native_file(data)
        job.child(document, payload, label, label=f"オブジェクト{number}")
        return True
    if lower in OBJECTS:
        job.child(document, data, "", label=f"オブジェクト{number}")
        return True
    if in_known and set(sniff(data)) & FILES:
        job.child(document, data, "", label=f"その他{number}")
    elif in_known:
        job.text(document.inside(f"その他{number}"), printable(data))
    return False
