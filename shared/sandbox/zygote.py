"""The sandbox's server process: libraries loaded once, a forked and limited child a document.

It is started with Popen by the worker (never forked from it: the worker has threads) and has one
thread itself. It does not read hostile bytes: it hands a document to the child, waits with a wall
clock, kills, and passes the child's answer on unread.

``python -c "..." pool`` is the same server without fork, for platforms that have none: it reads the
documents itself, and the worker kills and replaces it.
"""

from __future__ import annotations

import gc
import importlib
import io
import os
import select
import signal
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import msgspec

from shared.extract.dispatch import READERS, read
from shared.extract.job import Document, Job
from shared.model import Extraction, GapCode, Mark
from shared.sandbox.confine import Confinement, confine, die_with_parent, drop_files
from shared.sandbox.seccomp import shut_in
from shared.sandbox.wire import (
    ANSWER,
    CHUNK,
    FAILED,
    MAX_ANSWER,
    TASK,
    Answer,
    BrokenWireError,
    Request,
    pack,
    pack_answer,
    pack_failure,
    read_frame,
    unpack_request,
    write_frame,
)

if TYPE_CHECKING:
    from shared.sandbox.tasks import Task

# What readers import late: loaded once here, not in every child.
CODECS = ("cp932", "euc_jp", "cp437", "utf_16_le", "utf_16_be", "shift_jis", "iso2022_jp", "cp1252")
LATE = ("lxml.etree", "zlib", "bz2", "lzma", *(f"encodings.{codec}" for codec in CODECS))
HEAVY = 0.6  # of the memory limit: a child that died above it died of memory


def main() -> None:
    """Serve until the worker closes our input. Arguments: mode, then a Confinement as JSON."""
    mode, confinement = sys.argv[1], msgspec.json.decode(sys.argv[2], type=Confinement)
    for name in sys.argv[3:]:  # what this server is for, beside reading
        importlib.import_module(name)
    inbox, outbox = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)  # a library's print must not break the wire
    die_with_parent()
    if sys.argv[3:]:  # it makes masked copies, which people will look at
        importlib.import_module("shared.extract.pdf_fonts").keep_machine_fonts()
    preload()
    if mode == "pool":
        shut_in()
    try:
        while True:
            kind, asked = read_frame(inbox)
            body: bytes | bytearray
            request = _task(asked) if kind == TASK else unpack_request(asked)
            asked = b""  # a large document is not held twice, here and in the child
            if mode == "pool":
                confine(confinement, once=False)
                told: list[bytes] = []
                serve(request, told.append)
                status, body = ANSWER, b"".join(told)
            else:
                status, body = in_child(request, confinement)
            write_frame(outbox, status, body)
    except BrokenWireError:
        return


def preload() -> None:
    """Import every reader once; a broken library breaks its own format alone."""
    for module in (*(reader.module for reader in READERS.values()), *LATE):
        try:
            importlib.import_module(module)
        except ImportError:
            continue
    for (
        sample
    ) in _samples():  # what is done once (parsers, tables) is not done again in every child
        job = Job(clock=time.monotonic)
        read(Document(sample), job)
    gc.collect()
    gc.freeze()


def _samples() -> Iterator[bytes]:
    """The smallest documents that bring the most used libraries to work."""
    for folder, main, root in (("word", "document", "document"), ("xl", "workbook", "workbook")):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
            package.writestr("[Content_Types].xml", "<Types/>")
            package.writestr(f"{folder}/{main}.xml", f"<{root}><sheets/><p><t>a</t></p></{root}>")
        yield out.getvalue()
    yield (
        b"%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
        b"2 0 obj\n<</Type/Pages/Count 1/Kids[3 0 R]>>\nendobj\n"
        b"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</Font<<"
        b"/F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>\nendobj\n"
        b"4 0 obj\n<</Length 22>>\nstream\nBT /F 9 Tf (A) Tj ET  \nendstream\nendobj\n%%EOF\n"
    )


class _TellingJob(Job):
    """A job that hands over what it finds at once: if its process is killed, that much is known."""

    def __init__(self, request: Request, tell: Callable[[bytes], None]) -> None:
        super().__init__(
            clock=time.monotonic,
            limits=request.limits,
            passwords=request.passwords,
            used=request.used,
        )
        self._tell = tell
        self._told = (0, 0)

    def text(
        self, location: str, text: str, *, table: bool = False, marks: tuple[Mark, ...] = ()
    ) -> None:
        """Add text and hand it over."""
        super().text(location, text, table=table, marks=marks)
        self.tell()

    def gap(self, code: GapCode, location: str) -> None:
        """Name a gap and hand it over."""
        super().gap(code, location)
        self.tell()

    def tell(self) -> None:
        """Hand over what is new."""
        segments, gaps = self._told
        news = Extraction(tuple(self.segments[segments:]), tuple(self.gaps[gaps:]))
        if news.segments or news.gaps:
            self._told = (len(self.segments), len(self.gaps))
            self._tell(pack_answer(Answer(news, self.used)))


def answer(request: Request, tell: Callable[[bytes], None]) -> None:
    """Read the document here, telling what is found in batches; the last one may be empty."""
    job = _TellingJob(request, tell)
    read(request.document, job)
    tell(pack_answer(Answer(Extraction(()), job.used)))


def _task(body: bytes) -> Task:
    """A server that only reads never imports what the tasks need."""
    from shared.sandbox.tasks import unpack_task  # noqa: PLC0415 - see above

    return unpack_task(body)


def serve(request: Request | Task, tell: Callable[[bytes], None]) -> None:
    """Read a document, or carry out a task, and tell what came of it."""
    if isinstance(request, Request):
        answer(request, tell)
        return
    from shared.sandbox.tasks import perform  # noqa: PLC0415 - see _task

    tell(pack(perform(request, time.monotonic)))


def in_child(request: Request | Task, confinement: Confinement) -> tuple[int, bytes | bytearray]:
    """Read the document in a fork of this process; its answer, or the name of its end."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        _child(request, confinement, theirs)
    os.close(theirs)
    try:
        body, in_time = _collect(ours, time.monotonic() + confinement.wall)
    finally:
        os.close(ours)
    if not in_time:
        _kill(child)
    _, status, usage = os.wait4(child, 0)
    if in_time and body and os.waitstatus_to_exitcode(status) == 0:
        return ANSWER, body
    heavy = usage.ru_maxrss * 1024 > HEAVY * confinement.memory
    body[0:0] = pack_failure(_end(status, in_time=in_time, heavy=heavy), b"")
    return FAILED, body


def _child(request: Request | Task, confinement: Confinement, outbox: int) -> None:
    """Never returns. Any failure is an exit code other than 0."""

    def tell(batch: bytes) -> None:
        view = memoryview(batch)
        while view:
            view = view[os.write(outbox, view[:CHUNK]) :]

    code = 1
    try:
        die_with_parent()
        drop_files(outbox)
        confine(confinement, once=True)
        shut_in()
        serve(request, tell)
        code = 0
    except BaseException as error:  # noqa: BLE001 - Rust panics are BaseException; the exit code tells all
        code = 3 if isinstance(error, MemoryError) else 1
    finally:
        os._exit(code)


def _collect(fd: int, deadline: float) -> tuple[bytearray, bool]:
    """All that the child writes, and whether it ended before the deadline and under the size."""
    found = bytearray()
    while len(found) <= MAX_ANSWER:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            return found, False
        piece = os.read(fd, CHUNK)
        if not piece:
            return found, True
        found += piece
    del found[MAX_ANSWER:]
    return found, False


def _kill(child: int) -> None:
    try:
        os.kill(child, signal.SIGKILL)
    except ProcessLookupError:
        return


def _end(status: int, *, in_time: bool, heavy: bool) -> GapCode:
    """The gap for a child that gave no answer."""
    if not in_time:
        return GapCode.TIMED_OUT
    code = os.waitstatus_to_exitcode(status)
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return GapCode.TIMED_OUT if code == -signal.SIGXCPU or not heavy else GapCode.TOO_LARGE
    return GapCode.TOO_LARGE if heavy or code == 3 else GapCode.CRASHED  # noqa: PLR2004 - see _child


if __name__ == "__main__":
    main()
