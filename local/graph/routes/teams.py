"""Teams: channels, chats and their messages; the verdict that blocks one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from aiohttp import web

from local.graph import context
from local.graph.state.teams import ChatMessage, Team, Teams, Thread, external
from local.graph.wire import odata, teams
from local.graph.wire.errors import GraphError, fail

type Found = Iterable[tuple[Thread, ChatMessage]]
PAGE = 20
LARGEST = 50
TERM = re.compile(r"lastModifiedDateTime (gt|lt|ge|le) (\S+)")
COMPARE = {
    "gt": lambda a, b: a > b,
    "lt": lambda a, b: a < b,
    "ge": lambda a, b: a >= b,
    "le": lambda a, b: a <= b,
}


def not_found() -> GraphError:
    """404 as Teams says it."""
    return GraphError(404, "NotFound", "NotFound")


def tenant(request: web.Request) -> Teams:
    """All teams and chats."""
    return context.world(request).teams


def team(request: web.Request) -> Team:
    """The ``{team}`` of the path, or 404."""
    found = tenant(request).teams.get(request.match_info["team"])
    if found is None:
        raise not_found()
    return found


def thread(request: web.Request) -> Thread:
    """The ``{chat}`` or ``{channel}`` of the path, or 404."""
    parts = request.match_info
    if "chat" in parts:
        found = tenant(request).chats.get(parts["chat"])
    else:
        found = team(request).channels.get(parts["channel"])
    if found is None:
        raise not_found()
    return found


def message(request: web.Request) -> ChatMessage:
    """The ``{message}`` of the path, or the ``{reply}`` below it; 404 where it is not there."""
    parts, messages = request.match_info, thread(request).messages
    found = messages.get(parts.get("reply") or parts["message"])
    root = parts["message"] if "reply" in parts else ""
    if found is None or found.reply_to != root:
        raise not_found()
    return found


def _matches(one: ChatMessage, text: str) -> bool:
    """``$filter``: bounds of lastModifiedDateTime; any other is 400."""
    for term in text.split(" and ") if text else ():
        match = TERM.fullmatch(term.strip())
        if match is None:
            fail(400, "BadRequest", "The stand-in has no such filter.")
        try:
            bound = datetime.fromisoformat(match[2])
            if not COMPARE[match[1]](one.modified, bound):
                return False
        except (ValueError, TypeError):
            fail(400, "BadRequest", "Invalid date and time in $filter.")
    return True


def page(request: web.Request, found: Found) -> web.Response:
    """Messages, those that changed last first; at most 50 a page."""
    if odata.page_size(request, PAGE) > LARGEST:
        fail(400, "BadRequest", f"Invalid page size specified. Must be at most {LARGEST}.")
    chosen = [each for each in found if _matches(each[1], request.query.get("$filter", ""))]
    chosen.sort(key=lambda pair: pair[1].seq, reverse=True)
    select = request.query.get("$select")
    bodies = [odata.select(teams.message(*each), select) for each in chosen]
    return odata.collection(request, "Collection(chatMessage)", bodies, default=PAGE)


async def list_messages(request: web.Request) -> web.Response:
    """GET messages of a chat, or those of a channel that are no replies."""
    where = thread(request)
    return page(request, [(where, m) for m in where.messages.values() if not m.reply_to])


async def list_replies(request: web.Request) -> web.Response:
    """GET messages/{id}/replies of a channel."""
    where, root = thread(request), message(request)
    return page(request, [(where, m) for m in where.messages.values() if m.reply_to == root.id])


async def get_message(request: web.Request) -> web.Response:
    """GET a message or a reply; one that was deleted is there, empty."""
    shown = teams.message(thread(request), message(request))
    return web.json_response(odata.select(shown, request.query.get("$select")))


async def patch_message(request: web.Request) -> web.Response:
    """PATCH {policyViolation}: 200 without a body; 403 for a sender of another organisation."""
    where, one = thread(request), message(request)
    verdict = teams.violation(await odata.json_body(request))
    if external(one.sender, context.world(request).tenant_id):
        text = "The sender of the message is not a user of this tenant."
        fail(403, "Forbidden", text)
    tenant(request).violate(where, one, verdict)
    return web.Response(status=200)


async def delta(request: web.Request) -> web.Response:
    """GET messages/delta() or replies/delta(): pages, then a link for what changes later."""
    where = thread(request)
    root = message(request).id if "message" in request.match_info else ""
    token = request.query.get("$skiptoken") or request.query.get("$deltatoken") or ""
    first: odata.Json = {
        "thread": where.id,
        "root": root,
        "since": 0,
        "filter": request.query.get("$filter"),
    }
    state: odata.Json = odata.unseal(token) if token else first
    if (state.get("thread"), state.get("root")) != (where.id, root):
        fail(400, "BadRequest", "The delta token belongs to other messages.")
    every = (m for m in where.messages.values() if m.reply_to == root and m.seq > state["since"])
    chosen = [m for m in every if _matches(m, state.get("filter") or "")]
    chosen.sort(key=lambda one: one.seq)
    size = min(odata.page_size(request, PAGE), LARGEST)
    shown = [teams.message(where, each) for each in chosen[:size]]
    body: odata.Json = {"@odata.context": odata.context(request, "Collection(chatMessage)")}
    body["value"] = shown
    base = str(request.url.with_query(None))
    more = len(chosen) > size
    state["since"] = chosen[size - 1].seq if more else tenant(request).seq
    option, link = ("$skiptoken", "next") if more else ("$deltatoken", "delta")
    body[f"@odata.{link}Link"] = f"{base}?{option}={odata.seal(**state)}"
    return web.json_response(body)


async def all_chats(request: web.Request) -> web.Response:
    """GET /chats/getAllMessages(), or those of one user's chats."""
    found = tenant(request).chats.values()
    if "user" in request.match_info:
        member = context.user(request).id
        return page(request, [(t, m) for t in found if member in t.members for m in _all(t)])
    return page(request, [(t, m) for t in found for m in _all(t)])


async def all_channels(request: web.Request) -> web.Response:
    """GET /teams/{id}/channels/getAllMessages(): replies too."""
    return page(request, [(t, m) for t in team(request).channels.values() for m in _all(t)])


def _all(where: Thread) -> list[ChatMessage]:
    return list(where.messages.values())


C, T = "/v1.0/chats", "/v1.0/teams"
CHAT = f"{C}/{{chat}}/messages"
CHANNEL = f"{T}/{{team}}/channels/{{channel}}/messages"
REPLIES = f"{CHANNEL}/{{message}}/replies"
ROUTES = [
    *(
        route
        for end in ("()", "")
        for route in (
            web.get(f"{C}/getAllMessages{end}", all_chats, allow_head=False),
            web.get(f"/v1.0/users/{{user}}/chats/getAllMessages{end}", all_chats, allow_head=False),
            web.get(f"{T}/{{team}}/channels/getAllMessages{end}", all_channels, allow_head=False),
            web.get(f"{CHAT}/delta{end}", delta, allow_head=False),
            web.get(f"{CHANNEL}/delta{end}", delta, allow_head=False),
            web.get(f"{REPLIES}/delta{end}", delta, allow_head=False),
        )
    ),
    *(
        route
        for base in (CHAT, CHANNEL)
        for route in (
            web.get(base, list_messages, allow_head=False),
            web.get(f"{base}/{{message}}", get_message, allow_head=False),
            web.patch(f"{base}/{{message}}", patch_message),
        )
    ),
    web.get(REPLIES, list_replies, allow_head=False),
    web.get(f"{REPLIES}/{{reply}}", get_message, allow_head=False),
    web.patch(f"{REPLIES}/{{reply}}", patch_message),
]
