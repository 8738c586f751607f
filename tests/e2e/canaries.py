"""200 distinct numbers, each in its own wrapping, on every way into the product.

A *way* is a function that sends some of them and gives the ids of what it sent, so that a test can
wait for their decisions; one whose input is refused gives none. To cover a new way, write one more
function and name it in WAYS.
"""

from __future__ import annotations

import base64
import io
import json
import urllib.error
import urllib.request
import uuid
import zipfile
from email.message import EmailMessage
from urllib.parse import quote, urlencode

from azure.storage.blob import BlobServiceClient

from local.demo.world import USERS
from local.samples import office
from local.samples.kinds import DRIVE, GATE, MAIL, Sample
from local.samples.numbers import grouped, my_number, numbers, wide

COUNT = 200
WATCHED, UPLOADER = USERS.values()
_UP, _DOWN = "0123456789" * 2, "9876543210" * 2


def canaries() -> tuple[str, ...]:
    """Stems that count up and then down, or down and up, so that they are nobody's.

    Those that samples use too come first: they go where things are stopped.
    """
    stems = dict.fromkeys(
        one[a : a + 6] + two[b : b + 5]
        for one, two in ((_UP, _DOWN), (_DOWN, _UP))
        for a in range(10)
        for b in range(10)
    )
    return tuple(sorted(map(my_number, stems), key=lambda each: each not in numbers()))


FORMS = (
    lambda n: f"個人番号は {n} です。",
    lambda n: f"マイナンバー：{grouped(n)}",
    lambda n: f"個人番号　{wide(n)}",
    lambda n: f"個人番号 {grouped(n, ' ')}",
    lambda n: f"マイナンバーは「{grouped(wide(n), '・')}」",
    lambda n: f"個人番号\t{grouped(n, '　')}\n",
    lambda n: f"My Number: {n[:4]}.{n[4:8]}.{n[8:]}",
    lambda n: f"個人番号,{n}\r\n",
)


def texts(numbers):
    """Each number in the next form."""
    return [FORMS[index % len(FORMS)](number) for index, number in enumerate(numbers)]


def letter(numbers, subject="届出", attach=(), charset="utf-8", kind="plain"):
    """A mail with the numbers in its text, and files."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "shimin@example.jp", WATCHED, subject
    body = "\n".join(texts(numbers))
    message.set_content(body, subtype=kind, charset=charset)
    for name, data in attach:
        message.add_attachment(data, "application", "octet-stream", filename=name)
    return message.as_bytes()


def documents(numbers):
    """Nine numbers a format: name and bytes."""
    words = texts(numbers)
    rows = [["個人番号", each] for each in numbers]
    table = "\r\n".join(["氏名,個人番号", *(f"見本,{each}" for each in numbers)])
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("中身.txt", "\n".join(words))
    return [
        ("名簿.xlsx", office.workbook("名簿", rows)),
        ("届出.docx", office.document("届出", words)),
        ("届出.pdf", office.pdf([f"個人番号 {each}" for each in numbers])),
        ("名簿.csv", table.encode("cp932")),
        ("まとめ.zip", zipped.getvalue()),
        ("頁.html", "".join(f"<p>{each}</p>" for each in words).encode()),
        ("内訳.json", json.dumps({"個人番号": list(numbers)}, ensure_ascii=False).encode()),
        ("メモ.txt", "\n".join(words).encode("utf-16")),
    ]


def _send(stack, source, data, name="way.eml"):
    return [stack.world.send(Sample("canary", source, "", name, data)).item_id]


def mail(stack, numbers):
    """Text, HTML, ISO-2022-JP, a subject, a file's name, attachments of every format."""
    plain, rich, jis, subject, rest = _split(numbers, 5)
    sent = _send(stack, MAIL, letter(plain))
    sent += _send(stack, MAIL, letter(rich, kind="html"))
    sent += _send(stack, MAIL, letter(jis, charset="iso-2022-jp"))
    sent += _send(stack, MAIL, letter(subject, f"個人番号 {subject[0]}"))
    for (name, data), number in zip(documents(rest), rest, strict=False):
        sent += _send(stack, MAIL, letter((), attach=[(f"個人番号_{number}_{name}", data)]))
    return sent


def drive(stack, numbers):
    """A file of each format, its name a number too."""
    return [
        _send(stack, DRIVE, data, f"個人番号{number}-{name}")[0]
        for (name, data), number in zip(documents(numbers), numbers, strict=False)
    ]


def gate(stack, numbers):
    """What the relay and the file server put into the landing container."""
    inside, outside = _split(numbers, 2)
    sent = _send(stack, GATE, letter(inside, f"至急 {grouped(inside[0])}"))
    return sent + [
        _send(stack, GATE, data, f"個人番号{number}-{name}")[0]
        for (name, data), number in zip(documents(outside), outside, strict=False)
    ]


def calendar(stack, numbers):
    """An event: subject, body, place."""
    words = texts(numbers)
    body = {
        "subject": words[0],
        "body": {"contentType": "html", "content": "<br>".join(words)},
        "location": {"displayName": words[-1]},
        "start": {"dateTime": "2026-12-01T10:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2026-12-01T11:00:00", "timeZone": "UTC"},
    }
    user = stack.stack.user_ids[WATCHED]
    return [stack.admin("POST", f"users/{user}/events", json_body=body)["id"]]


def teams(stack, numbers):
    """Messages of a channel and of a chat, each with two numbers."""
    members = [WATCHED]
    team = stack.admin("POST", "teams", json_body={"name": "戸籍課", "members": members})
    chat = stack.admin("POST", "chats", json_body={"members": members})["id"]
    channel = quote(team["channels"][0]["id"])
    places = (f"teams/{team['id']}/channels/{channel}", f"chats/{quote(chat)}")
    words, sent = texts(numbers), []
    for index, pair in enumerate(zip(words[::2], words[1::2], strict=True)):
        body = {"from": WATCHED, "text": "<br>".join(pair)}
        path = f"{places[index % 2]}/messages"
        sent.append(stack.admin("POST", path, json_body=body)["id"])
    return sent


def passing(numbers):
    """What nobody takes for a number, so that it passes: mails from outside, and files.

    A mail has a text, a page with a script and a link, and a file. Names and bytes.
    """
    words = [f"管理番号 {number} の控え" for number in numbers]
    mails, files = words[: len(words) // 2], words[len(words) // 2 :]
    for word in mails:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "sato@example.jp", WATCHED, word
        message.set_content(word)
        page = f"<p>{word}</p><script>{word}</script><a href='https://x.example/{word}'>資料</a>"
        message.add_alternative(page, subtype="html")
        data = office.document("届出", [word])
        message.add_attachment(data, "application", "octet-stream", filename=f"{word}.docx")
        yield "way.eml", message.as_bytes()
    for word in files:
        yield f"{word}.xlsx", office.workbook("控え", [["番号", word]])


def delivered(stack, numbers):
    """Sanitised on its way where it is a mail, and delivered."""
    return [_send(stack, GATE, data, name)[0] for name, data in passing(numbers)]


def unreadable(stack, numbers):
    """Failures: a locked file, a torn one, an envelope of no shape, a container of no end."""
    one, two, three, four = _split(numbers, 4)
    torn = documents(two)[0][1]
    sent = _send(stack, DRIVE, office.pdf(texts(one), password="himitsu"), f"個人番号{one[0]}.pdf")
    sent += _send(stack, GATE, torn[: len(torn) // 2], f"個人番号{two[0]}.xlsx")
    sent += _send(stack, MAIL, b"Subject: =?utf-8?B?" + base64.b64encode(texts(three)[0].encode()))
    blobs = BlobServiceClient.from_connection_string(stack.stack.storage)
    name = f"files/{uuid.uuid4().hex}"  # the host keeps blob names in its own queues: opaque ones
    envelope = json.dumps({"recipients": four, "path": texts(four)[0], "via": 7}).encode()
    blobs.get_blob_client("envelopes", f"{name}.json").upload_blob(envelope)
    blobs.get_blob_client("landing", name).upload_blob("\n".join(texts(four)).encode())
    return sent


def webhooks(stack, numbers):
    """Forged and malformed notifications, and addresses that hold a number."""
    base = f"{stack.stack.host.url}/api/graph"
    for number, word in zip(numbers, texts(numbers), strict=True):
        forged = {"subscriptionId": number, "clientState": word, "resource": f"users/{number}/x"}
        whole, torn = json.dumps({"value": [forged]}).encode(), f'{{"value": {number}'.encode()
        for body in (whole, torn, word.encode()):
            _call("POST", f"{base}/notifications?{urlencode({'n': number})}", body)
            _call("POST", f"{base}/lifecycle", body)
    return []


def console(stack, numbers):
    """What a person may type where it does not belong: addresses, searches, notes, sign-in."""
    base = f"{stack.stack.host.url}/api/console"
    for number, word in zip(numbers, texts(numbers), strict=True):
        for path in (f"/incidents/{number}", f"/audit?item={quote(word)}", f"/{quote(word)}"):
            _call("GET", f"{base}{path}", None)
        _call("POST", f"{base}/login", urlencode({"role": word}).encode())
        _call("POST", f"{base}/letters", urlencode({"name": number, "csrf": word}).encode())
    return []


def _call(method, url, body):
    request = urllib.request.Request(url, data=body, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
    except urllib.error.HTTPError as error:
        error.read()


def _split(numbers, parts):
    size = len(numbers) // parts
    cuts = [numbers[at * size : (at + 1) * size] for at in range(parts - 1)]
    return [*cuts, numbers[(parts - 1) * size :]]


# A way, and how many of the numbers go it.
WAYS = {
    mail: 48, drive: 32, gate: 32, calendar: 8, teams: 16, delivered: 16, unreadable: 16,
    webhooks: 16, console: 16,
}  # fmt: skip
