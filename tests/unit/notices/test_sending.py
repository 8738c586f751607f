"""The outbox: nothing lost, one notice an addressee, failures seen; the webhook's hosts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from local.memory import Account, MemoryStores
from shared.codec import encode
from shared.errors import GoneError, PermanentError, RefusedError, UnavailableError
from shared.graph.answers import Answer
from shared.services.marker import Markers
from shared.services.notices import ATTEMPTS, Directory, GraphMail, Sender, Webhook
from shared.services.outbox import Address, Outbox
from shared.services.own_notice import HEADER, is_notice
from shared.storage.alerts import FRESH, Alerts
from tests.unit.notices.notice_facts import day, notices

OWNER, ROOM = Address("mail", "owner@example.jp"), Address("card", "security")
URL = "https://a.logic.azure.com/x"
MARKERS = Markers((b"marker key for tests, not a secret",))


class House:
    """An outbox in memory and a post office that fails as it is told."""

    def __init__(self):
        self.now = datetime(2026, 7, 1, tzinfo=UTC)
        self.account = Account(lambda: self.now)
        stores = MemoryStores(self.account)
        self.outbox = Outbox(stores.table("outbox"), lambda: self.now)
        alerts = Alerts(stores.table("alerts"), lambda: self.now)
        self.sent, self.error = [], None
        self.sender = Sender(self.outbox, notices(), alerts, {"mail": self.post, "card": self.post})

    async def post(self, to, notice):
        if self.error:
            raise self.error
        self.sent.append((to, notice.subject))

    def partitions(self):
        return sorted(partition for partition, _ in self.account.tables["outbox"])

    def alerts(self):
        return [each for each, _ in self.account.tables["alerts"] if each != FRESH]


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


class Graph:
    """Answers for a directory of three: ``owner`` has a manager, ``alone`` has none."""

    def __init__(self):
        self.sent = []

    async def send(self, call, params, *, body=None, query=None):
        if str(call) == "POST /users/{user}/sendMail":
            self.sent.append((params["user"], body))
            return None
        assert query["select"].startswith("id,mail")
        mails = {"owner": "owner@example.jp", "alone": "alone@example.jp"}
        if str(call).endswith("/manager"):
            mails = {"owner": "boss@example.jp"}
        if params["user"] not in mails:
            raise GoneError(params["user"])
        return Answer(200, {}, encode({"mail": mails[params["user"]]}))

    @property
    def told(self):
        return [
            each["message"]["toRecipients"][0]["emailAddress"]["address"] for _, each in self.sent
        ]


async def test_mail_is_one_call_from_the_one_mailbox():
    graph = Graph()
    mail = GraphMail(graph, "sekisho@example.jp", MARKERS)
    await mail.send(OWNER.to, notices().render("owner", day(1)))
    ((user, body),) = graph.sent
    assert user == "sekisho@example.jp"
    assert graph.told == [OWNER.to]
    assert body["saveToSentItems"] is False
    (header,) = body["message"]["internetMessageHeaders"]
    said = f"{header['name']}: {header['value']}\r\n".encode()
    assert is_notice(b"Subject: a\r\n" + said + b"\r\nbody", MARKERS)
    assert not is_notice(b"Subject: a\r\n\r\n" + said, MARKERS)
    assert not is_notice(f"{HEADER}: v1..forged\r\n\r\n".encode(), MARKERS)


async def test_owner_and_manager_are_looked_up_when_they_are_told():
    graph = Graph()
    mail = GraphMail(graph, "sekisho@example.jp", MARKERS)
    people = Directory(graph, mail.send, ("ciso@example.jp",))
    notice = notices().render("owner", day(1))
    await people.owner("owner", notice)
    await people.manager("owner", notice)
    await people.manager("alone", notice)  # nobody is named: the people in charge are told
    assert graph.told == ["owner@example.jp", "boss@example.jp", "ciso@example.jp"]
    with pytest.raises(PermanentError):
        await people.owner("nobody", notice)
    with pytest.raises(PermanentError):
        await Directory(graph, mail.send).manager("alone", notice)


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
        await Webhook({"security": url}).send("security", notices().render("owner", day(1)))
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

    hook = Webhook({"security": URL}, transport=httpx.MockTransport(answer))
    notice = notices().render("security", day(1))
    if error is None:
        await hook.send(ROOM.to, notice)
    else:
        with pytest.raises(error):
            await hook.send(ROOM.to, notice)
    assert len(seen) == 1
    assert b"application/vnd.microsoft.card.adaptive" in seen[0].content
