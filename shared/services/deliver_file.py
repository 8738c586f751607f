"""A clean file from the gate into its owner's OneDrive, once, and read back.

Before anything is sent the place is looked at: the same bytes under the wanted name, or (with
``rename``) under a numbered one, are an earlier attempt of ours or the same file, and are not sent
again.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC

from shared.errors import GoneError, UnavailableError
from shared.graph import calls
from shared.graph.answers import Json
from shared.graph.client import Graph
from shared.model import Outcome, OutcomeState, Step
from shared.services.files import same_bytes
from shared.services.sidecar import RENAME, Sidecar

_NOT_FOUND = 404


class FileDelivery:
    """Uploads by msgraph-sdk; chunks without our token (see shared.graph.transfer)."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def deliver(self, user: str, sidecar: Sidecar, data: bytes) -> Outcome:
        """Upload unless it is there; UnavailableError if what is read back is not what was sent."""
        drive = await self._drive(user)
        there, path = await self._find(drive, sidecar, data)
        step = Step("uploaded", "present" if there else "read_back")
        if there is None:
            sent = await self._upload(drive, replace(sidecar, path=path), data)
            there = await self._entity(drive, str(sent.get("id", "")))
            if not await self._same(drive, there, data):
                text = "the delivered file read back is not what was sent"
                raise UnavailableError(text)
        where = Step("delivered", f"drive:{drive} item:{there['id']}")
        return Outcome("deliver", OutcomeState.APPLIED, (step, where))

    async def _drive(self, user: str) -> str:
        answer = await self._graph.send(calls.USER_DRIVE, {"user": user}, query={"select": "id"})
        return str(answer.json()["id"])

    async def _find(self, drive: str, sidecar: Sidecar, data: bytes) -> tuple[Json | None, str]:
        """The file itself if it lies where it should go; and the path to write to if not."""
        params = {"drive": drive, "path": sidecar.path}
        answer = await self._graph.send(calls.PATH_GET, params, accept={_NOT_FOUND})
        if answer.status == _NOT_FOUND:
            return None, sidecar.path
        entity = answer.json()
        if "file" in entity and await self._same(drive, entity, data):
            return entity, sidecar.path
        if sidecar.conflict == RENAME:
            return await self._numbered(drive, sidecar, data)
        return None, sidecar.path

    async def _numbered(self, drive: str, sidecar: Sidecar, data: bytes) -> tuple[Json | None, str]:
        """``name 1.ext`` and so on, as OneDrive itself numbers: ours among them, or a free one."""
        stem, dot, suffix = sidecar.name.rpartition(".")
        stem, suffix = (stem, dot + suffix) if dot else (sidecar.name, "")
        names: set[str] = set()
        async for entity in self._children(drive, sidecar.folder):
            name = str(entity.get("name", ""))
            names.add(name.casefold())
            number = name.removeprefix(f"{stem} ").removesuffix(suffix)
            numbered = name == f"{stem} {number}{suffix}" and number.isdigit()
            if numbered and "file" in entity and await self._same(drive, entity, data):
                return entity, ""
        numbers = itertools.count(1)
        free = next(n for n in numbers if f"{stem} {n}{suffix}".casefold() not in names)
        return None, "/".join(filter(None, (sidecar.folder, f"{stem} {free}{suffix}")))

    async def _children(self, drive: str, folder: str) -> AsyncIterator[Json]:
        call, params = calls.ITEM_CHILDREN, {"drive": drive, "item": "root"}
        if folder:
            call, params = calls.PATH_CHILDREN, {"drive": drive, "path": folder}
        async for page in self._graph.pages(call, params):
            for entity in page.get("value", []):
                yield entity

    async def _upload(self, drive: str, sidecar: Sidecar, data: bytes) -> Json:
        params = {"drive": drive, "path": sidecar.path}
        if not data:  # a session cannot carry an empty file
            answer = await self._graph.send(
                calls.PATH_PUT,
                params,
                headers={"Content-Type": sidecar.media_type or "application/octet-stream"},
                data=data,
            )
            return answer.json()
        # Should somebody take the name at this very moment, OneDrive numbers it once more.
        described: dict[str, object] = {
            "@microsoft.graph.conflictBehavior": sidecar.conflict,
            "name": sidecar.name,
        }
        if times := _times(sidecar):
            described["fileSystemInfo"] = times
        answer = await self._graph.send(calls.PATH_SESSION, params, body={"item": described})
        return await self._graph.transfer.upload(str(answer.json()["uploadUrl"]), data)

    async def _entity(self, drive: str, item: str) -> Json:
        try:
            return (await self._graph.send(calls.ITEM_GET, {"drive": drive, "item": item})).json()
        except GoneError:
            text = "the delivered file cannot be read back"
            raise UnavailableError(text) from None

    async def _same(self, drive: str, entity: Json, data: bytes) -> bool:
        known = same_bytes(entity, data)
        if known is not None:
            return known
        params = {"drive": drive, "item": str(entity["id"])}
        return await self._graph.download(calls.ITEM_CONTENT, params, limit=len(data)) == data


def _times(sidecar: Sidecar) -> dict[str, str]:
    """The file's own times, as its owner saw them before (driveItemUploadableProperties)."""
    given = (
        ("createdDateTime", sidecar.created_at),
        ("lastModifiedDateTime", sidecar.modified_at),
    )
    return {name: f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for name, time in given if time}
