"""Exceptions through the real pipeline: a grant lets go what was stopped, its end stops it again.

Real: the policy, the pipeline, the ledger, the services over the stand-in, the exceptions' turns.
The word SECRET stands for an individual number.
"""

from __future__ import annotations

import email
import email.policy
import hashlib
from datetime import timedelta

import pytest

from local.graph.routes.drafts import received
from shared.codec import decode
from shared.model import (
    AuditEvent,
    Envelope,
    Extraction,
    Finding,
    Item,
    Level,
    Segment,
)
from shared.pipeline import scan
from shared.policy import Policy, default_text
from shared.policy.exemption import Kind
from shared.ports import App
from shared.services import mail_release, tombstone
from shared.services.held import stopped
from shared.storage.anew import Anew
from shared.storage.claimcheck import ClaimCheck
from shared.storage.exceptions import Exceptions, Request
from shared.storage.results import QueueResults
from tests.unit.services.test_calendar_service import attached
from tests.unit.services.test_teams_service import channel

POLICY = Policy.load([default_text()])
RULES = ("my-number-high", "my-number-medium", "personal")
DAY = timedelta(days=1)
PILOT = "\n".join(
    ["rules:"]
    + [
        f"  - {{id: {each}, mode: simulate, cohorts: {{pilot: enforce}}}}"
        for each in ("my-number-high", "my-number-medium", "personal")
    ]
)


class Works:
    """Scans what is on the queue until nothing is left, as two functions would."""

    def __init__(self, rig, *, policy=POLICY, **more):
        self.rig, self.events = rig, []
        checks = ClaimCheck(rig.stores.blobs("work"))
        self.results = rig.stores.queue("scan-results")
        self.exceptions = Exceptions(rig.stores.table("exceptions"), rig.clock)
        services = {
            "mail": rig.mail(redigest=self.redigest),
            "drive": rig.drive(redigest=self.redigest),
            "teams": rig.teams(),
            "calendar": rig.calendar(redigest=self.redigest),
        }
        self.app = App(
            clock=rig.clock,
            ledger=rig.ledger,
            services=services,
            extract=self.extract,
            detect=self.detect,
            decide=policy.decide,
            digest=self.digest,
            results=QueueResults(self.results, checks, rig.clock, policy.version),
            policy_version=policy.version,
            exceptions=self.exceptions,
            **more,
        )
        bulk = rig.stores.queue("scan-bulk")
        self.anew = Anew(self.exceptions, rig.items, bulk, self.results, rig.clock, POLICY.version)

    async def extract(self, content):
        data = content.data
        if content.media_type == "message/rfc822":
            mail = email.message_from_bytes(data, policy=email.policy.default)
            bodies = [part.get_payload(decode=True) or b"" for part in mail.walk()]
            data = b"\n".join([str(mail["subject"]).encode(), *bodies])
        return Extraction((Segment("本文", data.decode(errors="replace")),))

    def detect(self, segments):
        if "SECRET" not in segments[0].text:
            return ()
        return (Finding("my_number", "本文", 0, 1, 0.95, Level.HIGH, "****", "k:1"),)

    def digest(self, extraction):
        return hashlib.sha256(extraction.segments[0].text.encode()).hexdigest()

    async def redigest(self, content):
        return self.digest(await self.extract(content))

    async def scan(self, item) -> AuditEvent:
        """The item and all that follows from it; the event of the last decision."""
        await self.rig.onward.put(item)
        return await self.rest()

    async def turns(self) -> AuditEvent:
        await self.anew.run()
        return await self.rest()

    async def rest(self) -> AuditEvent:
        queue = self.rig.account.queues
        while waiting := [*queue.get("scan-items", []), *queue.get("scan-bulk", [])]:
            for each in ("scan-items", "scan-bulk"):
                queue.get(each, []).clear()
            for message in waiting:
                item = decode(message.body, Envelope).item
                await scan(item, self.app, first_seen=self.rig.clock())
        results = queue.get("scan-results", [])
        self.events += [decode(each.body, Envelope).event for each in results]
        results.clear()
        return next(each for each in reversed(self.events) if each.disposition != "none")

    async def release(self, event, *, people=("reviewer-a", "reviewer-b"), **more) -> Request:
        now = self.rig.clock()
        fields = {
            "id": f"e{len(self.events)}",
            "kind": Kind.RELEASE,
            "scope": event.item.place_key(),
            "rules": event.rule_ids,
            "fingerprints": ("k:1",),
            "gaps": (),
            "reason": "本人の同意を得て業務に用いるため",
            "owner": event.owner,
            "people": people[:1],
            "needed": POLICY.people_for(event.rule_ids),
            "asked_at": now,
            "expires_at": now + DAY,
            "item": stopped(event),
            "place": event.place,
        }
        request = await self.exceptions.request(Request(**(fields | more)))
        for each in people[1:]:
            request = await self.exceptions.approve(request.scope, request.id, each)
        return request


@pytest.fixture
def works(rig):
    return Works(rig)


def steps(event):
    return {each.name: each.result for each in event.steps}


async def stopped_mail(rig, works):
    message = rig.message(rig.mime(body="SECRET"))
    event = await works.scan(rig.mail_item(message))
    assert (event.action, event.action_state) == ("block", "applied")
    assert len(rig.user.mailbox.messages) == 1  # the notice
    return event


def live(rig):
    """The messages that are no notices of ours."""
    return [each for each in rig.user.mailbox.messages.values() if b"SECRET" in each.raw]


async def test_released_mail_is_in_its_mailbox_again_and_stays(rig, works):
    event = await stopped_mail(rig, works)
    await works.release(event)
    await works.turns()
    (message,) = live(rig)
    assert len(rig.user.mailbox.messages) == 1  # the notice was taken away
    released = next(each for each in works.events if each.action == "release")
    assert (released.disposition, released.action_state) == ("tag", "applied")
    assert any(each.startswith("exception:") for each in released.rule_ids)
    assert steps(released)["notice"] == "read_back_gone"
    after = await works.scan(rig.mail_item(message))  # the watch meets it as a new message
    assert after.disposition == "tag"
    assert live(rig) == [message]


async def test_expired_release_stops_the_mail_again(rig, works):
    event = await stopped_mail(rig, works)
    await works.release(event)
    await works.turns()
    (message,) = live(rig)
    await works.scan(rig.mail_item(message))
    rig.clock.now += DAY
    await works.turns()
    assert live(rig) == []
    last = [each for each in works.events if each.action == "block"]
    assert len(last) == 3  # the first one, the held copy (nothing to do), the one that was put back
    assert {each.action_state for each in last} == {"applied", "unchanged"}
    told = [each.action for each in works.events if each.action.startswith("exception")]
    assert told == ["exception_granted", "exception_expired"]


async def test_revoked_release_stops_the_mail_again(rig, works):
    event = await stopped_mail(rig, works)
    request = await works.release(event)
    await works.turns()
    await works.scan(rig.mail_item(live(rig)[0]))
    await works.exceptions.end(request.scope, request.id)
    await works.turns()
    assert live(rig) == []


async def test_release_by_one_of_two_people_releases_nothing(rig, works):
    event = await stopped_mail(rig, works)
    await works.release(event, people=("reviewer-a",))
    assert await works.anew.run() == 0
    assert live(rig) == []


async def test_release_of_a_mail_with_something_else_in_it_releases_nothing(rig, works):
    event = await stopped_mail(rig, works)
    await works.release(event, fingerprints=("k:2",))
    again = await works.turns()
    assert (again.action, again.action_state) == ("block", "unchanged")
    assert live(rig) == []


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_release_killed_anywhere_puts_the_mail_back_once(rig, works, moment):
    event = await stopped_mail(rig, works)
    await works.release(event)
    await works.anew.run()
    waiting = list(rig.account.queues["scan-items"])
    for number in range(30):
        rig.graph.calls.clear()
        rig.graph.die_at = (number, moment)
        rig.clock.now += timedelta(minutes=5)
        try:
            await works.rest()
        except rig.Killed:
            rig.account.queues["scan-items"][:] = list(waiting)
            continue
        break
    rig.graph.die_at = None
    await works.rest()
    assert len(live(rig)) == 1
    assert len(rig.user.mailbox.messages) == 1


async def test_release_header_is_worth_nothing_in_another_mailbox_or_under_another_key(rig):
    item = Item("mail", "m1", rig.user.id, "1")
    stamped = mail_release.stamp(b"Subject: a\r\n\r\nb", rig.markers, item, "f" * 64)
    assert mail_release.origin(stamped, rig.markers, rig.user.id) == item.place_key()
    assert mail_release.origin(stamped, rig.markers, "another") == ""
    again = mail_release.stamp(stamped, rig.markers, item, "e" * 64)
    assert again.count(b"X-Sekisho-Release") == 1
    assert again.endswith(b"Subject: a\r\n\r\nb")
    for wrong in (b"", b"X-Sekisho-Release: a b c\r\n\r\n", b"\r\n" + stamped):
        assert mail_release.origin(wrong, rig.markers, rig.user.id) == ""


async def stopped_file(rig, works, data=b"SECRET"):
    file = rig.file("名簿.txt", data)
    event = await works.scan(await rig.file_item(file))
    assert (event.action, event.action_state) == ("block", "applied")
    assert tombstone.is_name(file.name)
    return file, event


async def test_released_file_has_its_content_and_name_again_until_the_end(rig, works):
    file, event = await stopped_file(rig, works)
    await works.release(event)
    last = await works.turns()
    assert (file.data, file.name) == (b"SECRET", "名簿.txt")
    assert (last.disposition, last.item.content_version) == ("tag", file.ctag)
    rig.clock.now += DAY
    await works.turns()
    assert b"SECRET" not in file.data
    assert tombstone.is_name(file.name)


async def test_released_file_that_is_shared_with_anybody_is_stopped_again(rig, works):
    file, event = await stopped_file(rig, works)
    await works.release(event)
    await works.turns()
    rig.link(file)
    await works.scan(await rig.file_item(file))
    assert b"SECRET" not in file.data


async def test_file_whose_tombstone_is_gone_is_put_into_its_folder_anew(rig, works):
    file, event = await stopped_file(rig, works)
    rig.user.drive.remove(file, permanently=True)
    await works.release(event)
    await works.turns()
    (made,) = [each for each in rig.user.drive.items.values() if each.name == "名簿.txt"]
    assert (made.data, made.parent) == (b"SECRET", file.parent)
    after = await works.scan(await rig.file_item(made))  # another item, the same exception
    assert after.disposition == "tag"
    assert made.data == b"SECRET"


async def test_file_in_the_place_of_a_tombstone_is_judged_and_not_overwritten(rig, works):
    file, event = await stopped_file(rig, works)
    rig.user.drive.write(file, b"something harmless")
    await works.release(event)
    await works.turns()
    assert file.data == b"something harmless"


async def test_large_file_goes_back_by_an_upload_session(rig, works, monkeypatch):
    monkeypatch.setattr("shared.services.drive_release._SMALL", 3)
    file, event = await stopped_file(rig, works)
    await works.release(event)
    await works.turns()
    assert file.data == b"SECRET"


async def test_released_event_has_its_text_and_attachments_again_until_the_end(rig, works):
    given = {"subject": "SECRET", "location": {"displayName": "相談室"}}
    event = await rig.event(**given, attachments=[attached("名簿.txt", "SECRET")])
    stop = await works.scan(rig.event_item(event))
    assert event.values["subject"] != "SECRET"
    await works.release(stop)
    last = await works.turns()
    assert (event.values["subject"], event.values["location"]["displayName"]) == (
        "SECRET",
        "相談室",
    )
    assert "資料" in event.values["body"]["content"]
    assert [each["name"] for each in event.attachments] == ["名簿.txt"]
    assert last.disposition == "tag"
    released = next(each for each in works.events if each.action == "release")
    assert (released.action_state, steps(released)["attachments"]) == ("applied", "read_back")
    rig.clock.now += DAY
    await works.turns()
    assert event.values["subject"] != "SECRET"
    assert event.attachments == []


async def test_released_message_of_teams_is_shown_again_until_the_end(rig, works):
    thread = await channel(rig)
    message = await thread.send("SECRET")
    stop = await works.scan(thread.item(message))
    assert "blockAccess" in message.violation["dlpAction"]
    await works.release(stop)
    assert (await works.turns()).disposition == "tag"
    assert message.violation["dlpAction"] == "none"
    rig.clock.now += DAY
    await works.turns()
    assert "blockAccess" in message.violation["dlpAction"]


async def test_suppressed_value_is_let_go_and_found_again_at_the_end(rig, works):
    file, event = await stopped_file(rig, works)
    await works.release(
        event, kind=Kind.SUPPRESSION, scope="k:1", people=("reviewer-a",), needed=1, rules=()
    )
    last = await works.turns()
    assert (file.data, last.disposition) == (b"SECRET", "allow")
    another = rig.file("別.txt", b"SECRET")
    assert (await works.scan(await rig.file_item(another))).disposition == "allow"
    rig.clock.now += DAY
    await works.turns()
    assert [b"SECRET" in each.data for each in (file, another)] == [False, False]


async def test_mode_of_the_owners_cohort_decides_what_is_done(rig):
    policy = Policy.load([default_text(), PILOT])
    rule, (pilot, other) = "my-number-high", (rig.user, rig.world.add_user("b@x.jp", "b"))

    async def cohort(owner):
        return "pilot" if owner == pilot.id else "everyone"

    works = Works(rig, policy=policy, cohort=cohort)
    for user, disposition, would_be in ((pilot, "block", "block"), (other, "allow", "block")):
        message = received(user, rig.mime(body="SECRET"), "inbox")
        item = Item("mail", message.immutable_id, user.id, message.change_key)
        event = await works.scan(item)
        assert (event.disposition, event.would_be) == (disposition, would_be)
        assert rule in event.rule_ids
        assert event.context.cohort == await cohort(user.id)
