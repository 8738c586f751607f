"""The outbox: nothing lost, one notice an addressee, failures seen; the webhook's hosts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from local.memory import Account, MemoryStores
from shared.errors import PermanentError, RefusedError, UnavailableError
from shared.services.notices import ATTEMPTS, Address, GraphMail, Outbox, Sender, Webhook
from shared.storage.alerts import Alerts
from tests.unit.notices.notice_facts import day, notices

OWNER, ROOM = Address("mail", "owner@example.jp"), Address("card", "https://a.logic.azure.com/x")


class House:
    """An outbox in memory and a post office that fails as it is told."""

    def __init__(self):
        self.now = datetime(2026, 7, 1, tzinfo=UTC)
        self.account = Account(lambda: self.now)
        stores = MemoryStores(self.account)
        self.outbox = Outbox(stores.table("outbox"), lambda: self.now)
        alerts = Alerts(stores.table("alerts"), lambda: self.now)
        self.sent, self.error = [], None
        self.sender = Sender(self.outbox, notices(), alerts, self.post, self.post)

    async def post(self, to, notice):
        if self.error:
            raise self.error
        self.sent.append((to, notice.subject))

    def partitions(self):
        return sorted(partition for partition, _ in self.account.tables["outbox"])

    def alerts(self):
        return [partition for partition, _ in self.account.tables["alerts"]]


@pytest.fixture
def house():
    return House()


async def test_many_about_one_person_are_one_notice(house):
    for each in day(3):
        await house.outbox.put("owner", OWNER, each)
        await house.outbox.put("owner", OWNER, each)
        await house.outbox.put("security", ROOM, each)
    assert await house.sender.run() == 2
    assert sorted(to for to, _ in house.sent) == sorted([OWNER.to, ROOM.to])
    assert all("3" in subject for _, subject in house.sent)
    assert set(house.partitions()) == {"sent"}


async def test_what_was_sent_is_not_sent_again(house):
    await house.outbox.put("owner", OWNER, day(1)[0])
    await house.sender.run()
    await house.outbox.put("owner", OWNER, day(1)[0])
    assert await house.sender.run() == 0
    assert len(house.sent) == 1


async def test_failure_is_tried_again_after_a_pause(house):
    house.error = UnavailableError("away")
    await house.outbox.put("owner", OWNER, day(1)[0])
    assert await house.sender.run() == 0
    house.error = None
    assert await house.sender.run() == 0
    house.now += timedelta(minutes=2)
    assert await house.sender.run() == 1
    assert house.alerts() == []


async def test_last_failure_is_an_alert_and_stays(house):
    house.error = UnavailableError("away")
    await house.outbox.put("owner", OWNER, day(1)[0])
    for _ in range(ATTEMPTS):
        assert house.partitions() == ["pending"]
        await house.sender.run()
        house.now += timedelta(hours=7)
    assert house.partitions() == ["failed"]
    assert house.alerts() == ["notice_failed"]


async def test_refusal_is_an_alert_at_once(house):
    house.error = PermanentError("no such mailbox")
    await house.outbox.put("owner", OWNER, day(1)[0])
    await house.sender.run()
    assert house.partitions() == ["failed"]


async def test_notice_taken_by_another_worker_is_left_to_it(house):
    await house.outbox.put("owner", OWNER, day(1)[0])
    ((row, entry),) = await house.outbox.due()
    assert await house.outbox.take(row, entry) is not None
    assert await house.outbox.take(row, entry) is None


async def test_mail_is_one_call_from_the_one_mailbox():
    class Graph:
        async def send(self, call, params, *, body):
            self.said = str(call), params, body

    graph = Graph()
    await GraphMail(graph, "sekisho@example.jp").send(OWNER.to, notices().render("owner", day(1)))
    call, params, body = graph.said
    assert call == "POST /users/{user}/sendMail"
    assert params == {"user": "sekisho@example.jp"}
    assert body["message"]["toRecipients"] == [{"emailAddress": {"address": OWNER.to}}]
    assert body["saveToSentItems"] is False


@pytest.mark.parametrize(
    "url",
    [
        "http://a.logic.azure.com/x",
        "https://logic.azure.com.evil.test/",
        "https://evil.test/?.logic.azure.com",
        "https://u@a.logic.azure.com/",
        "https://127.0.0.1/",
        "",
    ],
)
async def test_webhook_goes_to_no_other_host(url):
    with pytest.raises(RefusedError) as error:
        await Webhook().send(url, notices().render("owner", day(1)))
    assert not url or url not in str(error.value)


@pytest.mark.parametrize(
    ("status", "error"),
    [(202, None), (429, UnavailableError), (503, UnavailableError), (404, PermanentError),
     (302, PermanentError)],
)  # fmt: skip
async def test_webhook_tells_by_the_answer(status, error):
    seen = []

    def answer(request):
        seen.append(request)
        return httpx.Response(status, headers={"Location": "https://evil.test/"})

    hook = Webhook(transport=httpx.MockTransport(answer))
    notice = notices().render("security", day(1))
    if error is None:
        await hook.send(ROOM.to, notice)
    else:
        with pytest.raises(error):
            await hook.send(ROOM.to, notice)
    assert len(seen) == 1
    assert b"application/vnd.microsoft.card.adaptive" in seen[0].content
