"""One mailbox through Graph: reading a message with our property, and telling versions apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shared.graph import calls
from shared.graph.answers import Answer, Json
from shared.graph.client import Graph
from shared.model import Claim, Content, Item
from shared.services.common import Onward, Redigest, intent_of
from shared.services.marker import NOTICE_PROPERTY, PROPERTY

_SELECT = (
    "id,changeKey,parentFolderId,from,toRecipients,ccRecipients,bccRecipients,"
    "receivedDateTime,categories,isDraft"
)
_EXPAND = f"singleValueExtendedProperties($filter=id eq '{PROPERTY}')"
NOT_FOUND = 404


class Mailbox:
    """The calls that fetching and acting share. Raises what ``Graph`` raises."""

    def __init__(self, graph: Graph, onward: Onward, redigest: Redigest | None) -> None:
        self.graph = graph
        self._onward = onward
        self._redigest = redigest

    async def read(self, item: Item) -> Json:
        """The message without its body; GoneError if it is not there."""
        answer = await self.graph.send(
            calls.MESSAGE_GET, where(item), query={"select": _SELECT, "expand": _EXPAND}
        )
        return answer.json()

    async def mime(self, item: Item) -> bytes:
        """The message as MIME."""
        return (await self.graph.send(calls.MESSAGE_MIME, where(item))).data

    async def exists(self, item: Item) -> bool:
        """Whether the message can be read."""
        answer = await self.graph.send(
            calls.MESSAGE_GET, where(item), query={"select": "id"}, accept={NOT_FOUND}
        )
        return answer.status != NOT_FOUND

    async def update(self, item: Item, changes: Json, etag: str) -> Answer:
        """Write if the version is still ``etag``; StorageConflictError otherwise."""
        headers = {"If-Match": etag} if etag else {}
        return await self.graph.send(
            calls.MESSAGE_UPDATE, where(item), headers=headers, body=changes
        )

    async def purge(self, item: Item) -> None:
        """Remove into the purges folder; nothing happens if it is gone already."""
        await self.graph.send(calls.MESSAGE_PURGE, where(item), accept={NOT_FOUND})

    async def notices(self, user: str, key: str) -> list[Json]:
        """The notices that were left for a ledger key."""
        condition = f"ep/id eq '{NOTICE_PROPERTY}' and ep/value eq '{key}'"
        answer = await self.graph.send(
            calls.MESSAGES_FIND,
            {"user": user},
            query={
                "filter": f"singleValueExtendedProperties/any(ep: {condition})",
                "select": "id,changeKey",
            },
        )
        found = answer.json().get("value")
        return found if isinstance(found, list) else []

    async def same_content(self, claim: Claim, message: Json, mime: bytes | None = None) -> bool:
        """Whether the message still is what was scanned: by version, else by its content."""
        intent = intent_of(claim)
        if message.get("changeKey") == intent.etag:
            return True
        if self._redigest is None:
            return False
        data = mime if mime is not None else await self.mime(claim.item)
        digest = await self._redigest(Content(data, media_type="message/rfc822"))
        return digest == intent.content_digest

    async def follow(self, item: Item, version: str) -> None:
        """Have the newer version scanned, whether or not a notification tells of it."""
        await self._onward.put(replace(item, content_version=version))

    @staticmethod
    def property(message: Json) -> str:
        """The text of our property on a message, or empty."""
        found: Any = message.get("singleValueExtendedProperties")
        for each in found if isinstance(found, list) else []:
            if str(each.get("id", "")).casefold() == PROPERTY.casefold():
                return str(each.get("value", ""))
        return ""


def where(item: Item) -> dict[str, str]:
    """The path parameters of a message."""
    return {"user": item.recipient, "message": item.id}
