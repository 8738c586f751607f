"""/api/console/…: pages for people. The console itself checks who asks, not the platform."""

from __future__ import annotations

from urllib.parse import urlsplit

import azure.functions as func

from shared.bootstrap import console as open_console
from shared.console.web import Request, render_off
from shared.errors import SettingsError

bp = func.Blueprint()


@bp.function_name("console")
@bp.route("console/{*path}", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def console(req: func.HttpRequest) -> func.HttpResponse:
    """Every page of the console, or 404 where no sign-in is set up."""
    request = Request(
        method=req.method,
        path=req.route_params.get("path") or "",
        query=dict(req.params),
        headers={name.lower(): value for name, value in req.headers.items()},
        body=req.get_body(),
        host=urlsplit(req.url).netloc,
    )
    try:
        answer = await open_console().handle(request)
    except SettingsError:
        answer = render_off()
    return func.HttpResponse(
        answer.body,
        status_code=answer.status,
        headers={"Content-Type": answer.media_type, **answer.headers()},
    )
