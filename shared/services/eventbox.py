"""One calendar through Graph: an event read with our property, and written down as a mail.

The same calls and the same marks as a message's, so what tags a message tags an event.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any

from shared.graph import calls
from shared.graph.answers import Answer, Json
from shared.model import Gap, GapCode, Item
from shared.services.compose import Part, Text, compose
from shared.services.mailbox import NOT_FOUND, Mailbox
from shared.services.marker import NOTICE_PROPERTY, PROPERTY

_SELECT = (
    "id,changeKey,subject,body,location,locations,hasAttachments,isOrganizer,organizer,attendees,"
    "categories,createdDateTime,type,seriesMasterId"
)
_EXPAND = f"singleValueExtendedProperties($filter=id eq '{PROPERTY}' or id eq '{NOTICE_PROPERTY}')"

TEXTS = ("subject", "body", "location")
"""What a notice takes the place of."""


@dataclass(frozen=True, slots=True)
class Written:
    """An event as MIME, with what could not be written down."""

    data: bytes = field(repr=False)
    gaps: tuple[Gap, ...] = ()
    parts: int = 0


class EventBox(Mailbox):
    """A mailbox whose items are its calendar's events."""

    async def read(self, item: Item) -> Json:
        """The event with its body; GoneError if it is not there."""
        answer = await self.graph.send(
            calls.EVENT_GET, place(item), query={"select": _SELECT, "expand": _EXPAND}
        )
        return answer.json()

    async def mime(self, item: Item) -> bytes:
        """The event as MIME."""
        return (await self.written(item, await self.read(item))).data

    async def written(self, item: Item, event: Json) -> Written:
        """An event that was read, with its attachments, as MIME."""
        parts: list[Part] = []
        gaps: list[Gap] = []
        for number, each in enumerate(await self.attachments(item), 1):
            part, code = _part(each)
            parts.append(part)
            if code is not None:
                gaps.append(Gap(code, f"添付{number}"))
        body = _dict(event.get("body"))
        text = Text(str(body.get("content") or ""), str(body.get("contentType") or "text"))
        headers = [("Location", each) for each in locations(event)]
        data = compose(str(event.get("subject") or ""), [text], parts, headers)
        return Written(data, tuple(gaps), len(parts))

    async def attachments(self, item: Item) -> list[Json]:
        """All attachments, with their bytes."""
        found: list[Json] = []
        async for page in self.graph.pages(calls.EVENT_ATTACHMENTS, place(item)):
            found.extend(page.get("value", []))
        return found

    async def detach(self, item: Item, attachment: str) -> None:
        """Delete one attachment; nothing happens if it is gone already."""
        params = {**place(item), "attachment": attachment}
        await self.graph.send(calls.EVENT_DETACH, params, accept={NOT_FOUND})

    async def exists(self, item: Item) -> bool:
        """Whether the event can be read."""
        answer = await self.graph.send(
            calls.EVENT_GET, place(item), query={"select": "id"}, accept={NOT_FOUND}
        )
        return answer.status != NOT_FOUND

    async def update(self, item: Item, changes: Json, etag: str) -> Answer:
        """Write if the version is still ``etag``; StorageConflictError otherwise."""
        headers = {"If-Match": etag} if etag else {}
        return await self.graph.send(calls.EVENT_UPDATE, place(item), headers=headers, body=changes)


def locations(event: Json) -> list[str]:
    """What stands in the places of an event, each once."""
    given = [event.get("location"), *(event.get("locations") or [])]
    names = [str(_dict(each).get("displayName") or "") for each in given]
    return list(dict.fromkeys(filter(None, names)))


def notice_of(event: Json) -> str:
    """The ledger key in our notice's property, or empty (anyone can write there)."""
    for each in event.get("singleValueExtendedProperties") or []:
        if str(each.get("id", "")).casefold() == NOTICE_PROPERTY.casefold():
            return str(each.get("value", ""))
    return ""


def original(event: Json, attachments: list[Json]) -> dict[str, object]:
    """What a description keeps of an event: its texts, and its attachments as Graph gave them."""
    kept: dict[str, object] = {name: event[name] for name in TEXTS if name in event}
    kept["attachments"] = [
        {name: each.get(name) for name in ("@odata.type", "name", "contentType", "contentBytes")}
        for each in attachments
    ]
    return kept


def place(item: Item) -> dict[str, str]:
    """The path parameters of an event."""
    return {"user": item.recipient, "event": item.id}


def _part(attachment: Json) -> tuple[Part, GapCode | None]:
    """An attachment; a gap where Graph gives no bytes (an item inside, a link to a file)."""
    name, kind = str(attachment.get("name") or ""), str(attachment.get("contentType") or "")
    given = attachment.get("contentBytes")
    try:
        if isinstance(given, str):
            return Part(base64.b64decode(given, validate=True), name, kind), None
    except binascii.Error:
        return Part(b"", name, kind), GapCode.MALFORMED
    linked = "reference" in str(attachment.get("@odata.type", "")).casefold()
    return Part(b"", name, kind), GapCode.EXTERNAL if linked else GapCode.UNSUPPORTED


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
