"""What is fuzzed: bytes in, an answer or one of Sekisho's own errors out, and nothing else.

A target is a name, seeds (real files that the tests build) and a function. A gap never makes an
item pass: each extraction is also decided by the default policy, and a gap with ALLOW fails.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from shared.errors import MalformedError, PolicyError, SekishoError
from shared.extract import begin, extract
from shared.extract.dispatch import read
from shared.extract.job import Job, Limits
from shared.graph.webhook import handshake, parse
from shared.model import Content, Context, Disposition
from shared.policy import Policy, default_text
from tests.unit.extract_files.numbers_made import my_number
from tests.unit.extract_files.places import ALL

NOW = datetime(2026, 4, 1, tzinfo=UTC)
QUICK = Limits(expanded=20_000_000, text=5_000_000, seconds=10.0)
CONTEXT = Context("mail", "own_mailbox")
FAMILIES = {
    "ooxml": ("docx", "xlsx", "pptx", "docm", "xlsm", "pptm"),
    "opendocument": ("odt", "ods", "odp", "odg"),
    "legacy-office": ("doc", "xls", "ppt", "xlsb"),
    "pdf": ("pdf",),
    "archives": ("zip", "7z", "rar", "lzh", "tar", "gz", "tgz", "bz2", "xz", "zst"),
    "ichitaro-docuworks": ("jtd", "jtt", "jtdc", "xdw", "xbd"),
    "rtf": ("rtf",),
    "text-and-pages": ("csv", "tsv", "txt", "html", "htm", "xml", "json", "svg", "ics", "vcf"),
    "outlook": ("msg",),
}


@dataclass(frozen=True, slots=True)
class Target:
    """``run`` must not raise; ``seeds`` gives the corpus it starts from."""

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]


@cache
def policy() -> Policy:
    """The defaults."""
    return Policy.load([default_text()], ["default.yaml"])


def judge(data: bytes, name: str) -> None:
    """Extract with everything inside, in this process, and decide; AssertionError: a gap passed."""
    job = begin(Content(data, name), clock=time.monotonic, limits=QUICK)
    gaps = list(job.result().gaps)
    used = job.used
    for document in job.deferred[:50]:
        inner = Job(clock=time.monotonic, limits=QUICK, passwords=(), used=used)
        read(document, inner)
        gaps += inner.result().gaps
        used = inner.used
    if gaps:
        decided = policy().decide(CONTEXT, (), gaps)
        assert decided.would_be > Disposition.ALLOW, f"a gap passed: {gaps[0].code}"


def _family(name: str, kinds: tuple[str, ...]) -> Target:
    def seeds() -> Iterable[bytes]:
        return (case.build(my_number(7)) for case in ALL if case.format in kinds)

    return Target(name, lambda data: judge(data, f"a.{kinds[0]}"), seeds)


def _mails() -> Iterable[bytes]:
    from tests.unit.extract_mail.golden import cases

    return (case.data for case in cases())


def _webhook(data: bytes) -> None:
    with suppress(MalformedError):
        parse(data, (b"k" * 32,), NOW)
    with suppress(MalformedError):
        handshake({"validationToken": data.decode("utf-8", "surrogateescape")})


def _notifications() -> Iterable[bytes]:
    yield b'{"value":[{"subscriptionId":"s","clientState":"mail.a.b.c","changeType":"created",'
    yield (
        b'{"value":[{"clientState":"mail.a.b.c","changeType":"updated","lifecycleEvent":"missed",'
        b'"resourceData":{"id":"A","@odata.etag":"W/\\"C\\""}}],"validationTokens":["a.b.c"]}'
    )


def _policy(data: bytes) -> None:
    with suppress(PolicyError):
        Policy.load([default_text(), data.decode("utf-8", "replace")], ["default.yaml", "site"])


def _policies() -> Iterable[bytes]:
    yield b"rules:\n  many-people:\n    mode: simulate\n"
    yield b"matrix:\n  own_mailbox: {'3A': block}\n"
    yield default_text().encode()[:4_000]


def _sanitise(data: bytes) -> None:
    from shared.extract.charset import decode
    from shared.extract.sniff import sniff
    from shared.sanitize import Tools, sanitise

    def reading(content: Content) -> Any:
        return extract(content, clock=time.monotonic, limits=QUICK)[0]

    sanitise(
        Content(data, "a"),
        tools=Tools(
            sniff=sniff, extract=reading, decode=decode, digest=lambda data: str(len(data))
        ),
        clock=time.monotonic,
    )


def _hostile_mails() -> Iterable[bytes]:
    from tests.unit.sanitize import sanitize_mail, sanitize_office, sanitize_pages

    for module in (sanitize_mail, sanitize_office, sanitize_pages):
        yield from (sample.data for sample in module.samples())


def _smtp(data: bytes) -> None:
    from trust.smtp_session import session

    asyncio.run(session(data))


def _sessions() -> Iterable[bytes]:
    from trust.smtp_session import SEEDS

    return SEEDS


def _queue_message(data: bytes) -> None:
    from shared.codec import decode
    from shared.model import Envelope

    with suppress(SekishoError):
        decode(data, Envelope)


TARGETS: dict[str, Target] = {
    **{name: _family(name, kinds) for name, kinds in FAMILIES.items()},
    "mail": Target("mail", lambda data: judge(data, ""), _mails),
    "sanitise": Target("sanitise", _sanitise, _hostile_mails),
    "webhook": Target("webhook", _webhook, _notifications),
    "policy": Target("policy", _policy, _policies),
    "queue-message": Target("queue-message", _queue_message, lambda: (b'{"kind":"item"}',)),
    "smtp": Target("smtp", _smtp, _sessions),
}
