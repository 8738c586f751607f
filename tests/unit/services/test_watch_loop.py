"""The watch from notification to rest: every change is met once, and our own writes end the loop.

Real: the stand-in's notifications over HTTP, the webhook's parser, the resolver, the pipeline, the
ledger, the services. Words stand for findings: SECRET is blocked, MAYBE reviewed, MARK tagged.
"""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from local.graph import context
from shared.codec import decode
from shared.errors import TransientError
from shared.graph.webhook import parse
from shared.model import (
    Decision,
    Disposition,
    Envelope,
    Extraction,
    Mode,
    OutcomeState,
    Segment,
)
from shared.pipeline import scan
from shared.ports import App
from shared.services import tombstone
from shared.services.marker import NOTICE_PROPERTY

KEY = b"client state key for tests"
WORDS = {"SECRET": Disposition.BLOCK, "MAYBE": Disposition.REVIEW, "MARK": Disposition.TAG}


class Watch:
    """Receives, resolves and scans until nothing is left to do."""

    def __init__(self, rig):
        self.rig = rig
        self.arrived = []
        self.forged = 0
        self.outcomes = []
        self.app = App(
            clock=rig.clock,
            ledger=rig.ledger,
            services={"mail": rig.mail(redigest=self.redigest), "drive": rig.drive()},
            extract=self.extract,
            detect=tuple,
            decide=self.decide,
            digest=self.digest,
            results=self,
            policy_version="p1",
        )

    async def extract(self, content):
        return Extraction((Segment("本文", content.data.decode(errors="replace")),))

    def decide(self, _context, found, _gaps, _exceptions):
        text = "".join(each.text for each in found)
        what = max((WORDS[w] for w in WORDS if w in text), default=Disposition.ALLOW)
        return Decision(what, what, Mode.ENFORCE, "p1")

    def digest(self, extraction):
        return hashlib.sha256(extraction.segments[0].text.encode()).hexdigest()

    async def redigest(self, content):
        return self.digest(await self.extract(content))

    async def put(self, claim, outcome):
        disposition = claim.intent.decision.disposition if claim.intent else None
        self.outcomes.append((claim.item.source, disposition, outcome))

    async def receive(self, request):
        token = request.query.get("validationToken")
        if token:
            return web.Response(text=token)
        intake = parse(await request.read(), (KEY,), self.rig.clock())
        self.forged += len(intake.refused)
        self.arrived += [*intake.hints, *intake.jobs]
        return web.Response(status=202)

    async def rest(self):
        """Until a whole second brings nothing; fails if that does not come."""
        for _ in range(40):
            await asyncio.sleep(0.15)
            if not await self.work():
                return
        pytest.fail(f"no rest: {self.outcomes[-5:]}")

    async def work(self):
        done = 0
        hints, self.arrived = self.arrived, []
        for each in hints:
            resolver = self.rig.resolver()
            await (resolver.hint(each) if each.kind == "hint" else resolver.job(each))
            done += 1
        items = self.rig.account.queues.get("scan-items", [])
        while items:
            envelope = decode(items.pop(0).body, Envelope)
            try:
                await scan(envelope.item, self.app, first_seen=envelope.first_seen)
            except TransientError:
                await self.rig.onward.put(envelope.item)
            done += 1
        return done

    def actions(self, source):
        return [
            (disposition, outcome.state)
            for kind, disposition, outcome in self.outcomes
            if kind == source and disposition not in {None, Disposition.ALLOW}
        ]


@pytest.fixture
async def watch(rig):
    made = Watch(rig)
    app = web.Application()
    app.router.add_post("/{tail:.*}", made.receive)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    rig.subscriptions._notification_url = f"{url}/notifications"
    rig.subscriptions._lifecycle_url = f"{url}/lifecycle"
    rig.clock.now = datetime.now(UTC)
    for source in ("mail", "drive"):
        account = await rig.subscriptions.register(source, rig.UPN)
        await rig.subscriptions.enrol(source, account.ref)
    yield made
    await runner.cleanup()


@pytest.mark.parametrize(
    ("word", "disposition"), [("MARK", Disposition.TAG), ("MAYBE", Disposition.REVIEW)]
)
async def test_tagged_mail_comes_to_rest_after_one_action(watch, rig, word, disposition):
    message = rig.message(rig.mime(body=word))
    await watch.rest()
    assert watch.actions("mail") == [(disposition, OutcomeState.APPLIED)]
    assert len(message.values["categories"]) == 1


async def test_tagged_mail_that_somebody_reads_is_not_tagged_again(watch, rig):
    message = rig.message(rig.mime(body="MARK"))
    await watch.rest()
    message.values["isRead"] = True
    rig.user.mailbox.touch(message)
    await watch.rest()
    assert watch.actions("mail") == [(Disposition.TAG, OutcomeState.APPLIED)]


async def test_tag_that_somebody_removes_comes_back(watch, rig):
    message = rig.message(rig.mime(body="MARK"))
    await watch.rest()
    message.extended.clear()
    message.values["categories"] = []
    rig.user.mailbox.touch(message)
    await watch.rest()
    assert message.values["categories"] == ["関所: 確認済"]


async def test_blocked_mail_leaves_one_notice_and_rest(watch, rig):
    message = rig.message(rig.mime(body="SECRET"))
    await watch.rest()
    assert watch.actions("mail") == [(Disposition.BLOCK, OutcomeState.APPLIED)]
    assert rig.user.mailbox.find(message.immutable_id) is None
    notices = [m for m in rig.user.mailbox.messages.values() if NOTICE_PROPERTY in m.extended]
    assert len(notices) == 1


async def test_draft_that_gets_a_secret_later_is_blocked(watch, rig):
    message = rig.message(rig.mime(body="clean"), folder="drafts")
    await watch.rest()
    message.raw = rig.mime(body="SECRET")
    rig.user.mailbox.touch(message)
    await watch.rest()
    assert rig.user.mailbox.find(message.immutable_id) is None


async def test_clean_edit_lifts_the_tag(watch, rig):
    message = rig.message(rig.mime(body="MARK"), folder="drafts")
    await watch.rest()
    message.raw = rig.mime(body="clean")
    rig.user.mailbox.touch(message)
    await watch.rest()
    assert message.values["categories"] == []


async def test_blocked_file_comes_to_rest_and_a_new_share_is_taken_away(watch, rig):
    file = rig.file(data=b"SECRET")
    rig.link(file)
    await watch.rest()
    assert watch.actions("drive") == [(Disposition.BLOCK, OutcomeState.APPLIED)]
    assert tombstone.marker(file.data)
    rig.link(file)
    await watch.rest()
    assert file.permissions == []
    assert watch.outcomes[-1][2].action == "revoke"


async def test_secret_written_over_a_tombstone_is_blocked_again(watch, rig):
    file = rig.file(data=b"SECRET one")
    await watch.rest()
    rig.user.drive.write(file, b"SECRET two")
    await watch.rest()
    assert watch.actions("drive") == [(Disposition.BLOCK, OutcomeState.APPLIED)] * 2
    assert tombstone.marker(file.data)
    assert len(file.versions) == 1


async def test_duplicated_notifications_act_once(watch, rig):
    rig.app[context.FAULTS].duplicate_notifications = 20
    rig.message(rig.mime(body="SECRET"))
    rig.file(data=b"SECRET")
    await watch.rest()
    assert len(watch.actions("mail")) == len(watch.actions("drive")) == 1


async def test_lost_notifications_are_found_by_the_sweep(watch, rig):
    rig.app[context.FAULTS].drop_notifications = 2
    message = rig.message(rig.mime(body="SECRET"))
    file = rig.file(data=b"SECRET")
    await watch.rest()
    assert watch.outcomes == []
    rig.clock.now += timedelta(minutes=30)
    for source in ("mail", "drive"):
        async for account in rig.subscriptions.accounts(source):
            body = {"job": "sweep", "source": source, "account": account.ref}
            await rig.resolver().job(Envelope("job", rig.clock(), body=body))
    await watch.rest()
    assert rig.user.mailbox.find(message.immutable_id) is None
    assert tombstone.marker(file.data)


async def test_forged_notifications_fetch_nothing(watch, rig):
    for each in rig.world.subscriptions.values():
        each.client_state = "mail.0.0.0"
    rig.message(rig.mime(body="SECRET"))
    rig.graph.calls.clear()
    await watch.rest()
    assert watch.forged == 1
    assert rig.graph.calls == []


async def test_lifecycle_events_keep_the_watch_alive(watch, rig):
    notifier = rig.app[context.NOTIFIER]
    for each in list(rig.world.subscriptions.values()):
        notifier.lifecycle(each, "subscriptionRemoved")
        del rig.world.subscriptions[each.id]
    file = rig.file(data=b"SECRET")
    await watch.rest()
    assert len(rig.world.subscriptions) == 2
    assert tombstone.marker(file.data)
