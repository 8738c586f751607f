"""Graph's error body, and the exception that becomes one."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from local.graph.state import ids


class GraphError(Exception):
    """An answer other than success; ``code`` is what a client may branch on."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = dict(headers or {})

    def response(self) -> web.Response:
        """The body in the shape of ODataError."""
        inner = {
            "date": ids.timestamp(ids.now()).removesuffix("Z"),
            "request-id": ids.guid(),
            "client-request-id": ids.guid(),
        }
        body = {"error": {"code": self.code, "message": self.message, "innerError": inner}}
        return web.json_response(body, status=self.status, headers=self.headers)


def not_found(code: str = "ErrorItemNotFound") -> GraphError:
    """404; Outlook says ErrorItemNotFound, OneDrive says itemNotFound."""
    text = "The specified object was not found in the store."
    return GraphError(404, code, text)


def bad_request(message: str, code: str = "BadRequest") -> GraphError:
    """400."""
    return GraphError(400, code, message)


def precondition(code: str = "ErrorIrresolvableConflict") -> GraphError:
    """412: If-Match named another version."""
    text = "The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item."
    return GraphError(412, code, text)
