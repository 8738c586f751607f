"""Subscriptions and their notifications, in real HTTP on both sides."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from aiohttp import web

from local.graph.routes.subscriptions import MINUTES

IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}


def in_minutes(minutes):
    return (dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)).isoformat()


def body(tenant, hook, **changes):
    return {
        "changeType": "created,updated,deleted",
        "notificationUrl": hook.url,
        "resource": f"/users/{tenant.user['id']}/messages",
        "expirationDateTime": in_minutes(600),
        "clientState": "synthetic",
    } | changes


async def subscribe(tenant, hook, headers=IMMUTABLE, **changes):
    sent = body(tenant, hook, **changes)
    answer = await tenant.call("POST", "/v1.0/subscriptions", json=sent, headers=headers)
    assert answer.status == 201, answer.body
    return answer.json


async def drive_subscription(tenant, hook, headers=None, **changes):
    resource = f"/drives/{tenant.user['drive_id']}/root"
    given = {"resource": resource, "changeType": "updated"} | changes
    return await subscribe(tenant, hook, headers, **given)


async def settle():
    """Longer than notifications are gathered for; for what must *not* come."""
    await asyncio.sleep(0.2)


async def test_creation_validates_both_addresses(tenant, hook):
    made = await subscribe(tenant, hook, lifecycleNotificationUrl=hook.url)
    assert len(hook.validations) == 2
    assert all(" " in token for token in hook.validations)  # so decoding matters
    assert made["clientState"] is None
    listed = (await tenant.call("GET", "/v1.0/subscriptions")).json["value"]
    assert [each["id"] for each in listed] == [made["id"]]


@pytest.mark.parametrize(
    "validation",
    [
        lambda token: web.Response(text=token, status=202),
        lambda token: web.Response(text=token + " "),
        lambda token: web.Response(text=token.replace(" ", "+")),
        lambda token: web.Response(text=token, content_type="text/html"),
        web.json_response,
        lambda _token: web.Response(status=500),
    ],
    ids=["202", "padded", "still encoded", "html", "json", "500"],
)
async def test_creation_fails_unless_the_token_comes_back_as_text(tenant, hook, validation):
    hook.validation = validation
    answer = await tenant.call("POST", "/v1.0/subscriptions", json=body(tenant, hook))
    assert (answer.status, answer.code) == (400, "ValidationError")
    assert (await tenant.call("GET", "/v1.0/subscriptions")).json["value"] == []


async def test_creation_fails_where_nobody_listens(tenant, hook, unused_tcp_port):
    url = f"http://127.0.0.1:{unused_tcp_port}/hook"
    sent = body(tenant, hook, lifecycleNotificationUrl=url)
    answer = await tenant.call("POST", "/v1.0/subscriptions", json=sent)
    assert (answer.status, answer.code) == (400, "ValidationError")


@pytest.mark.parametrize(
    ("kind", "resource"),
    [
        ("message", "/users/{id}/messages"),
        ("message", "users/{id}/mailFolders('inbox')/messages"),
        ("message", "users/{id}/mailFolders/inbox/messages"),
        ("event", "/users/{id}/events"),
        ("drive", "/users/{id}/drive/root"),
        ("drive", "/drives/{drive_id}/root"),
        ("chat", "/chats/getAllMessages"),
        ("channel", "teams/getAllMessages?model=A"),
    ],
)
async def test_expiry_is_bounded_by_the_resource(tenant, hook, kind, resource):
    changes = {
        "resource": resource.format(**tenant.user),
        "changeType": "updated",
        "lifecycleNotificationUrl": hook.url,
    }
    longest = MINUTES[kind]
    made = await subscribe(tenant, hook, expirationDateTime=in_minutes(longest), **changes)
    over = body(tenant, hook, expirationDateTime=in_minutes(longest + 2), **changes)
    answer = await tenant.call("POST", "/v1.0/subscriptions", json=over)
    assert (answer.status, str(longest) in answer.json["error"]["message"]) == (400, True)
    path = f"/v1.0/subscriptions/{made['id']}"
    renewal = {"expirationDateTime": in_minutes(longest + 2)}
    assert (await tenant.call("PATCH", path, json=renewal)).status == 400


async def test_short_expiry_is_raised_to_45_minutes(tenant, hook):
    made = await subscribe(tenant, hook, expirationDateTime=in_minutes(5))
    left = dt.datetime.fromisoformat(made["expirationDateTime"]) - dt.datetime.now(dt.UTC)
    assert dt.timedelta(minutes=44) < left <= dt.timedelta(minutes=45)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"clientState": "x" * 129}, 400),
        ({"changeType": "moved"}, 400),
        ({"changeType": ""}, 400),
        ({"resource": "/users/nobody@city.example/messages"}, 404),
        ({"resource": "/users"}, 400),
        ({"resource": "/teams/getAllMessages?model=C"}, 400),
        ({"expirationDateTime": "soon"}, 400),
        ({"expirationDateTime": "2020-01-01T00:00:00Z"}, 400),
        ({"notificationUrl": "ftp://x"}, 400),
        ({"resource": "/chats/getAllMessages"}, 400),
        ({"includeResourceData": True}, 400),
    ],
)
async def test_creation_refuses_what_graph_refuses(tenant, hook, changes, status):
    sent = body(tenant, hook, **changes)
    answer = await tenant.call("POST", "/v1.0/subscriptions", json=sent)
    assert answer.status == status
    assert hook.validations == []


async def test_drive_takes_updated_only(tenant, hook):
    resource = f"/drives/{tenant.user['drive_id']}/root"
    sent = body(tenant, hook, resource=resource, changeType="created,updated")
    assert (await tenant.call("POST", "/v1.0/subscriptions", json=sent)).status == 400
    await drive_subscription(tenant, hook)


async def test_mail_notification_names_the_message_and_its_version(tenant, hook):
    made = await subscribe(tenant, hook)
    key = await tenant.receive(b"Subject: a\r\n\r\n")
    (one,) = await hook.wait(1)
    etag = (await tenant.call("GET", tenant.message(key))).json["@odata.etag"]
    assert one["resourceData"]["id"] == key
    assert one["resourceData"]["@odata.etag"] == etag
    assert (one["changeType"], one["subscriptionId"]) == ("created", made["id"])
    assert one["clientState"] == "synthetic"
    assert one["resource"] == f"Users/{tenant.user['id']}/Messages/{key}"


async def test_own_writes_notify_too(tenant, hook):
    await subscribe(tenant, hook)
    path = tenant.message(await tenant.receive(b"Subject: a\r\n\r\n"))
    await tenant.call("PATCH", path, json={"categories": ["x"]})
    await tenant.call("POST", f"{path}/move", json={"destinationId": "archive"})
    await tenant.call("POST", f"{path}/permanentDelete")
    kinds = [each["changeType"] for each in await hook.wait(4)]
    assert sorted(kinds) == ["created", "deleted", "updated", "updated"]


async def test_move_without_immutable_ids_is_deleted_and_created(tenant, hook):
    await subscribe(tenant, hook, headers=None)
    key = await tenant.receive(b"Subject: a\r\n\r\n")
    old = (await hook.wait(1))[0]["resourceData"]["id"]
    new = await tenant.call(
        "POST", f"{tenant.message(key)}/move", json={"destinationId": "archive"}
    )
    later = (await hook.wait(3))[1:]
    assert {(each["changeType"], each["resourceData"]["id"]) for each in later} == {
        ("deleted", old),
        ("created", new.json["id"]),
    }


async def test_folder_subscription_hears_of_its_folder_only(tenant, hook):
    resource = f"/users/{tenant.user['id']}/mailFolders('archive')/messages"
    await subscribe(tenant, hook, resource=resource)
    key = await tenant.receive(b"Subject: a\r\n\r\n")
    await tenant.call("POST", f"{tenant.message(key)}/move", json={"destinationId": "archive"})
    await tenant.call("POST", f"{tenant.message(key)}/move", json={"destinationId": "inbox"})
    await hook.wait(2)
    await settle()
    assert sorted(each["changeType"] for each in hook.notifications()) == ["created", "deleted"]


async def test_drive_notification_names_no_item(tenant, hook):
    made = await drive_subscription(tenant, hook)
    await tenant.put_file("a.txt", b"1")
    (one,) = await hook.wait(1)
    assert one["resource"] == made["resource"]
    assert set(one["resourceData"]) == {"@odata.type"}


async def test_sharing_notifies_only_security_subscriptions(tenant, hook):
    plain = await drive_subscription(tenant, hook)
    secure = await drive_subscription(tenant, hook, {"Prefer": "includesecuritywebhooks"})
    path = await tenant.put_file("a.txt", b"1")
    await hook.wait(2)
    await tenant.call("POST", f"{path}/createLink", json={"type": "view", "scope": "anonymous"})
    await hook.wait(3)
    await settle()
    ids = [each["subscriptionId"] for each in hook.notifications()]
    assert (ids.count(plain["id"]), ids.count(secure["id"])) == (1, 2)


async def test_unwanted_change_types_are_not_sent(tenant, hook):
    await subscribe(tenant, hook, changeType="updated")
    key = await tenant.receive(b"Subject: a\r\n\r\n")
    await tenant.call("PATCH", tenant.message(key), json={"isRead": True})
    await hook.wait(1)
    await settle()
    assert [each["changeType"] for each in hook.notifications()] == ["updated"]


async def test_delivery_is_repeated_until_2xx(tenant, hook):
    await subscribe(tenant, hook)
    hook.statuses = [503, 500]
    await tenant.receive(b"Subject: a\r\n\r\n")
    await hook.wait(3)
    await settle()
    assert hook.bodies[0] == hook.bodies[1] == hook.bodies[2]
    assert len(hook.bodies) == 3
    deliveries = (await tenant.admin("GET", "state"))["deliveries"]
    assert [each["status"] for each in deliveries] == [503, 500, 202]


async def test_burst_is_delivered_in_batches(tenant, hook):
    await subscribe(tenant, hook)
    await asyncio.gather(*(tenant.receive(b"Subject: %d\r\n\r\n" % n) for n in range(20)))
    await hook.wait(20)
    assert len(hook.bodies) < 20


async def test_dropped_and_doubled_notifications(tenant, hook):
    await subscribe(tenant, hook)
    await tenant.admin("POST", "faults", json={"drop_notifications": 1})
    await tenant.receive(b"Subject: lost\r\n\r\n")
    await tenant.admin("POST", "faults", json={"duplicate_notifications": 1})
    twice = await tenant.receive(b"Subject: twice\r\n\r\n")
    once = await tenant.receive(b"Subject: once\r\n\r\n")
    await hook.wait(3)
    await settle()
    assert [each["resourceData"]["id"] for each in hook.notifications()] == [twice, twice, once]


async def test_lifecycle_events_reach_the_lifecycle_address(tenant, hook):
    made = await subscribe(tenant, hook, lifecycleNotificationUrl=hook.url)
    await subscribe(tenant, hook)  # without one: nothing to send
    for event in ("reauthorizationRequired", "missed", "subscriptionRemoved"):
        sent = await tenant.admin("POST", "lifecycle", json={"event": event})
        assert sent["sent"] == [made["id"]]
        heard = (await hook.wait(1))[-1]
        assert (heard["lifecycleEvent"], heard["clientState"]) == (event, "synthetic")
        hook.bodies.clear()
    assert (await tenant.call("GET", "/v1.0/subscriptions")).json["value"] == []


async def test_ended_and_expired_subscriptions_are_silent(tenant, hook):
    ended, expired = await subscribe(tenant, hook), await subscribe(tenant, hook)
    path = f"/v1.0/subscriptions/{ended['id']}"
    assert (await tenant.call("POST", f"{path}/reauthorize")).status == 204
    assert (await tenant.call("DELETE", path)).status == 204
    await tenant.admin("POST", "expire", json={"subscription_id": expired["id"]})
    await tenant.receive(b"Subject: a\r\n\r\n")
    await settle()
    assert hook.bodies == []
    for each in (ended, expired):
        gone = await tenant.call("GET", f"/v1.0/subscriptions/{each['id']}")
        assert (gone.status, gone.code) == (404, "ResourceNotFound")


async def test_lifecycle_address_cannot_be_added_later(tenant, hook):
    made = await subscribe(tenant, hook)
    change = {"lifecycleNotificationUrl": hook.url}
    answer = await tenant.call("PATCH", f"/v1.0/subscriptions/{made['id']}", json=change)
    assert answer.status == 400
