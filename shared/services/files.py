"""One drive's files through Graph: the calls that fetching, tagging and stopping share."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection
from dataclasses import replace

from shared.errors import UnavailableError
from shared.graph import calls
from shared.graph.answers import Json
from shared.graph.client import Graph
from shared.model import Claim, Content, Item
from shared.services.common import Onward, Redigest, intent_of
from shared.services.sharing import Sharing, sharing

COLUMN = "SekishoVerdict"
NOT_FOUND = 404
_REFUSED = frozenset({400, 403, 404, 405, 409})


class Files:
    """Raises what ``Graph`` raises; GoneError where the file is not there."""

    def __init__(
        self,
        graph: Graph,
        onward: Onward,
        *,
        inside: Collection[str],
        limit: int,
        redigest: Redigest | None,
    ) -> None:
        self.graph = graph
        self.limit = limit
        self._onward = onward
        self._inside = inside
        self._redigest = redigest

    async def read(self, item: Item) -> Json:
        """The driveItem."""
        return (await self.graph.send(calls.ITEM_GET, where(item))).json()

    async def exists(self, item: Item) -> bool:
        """Whether it can be read."""
        answer = await self.graph.send(calls.ITEM_GET, where(item), accept={NOT_FOUND})
        return answer.status != NOT_FOUND

    async def sharing(self, item: Item, *, library: bool = False) -> Sharing:
        """Who can reach it now; ``library``: it is in a site's."""
        permissions: list[Json] = []
        async for page in self.graph.pages(calls.ITEM_PERMISSIONS, where(item)):
            permissions.extend(page.get("value", []))
        return sharing(permissions, self._inside, library=library)

    async def data(self, item: Item, entity: Json) -> bytes:
        """Its content; OversizeError over the limit, UnavailableError if it came cut short."""
        data = await self.graph.download(calls.ITEM_CONTENT, where(item), limit=self.limit)
        # OneDrive reports some sizes a little wrong (HEIC, Office), so its hash has the last word.
        known = same_bytes(entity, data, sized=False)
        if known is False or (known is None and len(data) < int(entity.get("size") or 0)):
            text = "the content that came is not the whole file"
            raise UnavailableError(text)
        return data

    async def versions(self, item: Item) -> list[str]:
        """Version ids, the newest (current) first."""
        found: list[Json] = []
        async for page in self.graph.pages(calls.ITEM_VERSIONS, where(item)):
            found.extend(page.get("value", []))
        return sorted((str(each["id"]) for each in found), key=_number, reverse=True)

    async def delete_version(self, item: Item, version: str) -> None:
        """Delete an older version; what Graph refuses shows when the versions are read back."""
        params = {**where(item), "version": version}
        await self.graph.send(calls.ITEM_VERSION_DELETE, params, accept=_REFUSED)

    async def revoke(self, item: Item, permission: str) -> None:
        """Take a direct grant away; what Graph refuses shows when the grants are read back."""
        params = {**where(item), "permission": permission}
        await self.graph.send(calls.ITEM_REVOKE, params, accept=_REFUSED)

    async def replace(self, item: Item, data: bytes, etag: str) -> None:
        """New content if the version is still ``etag``; StorageConflictError otherwise."""
        headers = {"If-Match": etag, "Content-Type": "text/plain"}
        await self.graph.send(calls.ITEM_REPLACE, where(item), headers=headers, data=data)

    async def rename(self, item: Item, name: str) -> None:
        """Another name for the same item."""
        await self.graph.send(calls.ITEM_UPDATE, where(item), body={"name": name})

    async def set_column(self, item: Item, value: str | None, etag: str) -> bool:
        """Write our column; False where the library has none. StorageConflictError on If-Match."""
        answer = await self.graph.send(
            calls.ITEM_FIELDS,
            where(item),
            headers={"If-Match": etag},
            body={COLUMN: value},
            accept={400, NOT_FOUND},
        )
        return answer.status not in {400, NOT_FOUND}

    async def column(self, item: Item) -> str:
        """What stands in our column, or empty."""
        answer = await self.graph.send(calls.LIST_ITEM, where(item), query={"expand": "fields"})
        fields = answer.json().get("fields")
        return str(fields.get(COLUMN) or "") if isinstance(fields, dict) else ""

    async def label(self, item: Item) -> str:
        """The id of its sensitivity label, or empty (also where it can have none)."""
        answer = await self.graph.send(calls.ITEM_LABELS, where(item), accept={400})
        if answer.status != 200:  # noqa: PLR2004 - not a kind of file that takes labels
            return ""
        labels = answer.json().get("labels")
        ids = [str(each.get("sensitivityLabelId") or "") for each in labels or []]
        return next(filter(None, ids), "")

    async def assign(self, item: Item, label: str) -> int:
        """Ask for a label, or with an empty id for none; 202, or the status of a refusal.

        UnavailableError while the file is locked (423: somebody edits it).
        """
        body = {
            "sensitivityLabelId": label,
            "assignmentMethod": "auto",
            "justificationText": "Sekisho",
        }
        answer = await self.graph.send(
            calls.ITEM_LABEL, where(item), body=body, accept={400, 402, 403}
        )
        return answer.status

    async def same_content(self, claim: Claim, entity: Json, data: bytes | None = None) -> bool:
        """Whether the file still is what was scanned: by cTag, else by its content."""
        intent = intent_of(claim)
        if entity.get("cTag") == intent.etag:
            return True
        if self._redigest is None or int(entity.get("size") or 0) > self.limit:
            return False
        content = data if data is not None else await self.data(claim.item, entity)
        name, media = str(entity.get("name", "")), media_type(entity)
        return await self._redigest(Content(content, name, media)) == intent.content_digest

    async def follow(self, item: Item, entity: Json) -> None:
        """Have the version and sharing of now scanned, whether or not a notification comes."""
        now = await self.sharing(item)
        newer = replace(item, content_version=str(entity["cTag"]), context_hash=now.digest)
        await self._onward.put(newer)


def where(item: Item) -> dict[str, str]:
    """The path parameters of a file."""
    return {"drive": item.recipient, "item": item.id}


def in_library(entity: Json) -> bool:
    """Whether it is in a site's library, and in nobody's OneDrive."""
    return (entity.get("parentReference") or {}).get("driveType") == "documentLibrary"


def media_type(entity: Json) -> str:
    """What Graph calls the file's type."""
    return str((entity.get("file") or {}).get("mimeType", ""))


def same_bytes(entity: Json, data: bytes, *, sized: bool = True) -> bool | None:
    """Whether a driveItem's size (if ``sized``) and hash are those of ``data``; None: no hash."""
    if sized and int(entity.get("size") or 0) != len(data):
        return False
    hashes = (entity.get("file") or {}).get("hashes") or {}
    if hashes.get("quickXorHash"):
        return bool(hashes["quickXorHash"] == quick_xor_hash(data))
    if hashes.get("sha256Hash"):
        return str(hashes["sha256Hash"]).casefold() == hashlib.sha256(data).hexdigest()
    return None


def quick_xor_hash(data: bytes) -> str:
    """OneDrive for Business's hash, as base64 of 20 bytes.

    Bytes are XORed into a ring of 160 bits, each 11 bits after the one before, then the length into
    the last 64 bits (learn.microsoft.com/onedrive/developer/code-snippets/quickxorhash). Every
    160th byte meets the same place, so rows of 160 bytes are XORed first.
    """
    rows = 0
    for start in range(0, len(data), 160):
        rows ^= int.from_bytes(data[start : start + 160], "little")
    ring = 0
    for column, byte in enumerate(rows.to_bytes(160, "little")):
        ring ^= byte << column * 11 % 160
    ring = (ring & ((1 << 160) - 1)) ^ (ring >> 160)
    ring ^= len(data) << 96
    return base64.b64encode(ring.to_bytes(20, "little")).decode()


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))
