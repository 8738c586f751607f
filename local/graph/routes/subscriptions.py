"""Subscriptions: create with the handshake, renew, reauthorise, end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aiohttp import web

from local.graph import context
from local.graph.rich import Recipient, recipient
from local.graph.routes.resources import TEAMS, resource
from local.graph.state import ids
from local.graph.state.world import Subscription, World
from local.graph.wire import odata
from local.graph.wire.errors import fail

MINUTES = {"message": 10_080, "event": 10_080, "drive": 42_300, "chat": 4_320, "channel": 4_320}
LEAST_MINUTES = 45
LONGEST_CLIENT_STATE = 128
RENEWABLE = {"expirationDateTime", "notificationUrl", "@odata.type", "id"}
RENEWABLE |= {"encryptionCertificate", "encryptionCertificateId"}
CHANGE_TYPES = {"created", "updated", "deleted"}


def shown(one: Subscription) -> odata.Json:
    """A subscription; the client state is not given back."""
    return {
        "id": one.id,
        "resource": one.resource,
        "changeType": ",".join(sorted(one.change_types)),
        "clientState": None,
        "notificationUrl": one.notification_url,
        "lifecycleNotificationUrl": one.lifecycle_url or None,
        "expirationDateTime": ids.timestamp(one.expires),
        "applicationId": one.application,
        "creatorId": "00000000-0000-0000-0000-000000000000",
        "includeResourceData": True if one.recipient else None,
        "encryptionCertificateId": one.recipient.id if one.recipient else None,
        "latestSupportedTlsVersion": "v1_2",
    }


def _recipient(body: odata.Json, kind: str) -> Recipient | None:
    """Whose certificate encrypts rich notifications; None where none were asked for."""
    if not body.get("includeResourceData"):
        return None
    if kind not in TEAMS:  # Graph has them for Outlook too, where the resource has a $select
        fail(400, "InvalidRequest", f"No notifications with resource data for {kind}.")
    certificate, key = body.get("encryptionCertificate"), body.get("encryptionCertificateId")
    if not isinstance(certificate, str) or not isinstance(key, str) or not key:
        text = "encryptionCertificate and encryptionCertificateId are required with resource data."
        fail(400, "InvalidRequest", text)
    try:
        return recipient(certificate, key)
    except ValueError:
        fail(400, "InvalidRequest", "The encryptionCertificate is not usable.")


def _within_quota(world: World, kind: str, owner: str) -> None:
    """One subscription an application for each chat, each channel, and all of them."""
    if kind in TEAMS and world.watching(kind, owner):
        text = "The application has reached its limit of 1 subscription for this resource."
        fail(403, "Forbidden", text)


def _expiry(text: object, kind: str) -> datetime:
    """When it ends; under 45 minutes is raised to 45, over the resource's maximum is 400."""
    try:
        when = datetime.fromisoformat(str(text))
    except ValueError:
        fail(400, "InvalidRequest", "Invalid expirationDateTime.")
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    now, most = ids.now(), MINUTES[kind]
    if when <= now:
        fail(400, "InvalidRequest", "Subscription expiration must be in the future.")
    if when > now + timedelta(minutes=most, seconds=30):  # half a minute for the way here
        fail(
            400,
            "InvalidRequest",
            f"Subscription expiration can only be {most} minutes in the future.",
        )
    return max(when, now + timedelta(minutes=LEAST_MINUTES))


def _change_types(text: object, kind: str) -> frozenset[str]:
    types = frozenset(str(text or "").replace(" ", "").split(","))
    allowed = {"updated"} if kind == "drive" else CHANGE_TYPES
    if not types <= allowed:
        fail(400, "InvalidRequest", f"Invalid change type for this resource: {text}")
    return types


async def create(request: web.Request) -> web.Response:
    """POST /subscriptions: 201 after both addresses echoed their token, 400 otherwise."""
    world, body = context.world(request), await odata.json_body(request)
    kind, owner, folder = resource(world, str(body.get("resource") or ""))
    permissions = request.app.get(context.PERMISSIONS)
    if permissions is not None and permissions.refuses_resource(kind):
        fail(403, "ExtensionError", "Missing permission to read the resource.")
    expires = _expiry(body.get("expirationDateTime"), kind)
    url, lifecycle = body.get("notificationUrl"), body.get("lifecycleNotificationUrl") or ""
    state = body.get("clientState") or ""
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        fail(400, "InvalidRequest", "notificationUrl must be an absolute address.")
    if len(state) > LONGEST_CLIENT_STATE:
        fail(400, "InvalidRequest", "clientState must not exceed 128 characters.")
    to = _recipient(body, kind)
    if kind in TEAMS and not lifecycle and expires > ids.now() + timedelta(hours=1):
        fail(
            400,
            "InvalidRequest",
            "lifecycleNotificationUrl is required for subscriptions over 1 hour.",
        )
    types = _change_types(body.get("changeType"), kind)
    _within_quota(world, kind, owner)
    for each in filter(None, (url, lifecycle)):  # twice where both are the same, as Graph does
        problem = await request.app[context.NOTIFIER].handshake(each)
        if problem:
            fail(400, "ValidationError", problem)
    made = Subscription(
        id=ids.guid(),
        resource=str(body["resource"]),
        kind=kind,
        owner=owner,
        folder=folder,
        change_types=types,
        notification_url=url,
        lifecycle_url=lifecycle,
        client_state=state,
        expires=expires,
        immutable=odata.immutable(request),
        security=odata.prefers(request, "includesecuritywebhooks"),
        recipient=to,
        application=world.application_id,
    )
    world.subscribe(made)
    return web.json_response(shown(made), status=201)


def _alive(world: World) -> dict[str, Subscription]:
    for each in list(world.subscriptions.values()):
        if each.expires <= ids.now():
            world.unsubscribe(each)
    return world.subscriptions


def _one(request: web.Request) -> Subscription:
    world = context.world(request)
    found = world.subscriptions.get(request.match_info["subscription"])
    if found is not None and found.expires <= ids.now():
        world.unsubscribe(found)
        found = None
    if found is None:
        fail(404, "ResourceNotFound", "The object was not found.")
    return found


async def list_all(request: web.Request) -> web.Response:
    """GET /subscriptions."""
    found = [shown(each) for each in _alive(context.world(request)).values()]
    return odata.collection(request, "subscriptions", found)


async def get_one(request: web.Request) -> web.Response:
    """GET /subscriptions/{id}."""
    return web.json_response(shown(_one(request)))


async def renew(request: web.Request) -> web.Response:
    """PATCH: expiry, address, certificate (a lifecycle address cannot be added)."""
    one, body = _one(request), await odata.json_body(request)
    if set(body) - RENEWABLE:
        fail(400, "InvalidRequest", "Only expirationDateTime and notificationUrl can be updated.")
    if {"encryptionCertificate", "encryptionCertificateId"} & set(body):
        given = {**body, "includeResourceData": one.recipient is not None}
        one.recipient = _recipient(given, one.kind)
    url = body.get("notificationUrl")
    if url and url != one.notification_url:
        problem = await request.app[context.NOTIFIER].handshake(url)
        if problem:
            fail(400, "ValidationError", problem)
        one.notification_url = url
    if "expirationDateTime" in body:
        one.expires = _expiry(body["expirationDateTime"], one.kind)
    return web.json_response(shown(one))


async def reauthorize(request: web.Request) -> web.Response:
    """POST …/reauthorize: 204."""
    _one(request)
    return web.Response(status=204)


async def end(request: web.Request) -> web.Response:
    """DELETE: 204."""
    context.world(request).unsubscribe(_one(request))
    return web.Response(status=204)


S = "/v1.0/subscriptions"
ROUTES = [
    web.get(S, list_all, allow_head=False),
    web.post(S, create),
    web.get(f"{S}/{{subscription}}", get_one, allow_head=False),
    web.patch(f"{S}/{{subscription}}", renew),
    web.delete(f"{S}/{{subscription}}", end),
    web.post(f"{S}/{{subscription}}/reauthorize", reauthorize),
]
