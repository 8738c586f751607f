"""/api/passwords/{token}, /api/originals/{token}: pages of the gate for those who have a link."""

from __future__ import annotations

from urllib.parse import urlsplit

import azure.functions as func

from shared.bootstrap import original_pages, password_pages
from shared.console.web import Request, Response

bp = func.Blueprint()


@bp.function_name("passwords")
@bp.route("passwords/{token}", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def passwords(req: func.HttpRequest) -> func.HttpResponse:
    """The form, and one attempt; the link itself says what may be opened."""
    return _answered(await password_pages().handle(_request(req)))


@bp.function_name("originals")
@bp.route("originals/{token}", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def originals(req: func.HttpRequest) -> func.HttpResponse:
    """Asking for the original of a sanitised mail; nothing is delivered by it."""
    return _answered(await original_pages().handle(_request(req)))


def _request(req: func.HttpRequest) -> Request:
    return Request(
        method=req.method,
        path=req.route_params.get("token") or "",
        headers={name.lower(): value for name, value in req.headers.items()},
        body=req.get_body(),
        host=urlsplit(req.url).netloc,
    )


def _answered(answer: Response) -> func.HttpResponse:
    return func.HttpResponse(
        answer.body,
        status_code=answer.status,
        headers={"Content-Type": answer.media_type, **answer.headers()},
    )
