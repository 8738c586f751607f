"""Outlook's limit of concurrent requests to one mailbox."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from local.graph.wire.errors import fail

CONCURRENT = 4
SECONDS = 0.02  # how long a request is taken to last: here they would take none
MAILBOX = re.compile(
    r"/v1\.0/users/([^/]+)/(messages|mailFolders|events|calendarView|outlook|sendMail)\b"
)


class Throttle:
    """Off unless asked for: a fifth request to a mailbox at the same time is 429."""

    def __init__(self, *, on: bool) -> None:
        self.on = on
        self._now: Counter[str] = Counter()

    @asynccontextmanager
    async def slot(self, path: str) -> AsyncIterator[None]:
        """One of the mailbox's four; raises 429 with Retry-After where all are taken."""
        match = MAILBOX.match(path) if self.on else None
        if match is None:
            yield
            return
        mailbox = match[1].lower()
        if self._now[mailbox] >= CONCURRENT:
            text = "Application is over its MailboxConcurrency limit."
            fail(429, "ApplicationThrottled", text, {"Retry-After": "1"})
        self._now[mailbox] += 1
        try:
            await asyncio.sleep(SECONDS)
            yield
        finally:
            self._now[mailbox] -= 1
