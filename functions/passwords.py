"""/api/passwords/{token}: a recipient types the password of what waits at the gate."""

from __future__ import annotations

from urllib.parse import urlsplit

import azure.functions as func

from shared.bootstrap import password_pages
from shared.console.web import Request

bp = func.Blueprint()


@bp.function_name("passwords")
@bp.route("passwords/{token}", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def passwords(req: func.HttpRequest) -> func.HttpResponse:
    """The form, and one attempt; the link itself says what may be opened."""
    request = Request(
        method=req.method,
        path=req.route_params.get("token") or "",
        headers={name.lower(): value for name, value in req.headers.items()},
        body=req.get_body(),
        host=urlsplit(req.url).netloc,
    )
    answer = await password_pages().handle(request)
    return func.HttpResponse(
        answer.body,
        status_code=answer.status,
        headers={"Content-Type": answer.media_type, **answer.headers()},
    )
