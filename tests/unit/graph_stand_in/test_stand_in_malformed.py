"""Whatever JSON comes, nested as it may be: an answer of Graph's kind, never a 500."""

from __future__ import annotations

import copy
import random
from urllib.parse import quote

import pytest

PERSON = {"emailAddress": {"name": "a", "address": "a@out.example"}}
PROPERTY = "String {5a1c9a3e-7e0b-4c0e-9a61-6f0b5e3d2c71} Name SekishoVerdict"
EXTENDED = [{"id": PROPERTY, "value": "{}"}]
ATTACHMENT = {"@odata.type": "#microsoft.graph.fileAttachment", "name": "a", "contentBytes": "YQ=="}
MAIL = {
    "subject": "s",
    "body": {"contentType": "text", "content": "b"},
    "toRecipients": [PERSON],
    "categories": ["c"],
    "attachments": [ATTACHMENT],
    "singleValueExtendedProperties": EXTENDED,
}
EVENT = {
    "subject": "s",
    "body": {"contentType": "text", "content": "b"},
    "start": {"dateTime": "2026-12-01T09:00:00", "timeZone": "UTC"},
    "end": {"dateTime": "2026-12-01T10:00:00", "timeZone": "UTC"},
    "attendees": [PERSON],
    "attachments": [ATTACHMENT],
    "singleValueExtendedProperties": EXTENDED,
}
CALLS = {
    "POST {me}/messages": MAIL,
    "POST {me}/sendMail": {"message": MAIL, "saveToSentItems": True},
    "PATCH {message}": {"categories": ["c"], "singleValueExtendedProperties": EXTENDED},
    "POST {message}/move": {"destinationId": "archive"},
    "POST {me}/mailFolders": {"displayName": "f"},
    "POST {me}/outlook/masterCategories": {"displayName": "c", "color": "preset0"},
    "POST {me}/events": EVENT,
    "PATCH {event}": {"categories": ["c"], "start": EVENT["start"], "end": EVENT["end"]},
    "POST {event}/attachments": ATTACHMENT,
    "POST {file}/createLink": {"type": "view", "scope": "anonymous"},
    "POST {file}/invite": {"recipients": [{"email": "a@out.example"}], "roles": ["read"]},
    "PATCH {file}": {"name": "b.docx", "parentReference": {"id": "x"}},
    "POST {drive}/items/root/children": {"name": "f", "folder": {}},
    "POST {file}/createUploadSession": {"item": {"name": "b"}},
    "PATCH {file}/listItem/fields": {"Title": "t"},
    "POST {file}/assignSensitivityLabel": {"sensitivityLabelId": "l", "assignmentMethod": "auto"},
    "PATCH {chat}": {"policyViolation": {"dlpAction": "None", "policyTip": {"generalText": "t"}}},
    "POST /v1.0/subscriptions": {
        "changeType": "created",
        "notificationUrl": "http://127.0.0.1:1/hook",
        "resource": "users/hanako@city.example/messages",
        "expirationDateTime": "2099-01-01T00:00:00Z",
        "clientState": "s",
        "includeResourceData": True,
        "encryptionCertificate": "c",
        "encryptionCertificateId": "i",
    },
    "POST /v1.0/$batch": {
        "requests": [
            {"id": "1", "method": "PATCH", "url": "/x", "headers": {"a": "b"}, "body": {}},
            {"id": "2", "method": "GET", "url": "/x", "dependsOn": ["1"]},
        ]
    },
}
JUNK = [None, True, 0, 1.5, "", "x", [], [None], [1], ["x"], [{}], {}, {"x": 1}]


def places(value, path=()):
    yield path
    pairs = value.items() if isinstance(value, dict) else ()
    pairs = enumerate(value) if isinstance(value, list) else pairs
    for key, each in pairs:
        yield from places(each, (*path, key))


def spoiled(body, path, junk):
    if not path:
        return junk
    body = copy.deepcopy(body)
    at = body
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = junk
    return body


async def addresses(tenant):
    upn = tenant.user["upn"]
    chat = (await tenant.admin("POST", "chats", json={"members": [upn]}))["id"]
    sent = await tenant.admin("POST", f"chats/{chat}/messages", json={"from": upn, "text": "t"})
    event = (await tenant.admin("POST", f"users/{upn}/events", json=EVENT))["id"]
    return {
        "me": tenant.me,
        "drive": tenant.drive,
        "message": tenant.message(await tenant.receive(b"Subject: a\r\n\r\n", "archive")),
        "event": f"{tenant.me}/events/{quote(event, safe='')}",
        "file": await tenant.put_file("a.docx", b"x"),
        "chat": f"/v1.0/chats/{chat}/messages/{sent['id']}",
    }


@pytest.mark.parametrize("call", CALLS)
async def test_spoiled_body_is_never_a_500(tenant, call):
    method, path = call.format(**await addresses(tenant)).split(" ", 1)
    cases = [(place, junk) for place in places(CALLS[call]) for junk in JUNK]
    for place, junk in random.Random(call).sample(cases, min(len(cases), 60)):
        body = spoiled(CALLS[call], place, junk)
        answer = await tenant.call(method, path, json=body)
        assert answer.status < 500, (place, junk, answer.body)
        if answer.status >= 400:
            assert answer.code, (place, junk, answer.body)


@pytest.mark.parametrize(
    "change",
    [
        {"toRecipients": "a@out.example"},
        {"toRecipients": [{"address": "a@out.example"}]},
        {"toRecipients": [{"emailAddress": {"name": "a"}}]},
        {"body": "text"},
        {"categories": "one"},
        {"categories": [1]},
        {"attachments": [1]},
        {"singleValueExtendedProperties": [{"value": "x"}]},
        {"subject": 1},
    ],
)
async def test_wrong_type_is_refused_and_nothing_is_made(tenant, change):
    answer = await tenant.call("POST", f"{tenant.me}/messages", json=MAIL | change)
    assert (answer.status, answer.code) == (400, "RequestBodyRead")
    assert (await tenant.state())["messages"] == []
