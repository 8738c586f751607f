"""Release, override, suppression and the owner's page: who may, how many, and what is recorded."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from shared.console.session import COOKIE, User
from shared.console.web import BASE, Request
from shared.model import Context
from shared.services.outbox import FAILED, Address
from shared.storage.exceptions import Exceptions
from tests.unit.console.conftest import ORIGIN, SECONDS, text
from tests.unit.console.seed import NOW, event, finding

REASON = "本人の同意を得て業務に用いるため"
CONTEXT = Context("drive", "onedrive_private", cohort="everyone")


def person(identity, *roles, session="s1"):
    return User(identity, identity, roles, f"{identity}-{session}", SECONDS + 60)


class Office:
    """A console with one stopped item, called by whoever a test says."""

    def __init__(self, house):
        self.house = house
        self.exceptions = Exceptions(house.stores.table("exceptions"), lambda: NOW)

    async def stopped(self, *found, rules=("my-number-high",), owner="owner", number=1):
        made = replace(
            event(number, disposition="block", source="drive", findings=found, owner=owner),
            rule_ids=rules, context=CONTEXT, place="onedrive_private", evidence_ref="quarantine/x",
        )  # fmt: skip
        await self.house.rows.insert(made)
        self.event = made
        self.id = await self.house.incidents.open(made)
        return made

    async def get(self, path, user):
        return await self.call("GET", path, user)

    async def post(self, path, user, **form):
        return await self.call("POST", path, user, form)

    async def call(self, method, path, user, form=None):
        from urllib.parse import urlencode  # noqa: PLC0415 - a list of values in a form

        cookie = f"{COOKIE}={self.house.sessions.seal(user)}"
        body = urlencode({"csrf": self.house.sessions.csrf(user), **(form or {})}, doseq=True)
        headers = {"cookie": cookie, "origin": ORIGIN}
        request = Request(method, path, {}, headers, body.encode(), "127.0.0.1")
        return await self.house.console.handle(request)

    async def ask(self, user, step="release", **form):
        given = {"reason": REASON, "days": "7"} | form
        return await self.post(f"incidents/{self.id}/release", user, step=step, **given)

    async def requests(self):
        return await self.exceptions.listed()

    def actions(self):
        return [action for action, *_ in self.house.told() if action.startswith("exception_")]


@pytest.fixture
def office(house):
    return Office(house)


async def test_two_sessions_of_one_identity_are_one_person(office):
    await office.stopped(finding("my_number", 1))
    first, again = person("a", "reviewer"), person("a", "reviewer", session="s2")
    assert (await office.ask(first)).status == 303
    (asked,) = await office.requests()
    step = {"step": "approve", "id": asked.id, "scope": asked.scope}
    for one in (first, again, person("A ", "reviewer", session="s3")):
        assert (await office.post("exceptions", one, **step)).status == 409
        assert (await office.post(f"incidents/{office.id}/release", one, **step)).status == 409
    assert [each.state for each in await office.requests()] == ["requested"]
    assert (await office.post("exceptions", person("b", "reviewer"), **step)).status == 303
    (granted,) = await office.requests()
    assert (granted.state, granted.people) == ("granted", ("a", "b"))
    assert office.actions()[-1] == "exception_granted"
    row = await office.house.incidents.get(office.id)
    assert (row.values["state"], row.values.get("verdict", "")) == ("released", "")


async def test_page_offers_an_approval_to_another_person_alone(office):
    await office.stopped(finding("my_number", 1))
    await office.ask(person("a", "reviewer"))
    for who, offered in (("a", False), ("b", True)):
        for path in (f"incidents/{office.id}", "exceptions"):
            page = text(await office.get(path, person(who, "reviewer")))
            assert ('value="approve"' in page) is offered
    page = text(await office.get("exceptions", person("c", "auditor")))
    assert 'name="step"' not in page


async def test_owner_cannot_release_and_a_viewer_cannot_ask(office):
    await office.stopped(finding("my_number", 1))
    assert (await office.ask(person("owner", "reviewer"))).status == 409
    assert (await office.ask(person("v", "viewer"))).status == 403
    assert await office.requests() == []


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"reason": "短い"}, 422),
        ({"reason": "番号は 1234 5678 9012 です。よろしく"}, 422),
        ({"reason": "長" * 501}, 422),
        ({"days": "365"}, 422),
        ({"days": ""}, 422),
        ({"step": "conjure"}, 400),
    ],
)
async def test_form_that_does_not_say_why_and_until_when_grants_nothing(office, form, status):
    await office.stopped(finding("my_number", 1))
    step = form.pop("step", "release")
    assert (await office.ask(person("a", "reviewer"), step, **form)).status == status
    assert await office.requests() == []


async def test_revoked_and_refused_are_ended_and_recorded(office):
    await office.stopped(finding("phone_number", 1), rules=("personal",))
    await office.ask(person("a", "reviewer"))
    (granted,) = await office.requests()  # one person is enough for this class
    assert granted.state == "granted"
    step = {"id": granted.id, "scope": granted.scope}
    assert (
        await office.post("exceptions", person("b", "reviewer"), step="revoke", **step)
    ).status == 303
    assert [each.state for each in await office.requests()] == ["revoked"]
    assert office.actions()[-1] == "exception_revoked"
    again = await office.post("exceptions", person("b", "reviewer"), step="revoke", **step)
    assert again.status == 409


async def test_release_is_of_exactly_what_was_found(office):
    made = await office.stopped(finding("my_number", 1), finding("my_number", 2))
    await office.ask(person("a", "reviewer"))
    (asked,) = await office.requests()
    assert set(asked.fingerprints) == {each.fingerprint for each in made.findings}
    assert asked.item.content_version == f"held:{made.id}"
    assert (asked.place, asked.rules) == ("onedrive_private", ("my-number-high",))


async def test_false_positive_suppresses_chosen_values_by_as_many_people_as_a_release(office):
    made = await office.stopped(finding("my_number", 1), finding("my_number", 2))
    reviewer = person("a", "reviewer")
    incident = f"incidents/{office.id}"
    assert 'value="suppress"' not in text(await office.get(incident, reviewer))
    for version, action in enumerate(("claim", "false_positive")):
        await office.post(incident, reviewer, action=action, version=str(version), note="")
    page = text(await office.get(incident, reviewer))
    values = re.findall(r'name="value" value="([^"]+)"', page)
    assert set(values) == {each.fingerprint for each in made.findings}
    assert (await office.ask(reviewer, "suppress", value=values[0])).status == 303
    (asked,) = await office.requests()
    assert (asked.kind, asked.scope, asked.state) == ("suppression", values[0], "requested")
    step = {"step": "approve", "id": asked.id, "scope": asked.scope}
    assert (await office.post("exceptions", reviewer, **step)).status == 409
    assert (await office.post("exceptions", person("b", "reviewer"), **step)).status == 303
    for wrong in ([], ["local-1:" + "0" * 64]):
        assert (await office.ask(reviewer, "suppress", value=wrong)).status == 409


async def test_owner_sees_their_own_item_and_overrides_where_every_rule_permits(office):
    await office.stopped(finding("person_name", 1), rules=("sensitive-person",))
    owner, other = person("owner"), person("somebody")
    path = f"own/{office.id}"
    assert (await office.get(path, other)).status == 404
    page = text(await office.get(path, owner))
    assert "業務に必要な場合" in page
    assert (await office.post(path, other, reason=REASON, days="1")).status == 404
    assert (await office.post(path, owner, reason="短い", days="1")).status == 422
    assert (await office.post(path, owner, reason=REASON, days="1")).status == 303
    (granted,) = await office.requests()
    assert (granted.kind, granted.state, granted.people) == ("override", "granted", ("owner",))
    assert 'name="reason"' not in text(await office.get(path, owner))


async def test_owner_cannot_override_a_rule_that_does_not_permit_it(office):
    await office.stopped(finding("my_number", 1))
    owner, path = person("owner"), f"own/{office.id}"
    page = text(await office.get(path, owner))
    assert 'name="reason"' not in page
    assert "12**********" in page
    assert (await office.post(path, owner, reason=REASON, days="1")).status == 409
    assert await office.requests() == []


async def test_link_of_a_notice_leads_through_the_sign_in_and_back(office):
    await office.stopped(finding("my_number", 1))
    path = f"own/{office.id}"
    handle = office.house.console.handle
    sent = await handle(Request("GET", path, {}, {}, b"", "127.0.0.1"))
    assert (sent.status, sent.location) == (303, f"{BASE}/login")
    headers = {"cookie": sent.cookie.partition(";")[0], "origin": ORIGIN}
    form = b"role=&person=owner"
    back = await handle(Request("POST", "login", {}, headers, form, "127.0.0.1"))
    assert back.location == f"{BASE}/{path}"
    headers["cookie"] = "sekisho_back=own/../letters"
    back = await handle(Request("POST", "login", {}, headers, form, "127.0.0.1"))
    assert back.location == BASE


async def test_leak_starts_its_clock_and_gives_the_draft(office):
    await office.stopped(finding("my_number", 1), finding("my_number", 2))
    reviewer, incident = person("a", "reviewer"), f"incidents/{office.id}"
    assert (await office.get(f"{incident}/leak", reviewer)).status == 404
    for version, action in enumerate(("claim", "leak")):
        answer = await office.post(incident, reviewer, action=action, version=str(version), note="")
        assert answer.status == 303
    page = text(await office.get(incident, reviewer))
    assert "2026-11-29" in page  # five days, the day of knowing among them
    assert "2026-12-24" in page
    assert "あと 4 日" in page
    draft = await office.get(f"{incident}/leak", reviewer)
    assert draft.media_type.startswith("text/markdown")
    assert "## 9." in text(draft)
    assert "2人（個人番号の異なる値の数による）" in text(draft)
    assert (await office.get(f"{incident}/leak", person("v", "viewer"))).status == 403


async def test_incident_without_numbers_of_people_is_no_leak_of_theirs(office):
    await office.stopped(finding("phone_number", 1), rules=("personal",))
    await office.post(
        f"incidents/{office.id}", person("a", "reviewer"), action="claim", version="0", note=""
    )
    page = text(await office.get(f"incidents/{office.id}", person("a", "reviewer")))
    assert 'value="leak"' not in page


async def test_notice_that_could_not_be_sent_is_seen(house):
    outbox = house.desk.outbox
    await outbox.put("owner", Address("owner", "somebody"), event(1, disposition="block"))
    page = text(await house.get("notices", "admin"))
    assert "1 件" in page
    ((row, entry),) = await outbox.due()
    await outbox.settle(row, FAILED, "PermanentError", entry.kind)
    page = text(await house.get("notices", "auditor"))
    assert "PermanentError" in page
    assert "本人へ" in page
    assert "somebody" not in page
    assert (await house.get("notices", "viewer")).status == 403
