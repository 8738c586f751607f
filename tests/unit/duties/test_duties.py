"""What each function does with its event, over the in-memory stores."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from local.memory import Account, MemoryStores
from shared.codec import decode, encode
from shared.duties import Gate, Intake, Reader, Scanner, Stranded, Timers, Undertaker
from shared.errors import MalformedError, PermanentError, UnavailableError
from shared.graph.webhook import account_ref, client_state, job
from shared.model import Envelope, Item
from shared.storage.alerts import Alerts
from shared.storage.dead_letters import DeadLetters
from shared.storage.landed import STRANDED
from tests.unit.alerted import alerted

KEY = b"k" * 32
NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)


def now():
    return NOW


@pytest.fixture
def account():
    return Account(now)


@pytest.fixture
def stores(account):
    return MemoryStores(account)


def bodies(account, queue):
    return [decode(message.body, Envelope) for message in account.queues.get(queue, [])]


def intake(stores):
    alerts = Alerts(stores.table("alerts"), now)
    return Intake(
        stores.queue("graph-hints"), stores.queue("graph-jobs"), alerts, now, (KEY,), lambda: "t1"
    )


def notification(state, **more):
    part = {
        "subscriptionId": "s1",
        "clientState": state,
        "changeType": "created",
        "resourceData": {"id": "AAMk1", "@odata.etag": 'W/"CQ1"'},
        **more,
    }
    return json.dumps({"value": [part]}).encode()


def genuine():
    return client_state(KEY, "mail", account_ref("mail", "u1"), "n1")


async def test_intake_puts_a_hint_with_a_trace(stores, account):
    await intake(stores).receive(notification(genuine()))
    [hint] = bodies(account, "graph-hints")
    assert (hint.kind, hint.body["id"], hint.trace) == ("hint", "AAMk1", "t1")


async def test_intake_puts_a_job_for_a_lifecycle_event(stores, account):
    await intake(stores).receive(notification(genuine(), lifecycleEvent="missed"))
    assert [each.body["job"] for each in bodies(account, "graph-jobs")] == ["sweep"]


@pytest.mark.parametrize("body", [notification("mail.a.b.c"), b"{", b"", b"[]", b"\xff"])
async def test_intake_takes_nothing_from_what_is_forged_and_alerts(stores, account, body):
    await intake(stores).receive(body)
    assert bodies(account, "graph-hints") == bodies(account, "graph-jobs") == []
    assert len(alerted(account)) == 1


async def test_intake_tells_when_the_queue_is_away(account):
    async def away(operation, _moment):
        if "graph-hints" in operation:
            message = "away"
            raise UnavailableError(message)

    with pytest.raises(UnavailableError):
        await intake(MemoryStores(account, away)).receive(notification(genuine()))


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ({}, None),
        ({"validationToken": "Validation: a+b %"}, "Validation: a+b %"),
        ({"validationToken": "a\r\nSet-Cookie: x"}, None),
        ({"validationToken": "x" * 5000}, None),
    ],
)
def test_intake_answers_a_handshake(stores, query, answer):
    assert intake(stores).handshake(query) == answer


async def test_timers_spread_the_sweep(stores, account):
    async def due():
        yield job("enrol", "mail", "r1", NOW)

    async def accounts():
        for ref in ("a", "b", "c", "d"):
            yield "mail", ref

    timers = Timers(stores.queue("graph-jobs"), due, accounts, now, 60.0)
    await timers.renew()
    await timers.sweep()
    jobs = [(each.body["job"], each.body["account"]) for each in bodies(account, "graph-jobs")]
    assert jobs == [("enrol", "r1"), *(("sweep", ref) for ref in "abcd")]
    visible = [message.visible for message in account.queues["graph-jobs"][1:]]
    assert [(moment - NOW).total_seconds() for moment in visible] == [0, 15, 30, 45]


def reader(stores, work):
    alerts = Alerts(stores.table("alerts"), now)
    dead = DeadLetters(stores.blobs("deadletters"), alerts, stores.queue, now)
    return Reader("scan-items", stores.queue("scan-items"), dead, now, work)


async def test_reader_re_enqueues_what_may_get_better(stores, account):
    async def work(_):
        message = "away"
        raise UnavailableError(message, retry_after=7)

    await reader(stores, work).handle(encode(Envelope("item", NOW, Item("mail", "i", "r", "v"))))
    [again] = bodies(account, "scan-items")
    assert again.attempt == 1
    assert (again.not_before - NOW).total_seconds() >= 7


async def test_reader_keeps_what_will_not(stores, account):
    async def work(_):
        message = "no"
        raise PermanentError(message)

    await reader(stores, work).handle(encode(Envelope("item", NOW, Item("mail", "i", "r", "v"))))
    assert bodies(account, "scan-items") == []
    assert len(account.containers["deadletters"]) == 1
    assert len(alerted(account)) == 1


def undertaker(stores, dead):
    queue, poison = stores.queue("scan-items"), stores.queue("scan-items-poison")
    return Undertaker("scan-items", queue, poison, dead)


async def test_undertaker_revives_a_message_that_workers_died_under_then_keeps_it(stores, account):
    dead = DeadLetters(
        stores.blobs("deadletters"), Alerts(stores.table("alerts"), now), stores.queue, now
    )
    raw = encode(Envelope("item", NOW, Item("mail", "i", "r", "v")))
    for times in (1, 2, 3):
        await undertaker(stores, dead).bury(raw)
        raw = account.queues["scan-items"][-1].body
        assert decode(raw, Envelope).revived == times
        assert not account.containers.get("deadletters")
    await undertaker(stores, dead).bury(raw)
    assert len(account.queues["scan-items"]) == 3
    assert len(account.containers["deadletters"]) == 1


async def test_undertaker_puts_poison_back_while_the_letters_are_away(account):
    async def away(operation, _moment):
        if operation.startswith("deadletters"):
            message = "away"
            raise UnavailableError(message)

    for hook, kept, back in ((away, 0, 1), (None, 1, 1)):
        stores = MemoryStores(account, hook) if hook else MemoryStores(account)
        dead = DeadLetters(
            stores.blobs("deadletters"), Alerts(stores.table("alerts"), now), stores.queue, now
        )
        await undertaker(stores, dead).bury(b"poison")
        assert len(account.containers.get("deadletters", {})) == kept
        assert len(account.queues["scan-items-poison"]) == back


async def test_scanner_refuses_an_envelope_without_an_item():
    with pytest.raises(MalformedError):
        await Scanner(app=None).scan(Envelope("item", NOW))


async def test_gate_enqueues_one_item_a_recipient(stores, account):
    async def items_for(name):
        return tuple(Item("gate", name, str(index), "e1") for index in range(2))

    await Gate(items_for, stores.queue("scan-items"), now, lambda: "t").landed("mail/1.eml")
    assert [each.item.recipient for each in bodies(account, "scan-items")] == ["0", "1"]


BLOB = b'{"Type":"BlobTrigger","ContainerName":"landing","BlobName":"gate/mail/1.eml"}'


@pytest.mark.parametrize("raw", [b"x", b"[]", b"{}", BLOB.replace(b"landing", b"audit")])
async def test_what_names_no_upload_is_a_dead_letter(raw):
    account = Account(now)
    stores = MemoryStores(account)
    letters = DeadLetters(
        stores.blobs("deadletters"), Alerts(stores.table("alerts"), now), stores.queue, now
    )
    await Stranded(landing(stores), stores.queue(STRANDED), letters).handle(raw)
    assert len(account.containers["deadletters"]) == 1


async def test_an_upload_that_the_platform_gave_up_on_lands_again():
    account = Account(now)
    stores = MemoryStores(account)
    stranded = Stranded(landing(stores), stores.queue(STRANDED), None)
    await stranded.handle(BLOB)
    [item] = [decode(message.body, Envelope).item for message in account.queues["scan-items"]]
    assert item.id == "gate/mail/1.eml"


async def test_an_upload_waits_while_the_landing_is_away():
    account = Account(now)
    stores = MemoryStores(account)

    async def away(_name):
        message = "away"
        raise UnavailableError(message)

    gate = Gate(away, stores.queue("scan-items"), now, lambda: "t")
    await Stranded(gate, stores.queue(STRANDED), None).handle(BLOB)
    assert [message.body for message in account.queues[STRANDED]] == [BLOB]


def landing(stores):
    async def items(name):
        return (Item("gate", name, "0", "v1"),)

    return Gate(items, stores.queue("scan-items"), now, lambda: "t")
