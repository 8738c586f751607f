"""What the product itself sends to Graph, against Microsoft's description, with the least grants.

Every call of ``shared.graph.calls`` is made here by the services (none by hand), the stand-in
grants exactly ``calls.GRANTS``, and its record is held against the description.
"""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import quote

import pytest
from aiohttp import web

from local.graph.process import GraphProcess
from local.memory import Account, MemoryStores
from shared.errors import PermanentError
from shared.graph import calls
from shared.graph.webhook import job
from shared.model import Disposition, Envelope, OutcomeState
from shared.policy.notices import Notice
from shared.services import sidecar
from shared.services.cohorts import members
from shared.services.held import HELD
from shared.services.marker import Markers
from shared.services.notices import Directory, GraphMail
from shared.services.sidecar import Sidecar
from tests.contract.validator import slice_path, validate
from tests.integration.services.house import MAIL, UPN, House, claim, now

pytestmark = pytest.mark.contract

# The slice of the description ends before it (learn.microsoft.com/graph/api/user-list-manager).
OUTSIDE = "/manager"


@pytest.fixture
async def webhook():
    async def receive(request):
        return web.Response(text=request.query.get("validationToken", ""))

    app = web.Application()
    app.router.add_post("/{tail:.*}", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    await runner.cleanup()


def process(tmp_path, grants=calls.GRANTS):
    return GraphProcess(
        log_path=tmp_path / "log",
        record=tmp_path / "record",
        contract=slice_path(),
        permissions=sorted(grants),
    )


async def put_back(service, item, **more):
    """A person lets go what was stopped: by the kept copy of the action on ``item``."""
    key = claim(item, Disposition.BLOCK).key
    kept = replace(item, content_version=f"{HELD}{key}", generation=1, **more)
    await service.fetch(kept)
    done = await service.apply(claim(kept, Disposition.TAG))
    assert (done.action, done.state) == ("release", OutcomeState.APPLIED)


async def mail(house):
    account = await house.subscriptions.register("mail", UPN)
    for each in range(3):
        house.process.admin("POST", f"users/{UPN}/messages", data=MAIL + str(each).encode())
    await house.subscriptions.enrol("mail", account.ref)
    await house.subscriptions.renew("mail", account.ref)
    await house.resolver.job(job("sweep", "mail", account.ref, now()))
    for item, disposition in zip(house.items(), list(Disposition)[1:], strict=True):
        await house.mail.fetch(item)
        assert (await house.mail.apply(claim(item, disposition))).state is OutcomeState.APPLIED
    await put_back(house.mail, item)
    await house.subscriptions.end("mail", account.ref)
    house.onward.queue.bodies.clear()


async def calendar(house):
    attached = {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "name": "a.txt",
        "contentType": "text/plain",
        "contentBytes": "YQ==",
    }
    when = {"dateTime": "2026-12-01T10:00:00", "timeZone": "UTC"}
    for _ in range(3):
        body = {"subject": "x", "start": when, "end": when, "attachments": [attached]}
        house.process.admin("POST", f"users/{UPN}/events", json_body=body)
    account = await house.subscriptions.register("calendar", UPN)
    await house.subscriptions.enrol("calendar", account.ref)
    await house.resolver.job(job("sweep", "calendar", account.ref, now()))
    for item, disposition in zip(house.items(), list(Disposition)[1:], strict=True):
        await house.calendar.fetch(item)
        done = await house.calendar.apply(claim(item, disposition))
        assert done.state is OutcomeState.APPLIED
    await put_back(house.calendar, item)
    house.onward.queue.bodies.clear()


async def teams(house):
    hosted = [{"contentType": "image/png", "contentBytes": "YQ=="}]
    message = {"from": UPN, "html": "<p>x</p>", "hosted": hosted}
    team = house.process.admin("POST", "teams", json_body={"name": "t"})
    chat = house.process.admin("POST", "chats", json_body={"members": [UPN]})["id"]
    path = f"teams/{team['id']}/channels/{quote(team['channels'][0]['id'])}/messages"
    root = house.process.admin("POST", path, json_body=message)["id"]
    house.process.admin("POST", path, json_body=message | {"reply_to": root})
    house.process.admin("POST", f"chats/{quote(chat)}/messages", json_body=message)
    for source, user in (("teams", "teams"), ("teams", "chats"), ("chats", UPN)):
        account = await house.subscriptions.register(source, user)
        await house.subscriptions.enrol(source, account.ref)
        await house.resolver.job(job("sweep", source, account.ref, now()))
    assert len(house.items()) == 3
    for item in house.items():
        await house.teams.fetch(item)
        done = await house.teams.apply(claim(item, Disposition.BLOCK))
        assert done.state is OutcomeState.APPLIED
        done = await house.teams.apply(claim(item, Disposition.ALLOW))
        assert done.state is OutcomeState.APPLIED
    house.onward.queue.bodies.clear()


async def group(house):
    made = house.process.admin("POST", "groups", json_body={"name": "g", "members": [UPN]})
    assert len(await members(house.graph, (f"group:{made['id']}",))) == 1


async def notices(house):
    house.process.admin("POST", "users", json_body={"upn": "boss@city.example.jp"})
    mail = GraphMail(house.graph, UPN, Markers((b"m" * 32,)))
    people = Directory(house.graph, mail.send, ("boss@city.example.jp",))
    told = Notice("件名", "本文", "<p>本文</p>", {})
    await people.owner(UPN, told)
    await people.manager(UPN, told)
    house.process.admin("POST", f"users/{UPN}/manager", json_body={"upn": "boss@city.example.jp"})
    await people.manager(UPN, told)


async def drive(house):
    for name in ("a.txt", "b.txt"):
        house.process.admin(
            "POST", f"users/{UPN}/files?name={name}&folder={quote('福祉')}", data=b"1"
        )
        made = house.process.admin(
            "POST", f"users/{UPN}/files?name={name}&folder={quote('福祉')}", data=b"2"
        )
        house.process.admin(
            "POST", f"drives/{made['drive_id']}/items/{made['id']}/links", json_body={}
        )
    house.process.admin(
        "POST", f"drives/{made['drive_id']}/columns", json_body={"name": "SekishoVerdict"}
    )
    account = await house.subscriptions.register("drive", UPN)
    await house.subscriptions.enrol("drive", account.ref)
    body = {"source": "drive", "account": account.ref}
    await house.resolver.hint(Envelope("hint", now(), body=body))
    house.process.admin("POST", f"users/{UPN}/files?name=c.docx", data=b"3")  # takes a label
    await house.resolver.hint(Envelope("hint", now(), body=body))
    wanted = (Disposition.TAG, Disposition.BLOCK, Disposition.REVIEW)
    items = list(house.items())
    for item, disposition in zip(items, wanted, strict=True):
        await house.drive.fetch(item)
        assert (await house.drive.apply(claim(item, disposition))).state is OutcomeState.APPLIED
    item = items[1]  # the one that was stopped
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.services.drive_release._SMALL", 0)  # by an upload session
        await put_back(house.drive, item)
    await put_back(house.drive, item, id="01GONE")  # as if the tombstone had been deleted


async def sites(house):
    team = house.process.admin("POST", "teams", json_body={"name": "t", "members": [UPN]})
    path = f"drives/{team['site']['drive_id']}/files?name=d.txt&by={UPN}"
    made = house.process.admin("POST", path, data=b"4")
    house.jobs.bodies.clear()
    house.onward.queue.bodies.clear()
    await house.resolver.job(Envelope("job", now(), body={"job": "enrol_sites"}))
    await house.work()
    (item,) = house.items()
    assert (item.id, item.recipient) == (made["id"], made["drive_id"])
    seen = (await house.drive.fetch(item)).context
    assert (seen.place, seen.owner) == ("onedrive_inside", house.user["id"])
    assert (await house.drive.apply(claim(item, Disposition.BLOCK))).state is OutcomeState.APPLIED
    house.onward.queue.bodies.clear()


async def gate(house):
    for folder in ("in", ""):
        house.process.admin(
            "POST", f"users/{UPN}/files?name=c.txt&folder={folder}", data=b"another"
        )
    given = {
        "files/a": "in/c.txt",
        "files/b": "c.txt",
        "files/empty": "empty.txt",
        "mail/m.eml": "",
    }
    for name, path in given.items():
        data = b"" if name == "files/empty" else MAIL
        await sidecar.write(house.envelopes, name, Sidecar((UPN,), path=path))
        await house.landing.put(name, data)
        (item,) = await house.gate.items_for(name)
        done = await house.gate.apply(claim(item, Disposition.TAG))
        assert done.state is OutcomeState.APPLIED


async def test_product_sends_what_the_description_knows_with_the_least_grants(
    tmp_path, contract, webhook
):
    with process(tmp_path) as running:
        house = House(MemoryStores(Account(now)), running, webhook=webhook)
        for flow in (mail, calendar, teams, group, drive, sites, gate, notices):
            await flow(house)
        await house.graph.close()
        log = running.admin("GET", "log")["log"]
    lines = (tmp_path / "record").read_text(encoding="utf-8").splitlines()
    problems = [p for p in validate(lines, contract) if not p.call.endswith(OUTSIDE)]
    assert [f"{p.call} {p.where}: {p.message}" for p in problems] == []
    assert [each for each in log if each["status"] == 403] == []
    made = {(each["method"], each["path"].partition("?")[0]) for each in log}
    missing = [str(each) for each in calls.ALL if not any(is_call(each, *one) for one in made)]
    used = {
        name
        for call in calls.ALL
        if any(is_call(call, *one) for one in made)
        for name in (call.permission, *call.also)
    }
    assert used == calls.GRANTS
    # A crash while subscribing alone makes it list; a folder of folders, its children.
    assert missing == ["GET /users/{user}/mailFolders/{folder}/childFolders", "GET /subscriptions"]


def is_call(call, method, path):
    pattern = re.escape(call.path).replace(r"\{\+path\}", "[^:]+")
    pattern = re.sub(r"\\\{(channel|chat)\\\}", "[^/]+", pattern)
    pattern = re.sub(r"\\\{\w+\\\}", "[^/:]+", pattern)
    return call.method == method and bool(re.fullmatch(f"/v1\\.0{pattern}:?", path))


@pytest.mark.parametrize(
    ("without", "flow"),
    [
        ("Mail.Read", mail),
        ("Mail.ReadWrite", mail),
        ("Files.ReadWrite.All", drive),
        ("Calendars.ReadWrite", calendar),
        ("Mail.Send", notices),
        ("User.Read.All", notices),
        ("Chat.Read.All", teams),
        ("ChannelMessage.Read.All", teams),
        ("Chat.UpdatePolicyViolation.All", teams),
        ("ChannelMessage.UpdatePolicyViolation.All", teams),
    ],
)
@pytest.mark.usefixtures("contract")
async def test_no_grant_can_be_spared(tmp_path, webhook, without, flow):
    with process(tmp_path, calls.GRANTS - {without}) as running:
        house = House(MemoryStores(Account(now)), running, webhook=webhook)
        with pytest.raises(PermanentError):
            await flow(house)
        await house.graph.close()
