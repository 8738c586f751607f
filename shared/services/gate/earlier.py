"""Passwords that came before, or beside, what they open: looked for where the recipient has them.

Nothing is kept for this. Candidates of every mail that passes would be stored passwords; the
recipient's own mailbox has the mails themselves, so that is read: what the same sender wrote within
a day before the encrypted mail, and until now. Read by Graph as text, in memory, at a few fixed
times after the hold, because the two mails may be on their way at the same moment.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.errors import GoneError, PermanentError
from shared.graph import calls
from shared.graph.answers import Json
from shared.graph.client import Graph
from shared.model import Content, Extraction, Segment
from shared.services.gate.candidates import candidates

BEFORE = timedelta(days=1)
LOOKS = (15.0, 120.0, 900.0)
"""Seconds after the hold: what was there, what came at the same time, what took its time."""
_MAILS = 25  # the newest of the mailbox that are looked at
_EACH, _ALL = 16, 64  # words of one mail; words that are tried (what ``unlock`` takes)
"""The labelled ones come first, so that a long mail does not crowd out the others."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Reads the recipient's mails; ``extract`` reads a body that is given as HTML all the same."""

    graph: Graph
    extract: Callable[[Content], Awaitable[Extraction]]

    async def words(self, user: str, senders: Sequence[str], since: datetime) -> tuple[str, ...]:
        """What may be a password in mails of these senders, the newest first.

        None where there is no such mailbox or it may not be read (no licence, no permission: the
        recipient then types it). Raises TransientError.
        """
        query = {
            "filter": f"receivedDateTime ge {since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "orderby": "receivedDateTime desc",
            "select": "from,sender,subject,body",
            "top": str(_MAILS),
        }
        try:
            answer = await self.graph.send(
                calls.MESSAGES_FIND,
                {"user": user},
                query=query,
                headers={"Prefer": 'outlook.body-content-type="text"'},
            )
        except (GoneError, PermanentError):
            return ()
        found: dict[str, None] = {}
        for message in answer.json().get("value") or ():
            if _from(message) & set(senders):
                found |= dict.fromkeys((await self._words(message))[:_EACH])
        return tuple(found)[:_ALL]

    async def _words(self, message: Json) -> tuple[str, ...]:
        body = message.get("body") or {}
        text = str(body.get("content") or "")
        segments: tuple[Segment, ...] = (Segment("本文", text),)
        if body.get("contentType") == "html":
            page = Content(text.encode(), media_type="text/html; charset=utf-8")
            segments = (await self.extract(page)).segments
        return candidates((Segment("件名", str(message.get("subject") or "")), *segments))


def _from(message: Json) -> set[str]:
    said = (message.get(each) or {} for each in ("from", "sender"))
    addresses = ((each.get("emailAddress") or {}).get("address") for each in said)
    return {str(each).casefold() for each in addresses if each}
