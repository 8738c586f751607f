"""Calendars: events, meetings in several calendars, views, delta, notifications."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
from urllib.parse import quote

import pytest

PROPERTY = "String {5a1c9a3e-7e0b-4c0e-9a61-6f0b5e3d2c71} Name SekishoVerdict"
RANGE = "startDateTime=2026-12-01T00:00:00Z&endDateTime=2026-12-02T00:00:00Z"
OTHER = "taro@city.example"


def meeting(day=1, **changes):
    return {
        "subject": "打合せ",
        "body": {"contentType": "text", "content": "議題"},
        "start": {"dateTime": f"2026-12-{day:02}T09:00:00", "timeZone": "Tokyo Standard Time"},
        "end": {"dateTime": f"2026-12-{day:02}T10:00:00", "timeZone": "Tokyo Standard Time"},
    } | changes


async def create(tenant, **changes):
    answer = await tenant.call("POST", f"{tenant.me}/events", json=meeting(**changes))
    assert answer.status == 201, answer.body
    return f"{tenant.me}/events/{quote(answer.json['id'], safe='')}", answer.json


async def walk(tenant, path):
    entities = []
    while True:
        answer = await tenant.call("GET", path, headers={"Prefer": "odata.maxpagesize=2"})
        assert answer.status == 200, answer.body
        entities += answer.json["value"]
        link = answer.json.get("@odata.nextLink") or answer.json["@odata.deltaLink"]
        path = "/v1.0" + link.partition("/v1.0")[2]
        if "@odata.deltaLink" in answer.json:
            return entities, path


async def test_event_is_in_utc_unless_another_zone_is_asked_for(tenant):
    path, made = await create(tenant)
    assert made["start"] == {"dateTime": "2026-12-01T00:00:00.0000000", "timeZone": "UTC"}
    prefer = {"Prefer": 'outlook.timezone="Tokyo Standard Time"'}
    shown = (await tenant.call("GET", path, headers=prefer)).json
    assert shown["start"]["dateTime"] == "2026-12-01T09:00:00.0000000"


async def test_tag_is_guarded_by_the_version(tenant):
    path, made = await create(tenant, categories=["own"])
    tag = {
        "categories": ["own", "関所: 確認済"],
        "singleValueExtendedProperties": [{"id": PROPERTY, "value": "{}"}],
    }
    old = {"If-Match": made["@odata.etag"]}
    first = await tenant.call("PATCH", path, json=tag, headers=old)
    assert first.json["changeKey"] != made["changeKey"]
    again = await tenant.call("PATCH", path, json=tag, headers=old)
    assert (again.status, again.code) == (412, "ErrorIrresolvableConflict")
    expand = quote(f"singleValueExtendedProperties($filter=id eq '{PROPERTY}')")
    read = (await tenant.call("GET", f"{path}?$expand={expand}")).json
    assert read["categories"] == ["own", "関所: 確認済"]
    assert read["singleValueExtendedProperties"] == [{"id": PROPERTY, "value": "{}"}]


@pytest.mark.parametrize(
    "changes",
    [
        {"start": {"dateTime": "soon", "timeZone": "UTC"}},
        {"start": {"dateTime": "2026-12-03T09:00:00", "timeZone": "UTC"}},
        {"start": {"dateTime": "2026-12-01T09:00:00", "timeZone": "Edo"}},
        {"changeKey": "mine"},
        {"attachments": [{"name": "a", "contentBytes": "!"}]},
    ],
)
async def test_wrong_event_is_refused(tenant, changes):
    answer = await tenant.call("POST", f"{tenant.me}/events", json=meeting(**changes))
    assert answer.status == 400
    assert (await tenant.state())["events"] == []


async def test_attachments_come_and_go(tenant):
    path, made = await create(tenant)
    body = {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "name": "名簿.txt",
        "contentBytes": base64.b64encode(b"names").decode(),
    }
    one = (await tenant.call("POST", f"{path}/attachments", json=body)).json
    assert (await tenant.call("GET", path)).json["hasAttachments"] is True
    where = f"{path}/attachments/{quote(one['id'], safe='')}"
    assert (await tenant.call("GET", f"{where}/$value")).body == b"names"
    assert (await tenant.call("DELETE", where)).status == 204
    shown = (await tenant.call("GET", path)).json
    assert shown["hasAttachments"] is False
    assert shown["changeKey"] != made["changeKey"]


async def test_meeting_is_in_each_attendees_calendar(tenant):
    await tenant.admin("POST", "users", json={"upn": OTHER})
    attendees = [{"emailAddress": {"address": OTHER}}]
    path, made = await create(tenant, attendees=attendees, categories=["own"])
    theirs = (await tenant.call("GET", f"/v1.0/users/{OTHER}/events")).json["value"][0]
    assert theirs["iCalUId"] == made["iCalUId"]
    assert theirs["id"] != made["id"]
    assert (theirs["isOrganizer"], theirs["categories"]) == (False, [])
    assert theirs["organizer"]["emailAddress"]["address"] == tenant.user["upn"]
    await tenant.call("PATCH", path, json={"subject": "変更", "categories": []})
    await tenant.call("DELETE", path)
    theirs = (await tenant.call("GET", f"/v1.0/users/{OTHER}/events")).json["value"][0]
    assert (theirs["subject"], theirs["isCancelled"]) == ("Canceled: 変更", True)


async def test_view_holds_what_overlaps_its_range(tenant):
    for day in (1, 2, 3):
        await create(tenant, day=day, subject=str(day))
    for query, subjects in [
        (RANGE, ["1"]),
        ("startDateTime=2026-12-01T00:30:00Z&endDateTime=2026-12-03T00:00:00Z", ["1", "2"]),
        ("startDateTime=2026-12-01T01:00:00Z&endDateTime=2026-12-02T00:00:00Z", []),
    ]:
        found = await tenant.call("GET", f"{tenant.me}/calendarView?{query}")
        assert [each["subject"] for each in found.json["value"]] == subjects
    for path in ("calendarView", "calendarView/delta()"):
        assert (await tenant.call("GET", f"{tenant.me}/{path}")).status == 400


async def test_view_delta_tells_what_came_changed_left_and_moved_out(tenant):
    paths = [(await create(tenant, subject=str(n)))[0] for n in range(3)]
    await create(tenant, day=9)
    first, link = await walk(tenant, f"{tenant.me}/calendarView/delta()?{RANGE}")
    assert [each["subject"] for each in first] == ["0", "1", "2"]
    await tenant.call("PATCH", paths[0], json={"subject": "changed"})
    await tenant.call("DELETE", paths[1])
    later = {"start": meeting(9)["start"], "end": meeting(9)["end"]}
    await tenant.call("PATCH", paths[2], json=later)
    await create(tenant, subject="new")
    second, link = await walk(tenant, link)
    assert [each.get("subject") for each in second] == ["changed", None, None, "new"]
    assert {each["id"] for each in second if "@removed" in each} == {e["id"] for e in first[1:]}
    assert (await walk(tenant, link))[0] == []


async def test_events_delta_has_no_range_of_its_own(tenant):
    for day in (1, 9, 20):
        await create(tenant, day=day)
    found, link = await walk(tenant, f"{tenant.me}/events/delta()")
    assert len(found) == 3
    token = link.partition("deltatoken=")[2]
    other = f"{tenant.me}/calendarView/delta()?$deltatoken={token}"
    assert (await tenant.call("GET", other)).status == 400


async def test_purged_event_is_kept_for_the_admin_alone(tenant):
    path, made = await create(tenant)
    assert (await tenant.call("POST", f"{path}/permanentDelete")).status == 204
    assert (await tenant.call("GET", path)).status == 404
    state = await tenant.state()
    assert [each["id"] for each in state["retained_events"]] == [made["id"]]
    assert state["events"] == state["deleted_events"] == []


async def test_event_notifications_name_the_event_and_its_version(tenant, hook):
    until = (dt.datetime.now(dt.UTC) + dt.timedelta(days=6)).isoformat()
    body = {
        "changeType": "created,updated,deleted",
        "notificationUrl": hook.url,
        "resource": f"/users/{tenant.user['id']}/events",
        "expirationDateTime": until,
    }
    assert (await tenant.call("POST", "/v1.0/subscriptions", json=body)).status == 201
    made = await tenant.admin("POST", f"users/{tenant.user['upn']}/events", json=meeting())
    (one,) = await hook.wait(1)
    assert one["resource"] == f"Users/{tenant.user['id']}/Events/{made['id']}"
    assert one["resourceData"]["@odata.etag"] == f'W/"{made["change_key"]}"'
    path = f"{tenant.me}/events/{quote(made['id'], safe='')}"
    await tenant.call("PATCH", path, json={"categories": ["x"]})
    await tenant.call("DELETE", path)
    await asyncio.sleep(0)
    assert sorted(each["changeType"] for each in await hook.wait(3)) == [
        "created",
        "deleted",
        "updated",
    ]
