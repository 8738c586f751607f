"""A plain mail is read with few modules; what parses risky formats stays out of the worker."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from shared.extract import extract
from shared.model import Content
mail = b"From: a@b\\r\\nSubject: x\\r\\nContent-Type: text/html\\r\\n\\r\\n<p>x</p>"
extract(Content(mail), clock=lambda: 0.0, isolate=True)
print(*sys.modules)
"""
HEAVY = {
    "lxml",
    "olefile",
    "pypdfium2",
    "zipfile",
    "tnefparse",
    "resiliparse",
    "asn1crypto",
    "PIL",
    "email.parser",
}


def test_reading_a_mail_loads_no_heavy_module():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert HEAVY.isdisjoint(done.stdout.split())
    assert "shared.extract.mail" in done.stdout.split()


def test_same_mail_gives_the_same_text_whatever_transport_wrote_on_it():
    from shared.extract import extract  # noqa: PLC0415 - the other test must start without it
    from shared.model import Content  # noqa: PLC0415 - the same

    def read(*extra: bytes):
        lines = (*extra, b"Subject: x", b"From: a@b", b"Content-Type: text/plain", b"", b"body")
        return extract(Content(b"\r\n".join(lines)), clock=lambda: 0.0)[0]

    trace = (
        b"Received: from a by b; Mon, 1 Jan 2026 00:00:00 +0900",
        b"Date: Mon, 1 Jan 2026 00:00:00 +0900",
        b"Message-ID: <123456789012@example.jp>",
        b"Keywords: tagged",
        b"MIME-Version: 1.0",
        b"X-MS-Exchange-Organization-AuthSource: x",
        b"Content-Language: ja-JP",
    )
    assert read(*trace) == read()
