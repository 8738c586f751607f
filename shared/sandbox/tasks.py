"""What else a child process does with hostile bytes, and gives bytes back: sanitise, unlock, mask.

The parent trusts none of it: the answer is decoded into these types and nothing else, and what is
delivered of it is scanned like anything else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import msgspec

from shared.extract import (
    Limits,
    extract,
    office_crypto,  # noqa: F401 - makes the library decrypt in memory: a child writes no file
)
from shared.extract.charset import decode
from shared.extract.sniff import sniff
from shared.model import Content, Extraction, Gap, GapCode
from shared.sanitize import (
    Lineage,
    Options,
    Sanitised,
    Tools,
    mask,
    sanitise,
    sanitised_note,
    unlock,
    with_note,
)

type Kind = Literal["sanitise", "unlock", "mask"]


@dataclass(frozen=True, slots=True)
class Task:
    """One item and what to do with it.

    ``words`` are the passwords to try (unlock) or the texts to cover (mask): in memory and on the
    pipe between the two processes alone.
    """

    kind: Kind
    content: Content
    limits: Limits
    options: Options = field(default_factory=Options)
    words: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it: ``content`` is None where it could not be done, and ``gaps`` say why.

    ``count`` is how many parts were opened, or how many occurrences were covered. The hashes of
    ``lineage`` are plain ones: the parent makes keyed ones of them.
    """

    content: Content | None
    gaps: tuple[Gap, ...] = ()
    lineage: Lineage | None = None
    count: int = 0


def unpack_task(body: bytes) -> Task:
    """The worker's request."""
    return msgspec.msgpack.decode(body, type=Task)


def unpack_done(body: bytes) -> Done:
    """The child's answer; a crash by name where it is none."""
    try:
        return msgspec.msgpack.decode(body, type=Done)
    except (msgspec.MsgspecError, ValueError):
        return Done(None, (Gap(GapCode.CRASHED, ""),))


def perform(task: Task, clock: Callable[[], float]) -> Done:
    """Do it here: in a child, or (tests, tools) in this process."""
    if task.kind == "unlock":
        opened = unlock(task.content, task.words, _tools(task, clock), clock, task.limits)
        return Done(opened.content, opened.gaps, count=opened.count)
    if task.kind == "mask":
        masked = mask(task.content, task.words, _tools(task, clock), clock, task.limits)
        return Done(masked.content, masked.gaps, count=masked.count)
    result = sanitise(
        task.content,
        tools=_tools(task, clock),
        clock=clock,
        options=task.options,
        limits=task.limits,
    )
    return _noted(task, result)


def _noted(task: Task, result: Sanitised) -> Done:
    """A mail that was changed says so itself; a mail that takes no note is held."""
    made = result.content
    mail = task.content.media_type == "message/rfc822"
    if made is None or not mail or made.data == task.content.data:
        return Done(made, result.gaps, result.lineage)
    try:
        data = with_note(made.data, sanitised_note(result.lineage, task.options.link))
    except Exception:  # noqa: BLE001 - hostile structure; the item is then held
        return Done(None, (Gap(GapCode.AMBIGUOUS, ""),), result.lineage)
    return Done(replace(made, data=data), result.gaps, result.lineage)


def _tools(task: Task, clock: Callable[[], float]) -> Tools:
    def read(content: Content) -> Extraction:
        return extract(content, clock=clock, limits=task.limits)[0]

    return Tools(sniff=sniff, extract=read, decode=decode)
