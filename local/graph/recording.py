"""Every Graph request with its answer as a JSON line, for the contract tests."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from aiohttp import web

SECRET_HEADERS = {"authorization", "cookie"}


class Recorder:
    """Appends to a file; a line is written when its answer is known."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    async def write(
        self, request: web.Request, response: web.StreamResponse | None, *, truncated: bool
    ) -> None:
        """``response`` is None where the connection was dropped."""
        if self._path is None:
            return
        line: dict[str, Any] = {
            "method": request.method,
            "path": request.raw_path,
            "headers": _headers(request.headers),
            "body": _base64(await request.read()),
            "status": response.status if response is not None else None,
            "response_headers": _headers(response.headers) if response is not None else {},
            "response_body": _base64(getattr(response, "body", None)),
            "truncated": truncated,
        }
        with self._path.open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")


def _headers(headers: Any) -> dict[str, str]:
    return {key: value for key, value in headers.items() if key.lower() not in SECRET_HEADERS}


def _base64(body: Any) -> str:
    return base64.b64encode(body).decode() if isinstance(body, bytes) else ""
