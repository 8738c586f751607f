"""What a notification says of a change, for one subscription."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from local.graph import rich
from local.graph.state import ids
from local.graph.state.world import Change, Subscription, World
from local.graph.wire import teams

type Json = dict[str, Any]
FORGERY = "_forgery"  # in a body: how its token is to be forged; never sent


def notifications(
    world: World, subscription: Subscription, change: Change, forge: Callable[[], str]
) -> Iterator[Json]:
    """None, one or two (a move); ``forge`` names what is to be wrong with the next rich one."""
    base: Json = {
        "subscriptionId": subscription.id,
        "subscriptionExpirationDateTime": ids.timestamp(subscription.expires),
        "clientState": subscription.client_state or None,
        "tenantId": world.tenant_id,
    }
    if change.kind == "drive":
        if not change.sharing or subscription.security:
            data = {"@odata.type": "#Microsoft.Graph.DriveItem"}
            named = {"changeType": "updated", "resource": subscription.resource}
            yield {**base, **named, "resourceData": data}
    elif change.chat is not None:
        if change.change in subscription.change_types:
            yield base | _teams(subscription, change, forge)
    elif change.event is not None:
        if change.change in subscription.change_types:
            path = f"Users/{change.owner}/Events/{change.event.id}"
            data = _outlook("Event", path, change.event.etag, change.event.id)
            yield {**base, "changeType": change.change, "resource": path, "resourceData": data}
    else:
        yield from _mail(base, subscription, change)


def _teams(subscription: Subscription, change: Change, forge: Callable[[], str]) -> Json:
    assert change.chat is not None
    thread, message = change.chat
    path = teams.resource(thread, message)
    data = {"id": message.id, "@odata.type": "#Microsoft.Graph.chatMessage", "@odata.id": path}
    body: Json = {"changeType": change.change, "resource": path, "resourceData": data}
    if subscription.recipient is None:
        return body
    forgery = forge()
    shown = teams.message(thread, message)
    content = rich.encrypted(shown, subscription.recipient, forgery)
    return body | {"encryptedContent": content, FORGERY: forgery}


def _mail(base: Json, subscription: Subscription, change: Change) -> Iterator[Json]:
    message = change.message
    assert message is not None
    for kind, key in _mail_events(subscription, change):
        if kind in subscription.change_types:
            path = f"Users/{change.owner}/Messages/{key}"
            data = _outlook("Message", path, message.etag, key)
            yield {**base, "changeType": kind, "resource": path, "resourceData": data}


def _outlook(kind: str, path: str, etag: str, key: str) -> Json:
    named = {"@odata.type": f"#Microsoft.Graph.{kind}", "@odata.id": path}
    return {**named, "@odata.etag": etag, "id": key}


def _mail_events(subscription: Subscription, change: Change) -> Iterator[tuple[str, str]]:
    """(changeType, id). A move keeps an immutable id: updated; otherwise deleted and created."""
    message = change.message
    assert message is not None
    key = message.id(immutable=subscription.immutable)
    old = key if subscription.immutable else change.old_id
    into = subscription.folder in {"", change.folder}
    if change.change != "moved":
        if into:
            yield change.change, key
    elif subscription.folder:
        outof = change.source == subscription.folder
        if outof:
            yield "deleted", old
        if into:
            yield "created", key
    elif subscription.immutable:
        yield "updated", key
    else:
        yield "deleted", old
        yield "created", key
