"""A clean mail from the gate into a mailbox by Graph's MIME import: the labelled fallback.

The import makes drafts (learn.microsoft.com/graph/api/user-post-messages, MIME); the relay's SMTP
hop is the true way, so the outcome says ``imported_as_draft``.
"""

from __future__ import annotations

import base64
import re

from shared.errors import GoneError, StorageConflictError, UnavailableError
from shared.graph import calls
from shared.graph.answers import Json
from shared.graph.client import Graph
from shared.model import Disposition, Item, Outcome, OutcomeState, Step
from shared.services.mail_tag import tag_plain
from shared.services.words import CATEGORIES

_HEADER = "X-Sekisho-Delivery"
_MESSAGE_ID = re.compile(
    rb"^Message-ID:[ \t]*(?:\r?\n[ \t]+)?(<[^<>\s]{1,900}>)", re.IGNORECASE | re.MULTILINE
)
_HEAD_END = re.compile(rb"\r?\n\r?\n")


class MailDelivery:
    """Imports once: a message of the same Message-ID that carries our key's header is ours.

    The Message-ID alone would not do: whoever sends a mail chooses it, and could make the gate
    believe that another mail had been delivered already.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def deliver(
        self, user: str, data: bytes, key: str, disposition: Disposition, *, folder: str = "inbox"
    ) -> Outcome:
        """Import unless it is there, with the disposition's category; read back."""
        stamped, message_id = _stamped(data, key)
        there = await self._find(user, message_id, key)
        step = Step("imported_as_draft", "present" if there else "read_back")
        if there is None:
            await self._graph.send(
                calls.FOLDER_MESSAGE_CREATE,
                {"user": user, "folder": folder},
                headers={"Content-Type": "text/plain"},
                data=base64.b64encode(stamped),
            )
            there = await self._find(user, message_id, key)
        if there is None:
            text = "the imported mail cannot be read back yet"
            raise UnavailableError(text)
        steps: tuple[Step, ...] = (step, Step("delivered", f"message:{there['id']}"))
        category = CATEGORIES.get(disposition, "")
        if category:
            steps = (*steps, await self._tag(user, there, category))
        copy = Item("mail", str(there["id"]), user, "")
        return Outcome("deliver", OutcomeState.APPLIED, steps, copies=(copy,))

    async def _find(self, user: str, message_id: str, key: str) -> Json | None:
        quoted = message_id.replace("'", "''")
        pages = self._graph.pages(
            calls.MESSAGES_FIND,
            {"user": user},
            query={"filter": f"internetMessageId eq '{quoted}'", "select": "id,categories"},
        )
        async for page in pages:
            for entity in page.get("value", []):
                params = {"user": user, "message": str(entity["id"])}
                try:
                    mime = (await self._graph.send(calls.MESSAGE_MIME, params)).data
                except GoneError:
                    continue
                if _is_stamped(mime, key):
                    return dict(entity)
        return None

    async def _tag(self, user: str, entity: Json, category: str) -> Step:
        """Add the category; the watch writes its marker when it meets the message."""
        try:
            return await tag_plain(self._graph, user, str(entity["id"]), category)
        except StorageConflictError:
            text = "the imported mail changed while it was tagged"
            raise UnavailableError(text) from None


def _stamped(data: bytes, key: str) -> tuple[bytes, str]:
    """The mail with our header (and a Message-ID, if it has none), and its Message-ID."""
    match = _MESSAGE_ID.search(_head(data))
    lines = f"{_HEADER}: {key}\r\n".encode()
    if match:
        return lines + data, match[1].decode("utf-8", errors="replace")
    message_id = f"<{key}@sekisho.invalid>"
    return lines + f"Message-ID: {message_id}\r\n".encode() + data, message_id


def _is_stamped(mime: bytes, key: str) -> bool:
    pattern = rb"^" + _HEADER.encode() + rb":[ \t]*" + key.encode() + rb"\s*$"
    return re.search(pattern, _head(mime), re.IGNORECASE | re.MULTILINE) is not None


def _head(data: bytes) -> bytes:
    end = _HEAD_END.search(data)
    return data[: end.start()] if end else data
