"""Messages, folders and attachments as Graph's JSON."""

from __future__ import annotations

import re
from typing import Any

from local.graph.state.mailbox import Folder, Mailbox, Message

type Json = dict[str, Any]
ON_REQUEST = {"internetMessageHeaders"}  # returned only where $select names them


def message(
    item: Message, *, immutable: bool, select: str | None = None, expand: str | None = None
) -> Json:
    """A message; ``select`` and ``expand`` as in the query."""
    wanted = {name.strip().lower() for name in (select or "").split(",") if name.strip()}
    everything: Json = {
        "@odata.etag": item.etag,
        "id": item.id(immutable=immutable),
        "changeKey": item.change_key,
        "parentFolderId": item.folder,
        "conversationId": item.values.get("conversationId")
        or f"AAQkAGI{item.immutable_id[38:70]}=",
        "categories": [],
        "isRead": False,
        "isDraft": False,
        "isReadReceiptRequested": False,
        "inferenceClassification": "focused",
        "flag": {"flagStatus": "notFlagged"},
        "importance": "normal",
        **item.values,
    }
    result = {
        key: value
        for key, value in everything.items()
        if key in {"@odata.etag", "id"}
        or (key.lower() in wanted if wanted else key not in ON_REQUEST)
    }
    return result | expanded(item.attachments, item.extended, expand or "")


def expanded(attachments: list[Json], extended: dict[str, str], expand: str) -> Json:
    """What ``$expand`` asked for: attachments, extended properties by their id."""
    result: Json = {}
    if expand.startswith("attachments") or ",attachments" in expand:
        result["attachments"] = [attachment(each) for each in attachments]
    if "singlevalueextendedproperties" in expand.lower():
        asked = {name.lower() for name in re.findall(r"id eq '([^']*)'", expand)}
        found = [
            {"id": key, "value": value} for key, value in extended.items() if key.lower() in asked
        ]
        if found:  # Graph leaves the collection out where nothing matches
            result["singleValueExtendedProperties"] = found
    return result


def attachment(item: Json) -> Json:
    """Without what the stand-in keeps for itself."""
    return {key: value for key, value in item.items() if not key.startswith("_")}


def folder(mailbox: Mailbox, item: Folder) -> Json:
    """A mail folder with its counts."""
    inside = [each for each in mailbox.messages.values() if each.folder == item.id]
    children = [each for each in mailbox.folders.values() if each.parent == item.id]
    return {
        "id": item.id,
        "displayName": item.name,
        "parentFolderId": item.parent,
        "childFolderCount": len(children),
        "unreadItemCount": sum(not each.values.get("isRead") for each in inside),
        "totalItemCount": len(inside),
        "isHidden": item.hidden,
    }
