"""Sensitivity labels of files: accepted at once, applied a moment later, then read back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from aiohttp import web

from local.graph import context
from local.graph.routes.items import BASES
from local.graph.state import ids
from local.graph.state.drive import Drive, Item
from local.graph.wire import odata
from local.graph.wire.errors import fail, file_not_found

METHODS = {"standard", "privileged", "auto"}
LABELLED = (".docx", ".docm", ".xlsx", ".xlsm", ".xlsb", ".pptx", ".pptm", ".pdf")
APPLY_SECONDS = 0.3


@dataclass(slots=True)
class Labelling:
    """One accepted assignment; ``status`` as the monitor tells it."""

    drive: Drive
    item: Item
    label: odata.Json
    fails: bool
    status: str = "inProgress"
    id: str = field(default_factory=ids.guid)

    def finish(self) -> None:
        """Apply it, if the file is still there: the label is written into the file."""
        if self.fails or self.item.id not in self.drive.items:
            self.status = "failed"
            return
        self.item.labels = [self.label] if self.label["sensitivityLabelId"] else []
        self.item.content_changes += 1
        self.drive.touch(self.item)
        self.status = "completed"


LABELLINGS = web.AppKey("labellings", dict[str, Labelling])


async def assign(request: web.Request) -> web.Response:
    """POST …/assignSensitivityLabel: 202 with the address of a monitor."""
    where, one, body = context.drive(request), context.item(request), await odata.json_body(request)
    if not one.name.lower().endswith(LABELLED) or one.folder:
        fail(400, "notSupported", "The file type does not support sensitivity labels.")
    label, method = body.get("sensitivityLabelId"), body.get("assignmentMethod") or "standard"
    if not isinstance(label, str) or method not in METHODS:
        fail(400, "invalidRequest", "sensitivityLabelId or assignmentMethod is not valid.")
    tenant = context.world(request).tenant_id
    given = {"sensitivityLabelId": label, "assignmentMethod": method, "tenantId": tenant}
    labelling = Labelling(where, one, given, fails=request.app[context.FAULTS].label_fails())
    request.app[LABELLINGS][labelling.id] = labelling
    asyncio.get_running_loop().call_later(APPLY_SECONDS, labelling.finish)
    monitor = f"{odata.origin(request)}/_monitor/{labelling.id}"
    return web.Response(status=202, headers={"Location": monitor})


async def extract(request: web.Request) -> web.Response:
    """POST …/extractSensitivityLabels: what is applied now."""
    labels = list(context.item(request).labels)
    kind = odata.context(request, "microsoft.graph.extractSensitivityLabelsResult")
    return web.json_response({"@odata.context": kind, "labels": labels})


async def monitor(request: web.Request) -> web.Response:
    """GET the monitor, without a token: how far it is."""
    found = request.app[LABELLINGS].get(request.match_info["labelling"])
    if found is None:
        raise file_not_found()
    done = 0.0 if found.status == "inProgress" else 100.0
    body = {"operation": "assignSensitivityLabel", "percentageComplete": done}
    return web.json_response({**body, "status": found.status, "resourceId": found.item.id})


ROUTES = [
    web.get("/_monitor/{labelling}", monitor, allow_head=False),
    *(
        route
        for base in BASES
        for route in (
            web.post(f"{base}/assignSensitivityLabel", assign),
            web.post(f"{base}/extractSensitivityLabels", extract),
        )
    ),
]
