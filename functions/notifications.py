"""Graph's webhooks: a hint or a job is on the queue before Graph gets its 202.

Forged and genuine notifications get the same answer, so that nothing is learned from it; a forged
one is a security event. No Graph SDK is imported: Graph's validation waits for this cold start.
"""

from __future__ import annotations

import os

import azure.functions as func

from shared.bootstrap import intake
from shared.errors import TransientError

bp = func.Blueprint()


async def notifications(req: func.HttpRequest) -> func.HttpResponse:
    """Change notifications → graph-hints."""
    return await _receive(req)


async def lifecycle(req: func.HttpRequest) -> func.HttpResponse:
    """Lifecycle notifications (reauthorize, removed, missed) → graph-jobs."""
    return await _receive(req)


if os.environ.get("SEKISHO_NOTIFICATIONS") != "eventhub":  # else functions/hub, and no address
    for _hook in (notifications, lifecycle):
        _name = _hook.__name__
        bp.function_name(_name)(
            bp.route(f"graph/{_name}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)(_hook)
        )


async def _receive(req: func.HttpRequest) -> func.HttpResponse:
    app = intake()
    token = app.handshake(req.params)
    if token is not None:
        return func.HttpResponse(token, mimetype="text/plain", status_code=200)
    try:
        await app.receive(req.get_body())
    except TransientError:
        return func.HttpResponse(status_code=503)  # not persisted: Graph tries again
    return func.HttpResponse(status_code=202)
