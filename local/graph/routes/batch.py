"""``$batch``: up to 20 requests in one, each with its own answer; dependencies are kept."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json

import aiohttp
from aiohttp import web
from yarl import URL

from local.graph.wire import odata
from local.graph.wire.errors import GraphError, fail

MOST = 20
AT_ONCE = 4
FAILED = 400
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
type Steps = dict[str, odata.Json]


async def batch(request: web.Request) -> web.Response:
    """POST $batch {requests: [{id, method, url, headers?, body?, dependsOn?}]}."""
    steps = _steps(await odata.json_body(request))
    order, sent = _ordered(steps), {key: _sent(request, step) for key, step in steps.items()}
    done: dict[str, asyncio.Task[odata.Json]] = {}
    slots = asyncio.Semaphore(AT_ONCE)
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        asyncio.TaskGroup() as group,
    ):

        async def run(key: str) -> odata.Json:
            for other in steps[key].get("dependsOn") or []:
                if (await done[other])["status"] >= FAILED:
                    return _failed(key)
            async with slots:
                return await _step(request, session, steps[key], *sent[key])

        for key in order:
            done[key] = group.create_task(run(key))
    return web.json_response({"responses": [task.result() for task in done.values()]})


def _steps(body: odata.Json) -> Steps:
    """The requests by id; 400 for a batch that Graph would not begin."""
    given = body.get("requests")
    if not isinstance(given, list) or not given or len(given) > MOST:
        fail(400, "BadRequest", f"A batch has 1 to {MOST} requests.")
    steps: Steps = {}
    for each in given:
        if not isinstance(each, dict) or not _usable(each) or each["id"] in steps:
            fail(400, "BadRequest", "Invalid batch payload format.")
        steps[each["id"]] = each
    return steps


def _usable(step: odata.Json) -> bool:
    texts = all(isinstance(step.get(key), str) for key in ("id", "method", "url"))
    depends, headers = step.get("dependsOn") or [], step.get("headers") or {}
    return (
        texts
        and step["method"].upper() in METHODS
        and not step["url"].lstrip("/").startswith("$batch")
        and isinstance(depends, list)
        and all(isinstance(each, str) for each in depends)
        and isinstance(headers, dict)
        and all(isinstance(each, str) for each in headers.values())
    )


def _ordered(steps: Steps) -> list[str]:
    """Each after those it depends on; 400 for a stranger or a ring."""
    ordered: list[str] = []
    while len(ordered) < len(steps):
        free = [
            key
            for key, step in steps.items()
            if key not in ordered and set(step.get("dependsOn") or []) <= set(ordered)
        ]
        if not free:
            fail(400, "BadRequest", "Invalid dependsOn: unknown or circular.")
        ordered += free
    return ordered


async def _step(
    request: web.Request,
    session: aiohttp.ClientSession,
    step: odata.Json,
    headers: dict[str, str],
    data: bytes | None,
) -> odata.Json:
    """One request as a client of its own would make it: logged, and it may go wrong on demand."""
    url = URL(f"{odata.origin(request)}/v1.0/{step['url'].lstrip('/').replace(' ', '%20')}")
    try:
        async with session.request(
            step["method"].upper(), url, data=data, headers=headers, allow_redirects=False
        ) as answer:
            body, kind = await answer.read(), answer.content_type
            shown = {k: v for k, v in answer.headers.items() if k != "Content-Length"}
            result = {"id": step["id"], "status": answer.status, "headers": shown}
    except aiohttp.ClientError:
        error = json.loads(GraphError(503, "serviceNotAvailable", "").response().body or b"{}")  # type: ignore[arg-type]
        return {"id": step["id"], "status": 503, "headers": {}, "body": error}
    if body:
        is_json = kind == "application/json"
        result["body"] = json.loads(body) if is_json else base64.b64encode(body).decode()
    return result


def _sent(request: web.Request, step: odata.Json) -> tuple[dict[str, str], bytes | None]:
    """Headers and bytes: JSON as it stands; another type comes as base64 (400 where it is none)."""
    headers = {"Authorization": request.headers["Authorization"], **(step.get("headers") or {})}
    body = step.get("body")
    if body is None:
        return headers, None
    kind = {key.lower(): value for key, value in headers.items()}.get("content-type")
    if kind is None:
        headers["Content-Type"] = "application/json"
    if kind is None or "json" in kind:
        return headers, json.dumps(body).encode()
    try:
        return headers, base64.b64decode(str(body), validate=True)
    except (binascii.Error, ValueError):
        return fail(400, "BadRequest", "The body of a request is not base64.")


def _failed(key: str) -> odata.Json:
    text = "The request depended on another request that failed."
    error = {"code": "FailedDependency", "message": text}
    return {"id": key, "status": 424, "headers": {}, "body": {"error": error}}


ROUTES = [web.post("/v1.0/$batch", batch)]
