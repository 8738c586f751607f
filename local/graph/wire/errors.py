"""Graph's error body, and the exception that becomes one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

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


def not_found() -> GraphError:
    """404 as Outlook says it."""
    text = "The specified object was not found in the store."
    return GraphError(404, "ErrorItemNotFound", text)


def folder_not_found() -> GraphError:
    """404 for a destination folder."""
    text = "The specified folder could not be found in the store."
    return GraphError(404, "ErrorFolderNotFound", text)


def file_not_found() -> GraphError:
    """404 as OneDrive says it."""
    return GraphError(404, "itemNotFound", "The resource could not be found.")


def file_changed() -> GraphError:
    """412 as OneDrive says it."""
    return GraphError(412, "resourceModified", "ETag does not match current item's value.")


def fail(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> NoReturn:
    """Raise a GraphError."""
    raise GraphError(status, code, message, headers)


def mail_changed() -> GraphError:
    """412 as Outlook says it: If-Match named another version."""
    text = (
        "The send or update operation could not be performed because the change key passed in "
        "the request does not match the current change key for the item."
    )
    return GraphError(412, "ErrorIrresolvableConflict", text)
