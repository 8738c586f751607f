"""OData options, Prefer, paging and opaque tokens."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from local.graph.wire import shapes
from local.graph.wire.errors import GraphError, fail

type Json = dict[str, Any]
DEFAULT_PAGE, LARGEST_PAGE = 100, 1000


def origin(request: web.Request) -> str:
    """The address under which the client reached us: ``http://host:port``."""
    return f"{request.scheme}://{request.host}"


def context(request: web.Request, fragment: str) -> str:
    """An ``@odata.context``."""
    return f"{origin(request)}/v1.0/$metadata#{fragment}"


async def json_body(request: web.Request) -> Json:
    """The JSON object that was sent; 400 if it is none."""
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        fail(400, "BadRequest", "Unable to read JSON request payload.")
    if not request.path.startswith("/_admin"):
        shapes.check(body)
    return body


def get(body: Json, name: str, default: Any = None) -> Any:
    """A parameter by name; Graph ignores case (the SDK sends ``DestinationId``)."""
    for key, value in body.items():
        if key.lower() == name.lower():
            return value
    return default


def immutable(request: web.Request) -> bool:
    """Whether ``Prefer: IdType="ImmutableId"`` was sent."""
    return 'idtype="immutableid"' in ",".join(request.headers.getall("Prefer", [])).lower()


def prefers(request: web.Request, word: str) -> bool:
    """Whether a Prefer header holds the word."""
    return word.lower() in ",".join(request.headers.getall("Prefer", [])).lower()


def page_size(request: web.Request, default: int = DEFAULT_PAGE) -> int:
    """``$top`` or ``Prefer: odata.maxpagesize``."""
    wish = re.search(r"odata\.maxpagesize=(\d+)", ",".join(request.headers.getall("Prefer", [])))
    text = request.query.get("$top") or (wish[1] if wish else str(default))
    if not text.isdigit() or not 1 <= int(text) <= LARGEST_PAGE:
        fail(400, "BadRequest", f"Invalid value '{text}' for $top query option found.")
    return int(text)


def select(entity: Json, names: str | None) -> Json:
    """Only what ``$select`` asked for; ``@odata.*`` and ``id`` always stay."""
    if not names:
        return entity
    wanted = {name.strip().lower() for name in names.split(",")} | {"id"}
    return {key: value for key, value in entity.items() if key[0] == "@" or key.lower() in wanted}


def seal(**values: Any) -> str:
    """An opaque token; the state a server keeps in ``$skiptoken`` and ``$deltatoken``."""
    text = json.dumps(values, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def unseal(token: str) -> Json:
    """What a token of ours holds; 400 for any other."""
    try:
        value = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, binascii.Error):
        value = None
    if not isinstance(value, dict):
        fail(400, "InvalidRequest", "Badly formed token.")
    return value


def listing[T](
    request: web.Request,
    fragment: str,
    found: Sequence[T],
    show: Callable[[T], Json],
    default: int = DEFAULT_PAGE,
) -> web.Response:
    """One page of what was found, and ``@odata.nextLink`` while there is more ($top, $skip)."""
    size, skip = page_size(request, default), request.query.get("$skip", "0")
    if not skip.isdigit():
        fail(400, "BadRequest", f"Invalid value '{skip}' for $skip query option found.")
    start = int(skip)
    body: Json = {"@odata.context": context(request, fragment)}
    if request.query.get("$count") == "true":
        body["@odata.count"] = len(found)
    body["value"] = [show(each) for each in found[start : start + size]]
    if start + size < len(found):
        url = request.url.update_query({"$skip": str(start + size)})
        body["@odata.nextLink"] = str(url)
    return web.json_response(body)


def collection(
    request: web.Request, fragment: str, entities: Sequence[Json], default: int = DEFAULT_PAGE
) -> web.Response:
    """One page of entities that are shown already."""
    return listing(request, fragment, entities, lambda each: each, default)


def if_match(request: web.Request, etag: str, error: GraphError) -> None:
    """Raise ``error`` where If-Match names another version."""
    wanted = request.headers.get("If-Match")
    if wanted and wanted.strip() not in {"*", etag}:
        raise error
