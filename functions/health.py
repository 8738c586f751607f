"""GET /api/health: are the settings right and the stores reachable? Says nothing else."""

from __future__ import annotations

import json

import azure.functions as func

from shared.bootstrap import health as check
from shared.errors import SekishoError

bp = func.Blueprint()


@bp.function_name("health")
@bp.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def health(req: func.HttpRequest) -> func.HttpResponse:
    """200 with the role and the version, or 503 with the kind of error alone."""
    del req
    try:
        body, status = await check(), 200
    except SekishoError as error:
        body, status = {"status": "unhealthy", "error": type(error).__name__}, 503
    return func.HttpResponse(json.dumps(body), mimetype="application/json", status_code=status)
