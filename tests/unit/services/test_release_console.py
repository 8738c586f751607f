"""From the stop to the release and back, through the console, the timer and the pipeline.

Only Graph is a stand-in and only storage is in memory; the clock is turned by hand.
"""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from shared.console.app import Console
from shared.console.desk import Desk
from shared.console.limits import Buckets
from shared.console.login import Door
from shared.console.session import COOKIE, Sessions, User
from shared.console.trail import Trail
from shared.console.web import Request
from shared.storage.alerts import Alerts
from shared.storage.audit_rows import Rows
from shared.storage.dead_letters import DeadLetters
from shared.storage.disposal import Disposals
from shared.storage.incidents import Incidents, Pages
from tests.unit.services.test_release import DAY, POLICY, Works, live

ORIGIN = "http://127.0.0.1:7071"
REASON = "本人の同意を得て業務に用いるため"


class Office:
    """The console over the pipeline's own stores and clock."""

    def __init__(self, rig, works):
        self.rig, self.works = rig, works
        stores, clock = rig.stores, rig.clock
        self.rows = Rows(stores.table("auditevents"), stores.blobs("audit"))
        self.incidents = Incidents(
            stores.table("incidents"), Pages.of(stores.table("incidentindex"))
        )
        alerts = Alerts(stores.table("alerts"), clock)
        letters = DeadLetters(stores.blobs("deadletters"), alerts, stores.queue, clock)
        desk = Desk(
            self.incidents, self.rows, stores.table("auditevents"), letters,
            stores.table("subscriptions"), POLICY, Trail(works.results, clock), clock,
            disposals=Disposals(stores.table("exceptions"), clock), granted=works.exceptions,
        )  # fmt: skip
        self.sessions = Sessions(b"k" * 32, lambda: int(clock.now.timestamp()))
        door = Door("local", self.sessions, lambda: "x", secure=False)
        self.console = Console(door, lambda: desk, ORIGIN, Buckets(lambda: 0.0))

    async def record(self, event):
        """What the audit does with an event."""
        await self.rows.insert(event)
        return await self.incidents.open(event)

    async def post(self, path, user, **form):
        return await self._call("POST", path, user, form)

    async def get(self, path, user):
        return (await self._call("GET", path, user, {})).body.decode()

    async def _call(self, method, path, user, form):
        cookie = f"{COOKIE}={self.sessions.seal(user)}"
        body = urlencode({"csrf": self.sessions.csrf(user), **form}).encode()
        headers = {"cookie": cookie, "origin": ORIGIN}
        return await self.console.handle(Request(method, path, {}, headers, body, "127.0.0.1"))

    def person(self, identity, session):
        until = int(self.rig.clock.now.timestamp()) + 90 * 86_400
        return User(identity, identity, ("reviewer",), session, until)


@pytest.fixture
def works(rig):
    return Works(rig)


async def test_two_people_release_a_mail_for_a_week_and_then_it_is_stopped_again(rig, works):
    office = Office(rig, works)
    message = rig.message(rig.mime(body="SECRET"))
    incident = await office.record(await works.scan(rig.mail_item(message)))
    assert live(rig) == []
    first, again = office.person("oid-a", "laptop"), office.person("oid-a", "phone")
    second = office.person("oid-b", "desk")
    form = {"step": "release", "reason": REASON, "days": "7"}
    assert (await office.post(f"incidents/{incident}/release", first, **form)).status == 303
    (asked,) = await works.exceptions.listed()
    step = {"step": "approve", "id": asked.id, "scope": asked.scope}
    for same in (first, again):  # two browsers, one person
        assert (await office.post("exceptions", same, **step)).status == 409
    await works.turns()
    assert live(rig) == []
    assert (await office.post("exceptions", second, **step)).status == 303
    await works.turns()
    (there,) = live(rig)
    await works.scan(rig.mail_item(there))  # the watch meets it
    assert live(rig) == [there]
    assert "有効" in await office.get("exceptions", second)
    rig.clock.now += 7 * DAY + timedelta(minutes=1)
    await works.turns()
    assert live(rig) == []
    assert "期限終了" in await office.get("exceptions", second)
    told = [each for each in works.events if each.action.startswith("exception_")]
    assert [each.action for each in told].count("exception_granted") >= 1
    assert told[-1].action == "exception_expired"
    used = [each.id for each in works.events if f"exception:{asked.id}" in each.rule_ids]
    assert len(used) == 2  # the copy that was put back, and the message that it became


async def test_false_positive_lets_the_value_pass_until_its_end(rig, works):
    office = Office(rig, works)
    file = rig.file("名簿.txt", b"SECRET")
    incident = await office.record(await works.scan(await rig.file_item(file)))
    first, second = office.person("oid-a", "s"), office.person("oid-b", "t")
    path = f"incidents/{incident}"
    for version, action in enumerate(("claim", "false_positive")):
        await office.post(path, first, action=action, version=str(version), note="")
    (value,) = re.findall(r'name="value" value="([^"]+)"', await office.get(path, first))
    form = {"step": "suppress", "reason": REASON, "days": "30", "value": value}
    assert (await office.post(f"{path}/release", first, **form)).status == 303
    (asked,) = await works.exceptions.listed()
    step = {"step": "approve", "id": asked.id, "scope": asked.scope}
    assert (await office.post(f"{path}/release", second, **step)).status == 303
    await works.turns()
    assert file.data == b"SECRET"
    rig.clock.now += 30 * DAY + timedelta(minutes=1)
    await works.turns()
    assert b"SECRET" not in file.data
